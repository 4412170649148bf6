// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/detail/rank_order.hpp"

namespace recoup::detail {

// An attempt that somebody makes now.
struct lease {
  timestamp until{};         // when it counts as failed
  timestamp hedge_at{};      // when a second attempt may begin elsewhere; at the end of time if never
  std::uint64_t number = 0;  // of its item
  std::uint32_t item = 0;
  std::uint32_t permit = 0;  // of the target's breaker
  std::uint32_t other = 0;   // the item's other lease, or none
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  std::uint16_t attempt = 0;
  std::uint8_t target = 0;

  timestamp due() const noexcept { return std::min(until, hedge_at); }
  auto order() const noexcept { return std::tuple(due(), number, attempt); }
  std::uint64_t priority() const noexcept { return combine({number, attempt}); }
};

// The leases that are out, by what is due first, of those of the same time by the number of the item: so that it does
// not depend on what was out before. O(log n) a change, O(1) to look; all memory is taken at construction.
class lease_table {
 public:
  static constexpr std::uint32_t none = no_node;
  static constexpr std::size_t bytes_per_lease = sizeof(lease);

  explicit lease_table(std::size_t capacity) : leases_(capacity) {
    for (std::uint32_t slot = 0; slot < capacity; ++slot) leases_[slot].other = slot + 1 < capacity ? slot + 1 : none;
  }

  std::size_t size() const noexcept { return size_; }
  bool full() const noexcept { return free_ == none; }
  bool empty() const noexcept { return size_ == 0; }
  std::uint32_t first() const noexcept { return first_; }
  timestamp due() const noexcept { return first_ != none ? leases_[first_].due() : timestamp::max(); }
  const lease& operator[](std::uint32_t slot) const noexcept { return leases_[slot]; }

  // Into a table that is not full.
  std::uint32_t add(const lease& l) noexcept {
    const std::uint32_t slot = free_;
    free_ = leases_[slot].other;
    leases_[slot] = l;
    if (l.other != none) leases_[l.other].other = slot;
    ++size_;
    insert(slot);
    return slot;
  }
  void set_times(std::uint32_t slot, timestamp until, timestamp hedge_at) noexcept {
    by_due_.erase(leases_, slot);
    leases_[slot].until = until;
    leases_[slot].hedge_at = hedge_at;
    insert(slot);
  }
  void remove(std::uint32_t slot) noexcept {
    by_due_.erase(leases_, slot);
    if (leases_[slot].other != none) leases_[leases_[slot].other].other = none;
    leases_[slot].other = std::exchange(free_, slot);
    --size_;
    first_ = by_due_.first(leases_);
  }

 private:
  void insert(std::uint32_t slot) noexcept {
    by_due_.insert(leases_, slot);
    first_ = by_due_.first(leases_);
  }

  std::vector<lease> leases_;  // of those that are free, `other` is the next one
  ordered_tree by_due_;
  std::uint32_t free_ = 0;
  std::uint32_t first_ = none;
  std::size_t size_ = 0;
};

}  // namespace recoup::detail
