// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "recoup/core/detail/key_encoding.hpp"

namespace recoup::detail {

// On bool, & costs no branch; the operands are unsigned, as a bool is promoted to a signed integer.
constexpr bool both(bool a, bool b) noexcept { return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0; }
constexpr bool either(bool a, bool b) noexcept { return (static_cast<unsigned>(a) | static_cast<unsigned>(b)) != 0; }

template <class A, class B>
inline constexpr bool differ_in_sign = std::integral<A>&& std::integral<B>&& std::is_signed_v<A> != std::is_signed_v<B>;

// In what an integer is compared with a number of floating point.
template <std::floating_point F>
using wide = decltype(F{} + 1.0);

// How rounding to that changes an integer: 1 if it gets greater, -1 if less, 0 if it stays what it is.
template <std::floating_point Wide, std::integral I>
constexpr int rounding(I i) noexcept {
  if constexpr (std::numeric_limits<I>::digits > std::numeric_limits<Wide>::digits) {
    constexpr Wide beyond = 2 * static_cast<Wide>(std::numeric_limits<I>::max() / 2 + 1);
    const auto rounded = static_cast<Wide>(i);
    if (rounded >= beyond) return 1;
    return static_cast<int>(i < static_cast<I>(rounded)) - static_cast<int>(i > static_cast<I>(rounded));
  } else {
    return 0;
  }
}

// Compares numbers by their values, whatever their types, and text by its characters.
template <class A, class B>
constexpr bool at_most(const A& a, const B& b) {
  if constexpr (std::integral<A> && std::floating_point<B>) {
    const auto rounded = static_cast<wide<B>>(a);
    return both(rounded <= b, either(rounded < b, rounding<wide<B>>(a) >= 0));
  } else if constexpr (std::floating_point<A> && std::integral<B>) {
    const auto rounded = static_cast<wide<A>>(b);
    return both(a <= rounded, either(a < rounded, rounding<wide<A>>(b) <= 0));
  } else if constexpr (differ_in_sign<A, B> && std::is_signed_v<A>) {
    return either(a < A{}, static_cast<std::make_unsigned_t<A>>(a) <= b);
  } else if constexpr (differ_in_sign<A, B>) {
    return both(b >= B{}, a <= static_cast<std::make_unsigned_t<B>>(b));
  } else if constexpr (text_key<A> && text_key<B>) {
    return key_view(a) <= key_view(b);
  } else {
    return a <= b;
  }
}
template <class A, class B>
constexpr bool equal(const A& a, const B& b) {
  if constexpr (std::integral<A> && std::floating_point<B>) {
    return both(static_cast<wide<B>>(a) == b, rounding<wide<B>>(a) == 0);
  } else if constexpr (std::floating_point<A> && std::integral<B>) {
    return detail::equal(b, a);
  } else if constexpr (differ_in_sign<A, B>) {
    return both(detail::at_most(a, b), detail::at_most(b, a));
  } else if constexpr (text_key<A> && text_key<B>) {
    return key_view(a) == key_view(b);
  } else {
    return a == b;
  }
}

// |b - a|; one beyond 64 bits is the largest.
template <std::integral A, std::integral B>
constexpr std::uint64_t distance(A a, B b) noexcept {
  const bool is_rising = detail::at_most(a, b);
  const auto from = is_rising ? static_cast<std::uint64_t>(a) : static_cast<std::uint64_t>(b);
  const auto to = is_rising ? static_cast<std::uint64_t>(b) : static_cast<std::uint64_t>(a);
  if constexpr (differ_in_sign<A, B>) {
    const bool is_from_negative = is_rising ? !detail::at_most(0, a) : !detail::at_most(0, b);
    if (is_from_negative && to - from < to) return std::numeric_limits<std::uint64_t>::max();
  }
  return to - from;
}

// b - a; of integers exact near 0, the nearest double elsewhere.
template <class A, class B>
constexpr double difference(A a, B b) noexcept {
  if constexpr (std::integral<A> && std::integral<B>) {
    const auto size = static_cast<double>(detail::distance(a, b));
    return detail::at_most(a, b) ? size : -size;
  } else {
    return static_cast<double>(b) - static_cast<double>(a);
  }
}

}  // namespace recoup::detail
