// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <recoup/core/time.hpp>
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

inline std::string with_commas(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

// "1 gap", "1,000 gaps"
inline std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", with_commas(count), count == 1 ? one : many);
}

// "never", "once", "twice", "3 times"
inline std::string how_often(std::uint64_t count) {
  constexpr std::array<std::string_view, 3> few{"never", "once", "twice"};
  return count < few.size() ? std::string(few[count]) : with_commas(count) + " times";
}

// Rounded, for people: "55 ms", "2.5 minutes", "3 days". At least zero.
inline std::string lasting(recoup::duration d) {
  using namespace std::chrono_literals;
  struct unit {
    recoup::duration length;
    std::string_view name;
  };
  constexpr std::array<unit, 7> units{
      {{48h, "days"}, {2h, "hours"}, {2min, "minutes"}, {1s, "s"}, {1ms, "ms"}, {1us, "us"}, {1ns, "ns"}}};
  for (const unit& u : units) {
    if (d < u.length) continue;
    const recoup::duration one = u.length >= 48h ? 24h : u.length >= 2h ? 1h : u.length >= 2min ? 1min : u.length;
    const double value = static_cast<double>(d.count()) / static_cast<double>(one.count());
    if (value >= 9.95) return fmt::format("{:.0f} {}", value, u.name);
    std::string digits = fmt::format("{:.1f}", value);
    if (digits.back() == '0') digits.resize(digits.size() - 2);
    return fmt::format("{} {}", digits, u.name);
  }
  return "0 s";
}

}  // namespace recover
