// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/detail/table_key.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/expectation_pattern.hpp"
#include "recoup/reconcile/detail/expectation_table.hpp"
#include "recoup/reconcile/expectation_counts.hpp"
#include "recoup/reconcile/expectation_findings.hpp"
#include "recoup/reconcile/expectation_options.hpp"
#include "recoup/reconcile/expectation_role.hpp"

namespace recoup {

/// The follow-up that never came: an event opens an expectation for its key, and steps must follow, each within a time
/// of the one before; the last may be an absence. What has not come is told when time passes, without another event.
///
///     expectations<std::uint64_t> leads({.steps = {{.within = 5min}, {.within = 1h, .grace = 10s}}});
///     leads.observe(lead, expectation_role::opens, at, told);     // it was created
///     leads.observe(lead, expectation_role::step(0), at, told);   // it was synchronised: step 1 is due within 1 h
///     leads.advance(now, told);                                   // tells overdue, here of step 1
///
/// A key has one expectation at a time. Only its next step counts; an event of a later one is ignored, unless it is the
/// one after the next and comes at most `tolerance` before that, and that is in time. (When it came is known to a
/// 2^25th of the step's within + grace + tolerance, and in doubt it counts.) What was told as overdue is remembered for
/// a while, so that a late arrival takes it back. Of an event that is several things to its key, cancelling counts
/// before the step, that before the opening: one that is both step and opening ends an expectation and opens the next,
/// as heartbeats do.
///
/// Times are what the caller takes them for: those of the events, or of their arrival. What time has decided before an
/// event comes is told with it, so that with times of arrival, and room in the table, the findings do not depend on how
/// often advance is called. With those of the events, one that is in time may be long on its way: `grace` is for that,
/// and what advance has told by then is taken back; but an absence that it has found to hold has been fulfilled for
/// good.
///
/// Invariant: opened is what became of the expectations and what is open (expectation_counts). The table is bounded:
/// when it is full, what is due first has to go and is told: early events before overdue ones, these before open ones.
///
/// Cost: O(1), and amortised O(log n) for an event out of order; advance O(1), and this for each that is due. Bytes:
/// bytes_for; 48 an expectation of a 64-bit key, 72 of a std::string of up to 15 bytes, longer ones besides. All taken
/// at construction. Key as for `keyed`.
///
/// `told` is called with findings (expectation_findings.hpp) before anything changes: if it throws, the event has not
/// been observed, and of what advance tells, that one and those after it are told by the next. It must not change the
/// expectations.
template <class Key>
class expectations {
  static_assert(detail::is_table_key<Key>,
                "recoup: expectations<Key> needs a Key that it can own and compare: an integer, enum, std::string, "
                "time, or an optional, pair or tuple of these");
  using table = detail::expectation_table<Key>;
  static constexpr std::uint32_t none = table::none;

 public:
  /// What an event does. Valid until the expectations next change.
  struct judgement {
    detail::hash_index::place place{};
    std::uint32_t hash = 0;
    std::uint32_t victim = none;
    detail::expectation_change change{};
    bool changes = false;
    bool is_turned_away = false;  // an early event, as there is no room for it

    bool tells() const noexcept {
      return change.has(detail::was_overdue | detail::retracted | detail::violated) || victim != none || is_turned_away;
    }
  };

  explicit expectations(expectation_options options)
      : options_(detail::checked(std::move(options))),
        pattern_(options_),
        table_(pattern_, options_.capacity, options_.seed) {}

  /// All bytes on the heap, but for the steps and those of long texts.
  [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t capacity) noexcept {
    return table::bytes_for(capacity);
  }

  template <class K>
  std::uint32_t hash(const K& key) const noexcept {
    return table_.hash(key);
  }
  void prefetch(std::uint32_t hash) const noexcept { table_.prefetch(hash); }
  /// Once what prefetch asked for has come.
  void prefetch_entry(std::uint32_t hash) const noexcept { table_.prefetch_entry(hash); }

  template <class Told>
  void observe(const Key& key, expectation_roles roles, timestamp at, Told&& told) {
    const judgement j = judge(key, hash(key), roles, at);
    report(j, key, at, told);
    commit(j, key);
  }

