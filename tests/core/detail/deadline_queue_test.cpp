// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/detail/deadline_queue.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"

namespace {

using recoup::duration;
using recoup::timestamp;
using recoup::detail::deadline_queue;

timestamp at(std::int64_t ns) { return timestamp(duration{ns}); }

// Of equal deadlines that of the lowest id.
auto earliest(const std::map<std::uint32_t, timestamp>& naive) {
  return std::min_element(naive.begin(), naive.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
}

TEST_CASE("an empty queue is never due") {
  deadline_queue queue;
  CHECK(queue.empty());
  CHECK(queue.due() == timestamp::max());
  queue.reserve(1);
  CHECK(queue.empty());
  queue.erase(0);
  queue.clear();
  CHECK(queue.empty());
}

TEST_CASE("the deadline that was moved to the front is due first and the one moved back is not") {
  deadline_queue queue;
  queue.reserve(3);
  queue.set(0, at(10));
  queue.set(1, at(20));
  queue.set(2, at(30));
  CHECK(queue.first() == 0);
  queue.set(2, timestamp::min());
  CHECK(queue.first() == 2);
  CHECK(queue.due() == timestamp::min());
  queue.set(2, timestamp::max());
  CHECK(queue.first() == 0);
  queue.erase(0);
  CHECK(queue.first() == 1);
  queue.erase(1);
  CHECK(queue.first() == 2);
  CHECK(queue.due() == timestamp::max());
  CHECK_FALSE(queue.empty());
}

TEST_CASE("a queue of deadlines knows the earliest of a map of them and of equal ones the lowest id") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random(seed);
    const auto roll = [&](std::uint64_t n) { return random() % n; };
    std::uint32_t ids = 1 + static_cast<std::uint32_t>(roll(40));
    const std::uint64_t times = 1 + roll(50);  // few of them: many are equal
    deadline_queue queue;
    queue.reserve(ids);
    std::map<std::uint32_t, timestamp> naive;
    for (int step = 0; step < 400; ++step) {
      INFO("seed " << seed << " step " << step);
      const auto id = static_cast<std::uint32_t>(roll(ids));
      const std::uint64_t choice = roll(100);
      if (choice < 60) {
        const timestamp due = roll(20) == 0 ? timestamp::max() : at(static_cast<std::int64_t>(roll(times)) - 20);
        queue.set(id, due);
        naive[id] = due;
      } else if (choice < 80) {
        queue.erase(id);
        naive.erase(id);
      } else if (choice < 98) {
        if (naive.empty()) continue;
        naive.erase(queue.first());
        queue.erase(queue.first());
      } else if (choice < 99) {
        queue.clear();
        naive.clear();
      } else {
        ids += static_cast<std::uint32_t>(roll(10));
        queue.reserve(ids);
      }
      if (queue.empty() != naive.empty()) FAIL("empty");
      if (naive.contains(id) && queue.due_of(id) != naive[id]) FAIL("due_of");
      if (naive.empty()) {
        if (queue.due() != timestamp::max()) FAIL("due");
      } else {
        const auto first = earliest(naive);
        if (queue.first() != first->first || queue.due() != first->second) FAIL("first");
      }
    }
    for (; !queue.empty(); queue.erase(queue.first())) {
      const auto first = earliest(naive);
      REQUIRE(queue.first() == first->first);
      REQUIRE(queue.due() == first->second);
      naive.erase(first);
    }
    REQUIRE(naive.empty());
  }
}

TEST_CASE("a queue allocates nothing but the room it is asked for") {
  deadline_queue queue;
  queue.reserve(1'000);
  const std::size_t before = allocations_so_far;
  for (std::uint32_t id = 0; id < 1'000; ++id) queue.set(id, at(1'000 - id));
  for (std::uint32_t id = 0; id < 1'000; ++id) queue.set(id, at(id));
  CHECK(queue.first() == 0);
  queue.clear();
  queue.set(999, at(1));
  CHECK(queue.first() == 999);
  CHECK(allocations_so_far == before);
}

}  // namespace
