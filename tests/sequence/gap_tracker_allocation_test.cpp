// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// Memory: when a gap_tracker allocates, how much, and that nothing has changed where that fails.
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/sequence/gap_tracker.hpp"
#include "sequence/gap_tracker_model.hpp"

namespace {

using namespace gap_model;
using namespace std::chrono_literals;

// f() with so many allocations. False if it ran out of them.
template <class F>
bool succeeds_with(std::size_t allocations, F&& f) {
  allocations_left = allocations;
  try {
    f();
    allocations_left = any_number_of_allocations;
    return true;
  } catch (const std::bad_alloc&) {
    allocations_left = any_number_of_allocations;
    return false;
  }
}

gap_tracker_options any_options(dice& roll) {
  gap_tracker_options o;
  if (roll.chance(50)) o.expect_from = 0;
  if (roll.chance(40)) o.reorder_distance = roll(6);
  o.max_gaps = roll.one_of({std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{64}});
  o.max_jump = 100;
  o.max_behind = 50;
  o.replay.max_attempts = static_cast<std::uint32_t>(roll(3));
  o.replay.first_wait = 20ns;
  if (roll.chance(40)) o.replay.max_range = 1 + roll(3);
  if (roll.chance(50)) o.replay.give_up_after = duration{1 + roll(100)};
  return o;
}

std::uint64_t any_number(const gap_tracker& t, dice& roll) {
  const std::uint64_t next = t.expected().value_or(10);
  return roll.one_of({next, next + roll(8), next - roll(20), next - roll(60), next + 200 + roll(2), roll(5)});
}

// What only ever fails as a whole: f(tracker) with 0, 1, 2, ... allocations. How often it failed.
template <class F>
std::uint64_t fails_as_a_whole(gap_tracker& t, F&& f) {
  const bytes before = snapshot(t);
  std::uint64_t failures = 0;
  while (!succeeds_with(failures, [&] { f(t); })) {
    ++failures;
    if (snapshot(t) != before) FAIL("something changed although there was no memory for it");
  }
  return failures;
}

}  // namespace

TEST_CASE("where there is no memory for an arrival or for what takes it back nothing changes") {
  std::array<std::uint64_t, 7> failures{};
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    gap_tracker t(any_options(roll));
    timestamp now = start;
    for (int step = 0; step < 100; ++step) {
      now += duration{roll(10)};
      const std::uint64_t n = any_number(t, roll);
      const std::uint64_t count = 1 + roll(12);
      // The heap of a copy is as small as can be, so that it must grow.
      if (roll.chance(60)) t = gap_tracker(std::as_const(t));
      switch (const std::uint64_t choice = roll(10); choice) {
        case 0:
          failures[0] += fails_as_a_whole(t, [&](gap_tracker& to) { to.forget(n, now); });
          break;
        case 1:
          failures[1] += fails_as_a_whole(t, [&](gap_tracker& to) { to.observe_high(n, now); });
          break;
        case 2:
          failures[2] += fails_as_a_whole(t, [&](gap_tracker& to) {
            to.skip({n, n + count}, recoup::skip_reason::other, now);
          });
          break;
        case 3:
          failures[3] += fails_as_a_whole(t, [&](gap_tracker& to) { to.observe(n, count, now, [](auto&&...) {}); });
          break;
        case 4: {
          gap_tracker other(t.options());
          for (std::uint64_t i = 0; i < 30; ++i) other.observe(any_number(t, roll), now);
          failures[4] += fails_as_a_whole(t, [&](gap_tracker& to) { to.merge(other, now); });
          break;
        }
        case 5:
          advance(t, now);
          break;
        default:
          failures[choice == 6 ? 5 : 6] += fails_as_a_whole(t, [&](gap_tracker& to) { to.observe(n, now); });
      }
    }
    REQUIRE(broken_invariant(t).empty());
  }
  for (const std::uint64_t n : failures) CHECK(n > 20);  // else the run above proves little
}

TEST_CASE("where there is no memory to go on advance tells the rest next time and nothing twice") {
  std::uint64_t failures = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    gap_tracker t(any_options(roll));
    for (std::uint64_t i = 0; i < 60; ++i) t.observe(i * 3 + roll(3), at(static_cast<std::int64_t>(i)));
    for (const timestamp now : {at(60), at(100), at(200)}) {
      gap_tracker reference = std::as_const(t);
      t = gap_tracker(std::as_const(t));
      findings all;
      all.reserve(1'000);
      const auto advance_all = [&] { t.advance(now, [&](const auto& f) { all.push_back(as_told(f)); }); };
      for (std::size_t allocations = 0; !succeeds_with(allocations, advance_all); ++allocations) {
        ++failures;
        REQUIRE(is_due(t, now));
        REQUIRE(broken_invariant(t).empty());
      }
      REQUIRE(all == advance(reference, now));
      REQUIRE(snapshot(t) == snapshot(reference));
    }
  }
  CHECK(failures > 100);
}

TEST_CASE("a tracker without gaps has nothing on the heap and one with a few has little") {
  gap_tracker t({.expect_from = 0});
  const std::size_t before = allocations_so_far;
  for (std::uint64_t n = 0; n < 10'000; ++n) t.observe(n, start);
  CHECK(allocations_so_far == before);
  CHECK(t.heap_bytes() == 0);
  t.observe(10'001, start);
  CHECK(allocations_so_far == before);
  CHECK(t.heap_bytes() == 0);
}

TEST_CASE("the heap takes at most twice the room of what the tracker ever held") {
  gap_tracker t({.expect_from = 0, .max_gaps = 100, .replay = {.max_attempts = 1, .first_wait = 5ns}});
  const std::size_t most_bytes = 2 * (16 + 16 + 32) * (100 + 2);
  timestamp now = start;
  std::size_t after_warm_up = 0;
  for (std::uint64_t n = 1; n < 20'000; n += 2) {
    t.observe(n, now);
    if (n % 5 == 0) now += 1ns;
    if (n % 40 == 1) advance(t, now);
    if (n % 7 == 0) t.observe(n - 21, now);
    if (n == 4'001) after_warm_up = t.heap_bytes();
    if (t.heap_bytes() > most_bytes) FAIL("at " << n << " it takes " << t.heap_bytes());
  }
  CHECK(t.heap_bytes() == after_warm_up);
  CHECK(t.heap_bytes() > 1'000);
}
