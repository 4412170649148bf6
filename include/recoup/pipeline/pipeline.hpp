// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/detail/handlers.hpp"
#include "recoup/pipeline/detail/stage_label.hpp"
#include "recoup/pipeline/overloaded.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"

namespace recoup {

/// Runs events through stages that are fixed at compile time, and tells the user's sink what to do: any number of
/// findings, then exactly one verdict an event. Made by `assemble`.
///
/// Judge, deliver, commit: all stages judge first and change nothing; then the sink is called; then the stages commit.
/// If the sink throws, nothing was committed, and the same event, delivered again, is new again.
///
/// A pipeline is a value that belongs to one thread. It reads no clock: `now` is the time of arrival, given by the
/// caller, and `advance` is what lets time pass. The sink must not call the pipeline that is calling it.
template <class Event, stage<Event>... Stages>
class pipeline {
  static constexpr std::size_t stages = sizeof...(Stages);
  static_assert(stages > 0, "recoup: a pipeline needs at least one stage");
  using hints = std::tuple<typename Stages::hint...>;
  using indices = std::index_sequence_for<Stages...>;

 public:
  using event_type = Event;

  explicit pipeline(Stages... s) : stages_(std::move(s)...) {
    static_assert(is_ordered(indices{}),
                  "recoup: a stage takes up findings that no stage before it tells: put infer(stream, ...) behind "
                  "track_gaps(stream, ...), with the same type of stream; so too in_order(stream, ...)");
    static_assert(releases_last(),
                  "recoup: a stage that rejects or corrects events stands behind in_order, which hands out what it "
                  "held and asks nobody: put in_order behind it");
    static_assert(judged_before_taken(),
                  "recoup: a stage that rejects or corrects events stands behind detect_silence, expect, infer or "
                  "reconcile, which would take events that do not pass for ones that happened: put these last");
  }

  /// Judges one event that arrived at `now`, tells the sink, commits. Returns the verdict that the sink was told.
  /// Events that were held and whose turn has come by it are told after that, as accepted. If the sink throws for one
  /// of these, the event itself has been processed: should it come again, it is a duplicate.
  template <class Sink>
  verdict process(const Event& event, timestamp now, Sink&& sink, origin from = origin::live) {
    check_handlers<Sink>();
    return process(event, prepare(event, indices{}), {now, from}, sink, indices{});
  }

  /// The same answers for a batch, all of it arriving at `now`; memory is fetched for several events ahead. If the sink
  /// throws, the events before that one are committed: `processed()` tells how many.
  template <class Sink>
  void process(std::span<const Event> batch, timestamp now, Sink&& sink, origin from = origin::live) {
    check_handlers<Sink>();
    std::array<hints, ahead> prepared;
    while (!batch.empty()) {
      const std::size_t count = std::min(batch.size(), ahead);
      for (std::size_t i = 0; i < count; ++i) {
        prepared[i] = prepare(batch[i], indices{});
        prefetch(prepared[i], indices{});
      }
      for (std::size_t i = 0; i < count; ++i) process(batch[i], prepared[i], {now, from}, sink, indices{});
      batch = batch.subspan(count);
    }
  }

  /// Lets time pass: tells what is due, stage by stage. What is told counts as told when the sink returns; if it
  /// throws, that finding is told again by the next advance.
  template <class Sink>
  void advance(timestamp now, Sink&& sink) {
    if constexpr (releases) (void)detail::handles<std::remove_reference_t<Sink>>(type_list<accepted<Event>>{});
    ((void)detail::handles<std::remove_reference_t<Sink>>(typename Stages::findings{}), ...);
    for_each_stage([&](auto index, auto&) { advance<decltype(index)::value>(now, sink); });
  }

  /// A record from outside has come, such as a provider's: tells what it makes of our events, stage by stage. If the
  /// sink throws, the stage that told has taken no note of the record.
  template <class Record, class Sink>
  void external(const Record& record, timestamp now, Sink&& sink) {
    static_assert((takes_external<Stages, Record> || ...),
                  "recoup: no stage of this pipeline takes external records of this type: add reconcile(match<Event, "
                  "Record>(...))");
    ((void)detail::handles<std::remove_reference_t<Sink>>(typename Stages::findings{}), ...);
    for_each_stage([&](auto, auto& s) {
      if constexpr (takes_external<std::remove_reference_t<decltype(s)>, Record>) {
        s.external(record, now, [&](const auto& finding) { detail::hand(sink, finding); });
      }
    });
  }

