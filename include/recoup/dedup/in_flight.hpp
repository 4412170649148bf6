// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/deadline_queue.hpp"
#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/detail/key_store.hpp"
#include "recoup/dedup/detail/recency_list.hpp"
#include "recoup/dedup/exact_window.hpp"

namespace recoup {

struct in_flight_options {
  std::size_t capacity = 4'096;               ///< keys in flight at once, 1 to 2^30
  duration lease = std::chrono::seconds{30};  ///< how long a key may be processed before somebody else may begin it
  std::uint64_t seed = 0;                     ///< of the hash; choose one that an attacker doesn't know
  std::size_t key_bytes = 32;                 ///< any_key only: room for each encoded key, 16 to 1,024
};

enum class in_flight_answer : std::uint8_t {
  started,     ///< the key is yours: process it
  taken_over,  ///< yours, as the lease of the one who had it ran out: it may have taken effect already
  busy,        ///< somebody else has it: leave it in the queue
  full,        ///< too many keys are in flight: leave it in the queue
};

/// Marks of the keys that are being processed now, each with a lease, for consumers that process concurrently, or fail
/// without saying so. A window of dedup/ tells what has been processed, this what is about to be:
///
///     if (window.judge(key, now).is_duplicate) return skip();
///     const auto mark = marks.begin(key, now);
///     if (!mark) return leave_in_the_queue();
///     if (process(event)) {
///       window.observe(key, now);      // not commit: the window may have changed since it judged
///       marks.done(key, mark.token);
///     } else {
///       marks.failed(key, mark.token);
///     }
///
/// A lease lasts until the time of its beginning plus `lease`; at that time it has run out, and the next begin takes
/// the key over. A token is valid for one mark: a holder so slow that its lease ran out and was taken over cannot end
/// the mark of the next. Time is only compared: one that goes back makes leases longer, never shorter.
///
/// Keys are compared as by exact_window, but one of over key_bytes is kept as its 128-bit fingerprint. Bytes: bytes_for
/// (76 a key, and key_bytes), all taken at construction; a copy takes some as it fills. Cost: one probe, and
/// O(log capacity) for the lease.
template <class Key = any_key>
class in_flight {
  static_assert(std::same_as<Key, any_key> || std::integral<Key> || std::is_enum_v<Key>,
                "recoup: in_flight<Key> takes an integer or an enumeration as Key; for all other keys write "
                "in_flight<> (any_key)");
  using store = std::conditional_t<std::same_as<Key, any_key>, detail::encoded_keys, detail::fixed_keys<Key>>;
  using position = detail::hash_index::position;
  static constexpr position none = detail::hash_index::none;

 public:
  struct mark {
    in_flight_answer answer = in_flight_answer::full;
    std::uint64_t token = 0;  ///< if started or taken over: to end the mark with
    timestamp until{};        ///< when its lease, or that of the one who has it, runs out; not if full

    explicit operator bool() const noexcept {
      return answer == in_flight_answer::started || answer == in_flight_answer::taken_over;
    }
  };

  struct counts {
    std::uint64_t started = 0;
    std::uint64_t taken_over = 0;
    std::uint64_t busy = 0;
    std::uint64_t full = 0;
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t lost = 0;      ///< leases that ran out and were taken away by advance
    std::uint64_t too_late = 0;  ///< done, failed or extend with a token that was not valid any more
  };

  in_flight() : in_flight(in_flight_options()) {}
  /// A template so that for `in_flight<>({})` the two constructors are not equally good.
  template <std::same_as<in_flight_options> Options = in_flight_options>
  explicit in_flight(Options options)
      : options_(checked(options)),
        index_(options.capacity),
        keys_(options.capacity, options.key_bytes, options.seed, true),
        order_(options.capacity),
        marks_(options.capacity) {
    leases_.reserve(options.capacity);
  }

  [[nodiscard]] static constexpr std::size_t bytes_for(const in_flight_options& o) noexcept {
    return o.capacity * (sizeof(entry) + detail::deadline_queue::bytes_per_id) +
           detail::hash_index::bytes_for(o.capacity) + detail::recency_list::bytes_for(o.capacity) +
           store::bytes_for(o.capacity, o.key_bytes, true);
  }

  /// Marks the key as in flight from now on, unless somebody else has it or too many are.
  template <fingerprintable K>
  [[nodiscard]] mark begin(const K& key, timestamp now) {
    const std::uint32_t hash = hash_of(key);
    const auto place = locate(key, hash);
    position at = place.found;
    if (at != none && now < marks_[at].until) {
      ++counts_.busy;
      return {in_flight_answer::busy, 0, marks_[at].until};
    }
    if (at != none) {
      ++counts_.taken_over;
      order_.renew(at);
    } else if (order_.size() == options_.capacity) {
      ++counts_.full;
      return {};
    } else {
      ++counts_.started;
      at = order_.add();
      marks_[at].key = keys_.store_at(at, key);
      marks_[at].hash = hash;
      index_.insert(place, hash, at);
    }
    entry& e = marks_[at];
    e.token = next_token_++;
    lease(at, now);
    return {place.found != none ? in_flight_answer::taken_over : in_flight_answer::started, e.token, e.until};
  }

