// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates.hpp"

#include <chrono>
#include <cstdint>
#include <type_traits>

#include "catch.hpp"
#include "predicates/checked_order.hpp"

namespace {

using namespace checking;
using namespace std::chrono_literals;
using recoup::equals;
using recoup::finite;
using recoup::in_range;
using recoup::not_after;
using recoup::not_before;
using recoup::product_equals;
using recoup::required;

struct reading {
  int level = 0;
};

// A field that is not there, or of another event.
struct other {
  int level;
};
static_assert(!std::is_invocable_v<decltype(in_range(&other::level, 0, 1)), const reading&, timestamp>);
static_assert(!std::is_invocable_v<decltype(required(&other::level)), const reading&, timestamp>);

}  // namespace

TEST_CASE("every condition explains what was compared with what") {
  order o;
  o.price = 105;
  o.ratio = not_a_number;
  o.id = "a\nb";
  o.small = 4;
  o.at = noon + 90s;
  o.coarse = milliseconds_time(1ms);
  o.limit = -1;
  CHECK(in_range(&order::price, 0, 100).explain(o, noon) == "105 is not in the range from 0 to 100");
  CHECK(in_range(&order::ratio, 0.5, 1.5).explain(o, noon) == "nan is not in the range from 0.5 to 1.5");
  CHECK(in_range(&order::limit, 0, 100).explain(o, noon) == "-1 is not in the range from 0 to 100");
  CHECK(in_range(&order::limit, 0, 100).explain(nothing(), noon) == "the field is absent");
  CHECK(equals(&order::id, "ab").explain(o, noon) == "\"a\\x0ab\" is not \"ab\"");
  CHECK(equals(&order::small, 5).explain(o, noon) == "4 is not 5");
  CHECK(equals(&order::direction, side::sell).explain(o, noon) == "1 is not -1");
  CHECK(equals(&order::is_open, true).explain(o, noon) == "false is not true");
  CHECK(finite(&order::ratio).explain(o, noon) == "nan is not a finite number");
  CHECK(not_after(&order::at, 5s).explain(o, noon) ==
        "1970-01-01T12:01:30Z is more than 5 s after 1970-01-01T12:00:00Z");
  CHECK(not_before(&order::at, 60s).explain(o, noon + 1h) ==
        "1970-01-01T12:01:30Z is more than 1 min before 1970-01-01T13:00:00Z");
  CHECK(not_before(&order::coarse, 1ns).explain(o, noon) ==
        "1970-01-01T00:00:00.001Z is more than 1 ns before 1970-01-01T12:00:00Z");
  CHECK(not_after(&order::at, duration::min()).explain(with(&order::at, timestamp::max()), timestamp::min()) ==
        "2262-04-11T23:47:16.854775807Z is more than -9223372036854775808 ns after 1677-09-21T00:12:43.145224192Z");
  const auto product = product_equals(&order::price, &order::quantity, &order::revenue);
  o.quantity = 2;
  o.revenue = 211;
  CHECK(product.explain(o, noon) == "211 is not 105 * 2 = 210");
  o.price = most<std::int64_t>;
  CHECK(product.explain(o, noon) == "9223372036854775807 * 2 does not fit the field, which holds 211");
}

TEST_CASE("every condition says the same of what passes") {
  order o;
  o.price = 5;
  o.quantity = 3;
  o.revenue = 15;
  o.id = "x";
  o.at = noon;
  CHECK(in_range(&order::price, -7, 9).explain(o, noon) == "5 is in the range from -7 to 9");
  CHECK(in_range(&order::ratio, 0.0, 1.0).explain(o, noon) == "0 is in the range from 0 to 1");
  CHECK(equals(&order::price, 5).explain(o, noon) == "5 is 5");
  CHECK(finite(&order::ratio).explain(o, noon) == "0 is a finite number");
  CHECK(required(&order::id).explain(o, noon) == "the field is there");
  CHECK(not_after(&order::at, 5s).explain(o, noon) ==
        "1970-01-01T12:00:00Z is not more than 5 s after 1970-01-01T12:00:00Z");
  CHECK(product_equals(&order::price, &order::quantity, &order::revenue).explain(o, noon) == "15 is 5 * 3 = 15");
}

TEST_CASE("what was compared with the bounds can be had as a value whether it passes or fails") {
  order o;
  o.price = 5;
  o.revenue = 7;
  CHECK(in_range(&order::price, 0, 4).measured(o, noon) == 5);
  CHECK(not_after(&order::at, 5s).measured(o, noon) == o.at);
  CHECK(product_equals(&order::price, &order::quantity, &order::revenue).measured(o, noon) == 7);
}
