// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/time.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <type_traits>

#include "catch.hpp"

namespace {

using recoup::duration;
using recoup::elapsed;
using recoup::interpolate;
using recoup::saturating_add;
using recoup::saturating_multiply;
using recoup::timestamp;

__extension__ using wide = __int128;

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp{duration{nanoseconds}}; }

constexpr std::int64_t clamp(wide value) {
  return static_cast<std::int64_t>(std::clamp(value, wide{lowest}, wide{highest}));
}

// Numbers of all sizes: near 0, near the ends, and anywhere.
std::int64_t any_number(std::mt19937_64& random) {
  const auto near = static_cast<std::int64_t>(random() % 5) - 2;
  switch (random() % 4) {
    case 0:
      return near;
    case 1:
      return highest - 2 - near;
    case 2:
      return lowest + 2 + near;
    default:
      return static_cast<std::int64_t>(random()) >> (random() % 64);
  }
}

std::uint64_t any_count(std::mt19937_64& random) {
  return random() % 4 == 0 ? most - random() % 4 : random() >> (random() % 64);
}

}  // namespace

TEST_CASE("A timestamp counts nanoseconds in 64 signed bits since the Unix epoch", "[time]") {
  STATIC_REQUIRE(std::is_signed_v<duration::rep>);
  STATIC_REQUIRE(sizeof(duration::rep) == 8);
  STATIC_REQUIRE(std::is_same_v<duration::period, std::nano>);
  STATIC_REQUIRE(at(1'000'000'000) == timestamp{std::chrono::seconds{1}});
  STATIC_REQUIRE(timestamp{} == at(0));
}

TEST_CASE("Sums within the range are exact and others end at its nearest end", "[time]") {
  STATIC_REQUIRE(saturating_add(at(5), duration{-7}) == at(-2));
  STATIC_REQUIRE(saturating_add(at(highest), duration{1}) == at(highest));
  STATIC_REQUIRE(saturating_add(at(highest - 1), duration{1}) == at(highest));
  STATIC_REQUIRE(saturating_add(at(lowest), duration{-1}) == at(lowest));
  STATIC_REQUIRE(saturating_add(at(lowest), duration::min()) == at(lowest));
  STATIC_REQUIRE(saturating_add(duration::max(), duration::max()) == duration::max());
  STATIC_REQUIRE(saturating_add(duration::max(), duration::min()) == duration{-1});
}

TEST_CASE("Time that went back has elapsed negatively and a span too wide saturates", "[time]") {
  STATIC_REQUIRE(elapsed(at(10), at(25)) == duration{15});
  STATIC_REQUIRE(elapsed(at(25), at(10)) == duration{-15});
  STATIC_REQUIRE(elapsed(at(lowest), at(highest)) == duration::max());
  STATIC_REQUIRE(elapsed(at(highest), at(lowest)) == duration::min());
  STATIC_REQUIRE(elapsed(at(lowest), at(-1)) == duration{highest});
  STATIC_REQUIRE(elapsed(at(lowest), at(0)) == duration::max());
  STATIC_REQUIRE(elapsed(at(highest), at(-1)) == duration::min());
  STATIC_REQUIRE(elapsed(at(highest), at(-2)) == duration::min());
}

TEST_CASE("Products saturate on the side of their sign", "[time]") {
  STATIC_REQUIRE(saturating_multiply(duration{-3}, 7) == duration{-21});
  STATIC_REQUIRE(saturating_multiply(duration{0}, most) == duration{0});
  STATIC_REQUIRE(saturating_multiply(duration::max(), 0) == duration{0});
  STATIC_REQUIRE(saturating_multiply(duration{2}, most / 2) == duration::max());
  STATIC_REQUIRE(saturating_multiply(duration{-1}, std::uint64_t{1} << 63) == duration::min());
  STATIC_REQUIRE(saturating_multiply(duration{-1}, most) == duration::min());
  STATIC_REQUIRE(saturating_multiply(duration::min(), 1) == duration::min());
}

TEST_CASE("Interpolation gives the midpoint and the ends and rounds towards where it starts", "[time]") {
  STATIC_REQUIRE(interpolate(at(10), at(20), 1, 2) == at(15));
  STATIC_REQUIRE(interpolate(at(10), at(21), 1, 2) == at(15));
  STATIC_REQUIRE(interpolate(at(21), at(10), 1, 2) == at(16));
  STATIC_REQUIRE(interpolate(at(-3), at(4), 1, 2) == at(0));
  STATIC_REQUIRE(interpolate(at(lowest), at(highest), 1, 2) == at(-1));
  STATIC_REQUIRE(interpolate(at(highest), at(lowest), 1, 2) == at(0));
  STATIC_REQUIRE(interpolate(at(10), at(20), 1, 0) == at(10));
  STATIC_REQUIRE(interpolate(at(10), at(20), 0, 0) == at(10));
  STATIC_REQUIRE(interpolate(at(10), at(20), 0, 5) == at(10));
  STATIC_REQUIRE(interpolate(at(10), at(20), 5, 5) == at(20));
  STATIC_REQUIRE(interpolate(at(10), at(20), 6, 5) == at(20));
  STATIC_REQUIRE(interpolate(at(lowest), at(highest), most - 1, most) == at(highest - 1));
}

TEST_CASE("Arithmetic on time agrees with 128-bit arithmetic for any numbers", "[time]") {
  std::mt19937_64 random(1);
  int overflows = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t a = any_number(random);
    const std::int64_t b = any_number(random);
    const std::uint64_t n = any_count(random);
    const wide sum = wide{a} + wide{b};
    overflows += sum != clamp(sum);
    REQUIRE(saturating_add(duration{a}, duration{b}).count() == clamp(sum));
    REQUIRE(saturating_add(at(a), duration{b}) == at(clamp(sum)));
    REQUIRE(elapsed(at(a), at(b)).count() == clamp(wide{b} - wide{a}));
    REQUIRE(saturating_multiply(duration{a}, n).count() == clamp(wide{a} * wide{n}));
  }
  CHECK(overflows > 1'000);
}

TEST_CASE("Interpolation agrees with 128-bit arithmetic for any numbers", "[time]") {
  __extension__ using unsigned_wide = unsigned __int128;
  std::mt19937_64 random(2);
  int beyond_64_bits = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t a = any_number(random);
    const std::int64_t b = any_number(random);
    const std::uint64_t denominator = any_count(random);
    const std::uint64_t numerator = random() % 8 == 0 ? any_count(random) : random() % (denominator / 2 * 2 + 1);
    const auto distance = static_cast<unsigned_wide>(a < b ? wide{b} - wide{a} : wide{a} - wide{b});
    wide expected = a;
    if (denominator != 0) {
      const unsigned_wide product = distance * std::min(numerator, denominator);
      beyond_64_bits += product > most;
      const auto part = static_cast<wide>(product / denominator);
      expected = a < b ? a + part : a - part;
    }
    REQUIRE(interpolate(at(a), at(b), numerator, denominator) == at(static_cast<std::int64_t>(expected)));
  }
  CHECK(beyond_64_bits > 1'000);
}
