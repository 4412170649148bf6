// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/detail/configuration.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <set>

#include "catch.hpp"

namespace {
using recoup::duration;
using recoup::detail::combine;
using recoup::detail::option;
constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
}  // namespace

TEST_CASE("combining is SplitMix64 where there is one option, and fixed for ever as snapshots hold it") {
  STATIC_REQUIRE(combine({}) == 0);
  STATIC_REQUIRE(combine({0}) == 0xE220'A839'7B1D'CDAF);          // the first output of SplitMix64 seeded with 0
  STATIC_REQUIRE(combine({1'234'567}) == 0x599E'D017'FB08'FC85);  // and with 1234567
}

TEST_CASE("options differ in any value and in their order and in their number") {
  std::set<std::uint64_t> seen{combine({})};
  std::size_t combinations = 1;
  const auto differs = [&](std::uint64_t hash) {
    ++combinations;
    return seen.insert(hash).second;
  };
  const std::uint64_t values[] = {0, 1, 2, 63, 64, 65, 1'000, 1 << 16, 1 << 20, largest - 1, largest};
  bool all = true;
  for (const auto a : values) {
    all = differs(combine({a})) && all;
    for (const auto b : values) {
      all = differs(combine({a, b})) && all;
      for (const auto c : values) all = differs(combine({a, b, c})) && all;
    }
  }
  CHECK(all);
  CHECK(seen.size() == combinations);
}

TEST_CASE("an absent option differs from those at the ends of the range and from zero") {
  const std::uint64_t absent = option(std::optional<std::uint64_t>());
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, largest}) {
    CHECK(option(std::optional(value)) != absent);
    CHECK(combine({option(std::optional(value))}) != combine({absent}));
  }
  for (const duration value : {duration::zero(), duration::min(), duration::max(), duration(-1)}) {
    CHECK(option(std::optional(value)) != option(std::optional<duration>()));
    CHECK(option(value) == static_cast<std::uint64_t>(value.count()));
  }
  CHECK(option(duration(-1)) != option(duration(1)));
}
