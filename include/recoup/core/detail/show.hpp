// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/time.hpp"

// Values as text, for sentences that people read.

namespace recoup::detail {

inline constexpr std::size_t longest_shown = 64;

// A duration or time of a coarser unit in nanoseconds; one that is out of range is the nearest end of it.
template <class Rep, class Period>
constexpr duration nearest_duration(std::chrono::duration<Rep, Period> d) noexcept {
  using wide = std::chrono::duration<std::int64_t, Period>;
  const wide w(static_cast<std::int64_t>(d.count()));
  if (w > std::chrono::duration_cast<wide>(duration::max())) return duration::max();
  if (w < std::chrono::duration_cast<wide>(duration::min())) return duration::min();
  return w;
}
constexpr duration nearest_duration(duration d) noexcept { return d; }

template <class Duration>
constexpr timestamp nearest_timestamp(std::chrono::time_point<std::chrono::system_clock, Duration> t) noexcept {
  return timestamp(nearest_duration(t.time_since_epoch()));
}
constexpr timestamp nearest_timestamp(timestamp t) noexcept { return t; }

// In quotes, on one line, at most `longest_shown` bytes of it: quotes, backslashes and control characters are escaped,
// and UTF-8 is not cut inside a character.
inline std::string show_text(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::size_t length = text.size();
  if (length > longest_shown) {
    const auto is_inside = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
    length = longest_shown;
    while (length > longest_shown - 3 && is_inside(length)) --length;
  }
  std::string shown = "\"";
  for (const char c : text.substr(0, length)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      if (c == '"' || c == '\\') shown += '\\';
      shown += c;
    }
  }
  return shown += length < text.size() ? "\"..." : "\"";
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
  constexpr std::int64_t day_length = duration(std::chrono::days(1)).count();
  const std::int64_t rest = t.time_since_epoch().count() % day_length;
  const std::int64_t of_day = rest < 0 ? rest + day_length : rest;  // t - day overflows on the very first day
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
    return show_number(+value);  // promoted, as std::to_chars knows no wchar_t
  } else if constexpr (std::is_enum_v<T>) {
    return show(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_convertible_v<const T&, timestamp>) {
    return show_time(nearest_timestamp(value));
  } else if constexpr (std::is_convertible_v<const T&, duration>) {
    return show_duration(nearest_duration(value));
  } else if constexpr (text_key<T>) {
    return show_text(key_view(value));
  } else {
    return "a value";
  }
}

}  // namespace recoup::detail
