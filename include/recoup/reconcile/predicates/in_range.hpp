// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/require.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/compare.hpp"
#include "recoup/reconcile/detail/field_condition.hpp"

namespace recoup {

namespace detail {

template <class T>
struct range_test {
  T low;
  T high;

  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    return both(detail::at_most(low, value), detail::at_most(value, high));  // NaN fails
  }
  std::string explain(bool holds, timestamp) const {
    return (holds ? "is in the range from " : "is not in the range from ") + detail::show(low) + " to " +
           detail::show(high);
  }
};

// Of integers, a subtraction and one comparison.
template <class T>
requires std::integral<T>
struct range_test<T> {
  T low;
  std::uint64_t width;  // high - low

  constexpr range_test(T lowest, T highest)
      : low(lowest), width(static_cast<std::uint64_t>(highest) - static_cast<std::uint64_t>(lowest)) {}
  [[nodiscard]] constexpr T high() const noexcept { return static_cast<T>(static_cast<std::uint64_t>(low) + width); }

  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    if constexpr (std::integral<V> && !differ_in_sign<T, V>) {
      return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(low) <= width;
    } else {
      return both(detail::at_most(low, value), detail::at_most(value, high()));
    }
  }
  std::string explain(bool holds, timestamp) const {
    return (holds ? "is in the range from " : "is not in the range from ") + detail::show(low) + " to " +
           detail::show(high());
  }
};

}  // namespace detail

/// low <= field <= high, compared by value also where signs differ. NaN fails. Throws std::invalid_argument unless
/// low <= high.
template <class Projection, class T>
[[nodiscard]] constexpr auto in_range(Projection field, T low, T high) {
  detail::require_option(detail::at_most(low, high), "in_range(field, low, high) needs low <= high");
  return detail::field_condition<Projection, detail::range_test<T>>{std::move(field),
                                                                    {std::move(low), std::move(high)}};
}

}  // namespace recoup
