// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/backoff.hpp"

namespace recoup {

/// How an attempt failed.
enum class failure_kind : std::uint8_t {
  transient,   ///< it may succeed another time
  overloaded,  ///< the target asks for a pause (HTTP 429 or 503, with Retry-After)
  timed_out,   ///< no answer, or the lease ran out: it may have taken effect
  permanent,   ///< it will never succeed: the target answered that it can't
};
[[nodiscard]] constexpr std::string_view name_of(failure_kind k) {
  constexpr std::array<std::string_view, 4> names{"transient", "overloaded", "timed_out", "permanent"};
  return names[static_cast<std::size_t>(k)];
}

struct failure {
  failure_kind kind = failure_kind::transient;
  duration retry_after = duration::zero();  ///< the target is left alone for at least as long
};

/// How often, when and where something is tried again.
struct retry_policy {
  std::uint16_t max_attempts = 5;            ///< at least 1
  duration give_up_after = duration::max();  ///< from the push: the first attempt after that is the last
  backoff_options backoff = {};
  std::uint16_t attempts_a_target =
      2;  ///< then the other target is tried, if there is one; 0: only if this one is down
};

/// What `decide` goes by; nothing else.
struct attempt_context {
  std::uint64_t id = 0;        ///< what was attempted: for the jitter
  std::uint32_t attempts = 1;  ///< made so far, with the one that failed
  bool was_final = false;      ///< one of them was announced to be the last
  failure failed = {};
  timestamp pushed = {};
  timestamp now = {};
  bool at_fallback = false;  ///< the one that failed was not at the first target
  bool other_is_up = false;  ///< there is another target, and nothing is known against it
};

enum class next_step : std::uint8_t { retry, fail_over, give_up };

enum class step_reason : std::uint8_t {
  may_succeed,        ///< retry: as nothing speaks against it
  other_target,       ///< fail_over: attempts_a_target failed here
  permanent_failure,  ///< give_up
  no_attempts_left,   ///< give_up: max_attempts
  too_old,            ///< give_up: give_up_after
};

[[nodiscard]] constexpr std::string_view describe(step_reason reason) {
  switch (reason) {
    case step_reason::may_succeed:
      return "it may succeed another time";
    case step_reason::other_target:
      return "it failed attempts_a_target times here, and the other target is up";
    case step_reason::permanent_failure:
      return "the target answered that it will never succeed";
    case step_reason::no_attempts_left:
      return "the last of max_attempts failed";
    case step_reason::too_old:
      return "the first attempt after give_up_after failed";
  }
  return "unknown reason";
}

struct decision {
  next_step step = next_step::give_up;
  step_reason reason = step_reason::no_attempts_left;
  timestamp at = timestamp::max();  ///< when to try again; at the end of time if never

  friend bool operator==(const decision&, const decision&) = default;
};

/// Whether the attempt with this number (from 1), begun now, is the last one whatever comes of it.
[[nodiscard]] constexpr bool is_final(const retry_policy& p, std::uint32_t attempt, timestamp pushed,
                                      timestamp now) noexcept {
  return attempt >= p.max_attempts || elapsed(pushed, now) >= p.give_up_after;
}

/// What to do after a failed attempt: a pure function. Nothing is given up before an attempt was announced to be the
/// final one, but for permanent failures; so what grows too old is tried once more, at the latest when it is.
[[nodiscard]] constexpr decision decide(const attempt_context& c, const retry_policy& p) noexcept {
  if (c.failed.kind == failure_kind::permanent) return {next_step::give_up, step_reason::permanent_failure};
  if (c.attempts >= p.max_attempts) return {next_step::give_up, step_reason::no_attempts_left};
  if (c.was_final) return {next_step::give_up, step_reason::too_old};

  const timestamp too_old = std::max(c.now, saturating_add(c.pushed, p.give_up_after));
  const duration wait = backoff(p.backoff, c.attempts, c.id);
  const bool is_enough = p.attempts_a_target != 0 && c.attempts % p.attempts_a_target == 0;
  if (is_enough && c.other_is_up) {
    // The other one is fresh, and need not be waited for; on the way back, the first one is not.
    const timestamp at = c.at_fallback ? saturating_add(c.now, wait) : c.now;
    return {next_step::fail_over, step_reason::other_target, std::min(at, too_old)};
  }
  const timestamp at = saturating_add(c.now, std::max(wait, c.failed.retry_after));
  return {next_step::retry, step_reason::may_succeed, std::min(at, too_old)};
}

namespace detail {
inline retry_policy checked(retry_policy p) {
  require_option(p.max_attempts >= 1, "retry_policy.max_attempts must be at least 1");
  require_option(p.give_up_after > duration::zero(), "retry_policy.give_up_after must be longer than zero");
  p.backoff = checked(p.backoff);
  return p;
}
}  // namespace detail

}  // namespace recoup
