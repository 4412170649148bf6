// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/detail/flat_deque.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "test_scale.hpp"

namespace {

using recoup::detail::flat_deque;

static_assert(std::is_nothrow_move_constructible_v<flat_deque<int, 2>>);
static_assert(std::is_nothrow_move_assignable_v<flat_deque<int, 2>>);

template <class Deque>
std::vector<int> all_of(const Deque& d) {
  return {d.begin(), d.end()};
}

template <std::uint32_t Inline>
void require_same_as_std_deque(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto roll = [&](std::uint64_t n) { return random() % n; };
  flat_deque<int, Inline> d;
  std::deque<int> model;
  std::size_t most_elements = Inline;
  const std::uint64_t shrinking = 1 + roll(12);
  for (int step = 0; step < 400; ++step) {
    const int value = static_cast<int>(roll(1'000));
    const std::size_t i = roll(model.size() + 1);
    switch (const std::uint64_t choice = roll(12 + shrinking)) {
      case 0:
      case 1:
      case 2:
      case 3:
        d.push_back(value);
        model.push_back(value);
        break;
      case 4:
      case 5:
      case 6: {
        int* const at = d.insert(d.begin() + i, value);
        REQUIRE(at == d.begin() + i);
        model.insert(model.begin() + static_cast<std::ptrdiff_t>(i), value);
        break;
      }
      case 7: {
        const std::size_t last = i + roll(model.size() - i + 1);
        int* const at = d.erase(d.begin() + i, d.begin() + last);
        REQUIRE(at == d.begin() + i);
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(i), model.begin() + static_cast<std::ptrdiff_t>(last));
        break;
      }
      case 8:
        d.make_room();
        break;
      case 9: {
        flat_deque<int, Inline> copy(d);
        REQUIRE(all_of(copy) == all_of(d));
        if (roll(2) == 0) {
          d = std::move(copy);
        } else {
          d = std::as_const(copy);
        }
        break;
      }
      case 10: {
        flat_deque<int, Inline> moved(std::move(d));
        REQUIRE(d.empty());  // NOLINT(bugprone-use-after-move)
        d.push_back(value);
        d = std::move(moved);
        break;
      }
      case 11:
        if (roll(20) == 0) {
          d.clear();
          model.clear();
        } else if (!model.empty()) {  // an element of itself
          d.push_back(d.front());
          model.push_back(model.front());
          d.insert(d.begin(), d.back());
          model.push_front(model.back());
        }
        break;
      default:
        if (model.empty()) break;
        if (choice % 4 == 0) {
          d.pop_back();
          model.pop_back();
        } else {
          d.pop_front();
          model.pop_front();
        }
    }
    most_elements = std::max(most_elements, model.size());
    REQUIRE(d.size() == model.size());
    REQUIRE(d.empty() == model.empty());
    if (!std::equal(d.begin(), d.end(), model.begin(), model.end())) FAIL("seed " << seed << " step " << step);
    if (!model.empty() && (d.front() != model.front() || d.back() != model.back())) FAIL("ends at step " << step);
    REQUIRE(d.heap_bytes() <= 2 * (most_elements + 1) * sizeof(int));
  }
}

TEST_CASE("a flat deque does what a std deque does in room for twice as many") {
  for (std::uint64_t seed = 1; seed <= 60 * test_scale(); ++seed) {
    require_same_as_std_deque<1>(seed);
    require_same_as_std_deque<2>(seed);
    require_same_as_std_deque<7>(seed);
  }
}

TEST_CASE("a flat deque with room allocates nothing for what is added at the back and taken at the front") {
  flat_deque<int, 2> d;
  d.reserve(50);
  const std::size_t before = allocations_so_far;
  int next = 0;
  for (; next < 50; ++next) d.push_back(next);
  for (; next < 10'000; ++next) {
    d.pop_front();
    d.push_back(next);
  }
  CHECK(allocations_so_far == before);
  CHECK(d.front() == 9'950);
  CHECK(d.back() == 9'999);
}

TEST_CASE("a flat deque that keeps its size stops allocating whatever that was") {
  for (const int size : {1, 2, 3, 5, 8, 13, 100}) {
    flat_deque<int, 1> d;
    int next = 0;
    for (; next < size; ++next) d.push_back(next);
    const auto turn = [&](int times) {
      for (int i = 0; i < times; ++i) {
        d.pop_front();
        d.push_back(next++);
      }
    };
    turn(10 * size);
    const std::size_t before = allocations_so_far;
    turn(1'000);
    CHECK(allocations_so_far == before);
  }
}

TEST_CASE("after make_room one element more needs no memory wherever it goes") {
  for (int elements = 0; elements < 40; ++elements) {
    for (int popped = 0; popped <= elements; ++popped) {
      for (const int at : {0, (elements - popped) / 2, elements - popped}) {
        flat_deque<int, 2> d;
        for (int i = 0; i < elements; ++i) d.push_back(i);
        for (int i = 0; i < popped; ++i) d.pop_front();
        d.make_room();
        const std::size_t before = allocations_so_far;
        d.insert(d.begin() + at, 7);
        if (allocations_so_far != before) FAIL(elements << " elements, " << popped << " popped, insert at " << at);
      }
    }
  }
  SUCCEED();
}

TEST_CASE("a flat deque without memory to grow is as it was") {
  flat_deque<int, 2> d;
  for (int i = 0; i < 6; ++i) d.push_back(i);
  const std::vector<int> before = all_of(d);
  flat_deque<int, 2> full = d;
  while (full.size() < full.heap_bytes() / sizeof(int)) full.push_back(6);
  const std::vector<int> all = all_of(full);
  const auto fails = [](auto&& f) {
    allocations_left = 0;
    bool failed = false;
    try {
      f();
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    allocations_left = any_number_of_allocations;
    return failed;
  };
  CHECK(fails([&] { full.push_back(1); }));
  CHECK(fails([&] { full.insert(full.begin() + 1, 1); }));
  CHECK(fails([&] { full.make_room(); }));
  CHECK(fails([&] { full.reserve(1'000); }));
  CHECK(all_of(full) == all);
  flat_deque<int, 2> small;
  small.push_back(9);
  CHECK(fails([&] { small = d; }));
  CHECK(all_of(small) == std::vector<int>{9});
  CHECK(all_of(d) == before);
}

}  // namespace
