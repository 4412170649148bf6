// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace recoup {

/// A string as a template argument.
template <std::size_t Size>
struct fixed_string {
  char characters[Size]{};

  constexpr fixed_string(const char (&text)[Size]) { std::copy_n(text, Size, characters); }  // NOLINT: from a literal
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters, Size - 1}; }
};

}  // namespace recoup
