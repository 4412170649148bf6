// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/anomaly/detail/moments.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct welford_options {
  std::uint32_t warmup = 30;  ///< values before the first score: at least 8; they are learnt unclipped
  double clip = 4;            ///< standard deviations: learnt of a value is no more. At least 1; infinity: all of it
  double least_scale = 1e-9;  ///< in units of the value, 1e-40 to 1e40: no scale counts as less
};

/// Mean and variance of all values so far: what fits a level that never changes, and a part of a batch that others
/// join by `merge`. The score is that of a Gaussian deviation, with the allowance of Student's distribution for a mean
/// and variance that are estimates. With a clip of infinity both are exact but for rounding.
///
/// A shift of the level is learnt only when there are about as many values after it as before: see ewma. No
/// standard deviation counts as less than a millionth of the mean. Beyond +-1e100 values count as that.
/// Cost: O(1), a square root and six divisions. Bytes: 56.
/// Source: Welford (1962); merge: Chan, Golub, LeVeque (1979).
class welford : public detail::forecasting<welford> {
 public:
  explicit welford(welford_options options = {})
      : forecasting(checked(options).clip), least_scale_(options.least_scale), warmup_(options.warmup) {}

  [[nodiscard]] double mean() const noexcept { return moments_.mean; }
  /// Of the values as a population: the mean square of their distances from the mean.
  [[nodiscard]] double variance() const noexcept { return moments_.variance; }
  [[nodiscard]] double sample_variance() const noexcept {
    return learnt_ < 2 ? 0 : moments_.variance * (values() / (values() - 1));
  }
  [[nodiscard]] std::uint64_t learnt() const noexcept { return learnt_; }

  /// As if the other's values had been learnt here, each as its own detector clipped it.
  void merge(const welford& other) noexcept {
    ignored_ += other.ignored_;
    if (other.learnt_ == 0) return;
    const double share = other.values() / (values() + other.values());
    const double distance = other.moments_.mean - moments_.mean;
    moments_.mean += share * distance;
    moments_.variance =
        (1 - share) * moments_.variance + share * other.moments_.variance + share * (1 - share) * distance * distance;
    learnt_ = std::min(learnt_ + other.learnt_, most_learnt);
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({warmup_, std::bit_cast<std::uint64_t>(clip_), std::bit_cast<std::uint64_t>(least_scale_)});
  }
  [[nodiscard]] welford empty_copy() const {
    return welford({.warmup = warmup_, .clip = clip_, .least_scale = least_scale_});
  }

  void save(snapshot_writer& w) const {
    moments_.save(w);
    w.u64(learnt_);
    w.u64(ignored_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    welford loaded = *this;
    if (!loaded.moments_.load(r)) return false;
    loaded.learnt_ = r.u64();
    loaded.ignored_ = r.u64();
    if (!r.ok() || loaded.learnt_ > most_learnt) return false;
    *this = loaded;
    return true;
  }

 private:
  friend class detail::forecasting<welford>;

  static constexpr std::uint64_t most_learnt = std::uint64_t{1} << 62;  // merging two cannot overflow

  static const welford_options& checked(const welford_options& o) {
    detail::require_forecast_options("welford_options", o);
    return o;
  }

  [[nodiscard]] detail::forecast next(timestamp) const noexcept {
    return detail::forecast::from(moments_, detail::vagueness_of(values()), least_scale_, learnt_ < warmup_);
  }
  void absorb(timestamp, double value, const detail::forecast&) noexcept {
    learnt_ = std::min(learnt_ + 1, most_learnt);
    moments_.absorb(value, 1 / values());
  }
  [[nodiscard]] double values() const noexcept { return static_cast<double>(static_cast<std::int64_t>(learnt_)); }

  double least_scale_;
  detail::moments moments_;
  std::uint64_t learnt_ = 0;
  std::uint32_t warmup_;
};

}  // namespace recoup
