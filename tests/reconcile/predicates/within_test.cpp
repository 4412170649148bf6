// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/within.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>

#include "catch.hpp"

namespace {

using recoup::absolute;
using recoup::percent;
using recoup::times;
using recoup::within;

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

struct payment {
  double recorded = 0;
  double expected = 0;
  std::int64_t cents = 0;
  std::int64_t base = 0;
  std::uint64_t large = 0;
  std::optional<double> rate;
  std::int64_t amount = 0;
};
constexpr recoup::timestamp now{};

struct reading {
  double value;
  int base;
};
static_assert(within(&reading::value, &reading::base, percent(5))(reading{105, 100}, now));
static_assert(!within(&reading::value, &reading::base, percent(5))(reading{105.001, 100}, now));
static_assert(within(&reading::value, times(&reading::base, &reading::base), absolute(1.0))(reading{8, 3}, now));

template <class Tolerance>
bool near(double recorded, double expected, Tolerance tolerance) {
  payment p;
  p.recorded = recorded;
  p.expected = expected;
  return within(&payment::recorded, &payment::expected, tolerance)(p, now);
}
template <class Tolerance>
bool near_cents(std::int64_t cents, std::int64_t base, Tolerance tolerance) {
  payment p;
  p.cents = cents;
  p.base = base;
  return within(&payment::cents, &payment::base, tolerance)(p, now);
}

}  // namespace

TEST_CASE("a tolerance includes its bounds on both sides") {
  CHECK(near(105, 100, percent(5)));
  CHECK(near(95, 100, percent(5)));
  CHECK_FALSE(near(std::nextafter(105, infinite), 100, percent(5)));
  CHECK_FALSE(near(std::nextafter(95, -infinite), 100, percent(5)));
  CHECK(near(100, 100, percent(0)));
  CHECK(near(129, 100, percent(29)));
  CHECK(near(3, 1, absolute(2)));
  CHECK(near(-1, 1, absolute(2.0)));
  CHECK_FALSE(near(3.5, 1, absolute(2)));
  for (int p = 0; p <= 100; ++p) {
    for (const double base : {100, 200, 10'000}) {
      const double bound = base / 100 * p;
      CHECK(near(base + bound, base, percent(p)));
      CHECK(near(base - bound, base, percent(p)));
      CHECK_FALSE(near(base + bound + 1, base, percent(p)));
      CHECK_FALSE(near(-base - bound - 1, -base, percent(p)));
    }
  }
}

TEST_CASE("a tolerance may differ below and above and is of the base's magnitude") {
  CHECK(near(90, 100, percent(10, 1)));
  CHECK(near(101, 100, percent(10, 1)));
  CHECK_FALSE(near(102, 100, percent(10, 1)));
  CHECK(near(-110, -100, percent(10, 1)));
  CHECK_FALSE(near(-98, -100, percent(10, 1)));
  CHECK(near(-99, -100, percent(10, 1)));
  CHECK(near(7, 10, absolute(3, 0)));
  CHECK_FALSE(near(11, 10, absolute(3, 0)));
  CHECK(near_cents(7, 10, absolute(3, 0)));
  CHECK_FALSE(near_cents(11, 10, absolute(3, 0)));
}

TEST_CASE("the base is what the percentage is of") {
  CHECK_FALSE(near(100, 105.2, percent(4.9)));
  CHECK(near(105.2, 100, percent(5.3)));
  CHECK_FALSE(near(105.2, 100, percent(5.1)));
}

TEST_CASE("of a base of zero a percentage is zero") {
  CHECK(near(0, 0, percent(5)));
  CHECK(near(-0.0, 0, percent(5)));
  CHECK_FALSE(near(std::numeric_limits<double>::denorm_min(), 0, percent(5)));
  CHECK_FALSE(near_cents(1, 0, percent(500)));
  CHECK(near(1, 0, absolute(1)));
}

TEST_CASE("NaN and the infinities are near to nothing") {
  for (const double bad : {not_a_number, infinite, -infinite}) {
    for (const double other : {0.0, 1.0, -1e308, not_a_number, infinite, -infinite}) {
      CHECK_FALSE(near(bad, other, percent(100)));
      CHECK_FALSE(near(other, bad, percent(100)));
      CHECK_FALSE(near(bad, other, absolute(infinite)));
      CHECK_FALSE(near(other, bad, absolute(infinite)));
    }
  }
  CHECK(near(1e308, 9e307, percent(50)));
  CHECK_FALSE(near(1e308, -1e308, percent(100)));
  CHECK_FALSE(near(2e307, 1e308, percent(5)));
  CHECK_FALSE(near(1.7e308, 1e308, percent(69)));
  CHECK(near(1.7e308, 1e308, percent(71)));
  CHECK(near(-1e307, 1e308, percent(200)));
  CHECK_FALSE(near(1e308, 0.5, percent(1e300)));
  CHECK(near(1e308, 1e-5, percent(infinite)));
}

TEST_CASE("integers with an absolute tolerance are compared exactly") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(near_cents(most, most - 1, absolute(std::int64_t{1})));
  CHECK_FALSE(near_cents(most, most - 2, absolute(1)));
  CHECK_FALSE(near_cents(most, least, absolute(most)));
  CHECK(near_cents(0, -most, absolute(most)));
  CHECK_FALSE(near_cents(1, -most, absolute(most)));
  CHECK(near_cents(most, least, absolute(std::numeric_limits<std::uint64_t>::max())));
  std::mt19937_64 random(3);
  bool agrees = true;
  for (int i = 0; i < 20'000; ++i) {
    const auto number = [&] {
      return static_cast<std::int64_t>(random() % 9) - 4 + (random() % 2 == 0 ? 0 : most / 4);
    };
    const std::int64_t value = number();
    const std::int64_t base = number();
    const auto below = static_cast<std::int64_t>(random() % 5);
    const auto above = static_cast<std::int64_t>(random() % 5);
    const bool expected = base - below <= value && value <= base + above;
    agrees = agrees && near_cents(value, base, absolute(below, above)) == expected;
  }
  CHECK(agrees);
}

