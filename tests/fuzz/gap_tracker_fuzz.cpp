// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

// Any bytes are options and operations: a gap_tracker, and the model of its tests that keeps every number by itself,
// must be told the same, however the operations follow each other.
//
// The files in corpus/gap_tracker come from this program itself, which then writes them into a folder:
//   c++ -std=c++20 -DRECOUP_WRITE_CORPUS -Iinclude tests/fuzz/gap_tracker_fuzz.cpp -o write_corpus
//   ./write_corpus tests/fuzz/corpus/gap_tracker
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../sequence/gap_tracker_model.hpp"
#include "input.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/sequence/gap_tracker.hpp"

namespace {

using fuzz::expect;
using fuzz::input;
using namespace gap_model;

gap_tracker_options read_options(input& in) {
  gap_tracker_options o;
  o.bits = in.maybe().value_or(64) % 64 + 1;
  if (o.bits == 1) o.bits = 64;
  const std::uint64_t mask = most >> (64 - o.bits);
  if (const auto from = in.maybe()) o.expect_from = (*from < 64 ? *from : most - (*from - 64)) & mask;
  o.reorder_distance = in.maybe();
  if (const auto delay = in.maybe()) o.reorder_delay = duration{static_cast<std::int64_t>(*delay)};
  o.max_gaps = 1 + in.next() % 16;
  o.max_jump = in.next();
  o.max_behind = in.maybe();
  o.resynchronise_after = in.next() % 4;
  o.replay.max_attempts = in.next() % 4;
  o.replay.first_wait = duration{1 + in.next()};
  o.replay.longest_wait = o.replay.first_wait * 3;
  if (const auto age = in.maybe()) o.replay.give_up_after = duration{1 + static_cast<std::int64_t>(*age)};
  if (const auto range = in.maybe()) o.replay.max_range = 1 + *range % 8;
  if (const auto requests = in.maybe()) o.replay.max_requests = static_cast<std::uint32_t>(1 + *requests % 8);
  return o;
}

void expect_same(const gap_tracker& t, const model& m) {
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) {
    expect(t.count(static_cast<arrival>(a)) == m.count(static_cast<arrival>(a)), "A number is counted otherwise.");
  }
  expect(missing(t) == m.missing(), "Other numbers are missing.");
  expect(t.missing_count() == m.missing_count(), "missing_count differs.");
  expect(abandoned(t) == m.abandoned(), "Other numbers are given up.");
  expect(t.expected() == m.next() && t.high_position() == m.high(), "The position differs.");
  expect(t.contiguous_position() == m.contiguous_position(), "The contiguous position differs.");
  expect(t.found_count() == m.found_count() && t.recovered_count() == m.recovered_count(), "The tally differs.");
  expect(t.found_count() - t.recovered_count() == m.lost(), "What was lost is not what was found and not recovered.");
  expect(t.due() <= m.due(), "Something is due before due().");
}

void advance_both(gap_tracker& t, model& m, timestamp now, std::uint8_t refused) {
  const bool was_due = is_due(t, now);
  const auto run = [&](auto&& advance) {
    findings all;
    unsigned calls = 0;
    advance([&](const told& f) {
      expect(!f.range.empty(), "A range without numbers is told.");
      all.push_back(f);
      return f.what != told::request || ((refused >> (calls++ % 8)) & 1) == 0;
    });
    return all;
  };
  const findings by_tracker =
      run([&](auto&& to) { t.advance(now, [&](const auto& finding) { return to(as_told(finding)); }); });
  const findings by_model = run([&](auto&& to) { m.advance(now, to); });
  expect(by_tracker == by_model, "Something else is told.");
  expect(was_due || by_tracker.empty(), "Something is told before it is due.");
  if (was_due) expect(t.due() == m.due(), "It is due at another time.");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2'000) return 0;
  input in(std::span(data, size));
  const gap_tracker_options options = read_options(in);
  const std::uint64_t mask = most >> (64 - options.bits);
  gap_tracker t(options);
  model m(options);
  timestamp now{};
  while (!in.empty()) {
    const std::uint8_t operation = in.next();
    // The lower half of the second byte reaches back from the expected number, the upper half ahead.
    const std::uint64_t offset = in.next();
    const std::uint64_t next = m.next().value_or(0);
    const std::uint64_t number = next + offset - 128;
    switch (operation % 10) {
      case 0:
      case 1: {
        const auto judged = t.judge(number & mask);
        const findings displaced = displaced_by(t, judged);
        const auto answer = t.observe(number & mask, now);
        const auto expected = m.observe(number & mask, 1, now);
        expect(answer.answer == expected.answer && answer.sequence == expected.sequence, "The answer differs.");
        expect(judged.answer == answer.answer, "What was judged is not what was observed.");
        expect(displaced == expected.displaced, "Something else is displaced.");
        break;
      }
      case 2:
        for (std::uint64_t i = offset % 64; i > 0; --i) {
          const std::uint64_t n = m.next().value_or(0) & mask;
          t.observe(n, now);
          m.observe(n, 1, now);
        }
        break;
      case 3: {
        const std::uint64_t count = in.next() % 64;
        t.observe(number & mask, count, now, [](arrival, sequence_range r) { expect(!r.empty(), "An empty run."); });
        m.observe(number & mask, count, now);
        break;
      }
      case 4:
        now += duration{static_cast<std::int64_t>(offset)};
        advance_both(t, m, now, in.next());
        break;
      case 5:
        now = offset == 255   ? timestamp::max()
              : offset == 254 ? timestamp::min()
                              : now - duration{std::int64_t(offset)};
        if (now > at(std::numeric_limits<std::int64_t>::max() / 2)) advance_both(t, m, now, 0);
        if (offset >= 254) now = timestamp{};
        break;
      case 6:
        expect(t.forget(number & mask, now) == m.forget(number & mask, now), "Another number can be forgotten.");
        break;
      case 7: {
        const sequence_range hole = t.observe_high(number & mask, now);
        const sequence_range expected = m.observe_high(number & mask, now);
        expect(hole.empty() == expected.empty() && (hole.empty() || hole == expected), "Another hole opens.");
        break;
      }
      case 8: {
        const std::uint64_t length = in.next() % 32;
        const std::uint64_t first = m.high() && !m.next() ? most - offset : number;
        const sequence_range range{first, first + std::min(length, most - first)};
        if (first > next && first - next > 300) break;  // too many for the model
        expect(t.skip(range, recoup::skip_reason::other, now) == m.skip(range, now), "Another number can be skipped.");
        break;
      }
      default: {
        if (offset == 0) {
          const std::uint64_t first = std::uint64_t{in.next()} << (8 * (operation / 32));
          t.resume_at(first);
          m.resume_at(first);
        }
        expect(broken_invariant(t).empty(), "An invariant is broken.");
        gap_tracker other(options);
        expect(bool{restore(other, snapshot(t))}, "Its own snapshot is refused.");
        t = std::move(other);
        const std::uint64_t from = m.high().value_or(0) - offset / 4;
        gap_tracker lower = t;
        const gap_tracker upper = lower.split(from);
        lower.merge(upper, now);
        expect(missing(lower) == missing(t) && abandoned(lower) == abandoned(t), "merge does not undo split.");
        expect(lower.expected() == t.expected(), "merge does not undo split.");
      }
    }
    expect_same(t, m);
  }
  return 0;
}

