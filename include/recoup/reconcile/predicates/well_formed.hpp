// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/field_condition.hpp"
#include "recoup/reconcile/detail/form.hpp"

namespace recoup {

namespace detail {
template <class Form>
struct well_formed_test {
  [[no_unique_address]] Form form;
  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    static_assert(
        requires { static_cast<bool>(form(value)); },
        "recoup: the form in well_formed(field, form) must be callable as bool(const Field&), also when it is const");
    return detail::has_form(form, value);
  }
  static std::string explain(bool holds, timestamp) { return holds ? "is well formed" : "is not well formed"; }
};
}  // namespace detail

/// form(field) is true: well_formed(&customer::email, looks_like_email). A callable of the field's value.
template <class Projection, class Form>
[[nodiscard]] constexpr auto well_formed(Projection field, Form form) {
  return detail::field_condition<Projection, detail::well_formed_test<Form>>{std::move(field), {std::move(form)}};
}

}  // namespace recoup
