// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/count_detector.hpp"
#include "recoup/anomaly/detail/bucket_ring.hpp"
#include "recoup/anomaly/detail/tail.hpp"
#include "recoup/anomaly/hyperloglog.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct cardinality_detector_options {
  count_detector_options counts{};  ///< of which `bucket` is the width of the buckets
  duration grace{};                 ///< how long after its end a bucket waits for late keys: to 14 buckets
  duration longest_silence =
      std::chrono::hours(24);  ///< a leap of time by more is a pause of the observer, not silence
  std::uint64_t seed = 0;      ///< of the hash; choose one that an attacker doesn't know
};

/// How many different keys came in one bucket, closed.
struct cardinality_assessment {
  timestamp start;
  duration width;
  double keys;  ///< estimated
  recoup::assessment assessment;

  [[nodiscard]] constexpr bool operator==(const cardinality_assessment&) const = default;
};

/// Judges how many different keys come in each bucket of time (users, sensors, hosts): a hyperloglog a bucket, whose
/// estimate a count_detector judges when the bucket closes.
///
/// Each bucket has a hash of its own, so that the errors of sketches are independent, though the same keys come again:
/// the count_detector learns them as noise of the counts. Where it takes that noise for less than the sketch's
/// (1.04 / sqrt(2^Precision)), the band is widened to the latter, and the score lessened to match: what a sketch makes
/// up is never an anomaly.
///
/// `advance` is the only clock, as in rate_detector; but only the buckets of the grace and 2 more (to a power of two)
/// are open, so call it at least every bucket. Cost: add, an XXH3 and some multiplications; closing a bucket,
/// 2^Precision steps. Bytes: bytes_for, at construction.
template <unsigned Precision = 12>
class cardinality_detector {
 public:
  struct counts {
    std::uint64_t buckets = 0;  ///< told
    std::uint64_t skipped = 0;  ///< buckets passed over, in leaps of time
    std::uint64_t late = 0;     ///< keys of closed buckets
    std::uint64_t ahead = 0;    ///< keys of buckets too far ahead
    std::uint64_t lost = 0;     ///< open buckets, when time went far back
  };

  cardinality_detector() : cardinality_detector(cardinality_detector_options()) {}
  explicit cardinality_detector(const cardinality_detector_options& options)
      : options_(checked(options)),
        detector_(options.counts),
        ring_(options.counts.bucket, options.grace, options.longest_silence, buckets_for(options), sketch()) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(const cardinality_detector_options& o) noexcept {
    return std::bit_ceil(buckets_for(o)) * (sizeof(sketch) + sketch::bytes_for());
  }
  /// Standard deviation of `keys`, as a share of it.
  [[nodiscard]] static double relative_error() noexcept { return sketch::relative_error(); }

  /// False if the key is late or ahead, and will never be judged.
  template <fingerprintable Key>
  bool add(timestamp time, const Key& key) {
    const auto where =
        ring_.at(time, [&](sketch& s, timestamp start) { s.add_hash(fingerprint(key, seed_of(start))); });
    counts_.late += where == ring::place::late;
    counts_.ahead += where == ring::place::ahead;
    return where == ring::place::open;
  }

