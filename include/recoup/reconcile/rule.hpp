// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/fixed_string.hpp"
#include "recoup/reconcile/predicate.hpp"

namespace recoup {

/// How bad it is when a rule fails; the greatest of an event's failed rules decides.
enum class severity : std::uint8_t { flag, correct, review, dead_letter };

/// What to do with an event that fails a rule.
namespace on_fail {

/// Tell it, and accept the event.
struct flag_t {
  static constexpr severity level = severity::flag;
};
/// Hold the event for a person.
struct review_t {
  static constexpr severity level = severity::review;
};
/// Reject the event.
struct dead_letter_t {
  static constexpr severity level = severity::dead_letter;
};
/// Accept a corrected copy of the event, made by Fix.
template <class Fix>
struct correct_by {
  static constexpr severity level = severity::correct;
  Fix fix;
};
/// on_fail::correct: as the rule's predicate knows how to. on_fail::correct(fix): by fix(event&), which may return
/// false to say that it can't, and the event is held for review then.
struct correct_t {
  static constexpr severity level = severity::correct;
  template <class Fix>
  constexpr correct_by<Fix> operator()(Fix fix) const {
    return {std::move(fix)};
  }
};

inline constexpr flag_t flag;
inline constexpr review_t review;
inline constexpr dead_letter_t dead_letter;
inline constexpr correct_t correct;

}  // namespace on_fail

/// Why a rule or a stage decided as it did.
struct reason {
  std::string_view rule;  ///< its name
  std::string text;       ///< what was compared with what
};

/// A named condition that an event must fulfil, a predicate (see predicate.hpp), and what to do if it doesn't.
template <fixed_string Name, class Predicate, class OnFail>
class named_rule {
 public:
  static constexpr std::string_view name = Name.view();
  static constexpr severity level = OnFail::level;
  static constexpr bool has_memory = remembering<Predicate>;

  constexpr named_rule(Predicate predicate, OnFail on_fail)
      : predicate_(std::move(predicate)), on_fail_(std::move(on_fail)) {}

  template <class Event>
  [[nodiscard]] constexpr bool holds(const Event& event, timestamp now) const {
    return detail::holds(predicate_, event, now);
  }

  /// A sentence about the event, whether it passes or fails: what was compared with what.
  template <class Event>
  [[nodiscard]] std::string explain(const Event& event, timestamp now) const {
    return detail::explain(predicate_, event, now);
  }

  /// What was compared with the bounds, also of an event that passes: as the predicate has it.
  template <class Event>
  [[nodiscard]] constexpr decltype(auto) measured(const Event& event, timestamp now) const {
    constexpr bool measures = requires(const Predicate& p) { p.measured(event, now); };
    static_assert(measures, "recoup: this rule's predicate measures nothing; give it a member measured(event, now)");
    if constexpr (measures) return predicate_.measured(event, now);
  }

  /// Corrects the event; false if that isn't possible.
  template <class Event>
  constexpr bool fix(Event& event) const {
    static_assert(level == severity::correct, "recoup: only a rule with on_fail::correct can fix an event");
    if constexpr (requires { on_fail_.fix; }) {
      static_assert(
          requires { on_fail_.fix(event); },
          "recoup: the fix in on_fail::correct(fix) must be callable as fix(Event&), also when it is const");
      return call(on_fail_.fix, event);
    } else {
      static_assert(
          requires { predicate_.fix(event); },
          "recoup: a rule says on_fail::correct, and its predicate knows no correction; give it one: "
          "on_fail::correct([](Event& e) { ... })");
      if constexpr (requires { predicate_.fix(event); }) {
        return call([this](Event& e) { return predicate_.fix(e); }, event);
      } else {
        return false;
      }
    }
  }

  // Of a rule that remembers events. The others have no state: these do nothing.
  template <class Event>
  void commit(const Event& event, timestamp now) {
    detail::commit(predicate_, event, now);
  }
  template <class Event>
  bool forget(const Event& event, timestamp now) {
    return detail::forget(predicate_, event, now);
  }
  [[nodiscard]] std::uint64_t evicted() const { return detail::evicted(predicate_); }
  [[nodiscard]] std::uint64_t configuration() const { return detail::configuration(predicate_); }
  [[nodiscard]] named_rule empty_copy() const { return {detail::empty_copy(predicate_), on_fail_}; }
  void save(snapshot_writer& w) const { detail::save(predicate_, w); }
  [[nodiscard]] bool load(snapshot_reader& r) { return detail::load(predicate_, r); }

 private:
  template <class Fix, class Event>
  static constexpr bool call(const Fix& fix, Event& event) {
    if constexpr (std::is_void_v<decltype(fix(event))>) {
      fix(event);
      return true;
    } else {
      return fix(event);
    }
  }

  [[no_unique_address]] Predicate predicate_;
  [[no_unique_address]] OnFail on_fail_;
};

/// rule<"id.required">(required(&payment::id), on_fail::dead_letter)
template <fixed_string Name, class Predicate, class OnFail>
[[nodiscard]] constexpr named_rule<Name, Predicate, OnFail> rule(Predicate predicate, OnFail on_fail) {
  return {std::move(predicate), std::move(on_fail)};
}

}  // namespace recoup
