// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/replay_policy.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"

namespace {

using recoup::duration;
using recoup::replay_policy;
using namespace std::chrono_literals;

constexpr duration longest = duration::max();

// Doubles one step at a time.
duration naive_wait(const replay_policy& p, std::uint32_t attempt) {
  auto wait = p.first_wait.count();
  for (std::uint32_t i = 1; i < attempt && wait < p.longest_wait.count(); ++i) {
    wait = wait > longest.count() / 2 ? longest.count() : 2 * wait;
  }
  return std::min(duration{wait}, p.longest_wait);
}

TEST_CASE("the wait doubles up to the longest") {
  constexpr replay_policy p{.first_wait = 1s, .longest_wait = 10s};
  STATIC_REQUIRE(p.wait_after(1) == 1s);
  STATIC_REQUIRE(p.wait_after(2) == 2s);
  STATIC_REQUIRE(p.wait_after(3) == 4s);
  STATIC_REQUIRE(p.wait_after(4) == 8s);
  STATIC_REQUIRE(p.wait_after(5) == 10s);
  STATIC_REQUIRE(p.wait_after(std::numeric_limits<std::uint32_t>::max()) == 10s);
}

TEST_CASE("the wait before any request is the first wait") {
  CHECK(replay_policy{.first_wait = 3ms}.wait_after(0) == 3ms);
}

TEST_CASE("the wait is exact to the end of what a duration holds") {
  constexpr replay_policy p{.first_wait = 1ns, .longest_wait = longest};
  for (std::uint32_t attempt = 1; attempt <= 63; ++attempt) {
    CAPTURE(attempt);
    REQUIRE(p.wait_after(attempt).count() == std::int64_t{1} << (attempt - 1));
  }
  for (const std::uint32_t attempt : {64U, 65U, 66U, 128U, 1'000'000U, std::numeric_limits<std::uint32_t>::max()}) {
    CAPTURE(attempt);
    REQUIRE(p.wait_after(attempt) == longest);
  }
}

TEST_CASE("any policy waits as one that doubles step by step and never less than before") {
  std::mt19937_64 random(20'001);
  for (int run = 0; run < 2'000; ++run) {
    const auto any = [&] { return duration{static_cast<std::int64_t>(random() >> (1 + random() % 63)) + (run % 2)}; };
    replay_policy p{.first_wait = std::max(duration{1}, any())};
    p.longest_wait = std::max(p.first_wait, any());
    duration before = duration::zero();
    for (std::uint32_t attempt = 1; attempt <= 70; ++attempt) {
      const duration wait = p.wait_after(attempt);
      if (wait != naive_wait(p, attempt) || wait < before) {
        CAPTURE(p.first_wait.count(), p.longest_wait.count(), attempt);
        REQUIRE(wait == naive_wait(p, attempt));
        REQUIRE(wait >= before);
      }
      before = wait;
    }
  }
  SUCCEED();
}

TEST_CASE("jitter never shortens a wait and lengthens it by no more than its share") {
  std::mt19937_64 random(20'002);
  __extension__ using wide = __int128;
  for (int run = 0; run < 2'000; ++run) {
    replay_policy plain{.first_wait = duration{static_cast<std::int64_t>(1 + (random() >> (1 + random() % 63)) / 2)}};
    plain.longest_wait = std::max(plain.first_wait, duration{static_cast<std::int64_t>(random() >> 1)});
    replay_policy jittered = plain;
    jittered.jitter_percent = static_cast<std::uint32_t>(random() % 1'001);
    jittered.jitter_seed = random();
    for (const std::uint32_t attempt : {0U, 1U, 2U, 3U, 10U, 64U, 1'000'000U}) {
      const duration wait = jittered.wait_after(attempt);
      const duration at_least = plain.wait_after(attempt);
      const wide at_most = wide{at_least.count()} + wide{at_least.count()} * jittered.jitter_percent / 100;
      CAPTURE(plain.first_wait.count(), jittered.jitter_percent, jittered.jitter_seed, attempt);
      REQUIRE(wait >= at_least);
      REQUIRE((wait == longest || wide{wait.count()} <= at_most));
      REQUIRE(wait == jittered.wait_after(attempt));
    }
  }
}

TEST_CASE("jitter spreads consumers with other seeds over all of its share") {
  replay_policy p{.first_wait = 1s, .longest_wait = 1s, .jitter_percent = 50};
  std::set<duration> waits;
  for (p.jitter_seed = 0; p.jitter_seed < 1'000; ++p.jitter_seed) waits.insert(p.wait_after(1));
  CHECK(waits.size() > 500);
  CHECK(*waits.begin() < 1'010ms);
  CHECK(*waits.rbegin() > 1'490ms);
  p.jitter_percent = 0;
  CHECK(p.wait_after(1) == 1s);
  p.jitter_percent = 50;
  CHECK(p.wait_after(1) != p.wait_after(2));
}

TEST_CASE("the policy of a default constructed object is usable") {
  CHECK_NOTHROW(recoup::detail::checked(replay_policy{}));
  CHECK(replay_policy{}.wait_after(1) > duration::zero());
}

TEST_CASE("an impossible policy is refused with a sentence that names the option") {
  struct bad {
    replay_policy policy;
    std::string option;
  };
  const std::vector<bad> all{
      {{.first_wait = 0s}, "first_wait"},
      {{.first_wait = -1s}, "first_wait"},
      {{.first_wait = duration::min()}, "first_wait"},
      {{.first_wait = 2s, .longest_wait = 1s}, "longest_wait"},
      {{.longest_wait = -1s}, "longest_wait"},
      {{.max_attempts = std::numeric_limits<std::uint32_t>::max()}, "max_attempts"},
      {{.max_range = 0}, "max_range"},
      {{.max_requests = 0}, "max_requests"},
      {{.jitter_percent = 1'001}, "jitter_percent"},
      {{.give_up_after = 0s}, "give_up_after"},
      {{.give_up_after = -1ns}, "give_up_after"},
  };
  for (const bad& b : all) {
    CAPTURE(b.option);
    std::string sentence;
    try {
      static_cast<void>(recoup::detail::checked(b.policy));
    } catch (const std::invalid_argument& refused) {
      sentence = refused.what();
    }
    CHECK(sentence.find("replay_policy." + b.option) != std::string::npos);
  }
}

}  // namespace
