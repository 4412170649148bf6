// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>

#include "recoup/core/detail/key_encoding.hpp"

namespace recoup::detail {

// On bool, & costs no branch; the operands are unsigned, as a bool is promoted to a signed integer.
constexpr bool both(bool a, bool b) noexcept { return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0; }
constexpr bool either(bool a, bool b) noexcept { return (static_cast<unsigned>(a) | static_cast<unsigned>(b)) != 0; }

template <class A, class B>
inline constexpr bool differ_in_sign = std::integral<A>&& std::integral<B>&& std::is_signed_v<A> != std::is_signed_v<B>;

// Compares numbers by their values, also of different signs, and text by its characters.
template <class A, class B>
constexpr bool at_most(const A& a, const B& b) {
  if constexpr (differ_in_sign<A, B> && std::is_signed_v<A>) {
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
  if constexpr (differ_in_sign<A, B>) {
    return both(detail::at_most(a, b), detail::at_most(b, a));
  } else if constexpr (text_key<A> && text_key<B>) {
    return key_view(a) == key_view(b);
  } else {
    return a == b;
  }
}

}  // namespace recoup::detail
