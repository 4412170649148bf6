// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace recoup::detail {

// Where a stream stands: all that an arrival in order touches.
struct stream_position {
  static constexpr std::uint32_t no_book = ~std::uint32_t{0};

  std::uint64_t next = 0;   // one above the highest; 0 again after 2^64 - 1
  std::uint64_t first = 0;  // the stream's first number
  std::uint32_t book = no_book;
  bool is_started = false;
  bool is_running = false;  // started, and 2^64 - 1 has not come

  void start(std::uint64_t number) noexcept {
    is_started = is_running = true;
    first = next = number;
  }
  void step_behind(std::uint64_t last) noexcept {
    next = last + 1;
    if (next == 0) [[unlikely]]
      is_running = false;
  }
  // The highest number known to exist.
  std::optional<std::uint64_t> high() const noexcept {
    return is_started && (!is_running || next != first) ? std::optional(next - 1) : std::nullopt;
  }

  // For tables: a position begins as the prototype does.
  static std::uint64_t configuration() noexcept { return 0; }
  stream_position empty_copy() const noexcept { return *this; }
};

}  // namespace recoup::detail
