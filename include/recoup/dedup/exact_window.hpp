// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/detail/key_store.hpp"
#include "recoup/dedup/detail/recency_list.hpp"

namespace recoup {

struct exact_window_options {
  std::size_t events = 1 << 16;        ///< keys remembered at most, 1 to 2^30; then the oldest goes
  duration age = duration::max();      ///< a key older than this is new again
  std::uint64_t seed = 0;              ///< of the hash; choose one that an attacker doesn't know
  std::size_t key_bytes = 32;          ///< any_key only: room a key on average (with renew: each), for the encoded key
  bool renew = false;                  ///< a duplicate renews its key: its age counts anew, and it becomes the youngest
  duration max_age = duration::max();  ///< renew only: since first seen; then a key is new again, renewed or not
};

/// Keys of every fingerprintable type, several fields included, compared by their canonical encoding.
struct any_key {};

/// Remembers the last keys by count and by age, and compares the keys themselves: never calls a new key a duplicate,
/// and never misses a duplicate inside the window. The window is first in, first out; with `renew`, the least recently
/// seen goes first. Key is an integer or enumeration, kept as it is, or any_key.
///
/// A time that goes back or jumps ahead empties nothing: age is only ever compared, and keys leave to make room for new
/// ones. The exception to "never", with any_key: a key of over 1,024 bytes is kept as its 128-bit fingerprint, and with
/// `renew` one of over key_bytes, as each key has room of its own then (16 to 1,024 bytes).
///
/// Cost: one hash, one probe of the index, one comparison of keys; a new key in a full window also removes the oldest,
/// with any_key as many of the oldest as the new one's bytes need. Bytes: bytes_for; all taken at construction. A key
/// of 8 bytes takes 48, one of any_key 48 and its key_bytes, and 8 more each with `renew`.
template <class Key = any_key>
class exact_window {
  static_assert(std::same_as<Key, any_key> || std::integral<Key> || std::is_enum_v<Key>,
                "recoup: exact_window<Key> takes an integer or an enumeration as Key; for all other keys write "
                "exact_window<> (any_key)");
  using store = std::conditional_t<std::same_as<Key, any_key>, detail::encoded_keys, detail::fixed_keys<Key>>;
  using position = detail::hash_index::position;
  static constexpr position none = detail::hash_index::none;

 public:
  using hash_type = std::uint32_t;

  /// What is known of a key. Valid until the window next changes.
  struct judgement {
    bool is_duplicate = false;
    timestamp first_seen{};     ///< if a duplicate
    timestamp last_seen{};      ///< if a duplicate: the latest time so far, this one not counted
    std::uint32_t repeats = 0;  ///< if a duplicate: how many came before it; stays at 2^32 - 1
    std::uint32_t hash = 0;
    detail::hash_index::place place;
  };

  exact_window() : exact_window(exact_window_options()) {}
  /// A template so that for `exact_window<>({})` the two constructors are not equally good.
  template <std::same_as<exact_window_options> Options = exact_window_options>
  explicit exact_window(Options options)
      : options_(checked(options)),
        index_(options.events),
        keys_(stored_at_once(options), options.key_bytes, options.seed, options.renew),
        entries_(options.events + 1),
        recency_(options.renew ? options.events + 1 : 0) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(const exact_window_options& o) noexcept {
    return (o.events + 1) * sizeof(entry) + detail::hash_index::bytes_for(o.events) +
           detail::recency_list::bytes_for(o.renew ? o.events + 1 : 0) +
           store::bytes_for(stored_at_once(o), o.key_bytes, o.renew);
  }

  template <fingerprintable K>
  [[nodiscard]] hash_type hash(const K& key) const noexcept {
    return detail::hash_index::tag_of(keys_.hash(key));
  }
  void prefetch(hash_type hash) const noexcept { index_.prefetch(hash); }

  template <fingerprintable K>
  [[nodiscard, gnu::always_inline]] judgement judge(const K& key, hash_type hash, timestamp now) const {
    judgement j{.hash = hash, .place = locate(key, hash)};
    if (j.place.found != none) {
      const entry& e = entries_[j.place.found];
      j.is_duplicate = is_young(e, now);
      j.first_seen = e.first_seen;
      j.last_seen = e.last_seen;
      j.repeats = e.repeats;
    }
    return j;
  }
  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K& key, timestamp now) const {
    return judge(key, hash(key), now);
  }

