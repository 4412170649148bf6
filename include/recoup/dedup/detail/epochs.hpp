// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/detail/living_tags.hpp"

namespace recoup::detail {

// When were the keys of a window seen, in one byte a key: the epoch in which they came. Epochs are numbered by 8 bits
// that wrap; those from `oldest` to `current` are alive, and a key lives as long as its epoch. Expiry is thus nothing
// but a comparison: whoever holds tags of dead epochs need not know.
//
// An epoch ends after 1/96 of the window's keys, or when 1/64 of the age has passed since it began. It dies when
// `events` keys have come since its end. Only where more epochs than that are wanted (few keys in a long time) does one
// also die of age, and only if the earliest time of each of the last 8 epochs says so: a time that jumps ahead and
// returns kills nothing.
//
// A number is used again only when no tag of it is left. So the holder sweeps over its tags all the time, `lines` of
// equal size, and makes dead tags `dead_tag()`; a number is clean a whole pass after it ceased to be that. Numbers are
// always left for as many epochs as can end by count before the next are clean; an epoch that would end by time when
// numbers are short goes on instead: its keys are remembered longer, never shorter.
class epochs {
 public:
  using tag = std::uint8_t;

  static constexpr std::uint64_t by_count = 96;  // epochs a window
  static constexpr std::int64_t by_time = 64;    // epochs an age
  static constexpr unsigned hurry = 64;          // lines to sweep at once when numbers are short

  // The keys of an epoch at most; as long as it lives, `events` and that many are alive at most.
  static constexpr std::uint64_t keys_for(std::uint64_t events) noexcept { return (events + by_count - 1) / by_count; }

  epochs(std::uint64_t events, duration age, std::uint64_t lines) noexcept
      : events_(events),
        keys_an_epoch_(keys_for(events)),
        lines_(lines),
        age_(age),
        keys_a_turn_(keys_an_epoch_ < 32 ? 8 : 32),
        stride_(static_cast<unsigned>(lines * 27 * keys_a_turn_ / 8 / events + 1)) {}

  [[nodiscard]] tag current() const noexcept { return current_; }
  // A tag is alive if current() - tag, as 8 bits, is not above this.
  [[nodiscard]] tag span() const noexcept { return distance(oldest_, current_); }
  [[nodiscard]] const living_tags& living() const noexcept { return living_; }
  [[nodiscard]] tag oldest() const noexcept { return oldest_; }
  [[nodiscard]] tag dead_tag() const noexcept { return previous(oldest_); }
  [[nodiscard]] bool is_alive(tag t) const noexcept { return distance(t, current_) <= span(); }
  // Dead, and its number not yet to be used again.
  [[nodiscard]] bool is_unclean(tag t) const noexcept { return distance(dirty_, t) < distance(dirty_, oldest_); }

  // Of a living epoch: no key in it was seen before or after these.
  [[nodiscard]] timestamp first(tag t) const noexcept { return records_[t].first; }
  [[nodiscard]] timestamp latest(tag t) const noexcept { return records_[t].latest; }
  [[nodiscard]] std::uint64_t keys(tag t) const noexcept { return records_[t].keys; }
  [[nodiscard]] duration age() const noexcept { return age_; }
  [[nodiscard]] bool is_within_age(tag t, timestamp now) const noexcept { return elapsed(latest(t), now) <= age_; }

