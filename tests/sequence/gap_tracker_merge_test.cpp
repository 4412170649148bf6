// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// split and merge: what two consumers of one stream have seen between them.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/sequence/gap_tracker.hpp"
#include "sequence/gap_tracker_model.hpp"
#include "test_scale.hpp"

namespace {

using namespace gap_model;
using namespace std::chrono_literals;

using numbers = std::set<std::uint64_t>;

// A tracker that received some numbers of a stream, and gave some up.
gap_tracker any_side(const gap_tracker_options& options, std::uint64_t base, std::uint64_t length, dice& roll) {
  gap_tracker t(options);
  timestamp now = at(static_cast<std::int64_t>(roll(500)));
  const std::uint64_t percent = roll.one_of({20U, 60U, 95U});
  const std::uint64_t begin = roll.chance(50) ? 0 : roll(length);
  const std::uint64_t end = roll.chance(30) ? length : roll(length + 1);
  for (std::uint64_t i = begin; i < end; ++i) {
    if (roll.chance(percent)) t.observe(base + i, now);
    if (roll.chance(10)) t.observe(base + roll(i + 1), now);
    if (roll.chance(20)) now += duration{roll(60)};
    if (roll.chance(15)) advance(t, now);
    if (roll.chance(3) && i + 3 < length) t.observe_high(base + i + 3, now);
  }
  return t;
}

// What a side knows of the numbers of a stream one by one.
struct known {
  numbers given_up;
  numbers received;

  known(const gap_tracker& t, std::uint64_t base, std::uint64_t length) {
    if (!t.high_position()) return;
    for (std::uint64_t i = 0; i < length; ++i) {
      const std::uint64_t n = base + i;
      const arrival a = n <= *t.high_position() ? t.judge(n).answer : arrival::ahead;
      if (a == arrival::late) given_up.insert(n);
      if (a == arrival::duplicate) received.insert(n);
    }
  }
};

numbers numbers_in(const recoup::interval_set& s) {
  numbers all;
  for (const sequence_range& r : s) {
    for (std::uint64_t i = 0; i < r.size(); ++i) all.insert(r.first + i);
  }
  return all;
}

// What the tracker will tell from now on if nothing comes any more.
findings future(gap_tracker t, timestamp now) {
  findings all;
  for (int i = 0; i < 60; ++i) {
    for (const told& f : advance(t, now)) all.push_back(f);
    now += 37ns;
  }
  return all;
}

std::vector<std::uint64_t> counters(const gap_tracker& t) {
  std::vector<std::uint64_t> all{t.found_count(), t.recovered_count(), t.skipped_count()};
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) all.push_back(t.count(static_cast<arrival>(a)));
  return all;
}

bool is_same_stream(const gap_tracker& a, const gap_tracker& b) {
  return a.missing() == b.missing() && a.abandoned() == b.abandoned() && a.expected() == b.expected() &&
         a.high_position() == b.high_position() && a.contiguous_position() == b.contiguous_position();
}

gap_tracker united(gap_tracker a, const gap_tracker& b, timestamp now) {
  a.merge(b, now);
  return a;
}

struct scene {
  std::uint64_t base;
  std::uint64_t length;
  gap_tracker_options options;