  template <class K>
  judgement judge(const K& key, std::uint32_t hash, expectation_roles roles, timestamp at) const {
    judgement j;
    if (roles == 0) return j;
    j.hash = hash;
    j.place = table_.find(key, hash);
    const bool is_found = j.place.found != none;
    const detail::expectation_instance now =
        is_found ? table_[j.place.found].instance() : detail::expectation_instance{};
    pattern_.judge(now, roles, at, j.change);
    j.changes = j.change.effects != 0 || j.change.after != now;
    if (!is_found && j.change.after.is_known() && table_.is_full()) [[unlikely]]
      make_room(j);
    return j;
  }

  template <class K, class Told>
  void report(const judgement& j, const K& key, timestamp at, Told&& told) const {
    if (!j.tells()) [[likely]]
      return;
    if (j.victim != none) tell_evicted(table_[j.victim].key, table_[j.victim].instance(), told);
    const Key owned = detail::owned_key<Key>(key);
    if (j.is_turned_away) tell_evicted(owned, j.change.after, told);
    const std::uint32_t step = j.change.step;
    const timestamp since = j.change.since;
    const timestamp due = pattern_.due(expectation_state::open, step, since);
    if (j.change.has(detail::was_overdue)) told(overdue<Key>{options_.name, owned, step, since, due});
    if (j.change.has(detail::retracted)) told(overdue_retracted<Key>{options_.name, owned, step, since, due, at});
    if (j.change.has(detail::violated)) told(forbidden_arrival<Key>{options_.name, owned, step, since, due, at});
  }

  template <class K>
  void commit(const judgement& j, const K& key) {
    if (!j.changes) return;
    const detail::expectation_instance& after = j.change.after;
    detail::hash_index::place place = j.place;
    if (j.is_turned_away) {
      ++counts_.forgotten;
      return;
    }
    if (j.victim != none) {
      ++(table_[j.victim].state() == expectation_state::open ? counts_.evicted : counts_.forgotten);
      table_.remove(j.victim);
      place = table_.find(key, j.hash);
    }
    if (after.is_known()) {
      table_.put(place, key, j.hash, after);
      next_due_ = std::min(next_due_, pattern_.due(after));
    } else if (place.found != none) {
      table_.remove(place);
    }
    j.change.add_to(counts_);
  }

  /// Takes an event back that opened an expectation, or was early, if nothing has come since: redelivered, it is new
  /// again. `at` as it was observed, if that is known: else the key's opening is taken for this one. False if there is
  /// none. A step that was reached stays reached, as its event did come; it returns true.
  template <class K>
  bool forget(const K& key, expectation_roles roles, std::optional<timestamp> at) {
    const bool may_open = (roles & expectation_role::opens) != 0;
    const bool may_be_early = (roles & expectation_role::step(0)) != 0;
    if (!may_open && !may_be_early) return true;
    const detail::hash_index::place place = table_.find(key, hash(key));
    if (place.found == none) return !may_open;
    const detail::expectation_instance found = table_[place.found].instance();
    const bool is_it = found.step() == 0 && (!at || found.since == *at);
    const bool has_opened = is_it && may_open && found.is(expectation_state::open);
    if (has_opened || (is_it && may_be_early && found.is(expectation_state::early))) table_.remove(place);
    counts_.opened -= has_opened;
    return has_opened || !may_open;
  }

