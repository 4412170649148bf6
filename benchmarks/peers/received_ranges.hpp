// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>

#include "seen.hpp"

namespace peers {

/// The received ranges in a sorted deque, as QUIC stacks keep them to write acknowledgements; what lies between them is
/// missing.
class received_ranges {
 public:
  seen observe(std::uint64_t number) {
    if (number == next_ && !ranges_.empty()) [[likely]] {
      ranges_.back().last = number;
      ++next_;
      return seen::in_order;
    }
    if (number < next_) return fill(number) ? seen::filled : seen::other;
    const bool is_next = number == next_;
    ranges_.push_back({number, number});
    next_ = number + 1;
    return is_next ? seen::in_order : seen::opened;
  }

  void poll() {
    const std::uint64_t lowest = lowest_kept(next_);
    while (!ranges_.empty() && ranges_.front().last < lowest) ranges_.pop_front();
  }

  std::uint64_t missing() const {
    std::uint64_t sum = 0;
    std::uint64_t from = lowest_kept(next_);
    for (const range& r : ranges_) {
      if (r.first > from) sum += r.first - from;
      from = std::max(from, r.last + 1);
    }
    return sum;
  }

 private:
  struct range {
    std::uint64_t first;
    std::uint64_t last;
  };

  bool fill(std::uint64_t number) {
    if (number < lowest_kept(next_)) return false;
    const auto above = std::upper_bound(ranges_.begin(), ranges_.end(), number,
                                        [](std::uint64_t n, const range& r) { return n < r.first; });
    const bool meets_above = above != ranges_.end() && above->first == number + 1;
    if (above != ranges_.begin()) {
      const auto below = std::prev(above);
      if (number <= below->last) return false;
      if (below->last + 1 == number) {
        below->last = meets_above ? above->last : number;
        if (meets_above) ranges_.erase(above);
        return true;
      }
    }
    if (meets_above) {
      above->first = number;
    } else {
      ranges_.insert(above, {number, number});
    }
    return true;
  }

  std::uint64_t next_ = 0;
  std::deque<range> ranges_;
};

}  // namespace peers
