// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/frequent_values.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using recoup::frequent_values;
using recoup::restore;
using recoup::snapshot;
using recoup::snapshot_status;
using bytes = std::vector<std::byte>;

// The counts inside, as a snapshot tells them.
struct counts {
  std::map<std::uint64_t, std::uint64_t> of;
  std::uint64_t configuration() const { return frequent_values<std::uint64_t>(capacity).configuration(); }
  void save(recoup::snapshot_writer&) const {}
  bool load(recoup::snapshot_reader& r) {
    const std::uint64_t size = r.u64();
    (void)r.u64();
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::uint64_t value = r.u64();
      if (!of.emplace(value, r.u64()).second) return false;
    }
    return r.ok();
  }
  std::size_t capacity = 1;
};

std::map<std::uint64_t, std::uint64_t> counts_in(const frequent_values<std::uint64_t>& values, std::size_t capacity) {
  counts inside;
  inside.capacity = capacity;
  REQUIRE(restore(inside, snapshot(values)));
  return inside.of;
}

}  // namespace

TEST_CASE("there is no most frequent value before the first") {
  frequent_values<int> values;
  CHECK_FALSE(values.top());
  values.learn(-3);
  CHECK(values.top() == -3);
}

TEST_CASE("of equally frequent values the first to get there stays on top") {
  frequent_values<std::string> values(3);
  const auto top_after = [&](const char* value) {
    values.learn(value);
    return *values.top();
  };
  CHECK(top_after("a") == "a");
  CHECK(top_after("b") == "a");
  CHECK(top_after("b") == "b");
  CHECK(top_after("a") == "b");
  CHECK(top_after("c") == "b");
  CHECK(top_after("c") == "b");
  CHECK(top_after("a") == "a");
  CHECK(top_after("c") == "a");
}

TEST_CASE("the answer is exact while the distinct values fit") {
  std::mt19937_64 random(1);
  for (const std::size_t capacity : {1U, 2U, 5U, 40U}) {
    frequent_values<std::uint64_t> values(capacity);
    std::map<std::uint64_t, std::uint64_t> exact;
    std::uint64_t top = 0;
    bool agrees = true;
    for (int i = 0; i < 10'000 && agrees; ++i) {
      const std::uint64_t value = std::min(random() % capacity, random() % capacity);
      values.learn(value);
      if (++exact[value] > exact[top]) top = value;
      agrees = values.top() == top;
      if (i % 1'000 == 500) {
        const bytes saved = snapshot(values);
        frequent_values<std::uint64_t> other(capacity);
        other.learn(99);
        agrees = agrees && restore(other, saved) && snapshot(other) == saved;
        values = other;
      }
    }
    CHECK(agrees);
    CHECK(counts_in(values, capacity) == exact);
  }
}

TEST_CASE("beyond the capacity a count is too high by at most learnt over capacity and never too low") {
  std::mt19937_64 random(2);
  for (const std::size_t capacity : {1U, 3U, 10U, 64U}) {
    for (const std::uint64_t distinct : {capacity + 1, 4 * capacity, 1'000 * capacity}) {
      frequent_values<std::uint64_t> values(capacity);
      std::map<std::uint64_t, std::uint64_t> exact;
      bool holds = true;
      std::uint64_t learnt = 0;
      for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 200; ++i, ++learnt) {
          const std::uint64_t value = random() % (1 + random() % distinct);
          values.learn(value);
          ++exact[value];
        }
        const auto kept = counts_in(values, capacity);
        std::uint64_t sum = 0;
        std::uint64_t highest = 0;
        std::uint64_t lowest = std::numeric_limits<std::uint64_t>::max();
        for (const auto& [value, count] : kept) {
          holds = holds && count >= exact[value] && count - exact[value] <= learnt / capacity;
          sum += count;
          highest = std::max(highest, count);
          lowest = std::min(lowest, count);
        }
        holds = holds && sum == learnt && kept.size() == std::min<std::size_t>(capacity, exact.size());
        holds = holds && kept.at(*values.top()) == highest;
        // A value more frequent than the bound can't have been lost.
        for (const auto& [value, count] : exact) holds = holds && (kept.contains(value) || count <= lowest);
      }
      INFO("capacity " << capacity << ", distinct " << distinct);
      CHECK(holds);
    }
  }
}

