// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/compare.hpp"
#include "recoup/reconcile/tolerance.hpp"

// How a value of ours is compared with one of theirs, both of them there.

namespace recoup::detail {

struct judged {
  bool agrees;
  bool is_equal;
  double difference;  // theirs - ours; NaN where there is no such thing
};

inline constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

template <class T>
inline constexpr bool is_number_to_compare = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

constexpr bool is_finite_number(double x) noexcept { return x - x == 0; }

struct equality {
  template <class A, class B>
  constexpr judged operator()(const A& ours, const B& theirs) const {
    constexpr bool are_comparable = (text_key<A> && text_key<B>) || requires { ours == theirs; };
    static_assert(are_comparable,
                  "recoup: same<...>(ours, theirs) compares two fields by ==, which these types don't have; give a "
                  "callable that makes one of them what the other is");
    if constexpr (are_comparable) {
      const bool is_equal = detail::equal(ours, theirs);
      if constexpr (is_number_to_compare<A> && is_number_to_compare<B>) {
        return {is_equal, is_equal, detail::difference(ours, theirs)};
      } else {
        return {is_equal, is_equal, is_equal ? 0 : not_measured};
      }
    } else {
      return {};
    }
  }
  template <class A, class B>
  [[nodiscard]] std::string explain(const A& ours, const B& theirs) const {
    return "ours is " + detail::show(ours) + ", theirs is " + detail::show(theirs);
  }
};

struct closeness {
  tolerance over;
  tolerance under;

  template <class A, class B>
  constexpr judged operator()(const A& ours, const B& theirs) const {
    static_assert(is_number_to_compare<A> && is_number_to_compare<B>,
                  "recoup: close<...>(ours, theirs, tolerance) compares numbers; for times there is "
                  "within_time<...>(ours, theirs, duration), for all else same<...>(ours, theirs)");
    const double by = detail::difference(ours, theirs);
    constexpr double widening = 1 + 0x1p-51;  // so that rounding refuses nothing that is just at the bound
    const double most = bound(ours, theirs, widening);
    if constexpr (std::integral<A> && std::integral<B>) {
      const std::uint64_t size = detail::distance(ours, theirs);
      constexpr double beyond = 18'446'744'073'709'551'616.0;
      return {most >= beyond || size <= static_cast<std::uint64_t>(most), size == 0, by};
    } else {
      const bool agrees = is_finite_number(by) && (by < 0 ? -by : by) <= most;
      return {agrees, by == 0, by};
    }
  }
  template <class A, class B>
  [[nodiscard]] std::string explain(const A& ours, const B& theirs) const {
    const judged j = (*this)(ours, theirs);
    const std::string both = "theirs " + detail::show(theirs) + " and ours " + detail::show(ours);
    if (!is_finite_number(j.difference)) return both + " cannot be compared";
    if (j.is_equal) return both + " are equal";
    return "theirs " + detail::show(theirs) + " is " + detail::show(j.difference < 0 ? -j.difference : j.difference) +
           (j.difference < 0 ? " below" : " above") + " ours " + detail::show(ours) +
           (j.agrees ? ", at most " : ", more than ") + detail::show(bound(ours, theirs));
  }

 private:
  // The most that they may differ by, its relative part times `widening`; 0 where that is no number.
  template <class A, class B>
  constexpr double bound(const A& ours, const B& theirs, double widening = 1) const {
    const tolerance& t = detail::at_most(ours, theirs) ? over : under;
    const auto a = static_cast<double>(ours);
    const auto b = static_cast<double>(theirs);
    const double most = t.absolute + (t.of_ours * (a < 0 ? -a : a) + t.of_theirs * (b < 0 ? -b : b)) * widening;
    return most >= 0 ? most : 0;
  }
};

struct nearness {
  duration before;
  duration after;

  template <class A, class B>
  constexpr judged operator()(const A& ours, const B& theirs) const {
    const duration by = between(ours, theirs);
    return {by <= after && by >= -before, by == duration::zero(), static_cast<double>(by.count())};
  }
  template <class A, class B>
  [[nodiscard]] std::string explain(const A& ours, const B& theirs) const {
    const duration by = between(ours, theirs);
    if (by == duration::zero()) return "both are at " + detail::show(ours);
    const bool is_after = by > duration::zero();
    const duration size = is_after ? by : duration(-(by.count() + (by == duration::min())));
    return "theirs is " + detail::show(size) + (is_after ? " after" : " before") + " ours, " + detail::show(ours) +
           ((*this)(ours, theirs).agrees ? ", at most " : ", more than ") + detail::show(is_after ? after : before);
  }

 private:
  template <class A, class B>
  static constexpr duration between(const A& ours, const B& theirs) {
    constexpr bool are_times = requires {
      detail::nearest_timestamp(ours);
      detail::nearest_timestamp(theirs);
    };
    static_assert(are_times,
                  "recoup: within_time<...>(ours, theirs, duration) compares times of std::chrono::system_clock, such "
                  "as recoup::timestamp");
    if constexpr (are_times) {
      return elapsed(detail::nearest_timestamp(ours), detail::nearest_timestamp(theirs));
    } else {
      return {};
    }
  }
};

// Of two records of one side: the same value, where NaN is NaN too.
template <class T>
constexpr bool is_identical(const T& a, const T& b) {
  if constexpr (requires { a.has_value(); }) {
    return a.has_value() == b.has_value() && (!a.has_value() || detail::is_identical(*a, *b));
  } else if constexpr (std::is_floating_point_v<T>) {
    return a == b || (a != a && b != b);
  } else {
    return detail::equal(a, b);
  }
}

}  // namespace recoup::detail
