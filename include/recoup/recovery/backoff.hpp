// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/doubling.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// How waits are spread, so that what failed together does not come back together. w is the doubled wait; the names are
/// those of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
enum class jitter : std::uint8_t {
  none,          ///< w
  full,          ///< from 0 to w: the least work for the target
  equal,         ///< from w/2 to w: never at once
  decorrelated,  ///< from `first` to three times the wait before: grows, but not in steps
};

struct backoff_options {
  duration first = std::chrono::seconds(1);    ///< after the first attempt; then it doubles; longer than zero
  duration longest = std::chrono::minutes(1);  ///< where the doubling ends, and the longest of all waits
  recoup::jitter jitter = recoup::jitter::full;
  std::uint64_t seed = 0;  ///< gives each process waits of its own
};

namespace detail {

// From 0 to d, evenly, by the upper half of the hash.
constexpr duration portion(duration d, std::uint64_t hash) noexcept {
  const auto whole = static_cast<std::uint64_t>(d.count());
  const std::uint64_t part = hash >> 32;
  return duration(static_cast<ticks>((whole >> 32) * part + ((whole & 0xFFFF'FFFF) * part >> 32)));
}

inline backoff_options checked(backoff_options o) {
  require_option(o.first > duration::zero(), "backoff_options.first must be longer than zero");
  require_option(o.longest >= o.first, "backoff_options.longest must not be shorter than first");
  require_option(o.jitter <= jitter::decorrelated, "backoff_options.jitter must be one of the enumeration jitter");
  return o;
}

constexpr std::uint64_t configuration_of(const backoff_options& o) noexcept {
  return combine({option(o.first), option(o.longest), static_cast<std::uint64_t>(o.jitter), o.seed});
}

}  // namespace detail

inline constexpr std::uint32_t decorrelated_steps = 32;

/// How long to wait after the attempt with this number (from 1) has failed: exponential backoff with a cap and jitter.
/// A pure function: the jitter comes from a hash of the seed, the id and the attempt, and not from chance, so that a
/// run can be repeated. `id` is what is attempted: two of them wait differently. From zero (jitter::full; else from
/// first, or half of it) to `longest`. O(1); decorrelated O(attempt), as each of its waits depends on the one before:
/// at most decorrelated_steps, as it then begins anew at `longest`, near which it would be anyway.
[[nodiscard]] constexpr duration backoff(const backoff_options& o, std::uint32_t attempt, std::uint64_t id) noexcept {
  const auto hash = [&](std::uint32_t n) { return detail::combine({o.seed, id, n}); };
  const duration wait = detail::doubled(o.first, o.longest, attempt);
  switch (o.jitter) {
    case jitter::none:
      return wait;
    case jitter::full:
      return detail::portion(wait, hash(attempt));
    case jitter::equal:
      return wait - detail::portion(wait / 2, hash(attempt));
    case jitter::decorrelated:
      break;
  }
  const bool is_long = attempt > decorrelated_steps;
  duration before = is_long ? o.longest : o.first;
  for (std::uint32_t n = is_long ? attempt - decorrelated_steps + 1 : 1;; ++n) {
    const duration most = std::max(saturating_multiply(before, 3), o.first);
    before = std::min(o.longest, o.first + detail::portion(most - o.first, hash(n)));
    if (n >= attempt) return before;
  }
}

}  // namespace recoup
