// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/cusum.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <stdexcept>
#include <type_traits>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/anomaly/ewma.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using recoup::cusum;
using recoup::cusum_options;
using recoup::ewma;

static_assert(recoup::detector<cusum>, "cusum must be a detector");
static_assert(std::is_trivially_copyable_v<cusum> && sizeof(cusum) == 144, "cusum must be 144 bytes without a heap");

TEST_CASE("cusum sums what deviates by more than the drift, by the mean and scale of an ewma", "[anomaly][cusum]") {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(5, 2);
  for (const double drift : {0.05, 0.5, 2.0}) {
    cusum d({.drift = drift, .half_life = 200, .warmup = 20});
    ewma usual({.half_life = 200, .warmup = 20});
    double above = 0;
    double below = 0;
    for (int i = 0; i < 2'000; ++i) {
      const double value = normal(random) + (i > 1'000 ? 1 : 0);
      if (i >= 20) {
        const recoup::assessment a = usual.assess({}, value);
        const double learnt = usual.learnt();
        const double freedom = std::min(learnt, 2 / ewma::weight_of(200) - 1) - 1;
        const double z = (value - a.expected) / std::sqrt(usual.variance() * (1 + 2.5 / freedom));
        above = std::max(0.0, above + std::clamp(z, -4.0, 4.0) - drift);
        below = std::max(0.0, below - std::clamp(z, -4.0, 4.0) - drift);
        const double sum = std::max(above, below);
        const double score = sum == 0 ? 0 : std::max(0.0, 2 * drift * (sum + 0.583) - std::log(2));
        if (score < 31) REQUIRE_THAT(d.assess({}, value).score, WithinAbs(score, 1e-9));
        const double most = (32 + std::log(2)) / (2 * drift) - 0.583;
        above = std::min(above, most);
        below = std::min(below, most);
      }
      d.learn({}, value);
      usual.learn({}, value);
      REQUIRE(d.mean() == usual.mean());
      REQUIRE(d.variance() == usual.variance());
      REQUIRE_THAT(d.sum_above(), WithinAbs(above, 1e-9));
      REQUIRE_THAT(d.sum_below(), WithinAbs(below, 1e-9));
    }
  }
}

TEST_CASE("Sums of cusum stand as high as its scores say, on normal noise", "[anomaly][cusum]") {
  // Of a mean that is all but known. Sums come in runs, so that the count varies more than one of independent values:
  // about as one of runs, of which the longest at drift 0.3 are some dozens of values.
  for (const double drift : {0.3, 0.5, 1.0}) {
    const std::size_t values = 2'000'000;
    const conduct::calibration c(cusum({.drift = drift, .half_life = 1e6}), 200'000, values, 2);
    for (const double score : {2.3, 4.6, 6.9}) {
      CAPTURE(drift, score);
      CHECK_THAT(c.excess(score), WithinAbs(1, 0.15 + 4 * std::sqrt(20 / (values * std::exp(-score)))));
    }
  }
}

TEST_CASE("cusum finds a small shift that no single value shows", "[anomaly][cusum]") {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(100, 10);
  for (const double shift : {-10.0, 10.0}) {
    cusum d;
    for (int i = 0; i < 5'000; ++i) d.learn({}, normal(random));
    int delay = 0;
    for (; delay < 200 && d.update({}, normal(random) + shift).score < 13.8; ++delay) {
    }
    CHECK(delay < 80);
    const auto a = d.assess({}, 100 + shift);
    CHECK(a.side == (shift > 0 ? recoup::side::above : recoup::side::below));
    CHECK(a.lower <= a.upper);
  }
}

TEST_CASE("A single value that stands out is nothing to cusum, and all if nothing is clipped", "[anomaly][cusum]") {
  cusum d;
  cusum all({.clip = std::numeric_limits<double>::infinity()});
  conduct::clock time;
  conduct::learn_noise(d, time, 1'000, 100, 10, 4);
  conduct::learn_noise(all, time, 1'000, 100, 10, 4);
  CHECK(d.assess({}, 1e300).score < recoup::usual_score);
  CHECK(all.assess({}, 1e300).score == 32);
}

TEST_CASE("The band of cusum is where the next value leaves the sums usual", "[anomaly][cusum]") {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal(0, 1);
  for (const double drift : {0.2, 0.5, 1.5}) {
    cusum d({.drift = drift, .clip = 5});
    std::size_t bounded = 0;
    for (int i = 0; i < 3'000; ++i) {
      d.learn({}, normal(random) + (i / 500 % 2));
      const auto a = d.assess({}, 0);
      if (a.warming) continue;
      for (const auto& [end, outwards] : {std::pair(a.lower, -1.0), std::pair(a.upper, 1.0)}) {
        if (!std::isfinite(end)) continue;
        ++bounded;
        if (a.lower < a.upper) REQUIRE(d.assess({}, end + outwards * 1e-6).score >= recoup::usual_score - 1e-3);
      }
      if (a.upper - a.lower > 1e-3 && std::isfinite(a.upper - a.lower)) {
        REQUIRE(d.assess({}, 0.5 * (a.lower + a.upper)).score <= recoup::usual_score);
      }
    }
    CHECK(bounded > 0);
  }
}

TEST_CASE("After an alarm the sums of cusum begin anew where that is wanted", "[anomaly][cusum]") {
  cusum d({.alarm = 13.8});
  conduct::clock time;
  conduct::learn_noise(d, time, 1'000, 0, 1, 6);
  std::size_t alarms = 0;
  for (int i = 0; i < 100; ++i) {
    const bool alarm = d.update({}, 2).score >= 13.8;
    if (alarm) {
      ++alarms;
      CHECK(d.sum_above() == 0);
      CHECK(d.assess({}, 0).score < 1);
    }
  }
  CHECK(alarms > 2);
  cusum on;
  conduct::clock other;
  conduct::learn_noise(on, other, 1'000, 0, 1, 6);
  for (int i = 0; i < 100; ++i) on.learn({}, 2);
  CHECK(on.assess({}, 2).score == 32);
}

TEST_CASE("cusum does what every detector does", "[anomaly][cusum]") {
  conduct::check_all(cusum(), 60);
  conduct::check_all(cusum({.drift = 0.05, .half_life = 30, .warmup = 8, .clip = 10, .alarm = 5}), 8);
}

TEST_CASE("cusum learns a new level in the end", "[anomaly][cusum]") {
  conduct::check_constant_that_changes(cusum({.half_life = 100, .clip = 20}), 100, 4'000);
}

TEST_CASE("Options of cusum that make no sense are refused", "[anomaly][cusum]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const cusum_options& o :
       {cusum_options{.drift = 0}, cusum_options{.drift = 5}, cusum_options{.drift = nan},
        cusum_options{.half_life = 1}, cusum_options{.warmup = 1}, cusum_options{.clip = 0},
        cusum_options{.least_scale = 0}, cusum_options{.alarm = 0}, cusum_options{.alarm = nan}}) {
    CHECK_THROWS_AS(cusum(o), std::invalid_argument);
  }
  CHECK_THROWS_WITH(cusum({.drift = 0}), "cusum_options.drift must be 0.05 to 4 standard deviations");
  for (const cusum_options& o :
       {cusum_options{.drift = 1}, cusum_options{.half_life = 50}, cusum_options{.warmup = 61},
        cusum_options{.clip = 5}, cusum_options{.least_scale = 1}, cusum_options{.alarm = 10}}) {
    CHECK(cusum(o).configuration() != cusum().configuration());
  }
}

}  // namespace
