// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/detail/key_store.hpp"

namespace recoup {

struct exact_window_options {
  std::size_t events = 1 << 16;    ///< keys remembered at most, 1 to 2^30; then the oldest goes
  duration age = duration::max();  ///< a key older than this is new again
  std::uint64_t seed = 0;          ///< of the hash; choose one that an attacker doesn't know
  std::size_t key_bytes = 32;      ///< any_key only: room a key on average, for the encoded key
};

/// Keys of every fingerprintable type, several fields included, compared by their canonical encoding.
struct any_key {};

/// Remembers the last keys by count and by age, and compares the keys themselves: never calls a new key a duplicate,
/// and never misses a duplicate inside the window. The window is first in, first out: a duplicate does not renew its
/// key. Key is an integer or enumeration, kept as it is, or any_key.
///
/// A time that goes back or jumps ahead empties nothing: age is only ever compared, and keys leave to make room for new
/// ones. The exception to "never", with any_key: a key of over 1,024 bytes is kept as its 128-bit fingerprint.
///
/// Cost: one hash, one probe of the index, one comparison of keys; a new key in a full window also removes the oldest,
/// with any_key as many of the oldest as the new one's bytes need. Bytes: bytes_for; all taken at construction.
template <class Key = any_key>
class exact_window {
  static_assert(std::same_as<Key, any_key> || std::integral<Key> || std::is_enum_v<Key>,
                "recoup: exact_window<Key> takes an integer or an enumeration as Key; for all other keys write "
                "exact_window<> (any_key)");
  using store = std::conditional_t<std::same_as<Key, any_key>, detail::encoded_keys, detail::fixed_keys<Key>>;
  using position = detail::hash_index::position;

 public:
  /// What is known of a key. Valid until the window next changes.
  struct judgement {
    bool is_duplicate = false;
    timestamp first_seen{};  ///< if a duplicate
    std::uint32_t hash = 0;
    detail::hash_index::place place;
  };

  exact_window() : exact_window(exact_window_options()) {}
  /// A template so that for `exact_window<>({})` the two constructors are not equally good.
  template <std::same_as<exact_window_options> Options = exact_window_options>
  explicit exact_window(Options options)
      : options_(checked(options)),
        index_(options.events),
        keys_(options.events, options.key_bytes, options.seed),
        entries_(options.events + 1) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(const exact_window_options& o) noexcept {
    return (o.events + 1) * sizeof(entry) + detail::hash_index::bytes_for(o.events) +
           store::bytes_for(o.events, o.key_bytes);
  }

