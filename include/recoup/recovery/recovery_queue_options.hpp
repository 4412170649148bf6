// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/circuit_breaker.hpp"
#include "recoup/recovery/rate_limiter.hpp"
#include "recoup/recovery/retry_policy.hpp"

namespace recoup {

/// Somewhere outside that can be down: a service, a database, a provider of data.
struct recovery_target {
  std::optional<std::uint32_t> fallback = {};  ///< the target that stands in while this one is down or paused
  rate_limit rate = {};
  circuit_breaker_options breaker = {};
};

struct recovery_queue_options {
  std::size_t capacity = 65'536;              ///< items, waiting or handed out, 1 to 2^30
  std::size_t max_leases = 1'024;             ///< attempts out at once, 1 to 2^30
  duration lease = std::chrono::seconds(30);  ///< how long an attempt may take before it counts as timed out
  duration hedge_after = duration::max();     ///< an attempt out for so long gets a second one at the fallback
  retry_policy retry = {};
  std::vector<recovery_target> targets = std::vector<recovery_target>(1);  ///< 1 to 64; pushes name them by index
  bool ordered_keys = true;  ///< push_options.key is heeded, for 28 bytes an item
  std::uint64_t seed = 0;    ///< of the hash of keys; choose one that an attacker doesn't know
};

struct push_options {
  std::uint8_t urgency = 4;  ///< 0, the most urgent, to 7; more counts as 7
  std::uint32_t target = 0;
  std::optional<std::uint64_t> key = {};  ///< items of one key are handed out in the order of their pushes, one at a
                                          ///< time; fingerprint() makes any key one
};

namespace detail {
inline recovery_queue_options checked(recovery_queue_options o) {
  require_option(o.capacity >= 1 && o.capacity <= (std::size_t{1} << 30),
                 "recovery_queue_options.capacity must be 1 to 2^30 items");
  require_option(o.max_leases >= 1 && o.max_leases <= (std::size_t{1} << 30),
                 "recovery_queue_options.max_leases must be 1 to 2^30");
  require_option(o.lease > duration::zero(), "recovery_queue_options.lease must be longer than zero");
  require_option(o.hedge_after > duration::zero(), "recovery_queue_options.hedge_after must be longer than zero");
  require_option(!o.targets.empty() && o.targets.size() <= 64,
                 "recovery_queue_options.targets must be 1 to 64 targets");
  for (std::size_t t = 0; t < o.targets.size(); ++t) {
    const auto& fallback = o.targets[t].fallback;
    require_option(!fallback || (*fallback < o.targets.size() && *fallback != t),
                   "recovery_target.fallback must be the index of another target");
  }
  o.retry = checked(o.retry);
  return o;
}

// What a snapshot depends on. When things are tried, and how often, may change from one run to the next.
inline std::uint64_t configuration_of(const recovery_queue_options& o) noexcept {
  std::uint64_t all = combine({o.capacity, o.max_leases, o.ordered_keys, o.targets.size()});
  for (const recovery_target& t : o.targets) all = combine({all, t.fallback ? *t.fallback + 1 : std::uint64_t{0}});
  return all;
}
}  // namespace detail

}  // namespace recoup
