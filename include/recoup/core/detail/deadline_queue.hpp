// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "recoup/core/time.hpp"

namespace recoup::detail {

// Which of many things is due first: a binary heap of at most one deadline an id, where each id knows its place, so
// that a deadline can be moved or taken out. Ids are small integers; of equal deadlines the lowest id is first,
// whatever came before. O(log n) a change, O(1) to look; 20 bytes an id.
class deadline_queue {
  struct entry {
    timestamp due;
    std::uint32_t id;

    bool is_before(const entry& other) const noexcept { return due != other.due ? due < other.due : id < other.id; }
  };

 public:
  static constexpr std::size_t bytes_per_id = sizeof(entry) + sizeof(std::uint32_t);

  // Makes room for ids below `ids`; else nothing allocates.
  void reserve(std::size_t ids) {
    heap_.reserve(ids);
    places_.resize(ids, absent);
  }

  bool empty() const noexcept { return heap_.empty(); }
  std::uint32_t first() const noexcept { return heap_.front().id; }
  timestamp due() const noexcept { return heap_.empty() ? timestamp::max() : heap_.front().due; }
  // Of an id that has a deadline.
  timestamp due_of(std::uint32_t id) const noexcept { return heap_[places_[id]].due; }

  void set(std::uint32_t id, timestamp due) noexcept {
    std::uint32_t at = places_[id];
    if (at == absent) {
      at = static_cast<std::uint32_t>(heap_.size());
      heap_.push_back({due, id});
    } else if (heap_[at].due == due) {
      return;
    }
    settle(at, {due, id});
  }

  void erase(std::uint32_t id) noexcept {
    const std::uint32_t at = std::exchange(places_[id], absent);
    if (at == absent) return;
    const entry moved = heap_.back();
    heap_.pop_back();
    if (moved.id != id) settle(at, moved);
  }

  void clear() noexcept {
    for (const entry& e : heap_) places_[e.id] = absent;
    heap_.clear();
  }

 private:
  static constexpr std::uint32_t absent = ~std::uint32_t{0};

  void put(std::uint32_t at, const entry& e) noexcept {
    heap_[at] = e;
    places_[e.id] = at;
  }

  // Finds the place of an entry that may have it at `at`, above or below.
  void settle(std::uint32_t at, const entry& e) noexcept {
    while (at > 0 && e.is_before(heap_[(at - 1) / 2])) {
      put(at, heap_[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
    for (;;) {
      std::uint32_t child = 2 * at + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1].is_before(heap_[child])) ++child;
      if (!heap_[child].is_before(e)) break;
      put(at, heap_[child]);
      at = child;
    }
    put(at, e);
  }

  std::vector<entry> heap_;
  std::vector<std::uint32_t> places_;
};

}  // namespace recoup::detail
