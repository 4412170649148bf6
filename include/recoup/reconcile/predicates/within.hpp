// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/compare.hpp"
#include "recoup/reconcile/field.hpp"

namespace recoup {

/// So much below and above the base, in the base's own unit.
template <class T>
struct absolute_tolerance {
  T below;
  T above;

  constexpr absolute_tolerance(T most_below, T most_above) : below(most_below), above(most_above) {
    detail::require_option(below >= T{} && above >= T{},
                           "absolute(below, above) needs tolerances of zero or more, in the unit of the base");
  }
  [[nodiscard]] constexpr T side(bool is_above) const noexcept { return is_above ? above : below; }

  constexpr bool admits(double difference, double) const noexcept {
    return detail::both(difference <= static_cast<double>(above), -difference <= static_cast<double>(below));
  }
  static constexpr double measured(double difference, double) noexcept { return difference; }
  [[nodiscard]] std::string show(bool is_above) const { return detail::show(side(is_above)); }
};

/// So many percent of the base's magnitude below and above the base.
struct percent_tolerance {
  double below;
  double above;

  constexpr percent_tolerance(double most_below, double most_above) : below(most_below), above(most_above) {
    detail::require_option(below >= 0 && above >= 0, "percent(below, above) needs tolerances of zero percent or more");
  }

  constexpr bool admits(double difference, double base) const noexcept {
    const double magnitude = base < 0 ? -base : base;
    const double part = magnitude > 0x1p500 ? 0x1p-10 : 1;  // so that a hundred times as much is not infinite; exact
    const double hundred = 100 * part;
    const double size = part * magnitude;
    return detail::both(hundred * difference <= above * size, -hundred * difference <= below * size);
  }
  static constexpr double measured(double difference, double base) noexcept {
    return 100 * difference / (base < 0 ? -base : base);
  }
  [[nodiscard]] std::string show(bool is_above) const { return detail::show(is_above ? above : below) + " % of it"; }
};

/// To both sides alike, or below and above.
template <class T>
[[nodiscard]] constexpr absolute_tolerance<T> absolute(T each_side) {
  return {each_side, each_side};
}
template <class T>
[[nodiscard]] constexpr absolute_tolerance<T> absolute(T below, T above) {
  return {below, above};
}
[[nodiscard]] constexpr percent_tolerance percent(double each_side) { return {each_side, each_side}; }
[[nodiscard]] constexpr percent_tolerance percent(double below, double above) { return {below, above}; }

namespace detail {

// Where the numbers and the tolerance are integers, they are compared as such.
template <class V, class B, class Tolerance>
inline constexpr bool is_exact = false;
template <class V, class B, class T>
inline constexpr bool is_exact<V, B, absolute_tolerance<T>> = std::integral<V>&& std::integral<B>&& std::integral<T>;

template <class Field, class Base, class Tolerance>
struct tolerance_condition {
  [[no_unique_address]] Field field;
  [[no_unique_address]] Base base;
  Tolerance tolerance;

  template <class Event>
  requires projection_of<Field, Event> && projection_of<Base, Event>
  constexpr bool operator()(const Event& event, timestamp) const {
    const auto& value_field = detail::project(field, event);
    const auto& base_field = detail::project(base, event);
    if (!detail::is_complete(value_field) || !detail::is_complete(base_field)) return true;
    return is_near(detail::whole(value_field), detail::whole(base_field));
  }

  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    const auto& value_field = detail::project(field, event);
    const auto& base_field = detail::project(base, event);
    if (!detail::is_complete(value_field)) return detail::field_name(field) + " is absent";
    if (!detail::is_complete(base_field)) return detail::field_name(base) + " to compare with is absent";
    const double difference = measured_from(detail::whole(value_field), detail::whole(base_field));
    const std::string value_text = detail::show_field(field, event);
    const std::string base_text = detail::show_field(base, event);
    if (!is_finite(difference)) return value_text + " cannot be compared with " + base_text;
    const bool is_above = difference >= 0;
    return value_text + " is " + detail::show(is_above ? difference : -difference) +
           (is_above ? " above " : " below ") + base_text + ((*this)(event, now) ? ", at most " : ", more than ") +
           tolerance.show(is_above);
  }

