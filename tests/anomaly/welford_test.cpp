// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/welford.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/anomaly/detector.hpp"
#include "test_scale.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using recoup::welford;
using recoup::welford_options;

static_assert(recoup::detector<welford>, "welford must be a detector");
static_assert(std::is_trivially_copyable_v<welford> && sizeof(welford) == 56,
              "welford must be 56 bytes without a heap");

constexpr double infinity = std::numeric_limits<double>::infinity();
const welford exact({.clip = infinity});

struct two_passes {
  explicit two_passes(const std::vector<double>& values) {
    const auto n = static_cast<long double>(values.size());
    for (const double v : values) mean += v / n;
    for (const double v : values) variance += (v - mean) * (v - mean) / n;
  }
  long double mean = 0;
  long double variance = 0;
};

void require_is(const welford& w, const std::vector<double>& values) {
  const two_passes model(values);
  const auto variance = static_cast<double>(model.variance);
  REQUIRE(w.learnt() == values.size());
  REQUIRE_THAT(w.mean(), WithinRel(static_cast<double>(model.mean), 1e-12));
  REQUIRE_THAT(w.variance(), WithinRel(variance, 1e-6));
  const auto n = static_cast<double>(values.size());
  REQUIRE_THAT(w.sample_variance(), WithinRel(values.size() < 2 ? 0 : variance * n / (n - 1), 1e-6));
}

TEST_CASE("welford is the mean and variance that two passes find", "[anomaly][welford]") {
  std::mt19937_64 random(1);
  for (const double offset : {0.0, -1e3, 1e8}) {
    for (const double spread : {1.0, 1e6}) {
      std::uniform_real_distribution<double> uniform(offset, offset + spread);
      welford w = exact;
      std::vector<double> values;
      for (int i = 0; i < 500; ++i) {
        values.push_back(uniform(random));
        w.learn({}, values.back());
        if (i % 50 == 0 || i < 5) require_is(w, values);
      }
      require_is(w, values);
    }
  }
}

TEST_CASE("welford merges to what one would be that had learnt everything", "[anomaly][welford]") {
  std::mt19937_64 random(2);
  for (std::uint64_t round = 0; round < 200 * test_scale(); ++round) {
    welford all = exact;
    std::vector<double> values;
    for (std::size_t part = 0; part < 1 + random() % 5; ++part) {
      welford one = exact;
      std::normal_distribution<double> normal(static_cast<double>(random() % 1'000), 3);
      for (std::size_t i = random() % 4 == 0 ? 0 : random() % 100; i > 0; --i) {
        values.push_back(normal(random));
        one.learn({}, values.back());
      }
      one.learn({}, infinity);
      all.merge(one);
      REQUIRE(all.ignored() == part + 1);
    }
    if (!values.empty()) require_is(all, values);
  }
  welford both = exact;
  both.merge(exact);
  CHECK(both.learnt() == 0);
  CHECK(both.mean() == 0);
}

TEST_CASE("welford scores normal noise as often as its scores say", "[anomaly][welford]") {
  const std::size_t values = 500'000;
  const conduct::calibration c(welford(), 1'000, values, 3);
  for (const double score : {0.1, 0.5, 1.0, 2.3, 4.6, 6.9, 8.0}) {
    const double expected = values * std::exp(-score);
    CAPTURE(score);
    CHECK_THAT(c.excess(score), WithinAbs(1, 0.02 + 4 / std::sqrt(expected)));
  }
}

TEST_CASE("welford scores as its scores say soon after the warm-up", "[anomaly][welford]") {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal(7, 2);
  for (const std::uint32_t warmup : {8U, 30U}) {
    std::size_t reached = 0;
    const std::size_t trials = 60'000;
    for (std::size_t i = 0; i < trials; ++i) {
      welford w({.warmup = warmup});
      for (std::uint32_t v = 0; v < warmup; ++v) w.learn({}, normal(random));
      reached += w.assess({}, normal(random)).score >= 4.6;
    }
    const double expected = trials * std::exp(-4.6);
    CAPTURE(warmup);
    CHECK_THAT(static_cast<double>(reached) / expected, WithinAbs(1, 0.2 + 4 / std::sqrt(expected)));
  }
}

TEST_CASE("welford does what every detector does", "[anomaly][welford]") {
  conduct::check_all(welford(), 30);
  conduct::check_all(welford({.warmup = 8, .clip = 2}), 8);
  conduct::check_one_spike(welford(), 300);
  conduct::check_constant_that_changes(welford(), 30, 20'000);
}

TEST_CASE("welford keeps finite when merged with hostile counts", "[anomaly][welford]") {
  recoup::snapshot_writer w;
  w.f64(1e100);
  w.f64(1e200);
  w.u64(std::uint64_t{1} << 62);
  w.u64(0);
  welford huge;
  REQUIRE(conduct::load(huge, w.written()));
  welford sum = huge;
  for (int i = 0; i < 10; ++i) sum.merge(huge);
  conduct::require_sane(sum.update({}, -1e308));
  CHECK(sum.learnt() > 0);
}

TEST_CASE("Options of welford that make no sense are refused", "[anomaly][welford]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const welford_options& o :
       {welford_options{.warmup = 7}, welford_options{.clip = 0.9}, welford_options{.clip = nan},
        welford_options{.least_scale = 0}, welford_options{.least_scale = nan}}) {
    CHECK_THROWS_AS(welford(o), std::invalid_argument);
  }
  CHECK_THROWS_WITH(welford({.warmup = 0}), "welford_options.warmup must be at least 8 values");
  CHECK(welford().configuration() != welford({.warmup = 31}).configuration());
  CHECK(welford().configuration() != welford({.clip = 5}).configuration());
  CHECK(welford().configuration() != welford({.least_scale = 1}).configuration());
}

}  // namespace
