// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/reconcile/match_side.hpp"
#include "recoup/reconcile/matcher.hpp"
#include "recoup/reconcile/matcher_findings.hpp"

namespace recoup {

/// Holds the events that pass against records from outside, which `pipeline::external` brings. It accepts every event:
/// what it finds are findings. Events enter as the stages before corrected them, live ones and replayed ones (their
/// record on the other side waits for them all the same); a correction sent in again and an inferred event do not.
/// Stands behind the stages that reject or correct events.
///
/// Of a mixed stream it takes the events for which Concerns holds.
///
/// `forget` takes an event back that waits; one that has been matched stays so, and redelivered it is told as
/// duplicate_record.
template <class Event, class Concerns, class Matcher>
class reconcile_stage : public stage_defaults<Event> {
 public:
  using theirs_type = typename Matcher::theirs_type;
  static_assert(std::predicate<const Concerns&, const Event&>,
                "recoup: reconcile(concerns, match<Ours, Theirs>(...)) needs a callable of const Event& that returns "
                "bool before the matcher");
  static_assert(std::is_same_v<typename Matcher::ours_type, Event>,
                "recoup: the matcher of reconcile(match<Ours, Theirs>(...)) must have this pipeline's Event as Ours");

  static constexpr std::string_view name = "reconcile";
  static constexpr bool takes_right_events = true;
  using findings =
      type_list<matched<Event, theirs_type>, mismatched<Event, theirs_type>, matched_in_parts<Event, theirs_type>,
                ambiguous<Event, theirs_type>, unmatched<Event>, unmatched<theirs_type>, unmatched_retracted<Event>,
                unmatched_retracted<theirs_type>, duplicate_record<Event>, duplicate_record<theirs_type>>;

  using hint = typename Matcher::hash_type;
  using judgement = typename Matcher::judgement;

  reconcile_stage(Concerns concerns, Matcher matcher) : concerns_(std::move(concerns)), matcher_(std::move(matcher)) {}

  hint prepare(const Event& e) const { return concerns_(e) ? matcher_.hash_ours(e) : hint{}; }
  void prefetch(const hint& h) const noexcept {
    if (h) matcher_.prefetch(*h);
  }

  judgement judge(const Event& e, const hint& h, const context& c) const {
    return enters(e, c, c.so_far) ? matcher_.judge_ours(e, h, c.now) : judgement{};
  }
  verdict outcome(const judgement&) const noexcept { return verdict::accepted; }

  template <class Emit>
  void report(const Event& e, const judgement& j, const context& c, Emit&& emit) const {
    matcher_.tell_ours(e, j, c.now, emit);
  }
  void commit(const Event& e, const judgement& j, const context& c, verdict v) {
    if (enters(e, c, v)) matcher_.commit_ours(e, j, c.now);
  }
  bool forget(const Event& e, const context& c) {
    return !enters(e, c, verdict::accepted) || matcher_.withdraw_ours(e);
  }

  template <class Emit>
  void external(const theirs_type& record, timestamp now, Emit&& emit) {
    matcher_.theirs(record, now, emit);
  }
  template <class Emit>
  void advance(timestamp now, Emit&& emit) {
    matcher_.advance(now, emit);
  }

  template <class F>
  void for_each_counter(F&& f) const {
    const match_totals& ours = matcher_.totals(match_side::ours);
    const match_totals& theirs = matcher_.totals(match_side::theirs);
    f("ours_seen", ours.seen);
    f("ours_matched", ours.matched);
    f("ours_mismatched", ours.mismatched);
    f("ours_open", ours.open);
    f("ours_missing", ours.missing);
    f("ours_duplicates", ours.duplicates);
    f("theirs_seen", theirs.seen);
    f("theirs_matched", theirs.matched);
    f("theirs_mismatched", theirs.mismatched);
    f("theirs_open", theirs.open);
    f("theirs_missing", theirs.missing);
    f("theirs_duplicates", theirs.duplicates);
  }

  const Matcher& matcher() const noexcept { return matcher_; }

  std::uint64_t configuration() const noexcept { return matcher_.configuration(); }
  void save(snapshot_writer& w) const { matcher_.save(w); }
  bool load(snapshot_reader& r) { return matcher_.load(r); }
  reconcile_stage empty_copy() const { return {concerns_, matcher_.empty_copy()}; }

 private:
  bool enters(const Event& e, const context& c, verdict v) const {
    return is_right(v) && (c.from == origin::live || c.from == origin::replay) && concerns_(e);
  }

  [[no_unique_address]] Concerns concerns_;
  Matcher matcher_;
};

namespace detail {
struct every_event {
  template <class Event>
  constexpr bool operator()(const Event&) const noexcept {
    return true;
  }
};

template <class Concerns, class Matcher>
struct reconcile_description {
  Concerns concerns;
  Matcher matcher;

  template <class Event>
  auto bind() && {
    return reconcile_stage<Event, Concerns, Matcher>(std::move(concerns), std::move(matcher));
  }
};
}  // namespace detail

/// reconcile(match<order, charge>(&order::id, &charge::order, {.ours_wait = 10min},
///                                same<"status">(&order::status, &charge::status)))
///
/// Records of type charge come in by pipeline::external(charge, now, sink). See reconcile/matcher.hpp.
template <class Ours, class Theirs, class OursKey, class TheirsKey, class... Comparers>
[[nodiscard]] auto reconcile(matcher<Ours, Theirs, OursKey, TheirsKey, Comparers...> m) {
  return detail::reconcile_description<detail::every_event, decltype(m)>{{}, std::move(m)};
}

/// reconcile([](const event& e) { return e.type == kind::order; }, match<event, charge>(...))
///
/// Of the events for which the callable holds; the others pass.
template <class Concerns, class Ours, class Theirs, class OursKey, class TheirsKey, class... Comparers>
[[nodiscard]] auto reconcile(Concerns concerns, matcher<Ours, Theirs, OursKey, TheirsKey, Comparers...> m) {
  return detail::reconcile_description<Concerns, decltype(m)>{std::move(concerns), std::move(m)};
}

}  // namespace recoup
