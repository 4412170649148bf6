// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/sequence_number.hpp"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include "catch.hpp"

namespace {

using recoup::sequence_unwrapper;
using recoup::serial_compare;

__extension__ using wide = __int128;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

constexpr std::uint64_t mask_of(unsigned bits) { return most >> (64 - bits); }

constexpr bool follows(std::uint64_t a, std::uint64_t b, unsigned bits) {
  return std::is_gt(serial_compare(a, b, bits)) && std::is_lt(serial_compare(b, a, bits));
}

constexpr bool has_no_order(std::uint64_t a, std::uint64_t b, unsigned bits) {
  return serial_compare(a, b, bits) == std::partial_ordering::unordered &&
         serial_compare(b, a, bits) == std::partial_ordering::unordered;
}

constexpr sequence_unwrapper unwrapper_at(unsigned bits, std::uint64_t highest) {
  sequence_unwrapper u(bits);
  u.commit(highest);
  return u;
}

// Of the numbers congruent to raw the one nearest to the highest, the upper of two equally near.
std::optional<std::uint64_t> nearest(std::uint64_t raw, std::uint64_t highest, unsigned bits) {
  const wide cycle = wide{1} << bits;
  const wide same_cycle = wide{highest} / cycle * cycle + wide{raw};
  wide best = same_cycle + cycle;
  for (const wide candidate : {same_cycle, same_cycle - cycle}) {
    const wide distance = candidate > highest ? candidate - wide{highest} : wide{highest} - candidate;
    const wide best_distance = best > highest ? best - wide{highest} : wide{highest} - best;
    if (distance < best_distance) best = candidate;
  }
  if (best < 0 || best > wide{most}) return std::nullopt;
  return static_cast<std::uint64_t>(best);
}

}  // namespace

TEST_CASE("The two-bit examples of RFC 1982 section 5.1 hold", "[sequence_number]") {
  STATIC_REQUIRE(follows(1, 0, 2));
  STATIC_REQUIRE(follows(2, 1, 2));
  STATIC_REQUIRE(follows(3, 2, 2));
  STATIC_REQUIRE(follows(0, 3, 2));
  STATIC_REQUIRE(has_no_order(2, 0, 2));
  STATIC_REQUIRE(has_no_order(1, 3, 2));
}

TEST_CASE("The eight-bit examples of RFC 1982 section 5.2 hold", "[sequence_number]") {
  STATIC_REQUIRE(follows(1, 0, 8));
  STATIC_REQUIRE(follows(44, 0, 8));
  STATIC_REQUIRE(follows(100, 0, 8));
  STATIC_REQUIRE(follows(100, 44, 8));
  STATIC_REQUIRE(follows(200, 100, 8));
  STATIC_REQUIRE(follows(255, 200, 8));
  STATIC_REQUIRE(follows(0, 255, 8));
  STATIC_REQUIRE(follows(100, 255, 8));
  STATIC_REQUIRE(follows(0, 200, 8));
  STATIC_REQUIRE(follows(44, 200, 8));
}

TEST_CASE("Comparison follows the definition of RFC 1982 section 3.2 for all numbers of up to seven bits",
          "[sequence_number]") {
  for (unsigned bits = 1; bits <= 7; ++bits) {
    const std::uint64_t half = std::uint64_t{1} << (bits - 1);
    for (std::uint64_t a = 0; a <= mask_of(bits); ++a) {
      for (std::uint64_t b = 0; b <= mask_of(bits); ++b) {
        const bool less = (a < b && b - a < half) || (a > b && a - b > half);
        const bool greater = (a < b && b - a > half) || (a > b && a - b < half);
        const std::partial_ordering order = serial_compare(a, b, bits);
        REQUIRE(std::is_lt(order) == less);
        REQUIRE(std::is_gt(order) == greater);
        REQUIRE(std::is_eq(order) == (a == b));
        REQUIRE(serial_compare(a | ~mask_of(bits), b, bits) == order);
      }
    }
  }
}

TEST_CASE("Adding up to half the circle less one makes a number greater as RFC 1982 section 3.1 allows",
          "[sequence_number]") {
  std::mt19937_64 random(3);
  for (unsigned bits = 2; bits <= 64; ++bits) {
    const std::uint64_t half = std::uint64_t{1} << (bits - 1);
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t a = random() & mask_of(bits);
      const std::uint64_t largest_step = half - 1;
      const std::uint64_t step = i == 0 ? largest_step : 1 + random() % largest_step;
      REQUIRE(follows((a + step) & mask_of(bits), a, bits));
      REQUIRE(has_no_order((a + half) & mask_of(bits), a, bits));
    }
  }
}

TEST_CASE("A comparison of a width that does not exist takes the nearest one", "[sequence_number]") {
  STATIC_REQUIRE(serial_compare(2, 2, 0) == std::partial_ordering::equivalent);
  STATIC_REQUIRE(serial_compare(3, 2, 0) == std::partial_ordering::unordered);
  STATIC_REQUIRE(std::is_gt(serial_compare(0, most, 65)));
  STATIC_REQUIRE(std::is_gt(serial_compare(0, most, std::numeric_limits<unsigned>::max())));
}

