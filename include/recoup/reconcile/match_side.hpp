// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace recoup {

/// Whose record it is: our own, or one from outside that it is to agree with.
enum class match_side : std::uint8_t { ours, theirs };

[[nodiscard]] constexpr std::string_view name_of(match_side s) { return s == match_side::ours ? "ours" : "theirs"; }

namespace detail {
constexpr match_side opposite(match_side s) noexcept {
  return s == match_side::ours ? match_side::theirs : match_side::ours;
}
}  // namespace detail

}  // namespace recoup
