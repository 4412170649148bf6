// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/limited.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <stdexcept>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/anomaly/cusum.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/anomaly/ewma.hpp"

namespace {

using recoup::cusum;
using recoup::effect_limits;
using recoup::ewma;
using recoup::limited;
using recoup::side;
using recoup::sides;
using recoup::usual_score;

static_assert(recoup::detector<limited<ewma>>, "limited must be a detector");
static_assert(recoup::detector<limited<limited<cusum>>>, "what is limited may be limited again");

constexpr double infinity = std::numeric_limits<double>::infinity();

// A mean of 100, a standard deviation of 1.
ewma about_100() {
  ewma d;
  for (int i = 0; i < 1'000; ++i) d.learn({}, i % 2 == 0 ? 99 : 101);
  return d;
}

TEST_CASE("Without limits a detector scores as it did", "[anomaly][limited]") {
  ewma plain;
  limited same(ewma(), {});
  std::mt19937_64 random(1);
  for (int i = 0; i < 2'000; ++i) {
    const double value = conduct::any_value(random);
    REQUIRE(same.assess({}, value) == plain.assess({}, value));
    REQUIRE(same.update({}, value) == plain.update({}, value));
    REQUIRE(same.ignored() == plain.ignored());
  }
}

TEST_CASE("An effect that is too small scores 0, and one that is not as before", "[anomaly][limited]") {
  const ewma plain = about_100();
  for (const effect_limits& l : {effect_limits{.absolute = 20}, effect_limits{.relative = 0.2},
                                 effect_limits{.absolute = 20, .relative = 0.1}}) {
    const limited d(plain, l);
    for (const double value : {80.5, 90.0, 100.0, 119.0}) CHECK(d.assess({}, value).score == 0);
    for (const double value : {79.0, 121.0, -1e308, 1e308}) {
      CHECK(d.assess({}, value).score == plain.assess({}, value).score);
      CHECK(d.assess({}, value).score > 30);
    }
    const auto a = d.assess({}, 100);
    CHECK(std::abs(a.lower - 80) < 0.1);
    CHECK(std::abs(a.upper - 120) < 0.1);
  }
}

TEST_CASE("A side that doesn't matter scores 0, and its band is open", "[anomaly][limited]") {
  const ewma plain = about_100();
  const limited up(plain, {.sides = sides::above});
  const limited down(plain, {.sides = sides::below});
  CHECK(up.assess({}, 0).score == 0);
  CHECK(up.assess({}, 0).side == side::below);
  CHECK(up.assess({}, 200).score == plain.assess({}, 200).score);
  CHECK(up.assess({}, 0).lower == -infinity);
  CHECK(up.assess({}, 0).upper == plain.assess({}, 0).upper);
  CHECK(down.assess({}, 200).score == 0);
  CHECK(down.assess({}, 0).score == plain.assess({}, 0).score);
  CHECK(down.assess({}, 0).upper == infinity);
  CHECK(down.assess({}, 0).lower == plain.assess({}, 0).lower);
}

TEST_CASE("Nothing outside of what can be is expected", "[anomaly][limited]") {
  ewma low({.clip = infinity});
  for (int i = 0; i < 1'000; ++i) low.learn({}, i % 4 == 0 ? 8 : 0);
  REQUIRE(low.assess({}, 0).lower < 0);
  const auto a = limited(low, {.lowest = 0, .highest = 10}).assess({}, 1);
  CHECK(a.lower == 0);
  CHECK(a.upper == 10);
  const auto b = limited(low, {.lowest = 5}).assess({}, 5);
  CHECK(b.expected == 5);
  CHECK(b.score == 0);  // as expected as can be
  const auto c = limited(low, {.highest = 1}).assess({}, 1);
  CHECK(c.expected == 1);
  CHECK(c.score == 0);
  CHECK(c.lower <= c.upper);
}

TEST_CASE("What lies within the band of a limited detector scores less than usual", "[anomaly][limited]") {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int round = 0; round < 300; ++round) {
    effect_limits l{.absolute = 3 * uniform(random), .relative = 0.03 * uniform(random)};
    l.sides = static_cast<sides>(random() % 3);
    if (random() % 2 == 0) l.lowest = 97 + 4 * uniform(random);
    const limited d(about_100(), l);
    const auto a = d.assess({}, 100);
    const double from = std::max(a.lower, 50.0);
    const double to = std::min(a.upper, 150.0);
    for (int i = 0; i < 20; ++i) {
      REQUIRE(d.assess({}, from + (to - from) * uniform(random)).score <= usual_score + 1e-9);
    }
  }
}

TEST_CASE("A limited detector does what every detector does", "[anomaly][limited]") {
  conduct::check_all(limited(ewma(), {.absolute = 1, .relative = 0.1, .sides = sides::above, .lowest = 0}), 30);
  conduct::check_all(limited(cusum(), {.highest = 1e3}), 60);
}

TEST_CASE("Limits that make no sense are refused", "[anomaly][limited]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const effect_limits& l :
       {effect_limits{.absolute = -1}, effect_limits{.absolute = nan}, effect_limits{.absolute = infinity},
        effect_limits{.relative = -1}, effect_limits{.relative = nan}, effect_limits{.sides = static_cast<sides>(3)},
        effect_limits{.lowest = 1, .highest = 1}, effect_limits{.lowest = nan}}) {
    CHECK_THROWS_AS(limited(ewma(), l), std::invalid_argument);
  }
  CHECK_THROWS_WITH(limited(ewma(), {.absolute = -1}), "effect_limits.absolute must be 0 or more, and finite");
  const auto none = limited(ewma(), {}).configuration();
  CHECK(limited(ewma({.warmup = 9}), {}).configuration() != none);
  for (const effect_limits& l :
       {effect_limits{.absolute = 1}, effect_limits{.relative = 1}, effect_limits{.sides = sides::below},
        effect_limits{.lowest = 1}, effect_limits{.highest = 1}}) {
    CHECK(limited(ewma(), l).configuration() != none);
  }
}

}  // namespace
