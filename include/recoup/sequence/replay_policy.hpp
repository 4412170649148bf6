// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/doubling.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// When missing numbers are asked for, in what portions, and when they are given up.
struct replay_policy {
  std::uint32_t max_attempts = 5;                   ///< replay requests a gap; 0: never ask
  duration first_wait = std::chrono::seconds(1);    ///< from the first request to the second; then it doubles
  duration longest_wait = std::chrono::minutes(1);  ///< where the doubling ends
  duration give_up_after = duration::max();         ///< from the moment the hole opened, whatever was asked
  std::uint64_t max_range = std::numeric_limits<std::uint64_t>::max();  ///< numbers a request, at most
  std::uint32_t max_requests = 1'024;  ///< requests an advance; the rest is told by the next one
  std::uint32_t jitter_percent = 0;    ///< lengthens each wait by up to this much, so that consumers don't ask at once
  std::uint64_t jitter_seed = 0;       ///< gives each consumer waits of its own

  /// How long the request with this number (from 1) has for its answer. The same for all gaps, so that requests fall
  /// due in the order in which they were sent.
  [[nodiscard]] constexpr duration wait_after(std::uint32_t attempt) const noexcept {
    const duration wait = detail::doubled(first_wait, longest_wait, attempt);
    if (jitter_percent == 0) return wait;
    constexpr std::uint64_t steps = 1'024;
    const std::uint64_t share = detail::combine({jitter_seed, attempt}) % (steps + 1) * jitter_percent;
    const duration step = wait / static_cast<duration::rep>(steps * 100);
    return saturating_add(wait, saturating_multiply(step, share));
  }
};

namespace detail {
inline replay_policy checked(replay_policy p) {
  require_option(p.max_attempts < std::numeric_limits<std::uint32_t>::max(),
                 "replay_policy.max_attempts must be less than 2^32 - 1");
  require_option(p.first_wait > duration::zero(), "replay_policy.first_wait must be longer than zero");
  require_option(p.longest_wait >= p.first_wait, "replay_policy.longest_wait must not be shorter than first_wait");
  require_option(p.give_up_after > duration::zero(), "replay_policy.give_up_after must be longer than zero");
  require_option(p.max_range >= 1, "replay_policy.max_range must be at least 1 number");
  require_option(p.max_requests >= 1, "replay_policy.max_requests must be at least 1 an advance");
  require_option(p.jitter_percent <= 1'000, "replay_policy.jitter_percent must be 0 to 1000");
  return p;
}
}  // namespace detail

}  // namespace recoup
