// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup::detail {

// Buckets of time that are open: those that begin at multiples of their width since the epoch, in a ring of fixed size.
// The oldest closes when `advance` is given a time that is its end and `delay`, or later. Until advance is first called
// the first event tells where to begin. A leap over more empty buckets than longest_silence has is passed over at once;
// a step back by more than that begins anew there.
//
// A Bucket has is_empty(), clear(), save(writer) and load(reader). Bytes: those of the buckets, a power of two.
template <class Bucket>
class bucket_ring {
 public:
  enum class place : std::uint8_t { open, late, ahead };

  // `room`: buckets open at once, at least.
  bucket_ring(duration width, duration delay, duration longest_silence, std::size_t room, const Bucket& prototype)
      : width_(width), delay_(delay), longest_silence_(longest_silence), buckets_(std::bit_ceil(room), prototype) {}

  // Where the bucket of this time is; if open, use(bucket, its start) is called.
  template <class Use>
  place at(timestamp time, Use&& use) {
    if (since_hot(time) < hot_width_) [[likely]] {
      use(buckets_[hot_slot_], hot_start_);
      return place::open;
    }
    const ticks index = index_of(time);
    if (!has_begun_) {
      has_begun_ = true;
      oldest_ = index;
      set_due();
    }
    if (!is_open(index)) return index < oldest_ ? place::late : place::ahead;
    const bool is_cut_short =
        time <= saturating_add(timestamp::min(), width_) || time >= saturating_add(timestamp::max(), -width_);
    if (!is_cut_short) {
      hot_start_ = start_of(index);
      hot_width_ = static_cast<std::uint64_t>(width_.count());
      hot_slot_ = slot_of(index);
    }
    use(buckets_[slot_of(index)], start_of(index));
    return place::open;
  }
  // Null where the bucket of this time is not open.
  [[nodiscard]] Bucket* find(timestamp time) noexcept {
    const ticks index = index_of(time);
    return has_begun_ && is_open(index) ? &buckets_[slot_of(index)] : nullptr;
  }

  // close(start, bucket), oldest first: the bucket is closed and cleared when that returns. skip(start, how many)
  // passes empty ones over. lose(bucket): open ones that are ahead now, since time went far back.
  template <class Close, class Skip, class Lose>
  void advance(timestamp now, Close&& close, Skip&& skip, Lose&& lose) {
    if (now < due_) [[likely]] {
      if (is_far_back(now)) begin_at(now, lose);
      return;
    }
    if (!has_begun_) return begin_at(now, lose);
    const ticks end = first_incomplete(now);
    const std::uint64_t most = buckets_.size() + static_cast<std::uint64_t>(longest_silence_ / width_);
    const bool is_leap = end > oldest_ && distance(oldest_, end) > most;
    while (oldest_ < end) {
      if (is_leap && is_empty()) {
        skip(start_of(oldest_), distance(oldest_, end));
        oldest_ = end;
        break;
      }
      Bucket& bucket = buckets_[slot_of(oldest_)];
      close(start_of(oldest_), bucket);
      bucket.clear();
      ++oldest_;
      set_due();
    }
    has_clock_ = true;
    clock_ = std::max(clock_, now);
    set_due();
  }

  [[nodiscard]] timestamp due() const noexcept { return due_; }
  [[nodiscard]] bool is_empty() const noexcept {
    return std::all_of(buckets_.begin(), buckets_.end(), [](const Bucket& b) { return b.is_empty(); });
  }
  [[nodiscard]] const std::vector<Bucket>& buckets() const noexcept { return buckets_; }

