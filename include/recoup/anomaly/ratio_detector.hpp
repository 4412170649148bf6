// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detail/bucket_ring.hpp"
#include "recoup/anomaly/detail/ratio_baseline.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct ratio_detector_options {
  duration bucket = std::chrono::minutes(5);  ///< of which each ratio is
  duration maturity{};                        ///< that an A has to lead to a B before it counts: to 1,000 buckets
  std::uint64_t least = 30;                   ///< As to judge at once: buckets with fewer wait for the next
  std::optional<double> expected{};           ///< the usual ratio, inside 0 to 1; none: it is learnt
  double half_life = 288;                     ///< ratios after which one has lost half its weight: 1 to 10^6
  std::uint32_t warm_up = 20;  ///< ratios that are learnt before the first is judged, if none is expected
  duration season{};           ///< after which what is usual repeats, by its 24 parts; zero: it doesn't
  duration longest_silence = std::chrono::hours(24);  ///< a leap of time by more is a pause of the observer
};

/// One ratio: that of a bucket, or of several which had to wait for As enough.
struct ratio_assessment {
  timestamp start;  ///< of the first bucket
  duration width;   ///< to the end of the last
  std::uint64_t opened;
  std::uint64_t followed;  ///< at most `opened`
  recoup::assessment assessment;

  [[nodiscard]] constexpr double ratio() const noexcept {
    return static_cast<double>(followed) / static_cast<double>(opened);
  }
  [[nodiscard]] constexpr bool operator==(const ratio_assessment&) const = default;
};

/// Judges which share of As is followed by a B ("about 95 % of scans become entries of the CRM"), in buckets of time by
/// when the A was. A bucket closes, and its As count, when each of them has had `maturity` to lead to a B.
///
/// The ratio is taken for beta-binomial: it varies as counting does, and beyond that by itself, as much as it was seen
/// to. Its usual value is a numerator and a denominator that fade. Two views judge: the bucket alone, by the exponent
/// of its tail, and a CUSUM of all deviations, which sees a small one that lasts, and is emptied when the ratios since
/// say that it is over. The score is that of the louder less ln 2. One extreme ratio is learnt as one 3 standard
/// deviations off; one that stays becomes the usual one within some half-lives. The band is that of the next ratio,
/// given the sum; where that is so high that no ratio would be usual, the band ends at the expected one.
///
/// A B that names when its A was counts with that A. One that does not counts with the As of `maturity` before it: give
/// the usual delay as maturity then, and expect that ratios vary more. More Bs than As in a bucket are `unpaired`.
///
/// `advance` is the only clock; late, ahead, leaps and steps back are as in rate_detector, with 16 buckets more than
/// the maturity has. Cost: opened and followed, some comparisons, and a division where the bucket is another than that
/// of the event before; a bucket that is judged, about a hundred logarithms, most for its band. Bytes: sizeof, 736, and
/// bytes_for, 16 a bucket.
class ratio_detector {
 public:
  struct counts {
    std::uint64_t opened = 0;    ///< As in buckets that were closed
    std::uint64_t followed = 0;  ///< Bs in them
    std::uint64_t unpaired = 0;  ///< of these, more than there were As
    std::uint64_t late = 0;      ///< As and Bs of closed buckets
    std::uint64_t ahead = 0;     ///< As and Bs of buckets too far ahead
  };

  ratio_detector() : ratio_detector(ratio_detector_options()) {}
  explicit ratio_detector(const ratio_detector_options& options)
      : options_(checked(options)),
        rules_(rules_of(options)),
        ring_(options.bucket, options.maturity, options.longest_silence, buckets_for(options), {}) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(const ratio_detector_options& o) noexcept {
    return std::bit_ceil(buckets_for(o)) * sizeof(bucket);
  }

