// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/table_key.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup::detail {

enum class match_state : std::uint8_t { open, matched, mismatched, missing };

// Whether two sides' keys can be compared: both text, both integers, or of one type; so too the parts of a composite.
template <class A, class B>
inline constexpr bool are_keys_alike = std::is_same_v<A, B> && !std::is_floating_point_v<A> && is_key<A>;
template <class A, class B>
requires text_key<A> && text_key<B>
inline constexpr bool are_keys_alike<A, B> = true;
template <std::integral A, std::integral B>
inline constexpr bool are_keys_alike<A, B> = true;
template <class A, class B>
inline constexpr bool are_keys_alike<std::optional<A>, std::optional<B>> = are_keys_alike<A, B>;
template <class... As, class... Bs>
requires(sizeof...(As) == sizeof...(Bs)) inline constexpr bool are_keys_alike<std::tuple<As...>, std::tuple<Bs...>> =
    (are_keys_alike<std::remove_cvref_t<As>, std::remove_cvref_t<Bs>> && ...);

template <class A, class B>
constexpr bool is_key_equal(const A& a, const B& b) {
  if constexpr (is_optional_v<A>) {
    return a.has_value() == b.has_value() && (!a.has_value() || detail::is_key_equal(*a, *b));
  } else if constexpr (requires { std::tuple_size<A>::value; }) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return (detail::is_key_equal(std::get<I>(a), std::get<I>(b)) && ...);
    }
    (std::make_index_sequence<std::tuple_size_v<A>>());
  } else {
    return detail::is_same_key(a, b);
  }
}

// The records of one side of a matcher. Each key's form a chain in the order in which they came. Those that wait, and
// those that are settled, stand in a line each, in the order in which they are due, and of equal ones in that in which
// they were put there. O(1), but a record that is due before others which came earlier walks past them.
template <class Record, class KeyOf>
class match_book {
 public:
  using position = hash_index::position;
  static constexpr position none = hash_index::none;

  struct entry {
    std::optional<Record> record{};
    timestamp since{};
    timestamp due{};          // when an open one has waited long enough, or a settled one is forgotten
    std::uint64_t order = 0;  // of its arrival
    std::uint32_t tag = 0;
    position before = none;  // in the chain; of the first, the last
    position after = none;
    position sooner = none;  // in the line
    position later = none;   // or the next free entry
    match_state state = match_state::open;
  };

  match_book(KeyOf key_of, std::size_t capacity) : key_of_(std::move(key_of)), index_(capacity), entries_(capacity) {
    for (std::size_t i = capacity; i > 0; --i)
      entries_[i - 1].later = std::exchange(free_, static_cast<position>(i - 1));
  }
  static constexpr std::size_t bytes_for(std::size_t capacity) noexcept {
    return capacity * sizeof(entry) + hash_index::bytes_for(capacity);
  }

  decltype(auto) key_of(const Record& record) const { return detail::project(key_of_, record); }
  const KeyOf& projection() const noexcept { return key_of_; }
  const entry& operator[](position at) const noexcept { return entries_[at]; }
  bool is_full() const noexcept { return free_ == none; }
  position first_open() const noexcept { return open_.first; }
  position first_settled() const noexcept { return settled_.first; }

  void prefetch(std::uint32_t tag) const noexcept { index_.prefetch(tag); }

  // The first of the key's records; those after it follow by `after`.
  template <class Key>
  position first_of(const Key& key, std::uint32_t tag) const {
    return find(key, tag).found;
  }

  // There must be room.
  position add(Record record, std::uint32_t tag, timestamp since, match_state state, timestamp due) {
    return add(std::move(record), tag, since, state, due, next_order_++);
  }
  void settle(position at, match_state state, timestamp due) noexcept {
    take_from_line(at);
    entries_[at].state = state;
    entries_[at].due = due;
    put_in_line(at);
  }
  void remove(position at) noexcept {
    take_from_line(at);
    take_from_chain(at);
    entries_[at].record.reset();
    entries_[at].later = std::exchange(free_, at);
  }

  // Takes over the records of a book of the same capacity; the projection, which may not be assignable, stays.
  void replace(match_book&& by) noexcept {
    index_ = std::move(by.index_);
    entries_ = std::move(by.entries_);
    open_ = by.open_;
    settled_ = by.settled_;
    free_ = by.free_;
    next_order_ = by.next_order_;
  }

