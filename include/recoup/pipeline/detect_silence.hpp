// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>

#include "recoup/anomaly/silence_detector.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/anomaly.hpp"
#include "recoup/pipeline/detail/watch.hpp"
#include "recoup/pipeline/detect.hpp"

namespace recoup {

namespace detail {
struct silence_watch {
  static constexpr std::string_view name = "detect_silence";
  using detector = silence_detector;
  template <class Key>
  using finding = silence_over<Key>;

  template <class Event>
  static bool concerns(const Event&) noexcept {
    return true;
  }
  template <class Event>
  static void note(silence_detector& d, const Event&, timestamp now) noexcept {
    d.seen(now);
  }
  template <class Event>
  static void take_back(silence_detector&, const Event&, timestamp) noexcept {}  // it was heard all the same

  template <class Tell>
  static void arrival(const silence_detector& d, timestamp now, Tell&& tell) {
    if (const auto ended = d.judge(now)) tell(ended->since, ended->until);
  }
  template <class Tell>
  static void advance(silence_detector& d, timestamp now, Tell&& tell) {
    d.advance(now,
              [&](const silence& s) { tell(s.since, static_cast<double>(s.lasted().count()) / 1e9, s.assessment); });
  }
};

// The detector has a score of its own from which it tells.
inline constexpr detect_options whatever_is_told{.score = 1e-9};
}  // namespace detail

/// detect_silence("orders", silence_detector({.score = 13.8}))
///
/// Tells when no event has passed for so long that it is unlikely, as anomaly: `at` is that of the last event, the
/// value the seconds since. Tells it again when it has lasted twice as long, and silence_over when an event comes.
/// Stands behind the stages that reject or correct events. `name` is not copied: give it a literal.
[[nodiscard]] inline auto detect_silence(std::string_view name, silence_detector detector = silence_detector()) {
  return detail::watch_description<detail::one_stream, detail::silence_watch>{
      name, {}, {}, detector, detail::whatever_is_told, {}};
}

/// detect_silence("sensors", &reading::sensor, silence_detector(), {.capacity = 100'000})
///
/// A detector for each key, a copy of the one given. Where there are more keys than `keys.capacity`, or one is idle for
/// too long, its detector goes, and its silence with it: detector_evicted tells.
template <class Key>
[[nodiscard]] auto detect_silence(std::string_view name, Key key, silence_detector detector, keyed_options keys = {}) {
  return detail::watch_description<Key, detail::silence_watch>{name,     std::move(key),           {},
                                                               detector, detail::whatever_is_told, keys};
}

}  // namespace recoup
