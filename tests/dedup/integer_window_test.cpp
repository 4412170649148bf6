// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/integer_window.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <unordered_set>
#include <vector>

#include "catch.hpp"
#include "dedup/line_window_model.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/window.hpp"

namespace {

using line_window_tests::agree_with_the_model;
using line_window_tests::at;
using recoup::duration;
using recoup::integer_window;
using recoup::window_options;

enum class side : std::int8_t { sell = -1, buy = 1 };

static_assert(recoup::dedup_window<integer_window<>, std::uint64_t>);
static_assert(recoup::dedup_window<integer_window<>, side>);

TEST_CASE("a window of integers answers as the model does") {
  for (const std::size_t events : {1U, 2U, 10U, 97U, 300U, 2'000U}) {
    for (const duration age : {duration::max(), duration(6'400), duration(1)}) {
      for (const bool renew : {false, true}) {
        for (const bool wanders : {false, true}) {
          INFO("events " << events << ", age " << age.count() << ", renew " << renew << ", time wanders " << wanders);
          const auto t = agree_with_the_model<integer_window<>>(
              {.events = events, .age = age, .seed = events, .renew = renew}, events + 1 + events / 2, wanders, 4'000);
          CHECK(t.missed == 0);
          CHECK(t.mistaken == 0);
          CHECK(t.wrong == 0);
        }
      }
    }
  }
}

// Keys that differ in few bits, in high ones, or in one step.
TEST_CASE("a full window of integers mistakes none for another and evicts by count alone") {
  constexpr std::size_t events = 1 << 16;
  for (const std::uint64_t step :
       {std::uint64_t{1}, std::uint64_t{1} << 40, std::uint64_t{0x9E37'79B9'7F4A'7C15}, ~std::uint64_t{0}}) {
    INFO("step " << step);
    integer_window<> window({.events = events});
    std::uint64_t mistaken = 0;
    std::uint64_t missed = 0;
    std::unordered_set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < 3 * events; ++i) {
      const std::uint64_t key = i * step;
      mistaken += window.observe(key, at(0)).is_duplicate && seen.insert(key).second;
      if (i >= events - 1) missed += !window.judge((i - (events - 1)) * step, at(0)).is_duplicate;
    }
    CHECK(mistaken == 0);
    if (step != std::uint64_t{1} << 40) CHECK(missed == 0);  // of those there are only 2^24
  }
}

TEST_CASE("integers and enumerations are the same key if their values are equal") {
  integer_window<> window;
  for (const std::uint64_t key :
       {std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(), std::uint64_t{1} << 63}) {
    CHECK_FALSE(window.observe(key, at(0)).is_duplicate);
    CHECK(window.observe(key, at(0)).is_duplicate);
  }
  CHECK(window.judge(0, at(0)).is_duplicate);
  CHECK(window.judge(side::sell, at(0)).is_duplicate);
  CHECK(window.judge(std::numeric_limits<std::int64_t>::min(), at(0)).is_duplicate);
  CHECK_FALSE(window.observe(side::buy, at(0)).is_duplicate);
  CHECK(window.judge(std::uint8_t{1}, at(0)).is_duplicate);
}

TEST_CASE("an integer takes three bytes more than it has and is never mistaken") {
  for (const std::size_t events : {std::size_t{1} << 16, std::size_t{1} << 20, std::size_t{1} << 30}) {
    const window_options o{.events = events};
    CHECK(static_cast<double>(integer_window<>::bytes_for(o)) <= 11.4 * static_cast<double>(events));
    CHECK(integer_window<>::false_positive_rate_for(o) == 0);
  }
}

TEST_CASE("keys made to collide drive each other out and that is counted but not under another seed") {
  constexpr std::size_t events = 1'000;
  const integer_window<> known({.events = events, .seed = 1});
  std::vector<std::uint64_t> colliding;
  std::mt19937_64 random(5);
  while (colliding.size() < 40) {
    const std::uint64_t key = random();
    const auto hash = known.hash(key);
    if (hash.first < 2 && hash.second < 2) colliding.push_back(key);
  }
  for (const std::uint64_t seed : {1U, 2U}) {
    integer_window<> window({.events = events, .seed = seed});
    for (const std::uint64_t key : colliding) CHECK_FALSE(window.observe(key, at(0)).is_duplicate);
    std::size_t remembered = 0;
    for (const std::uint64_t key : colliding) remembered += window.judge(key, at(0)).is_duplicate;
    CHECK(window.evicted_within_age() == colliding.size() - remembered);
    CHECK((window.evicted_within_age() > 0) == (seed == 1));
    CHECK(window.youngest_evicted().has_value() == (seed == 1));
  }
}

TEST_CASE("a window of integers is restored, shared out and merged") {
  integer_window<> window({.events = 500, .seed = 3});
  for (int key = -300; key < 700; ++key) window.observe(key, at(key));
  integer_window<> restored({.events = 500, .seed = 3});
  REQUIRE(recoup::restore(restored, recoup::snapshot(window)));
  CHECK(recoup::snapshot(restored) == recoup::snapshot(window));
  integer_window<> other({.events = 500, .seed = 4});
  CHECK_FALSE(recoup::restore(other, recoup::snapshot(window)));

  integer_window<> first = window;
  integer_window<> second = window;
  first.keep_part(0, 2);
  second.keep_part(1, 2);
  for (int key = 200; key < 700; ++key) {
    CHECK(first.judge(key, at(700)).is_duplicate == (window.part_of(key, 2) == 0));
    CHECK(second.judge(key, at(700)).is_duplicate == (window.part_of(key, 2) == 1));
  }
  REQUIRE(first.merge(second));
  for (int key = 200; key < 700; ++key) CHECK(first.judge(key, at(700)).is_duplicate);
}

}  // namespace
