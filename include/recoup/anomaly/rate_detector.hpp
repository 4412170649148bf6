// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/bucket_assessment.hpp"
#include "recoup/anomaly/count_detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct rate_detector_options {
  count_detector_options counts{};           ///< of which `bucket` is the width of the buckets
  duration grace = std::chrono::seconds(0);  ///< how long after its end a bucket waits for late events: to 14 buckets
  duration longest_silence =
      std::chrono::hours(24);  ///< a leap of time by more is a pause of the observer, not silence
};

/// Counts events in buckets of time, and judges each bucket by a count_detector when it closes. Buckets begin at
/// multiples of their width since the epoch, and close, one after the other, once `advance` is given a time that is
/// their end and `grace`, or later. Silence is a count of 0, and no pause.
///
/// `advance` is the only clock. Until it is first called, the first event tells where to begin; from then on, events of
/// closed buckets are late, and those of 16 buckets or more after the oldest open one are ahead: both are counted as
/// that, and never learnt. So call it at least every 16 buckets less the grace. Where it leaps by more than
/// longest_silence, the empty buckets in the leap are told as one buckets_skipped. Where it goes back it changes
/// nothing; but by more than longest_silence, counting begins anew at this time, as the one before was wrong, and the
/// events of open buckets are ahead.
///
/// Invariant: counted + open + late + ahead = what was added, less what was forgotten (up to 2^64 - 1 a bucket).
/// Bytes: sizeof(rate_detector). Cost: add, a subtraction, a comparison and an addition, and a division where the
/// bucket is another than that of the event before; advance, that of count_detector for each bucket that closes, and at
/// most 16 buckets and longest_silence at once.
class rate_detector {
 public:
  static constexpr std::size_t open_buckets = 16;

  struct counts {
    std::uint64_t counted = 0;  ///< events, in buckets that were told
    std::uint64_t late = 0;     ///< events of closed buckets
    std::uint64_t ahead = 0;    ///< events of buckets too far ahead
    std::uint64_t buckets = 0;  ///< told
    std::uint64_t skipped = 0;  ///< buckets passed over
  };

  rate_detector() : rate_detector(rate_detector_options()) {}
  explicit rate_detector(const rate_detector_options& options)
      : detector_(options.counts), grace_(options.grace), longest_silence_(options.longest_silence) {
    detail::require_option(grace_ >= duration::zero() && grace_ / width() <= static_cast<ticks>(open_buckets) - 2,
                           "rate_detector_options.grace must be 0 to 14 buckets");
    detail::require_option(longest_silence_ >= width() && longest_silence_ / width() <= 1'000'000,
                           "rate_detector_options.longest_silence must be 1 to 1,000,000 buckets");
  }

  /// `count` events happened at this time. False if they are late or ahead, and will never be judged.
  bool add(timestamp time, std::uint64_t count = 1) noexcept {
    if (since_hot(time) < hot_width_) [[likely]] {
      put(open_[hot_slot_], count);
      return true;
    }
    return add_elsewhere(time, count);
  }

  /// Takes events back that were added. False, and nothing changes, if their bucket is closed or has fewer.
  bool forget(timestamp time, std::uint64_t count = 1) noexcept {
    if (!has_begun_ || !is_open(index_of(time))) return false;
    std::uint64_t& there = open_[slot_of(index_of(time))];
    if (there < count) return false;
    there -= count;
    return true;
  }

