// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/expectation_instance.hpp"
#include "recoup/reconcile/expectation_findings.hpp"
#include "recoup/reconcile/expectation_options.hpp"
#include "recoup/reconcile/expectation_role.hpp"

namespace recoup::detail {

// The rules by which events and time change how it stands with one key. Depends on nothing else.
class expectation_pattern {
 public:
  explicit expectation_pattern(const expectation_options& o)
      : steps_(o.steps.size()),
        tolerance_(o.tolerance),
        restarts_(o.again == when_opened_again::restart),
        ends_in_absence_(o.steps.back().is_absence) {
    if (!ends_in_absence_) fulfils_ = expectation_role::step(steps_ - 1);
    for (std::size_t i = 0; i < steps_; ++i) {
      const duration limit = saturating_add(o.steps[i].within, o.steps[i].grace);
      limits_[0][i] = limit;
      limits_[1][i] = saturating_add(limit, o.remember_overdue);
      limits_[2][i] = o.tolerance;
    }
  }

  std::size_t steps() const noexcept { return steps_; }
  // How long an entry in this state stays in it by itself.
  duration limit(expectation_state s, std::size_t step) const noexcept {
    return limits_[static_cast<std::size_t>(s)][step];
  }
  timestamp due(expectation_state s, std::size_t step, timestamp since) const noexcept {
    return saturating_add(since, limit(s, step));
  }
  timestamp due(const expectation_instance& i) const noexcept { return due(i.state(), i.step(), i.since); }
  bool is_absence(std::size_t step) const noexcept { return ends_in_absence_ && step + 1 == steps_; }
  bool remembers_early() const noexcept { return tolerance_ > duration::zero() && !is_absence(0); }

  // Nearly all events open an expectation or fulfil one, in time: these are judged inline.
  [[gnu::always_inline]] void judge(const expectation_instance& now, expectation_roles roles, timestamp at,
                                    expectation_change& c) const noexcept {
    if (!now.is_known() && roles == expectation_role::opens) {
      c.after = expectation_instance(expectation_state::open, 0, at);
      c.effects = opened;
    } else if (now.is(expectation_state::open) && roles == fulfils_ && now.step() + 1U == steps_ && at <= due(now)) {
      c.effects = fulfilled;
    } else {
      c.after = now;
      judge(c, roles, at);
    }
  }

  // Whether a snapshot may hold it.
  bool is_possible(const expectation_instance& i) const noexcept {
    if (i.step() >= steps_ || (i.bits() & expectation_instance::unused) != 0) return false;
    switch (i.state()) {
      case expectation_state::open:
        return i.early() == 0 || may_be_early(i.step() + 1U);
      case expectation_state::overdue:
        return i.early() == 0 && !is_absence(i.step()) && limits_[1][i.step()] > limits_[0][i.step()];
      case expectation_state::early:
        return i.early() == 0 && i.step() == 0 && remembers_early();
    }
    return false;
  }

 private:
  static void tell(expectation_change& c) noexcept {
    c.step = c.after.step();
    c.since = c.after.since;
  }
  [[gnu::noinline]] void judge(expectation_change& c, expectation_roles roles, timestamp at) const noexcept {
    let_time_pass(c, at);
    expectation_instance& s = c.after;
    bool is_used = false;
    if (s.is(expectation_state::open)) {
      if ((roles & expectation_role::cancels) != 0) {
        c.effects |= cancelled;
        is_used = true;
        s = {};
      } else if ((roles & expectation_role::step(s.step())) != 0) {
        is_used = true;
        arrive(c, at);
      } else if (may_be_early(s.step() + 1U) && (roles & expectation_role::step(s.step() + 1U)) != 0) {
        s.set_early(mark(s, at));
      } else if (restarts_ && (roles & expectation_role::opens) != 0) {
        c.effects |= restarted;
        s = {};
      }
    } else if (s.is(expectation_state::overdue) && (roles & expectation_role::step(s.step())) != 0) {
      c.effects |= retracted;
      is_used = true;
      tell(c);
      reach(c, at);
    } else if (s.is(expectation_state::early) && (roles & expectation_role::step(0)) != 0) {
      s.since = std::max(s.since, at);
    }
    if ((roles & expectation_role::opens) != 0 && !s.is(expectation_state::open)) {
      open(c, at);
    } else if (!s.is_known() && !is_used && (roles & expectation_role::step(0)) != 0 && remembers_early()) {
      s = expectation_instance(expectation_state::early, 0, at);
    }
  }

