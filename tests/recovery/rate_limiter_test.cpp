// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/rate_limiter.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::rate_limit;
using recoup::rate_limiter;
using recoup::timestamp;

constexpr timestamp at(std::int64_t ns) { return timestamp(duration(ns)); }

TEST_CASE("a limiter without a limit permits every call") {
  rate_limiter limiter;
  for (const timestamp now : {at(0), timestamp::min(), timestamp::max()}) {
    CHECK(limiter.permits(now));
    limiter.begin(now);
  }
  CHECK(limiter.permitted_from() == timestamp::min());
}

TEST_CASE("a limiter permits a burst and then one call an interval") {
  rate_limiter limiter({.calls = 10, .per = 1s, .burst = 3});
  timestamp now = at(5'000);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(limiter.permits(now));
    limiter.begin(now);
  }
  CHECK_FALSE(limiter.permits(now));
  CHECK(limiter.permitted_from() == now + 100ms);
  CHECK_FALSE(limiter.permits(now + 100ms - 1ns));
  now += 100ms;
  REQUIRE(limiter.permits(now));
  limiter.begin(now);
  CHECK_FALSE(limiter.permits(now));
}

// As many tokens as `burst`, one more each interval.
TEST_CASE("a limiter permits what a bucket of tokens does") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 random(seed);
    const auto interval = static_cast<std::int64_t>(1 + random() % 50);
    const std::uint32_t burst = 1 + static_cast<std::uint32_t>(random() % 5);
    rate_limiter limiter({.calls = 1, .per = duration(interval), .burst = burst});
    std::int64_t tokens = burst * interval;  // in parts of an interval
    std::int64_t clock = -1'000;
    for (int i = 0; i < 500; ++i) {
      const auto step = static_cast<std::int64_t>(random() % 60);
      clock += step;
      tokens = std::min<std::int64_t>(tokens + step, burst * interval);
      const bool has_token = tokens >= interval;
      if (limiter.permits(at(clock)) != has_token) FAIL("seed " << seed << " step " << i);
      if (has_token) {
        limiter.begin(at(clock));
        tokens -= interval;
      }
    }
  }
  SUCCEED();
}

TEST_CASE("a rate that does not divide its time is never exceeded") {
  rate_limiter limiter({.calls = 3, .per = 1s});
  timestamp now = at(0);
  for (int i = 0; i < 3; ++i) {
    now = std::max(now, limiter.permitted_from());
    limiter.begin(now);
  }
  CHECK(limiter.permitted_from() > at(0) + 1s);
  CHECK(limiter.permitted_from() <= at(0) + 1s + 3ns);
}

TEST_CASE("a limiter waits longer where time goes back and stands the ends of time") {
  rate_limiter limiter({.calls = 1, .per = 1s});
  limiter.begin(at(0) + 1h);
  CHECK_FALSE(limiter.permits(at(0)));
  CHECK(limiter.permits(at(0) + 1h + 1s));
  limiter.begin(timestamp::max());
  CHECK(limiter.permits(timestamp::max()));
  rate_limiter first({.calls = 1, .per = duration::max(), .burst = ~std::uint32_t{0}});
  first.begin(timestamp::min());
  first.begin(timestamp::min());
  CHECK(first.permits(timestamp::max()));
}

TEST_CASE("a limiter restored waits as the one saved") {
  rate_limiter limiter({.calls = 1, .per = 1s});
  limiter.begin(at(7));
  const auto bytes = recoup::snapshot(limiter);
  rate_limiter other({.calls = 1, .per = 1s});
  REQUIRE(recoup::restore(other, bytes));
  CHECK(other.permitted_from() == limiter.permitted_from());
  rate_limiter faster({.calls = 2, .per = 1s});
  CHECK(recoup::restore(faster, bytes).status == recoup::snapshot_status::other_configuration);
}

TEST_CASE("limits that make no sense are refused with a sentence") {
  CHECK_THROWS_AS(rate_limiter({.calls = 1, .per = 0s}), std::invalid_argument);
  CHECK_THROWS_AS(rate_limiter({.calls = 1, .burst = 0}), std::invalid_argument);
}

}  // namespace
