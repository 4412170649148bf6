// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <roaring/roaring64map.hh>

#include "seen.hpp"

namespace peers {

/// The missing numbers in a compressed bitmap.
class roaring_bitmap {
 public:
  /// Its containers come from malloc, so that they do not count among the bytes from operator new.
  static constexpr bool takes_from_malloc = true;

  seen observe(std::uint64_t number) {
    if (number == next_) [[likely]] {
      ++next_;
      return seen::in_order;
    }
    if (number < next_) return missing_.removeChecked(number) ? seen::filled : seen::other;
    add(std::max(next_, lowest_kept(number + 1)), number);
    next_ = number + 1;
    return seen::opened;
  }

  void poll() {
    const std::uint64_t lowest = lowest_kept(next_);
    while (!missing_.isEmpty() && missing_.minimum() < lowest) missing_.remove(missing_.minimum());
  }

  std::uint64_t missing() const { return missing_.cardinality(); }

 private:
  // [first, end), of which none is in it: so it can be flipped in, as not all versions can add a range. Nor can they
  // flip the last number below a multiple of 2^32 together with others.
  void add(std::uint64_t first, std::uint64_t end) {
    while (first < end) {
      const std::uint64_t last_of_part = first | 0xFFFF'FFFF;
      if (first == last_of_part || end - first == 1) {
        missing_.add(first++);
      } else {
        const std::uint64_t stop = std::min(end, last_of_part);
        missing_.flip(first, stop);
        first = stop;
      }
    }
  }

  std::uint64_t next_ = 0;
  Roaring64Map missing_;
};

}  // namespace peers
