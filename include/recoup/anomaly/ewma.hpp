// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "recoup/anomaly/detail/fading_moments.hpp"
#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct ewma_options {
  double half_life = 100;     ///< values after which one has lost half its weight: at least 1
  std::uint32_t warmup = 30;  ///< values before the first score: at least 8; they are learnt unclipped
  double clip = 4;            ///< standard deviations: learnt of a value is no more. At least 1; infinity: all of it
  double least_scale = 1e-9;  ///< in units of the value, 1e-40 to 1e40: no scale counts as less
};

/// Exponentially weighted mean and variance of the latest values: what fits a level that wanders. The score is that of
/// a Gaussian deviation, with the allowance of Student's distribution for a mean and variance that are estimates.
/// While there are few values all weigh the same, so that the first ones count no more than others.
///
/// A shift of the level is learnt after some half-lives; meanwhile it scores. No
/// standard deviation counts as less than a millionth of the mean. Beyond +-1e100 values count as that.
/// Cost: O(1), a square root and three divisions. Bytes: 64.
/// Source: West (1979), Finch, "Incremental calculation of weighted mean and variance" (2009).
class ewma : public detail::forecasting<ewma> {
 public:
  explicit ewma(ewma_options options = {})
      : forecasting(checked(options).clip),
        least_scale_(options.least_scale),
        moments_(options.half_life, options.warmup) {}

  /// What the latest value weighs where so many values later it weighs half: 1 - 2^(-1 / half_life).
  [[nodiscard]] static double weight_of(double half_life) noexcept {
    return detail::fading_moments::weight_of(half_life);
  }
  [[nodiscard]] static double half_life_of(double weight) noexcept {
    return detail::fading_moments::half_life_of(weight);
  }

  [[nodiscard]] double mean() const noexcept { return moments_.now().mean; }
  [[nodiscard]] double variance() const noexcept { return moments_.now().variance; }
  /// Values learnt, up to 2^32 - 1.
  [[nodiscard]] std::uint32_t learnt() const noexcept { return moments_.learnt(); }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({std::bit_cast<std::uint64_t>(moments_.weight()), moments_.warmup(),
                            std::bit_cast<std::uint64_t>(clip_), std::bit_cast<std::uint64_t>(least_scale_)});
  }
  [[nodiscard]] ewma empty_copy() const {
    ewma fresh = *this;
    fresh.moments_.clear();
    fresh.ignored_ = 0;
    return fresh;
  }

  void save(snapshot_writer& w) const {
    moments_.save(w);
    w.u64(ignored_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    ewma loaded = *this;
    if (!loaded.moments_.load(r)) return false;
    loaded.ignored_ = r.u64();
    if (!r.ok()) return false;
    *this = loaded;
    return true;
  }

 private:
  friend class detail::forecasting<ewma>;

  static const ewma_options& checked(const ewma_options& o) {
    detail::require_option(o.half_life >= 1 && o.half_life <= 1e9, "ewma_options.half_life must be 1 to 10^9 values");
    detail::require_forecast_options("ewma_options", o);
    return o;
  }

  [[nodiscard]] detail::forecast next(timestamp) const noexcept { return moments_.next(least_scale_); }
  void absorb(timestamp, double value, const detail::forecast&) noexcept { moments_.absorb(value); }

  double least_scale_;
  detail::fading_moments moments_;
};

}  // namespace recoup