  /// An A. False if it is late or ahead, and will never count.
  bool opened(timestamp time, std::uint64_t count = 1) {
    return put(ring_.at(time, [&](bucket& b, timestamp) { add(b.opened, count); }), count);
  }
  /// A B at `time`, to an A at `opened_at`. False if that is late or ahead: the A counts as one without a B.
  bool followed(timestamp time, std::optional<timestamp> opened_at = std::nullopt, std::uint64_t count = 1) {
    return put(ring_.at(opening(time, opened_at), [&](bucket& b, timestamp) { add(b.followed, count); }), count);
  }
  /// Takes back what was counted. False, and nothing changes, if the bucket is closed or has fewer.
  bool forget_opened(timestamp time, std::uint64_t count = 1) {
    bucket* const b = ring_.find(time);
    return b != nullptr && take(b->opened, count);
  }
  bool forget_followed(timestamp time, std::optional<timestamp> opened_at = std::nullopt, std::uint64_t count = 1) {
    bucket* const b = ring_.find(opening(time, opened_at));
    return b != nullptr && take(b->followed, count);
  }

  /// Closes the buckets that are due at `now`, and tells the ratios of those with As enough: told(ratio_assessment).
  /// What is told counts as told when told returns; if it throws, it is told again next time. told must not change the
  /// detector.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    ring_.advance(
        now, [&](timestamp start, const bucket& b) { close(start, b, told); }, [](timestamp, std::uint64_t) {},
        [&](const bucket& b) {
          add(counts_.ahead, b.opened);
          add(counts_.ahead, b.followed);
        });
  }
  /// When the next bucket closes: before that, advance tells nothing.
  [[nodiscard]] timestamp due() const noexcept { return ring_.due(); }

  /// What a ratio would be judged as; `at` tells the part of the season. Nothing of 0.
  [[nodiscard]] assessment assess(timestamp at, std::uint64_t followed, std::uint64_t opened) const noexcept {
    if (opened == 0) return {};
    return explained(baseline_.judge(rules_, at, followed, opened));
  }

  [[nodiscard]] const counts& counters() const noexcept { return counts_; }
  /// Variance of the ratio beyond that of counting, as a share of p (1 - p): 0 where As are independent.
  [[nodiscard]] double overdispersion() const noexcept { return baseline_.own(); }
  [[nodiscard]] const ratio_detector_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const auto& o = options_;
    return detail::combine({section_tag("RATI"), detail::option(o.bucket), detail::option(o.maturity), o.least,
                            std::bit_cast<std::uint64_t>(o.expected.value_or(0)),
                            std::bit_cast<std::uint64_t>(o.half_life), o.warm_up, detail::option(o.season),
                            detail::option(o.longest_silence)});
  }
  [[nodiscard]] ratio_detector empty_copy() const { return ratio_detector(options_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("RATI"), 1);
    baseline_.save(w);
    for (const std::uint64_t n : {counts_.opened, counts_.followed, counts_.unpaired, counts_.late, counts_.ahead,
                                  waiting_.opened, waiting_.followed})
      w.u64(n);
    w.time(waiting_since_);
    ring_.save(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    ratio_detector loaded = empty_copy();
    (void)r.begin_section(section_tag("RATI"), 1);
    if (!loaded.baseline_.load(r)) return false;
    for (std::uint64_t* n :
         {&loaded.counts_.opened, &loaded.counts_.followed, &loaded.counts_.unpaired, &loaded.counts_.late,
          &loaded.counts_.ahead, &loaded.waiting_.opened, &loaded.waiting_.followed})
      *n = r.u64();
    loaded.waiting_since_ = r.time();
    if (loaded.waiting_.opened >= options_.least || loaded.waiting_.followed > loaded.waiting_.opened) return false;
    if (!loaded.ring_.load(r)) return false;
    r.end_section();
    if (!r.ok()) return false;
    *this = std::move(loaded);
    return true;
  }

 private:
  struct bucket {
    std::uint64_t opened = 0;
    std::uint64_t followed = 0;

    [[nodiscard]] bool is_empty() const noexcept { return opened == 0 && followed == 0; }
    void clear() noexcept { *this = {}; }
    void save(snapshot_writer& w) const {
      w.u64(opened);
      w.u64(followed);
    }
    [[nodiscard]] bool load(snapshot_reader& r) {
      opened = r.u64();
      followed = r.u64();
      return r.ok();
    }
  };
  using ring = detail::bucket_ring<bucket>;

  static const ratio_detector_options& checked(const ratio_detector_options& o) {
    detail::require_option(o.bucket > duration::zero(), "ratio_detector_options.bucket must be longer than zero");
    detail::require_option(o.maturity >= duration::zero() && o.maturity / o.bucket <= 1'000,
                           "ratio_detector_options.maturity must be 0 to 1,000 buckets: take longer buckets");
    detail::require_option(o.least >= 1, "ratio_detector_options.least must be at least 1; 30 is usual");
    detail::require_option(!o.expected || (*o.expected > 1e-9 && *o.expected < 1 - 1e-9),
                           "ratio_detector_options.expected must be above 0 and below 1: 0.95, not 95");
    detail::require_option(o.half_life >= 1 && o.half_life <= 1e6,
                           "ratio_detector_options.half_life must be 1 to 10^6 ratios");
    detail::require_option(o.warm_up >= 2, "ratio_detector_options.warm_up must be at least 2 ratios");
    detail::require_option(o.season == duration::zero() || o.season >= o.bucket,
                           "ratio_detector_options.season must be zero, or at least a bucket");
    detail::require_option(o.longest_silence >= o.bucket && o.longest_silence / o.bucket <= 1'000'000,
                           "ratio_detector_options.longest_silence must be 1 to 1,000,000 buckets");
    return o;
  }
  static detail::ratio_baseline::rules rules_of(const ratio_detector_options& o) {
    const double buckets = static_cast<double>(o.season.count()) / static_cast<double>(o.bucket.count());
    const double days = 7;  // of a part of the season, half of whose weight is lost then
    const double part_half_life = std::max(1.0, buckets / detail::ratio_baseline::parts) * days;
    return {o.expected.value_or(0), std::exp2(-1 / o.half_life), std::exp2(-1 / part_half_life), o.warm_up, o.season};
  }
  static constexpr std::size_t buckets_for(const ratio_detector_options& o) noexcept {
    return static_cast<std::size_t>(o.maturity / o.bucket) + 17;
  }

  static void add(std::uint64_t& sum, std::uint64_t count) noexcept {
    sum += std::min(count, std::numeric_limits<std::uint64_t>::max() - sum);
  }
  static bool take(std::uint64_t& sum, std::uint64_t count) noexcept {
    if (sum < count) return false;
    sum -= count;
    return true;
  }
  bool put(ring::place where, std::uint64_t count) noexcept {
    if (where == ring::place::open) [[likely]]
      return true;
    add(where == ring::place::late ? counts_.late : counts_.ahead, count);
    return false;
  }
  [[nodiscard]] timestamp opening(timestamp time, std::optional<timestamp> opened_at) const noexcept {
    return opened_at.value_or(saturating_add(time, -options_.maturity));
  }

  // A sum that is high enough would have the band lie beyond what is expected.
  [[nodiscard]] assessment explained(const detail::ratio_baseline::judgement& j) const noexcept {
    assessment a = baseline_.explain(j);
    a.lower = std::min(a.lower, a.expected);
    a.upper = std::max(a.upper, a.expected);
    return a;
  }

  template <class Told>
  void close(timestamp start, const bucket& b, Told& told) {
    const std::uint64_t paired = std::min(b.followed, b.opened);
    bucket all = waiting_;
    add(all.opened, b.opened);
    add(all.followed, paired);
    const bool is_back = b.opened > 0 && start < waiting_since_;
    const timestamp since = waiting_.is_empty() || is_back ? start : waiting_since_;
    if (all.opened >= options_.least) {
      const auto j = baseline_.judge(rules_, start, all.followed, all.opened);
      const duration width = elapsed(since, saturating_add(start, options_.bucket));
      told(ratio_assessment{since, width, all.opened, all.followed, explained(j)});
      baseline_.learn(rules_, j);
      all.clear();
    }
    waiting_ = all;
    waiting_since_ = since;
    add(counts_.opened, b.opened);
    add(counts_.followed, b.followed);
    add(counts_.unpaired, b.followed - paired);
  }

  ratio_detector_options options_;
  detail::ratio_baseline::rules rules_;
  detail::ratio_baseline baseline_;
  ring ring_;
  bucket waiting_;  // of closed buckets, until there are As enough
  timestamp waiting_since_{};
  counts counts_;
};

static_assert(snapshot_value<ratio_detector>, "recoup: ratio_detector can be saved and loaded");

}  // namespace recoup
