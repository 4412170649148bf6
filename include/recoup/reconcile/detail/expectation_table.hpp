// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/detail/table_key.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/due_order.hpp"
#include "recoup/reconcile/detail/expectation_pattern.hpp"

namespace recoup::detail {

// How it stands with each of many keys, and which of them time changes first: an array of entries that lie where they
// are put, an index by key, and for each state a due_order.
template <class Key>
class expectation_table {
 public:
  static constexpr std::uint32_t none = due_links::none;
  static constexpr std::size_t states = 3;
  static constexpr std::uint32_t heap_bit = expectation_instance::unused;

  struct fields {
    Key key{};
    timestamp since{};
    due_links links;
    std::uint32_t bits = 0;  // of the instance, and whether it is in the heap of its order
  };
  // Where two entries fill a cache line, none lies across two.
  struct alignas(sizeof(fields) == 32 ? 32 : alignof(fields)) entry : fields {
    using fields::bits;
    using fields::since;

    std::uint32_t step() const noexcept { return bits >> 2U & 15U; }
    bool in_heap() const noexcept { return (bits & heap_bit) != 0; }
    void set_in_heap(bool is) noexcept { bits = is ? bits | heap_bit : bits & ~heap_bit; }
    expectation_state state() const noexcept { return static_cast<expectation_state>(bits & 3U); }
    expectation_instance instance() const noexcept { return {since, bits & ~heap_bit}; }
    void set(const expectation_instance& i) noexcept {
      since = i.since;
      bits = i.bits();
    }
  };

  expectation_table(const expectation_pattern& pattern, std::size_t capacity, std::uint64_t seed)
      : index_(capacity),
        entries_(capacity),
        orders_{due_order(pattern, expectation_state::open), due_order(pattern, expectation_state::overdue),
                due_order(pattern, expectation_state::early)},
        seed_(seed) {}

  static constexpr std::size_t bytes_for(std::size_t capacity) noexcept {
    return capacity * sizeof(entry) + hash_index::bytes_for(capacity);
  }

  std::size_t size() const noexcept { return sizes_[0] + sizes_[1] + sizes_[2]; }
  std::size_t size(expectation_state s) const noexcept { return sizes_[static_cast<std::size_t>(s)]; }
  bool is_full() const noexcept { return size() == entries_.size(); }
  const entry& operator[](std::uint32_t p) const noexcept { return entries_[p]; }

  template <class K>
  std::uint32_t hash(const K& key) const noexcept {
    static_assert(looks_up<K, Key> || !std::is_integral_v<Key>,
                  "recoup: expectations<Key> are looked up by a Key, by any text where Key is std::string, or by any "
                  "integer where Key is one; convert the key first");
    return hash_index::tag_of(fingerprint(key, seed_));
  }
  void prefetch(std::uint32_t hash) const noexcept { index_.prefetch(hash); }
  void prefetch_entry([[maybe_unused]] std::uint32_t hash) const noexcept {
#if defined(__GNUC__)
    if (const std::uint32_t p = index_.guess(hash); p != none) __builtin_prefetch(&entries_[p], 1);
#endif
  }

  template <class K>
  hash_index::place find(const K& key, std::uint32_t hash) const {
    return index_.find(hash, [&](std::uint32_t p) { return is_same_key(entries_[p].key, key); });
  }

  // The one that time would change first.
  std::uint32_t first(expectation_state s) const { return orders_[static_cast<std::size_t>(s)].first(entries_); }

  // `at` comes from a find, with nothing changed since. There is room, or `at` was found.
  template <class K>
  void put(hash_index::place at, const K& key, std::uint32_t hash, const expectation_instance& i) {
    static_assert(!scalar_key<Key> || std::is_same_v<K, Key>,
                  "recoup: expectations<Key> are committed at a number of the key's own type; convert it before judge");
    std::uint32_t p = at.found;
    if (p == none) {
      p = free_ == none ? used_ : free_;
      Key owned = owned_key<Key>(key);  // which may throw
      free_ == none ? ++used_ : free_ = entries_[p].links.next;
      entries_[p].key = std::move(owned);
      index_.insert(at, hash, p);
    } else if (entry& e = entries_[p]; e.since == i.since && ((e.bits ^ i.bits()) & 63U) == 0) {
      e.bits = i.bits() | (e.bits & heap_bit);  // in its place
      return;
    } else {
      leave(p);
    }
    enter(p, i);
  }
  void put(std::uint32_t p, const expectation_instance& i) {
    leave(p);
    enter(p, i);
  }

  void remove(hash_index::place at) {
    index_.erase(at);
    leave(at.found);
    entry& e = entries_[at.found];
    e.key = Key{};
    e.links.next = std::exchange(free_, at.found);
  }
  void remove(std::uint32_t p) { remove(find(entries_[p].key, hash(entries_[p].key))); }

  template <class F>
  void for_each(F&& f) const {
    for (std::size_t s = 0; s < states; ++s) {
      for (std::size_t step = 0; step < max_expectation_steps; ++step) {
        orders_[s].for_each_of(entries_, step, [&](std::uint32_t p) { f(entries_[p]); });
      }
      for (const std::uint32_t p : orders_[s].of_heap(entries_)) f(entries_[p]);
    }
  }

  void save(snapshot_writer& w) const {
    w.u64(size());
    for_each([&](const entry& e) {
      w.value(e.key);
      w.time(e.since);
      w.u32(e.bits);
    });
  }

  // Into an empty table.
  bool load(snapshot_reader& r, const expectation_pattern& pattern) {
    for (std::size_t left = r.count(entries_.size()); left > 0; --left) {
      Key key{};
      if (!r.value(key)) return false;
      const timestamp since = r.time();
      const std::uint32_t bits = r.u32();
      const expectation_instance i(since, bits & ~heap_bit);
      if (!r.ok() || !i.is_known() || !pattern.is_possible(i)) return false;
      const std::uint32_t h = hash(key);
      const hash_index::place at = find(key, h);
      if (at.found != none) return false;
      const std::uint32_t p = used_++;
      entries_[p].key = std::move(key);
      index_.insert(at, h, p);
      entries_[p].set(i);
      const auto state = static_cast<std::size_t>(i.state());
      ++sizes_[state];
      if ((bits & heap_bit) != 0) {
        orders_[state].add_to_heap(entries_, p);
      } else if (!orders_[state].append(entries_, p)) {
        return false;
      }
    }
    return r.ok();
  }

 private:
  void enter(std::uint32_t p, const expectation_instance& i) {
    entries_[p].set(i);
    const auto state = static_cast<std::size_t>(i.state());
    ++sizes_[state];
    orders_[state].add(entries_, p);
  }
  void leave(std::uint32_t p) {
    const auto state = static_cast<std::size_t>(entries_[p].state());
    orders_[state].remove(entries_, p);
    --sizes_[state];
  }

  hash_index index_;
  std::vector<entry> entries_;
  std::array<due_order, states> orders_;
  std::array<std::size_t, states> sizes_{};
  std::uint64_t seed_;
  std::uint32_t used_ = 0;  // entries below it have been taken
  std::uint32_t free_ = none;
};

}  // namespace recoup::detail
