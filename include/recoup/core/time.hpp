// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

// In C++20 <chrono> brings calendars, time zones and string streams, at six times the parse cost of what is needed
// here.
#if defined(__GLIBCXX__) && __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif

namespace recoup {

using duration = std::chrono::nanoseconds;

/// Nanoseconds since the Unix epoch, leap seconds not counted: the years 1677 to 2262.
using timestamp = std::chrono::time_point<std::chrono::system_clock, duration>;

namespace detail {

using ticks = duration::rep;

constexpr ticks saturating_sum(ticks a, ticks b) noexcept {
  using limits = std::numeric_limits<ticks>;
  if (b > 0 && a > limits::max() - b) return limits::max();
  if (b < 0 && a < limits::min() - b) return limits::min();
  return a + b;
}

// |value|, also of the smallest value.
constexpr std::uint64_t magnitude(ticks value) noexcept {
  return value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

// value * numerator / denominator rounded down, for 0 < numerator < denominator, where the product may exceed 64 bits.
constexpr std::uint64_t scale(std::uint64_t value, std::uint64_t numerator, std::uint64_t denominator) noexcept {
  if (value <= std::numeric_limits<std::uint64_t>::max() / numerator) return value * numerator / denominator;
  // Long multiplication, most significant bit first: the product so far is quotient * denominator + rest.
  std::uint64_t quotient = 0;
  std::uint64_t rest = 0;
  const auto add_to_rest = [&](std::uint64_t term) {
    if (rest >= denominator - term) {
      rest -= denominator - term;
      ++quotient;
    } else {
      rest += term;
    }
  };
  for (int bit = 63; bit >= 0; --bit) {
    quotient *= 2;
    add_to_rest(rest);
    if ((value >> bit) & 1U) add_to_rest(numerator);
  }
  return quotient;
}

}  // namespace detail

/// Saturating arithmetic: a result outside the range is the nearest end of it, so that a hostile timestamp cannot
/// overflow. Of a sum of two timestamps there is no need, and none is offered.
constexpr duration saturating_add(duration a, duration b) noexcept {
  return duration{detail::saturating_sum(a.count(), b.count())};
}

constexpr timestamp saturating_add(timestamp t, duration d) noexcept {
  return timestamp{saturating_add(t.time_since_epoch(), d)};
}

constexpr duration saturating_multiply(duration d, std::uint64_t factor) noexcept {
  const bool negative = d.count() < 0;
  const std::uint64_t size = detail::magnitude(d.count());
  const std::uint64_t limit = detail::magnitude(negative ? duration::min().count() : duration::max().count());
  if (size != 0 && factor > limit / size) return negative ? duration::min() : duration::max();
  const std::uint64_t product = size * factor;
  return duration{static_cast<detail::ticks>(negative ? std::uint64_t{0} - product : product)};
}

/// to - from; negative where time went back.
constexpr duration elapsed(timestamp from, timestamp to) noexcept {
  const detail::ticks begin = from.time_since_epoch().count();
  const detail::ticks end = to.time_since_epoch().count();
  using limits = std::numeric_limits<detail::ticks>;
  if (begin < 0 && end > limits::max() + begin) return duration::max();
  if (begin > 0 && end < limits::min() + begin) return duration::min();
  return duration{end - begin};
}

/// The point numerator / denominator of the way from a to b, rounded towards a: interpolate(a, b, 1, 2) is the
/// midpoint. Exact for any inputs; a where the denominator is 0, b where the fraction is 1 or more.
constexpr timestamp interpolate(timestamp a, timestamp b, std::uint64_t numerator, std::uint64_t denominator) noexcept {
  if (numerator == 0 || denominator == 0) return a;
  if (numerator >= denominator) return b;
  const auto begin = static_cast<std::uint64_t>(a.time_since_epoch().count());
  const auto end = static_cast<std::uint64_t>(b.time_since_epoch().count());
  const std::uint64_t result = a < b ? begin + detail::scale(end - begin, numerator, denominator)
                                     : begin - detail::scale(begin - end, numerator, denominator);
  return timestamp{duration{static_cast<detail::ticks>(result)}};
}

}  // namespace recoup
