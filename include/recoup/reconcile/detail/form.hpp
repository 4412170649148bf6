// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <type_traits>

#include "recoup/core/detail/key_encoding.hpp"

namespace recoup::detail {

// Whether a value has the form, a callable of it. Text whose pointer may be null, or whose characters may have no zero
// at their end, is handed on as what it holds to a form that takes any text.
template <class Form, class Value>
constexpr bool has_form(const Form& form, const Value& value) {
  constexpr bool may_have_no_end = text_key<Value> && (std::is_pointer_v<Value> || std::is_array_v<Value>);
  if constexpr (may_have_no_end && std::is_invocable_v<const Form&, std::string_view>) {
    return static_cast<bool>(form(key_view(value)));
  } else {
    return static_cast<bool>(form(value));
  }
}

}  // namespace recoup::detail
