// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/gap_tracker.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "sequence/gap_tracker_model.hpp"

namespace {

using namespace gap_model;
using namespace std::chrono_literals;
using recoup::skip_reason;

static_assert(sizeof(gap_tracker::judgement) == 24, "few words");
static_assert(std::has_unique_object_representations_v<gap_tracker::judgement>, "has no padding");
static_assert(std::is_trivially_copyable_v<gap_tracker::judgement>);
static_assert(recoup::snapshotable<gap_tracker>);

TEST_CASE("the first arrival is the first number unless another is expected") {
  gap_tracker any;
  CHECK_FALSE(any.expected());
  CHECK_FALSE(any.high_position());
  CHECK(receive(any, 7) == arrival::in_order);
  CHECK(receive(any, 6) == arrival::stale);
  CHECK(any.contiguous_position() == 7);

  gap_tracker from({.expect_from = 5});
  CHECK(from.expected() == 5);
  CHECK_FALSE(from.high_position());
  CHECK_FALSE(from.contiguous_position());
  CHECK(receive(from, 4) == arrival::stale);
  CHECK(receive(from, 7) == arrival::ahead);
  CHECK(missing(from) == ranges{{5, 6}});
  CHECK(from.high_position() == 7);
  CHECK_FALSE(from.contiguous_position());
  CHECK(receive(from, 5) == arrival::filled);
  CHECK(from.contiguous_position() == 5);
}

TEST_CASE("judging changes nothing and committing is what observe does") {
  gap_tracker judged;
  gap_tracker observed;
  for (const std::uint64_t n : {10U, 11U, 15U, 13U, 13U, 12U, 9U, 14U, 16U}) {
    const bytes before = snapshot(judged);
    const auto j = judged.judge(n);
    const auto hole = judged.hole(j);
    REQUIRE(snapshot(judged) == before);
    judged.commit(j, start);
    const auto seen = observed.observe(n, start);
    CHECK(seen.answer == j.answer);
    CHECK(seen.hole == hole);
    REQUIRE(snapshot(judged) == snapshot(observed));
  }
  CHECK(judged.count(arrival::in_order) == 3);
  CHECK(judged.count(arrival::ahead) == 1);
  CHECK(judged.count(arrival::filled) == 3);
  CHECK(judged.count(arrival::duplicate) == 1);
  CHECK(judged.count(arrival::stale) == 1);
}

TEST_CASE("no two answers of the tracker share a name") {
  std::set<std::string_view> names;
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) names.insert(name_of(static_cast<arrival>(a)));
  CHECK(names ==
        std::set<std::string_view>{"in_order", "ahead", "filled", "late", "duplicate", "stale", "jump", "restart"});
}

