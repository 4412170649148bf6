// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct rate_limit {
  std::uint32_t calls = 0;  ///< so many in each `per`, evenly; 0: no limit
  duration per = std::chrono::seconds(1);
  std::uint32_t burst = 1;  ///< so many at once after a pause, at least 1
};

/// Permits calls at an even rate, with bursts: a token bucket kept as a single time, that by which all permitted calls
/// are paid for (the generic cell rate algorithm, ITU-T I.371, annex A). In any time span d it permits at most
/// burst + d * calls / per calls, where times do not go back. O(1); a limiter has 8 bytes of state.
///
/// Time is only compared: one that goes back makes waits longer, by as much as it went back, never shorter.
class rate_limiter {
 public:
  rate_limiter() = default;
  explicit rate_limiter(const rate_limit& limit) : limit_(checked(limit)) {
    if (limit.calls == 0) return;
    interval_ = duration((limit.per.count() - 1) / limit.calls + 1);  // rounded up: never faster than asked
    tolerance_ = saturating_multiply(interval_, limit.burst - 1);
  }

  /// From when on a call is permitted; timestamp::min() where there is no limit.
  [[nodiscard]] timestamp permitted_from() const noexcept {
    if (limit_.calls == 0 || paid_until_ == timestamp::min()) return timestamp::min();
    return saturating_add(paid_until_, -tolerance_);
  }
  [[nodiscard]] bool permits(timestamp now) const noexcept { return now >= permitted_from(); }

  /// A call is made, permitted or not: one that was not makes later ones wait longer.
  void begin(timestamp now) noexcept {
    if (limit_.calls != 0) paid_until_ = saturating_add(std::max(paid_until_, now), interval_);
  }

  [[nodiscard]] const rate_limit& options() const noexcept { return limit_; }
  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({limit_.calls, detail::option(limit_.per), limit_.burst});
  }
  [[nodiscard]] rate_limiter empty_copy() const { return rate_limiter(limit_); }
  void save(snapshot_writer& w) const { w.time(paid_until_); }
  [[nodiscard]] bool load(snapshot_reader& r) {
    paid_until_ = r.time();
    return r.ok();
  }

 private:
  static rate_limit checked(rate_limit o) {
    detail::require_option(o.per > duration::zero(), "rate_limit.per must be longer than zero");
    detail::require_option(o.burst >= 1, "rate_limit.burst must be at least 1 call");
    return o;
  }

  rate_limit limit_;
  duration interval_{};
  duration tolerance_{};
  timestamp paid_until_ = timestamp::min();
};

}  // namespace recoup
