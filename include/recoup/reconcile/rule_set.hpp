// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "recoup/core/time.hpp"
#include "recoup/reconcile/rule.hpp"

namespace recoup {

/// Up to 64 named rules over one event. All of them are evaluated, without a branch between them; the answer is a mask
/// in which bit i is set if the i-th rule failed. Holds no state: usable at compile time, and without a pipeline.
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

  template <class Event>
  [[nodiscard]] constexpr mask failed(const Event& event, timestamp now) const {
    return failed(event, now, std::index_sequence_for<Rules...>{});
  }

  /// The mask of the rules with this severity.
  [[nodiscard]] static constexpr mask with(severity level) noexcept {
    constexpr std::array<severity, size> levels{Rules::level...};
    mask m = 0;
    for (std::size_t i = 0; i < size; ++i) m |= mask{levels[i] == level} << i;
    return m;
  }

  /// The place of a rule, looked up at compile time.
  template <fixed_string Name>
  [[nodiscard]] static consteval std::size_t index_of() {
    constexpr std::size_t at = find(Name.view());
    static_assert(at < size, "recoup: the rule_set has no rule of this name");
    return at;
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

  template <class Event, std::size_t... I>
  constexpr mask failed(const Event& event, timestamp now, std::index_sequence<I...>) const {
    return ((mask{!std::get<I>(rules_).holds(event, now)} << I) | ...);
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
