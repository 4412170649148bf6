// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <type_traits>

namespace recoup::detail {

// A projection is a pointer to a data member or a callable; this is std::invoke for those two, without <functional>.
template <class Projection, class Event>
constexpr decltype(auto) project(const Projection& projection, Event& event) {
  if constexpr (std::is_member_object_pointer_v<Projection>) {
    return (event.*projection);
  } else {
    return projection(event);
  }
}

template <class Projection, class Event>
concept projection_of = requires(const Projection& p, const Event& e) {
  e.*p;
}
|| requires(const Projection& p, const Event& e) { p(e); };

template <class Projection, class Event>
using projected =
    std::remove_cvref_t<decltype(detail::project(std::declval<const Projection&>(), std::declval<const Event&>()))>;

template <class T>
inline constexpr bool is_optional_v = false;
template <class T>
inline constexpr bool is_optional_v<std::optional<T>> = true;

// The value of a field that may be absent: a pointer to it, null if it is a std::optional without one.
template <class T>
constexpr auto present(const T& field) noexcept {
  if constexpr (is_optional_v<T>) {
    return field ? &*field : nullptr;
  } else {
    return &field;
  }
}

}  // namespace recoup::detail