  /// Closes the buckets that are due at `now`: told(cardinality_assessment) for each, oldest first. What is told counts
  /// as told when told returns; if it throws, it is told again next time. told must not change the detector.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    ring_.advance(
        now, [&](timestamp start, const sketch& s) { close(start, s, told); },
        [&](timestamp, std::uint64_t buckets) { counts_.skipped += buckets; }, [&](const sketch&) { ++counts_.lost; });
  }
  /// When the next bucket closes: before that, advance tells nothing.
  [[nodiscard]] timestamp due() const noexcept { return ring_.due(); }

  /// What so many keys would be judged as, in the bucket that begins then.
  [[nodiscard]] assessment assess(timestamp start, double keys) const noexcept {
    return with_sketch_noise(detector_.assess(start, keys));
  }

  [[nodiscard]] const counts& counters() const noexcept { return counts_; }
  [[nodiscard]] const count_detector& detector() const noexcept { return detector_; }
  [[nodiscard]] const cardinality_detector_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({section_tag("CARD"), Precision, detector_.configuration(), detail::option(options_.grace),
                            detail::option(options_.longest_silence), options_.seed});
  }
  [[nodiscard]] cardinality_detector empty_copy() const { return cardinality_detector(options_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("CARD"), 1);
    detector_.save(w);
    for (const std::uint64_t n : {counts_.buckets, counts_.skipped, counts_.late, counts_.ahead, counts_.lost})
      w.u64(n);
    ring_.save(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    cardinality_detector loaded = empty_copy();
    (void)r.begin_section(section_tag("CARD"), 1);
    if (!loaded.detector_.load(r)) return false;
    for (std::uint64_t* n : {&loaded.counts_.buckets, &loaded.counts_.skipped, &loaded.counts_.late,
                             &loaded.counts_.ahead, &loaded.counts_.lost})
      *n = r.u64();
    if (!loaded.ring_.load(r)) return false;
    r.end_section();
    if (!r.ok()) return false;
    *this = std::move(loaded);
    return true;
  }

 private:
  using sketch = hyperloglog<Precision>;
  using ring = detail::bucket_ring<sketch>;

  static const cardinality_detector_options& checked(const cardinality_detector_options& o) {
    const duration bucket = o.counts.bucket;
    detail::require_option(bucket > duration::zero(), "count_detector_options.bucket must be longer than zero");
    detail::require_option(o.grace >= duration::zero() && o.grace / bucket <= 14,
                           "cardinality_detector_options.grace must be 0 to 14 buckets");
    detail::require_option(o.longest_silence >= bucket && o.longest_silence / bucket <= 1'000'000,
                           "cardinality_detector_options.longest_silence must be 1 to 1,000,000 buckets");
    return o;
  }
  static constexpr std::size_t buckets_for(const cardinality_detector_options& o) noexcept {
    return static_cast<std::size_t>(o.grace / o.counts.bucket) + 2 + (o.grace % o.counts.bucket > duration::zero());
  }
  std::uint64_t seed_of(timestamp start) noexcept {
    if (start != seeded_ || !is_seeded_) {
      seeded_ = start;
      is_seeded_ = true;
      bucket_seed_ = detail::combine({options_.seed, detail::option(start.time_since_epoch())});
    }
    return bucket_seed_;
  }

  // The error of an estimate is that of its inverse, which is a sum of many terms: it reaches further up than down.
  [[nodiscard]] static assessment with_sketch_noise(assessment a) noexcept {
    if (a.warming) return a;
    const double noise = std::min(detail::usual_deviation * relative_error(), 0.9);
    const double up = a.expected * noise / (1 - noise);
    const double down = a.expected * noise / (1 + noise);
    const double reach_up = std::max(a.upper - a.expected, 0.0);
    const double reach_down = std::max(a.expected - a.lower, 0.0);
    if (a.side == side::above && reach_up < up) a.score = lessened(a.score, reach_up / up);
    if (a.side == side::below && reach_down < down) a.score = lessened(a.score, reach_down / down);
    a.upper = std::max(a.upper, a.expected + up);
    a.lower = std::min(a.lower, a.expected - down);
    return a;
  }
  static double lessened(double score, double share) noexcept {
    return detail::gaussian_tail(share * detail::deviation_of(score));
  }

  template <class Told>
  void close(timestamp start, const sketch& s, Told& told) {
    const double keys = s.estimate();
    detector_.update(start, keys, [&](const assessment& a) {
      told(cardinality_assessment{start, options_.counts.bucket, keys, with_sketch_noise(a)});
    });
    ++counts_.buckets;
  }

  cardinality_detector_options options_;
  count_detector detector_;
  ring ring_;
  counts counts_;
  timestamp seeded_{};  // the bucket whose seed is at hand; no state
  bool is_seeded_ = false;
  std::uint64_t bucket_seed_ = 0;
};

static_assert(snapshot_value<cardinality_detector<>>, "recoup: cardinality_detector can be saved and loaded");

}  // namespace recoup
