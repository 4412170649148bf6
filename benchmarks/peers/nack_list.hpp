// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "requests.hpp"
#include "seen.hpp"

namespace peers {

/// The missing numbers in a std::map with what was asked, in the manner of WebRTC's requester: each packet that is a
/// new highest looks through the whole map for those not asked for yet, each poll for those whose answer is overdue.
class nack_list {
 public:
  seen observe(std::uint64_t number, std::uint64_t now) {
    seen answer = seen::in_order;
    if (number == next_) [[likely]] {
      ++next_;
    } else if (number > next_) {
      for (std::uint64_t n = std::max(next_, lowest_kept(number + 1)); n < number; ++n) {
        missing_.emplace_hint(missing_.end(), n, request{});
      }
      next_ = number + 1;
      answer = seen::opened;
    } else {
      return missing_.erase(number) > 0 ? seen::filled : seen::other;
    }
    for (auto& [n, r] : missing_) {
      if (r.attempts == 0) ask(r, now);
    }
    return answer;
  }

  void poll(std::uint64_t now) {
    missing_.erase(missing_.begin(), missing_.lower_bound(lowest_kept(next_)));
    for (auto& [n, r] : missing_) {
      if (now - r.asked >= request_wait && r.attempts < request_attempts) ask(r, now);
    }
  }

  std::uint64_t missing() const { return missing_.size(); }
  /// Sent at other moments than by those who send at a poll, so that these need not be as many.
  std::uint64_t requests_sent() const { return sent_; }

 private:
  struct request {
    std::uint64_t asked = 0;
    std::uint32_t attempts = 0;
  };

  void ask(request& r, std::uint64_t now) {
    r.asked = now;
    ++r.attempts;
    ++sent_;
  }

  std::uint64_t next_ = 0;
  std::uint64_t sent_ = 0;
  std::map<std::uint64_t, request> missing_;
};

}  // namespace peers
