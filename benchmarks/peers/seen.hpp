// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Other ways to know which numbers of a stream are missing, each written for this comparison in the manner of what it
/// names. All expect 0 first and then one more each time, take that case first, and keep only what is missing among the
/// highest number and the `window` before it: lower ones are given up by poll(), which is called every so many events.
/// They need not survive hostile numbers.
namespace peers {

/// What a number's arrival means.
enum class seen : std::uint8_t {
  in_order,
  opened,  ///< higher than expected: those between are missing
  filled,  ///< was missing
  other,   ///< had come before, or is not known to be missing any more
};

inline constexpr std::uint64_t window = 8'192;

/// The lowest number that is not given up, where `next` is one above the highest.
constexpr std::uint64_t lowest_kept(std::uint64_t next) { return next > window + 1 ? next - 1 - window : 0; }

}  // namespace peers
