// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/retry_policy.hpp"

#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <string_view>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::attempt_context;
using recoup::decide;
using recoup::decision;
using recoup::duration;
using recoup::failure_kind;
using recoup::jitter;
using recoup::next_step;
using recoup::retry_policy;
using recoup::step_reason;
using recoup::timestamp;

constexpr timestamp start = timestamp(1h);
constexpr retry_policy plain{.max_attempts = 4,
                             .give_up_after = 1min,
                             .backoff = {.first = 1s, .longest = 10s, .jitter = jitter::none},
                             .attempts_a_target = 2};

constexpr attempt_context after(std::uint32_t attempts, failure_kind kind = failure_kind::transient) {
  attempt_context c;
  c.attempts = attempts;
  c.failed.kind = kind;
  c.pushed = start;
  c.now = start + 5s;
  return c;
}

TEST_CASE("what may succeed is tried again after its backoff") {
  STATIC_REQUIRE(decide(after(1), plain) == decision{next_step::retry, step_reason::may_succeed, start + 6s});
  STATIC_REQUIRE(decide(after(3), plain) == decision{next_step::retry, step_reason::may_succeed, start + 9s});
  CHECK(decide(after(3, failure_kind::timed_out), plain).step == next_step::retry);
  CHECK(decide(after(3, failure_kind::overloaded), plain).step == next_step::retry);
}

TEST_CASE("what can not succeed is given up at once and the rest after the last attempt") {
  STATIC_REQUIRE(decide(after(1, failure_kind::permanent), plain) ==
                 decision{next_step::give_up, step_reason::permanent_failure, timestamp::max()});
  CHECK(decide(after(4), plain).reason == step_reason::no_attempts_left);
  CHECK(decide(after(5), plain).step == next_step::give_up);
}

TEST_CASE("a target that asks for a pause gets it") {
  auto c = after(1, failure_kind::overloaded);
  c.failed.retry_after = 20s;
  CHECK(decide(c, plain).at == c.now + 20s);
  c.failed.retry_after = 1ns;
  CHECK(decide(c, plain).at == c.now + 1s);
  c.failed.retry_after = duration::min();
  CHECK(decide(c, plain).at == c.now + 1s);
}

TEST_CASE("after its attempts at a target the other one is tried at once and the first again after a wait") {
  auto c = after(2);
  CHECK(decide(c, plain).step == next_step::retry);  // there is no other
  c.other_is_up = true;
  CHECK(decide(c, plain) == decision{next_step::fail_over, step_reason::other_target, c.now});
  c.at_fallback = true;
  CHECK(decide(c, plain) == decision{next_step::fail_over, step_reason::other_target, c.now + 2s});
  c.attempts = 1;
  CHECK(decide(c, plain).step == next_step::retry);
  auto never = plain;
  never.attempts_a_target = 0;
  c.attempts = 2;
  CHECK(decide(c, never).step == next_step::retry);
}

TEST_CASE("what is too old is tried once more and then given up") {
  auto c = after(2);
  c.now = start + 59s;
  CHECK(decide(c, plain).at == start + 1min);  // sooner than its backoff
  CHECK_FALSE(is_final(plain, 3, start, start + 1min - 1ns));
  CHECK(is_final(plain, 3, start, start + 1min));
  c.now = start + 2min;
  CHECK(decide(c, plain) == decision{next_step::retry, step_reason::may_succeed, c.now});
  c.was_final = true;
  CHECK(decide(c, plain).reason == step_reason::too_old);
}

TEST_CASE("whatever the context nothing is given up unannounced and no time is before now") {
  std::mt19937_64 random(11);
  const auto any_time = [&] {
    switch (random() % 4) {
      case 0:
        return timestamp::min();
      case 1:
        return timestamp::max();
      default:
        return timestamp(duration(static_cast<std::int64_t>(random())));
    }
  };
  for (int i = 0; i < 20'000; ++i) {
    retry_policy p;
    p.max_attempts = static_cast<std::uint16_t>(1 + random() % 10);
    p.give_up_after = duration(1 + static_cast<std::int64_t>(random() >> 2));
    p.attempts_a_target = static_cast<std::uint16_t>(random() % 4);
    p.backoff.jitter = static_cast<jitter>(random() % 4);
    attempt_context c;
    c.id = random();
    c.attempts = static_cast<std::uint32_t>(random() % 12);
    c.was_final = random() % 3 == 0;
    c.failed = {static_cast<failure_kind>(random() % 4), duration(static_cast<std::int64_t>(random()))};
    c.pushed = any_time();
    c.now = any_time();
    c.at_fallback = random() % 2 == 0;
    c.other_is_up = random() % 2 == 0;
    const decision d = decide(c, p);
    const bool is_good =
        d.step == next_step::give_up
            ? c.was_final || c.attempts >= p.max_attempts || c.failed.kind == failure_kind::permanent
            : d.at >= c.now && !c.was_final && (d.step != next_step::fail_over || c.other_is_up) && d == decide(c, p);
    if (!is_good) FAIL("run " << i);
  }
  SUCCEED();
}

TEST_CASE("every reason has a sentence of its own") {
  std::set<std::string_view> sentences;
  for (const auto r : {step_reason::may_succeed, step_reason::other_target, step_reason::permanent_failure,
                       step_reason::no_attempts_left, step_reason::too_old}) {
    sentences.insert(describe(r));
  }
  CHECK(sentences.size() == 5);
  CHECK(describe(static_cast<step_reason>(99)) == "unknown reason");
}

TEST_CASE("retry policies that make no sense are refused with a sentence") {
  using recoup::detail::checked;
  CHECK_THROWS_AS(checked(retry_policy{.max_attempts = 0}), std::invalid_argument);
  CHECK_THROWS_AS(checked(retry_policy{.give_up_after = 0s}), std::invalid_argument);
  CHECK_THROWS_AS(checked(retry_policy{.backoff = {.first = 0s}}), std::invalid_argument);
}

}  // namespace
