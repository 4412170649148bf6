// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/detail/key_chains.hpp"
#include "recoup/recovery/detail/lease_table.hpp"
#include "recoup/recovery/detail/rank_order.hpp"
#include "recoup/recovery/detail/recovery_lines.hpp"
#include "recoup/recovery/findings.hpp"
#include "recoup/recovery/recovery_queue_options.hpp"

namespace recoup::detail {

// The items of a recovery queue: each has a place for as long as it is there, where it stands in a line or is handed
// out. What to do with them, and when, others decide.
template <class Item>
class recovery_items {
 public:
  static constexpr std::uint32_t none = no_node;
  static_assert(none == lease_table::none && none == hash_index::none);

  explicit recovery_items(const recovery_queue_options& o)
      : lines(o.capacity, o.targets.size()),
        leases(o.max_leases),
        chains_(o.ordered_keys ? o.capacity : 0, o.seed),
        items_(o.capacity) {}

  static constexpr std::size_t bytes_an_item(bool ordered_keys) noexcept {
    return recovery_lines::bytes_per_item + (ordered_keys ? key_chains::bytes_per_item : 0);
  }
  static constexpr std::size_t bytes_for(std::size_t capacity, std::size_t max_leases, std::size_t targets,
                                         bool ordered_keys) noexcept {
    return capacity * (sizeof(Item) + recovery_lines::bytes_per_item) +
           key_chains::bytes_for(ordered_keys ? capacity : 0) + max_leases * lease_table::bytes_per_lease +
           targets * sizeof(recovery_lines::target_lines);
  }

  const Item& operator[](std::uint32_t place) const noexcept { return items_[place]; }
  std::size_t size() const noexcept { return size_; }
  bool full() const noexcept { return size_ == items_.size(); }

  // Where the item is; none if it has ended.
  std::uint32_t find(recovery_id id) const noexcept {
    const bool is_there =
        id.place < used_ && lines[id.place].stands != standing::none && number_of(lines[id.place].rank) == id.number;
    return is_there ? id.place : none;
  }
  bool is_out(std::uint32_t place) const noexcept {
    return lines[place].stands == standing::leased || lines[place].stands == standing::hedging;
  }
  // The lease of an attempt; none if it has ended.
  std::uint32_t lease_of(recovery_id id) const noexcept {
    const std::uint32_t place = find(id);
    std::uint32_t lease = place != none && is_out(place) ? lines[place].link : none;
    while (lease != none && leases[lease].attempt != id.attempt) {
      // Two leases name each other.
      lease = lease == lines[place].link ? leases[lease].other : none;
    }
    return lease;
  }
  recovery_id id_of(std::uint32_t place, std::uint32_t attempt) const noexcept {
    return {number_of(lines[place].rank), place, attempt};
  }

  // Where it is not full; the key is null for an item without one. Returns its place.
  std::uint32_t add(Item&& item, std::uint64_t rank, std::uint32_t target, const std::uint64_t* key,
                    timestamp now) noexcept {
    const std::uint32_t place = take_place();
    recovery_record& r = lines[place];
    r.rank = rank;
    r.pushed = now;
    r.attempts = 0;
    r.target = static_cast<std::uint8_t>(target);
    r.is_away = r.is_keyed = r.was_final = false;
    items_[place] = std::move(item);
    const bool is_blocked = key != nullptr && chains_.append(lines, place, *key);
    lines.enter(place, is_blocked ? standing::blocked : standing::fresh);
    return place;
  }
  // The item keeps its other lease, if it has one.
  void drop_lease(std::uint32_t lease) noexcept {
    lines[leases[lease].item].link = leases[lease].other;
    leases.remove(lease);
  }
  // Of an item without leases.
  void remove(std::uint32_t place) noexcept {
    items_[place] = Item{};
    recovery_record& r = lines[place];
    const std::uint32_t unblocked = r.is_keyed ? chains_.remove(lines, place) : none;
    lines.leave(place);
    if (unblocked != none) {
      lines.leave(unblocked);
      lines.enter(unblocked, standing::ready);
    }
    if (--size_ == 0) {
      used_ = 0;
      free_ = none;
    } else {
      r.link = std::exchange(free_, place);
    }
  }

