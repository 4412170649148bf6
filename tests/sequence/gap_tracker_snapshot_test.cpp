// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// What a gap_tracker saves, and what it refuses to load.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/sequence/gap_tracker.hpp"
#include "sequence/gap_tracker_model.hpp"
#include "test_scale.hpp"

namespace {

using namespace gap_model;
using namespace std::chrono_literals;
using recoup::snapshot_status;

// The bytes of a tracker, field by field.
struct saved_tracker {
  struct timer {
    std::uint64_t first = 0;
    std::int64_t opened = 0;
    std::uint32_t level = 0;
    std::int64_t due = 0;
  };

  std::vector<std::uint64_t> counts{std::vector<std::uint64_t>(recoup::arrival_kinds, 5)};
  std::uint64_t found = 7;
  std::uint64_t recovered = 1;
  std::array<std::uint64_t, recoup::skip_reasons> skipped{};
  bool is_started = true;
  bool is_running = true;
  std::uint64_t first = 10;
  std::uint64_t next = 31;
  ranges missing{{20, 21}, {25, 25}};
  ranges given_up{{12, 13}, {15, 16}};
  std::vector<timer> timers{{20, 5, 3, 9}, {24, 6, 0, 0}};
  std::uint64_t floor = 12;
  std::uint64_t probe_from = 900;
  std::uint64_t probe_next = 901;
  std::uint32_t probes = 1;

  bytes framed(const gap_tracker& target) const {
    recoup::snapshot_writer w;
    recoup::detail::begin_frame(w, target.configuration(), {});
    w.begin_section(recoup::section_tag("GAPS"), 1);
    for (const std::uint64_t n : counts) w.u64(n);
    for (const std::uint64_t n : skipped) w.u64(n);
    for (const std::uint64_t n : {found, recovered}) w.u64(n);
    w.boolean(is_started);
    w.boolean(is_running);
    w.u64(first);
    w.u64(next);
    for (const ranges* all : {&missing, &given_up}) {
      w.u64(all->size());
      for (const sequence_range& r : *all) {
        w.u64(r.first);
        w.u64(r.last);
      }
    }
    w.u64(timers.size());
    for (const timer& t : timers) {
      w.u64(t.first);
      w.time(at(t.opened));
      w.u32(t.level);
      if (t.level > 0) w.time(at(t.due));
    }
    for (const std::uint64_t n : {floor, probe_from, probe_next}) w.u64(n);
    w.u32(probes);
    w.end_section();
    recoup::detail::end_frame(w);
    return w.take();
  }

  void hold_nothing() {
    missing.clear();
    given_up.clear();
    timers.clear();
    floor = 0;
  }
};

template <class Change>
snapshot_status status_with(Change change, const gap_tracker_options& options = {.max_gaps = 3}) {
  saved_tracker saved;
  change(saved);
  gap_tracker t(options);
  const bytes before = snapshot(t);
  const bytes given = saved.framed(t);
  const auto status = restore(t, given).status;
  if (status == snapshot_status::ok) {
    CHECK(broken_invariant(t) == "");
    CHECK(snapshot(t) == given);
  } else {
    CHECK(snapshot(t) == before);
  }
  return status;
}

}  // namespace

TEST_CASE("gap tracker: a snapshot of numbers read otherwise is refused") {
  std::vector<gap_tracker_options> all(5);
  all[1].bits = 63;
  all[2].expect_from = 0;
  all[3].expect_from = 1;
  all[4].max_gaps = 1;
  for (std::size_t a = 0; a < all.size(); ++a) {
    for (std::size_t b = 0; b < all.size(); ++b) {
      CAPTURE(a, b);
      gap_tracker t(all[b]);
      CHECK((restore(t, snapshot(gap_tracker(all[a]))).status == snapshot_status::other_configuration) == (a != b));
    }
  }
}

TEST_CASE("gap tracker: times and requests may change from one run to the next") {
  std::vector<gap_tracker_options> all(12);
  all[1].reorder_distance = 0;
  all[2].reorder_delay = 0ns;
  all[3].max_jump = 3;
  all[4].max_behind = 3;
  all[5].resynchronise_after = 9;
  all[6].replay.max_attempts = 1;
  all[7].replay.first_wait = 2s;
  all[8].replay.longest_wait = 2min;
  all[9].replay.give_up_after = 1s;
  all[10].replay.max_range = 1;
  all[11].replay.jitter_percent = 10;
  for (const gap_tracker_options& before : all) {
    gap_tracker t(before);
    receive_all(t, {0, 2, 4, 5});
    for (const gap_tracker_options& after : all) {
      gap_tracker later(after);
      CHECK(restore(later, snapshot(t)));
      CHECK(later.missing() == t.missing());
      CHECK(broken_invariant(later) == "");
    }
  }
}

