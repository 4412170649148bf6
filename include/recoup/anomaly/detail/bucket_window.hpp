// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// Counts of the `size` highest of numbered buckets that were ever counted in: what is lower counts in the lowest of
// them. What it holds depends on the set of all counts alone, not on their order. A ring: bucket i lies at i mod size,
// a power of two.
class bucket_window {
 public:
  static constexpr std::uint64_t most_counted = std::uint64_t{1} << 62;  // only hostile bytes get there

  explicit bucket_window(std::size_t size) : counts_(size) {}

  [[nodiscard]] bool empty() const noexcept { return total_ == 0; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  [[nodiscard]] std::int32_t lowest() const noexcept { return low_; }  // of those in use, if any
  [[nodiscard]] std::int32_t highest() const noexcept { return high_; }
  [[nodiscard]] std::uint64_t at(std::int32_t bucket) const noexcept { return counts_[slot(bucket)]; }
  // Whether lower buckets have been counted in the lowest.
  [[nodiscard]] bool has_collapsed() const noexcept { return has_collapsed_; }

  void add(std::int32_t bucket, std::uint64_t times) noexcept {
    if (total_ == 0) low_ = high_ = bucket;
    total_ = std::min(total_ + times, most_counted);
    if (bucket > high_) raise(bucket);
    if (bucket < low_) bucket = lower(bucket);
    counts_[slot(bucket)] += times;
  }

  void merge(const bucket_window& other) noexcept {
    if (other.empty()) return;
    for (std::int32_t bucket = other.high_; bucket >= other.low_; --bucket) {
      if (const std::uint64_t times = other.at(bucket); times != 0) add(bucket, times);
    }
    has_collapsed_ = has_collapsed_ || other.has_collapsed_;
  }

  void clear() noexcept {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = 0;
    has_collapsed_ = false;
  }

  void save(snapshot_writer& w) const {
    w.u64(total_);
    if (empty()) return;
    w.value(low_);
    w.value(high_);
    w.boolean(has_collapsed_);
    for (std::int32_t bucket = low_; bucket <= high_; ++bucket) w.u64(at(bucket));
  }
  // Into an empty one. Buckets must be `first` to `last`.
  [[nodiscard]] bool load(snapshot_reader& r, std::int32_t first, std::int32_t last) {
    const std::uint64_t total = r.u64();
    if (total > most_counted) return false;
    if (total == 0) return r.ok();
    if (!r.value(low_) || !r.value(high_)) return false;
    has_collapsed_ = r.boolean();
    if (low_ < first || high_ < low_ || high_ > last || high_ - low_ >= signed_size()) return false;
    for (std::int32_t bucket = low_; bucket <= high_; ++bucket) {
      const std::uint64_t times = r.u64();
      if (times > total - total_) return false;
      counts_[slot(bucket)] = times;
      total_ += times;
    }
    return r.ok() && total_ == total && at(low_) != 0 && at(high_) != 0;
  }

 private:
  [[nodiscard]] std::int32_t signed_size() const noexcept { return static_cast<std::int32_t>(counts_.size()); }
  [[nodiscard]] std::size_t slot(std::int32_t bucket) const noexcept {
    return static_cast<std::uint32_t>(bucket) & (counts_.size() - 1);
  }

  [[gnu::noinline]] void raise(std::int32_t bucket) noexcept {
    const std::int32_t low = bucket - signed_size() + 1;
    if (low > low_) {
      std::uint64_t fallen = 0;
      for (std::int32_t b = low_; b <= std::min(high_, low - 1); ++b) {
        fallen += counts_[slot(b)];
        counts_[slot(b)] = 0;
      }
      counts_[slot(low)] += fallen;
      low_ = low;
      has_collapsed_ = true;
    }
    high_ = bucket;
  }
  // Where a bucket below the lowest counts.
  [[nodiscard, gnu::noinline]] std::int32_t lower(std::int32_t bucket) noexcept {
    const std::int32_t lowest = high_ - signed_size() + 1;
    has_collapsed_ = has_collapsed_ || bucket < lowest;
    return low_ = std::max(bucket, lowest);
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::int32_t low_ = 0;
  std::int32_t high_ = 0;
  bool has_collapsed_ = false;
};

}  // namespace recoup::detail
