// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/interval_set.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"

namespace {

using recoup::interval_set;
using recoup::sequence_range;

__extension__ using wide = unsigned __int128;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

interval_set set_of(std::initializer_list<sequence_range> ranges) {
  interval_set s;
  for (const auto& r : ranges) s.insert(r);
  return s;
}

std::vector<sequence_range> ranges_of(const interval_set& s) { return {s.begin(), s.end()}; }

using ranges = std::vector<sequence_range>;

struct word_writer {
  std::vector<std::uint64_t> words;
  void u64(std::uint64_t word) { words.push_back(word); }
};

struct word_reader {
  std::vector<std::uint64_t> words;
  std::size_t next = 0;
  bool good = true;
  std::uint64_t u64() {
    if (next == words.size()) good = false;
    return good ? words[next++] : 0;
  }
  bool ok() const { return good; }
};

std::vector<std::uint64_t> saved(const interval_set& s) {
  word_writer writer;
  s.save(writer);
  return writer.words;
}

void require_canonical(const interval_set& s) {
  const sequence_range* before = nullptr;
  for (const sequence_range& r : s) {
    REQUIRE(r.first <= r.last);
    if (before != nullptr) {
      REQUIRE(r.first > before->last);
      REQUIRE(r.first - before->last > 1);
    }
    before = &r;
  }
}

// The numbers of a range, of which there are few.
std::vector<std::uint64_t> numbers_in(sequence_range range) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < range.size(); ++i) numbers.push_back(range.first + i);
  return numbers;
}

std::vector<std::uint64_t> numbers_in(const interval_set& s, sequence_range window) {
  std::vector<std::uint64_t> numbers;
  s.for_each_overlap(window, [&](sequence_range part) {
    for (const std::uint64_t n : numbers_in(part)) numbers.push_back(n);
  });
  return numbers;
}

using model_set = std::set<std::uint64_t>;

std::vector<std::uint64_t> numbers_in(const model_set& model, sequence_range window) {
  std::vector<std::uint64_t> numbers;
  std::copy_if(model.begin(), model.end(), std::back_inserter(numbers),
               [&](std::uint64_t n) { return window.contains(n); });
  return numbers;
}

// How many numbers the range added to the model, or took from it.
std::uint64_t change(model_set& model, sequence_range range, bool inserting) {
  std::uint64_t changed = 0;
  for (const std::uint64_t n : numbers_in(range)) changed += inserting ? model.insert(n).second : model.erase(n);
  return changed;
}

void require_same(const interval_set& s, const model_set& model, sequence_range universe) {
  require_canonical(s);
  REQUIRE(s.count() == model.size());
  REQUIRE(s.empty() == model.empty());
  REQUIRE(numbers_in(s, {0, most}) == numbers_in(model, {0, most}));
  for (const std::uint64_t n : numbers_in(universe)) {
    const bool contained = model.count(n) == 1;
    const sequence_range* const found = s.find(n);
    if (s.contains(n) != contained || (found != nullptr && found->contains(n)) != contained) FAIL("number " << n);
  }
}

void require_same_when_loaded(const interval_set& s, std::size_t max_ranges) {
  interval_set loaded = set_of({{7, 7}});
  word_reader reader{saved(s)};
  REQUIRE(loaded.load(reader, max_ranges));
  REQUIRE(loaded == s);
  REQUIRE(loaded.count() == s.count());
}

}  // namespace

TEST_CASE("A range contains its ends and counts its numbers", "[interval_set]") {
  STATIC_REQUIRE(sequence_range{3, 5}.size() == 3);
  STATIC_REQUIRE(sequence_range{3, 3}.size() == 1);
  STATIC_REQUIRE(sequence_range{4, 3}.size() == 0);
  STATIC_REQUIRE(sequence_range{most, 0}.size() == 0);
  STATIC_REQUIRE(sequence_range{1, most}.size() == most);
  STATIC_REQUIRE(sequence_range{0, most}.size() == most);
  STATIC_REQUIRE(sequence_range{3, 5}.contains(3));
  STATIC_REQUIRE(sequence_range{3, 5}.contains(5));
  STATIC_REQUIRE(!sequence_range{3, 5}.contains(2));
  STATIC_REQUIRE(!sequence_range{3, 5}.contains(6));
  STATIC_REQUIRE(!sequence_range{5, 3}.contains(4));
  STATIC_REQUIRE(sequence_range{0, most}.contains(most));
}

