// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/neighbours.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using recoup::neighbour_memory;
using recoup::restore;
using recoup::snapshot;
using recoup::snapshot_status;
using bytes = std::vector<std::byte>;

struct event {
  std::uint64_t id = 0;
  std::string text;

  void save(recoup::snapshot_writer& w) const {
    w.u64(id);
    w.text(text);
  }
  bool load(recoup::snapshot_reader& r) { return r.value(id) && r.value(text); }
};
event numbered(std::uint64_t id) { return {id, "event " + std::to_string(id) + " with a text that is allocated"}; }

constexpr std::uint64_t last_number = std::numeric_limits<std::uint64_t>::max();

// (before's sequence, before's id, after's sequence, after's id)
using around_t = std::optional<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>>;

// Everything that arrived, but what lies below the highest hole that had to be dropped.
class model {
 public:
  explicit model(std::size_t max_holes) : max_holes_(max_holes) {}

  void remember(std::uint64_t sequence, std::uint64_t id) {
    if (!events_.empty() && sequence < events_.begin()->first) return;
    events_.try_emplace(sequence, id);
    std::size_t holes = 0;
    auto first_hole = events_.end();
    for (auto at = events_.begin(); std::next(at) != events_.end(); ++at) {
      if (std::next(at)->first - at->first == 1) continue;
      if (++holes == 1) first_hole = at;
    }
    if (holes > max_holes_) events_.erase(events_.begin(), std::next(first_hole));
  }
  around_t around(std::uint64_t sequence) const {
    const auto after = events_.lower_bound(sequence);
    if (after == events_.end() || after->first == sequence || after == events_.begin()) return std::nullopt;
    const auto before = std::prev(after);
    return std::tuple(before->first, before->second, after->first, after->second);
  }
  std::optional<std::uint64_t> highest() const {
    return events_.empty() ? std::nullopt : std::optional(events_.rbegin()->first);
  }

 private:
  std::size_t max_holes_;
  std::map<std::uint64_t, std::uint64_t> events_;
};

around_t around(const neighbour_memory<event>& memory, std::uint64_t sequence) {
  const auto n = memory.around(sequence);
  if (!n) return std::nullopt;
  if (n->sequence != sequence || n->before.text != numbered(n->before.id).text) return std::tuple(0, 0, 0, 0);
  return std::tuple(n->before_sequence, n->before.id, n->after_sequence, n->after.id);
}

void agree_with_the_model(std::size_t max_holes, std::uint64_t first, std::uint64_t range, int disorder) {
  INFO("max_holes " << max_holes << ", first " << first << ", range " << range << ", disorder " << disorder);
  std::mt19937_64 random(max_holes * 7 + range + first);
  neighbour_memory<event> memory(max_holes);
  model expected(max_holes);
  std::uint64_t next = 0;
  bool agrees = true;
  std::uint64_t found = 0;
  for (std::uint64_t id = 1; id <= 1'500 && agrees; ++id) {
    std::uint64_t offset = next;
    if (static_cast<int>(random() % 100) < disorder) {
      offset = random() % range;  // late, repeated, or far ahead
    } else {
      next = std::min(range - 1, next + 1 + (random() % 4 == 0 ? random() % 5 : 0));
    }
    memory.remember(first + offset, numbered(id));
    expected.remember(first + offset, id);
    agrees = memory.highest() == expected.highest();
    for (int i = 0; i < 8 && agrees; ++i) {
      const std::uint64_t asked = i == 0 ? random() : first + (i < 4 ? offset + random() % 7 - 3 : random() % range);
      const auto answer = expected.around(asked);
      agrees = around(memory, asked) == answer;
      found += answer.has_value();
    }
    if (id % 100 == 0) {
      const bytes saved = snapshot(memory);
      neighbour_memory<event> other(max_holes);
      other.remember(3, numbered(0));
      agrees = agrees && restore(other, saved) && snapshot(other) == saved;
      memory = std::move(other);
    }
  }
  for (std::uint64_t offset = 0; offset < range && agrees; ++offset) {
    agrees = around(memory, first + offset) == expected.around(first + offset);
  }
  CHECK(agrees);
  CHECK(found > 0);
}

