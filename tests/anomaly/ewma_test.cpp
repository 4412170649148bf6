// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/ewma.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detector.hpp"
#include "test_scale.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using recoup::ewma;
using recoup::ewma_options;

static_assert(recoup::detector<ewma>, "ewma must be a detector");
static_assert(std::is_trivially_copyable_v<ewma> && sizeof(ewma) == 64, "ewma must be 64 bytes without a heap");

constexpr double infinity = std::numeric_limits<double>::infinity();

// From all values and their weights, anew each time.
struct weighted_model {
  explicit weighted_model(double weight) : latest(weight) {}

  void learn(double value) {
    const double weight = std::max(latest, 1.0 / static_cast<double>(values.size() + 1));
    for (long double& w : weights) w *= 1 - static_cast<long double>(weight);
    values.push_back(value);
    weights.push_back(weight);
  }
  [[nodiscard]] long double mean() const {
    long double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += weights[i] * values[i];
    return sum;
  }
  [[nodiscard]] long double variance() const {
    const long double middle = mean();
    long double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += weights[i] * (values[i] - middle) * (values[i] - middle);
    return sum;
  }

  double latest;
  std::vector<double> values;
  std::vector<long double> weights;
};

TEST_CASE("ewma is the mean and variance of all values by their weights", "[anomaly][ewma]") {
  std::mt19937_64 random(1);
  for (const double half_life : {1.0, 5.0, 40.0}) {
    for (const double offset : {0.0, 1e9}) {
      ewma d({.half_life = half_life, .clip = infinity});
      weighted_model model(ewma::weight_of(half_life));
      std::uniform_real_distribution<double> uniform(offset - 5, offset + 20);
      for (int i = 0; i < 300; ++i) {
        const double value = uniform(random);
        d.learn({}, value);
        model.learn(value);
        REQUIRE_THAT(d.mean(), WithinRel(static_cast<double>(model.mean()), 1e-12));
        REQUIRE_THAT(d.variance(), WithinAbs(static_cast<double>(model.variance()), offset == 0 ? 1e-9 : 1e-4));
      }
    }
  }
}

TEST_CASE("ewma forgets half of a value in its half-life", "[anomaly][ewma]") {
  ewma d({.half_life = 50, .warmup = 8, .clip = infinity});
  for (int i = 0; i < 5'000; ++i) d.learn({}, 0);
  for (int i = 0; i < 50; ++i) d.learn({}, 1);
  CHECK_THAT(d.mean(), WithinAbs(0.5, 1e-9));
  CHECK_THAT(ewma::half_life_of(ewma::weight_of(50)), WithinRel(50.0, 1e-12));
  CHECK(ewma::weight_of(1) == 0.5);
}

TEST_CASE("ewma scores normal noise as often as its scores say", "[anomaly][ewma]") {
  // Bounds are four standard errors of a count, and the approximations' few percent.
  for (const double half_life : {20.0, 100.0, 1'000.0}) {
    const std::size_t values = 400'000;
    const conduct::calibration c(ewma({.half_life = half_life}), 10'000, values, 7);
    for (const double score : {1.0, 2.3, 4.6, 6.9}) {
      const double expected = values * std::exp(-score);
      CAPTURE(half_life, score);
      CHECK_THAT(c.excess(score), WithinAbs(1, 0.08 + 4 / std::sqrt(expected)));
    }
  }
}

TEST_CASE("ewma scores as its scores say soon after the warm-up", "[anomaly][ewma]") {
  std::mt19937_64 random(8);
  std::normal_distribution<double> normal(-40, 0.5);
  std::size_t reached = 0;
  const std::size_t trials = 60'000;
  for (std::size_t i = 0; i < trials; ++i) {
    ewma d({.half_life = 1'000, .warmup = 12});
    for (int v = 0; v < 12; ++v) d.learn({}, normal(random));
    reached += d.assess({}, normal(random)).score >= 4.6;
  }
  const double expected = trials * std::exp(-4.6);
  CHECK_THAT(static_cast<double>(reached) / expected, WithinAbs(1, 0.15 + 4 / std::sqrt(expected)));
}

TEST_CASE("Within the band of ewma a value scores less than usual", "[anomaly][ewma]") {
  std::mt19937_64 random(9);
  std::normal_distribution<double> normal(0, 1);
  for (const double half_life : {1.0, 3.0, 10.0, 1'000.0}) {
    for (const double least : {1e-9, 5.0}) {
      ewma d({.half_life = half_life, .warmup = 8, .least_scale = least});
      for (int i = 0; i < 200; ++i) {
        d.learn({}, normal(random));
        const recoup::assessment a = d.assess({}, 0);
        REQUIRE(a.warming == (i + 1 < 8));
        if (a.warming) continue;
        const double reach = a.upper - a.expected;
        REQUIRE_THAT(a.expected - a.lower, WithinRel(reach, 1e-9));
        for (const double sign : {1.0, -1.0}) {
          REQUIRE(d.assess({}, a.expected + sign * 0.9999 * reach).score <= recoup::usual_score);
          REQUIRE(d.assess({}, a.expected + sign * 1.5 * reach).score > recoup::usual_score);
        }
        REQUIRE(d.assess({}, a.upper).side == recoup::side::above);
        REQUIRE(d.assess({}, a.lower).side == recoup::side::below);
        REQUIRE(d.assess({}, a.expected).side == recoup::side::neither);
        REQUIRE(d.assess({}, a.expected).score == 0);
      }
    }
  }
}

TEST_CASE("ewma does what every detector does", "[anomaly][ewma]") {
  for (const double half_life : {5.0, 100.0}) {
    const ewma d({.half_life = half_life});
    conduct::check_all(d, 30);
    conduct::check_constant_that_changes(d, 300, static_cast<std::size_t>(20 * half_life));
  }
  conduct::check_one_spike(ewma(), 300);
}

TEST_CASE("ewma takes no deviation below its least scale for one", "[anomaly][ewma]") {
  ewma d({.least_scale = 10});
  for (int i = 0; i < 100; ++i) d.learn({}, i % 2);
  CHECK(d.assess({}, 10).score < 2);
  CHECK(d.assess({}, 100).score > 30);
}

TEST_CASE("Options of ewma that make no sense are refused", "[anomaly][ewma]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const ewma_options& o :
       {ewma_options{.half_life = 0.9}, ewma_options{.half_life = 1e10}, ewma_options{.half_life = nan},
        ewma_options{.warmup = 7}, ewma_options{.clip = 0.5}, ewma_options{.clip = nan}, ewma_options{.least_scale = 0},
        ewma_options{.least_scale = nan}, ewma_options{.least_scale = infinity}}) {
    CHECK_THROWS_AS(ewma(o), std::invalid_argument);
  }
  CHECK_THROWS_WITH(ewma({.half_life = 0}), "ewma_options.half_life must be 1 to 10^9 values");
  CHECK(ewma().configuration() != ewma({.half_life = 99}).configuration());
  CHECK(ewma().configuration() != ewma({.warmup = 31}).configuration());
  CHECK(ewma().configuration() != ewma({.clip = 5}).configuration());
  CHECK(ewma().configuration() != ewma({.least_scale = 1}).configuration());
}

}  // namespace
