// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../../examples/recover/gap_ledger.hpp"
#include "catch.hpp"

namespace {

using recover::gap_end;
using recover::gap_ledger;
using recover::kind;
using recover::timeline;

recoup::timestamp at(std::int64_t seconds) { return recoup::timestamp(std::chrono::seconds(seconds)); }

std::uint64_t drawn(const timeline& times, kind what) {
  std::uint64_t sum = 0;
  for (const auto& row : times.draw().rows) sum += row.total[static_cast<std::size_t>(what)];
  return sum;
}

// A gap that remembers the fate of each of its numbers.
enum class fate : std::uint8_t { open, given_up, came };

struct naive_gap {
  std::string stream;
  std::uint64_t first = 0;
  std::vector<fate> numbers;
  bool is_closed = false;

  std::uint64_t count(fate what) const {
    return static_cast<std::uint64_t>(std::count(numbers.begin(), numbers.end(), what));
  }
  gap_end end() const {
    if (count(fate::open) > 0) return gap_end::open;
    return count(fate::given_up) > 0 ? gap_end::given_up : gap_end::filled;
  }
};

}  // namespace

TEST_CASE("a ledger of gaps agrees with one that remembers the fate of every number") {
  for (std::uint32_t seed = 0; seed != 20; ++seed) {
    std::mt19937 random(seed);
    timeline times;
    gap_ledger ledger(times);
    std::vector<naive_gap> gaps;
    std::array<std::uint64_t, 3> next{};  // by stream
    for (int step = 0; step != 3'000; ++step) {
      if (random() % 4 == 0 || gaps.empty()) {
        const std::size_t stream = random() % next.size();
        const std::uint64_t first = next[stream] + random() % 3;
        const std::uint64_t last = first + random() % 5;
        next[stream] = last + 1;
        const bool is_known = random() % 8 != 0;
        gaps.push_back({std::to_string(stream), first,
                        std::vector<fate>(last - first + 1, is_known ? fate::open : fate::given_up)});
        if (is_known) {
          ledger.found(gaps.back().stream, {first, last}, at(step));
        } else {
          ledger.given_up(gaps.back().stream, {first, last}, at(step), "there was no room");
        }
        continue;
      }
      if (random() % 500 == 0) {
        const std::string stream = std::to_string(random() % next.size());
        ledger.close(stream, "it began anew");
        for (naive_gap& g : gaps) {
          if (g.stream != stream) continue;
          std::replace(g.numbers.begin(), g.numbers.end(), fate::open, fate::given_up);
          g.is_closed = true;
        }
        continue;
      }
      naive_gap& g = gaps[random() % gaps.size()];
      const std::size_t i = random() % g.numbers.size();
      if (g.is_closed || g.numbers[i] == fate::came) continue;
      if (random() % 3 != 0) {
        ledger.came(g.stream, g.first + i, g.numbers[i] == fate::given_up, at(step));
        g.numbers[i] = fate::came;
      } else if (g.numbers[i] == fate::open) {
        std::size_t last = i;
        while (last + 1 != g.numbers.size() && g.numbers[last + 1] == fate::open) ++last;
        ledger.given_up(g.stream, {g.first + i, g.first + last}, at(step), "nobody answered");
        for (std::size_t n = i; n <= last; ++n) g.numbers[n] = fate::given_up;
      }
    }
    ledger.finish();
    std::array<std::uint64_t, recover::gap_ends> ends{};
    std::uint64_t came = 0;
    std::uint64_t missing = 0;
    for (const naive_gap& g : gaps) {
      ++ends[static_cast<std::size_t>(g.end())];
      came += g.count(fate::came);
      missing += g.numbers.size() - g.count(fate::came);
    }
    CHECK(ledger.count() == gaps.size());
    for (const gap_end end : {gap_end::open, gap_end::given_up, gap_end::filled}) {
      INFO(recover::gap_end_names[static_cast<std::size_t>(end)]);
      CHECK(ledger.count(end) == ends[static_cast<std::size_t>(end)]);
      CHECK(ledger.count(end) > 0);
      const auto& kept = ledger.kept(end);
      CHECK(kept.size() == std::min<std::size_t>(ledger.count(end), gap_ledger::most_kept));
      CHECK(std::all_of(kept.begin(), kept.end(), [&](const recover::gap_record& g) { return g.end() == end; }));
    }
    CHECK(drawn(times, kind::filled) == came);
    CHECK(drawn(times, kind::missing) == missing);
  }
}

TEST_CASE("a ledger keeps the gaps that were noticed first") {
  timeline times;
  gap_ledger ledger(times);
  constexpr std::int64_t all = 1'000;
  for (std::int64_t i = all; i-- > 0;) {
    ledger.found("s", {static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(i)}, at(i));
    ledger.came("s", static_cast<std::uint64_t>(i), false, at(i + 5));
  }
  ledger.finish();
  CHECK(ledger.count(gap_end::filled) == static_cast<std::uint64_t>(all));
  const auto& kept = ledger.kept(gap_end::filled);
  REQUIRE(kept.size() == gap_ledger::most_kept);
  for (std::size_t i = 0; i != kept.size(); ++i) CHECK(kept[i].range.first == i);
  CHECK(kept.front().took() == std::chrono::seconds(5));
}

TEST_CASE("a ledger forgets gaps that were given up when there are too many, and they stay given up") {
  timeline times;
  gap_ledger ledger(times);
  constexpr std::uint64_t all = 3 * gap_ledger::most_undecided;
  for (std::uint64_t i = 0; i != all; ++i) ledger.given_up("s", {2 * i, 2 * i}, at(1), "there was no room");
  ledger.came("s", 0, true, at(2));
  ledger.came("s", 2 * all - 2, true, at(2));
  ledger.finish();
  CHECK(ledger.count(gap_end::given_up) == all - 1);
  CHECK(ledger.count(gap_end::filled) == 1);
}

TEST_CASE("a ledger answers what it knows nothing of, and the ends of all numbers and times") {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  timeline times;
  gap_ledger ledger(times);
  ledger.came("a", 1, true, at(1));
  ledger.asked("a", {0, most}, 1);
  ledger.close("a", "");
  ledger.found("a", {1, most}, recoup::timestamp::min());
  ledger.came("a", 0, false, at(1));
  ledger.came("a", most, false, recoup::timestamp::max());
  ledger.asked("a", {most, most}, 7);
  ledger.finish();
  REQUIRE(ledger.kept(gap_end::open).size() == 1);
  const recover::gap_record& g = ledger.kept(gap_end::open).front();
  CHECK(g.came == 1);
  CHECK(g.attempts == 7);
  CHECK(g.took() == recoup::duration::max());
}