TEST_CASE("integers of different signs are compared exactly too") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr std::uint64_t large = std::uint64_t{1} << 62;
  const auto near_large = [](std::int64_t cents, std::uint64_t base, auto tolerance) {
    payment p;
    p.cents = cents;
    p.large = base;
    const bool holds = within(&payment::cents, &payment::large, tolerance)(p, now);
    REQUIRE(within(&payment::large, &payment::cents, tolerance)(p, now) == holds);
    return holds;
  };
  CHECK(near_large((std::int64_t{1} << 62) + 2, large, absolute(2)));
  CHECK_FALSE(near_large((std::int64_t{1} << 62) + 3, large, absolute(2)));
  CHECK(near_large(-1, 1, absolute(2)));
  CHECK_FALSE(near_large(-1, 1, absolute(1)));
  CHECK_FALSE(near_large(-1, std::numeric_limits<std::uint64_t>::max(), absolute(1)));
  CHECK_FALSE(near_large(least, large, absolute(std::numeric_limits<std::int64_t>::max())));
  payment p;
  p.cents = (std::int64_t{1} << 62) + 3;
  p.large = large;
  const auto rule = within(&payment::cents, &payment::large, absolute(2));
  CHECK(rule.measured(p, now) == 3);
  CHECK(rule.explain(p, now) == "4611686018427387907 is 3 above 4611686018427387904, more than 2");
}

TEST_CASE("an amount times a rate is compared with what was recorded") {
  const auto rule = within(&payment::recorded, times(&payment::amount, &payment::rate), percent(5));
  payment p;
  p.recorded = 110;
  p.amount = 50;
  CHECK(rule(p, now));  // no rate
  CHECK(rule.explain(p, now) == "the field to compare with is absent");
  p.rate = 2;
  CHECK_FALSE(rule(p, now));
  CHECK(rule.explain(p, now) == "110 is 10 above 50 * 2 = 100, more than 5 % of it");
  CHECK(rule.measured(p, now) == 10);
  p.recorded = 98;
  CHECK(rule(p, now));
  CHECK(rule.explain(p, now) == "98 is 2 below 50 * 2 = 100, at most 5 % of it");
  CHECK(rule.measured(p, now) == -2);
  p.rate = not_a_number;
  CHECK_FALSE(rule(p, now));
  CHECK(rule.explain(p, now) == "98 cannot be compared with 50 * nan = nan");
  p.rate.reset();
  CHECK(std::isnan(rule.measured(p, now)));
  p.cents = 7;
  CHECK(within(&payment::cents, &payment::amount, absolute(3)).explain(p, now) == "7 is 43 below 50, more than 3");
  CHECK(within(&payment::cents, &payment::amount, absolute(3)).measured(p, now) == -43);
}

TEST_CASE("a negative tolerance is refused with a sentence") {
  CHECK_THROWS_WITH(percent(-1), Catch::Contains("zero percent or more"));
  CHECK_THROWS_AS(percent(1, not_a_number), std::invalid_argument);
  CHECK_THROWS_WITH(absolute(3, -1), Catch::Contains("zero or more"));
  CHECK_THROWS_AS(absolute(not_a_number), std::invalid_argument);
}
