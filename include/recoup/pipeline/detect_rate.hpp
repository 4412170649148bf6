// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/rate_detector.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/detail/watch.hpp"
#include "recoup/pipeline/detect.hpp"

namespace recoup {

namespace detail {
struct rate_watch {
  static constexpr std::string_view name = "detect_rate";
  using detector = rate_detector;

  template <class Event>
  static bool concerns(const Event&) noexcept {
    return true;
  }
  template <class Event>
  static void note(rate_detector& d, const Event&, timestamp now) noexcept {
    d.add(now);
  }
  template <class Event>
  static void take_back(rate_detector& d, const Event&, timestamp now) noexcept {
    take_back_latest(now, d.options().counts.bucket, rate_detector::open_buckets,
                     [&](timestamp at) { return d.forget(at); });
  }
  template <class Tell>
  static void advance(rate_detector& d, timestamp now, Tell&& tell) {
    d.advance(now, [&]<class Told>(const Told& told) {
      if constexpr (requires { told.assessment; }) tell(told.start, static_cast<double>(told.count), told.assessment);
    });
  }
};
}  // namespace detail

/// detect_rate("orders", rate_detector({.counts = {.bucket = 1min}}))
///
/// Counts the events that pass, and judges each bucket of time when `advance` closes it: too few, too many, none. What
/// is unusual is told as anomaly, `at` where the bucket began. `name` is not copied: give it a literal.
[[nodiscard]] inline auto detect_rate(std::string_view name, rate_detector detector = rate_detector(),
                                      detect_options options = {}) {
  return detail::watch_description<detail::one_stream, detail::rate_watch>{name, {}, {}, detector, options, {}};
}

/// detect_rate("orders", &order::shop, rate_detector(), {}, {.capacity = 10'000})
///
/// A detector for each key, a copy of the one given. Where there are more keys than `keys.capacity`, or one is idle for
/// too long, its detector goes: detector_evicted tells.
template <class Key>
[[nodiscard]] auto detect_rate(std::string_view name, Key key, rate_detector detector, detect_options options = {},
                               keyed_options keys = {}) {
  return detail::watch_description<Key, detail::rate_watch>{name, std::move(key), {}, detector, options, keys};
}

}  // namespace recoup
