// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// When missing numbers are asked for, and when they are given up.
struct replay_policy {
  std::uint32_t max_attempts = 5;                   ///< replay requests a gap; 0: never ask
  duration first_wait = std::chrono::seconds(1);    ///< from the first request to the second; then it doubles
  duration longest_wait = std::chrono::minutes(1);  ///< where the doubling ends
  duration give_up_after = duration::max();         ///< from the moment the hole opened, whatever was asked

  /// How long the request with this number (from 1) has for its answer.
  [[nodiscard]] constexpr duration wait_after(std::uint32_t attempt) const noexcept {
    const std::uint32_t doublings = attempt > 0 ? attempt - 1 : 0;
    const duration wait =
        doublings < 63 ? saturating_multiply(first_wait, std::uint64_t{1} << doublings) : longest_wait;
    return wait < longest_wait ? wait : longest_wait;
  }
};

namespace detail {
inline replay_policy checked(replay_policy p) {
  require_option(p.first_wait > duration::zero(), "replay_policy.first_wait must be longer than zero");
  require_option(p.longest_wait >= p.first_wait, "replay_policy.longest_wait must not be shorter than first_wait");
  require_option(p.give_up_after > duration::zero(), "replay_policy.give_up_after must be longer than zero");
  return p;
}
}  // namespace detail

}  // namespace recoup
