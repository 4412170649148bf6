// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/detail/doubling.hpp"

#include <cstdint>

#include "catch.hpp"

using namespace std::chrono_literals;
using recoup::duration;
using recoup::detail::doubled;

TEST_CASE("a doubled wait is twice the one before until the longest") {
  STATIC_REQUIRE(doubled(3ns, 100ns, 0) == 3ns);
  STATIC_REQUIRE(doubled(3ns, 100ns, 1) == 3ns);
  STATIC_REQUIRE(doubled(3ns, 100ns, 2) == 6ns);
  STATIC_REQUIRE(doubled(3ns, 100ns, 6) == 96ns);
  STATIC_REQUIRE(doubled(3ns, 100ns, 7) == 100ns);
  for (const std::uint32_t n : {62U, 63U, 64U, 65U, 1'000U, ~0U}) {
    CAPTURE(n);
    CHECK(doubled(3ns, 100ns, n) == 100ns);
    CHECK(doubled(5ns, duration::max(), n) == duration::max());
  }
  CHECK(doubled(1ns, duration::max(), 63).count() == std::int64_t{1} << 62);
}
