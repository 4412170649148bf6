// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>

#include "recoup/anomaly/ratio_detector.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/detail/watch.hpp"
#include "recoup/pipeline/detect.hpp"

namespace recoup {

namespace detail {
template <class Opens, class Follows>
struct ratio_watch {
  static constexpr std::string_view name = "detect_ratio";
  using detector = ratio_detector;

  Opens opens;
  Follows follows;

  template <class Event>
  bool concerns(const Event& e) const {
    static_assert(
        std::predicate<const Opens&, const Event&> && std::predicate<const Follows&, const Event&>,
        "recoup: detect_ratio(name, opens, follows, detector) needs two callables of const Event& that return bool");
    return opens(e) || follows(e);
  }
  template <class Event>
  void note(ratio_detector& d, const Event& e, timestamp now) const {
    if (opens(e)) d.opened(now);
    if (follows(e)) d.followed(now);
  }
  template <class Event>
  void take_back(ratio_detector& d, const Event& e, timestamp now) const {
    const auto& o = d.options();
    const auto buckets = static_cast<std::size_t>(o.maturity / o.bucket) + 2;  // those that may be open up to now
    if (opens(e)) take_back_latest(now, o.bucket, buckets, [&](timestamp at) { return d.forget_opened(at); });
    if (follows(e)) take_back_latest(now, o.bucket, buckets, [&](timestamp at) { return d.forget_followed(at); });
  }
  template <class Tell>
  static void advance(ratio_detector& d, timestamp now, Tell&& tell) {
    d.advance(now, [&](const ratio_assessment& r) { tell(r.start, r.ratio(), r.assessment); });
  }
};
}  // namespace detail

/// detect_ratio("scans to entries", [](const event& e) { return e.type == scan; },
///              [](const event& e) { return e.type == entry; }, ratio_detector({.maturity = 10min}))
///
/// "About 95 % of As lead to Bs": counts the events that pass for which the first callable holds, and those for which
/// the second does, and judges their ratio in each bucket of time when `advance` closes it. What is unusual is told as
/// anomaly, `at` where the bucket began, the value the ratio. An event may be both. `name` is not copied: give it a
/// literal.
template <class Opens, class Follows>
[[nodiscard]] auto detect_ratio(std::string_view name, Opens opens, Follows follows, ratio_detector detector,
                                detect_options options = {}) {
  using watch = detail::ratio_watch<Opens, Follows>;
  return detail::watch_description<detail::one_stream, watch>{
      name, {}, watch{std::move(opens), std::move(follows)}, std::move(detector), options, {}};
}

/// detect_ratio("paid", &order::shop, is_order, is_payment, ratio_detector(), {}, {.capacity = 10'000})
///
/// A detector for each key, a copy of the one given. Where there are more keys than `keys.capacity`, or one is idle for
/// too long, its detector goes: detector_evicted tells.
template <class Key, class Opens, class Follows>
[[nodiscard]] auto detect_ratio(std::string_view name, Key key, Opens opens, Follows follows, ratio_detector detector,
                                detect_options options = {}, keyed_options keys = {}) {
  using watch = detail::ratio_watch<Opens, Follows>;
  return detail::watch_description<Key, watch>{
      name, std::move(key), watch{std::move(opens), std::move(follows)}, std::move(detector), options, keys};
}

}  // namespace recoup
