// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/detail/compare.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "test_scale.hpp"

namespace {

namespace detail = recoup::detail;

constexpr auto least = std::numeric_limits<std::int64_t>::min();
constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr auto highest = std::numeric_limits<std::uint64_t>::max();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

static_assert(detail::at_most(-1, 0U) && !detail::at_most(0U, -1) && !detail::equal(-1, ~0U));
static_assert(detail::equal((1 << 24) + 1, (1 << 24) + 1.0) && !detail::equal((1 << 24) + 1, 16'777'216.0F));
static_assert(detail::at_most(16'777'216.0F, (1 << 24) + 1) && !detail::at_most((1 << 24) + 1, 16'777'216.0F));

// By the numbers as a long double, which has 64 bits at least.
static_assert(std::numeric_limits<long double>::digits >= 64);

template <class A, class B>
bool is_right(A a, B b) {
  const auto x = static_cast<long double>(a);
  const auto y = static_cast<long double>(b);
  return detail::at_most(a, b) == (x <= y) && detail::at_most(b, a) == (y <= x) && detail::equal(a, b) == (x == y) &&
         detail::equal(b, a) == (x == y);
}

TEST_CASE("an integer and a floating-point number are compared by their values") {
  std::vector<double> numbers{not_a_number, infinite, -infinite, 0.0, -0.0, 0.5, 5e-324, 1e308, -1e308};
  std::vector<std::uint64_t> integers{0, 1, highest, highest - 1};
  for (int bit = 20; bit < 64; ++bit) {
    const double power = std::ldexp(1.0, bit);
    for (const double n : {power, std::nextafter(power, 0), std::nextafter(power, infinite)}) {
      numbers.push_back(n);
      numbers.push_back(-n);
    }
    for (std::uint64_t i = 0; i < 5; ++i) integers.push_back((std::uint64_t{1} << bit) + i - 2);
  }
  numbers.push_back(std::ldexp(1.0, 64));
  bool agrees = true;
  for (const std::uint64_t i : integers) {
    for (const double n : numbers) {
      const auto f = static_cast<float>(n);
      for (const auto all :
           {is_right(i, n), is_right(static_cast<std::int64_t>(i), n), is_right(-static_cast<std::int64_t>(i >> 1U), n),
            is_right(i, f), is_right(static_cast<std::int32_t>(i), f), is_right(static_cast<std::int32_t>(i), n),
            is_right(static_cast<std::int8_t>(i), f), is_right(i % 2 == 0, n)}) {
        agrees = agrees && all;
      }
      agrees = agrees && is_right(i, static_cast<long double>(n));
      if (!agrees) FAIL(i << " and " << n);
    }
  }
}

TEST_CASE("integers of any sign are ordered and as far apart as wide arithmetic says") {
  std::mt19937_64 random(3);
  const auto number = [&] {
    return random() % 4 == 0 ? highest - random() % 3 : random() % 4 == 0 ? random() % 3 : random() >> (random() % 64);
  };
  const auto check = [](auto a, auto b) {
    REQUIRE(is_right(a, b));
    const long double wide = std::fabs(static_cast<long double>(b) - static_cast<long double>(a));
    const std::uint64_t distance = detail::distance(a, b);
    REQUIRE(distance == detail::distance(b, a));
    if (wide >= 0x1p64L) {
      REQUIRE(distance == highest);
    } else {
      REQUIRE(static_cast<long double>(distance) == wide);
      REQUIRE(detail::difference(a, b) ==
              static_cast<double>(static_cast<long double>(b) - static_cast<long double>(a)));
    }
  };
  for (std::uint64_t i = 0; i < 20'000 * test_scale(); ++i) {
    const std::uint64_t a = number();
    const std::uint64_t b = number();
    check(a, b);
    check(static_cast<std::int64_t>(a), b);
    check(a, static_cast<std::int64_t>(b));
    check(static_cast<std::int64_t>(a), static_cast<std::int64_t>(b));
    check(static_cast<std::int16_t>(a), b);
    check(static_cast<std::int8_t>(a), static_cast<std::uint8_t>(b));
  }
  check(least, most);
  check(least, highest);
}

TEST_CASE("text is ordered by its characters") {
  const std::string copy = "b";
  CHECK(detail::at_most("a", copy));
  CHECK(detail::at_most(copy.c_str(), "b"));
  CHECK_FALSE(detail::at_most(std::string_view("c"), "b"));
  CHECK(detail::equal(copy, copy.c_str()));
  CHECK_FALSE(detail::equal(copy, "c"));
}

}  // namespace
