// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/compare.hpp"
#include "recoup/reconcile/detail/field_condition.hpp"

namespace recoup {

namespace detail {

template <class T>
struct equals_test {
  T expected;
  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    return detail::equal(value, expected);
  }
  std::string explain(bool holds, timestamp) const { return (holds ? "is " : "is not ") + detail::show(expected); }
};

template <class... Ts>
struct one_of_test {
  std::tuple<Ts...> expected;
  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    const auto is_any = [&](const Ts&... each) {
      return ((static_cast<unsigned>(detail::equal(value, each)) | ...)) != 0;
    };
    return std::apply(is_any, expected);
  }
  std::string explain(bool holds, timestamp) const {
    std::string text = holds ? "is one of " : "is none of ";
    const auto list = [&](const Ts&... each) {
      std::size_t listed = 0;
      ((text += (listed++ == 0 ? "" : ", ") + detail::show(each)), ...);
    };
    std::apply(list, expected);
    return text;
  }
};

template <class First, class Second>
struct equal_fields {
  [[no_unique_address]] First first;
  [[no_unique_address]] Second second;

  template <class Event>
  requires projection_of<First, Event> && projection_of<Second, Event>
  constexpr bool operator()(const Event& event, timestamp) const {
    const auto& a = detail::project(first, event);
    const auto& b = detail::project(second, event);
    return !detail::is_complete(a) || !detail::is_complete(b) || detail::equal(detail::whole(a), detail::whole(b));
  }
  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    return detail::show_field(first, event) + ((*this)(event, now) ? " agrees with " : " differs from ") +
           detail::show_field(second, event);
  }
};

}  // namespace detail

/// field == expected, numbers by their values whatever their types, text by its characters.
template <class Projection, class T>
[[nodiscard]] constexpr auto equals(Projection field, T expected) {
  return detail::field_condition<Projection, detail::equals_test<T>>{std::move(field), {std::move(expected)}};
}

/// The field equals one of these: one_of(&payment::currency, "EUR", "USD").
template <class Projection, class... Ts>
[[nodiscard]] constexpr auto one_of(Projection field, Ts... expected) {
  static_assert(sizeof...(Ts) > 0, "recoup: one_of(field, values...) needs a value at least");
  return detail::field_condition<Projection, detail::one_of_test<Ts...>>{std::move(field), {{std::move(expected)...}}};
}

/// Two fields of the event are equal. Passes where one is absent.
template <class First, class Second>
[[nodiscard]] constexpr auto equals_field(First first, Second second) {
  return detail::equal_fields<First, Second>{std::move(first), std::move(second)};
}

}  // namespace recoup
