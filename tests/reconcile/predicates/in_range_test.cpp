// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/in_range.hpp"

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "catch.hpp"
#include "checked_order.hpp"

namespace {

using namespace checking;
using recoup::in_range;

struct reading {
  int level = 0;
};
static_assert(in_range(&reading::level, 5, 5)(reading{5}, noon) && !in_range(&reading::level, 6, 9)(reading{5}, noon));
static_assert(in_range([](const reading& r) { return r.level * 2; }, 10, 10)(reading{5}, noon));

}  // namespace

TEST_CASE("a range includes its ends and excludes NaN") {
  const auto holds = [](auto field, auto low, auto high, const order& o) {
    return in_range(field, low, high)(o, noon);
  };
  CHECK(holds(&order::price, std::int64_t{-5}, std::int64_t{5}, with(&order::price, std::int64_t{-5})));
  CHECK(holds(&order::price, std::int64_t{-5}, std::int64_t{5}, with(&order::price, std::int64_t{5})));
  CHECK_FALSE(holds(&order::price, std::int64_t{-5}, std::int64_t{5}, with(&order::price, std::int64_t{6})));
  CHECK(holds(&order::price, least<std::int64_t>, most<std::int64_t>, with(&order::price, least<std::int64_t>)));
  CHECK(holds(&order::ratio, -infinite, infinite, with(&order::ratio, infinite)));
  CHECK_FALSE(holds(&order::ratio, -infinite, infinite, with(&order::ratio, not_a_number)));
  CHECK(holds(&order::ratio, 0, 100, with(&order::ratio, 99.5)));
  CHECK_FALSE(holds(&order::price, 0.0, 0x1p53, with(&order::price, (std::int64_t{1} << 53) + 1)));
  CHECK_FALSE(holds(&order::ratio, (std::int64_t{1} << 53) + 1, most<std::int64_t>, with(&order::ratio, 0x1p53)));
  CHECK_FALSE(holds(&order::ratio, std::int64_t{0}, most<std::int64_t>, with(&order::ratio, 0x1p63)));
  CHECK(holds(&order::limit, 1, 2, nothing()));
  CHECK_FALSE(holds(&order::limit, 1, 2, with(&order::limit, {0})));
  CHECK_FALSE(holds(&order::rate, 1.0, 2.0, with(&order::rate, {not_a_number})));
  CHECK(holds(&order::at, at(0), timestamp::max(), with(&order::at, timestamp::max())));
}

TEST_CASE("a range of other signs than its field is compared by value") {
  const auto holds = [](auto field, auto low, auto high, const order& o) {
    return in_range(field, low, high)(o, noon);
  };
  CHECK(holds(&order::small, -5, 10, with(&order::small, 10U)));
  CHECK_FALSE(holds(&order::small, -5, 10, with(&order::small, 11U)));
  CHECK_FALSE(holds(&order::small, -5, -1, with(&order::small, most<std::uint32_t>)));
  CHECK(holds(&order::large, std::int64_t{-1}, most<std::int64_t>, with(&order::large, std::uint64_t{1} << 62)));
  CHECK_FALSE(holds(&order::large, std::int64_t{0}, most<std::int64_t>, with(&order::large, std::uint64_t{1} << 63)));
  CHECK_FALSE(holds(&order::price, 0U, 10U, with(&order::price, std::int64_t{-1})));
  CHECK(holds(&order::price, 0U, 10U, with(&order::price, std::int64_t{10})));
  CHECK_FALSE(holds(&order::tiny, 0U, 255U, with(&order::tiny, std::int8_t{-1})));

  const std::vector<std::int64_t> values{least<std::int64_t>, least<std::int32_t>, -129, -1, 0, 1, 127, 255,
                                         most<std::int64_t>};
  for (const std::int64_t v : values) {
    for (const std::int64_t low : values) {
      for (const std::int64_t high : values) {
        if (v < 0 || low < 0 || low > high) continue;  // as unsigned field and unsigned low end, the same numbers
        order o;
        o.large = static_cast<std::uint64_t>(v);
        o.price = v;
        const bool expected = low <= v && v <= high;
        CHECK(in_range(&order::large, low, high)(o, noon) == expected);
        CHECK(in_range(&order::price, static_cast<std::uint64_t>(low), most<std::uint64_t>)(o, noon) == (low <= v));
      }
    }
  }
}

TEST_CASE("a range whose ends are exchanged or not numbers is refused with a sentence") {
  CHECK_THROWS_WITH(in_range(&order::price, 5, -5), "in_range(field, low, high) needs low <= high");
  CHECK_THROWS_AS(in_range(&order::ratio, not_a_number, 1.0), std::invalid_argument);
  CHECK_THROWS_AS(in_range(&order::ratio, 1.0, not_a_number), std::invalid_argument);
  CHECK_THROWS_AS(in_range(&order::at, at(1), at(0)), std::invalid_argument);
  CHECK_NOTHROW(in_range(&order::price, 5, 5));
}