  /// Remembers the key if it is new, else counts the duplicate, and renews the key if that is asked for.
  template <fingerprintable K>
  void commit(const K& key, judgement j, timestamp now) {
    if (options_.renew) [[unlikely]]
      return commit_and_renew(key, j, now);
    if (j.is_duplicate) return repeat(j.place.found, now);
    ++counts_.fresh;
    while (!keys_.has_room_for(key)) {
      evict_oldest(now);
      j.place = locate(key, j.hash);
    }
    const position at = add_to_ring();
    entries_[at] = {now, now, keys_.store(key), j.hash, 0};
    if (j.place.found == none) {
      index_.insert(j.place, j.hash, at);
    } else {
      index_.move(j.place, at);
    }
    if (begin_ == end_) evict_oldest(now);
  }

  template <fingerprintable K>
  judgement observe(const K& key, timestamp now) {
    const judgement j = judge(key, now);
    commit(key, j, now);
    return j;
  }

  /// Makes a key new again, since what it stands for was not processed after all. False if it was not remembered. With
  /// `renew` its place is free at once; else that of the newest keys is, and that of another when it has become the
  /// oldest.
  template <fingerprintable K>
  bool forget(const K& key) {
    const auto place = locate(key, hash(key));
    if (place.found == none) return false;
    index_.erase(place);
    if (options_.renew) {
      recency_.remove(place.found);
      return true;
    }
    for (; begin_ != end_ && !is_remembered(newest()); end_ = newest()) keys_.take_back(entries_[newest()].key);
    return true;
  }

