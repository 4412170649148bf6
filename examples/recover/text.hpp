// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace recover {

namespace detail {

// The length of the well-formed UTF-8 character that `text` begins with, or 0 when the bytes are not UTF-8 or the
// character would act on a terminal instead of being seen (C1 controls, bidirectional overrides, separators).
inline std::size_t visible_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  std::uint32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i != length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  if (code < 0xA0 || (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
      (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF) {
    return 0;
  }
  return length;
}

}  // namespace detail

// `text` made safe for a terminal and a sentence: at most `most` characters (then "..."), every byte that is not part
// of a visible character as \xNN. Untrusted names, keys and fields go through this before anybody reads them.
inline std::string printable(std::string_view text, std::size_t most = 40) {
  constexpr char hex[] = "0123456789abcdef";
  std::string shown;
  for (std::size_t characters = 0; !text.empty(); ++characters) {
    if (characters == most) return shown + "...";
    if (const std::size_t length = detail::visible_character(text); length != 0) {
      shown.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      const auto byte = static_cast<unsigned char>(text.front());
      shown.append({'\\', 'x', hex[byte >> 4], hex[byte & 15]});
      text.remove_prefix(1);
    }
  }
  return shown;
}

}  // namespace recover