TEST_CASE("a hole waits by the options of this run and not of the one before") {
  const gap_tracker_options by_distance{.reorder_distance = 100};
  gap_tracker before(by_distance);
  receive_all(before, {0, 2}, at(10));
  CHECK(before.due() == timestamp::max());

  gap_tracker by_delay({.reorder_delay = 5ns, .replay = {.max_attempts = 0}});
  REQUIRE(restore(by_delay, snapshot(before)));
  CHECK(by_delay.due() == at(15));
  receive_all(by_delay, {4}, at(12));
  CHECK(advance(by_delay, at(14)).empty());
  CHECK(advance(by_delay, at(15)) == findings{{told::found, {1, 1}, at(10)}});
  CHECK(advance(by_delay, at(17)) == findings{{told::found, {3, 3}, at(12)}});

  gap_tracker at_once({.replay = {.max_attempts = 0}});
  REQUIRE(restore(at_once, snapshot(before)));
  CHECK(advance(at_once, at(10)) == findings{{told::found, {1, 1}, at(10)}});

  gap_tracker asks;  // what was found by a run that never asked is asked for now
  REQUIRE(restore(asks, snapshot(at_once)));
  CHECK(advance(asks, at(20)) == findings{{told::request, {1, 1}, {}, 1, 5}});
}

