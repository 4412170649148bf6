// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "recoup/anomaly/detail/cumulative_sums.hpp"
#include "recoup/anomaly/detail/fading_moments.hpp"
#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct cusum_options {
  double drift = 0.5;         ///< standard deviations: half the least shift to be found soon. 0.05 to 4
  double half_life = 1'000;   ///< of what is taken for usual, in values: at least 30, and long beside the shifts sought
  std::uint32_t warmup = 60;  ///< values before the first score: at least 8; they are learnt unclipped
  double clip = 4;            ///< standard deviations: neither sums nor baseline take more of a value. At least 1
  double least_scale = 1e-9;  ///< in units of the value, 1e-40 to 1e40: no scale counts as less
  double alarm = std::numeric_limits<double>::infinity();  ///< nats: a score from which the sums begin at 0 again
};

/// Finds a small lasting shift of the level, in either direction, long before a single value stands out: the sums of
/// deviations beyond a drift, by a mean and standard deviation that follow slowly (two-sided CUSUM: Page, 1954). A
/// shift of d standard deviations, d > drift, scores about 2 drift (d - drift) more with each value. Single values
/// that stand out are not what it looks for: with the usual clip one of them doesn't score as unusual.
///
/// The score estimates how rarely the sums of a usual stream stand so high (detail/cumulative_sums.hpp); it ends at 32.
/// The band is that of the next value, given the sums. While a shift lasts it scores, until the mean has followed or,
/// with `alarm`, until the sums begin anew. Estimates off by much of the drift make false alarms: half_life is to be
/// some hundreds at least, and a slow wave of the level is a shift.
/// Beyond +-1e100 values count as that. Cost: O(1), a square root and a division. Bytes: 144.
class cusum : public detail::forecasting<cusum> {
 public:
  explicit cusum(cusum_options options = {})
      : forecasting(checked(options).clip),
        options_(options),
        rules_(options.drift),
        moments_(options.half_life, options.warmup) {}

  [[nodiscard]] double mean() const noexcept { return moments_.now().mean; }
  [[nodiscard]] double variance() const noexcept { return moments_.now().variance; }
  /// In standard deviations.
  [[nodiscard]] double sum_above() const noexcept { return sums_.above(); }
  [[nodiscard]] double sum_below() const noexcept { return sums_.below(); }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const auto bits = [](double d) { return std::bit_cast<std::uint64_t>(d); };
    return detail::combine({bits(options_.drift), bits(options_.half_life), options_.warmup, bits(options_.clip),
                            bits(options_.least_scale), bits(options_.alarm)});
  }
  [[nodiscard]] cusum empty_copy() const { return cusum(options_); }

  void save(snapshot_writer& w) const {
    moments_.save(w);
    sums_.save(w);
    w.u64(ignored_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    cusum loaded = *this;
    if (!loaded.moments_.load(r) || !loaded.sums_.load(r, rules_)) return false;
    loaded.ignored_ = r.u64();
    if (!r.ok()) return false;
    *this = loaded;
    return true;
  }

 private:
  friend class detail::forecasting<cusum>;

  static const cusum_options& checked(const cusum_options& o) {
    detail::require_option(o.drift >= 0.05 && o.drift <= 4,
                           "cusum_options.drift must be 0.05 to 4 standard deviations");
    detail::require_option(o.half_life >= 30 && o.half_life <= 1e9,
                           "cusum_options.half_life must be 30 to 10^9 values");
    detail::require_option(o.alarm > 0, "cusum_options.alarm must be above 0 nats; infinity for none");
    detail::require_forecast_options("cusum_options", o);
    return o;
  }

  [[nodiscard]] detail::forecast next(timestamp) const noexcept { return moments_.next(options_.least_scale); }
  static assessment judged(const cusum& c, const detail::forecast& f, double value) noexcept {
    return c.sums_.judge(f, value, c.rules_, c.options_.clip);
  }
  void absorb(timestamp, double value, const detail::forecast& f) noexcept {
    moments_.absorb(value);
    if (f.warming) return;
    sums_ = sums_.after(f.deviation(value), rules_);
    if (sums_.score(rules_) >= options_.alarm) sums_ = {};
  }

  cusum_options options_;
  detail::sum_rules rules_;
  detail::fading_moments moments_;
  detail::cumulative_sums sums_;
};

}  // namespace recoup
