// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace recoup::detail {

// Hands out positions of somebody else's array, and keeps them in the order in which they were handed out or last
// renewed. All in constant time; eight bytes a position, taken at construction.
class recency_list {
 public:
  using position = std::uint32_t;
  static constexpr position none = ~position{0};

  explicit recency_list(std::size_t positions) : links_(links_for(positions)), free_(static_cast<position>(positions)) {
    if (positions == 0) return;
    for (const position end : {free_, used()}) links_[end] = {end, end};
    for (position p = 0; p < free_; ++p) join(p, free_);
  }

  static constexpr std::size_t bytes_for(std::size_t positions) noexcept { return links_for(positions) * sizeof(link); }

  std::size_t size() const noexcept { return size_; }

  // A free position, the newest from now on. There must be one.
  position add() noexcept {
    const position p = links_[free_].next;
    renew(p);
    ++size_;
    return p;
  }
  void renew(position p) noexcept { relink(p, used()); }
  void remove(position p) noexcept {
    relink(p, free_);
    --size_;
  }

  // From the oldest to the newest; none at the end.
  position oldest() const noexcept { return or_none(links_[used()].next); }
  position after(position p) const noexcept { return or_none(links_[p].next); }

 private:
  struct link {
    position previous = none;
    position next = none;
  };

  static constexpr std::size_t links_for(std::size_t positions) noexcept { return positions == 0 ? 0 : positions + 2; }

  // Two closed chains, of the free positions and of those in use; the last two links are where each begins and ends.
  position used() const noexcept { return free_ + 1; }
  position or_none(position p) const noexcept { return p < free_ ? p : none; }

  void join(position p, position end) noexcept {
    const position last = links_[end].previous;
    links_[p] = {last, end};
    links_[last].next = p;
    links_[end].previous = p;
  }
  void relink(position p, position end) noexcept {
    links_[links_[p].previous].next = links_[p].next;
    links_[links_[p].next].previous = links_[p].previous;
    join(p, end);
  }

  std::vector<link> links_;
  position free_;
  std::size_t size_ = 0;
};

}  // namespace recoup::detail
