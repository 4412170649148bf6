// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <utility>

// Orders of somebody else's array of nodes, which have two links (`left` and `right`): each node is in at most one of
// them, and an order itself is a few numbers. The rank of an item is its urgency above the number of its push, so that
// the least is the most urgent, and of those the oldest.

namespace recoup::detail {

inline constexpr std::uint32_t no_node = ~std::uint32_t{0};
inline constexpr unsigned urgencies = 8;
inline constexpr unsigned number_bits = 61;
inline constexpr std::uint64_t last_number = (std::uint64_t{1} << number_bits) - 1;

constexpr std::uint64_t rank_of(std::uint32_t urgency, std::uint64_t number) noexcept {
  return std::uint64_t{urgency} << number_bits | number;
}
constexpr std::uint8_t urgency_of(std::uint64_t rank) noexcept {
  return static_cast<std::uint8_t>(rank >> number_bits);
}
constexpr std::uint64_t number_of(std::uint64_t rank) noexcept { return rank & last_number; }

// Nodes by their order(), which no two share: a treap (Seidel, Aragon, 1996) whose priorities are a hash that the nodes
// give, so that its shape depends on nothing but what is in it. All in expected O(log n).
class ordered_tree {
 public:
  bool empty() const noexcept { return root_ == no_node; }

  template <class Nodes>
  std::uint32_t first(const Nodes& nodes) const noexcept {
    std::uint32_t at = root_;
    while (at != no_node && nodes[at].left != no_node) at = nodes[at].left;
    return at;
  }
  template <class Nodes>
  std::uint32_t last(const Nodes& nodes) const noexcept {
    std::uint32_t at = root_;
    while (at != no_node && nodes[at].right != no_node) at = nodes[at].right;
    return at;
  }

  template <class Nodes>
  void insert(Nodes& nodes, std::uint32_t node) noexcept {
    const auto order = nodes[node].order();
    const std::uint64_t priority = nodes[node].priority();
    std::uint32_t* at = &root_;
    while (*at != no_node && nodes[*at].priority() > priority) at = towards(nodes[*at], order);
    // Those below lie on two sides of the new one.
    std::uint32_t rest = std::exchange(*at, node);
    std::uint32_t* lower = &nodes[node].left;
    std::uint32_t* upper = &nodes[node].right;
    while (rest != no_node) {
      std::uint32_t*& side = nodes[rest].order() < order ? lower : upper;
      *side = rest;
      side = towards(nodes[rest], order);
      rest = *side;
    }
    *lower = *upper = no_node;
  }

  template <class Nodes>
  void erase(Nodes& nodes, std::uint32_t node) noexcept {
    std::uint32_t* at = &root_;
    while (*at != node) at = towards(nodes[*at], nodes[node].order());
    std::uint32_t lower = nodes[node].left;
    std::uint32_t upper = nodes[node].right;
    while (lower != no_node && upper != no_node) {
      const bool is_lower = nodes[lower].priority() > nodes[upper].priority();
      std::uint32_t& top = is_lower ? lower : upper;
      *at = top;
      at = is_lower ? &nodes[top].right : &nodes[top].left;
      top = *at;
    }
    *at = lower != no_node ? lower : upper;
  }

 private:
  template <class Node, class Order>
  static std::uint32_t* towards(Node& node, const Order& order) noexcept {
    return order < node.order() ? &node.left : &node.right;
  }

  std::uint32_t root_ = no_node;
};

// A queue for each urgency, for nodes with a `rank`: in the order in which they came. All in O(1).
class rank_queues {
 public:
  bool empty() const noexcept { return filled_ == 0; }
  std::uint32_t first() const noexcept {
    return empty() ? no_node : ends_[static_cast<unsigned>(std::countr_zero(filled_))].first;
  }
  std::uint32_t last() const noexcept { return empty() ? no_node : ends_[std::bit_width(filled_) - 1U].last; }

  template <class Nodes, class F>
  void for_each(const Nodes& nodes, F&& f) const {
    for (const ends& e : ends_) {
      for (std::uint32_t at = e.first; at != no_node; at = nodes[at].right) f(at);
    }
  }

  template <class Nodes>
  void push_back(Nodes& nodes, std::uint32_t node) noexcept {
    const unsigned urgency = urgency_of(nodes[node].rank);
    ends& e = ends_[urgency];
    nodes[node].left = e.last;
    nodes[node].right = no_node;
    (e.last != no_node ? nodes[e.last].right : e.first) = node;
    e.last = node;
    filled_ |= 1U << urgency;
  }

  template <class Nodes>
  void erase(Nodes& nodes, std::uint32_t node) noexcept {
    const unsigned urgency = urgency_of(nodes[node].rank);
    ends& e = ends_[urgency];
    const std::uint32_t before = nodes[node].left;
    const std::uint32_t after = nodes[node].right;
    (before != no_node ? nodes[before].right : e.first) = after;
    (after != no_node ? nodes[after].left : e.last) = before;
    if (e.first == no_node) filled_ &= ~(1U << urgency);
  }

 private:
  struct ends {
    std::uint32_t first = no_node;
    std::uint32_t last = no_node;
  };

  std::array<ends, urgencies> ends_;
  std::uint32_t filled_ = 0;  // a bit each urgency
};

}  // namespace recoup::detail