// Its copies fail once so many more have been made.
struct fragile {
  static inline int copies_left = -1;
  static void count() {
    if (copies_left >= 0 && copies_left-- == 0) throw std::runtime_error("no copy");
  }

  fragile() = default;
  explicit fragile(std::uint64_t number) : id(number) {}
  fragile(const fragile& other) : id((count(), other.id)) {}
  fragile(fragile&& other) noexcept : id(std::exchange(other.id, 0)) {}
  fragile& operator=(const fragile& other) {
    count();
    id = other.id;
    return *this;
  }
  fragile& operator=(fragile&& other) noexcept {
    id = std::exchange(other.id, 0);
    return *this;
  }
  void save(recoup::snapshot_writer& w) const { w.u64(id); }
  bool load(recoup::snapshot_reader& r) { return r.value(id); }

  std::uint64_t id = 0;
};

}  // namespace

TEST_CASE("if an event can not be copied nothing has changed") {
  for (const std::size_t max_holes : {1U, 2U, 5U}) {
    std::mt19937_64 random(max_holes);
    neighbour_memory<fragile> memory(max_holes);
    int failures = 0;
    bool unchanged = true;
    for (std::uint64_t next = 0, i = 1; i < 400; ++i) {
      next += random() % 3 == 0 ? random() % 9 : 1;
      const std::uint64_t sequence = random() % 2 == 0 ? next : next - random() % std::min<std::uint64_t>(next, 30);
      const fragile incoming(i);
      const bytes before = snapshot(memory);
      neighbour_memory<fragile> expected(max_holes);
      REQUIRE(restore(expected, before));
      expected.remember(sequence, incoming);
      for (int copies = 0;; ++copies) {
        fragile::copies_left = copies;
        try {
          memory.remember(sequence, incoming);
          fragile::copies_left = -1;
          break;
        } catch (const std::runtime_error&) {
          fragile::copies_left = -1;
          ++failures;
          unchanged = unchanged && snapshot(memory) == before;
        }
      }
      unchanged = unchanged && snapshot(memory) == snapshot(expected);
    }
    CHECK(unchanged);
    CHECK(failures > 300);
  }
}

TEST_CASE("an event that is remembered already can be remembered again") {
  for (const std::uint64_t sequence : {4U, 9U, 12U, 15U}) {
    for (const bool above : {false, true}) {
      INFO("sequence " << sequence << ", above " << above);
      neighbour_memory<event> memory(2);
      for (const std::uint64_t n : {1U, 3U, 10U, 14U}) memory.remember(n, numbered(n));
      const event& old = above ? memory.around(12)->after : memory.around(5)->before;
      const std::uint64_t id = old.id;
      memory.remember(sequence, old);
      const auto now = around(memory, sequence - 1);
      const auto later = around(memory, sequence + 1);
      if (now) CHECK(std::get<3>(*now) == id);
      if (later) CHECK(std::get<1>(*later) == id);
      memory.remember(30, numbered(30));
      if (sequence == 15) CHECK(around(memory, 20) == std::tuple(15, id, 30, 30));
    }
  }
  neighbour_memory<event> memory;
  memory.remember(1, numbered(1));
  memory.remember(3, numbered(3));
  memory.remember(9, memory.around(2)->after);
  CHECK(around(memory, 5) == std::tuple(3, 3, 9, 3));
}

TEST_CASE("there is never memory for more holes than max_holes") {
  neighbour_memory<std::uint64_t> memory(4);
  std::size_t before = allocations_so_far;
  for (std::uint64_t n = 0; n <= 40; n += 10) memory.remember(n, n);
  CHECK(allocations_so_far - before == 3);  // 1, 3, 4
  before = allocations_so_far;
  for (const std::uint64_t n : {35U, 60U, 55U, 38U, 80U, 3U}) memory.remember(n, n);
  CHECK(allocations_so_far == before);
}

