// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>
#include <utility>

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

// Whether all parts of a key are there.
template <class Key>
constexpr bool is_complete(const Key& key) {
  if constexpr (is_optional_v<Key>) {
    return key.has_value();
  } else if constexpr (requires { std::tuple_size<Key>::value; }) {
    return std::apply([](const auto&... part) { return (detail::is_complete(part) && ...); }, key);
  } else {
    return true;
  }
}

// A complete key as a window sees it: the value of an optional, so that a window of integers can take it.
template <class Key>
constexpr const auto& whole(const Key& key) {
  if constexpr (is_optional_v<Key>) {
    return *key;
  } else {
    return key;
  }
}

}  // namespace detail

/// A key of several fields: key(&payment::id, &payment::revision).
template <class... Projections>
[[nodiscard]] constexpr auto key(Projections... fields) {
  return detail::key_of_fields<Projections...>{{fields...}};
}

}  // namespace recoup