TEST_CASE("a duplicate is recognised however old it is") {
  gap_tracker t({.expect_from = 0});
  for (std::uint64_t n = 0; n < 100'000; ++n) t.observe(n, start);
  CHECK(receive(t, 0) == arrival::duplicate);
  CHECK(receive(t, 50'000) == arrival::duplicate);
  CHECK(t.gap_count() == 0);
}

TEST_CASE("a stream of 12 bits goes round many times without a false alarm") {
  gap_tracker t({.bits = 12, .expect_from = 4'000});
  for (std::uint64_t n = 4'000; n < 104'000; ++n) {
    if (t.observe(n & 0xFFF, start).answer != arrival::in_order) FAIL("at " << n);
  }
  CHECK(t.high_position() == 103'999);
  CHECK(t.missing_count() == 0);
}

TEST_CASE("a jump of 2^63 costs one gap") {
  gap_tracker t({.expect_from = 0, .max_gaps = 1, .max_jump = most});
  receive_all(t, {0});
  CHECK(t.observe(std::uint64_t{1} << 63, start).hole == sequence_range{1, (std::uint64_t{1} << 63) - 1});
  CHECK(t.gap_count() == 1);
  CHECK(t.missing_count() == (std::uint64_t{1} << 63) - 1);
  CHECK(advance(t, start).size() == 2);
  CHECK(receive(t, 1'000'000) == arrival::filled);  // splits it, and the lower half has to go
  CHECK(t.gap_count() == 1);
  CHECK(abandoned(t) == ranges{{1, 999'999}});
  CHECK(t.missing_count() == (std::uint64_t{1} << 63) - 1 - 1'000'000);
}

TEST_CASE("the stream ends at 2^64 - 1 and says so") {
  gap_tracker t({.expect_from = 0, .max_jump = most});
  CHECK(t.observe(most, start).hole == sequence_range{0, most - 1});
  CHECK_FALSE(t.expected());
  CHECK(t.high_position() == most);
  CHECK(t.missing_count() == most);
  CHECK(receive(t, most) == arrival::duplicate);
  CHECK(receive(t, 0) == arrival::filled);
  CHECK(receive(t, 0) == arrival::duplicate);
  CHECK(receive(t, most - 1) == arrival::filled);
  CHECK(missing(t) == ranges{{1, most - 2}});
  CHECK(t.forget(most, start));
  CHECK(receive(t, most) == arrival::filled);
  CHECK(broken_invariant(t) == "");

  gap_tracker last({.expect_from = most});
  CHECK(last.expected() == most);
  CHECK(receive(last, most) == arrival::in_order);
  CHECK(receive(last, most) == arrival::duplicate);
  CHECK(last.contiguous_position() == most);
}

TEST_CASE("all 2^64 numbers can be missing") {
  gap_tracker t({.expect_from = 0, .max_jump = most});
  t.observe(most, start);
  REQUIRE(t.forget(most, start));
  CHECK(t.missing_count() == most);  // as close as 64 bits come
  CHECK(receive(t, 5) == arrival::filled);
  CHECK(t.missing_count() == most);
  CHECK(broken_invariant(t) == "");
}

TEST_CASE("nothing is due where nothing is missing") {
  CHECK(gap_tracker().due() == timestamp::max());
  CHECK(gap_tracker({.expect_from = 0}).due() == timestamp::max());
  gap_tracker t({.expect_from = most - 1, .reorder_distance = 1});
  receive_all(t, {most - 1, most});
  CHECK(t.due() == timestamp::max());
  CHECK_FALSE(is_due(t, timestamp::max() - 1ns));
}

TEST_CASE("advance looks at no gap while none is due") {
  gap_tracker t({.expect_from = 0,
                 .reorder_distance = 64,
                 .reorder_delay = 200ms,
                 .replay = {.max_attempts = 1, .first_wait = 1s}});
  for (std::uint64_t n = 1; n < 40; n += 2) t.observe(n, start);
  CHECK(t.due() == start + 200ms);
  CHECK(advance(t, start + 200ms - 1ns).empty());
  CHECK(t.due() == start + 200ms);
  CHECK(advance(t, start + 200ms).size() == 40);
  CHECK(t.due() == start + 1'200ms);  // when the requests are too old
  receive_all(t, {1'000}, start + 300ms);
  CHECK(t.due() == start + 500ms);
  receive_all(t, {1'064}, start + 400ms);
  CHECK(t.due() == timestamp::min());
}

TEST_CASE("a gap whose upper end is filled is ripe sooner") {
  gap_tracker t({.expect_from = 0, .reorder_distance = 3, .replay = {.max_attempts = 0}});
  receive_all(t, {0, 5, 6});
  CHECK(advance(t, start).empty());
  receive_all(t, {4});
  CHECK(advance(t, start) == findings{{told::found, {1, 3}, start}});

  gap_tracker middle({.expect_from = 0, .reorder_distance = 3, .replay = {.max_attempts = 0}});
  receive_all(middle, {0, 5, 6, 3});
  CHECK(advance(middle, start) == findings{{told::found, {1, 2}, start}});
}

TEST_CASE("a gap is asked for with growing waits and given up after the last") {
  gap_tracker t(
      {.expect_from = 0,
       .replay = {.max_attempts = 3, .first_wait = 10ns, .longest_wait = 15ns, .give_up_after = duration::max()}});
  receive_all(t, {2}, at(100));
  std::vector<std::pair<std::int64_t, told>> log;
  for (std::int64_t now = 90; now < 200; ++now) {
    for (const told& f : advance(t, at(now))) log.emplace_back(now, f);
  }
  const sequence_range gap{0, 1};
  CHECK(log == std::vector<std::pair<std::int64_t, told>>{
                   {100, {told::found, gap, at(100)}},
                   {100, {told::request, gap, {}, 1, 3}},
                   {110, {told::request, gap, {}, 2, 3}},
                   {125, {told::request, gap, {}, 3, 3}},
                   {140, {told::abandoned, gap, at(100), 3, 0, abandon_reason::attempts}},
               });
  CHECK(receive(t, 1) == arrival::late);
  CHECK(receive(t, 1) == arrival::duplicate);
  CHECK(t.found_count() == 2);
  CHECK(t.recovered_count() == 1);
}

TEST_CASE("without requests a gap stays missing until it is too old") {
  gap_tracker t({.expect_from = 0, .replay = {.max_attempts = 0, .give_up_after = 1h}});
  receive_all(t, {1});
  CHECK(advance(t, start) == findings{{told::found, {0, 0}, start}});
  CHECK(t.due() == start + 1h);
  CHECK(advance(t, start + 1h - 1ns).empty());
  CHECK(advance(t, start + 1h) == findings{{told::abandoned, {0, 0}, start, 0, 0, abandon_reason::age}});
}

TEST_CASE("findings name the stream") {
  gap_tracker t({.expect_from = 0, .max_gaps = 1, .replay = {.give_up_after = 1ns}});
  receive_all(t, {1});
  std::vector<std::string> streams;
  const std::string stream = "sensor";
  const auto listen = [&](const auto& finding) { streams.push_back(finding.stream); };
  t.advance(start, stream, listen);
  t.tell_displaced(t.judge(3), stream, listen);
  t.advance(start + 1ns, stream, listen);
  CHECK(streams == std::vector<std::string>(4, stream));
}

TEST_CASE("the lowest gap is displaced by one too many and that is told before") {
  gap_tracker t({.expect_from = 0, .max_gaps = 2});
  receive_all(t, {1, 3}, at(5));
  CHECK(displaced_by(t, t.judge(4)).empty());
  CHECK(displaced_by(t, t.judge(0)).empty());
  CHECK(displaced_by(t, t.judge(5)) == findings{{told::abandoned, {0, 0}, at(5), 0, 0, abandon_reason::capacity}});
  receive_all(t, {5});
  CHECK(missing(t) == ranges{{2, 2}, {4, 4}});
  CHECK(abandoned(t) == ranges{{0, 0}});
}

TEST_CASE("late numbers that split what was given up do not make it grow beyond max_gaps") {
  gap_tracker t({.expect_from = 0, .max_gaps = 4, .replay = {.max_attempts = 0, .give_up_after = 1ns}});
  receive_all(t, {1'000});
  CHECK(advance(t, start + 1ns).size() == 2);
  for (std::uint64_t n = 1; n < 1'000; n += 2) {
    REQUIRE(receive(t, n) == arrival::late);
    REQUIRE(t.abandoned().size() <= 4);
  }
  CHECK(broken_invariant(t) == "");
  CHECK(receive(t, 1) == arrival::stale);
  CHECK(receive(t, 999) == arrival::duplicate);
}

TEST_CASE("a low gap given up after higher ones were forgotten is late and not stale") {
  gap_tracker t({.max_gaps = 2, .replay = {.max_attempts = 0, .give_up_after = 10ns}});
  receive_all(t, {100, 102, 104, 106});
  advance(t, at(10));
  REQUIRE(abandoned(t) == ranges{{103, 103}, {105, 105}});  // 101 is forgotten
  gap_tracker below(t.options());
  receive_all(below, {50});
  t.merge(below, at(10));
  REQUIRE(missing(t) == ranges{{51, 99}});
  CHECK(receive(t, 51, at(10)) == arrival::filled);
  CHECK(receive(t, 51, at(10)) == arrival::stale);
  CHECK(receive(t, 105, at(10)) == arrival::late);
  advance(t, at(20));
  CHECK(abandoned(t) == ranges{{52, 99}, {103, 103}});
  CHECK(receive(t, 99, at(20)) == arrival::late);
  CHECK(broken_invariant(t) == "");
}

TEST_CASE("forgetting makes a number missing again") {
  gap_tracker t({.expect_from = 0, .max_gaps = 2, .replay = {.max_attempts = 0}});
  receive_all(t, {0, 1, 2, 3, 4});
  CHECK_FALSE(t.forget(5, start));
  CHECK_FALSE(t.forget(most, start));
  CHECK(t.forget(2, start));
  CHECK_FALSE(t.forget(2, start));
  CHECK(t.contiguous_position() == 1);
  CHECK(t.forget(4, start));  // the highest
  CHECK(t.high_position() == 4);
  CHECK(t.expected() == 5);
  CHECK_FALSE(t.forget(0, start));  // no room
  CHECK(receive(t, 0) == arrival::duplicate);
  CHECK(receive(t, 2) == arrival::filled);
  CHECK(t.forget(0, start));
  CHECK_FALSE(t.contiguous_position());
  CHECK(missing(t) == ranges{{0, 0}, {4, 4}});
  CHECK(broken_invariant(t) == "");
  CHECK_FALSE(gap_tracker().forget(0, start));
}

TEST_CASE("time at both ends and going back breaks nothing") {
  for (const auto& [opened, later] : {std::pair{timestamp::min(), timestamp::max()},
                                      {timestamp::max(), timestamp::min()},
                                      {timestamp::max(), timestamp::max()},
                                      {timestamp::min(), timestamp::min()}}) {
    gap_tracker t(
        {.expect_from = 0,
         .reorder_delay = duration::max(),
         .replay = {.max_attempts = 2, .first_wait = duration::max() - 1ns, .longest_wait = duration::max()}});
    receive_all(t, {3}, opened);
    std::size_t told_count = 0;
    for (int i = 0; i < 10; ++i) {
      told_count += advance(t, later).size();
      told_count += advance(t, opened).size();
    }
    CHECK(told_count <= 4);
    CHECK(broken_invariant(t) == "");
  }
}

TEST_CASE("a handler that throws is told again and nothing else changes") {
  for (std::size_t failing = 0; failing < 8; ++failing) {
    gap_tracker t({.expect_from = 0, .replay = {.max_attempts = 1, .first_wait = 5ns}});
    receive_all(t, {1, 3, 5});
    gap_tracker reference = t;
    for (const timestamp now : {at(0), at(5)}) {
      findings all;
      std::size_t calls = 0;
      const auto handler = [&](const auto& finding) {
        if (calls++ == failing) throw std::runtime_error("the handler");
        all.push_back(as_told(finding));
      };
      try {
        t.advance(now, handler);
      } catch (const std::runtime_error&) {
        CHECK(is_due(t, now));
        gap_tracker other(t.options());
        REQUIRE(restore(other, snapshot(t)));
        CHECK(is_due(other, now));
        t.advance(now, handler);
      }
      CHECK(all == advance(reference, now));
      CHECK(snapshot(t) == snapshot(reference));
    }
    CHECK(t.gap_count() == 0);
  }
}

TEST_CASE("impossible options are refused with a sentence that names them") {
  const auto refusal = [](const gap_tracker_options& o) -> std::string {
    try {
      gap_tracker t(o);
    } catch (const std::invalid_argument& refused) {
      return refused.what();
    }
    return {};
  };
  CHECK(refusal({}).empty());
  CHECK(refusal({.bits = 0}).find("gap_tracker_options.bits") != std::string::npos);
  CHECK(refusal({.bits = 65}).find("gap_tracker_options.bits") != std::string::npos);
  CHECK(refusal({.max_gaps = 0}).find("max_gaps") != std::string::npos);
  CHECK(refusal({.max_gaps = std::size_t{1} << 32}).find("max_gaps") != std::string::npos);
  CHECK(refusal({.reorder_delay = -1ns}).find("reorder_delay") != std::string::npos);
  CHECK(refusal({.reorder_delay = 0ns}).empty());
  CHECK(refusal({.replay = {.first_wait = 0ns}}).find("first_wait") != std::string::npos);
}

// --- out of range

TEST_CASE("a hole of max_jump numbers is a hole and a longer one is a jump") {
  gap_tracker t({.expect_from = 0, .max_jump = 10});
  CHECK(t.judge(10).answer == arrival::ahead);
  CHECK(t.judge(11).answer == arrival::jump);
  CHECK(receive(t, 11) == arrival::jump);
  CHECK(t.expected() == 0);
  CHECK(t.gap_count() == 0);
  CHECK(receive(t, 10) == arrival::ahead);
  CHECK(t.missing_count() == 10);
  CHECK(received(t) == 2);
  gap_tracker strict({.expect_from = 0, .max_jump = 0});
  CHECK(receive(strict, 1) == arrival::jump);
  CHECK(receive(strict, 0) == arrival::in_order);
}

TEST_CASE("a wild number is counted and forgotten and two in succession move the stream") {
  gap_tracker t({.expect_from = 0, .max_jump = 100});
  receive_all(t, {0, 1, 3});
  CHECK(receive(t, 1'000'000) == arrival::jump);
  CHECK(receive(t, 4) == arrival::in_order);
  CHECK(receive(t, 2'000'000) == arrival::jump);
  CHECK(displaced_by(t, t.judge(2'000'001)) ==
        findings{{told::abandoned, {2, 2}, start, 0, 0, abandon_reason::restart}, {told::resumed, {5, 2'000'000}}});
  CHECK(receive(t, 2'000'001) == arrival::jump);
  CHECK(t.expected() == 2'000'002);
  CHECK(t.gap_count() == 0);
  CHECK(t.contiguous_position() == 2'000'001);
  CHECK(t.found_count() == 1);
  CHECK(t.count(arrival::jump) == 3);
  CHECK(t.count(arrival::in_order) == 3);
  CHECK(receive(t, 2'000'000) == arrival::duplicate);
  CHECK(receive(t, 4) == arrival::stale);
  CHECK(receive(t, 2'000'002) == arrival::in_order);
}

TEST_CASE("a producer that begins anew is believed after resynchronise_after numbers") {
  for (const std::uint32_t proofs : {1U, 2U, 5U}) {
    CAPTURE(proofs);
    gap_tracker t({.max_behind = 50, .resynchronise_after = proofs});
    for (std::uint64_t n = 1'000; n < 1'100; ++n) t.observe(n, start);
    for (std::uint64_t n = 0; n < proofs; ++n) {
      REQUIRE(t.expected() == 1'100);
      REQUIRE(receive(t, n) == arrival::restart);
    }
    CHECK(t.expected() == proofs);
    CHECK(t.contiguous_position() == proofs - 1);
    CHECK(t.count(arrival::restart) == proofs);
    CHECK(receive(t, proofs) == arrival::in_order);
    CHECK(received(t) == 100 + proofs + 1);
  }
}

TEST_CASE("numbers within max_behind and numbers that are missing are no restart") {
  gap_tracker t({.expect_from = 0, .max_behind = 50, .resynchronise_after = 1});
  for (std::uint64_t n = 0; n <= 100; ++n) {
    if (n != 10) t.observe(n, start);
  }
  CHECK(receive(t, 50) == arrival::duplicate);
  CHECK(t.judge(49).answer == arrival::restart);
  CHECK(receive(t, 10) == arrival::filled);
  CHECK(t.judge(10).answer == arrival::restart);
  CHECK(t.expected() == 101);
}

TEST_CASE("where resynchronise_after is 0 a stream moves only when told to") {
  gap_tracker t({.expect_from = 0, .max_jump = 10, .max_behind = 10, .resynchronise_after = 0});
  receive_all(t, {0, 2});
  for (std::uint64_t n = 100; n < 200; ++n) REQUIRE(receive(t, n) == arrival::jump);
  CHECK(t.expected() == 3);
  t.resume_at(200);
  CHECK(t.expected() == 200);
  CHECK(t.gap_count() == 0);
  CHECK(t.found_count() == 1);
  CHECK_FALSE(t.high_position());
  CHECK_FALSE(t.contiguous_position());
  CHECK(receive(t, 199) == arrival::stale);
  CHECK(receive(t, 200) == arrival::in_order);
  CHECK(received(t) == 104);
}

TEST_CASE("a stream that ended at 2^64 - 1 can begin anew") {
  gap_tracker t({.expect_from = most - 200, .max_jump = 100, .max_behind = 100});
  for (std::uint64_t n = most - 200; n != 0; ++n) t.observe(n, start);
  CHECK_FALSE(t.expected());
  CHECK(receive(t, 7) == arrival::restart);
  CHECK(displaced_by(t, t.judge(8)) == findings{{told::resumed, {0, 7}}});
  CHECK(receive(t, 8) == arrival::restart);
  CHECK(t.expected() == 9);
}

TEST_CASE("after 2^64 - 1 comes no number that proves anything") {
  gap_tracker t({.max_jump = 100, .max_behind = 100});
  for (std::uint64_t n = 0; n < 1'000; ++n) t.observe(n, start);
  CHECK(receive(t, most) == arrival::jump);
  CHECK(receive(t, 0) == arrival::restart);
  CHECK(t.expected() == 1'000);
  CHECK(receive(t, 1) == arrival::restart);
  CHECK(t.expected() == 2);
  CHECK(broken_invariant(t) == "");
}

// --- many numbers at once

using runs = std::vector<std::pair<arrival, sequence_range>>;

TEST_CASE("a packet is told apart into runs of equal meaning") {
  gap_tracker t({.expect_from = 10, .replay = {.max_attempts = 0, .give_up_after = 1ns}});
  receive_all(t, {10, 13});
  advance(t, start + 1ns);  // 11 and 12 are given up
  receive_all(t, {16}, start + 1ns);
  runs all;
  const auto take = [&](arrival a, sequence_range r) { all.emplace_back(a, r); };
  t.observe(8, 12, start, take);
  CHECK(all == runs{{arrival::stale, {8, 9}},
                    {arrival::duplicate, {10, 10}},
                    {arrival::late, {11, 12}},
                    {arrival::duplicate, {13, 13}},
                    {arrival::filled, {14, 15}},
                    {arrival::duplicate, {16, 16}},
                    {arrival::in_order, {17, 19}}});
  CHECK(t.judge(15, 3).answer == arrival::duplicate);
  CHECK(t.judge(5, 8).answer == arrival::stale);
  CHECK(t.judge(19, 2).answer == arrival::in_order);
  all.clear();
  t.observe(23, 3, start, take);
  CHECK(all == runs{{arrival::ahead, {23, 23}}, {arrival::in_order, {24, 25}}});
  CHECK(missing(t) == ranges{{20, 22}});
  all.clear();
  t.observe(5'000'000, 4, start, take);
  CHECK(all == runs{{arrival::jump, {5'000'000, 5'000'003}}});
  CHECK(received(t) == 3 + 12 + 3 + 4);
}

TEST_CASE("an empty packet is nothing and one beyond 2^64 - 1 is one stale number") {
  gap_tracker t({.expect_from = most - 1});
  std::uint64_t calls = 0;
  const auto count = [&](arrival, sequence_range) { ++calls; };
  t.observe(5, 0, start, count);
  CHECK(calls == 0);
  CHECK(received(t) == 0);
  t.observe(most - 1, 3, start, count);
  CHECK(calls == 1);
  CHECK(t.count(arrival::stale) == 1);
  CHECK(t.expected() == most - 1);
  t.observe(most - 1, 2, start, count);
  CHECK(t.count(arrival::in_order) == 2);
  CHECK_FALSE(t.expected());
}

TEST_CASE("a handler that throws in the middle of a packet leaves the tracker as it was") {
  gap_tracker t({.expect_from = 0});
  receive_all(t, {0, 2, 4});
  const bytes before = snapshot(t);
  int calls = 0;
  const auto fail_late = [&](arrival, sequence_range) {
    if (++calls == 3) throw std::runtime_error("the handler");
  };
  CHECK_THROWS_AS(t.observe(1, 10, start, fail_late), std::runtime_error);
  CHECK(snapshot(t) == before);
}

TEST_CASE("packets are the same as their numbers one by one") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    gap_tracker_options options;
    options.bits = roll.one_of({64U, 16U, 9U});
    const std::uint64_t mask = most >> (64 - options.bits);
    options.expect_from = roll.one_of({std::uint64_t{0}, roll(100), mask - roll(40)});
    if (roll.chance(50)) options.reorder_distance = roll(10);
    if (roll.chance(50)) options.replay.give_up_after = duration{1 + roll(50)};
    gap_tracker packets(options);
    gap_tracker singles(options);
    timestamp now = start;
    for (int step = 0; step < 60; ++step) {
      now += duration{roll(10)};
      const std::uint64_t next = packets.expected().value_or(most);
      const std::uint64_t count = std::min(1 + roll(12), most - next + 1);
      const std::uint64_t back = std::min(roll(30), packets.high_position() ? next - *options.expect_from : 0);
      const std::uint64_t first = (roll.chance(50) ? next + std::min(roll(5), most - next - count + 1) : next - back);
      packets.observe(first & mask, count, now, [](arrival, sequence_range) {});
      for (std::uint64_t i = 0; i < count; ++i) singles.observe((first + i) & mask, now);
      REQUIRE(snapshot(packets) == snapshot(singles));
      REQUIRE(advance(packets, now) == advance(singles, now));
      REQUIRE(packets.due() == singles.due());
    }
  }
}

TEST_CASE("a batch of numbers is the same as one by one and only the unusual is told") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    gap_tracker_options options{.max_jump = 50};
    options.bits = roll.one_of({64U, 12U});
    const std::uint64_t mask = most >> (64 - options.bits);
    if (roll.chance(50)) options.expect_from = roll.one_of({std::uint64_t{0}, most - 100, mask - 20}) & mask;
    std::vector<std::uint64_t> numbers;
    std::uint64_t n = options.expect_from.value_or(5);
    for (int i = 0; i < 150; ++i) {
      if (roll.chance(5)) numbers.push_back(roll.one_of({n - roll(10), n + roll(100)}) & mask);
      if (roll.chance(5)) n += roll(5);
      numbers.push_back(n++ & mask);
    }
    gap_tracker batch(options);
    gap_tracker singles(options);
    std::map<std::size_t, arrival> told_unusual;
    std::map<std::size_t, arrival> unusual;
    const std::span all(numbers);
    const std::size_t cut = roll(numbers.size());
    std::size_t offset = 0;
    const auto note = [&](std::size_t i, const gap_tracker::observation& seen) {
      told_unusual.emplace(offset + i, seen.answer);
    };
    batch.observe(all.first(cut), start, note);
    offset = cut;
    batch.observe(all.subspan(cut), start, note);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const arrival a = receive(singles, numbers[i]);
      if (a != arrival::in_order) unusual.emplace(i, a);
    }
    REQUIRE(told_unusual == unusual);
    REQUIRE(snapshot(batch) == snapshot(singles));
  }
}

// --- other ways to know

TEST_CASE("a heartbeat shows what is missing at the end") {
  gap_tracker t({.max_jump = 100});
  CHECK(t.observe_high(5, start).empty());  // the stream has not begun
  CHECK_FALSE(t.expected());
  receive_all(t, {10});
  CHECK(t.observe_high(10, start).empty());
  CHECK(t.observe_high(9, start).empty());
  CHECK(t.observe_high(12, at(7)) == sequence_range{11, 12});
  CHECK(t.high_position() == 12);
  CHECK(t.contiguous_position() == 10);
  CHECK(t.observe_high(12, start).empty());
  CHECK(t.observe_high(113, start).empty());  // too many to believe
  CHECK(t.observe_high(112, start) == sequence_range{13, 112});
  CHECK(receive(t, 11) == arrival::filled);
  CHECK(receive(t, 113) == arrival::in_order);
  CHECK(received(t) == 3);

  gap_tracker narrow({.bits = 8, .expect_from = 250});
  CHECK(narrow.observe_high(1, start) == sequence_range{250, 257});
  gap_tracker last({.expect_from = most - 1});
  CHECK(last.observe_high(most, start) == sequence_range{most - 1, most});
  CHECK_FALSE(last.expected());
  CHECK(receive(last, most) == arrival::filled);
}

TEST_CASE("numbers that were skipped are not missing and not counted as received") {
  gap_tracker t({.expect_from = 0});
  receive_all(t, {0, 5});
  CHECK(t.skip({2, 3}, skip_reason::gap_fill, start) == 2);
  CHECK(missing(t) == ranges{{1, 1}, {4, 4}});
  CHECK(t.skip({0, 9}, skip_reason::gap_fill, start) == 2 + 4);
  CHECK(t.expected() == 10);
  CHECK(t.gap_count() == 0);
  CHECK(t.skip({12, 13}, skip_reason::gap_fill, start) == 2);
  CHECK(missing(t) == ranges{{10, 11}});
  CHECK(t.expected() == 14);
  CHECK(t.skip({12, 13}, skip_reason::gap_fill, start) == 0);
  CHECK(t.skip({5, 4}, skip_reason::gap_fill, start) == 0);
  CHECK(receive(t, 3) == arrival::duplicate);
  CHECK(t.skipped_count() == 10);
  CHECK(received(t) == 3);

  gap_tracker fresh;
  CHECK(fresh.skip({7, 9}, skip_reason::gap_fill, start) == 3);
  CHECK(fresh.expected() == 10);
  CHECK(receive(fresh, 6) == arrival::stale);
  CHECK(received(fresh) == 1);

  gap_tracker last({.expect_from = most - 1});
  CHECK(last.skip({most - 1, most}, skip_reason::gap_fill, start) == 2);
  CHECK_FALSE(last.expected());
  CHECK(last.skip({most, most}, skip_reason::gap_fill, start) == 0);
}

TEST_CASE("what must go for want of room is told wherever that happens") {
  const auto full = [] {
    gap_tracker t({.expect_from = 0, .max_gaps = 2});
    receive_all(t, {2, 9});  // 0-1 and 3-8 are missing
    return t;
  };
  findings told;
  const auto listen = [&](const auto& finding) { told.push_back(as_told(finding)); };
  const auto displaced = [](sequence_range r) {
    return findings{{gap_model::told::abandoned, r, start, 0, 0, recoup::abandon_reason::capacity}};
  };

  gap_tracker t = full();
  CHECK(t.observe_high(12, start, listen) == sequence_range{10, 12});
  CHECK(told == displaced({0, 1}));
  CHECK(missing(t) == ranges{{3, 8}, {10, 12}});

  told.clear();
  receive_all(t, {13});
  t.skip({20, 20}, skip_reason::deleted, start, listen);
  CHECK(told == displaced({3, 8}));
  told.clear();
  t.skip({11, 11}, skip_reason::deleted, start, listen);  // in the middle of the lowest: only what lies below
  CHECK(told == displaced({10, 10}));
  CHECK(missing(t) == ranges{{12, 12}, {14, 19}});

  told.clear();
  gap_tracker merged = full();
  gap_tracker other({.expect_from = 0});
  receive_all(other, {2, 5, 6, 9});
  merged.merge(other, start, listen);
  CHECK(told == displaced({0, 1}));
  CHECK(missing(merged) == ranges{{3, 4}, {7, 8}});

  told.clear();
  merged.resume_at(1'000, listen);
  const auto given_up = [](sequence_range r) {
    return gap_model::told{gap_model::told::abandoned, r, start, 0, 0, recoup::abandon_reason::restart};
  };
  CHECK(told == findings{given_up({3, 4}), given_up({7, 8}), {gap_model::told::resumed, {10, 1'000}}});
}

TEST_CASE("skipping what was found or given up recovers it") {
  gap_tracker t({.expect_from = 0, .replay = {.max_attempts = 0, .give_up_after = 10ns}});
  receive_all(t, {3}, at(0));
  advance(t, at(10));
  receive_all(t, {5}, at(10));
  advance(t, at(10));
  CHECK(abandoned(t) == ranges{{0, 2}});
  CHECK(t.found_count() == 4);
  CHECK(t.skip({1, 4}, skip_reason::gap_fill, at(10)) == 1);
  CHECK(t.recovered_count() == 3);
  CHECK(abandoned(t) == ranges{{0, 0}});
  CHECK(t.gap_count() == 0);
}

TEST_CASE("events that name the one before them") {
  using recoup::linked_number;
  gap_tracker t;
  const auto receive_link = [&](std::uint64_t previous, std::uint64_t number) {
    return t.observe(linked_number{previous, number}, start);
  };
  CHECK(receive_link(100, 103).answer == arrival::in_order);
  CHECK(receive_link(103, 110).answer == arrival::in_order);
  const auto ahead = receive_link(120, 125);
  CHECK(ahead.answer == arrival::ahead);
  CHECK(ahead.hole == sequence_range{111, 120});
  CHECK(ahead.sequence == 125);
  CHECK(receive_link(103, 110).answer == arrival::duplicate);
  CHECK(receive_link(110, 112).answer == arrival::filled);
  CHECK(missing(t) == ranges{{113, 120}});
  CHECK(receive_link(112, 130).answer == arrival::in_order);  // covers all that is missing, and more
  CHECK(t.gap_count() == 0);
  CHECK(t.expected() == 131);
  const std::uint64_t before = received(t);
  CHECK(receive_link(200, 150).answer == arrival::stale);
  CHECK(received(t) == before + 1);
  CHECK(receive_link(130, 130).answer == arrival::stale);
  CHECK(received(t) == before + 1);  // stands for no number
}

TEST_CASE("numbers that only grow are never missing") {
  using recoup::increasing_number;
  gap_tracker t({.max_jump = 10});
  const auto receive_growing = [&](std::uint64_t n) { return t.observe(increasing_number{n}, start).answer; };
  CHECK(receive_growing(1'000) == arrival::in_order);
  CHECK(receive_growing(5'000'000) == arrival::in_order);
  CHECK(receive_growing(5'000'000) == arrival::duplicate);
  CHECK(receive_growing(4'999'999) == arrival::stale);
  CHECK(receive_growing(7) == arrival::stale);
  CHECK(receive_growing(most) == arrival::in_order);
  CHECK(receive_growing(most) == arrival::duplicate);
  CHECK(t.gap_count() == 0);
  CHECK_FALSE(t.expected());
}

TEST_CASE("what was forgotten waits with the gap before it or with the one behind it") {
  gap_tracker t({.expect_from = 0, .replay = {.max_attempts = 3, .first_wait = 10ns, .longest_wait = 10ns}});
  receive_all(t, {0, 1, 2, 4, 5, 6}, at(0));  // 3 is missing
  advance(t, at(0));
  receive_all(t, {8, 9, 10}, at(5));  // 7 too
  advance(t, at(5));
  CHECK(t.forget(5, at(6)));
  CHECK(t.forget(9, at(6)));
  CHECK(t.forget(1, at(6)));
  CHECK(t.found_count() == 5);
  const auto asked = [](std::uint64_t n, std::uint32_t attempt) { return told{told::request, {n, n}, {}, attempt, 3}; };
  CHECK(advance(t, at(10)) == findings{asked(1, 2), asked(3, 2), asked(5, 2)});
  CHECK(advance(t, at(15)) == findings{asked(7, 2), asked(9, 2)});
}

TEST_CASE("the lowest number of a gap that comes and is forgotten waits with the gap before") {
  gap_tracker t({.expect_from = 0, .replay = {.max_attempts = 3, .first_wait = 10ns, .longest_wait = 10ns}});
  receive_all(t, {0, 1, 2, 4, 5, 6}, at(0));  // 3 is missing
  advance(t, at(0));
  receive_all(t, {10}, at(5));  // 7-9 too
  advance(t, at(5));
  receive_all(t, {7}, at(6));
  CHECK(t.forget(7, at(6)));
  CHECK(missing(t) == ranges{{3, 3}, {7, 9}});
  const auto asked = [](sequence_range r) { return told{told::request, r, {}, 2, 3}; };
  CHECK(advance(t, at(10)) == findings{asked({3, 3}), asked({7, 7})});
  CHECK(advance(t, at(15)) == findings{asked({8, 9})});
  CHECK(broken_invariant(t) == "");
}

TEST_CASE("only what came and is remembered can be forgotten") {
  gap_tracker t({.expect_from = 100, .max_gaps = 1, .max_behind = 5, .resynchronise_after = 0});
  for (std::uint64_t n = 100; n < 150; ++n) t.observe(n, start);
  CHECK(t.judge(50).answer == arrival::restart);
  CHECK_FALSE(t.forget(50, start));  // never came
  CHECK(t.judge(110).answer == arrival::restart);
  CHECK(t.forget(110, start));  // came long ago
  CHECK(missing(t) == ranges{{110, 110}});
  CHECK(broken_invariant(t) == "");
}

// --- requests

TEST_CASE("a gap is asked for in parts of max_range of which each waits by itself") {
  gap_tracker t(
      {.expect_from = 0, .replay = {.max_attempts = 2, .first_wait = 10ns, .longest_wait = 10ns, .max_range = 4}});
  receive_all(t, {10});
  const auto asked = [](std::uint64_t first, std::uint64_t last, std::uint32_t attempt) {
    return told{told::request, {first, last}, {}, attempt, 2};
  };
  CHECK(advance(t, at(0)) == findings{{told::found, {0, 9}, start}, asked(0, 3, 1), asked(4, 7, 1), asked(8, 9, 1)});
  receive_all(t, {5}, at(3));
  CHECK(advance(t, at(9)).empty());
  CHECK(advance(t, at(10)) == findings{asked(0, 3, 2), asked(4, 4, 2), asked(6, 9, 2)});
}

TEST_CASE("no more than max_requests are told at once and the rest by the next advance") {
  gap_tracker t(
      {.expect_from = 0, .replay = {.max_attempts = 1, .first_wait = 10ns, .longest_wait = 10ns, .max_requests = 2}});
  receive_all(t, {1, 3, 5, 7, 9});
  const auto requests = [](const findings& all) {
    ranges asked;
    for (const told& f : all) {
      if (f.what == told::request) asked.push_back(f.range);
    }
    return asked;
  };
  CHECK(requests(advance(t, at(0))) == ranges{{0, 0}, {2, 2}});
  CHECK(is_due(t, at(0)));
  CHECK(requests(advance(t, at(1))) == ranges{{4, 4}, {6, 6}});
  CHECK(requests(advance(t, at(1))) == ranges{{8, 8}});
  CHECK_FALSE(is_due(t, at(1)));
}

TEST_CASE("a request that is refused is made again and holds back no give-up") {
  gap_tracker t({.expect_from = 0, .replay = {.max_attempts = 1, .first_wait = 10ns, .longest_wait = 10ns}});
  receive_all(t, {1}, at(0));
  advance(t, at(0));
  receive_all(t, {3, 5}, at(10));
  findings all;
  const auto refuse = [&](const auto& finding) {
    all.push_back(as_told(finding));
    return all.back().what != told::request;
  };
  t.advance(at(10), refuse);
  CHECK(all == findings{{told::found, {2, 2}, at(10)},
                        {told::found, {4, 4}, at(10)},
                        {told::request, {2, 2}, {}, 1, 1},
                        {told::abandoned, {0, 0}, at(0), 1, 0, abandon_reason::attempts}});
  CHECK(is_due(t, at(10)));
  CHECK(advance(t, at(11)) == findings{{told::request, {2, 2}, {}, 1, 1}, {told::request, {4, 4}, {}, 1, 1}});
}

TEST_CASE("no number is asked for before its wait is over nor more than max_attempts times") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    const recoup::replay_policy replay{.max_attempts = static_cast<std::uint32_t>(1 + roll(4)),
                                       .first_wait = 20us,
                                       .longest_wait = 70us,
                                       .max_range = 1 + roll(6),
                                       .max_requests = static_cast<std::uint32_t>(1 + roll(20)),
                                       .jitter_percent = static_cast<std::uint32_t>(roll(200)),
                                       .jitter_seed = seed};
    gap_tracker t({.expect_from = 0, .max_gaps = 4'000, .replay = replay});
    struct asked {
      std::uint32_t attempt = 0;
      timestamp when{};
    };
    std::map<std::uint64_t, asked> log;
    timestamp now = start;
    for (std::uint64_t n = 0; n < 1'500; ++n) {
      if (roll.chance(70)) t.observe(n, now);
      if (roll.chance(20)) t.observe(roll(n + 1), now);
      now += std::chrono::microseconds(roll(3));
      for (const told& f : advance(t, now)) {
        if (f.what != told::request) continue;
        for (std::uint64_t i = f.range.first; i <= f.range.last; ++i) {
          asked& last = log[i];
          if (f.attempts != last.attempt + 1 || f.attempts > replay.max_attempts) FAIL("attempt " << f.attempts);
          if (last.attempt > 0 && now < last.when + replay.wait_after(last.attempt)) FAIL("asked too soon for " << i);
          if (!t.missing().contains(i)) FAIL("asked for " << i << " which is not missing");
          last = {f.attempts, now};
        }
      }
    }
    CHECK(log.size() > 100);
  }
}

TEST_CASE("numbers of one range that wait apart are told apart and end apart") {
  // 1-2 became known before 3-4, in one range of missing numbers.
  gap_tracker t({.expect_from = 1,
                 .reorder_delay = 10ns,
                 .replay = {.max_attempts = 1, .first_wait = 100ns, .longest_wait = 100ns}});
  t.observe_high(2, at(0));
  t.observe_high(4, at(5));
  CHECK(missing(t) == ranges{{1, 4}});
  CHECK(advance(t, at(10)) == findings{{told::found, {1, 2}, at(0)}, {told::request, {1, 2}, {}, 1, 1}});
  receive_all(t, {1, 2}, at(11));  // nothing is left of the lower part
  CHECK(missing(t) == ranges{{3, 4}});
  CHECK(broken_invariant(t) == "");
  CHECK(advance(t, at(15)) == findings{{told::found, {3, 4}, at(5)}, {told::request, {3, 4}, {}, 1, 1}});
  CHECK(advance(t, at(115)) == findings{{told::abandoned, {3, 4}, at(5), 1, 0, abandon_reason::attempts}});
}

TEST_CASE("a missing range that is given up is told with what is known of its lowest number") {
  gap_tracker t({.expect_from = 0, .max_gaps = 1});
  t.observe_high(1, at(3));
  advance(t, at(3));
  t.observe_high(3, at(4));
  CHECK(missing(t) == ranges{{2, 3}});
  CHECK(abandoned(t) == ranges{{0, 1}});  // had to go
  CHECK(t.found_count() == 2);
  CHECK(displaced_by(t, t.judge(9)) == findings{{told::abandoned, {2, 3}, at(4), 0, 0, abandon_reason::capacity}});
}

}  // namespace
