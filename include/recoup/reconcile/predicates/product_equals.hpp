// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/compare.hpp"
#include "recoup/reconcile/field.hpp"

namespace recoup {

namespace detail {

template <class Factor1, class Factor2, class Product>
struct product_condition {
  [[no_unique_address]] Factor1 factor1;
  [[no_unique_address]] Factor2 factor2;
  [[no_unique_address]] Product product;

  template <class Event>
  requires projection_of<Factor1, Event> && projection_of<Factor2, Event> && projection_of<Product, Event>
  constexpr bool operator()(const Event& event, timestamp) const {
    static_assert(std::integral<projected<Factor1, Event>> && std::integral<projected<Factor2, Event>> &&
                      std::integral<projected<Product, Event>>,
                  "recoup: product_equals compares integers (minor units, such as cents) exactly");
    projected<Product, Event> expected{};
    const bool fits = !overflows(event, expected);
    return both(fits, detail::project(product, event) == expected);
  }

  /// Writes the product; false if it does not fit the field.
  template <class Event>
  constexpr bool fix(Event& event) const {
    static_assert(std::is_lvalue_reference_v<decltype(detail::project(product, event))>,
                  "recoup: product_equals must be able to write the product: name it by a member pointer");
    projected<Product, Event> expected{};
    if (overflows(event, expected)) return false;
    detail::project(product, event) = expected;
    return true;
  }

  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    projected<Product, Event> expected{};
    const std::string factors = detail::show_field(factor1, event) + " * " + detail::show_field(factor2, event);
    const std::string found = detail::show_field(product, event);
    if (overflows(event, expected)) return factors + " does not fit the field, which holds " + found;
    return found + ((*this)(event, now) ? " is " : " is not ") + factors + " = " + detail::show(expected);
  }
  /// The product field.
  template <class Event>
  constexpr auto measured(const Event& event, timestamp) const {
    return detail::project(product, event);
  }

 private:
  template <class Event, class Result>
  constexpr bool overflows(const Event& event, Result& result) const {
    return __builtin_mul_overflow(detail::project(factor1, event), detail::project(factor2, event), &result);
  }
};

}  // namespace detail

/// product == factor1 * factor2, in integers; an overflow fails. With on_fail::correct the product is recalculated.
template <class Factor1, class Factor2, class Product>
[[nodiscard]] constexpr auto product_equals(Factor1 factor1, Factor2 factor2, Product product) {
  return detail::product_condition<Factor1, Factor2, Product>{std::move(factor1), std::move(factor2),
                                                              std::move(product)};
}

}  // namespace recoup