  /// New keys and duplicates so far; keys that had to make room while within their age (the window was too small).
  [[nodiscard]] std::uint64_t fresh() const noexcept { return counts_.fresh; }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return counts_.duplicates; }
  [[nodiscard]] std::uint64_t evicted_within_age() const noexcept { return counts_.evicted_within_age; }
  /// The least age, zero or more, of a key that had to make room while within its age: as far back as the window was
  /// sure to reach.
  [[nodiscard]] std::optional<duration> youngest_evicted() const noexcept {
    if (counts_.evicted_within_age == 0) return std::nullopt;
    return counts_.youngest_evicted;
  }
  [[nodiscard]] const exact_window_options& options() const noexcept { return options_; }

  /// Takes in the keys of a window with the same options, in order of their times; false, and nothing changes, if it
  /// has other options. Of a key that both remember, what is known to the one that saw it later stays. If all are too
  /// many the oldest go, counted by their age when the newest of all was seen. The counts are added up. Time and memory
  /// of a second window, as for a snapshot.
  [[nodiscard]] bool merge(const exact_window& other) {
    if (configuration() != other.configuration()) return false;
    exact_window all = empty_copy();
    all.counts_ = counts_;
    all.counts_.add(other.counts_);
    const timestamp now = std::max(newest_time(), other.newest_time());
    // The next of each that stays.
    const auto of_mine = [&](position p) {
      return remembered_from(p, [&](const entry& e) { return !other.knows_better(*this, e, false); });
    };
    const auto of_theirs = [&](position p) {
      return other.remembered_from(p, [&](const entry& e) { return !knows_better(other, e, true); });
    };
    position mine = of_mine(first());
    position theirs = of_theirs(other.first());
    while (mine != none || theirs != none) {
      if (theirs == none || (mine != none && counts_from(entries_[mine]) <= counts_from(other.entries_[theirs]))) {
        all.append(*this, mine, now);
        mine = of_mine(after(mine));
      } else {
        all.append(other, theirs, now);
        theirs = of_theirs(other.after(theirs));
      }
    }
    *this = std::move(all);
    return true;
  }

  /// In which of `parts` parts (0 to parts - 1) a key is: by its hash, the same for every exact_window of one seed.
  template <fingerprintable K>
  [[nodiscard]] std::uint32_t part_of(const K& key, std::uint32_t parts) const noexcept {
    return part_of_hash(hash(key), parts);
  }
  /// Forgets all keys but those of one part, so that the others can move to another process: restore a snapshot there
  /// and keep the other parts. The counts stay. Time and memory of a second window.
  void keep_part(std::uint32_t part, std::uint32_t parts) {
    exact_window kept = empty_copy();
    kept.counts_ = counts_;
    const auto is_kept = [&](const entry& e) { return part_of_hash(e.hash, parts) == part; };
    for (position p = remembered_from(first(), is_kept); p != none; p = remembered_from(after(p), is_kept)) {
      kept.append(*this, p, entries_[p].last_seen);
    }
    *this = std::move(kept);
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const std::uint64_t plain = detail::combine(
        {store::kind, options_.events, detail::option(options_.age), options_.seed, options_.key_bytes});
    return options_.renew ? detail::combine({plain, detail::option(options_.max_age)}) : plain;
  }
  [[nodiscard]] exact_window empty_copy() const { return exact_window(options_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("EXWN"), version);
    for (const std::uint64_t n : {counts_.fresh, counts_.duplicates, counts_.evicted_within_age}) w.u64(n);
    w.span(counts_.youngest_evicted);
    w.u64(size());
    keys_.save_begin(w);
    for (position p = first(); p != none; p = after(p)) {
      const entry& e = entries_[p];
      const bool remembered = is_remembered(p);
      w.boolean(remembered);
      keys_.save(w, e.key, remembered);
      if (!remembered) continue;
      w.time(e.first_seen);
      w.time(e.last_seen);
      w.u32(e.repeats);
    }
    keys_.save_end(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (size() != 0) *this = empty_copy();
    begin_ = end_ = 0;
    if (r.begin_section(section_tag("EXWN"), version) != version) r.fail(snapshot_status::older_version);
    for (std::uint64_t* n : {&counts_.fresh, &counts_.duplicates, &counts_.evicted_within_age}) *n = r.u64();
    counts_.youngest_evicted = r.span();
    if (counts_.youngest_evicted < duration::zero()) return false;
    const std::size_t count = r.count(options_.events);
    if (!keys_.load_begin(r)) return false;
    for (std::size_t i = 0; i < count; ++i) {
      const position at = add();
      entry& e = entries_[at];
      const bool remembered = r.boolean();
      if (!keys_.load(r, e.key, remembered, at)) return false;
      if (!remembered) {
        if (options_.renew || i + 1 == count) return false;  // the newest always is
        continue;
      }
      e.first_seen = r.time();
      e.last_seen = r.time();
      e.repeats = r.u32();
      e.hash = detail::hash_index::tag_of(keys_.hash(e.key));
      const auto place = locate(e.key, e.hash);
      if (place.found != none || e.last_seen < e.first_seen) return false;  // the same key twice
      index_.insert(place, e.hash, at);
    }
    if (!keys_.load_end(r)) return false;
    r.end_section();
    return r.ok();
  }

 private:
  static constexpr std::uint16_t version = 2;

  struct entry {
    timestamp first_seen;
    timestamp last_seen;
    typename store::handle key;
    std::uint32_t hash;
    std::uint32_t repeats;
  };

  struct counts {
    std::uint64_t fresh = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t evicted_within_age = 0;
    duration youngest_evicted = duration::max();

    void add(const counts& other) noexcept {
      fresh += other.fresh;
      duplicates += other.duplicates;
      evicted_within_age += other.evicted_within_age;
      youngest_evicted = std::min(youngest_evicted, other.youngest_evicted);
    }
  };

  static exact_window_options checked(exact_window_options o) {
    detail::require_option(o.events >= 1 && o.events <= (std::size_t{1} << 30),
                           "exact_window_options.events must be 1 to 2^30 keys");
    detail::require_option(o.age > duration::zero(), "exact_window_options.age must be longer than zero");
    detail::require_option(o.key_bytes <= 1 << 20, "exact_window_options.key_bytes must be at most 2^20 bytes");
    detail::require_option(o.max_age > duration::zero(), "exact_window_options.max_age must be longer than zero");
    detail::require_option(o.renew || o.max_age == duration::max(),
                           "exact_window_options.max_age bounds keys that are renewed: set renew as well, or use age");
    return o;
  }

  // A ring of keys makes room before it stores one.
  static constexpr std::size_t stored_at_once(const exact_window_options& o) noexcept {
    return o.renew ? o.events + 1 : o.events;
  }

  static std::uint32_t part_of_hash(std::uint32_t hash, std::uint32_t parts) noexcept {
    // Mixed, as the index goes by the upper bits: the keys of one part would crowd in one part of it.
    const std::uint64_t mixed = detail::combine({hash}) >> 32;
    return static_cast<std::uint32_t>((mixed * parts) >> 32);  // 0 of no parts
  }

  template <class K>
  detail::hash_index::place locate(const K& key, std::uint32_t hash) const {
    return index_.find(hash, [&](position at) { return keys_.is_same(entries_[at].key, key); });
  }
  detail::hash_index::place locate(position p) const {
    return index_.find(entries_[p].hash, [p](position at) { return at == p; });
  }
  // Whether the same key was seen here later than in `other`, or at the same time and `or_as_late`.
  bool knows_better(const exact_window& other, const entry& e, bool or_as_late) const {
    const auto place =
        index_.find(e.hash, [&](position at) { return keys_.is_same(entries_[at].key, other.keys_, e.key); });
    if (place.found == none) return false;
    const timestamp here = counts_from(entries_[place.found]);
    return here > counts_from(e) || (or_as_late && here == counts_from(e));
  }

  // Neither forgotten nor stored anew.
  bool is_remembered(position p) const { return locate(p).found != none; }
  // The first that is so and remembered, from p on.
  template <class Is>
  position remembered_from(position p, Is&& is) const {
    while (p != none && !(is_remembered(p) && is(entries_[p]))) p = after(p);
    return p;
  }

  timestamp counts_from(const entry& e) const noexcept { return options_.renew ? e.last_seen : e.first_seen; }
  bool is_young(const entry& e, timestamp now) const noexcept {
    if (options_.renew) [[unlikely]]
      return elapsed(e.last_seen, now) <= options_.age && elapsed(e.first_seen, now) <= options_.max_age;
    return elapsed(e.first_seen, now) <= options_.age;
  }
  timestamp newest_time() const {
    timestamp newest = timestamp::min();
    for (position p = first(); p != none; p = after(p)) {
      newest = std::max(newest, counts_from(entries_[p]));
    }
    return newest;
  }

  void repeat(position at, timestamp now) noexcept {
    ++counts_.duplicates;
    entry& e = entries_[at];
    if (now > e.last_seen) e.last_seen = now;
    if (e.repeats != std::numeric_limits<std::uint32_t>::max()) ++e.repeats;
  }

  template <class K>
  [[gnu::noinline]] void commit_and_renew(const K& key, judgement j, timestamp now) {
    position at = j.place.found;
    if (at != none) recency_.renew(at);
    if (j.is_duplicate) return repeat(at, now);
    ++counts_.fresh;
    if (at == none) {
      at = add();
      index_.insert(j.place, j.hash, at);
    }
    entries_[at] = {now, now, keys_.store_at(at, key), j.hash, 0};
    if (recency_.size() > options_.events) evict_least_recent(now);
  }

  // A key of `from`, which is not remembered here.
  void append(const exact_window& from, position p, timestamp now) {
    const entry& e = from.entries_[p];
    while (!options_.renew && !keys_.has_room_for(from.keys_, e.key)) evict_oldest(now);
    const position at = add();
    entries_[at] = e;
    entries_[at].key = keys_.store_at(at, from.keys_, e.key);
    index_.insert(index_.find(e.hash, [](position) { return false; }), e.hash, at);
    if (options_.renew) {
      if (recency_.size() > options_.events) evict_least_recent(now);
    } else if (begin_ == end_) {
      evict_oldest(now);
    }
  }

  // Of the ring.
  void evict_oldest(timestamp now) {
    const entry& e = entries_[begin_];
    if (const auto place = locate(begin_); place.found != none) {
      const duration age = elapsed(e.first_seen, now);
      if (age <= options_.age) count_evicted(age);
      index_.erase(place);
    }
    keys_.release(e.key);
    begin_ = next(begin_);
  }
  // Of the list.
  void evict_least_recent(timestamp now) {
    const position oldest = recency_.oldest();
    const entry& e = entries_[oldest];
    if (is_young(e, now)) count_evicted(elapsed(e.last_seen, now));
    index_.erase(locate(oldest));
    recency_.remove(oldest);
  }
  void count_evicted(duration age) noexcept {
    ++counts_.evicted_within_age;
    if (age < counts_.youngest_evicted) counts_.youngest_evicted = std::max(age, duration::zero());
  }

  // The places of keys from the oldest to the newest, those of keys no longer remembered among them: of the ring or,
  // with `renew`, of the list. The ring is full, and looks empty, only until commit has evicted the oldest.
  position next(position p) const noexcept { return p != options_.events ? p + 1 : 0; }
  position newest() const noexcept { return end_ != 0 ? end_ - 1 : static_cast<position>(options_.events); }
  position add_to_ring() noexcept {
    const position at = end_;
    end_ = next(at);
    return at;
  }
  position add() noexcept { return options_.renew ? recency_.add() : add_to_ring(); }
  position first() const noexcept {
    if (options_.renew) return recency_.oldest();
    return begin_ != end_ ? begin_ : none;
  }
  position after(position p) const noexcept {
    if (options_.renew) return recency_.after(p);
    return next(p) != end_ ? next(p) : none;
  }
  std::size_t size() const noexcept {
    if (options_.renew) return recency_.size();
    return end_ >= begin_ ? end_ - begin_ : end_ + options_.events + 1 - begin_;
  }

  exact_window_options options_;
  detail::hash_index index_;
  store keys_;
  std::vector<entry> entries_;    // room for one more than may stay; a ring from begin_ to end_ or,
  detail::recency_list recency_;  // with `renew`, a list
  position begin_ = 0;
  position end_ = 0;
  counts counts_;
};

}  // namespace recoup
