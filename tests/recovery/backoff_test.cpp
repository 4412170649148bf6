// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/backoff.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::backoff;
using recoup::backoff_options;
using recoup::duration;
using recoup::jitter;

constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();

TEST_CASE("without jitter the wait doubles up to the longest") {
  constexpr backoff_options o{.first = 1s, .longest = 10s, .jitter = jitter::none};
  STATIC_REQUIRE(backoff(o, 1, 7) == 1s);
  STATIC_REQUIRE(backoff(o, 2, 7) == 2s);
  STATIC_REQUIRE(backoff(o, 4, 7) == 8s);
  STATIC_REQUIRE(backoff(o, 5, 7) == 10s);
  STATIC_REQUIRE(backoff(o, most, 7) == 10s);
  STATIC_REQUIRE(backoff(o, 0, 7) == 1s);
}

TEST_CASE("every wait with jitter is in the range of its kind whatever the options") {
  std::mt19937_64 random(4);
  for (int run = 0; run < 2'000; ++run) {
    const auto any = [&] { return duration(1 + static_cast<std::int64_t>(random() >> (1 + random() % 63))); };
    backoff_options o{.first = run % 50 == 0 ? duration::max() : any(), .jitter = jitter::none, .seed = random()};
    o.longest = run % 7 == 0 ? duration::max() : std::max(o.first, any());
    const std::uint64_t id = random();
    for (const std::uint32_t attempt : {0U, 1U, 2U, 3U, 10U, 31U, 32U, 33U, 34U, 70U, most}) {
      o.jitter = jitter::none;
      const duration whole = backoff(o, attempt, id);
      const auto wait = [&](jitter kind) {
        o.jitter = kind;
        return backoff(o, attempt, id);
      };
      const duration full = wait(jitter::full);
      const duration equal = wait(jitter::equal);
      const duration decorrelated = wait(jitter::decorrelated);
      const bool is_in_range = full >= 0ns && full <= whole && equal >= whole / 2 && equal <= whole &&
                               decorrelated >= o.first && decorrelated <= o.longest;
      if (!is_in_range) {
        CAPTURE(o.first.count(), o.longest.count(), attempt, full.count(), equal.count(), decorrelated.count());
        REQUIRE(is_in_range);
      }
    }
  }
  SUCCEED();
}

TEST_CASE("a decorrelated wait is at most three times the one before") {
  const backoff_options o{.first = 10ms, .longest = 20s, .jitter = jitter::decorrelated};
  for (std::uint64_t id = 0; id < 200; ++id) {
    duration before = o.first;
    for (std::uint32_t attempt = 1; attempt <= recoup::decorrelated_steps; ++attempt) {
      const duration wait = backoff(o, attempt, id);
      if (wait > 3 * before) FAIL("id " << id << " attempt " << attempt);
      before = wait;
    }
  }
  SUCCEED();
}

TEST_CASE("full jitter spreads waits evenly and equal jitter over the upper half") {
  for (const auto& [kind, least] : {std::pair(jitter::full, 0.0), std::pair(jitter::equal, 0.5)}) {
    const backoff_options o{.first = 1s, .longest = 1s, .jitter = kind};
    constexpr int waits = 20'000;
    double sum = 0;
    double squares = 0;
    for (std::uint64_t id = 0; id < waits; ++id) {
      const double share = static_cast<double>(backoff(o, 1, id).count()) / 1e9;
      sum += share;
      squares += share * share;
    }
    const double width = 1 - least;
    const double mean = sum / waits;
    const double variance = squares / waits - mean * mean;
    // Six standard deviations of each.
    CHECK_THAT(mean, Catch::Matchers::WithinAbs(least + width / 2, 6 * width / std::sqrt(12.0 * waits)));
    CHECK_THAT(variance, Catch::Matchers::WithinAbs(width * width / 12, 6 * width * width / std::sqrt(180.0 * waits)));
  }
}

TEST_CASE("a wait is the same each time and another for each id seed and attempt") {
  const backoff_options o{.first = 1h, .longest = 1h};
  CHECK(backoff(o, 3, 5) == backoff(o, 3, 5));
  std::set<duration> waits;
  for (std::uint64_t id = 0; id < 100; ++id) waits.insert(backoff(o, 1, id));
  for (std::uint32_t attempt = 2; attempt <= 101; ++attempt) waits.insert(backoff(o, attempt, 0));
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    waits.insert(backoff({.first = 1h, .longest = 1h, .seed = seed}, 1, 0));
  CHECK(waits.size() == 300);
}

TEST_CASE("backoff options that make no sense are refused with a sentence") {
  using recoup::detail::checked;
  CHECK_THROWS_AS(checked(backoff_options{.first = 0ns}), std::invalid_argument);
  CHECK_THROWS_AS(checked(backoff_options{.first = 2s, .longest = 1s}), std::invalid_argument);
  CHECK_THROWS_AS(checked(backoff_options{.jitter = static_cast<jitter>(4)}), std::invalid_argument);
  CHECK_NOTHROW(checked(backoff_options{.first = 1ns, .longest = 1ns}));
}

}  // namespace
