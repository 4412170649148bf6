// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/field.hpp"

namespace recoup {

namespace detail {

template <class Projection>
struct required_field {
  [[no_unique_address]] Projection field;

  template <class Event>
  requires projection_of<Projection, Event>
  constexpr bool operator()(const Event& event, timestamp) const {
    using value = projected<Projection, Event>;
    static_assert(is_optional_v<value> || std::is_pointer_v<value> || text_key<value>,
                  "recoup: required(field) needs a field that can be absent: a std::optional, a pointer or text");
    const auto& v = detail::project(field, event);
    if constexpr (is_optional_v<value>) {
      if constexpr (text_key<typename value::value_type>) {
        return v.has_value() && !key_view(*v).empty();
      } else {
        return v.has_value();
      }
    } else if constexpr (text_key<value>) {
      return !key_view(v).empty();
    } else {
      return v != nullptr;
    }
  }
  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    return detail::field_name(field) + ((*this)(event, now) ? " is there" : " is absent");
  }
};

}  // namespace detail

/// The field is there: an optional or pointer that is set, text that is not empty.
template <class Projection>
[[nodiscard]] constexpr auto required(Projection field) {
  return detail::required_field<Projection>{std::move(field)};
}

}  // namespace recoup
