// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>

#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/project.hpp"

namespace recoup::detail {

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

// Whether a key names anything: all its parts are there, and it is no empty text.
template <class Key>
constexpr bool names_something(const Key& key) {
  if constexpr (is_optional_v<Key>) {
    return key.has_value() && detail::names_something(*key);
  } else if constexpr (text_key<Key>) {
    return !key_view(key).empty();
  } else {
    return detail::is_complete(key);
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

}  // namespace recoup::detail
