// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <recoup/core/time.hpp>

// Detectors as they stand in many an engineer's repository: the recursion, and a deviation as the score. No warm-up, no
// clipping, no check of the input, no probability, no band.

namespace hand_written {

struct ewma {
  double weight = 0.01;
  double mean = 0;
  double variance = 1;

  double update(recoup::timestamp, double value) {
    const double deviation = value - mean;
    const double z = deviation / std::sqrt(variance);
    mean += weight * deviation;
    variance = (1 - weight) * (variance + weight * deviation * deviation);
    return std::abs(z);
  }
};

struct holt_winters {
  static constexpr std::size_t period = 24;
  double level = 0;
  double trend = 0;
  double variance = 1;
  std::size_t at = 0;
  std::array<double, period> season{};

  double update(recoup::timestamp, double value) {
    double& s = season[at];
    at = at + 1 == period ? 0 : at + 1;
    const double miss = value - (level + trend + s);
    const double z = miss / std::sqrt(variance);
    const double last = level;
    level = 0.1 * (value - s) + 0.9 * (level + trend);
    trend = 0.01 * (level - last) + 0.99 * trend;
    s = 0.2 * (value - level) + 0.8 * s;
    variance += 0.02 * (miss * miss - variance);
    return std::abs(z);
  }
};

struct cusum {
  double weight = 0.001;
  double mean = 0;
  double variance = 1;
  double above = 0;
  double below = 0;

  double update(recoup::timestamp, double value) {
    const double deviation = value - mean;
    const double z = deviation / std::sqrt(variance);
    above = std::max(0.0, above + z - 0.5);
    below = std::max(0.0, below - z - 0.5);
    mean += weight * deviation;
    variance = (1 - weight) * (variance + weight * deviation * deviation);
    return std::max(above, below);
  }
};

struct page_hinkley {
  double mean = 0;
  std::uint64_t learnt = 0;
  double sum = 0;
  double least = 0;

  double update(recoup::timestamp, double value) {
    mean += (value - mean) / static_cast<double>(++learnt);
    sum += value - mean - 0.5;
    least = std::min(least, sum);
    return sum - least;
  }
};

}  // namespace hand_written
