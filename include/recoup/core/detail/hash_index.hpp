// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace recoup::detail {

// Finds the position of an entry in somebody else's array by the entry's hash: open addressing with linear probing and
// backward-shift deletion, so that there are no tombstones, no rehash, and the answers depend on nothing but the
// operations. Eight bytes a slot, two slots an entry. All memory is taken at construction.
//
// Invariant: a slot's home is derived from its tag alone (the upper half of the hash), and no empty slot lies between
// an entry's home and the entry.
class hash_index {
 public:
  using position = std::uint32_t;
  static constexpr position none = ~position{0};

  struct place {
    std::uint32_t slot = 0;
    position found = none;
  };

  explicit hash_index(std::size_t capacity) : slots_(2 * capacity + 2) {}

  static constexpr std::size_t bytes_for(std::size_t capacity) noexcept { return (2 * capacity + 2) * sizeof(slot); }

  static constexpr std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

  // Where the entry is for which `is_same(position)` holds; else `found` is none and `slot` is where it would go.
  template <class IsSame>
  place find(std::uint32_t tag, IsSame is_same) const {
    for (std::uint32_t at = home(tag);; at = next(at)) {
      const slot& s = slots_[at];
      if (s.position == none) return {at, none};
      if (s.tag == tag && is_same(s.position)) return {at, s.position};
    }
  }

  // `at` comes from a find that missed, with nothing inserted or erased since. At most `capacity` + 1 entries.
  void insert(place at, std::uint32_t tag, position p) noexcept { slots_[at.slot] = {tag, p}; }

  // The entry found at `at` now has another position.
  void move(place at, position p) noexcept { slots_[at.slot].position = p; }

  void erase(place at) noexcept {
    std::uint32_t hole = at.slot;
    for (std::uint32_t i = next(hole); slots_[i].position != none; i = next(i)) {
      if (distance(home(slots_[i].tag), i) >= distance(hole, i)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole].position = none;
  }

  // The position of the first entry with this tag: most likely the one that find would find.
  position guess(std::uint32_t tag) const noexcept {
    for (std::uint32_t at = home(tag);; at = next(at)) {
      if (slots_[at].position == none || slots_[at].tag == tag) return slots_[at].position;
    }
  }

  void prefetch(std::uint32_t tag) const noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(&slots_[home(tag)]);
#else
    static_cast<void>(tag);
#endif
  }

 private:
  struct slot {
    std::uint32_t tag = 0;
    hash_index::position position = none;
  };

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(slots_.size()); }
  std::uint32_t home(std::uint32_t tag) const noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{tag} * slots_.size()) >> 32);
  }
  std::uint32_t next(std::uint32_t at) const noexcept { return at + 1 == size() ? 0 : at + 1; }
  std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return to >= from ? to - from : to + size() - from;
  }

  std::vector<slot> slots_;
};

}  // namespace recoup::detail
