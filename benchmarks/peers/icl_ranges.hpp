// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <boost/icl/interval_set.hpp>
#include <boost/icl/right_open_interval.hpp>
#include <cstdint>
#include <functional>

#include "seen.hpp"

namespace peers {

/// The missing ranges in a boost::icl::interval_set, with its bounds fixed at compile time, its faster way.
class icl_ranges {
 public:
  seen observe(std::uint64_t number) {
    if (number == next_) [[likely]] {
      ++next_;
      return seen::in_order;
    }
    if (number < next_) {
      if (!boost::icl::contains(missing_, number)) return seen::other;
      missing_.subtract(range(number, number + 1));
      return seen::filled;
    }
    missing_.add(missing_.end(), range(std::max(next_, lowest_kept(number + 1)), number));
    next_ = number + 1;
    return seen::opened;
  }

  void poll() {
    const std::uint64_t lowest = lowest_kept(next_);
    if (missing_.empty() || missing_.begin()->lower() >= lowest) return;
    missing_.subtract(range(missing_.begin()->lower(), lowest));
  }

  std::uint64_t missing() const { return boost::icl::cardinality(missing_); }

 private:
  using range = boost::icl::right_open_interval<std::uint64_t>;

  std::uint64_t next_ = 0;
  boost::icl::interval_set<std::uint64_t, std::less, range> missing_;
};

}  // namespace peers
