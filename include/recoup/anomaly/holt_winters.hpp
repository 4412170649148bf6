// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/anomaly/detail/moments.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// Weights are those of the latest value: above 0 to 1, or 0 for none of it.
struct holt_winters_options {
  duration period = std::chrono::hours(24);  ///< of the season; where timestamps count values, a number of values
  double level = 0.1;
  double trend = 0.01;        ///< of the change of the level by which the trend follows it; 0: no trend
  double season = 0.2;        ///< 0: the season stays as the first period had it
  double damping = 0.98;      ///< of the trend, from value to value: 0 to 1
  double scale = 0.02;        ///< of the variance of what was not foreseen
  std::uint32_t warmup = 30;  ///< values after the first period before the first score: at least 8
  double clip = 4;            ///< standard deviations: learnt of a value is no more. At least 1; infinity: all of it
  double least_scale = 1e-9;  ///< in units of the value, 1e-40 to 1e40: no scale counts as less
};

/// A level, a damped trend and an additive season (Holt, 1957; Winters, 1960; damped: Gardner, McKenzie, 1985; in the
/// error-correction form of Hyndman et al., 2008). The season has `Bins` equal parts, and which of them a value
/// belongs to is told by its time, so that values which fail to come or come twice don't shift it. Level and trend go
/// by values, not by time: values should come at about one pace.
///
/// The first period gives each bin the mean of its values, and so the season; nothing scores during it, nor before
/// `warmup` values after it, nor a bin's first value. A false time far in the future ends it early. Later the mean of
/// the season may move against the level, which no forecast shows.
/// Beyond +-1e100 values count as that. Period and bins don't know daylight saving time.
/// Cost: O(1), a square root, three divisions and that of finding the bin; O(Bins) once, after the first period.
/// Bytes: 12 * Bins + 136.
template <std::size_t Bins = 24>
class holt_winters : public detail::forecasting<holt_winters<Bins>> {
  static_assert(Bins >= 1 && Bins <= 100'000, "recoup: holt_winters<Bins> must have 1 to 100'000 bins");
  using base = detail::forecasting<holt_winters<Bins>>;

 public:
  explicit holt_winters(holt_winters_options options = {})
      : base(checked(options).clip), options_(options), vagueness_(1 / (2 / options.scale - 1)) {}

  [[nodiscard]] static std::size_t bin_of(timestamp at, duration period) noexcept {
    const std::int64_t rest = at.time_since_epoch().count() % period.count();
    const auto phase = static_cast<std::uint64_t>(rest < 0 ? rest + period.count() : rest);
    const double bin = static_cast<double>(phase) * Bins / static_cast<double>(period.count());
    return std::min(static_cast<std::size_t>(bin), Bins - 1);
  }

  [[nodiscard]] double level() const noexcept { return level_; }
  [[nodiscard]] double trend() const noexcept { return trend_; }
  /// What the season adds at this time; during the first period the mean of the bin's values.
  [[nodiscard]] double season(timestamp at) const noexcept { return season_[bin_of(at, options_.period)]; }
  /// Of what was not foreseen.
  [[nodiscard]] double variance() const noexcept { return variance_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const auto bits = [](double d) { return std::bit_cast<std::uint64_t>(d); };
    return detail::combine({Bins, detail::option(options_.period), bits(options_.level), bits(options_.trend),
                            bits(options_.season), bits(options_.damping), bits(options_.scale), options_.warmup,
                            bits(options_.clip), bits(options_.least_scale)});
  }
  [[nodiscard]] holt_winters empty_copy() const { return holt_winters(options_); }

  void save(snapshot_writer& w) const {
    w.f64(level_);
    w.f64(trend_);
    w.f64(variance_);
    w.time(first_);
    w.u32(values_);
    w.boolean(has_season_);
    w.u64(this->ignored_);
    for (std::size_t bin = 0; bin < Bins; ++bin) {
      w.f64(season_[bin]);
      w.u32(visits_[bin]);
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    const auto is_sane = [](double d) { return std::abs(d) <= bound; };
    holt_winters loaded = *this;
    loaded.level_ = r.f64();
    loaded.trend_ = r.f64();
    loaded.variance_ = r.f64();
    loaded.first_ = r.time();
    loaded.values_ = r.u32();
    loaded.has_season_ = r.boolean();
    loaded.ignored_ = r.u64();
    bool sane = is_sane(loaded.level_) && is_sane(loaded.trend_) && loaded.variance_ >= 0 &&
                loaded.variance_ <= 100 * bound * bound;
    for (std::size_t bin = 0; bin < Bins && r.ok(); ++bin) {
      loaded.season_[bin] = r.f64();
      loaded.visits_[bin] = r.u32();
      sane = sane && is_sane(loaded.season_[bin]);
    }
    if (!r.ok() || !sane) return false;
    *this = loaded;
    return true;
  }

 private:
  friend class detail::forecasting<holt_winters<Bins>>;

  static constexpr double bound = 1e104;  // of level, trend and season: no forecast is further off than three of it

  static const holt_winters_options& checked(const holt_winters_options& o) {
    const auto is_weight = [](double w) { return w >= 0 && w <= 1; };
    detail::require_option(o.period >= duration(Bins),
                           "holt_winters_options.period must be at least a nanosecond for each bin");
    detail::require_option(is_weight(o.level) && o.level > 0,
                           "holt_winters_options.level must be above 0 and at most 1");
    detail::require_option(is_weight(o.trend), "holt_winters_options.trend must be 0 to 1");
    detail::require_option(is_weight(o.season), "holt_winters_options.season must be 0 to 1");
    detail::require_option(is_weight(o.damping), "holt_winters_options.damping must be 0 to 1");
    detail::require_option(o.scale > 0 && o.scale <= 0.5, "holt_winters_options.scale must be above 0 and at most 0.5");
    detail::require_forecast_options("holt_winters_options", o);
    return o;
  }

  [[nodiscard]] double expected_in(std::size_t bin) const noexcept {
    return has_season_ ? level_ + options_.damping * trend_ + season_[bin] : season_[bin];
  }

  [[nodiscard]] detail::forecast next(timestamp at) const noexcept {
    const std::size_t bin = bin_of(at, options_.period);
    // The mean miss is known to be 0, so that only the variance is an estimate.
    const double vagueness = values_ * vagueness_ >= 1 ? vagueness_ : 1.0 / std::max(values_, 1U);
    const double scale = std::sqrt(variance_ * (1 + 0.5 * vagueness));
    const double expected = expected_in(bin);
    return {expected, detail::forecast::floored(scale, options_.least_scale, expected), vagueness,
            !has_season_ || values_ < options_.warmup || visits_[bin] == 0};
  }

  void absorb(timestamp at, double value, const detail::forecast&) noexcept {
    const std::size_t bin = bin_of(at, options_.period);
    if (!has_season_) {
      // A time before the first makes that one the first, lest a false one in the future hold up the season.
      if (values_ == 0 || at < first_) first_ = at;
      if (elapsed(first_, at) < options_.period) {
        count(values_);
        count(visits_[bin]);
        season_[bin] += (value - season_[bin]) / visits_[bin];
        return;
      }
      end_first_period();
    }
    if (visits_[bin] == 0) season_[bin] = value - level_ - options_.damping * trend_;
    const double miss = value - expected_in(bin);
    if (visits_[bin] != 0) {
      count(values_);
      const double weight = values_ * options_.scale >= 1 ? options_.scale : 1.0 / values_;
      variance_ += weight * (miss * miss - variance_);
    }
    count(visits_[bin]);
    const double change = options_.level * miss;
    trend_ *= options_.damping;
    level_ = std::clamp(level_ + trend_ + change, -bound, bound);
    trend_ = std::clamp(trend_ + options_.trend * change, -bound, bound);
    season_[bin] = std::clamp(season_[bin] + options_.season * (miss - change), -bound, bound);
  }

  [[gnu::noinline]] void end_first_period() noexcept {
    double bins = 0;
    for (std::size_t bin = 0; bin < Bins; ++bin) {
      if (visits_[bin] != 0) level_ += (season_[bin] - level_) / ++bins;
    }
    for (std::size_t bin = 0; bin < Bins; ++bin) {
      if (visits_[bin] != 0) season_[bin] -= level_;
    }
    values_ = 0;
    has_season_ = true;
  }

  static void count(std::uint32_t& n) noexcept { n += n < std::numeric_limits<std::uint32_t>::max(); }

  holt_winters_options options_;
  double vagueness_;  // of the variance at last
  double level_ = 0;
  double trend_ = 0;
  double variance_ = 0;
  timestamp first_{};
  std::uint32_t values_ = 0;  // during the first period all, later those that had a forecast
  bool has_season_ = false;
  std::array<double, Bins> season_{};  // during the first period means
  std::array<std::uint32_t, Bins> visits_{};
};

}  // namespace recoup
