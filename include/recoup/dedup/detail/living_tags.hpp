// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace recoup::detail {

// Of tags of 8 bits those for which current - tag, as 8 bits, is not above span. Both are repeated, so that a register
// of 16 bytes is loaded with them at once.
class living_tags {
 public:
  constexpr living_tags(std::uint8_t current, std::uint8_t span) noexcept {
    current_.fill(current);
    span_.fill(span);
  }

  [[nodiscard]] constexpr bool has(std::uint8_t tag) const noexcept {
    return static_cast<std::uint8_t>(current_[0] - tag) <= span_[0];
  }
  [[nodiscard]] const std::uint8_t* current() const noexcept { return current_.data(); }
  [[nodiscard]] const std::uint8_t* span() const noexcept { return span_.data(); }

 private:
  alignas(16) std::array<std::uint8_t, 16> current_{};
  alignas(16) std::array<std::uint8_t, 16> span_{};
};

}  // namespace recoup::detail
