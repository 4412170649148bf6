// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/time.hpp"

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

/// A string as a template argument.
template <std::size_t Size>
struct fixed_string {
  char characters[Size]{};

  constexpr fixed_string(const char (&text)[Size]) { std::copy_n(text, Size, characters); }  // NOLINT: from a literal
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters, Size - 1}; }
};

/// Why a rule or a stage decided as it did.
struct reason {
  std::string_view rule;  ///< its name
  std::string text;       ///< what was compared with what
};

/// A named condition that an event must fulfil, and what to do if it doesn't. The predicate is a callable of (event) or
/// of (event, now) that returns bool. It may have two members: `explain(event, now)`, a sentence that tells the values
/// compared, and `fix(event&)`, which corrects the event or returns false.
template <fixed_string Name, class Predicate, class OnFail>
class named_rule {
 public:
  static constexpr std::string_view name = Name.view();
  static constexpr severity level = OnFail::level;

  constexpr named_rule(Predicate predicate, OnFail on_fail)
      : predicate_(std::move(predicate)), on_fail_(std::move(on_fail)) {}

  template <class Event>
  [[nodiscard]] constexpr bool holds(const Event& event, timestamp now) const {
    constexpr bool takes_time = requires(const Predicate& p) {
      { p(event, now) } -> std::convertible_to<bool>;
    };
    constexpr bool takes_event = requires(const Predicate& p) {
      { p(event) } -> std::convertible_to<bool>;
    };
    static_assert(
        takes_time || takes_event,
        "recoup: a rule's predicate must be callable as bool(const Event&) or bool(const Event&, timestamp now); "
        "does it name fields of this Event?");
    if constexpr (takes_time) {
      return predicate_(event, now);
    } else if constexpr (takes_event) {
      return predicate_(event);
    } else {
      return false;
    }
  }

  /// A sentence about an event that fails.
  template <class Event>
  [[nodiscard]] std::string explain(const Event& event, timestamp now) const {
    if constexpr (requires { predicate_.explain(event, now); }) {
      return predicate_.explain(event, now);
    } else {
      return "the event does not satisfy this rule";
    }
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

  Predicate predicate_;
  OnFail on_fail_;
};

/// rule<"id.required">(required(&payment::id), on_fail::dead_letter)
template <fixed_string Name, class Predicate, class OnFail>
[[nodiscard]] constexpr named_rule<Name, Predicate, OnFail> rule(Predicate predicate, OnFail on_fail) {
  return {std::move(predicate), std::move(on_fail)};
}

}  // namespace recoup
