// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/product_equals.hpp"

#include <cstdint>

#include "catch.hpp"
#include "checked_order.hpp"

namespace {

using namespace checking;
using recoup::product_equals;

struct reading {
  std::int32_t a = 0, b = 0;
  std::int16_t product = 0;
};
static_assert(product_equals(&reading::a, &reading::b, &reading::product)(reading{20, -3, -60}, noon));
static_assert([] {
  reading wrong{20, -3, 7};
  return product_equals(&reading::a, &reading::b, &reading::product).fix(wrong) && wrong.product == -60;
}());

}  // namespace

TEST_CASE("a product is compared exactly and an overflow fails") {
  const auto rule = product_equals(&order::price, &order::quantity, &order::revenue);
  const auto holds = [&](std::int64_t price, std::int64_t quantity, std::int64_t revenue) {
    order o;
    o.price = price;
    o.quantity = quantity;
    o.revenue = revenue;
    return rule(o, noon);
  };
  CHECK(holds(1'999, 3, 5'997));
  CHECK_FALSE(holds(1'999, 3, 5'996));
  CHECK(holds(-4, 5, -20));
  CHECK(holds(0, most<std::int64_t>, 0));
  CHECK(holds(least<std::int64_t>, 1, least<std::int64_t>));
  CHECK_FALSE(holds(least<std::int64_t>, -1, least<std::int64_t>));
  CHECK_FALSE(holds(most<std::int64_t>, 2, -2));
  CHECK_FALSE(holds(std::int64_t{1} << 32, std::int64_t{1} << 32, 0));
}

TEST_CASE("a product is fixed where it fits and left alone where it does not") {
  const auto rule = product_equals(&order::price, &order::quantity, &order::revenue);
  order o;
  o.price = 1'999;
  o.quantity = 3;
  o.revenue = 1;
  CHECK(rule.fix(o));
  CHECK(o.revenue == 5'997);
  o.price = most<std::int64_t>;
  CHECK_FALSE(rule.fix(o));
  CHECK(o.revenue == 5'997);
  const auto narrow = product_equals(&order::price, &order::quantity, &order::tiny);
  o.price = 64;
  o.quantity = -2;
  CHECK(narrow.fix(o));
  CHECK(o.tiny == -128);
  o.quantity = 2;
  CHECK_FALSE(narrow.fix(o));
  const auto without_sign = product_equals(&order::price, &order::quantity, &order::large);
  o.quantity = -1;
  CHECK_FALSE(without_sign.fix(o));
  CHECK_FALSE(without_sign(o, noon));
  const auto mixed = product_equals(&order::large, &order::quantity, &order::price);
  o.large = most<std::uint64_t>;
  o.quantity = 0;
  CHECK(mixed.fix(o));
  CHECK(o.price == 0);
}
