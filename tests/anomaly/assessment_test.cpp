// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/assessment.hpp"

#include <limits>

#include "catch.hpp"

TEST_CASE("an assessment of nothing is warming usual and without bounds") {
  constexpr recoup::assessment nothing;
  CHECK(nothing.warming);
  CHECK(nothing.score == 0);
  CHECK(nothing.side == recoup::side::neither);
  CHECK(nothing.lower == -std::numeric_limits<double>::infinity());
  CHECK(nothing.upper == std::numeric_limits<double>::infinity());
  CHECK(nothing.part.empty());
}

TEST_CASE("sides have names") {
  CHECK(recoup::name_of(recoup::side::neither) == "neither");
  CHECK(recoup::name_of(recoup::side::above) == "above");
  CHECK(recoup::name_of(recoup::side::below) == "below");
}
