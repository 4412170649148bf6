// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/pipeline/findings.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/reconcile/rule_set.hpp"

namespace recoup {

/// Checks every event against a rule_set; the severest failed rule decides. If that is a correction, a copy of the
/// event is corrected and checked again: if it still fails a rule, a person gets the original for review instead.
///
/// Rules that remember events are taught by what is delivered, live or replayed, and is not rejected, by any stage; of
/// an event that is corrected here, by what it was corrected to. They are not asked about re-injected corrections and
/// inferred events, which they would compare with the very event that these stand for.
template <class Event, class Rules>
class check_stage : public stage_defaults<Event> {
  using mask = typename Rules::mask;
  static constexpr mask dead_letter_rules = Rules::with(severity::dead_letter);
  static constexpr mask review_rules = Rules::with(severity::review);
  static constexpr mask correct_rules = Rules::with(severity::correct);
  static constexpr mask flag_rules = Rules::with(severity::flag);
  static constexpr bool corrects = correct_rules != 0;

 public:
  static constexpr std::string_view name = "check";
  using verdicts = detail::joined<detail::type_list_if<dead_letter_rules != 0, dead_letter<Event>>,
                                  detail::type_list_if<review_rules != 0 || corrects, review<Event>>,
                                  detail::type_list_if<corrects, correction<Event>>>;
  using findings = detail::type_list_if<flag_rules != 0, flagged<Event>>;

  struct plain_judgement {
    mask failed = 0;
  };
  struct correcting_judgement : plain_judgement {
    mask failed_again = 0;  ///< rules that the corrected event fails
    bool is_fixed = true;   ///< false if a correction could not be made
    std::optional<Event> corrected_event;
    const Event* corrected() const noexcept { return &*corrected_event; }
  };
  using judgement = std::conditional_t<corrects, correcting_judgement, plain_judgement>;

  explicit check_stage(Rules rules) : rules_(std::move(rules)) {
    static_assert(!corrects || (std::is_copy_assignable_v<Event> && std::is_copy_constructible_v<Event>),
                  "recoup: on_fail::correct corrects a copy of the event: the Event must be copyable and assignable");
  }

  judgement judge(const Event& e, const typename stage_defaults<Event>::hint&, const context& c) const {
    judgement j;
    j.failed = failed(e, c);
    if constexpr (corrects) {
      if (outcome_is_open(j.failed)) [[unlikely]]
        correct(j, e, c);
    }
    return j;
  }
  verdict outcome(const judgement& j) const noexcept {
    if ((j.failed & ~flag_rules) == 0) [[likely]]
      return verdict::accepted;
    if (j.failed & dead_letter_rules) return verdict::dead_letter;
    if constexpr (corrects) {
      if (j.corrected_event && j.is_fixed && (j.failed_again & ~flag_rules) == 0) return verdict::correction;
    }
    return verdict::review;
  }

  // With memory, the verdict matters too.
  bool is_usual(const judgement& j) const noexcept requires(!Rules::has_memory) { return j.failed == 0; }
  void commit_usual(const Event&, const judgement&, const context&) noexcept { ++checked_; }

  template <class Emit>
  void report(const Event& e, const judgement& j, const context& c, Emit&& emit) const {
    if constexpr (flag_rules != 0) {
      if ((j.failed & flag_rules) != 0) {
        const auto reasons = [&] { return rules_.explain(j.failed & flag_rules, e, c.now); };
        emit(flagged<Event>{e, explanation(reasons)});
      }
      if constexpr (corrects) {  // rules that only the corrected event fails
        const mask anew = j.failed_again & flag_rules & ~j.failed;
        if (anew == 0 || outcome(j) != verdict::correction) return;
        const auto reasons = [&] { return rules_.explain(anew, *j.corrected_event, c.now); };
        emit(flagged<Event>{*j.corrected_event, explanation(reasons)});
      }
    }
  }

  std::vector<reason> explain(const Event& e, const judgement& j, const context& c) const {
    std::vector<reason> reasons = rules_.explain(j.failed & ~flag_rules, e, c.now);
    if constexpr (corrects) {
      if (!j.is_fixed) reasons.push_back({name, "the correction can't be made"});
      if ((j.failed_again & ~flag_rules) != 0) {
        for (reason& r : rules_.explain(j.failed_again & ~flag_rules, *j.corrected_event, c.now)) {
          reasons.push_back({r.rule, "after correction, " + r.text});
        }
      }
    }
    return reasons;
  }

