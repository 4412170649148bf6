// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/sequence_range.hpp"

#include <cstdint>
#include <limits>

#include "catch.hpp"

using recoup::sequence_range;

namespace {
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
}

TEST_CASE("a sequence range holds both of its ends") {
  constexpr sequence_range r{3, 5};
  STATIC_REQUIRE(r.contains(3));
  STATIC_REQUIRE(r.contains(5));
  STATIC_REQUIRE_FALSE(r.contains(2));
  STATIC_REQUIRE_FALSE(r.contains(6));
  STATIC_REQUIRE(r.size() == 3);
  STATIC_REQUIRE_FALSE(r.empty());
}

TEST_CASE("a sequence range whose first number is behind its last is empty") {
  STATIC_REQUIRE(sequence_range{1, 0}.empty());
  STATIC_REQUIRE(sequence_range{most, 0}.size() == 0);
  STATIC_REQUIRE_FALSE(sequence_range{1, 0}.contains(0));
  STATIC_REQUIRE_FALSE(sequence_range{1, 0}.contains(1));
}

TEST_CASE("a sequence range reaches from 0 to the highest number") {
  STATIC_REQUIRE(sequence_range{0, 0}.size() == 1);
  STATIC_REQUIRE(sequence_range{most, most}.size() == 1);
  STATIC_REQUIRE(sequence_range{1, most}.size() == most);
  STATIC_REQUIRE(sequence_range{0, most}.size() == most);  // one too few to say
  STATIC_REQUIRE(sequence_range{0, most}.contains(most));
  STATIC_REQUIRE(sequence_range{0, most} == sequence_range{0, most});
}