  // Before a key comes: whether `turn` must be called, every 8 or 32 keys and when an epoch ends.
  [[nodiscard]] bool is_due(timestamp now) const noexcept { return total_ >= next_turn_ || is_over(now); }
  // Begins and ends epochs. Returns how many lines to sweep then.
  [[nodiscard]] unsigned turn(timestamp now) noexcept {
    unsigned sweep = total_ % keys_a_turn_ == 0 ? stride_ : 0;
    if (total_ == 0) {
      began_ = records_[current_].first = records_[current_].latest = now;
    } else if (total_ - began_at_ >= keys_an_epoch_) {
      reclaim();
      if (used() < 255) begin(now);
    } else if (is_over(now)) {
      if (span() > by_time && has_died_of_age(now)) retire(now);
      reclaim();
      if (distance(dirty_, oldest_) > witnesses) sweep += hurry;
      if (used() < most_by_time) begin(now);
    }
    while (oldest_ != current_ && records_[oldest_].end + events_ <= total_ + 1) retire(now);
    plan();
    return sweep;
  }
  // A key comes into the current epoch.
  void add(timestamp now) noexcept {
    ++total_;
    record& r = records_[current_];
    ++r.keys;
    r.first = std::min(r.first, now);
    r.latest = std::max(r.latest, now);
  }
  // Both in one step, for a key that comes as most do: no turn is due, and time does not go back. Else false.
  [[nodiscard]] bool add_in_order(timestamp now) noexcept {
    record& r = records_[current_];
    if (total_ >= next_turn_ || now < r.latest || now > latest_begin_) return false;
    ++total_;
    ++r.keys;
    r.latest = now;
    return true;
  }
  // A key of a living epoch was seen again and may come into the current one: false if it stays where it is.
  [[nodiscard]] bool moves(tag t, timestamp now) noexcept {
    if (t != current_ || is_over(now)) return true;
    records_[t].latest = std::max(records_[t].latest, now);
    return false;
  }
  // A key left its living epoch.
  void remove(tag t) noexcept { --records_[t].keys; }
  // A key of a living epoch had to make room.
  void evict(tag t, timestamp now) noexcept {
    retire_keys(t, 1, now);
    remove(t);
  }
  void swept(unsigned lines) noexcept { swept_ += lines; }

  // An epoch as others see it.
  struct period {
    timestamp first{};
    timestamp latest{};
    std::uint64_t keys = 0;
    std::uint64_t end = 0;  // keys of all that are not newer than all of it; not less than that of the one before
  };
  // Begins anew with these, the oldest first and at least one, as the living epochs 1, 2, ...; at most 200. No tag but
  // theirs and dead_tag() may be left. What had to make room so far is what did in both.
  void become(std::span<const period> periods, const epochs& other) noexcept {
    if (other.evicted_within_age_ != 0) count_evicted(other.evicted_within_age_, other.youngest_evicted_);
    total_ = swept_ = 0;
    dirty_ = 0;
    oldest_ = 1;
    current_ = 0;
    for (const period& p : periods) {
      began_at_ = total_;
      total_ += p.keys;
      records_[++current_] = {.first = p.first, .latest = p.latest, .keys = p.keys, .end = p.end};
    }
    began_ = periods.back().first;
    plan();
    next_turn_ = 0;
  }
  // Keys had to make room, the youngest of them of this age.
  void count_evicted(std::uint64_t keys, duration youngest) noexcept {
    youngest_evicted_ = evicted_within_age_ == 0 ? youngest : std::min(youngest_evicted_, youngest);
    evicted_within_age_ += keys;
  }

  [[nodiscard]] std::uint64_t evicted_within_age() const noexcept { return evicted_within_age_; }
  [[nodiscard]] std::optional<duration> youngest_evicted() const noexcept {
    return evicted_within_age_ == 0 ? std::nullopt : std::optional(youngest_evicted_);
  }

  // Without the number of keys of each epoch, which the holder knows.
  void save(snapshot_writer& w) const {
    for (const tag t : {current_, oldest_, dirty_}) w.u8(t);
    for (const std::uint64_t n : {total_, began_at_, evicted_within_age_}) w.u64(n);
    w.time(began_);
    w.span(youngest_evicted_);
    for (tag t = dirty_; t != dead_tag(); t = next(t)) {
      w.u64(records_[t].end > swept_ ? records_[t].end - swept_ : 0);
    }
    for (tag t = oldest_;; t = next(t)) {
      w.time(first(t));
      w.time(latest(t));
      if (t == current_) break;
      w.u64(records_[t].end);
    }
  }
  // Into an object that is new.
  [[nodiscard]] bool load(snapshot_reader& r) noexcept {
    for (tag* t : {&current_, &oldest_, &dirty_}) *t = r.u8();
    for (std::uint64_t* n : {&total_, &began_at_, &evicted_within_age_}) *n = r.u64();
    began_ = r.time();
    youngest_evicted_ = r.span();
    const bool in_order = distance(dirty_, oldest_) + unsigned{span()} <= 255 && dirty_ != oldest_;
    if (!in_order || total_ > most_keys || began_at_ > total_ || youngest_evicted_ < duration::zero()) return false;
    for (tag t = dirty_; t != dead_tag(); t = next(t)) {
      records_[t].end = r.u64();
      if (records_[t].end > lines_) return false;
    }
    std::uint64_t end = 0;
    for (tag t = oldest_;; t = next(t)) {
      record& e = records_[t];
      e.first = r.time();
      e.latest = r.time();
      if (e.first > e.latest) return false;
      if (t == current_) break;
      e.end = r.u64();
      if (e.end < end || e.end > total_) return false;
      end = e.end;
    }
    plan();
    next_turn_ = 0;
    return r.ok();
  }
  // A key of a living epoch was loaded.
  void count(tag t) noexcept { ++records_[t].keys; }

