// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/expectation_options.hpp"

/// What an expectation of the stage `expect` is made of. A predicate is a callable of const Event& that returns bool;
/// alternatives are one predicate that holds for each of them.

namespace recoup {

namespace detail {

template <class Predicate>
struct opening_clause {
  static constexpr bool is_clause = true;
  Predicate holds;
};
template <class Predicate, bool Absence>
struct step_clause {
  static constexpr bool is_clause = true;
  Predicate holds;
  expectation_step step;
};
template <class Predicate>
struct cancelling_clause {
  static constexpr bool is_clause = true;
  Predicate holds;
};
template <class Time>
struct time_clause {
  static constexpr bool is_clause = true;
  Time time;
};

template <class C>
inline constexpr bool is_opening = false;
template <class P>
inline constexpr bool is_opening<opening_clause<P>> = true;
template <class C>
inline constexpr bool is_expected = false;
template <class P>
inline constexpr bool is_expected<step_clause<P, false>> = true;
template <class C>
inline constexpr bool is_forbidden = false;
template <class P>
inline constexpr bool is_forbidden<step_clause<P, true>> = true;
template <class C>
inline constexpr bool is_cancelling = false;
template <class P>
inline constexpr bool is_cancelling<cancelling_clause<P>> = true;
template <class C>
inline constexpr bool is_timing = false;
template <class T>
inline constexpr bool is_timing<time_clause<T>> = true;
template <class C>
inline constexpr bool is_step = is_expected<C> || is_forbidden<C>;

template <class... Clauses>
constexpr bool absence_is_last() {
  bool is_over = false;
  bool is_right = true;
  ((is_right = is_right && !(is_over && is_step<Clauses>), is_over = is_over || is_forbidden<Clauses>), ...);
  return is_right;
}

template <class Clause, class Event>
concept clause_of = is_timing<Clause> || requires(const Clause& c, const Event& e) {
  { c.holds(e) } -> std::convertible_to<bool>;
};

template <class Clause, class Event>
constexpr bool gives_time() {
  if constexpr (!is_timing<Clause>) {
    return true;
  } else if constexpr (!projection_of<decltype(Clause::time), Event>) {
    return false;
  } else {
    using projected_time = std::remove_cvref_t<decltype(*detail::present(
        detail::project(std::declval<const Clause&>().time, std::declval<const Event&>())))>;
    return requires(const projected_time& t) { detail::nearest_timestamp(t); };
  }
}

// What a table owns of a key: text for views, values for references, and what an optional key holds.
template <class T>
struct owned_key_of {
  using type = std::conditional_t<text_key<T>, std::string, T>;
};
template <class... Ts>
struct owned_key_of<std::tuple<Ts...>> {
  using type = std::tuple<typename owned_key_of<std::remove_cvref_t<Ts>>::type...>;
};
template <class A, class B>
struct owned_key_of<std::pair<A, B>> {
  using type = std::pair<typename owned_key_of<std::remove_cvref_t<A>>::type,
                         typename owned_key_of<std::remove_cvref_t<B>>::type>;
};

template <class Clause>
void add_step(std::vector<expectation_step>& steps, const Clause& clause) {
  if constexpr (is_step<Clause>) steps.push_back(clause.step);
}

}  // namespace detail

/// An event for which the predicate holds opens an expectation for its key.
template <class Predicate>
[[nodiscard]] auto opened_by(Predicate predicate) {
  return detail::opening_clause<Predicate>{std::move(predicate)};
}

/// Then such an event must follow, within this time of the event before it; `grace` is added for its way here.
template <class Predicate>
[[nodiscard]] auto then(Predicate predicate, duration within, duration grace = duration::zero()) {
  return detail::step_clause<Predicate, false>{std::move(predicate), {within, grace, false}};
}

/// The last step may be one that must not come: no such event within this time of the event before it.
template <class Predicate>
[[nodiscard]] auto never(Predicate predicate, duration within, duration grace = duration::zero()) {
  return detail::step_clause<Predicate, true>{std::move(predicate), {within, grace, true}};
}

/// Such an event ends the expectation of its key: nothing is waited for any longer.
template <class Predicate>
[[nodiscard]] auto cancelled_by(Predicate predicate) {
  return detail::cancelling_clause<Predicate>{std::move(predicate)};
}

/// The times are those of the events, not of their arrival: a member pointer or callable that gives a
/// std::chrono::system_clock time point, or a std::optional of one; where it is absent, that of the arrival is taken.
template <class Time>
[[nodiscard]] auto timed_by(Time time) {
  return detail::time_clause<Time>{std::move(time)};
}

}  // namespace recoup