  void save(snapshot_writer& w) const {
    std::vector<std::uint32_t> places;
    places.reserve(size_);
    for (std::uint32_t p = 0; p < used_; ++p) {
      if (lines[p].stands != standing::none) places.push_back(p);
    }
    std::sort(places.begin(), places.end(),
              [&](std::uint32_t a, std::uint32_t b) { return number_of(lines[a].rank) < number_of(lines[b].rank); });
    w.u64(places.size());
    for (const std::uint32_t p : places) save_item(w, p);
    // The orders that do not follow from the items.
    w.u64(waiting());
    lines.for_each_waiting([&](std::uint32_t p) { w.u32(p); });
    w.u64(used_ - size_);
    for (std::uint32_t p = free_; p != none; p = lines[p].link) w.u32(p);
  }
  // Into one that is empty; all numbers must be below the next one.
  [[nodiscard]] bool load(snapshot_reader& r, const recovery_queue_options& o, std::uint64_t next_number) {
    const std::size_t count = r.count(items_.size());
    std::uint64_t number = 0;
    for (; size_ < count; ++size_) {
      if (!load_item(r, o, number)) return false;
    }
    return number < next_number && load_order_of_waiting(r) && load_free_places(r);
  }

  recovery_lines lines;
  lease_table leases;

 private:
  static constexpr std::uint16_t most_attempts = std::numeric_limits<std::uint16_t>::max();

  std::uint32_t take_place() noexcept {
    ++size_;
    if (free_ == none) return used_++;
    return std::exchange(free_, lines[free_].link);
  }
  std::size_t waiting() const noexcept {
    std::size_t n = 0;
    lines.for_each_waiting([&](std::uint32_t) { ++n; });
    return n;
  }

  void save_item(snapshot_writer& w, std::uint32_t place) const {
    const recovery_record& r = lines[place];
    w.u32(place);
    w.u64(r.rank);
    w.time(r.pushed);
    w.u16(r.attempts);
    w.u8(r.target);
    w.value(standing{r.stands});
    for (const bool flag : {bool{r.is_away}, bool{r.is_keyed}, bool{r.was_final}}) w.boolean(flag);
    if (r.is_keyed) w.u64(chains_.key_of(place));
    if (r.stands == standing::waiting) w.time(lines.due_of(place));
    if (is_out(place)) {
      const std::uint32_t other = leases[r.link].other;
      w.boolean(other != none);
      if (other != none) save_lease(w, leases[other]);
      save_lease(w, leases[r.link]);
    }
    w.value(items_[place]);
  }
  static void save_lease(snapshot_writer& w, const lease& l) {
    w.time(l.until);
    w.time(l.hedge_at);
    w.u32(l.permit);
    w.u16(l.attempt);
    w.u8(l.target);
  }

