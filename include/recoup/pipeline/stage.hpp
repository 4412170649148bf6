// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

#include "recoup/core/time.hpp"
#include "recoup/pipeline/verdict.hpp"

namespace recoup {

/// What holds for the event at hand.
struct context {
  timestamp now;
  origin from;
  verdict so_far = verdict::accepted;  ///< while judging: what the stages before this one made of the event
};

template <class... Ts>
struct type_list {};

namespace detail {
template <class T, class... Ts>
constexpr bool contains(type_list<Ts...>) {
  return (std::is_same_v<T, Ts> || ...);
}

// Whether the list has an instance of the template that T is one of.
template <class T, class U>
inline constexpr bool is_alike = std::is_same_v<T, U>;
template <template <class...> class Template, class... Ts, class... Us>
inline constexpr bool is_alike<Template<Ts...>, Template<Us...>> = true;
template <class T, class... Ts>
constexpr bool contains_alike(type_list<Ts...>) {
  return (is_alike<T, Ts> || ...);
}

template <class... Lists>
struct join;
template <>
struct join<> {
  using type = type_list<>;
};
template <class... As, class... Rest>
struct join<type_list<As...>, Rest...> {
  template <class... Bs>
  static type_list<As..., Bs...> append(type_list<Bs...>);
  using type = decltype(append(typename join<Rest...>::type{}));
};
template <class... Lists>
using joined = typename join<Lists...>::type;

template <bool Condition, class... Ts>
using type_list_if = std::conditional_t<Condition, type_list<Ts...>, type_list<>>;
}  // namespace detail

/// What a stage need not say. A stage derives from it and hides what it does otherwise.
///
/// For each event the pipeline calls, in this order: `prepare` and `prefetch` (for a batch: of several events ahead),
/// `judge` of every stage, then `report` of those that judged, then the sink with the verdict, then `commit` of those
/// that judged. Up to `commit` a stage is const: if the sink throws, nothing has happened.
template <class Event>
struct stage_defaults {
  using event_type = Event;

  /// The verdicts and findings that this stage can bring about, such as duplicate<Event>.
  using verdicts = type_list<>;
  using findings = type_list<>;

  /// Findings of earlier stages, told in `advance`, that this stage takes up: react(finding, now) takes note of one,
  /// and this stage's `advance`, called before anything else is told, tells what follows from it.
  using reacts_to = type_list<>;
  /// Whether a stage before this one must tell them. Else there need be none in the pipeline that does.
  static constexpr bool needs_told = true;

  /// Whether events that an earlier stage has rejected are judged all the same, since their arrival counts. (Those that
  /// in_order holds, or calls late, always are: there is nothing wrong with them.)
  static constexpr bool counts_rejected = false;

  /// Whether what this stage tells of an event, or learns from it, holds only if nothing is wrong with the event: then
  /// no stage that rejects or corrects events may stand behind it.
  static constexpr bool takes_right_events = false;

  /// What can be worked out of an event alone, such as a hash.
  struct hint {};
  hint prepare(const Event&) const noexcept { return {}; }
  void prefetch(const hint&) const noexcept {}

  /// Tells findings about an event: emit(finding). They come before the event's verdict.
  template <class Judgement, class Emit>
  void report(const Event&, const Judgement&, const context&, Emit&&) const noexcept {}

  /// Why this stage did not accept the event.
  template <class Judgement>
  std::vector<reason> explain(const Event&, const Judgement&, const context&) const {
    return {};
  }

  /// Takes a commit back. False if there is nothing to take back or no room to.
  bool forget(const Event&, const context&) noexcept { return true; }

  /// Tells what is due: emit(finding). What is told counts as told when emit returns.
  template <class Emit>
  void advance(timestamp, Emit&&) noexcept {}

  /// f(counter's name, value)
  template <class F>
  void for_each_counter(F&&) const noexcept {}

  /// For snapshots. A stage with state hides these and has `empty_copy() const`; else its state is not in a snapshot.
  std::uint64_t configuration() const noexcept { return 0; }
  template <class Writer>
  void save(Writer&) const noexcept {}
  template <class Reader>
  bool load(Reader&) noexcept {
    return true;
  }
};

/// A stage has a name, a `judgement`, and:
/// - `judge(event, hint, context) const -> judgement`, which changes nothing;
/// - `outcome(judgement) const -> verdict`, one that `verdicts` names: accepted to pass it on; correction if
///   `judgement.corrected()` points to the event that is to replace it;
/// - `commit(event, judgement, context, verdict)`, with the verdict that the whole pipeline reached; where it is
///   noexcept, it is called after those that are not;
/// - all that stage_defaults has;
/// - optionally, if it corrects events, `judge_passed(event, context) const -> judgement`: of one that passed, whatever
///   it remembers since; asked when events are forgotten, in place of judge;
/// - optionally `release(event, context, emit)`: tells the events that are ready now as accepted<Event>, and findings
///   about them. Called, out of line, before an unusual event is judged and after it is committed; never for usual
///   ones, so such a stage has is_usual. It takes up findings also from `report`, once the event is committed. What is
///   told counts as told when emit returns; if it throws, it is told by the next call, or by `advance`. A stage that
///   rejects or corrects events must not stand behind it;
/// - optionally `is_usual(judgement) const -> bool`: this stage accepts the event and has nothing to report, so that
///   `commit_usual(event, judgement, context)` will do for it. An event that is unusual to some stage is judged once
///   more, out of line, which makes the usual ones cheaper.
template <class S, class Event>
concept stage = std::derived_from<S, stage_defaults<Event>> &&
    requires(S& changing, const S& s, const Event& e, const typename S::hint& h, const context& c,
             const typename S::judgement& j) {
  { S::name } -> std::convertible_to<std::string_view>;
  { s.prepare(e) } -> std::same_as<typename S::hint>;
  { s.judge(e, h, c) } -> std::same_as<typename S::judgement>;
  { s.outcome(j) } -> std::same_as<verdict>;
  changing.commit(e, j, c, verdict::accepted);
} && std::is_default_constructible_v<typename S::judgement>;

}  // namespace recoup