  /// Closes the buckets that are due at `now`: told(bucket_assessment) for each, oldest first, and
  /// told(buckets_skipped). What is told counts as told when told returns; if it throws, it is told again next time.
  /// told must not change the detector.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    if (now < due_) [[likely]] {
      if (is_far_back(now)) begin_at(now);
      return;
    }
    close_due(now, told);
  }

  /// When the next bucket closes: before that, advance tells nothing.
  [[nodiscard]] timestamp due() const noexcept { return due_; }

  /// Events in buckets that are not closed.
  [[nodiscard]] std::uint64_t open() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : open_) sum += count;
    return sum;
  }
  [[nodiscard]] const counts& counters() const noexcept { return counts_; }
  [[nodiscard]] const count_detector& detector() const noexcept { return detector_; }
  [[nodiscard]] rate_detector_options options() const noexcept {
    return {detector_.options(), grace_, longest_silence_};
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine(
        {section_tag("RATE"), detector_.configuration(), detail::option(grace_), detail::option(longest_silence_)});
  }
  [[nodiscard]] rate_detector empty_copy() const { return rate_detector(options()); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("RATE"), 1);
    detector_.save(w);
    for (const std::uint64_t n : {counts_.counted, counts_.late, counts_.ahead, counts_.buckets, counts_.skipped})
      w.u64(n);
    w.boolean(has_begun_);
    w.boolean(has_clock_);
    if (has_begun_) {
      w.i64(oldest_);
      w.time(clock_);
      for (std::size_t i = 0; i < open_buckets; ++i) w.u64(open_[(slot_of(oldest_) + i) % open_buckets]);
    }
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    rate_detector loaded = empty_copy();
    (void)r.begin_section(section_tag("RATE"), 1);
    if (!loaded.detector_.load(r)) return false;
    for (std::uint64_t* n : {&loaded.counts_.counted, &loaded.counts_.late, &loaded.counts_.ahead,
                             &loaded.counts_.buckets, &loaded.counts_.skipped})
      *n = r.u64();
    loaded.has_begun_ = r.boolean();
    loaded.has_clock_ = r.boolean();
    if (loaded.has_begun_) {
      loaded.oldest_ = r.i64();
      loaded.clock_ = r.time();
      const ticks last = index_of(timestamp::max());
      if (loaded.oldest_ < index_of(timestamp::min()) || loaded.oldest_ > last) return false;
      for (std::size_t i = 0; i < open_buckets; ++i) {
        const std::uint64_t count = r.u64();
        if (count > 0 && distance(loaded.oldest_, last) < i) return false;  // behind the end of time
        loaded.open_[(slot_of(loaded.oldest_) + i) % open_buckets] = count;
      }
      loaded.set_due();
    }
    r.end_section();
    if (!r.ok() || (loaded.has_clock_ && !loaded.has_begun_)) return false;
    *this = loaded;
    return true;
  }

 private:
  using ticks = duration::rep;

  [[nodiscard]] duration width() const noexcept { return detector_.options().bucket; }
  // Of the bucket that the time lies in: how many widths after the epoch it begins.
  [[nodiscard]] ticks index_of(timestamp time) const noexcept {
    const ticks at = time.time_since_epoch().count();
    const ticks towards_epoch = at / width().count();
    return towards_epoch - (towards_epoch * width().count() > at ? 1 : 0);
  }
  [[nodiscard]] timestamp start_of(ticks index) const noexcept {
    using limits = std::numeric_limits<ticks>;
    if (index > limits::max() / width().count()) return timestamp::max();
    if (index < limits::min() / width().count()) return timestamp::min();
    return timestamp(index * width());
  }
  [[nodiscard]] static std::size_t slot_of(ticks index) noexcept {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(index) % open_buckets);
  }
  // How many buckets there are from one to a later one.
  [[nodiscard]] static std::uint64_t distance(ticks from, ticks to) noexcept {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  }
  [[nodiscard]] bool is_open(ticks index) const noexcept {
    return index >= oldest_ && distance(oldest_, index) < open_buckets;
  }
  [[nodiscard]] std::uint64_t since_hot(timestamp time) const noexcept {
    return static_cast<std::uint64_t>(time.time_since_epoch().count()) -
           static_cast<std::uint64_t>(hot_start_.time_since_epoch().count());
  }
  static void put(std::uint64_t& bucket, std::uint64_t count) noexcept {
    bucket += std::min(count, std::numeric_limits<std::uint64_t>::max() - bucket);
  }

  bool add_elsewhere(timestamp time, std::uint64_t count) noexcept {
    const ticks index = index_of(time);
    if (!has_begun_) {
      has_begun_ = true;
      oldest_ = index;
      set_due();
    }
    if (!is_open(index)) {
      put(index < oldest_ ? counts_.late : counts_.ahead, count);
      return false;
    }
    put(open_[slot_of(index)], count);
    const bool is_cut_short =
        time <= saturating_add(timestamp::min(), width()) || time >= saturating_add(timestamp::max(), -width());
    if (!is_cut_short) {
      hot_start_ = start_of(index);
      hot_width_ = static_cast<std::uint64_t>(width().count());
      hot_slot_ = slot_of(index);
    }
    return true;
  }

  // Buckets are complete up to the one, without it, that a time lies in which is earlier by the grace.
  [[nodiscard]] ticks first_incomplete(timestamp now) const noexcept { return index_of(saturating_add(now, -grace_)); }
  void set_due() noexcept {
    const bool is_last = oldest_ == index_of(timestamp::max());
    due_ = is_last ? timestamp::max() : saturating_add(start_of(oldest_ + 1), grace_);
    hot_width_ = 0;
  }

  [[nodiscard]] bool is_far_back(timestamp now) const noexcept {
    if (!has_begun_) return false;
    return has_clock_ ? elapsed(now, clock_) > longest_silence_ : index_of(now) < oldest_;
  }
  void begin_at(timestamp now) noexcept {
    const std::array<std::uint64_t, open_buckets> before = open_;
    const ticks before_oldest = oldest_;
    open_ = {};
    oldest_ = first_incomplete(now);
    for (std::size_t i = 0; i < open_buckets; ++i) {
      const std::uint64_t count = before[(slot_of(before_oldest) + i) % open_buckets];
      if (count == 0) continue;
      const ticks index = before_oldest + static_cast<ticks>(i);
      put(is_open(index) ? open_[slot_of(index)] : counts_.ahead, count);
    }
    has_begun_ = has_clock_ = true;
    clock_ = now;
    set_due();
  }

  template <class Told>
  [[gnu::noinline]] void close_due(timestamp now, Told& told) {
    if (!has_begun_) {
      begin_at(now);
      return;
    }
    const ticks end = first_incomplete(now);
    const std::uint64_t most = open_buckets + static_cast<std::uint64_t>(longest_silence_ / width());
    const bool is_leap = end > oldest_ && distance(oldest_, end) > most;
    while (oldest_ < end) {
      if (is_leap && open() == 0) {
        told(buckets_skipped{start_of(oldest_), distance(oldest_, end)});
        counts_.skipped += distance(oldest_, end);
        oldest_ = end;
        break;
      }
      close_oldest(told);
    }
    has_clock_ = true;
    clock_ = std::max(clock_, now);
    set_due();
  }
  template <class Told>
  void close_oldest(Told& told) {
    const timestamp start = start_of(oldest_);
    std::uint64_t& count = open_[slot_of(oldest_)];
    detector_.update(start, static_cast<double>(count), [&](const assessment& a) {
      told(bucket_assessment{start, width(), count, a});
    });
    put(counts_.counted, count);
    ++counts_.buckets;
    count = 0;
    ++oldest_;
    set_due();
  }

  std::uint64_t hot_width_ = 0;  // 0: no bucket is hot
  timestamp hot_start_{};        // of the bucket of the last event
  std::size_t hot_slot_ = 0;
  timestamp due_ = timestamp::min();
  std::array<std::uint64_t, open_buckets> open_{};  // by index, modulo their number
  ticks oldest_ = 0;                                // index of the oldest open bucket
  bool has_begun_ = false;
  bool has_clock_ = false;              // whether advance has been called
  timestamp clock_ = timestamp::min();  // the latest time of advance
  counts counts_;
  count_detector detector_;
  duration grace_;
  duration longest_silence_;
};

static_assert(snapshot_value<rate_detector>, "recoup: rate_detector can be saved and loaded");

}  // namespace recoup
