// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "recoup/core/time.hpp"

namespace recoup::detail {

// A fingerprint of options, by which a snapshot knows that it was taken with others. Without xxHash, so that a
// component which hashes nothing need not include it. The mixing step is that of SplitMix64 (Steele, Lea, Flood, 2014).
constexpr std::uint64_t combine(std::initializer_list<std::uint64_t> options) noexcept {
  std::uint64_t hash = 0;
  for (const std::uint64_t option : options) {
    hash += 0x9E37'79B9'7F4A'7C15 + option;
    hash = (hash ^ (hash >> 30)) * 0xBF58'476D'1CE4'E5B9;
    hash = (hash ^ (hash >> 27)) * 0x94D0'49BB'1331'11EB;
    hash ^= hash >> 31;
  }
  return hash;
}

constexpr std::uint64_t option(duration d) noexcept { return static_cast<std::uint64_t>(d.count()); }

// Tells an absent option from every value but one in 2^64.
constexpr std::uint64_t option(std::optional<std::uint64_t> o) noexcept { return o ? combine({1, *o}) : 0; }
constexpr std::uint64_t option(std::optional<duration> o) noexcept { return o ? combine({1, option(*o)}) : 0; }

}  // namespace recoup::detail
