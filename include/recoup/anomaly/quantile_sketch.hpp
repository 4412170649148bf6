// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "recoup/anomaly/detail/bucket_window.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup {

struct quantile_sketch_options {
  double relative_error = 0.01;  ///< of a quantile: 0.0001 to 0.5
  std::size_t buckets = 1'024;   ///< for positive values, and as many for negative ones: a power of two, 16 to 2^20
};

/// All quantiles of all values learnt, each within `relative_error` of the value that a sorted array would have there:
/// DDSketch (Masson, Rim, Lee, 2019). A bucket counts the values of one range of magnitudes, whose ends differ by that
/// error; values of either sign, and those of less than 2.3e-308, which count as 0, are counted apart.
///
/// Buckets hold the largest magnitudes: those from the largest down to about it * exp(-2 relative_error buckets), at
/// the defaults nine powers of ten. What is smaller counts in the smallest bucket of its sign (`has_collapsed`), and
/// quantiles there are too far from 0. Merging sketches gives that of all their values, exactly.
///
/// NaN and infinity are ignored. Cost: O(1) to learn, without a logarithm: a cubic of the mantissa takes its place, at
/// 1 % more buckets. O(buckets) to ask. Bytes: see bytes_for; all taken at construction.
class quantile_sketch {
 public:
  explicit quantile_sketch(quantile_sketch_options options = {})
      : options_(checked(options)),
        // Least slope of the cubic: 0.99 of that of the logarithm.
        buckets_an_octave_(1 / (0.99 * std::log2((1 + options.relative_error) / (1 - options.relative_error)))),
        positive_(options.buckets),
        negative_(options.buckets) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t buckets) noexcept {
    return sizeof(quantile_sketch) + 2 * buckets * sizeof(std::uint64_t);
  }

  void learn(double value) noexcept {
    if (!std::isfinite(value)) [[unlikely]] {
      ++ignored_;
    } else if (const double magnitude = std::abs(value); magnitude < std::numeric_limits<double>::min()) {
      ++zeros_;
    } else {
      (value > 0 ? positive_ : negative_).add(bucket_of(magnitude), 1);
    }
  }

  /// The value below which this share (0 to 1) of all values lies: of sorted ones that at the index share * (learnt -
  /// 1), rounded down. 0 before the first.
  [[nodiscard]] double quantile(double share) const noexcept {
    const std::uint64_t all = learnt();
    if (all == 0) return 0;
    const double index = (share > 0 ? std::min(share, 1.0) : 0) * static_cast<double>(all - 1);
    auto left = std::min(static_cast<std::uint64_t>(index), all - 1);
    if (left < negative_.total()) return -value_at(negative_, negative_.total() - 1 - left);
    left -= negative_.total();
    if (left < zeros_) return 0;
    return value_at(positive_, left - zeros_);
  }

  /// About which share of the values are less than this one: those of its own bucket count half. 0 before the first.
  [[nodiscard]] double share_below(double value) const noexcept {
    const std::uint64_t all = learnt();
    if (all == 0 || std::isnan(value)) return 0;
    const double magnitude = std::min(std::abs(value), std::numeric_limits<double>::max());
    double below = 0;
    if (magnitude < std::numeric_limits<double>::min()) {
      below = static_cast<double>(negative_.total()) + 0.5 * static_cast<double>(zeros_);
    } else if (value < 0) {
      below = static_cast<double>(negative_.total()) - less_than(negative_, bucket_of(magnitude));
    } else {
      below = static_cast<double>(negative_.total() + zeros_) + less_than(positive_, bucket_of(magnitude));
    }
    return below / static_cast<double>(all);
  }

  [[nodiscard]] std::uint64_t learnt() const noexcept { return negative_.total() + zeros_ + positive_.total(); }
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }
  /// Whether there were more magnitudes than buckets.
  [[nodiscard]] bool has_collapsed() const noexcept { return positive_.has_collapsed() || negative_.has_collapsed(); }

  /// As if the other's values had been learnt here. False, and nothing changes, where the options differ.
  bool merge(const quantile_sketch& other) noexcept {
    if (configuration() != other.configuration()) return false;
    positive_.merge(other.positive_);
    negative_.merge(other.negative_);
    zeros_ = std::min(zeros_ + other.zeros_, detail::bucket_window::most_counted);
    ignored_ += other.ignored_;
    return true;
  }
  void clear() noexcept {
    positive_.clear();
    negative_.clear();
    zeros_ = 0;
    ignored_ = 0;
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({std::bit_cast<std::uint64_t>(options_.relative_error), options_.buckets});
  }
  [[nodiscard]] quantile_sketch empty_copy() const { return quantile_sketch(options_); }

  void save(snapshot_writer& w) const {
    w.u64(zeros_);
    w.u64(ignored_);
    positive_.save(w);
    negative_.save(w);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    quantile_sketch loaded = empty_copy();
    loaded.zeros_ = r.u64();
    loaded.ignored_ = r.u64();
    const std::int32_t first = bucket_of(std::numeric_limits<double>::min());
    const std::int32_t last = bucket_of(std::numeric_limits<double>::max());
    if (!loaded.positive_.load(r, first, last) || !loaded.negative_.load(r, first, last)) return false;
    if (loaded.zeros_ > detail::bucket_window::most_counted) return false;
    *this = std::move(loaded);
    return true;
  }

 private:
  static const quantile_sketch_options& checked(const quantile_sketch_options& o) {
    detail::require_option(o.relative_error >= 0.0001 && o.relative_error <= 0.5,
                           "quantile_sketch_options.relative_error must be 0.0001 to 0.5");
    detail::require_option(std::has_single_bit(o.buckets) && o.buckets >= 16 && o.buckets <= std::size_t{1} << 20,
                           "quantile_sketch_options.buckets must be a power of two from 16 to 2^20");
    return o;
  }

  // Log2 of a mantissa 1 + m, but for at most 1 %: 0 at 0, 1 at 1, and rising. As in the authors' implementations.
  static constexpr double cubic(double m) noexcept { return m * (10.0 / 7 + m * (-3.0 / 5 + m * (6.0 / 35))); }

  [[nodiscard]] std::int32_t bucket_of(double magnitude) const noexcept {
    const auto bits = std::bit_cast<std::uint64_t>(magnitude);
    const auto exponent = static_cast<std::int32_t>(bits >> 52) - 1023;
    const double mantissa = std::bit_cast<double>((bits & 0xF'FFFF'FFFF'FFFF) | 0x3FF0'0000'0000'0000);
    const double place = (exponent + cubic(mantissa - 1)) * buckets_an_octave_;
    const auto truncated = static_cast<std::int32_t>(place);
    return truncated - (place < truncated);
  }

  // A quarter of the magnitude at which this bucket begins: the last one ends above the largest number.
  [[nodiscard]] double quarter_of_begin(std::int32_t bucket) const noexcept {
    const double place = bucket / buckets_an_octave_;
    const double exponent = std::floor(place);
    double low = 0;
    double high = 1;
    for (int halvings = 0; halvings < 53; ++halvings) {
      const double middle = 0.5 * (low + high);
      (cubic(middle) <= place - exponent ? low : high) = middle;
    }
    return std::ldexp(1 + low, static_cast<int>(exponent) - 2);
  }

  // Off by the same share from either end: their harmonic mean.
  [[nodiscard]] double middle_of(std::int32_t bucket) const noexcept {
    const double begin = quarter_of_begin(bucket);
    const double middle = 2 * begin / (1 + begin / quarter_of_begin(bucket + 1));
    return std::min(middle, 0.25 * std::numeric_limits<double>::max()) * 4;
  }

  // The magnitude at this index of those in order.
  [[nodiscard]] double value_at(const detail::bucket_window& window, std::uint64_t index) const noexcept {
    std::int32_t bucket = window.lowest();
    for (; bucket < window.highest() && window.at(bucket) <= index; ++bucket) index -= window.at(bucket);
    return middle_of(bucket);
  }

  [[nodiscard]] static double less_than(const detail::bucket_window& window, std::int32_t bucket) noexcept {
    if (window.empty()) return 0;
    if (bucket < window.lowest()) {
      if (!window.has_collapsed()) return 0;
      bucket = window.lowest();
    }
    if (bucket > window.highest()) return static_cast<double>(window.total());
    std::uint64_t less = 0;
    for (std::int32_t b = window.lowest(); b < bucket; ++b) less += window.at(b);
    return static_cast<double>(less) + 0.5 * static_cast<double>(window.at(bucket));
  }

  quantile_sketch_options options_;
  double buckets_an_octave_;
  detail::bucket_window positive_;
  detail::bucket_window negative_;
  std::uint64_t zeros_ = 0;
  std::uint64_t ignored_ = 0;
};

}  // namespace recoup