TEST_CASE("a value that makes up more than half is on top whatever else there is") {
  std::mt19937_64 random(3);
  for (const std::size_t capacity : {2U, 8U}) {
    frequent_values<std::uint64_t> values(capacity);
    for (std::uint64_t i = 0; i < 4'000; ++i) values.learn(random() % 100 < 60 ? 7 : 1'000 + i);
    CHECK(values.top() == 7);
  }
}

TEST_CASE("values that do not equal themselves are counted and do no harm") {
  frequent_values<double> values(4);
  for (int i = 0; i < 100; ++i) values.learn(std::numeric_limits<double>::quiet_NaN());
  CHECK(values.top().has_value());
  for (int i = 0; i < 100; ++i) values.learn(2.5);
  CHECK(values.top() == 2.5);
}

TEST_CASE("a capacity of zero is refused with a sentence") {
  CHECK_THROWS_WITH(frequent_values<int>(0), Catch::Contains("capacity of at least 1"));
  CHECK_THROWS_AS(frequent_values<int>(0), std::invalid_argument);
}

TEST_CASE("a hostile snapshot of frequent values is refused or can be gone on from") {
  frequent_values<std::uint64_t> values(4);
  values.learn(1);
  const bytes before = snapshot(values);
  const auto answer = [&](std::uint64_t size, std::uint64_t top, const std::vector<std::uint64_t>& numbers) {
    recoup::snapshot_writer w;
    recoup::detail::begin_frame(w, values.configuration(), {});
    w.u64(size);
    w.u64(top);
    for (const std::uint64_t n : numbers) w.u64(n);
    recoup::detail::end_frame(w);
    frequent_values<std::uint64_t> target = values;
    const auto status = restore(target, w.take()).status;
    if (status != snapshot_status::ok) CHECK(snapshot(target) == before);
    for (std::uint64_t i = 0; i < 20; ++i) target.learn(i % 5);
    CHECK(target.top().has_value());
    return status;
  };
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  CHECK(answer(0, 0, {}) == snapshot_status::ok);
  CHECK(answer(2, 1, {1, 5, 2, 9}) == snapshot_status::ok);
  CHECK(answer(2, 0, {1, largest, 2, largest}) == snapshot_status::ok);
  CHECK(answer(2, 0, {1, 9, 2, 9}) == snapshot_status::ok);
  CHECK(answer(2, 0, {1, 5, 2, 9}) == snapshot_status::malformed);  // the first is not the most frequent
  CHECK(answer(2, 0, {1, 5, 2, 0}) == snapshot_status::malformed);
  CHECK(answer(0, 1, {}) == snapshot_status::malformed);
  CHECK(answer(2, 2, {1, 5, 2, 9}) == snapshot_status::malformed);
  CHECK(answer(2, largest, {1, 5, 2, 9}) == snapshot_status::malformed);
  CHECK(answer(2, 0, {1, 5, 2}) == snapshot_status::malformed);
  CHECK(answer(1, 0, {1, 5, 2}) == snapshot_status::malformed);
  CHECK(answer(5, 0, {1, 1, 2, 1, 3, 1, 4, 1, 5, 1}) == snapshot_status::malformed);
  CHECK(answer(largest, 0, {1, 1}) == snapshot_status::malformed);

  frequent_values<std::uint64_t> other(5);
  CHECK(restore(other, before).status == snapshot_status::other_configuration);
}

TEST_CASE("frequent values that cannot be read to their end stay what they were") {
  frequent_values<std::uint64_t> values(4);
  values.learn(1);
  recoup::snapshot_writer w;
  frequent_values<std::uint64_t> other(4);
  other.learn(2);
  other.learn(3);
  other.save(w);
  for (std::size_t size = 0; size < w.written().size(); ++size) {
    frequent_values<std::uint64_t> target = values;
    recoup::snapshot_reader reader(w.written().first(size));
    CHECK_FALSE(target.load(reader));
    CHECK(snapshot(target) == snapshot(values));
  }
}
