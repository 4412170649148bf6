// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/detail/table_key.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/expectation_clauses.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/reconcile/expectation.hpp"

namespace recoup {

/// Tells the follow-up that never came: accepts every event, and watches that what it opens for its key is followed as
/// the clauses say (reconcile/expectation.hpp has the rules). Events count that the pipeline accepts, corrects or holds
/// and that come late, live or replayed; an inferred one is no sign that anything happened. An event whose key has an
/// absent part, or is an empty text, opens nothing. Stands behind the stages that reject or correct events.
template <class Event, class Key, class... Clauses>
class expect_stage : public stage_defaults<Event> {
 public:
  static_assert(
      detail::projection_of<Key, Event>,
      "recoup: the key of expect(name, key, ...) must be a member pointer of this Event, a callable of const Event&, "
      "or recoup::key(...) of several");
  static_assert((detail::clause_of<Clauses, Event> && ...),
                "recoup: opened_by, then, never and cancelled_by in expect(...) need callables of const Event& that "
                "return bool");
  static_assert((detail::gives_time<Clauses, Event>() && ...),
                "recoup: timed_by(...) in expect(...) needs a member pointer of this Event or a callable of const "
                "Event& that gives a std::chrono::system_clock time point, or a std::optional of one");

  static constexpr std::string_view name = "expect";
  static constexpr bool takes_right_events = true;
  using key_type = typename detail::owned_key_of<
      std::remove_cvref_t<decltype(detail::whole(std::declval<const detail::projected<Key, Event>&>()))>>::type;
  static_assert(
      detail::is_table_key<key_type>,
      "recoup: the key of expect(name, key, ...) must be an integer, enum, text or time, or an optional, pair or tuple "
      "of these");
  using findings = detail::joined<
      detail::type_list_if<(detail::is_expected<Clauses> || ...), overdue<key_type>, overdue_retracted<key_type>>,
      detail::type_list_if<(detail::is_forbidden<Clauses> || ...), forbidden_arrival<key_type>>,
      type_list<expectation_evicted<key_type>>>;

  struct hint {
    expectation_roles roles = 0;
    std::uint32_t hash = 0;
  };
  struct judgement : expectations<key_type>::judgement {
    timestamp at{};
  };

  expect_stage(Key key, std::tuple<Clauses...> clauses, expectations<key_type> waiting)
      : key_(std::move(key)), clauses_(std::move(clauses)), waiting_(std::move(waiting)) {}

  hint prepare(const Event& e) const {
    const expectation_roles roles = roles_of(e);
    if (roles == 0) return {};
    const auto& key = detail::project(key_, e);
    if (!detail::names_something(key)) return {};
    return {roles, waiting_.hash(detail::whole(key))};
  }
  void prefetch(const hint& h) const noexcept {
    if (h.roles != 0) waiting_.prefetch(h.hash);
  }

  judgement judge(const Event& e, const hint& h, const context& c) const {
    if (h.roles == 0 || c.from == origin::inferred) return {};
    const timestamp at = time_of(e).value_or(c.now);
    return {waiting_.judge(detail::whole(detail::project(key_, e)), h.hash, h.roles, at), at};
  }
  verdict outcome(const judgement&) const noexcept { return verdict::accepted; }
  bool is_usual(const judgement& j) const noexcept { return !j.tells(); }

  template <class Emit>
  void report(const Event& e, const judgement& j, const context&, Emit&& emit) const {
    if (j.tells()) waiting_.report(j, detail::whole(detail::project(key_, e)), j.at, told(emit));
  }
  void commit(const Event& e, const judgement& j, const context& c, verdict v) {
    if (is_right(v)) commit_usual(e, j, c);
  }
  void commit_usual(const Event& e, const judgement& j, const context&) {
    if (j.changes) waiting_.commit(j, detail::whole(detail::project(key_, e)));
  }

  bool forget(const Event& e, const context& c) {
    const expectation_roles roles = c.from == origin::inferred ? 0 : roles_of(e);
    const auto& key = detail::project(key_, e);
    return roles == 0 || !detail::names_something(key) || waiting_.forget(detail::whole(key), roles, time_of(e));
  }

  template <class Emit>
  void advance(timestamp now, Emit&& emit) {
    waiting_.advance(now, told(emit));
  }

  template <class F>
  void for_each_counter(F&& f) const {
    waiting_.counts().for_each([&](std::string_view counter, std::uint64_t value) { f(counter, value); });
    f("open", std::uint64_t{waiting_.open()});
  }

