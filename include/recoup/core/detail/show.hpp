// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
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
  static_assert(std::is_integral_v<Rep> && std::is_signed_v<Rep> && std::ratio_greater_equal_v<Period, std::nano>,
                "recoup: a time or duration must count signed integers of nanoseconds or a coarser unit");
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

// To so many significant digits.
inline std::string show_rounded(double number, int digits) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), number, std::chars_format::general, digits).ptr;
  return {text, end};
}

struct civil_date {
  std::int64_t year;
  unsigned month;
  unsigned day;
};

// Days since 1970-01-01 as a date of the Gregorian calendar. The algorithm is Howard Hinnant's ("chrono-compatible
// low-level date algorithms"); reading <chrono> for it would double what the headers that explain cost.
constexpr civil_date civil_from_days(std::int64_t days) noexcept {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned month = (5 * day_of_year + 2) / 153;  // from March
  const unsigned day = day_of_year - (153 * month + 2) / 5 + 1;
  return {year_of_era + era * 400 + (month >= 10), month < 10 ? month + 3 : month - 9, day};
}

// RFC 3339, in UTC, with as many decimals as there are.
inline std::string show_time(timestamp t) {
  const auto padded = [](std::int64_t n, std::size_t width) {
    const std::string text = std::to_string(n);
    return text.size() < width ? std::string(width - text.size(), '0') + text : text;
  };
  constexpr std::int64_t day_length = duration(std::chrono::hours(24)).count();
  const std::int64_t since_epoch = t.time_since_epoch().count();
  const std::int64_t rest = since_epoch % day_length;
  const std::int64_t of_day = rest < 0 ? rest + day_length : rest;
  const civil_date date = civil_from_days(since_epoch / day_length - (rest < 0));
  const std::int64_t seconds = of_day / 1'000'000'000;
  std::string decimals = padded(of_day % 1'000'000'000, 9);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return padded(date.year, 4) + '-' + padded(date.month, 2) + '-' + padded(date.day, 2) + 'T' +
         padded(seconds / 3'600, 2) + ':' + padded(seconds / 60 % 60, 2) + ':' + padded(seconds % 60, 2) +
         (decimals.empty() ? "" : '.' + decimals) + 'Z';
}

// In the largest unit that needs no decimals.
inline std::string show_duration(duration d) {
  constexpr struct {
    std::int64_t nanoseconds;
    std::string_view unit;
  } units[] = {
      {3'600'000'000'000, "h"}, {60'000'000'000, "min"}, {1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}};
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
