// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace recoup {

/// What a number's arrival means. Every number received is counted under exactly one of these. (32 bits wide, so that a
/// judgement has no padding.)
enum class arrival : std::uint32_t {
  in_order,   ///< the one expected next, or the stream's first
  ahead,      ///< later ones than expected: opens a hole before it
  filled,     ///< was missing
  late,       ///< was missing and had been given up
  duplicate,  ///< had come before, or was said to be skipped
  stale,      ///< from before what the tracker remembers, or no number of this stream: a guess would be dishonest
  jump,       ///< further ahead than max_jump
  restart,    ///< had come before and lies further behind than max_behind: the producer may have begun anew
};
inline constexpr std::size_t arrival_kinds = 8;

[[nodiscard]] constexpr std::string_view name_of(arrival a) {
  constexpr std::array<std::string_view, arrival_kinds> names{"in_order",  "ahead", "filled", "late",
                                                              "duplicate", "stale", "jump",   "restart"};
  return names[static_cast<std::size_t>(a)];
}

}  // namespace recoup