TEST_CASE("The first number is taken as it is", "[sequence_number]") {
  constexpr sequence_unwrapper fresh(16);
  STATIC_REQUIRE(fresh.bits() == 16);
  STATIC_REQUIRE(!fresh.highest());
  STATIC_REQUIRE(fresh.unwrap(0) == 0);
  STATIC_REQUIRE(fresh.unwrap(65'535) == 65'535);
  STATIC_REQUIRE(unwrapper_at(16, 65'535).highest() == 65'535);
}

TEST_CASE("Numbers run on through the wrap and late ones return before it", "[sequence_number]") {
  constexpr auto before = unwrapper_at(16, 65'534);
  STATIC_REQUIRE(before.unwrap(65'535) == 65'535);
  STATIC_REQUIRE(before.unwrap(0) == 65'536);
  STATIC_REQUIRE(before.unwrap(3) == 65'539);
  constexpr auto behind = unwrapper_at(16, 65'539);
  STATIC_REQUIRE(behind.unwrap(65'535) == 65'535);
  STATIC_REQUIRE(behind.unwrap(4) == 65'540);
}

TEST_CASE("Looking changes nothing and a late commit does not lower the highest", "[sequence_number]") {
  auto u = unwrapper_at(8, 250);
  CHECK(u.unwrap(10) == 266);
  CHECK(u.highest() == 250);
  CHECK(u.unwrap(10) == 266);
  u.commit(266);
  u.commit(255);
  CHECK(u.highest() == 266);
}

TEST_CASE("Half a circle away counts as ahead", "[sequence_number]") {
  STATIC_REQUIRE(unwrapper_at(8, 1'000).unwrap((1'000 + 127) % 256) == 1'127);
  STATIC_REQUIRE(unwrapper_at(8, 1'000).unwrap((1'000 + 128) % 256) == 1'128);
  STATIC_REQUIRE(unwrapper_at(8, 1'000).unwrap((1'000 + 129) % 256) == 1'000 - 127);
  STATIC_REQUIRE(unwrapper_at(1, 4).unwrap(1) == 5);
}

TEST_CASE("A number wider than the width or outside of 64 bits is no number", "[sequence_number]") {
  STATIC_REQUIRE(!sequence_unwrapper(12).unwrap(4'096));
  STATIC_REQUIRE(!unwrapper_at(12, 7).unwrap(most));
  STATIC_REQUIRE(!unwrapper_at(12, 7).unwrap(4'095));
  STATIC_REQUIRE(unwrapper_at(12, 7).unwrap(0) == 0);
  STATIC_REQUIRE(unwrapper_at(8, most - 3).unwrap(255) == most);
  STATIC_REQUIRE(!unwrapper_at(8, most - 3).unwrap(0));
  STATIC_REQUIRE(unwrapper_at(8, most).unwrap(254) == most - 1);
}

TEST_CASE("With 64 bits every number is itself", "[sequence_number]") {
  sequence_unwrapper u(64);
  for (const std::uint64_t n : {std::uint64_t{0}, most, std::uint64_t{1} << 63, std::uint64_t{5}, most}) {
    CHECK(u.unwrap(n) == n);
    u.commit(n);
    CHECK(u.unwrap(~n) == ~n);
  }
  CHECK(u.highest() == most);
}

TEST_CASE("Unwrapping finds the nearest congruent number everywhere on a small circle", "[sequence_number]") {
  for (unsigned bits = 1; bits <= 5; ++bits) {
    for (std::uint64_t i = 0; i < 200; ++i) {
      for (const std::uint64_t highest : {i, (std::uint64_t{1} << 63) - 100 + i, most - i}) {
        const auto u = unwrapper_at(bits, highest);
        for (std::uint64_t raw = 0; raw <= mask_of(bits); ++raw) {
          REQUIRE(u.unwrap(raw) == nearest(raw, highest, bits));
        }
      }
    }
  }
}

TEST_CASE("Every width follows a 64-bit truth through losses and late packets within half the circle",
          "[sequence_number]") {
  std::mt19937_64 random(4);
  for (const unsigned bits : {1U, 2U, 3U, 5U, 7U, 8U, 11U, 12U, 13U, 16U, 23U, 24U, 31U, 32U, 33U, 48U, 62U}) {
    const std::uint64_t half = std::uint64_t{1} << (bits - 1);
    sequence_unwrapper u(bits);
    std::uint64_t head = random() & mask_of(bits);
    u.commit(head);
    std::uint64_t wraps = 0;
    for (int i = 0; i < 2'000; ++i) {
      std::uint64_t truth = head;
      if (random() % 3 == 0) {
        truth -= std::min(head, random() % half);
      } else {
        // Mostly small steps, at times the greatest one.
        const std::uint64_t step = random() % 8 == 0 ? half : 1 + random() % std::min<std::uint64_t>(half, 40);
        if (step > most - head) break;
        truth += step;
      }
      REQUIRE(u.unwrap(truth & mask_of(bits)) == truth);
      u.commit(truth);
      wraps += (truth >> bits) > (head >> bits);
      head = std::max(head, truth);
      REQUIRE(u.highest() == head);
    }
    CHECK(wraps >= 1);
  }
}

TEST_CASE("A width that does not exist is refused with a sentence that names it", "[sequence_number]") {
  for (const unsigned bits : {0U, 65U, std::numeric_limits<unsigned>::max()}) {
    try {
      sequence_unwrapper refused(bits);
      FAIL("accepted " << refused.bits());
    } catch (const std::invalid_argument& e) {
      CHECK(std::string(e.what()).find(std::to_string(bits) + " bits: give 1 to 64") != std::string::npos);
    }
  }
  CHECK(sequence_unwrapper(1).bits() == 1);
  CHECK(sequence_unwrapper(64).bits() == 64);
}
