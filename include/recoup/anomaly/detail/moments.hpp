// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// What is beyond this counts as this, so that squares are finite, and sums of them.
inline constexpr double largest_learnt = 1e100;

// A mean and variance in which each value replaces `weight` of all before it. With weights of 1, 1/2, 1/3, ... those of
// all values (Welford, 1962); with a constant one, exponentially weighted (West, 1979; Finch, 2009). No cancellation:
// the variance is a sum of squares.
struct moments {
  double mean = 0;
  double variance = 0;  // of a population

  // |value| must be at most largest_learnt, and weight 0 to 1; then both stay finite.
  void absorb(double value, double weight) noexcept {
    const double deviation = value - mean;
    mean += weight * deviation;
    variance = (1 - weight) * (variance + weight * deviation * deviation);
  }

  void save(snapshot_writer& w) const {
    w.f64(mean);
    w.f64(variance);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    mean = r.f64();
    variance = r.f64();
    return r.ok() && std::abs(mean) <= 2 * largest_learnt && variance >= 0 &&
           variance <= 4 * largest_learnt * largest_learnt;
  }
};

}  // namespace recoup::detail
