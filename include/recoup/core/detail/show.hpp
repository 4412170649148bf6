// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "recoup/core/time.hpp"

// Values as text, for sentences that people read.

namespace recoup::detail {

inline constexpr std::size_t longest_shown = 64;

inline std::string show_text(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string shown = "\"";
  for (const char c : text.substr(0, longest_shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      shown += c;
    }
  }
  return shown += text.size() > longest_shown ? "\"..." : "\"";
}

template <class Number>
std::string show_number(Number number) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  return {text, end};
}

// RFC 3339, in UTC, with as many decimals as there are.
inline std::string show_time(timestamp t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date(day);
  const auto padded = [](std::int64_t n, std::size_t width) {
    const std::string text = std::to_string(n);
    return text.size() < width ? std::string(width - text.size(), '0') + text : text;
  };
  const std::int64_t of_day = (t - day).count();
  const std::int64_t seconds = of_day / 1'000'000'000;
  std::string decimals = padded(of_day % 1'000'000'000, 9);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return padded(static_cast<int>(date.year()), 4) + '-' + padded(static_cast<unsigned>(date.month()), 2) + '-' +
         padded(static_cast<unsigned>(date.day()), 2) + 'T' + padded(seconds / 3'600, 2) + ':' +
         padded(seconds / 60 % 60, 2) + ':' + padded(seconds % 60, 2) + (decimals.empty() ? "" : '.' + decimals) + 'Z';
}

// In the largest unit that needs no decimals.
inline std::string show_duration(duration d) {
  constexpr struct {
    std::int64_t nanoseconds;
    std::string_view unit;
  } units[] = {{3'600'000'000'000, "h"}, {60'000'000'000, "min"}, {1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}};
  for (const auto& u : units) {
    if (d.count() != 0 && d.count() % u.nanoseconds == 0) {
      return std::to_string(d.count() / u.nanoseconds).append(" ").append(u.unit);
    }
  }
  return std::to_string(d.count()) + " ns";
}

template <class T>
std::string show(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (requires { value.has_value(); }) {
    return value ? show(*value) : "absent";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return show_number(value);
  } else if constexpr (std::is_enum_v<T>) {
    return show_number(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_convertible_v<const T&, timestamp>) {
    return show_time(value);
  } else if constexpr (std::is_convertible_v<const T&, duration>) {
    return show_duration(value);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return show_text(value);
  } else {
    return "a value";
  }
}

}  // namespace recoup::detail
