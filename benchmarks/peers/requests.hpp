// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "seen.hpp"

/// What is missing is asked for at once, and again each `request_wait`, at most `request_attempts` times.
namespace peers {

inline constexpr std::uint64_t request_wait = 1'500;
inline constexpr std::uint32_t request_attempts = 10;

}  // namespace peers