  /// The difference from the base: for percent(...), in percent of it. NaN where one of them is absent.
  template <class Event>
  constexpr double measured(const Event& event, timestamp) const {
    const auto& value_field = detail::project(field, event);
    const auto& base_field = detail::project(base, event);
    if (!detail::is_complete(value_field) || !detail::is_complete(base_field))
      return std::numeric_limits<double>::quiet_NaN();
    return Tolerance::measured(measured_from(detail::whole(value_field), detail::whole(base_field)),
                               static_cast<double>(detail::whole(base_field)));
  }

 private:
  static constexpr bool is_finite(double x) noexcept { return x - x == 0; }

  template <class V, class B>
  static constexpr double measured_from(const V& value, const B& expected) noexcept {
    if constexpr (is_exact<V, B, Tolerance>) return detail::difference(expected, value);
    return static_cast<double>(value) - static_cast<double>(expected);
  }

  template <class V, class B>
  constexpr bool is_near(const V& value, const B& expected) const noexcept {
    constexpr bool are_numbers = std::is_arithmetic_v<V> && std::is_arithmetic_v<B>;
    static_assert(
        are_numbers,
        "recoup: within(field, base, tolerance) compares numbers; for times there is not_after and not_before");
    if constexpr (!are_numbers) {
      return false;
    } else if constexpr (is_exact<V, B, Tolerance>) {
      const bool is_above = detail::at_most(expected, value);
      return detail::distance(value, expected) <= static_cast<std::uint64_t>(tolerance.side(is_above));
    } else {
      const double difference = measured_from(value, expected);
      // Near an infinite base would be everything.
      return both(is_finite(difference), tolerance.admits(difference, static_cast<double>(expected)));
    }
  }
};

template <class Factor1, class Factor2>
struct product_of {
  [[no_unique_address]] Factor1 factor1;
  [[no_unique_address]] Factor2 factor2;

  template <class Event>
  requires projection_of<Factor1, Event> && projection_of<Factor2, Event>
  constexpr auto operator()(const Event& event) const {
    const auto& a = detail::project(factor1, event);
    const auto& b = detail::project(factor2, event);
    using left = std::remove_cvref_t<decltype(detail::whole(a))>;
    using right = std::remove_cvref_t<decltype(detail::whole(b))>;
    static_assert(std::is_arithmetic_v<left> && std::is_arithmetic_v<right>,
                  "recoup: times(factor, factor) multiplies numbers");
    if constexpr (is_optional_v<std::remove_cvref_t<decltype(a)>> || is_optional_v<std::remove_cvref_t<decltype(b)>>) {
      if (!detail::is_complete(a) || !detail::is_complete(b)) return std::optional<double>();
      return std::optional<double>(static_cast<double>(detail::whole(a)) * static_cast<double>(detail::whole(b)));
    } else {
      return static_cast<double>(a) * static_cast<double>(b);
    }
  }
  template <class Event>
  std::string show(const Event& event) const {
    return detail::show_field(factor1, event) + " * " + detail::show_field(factor2, event) + " = " +
           detail::show((*this)(event));
  }
};

}  // namespace detail

/// base - below <= field <= base + above: within(&payment::recorded, times(&payment::amount, value_of(rate)),
/// percent(5)) passes what is recorded with at most 5 % more or less than amount * rate. NaN and the infinities fail;
/// of a base of 0, a percentage is 0. Passes where one is absent.
///
/// In double, so exact for integers up to 2^53; with an absolute tolerance, and all three integers, exact for all.
template <class Field, class Base, class Tolerance>
[[nodiscard]] constexpr auto within(Field field, Base base, Tolerance tolerance) {
  return detail::tolerance_condition<Field, Base, Tolerance>{std::move(field), std::move(base), std::move(tolerance)};
}

/// The product of two fields, in double, to name as a base; absent where one of them is.
template <class Factor1, class Factor2>
[[nodiscard]] constexpr auto times(Factor1 factor1, Factor2 factor2) {
  return detail::product_of<Factor1, Factor2>{std::move(factor1), std::move(factor2)};
}

}  // namespace recoup
