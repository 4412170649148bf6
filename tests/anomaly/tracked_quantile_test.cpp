// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/tracked_quantile.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <type_traits>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "test_scale.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using recoup::tracked_quantile;
using recoup::tracked_quantile_options;

static_assert(std::is_trivially_copyable_v<tracked_quantile> && sizeof(tracked_quantile) == 48,
              "tracked_quantile must be 48 bytes without a heap");

// What share of the values turn out to be below the estimate made before them.
template <class Distribution>
double share_below(tracked_quantile q, Distribution draw, double unit) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 5'000; ++i) q.learn(unit * draw(random));
  const int values = 200'000;
  int below = 0;
  for (int i = 0; i < values; ++i) {
    const double value = unit * draw(random);
    below += value < q.value();
    q.learn(value);
  }
  return static_cast<double>(below) / values;
}

TEST_CASE("The share of values below a tracked quantile is the one asked for", "[anomaly][tracked_quantile]") {
  for (const double share : {0.05, 0.25, 0.5, 0.9, 0.99}) {
    for (const double unit : {1.0, 1e-9, -1e12}) {
      CAPTURE(share, unit);
      const tracked_quantile q({.quantile = share});
      CHECK_THAT(share_below(q, std::normal_distribution<double>(3, 1), unit), WithinAbs(share, 0.01));
      CHECK_THAT(share_below(q, std::exponential_distribution<double>(1), unit), WithinAbs(share, 0.01));
      CHECK_THAT(share_below(q, std::uniform_real_distribution<double>(0, 1), unit), WithinAbs(share, 0.01));
    }
  }
}

TEST_CASE("A tracked median of normal values errs by about a tenth of their deviation", "[anomaly][tracked_quantile]") {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal(50, 10);
  tracked_quantile q;
  double squares = 0;
  for (int i = 0; i < 100'000; ++i) {
    q.learn(normal(random));
    if (i >= 1'000) squares += (q.value() - 50) * (q.value() - 50);
  }
  CHECK_THAT(std::sqrt(squares / 99'000), WithinAbs(1, 0.3));
}

TEST_CASE("A tracked quantile follows a level that changes, by any factor", "[anomaly][tracked_quantile]") {
  std::mt19937_64 random(3);
  for (const double level : {10.0, -1e6, 1e9}) {
    std::normal_distribution<double> before(0, 1);
    std::normal_distribution<double> after(level, std::abs(level) / 10);
    tracked_quantile q;
    for (int i = 0; i < 1'000; ++i) q.learn(before(random));
    for (int i = 0; i < 1'000; ++i) q.learn(after(random));
    CHECK_THAT(q.value(), WithinAbs(level, std::abs(level) / 10));
  }
}

TEST_CASE("A tracked quantile moves off a constant", "[anomaly][tracked_quantile]") {
  tracked_quantile q({.quantile = 0.9});
  for (int i = 0; i < 100'000; ++i) q.learn(0);
  CHECK(q.value() == 0);
  for (int i = 0; i < 2'000; ++i) q.learn(1);
  CHECK_THAT(q.value(), WithinAbs(1, 0.01));
}

TEST_CASE("One spike moves a tracked quantile by little", "[anomaly][tracked_quantile]") {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal(0, 1);
  tracked_quantile q;
  for (int i = 0; i < 1'000; ++i) q.learn(normal(random));
  const double before = q.value();
  const double distance = q.mean_distance();
  q.learn(std::numeric_limits<double>::max());
  CHECK(std::abs(q.value() - before) < 0.1);
  CHECK(q.mean_distance() < 1.5 * distance);
}

TEST_CASE("A tracked quantile stays a number whatever it is given", "[anomaly][tracked_quantile]") {
  std::mt19937_64 random(5);
  tracked_quantile q({.quantile = 0.75});
  CHECK(q.value() == 0);
  std::uint64_t ignored = 0;
  for (std::uint64_t i = 0; i < 100'000 * test_scale(); ++i) {
    const double value = conduct::any_value(random);
    ignored += !std::isfinite(value);
    const double before = q.value();
    q.learn(value);
    REQUIRE(std::abs(q.value()) <= 1e100);
    REQUIRE(q.mean_distance() >= 0);
    REQUIRE(q.ignored() == ignored);
    if (!std::isfinite(value)) REQUIRE(q.value() == before);
    if (i % 1'000 == 999) {
      tracked_quantile restored = q.empty_copy();
      REQUIRE(conduct::load(restored, conduct::bytes_of(q)));
      REQUIRE(conduct::bytes_of(restored) == conduct::bytes_of(q));
      q = restored;
    }
  }
}

TEST_CASE("Hostile bytes make no tracked quantile", "[anomaly][tracked_quantile]") {
  tracked_quantile q;
  for (int i = 0; i < 100; ++i) q.learn(i);
  const auto bytes = conduct::bytes_of(q);
  tracked_quantile other;
  const auto nothing = conduct::bytes_of(other);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    REQUIRE_FALSE(conduct::load(other, std::span(bytes).first(length)));
    REQUIRE(conduct::bytes_of(other) == nothing);
  }
  for (const double odd : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e101}) {
    for (const bool first : {true, false}) {
      recoup::snapshot_writer w;
      w.f64(first ? odd : 0);
      w.f64(first ? 0 : 10 * odd);
      w.u32(1);
      w.u64(0);
      REQUIRE_FALSE(conduct::load(other, w.written()));
    }
  }
}

TEST_CASE("Options of tracked_quantile that make no sense are refused", "[anomaly][tracked_quantile]") {
  using options = tracked_quantile_options;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const options& o : {options{.quantile = 0}, options{.quantile = 1}, options{.quantile = nan}, options{.step = 0},
                           options{.step = 0.6}, options{.step = nan}}) {
    CHECK_THROWS_AS(tracked_quantile(o), std::invalid_argument);
  }
  CHECK_THROWS_WITH(tracked_quantile({.step = 0}), "tracked_quantile_options.step must be above 0 and at most 0.5");
  CHECK(tracked_quantile().configuration() != tracked_quantile({.quantile = 0.9}).configuration());
  CHECK(tracked_quantile().configuration() != tracked_quantile({.step = 0.1}).configuration());
}

}  // namespace
