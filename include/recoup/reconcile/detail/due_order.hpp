// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/expectation_pattern.hpp"

namespace recoup::detail {

// What an entry needs to stand in a due_order, besides its own due(order's state).
struct due_links {
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::uint32_t previous = none;
  std::uint32_t next = none;
  std::uint32_t child = none;
};

// Which of many entries is due first, where nearly all have one of few delays from times that hardly ever go back: a
// list for each delay, sorted as entries come at its end. One that is out of order by more than `walk` entries goes to
// a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, 1986), which makes do with the same links. So adding and
// removing are O(1) for what is in order, amortised O(log n) at worst; looking is O(delays).
//
// The links are in the entries, which belong to someone else: entries[p] has `since`, `step()` (which of the delays),
// `in_heap()`, `key` and `links`. Ties are told in the order of the lists, then by the key, so that the order depends
// on nothing but what was added and removed.
class due_order {
 public:
  static constexpr std::uint32_t none = due_links::none;
  static constexpr std::size_t walk = 2;

  due_order(const expectation_pattern& pattern, expectation_state state) : used_(pattern.steps()) {
    for (std::size_t i = 0; i < used_; ++i) delays_[i] = pattern.limit(state, i);
  }

  template <class Entry>
  timestamp due(const Entry& e) const noexcept {
    return saturating_add(e.since, delays_[e.step()]);
  }

  template <class Entries>
  void add(Entries& entries, std::uint32_t p) {
    auto& added = entries[p];
    list& l = lists_[added.step()];
    std::uint32_t before = l.last;
    for (std::size_t i = 0; before != none && entries[before].since > added.since; ++i) {
      if (i == walk) return add_to_heap(entries, p);
      before = entries[before].links.previous;
    }
    added.set_in_heap(false);
    const std::uint32_t after = before == none ? l.first : entries[before].links.next;
    added.links = {before, after, none};
    (before == none ? l.first : entries[before].links.next) = p;
    (after == none ? l.last : entries[after].links.previous) = p;
  }

  template <class Entries>
  void remove(Entries& entries, std::uint32_t p) {
    auto& removed = entries[p];
    if (removed.in_heap()) return remove_from_heap(entries, p);
    const due_links at = removed.links;
    list& l = lists_[removed.step()];
    (at.previous == none ? l.first : entries[at.previous].links.next) = at.next;
    (at.next == none ? l.last : entries[at.next].links.previous) = at.previous;
  }

  template <class Entries>
  std::uint32_t first(const Entries& entries) const {
    std::uint32_t best = none;
    const auto consider = [&](std::uint32_t p) {
      if (p != none && (best == none || due(entries[p]) < due(entries[best]))) best = p;
    };
    for (std::size_t i = 0; i < used_; ++i) consider(lists_[i].first);
    consider(root_);
    return best;
  }

  // f(position) for each of a list, in its order.
  template <class Entries, class F>
  void for_each_of(const Entries& entries, std::size_t delay, F&& f) const {
    for (std::uint32_t p = lists_[delay].first; p != none; p = entries[p].links.next) f(p);
  }
  // Those of the heap, the first due first. Allocates.
  template <class Entries>
  std::vector<std::uint32_t> of_heap(const Entries& entries) const {
    std::vector<std::uint32_t> found;
    if (root_ != none) found.push_back(root_);
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (std::uint32_t p = entries[found[i]].links.child; p != none; p = entries[p].links.next) found.push_back(p);
    }
    std::sort(found.begin(), found.end(),
              [&](std::uint32_t a, std::uint32_t b) { return is_before(entries[a], entries[b]); });
    return found;
  }

  // At the end of its list, for what was saved in order. False if it is not.
  template <class Entries>
  bool append(Entries& entries, std::uint32_t p) {
    const std::uint32_t last = lists_[entries[p].step()].last;
    if (last != none && entries[last].since > entries[p].since) return false;
    add(entries, p);
    return true;
  }
  template <class Entries>
  void add_to_heap(Entries& entries, std::uint32_t p) {
    entries[p].set_in_heap(true);
    entries[p].links = {};
    root_ = root_ == none ? p : link(entries, root_, p);
  }

 private:
  struct list {
    std::uint32_t first = none;
    std::uint32_t last = none;
  };

  template <class Entry>
  bool is_before(const Entry& a, const Entry& b) const {
    return due(a) != due(b) ? due(a) < due(b) : a.key < b.key;
  }

  // In the heap, `previous` of the first child is its parent.
  template <class Entries>
  std::uint32_t link(Entries& entries, std::uint32_t a, std::uint32_t b) const {
    if (is_before(entries[b], entries[a])) std::swap(a, b);
    due_links& above = entries[a].links;
    due_links& below = entries[b].links;
    below.previous = a;
    below.next = above.child;
    if (above.child != none) entries[above.child].links.previous = b;
    above.child = b;
    above.previous = above.next = none;
    return a;
  }

  template <class Entries>
  void remove_from_heap(Entries& entries, std::uint32_t p) {
    const due_links at = entries[p].links;
    const std::uint32_t below = merge(entries, at.child);
    if (p == root_) {
      root_ = below;
      return;
    }
    due_links& before = entries[at.previous].links;
    (before.child == p ? before.child : before.next) = at.next;
    if (at.next != none) entries[at.next].links.previous = at.previous;
    if (below != none) root_ = link(entries, root_, below);
  }

  // Siblings become one: in pairs, then the pairs from the last to the first.
  template <class Entries>
  std::uint32_t merge(Entries& entries, std::uint32_t first) const {
    std::uint32_t pairs = none;
    while (first != none) {
      std::uint32_t pair = first;
      const std::uint32_t second = entries[pair].links.next;
      first = second == none ? none : entries[second].links.next;
      if (second != none) pair = link(entries, pair, second);
      entries[pair].links.next = std::exchange(pairs, pair);
    }
    std::uint32_t all = none;
    while (pairs != none) {
      const std::uint32_t pair = std::exchange(pairs, entries[pairs].links.next);
      all = all == none ? pair : link(entries, all, pair);
    }
    if (all != none) entries[all].links.previous = entries[all].links.next = none;
    return all;
  }

  std::array<list, max_expectation_steps> lists_{};
  std::array<duration, max_expectation_steps> delays_{};
  std::size_t used_;
  std::uint32_t root_ = none;
};

}  // namespace recoup::detail