  /// The key was processed, or was not and may begin again: ends the mark. False, and nothing changes, if the token is
  /// not that of the key's mark: the lease ran out, and somebody else has the key or advance took the mark away. While
  /// neither has happened the mark can be ended, run out or not.
  template <fingerprintable K>
  bool done(const K& key, std::uint64_t token) {
    return end(key, token, counts_.done);
  }
  template <fingerprintable K>
  bool failed(const K& key, std::uint64_t token) {
    return end(key, token, counts_.failed);
  }

  /// Begins the lease anew at `now`, for what takes longer; false as for done. It never ends earlier for that.
  template <fingerprintable K>
  bool extend(const K& key, std::uint64_t token, timestamp now) {
    const position at = find_valid(key, token).found;
    if (at != none) lease(at, now);
    return at != none;
  }

  /// Takes away the marks whose lease has run out, so that those of holders who will never end them do not fill the
  /// table; lost(token) is called before each. If it throws, the mark stays.
  template <class Lost>
  void advance(timestamp now, Lost&& lost) {
    while (!leases_.empty() && leases_.due() <= now) {
      const position at = leases_.first();
      lost(std::uint64_t{marks_[at].token});
      ++counts_.lost;
      remove(index_.find(marks_[at].hash, [at](position p) { return p == at; }));
    }
  }
  void advance(timestamp now) {
    advance(now, [](std::uint64_t) {});
  }

  /// Keys with a mark, run out or not.
  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
  [[nodiscard]] const counts& counters() const noexcept { return counts_; }
  [[nodiscard]] const in_flight_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({section_tag("FLYT"), store::kind, options_.capacity, detail::option(options_.lease),
                            options_.seed, options_.key_bytes});
  }
  [[nodiscard]] in_flight empty_copy() const { return in_flight(options_); }

  /// After a restart nobody may be left who holds a mark: advance once the leases have run out.
  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("FLYT"), 1);
    counts all = counts_;
    for (const std::uint64_t* n : numbers(all)) w.u64(*n);
    w.u64(next_token_);
    w.u64(size());
    for (position p = order_.oldest(); p != none; p = order_.after(p)) {
      keys_.save(w, marks_[p].key, true);
      w.u64(marks_[p].token);
      w.time(marks_[p].until);
    }
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (size() != 0) *this = empty_copy();
    (void)r.begin_section(section_tag("FLYT"), 1);
    for (std::uint64_t* n : numbers(counts_)) *n = r.u64();
    next_token_ = r.u64();
    const std::size_t count = r.count(options_.capacity);
    std::uint64_t token = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const position at = order_.add();
      entry& e = marks_[at];
      if (!keys_.load(r, e.key, true, at)) return false;
      e.token = r.u64();
      e.until = r.time();
      if (!r.ok() || e.token <= token || e.token >= next_token_) return false;  // they count up
      token = e.token;
      e.hash = detail::hash_index::tag_of(keys_.hash(e.key));
      const auto place = locate(e.key, e.hash);
      if (place.found != none) return false;  // the same key twice
      index_.insert(place, e.hash, at);
      leases_.set(at, e.until);
    }
    r.end_section();
    return r.ok();
  }

 private:
  struct entry {
    std::uint64_t token = 0;
    timestamp until = timestamp::min();
    typename store::handle key{};
    std::uint32_t hash = 0;
  };

  static in_flight_options checked(in_flight_options o) {
    detail::require_option(o.capacity >= 1 && o.capacity <= (std::size_t{1} << 30),
                           "in_flight_options.capacity must be 1 to 2^30 keys");
    detail::require_option(o.lease > duration::zero(), "in_flight_options.lease must be longer than zero");
    detail::require_option(o.key_bytes <= 1 << 20, "in_flight_options.key_bytes must be at most 2^20 bytes");
    return o;
  }

  static std::array<std::uint64_t*, 8> numbers(counts& c) noexcept {
    return {&c.started, &c.taken_over, &c.busy, &c.full, &c.done, &c.failed, &c.lost, &c.too_late};
  }

  template <class K>
  std::uint32_t hash_of(const K& key) const noexcept {
    return detail::hash_index::tag_of(keys_.hash(key));
  }
  template <class K>
  detail::hash_index::place locate(const K& key, std::uint32_t hash) const {
    return index_.find(hash, [&](position at) { return keys_.is_same(marks_[at].key, key); });
  }

  template <class K>
  detail::hash_index::place find_valid(const K& key, std::uint64_t token) {
    const auto place = locate(key, hash_of(key));
    if (place.found != none && marks_[place.found].token == token) return place;
    ++counts_.too_late;
    return {};
  }
  template <class K>
  bool end(const K& key, std::uint64_t token, std::uint64_t& count) {
    const auto place = find_valid(key, token);
    if (place.found == none) return false;
    ++count;
    remove(place);
    return true;
  }

  void lease(position at, timestamp now) noexcept {
    entry& e = marks_[at];
    e.until = std::max(e.until, saturating_add(now, options_.lease));
    leases_.set(at, e.until);
  }
  void remove(detail::hash_index::place place) noexcept {
    index_.erase(place);
    leases_.erase(place.found);
    marks_[place.found].until = timestamp::min();
    order_.remove(place.found);
  }

  in_flight_options options_;
  detail::hash_index index_;
  store keys_;
  detail::recency_list order_;  // by token
  std::vector<entry> marks_;
  detail::deadline_queue leases_;
  std::uint64_t next_token_ = 1;
  counts counts_;
};

}  // namespace recoup