TEST_CASE("A new set is empty", "[interval_set]") {
  const interval_set s;
  CHECK(s.empty());
  CHECK(s.size() == 0);
  CHECK(s.count() == 0);
  CHECK(s.begin() == s.end());
  CHECK_FALSE(s.contains(0));
  CHECK_FALSE(s.contains(most));
  CHECK(s.find(0) == nullptr);
}

TEST_CASE("Ranges that touch or overlap become one", "[interval_set]") {
  interval_set s;
  CHECK(s.insert({10, 12}) == 3);
  CHECK(s.insert({13, 14}) == 2);
  CHECK(ranges_of(s) == ranges{{10, 14}});
  CHECK(s.insert({20, 22}) == 3);
  CHECK(s.insert({5, 9}) == 5);
  CHECK(ranges_of(s) == ranges{{5, 14}, {20, 22}});
  CHECK(s.insert({15, 19}) == 5);
  CHECK(ranges_of(s) == ranges{{5, 22}});
  CHECK(s.insert({7, 9}) == 0);
  CHECK(s.insert({0, 30}) == 13);
  CHECK(ranges_of(s) == ranges{{0, 30}});
  CHECK(s.count() == 31);
}

TEST_CASE("One range can swallow many", "[interval_set]") {
  interval_set s = set_of({{1, 1}, {3, 3}, {5, 5}, {7, 7}, {9, 9}});
  CHECK(s.size() == 5);
  CHECK(s.insert({2, 6}) == 3);
  CHECK(ranges_of(s) == ranges{{1, 7}, {9, 9}});
}

TEST_CASE("Erasing takes whole ranges and edges and splits the middle", "[interval_set]") {
  interval_set s = set_of({{10, 19}, {30, 39}, {50, 59}});
  CHECK(s.erase({30, 39}) == 10);
  CHECK(ranges_of(s) == ranges{{10, 19}, {50, 59}});
  CHECK(s.erase({0, 10}) == 1);
  CHECK(s.erase({19, 49}) == 1);
  CHECK(ranges_of(s) == ranges{{11, 18}, {50, 59}});
  CHECK(s.erase({14, 15}) == 2);
  CHECK(ranges_of(s) == ranges{{11, 13}, {16, 18}, {50, 59}});
  CHECK(s.erase({12, 55}) == 2 + 3 + 6);
  CHECK(ranges_of(s) == ranges{{11, 11}, {56, 59}});
  CHECK(s.erase({12, 55}) == 0);
  CHECK(s.count() == 5);
}

TEST_CASE("An empty range changes nothing", "[interval_set]") {
  interval_set s = set_of({{10, 20}});
  CHECK(s.insert({31, 30}) == 0);
  CHECK(s.insert({most, 0}) == 0);
  CHECK(s.insert({16, 14}) == 0);
  CHECK(s.erase({16, 14}) == 0);
  CHECK(s.erase({most, 0}) == 0);
  int calls = 0;
  s.for_each_overlap({16, 14}, [&](sequence_range) { ++calls; });
  CHECK(calls == 0);
  CHECK(ranges_of(s) == ranges{{10, 20}});
}

TEST_CASE("Finding gives the range around a number", "[interval_set]") {
  const interval_set s = set_of({{10, 19}, {30, 30}});
  CHECK(s.find(9) == nullptr);
  CHECK(s.find(20) == nullptr);
  CHECK(s.find(31) == nullptr);
  REQUIRE(s.find(10) != nullptr);
  CHECK(*s.find(10) == sequence_range{10, 19});
  CHECK(s.find(19) == s.find(10));
  REQUIRE(s.find(30) != nullptr);
  CHECK(*s.find(30) == sequence_range{30, 30});
  CHECK(s.front() == sequence_range{10, 19});
  CHECK(s.back() == sequence_range{30, 30});
}

