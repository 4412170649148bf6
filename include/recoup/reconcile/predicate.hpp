// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

/// A predicate is a condition on an event: a callable of (event) or of (event, now) that returns bool and changes
/// nothing. It may have the members
/// - explain(event, now) -> std::string: a sentence that is true of the event, whether it passes or fails;
/// - measured(event, now): the value that the predicate compares with its bounds, also of events that pass;
/// - fix(event&): corrects the event; returns void, or false where it can't.
/// One that remembers events is remembering<P> as well.

namespace recoup {

/// A predicate whose answer depends on events before: commit(event, now) takes note of one, once it has been delivered,
/// and forget(event, now) takes that back; false if it can't.
template <class P>
concept remembering = requires(P& p, const P& c, snapshot_writer& w, snapshot_reader& r) {
  { c.configuration() } -> std::same_as<std::uint64_t>;
  { c.empty_copy() } -> std::same_as<P>;
  c.save(w);
  { p.load(r) } -> std::same_as<bool>;
};

namespace detail {

template <class P, class Event>
constexpr bool holds(const P& predicate, const Event& event, timestamp now) {
  constexpr bool takes_time = requires {
    { predicate(event, now) } -> std::convertible_to<bool>;
  };
  constexpr bool takes_event = requires {
    { predicate(event) } -> std::convertible_to<bool>;
  };
  static_assert(
      takes_time || takes_event,
      "recoup: a rule's predicate must be callable as bool(const Event&) or bool(const Event&, timestamp now); "
      "does it name fields of this Event?");
  if constexpr (takes_time) {
    return predicate(event, now);
  } else if constexpr (takes_event) {
    return predicate(event);
  } else {
    return false;
  }
}

template <class P, class Event>
std::string explain(const P& predicate, const Event& event, timestamp now) {
  if constexpr (requires { predicate.explain(event, now); }) {
    return predicate.explain(event, now);
  } else {
    return detail::holds(predicate, event, now) ? "the event satisfies this rule"
                                                : "the event does not satisfy this rule";
  }
}

template <class P, class Event>
void commit([[maybe_unused]] P& predicate, [[maybe_unused]] const Event& event, [[maybe_unused]] timestamp now) {
  if constexpr (remembering<P>) predicate.commit(event, now);
}
template <class P, class Event>
bool forget([[maybe_unused]] P& predicate, [[maybe_unused]] const Event& event, [[maybe_unused]] timestamp now) {
  if constexpr (remembering<P>) return predicate.forget(event, now);
  return true;
}
template <class P>
std::uint64_t configuration([[maybe_unused]] const P& predicate) {
  if constexpr (remembering<P>) return predicate.configuration();
  return 0;
}
template <class P>
P empty_copy(const P& predicate) {
  if constexpr (remembering<P>) {
    return predicate.empty_copy();
  } else {
    return predicate;
  }
}
template <class P>
void save([[maybe_unused]] const P& predicate, [[maybe_unused]] snapshot_writer& w) {
  if constexpr (remembering<P>) predicate.save(w);
}
template <class P>
bool load([[maybe_unused]] P& predicate, [[maybe_unused]] snapshot_reader& r) {
  if constexpr (remembering<P>) return predicate.load(r);
  return true;
}
// Keys that had to make room for others.
template <class P>
std::uint64_t evicted([[maybe_unused]] const P& predicate) {
  if constexpr (requires { predicate.evicted(); }) return predicate.evicted();
  return 0;
}

}  // namespace detail

}  // namespace recoup
