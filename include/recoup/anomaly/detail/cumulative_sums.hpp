// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// max(x, 0), exactly. Compilers make a branch of a maximum with 0, and which side noise is on cannot be guessed.
inline double positive_part(double x) noexcept { return 0.5 * (x + std::abs(x)); }

// Heights of cumulative sums, below.
struct sum_rules {
  static constexpr double most = 32;  // nats: sums end here, so that they fall again soon after
  static constexpr double overshoot = 0.583;
  static constexpr double sides = 0.693'147'180'559'945'3;  // ln 2

  explicit constexpr sum_rules(double drift_of_sums) noexcept
      : drift(drift_of_sums), highest(height_of(most)), room(height_of(usual_score) + drift) {}

  [[nodiscard]] constexpr double height_of(double score) const noexcept {
    return (score + sides) / (2 * drift) - overshoot;
  }

  double drift;
  double highest;
  double room;  // from a sum of 0 to a deviation that raises it to usual_score
};

// Deviations summed on either side (Page, 1954): each sum loses `drift` a value and never falls below 0, so that it
// stays low until deviations are more than `drift` on average.
//
// As a score: where deviations are independent and standard normal, a sum is distributed as the maximum of a random
// walk with a drift of -drift. By Wald's identity the maximum is at least h with the probability
// exp(-2 drift (h + 0.583)), where 0.583 is the mean by which normal steps overshoot (Siegmund, Sequential Analysis,
// 1985, X.2); there are two sides. So of all values of a usual stream one in e^score has such a sum; in runs, as sums
// are not independent.
class cumulative_sums {
 public:
  [[nodiscard]] cumulative_sums after(double deviation, const sum_rules& rules) const noexcept {
    cumulative_sums s;
    s.above_ = std::min(positive_part(above_ + deviation - rules.drift), rules.highest);
    s.below_ = std::min(positive_part(below_ - deviation - rules.drift), rules.highest);
    return s;
  }

  [[nodiscard]] double score(const sum_rules& rules) const noexcept {
    const double higher = std::max(above_, below_);
    if (higher == 0) return 0;  // as every value has a sum of at least that
    return positive_part(2 * rules.drift * (higher + sum_rules::overshoot) - sum_rules::sides);
  }

  [[nodiscard]] side larger() const noexcept { return side_of(above_ - below_); }

  // The sums once this value has been added; the band is that of values after which they would still be usual.
  [[nodiscard]] assessment judge(const forecast& f, double value, const sum_rules& rules, double clip) const noexcept {
    assessment a;
    a.expected = f.expected;
    a.warming = f.warming;
    if (f.warming) return a;
    const double room = rules.room;
    // As far as a value counts; none is too far where a clipped one would not be.
    if (room - below_ <= clip) a.lower = f.expected - f.scale * std::max(room - below_, -clip);
    if (room - above_ <= clip) a.upper = std::max(a.lower, f.expected + f.scale * std::max(room - above_, -clip));
    if (!std::isfinite(value)) return a;
    const cumulative_sums s = after(f.deviation(f.clipped(value, clip)), rules);
    a.score = s.score(rules);
    a.side = s.larger();
    return a;
  }

  void save(snapshot_writer& w) const {
    w.f64(above_);
    w.f64(below_);
  }
  [[nodiscard]] bool load(snapshot_reader& r, const sum_rules& rules) {
    above_ = r.f64();
    below_ = r.f64();
    return r.ok() && above_ >= 0 && above_ <= rules.highest && below_ >= 0 && below_ <= rules.highest;
  }

  [[nodiscard]] double above() const noexcept { return above_; }
  [[nodiscard]] double below() const noexcept { return below_; }

 private:
  double above_ = 0;
  double below_ = 0;
};

}  // namespace recoup::detail