TEST_CASE("zero after the greatest number is not the next one") {
  neighbour_memory<event> memory;
  memory.remember(last_number, numbered(1));
  memory.remember(0, numbered(2));
  CHECK(memory.highest() == last_number);
}

TEST_CASE("the neighbours are the nearest events that arrived as in the model") {
  for (const std::size_t max_holes : {1U, 2U, 3U, 10U, 10'000U}) {
    for (const int disorder : {1, 20, 100}) {
      agree_with_the_model(max_holes, 0, 600, disorder);
      agree_with_the_model(max_holes, 1'000'000, 3'000, disorder);
      agree_with_the_model(max_holes, last_number - 799, 800, disorder);
    }
  }
}

TEST_CASE("nothing is known before the first event and beside the holes") {
  neighbour_memory<event> memory;
  CHECK_FALSE(memory.highest());
  CHECK_FALSE(memory.around(0));
  memory.remember(5, numbered(1));
  CHECK(memory.highest() == 5);
  for (const std::uint64_t sequence :
       {std::uint64_t{0}, std::uint64_t{4}, std::uint64_t{5}, std::uint64_t{6}, last_number}) {
    CHECK_FALSE(memory.around(sequence));
  }
  memory.remember(6, numbered(2));
  memory.remember(4, numbered(3));  // before the stream began
  CHECK_FALSE(memory.around(5));
  CHECK_FALSE(memory.around(4));
}

TEST_CASE("a hole over all numbers has its neighbours at the ends") {
  neighbour_memory<event> memory;
  memory.remember(0, numbered(1));
  memory.remember(last_number, numbered(2));
  for (const std::uint64_t sequence : {std::uint64_t{1}, last_number / 2, last_number - 1}) {
    CHECK(around(memory, sequence) == std::tuple(0, 1, last_number, 2));
  }
  CHECK_FALSE(memory.around(0));
  CHECK_FALSE(memory.around(last_number));
  memory.remember(last_number - 1, numbered(3));
  memory.remember(1, numbered(4));
  CHECK(around(memory, 77) == std::tuple(1, 4, last_number - 1, 3));
}

TEST_CASE("a repeated event does not replace the first") {
  neighbour_memory<event> memory;
  memory.remember(1, numbered(1));
  memory.remember(3, numbered(3));
  memory.remember(1, numbered(100));
  memory.remember(3, numbered(300));
  CHECK(around(memory, 2) == std::tuple(1, 1, 3, 3));
  memory.remember(2, numbered(2));
  CHECK_FALSE(memory.around(2));
}

TEST_CASE("with too many holes the lowest is dropped and its late events are ignored") {
  neighbour_memory<event> memory(2);
  for (const std::uint64_t sequence : {0U, 10U, 20U, 30U}) memory.remember(sequence, numbered(sequence));
  CHECK_FALSE(memory.around(5));
  CHECK(around(memory, 15) == std::tuple(10, 10, 20, 20));
  memory.remember(5, numbered(5));
  CHECK_FALSE(memory.around(4));
  memory.remember(25, numbered(25));  // splits a hole
  CHECK_FALSE(memory.around(15));
  CHECK(around(memory, 22) == std::tuple(20, 20, 25, 25));
  CHECK(around(memory, 26) == std::tuple(25, 25, 30, 30));
}

TEST_CASE("no room for holes is refused with a sentence") {
  CHECK_THROWS_WITH(neighbour_memory<event>(0), Catch::Contains("at least 1 hole"));
  CHECK_THROWS_AS(neighbour_memory<event>(0), std::invalid_argument);
}

TEST_CASE("a hostile snapshot of neighbours is refused or can be gone on from") {
  neighbour_memory<event> memory(3);
  memory.remember(1, numbered(1));
  memory.remember(9, numbered(9));
  const bytes before = snapshot(memory);
  const auto answer = [&](std::uint8_t started, std::uint64_t last, std::uint64_t holes,
                          const std::vector<std::uint64_t>& ends) {
    recoup::snapshot_writer w;
    recoup::detail::begin_frame(w, memory.configuration(), {});
    const auto put = [&](std::uint64_t sequence) {
      w.u64(sequence);
      w.value(numbered(sequence));
    };
    w.u8(started);
    if (started != 0) put(last);
    w.u64(holes);
    for (const std::uint64_t end : ends) put(end);
    recoup::detail::end_frame(w);
    const bytes hostile = w.take();
    neighbour_memory<event> target = memory;
    const auto status = restore(target, hostile).status;
    CHECK(snapshot(target) == (status == snapshot_status::ok ? hostile : before));
    for (std::uint64_t i = 0; i < 60; ++i) {
      target.remember(i * 7 % 30, numbered(i));
      (void)target.around(i);
    }
    target.remember(last_number, numbered(1));
    CHECK(target.highest() == last_number);
    return status;
  };
  CHECK(answer(0, 0, 0, {}) == snapshot_status::ok);
  CHECK(answer(1, 5, 0, {}) == snapshot_status::ok);
  CHECK(answer(1, 9, 2, {1, 3, 3, 9}) == snapshot_status::ok);
  CHECK(answer(1, last_number, 3, {0, 2, 4, 6, 8, last_number}) == snapshot_status::ok);
  CHECK(answer(2, 5, 0, {}) == snapshot_status::malformed);
  CHECK(answer(0, 0, 1, {1, 3}) == snapshot_status::malformed);
  CHECK(answer(1, 2, 1, {1, 3}) == snapshot_status::malformed);
  CHECK(answer(1, 9, 1, {3, 1}) == snapshot_status::malformed);
  CHECK(answer(1, 9, 1, {1, 1}) == snapshot_status::malformed);
  CHECK(answer(1, 9, 1, {1, 2}) == snapshot_status::malformed);
  CHECK(answer(1, 9, 2, {1, 5, 4, 9}) == snapshot_status::malformed);
  CHECK(answer(1, 9, 2, {5, 9, 1, 3}) == snapshot_status::malformed);
  CHECK(answer(1, 9, 2, {1, 3}) == snapshot_status::malformed);
  CHECK(answer(1, 9, 1, {1, 3, 5, 7}) == snapshot_status::malformed);
  CHECK(answer(1, 9, 4, {0, 2, 2, 4, 4, 6, 6, 8}) == snapshot_status::malformed);
  CHECK(answer(1, 9, last_number, {1, 3}) == snapshot_status::malformed);
}

TEST_CASE("a snapshot of neighbours with bytes changed and the checksum made right does no harm") {
  std::mt19937_64 random(41);
  neighbour_memory<event> memory(4);
  for (const std::uint64_t sequence : {1U, 5U, 9U, 7U, 20U}) memory.remember(sequence, numbered(sequence));
  const bytes good = snapshot(memory);
  const bytes content(good.begin() + 40, good.end() - 8);
  bool harmless = true;
  int accepted = 0;
  for (int round = 0; round < 2'000; ++round) {
    bytes changed = content;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n)
      changed[random() % changed.size()] = static_cast<std::byte>(random());
    if (round % 10 == 0) changed.resize(random() % changed.size());
    recoup::snapshot_writer w;
    recoup::detail::begin_frame(w, memory.configuration(), {});
    for (const std::byte b : changed) w.u8(std::to_integer<std::uint8_t>(b));
    recoup::detail::end_frame(w);
    const bytes hostile = w.take();
    neighbour_memory<event> target = memory;
    const bool taken = static_cast<bool>(restore(target, hostile));
    accepted += taken ? 1 : 0;
    harmless = harmless && snapshot(target) == (taken ? hostile : good);
    for (std::uint64_t sequence = 0; sequence < 24; ++sequence) {
      target.remember(sequence, numbered(sequence));
      harmless = harmless && !target.around(sequence);
    }
  }
  CHECK(harmless);
  CHECK(accepted > 100);
}