  bool may_be_early(std::size_t step) const noexcept {
    return step < steps_ && tolerance_ > duration::zero() && !is_absence(step);
  }

  // What `advance` would have done by then, had it been called.
  void let_time_pass(expectation_change& c, timestamp at) const noexcept {
    expectation_instance& s = c.after;
    if (!s.is_known() || at <= due(s)) [[likely]]
      return;
    if (s.state() != expectation_state::open) {
      if (s.state() == expectation_state::early) c.effects |= unclaimed;
      s = {};
    } else if (is_absence(s.step())) {
      c.effects |= fulfilled;
      s = {};
    } else {
      c.effects |= was_overdue;
      tell(c);
      s = expectation_instance(expectation_state::overdue, s.step(), s.since);
      if (at > due(s) || limits_[1][s.step()] == limits_[0][s.step()]) s = {};
    }
  }

  void open(expectation_change& c, timestamp at) const noexcept {
    const expectation_instance before = c.after;
    c.effects |= opened;
    c.after = expectation_instance(expectation_state::open, 0, at);
    if (before.is(expectation_state::early) && before.since <= due(c.after)) reach(c, std::max(at, before.since));
  }
  // The step that is waited for has come.
  void arrive(expectation_change& c, timestamp at) const noexcept {
    if (is_absence(c.after.step())) {
      c.effects |= violated;
      tell(c);
      c.after = {};
    } else {
      reach(c, at);
    }
  }
  // So the next one is waited for, unless it has come before.
  void reach(expectation_change& c, timestamp at) const noexcept {
    const expectation_instance before = c.after;
    const std::size_t next = before.step() + 1U;
    c.after = {};
    if (next == steps_) {
      c.effects |= fulfilled;
      return;
    }
    c.after = expectation_instance(expectation_state::open, next, std::max(before.since, at));
    if (before.early() == 0) return;
    const timestamp latest = time_of(before);  // it counts if it may have come in time
    const timestamp earliest = saturating_add(latest, duration(1 - static_cast<std::int64_t>(unit_of(before))));
    if (saturating_add(latest, tolerance_) < at || earliest > due(c.after)) return;
    reach(c, earliest > c.after.since ? latest : c.after.since);
  }

  // The time of an early event in 25 bits: how long after the first moment at which it can count, in parts of the time
  // until the last such moment, rounded up: it came at time_of, or less than a unit earlier.
  timestamp first_of(const expectation_instance& s) const noexcept { return saturating_add(s.since, -tolerance_); }
  std::uint64_t unit_of(const expectation_instance& s) const noexcept {
    return static_cast<std::uint64_t>(saturating_add(limits_[0][s.step()], tolerance_).count()) /
               (expectation_instance::most_early - 1) +
           1;
  }
  std::uint32_t mark(const expectation_instance& s, timestamp at) const noexcept {
    const duration after = elapsed(first_of(s), at);
    if (after < duration::zero()) return s.early();
    const std::uint64_t unit = unit_of(s);
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(after.count()) + unit - 1) / unit + 1);
  }
  timestamp time_of(const expectation_instance& s) const noexcept {
    return saturating_add(first_of(s),
                          saturating_multiply(duration(static_cast<std::int64_t>(unit_of(s))), s.early() - 1U));
  }

  std::array<std::array<duration, max_expectation_steps>, 3> limits_{};
  std::size_t steps_;
  duration tolerance_;
  bool restarts_;
  bool ends_in_absence_;
  expectation_roles fulfils_ = 0;  // what the event of the last step is, if it may come
};

}  // namespace recoup::detail
