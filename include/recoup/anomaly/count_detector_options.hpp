// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct count_detector_options {
  duration bucket = std::chrono::minutes(5);      ///< that each count is of
  duration season = std::chrono::hours(24);       ///< after which counts repeat, at least a bucket; seven make a week
  duration midnight{};                            ///< when seasons begin, after those of UTC: 0 to a season
  std::uint8_t rest_days = 0b100'0001;            ///< days of the week with a shape of their own; bit 0 is Sunday
  duration adapt_after = std::chrono::hours(24);  ///< how long a new level lasts before it is the usual one
  bool above = true;                              ///< whether more events than usual are an anomaly
  bool below = true;                              ///< whether fewer are
};

namespace detail {

inline count_detector_options checked(const count_detector_options& o) {
  detail::require_option(o.bucket > duration::zero(), "count_detector_options.bucket must be longer than zero");
  detail::require_option(o.season >= o.bucket && o.season / o.bucket <= 1'000'000,
                         "count_detector_options.season must be 1 to 1,000,000 buckets");
  detail::require_option(o.midnight >= duration::zero() && o.midnight < o.season,
                         "count_detector_options.midnight must be at least 0 and less than a season");
  detail::require_option(o.adapt_after >= o.bucket && o.adapt_after / o.bucket <= 1'000'000,
                         "count_detector_options.adapt_after must be 1 to 1,000,000 buckets");
  detail::require_option(o.rest_days < 128, "count_detector_options.rest_days has bits 0 (Sunday) to 6 (Saturday)");
  detail::require_option(o.above || o.below,
                         "count_detector_options.above and below are both false: nothing would be an anomaly");
  return o;
}

}  // namespace detail

}  // namespace recoup
