// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/anomaly/detail/moments.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup {

struct tracked_quantile_options {
  double quantile = 0.5;  ///< 0.001 to 0.999
  double step = 0.05;     ///< how far a value moves the estimate, in mean distances from it: above 0 to 0.5
};

/// One quantile of the latest values, in the space of two numbers. A value above the estimate moves it up by `quantile`
/// steps, one below down by 1 - `quantile`: it rests where that share of the values is below it. Steps are in
/// proportion to the mean distance of values from the estimate, itself exponentially weighted by `step`, so that the
/// unit of the values doesn't matter; while there are few values, steps are longer.
///
/// Why not P^2 (Jain, Chlamtac, 1985): its five markers and their positions take 80 bytes and more, and weigh all
/// values ever seen alike, so that it adapts ever more slowly. Frugal streaming (Ma, Muthukrishnan, Sandler, 2013) has
/// the movement of this one and needs but one number, but its steps are of a fixed size that its user must choose.
/// Error: of independent normal values about 0.1 standard deviations at the default median; it grows as the root of
/// `step`, and where values are sparse, far out in a tail. For many quantiles, or an error bound, see quantile_sketch.
///
/// Values beyond +-1e100 are learnt as that. NaN and infinity are ignored. Cost: O(1), a division.
/// Bytes: 48.
class tracked_quantile {
 public:
  explicit tracked_quantile(tracked_quantile_options options = {}) : options_(checked(options)) {}

  void learn(double value) noexcept {
    if (!std::isfinite(value)) [[unlikely]] {
      ++ignored_;
      return;
    }
    value = std::clamp(value, -detail::largest_learnt, detail::largest_learnt);
    if (learnt_ == 0) estimate_ = value;
    if (learnt_ < std::numeric_limits<std::uint32_t>::max()) ++learnt_;
    const double step = std::max(options_.step, 1.0 / learnt_);
    // The length of a step must not depend on the value that asks for it, nor end at it: either favours a side.
    const double move = (value > estimate_ ? options_.quantile : value < estimate_ ? options_.quantile - 1 : 0) * step;
    const double distance = std::abs(value - estimate_);
    // No further off than `clip` mean distances, but in the first steps, which are not short ones yet.
    const double most = step > options_.step ? distance : clip * detail::forecast::floored(distance_, 1e-9, estimate_);
    estimate_ = std::clamp(estimate_ + move * distance_, -detail::largest_learnt, detail::largest_learnt);
    distance_ += step * (std::min(distance, most) - distance_);
  }

  /// The quantile; 0 before the first value.
  [[nodiscard]] double value() const noexcept { return estimate_; }
  /// Of values from the estimate, on average.
  [[nodiscard]] double mean_distance() const noexcept { return distance_; }
  /// Up to 2^32 - 1.
  [[nodiscard]] std::uint32_t learnt() const noexcept { return learnt_; }
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine(
        {std::bit_cast<std::uint64_t>(options_.quantile), std::bit_cast<std::uint64_t>(options_.step)});
  }
  [[nodiscard]] tracked_quantile empty_copy() const { return tracked_quantile(options_); }

  void save(snapshot_writer& w) const {
    w.f64(estimate_);
    w.f64(distance_);
    w.u32(learnt_);
    w.u64(ignored_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    tracked_quantile loaded = *this;
    loaded.estimate_ = r.f64();
    loaded.distance_ = r.f64();
    loaded.learnt_ = r.u32();
    loaded.ignored_ = r.u64();
    const bool sane = std::abs(loaded.estimate_) <= detail::largest_learnt && loaded.distance_ >= 0 &&
                      loaded.distance_ <= 4 * detail::largest_learnt;
    if (!r.ok() || !sane) return false;
    *this = loaded;
    return true;
  }

 private:
  static constexpr double clip = 8;

  static const tracked_quantile_options& checked(const tracked_quantile_options& o) {
    detail::require_option(o.quantile >= 0.001 && o.quantile <= 0.999,
                           "tracked_quantile_options.quantile must be 0.001 to 0.999");
    detail::require_option(o.step > 0 && o.step <= 0.5,
                           "tracked_quantile_options.step must be above 0 and at most 0.5");
    return o;
  }

  tracked_quantile_options options_;
  double estimate_ = 0;
  double distance_ = 0;
  std::uint64_t ignored_ = 0;
  std::uint32_t learnt_ = 0;
};

}  // namespace recoup
