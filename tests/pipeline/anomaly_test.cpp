// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/anomaly.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"

TEST_CASE("an anomaly says what was expected and which part spoke") {
  recoup::anomaly<> a{.name = "revenue", .key = {}, .at = {}, .value = 1'234.56789, .assessed = {}};
  a.assessed.score = 23.14159;
  a.assessed.expected = 100;
  a.assessed.lower = 90.5;
  a.assessed.upper = 110;
  a.assessed.side = recoup::side::above;
  a.assessed.warming = false;
  a.assessed.part = "season";
  CHECK(a.why() == "revenue: 1234.57 is above what is usual, 90.5 to 110, expected 100; score 23.1416 by its season");
  a.assessed.side = recoup::side::below;
  a.assessed.part = {};
  a.value = -1e-300;
  CHECK(a.why() == "revenue: -1e-300 is below what is usual, 90.5 to 110, expected 100; score 23.1416");
}

TEST_CASE("an anomaly of odd numbers has a text") {
  recoup::anomaly<> a{.name = "x", .key = {}, .at = {}, .value = std::nan(""), .assessed = {}};
  CHECK(a.why() == "x: nan is unlike what is usual, -inf to inf, expected 0; score 0");
  a.value = std::numeric_limits<double>::max();
  CHECK(a.why() == "x: 1.79769e+308 is unlike what is usual, -inf to inf, expected 0; score 0");
}
