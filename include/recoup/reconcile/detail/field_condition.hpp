// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/field.hpp"

namespace recoup::detail {

// A condition on one field: Test has holds(value, now), and explain(holds, now), which goes on behind the value. An
// absent field (an empty std::optional) passes: whether it may be absent is a question of its own.
template <class Projection, class Test>
struct field_condition {
  [[no_unique_address]] Projection field;
  [[no_unique_address]] Test test;

  template <class Event>
  requires projection_of<Projection, Event>
  constexpr bool operator()(const Event& event, timestamp now) const {
    const auto& value = detail::project(field, event);
    if constexpr (is_optional_v<projected<Projection, Event>>) {
      return !value || test.holds(*value, now);
    } else {
      return test.holds(value, now);
    }
  }

  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    if constexpr (is_optional_v<projected<Projection, Event>>) {
      if (!detail::project(field, event)) return detail::field_name(field) + " is absent";
    }
    return detail::show_field(field, event) + ' ' + test.explain((*this)(event, now), now);
  }

  /// The field.
  template <class Event>
  constexpr decltype(auto) measured(const Event& event, timestamp) const {
    return detail::project(field, event);
  }
};

}  // namespace recoup::detail
