// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/tail.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "recoup/anomaly/assessment.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using recoup::detail::deviation_of;
using recoup::detail::gaussian_tail;
using recoup::detail::largest_deviation;
using recoup::detail::usual_deviation;

// -ln erfc(z / sqrt 2); where erfc is too small to be a number, by its asymptotic series (Abramowitz, Stegun, 7.1.23).
double exact_tail(double z) {
  if (z < 0.5) return -std::log1p(-std::erf(z / std::sqrt(2.0)));
  if (z < 25) return -std::log(std::erfc(z / std::sqrt(2.0)));
  const double r = 1 / (z * z);
  return z * z / 2 + std::log(z) + std::log(std::acos(-1.0) / 2) / 2 - std::log1p(r * (-1 + r * (3 - r * 15)));
}

TEST_CASE("The asymptotic series goes on where the tail of the standard library ends", "[anomaly][tail]") {
  CHECK_THAT(exact_tail(24.999999), WithinRel(exact_tail(25), 1e-6));
}

TEST_CASE("A Gaussian tail is within a thousandth of the truth", "[anomaly][tail]") {
  double worst = 0;
  for (double z = 1e-9; z < 1e149; z *= z < 100 ? 1.001 : 1.1) {
    const double error = std::abs(gaussian_tail(z) / exact_tail(z) - 1);
    if (error > worst) worst = error;
    REQUIRE(error < 1e-3);
  }
  CHECK(worst > 1e-4);  // the comparison compares
}

TEST_CASE("A Gaussian tail is the same on both sides and rises with the deviation", "[anomaly][tail]") {
  CHECK(gaussian_tail(0) == 0);
  CHECK(gaussian_tail(-0.0) == 0);
  double before = 0;
  for (double z = 1e-6; z < 1e149; z *= 1.0005) {
    const double score = gaussian_tail(z);
    REQUIRE(score > before);
    REQUIRE(score == gaussian_tail(-z));
    before = score;
  }
}

TEST_CASE("A Gaussian tail is finite for every deviation", "[anomaly][tail]") {
  using limits = std::numeric_limits<double>;
  const double most = gaussian_tail(largest_deviation);
  CHECK(std::isfinite(most));
  for (const double z : {1e150, -1e150, 1e300, -1e300, limits::max(), limits::lowest(), limits::infinity(),
                         -limits::infinity(), limits::quiet_NaN()}) {
    CHECK(gaussian_tail(z) == most);
  }
  CHECK(gaussian_tail(limits::denorm_min()) >= 0);
  CHECK(gaussian_tail(limits::min()) > 0);
}

TEST_CASE("A deviation is found again by its score", "[anomaly][tail]") {
  for (double z = 1e-6; z < 1e100; z *= 1.3) CHECK_THAT(deviation_of(gaussian_tail(z)), WithinRel(z, 1e-9));
  CHECK(deviation_of(0) == 0);
  CHECK(deviation_of(-1) == 0);
  CHECK(deviation_of(std::numeric_limits<double>::quiet_NaN()) == 0);
  CHECK(std::isfinite(deviation_of(std::numeric_limits<double>::infinity())));
  for (double score = 1e-6; score < 1e300; score *= 2.7) CHECK(gaussian_tail(deviation_of(score)) <= score);
}

TEST_CASE("The usual deviation is that of once in a thousand", "[anomaly][tail]") {
  CHECK(gaussian_tail(usual_deviation) <= recoup::usual_score);
  CHECK_THAT(usual_deviation, WithinAbs(3.29, 0.01));
}

}  // namespace
