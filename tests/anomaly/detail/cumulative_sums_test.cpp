// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/cumulative_sums.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>

#include "catch.hpp"
#include "recoup/anomaly/assessment.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using recoup::detail::cumulative_sums;
using recoup::detail::forecast;
using recoup::detail::sum_rules;

constexpr sum_rules half(0.5);

TEST_CASE("Sums of normal deviations stand as high as often as their score says", "[anomaly][cumulative_sums]") {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(0, 1);
  for (const double drift : {0.25, 0.5, 1.0}) {
    const sum_rules rules(drift);
    cumulative_sums s;
    std::size_t reached = 0;
    const std::size_t values = 3'000'000;
    for (std::size_t i = 0; i < values; ++i) {
      s = s.after(normal(random), rules);
      reached += s.score(rules) >= 4.6;
    }
    CAPTURE(drift);
    // Runs of up to some twenty values: four standard errors of a twentieth as many.
    CHECK_THAT(static_cast<double>(reached) / (values * std::exp(-4.6)), WithinAbs(1, 0.13));
  }
}

TEST_CASE("Sums end where their score is the largest, and fall again from there", "[anomaly][cumulative_sums]") {
  cumulative_sums s;
  for (int i = 0; i < 100'000; ++i) s = s.after(10, half);
  CHECK_THAT(s.score(half), WithinAbs(sum_rules::most, 1e-9));
  CHECK(s.larger() == recoup::side::above);
  for (int i = 0; i < 70; ++i) s = s.after(0, half);
  CHECK(s.score(half) < 1);
  s = s.after(-1e141, half);
  CHECK(s.larger() == recoup::side::below);
  CHECK_THAT(s.score(half), WithinAbs(sum_rules::most, 1e-9));
}

TEST_CASE("Sums that stand high leave a narrow band, or none", "[anomaly][cumulative_sums]") {
  const forecast f{.expected = 100, .scale = 10, .vagueness = 0, .warming = false};
  const double infinity = std::numeric_limits<double>::infinity();
  cumulative_sums s;
  CHECK(s.judge(f, 100, half, 4).upper == infinity);  // no single value can
  CHECK_THAT(s.judge(f, 100, half, infinity).upper, WithinAbs(100 + 10 * (6.9 + std::log(2) - 0.583 + 0.5), 1e-9));
  s = s.after(6.5, half);
  CHECK_THAT(s.judge(f, 100, half, 4).upper, WithinAbs(100 + 10 * (0.9 + std::log(2) - 0.583 + 0.5), 1e-9));
  CHECK(s.judge(f, 100, half, 4).lower == -infinity);
  s = s.after(30, half);
  CHECK(s.judge(f, 100, half, 4).upper == 60);  // as low as a value counts
  CHECK(s.judge(f, 60, half, 4).score > recoup::usual_score);
}

TEST_CASE("Sums that cannot be are not loaded", "[anomaly][cumulative_sums]") {
  for (const double odd :
       {-1.0, 1e9, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const bool first : {true, false}) {
      recoup::snapshot_writer w;
      w.f64(first ? odd : 0);
      w.f64(first ? 0 : odd);
      recoup::snapshot_reader r(w.written());
      cumulative_sums s;
      CHECK_FALSE(s.load(r, half));
    }
  }
}

}  // namespace