  /// Takes the commit of an event back, since processing failed after it was accepted: redelivered, it is new again.
  /// Give the event as it was processed, with its origin. False if a stage does not remember the event, or has no room
  /// to.
  bool forget(const Event& event, timestamp now, origin from = origin::live) {
    return forget<0>(event, context{now, from});
  }

  /// How many events ended with this verdict, and with any. An event that was held and has been told as accepted since
  /// is counted as held.
  [[nodiscard]] std::uint64_t count(verdict v) const noexcept { return verdicts_[static_cast<std::size_t>(v)]; }
  [[nodiscard]] std::uint64_t processed() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : verdicts_) sum += n;
    return sum;
  }

  /// All counters by name, to hand them on to a metrics system: f(stage's name, counter's name, value), first those of
  /// the verdicts under "pipeline"; held, late and refused where a stage may hold events. The second stage of a name is
  /// "check_2".
  template <class F>
  void stats(F&& f) const {
    for (std::size_t v = 0; v < verdict_kinds; ++v) {
      const bool is_optional = v >= static_cast<std::size_t>(verdict::held);
      if (!is_optional || holds) f("pipeline", name_of(static_cast<verdict>(v)), verdicts_[v]);
    }
    for_each_stage([&](auto index, const auto& s) {
      s.for_each_counter([&](std::string_view counter, std::uint64_t value) {
        f(detail::stage_label<decltype(index)::value, Stages...>::value, counter, value);
      });
    });
  }

  /// The stage at a place, to get at its component.
  template <std::size_t I>
  [[nodiscard]] const auto& stage_at() const noexcept {
    return std::get<I>(stages_);
  }
  template <std::size_t I>
  [[nodiscard]] auto& stage_at() noexcept {
    return std::get<I>(stages_);
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    std::uint64_t all = 0;
    for_each_stage([&](auto, const auto& s) { all = detail::combine({all, s.configuration()}); });
    return all;
  }
  void save(snapshot_writer& w) const {
    for (const std::uint64_t n : verdicts_) w.u64(n);
    for_each_stage([&](auto, const auto& s) { s.save(w); });
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    for (std::uint64_t& n : verdicts_) n = r.u64();
    bool all = true;
    for_each_stage([&](auto, auto& s) { all = all && s.load(r); });
    return all && r.ok();
  }
  [[nodiscard]] pipeline empty_copy() const {
    return std::apply([](const auto&... s) { return pipeline(empty(s)...); }, stages_);
  }

 private:
  static constexpr std::size_t ahead = 16;  // events prepared before the first of them is judged
  static constexpr std::uint32_t none = stages;

  // Whether this stage judges every event, as it is the first, or counts rejected ones too.
  template <std::size_t I>
  static constexpr bool sees_all = I == 0 || std::tuple_element_t<I, std::tuple<Stages...>>::counts_rejected;

  template <class Sink>
  static constexpr void check_handlers() {
    using S = std::remove_reference_t<Sink>;
    (void)detail::handles<S>(type_list<accepted<Event>>{});
    ((void)detail::handles<S>(typename Stages::verdicts{}), ...);
    ((void)detail::handles<S>(typename Stages::findings{}), ...);
  }

  template <class Self, class F, std::size_t... I>
  static void for_each_stage(Self& self, F& f, std::index_sequence<I...>) {
    (f(std::integral_constant<std::size_t, I>{}, std::get<I>(self.stages_)), ...);
  }
  template <class F>
  void for_each_stage(F&& f) {
    for_each_stage(*this, f, indices{});
  }
  template <class F>
  void for_each_stage(F&& f) const {
    for_each_stage(*this, f, indices{});
  }

  template <std::size_t... I>
  hints prepare(const Event& event, std::index_sequence<I...>) const {
    return {std::get<I>(stages_).prepare(event)...};
  }
  template <std::size_t... I>
  void prefetch(const hints& h, std::index_sequence<I...>) const {
    (std::get<I>(stages_).prefetch(std::get<I>(h)), ...);
  }

  // What the stages made of one event.
  struct judged {
    explicit judged(const Event& event) : original(&event), current(&event) {}

    std::tuple<typename Stages::judgement...> judgements;
    std::array<const Event*, stages> seen{};  // the event that each stage judged; null if it did not
    const Event* original;
    const Event* current;  // the event as corrected so far
    std::uint32_t rejected_by = none;
    verdict outcome = verdict::accepted;
  };

  template <class Sink, std::size_t... I>
  verdict process(const Event& event, const hints& h, const context& c, Sink& sink,
                  std::index_sequence<I...> all_stages) {
    judged all(event);
    (judge<I>(all, std::get<I>(h), c), ...);
    if (!(is_usual<I>(all) && ...)) [[unlikely]] {
      return process_unusual(event, c, sink, all_stages);
    }
    return finish<true>(event, all, c, sink, all_stages);
  }

  // Out of line, and by judging again: what the rare event needs would otherwise take registers from every event.
  template <class Sink, std::size_t... I>
  [[gnu::noinline]] verdict process_unusual(const Event& event, context c, Sink& sink,
                                            std::index_sequence<I...> all_stages) {
    if constexpr (releases) (release<I>(event, c, sink), ...);
    judged all(event);
    const hints h = prepare(event, all_stages);
    (judge<I>(all, std::get<I>(h), c), ...);
    const verdict v = finish<false>(event, all, c, sink, all_stages);
    if constexpr (releases) (release<I>(*all.current, c, sink), ...);
    return v;
  }

  template <bool Usual, class Sink, std::size_t... I>
  [[gnu::always_inline]] verdict finish(const Event& event, const judged& all, const context& c, Sink& sink,
                                        std::index_sequence<I...>) {
    [[maybe_unused]] const bool takes_note = Usual || !tells<refused<Event>> || all.outcome != verdict::refused;
    [[maybe_unused]] reactions noted;
    if constexpr (!Usual && releases) {
      const auto tell_and_note = [&](const auto& finding) {
        detail::hand(sink, finding);
        noted.note(finding);
      };
      if (takes_note) (report<Usual, I>(all, c, tell_and_note), ...);
    } else {
      (report<Usual, I>(all, c, sink), ...);
    }
    deliver(event, all, c, sink);
    if (takes_note) {
      (commit<Usual, false, I>(all, c), ...);
      (commit<Usual, true, I>(all, c), ...);
      if constexpr (!Usual && releases) (react<I>(noted, c.now), ...);
    }
    ++verdicts_[static_cast<std::size_t>(all.outcome)];
    return all.outcome;
  }

  template <std::size_t I>
  using stage_type = std::tuple_element_t<I, std::tuple<Stages...>>;
  template <std::size_t I>
  static constexpr bool can_be_usual = requires(const stage_type<I>& s, const typename stage_type<I>::judgement& j) {
    s.is_usual(j);
  };
  template <std::size_t I>
  bool is_usual(const judged& all) const {
    if constexpr (can_be_usual<I>) {
      return (!sees_all<I> && all.seen[I] == nullptr) || std::get<I>(stages_).is_usual(std::get<I>(all.judgements));
    } else {
      return true;
    }
  }

  // Stages that hold events, and release them later.
  struct ignored {
    template <class Told>
    void operator()(const Told&) const noexcept {}
  };
  template <class Stage>
  static constexpr bool can_release = requires(Stage& s, const Event& e, const context& c) {
    s.release(e, c, ignored{});
  };
  static constexpr bool releases = (can_release<Stages> || ...);
  template <class Stage, class Record>
  static constexpr bool takes_external = requires(Stage& s, const Record& record, timestamp now) {
    s.external(record, now, ignored{});
  };
  // Findings about an event that the stage which releases (there is one at most) takes up once the event is committed.
  template <class List>
  struct noted_findings;
  template <class... Findings>
  struct noted_findings<type_list<Findings...>> {
    std::tuple<std::vector<Findings>...> all;

    template <class Finding>
    void note(const Finding& finding) {
      if constexpr ((std::is_same_v<Finding, Findings> || ...)) std::get<std::vector<Finding>>(all).push_back(finding);
    }
  };
  using reactions = noted_findings<
      detail::joined<std::conditional_t<can_release<Stages>, typename Stages::reacts_to, type_list<>>...>>;
  template <std::size_t I>
  void react(const reactions& noted, timestamp now) {
    if constexpr (can_release<stage_type<I>>) {
      const auto take_up = [&](const auto& findings) {
        for (const auto& finding : findings) std::get<I>(stages_).react(finding, now);
      };
      std::apply([&](const auto&... findings) { (take_up(findings), ...); }, noted.all);
    }
  }
  template <std::size_t I, class Sink>
  void release(const Event& event, const context& c, Sink& sink) {
    if constexpr (can_release<stage_type<I>>) {
      std::get<I>(stages_).release(event, c, [&](const auto& told) { detail::hand(sink, told); });
    }
  }

  // One that is held or late goes on to the stages behind: it has come, and they will not be asked again.
  static bool is_rejected(const judged& all) noexcept {
    return all.rejected_by != none && !(holds && is_right(all.outcome));
  }
  template <std::size_t I, class Hint>
  [[gnu::always_inline]] void judge(judged& all, const Hint& h, const context& c) const {
    const auto& s = std::get<I>(stages_);
    if (!sees_all<I> && is_rejected(all)) return;
    all.seen[I] = all.current;
    auto& j = std::get<I>(all.judgements);
    const context here{c.now, c.from, all.outcome};
    if constexpr (tells<correction<Event>>) {  // the hint is of the original
      j = all.current == all.original ? s.judge(*all.current, h, here)
                                      : s.judge(*all.current, s.prepare(*all.current), here);
    } else {
      j = s.judge(*all.current, h, here);
    }
    if (all.rejected_by != none) return;
    const verdict v = s.outcome(j);
    if (v == verdict::accepted) return;
    all.outcome = v;
    if (v != verdict::correction) {
      all.rejected_by = I;
    } else if constexpr (requires { j.corrected(); }) {
      all.current = j.corrected();
    }
  }

  template <bool Usual, std::size_t I, class Sink>
  void report(const judged& all, const context& c, Sink& sink) const {
    if constexpr (!(Usual && can_be_usual<I>)) {
      if (!sees_all<I> && all.seen[I] == nullptr) return;
      std::get<I>(stages_).report(*all.seen[I], std::get<I>(all.judgements), c,
                                  [&](const auto& finding) { detail::hand(sink, finding); });
    }
  }

  static constexpr bool rejects = !(std::is_same_v<typename Stages::verdicts, type_list<>> && ...);
  template <class Told>
  static constexpr bool tells = (detail::contains<Told>(typename Stages::verdicts{}) || ...);
  template <class Sink, class Told>
  static constexpr bool tells_to = tells<Told>&& std::is_invocable_v<Sink&, const Told&>;
  static constexpr bool holds = tells<held<Event>> || tells<late<Event>> || tells<refused<Event>>;

  template <class Sink>
  void deliver(const Event& event, const judged& all, const context& c, Sink& sink) const {
    if (all.outcome == verdict::accepted) [[likely]] {
      detail::hand(sink, accepted<Event>{event, c.from});
    } else if constexpr (rejects) {
      deliver_rejected(event, *all.current, all.outcome, first_seen(all, indices{}), c, sink);
    }
  }

  // Out of line, and by value: what is passed by reference would have to be in memory for every event. So the reasons
  // are found by judging again, if anybody asks: nothing has changed since.
  template <class Sink>
  [[gnu::noinline]] void deliver_rejected(const Event& event, const Event& current, verdict outcome,
                                          std::optional<timestamp> first_seen, context c, Sink& sink) const {
    const auto reasons = [&] { return explain(event, c, indices{}); };
    const explanation why(reasons);
    if constexpr (tells_to<Sink, duplicate<Event>>) {
      if (outcome == verdict::duplicate) sink(duplicate<Event>{event, first_seen, why});
    }
    if constexpr (tells_to<Sink, dead_letter<Event>>) {
      if (outcome == verdict::dead_letter) sink(dead_letter<Event>{event, why});
    }
    if constexpr (tells_to<Sink, review<Event>>) {
      if (outcome == verdict::review) sink(review<Event>{event, why});
    }
    if constexpr (tells_to<Sink, correction<Event>>) {
      if (outcome == verdict::correction) sink(correction<Event>{event, current, why});
    }
    if constexpr (tells_to<Sink, held<Event>>) {
      if (outcome == verdict::held) sink(held<Event>{current, event, why});
    }
    if constexpr (tells_to<Sink, late<Event>>) {
      if (outcome == verdict::late) sink(late<Event>{current, event, why});
    }
    if constexpr (tells_to<Sink, refused<Event>>) {
      if (outcome == verdict::refused) sink(refused<Event>{event, why});
    }
  }

  template <std::size_t... I>
  std::optional<timestamp> first_seen(const judged& all, std::index_sequence<I...>) const {
    std::optional<timestamp> first;
    const auto look = [&](const auto& j, std::size_t i) {
      if constexpr (requires { j.first_seen; }) {
        if (i == all.rejected_by) first = j.first_seen;
      }
    };
    (look(std::get<I>(all.judgements), I), ...);
    return first;
  }

  // The reasons of the stage that rejected the event, or of those that corrected it; where one held it, of all these.
  template <std::size_t... I>
  std::vector<reason> explain(const Event& event, const context& c, std::index_sequence<I...>) const {
    judged all(event);
    const hints h = prepare(event, indices{});
    (judge<I>(all, std::get<I>(h), c), ...);
    std::vector<reason> reasons;
    const auto add = [&](const auto& s, const auto& j, std::size_t i) {
      if (all.seen[i] == nullptr) return;
      const verdict here = s.outcome(j);
      const bool corrected =
          here == verdict::correction && (all.outcome == verdict::held || all.outcome == verdict::late);
      if (!corrected && (here != all.outcome || (all.rejected_by != none && all.rejected_by != i))) return;
      for (reason& r : s.explain(*all.seen[i], j, c)) reasons.push_back(std::move(r));
    };
    (add(std::get<I>(stages_), std::get<I>(all.judgements), I), ...);
    return reasons;
  }

  // Stages whose commit may throw (for want of memory, or as an Event can't be copied) commit first, so that those that
  // can't, and remember what was processed, do so only if nothing threw.
  template <bool Usual, bool Safe, std::size_t I>
  [[gnu::always_inline]] void commit(const judged& all, const context& c) {
    auto& s = std::get<I>(stages_);
    constexpr bool is_safe = noexcept(s.commit(*all.current, std::get<I>(all.judgements), c, all.outcome));
    if constexpr (is_safe == Safe) {
      if (!sees_all<I> && all.seen[I] == nullptr) return;
      if constexpr (Usual && can_be_usual<I>) {
        s.commit_usual(*all.seen[I], std::get<I>(all.judgements), c);
      } else {
        s.commit(*all.seen[I], std::get<I>(all.judgements), c, all.outcome);
      }
    }
  }

  // What the stage made of an event that passed it: by what it remembers since, it might not pass now.
  template <class Stage>
  static auto judged_passed(const Stage& s, const Event& event, const context& c) {
    if constexpr (requires { s.judge_passed(event, c); }) {
      return s.judge_passed(event, c);
    } else {
      return s.judge(event, s.prepare(event), c);
    }
  }
  // Later stages saw the event as earlier ones corrected it.
  template <std::size_t I>
  bool forget(const Event& event, const context& c) {
    if constexpr (I == stages) {
      return true;
    } else {
      auto& s = std::get<I>(stages_);
      const bool here = s.forget(event, c);
      if constexpr (requires(const typename stage_type<I>::judgement& j) { j.corrected(); }) {
        const auto j = judged_passed(s, event, c);
        if (s.outcome(j) == verdict::correction) return forget<I + 1>(*j.corrected(), c) && here;
      }
      return forget<I + 1>(event, c) && here;
    }
  }

  template <std::size_t I, class Sink>
  void advance(timestamp now, Sink& sink) {
    std::get<I>(stages_).advance(now, [&](const auto& finding) { return tell<I>(finding, now, sink); });
  }

  // Tells a finding of stage I to the sink, and lets those later stages that react to it take note. What they make of
  // it they tell themselves, before the next finding: were it told here and the sink threw, this finding, which has
  // been told, would be told again. Returns what the sink does: a replay request may not have been sent.
  template <std::size_t I, class Finding, class Sink>
  auto tell(const Finding& finding, timestamp now, Sink& sink) {
    for_each_stage([&](auto index, auto& s) {
      using reacts_to = typename std::remove_reference_t<decltype(s)>::reacts_to;
      if constexpr (index > I && !std::is_same_v<reacts_to, type_list<>>) advance<decltype(index)::value>(now, sink);
    });
    const auto take_up = [&] {
      for_each_stage([&](auto index, auto& s) {
        using reacts_to = typename std::remove_reference_t<decltype(s)>::reacts_to;
        if constexpr (index > I && detail::contains<Finding>(reacts_to{})) s.react(finding, now);
      });
    };
    if constexpr (std::is_same_v<decltype(detail::hand(sink, finding)), bool>) {
      const bool is_taken = detail::hand(sink, finding);
      if (is_taken) take_up();
      return is_taken;
    } else {
      detail::hand(sink, finding);
      take_up();
    }
  }

  // Whether some stage before I tells each of these findings; or whether no stage tells any such, if that will do.
  template <std::size_t I, class... Findings>
  static constexpr bool are_told_before(type_list<Findings...>) {
    return ((is_told_before<I, Findings>(indices{}) || (!stage_type<I>::needs_told && !tells_alike<Findings>)) && ...);
  }
  template <class Finding>
  static constexpr bool tells_alike = (detail::contains_alike<Finding>(typename Stages::findings{}) || ...);
  template <std::size_t I, class Finding, std::size_t... J>
  static constexpr bool is_told_before(std::index_sequence<J...>) {
    return ((J < I && detail::contains<Finding>(typename Stages::findings{})) || ...);
  }
  // Whether no stage rejects or corrects events behind one that takes them for right.
  static constexpr bool judged_before_taken() { return none_decides_behind({Stages::takes_right_events...}); }
  // Or behind one that releases them.
  static constexpr bool releases_last() { return none_decides_behind({can_release<Stages>...}); }
  static constexpr bool none_decides_behind(const std::array<bool, stages>& these) {
    constexpr std::array<bool, stages> decides{!std::is_same_v<typename Stages::verdicts, type_list<>>...};
    bool seen = false;
    for (std::size_t i = 0; i < stages; ++i) {
      if (seen && decides[i]) return false;
      seen = seen || these[i];
    }
    return true;
  }
  template <std::size_t... I>
  static constexpr bool is_ordered(std::index_sequence<I...>) {
    return (are_told_before<I>(typename Stages::reacts_to{}) && ...);
  }

  template <class Stage>
  static Stage empty(const Stage& s) {
    if constexpr (requires { s.empty_copy(); }) {
      return s.empty_copy();
    } else {
      return s;
    }
  }

  std::tuple<Stages...> stages_;
  std::array<std::uint64_t, verdict_kinds> verdicts_{};
};

/// Makes a pipeline for events of type Event from stage descriptions, such as track_gaps(...), or stages.
template <class Event, class... Descriptions>
[[nodiscard]] auto assemble(Descriptions... descriptions) {
  const auto bind = [](auto&& d) {
    if constexpr (requires { std::move(d).template bind<Event>(); }) {
      return std::move(d).template bind<Event>();
    } else {
      return std::move(d);
    }
  };
  static_assert(
      (stage<decltype(bind(std::move(descriptions))), Event> && ...),
      "recoup: assemble<Event>(...) takes track_gaps, deduplicate, check, in_order, detect, detect_rate, "
      "detect_ratio, detect_silence, expect, reconcile, infer, and your own stages: see the concept recoup::stage "
      "for what they need");
  return pipeline<Event, decltype(bind(std::move(descriptions)))...>(bind(std::move(descriptions))...);
}

}  // namespace recoup