TEST_CASE("Overlaps come in order and clipped to what was asked", "[interval_set]") {
  const interval_set s = set_of({{10, 19}, {30, 39}, {50, 59}});
  ranges parts;
  s.for_each_overlap({15, 50}, [&](sequence_range r) { parts.push_back(r); });
  CHECK(parts == ranges{{15, 19}, {30, 39}, {50, 50}});
  parts.clear();
  s.for_each_overlap({20, 29}, [&](sequence_range r) { parts.push_back(r); });
  CHECK(parts.empty());
}

TEST_CASE("The ends of the number line are numbers like others", "[interval_set]") {
  interval_set s;
  CHECK(s.insert({most, most}) == 1);
  CHECK(s.insert({0, 0}) == 1);
  CHECK(ranges_of(s) == ranges{{0, 0}, {most, most}});
  CHECK(s.contains(0));
  CHECK(s.contains(most));
  CHECK(s.insert({most - 1, most - 1}) == 1);
  CHECK(s.insert({1, 1}) == 1);
  CHECK(ranges_of(s) == ranges{{0, 1}, {most - 1, most}});
  CHECK(s.erase({most, most}) == 1);
  CHECK(s.erase({0, 0}) == 1);
  CHECK(ranges_of(s) == ranges{{1, 1}, {most - 1, most - 1}});
}

TEST_CASE("The whole line is counted as one less than it holds", "[interval_set]") {
  interval_set s;
  CHECK(s.insert({0, most}) == most);
  CHECK(s.count() == most);
  CHECK(s.insert({0, most}) == 0);
  CHECK(s.erase({7, 7}) == 1);
  CHECK(s.count() == most);
  CHECK(s.erase({8, 8}) == 1);
  CHECK(s.count() == most - 1);
  CHECK(s.insert({7, 8}) == 2);
  CHECK(ranges_of(s) == ranges{{0, most}});
  CHECK(s.count() == most);
  CHECK(s.erase({0, most}) == most);
  CHECK(s.empty());
  CHECK(s.count() == 0);

  s.insert({5, 5});
  CHECK(s.insert({0, most}) == most);
  CHECK(s.count() == most);
  s.pop_front();
  CHECK(s.empty());
  CHECK(s.count() == 0);
}

TEST_CASE("Popping takes the lowest range", "[interval_set]") {
  interval_set s = set_of({{1, 2}, {5, 9}, {20, 20}});
  s.pop_front();
  CHECK(ranges_of(s) == ranges{{5, 9}, {20, 20}});
  CHECK(s.count() == 6);
}

TEST_CASE("Reserved room holds that many ranges in place also after clearing", "[interval_set]") {
  interval_set s;
  s.reserve(100);
  const sequence_range* const room = s.begin();
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0; i < 100; ++i) s.insert({i * 7 % 100 * 10, i * 7 % 100 * 10});
    CHECK(s.size() == 100);
    CHECK(s.begin() == room);
    s.clear();
    CHECK(s.empty());
    CHECK(s.count() == 0);
  }
}

TEST_CASE("The first range from a number on is found by from", "[interval_set]") {
  const interval_set s = set_of({{10, 19}, {30, 30}, {most, most}});
  CHECK(*s.from(0) == sequence_range{10, 19});
  CHECK(*s.from(10) == sequence_range{10, 19});
  CHECK(*s.from(19) == sequence_range{10, 19});
  CHECK(*s.from(20) == sequence_range{30, 30});
  CHECK(*s.from(31) == sequence_range{most, most});
  CHECK(*s.from(most) == sequence_range{most, most});
  const interval_set low = set_of({{1, 2}});
  CHECK(low.from(3) == low.end());
  const interval_set none;
  CHECK(none.from(0) == none.end());
}