  void commit(const Event& e, const judgement& j, const context& c, verdict v) noexcept(!Rules::has_memory) {
    if constexpr (Rules::has_memory) {
      if (is_of_the_stream(c) && is_right(v)) rules_.commit(passed_on(e, j), c.now);
    }
    ++checked_;
    if (j.failed != 0) [[unlikely]]
      count_failures(j.failed);
  }

  /// Rules with memory forget the event, as it was corrected by the others if it was.
  bool forget(const Event& e, const context& c) noexcept(!Rules::has_memory) {
    if constexpr (Rules::has_memory) {
      if (is_of_the_stream(c)) return rules_.forget(passed_on(e, judge_passed(e, c)), c.now);
    }
    return true;
  }
  /// By the rules without memory: when the event passed, it broke none of the others.
  judgement judge_passed(const Event& e, const context& c) const {
    judgement j;
    j.failed = rules_.failed(e, c.now) & ~Rules::with_memory();
    if constexpr (corrects) {
      if (outcome_is_open(j.failed)) correct(j, e, c);
      j.failed_again &= ~Rules::with_memory();
    }
    return j;
  }

  template <class F>
  void for_each_counter(F&& f) const {
    f("checked", checked_);
    for (std::size_t i = 0; i < Rules::size; ++i) f(Rules::names[i], failures_[i]);
    if constexpr (Rules::has_memory) f("evicted", rules_.evicted());
  }

  /// How many events failed a rule: failures<"id.required">().
  template <fixed_string Name>
  [[nodiscard]] std::uint64_t failures() const noexcept {
    return failures_[Rules::template index_of<Name>()];
  }
  const Rules& rules() const noexcept { return rules_; }

  std::uint64_t configuration() const { return rules_.configuration(); }
  void save(snapshot_writer& w) const {
    w.u64(checked_);
    for (const std::uint64_t n : failures_) w.u64(n);
    rules_.save(w);
  }
  bool load(snapshot_reader& r) {
    checked_ = r.u64();
    for (std::uint64_t& n : failures_) n = r.u64();
    return rules_.load(r);
  }
  check_stage empty_copy() const { return check_stage(rules_.empty_copy()); }

 private:
  static bool is_of_the_stream(const context& c) noexcept { return c.from == origin::live || c.from == origin::replay; }

  mask failed(const Event& e, const context& c) const {
    const mask all = rules_.failed(e, c.now);
    if constexpr (Rules::has_memory) return is_of_the_stream(c) ? all : all & ~Rules::with_memory();
    return all;
  }
  // Whether a correction may save the event.
  static bool outcome_is_open(mask failed) noexcept {
    return (failed & correct_rules) != 0 && (failed & (dead_letter_rules | review_rules)) == 0;
  }
  // The event as later stages see it.
  const Event& passed_on(const Event& e, const judgement& j) const noexcept {
    if constexpr (corrects) {
      if (outcome(j) == verdict::correction) return *j.corrected_event;
    }
    return e;
  }

  [[gnu::noinline]] void count_failures(mask failed) noexcept {
    for (std::size_t i = 0; i < Rules::size; ++i) failures_[i] += failed >> i & 1;
  }

  void correct(judgement& j, const Event& e, const context& c) const {
    j.corrected_event = e;
    j.is_fixed = rules_.correct(j.failed, *j.corrected_event);
    if (j.is_fixed) j.failed_again = failed(*j.corrected_event, c);
  }

  Rules rules_;
  std::uint64_t checked_ = 0;
  std::array<std::uint64_t, Rules::size> failures_{};
};

namespace detail {
template <class Rules>
struct check_description {
  Rules rules;

  template <class Event>
  auto bind() && {
    return check_stage<Event, Rules>(std::move(rules));
  }
};
}  // namespace detail

/// check(rule<"id.required">(required(&payment::id), on_fail::dead_letter), ...)
template <class... Rules>
[[nodiscard]] auto check(Rules... rules) {
  return detail::check_description<rule_set<Rules...>>{rule_set<Rules...>(std::move(rules)...)};
}

}  // namespace recoup
