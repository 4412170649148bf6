// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/project.hpp"

namespace recoup {

namespace detail {

template <class... Projections>
struct key_of_fields {
  std::tuple<Projections...> fields;

  template <class Event>
  requires(projection_of<Projections, Event>&&...) constexpr auto operator()(const Event& event) const {
    return std::apply(
        [&](const auto&... p) {
          return std::tuple<decltype(detail::project(p, event))...>(detail::project(p, event)...);
        },
        fields);
  }
};

}  // namespace detail

/// A key of several fields: key(&payment::id, &payment::revision).
template <class... Projections>
[[nodiscard]] constexpr auto key(Projections... fields) {
  return detail::key_of_fields<Projections...>{{fields...}};
}

}  // namespace recoup
