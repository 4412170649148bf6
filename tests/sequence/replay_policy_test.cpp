// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/replay_policy.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
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