 private:
  struct record {
    timestamp first{};
    timestamp latest{};
    std::uint64_t keys = 0;
    std::uint64_t end = 0;  // keys that had come when it ended; of a dead one: lines swept when its number is clean
  };

  // Numbers, alive or not yet clean, beyond which no epoch begins by time: 96 epochs can end by count while those alive
  // die, and 30 more during the pass that cleans the first of them.
  static constexpr unsigned most_by_time = 124;
  static constexpr unsigned witnesses = 8;
  static constexpr std::uint64_t most_keys = std::uint64_t{1} << 62;

  static constexpr tag next(tag t) noexcept { return static_cast<tag>(t + 1U); }
  static constexpr tag previous(tag t) noexcept { return static_cast<tag>(t - 1U); }
  static constexpr tag distance(tag from, tag to) noexcept { return static_cast<tag>(to - from); }

  [[nodiscard]] unsigned used() const noexcept { return distance(dirty_, current_) + 1U; }

  // Too late for the current epoch, or so early that time went back.
  [[nodiscard]] bool is_over(timestamp now) const noexcept {
    return ticks_of(now) - ticks_of(earliest_begin_) > ticks_of(latest_begin_) - ticks_of(earliest_begin_);
  }
  // Modulo 2^64: a difference is one even where it overflows a duration.
  static std::uint64_t ticks_of(timestamp t) noexcept {
    return static_cast<std::uint64_t>(t.time_since_epoch().count());
  }

  void begin(timestamp now) noexcept {
    records_[current_].end = total_;
    current_ = next(current_);
    records_[current_] = {.first = now, .latest = now};
    began_at_ = total_;
    if (now > began_ || now < earliest_begin_) began_ = now;
  }

  [[nodiscard]] bool has_died_of_age(timestamp now) const noexcept {
    timestamp earliest = now;
    tag t = current_;
    for (unsigned i = 0; i < witnesses; ++i, t = previous(t)) earliest = std::min(earliest, first(t));
    return !is_within_age(oldest_, earliest);
  }

  void retire(timestamp now) noexcept {
    if (const std::uint64_t keys = records_[oldest_].keys; keys > 0) retire_keys(oldest_, keys, now);
    records_[previous(oldest_)].end = swept_ + lines_;
    oldest_ = next(oldest_);
  }

  void reclaim() noexcept {
    while (dirty_ != dead_tag() && swept_ >= records_[dirty_].end) dirty_ = next(dirty_);
  }

  void retire_keys(tag t, std::uint64_t keys, timestamp now) noexcept {
    if (is_within_age(t, now)) count_evicted(keys, std::max(elapsed(latest(t), now), duration::zero()));
  }

  void plan() noexcept {
    next_turn_ = std::min((total_ | (keys_a_turn_ - 1)) + 1, began_at_ + keys_an_epoch_);
    if (oldest_ != current_) next_turn_ = std::min(next_turn_, records_[oldest_].end + events_ - 1);
    latest_begin_ = saturating_add(began_, age_ / by_time);
    earliest_begin_ = saturating_add(began_, -age_);
    if (latest(current_) < earliest_begin_) next_turn_ = 0;  // add_in_order compares with latest_begin_ only
    living_ = living_tags(current_, span());
  }

  std::uint64_t events_;
  std::uint64_t keys_an_epoch_;
  std::uint64_t lines_;
  duration age_;
  std::uint64_t keys_a_turn_;
  unsigned stride_;  // lines swept in that many keys, so that a pass takes 0.3 of the window's keys
  tag current_ = 1;
  tag oldest_ = 1;
  tag dirty_ = 0;  // from here to below oldest_: dead and not yet clean
  std::uint64_t total_ = 0;
  std::uint64_t began_at_ = 0;  // the total when the current epoch began
  timestamp began_{};
  std::uint64_t swept_ = 0;
  std::uint64_t evicted_within_age_ = 0;
  duration youngest_evicted_{};
  std::uint64_t next_turn_ = 0;  // these four follow from the rest, after the first key
  timestamp latest_begin_{};
  timestamp earliest_begin_{};
  living_tags living_{1, 0};
  std::array<record, 256> records_{};
};

}  // namespace recoup::detail
