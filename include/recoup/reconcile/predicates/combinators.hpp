// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/predicate.hpp"

/// Predicates made of predicates. All parts are always evaluated, without a branch between them: one that reads through
/// a pointer must see to it itself that there is something to read.

namespace recoup {

namespace detail {

// Several predicates, of which some may remember events.
template <class... Parts>
struct parts {
  std::tuple<Parts...> all;

  template <class F>
  constexpr decltype(auto) each(F&& f) const {
    return std::apply(f, all);
  }

  // The sentences of those parts that hold, or of those that don't.
  template <class Event>
  std::string sentences(bool which, std::string_view between, const Event& event, timestamp now) const {
    std::string text;
    const auto add = [&](const auto& part) {
      if (detail::holds(part, event, now) != which) return;
      if (!text.empty()) text += between;
      text += detail::explain(part, event, now);
    };
    each([&](const Parts&... part) { (add(part), ...); });
    return text;
  }

  template <class Event>
  void commit(const Event& event, timestamp now) {
    std::apply([&](Parts&... part) { (detail::commit(part, event, now), ...); }, all);
  }
  template <class Event>
  bool forget(const Event& event, timestamp now) {
    bool every = true;
    std::apply([&](Parts&... part) { ((every = detail::forget(part, event, now) && every), ...); }, all);
    return every;
  }
  std::uint64_t configuration() const {
    return each([](const Parts&... part) { return detail::combine({detail::configuration(part)...}); });
  }
  std::uint64_t evicted() const {
    return each([](const Parts&... part) { return (detail::evicted(part) + ...); });
  }
  void save(snapshot_writer& w) const {
    each([&](const Parts&... part) { (detail::save(part, w), ...); });
  }
  bool load(snapshot_reader& r) {
    return std::apply([&](Parts&... part) { return (detail::load(part, r) && ...); }, all);
  }
  std::tuple<Parts...> empty_copies() const {
    return each([](const Parts&... part) { return std::tuple<Parts...>(detail::empty_copy(part)...); });
  }
};

// What every combinator has beside its logic; the memory only where a part has one.
template <class Self, class... Parts>
class combinator {
  static constexpr bool has_memory = (remembering<Parts> || ...);

 public:
  constexpr explicit combinator(std::tuple<Parts...> all) : parts_{std::move(all)} {}

  template <class Event>
  void commit(const Event& event, timestamp now) requires has_memory {
    parts_.commit(event, now);
  }
  template <class Event>
  bool forget(const Event& event, timestamp now) requires has_memory {
    return parts_.forget(event, now);
  }
  std::uint64_t configuration() const requires has_memory { return parts_.configuration(); }
  std::uint64_t evicted() const requires has_memory { return parts_.evicted(); }
  Self empty_copy() const requires has_memory { return Self(parts_.empty_copies()); }
  void save(snapshot_writer& w) const requires has_memory { parts_.save(w); }
  bool load(snapshot_reader& r) requires has_memory { return parts_.load(r); }

 protected:
  parts<Parts...> parts_;
};

template <class... Parts>
class all_of : public combinator<all_of<Parts...>, Parts...> {
 public:
  using combinator<all_of, Parts...>::combinator;

  template <class Event>
  constexpr bool operator()(const Event& event, timestamp now) const {
    return this->parts_.each(
        [&](const Parts&... part) { return (static_cast<unsigned>(detail::holds(part, event, now)) & ...) != 0; });
  }
  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    return this->parts_.sentences((*this)(event, now), " and ", event, now);
  }
};

template <class... Parts>
class any_of : public combinator<any_of<Parts...>, Parts...> {
 public:
  using combinator<any_of, Parts...>::combinator;

  template <class Event>
  constexpr bool operator()(const Event& event, timestamp now) const {
    return this->parts_.each(
        [&](const Parts&... part) { return (static_cast<unsigned>(detail::holds(part, event, now)) | ...) != 0; });
  }
  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    return this->parts_.sentences((*this)(event, now), " and ", event, now);
  }
};

template <class Part>
class negation : public combinator<negation<Part>, Part> {
 public:
  using combinator<negation, Part>::combinator;

  template <class Event>
  constexpr bool operator()(const Event& event, timestamp now) const {
    return !detail::holds(std::get<0>(this->parts_.all), event, now);
  }
  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    return detail::explain(std::get<0>(this->parts_.all), event, now);
  }
};

template <class If, class Then>
class implication : public combinator<implication<If, Then>, If, Then> {
 public:
  using combinator<implication, If, Then>::combinator;

  template <class Event>
  constexpr bool operator()(const Event& event, timestamp now) const {
    const auto& [condition, consequence] = this->parts_.all;
    return (static_cast<unsigned>(!detail::holds(condition, event, now)) |
            static_cast<unsigned>(detail::holds(consequence, event, now))) != 0;
  }
  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    const auto& [condition, consequence] = this->parts_.all;
    std::string why = detail::explain(condition, event, now);
    if (!detail::holds(condition, event, now)) return why;
    return why + ((*this)(event, now) ? ", and " : ", but ") + detail::explain(consequence, event, now);
  }

  /// The consequence takes note of events that the condition admits, and of no others.
  template <class Event>
  void commit(const Event& event, timestamp now) requires(remembering<If> || remembering<Then>) {
    auto& [condition, consequence] = this->parts_.all;
    const bool admits = detail::holds(condition, event, now);
    detail::commit(condition, event, now);
    if (admits) detail::commit(consequence, event, now);
  }
  template <class Event>
  bool forget(const Event& event, timestamp now) requires(remembering<If> || remembering<Then>) {
    auto& [condition, consequence] = this->parts_.all;
    const bool first = detail::forget(condition, event, now);  // so that the condition is asked what it was before
    return (!detail::holds(condition, event, now) || detail::forget(consequence, event, now)) && first;
  }
};

}  // namespace detail

/// Every one of them holds.
template <class... Predicates>
[[nodiscard]] constexpr auto all(Predicates... predicates) {
  static_assert(sizeof...(Predicates) > 0, "recoup: all(predicates...) needs a predicate at least");
  return detail::all_of<Predicates...>(std::tuple<Predicates...>(std::move(predicates)...));
}

/// One of them holds at least.
template <class... Predicates>
[[nodiscard]] constexpr auto any(Predicates... predicates) {
  static_assert(sizeof...(Predicates) > 0, "recoup: any(predicates...) needs a predicate at least");
  return detail::any_of<Predicates...>(std::tuple<Predicates...>(std::move(predicates)...));
}

/// The predicate fails.
template <class Predicate>
[[nodiscard]] constexpr auto not_(Predicate predicate) {  // NOLINT(readability-identifier-naming): not is taken
  return detail::negation<Predicate>(std::tuple<Predicate>(std::move(predicate)));
}

/// Where the condition holds, the consequence does: implies(equals(&call::exists, true), not_(equals(&call::length,
/// 0s))).
template <class Condition, class Consequence>
[[nodiscard]] constexpr auto implies(Condition condition, Consequence consequence) {
  return detail::implication<Condition, Consequence>(
      std::tuple<Condition, Consequence>(std::move(condition), std::move(consequence)));
}

}  // namespace recoup