  // An item with a number above the one before.
  bool load_item(snapshot_reader& r, const recovery_queue_options& o, std::uint64_t& number) {
    const std::uint32_t place = r.u32();
    if (place >= items_.size() || lines[place].stands != standing::none) return false;
    recovery_record& item = lines[place];
    item.rank = r.u64();
    item.pushed = r.time();
    item.attempts = r.u16();
    item.target = r.u8();
    standing stands{};
    if (!r.value(stands) || stands == standing::none || static_cast<std::uint8_t>(stands) >= standings) return false;
    item.is_away = r.boolean();
    const bool is_keyed = r.boolean();
    item.was_final = r.boolean();
    const std::uint64_t key = is_keyed ? r.u64() : 0;
    const timestamp due = stands == standing::waiting ? r.time() : timestamp{};
    if (!r.ok() || number_of(item.rank) <= number || item.target >= o.targets.size()) return false;
    number = number_of(item.rank);
    const bool has_fallback = o.targets[item.target].fallback.has_value();
    if (!stands_to_reason(item, stands, has_fallback) || (is_keyed && !o.ordered_keys)) return false;
    const bool is_blocked = is_keyed && chains_.append(lines, place, key);
    if (is_blocked != (stands == standing::blocked)) return false;
    if (stands == standing::leased || stands == standing::hedging) {
      if (!load_leases(r, place, stands, o.targets[item.target].fallback.value_or(none))) return false;
      item.stands = standing::leased;
    }
    if (stands != standing::leased) lines.enter(place, stands, due);
    used_ = std::max(used_, place + 1);
    return r.value(items_[place]);
  }
  static bool stands_to_reason(const recovery_record& item, standing stands, bool has_fallback) noexcept {
    const bool is_tried = item.attempts > 0;
    if (item.is_away && (!has_fallback || !is_tried)) return false;
    if (item.attempts == most_attempts && (stands != standing::leased || !item.was_final)) return false;
    switch (stands) {
      case standing::blocked:
      case standing::fresh:
        return !is_tried;
      case standing::hedging:
        return is_tried && has_fallback;
      case standing::waiting:
      case standing::leased:
        return is_tried;
      default:
        return true;
    }
  }
  bool load_leases(snapshot_reader& r, std::uint32_t place, standing stands, std::uint32_t fallback) {
    recovery_record& item = lines[place];
    const bool is_hedged = r.boolean();
    if (is_hedged && stands == standing::hedging) return false;
    const bool may_hedge =
        !is_hedged && stands == standing::leased && fallback != none && item.attempts < most_attempts;
    item.link = none;
    std::uint16_t before = 0;
    for (int i = is_hedged ? 0 : 1; i < 2; ++i) {
      lease l;
      l.until = r.time();
      l.hedge_at = r.time();
      l.permit = r.u32();
      l.attempt = r.u16();
      l.target = r.u8();
      if (!r.ok() || leases.full() || l.attempt == before || l.attempt < 1 || l.attempt > item.attempts ||
          (l.target != item.target && l.target != fallback) || (l.hedge_at != timestamp::max() && !may_hedge)) {
        return false;
      }
      before = l.attempt;
      l.number = number_of(item.rank);
      l.item = place;
      l.other = item.link;
      item.link = leases.add(l);
    }
    return true;
  }
  bool load_order_of_waiting(snapshot_reader& r) {
    const std::size_t count = waiting();
    if (r.count(count) != count) return false;
    std::vector<bool> seen(used_);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t p = r.u32();
      if (p >= used_ || seen[p] || lines[p].stands != standing::waiting) return false;
      seen[p] = true;
      lines.renew(p);
    }
    return r.ok();
  }
  // The places below used_ that no item has, in the order in which they will be taken.
  bool load_free_places(snapshot_reader& r) {
    const std::size_t count = r.count(items_.size());
    if (size_ + count > items_.size() || (size_ == 0 && count != 0)) return false;
    std::vector<std::uint32_t> places(count);
    used_ = static_cast<std::uint32_t>(std::max<std::size_t>(used_, size_ + count));
    std::vector<bool> seen(used_);
    for (std::uint32_t& p : places) {
      p = r.u32();
      if (p >= used_ || seen[p] || lines[p].stands != standing::none) return false;
      seen[p] = true;
    }
    if (!r.ok() || size_ + count != used_) return false;
    for (std::size_t i = count; i > 0; --i) lines[places[i - 1]].link = std::exchange(free_, places[i - 1]);
    return true;
  }

  key_chains chains_;
  std::vector<Item> items_;
  std::size_t size_ = 0;
  std::uint32_t used_ = 0;  // places below it have been taken since it was last empty
  std::uint32_t free_ = none;
};

}  // namespace recoup::detail
