// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "recoup/core/time.hpp"

namespace recoup::detail {

// The n-th (from 1; 0 counts as 1) of waits of which each is twice the one before, up to the longest.
constexpr duration doubled(duration first, duration longest, std::uint32_t n) noexcept {
  const std::uint32_t doublings = n > 0 ? n - 1 : 0;
  const duration wait = doublings < 63 ? saturating_multiply(first, std::uint64_t{1} << doublings) : longest;
  return wait < longest ? wait : longest;
}

}  // namespace recoup::detail
