// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/form.hpp"
#include "recoup/reconcile/field.hpp"

namespace recoup {

namespace detail {

template <class First, class Second, class FirstForm, class SecondForm>
struct swap_condition {
  [[no_unique_address]] First first;
  [[no_unique_address]] Second second;
  [[no_unique_address]] FirstForm first_form;
  [[no_unique_address]] SecondForm second_form;

  template <class Event>
  requires projection_of<First, Event> && projection_of<Second, Event>
  constexpr bool operator()(const Event& event, timestamp) const {
    const auto& a = detail::project(first, event);
    const auto& b = detail::project(second, event);
    const unsigned as_they_are = fits(first_form, a) + fits(second_form, b);
    const unsigned exchanged = fits(first_form, b) + fits(second_form, a);
    return exchanged <= as_they_are;
  }

  /// Exchanges the two.
  template <class Event>
  constexpr void fix(Event& event) const {
    using a = decltype(detail::project(first, event));
    using b = decltype(detail::project(second, event));
    static_assert(std::is_lvalue_reference_v<a> && std::is_same_v<a, b> && !std::is_const_v<std::remove_reference_t<a>>,
                  "recoup: not_swapped must be able to exchange its fields: name two of one type by member pointers");
    using std::swap;
    swap(detail::project(first, event), detail::project(second, event));
  }

  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    return detail::show_field(first, event) + " and " + detail::show_field(second, event) +
           ((*this)(event, now) ? " are in their places" : " look exchanged");
  }

 private:
  template <class Form, class Value>
  static constexpr unsigned fits(const Form& form, const Value& field) {
    return detail::is_complete(field) && detail::has_form(form, detail::whole(field)) ? 1 : 0;
  }
};

}  // namespace detail

/// The two fields have not been taken for each other: not_swapped(&customer::email, &customer::phone,
/// looks_like_email, looks_like_phone). Fails if more of the two would look as they should were they exchanged. With
/// on_fail::correct they are exchanged. The forms are callables of a field's value; an absent field has no form.
template <class First, class Second, class FirstForm, class SecondForm>
[[nodiscard]] constexpr auto not_swapped(First first, Second second, FirstForm first_form, SecondForm second_form) {
  return detail::swap_condition<First, Second, FirstForm, SecondForm>{std::move(first), std::move(second),
                                                                      std::move(first_form), std::move(second_form)};
}

}  // namespace recoup
