// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/finite.hpp"

#include <limits>
#include <optional>

#include "catch.hpp"
#include "checked_order.hpp"

namespace {

using namespace checking;
using recoup::finite;

struct reading {
  std::optional<double> value;
};
static_assert(finite(&reading::value)(reading{1.5}, noon) && !finite(&reading::value)(reading{infinite}, noon));

}  // namespace

TEST_CASE("finite refuses NaN and the infinities only") {
  const auto holds = [](double v) { return finite(&order::ratio)(with(&order::ratio, v), noon); };
  for (const double v :
       {0.0, -0.0, 1e308, -1e308, std::numeric_limits<double>::denorm_min(), most<double>, -most<double>}) {
    CHECK(holds(v));
  }
  for (const double v : {not_a_number, -not_a_number, infinite, -infinite}) CHECK_FALSE(holds(v));
  CHECK(finite(&order::rate)(nothing(), noon));
  CHECK_FALSE(finite(&order::rate)(with(&order::rate, {infinite}), noon));
  CHECK_FALSE(finite([](const order&) { return std::numeric_limits<float>::infinity(); })(nothing(), noon));
}
