// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/stream_gaps.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "catch.hpp"
#include "recoup/sequence/gap_tracker.hpp"

namespace {

using recoup::gap_tracker;
using recoup::sequence_range;
using recoup::stream_gaps;
using recoup::timestamp;
using namespace std::chrono_literals;

constexpr timestamp start{};
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
using ranges = std::vector<sequence_range>;

ranges all_of(const recoup::interval_set& s) { return {s.begin(), s.end()}; }

TEST_CASE("a stream that has not begun stands nowhere") {
  const gap_tracker t;
  const stream_gaps g = t.gaps();
  CHECK_FALSE(g.expected());
  CHECK_FALSE(g.high_position());
  CHECK_FALSE(g.contiguous_position());
  CHECK(g.missing().empty());
  CHECK(g.missing_count() == 0);
  CHECK(g.due() == timestamp::max());
}

TEST_CASE("how a stream stands is seen as it changes") {
  gap_tracker t({.expect_from = 10, .reorder_delay = 3s, .replay = {.give_up_after = 5s}});
  const stream_gaps g = t.gaps();
  CHECK(g.expected() == 10U);
  CHECK_FALSE(g.high_position());
  t.observe(12, start);
  CHECK(g.expected() == 13U);
  CHECK(g.high_position() == 12U);
  CHECK_FALSE(g.contiguous_position());  // its first number is missing
  CHECK(g.due() == start + 3s);
  t.observe(10, start);
  t.observe(15, start);
  CHECK(g.contiguous_position() == 10U);
  CHECK(all_of(g.missing()) == ranges{{11, 11}, {13, 14}});
  CHECK(g.missing_count() == 3);
  CHECK(g.gap_count() == 2);
  CHECK(g.abandoned().empty());
  t.advance(start + 5s, [](const auto&) {});
  CHECK(g.missing().empty());
  CHECK(all_of(g.abandoned()) == ranges{{11, 11}, {13, 14}});
  CHECK(g.contiguous_position() == 15U);
  CHECK(g.due() == timestamp::max());
}

TEST_CASE("behind the last of all numbers nothing is expected") {
  gap_tracker t({.expect_from = most - 1});
  const stream_gaps g = t.gaps();
  t.observe(most, start);
  CHECK_FALSE(g.expected());
  CHECK(g.high_position() == most);
  CHECK_FALSE(g.contiguous_position());
  t.observe(most - 1, start);
  CHECK(g.contiguous_position() == most);
}

TEST_CASE("what is ripe by distance is due at once") {
  gap_tracker t({.expect_from = 1, .reorder_distance = 3});
  t.observe(2, start);
  CHECK(t.gaps().due() == timestamp::max());
  t.observe(4, start);
  CHECK(t.gaps().due() == timestamp::min());
}

}  // namespace