TEST_CASE("a snapshot of a state that cannot be is refused") {
  using enum recoup::snapshot_status;
  using saved = saved_tracker;
  REQUIRE(status_with([](saved&) {}) == ok);
  REQUIRE(status_with([](saved&) {}, {.expect_from = 10, .max_gaps = 3}) == ok);

  CHECK(status_with([](saved& s) { s.is_started = false; }) == malformed);
  CHECK(status_with([](saved& s) { s.is_running = false; }) == malformed);
  CHECK(status_with([](saved& s) { s.floor = 33; }) == malformed);
  CHECK(status_with([](saved& s) { s.floor = most; }) == malformed);
  CHECK(status_with([](saved& s) { s.next = 25; }) == malformed);
  CHECK(status_with([](saved& s) { s.next = 9; }) == malformed);
  CHECK(status_with([](saved& s) { s.first = 13; }) == malformed);
  CHECK(status_with([](saved& s) { s.missing[0].first = 22; }) == malformed);
  CHECK(status_with([](saved& s) { s.missing[0].first = 9; }) == malformed);
  CHECK(status_with([](saved& s) { s.missing[0] = {14, 15}; }) == malformed);
  CHECK(status_with([](saved& s) { s.missing[1].last = 31; }) == malformed);
  CHECK(status_with([](saved& s) { s.missing[1].first = 22; }) == malformed);
  CHECK(status_with([](saved& s) { std::swap(s.missing[0], s.missing[1]); }) == malformed);
  CHECK(status_with([](saved& s) { s.missing.assign(4, {20, 20}); }) == malformed);
  CHECK(status_with([](saved& s) { s.missing = {{20, 20}, {22, 22}, {24, 24}, {26, 26}}; }) == malformed);
  CHECK(status_with([](saved& s) { s.given_up[0].first = 9; }) == malformed);
  CHECK(status_with([](saved& s) { s.given_up.push_back({31, 40}); }) == malformed);
  CHECK(status_with([](saved& s) { s.given_up = {{11, 11}, {13, 13}, {15, 15}, {17, 17}}; }) == malformed);

  CHECK(status_with([](saved& s) { s.probe_from = 901; }) == malformed);
  CHECK(status_with([](saved& s) { s.probe_from = 901, s.probes = 0; }) == ok);
  CHECK(status_with([](saved& s) { s.probe_from = most, s.probe_next = 0; }) == ok);
  CHECK(status_with([](saved& s) { s.timers.clear(); }) == malformed);
  CHECK(status_with([](saved& s) { s.missing.clear(); }) == malformed);
  CHECK(status_with([](saved& s) { s.timers[0].first = 21; }) == malformed);  // nothing waits for 20
  CHECK(status_with([](saved& s) { s.timers[1].first = 26; }) == malformed);  // waits for nothing
  CHECK(status_with([](saved& s) { s.timers[1].first = 20; }) == malformed);  // two begin alike
  CHECK(status_with([](saved& s) { s.timers[0].level = 0; }) == ok);          // found later than the one above?
  CHECK(status_with([](saved& s) { s.timers[1].level = 4; }) == malformed);   // no: it was asked for less
  CHECK(status_with([](saved& s) { s.timers[1].opened = 4; }) == malformed);  // opened before the one below
  CHECK(status_with([](saved& s) { s.timers[1].level = 3, s.timers[1].due = 8; }) == malformed);
  CHECK(status_with([](saved& s) { s.timers[1].level = 3, s.timers[1].due = 9; }) == ok);
  CHECK(status_with([](saved& s) { s.timers[0].level = 0xFFFF'FFFF; }) == ok);

  const auto nothing_received = [](saved& s, std::uint64_t first) {
    s.hold_nothing();
    s.first = s.next = first;
  };
  CHECK(status_with([&](saved& s) { nothing_received(s, 0); }, {.expect_from = 0, .max_gaps = 3}) == ok);
  CHECK(status_with([&](saved& s) { nothing_received(s, 7); }) == ok);
  CHECK(status_with([&](saved& s) { nothing_received(s, 7), s.floor = 7; }) == ok);
  CHECK(status_with([&](saved& s) { nothing_received(s, 7), s.floor = 8; }) == malformed);
  const auto not_started = [](saved& s) {
    s.hold_nothing(), s.first = s.next = 0, s.is_started = s.is_running = false;
  };
  CHECK(status_with([&](saved& s) { not_started(s); }) == ok);
  CHECK(status_with([&](saved& s) { not_started(s), s.floor = 5; }) == malformed);
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}, most}) {
    const gap_tracker_options from{.expect_from = first, .max_gaps = 3};
    CHECK(status_with([&](saved& s) { nothing_received(s, first), s.given_up = {{5, 10}}; }, from) == malformed);
    CHECK(status_with(
              [&](saved& s) {
                nothing_received(s, first), s.missing = {{5, 10}}, s.timers = {{5}};
              },
              from) == malformed);
    CHECK(status_with([&](saved& s) { nothing_received(s, 0), s.is_started = s.is_running = false; }, from) ==
          malformed);
  }

  const auto at_the_end = [](saved& s) { s.is_running = false, s.next = 0; };
  CHECK(status_with([&](saved& s) { at_the_end(s); }) == ok);
  CHECK(status_with([&](saved& s) { at_the_end(s), s.next = 1; }) == malformed);
  const auto all_missing = [&](saved& s) {
    at_the_end(s), s.hold_nothing(), s.first = 0, s.missing = {{0, most}}, s.timers = {{0}};
  };
  CHECK(status_with([&](saved& s) { all_missing(s); }) == ok);
  CHECK(status_with([&](saved& s) { all_missing(s), s.missing = {{0, most - 1}}; }) == ok);
}

