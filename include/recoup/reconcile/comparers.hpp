// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/field_judges.hpp"
#include "recoup/reconcile/fixed_string.hpp"
#include "recoup/reconcile/match_side.hpp"
#include "recoup/reconcile/tolerance.hpp"

/// What a matcher compares of two records: named pairs of fields, one of ours and one of theirs, each a member pointer
/// or a callable of the record. Where both fields are absent (std::optional) they agree; where one is, they do not.

namespace recoup {

/// How a field of theirs compares with ours.
struct field_difference {
  std::string_view field;  ///< the comparer's name
  bool agrees = true;
  bool is_equal = true;
  double by = 0;  ///< theirs - ours, in the field's unit, of times in nanoseconds; NaN of what has no difference
};

/// One pair of fields, and how they are compared. Made by same, close and within_time.
template <fixed_string Name, class OursField, class TheirsField, class Judge, bool InParts = false>
struct comparer {
  static constexpr std::string_view name = Name.view();
  static constexpr bool is_in_parts = InParts;

  [[no_unique_address]] OursField ours;
  [[no_unique_address]] TheirsField theirs;
  [[no_unique_address]] Judge judge;

  template <class Ours, class Theirs>
  [[nodiscard]] constexpr field_difference compare(const Ours& our_record, const Theirs& their_record) const {
    return compare_values(detail::project(ours, our_record), detail::project(theirs, their_record));
  }
  template <class A, class B>
  [[nodiscard]] constexpr field_difference compare_values(const A& a, const B& b) const {
    const bool has_a = detail::is_complete(a);
    const bool has_b = detail::is_complete(b);
    if (!has_a || !has_b) return {name, has_a == has_b, has_a == has_b, has_a == has_b ? 0 : detail::not_measured};
    const detail::judged j = judge(detail::whole(a), detail::whole(b));
    return {name, j.agrees, j.is_equal, j.difference};
  }

  /// A sentence, whether they agree or not.
  template <class Ours, class Theirs>
  [[nodiscard]] std::string explain(const Ours& our_record, const Theirs& their_record) const {
    const auto& a = detail::project(ours, our_record);
    const auto& b = detail::project(theirs, their_record);
    const bool has_a = detail::is_complete(a);
    if (!has_a && !detail::is_complete(b)) return "both are absent";
    if (!has_a) return "ours is absent, theirs is " + detail::show(b);
    if (!detail::is_complete(b)) return "theirs is absent, ours is " + detail::show(a);
    return judge.explain(detail::whole(a), detail::whole(b));
  }

  template <match_side Side, class Record>
  [[nodiscard]] constexpr decltype(auto) value_of(const Record& record) const {
    if constexpr (Side == match_side::ours) {
      return detail::project(ours, record);
    } else {
      return detail::project(theirs, record);
    }
  }
};

/// same<"status">(&order::status, &charge::status): equal, by ==; numbers of different types by their values.
template <fixed_string Name, class OursField, class TheirsField>
[[nodiscard]] constexpr comparer<Name, OursField, TheirsField, detail::equality> same(OursField ours,
                                                                                      TheirsField theirs) {
  return {std::move(ours), std::move(theirs), {}};
}

/// close<"amount">(&order::amount, &charge::amount, {.absolute = 1, .of_ours = 0.05}): numbers that lie no farther
/// apart. NaN and the infinities agree with nothing. Integers are compared exactly, all else in double.
template <fixed_string Name, class OursField, class TheirsField>
[[nodiscard]] constexpr comparer<Name, OursField, TheirsField, detail::closeness> close(OursField ours,
                                                                                        TheirsField theirs,
                                                                                        tolerance either_way) {
  return {std::move(ours), std::move(theirs), {detail::checked(either_way), either_way}};
}
/// The same with a tolerance for theirs that lie above ours, and another for those below.
template <fixed_string Name, class OursField, class TheirsField>
[[nodiscard]] constexpr comparer<Name, OursField, TheirsField, detail::closeness> close(OursField ours,
                                                                                        TheirsField theirs,
                                                                                        tolerance over,
                                                                                        tolerance under) {
  return {std::move(ours), std::move(theirs), {detail::checked(over), detail::checked(under)}};
}

/// within_time<"at">(&order::at, &charge::at, 2min): theirs lies at most so long before or after ours.
template <fixed_string Name, class OursField, class TheirsField>
[[nodiscard]] constexpr comparer<Name, OursField, TheirsField, detail::nearness> within_time(OursField ours,
                                                                                             TheirsField theirs,
                                                                                             duration before,
                                                                                             duration after) {
  detail::require_option(before >= duration::zero() && after >= duration::zero(),
                         "within_time(ours, theirs, before, after) needs durations of zero or more");
  return {std::move(ours), std::move(theirs), {before, after}};
}
template <fixed_string Name, class OursField, class TheirsField>
[[nodiscard]] constexpr auto within_time(OursField ours, TheirsField theirs, duration either_way) {
  return recoup::within_time<Name>(std::move(ours), std::move(theirs), either_way, either_way);
}

/// in_parts(close<"amount">(...)): where no record of the key agrees as it is, several of one side agree with one of
/// the other if their values add up to its value, and all else agrees. One comparer of a matcher may be so.
template <fixed_string Name, class OursField, class TheirsField, class Judge>
[[nodiscard]] constexpr comparer<Name, OursField, TheirsField, Judge, true> in_parts(
    comparer<Name, OursField, TheirsField, Judge> c) {
  static_assert(std::is_same_v<Judge, detail::closeness>,
                "recoup: in_parts(...) adds up numbers: give it a close<...>(...)");
  return {std::move(c.ours), std::move(c.theirs), std::move(c.judge)};
}

namespace detail {
template <class Amount, class Currency, class Rate>
struct converted_field {
  [[no_unique_address]] Amount amount;
  [[no_unique_address]] Currency currency;
  [[no_unique_address]] Rate rate_of;

  template <class Record>
  requires projection_of<Amount, Record> && projection_of<Currency, Record>
  constexpr std::optional<double> operator()(const Record& record) const {
    const auto& value = detail::project(amount, record);
    if (!detail::is_complete(value)) return std::nullopt;
    const auto& rate = rate_of(detail::project(currency, record));
    if (!detail::is_complete(rate)) return not_measured;
    return static_cast<double>(detail::whole(value)) * static_cast<double>(detail::whole(rate));
  }
};
}  // namespace detail

/// An amount times the rate of its currency, as a field of either side: close<"amount">(&order::dollars,
/// converted(&charge::amount, &charge::currency, rate_of), {.absolute = 0.01}). `rate_of(currency)` is a number or a
/// std::optional of one; without a rate, the amount is NaN and agrees with nothing.
template <class Amount, class Currency, class Rate>
[[nodiscard]] constexpr detail::converted_field<Amount, Currency, Rate> converted(Amount amount, Currency currency,
                                                                                  Rate rate_of) {
  return {std::move(amount), std::move(currency), std::move(rate_of)};
}

}  // namespace recoup
