// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "recoup/core/detail/require.hpp"
#include "recoup/core/sequence_range.hpp"

/// How producers number their events, where it is not 1, 2, 3. What a number stands for is always a range of numbers of
/// which each is counted.

namespace recoup {

/// Each event names the one before it, and numbers between the two do not exist (order book updates that carry the
/// previous update's number). Stands for all numbers behind `previous` up to `number`.
struct linked_number {
  std::uint64_t previous = 0;
  std::uint64_t number = 0;
};

/// Numbers only grow, by how much says nothing (timestamps, positions in a log). Nothing can be missing; what does not
/// exceed the highest is a duplicate if it equals it, and else stale. Stands for all numbers from the expected one on.
struct increasing_number {
  std::uint64_t number = 0;
};

/// Numbers are `first`, `first + step`, `first + 2 * step`, ...: a tracker is given their index.
class fixed_step {
 public:
  /// step: at least 1.
  explicit fixed_step(std::uint64_t step, std::uint64_t first = 0) : step_(step), first_(first) {
    detail::require_option(step >= 1, "the step of fixed_step must be at least 1");
  }

  /// Nothing for a number that is none of these. O(1).
  [[nodiscard]] constexpr std::optional<std::uint64_t> index_of(std::uint64_t number) const noexcept {
    if (number < first_ || (number - first_) % step_ != 0) return std::nullopt;
    return (number - first_) / step_;
  }
  /// Of an index that index_of gave.
  [[nodiscard]] constexpr std::uint64_t number_of(std::uint64_t index) const noexcept { return first_ + index * step_; }
  /// From the first to the last number of a range of indices.
  [[nodiscard]] constexpr sequence_range numbers_of(sequence_range indices) const noexcept {
    return {number_of(indices.first), number_of(indices.last)};
  }

 private:
  std::uint64_t step_;
  std::uint64_t first_;
};

}  // namespace recoup