namespace {

bytes mutated(bytes content, dice& roll) {
  for (std::uint64_t n = 1 + roll(3); n > 0 && content.size() > 8; --n) {
    // The fields are eight bytes wide but for two flags, and the levels, until something is cut or added.
    const std::size_t field = roll.chance(50) ? 14 + 8 * roll(11) : 104 + 4 * roll(80);
    const std::size_t place = roll.chance(70) ? field % (content.size() - 8) : roll(content.size() - 8);
    switch (roll(10)) {
      case 0:
        content[roll.one_of({std::size_t{102}, std::size_t{103}, place}) % content.size()] =
            static_cast<std::byte>(roll.one_of({roll(2), roll(256)}));
        break;
      case 1:
        content.resize(roll(content.size()));
        break;
      case 2:
        content.insert(content.begin() + static_cast<std::ptrdiff_t>(place), roll(40),
                       static_cast<std::byte>(roll(256)));
        break;
      default: {
        const std::uint64_t old = recoup::detail::from_little_endian<std::uint64_t>(std::span(content).subspan(place));
        const auto patch = recoup::detail::to_little_endian(
            roll.one_of({std::uint64_t{0}, std::uint64_t{1}, most, most - 1, old + 1, old - 1, old + roll(20),
                         old - roll(20), std::uint64_t{1} << 63, roll(64)}));
        std::copy(patch.begin(), patch.end(), content.begin() + static_cast<std::ptrdiff_t>(place));
      }
    }
  }
  return content;
}

gap_tracker_options any_options(dice& roll) {
  gap_tracker_options o;
  if (roll.chance(20)) o.bits = static_cast<unsigned>(3 + roll(62));
  const std::uint64_t mask = most >> (64 - o.bits);
  if (o.bits == 64 && roll.chance(60)) o.expect_from = roll.one_of({std::uint64_t{0}, roll(100), mask - roll(30)});
  if (roll.chance(40)) o.reorder_distance = roll(10);
  if (roll.chance(40)) o.reorder_delay = duration{roll(50)};
  o.max_gaps = 1 + roll(8);
  o.max_jump = roll.one_of({std::uint64_t{40}, most});
  if (roll.chance(40)) o.max_behind = roll(60);
  o.replay.max_attempts = static_cast<std::uint32_t>(roll(4));
  o.replay.first_wait = duration{1 + roll(100)};
  if (roll.chance(50)) o.replay.give_up_after = duration{1 + roll(300)};
  return o;
}

}  // namespace

TEST_CASE("a forged snapshot is refused or gives a tracker that works") {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 40 * test_scale(); ++seed) {
    dice roll(seed);
    const gap_tracker_options options = any_options(roll);
    const std::uint64_t mask = most >> (64 - options.bits);
    gap_tracker original(options);
    timestamp now = start;
    std::uint64_t number = options.expect_from.value_or(roll.one_of({std::uint64_t{0}, roll(1'000)}));
    for (std::uint64_t steps = roll(100); steps > 0; --steps) {
      original.observe((number - roll(5)) & mask, now);
      number += roll(4);
      now += duration{roll(20)};
      advance(original, now);
    }
    const bytes valid = snapshot(original);
    const auto frame = recoup::detail::parse_frame(valid);
    for (int i = 0; i < 150; ++i) {
      INFO("seed " << seed << " mutation " << i);
      const bytes content = mutated({frame.content.begin(), frame.content.end()}, roll);
      recoup::snapshot_writer w;
      recoup::detail::begin_frame(w, frame.configuration, {});
      for (const std::byte b : content) w.u8(std::to_integer<std::uint8_t>(b));
      recoup::detail::end_frame(w);
      const bytes forged = w.take();

      gap_tracker t = original;
      if (!restore(t, forged)) {
        ++refused;
        if (snapshot(t) != valid) FAIL("a refused snapshot changed the tracker");
        continue;
      }
      ++accepted;
      if (snapshot(t) != forged) FAIL("not what was restored");
      if (const std::string broken = broken_invariant(t); !broken.empty()) FAIL(broken);
      for (int step = 0; step < 20; ++step) {
        const std::uint64_t sum = received(t);
        const std::uint64_t high = t.high_position().value_or(0);
        const std::uint64_t n = roll.one_of(
            {high + 1, high + roll(30), high - roll(60), roll(2) - 1, roll(40), high / 2, std::uint64_t{1} << 63});
        t.observe(n & mask, now);
        if (received(t) != sum + 1) FAIL("a number is not counted");
        now = roll.one_of({now + duration{roll(50)}, now, start, at(static_cast<std::int64_t>(roll(2'000)))});
        for (const told& f : advance(t, now)) {
          if (f.range.empty()) FAIL("a range without numbers is told");
          if (f.what == told::request && (f.attempts == 0 || f.attempts > f.of)) FAIL("attempt " << f.attempts);
        }
        if (roll.chance(20)) t.forget(n & mask, now);
        if (roll.chance(10)) t.skip({n, n + std::min(roll(20), most - n)}, recoup::skip_reason::gap_fill, now);
        if (roll.chance(5)) t.merge(original, now);
        if (roll.chance(5)) t.merge(t.split(high - roll(40)), now);
      }
      if (const std::string broken = broken_invariant(t); !broken.empty()) FAIL(broken << " later");
    }
  }
  CHECK(accepted > 300);
  CHECK(refused > 1'500);
}
