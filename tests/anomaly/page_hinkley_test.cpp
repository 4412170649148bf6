// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/page_hinkley.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/anomaly/detector.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using recoup::page_hinkley;
using recoup::page_hinkley_options;

static_assert(recoup::detector<page_hinkley>, "page_hinkley must be a detector");
static_assert(std::is_trivially_copyable_v<page_hinkley> && sizeof(page_hinkley) == 128,
              "page_hinkley must be 128 bytes without a heap");

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST_CASE("page_hinkley is the distance of a running sum from its least so far", "[anomaly][page_hinkley]") {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(5, 2);
  const double drift = 0.25;
  page_hinkley d({.drift = drift, .warmup = 10, .clip = infinity, .alarm = infinity});
  std::vector<double> values;
  double sum_up = 0;
  double least_up = 0;
  double sum_down = 0;
  double least_down = 0;
  for (int i = 0; i < 1'000; ++i) {
    const double value = normal(random);
    if (values.size() >= 10) {
      const auto n = static_cast<double>(values.size());
      double mean = 0;
      for (const double v : values) mean += v / n;
      double variance = 0;
      for (const double v : values) variance += (v - mean) * (v - mean) / n;
      const double z = (value - mean) / std::sqrt(variance * (1 + 2.5 / (n - 1)));
      sum_up += z - drift;
      least_up = std::min(least_up, sum_up);
      sum_down += -z - drift;
      least_down = std::min(least_down, sum_down);
    }
    d.learn({}, value);
    values.push_back(value);
    REQUIRE_THAT(d.sum_above(), WithinAbs(sum_up - least_up, 1e-6));
    REQUIRE_THAT(d.sum_below(), WithinAbs(sum_down - least_down, 1e-6));
  }
}

TEST_CASE("page_hinkley learns anew after a change", "[anomaly][page_hinkley]") {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal(0, 1);
  page_hinkley d;
  const std::array levels{0.0, 3.0, -2.0, 50.0};
  for (std::size_t l = 0; l < levels.size(); ++l) {
    for (int i = 0; i < 2'000; ++i) d.learn({}, levels[l] + normal(random));
    CHECK(d.changes() == l);
    CHECK_THAT(d.mean(), WithinAbs(levels[l], 0.2));
    CHECK_THAT(d.variance(), WithinAbs(1, 0.25));
    CHECK(d.learnt() > 1'800);
  }
}

TEST_CASE("page_hinkley rarely takes noise for a change", "[anomaly][page_hinkley]") {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(70, 7);
  page_hinkley d;
  for (int i = 0; i < 300'000; ++i) d.learn({}, normal(random));
  CHECK(d.changes() <= 3);
}

TEST_CASE("page_hinkley does what every detector does", "[anomaly][page_hinkley]") {
  conduct::check_all(page_hinkley(), 60);
  conduct::check_all(page_hinkley({.drift = 0.5, .warmup = 8, .clip = 2, .alarm = infinity}), 8);
  conduct::check_constant_that_changes(page_hinkley({.clip = 40}), 60, 200);
}

TEST_CASE("Options of page_hinkley that make no sense are refused", "[anomaly][page_hinkley]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using options = page_hinkley_options;
  for (const options& o : {options{.drift = 0}, options{.drift = 5}, options{.drift = nan}, options{.warmup = 1},
                           options{.clip = 0}, options{.least_scale = 0}, options{.alarm = 0}, options{.alarm = nan}}) {
    CHECK_THROWS_AS(page_hinkley(o), std::invalid_argument);
  }
  CHECK_THROWS_WITH(page_hinkley({.alarm = -1}), "page_hinkley_options.alarm must be above 0 nats; infinity for none");
  for (const options& o : {options{.drift = 1}, options{.warmup = 61}, options{.clip = 5}, options{.least_scale = 1},
                           options{.alarm = 10}}) {
    CHECK(page_hinkley(o).configuration() != page_hinkley().configuration());
  }
}

}  // namespace