  /// Lets time pass: told(overdue) for each that is due, the first due first. What is due at `now` is still in time.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    while (now > next_due_) [[unlikely]] {
        const std::uint32_t p = first_due();
        next_due_ = p == none ? timestamp::max() : pattern_.due(table_[p].instance());
        if (now <= next_due_) return;
        pass(p, told);
      }
  }
  /// Nothing is due before or at this time, though perhaps not just after it.
  [[nodiscard]] timestamp next_due() const noexcept { return next_due_; }

  [[nodiscard]] const expectation_counts& counts() const noexcept { return counts_; }
  [[nodiscard]] std::size_t open() const noexcept { return table_.size(expectation_state::open); }
  /// All entries: open ones, overdue ones and early events that are remembered.
  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
  [[nodiscard]] const expectation_options& options() const noexcept { return options_; }

  /// How it stands with a key; nothing where nothing is known of it.
  struct standing {
    expectation_state state;
    std::uint32_t step;
    timestamp since;
    timestamp due;  ///< when time will end this state
  };
  template <class K>
  [[nodiscard]] std::optional<standing> find(const K& key) const {
    const std::uint32_t p = table_.find(key, hash(key)).found;
    if (p == none) return std::nullopt;
    const detail::expectation_instance i = table_[p].instance();
    return standing{i.state(), i.step(), i.since, pattern_.due(i)};
  }

  /// Takes out how it stands with a key, for instance to hand it to another process; an open one counts as opened
  /// there, no longer here.
  using pending = detail::expectation_instance;
  template <class K>
  std::optional<pending> take(const K& key) {
    const detail::hash_index::place place = table_.find(key, hash(key));
    if (place.found == none) return std::nullopt;
    const pending taken = table_[place.found].instance();
    table_.remove(place);
    counts_.opened -= taken.is(expectation_state::open);
    return taken;
  }
  /// False, and nothing changes, if something is known of the key, the table is full, or these steps have no such
  /// state.
  bool put(const Key& key, const pending& p) {
    const detail::hash_index::place place = table_.find(key, hash(key));
    if (place.found != none || table_.is_full() || !p.is_known() || !pattern_.is_possible(p)) return false;
    table_.put(place, key, hash(key), p);
    next_due_ = std::min(next_due_, pattern_.due(p));
    counts_.opened += p.is(expectation_state::open);
    return true;
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({detail::configuration_of(options_), detail::key_kind<Key>});
  }
  [[nodiscard]] expectations empty_copy() const { return expectations(options_); }

  /// In the order in which they are due, so that equal states give equal bytes. Sorts those out of order.
  void save(snapshot_writer& w) const {
    counts_.save(w);
    table_.save(w);
  }
  /// Into an empty one; refused where the counts do not add up.
  [[nodiscard]] bool load(snapshot_reader& r) {
    next_due_ = timestamp::min();
    return counts_.load(r) && table_.load(r, pattern_) && counts_.add_up(open());
  }

 private:
  [[gnu::noinline]] void make_room(judgement& j) const {
    j.victim = table_.first(expectation_state::early);
    if (j.victim == none) j.victim = table_.first(expectation_state::overdue);
    if (j.victim == none && j.change.after.is(expectation_state::open))
      j.victim = table_.first(expectation_state::open);
    j.is_turned_away = j.victim == none;
  }

  std::uint32_t first_due() const {
    std::uint32_t best = none;
    for (const auto s : {expectation_state::open, expectation_state::overdue, expectation_state::early}) {
      const std::uint32_t p = table_.first(s);
      if (p == none) continue;
      if (best == none || pattern_.due(table_[p].instance()) < pattern_.due(table_[best].instance())) best = p;
    }
    return best;
  }

  // Time has ended the state of an entry.
  template <class Told>
  void pass(std::uint32_t p, Told&& told) {
    const detail::expectation_instance i = table_[p].instance();
    if (!i.is(expectation_state::open)) {
      counts_.unclaimed += i.is(expectation_state::early);
      table_.remove(p);
    } else if (pattern_.is_absence(i.step())) {
      ++counts_.fulfilled;
      table_.remove(p);
    } else {
      told(overdue<Key>{options_.name, table_[p].key, i.step(), i.since, pattern_.due(i)});
      ++counts_.overdue;
      const detail::expectation_instance after(expectation_state::overdue, i.step(), i.since);
      if (options_.remember_overdue > duration::zero() && pattern_.due(after) > pattern_.due(i)) {
        table_.put(p, after);
      } else {
        table_.remove(p);
      }
    }
  }

  template <class Told>
  void tell_evicted(const Key& key, const detail::expectation_instance& i, Told&& told) const {
    told(expectation_evicted<Key>{options_.name, key, i.state(), i.step(), i.since, pattern_.due(i)});
  }

  expectation_options options_;
  detail::expectation_pattern pattern_;
  table table_;
  timestamp next_due_ = timestamp::max();
  expectation_counts counts_;
};

}  // namespace recoup
