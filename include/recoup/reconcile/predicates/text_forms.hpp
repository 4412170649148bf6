// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

/// What texts look like, to tell fields apart and malformed ones from others; not whether an address exists. None
/// depends on a locale.

namespace recoup {

namespace detail {
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Takes the digits at the front away; how many there were.
constexpr std::size_t skip_digits(std::string_view& text) noexcept {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  text.remove_prefix(digits);
  return digits;
}
}  // namespace detail

/// One '@' with something before it and, behind it, a dot inside; no spaces or control characters.
inline constexpr auto looks_like_email = [](std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7F') return false;
  }
  const std::string_view host = text.substr(at + 1);
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot != 0 && host.back() != '.';
};

/// 5 to 15 digits (E.164), perhaps with a '+' in front, and spaces, dots, hyphens, slashes and brackets between them.
inline constexpr auto looks_like_phone = [](std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::size_t digits = 0;
  for (const char c : text) {
    if (detail::is_digit(c)) {
      ++digits;
    } else if (std::string_view(" .-/()").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return digits >= 5 && digits <= 15;
};

/// A decimal number, all of the text: "-12", "+0.50", "1e9"; digits on both sides of a dot.
inline constexpr auto looks_like_number = [](std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (detail::skip_digits(text) == 0) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (detail::skip_digits(text) == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (detail::skip_digits(text) == 0) return false;
  }
  return text.empty();
};

}  // namespace recoup