TEST_CASE("Two ranges lie in the object and more on the heap", "[interval_set]") {
  interval_set s;
  s.insert({1, 1});
  s.insert({3, 3});
  CHECK(s.heap_bytes() == 0);
  for (std::uint64_t i = 2; i < 100; ++i) s.insert({2 * i + 1, 2 * i + 1});
  CHECK(s.heap_bytes() >= 100 * sizeof(sequence_range));
  CHECK(s.heap_bytes() <= 2 * 101 * sizeof(sequence_range));
  const std::size_t before = s.heap_bytes();
  s.clear();
  CHECK(s.heap_bytes() == before);
}

TEST_CASE("After make_room one insert or erase needs no memory", "[interval_set]") {
  std::mt19937_64 random(8);
  for (int run = 0; run < 2'000; ++run) {
    interval_set s;
    const std::uint64_t ranges_wanted = random() % 20;
    for (std::uint64_t i = 0; i < ranges_wanted; ++i) s.insert({10 * i, 10 * i + 4});
    while (!s.empty() && random() % 3 == 0) s.pop_front();
    s.make_room();
    const std::size_t before = allocations_so_far;
    const std::uint64_t n = random() % 200;
    const sequence_range r{n, n + random() % 15};
    if (random() % 2 == 0) {
      s.insert(r);
    } else {
      s.erase(r);
    }
    if (allocations_so_far != before) FAIL("run " << run);
  }
  SUCCEED();
}

TEST_CASE("Equal sets are equal whatever way they came about", "[interval_set]") {
  interval_set a = set_of({{1, 10}});
  interval_set b = set_of({{6, 10}, {1, 3}, {4, 5}});
  CHECK(a == b);
  b.erase({5, 5});
  CHECK_FALSE(a == b);
  const interval_set copy = b;
  CHECK(copy == b);
}

TEST_CASE("A set that was moved from can be used again once cleared", "[interval_set]") {
  for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{9}}) {
    interval_set source;
    for (std::uint64_t i = 0; i < n; ++i) source.insert({i * 10, i * 10});
    const interval_set target = std::move(source);
    CHECK(target.count() == n);
    source.clear();  // NOLINT(bugprone-use-after-move)
    CHECK(source.insert({1, 4}) == 4);
    CHECK(source.count() == 4);
    source = target;
    CHECK(source == target);
    CHECK(source.count() == n);
  }
}

