// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <type_traits>

#include "recoup/anomaly/assessment.hpp"

// Deviations as scores in nats, and back.

namespace recoup::detail {

// Beyond this a deviation counts as this one, so that the square of it is finite.
inline constexpr double largest_deviation = 1e150;

// -ln P(|Z| >= |z|) of a standard normal Z: 0 at 0, rising, finite for every z, and of NaN the largest. Within 0.1 % of
// the value. Neither exp, log nor erfc: the value less z^2 / 2 grows so slowly that a rational function does (fitted to
// the least relative error of the whole over z from 0 to 10^4; its slope at 0 is exact).
constexpr double gaussian_tail(double z) noexcept {
  // Compilers make a branch of the first, which noise has them guess wrong every other time.
  const double magnitude = std::is_constant_evaluated() ? (z < 0 ? -z : z) : std::abs(z);
  const double x = magnitude < largest_deviation ? magnitude : largest_deviation;
  constexpr double slope = 0.797'884'560'802'865'4;  // sqrt(2 / pi)
  return x * (0.5 * x + (slope + 0.006'631'681'76 * x) / (1 + x * (0.241'976'218'5 + 0.000'274'088'92 * x)));
}

// The deviation of 0 or more that has this score, from below: gaussian_tail of it is at most the score. For constants
// and rare questions: some hundred times the cost of gaussian_tail.
constexpr double deviation_of(double score) noexcept {
  if (!(score > 0)) return 0;
  double low = 0;
  double high = 2;  // above the answer: the score of z is more than z^2 / 2
  while (high < largest_deviation && 0.5 * high * high < score) high *= 2;
  for (int halvings = 0; halvings < 60; ++halvings) {
    const double middle = low + (high - low) / 2;
    (gaussian_tail(middle) <= score ? low : high) = middle;
  }
  return low;
}

// The ends of a band lie this many standard deviations from the middle: within it a value scores less than usual_score.
inline constexpr double usual_deviation = deviation_of(usual_score);

}  // namespace recoup::detail
