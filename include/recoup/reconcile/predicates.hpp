// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"

/// Conditions on an event's fields, each a value that is callable as bool(event, now). A field is named by a member
/// pointer or a callable. Apart from `required`, an absent field (an empty std::optional) passes: whether it may be
/// absent is a question of its own.

namespace recoup {

namespace detail {

// Compares numbers by their values, also of different signs, and text by its characters.
template <class A, class B>
constexpr bool at_most(const A& a, const B& b) {
  if constexpr (std::integral<A> && std::integral<B> && std::is_signed_v<A> && std::is_unsigned_v<B>) {
    return a < A{} || static_cast<std::make_unsigned_t<A>>(a) <= b;
  } else if constexpr (std::integral<A> && std::integral<B> && std::is_unsigned_v<A> && std::is_signed_v<B>) {
    return b >= B{} && a <= static_cast<std::make_unsigned_t<B>>(b);
  } else if constexpr (text_key<A> && text_key<B>) {
    return key_view(a) <= key_view(b);
  } else {
    return a <= b;
  }
}
template <class A, class B>
constexpr bool equal(const A& a, const B& b) {
  if constexpr (std::integral<A> && std::integral<B> && std::is_signed_v<A> != std::is_signed_v<B>) {
    return detail::at_most(a, b) && detail::at_most(b, a);
  } else if constexpr (text_key<A> && text_key<B>) {
    return key_view(a) == key_view(b);
  } else {
    return a == b;
  }
}

// A condition on one field: Test has holds(value, now) and explain(value, now).
template <class Projection, class Test>
struct field_condition {
  Projection field;
  Test test;

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
    const auto& value = detail::project(field, event);
    if constexpr (is_optional_v<projected<Projection, Event>>) {
      return value ? detail::show(*value) + ' ' + test.explain(*value, now) : "the field is absent";
    } else {
      return detail::show(value) + ' ' + test.explain(value, now);
    }
  }
};

template <class T>
struct range_test {
  T low;
  T high;
  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    return detail::at_most(low, value) && detail::at_most(value, high);  // NaN fails
  }
  template <class V>
  std::string explain(const V&, timestamp) const {
    return "is not in the range from " + detail::show(low) + " to " + detail::show(high);
  }
};

template <class T>
struct equals_test {
  T expected;
  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    return detail::equal(value, expected);
  }
  template <class V>
  std::string explain(const V&, timestamp) const {
    return "is not " + detail::show(expected);
  }
};

struct finite_test {
  template <class V>
  constexpr bool holds(const V& value, timestamp) const {
    static_assert(std::floating_point<V>, "recoup: finite(field) needs a floating-point field; all others are finite");
    return value - value == V{};  // neither NaN nor infinite
  }
  template <class V>
  std::string explain(const V&, timestamp) const {
    return "is not a finite number";
  }
};

struct not_after_test {
  duration tolerance;
  template <class Time>
  constexpr bool holds(const Time& value, timestamp now) const {
    return elapsed(now, detail::nearest_timestamp(value)) <= tolerance;
  }
  template <class Time>
  std::string explain(const Time&, timestamp now) const {
    return "is more than " + detail::show(tolerance) + " after " + detail::show(now);
  }
};

struct not_before_test {
  duration tolerance;
  template <class Time>
  constexpr bool holds(const Time& value, timestamp now) const {
    return elapsed(detail::nearest_timestamp(value), now) <= tolerance;
  }
  template <class Time>
  std::string explain(const Time&, timestamp now) const {
    return "is more than " + detail::show(tolerance) + " before " + detail::show(now);
  }
};

template <class Projection>
struct required_field {
  Projection field;

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
  std::string explain(const Event&, timestamp) const {
    return "the field is absent";
  }
};

template <class Factor1, class Factor2, class Product>
struct product_condition {
  Factor1 factor1;
  Factor2 factor2;
  Product product;

  template <class Event>
  requires projection_of<Factor1, Event> && projection_of<Factor2, Event> && projection_of<Product, Event>
  constexpr bool operator()(const Event& event, timestamp) const {
    static_assert(std::integral<projected<Factor1, Event>> && std::integral<projected<Factor2, Event>> &&
                      std::integral<projected<Product, Event>>,
                  "recoup: product_equals compares integers (minor units, such as cents) exactly");
    projected<Product, Event> expected{};
    return !overflows(event, expected) && detail::project(product, event) == expected;
  }

  /// Writes the product; false if it does not fit the field.
  template <class Event>
  constexpr bool fix(Event& event) const {
    static_assert(std::is_lvalue_reference_v<decltype(detail::project(product, event))>,
                  "recoup: product_equals must be able to write the product: name it by a member pointer");
    projected<Product, Event> expected{};
    if (overflows(event, expected)) return false;
    detail::project(product, event) = expected;
    return true;
  }

  template <class Event>
  std::string explain(const Event& event, timestamp) const {
    projected<Product, Event> expected{};
    const std::string factors =
        detail::show(detail::project(factor1, event)) + " * " + detail::show(detail::project(factor2, event));
    if (overflows(event, expected))
      return factors + " does not fit the field, which holds " + detail::show(detail::project(product, event));
    return detail::show(detail::project(product, event)) + " is not " + factors + " = " + detail::show(expected);
  }

 private:
  template <class Event, class Result>
  constexpr bool overflows(const Event& event, Result& result) const {
    return __builtin_mul_overflow(detail::project(factor1, event), detail::project(factor2, event), &result);
  }
};

}  // namespace detail

/// The field is there: an optional or pointer that is set, text that is not empty.
template <class Projection>
[[nodiscard]] constexpr auto required(Projection field) {
  return detail::required_field<Projection>{field};
}

/// field == expected
template <class Projection, class T>
[[nodiscard]] constexpr auto equals(Projection field, T expected) {
  return detail::field_condition<Projection, detail::equals_test<T>>{field, {std::move(expected)}};
}

/// low <= field <= high. NaN fails.
template <class Projection, class T>
[[nodiscard]] constexpr auto in_range(Projection field, T low, T high) {
  return detail::field_condition<Projection, detail::range_test<T>>{field, {std::move(low), std::move(high)}};
}

/// A floating-point field is neither NaN nor infinite.
template <class Projection>
[[nodiscard]] constexpr auto finite(Projection field) {
  return detail::field_condition<Projection, detail::finite_test>{field, {}};
}

/// The time in the field is at most `tolerance` after the event's arrival: not future-dated.
template <class Projection>
[[nodiscard]] constexpr auto not_after(Projection field, duration tolerance) {
  return detail::field_condition<Projection, detail::not_after_test>{field, {tolerance}};
}

/// The time in the field is at most `tolerance` before the event's arrival: not outdated.
template <class Projection>
[[nodiscard]] constexpr auto not_before(Projection field, duration tolerance) {
  return detail::field_condition<Projection, detail::not_before_test>{field, {tolerance}};
}

/// product == factor1 * factor2, in integers; an overflow fails. With on_fail::correct the product is recalculated.
template <class Factor1, class Factor2, class Product>
[[nodiscard]] constexpr auto product_equals(Factor1 factor1, Factor2 factor2, Product product) {
  return detail::product_condition<Factor1, Factor2, Product>{factor1, factor2, product};
}

}  // namespace recoup
