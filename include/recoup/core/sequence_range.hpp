// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

namespace recoup {

/// The sequence numbers from `first` to `last`, both included: a half-open range could not name 2^64 - 1. Empty where
/// `first` is greater than `last`.
struct sequence_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  [[nodiscard]] constexpr bool contains(std::uint64_t number) const noexcept {
    return first <= number && number <= last;
  }

  [[nodiscard]] constexpr bool empty() const noexcept { return first > last; }

  /// How many numbers; 2^64 - 1 also for all 2^64 of them.
  [[nodiscard]] constexpr std::uint64_t size() const noexcept {
    if (first > last) return 0;
    const std::uint64_t steps = last - first;
    return steps == std::numeric_limits<std::uint64_t>::max() ? steps : steps + 1;
  }

  friend constexpr bool operator==(const sequence_range&, const sequence_range&) = default;
};

}  // namespace recoup