  /// How it stands with each key, and what became of them: counts().fulfilled of counts().opened, for one.
  const expectations<key_type>& waiting() const noexcept { return waiting_; }

  std::uint64_t configuration() const noexcept { return waiting_.configuration(); }
  void save(snapshot_writer& w) const { waiting_.save(w); }
  bool load(snapshot_reader& r) { return waiting_.load(r); }
  expect_stage empty_copy() const { return {key_, clauses_, waiting_.empty_copy()}; }

 private:
  // Lets through what this stage can tell: without a never(...) there is no forbidden_arrival, and the sink need not
  // take one.
  template <class Emit>
  static auto told(Emit& emit) {
    return [&emit](const auto& finding) {
      if constexpr (detail::contains<std::remove_cvref_t<decltype(finding)>>(findings{})) emit(finding);
    };
  }

  expectation_roles roles_of(const Event& e) const {
    expectation_roles roles = 0;
    std::size_t step = 0;
    std::apply([&](const auto&... c) { (add_role(c, e, roles, step), ...); }, clauses_);
    return roles;
  }
  template <class Clause>
  static void add_role(const Clause& c, const Event& e, expectation_roles& roles, std::size_t& step) {
    if constexpr (detail::is_opening<Clause>) {
      if (c.holds(e)) roles |= expectation_role::opens;
    } else if constexpr (detail::is_cancelling<Clause>) {
      if (c.holds(e)) roles |= expectation_role::cancels;
    } else if constexpr (detail::is_step<Clause>) {
      if (c.holds(e)) roles |= expectation_role::step(step);
      ++step;
    }
  }

  std::optional<timestamp> time_of(const Event& e) const {
    std::optional<timestamp> at;
    std::apply([&](const auto&... c) { (read_time(c, e, at), ...); }, clauses_);
    return at;
  }
  template <class Clause>
  static void read_time([[maybe_unused]] const Clause& c, [[maybe_unused]] const Event& e,
                        [[maybe_unused]] std::optional<timestamp>& at) {
    if constexpr (detail::is_timing<Clause>) {
      const auto& time = detail::project(c.time, e);
      if (const auto* const present = detail::present(time)) at = detail::nearest_timestamp(*present);
    }
  }

  Key key_;
  std::tuple<Clauses...> clauses_;
  expectations<key_type> waiting_;
};

namespace detail {
template <class Key, class... Clauses>
struct expect_description {
  static_assert((requires { Clauses::is_clause; } && ...),
                "recoup: expect(name, key, ...) takes opened_by(...), then(...), never(...), cancelled_by(...) and "
                "timed_by(...), and options before them");
  static_assert((is_opening<Clauses> || ...) && (is_step<Clauses> || ...),
                "recoup: expect(name, key, ...) needs an opened_by(...), and a then(...) or never(...) that follows");
  static_assert(absence_is_last<Clauses...>(),
                "recoup: never(...) must be the last step in expect(...), as nothing can follow what must not come");

  Key key;
  expectation_options options;
  std::tuple<Clauses...> clauses;

  template <class Event>
  auto bind() && {
    using stage = expect_stage<Event, Key, Clauses...>;
    return stage(std::move(key), std::move(clauses), expectations<typename stage::key_type>(std::move(options)));
  }
};
}  // namespace detail

/// expect("lead.followed_up", &event::lead, {.capacity = 1 << 20},
///        opened_by(is(kind::lead_created)), then(is(kind::crm_synced), 5min),
///        then(is(kind::followed_up), 1h, 10s), cancelled_by(is(kind::unsubscribed)), timed_by(&event::at))
///
/// `options` without name and steps, which are those of this call. `name` is not copied: give it a literal.
template <class Key, class... Clauses>
[[nodiscard]] auto expect(std::string_view name, Key key, expectation_options options, Clauses... clauses) {
  detail::require_option(options.steps.empty(),
                         "the expectation_options of expect(...) have steps; leave them to then(...) and never(...)");
  options.name = name;
  (detail::add_step(options.steps, clauses), ...);
  return detail::expect_description<Key, Clauses...>{std::move(key), std::move(options),
                                                     std::tuple<Clauses...>(std::move(clauses)...)};
}

template <class Key, class First, class... Clauses>
requires(!std::is_same_v<First, expectation_options>)  //
    [[nodiscard]] auto expect(std::string_view name, Key key, First first, Clauses... clauses) {
  return recoup::expect(name, std::move(key), expectation_options(), std::move(first), std::move(clauses)...);
}

}  // namespace recoup
