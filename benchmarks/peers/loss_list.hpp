// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "seen.hpp"

namespace peers {

/// The missing ranges in a list whose nodes lie in an array, each where its first number hashes to, in the manner of
/// SRT: appending and taking a single number out are O(1), a number inside a range is found by walking down to where
/// the range begins. The array is twice `window` long, and is made when the first number is lost.
class loss_list {
 public:
  seen observe(std::uint64_t number) {
    if (number == next_) [[likely]] {
      ++next_;
      return seen::in_order;
    }
    if (number < next_) return fill(number) ? seen::filled : seen::other;
    const std::uint64_t first = std::max(next_, lowest_kept(number + 1));
    next_ = number + 1;
    if (nodes_.empty()) nodes_.resize(places);
    poll();  // so that no two nodes share a place
    append(first, number - 1);
    return seen::opened;
  }

  void poll() {
    const std::uint64_t lowest = lowest_kept(next_);
    while (head_ != none && nodes_[head_].last < lowest) {
      missing_ -= nodes_[head_].last - nodes_[head_].first + 1;
      unlink(head_);
    }
    if (head_ != none && nodes_[head_].first < lowest) {
      missing_ -= lowest - nodes_[head_].first;
      move_first(head_, lowest);
    }
  }

  std::uint64_t missing() const { return missing_; }

 private:
  static constexpr std::size_t places = 2 * window;
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  struct node {
    std::uint64_t first = 1;
    std::uint64_t last = 0;  // below first if there is no range
    std::uint32_t above = none;
    std::uint32_t below = none;
  };

  static std::uint32_t place_of(std::uint64_t number) { return static_cast<std::uint32_t>(number % places); }

  bool fill(std::uint64_t number) {
    if (head_ == none || number < nodes_[head_].first) return false;
    std::uint32_t at = place_of(number);
    while (nodes_[at].last < nodes_[at].first) at = place_of(at + places - 1);
    const std::uint64_t last = nodes_[at].last;
    if (number > last || number < nodes_[at].first) return false;
    --missing_;
    if (number == nodes_[at].first) {
      if (number == last) {
        unlink(at);
      } else {
        move_first(at, number + 1);
      }
    } else {
      nodes_[at].last = number - 1;
      if (number < last) link(number + 1, last, at, nodes_[at].above);
    }
    return true;
  }

  void append(std::uint64_t first, std::uint64_t last) {
    link(first, last, tail_, none);
    missing_ += last - first + 1;
  }

  void link(std::uint64_t first, std::uint64_t last, std::uint32_t below, std::uint32_t above) {
    const std::uint32_t at = place_of(first);
    nodes_[at] = {first, last, above, below};
    (below == none ? head_ : nodes_[below].above) = at;
    (above == none ? tail_ : nodes_[above].below) = at;
  }
  void unlink(std::uint32_t at) {
    const node n = std::exchange(nodes_[at], node());
    (n.below == none ? head_ : nodes_[n.below].above) = n.above;
    (n.above == none ? tail_ : nodes_[n.above].below) = n.below;
  }
  void move_first(std::uint32_t at, std::uint64_t first) {
    const node n = std::exchange(nodes_[at], node());
    link(first, n.last, n.below, n.above);
  }

  std::uint64_t next_ = 0;
  std::vector<node> nodes_;
  std::uint32_t head_ = none;
  std::uint32_t tail_ = none;
  std::uint64_t missing_ = 0;
};

}  // namespace peers