TEST_CASE("Random changes agree with a set of single numbers anywhere on the line", "[interval_set]") {
  constexpr std::uint64_t size = 48;
  for (const std::uint64_t base :
       {std::uint64_t{0}, std::uint64_t{1'000}, (std::uint64_t{1} << 63) - size / 2, most - size + 1}) {
    const sequence_range universe{base, base + size - 1};
    std::mt19937_64 random(base + 5);
    interval_set s;
    model_set model;
    std::size_t largest = 0;
    for (int step = 0; step < 4'000; ++step) {
      sequence_range r{base + random() % size, base + random() % size};
      if (random() % 2 == 0) r.last = r.first + std::min(random() % 3, universe.last - r.first);
      const bool inserting = random() % 2 == 0;
      REQUIRE((inserting ? s.insert(r) : s.erase(r)) == change(model, r, inserting));
      if (step % 50 == 0 && !s.empty()) {
        const sequence_range front = s.front();
        s.pop_front();
        REQUIRE(change(model, front, false) == front.size());
      }
      if (const auto at = s.from(r.first); at != s.end() && at->contains(r.first)) {
        const bool takes_all = random() % 4 == 0;
        const sequence_range range = *at;
        const std::uint64_t last = takes_all ? range.last : r.first;
        const auto above = takes_all ? s.erase(at) : s.erase(at, r.first);
        change(model, takes_all ? range : sequence_range{last, last}, false);
        REQUIRE(above == s.from(last));
      }
      require_same(s, model, universe);
      const sequence_range window{base + random() % size, base + random() % size};
      REQUIRE(numbers_in(s, window) == numbers_in(model, window));
      require_same_when_loaded(s, size);
      largest = std::max(largest, s.size());
    }
    CHECK(largest > 8);
  }
}

TEST_CASE("Random ranges of any length agree with a model of the whole line", "[interval_set]") {
  // The line cut at some points: each point is a segment of one number, and so is what lies between two points.
  const std::array<std::uint64_t, 14> points{0,
                                             1,
                                             2,
                                             1'000,
                                             1'001,
                                             std::uint64_t{1} << 32,
                                             (std::uint64_t{1} << 63) - 1,
                                             std::uint64_t{1} << 63,
                                             (std::uint64_t{1} << 63) + 1,
                                             most - 5'000,
                                             most - 3,
                                             most - 2,
                                             most - 1,
                                             most};
  std::vector<sequence_range> segments;
  for (std::size_t i = 0; i < points.size(); ++i) {
    segments.push_back({points[i], points[i]});
    if (i + 1 < points.size() && points[i] + 1 < points[i + 1]) segments.push_back({points[i] + 1, points[i + 1] - 1});
  }
  const auto numbers_of = [](sequence_range r) { return wide{r.last} - wide{r.first} + 1; };
  const auto saturated = [](wide n) { return n > wide{most} ? most : static_cast<std::uint64_t>(n); };

  std::mt19937_64 random(6);
  interval_set s;
  std::vector<bool> model(segments.size());
  int full = 0;
  for (int step = 0; step < 20'000; ++step) {
    std::size_t from = random() % segments.size();
    std::size_t to = random() % segments.size();
    if (random() % 20 == 0) {
      from = 0;
      to = segments.size() - 1;
    }
    const bool inserting = random() % 2 == 0;
    wide changed = 0;
    wide count = 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (from <= i && i <= to && model[i] != inserting) {
        model[i] = inserting;
        changed += numbers_of(segments[i]);
      }
      if (model[i]) count += numbers_of(segments[i]);
    }
    const sequence_range r =
        from <= to ? sequence_range{segments[from].first, segments[to].last} : sequence_range{1, 0};
    REQUIRE((inserting ? s.insert(r) : s.erase(r)) == saturated(changed));
    REQUIRE(s.count() == saturated(count));
    require_canonical(s);
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (s.contains(segments[i].first) != model[i] || s.contains(segments[i].last) != model[i]) {
        FAIL("segment from " << segments[i].first << " to " << segments[i].last);
      }
    }
    full += count > wide{most};
  }
  CHECK(full > 10);
}

TEST_CASE("Bytes that are cut short or not a set are refused and change nothing", "[interval_set]") {
  const interval_set before = set_of({{100, 200}, {300, 300}, {400, 500}});
  const auto refuses = [&](std::vector<std::uint64_t> words, std::size_t max_ranges) {
    interval_set target = before;
    word_reader reader{std::move(words)};
    const bool loaded = target.load(reader, max_ranges);
    CHECK(target == before);
    CHECK(target.count() == before.count());
    return !loaded;
  };
  const std::vector<std::uint64_t> good = saved(set_of({{1, 2}, {4, 9}, {most, most}}));
  REQUIRE(good == std::vector<std::uint64_t>{3, 1, 2, 4, 9, most, most});
  for (std::size_t words = 0; words < good.size(); ++words) {
    CHECK(refuses({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(words)}, 3));
  }
  CHECK(refuses(good, 2));
  CHECK(refuses({most}, std::numeric_limits<std::size_t>::max()));
  CHECK(refuses({1, 5, 4}, 9));
  CHECK(refuses({2, 4, 9, 1, 2}, 9));
  CHECK(refuses({2, 1, 5, 5, 9}, 9));
  CHECK(refuses({2, 1, 5, 6, 9}, 9));
  CHECK(refuses({2, 1, 5, 1, 5}, 9));
  CHECK(refuses({2, 5, most, 0, 3}, 9));

  interval_set target = before;
  word_reader reader{good};
  CHECK(target.load(reader, 3));
  CHECK(ranges_of(target) == ranges{{1, 2}, {4, 9}, {most, most}});
  CHECK(target.count() == 9);
  word_reader nothing{{0}};
  CHECK(target.load(nothing, 0));
  CHECK(target.empty());
  word_reader everything{{1, 0, most}};
  CHECK(target.load(everything, 1));
  CHECK(target.count() == most);
}