  template <fingerprintable K>
  [[nodiscard]] std::uint32_t hash(const K& key) const noexcept {
    return detail::hash_index::tag_of(keys_.hash(key));
  }
  void prefetch(std::uint32_t hash) const noexcept { index_.prefetch(hash); }

  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K& key, std::uint32_t hash, timestamp now) const {
    judgement j{.hash = hash, .place = locate(key, hash)};
    if (j.place.found != detail::hash_index::none) {
      j.first_seen = entries_[j.place.found].first_seen;
      j.is_duplicate = elapsed(j.first_seen, now) <= options_.age;
    }
    return j;
  }
  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K& key, timestamp now) const {
    return judge(key, hash(key), now);
  }

  /// Remembers the key if it is new.
  template <fingerprintable K>
  void commit(const K& key, judgement j, timestamp now) {
    if (j.is_duplicate) {
      ++duplicates_;
      return;
    }
    ++fresh_;
    while (!keys_.has_room_for(key)) {
      evict_oldest(now);
      j.place = locate(key, j.hash);
    }
    const position at = end();
    entries_[at] = {keys_.store(key), now, j.hash};
    ++count_;
    if (j.place.found == detail::hash_index::none) {
      index_.insert(j.place, j.hash, at);
    } else {
      index_.move(j.place, at);
    }
    if (count_ > options_.events) evict_oldest(now);
  }

  template <fingerprintable K>
  judgement observe(const K& key, timestamp now) {
    const judgement j = judge(key, now);
    commit(key, j, now);
    return j;
  }

  /// Makes a key new again, since what it stands for was not processed after all. False if it was not remembered. The
  /// place of the newest keys is free again at once, that of another key when it has become the oldest.
  template <fingerprintable K>
  bool forget(const K& key) {
    const auto place = locate(key, hash(key));
    if (place.found == detail::hash_index::none) return false;
    index_.erase(place);
    for (; count_ > 0 && !is_remembered(newest()); --count_) keys_.take_back(entries_[newest()].key);
    return true;
  }

  /// New keys and duplicates so far; keys that had to make room while within their age (the window was too small).
  [[nodiscard]] std::uint64_t fresh() const noexcept { return fresh_; }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }
  [[nodiscard]] std::uint64_t evicted_within_age() const noexcept { return evicted_within_age_; }
  [[nodiscard]] const exact_window_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({sizeof(typename store::handle), options_.events, detail::option(options_.age),
                            options_.seed, options_.key_bytes});
  }
  [[nodiscard]] exact_window empty_copy() const { return exact_window(options_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("EXWN"), 1);
    for (const std::uint64_t n : {fresh_, duplicates_, evicted_within_age_}) w.u64(n);
    w.u64(count_);
    keys_.save_begin(w);
    for (std::size_t i = 0; i < count_; ++i) {
      const entry& e = entries_[nth(i)];
      const bool remembered = is_remembered(nth(i));
      w.boolean(remembered);
      keys_.save(w, e.key, remembered);
      if (remembered) w.time(e.first_seen);
    }
    keys_.save_end(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (count_ != 0) *this = empty_copy();
    begin_ = 0;
    (void)r.begin_section(section_tag("EXWN"), 1);
    for (std::uint64_t* n : {&fresh_, &duplicates_, &evicted_within_age_}) *n = r.u64();
    const std::size_t count = r.count(options_.events);
    if (!keys_.load_begin(r)) return false;
    for (; count_ < count; ++count_) {
      entry& e = entries_[count_];
      const bool remembered = r.boolean();
      if (!keys_.load(r, e.key, remembered)) return false;
      if (!remembered) {
        if (count_ + 1 == count) return false;  // the newest always is
        continue;
      }
      e.first_seen = r.time();
      e.hash = detail::hash_index::tag_of(keys_.hash(e.key));
      const auto place = locate(e.key, e.hash);
      if (place.found != detail::hash_index::none) return false;  // the same key twice
      index_.insert(place, e.hash, static_cast<position>(count_));
    }
    if (!keys_.load_end(r)) return false;
    r.end_section();
    return r.ok();
  }

 private:
  struct entry {
    typename store::handle key;
    timestamp first_seen;
    std::uint32_t hash;
  };

  static exact_window_options checked(exact_window_options o) {
    detail::require_option(o.events >= 1 && o.events <= (std::size_t{1} << 30),
                           "exact_window_options.events must be 1 to 2^30 keys");
    detail::require_option(o.age > duration::zero(), "exact_window_options.age must be longer than zero");
    detail::require_option(o.key_bytes <= 1 << 20, "exact_window_options.key_bytes must be at most 2^20 bytes");
    return o;
  }

  template <class K>
  detail::hash_index::place locate(const K& key, std::uint32_t hash) const {
    return index_.find(hash, [&](position at) { return keys_.is_same(entries_[at].key, key); });
  }
  detail::hash_index::place locate(position p) const {
    return index_.find(entries_[p].hash, [p](position at) { return at == p; });
  }

  // Neither forgotten nor renewed.
  bool is_remembered(position p) const { return locate(p).found != detail::hash_index::none; }

  position nth(std::size_t n) const noexcept {
    const std::size_t at = begin_ + n;
    return static_cast<position>(at < entries_.size() ? at : at - entries_.size());
  }
  position end() const noexcept { return nth(count_); }
  position newest() const noexcept { return nth(count_ - 1); }

  void evict_oldest(timestamp now) {
    const position oldest = static_cast<position>(begin_);
    const entry& e = entries_[oldest];
    if (const auto place = locate(oldest); place.found != detail::hash_index::none) {
      if (elapsed(e.first_seen, now) <= options_.age) ++evicted_within_age_;
      index_.erase(place);
    }
    keys_.release(e.key);
    begin_ = begin_ + 1 < entries_.size() ? begin_ + 1 : 0;
    --count_;
  }

  exact_window_options options_;
  detail::hash_index index_;
  store keys_;
  std::vector<entry> entries_;  // a ring in order of arrival: count_ from begin_ on, and room for one more
  std::size_t begin_ = 0;
  std::size_t count_ = 0;
  std::uint64_t fresh_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t evicted_within_age_ = 0;
};

}  // namespace recoup
