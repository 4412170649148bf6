// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/field.hpp"

namespace recoup {

namespace detail {

// Whether `to` is at most `tolerance` after `from`, exactly, where the difference may not fit a duration.
constexpr bool follows_within(timestamp from, timestamp to, duration tolerance) noexcept {
  ticks latest = 0;
  if (__builtin_add_overflow(from.time_since_epoch().count(), tolerance.count(), &latest)) [[unlikely]]
    return tolerance > duration::zero();  // no time is later than that; else, none is as early
  return to.time_since_epoch().count() <= latest;
}

// What a time is compared with, if not another field.
struct arrival_time {
  template <class Event>
  static constexpr timestamp at(const Event&, timestamp now) noexcept {
    return now;
  }
  template <class Event>
  static std::string show(const Event&, timestamp now) {
    return detail::show(now);
  }
};
template <class Projection>
struct time_in_field {
  [[no_unique_address]] Projection field;

  template <class Event>
  constexpr auto at(const Event& event, timestamp) const {
    return detail::project(field, event);
  }
  template <class Event>
  std::string show(const Event& event, timestamp) const {
    return detail::show_field(field, event);
  }
};

template <bool After, class Projection, class Reference>
struct time_condition {
  [[no_unique_address]] Projection field;
  [[no_unique_address]] Reference reference;
  duration tolerance;

  template <class Event>
  requires projection_of<Projection, Event>
  constexpr bool operator()(const Event& event, timestamp now) const {
    const auto& value = detail::project(field, event);
    const auto& base = reference.at(event, now);
    if (!detail::is_complete(value) || !detail::is_complete(base)) return true;
    const timestamp a = detail::nearest_timestamp(detail::whole(value));
    const timestamp b = detail::nearest_timestamp(detail::whole(base));
    return After ? detail::follows_within(b, a, tolerance) : detail::follows_within(a, b, tolerance);
  }
  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    if (!detail::is_complete(detail::project(field, event))) return detail::field_name(field) + " is absent";
    return detail::show_field(field, event) + ((*this)(event, now) ? " is not more than " : " is more than ") +
           detail::show(tolerance) + (After ? " after " : " before ") + reference.show(event, now);
  }
  /// The field.
  template <class Event>
  constexpr decltype(auto) measured(const Event& event, timestamp) const {
    return detail::project(field, event);
  }
};

}  // namespace detail

/// The time in the field is at most `tolerance` after the event's arrival: not future-dated.
template <class Projection>
[[nodiscard]] constexpr auto not_after(Projection field, duration tolerance) {
  return detail::time_condition<true, Projection, detail::arrival_time>{std::move(field), {}, tolerance};
}

/// The time in the field is at most `tolerance` before the event's arrival: not outdated.
template <class Projection>
[[nodiscard]] constexpr auto not_before(Projection field, duration tolerance) {
  return detail::time_condition<false, Projection, detail::arrival_time>{std::move(field), {}, tolerance};
}

/// The same relative to another time of the event: not_before(&call::ended, &call::started, 0s). Pass where one is
/// absent.
template <class Projection, class Reference>
[[nodiscard]] constexpr auto not_after(Projection field, Reference reference, duration tolerance) {
  return detail::time_condition<true, Projection, detail::time_in_field<Reference>>{
      std::move(field), {std::move(reference)}, tolerance};
}
template <class Projection, class Reference>
[[nodiscard]] constexpr auto not_before(Projection field, Reference reference, duration tolerance) {
  return detail::time_condition<false, Projection, detail::time_in_field<Reference>>{
      std::move(field), {std::move(reference)}, tolerance};
}

}  // namespace recoup
