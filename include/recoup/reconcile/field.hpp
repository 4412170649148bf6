// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/reconcile/fixed_string.hpp"

namespace recoup {

namespace detail {

template <fixed_string Name, class Projection>
struct named_field {
  static constexpr std::string_view name = Name.view();
  [[no_unique_address]] Projection projection;

  template <class Event>
  requires projection_of<Projection, Event>
  constexpr decltype(auto) operator()(Event& event) const { return detail::project(projection, event); }
};

// A member that is known at compile time, and so takes no room and is not looked up.
template <auto Member>
struct member_field {
  template <class Event>
  requires projection_of<decltype(Member), Event>
  constexpr decltype(auto) operator()(Event& event) const { return (event.*Member); }
};

template <class Projection>
std::string field_name(const Projection&) {
  if constexpr (requires {
                  { Projection::name } -> std::convertible_to<std::string_view>;
                }) {
    return std::string(Projection::name);
  } else {
    return "the field";
  }
}

// "amount 5", or "5" of a field without a name; a projection that works a value out may say how, by show(event).
template <class Projection, class Event>
std::string show_field(const Projection& field, const Event& event) {
  if constexpr (requires { field.show(event); }) {
    return field.show(event);
  } else if constexpr (requires {
                         { Projection::name } -> std::convertible_to<std::string_view>;
                       }) {
    return std::string(Projection::name) + ' ' + detail::show(detail::project(field, event));
  } else {
    return detail::show(detail::project(field, event));
  }
}

}  // namespace detail

/// A field with a name, for the sentences that explain: field<"amount">(&payment::amount), or a callable of const
/// Event&. Goes wherever a member pointer does.
template <fixed_string Name, class Projection>
[[nodiscard]] constexpr auto field(Projection projection) {
  return detail::named_field<Name, Projection>{std::move(projection)};
}

/// The same, where the member is known to the compiler: field<"amount", &payment::amount>(). Saves a rule the load of
/// the member's place, which matters with dozens of rules.
template <fixed_string Name, auto Member>
requires std::is_member_object_pointer_v<decltype(Member)>
[[nodiscard]] constexpr auto field() { return detail::named_field<Name, detail::member_field<Member>>{}; }

}  // namespace recoup
