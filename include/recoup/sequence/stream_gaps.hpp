// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "recoup/core/interval_set.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/detail/gap_book.hpp"
#include "recoup/sequence/detail/stream_position.hpp"

namespace recoup {

/// How one stream stands: what a gap_tracker, or a table of streams, knows of it. Sees what changes; valid until the
/// tracker is moved or, in a table, until a stream is added or removed.
class stream_gaps {
 public:
  stream_gaps(const detail::stream_position& position, const detail::gap_book& book) noexcept
      : position_(&position), book_(&book) {}

  /// The number that is expected next: one above the highest; nothing before the first number, and after 2^64 - 1.
  [[nodiscard]] std::optional<std::uint64_t> expected() const noexcept {
    return position_->is_running ? std::optional(position_->next) : std::nullopt;
  }
  /// The highest number known to exist; nothing before the first.
  [[nodiscard]] std::optional<std::uint64_t> high_position() const noexcept { return position_->high(); }
  /// The highest number up to which nothing is missing (received, skipped or given up): safe to commit. Nothing before
  /// it exists.
  [[nodiscard]] std::optional<std::uint64_t> contiguous_position() const noexcept {
    if (missing().empty()) return position_->high();
    const std::uint64_t first = missing().front().first;
    return first > position_->first ? std::optional(first - 1) : std::nullopt;
  }

  /// The ranges that are missing and not given up, lowest first.
  [[nodiscard]] const interval_set& missing() const noexcept { return book_->missing(); }
  /// How many numbers they hold; 2^64 - 1 also where all 2^64 numbers are missing.
  [[nodiscard]] std::uint64_t missing_count() const noexcept { return missing().count(); }
  [[nodiscard]] std::size_t gap_count() const noexcept { return missing().size(); }
  /// Ranges given up and still remembered, whose numbers would be late.
  [[nodiscard]] const interval_set& abandoned() const noexcept { return book_->abandoned(); }

  /// When something of it is due, as far as is known now: the least time if it is at once, the greatest if never.
  [[nodiscard]] timestamp due() const noexcept { return book_->due(position_->next - 1); }

 private:
  const detail::stream_position* position_;
  const detail::gap_book* book_;
};

}  // namespace recoup
