// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/numbering.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/sequence/gap_tracker.hpp"
#include "test_scale.hpp"

namespace {

using recoup::arrival;
using recoup::fixed_step;
using recoup::gap_tracker;
using recoup::increasing_number;
using recoup::linked_number;
using recoup::sequence_range;
using recoup::timestamp;

constexpr timestamp start{};
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
using ranges = std::vector<sequence_range>;

ranges missing(const gap_tracker& t) { return {t.missing().begin(), t.missing().end()}; }

TEST_CASE("each number of a step has an index and none between them") {
  const fixed_step step(10, 3);
  CHECK(step.index_of(3) == 0U);
  CHECK(step.index_of(13) == 1U);
  CHECK_FALSE(step.index_of(2));
  CHECK_FALSE(step.index_of(0));
  CHECK_FALSE(step.index_of(12));
  CHECK_FALSE(step.index_of(most));
  CHECK(step.numbers_of({1, 3}) == sequence_range{13, 33});
  CHECK(fixed_step(1).index_of(most) == most);
  CHECK(fixed_step(most).index_of(most) == 1U);
  CHECK(fixed_step(most, 1).index_of(most) == std::nullopt);
  CHECK_THROWS_AS(fixed_step(0), std::invalid_argument);
}

TEST_CASE("an index stands for the number that it was made of") {
  std::mt19937_64 random(1);
  std::uint64_t numbers = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t shift = random() % 64;
    const fixed_step step(1 + (random() >> shift), random() >> (random() % 64));
    for (const std::uint64_t n : {random(), step.number_of(random() % 3), std::uint64_t{0}, most}) {
      const std::optional<std::uint64_t> index = step.index_of(n);
      if (index && step.number_of(*index) != n) FAIL("index " << *index << " is another number than " << n);
      numbers += index.has_value();
    }
  }
  CHECK(numbers > 20'000);
}

TEST_CASE("numbers between linked ones do not exist") {
  gap_tracker t;
  CHECK(t.observe(linked_number{100, 107}, start).answer == arrival::in_order);
  CHECK(t.observe(linked_number{107, 120}, start).answer == arrival::in_order);
  const auto seen = t.observe(linked_number{131, 140}, start);
  CHECK(seen.answer == arrival::ahead);
  CHECK(seen.hole == sequence_range{121, 131});
  CHECK(t.observe(linked_number{107, 120}, start).answer == arrival::duplicate);
  CHECK(t.observe(linked_number{120, 126}, start).answer == arrival::filled);
  CHECK(missing(t) == ranges{{127, 131}});
  CHECK(t.observe(linked_number{126, 131}, start).answer == arrival::filled);
  CHECK(t.contiguous_position() == 140U);
  CHECK(t.missing_count() == 0);
}

TEST_CASE("an event that names itself as the one before it is no number of the stream") {
  gap_tracker t({.expect_from = 1});
  CHECK(t.observe(linked_number{5, 5}, start).answer == arrival::stale);
  CHECK(t.observe(linked_number{most, 0}, start).answer == arrival::stale);
  CHECK(t.observe(linked_number{7, 3}, start).answer == arrival::stale);
  CHECK(t.expected() == 1U);
}

TEST_CASE("linked numbers of few bits wrap") {
  gap_tracker t({.bits = 8});
  std::uint8_t before = 0;
  std::mt19937_64 random(2);
  for (int i = 0; i < 1'000; ++i) {
    const auto number = static_cast<std::uint8_t>(before + 1 + random() % 20);
    REQUIRE(t.observe(linked_number{before, number}, start).answer == arrival::in_order);
    before = number;
  }
  CHECK((*t.high_position() & 0xFF) == before);
  CHECK(*t.high_position() > 5'000);
}

// Of a chain of updates some are lost, some come twice or later: what is missing is what no update stands for.
TEST_CASE("of linked updates that came in any order exactly the numbers of the lost ones are missing") {
  for (std::uint64_t seed = 1; seed <= 100 * test_scale(); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    std::vector<linked_number> updates;
    std::uint64_t before = 99;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t number = before + 1 + random() % 5;
      updates.push_back({before, number});
      before = number;
    }
    std::set<std::uint64_t> expected;
    gap_tracker t({.expect_from = 100});
    std::vector<linked_number> sent;
    for (const linked_number& u : updates) {
      if (random() % 5 == 0 && &u != &updates.back()) {
        for (std::uint64_t n = u.previous + 1; n <= u.number; ++n) expected.insert(n);
        continue;
      }
      sent.push_back(u);
      if (random() % 6 == 0) sent.push_back(u);
    }
    for (std::size_t i = 0; i + 4 < sent.size(); ++i) std::swap(sent[i], sent[i + random() % 4]);
    for (const linked_number& u : sent) t.observe(u, start);
    std::set<std::uint64_t> seen;
    for (const sequence_range& r : t.missing()) {
      for (std::uint64_t n = r.first; n <= r.last; ++n) seen.insert(n);
    }
    REQUIRE(seen == expected);
  }
}

TEST_CASE("of numbers that only grow none is missing and none jumps") {
  gap_tracker t({.max_jump = 10});
  std::uint64_t highest = 50;
  t.observe(increasing_number{highest}, start);
  std::mt19937_64 random(3);
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t n = random() % 4 == 0 ? highest - random() % 40 : highest + random() % 1'000'000;
    const arrival expected = n > highest ? arrival::in_order : n == highest ? arrival::duplicate : arrival::stale;
    REQUIRE(t.observe(increasing_number{n}, start).answer == expected);
    highest = std::max(highest, n);
    REQUIRE(t.high_position() == highest);
    REQUIRE(t.missing_count() == 0);
  }
  CHECK(t.observe(increasing_number{most}, start).answer == arrival::in_order);
  CHECK_FALSE(t.expected());
  CHECK(t.observe(increasing_number{most}, start).answer == arrival::duplicate);
  CHECK(t.observe(increasing_number{0}, start).answer == arrival::stale);
}

}  // namespace