  void save(snapshot_writer& w) const {
    w.u64(next_order_);
    for (const line* l : {&open_, &settled_}) {
      std::uint64_t count = 0;
      for (position at = l->first; at != none; at = entries_[at].later) ++count;
      w.u64(count);
      for (position at = l->first; at != none; at = entries_[at].later) {
        const entry& e = entries_[at];
        w.value(*e.record);
        w.time(e.since);
        w.time(e.due);
        w.u64(e.order);
        w.value(e.state);
      }
    }
  }
  // Into an empty book. tag_of(key): its hash; seen(entry) is told of each.
  template <class TagOf, class Seen>
  bool load(snapshot_reader& r, std::size_t per_key, TagOf&& tag_of, Seen&& seen) {
    next_order_ = r.u64();
    for (const bool is_open : {true, false}) {
      const std::size_t count = r.count(entries_.size());
      timestamp last = timestamp::min();
      for (std::size_t i = 0; i < count; ++i) {
        Record record{};
        if (is_full() || !r.value(record)) return false;
        const timestamp since = r.time();
        const timestamp due = r.time();
        const std::uint64_t order = r.u64();
        match_state state{};
        if (!r.value(state) || state > match_state::missing || (state == match_state::open) != is_open) return false;
        if (due < std::exchange(last, due) || order >= next_order_) return false;
        const auto& key = key_of(record);
        if (!detail::names_something(key)) return false;
        const std::uint32_t tag = tag_of(key);
        std::size_t of_key = 0;
        for (position at = first_of(key, tag); at != none; at = entries_[at].after) {
          if (entries_[at].order == order || ++of_key >= per_key) return false;
        }
        seen(entries_[add(std::move(record), tag, since, state, due, order)]);
      }
    }
    return r.ok();
  }

 private:
  struct line {
    position first = none;
    position last = none;
  };
  line& line_of(const entry& e) noexcept { return e.state == match_state::open ? open_ : settled_; }

  template <class Key>
  hash_index::place find(const Key& key, std::uint32_t tag) const {
    return index_.find(tag, [&](position at) { return detail::is_key_equal(key_of(*entries_[at].record), key); });
  }

  position add(Record record, std::uint32_t tag, timestamp since, match_state state, timestamp due,
               std::uint64_t order) {
    const position at = free_;
    entry& e = entries_[at];
    e.record.emplace(std::move(record));
    free_ = e.later;
    e.since = since;
    e.due = due;
    e.order = order;
    e.tag = tag;
    e.state = state;
    put_in_chain(at);
    put_in_line(at);
    return at;
  }

  void put_in_line(position at) noexcept {
    entry& e = entries_[at];
    line& l = line_of(e);
    e.sooner = l.last;
    while (e.sooner != none && entries_[e.sooner].due > e.due) e.sooner = entries_[e.sooner].sooner;
    e.later = std::exchange(e.sooner == none ? l.first : entries_[e.sooner].later, at);
    (e.later == none ? l.last : entries_[e.later].sooner) = at;
  }
  void take_from_line(position at) noexcept {
    const entry& e = entries_[at];
    line& l = line_of(e);
    (e.sooner == none ? l.first : entries_[e.sooner].later) = e.later;
    (e.later == none ? l.last : entries_[e.later].sooner) = e.sooner;
  }

  void put_in_chain(position at) noexcept {
    entry& e = entries_[at];
    const auto place = find(key_of(*e.record), e.tag);
    e.after = none;
    if (place.found == none) {
      e.before = at;
      index_.insert(place, e.tag, at);
      return;
    }
    entry& first = entries_[place.found];
    position behind = first.before;
    while (behind != none && entries_[behind].order > e.order) {
      behind = behind == place.found ? none : entries_[behind].before;
    }
    if (behind == none) {
      e.before = std::exchange(first.before, at);
      e.after = place.found;
      index_.move(place, at);
    } else {
      e.before = behind;
      e.after = std::exchange(entries_[behind].after, at);
      (e.after == none ? first : entries_[e.after]).before = at;
    }
  }
  void take_from_chain(position at) noexcept {
    const entry& e = entries_[at];
    const auto place = find(key_of(*e.record), e.tag);
    if (at != place.found) {
      entries_[e.before].after = e.after;
      (e.after == none ? entries_[place.found] : entries_[e.after]).before = e.before;
    } else if (e.after == none) {
      index_.erase(place);
    } else {
      entries_[e.after].before = e.before;
      index_.move(place, e.after);
    }
  }

  KeyOf key_of_;
  hash_index index_;
  std::vector<entry> entries_;
  line open_;
  line settled_;
  position free_ = none;
  std::uint64_t next_order_ = 0;
};

}  // namespace recoup::detail
