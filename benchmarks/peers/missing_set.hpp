// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "seen.hpp"

namespace peers {

/// The missing numbers, one by one, in a sorted set: std::set, absl::btree_set.
template <class Set>
class missing_set {
 public:
  seen observe(std::uint64_t number) {
    if (number == next_) [[likely]] {
      ++next_;
      return seen::in_order;
    }
    if (number < next_) return missing_.erase(number) > 0 ? seen::filled : seen::other;
    for (std::uint64_t n = std::max(next_, lowest_kept(number + 1)); n < number; ++n) {
      missing_.insert(missing_.end(), n);
    }
    next_ = number + 1;
    return seen::opened;
  }

  void poll() {
    const std::uint64_t lowest = lowest_kept(next_);
    if (missing_.empty() || *missing_.begin() >= lowest) return;
    missing_.erase(missing_.begin(), missing_.lower_bound(lowest));
  }

  std::uint64_t missing() const { return missing_.size(); }

 private:
  std::uint64_t next_ = 0;
  Set missing_;
};

}  // namespace peers