#ifdef RECOUP_WRITE_CORPUS
namespace {

// Options: bits, expect_from, distance, delay, max_gaps, max_jump, max_behind, resynchronise_after, max_attempts,
// first_wait, give_up_after, max_range, max_requests.
using options = std::vector<int>;
const options usual{0, 1, 0, 0, 15, 200, 0, 2, 3, 9, 0, 0, 0};

void write(const std::string& folder, const char* name, options o, const std::vector<int>& operations) {
  o.insert(o.end(), operations.begin(), operations.end());
  std::FILE* file = std::fopen((folder + "/" + name).c_str(), "wb");
  expect(file != nullptr, "The folder for the corpus cannot be written to.");
  for (const int b : o) std::fputc(b, file);
  std::fclose(file);
}

options with(std::size_t option, int value) {
  options o = usual;
  o[option] = value;
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  expect(argc == 2, "Usage: write_corpus FOLDER");
  const std::string folder = argv[1];
  const std::vector<int> losses{0, 128, 0, 131, 0, 130, 4, 5, 0, 0, 126, 0, 140, 4, 20, 0, 9, 9, 4, 200, 0, 4, 200, 0};
  write(folder, "losses", usual, losses);
  write(folder, "by_distance", with(2, 7), losses);
  write(folder, "by_delay", with(3, 41), losses);
  write(folder, "one_gap", with(4, 0), losses);
  write(folder, "in_parts", with(11, 3), losses);
  write(folder, "few_requests", with(12, 1), losses);
  write(folder, "too_old", with(10, 61), losses);
  write(folder, "narrow", with(0, 7), {2, 63, 0, 133, 2, 40, 0, 120, 4, 9, 1, 9, 8});
  write(folder, "the_end", with(1, 141), {2, 2, 0, 130, 2, 20, 9, 0, 4, 50, 0, 6, 100});
  write(folder, "jumps", with(5, 10), {2, 5, 0, 250, 0, 250, 0, 251, 4, 5, 0, 2, 3});
  write(folder, "restarts", with(6, 21), {2, 60, 0, 80, 0, 81, 2, 3, 4, 5, 0});
  write(folder, "packets", usual, {3, 128, 9, 3, 135, 20, 3, 100, 40, 4, 30, 0, 3, 110, 5, 9, 30});
  write(folder, "other_ways", usual, {2, 9, 7, 140, 6, 120, 8, 125, 6, 8, 150, 3, 4, 40, 3, 6, 119, 9, 0, 77, 2, 5});
  write(folder, "one_range_two_waits", with(3, 41),
        {2, 3, 7, 131, 4, 5, 0, 7, 131, 4, 30, 0, 0, 122, 0, 123, 4, 99, 0});
  write(folder, "time_goes_back", usual, {2, 9, 0, 131, 5, 100, 0, 135, 4, 1, 0, 5, 255, 5, 254, 4, 255, 0});
}
#endif