  scene(std::size_t max_gaps, dice& roll) : length(10 + roll(150)) {
    base = roll.one_of({std::uint64_t{0}, std::uint64_t{1'000}, most - length + 1});
    if (roll.chance(50)) options.expect_from = base + (roll.chance(50) ? 0 : roll(length));
    if (roll.chance(40)) options.reorder_distance = roll(10);
    if (roll.chance(40)) options.reorder_delay = duration{roll(100)};
    options.max_gaps = max_gaps;
    options.replay.max_attempts = static_cast<std::uint32_t>(roll(4));
    options.replay.first_wait = duration{1 + roll(100)};
    options.replay.longest_wait = options.replay.first_wait * 2;
    if (roll.chance(60)) options.replay.give_up_after = duration{1 + roll(400)};
    if (roll.chance(30)) options.replay.max_range = 1 + roll(5);
  }
};

// How many numbers were found missing and have not come, once all of them were found.
std::uint64_t lost_in_the_end(gap_tracker t) {
  gap_tracker_options patient = t.options();
  patient.reorder_distance.reset();
  patient.reorder_delay.reset();
  patient.replay = {.max_attempts = 0};
  gap_tracker finder(patient);
  REQUIRE(restore(finder, snapshot(t)));
  advance(finder, timestamp::max() - 1ns);
  return finder.found_count() - finder.recovered_count();
}

}  // namespace

TEST_CASE("merging gives what either received and gives up what neither has and one gave up") {
  std::uint64_t merged_missing = 0;
  std::uint64_t merged_given_up = 0;
  for (std::uint64_t seed = 1; seed <= 1'000 * test_scale(); ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    const scene s(1'000, roll);
    const gap_tracker a = any_side(s.options, s.base, s.length, roll);
    const gap_tracker b = any_side(s.options, s.base, s.length, roll);
    const timestamp now = at(static_cast<std::int64_t>(roll(10'000)));
    gap_tracker both = united(a, b, now);
    REQUIRE(broken_invariant(both).empty());

    const known in_a(a, s.base, s.length);
    const known in_b(b, s.base, s.length);
    numbers missing_now;
    numbers given_up_now;
    const auto first_of = [&](const gap_tracker& t, const known& k) -> std::optional<std::uint64_t> {
      std::optional<std::uint64_t> first = t.options().expect_from;
      if (!first && !k.received.empty()) first = *k.received.begin();
      return first;
    };
    const auto first_a = first_of(a, in_a);
    const auto first_b = first_of(b, in_b);
    const auto high = std::max(a.high_position(), b.high_position());
    REQUIRE(both.high_position() == high);
    if (high && (first_a || first_b)) {
      const std::uint64_t first = std::min(first_a.value_or(most), first_b.value_or(most));
      for (std::uint64_t i = 0; i <= *high - first; ++i) {
        const std::uint64_t n = first + i;
        if (in_a.received.contains(n) || in_b.received.contains(n)) continue;
        (in_a.given_up.contains(n) || in_b.given_up.contains(n) ? given_up_now : missing_now).insert(n);
      }
    }
    REQUIRE(numbers_in(both.missing()) == missing_now);
    REQUIRE(numbers_in(both.abandoned()) == given_up_now);
    merged_missing += missing_now.size();
    merged_given_up += given_up_now.size();

    for (std::size_t kind = 0; kind < recoup::arrival_kinds; ++kind) {
      REQUIRE(both.count(static_cast<arrival>(kind)) == a.count(static_cast<arrival>(kind)));
    }
    REQUIRE(lost_in_the_end(both) == missing_now.size() + given_up_now.size());

    const gap_tracker other_way = united(b, a, now);
    REQUIRE(is_same_stream(both, other_way));
    REQUIRE(future(both, now) == future(other_way, now));

    const gap_tracker again = united(both, b, now);
    REQUIRE(is_same_stream(both, again));
    REQUIRE(counters(both) == counters(again));
    REQUIRE(future(both, now) == future(again, now));
  }
  CHECK(merged_missing > 1'000);
  CHECK(merged_given_up > 1'000);
}

TEST_CASE("merging with itself changes nothing") {
  for (std::uint64_t seed = 1; seed <= 500 * test_scale(); ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    const scene s(1 + roll(40), roll);
    gap_tracker a = any_side(s.options, s.base, s.length, roll);
    const gap_tracker before = a;
    a.merge(a, at(700));
    REQUIRE(is_same_stream(a, before));
    REQUIRE(counters(a) == counters(before));
    REQUIRE(future(a, at(700)) == future(before, at(700)));
  }
}

TEST_CASE("merge undoes split wherever the stream was split") {
  for (std::uint64_t seed = 1; seed <= 1'000 * test_scale(); ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    const scene s(roll.one_of({std::size_t{1'000}, std::size_t{3}, std::size_t{10}}), roll);
    gap_tracker lower = any_side(s.options, s.base, s.length, roll);
    const gap_tracker whole = lower;
    const std::uint64_t from = roll.one_of({s.base + roll(s.length), std::uint64_t{0}, s.base, most});
    gap_tracker upper = lower.split(from);
    REQUIRE(broken_invariant(lower).empty());
    REQUIRE(broken_invariant(upper).empty());

    const auto all_missing = numbers_in(whole.missing());
    numbers missing_below(all_missing.begin(), all_missing.lower_bound(from));
    numbers missing_above(all_missing.lower_bound(from), all_missing.end());
    REQUIRE(numbers_in(lower.missing()) == missing_below);
    REQUIRE(numbers_in(upper.missing()) == missing_above);
    if (whole.high_position() && from <= *whole.high_position()) {
      REQUIRE(upper.high_position() == whole.high_position());
      REQUIRE((from == 0 || lower.high_position().value_or(0) < from));
    }
    REQUIRE(received(lower) == received(whole));
    REQUIRE(received(upper) == 0);
    REQUIRE(lower.found_count() + upper.found_count() == whole.found_count());
    REQUIRE(upper.recovered_count() == 0);

    gap_tracker upper_way = upper;
    upper_way.merge(lower, at(900));
    REQUIRE(is_same_stream(upper_way, whole));
    lower.merge(upper, at(900));
    REQUIRE(is_same_stream(lower, whole));
    REQUIRE(counters(lower) == counters(whole));
    REQUIRE(future(lower, at(900)) == future(whole, at(900)));
  }
}

TEST_CASE("a part that was split off goes on by itself and what it recovers is known after merging") {
  gap_tracker lower({.expect_from = 0, .replay = {.max_attempts = 1}});
  receive_all(lower, {0, 3, 6, 9});
  advance(lower, start);
  CHECK(lower.found_count() == 6);
  gap_tracker upper = lower.split(5);
  CHECK(missing(lower) == ranges{{1, 2}, {4, 4}});
  CHECK(missing(upper) == ranges{{5, 5}, {7, 8}});
  CHECK(lower.expected() == 5);
  CHECK(upper.expected() == 10);
  CHECK(lower.found_count() == 3);
  CHECK(upper.found_count() == 3);
  CHECK(receive(lower, 1) == arrival::filled);
  CHECK(receive(upper, 7) == arrival::filled);
  CHECK(receive(upper, 10) == arrival::in_order);
  CHECK(receive(upper, 4) == arrival::stale);
  CHECK(upper.found_count() - upper.recovered_count() == 2);
  lower.merge(upper, start);
  CHECK(missing(lower) == ranges{{2, 2}, {4, 5}, {8, 8}});
  CHECK(lower.expected() == 11);
  CHECK(lower.found_count() - lower.recovered_count() == 4);
}

TEST_CASE("merging keeps the bounds and gives up the lowest") {
  for (std::uint64_t seed = 1; seed <= 700 * test_scale(); ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    const scene s(1 + roll(6), roll);
    const gap_tracker a = any_side(s.options, s.base, s.length, roll);
    const gap_tracker b = any_side(s.options, s.base, s.length, roll);
    const gap_tracker both = united(a, b, at(100));
    REQUIRE(broken_invariant(both).empty());
    REQUIRE(both.gap_count() <= s.options.max_gaps);
    REQUIRE(both.abandoned().size() <= s.options.max_gaps);
    for (const std::uint64_t n : numbers_in(both.missing())) {
      REQUIRE(a.judge(n).answer != arrival::duplicate);
      REQUIRE(b.judge(n).answer != arrival::duplicate);
    }
    const gap_tracker other_way = united(b, a, at(100));
    REQUIRE(is_same_stream(both, other_way));
    gap_tracker drained = both;
    for (const told& f : future(drained, at(100))) REQUIRE_FALSE(f.range.empty());
  }
}

TEST_CASE("merging with a tracker that has seen nothing takes up all of the other") {
  for (const auto expect_from : {std::optional<std::uint64_t>{}, std::optional<std::uint64_t>{0}}) {
    const gap_tracker_options options{.expect_from = expect_from, .max_jump = most};
    gap_tracker full(options);
    receive_all(full, {0, 5, most - 1, most});
    gap_tracker empty(options);
    empty.merge(full, start);
    CHECK(is_same_stream(empty, full));
    CHECK(received(empty) == 0);
    gap_tracker still_full = full;
    still_full.merge(gap_tracker(options), start);
    CHECK(is_same_stream(still_full, full));
    CHECK(received(still_full) == 4);
  }
}

TEST_CASE("what one asked for more often and what waits longer is kept by a merge") {
  const gap_tracker_options options{.expect_from = 0,
                                    .replay = {.max_attempts = 3, .first_wait = 10ns, .longest_wait = 10ns}};
  gap_tracker a(options);
  gap_tracker b(options);
  receive_all(a, {1}, at(0));
  receive_all(b, {1}, at(0));
  advance(a, at(0));
  advance(a, at(10));  // asked twice
  advance(b, at(15));  // asked once, and will wait longer
  a.merge(b, at(16));
  CHECK(advance(a, at(19)).empty());
  CHECK(advance(a, at(20)) == findings{{told::request, {0, 0}, {}, 3, 3}});
}

TEST_CASE("what has received nothing says nothing when it is merged wherever it begins") {
  gap_tracker t({.expect_from = 1'000});
  t.resume_at(5);
  const gap_tracker upper = t.split(50);
  CHECK(upper.expected() == 50);
  t.merge(upper, start);
  CHECK(t.expected() == 5);
  t.merge(gap_tracker(t.options()), start);
  CHECK(t.expected() == 5);
  receive_all(t, {5, 6});
  t.merge(upper, start);
  CHECK(t.expected() == 7);
  CHECK(t.gap_count() == 0);
  gap_tracker other(t.options());
  other.merge(t, start);
  CHECK(is_same_stream(other, t));
}
