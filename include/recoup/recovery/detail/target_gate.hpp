// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/circuit_breaker.hpp"
#include "recoup/recovery/rate_limiter.hpp"

namespace recoup::detail {

// Whether an attempt may go to a target now: it is down while it is paused, has asked to be left alone, or its breaker
// is open; and even if it is up it may have had enough.
class target_gate {
 public:
  target_gate(const rate_limit& rate, const circuit_breaker_options& breaker) : rate_(rate), breaker_(breaker) {}

  bool is_down(timestamp now) const noexcept { return paused || now < up_from(); }
  bool admits(timestamp now) const noexcept { return !is_down(now) && rate_.permits(now); }

  // From when on it will be up, or admit, as far as is known; the end of time if paused.
  timestamp up_from() const noexcept {
    return paused ? timestamp::max() : std::max(left_alone_until_, breaker_.permitted_from());
  }
  timestamp admits_from() const noexcept { return std::max(up_from(), rate_.permitted_from()); }

  std::uint32_t begin(timestamp now) noexcept {
    rate_.begin(now);
    return breaker_.begin(now);
  }
  void leave_alone(timestamp until) noexcept { left_alone_until_ = std::max(left_alone_until_, until); }

  circuit_breaker& breaker() noexcept { return breaker_; }
  const circuit_breaker& breaker() const noexcept { return breaker_; }

  void save(snapshot_writer& w) const {
    rate_.save(w);
    breaker_.save(w);
    w.time(left_alone_until_);
    w.boolean(paused);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (!rate_.load(r) || !breaker_.load(r)) return false;
    left_alone_until_ = r.time();
    paused = r.boolean();
    return r.ok();
  }

  bool paused = false;

 private:
  rate_limiter rate_;
  circuit_breaker breaker_;
  timestamp left_alone_until_ = timestamp::min();
};

}  // namespace recoup::detail
