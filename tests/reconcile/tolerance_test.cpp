// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/tolerance.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "recoup/reconcile/comparers.hpp"

namespace {

using recoup::tolerance;

constexpr auto itself = [](double value) { return value; };

bool agree(double ours, double theirs, const tolerance& t) {
  return recoup::close<"value">(itself, itself, t).compare(ours, theirs).agrees;
}

TEST_CASE("a tolerance that says nothing allows nothing") {
  CHECK(agree(1, 1, {}));
  CHECK_FALSE(agree(1, std::nextafter(1.0, 2.0), {}));
}

TEST_CASE("the three parts of a tolerance add up and a part of nothing is nothing") {
  const tolerance all{.absolute = 1, .of_ours = 0.5, .of_theirs = 0.25};
  CHECK(agree(-8, -16, {.of_ours = 1}));
  CHECK(agree(8, 17, all));  // 9 apart, and 1 + 4 + 4.25 allowed
  CHECK_FALSE(agree(8, 17, {.of_ours = 0.5, .of_theirs = 0.25}));
  CHECK(agree(0, 1, {.absolute = 1, .of_ours = std::numeric_limits<double>::max()}));
  CHECK_FALSE(agree(0, 2, {.absolute = 1, .of_ours = std::numeric_limits<double>::max()}));
}

TEST_CASE("a tolerance below zero or that is no number is refused with a sentence") {
  const auto refused = [](const tolerance& t, const char* about) {
    CHECK_THROWS_WITH(recoup::close<"value">(itself, itself, t), Catch::Contains(about));
    CHECK_THROWS_WITH(recoup::close<"value">(itself, itself, tolerance{}, t), Catch::Contains(about));
  };
  refused({.absolute = -1}, "tolerance.absolute must be 0 or more");
  refused({.absolute = std::nan("")}, "tolerance.absolute must be 0 or more");
  refused({.of_ours = -1}, "tolerance.of_ours must be 0 or more");
  refused({.of_theirs = -1}, "tolerance.of_theirs must be 0 or more");
  CHECK_NOTHROW(recoup::close<"value">(itself, itself, {.absolute = std::numeric_limits<double>::infinity()}));
}

}  // namespace
