// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <utility>

#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/field_condition.hpp"

namespace recoup {

namespace detail {
struct finite_test {
  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    static_assert(std::floating_point<V>, "recoup: finite(field) needs a floating-point field; all others are finite");
    return __builtin_isfinite(value);
  }
  static std::string explain(bool holds, timestamp) { return holds ? "is a finite number" : "is not a finite number"; }
};
}  // namespace detail

/// A floating-point field is neither NaN nor infinite.
template <class Projection>
[[nodiscard]] constexpr auto finite(Projection field) {
  return detail::field_condition<Projection, detail::finite_test>{std::move(field), {}};
}

}  // namespace recoup
