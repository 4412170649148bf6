// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/container/btree_map.h>

#include <algorithm>
#include <cstdint>

#include "requests.hpp"
#include "seen.hpp"

namespace peers {

/// The missing numbers in an absl::btree_map with what was asked; each poll looks through all of it.
class request_map {
 public:
  seen observe(std::uint64_t number) {
    if (number == next_) [[likely]] {
      ++next_;
      return seen::in_order;
    }
    if (number < next_) return missing_.erase(number) > 0 ? seen::filled : seen::other;
    for (std::uint64_t n = std::max(next_, lowest_kept(number + 1)); n < number; ++n) {
      missing_.emplace_hint(missing_.end(), n, request{});
    }
    next_ = number + 1;
    return seen::opened;
  }

  void poll(std::uint64_t now) {
    missing_.erase(missing_.begin(), missing_.lower_bound(lowest_kept(next_)));
    for (auto& [n, r] : missing_) {
      if (now < r.due || r.attempts == request_attempts) continue;
      r.due = now + request_wait;
      ++r.attempts;
      ++asked_;
    }
  }

  std::uint64_t missing() const { return missing_.size(); }
  /// How often a number was asked for.
  std::uint64_t asked() const { return asked_; }

 private:
  struct request {
    std::uint64_t due = 0;
    std::uint32_t attempts = 0;
  };

  std::uint64_t next_ = 0;
  std::uint64_t asked_ = 0;
  absl::btree_map<std::uint64_t, request> missing_;
};

}  // namespace peers
