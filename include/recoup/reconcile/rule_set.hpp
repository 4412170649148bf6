// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/fixed_string.hpp"
#include "recoup/reconcile/rule.hpp"

namespace recoup {

/// Up to 64 named rules over one event. All of them are evaluated, without a branch between them; the answer is a mask
/// in which bit i is set if the i-th rule failed. Usable at compile time, and without a pipeline.
///
/// Most rules have no state, and then the set has none. Those that remember events (has_memory) are judged like the
/// others, which changes nothing, and are told by `commit` which events they are to remember: those that were
/// delivered, and neither rejected nor made up. `forget` takes a commit back.
///
/// Cost: 5 to 10 instructions a rule that compares numbers, whether events pass or fail; one or two more for a field
/// that is named by a member pointer, which field<"name", &event::member>() saves.
template <class... Rules>
class rule_set {
 public:
  using mask = std::uint64_t;
  static constexpr std::size_t size = sizeof...(Rules);
  static constexpr std::array<std::string_view, size> names{Rules::name...};
  static_assert(size >= 1 && size <= 64, "recoup: a rule_set has 1 to 64 rules; divide more among several");

  constexpr explicit rule_set(Rules... rules) : rules_(std::move(rules)...) {
    static_assert(has_distinct_names(),
                  "recoup: two rules of a rule_set have the same name; a verdict could not say which one failed");
  }

  static constexpr bool has_memory = (Rules::has_memory || ...);

  template <class Event>
  [[nodiscard]] constexpr mask failed(const Event& event, timestamp now) const {
    return failed(event, now, std::make_index_sequence<groups>{});
  }

  /// The mask of the rules with this severity.
  [[nodiscard]] static constexpr mask with(severity level) noexcept {
    constexpr std::array<severity, size> levels{Rules::level...};
    mask m = 0;
    for (std::size_t i = 0; i < size; ++i) m |= mask{levels[i] == level} << i;
    return m;
  }

  /// The mask of the rules that remember events.
  [[nodiscard]] static constexpr mask with_memory() noexcept {
    constexpr std::array<bool, size> remember{Rules::has_memory...};
    mask m = 0;
    for (std::size_t i = 0; i < size; ++i) m |= mask{remember[i]} << i;
    return m;
  }

  /// The place of the rule that decides: of the failed ones the severest, of several such the one declared first.
  /// `size` if none failed.
  [[nodiscard]] static constexpr std::size_t deciding(mask failed) noexcept {
    constexpr std::array<severity, size> levels{Rules::level...};
    std::size_t found = size;
    for (std::size_t i = 0; i < size; ++i) {
      if ((failed >> i & 1) != 0 && (found == size || levels[i] > levels[found])) found = i;
    }
    return found;
  }

  /// The place of a rule, looked up at compile time.
  template <fixed_string Name>
  [[nodiscard]] static consteval std::size_t index_of() {
    constexpr std::size_t at = find(Name.view());
    static_assert(at < size, "recoup: the rule_set has no rule of this name");
    return at;
  }

  /// The rule of a name, to ask it alone: rules.get<"amount.rate">().measured(event, now).
  template <fixed_string Name>
  [[nodiscard]] constexpr const auto& get() const {
    return std::get<index_of<Name>()>(rules_);
  }

  /// Applies the corrections of those rules in `failed` that have one, in order; false if one can't be made.
  template <class Event>
  constexpr bool correct(mask failed, Event& event) const {
    return correct(failed, event, std::index_sequence_for<Rules...>{});
  }

  /// One reason a failed rule, in order of declaration.
  template <class Event>
  [[nodiscard]] std::vector<reason> explain(mask failed, const Event& event, timestamp now) const {
    std::vector<reason> reasons;
    std::apply(
        [&](const Rules&... rule) {
          std::size_t i = 0;
          ((failed >> i++ & 1 ? reasons.push_back({Rules::name, rule.explain(event, now)}) : void()), ...);
        },
        rules_);
    return reasons;
  }

  /// Lets the rules that remember events take note of this one.
  template <class Event>
  void commit(const Event& event, timestamp now) {
    std::apply([&](Rules&... rule) { (rule.commit(event, now), ...); }, rules_);
  }
  /// Takes a commit back; false if a rule can't.
  template <class Event>
  bool forget(const Event& event, timestamp now) {
    bool all = true;
    std::apply([&](Rules&... rule) { ((all = rule.forget(event, now) && all), ...); }, rules_);
    return all;
  }
  /// Keys that rules no longer remember, as others needed the room.
  [[nodiscard]] std::uint64_t evicted() const {
    return std::apply([](const Rules&... rule) { return (rule.evicted() + ...); }, rules_);
  }

  /// Of the rules' names, and of what those that remember events are made with.
  [[nodiscard]] std::uint64_t configuration() const {
    std::uint64_t all = size;
    for (const std::string_view name : names) {
      for (const char letter : name) all = detail::combine({all, static_cast<unsigned char>(letter)});
      all = detail::combine({all, name.size()});
    }
    const auto add = [&](const auto& rule) {
      if (rule.has_memory) all = detail::combine({all, rule.configuration()});
    };
    std::apply([&](const Rules&... rule) { (add(rule), ...); }, rules_);
    return all;
  }
  [[nodiscard]] rule_set empty_copy() const {
    return std::apply([](const Rules&... rule) { return rule_set(rule.empty_copy()...); }, rules_);
  }
  void save(snapshot_writer& w) const {
    std::apply([&](const Rules&... rule) { (rule.save(w), ...); }, rules_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    return std::apply([&](Rules&... rule) { return (rule.load(r) && ...); }, rules_) && r.ok();
  }

 private:
  static constexpr std::size_t find(std::string_view name) {
    for (std::size_t i = 0; i < size; ++i) {
      if (names[i] == name) return i;
    }
    return size;
  }
  static constexpr bool has_distinct_names() {
    for (std::size_t i = 0; i < size; ++i) {
      if (find(names[i]) != i) return false;
    }
    return true;
  }

  // Eight rules make a byte, the last of them first, by doubling and adding: an instruction less a rule than shifting.
  // In a fold over all of them, a | (b | (c | ...)), each answer waits in a register for the last rule's: 64 rules
  // spill, and take twice as long.
  static constexpr std::size_t group = 8;
  static constexpr std::size_t groups = (size + group - 1) / group;

  template <class Event, std::size_t... G>
  constexpr mask failed(const Event& event, timestamp now, std::index_sequence<G...>) const {
    mask passed = 0;
    ((passed |= mask{group_passed<G>(event, now, std::make_index_sequence<std::min(group, size - G * group)>{})}
                << (G * group)),
     ...);
    return ~passed & (~mask{0} >> (64 - size));
  }
  template <std::size_t G, class Event, std::size_t... I>
  [[gnu::always_inline]] constexpr unsigned group_passed(const Event& event, timestamp now,
                                                         std::index_sequence<I...>) const {
    constexpr std::size_t last = G * group + sizeof...(I) - 1;
    unsigned passed = 0;
    ((passed = 2 * passed + static_cast<unsigned>(std::get<last - I>(rules_).holds(event, now))), ...);
    return passed;
  }

  template <class Event, std::size_t... I>
  constexpr bool correct(mask failed, Event& event, std::index_sequence<I...>) const {
    const auto fix = [&]<class Rule>(const Rule& rule, std::size_t i) {
      if constexpr (Rule::level == severity::correct) {
        if (failed >> i & 1) return rule.fix(event);
      }
      return true;
    };
    return (fix(std::get<I>(rules_), I) && ...);
  }

  std::tuple<Rules...> rules_;
};

}  // namespace recoup
