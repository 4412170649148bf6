// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

#include "seen.hpp"

namespace peers {

/// The missing ranges in a std::map from first to last.
class range_map {
 public:
  seen observe(std::uint64_t number) {
    if (number == next_) [[likely]] {
      ++next_;
      return seen::in_order;
    }
    if (number < next_) return fill(number) ? seen::filled : seen::other;
    missing_.emplace_hint(missing_.end(), std::max(next_, lowest_kept(number + 1)), number - 1);
    next_ = number + 1;
    return seen::opened;
  }

  void poll() {
    const std::uint64_t lowest = lowest_kept(next_);
    while (!missing_.empty() && missing_.begin()->second < lowest) missing_.erase(missing_.begin());
    if (!missing_.empty() && missing_.begin()->first < lowest) move_first(missing_.begin(), lowest);
  }

  std::uint64_t missing() const {
    std::uint64_t sum = 0;
    for (const auto& [first, last] : missing_) sum += last - first + 1;
    return sum;
  }

 private:
  using ranges = std::map<std::uint64_t, std::uint64_t>;

  bool fill(std::uint64_t number) {
    const auto above = missing_.upper_bound(number);
    if (above == missing_.begin()) return false;
    const auto at = std::prev(above);
    const auto [first, last] = *at;
    if (number > last) return false;
    if (first == last) {
      missing_.erase(at);
    } else if (number == first) {
      move_first(at, number + 1);
    } else {
      at->second = number - 1;
      if (number < last) missing_.emplace_hint(above, number + 1, last);
    }
    return true;
  }

  void move_first(ranges::iterator at, std::uint64_t first) {
    const auto above = std::next(at);
    auto node = missing_.extract(at);
    node.key() = first;
    missing_.insert(above, std::move(node));
  }

  std::uint64_t next_ = 0;
  ranges missing_;
};

}  // namespace peers