  void save(snapshot_writer& w) const {
    w.boolean(has_begun_);
    w.boolean(has_clock_);
    if (!has_begun_) return;
    w.i64(oldest_);
    w.time(clock_);
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      const Bucket& b = buckets_[slot_of(oldest_, i)];
      w.boolean(!b.is_empty());
      if (!b.is_empty()) b.save(w);
    }
  }
  // Into an empty ring.
  [[nodiscard]] bool load(snapshot_reader& r) {
    has_begun_ = r.boolean();
    has_clock_ = r.boolean();
    if (!r.ok() || (has_clock_ && !has_begun_)) return false;
    if (!has_begun_) return true;
    oldest_ = r.i64();
    clock_ = r.time();
    const ticks last = index_of(timestamp::max());
    if (!r.ok() || oldest_ < index_of(timestamp::min()) || oldest_ > last) return false;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      if (!r.boolean()) continue;
      Bucket& b = buckets_[slot_of(oldest_, i)];
      if (distance(oldest_, last) < i || !b.load(r) || b.is_empty()) return false;
    }
    set_due();
    return r.ok();
  }

 private:
  [[nodiscard]] ticks index_of(timestamp time) const noexcept {
    const ticks at = time.time_since_epoch().count();
    const ticks towards_epoch = at / width_.count();
    return towards_epoch - (towards_epoch * width_.count() > at ? 1 : 0);
  }
  [[nodiscard]] timestamp start_of(ticks index) const noexcept {
    using limits = std::numeric_limits<ticks>;
    if (index > limits::max() / width_.count()) return timestamp::max();
    if (index < limits::min() / width_.count()) return timestamp::min();
    return timestamp(index * width_);
  }
  [[nodiscard]] std::size_t slot_of(ticks index, std::size_t after = 0) const noexcept {
    return static_cast<std::size_t>((static_cast<std::uint64_t>(index) + after) & (buckets_.size() - 1));
  }
  [[nodiscard]] static std::uint64_t distance(ticks from, ticks to) noexcept {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  }
  [[nodiscard]] bool is_open(ticks index) const noexcept {
    return index >= oldest_ && distance(oldest_, index) < buckets_.size();
  }
  [[nodiscard]] std::uint64_t since_hot(timestamp time) const noexcept {
    return static_cast<std::uint64_t>(time.time_since_epoch().count()) -
           static_cast<std::uint64_t>(hot_start_.time_since_epoch().count());
  }
  // Buckets are complete up to this one, without it.
  [[nodiscard]] ticks first_incomplete(timestamp now) const noexcept { return index_of(saturating_add(now, -delay_)); }
  void set_due() noexcept {
    const bool is_last = oldest_ == index_of(timestamp::max());
    due_ = is_last ? timestamp::max() : saturating_add(start_of(oldest_ + 1), delay_);
    hot_width_ = 0;
  }
  [[nodiscard]] bool is_far_back(timestamp now) const noexcept {
    if (!has_begun_) return false;
    return has_clock_ ? elapsed(now, clock_) > longest_silence_ : first_incomplete(now) < oldest_;
  }
  template <class Lose>
  void begin_at(timestamp now, Lose& lose) {
    const ticks before = std::exchange(oldest_, first_incomplete(now));
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      Bucket& bucket = buckets_[slot_of(before, i)];
      if (bucket.is_empty() || is_open(before + static_cast<ticks>(i))) continue;  // it keeps its place
      lose(std::as_const(bucket));
      bucket.clear();
    }
    has_begun_ = has_clock_ = true;
    clock_ = now;
    set_due();
  }

  duration width_;
  duration delay_;
  duration longest_silence_;
  std::vector<Bucket> buckets_;  // by index, modulo their number
  std::uint64_t hot_width_ = 0;  // 0: no bucket is hot
  timestamp hot_start_{};        // of the bucket of the last event
  std::size_t hot_slot_ = 0;
  timestamp due_ = timestamp::min();
  ticks oldest_ = 0;  // index of the oldest open bucket
  bool has_begun_ = false;
  bool has_clock_ = false;              // whether advance has been called
  timestamp clock_ = timestamp::min();  // the latest time of advance
};

}  // namespace recoup::detail
