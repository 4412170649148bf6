// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/detail/lease_table.hpp"
#include "recoup/recovery/detail/rank_order.hpp"
#include "recoup/recovery/detail/recovery_items.hpp"
#include "recoup/recovery/detail/recovery_lines.hpp"
#include "recoup/recovery/detail/target_gate.hpp"
#include "recoup/recovery/findings.hpp"
#include "recoup/recovery/recovery_queue_options.hpp"
#include "recoup/recovery/retry_policy.hpp"

namespace recoup {

/// What is still to be done outside, and may fail there: replays, look-ups, corrections, dead letters. One bounded
/// queue by urgency, then age; each target has a rate limit and a circuit breaker, and may have a fallback:
///
///     queue.push(correction, {.urgency = 0}, now, sink);
///     queue.advance(now, sink);                            // the only clock
///     while (const auto work = queue.next(now)) begin(*work);
///     queue.succeeded(work.id, now, sink);                 // or failed(work.id, {failure_kind::transient}, now, sink)
///
/// What is handed out is leased: an attempt that is not reported until its lease ends counts as timed out, and the item
/// is tried again, so that nothing is lost with a worker. Attempts can therefore overlap: make them idempotent. What is
/// ready for a target that is down (paused, asked to be left alone, breaker open) goes to its fallback, or stays,
/// and costs nothing meanwhile.
///
/// Invariants: every push has succeeded, was given up, shed or cancelled, or is in the queue: see `counts`. Of what is
/// ready, and admitted by its target, the most urgent is handed out first, of those the oldest. No item is given up
/// before an attempt at it was announced as final, but for permanent failures.
///
/// Cost: O(log n); a push that sheds O(targets * log n); `next` looks at each target for which something is ready, and
/// at no other item. Bytes: bytes_for; besides the Item itself 52 an item, 80 with ordered_keys, 48 a lease. All taken
/// at construction; a copy takes some as it fills. Time is only compared: one that goes back makes waits and leases
/// longer, never shorter.
///
/// `told` is called with findings (findings.hpp) before anything changes; if it throws, that one is told again when the
/// same is done again. It must not change the queue.
template <class Item>
class recovery_queue {
  static_assert(std::is_nothrow_default_constructible_v<Item> && std::is_nothrow_move_assignable_v<Item>,
                "recoup: recovery_queue<Item> keeps its items in an array: Item must have a default constructor and a "
                "move assignment that are noexcept");

 public:
  struct counts {
    std::uint64_t pushed = 0;  ///< = succeeded + given_up + shed + cancelled + size()
    std::uint64_t succeeded = 0;
    std::uint64_t given_up = 0;
    std::uint64_t shed = 0;
    std::uint64_t cancelled = 0;

    std::uint64_t attempts = 0;     ///< handed out, hedges among them
    std::uint64_t failed = 0;       ///< reported so
    std::uint64_t timed_out = 0;    ///< taken back by advance
    std::uint64_t hedges = 0;       ///< second attempts while the first was out
    std::uint64_t at_fallback = 0;  ///< attempts not at the first target
    std::uint64_t superseded = 0;   ///< attempts still out when their item ended
    std::uint64_t late = 0;         ///< successes that came after their lease
    std::uint64_t stale = 0;        ///< reports of what had ended
  };

  recovery_queue() : recovery_queue(recovery_queue_options()) {}
  explicit recovery_queue(const recovery_queue_options& options)
      : options_(detail::checked(options)), items_(options_) {
    gates_.reserve(options_.targets.size());
    for (const recovery_target& t : options_.targets) gates_.emplace_back(t.rate, t.breaker);
  }

  /// Besides the Item itself.
  [[nodiscard]] static constexpr std::size_t bytes_an_item(bool ordered_keys) noexcept {
    return detail::recovery_items<Item>::bytes_an_item(ordered_keys);
  }
  /// All bytes on the heap.
  [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t capacity, std::size_t max_leases,
                                                       std::size_t targets, bool ordered_keys) noexcept {
    return detail::recovery_items<Item>::bytes_for(capacity, max_leases, targets, ordered_keys) +
           targets * (sizeof(detail::target_gate) + sizeof(recovery_target));
  }

  /// Takes an item in. Where the queue is full it is shed itself, and nothing returned, unless something less urgent is
  /// not handed out: then of the least urgent the one that failed last is shed, or the newest if none waits for another
  /// attempt. told(recovery_shed).
  template <class Told>
  std::optional<recovery_id> push(Item item, const push_options& options, timestamp now, Told&& told) {
    const std::uint8_t urgency = std::min<std::uint8_t>(options.urgency, detail::urgencies - 1);
    const std::uint64_t rank = detail::rank_of(urgency, next_number_);
    const bool is_known = options.target < gates_.size();
    const bool is_full = items_.full();
    const std::uint32_t victim = is_known && is_full ? items_.lines.least() : none;
    if (!is_known || (is_full && (victim == none || detail::urgency_of(items_.lines[victim].rank) <= urgency))) {
      const auto reason = is_known ? shed_reason::full : shed_reason::unknown_target;
      told(recovery_shed<Item>{{next_number_, none, 0}, item, reason, urgency, now});
      count_push();
      ++counts_.shed;
      return std::nullopt;
    }
    if (is_full) shed(victim, told);
    const std::uint64_t* const key = options_.ordered_keys && options.key ? &*options.key : nullptr;
    const std::uint32_t place = items_.add(std::move(item), rank, options.target, key, now);
    count_push();
    return recovery_id{detail::number_of(rank), place, 0};
  }

  /// Hands out what is to be done first, if anything may be done now. Calls of advance make due what is.
  [[nodiscard]] std::optional<recovery_work<Item>> next(timestamp now) {
    if (paused_ || items_.leases.full()) return std::nullopt;
    std::uint32_t place = none;
    std::uint32_t target = 0;
    const auto consider = [&](const auto& line, std::uint32_t to) {
      if (to == none || line.empty()) return;
      const std::uint32_t first = items_.lines.first(line);
      if (place != none && items_.lines[place].rank < items_.lines[first].rank) return;
      place = first;
      target = to;
    };
    items_.lines.for_each_ready([&](std::uint32_t home, const auto& lines) {
      const std::uint32_t fallback = fallback_of(home);
      const std::uint32_t to_home = choose(home, fallback, now);
      consider(lines.fresh, to_home);
      consider(lines.home, to_home);
      if (fallback == none) return;
      consider(lines.away, choose(fallback, home, now));
      consider(lines.hedges, gates_[fallback].admits(now) ? fallback : none);
    });
    if (place == none) return std::nullopt;
    return hand_out(place, target, now);
  }

  /// When to call next or advance again, as seen at `now`: before it, they have nothing to do. It is not after `now` if
  /// they have something to do now, and timestamp::max() if they will have nothing before something else happens.
  [[nodiscard]] timestamp next_due(timestamp now) const noexcept {
    timestamp due = std::min(items_.leases.due(), items_.lines.due());
    if (paused_ || items_.leases.full()) return due;
    items_.lines.for_each_ready([&](std::uint32_t home, const auto& lines) {
      const std::uint32_t fallback = fallback_of(home);
      if (!lines.fresh.empty() || !lines.home.empty()) due = std::min(due, chosen_from(home, fallback, now));
      if (!lines.away.empty()) due = std::min(due, chosen_from(fallback, home, now));
      if (!lines.hedges.empty()) due = std::min(due, gates_[fallback].admits_from());
    });
    return due;
  }

  /// The attempt succeeded: the item has ended. An earlier attempt may say so too, if the item hasn't ended otherwise.
  /// told(attempt_superseded) if another attempt is still out.
  template <class Told>
  report_answer succeeded(recovery_id id, timestamp now, Told&& told) {
    const std::uint32_t place = items_.find(id);
    if (place == none || id.attempt == 0 || id.attempt > items_.lines[place].attempts) return stale();
    const std::uint32_t mine = items_.lease_of(id);
    tell_superseded(place, mine, told);
    if (mine != none) {
      gates_[items_.leases[mine].target].breaker().succeeded(items_.leases[mine].permit, now);
      items_.drop_lease(mine);
    }
    end(place);
    ++counts_.succeeded;
    if (mine == none) ++counts_.late;
    return mine != none ? report_answer::taken : report_answer::late;
  }

  /// The attempt failed: `decide` says what is next, once no other attempt is out. told(recovery_given_up) if nothing.
  /// All but permanent failures count against the target.
  template <class Told>
  report_answer failed(recovery_id id, failure why, timestamp now, Told&& told) {
    const std::uint32_t lease = items_.lease_of(id);
    if (lease == none) return stale();
    end_attempt(lease, why, now, told);
    ++counts_.failed;
    return report_answer::taken;
  }

  /// The attempt takes longer: its lease begins anew, and never ends earlier for that.
  report_answer extend(recovery_id id, timestamp now) noexcept {
    const std::uint32_t lease = items_.lease_of(id);
    if (lease == none) return stale();
    const detail::lease& l = items_.leases[lease];
    items_.leases.set_times(lease, std::max(l.until, saturating_add(now, options_.lease)), l.hedge_at);
    return report_answer::taken;
  }

  /// Takes an item out, whatever is done with it now; false if it has ended. told(attempt_superseded) for the attempts
  /// that are out.
  template <class Told>
  bool cancel(recovery_id id, Told&& told) {
    const std::uint32_t place = items_.find(id);
    if (place == none) return false;
    tell_superseded(place, none, told);
    end(place);
    ++counts_.cancelled;
    return true;
  }

  /// Takes back what was not reported in time, and makes ready what has waited long enough; told(recovery_given_up).
  /// O(1) if nothing is due.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    while (!items_.leases.empty() && items_.leases.due() <= now) {
      const std::uint32_t lease = items_.leases.first();
      const detail::lease& l = items_.leases[lease];
      if (l.until <= now) {
        end_attempt(lease, {failure_kind::timed_out}, now, told);
        ++counts_.timed_out;
      } else {
        const std::uint32_t place = l.item;
        items_.leases.set_times(lease, l.until, timestamp::max());
        items_.lines.enter(place, standing::hedging);
      }
    }
    while (items_.lines.any_waits() && items_.lines.due() <= now) {
      const std::uint32_t place = items_.lines.first_due();
      items_.lines.leave(place);
      items_.lines.enter(place, standing::ready);
    }
  }

  /// Nothing is handed out while paused: for a target, or at all. What is out stays out, and its lease goes on. Nothing
  /// happens for a target that there is not.
  void pause() noexcept { paused_ = true; }
  void resume() noexcept { paused_ = false; }
  void pause(std::uint32_t target) noexcept {
    if (target < gates_.size()) gates_[target].paused = true;
  }
  void resume(std::uint32_t target) noexcept {
    if (target < gates_.size()) gates_[target].paused = false;
  }
  [[nodiscard]] bool is_paused() const noexcept { return paused_; }
  [[nodiscard]] bool is_paused(std::uint32_t target) const noexcept {
    return target < gates_.size() && gates_[target].paused;
  }

  /// Of a target below options().targets.size().
  [[nodiscard]] const circuit_breaker& breaker(std::uint32_t target) const noexcept { return gates_[target].breaker(); }
  [[nodiscard]] circuit_breaker& breaker(std::uint32_t target) noexcept { return gates_[target].breaker(); }

  /// The item, or null if it has ended; and how many attempts at it were begun.
  [[nodiscard]] const Item* find_item(recovery_id id) const noexcept {
    const std::uint32_t place = items_.find(id);
    return place != none ? &items_[place] : nullptr;
  }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  /// Attempts that are out.
  [[nodiscard]] std::size_t leased() const noexcept { return items_.leases.size(); }
  [[nodiscard]] const counts& counters() const noexcept { return counts_; }
  [[nodiscard]] const recovery_queue_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept { return detail::configuration_of(options_); }
  [[nodiscard]] recovery_queue empty_copy() const { return recovery_queue(options_); }

  /// Ids stay valid, and leases run on: after a restart, attempts can still be reported.
  void save(snapshot_writer& w) const requires snapshot_value<Item> {
    w.begin_section(section_tag("RECQ"), 1);
    counts all = counts_;
    for (const std::uint64_t* n : numbers(all)) w.u64(*n);
    w.u64(next_number_);
    w.boolean(paused_);
    for (const detail::target_gate& gate : gates_) gate.save(w);
    items_.save(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) requires snapshot_value<Item> {
    *this = empty_copy();
    (void)r.begin_section(section_tag("RECQ"), 1);
    for (std::uint64_t* n : numbers(counts_)) *n = r.u64();
    next_number_ = r.u64();
    paused_ = r.boolean();
    if (next_number_ != counts_.pushed + 1 || next_number_ > detail::last_number / 2) return false;
    for (detail::target_gate& gate : gates_) {
      if (!gate.load(r)) return false;
    }
    if (!items_.load(r, options_, next_number_)) return false;
    r.end_section();
    return r.ok() && counts_.pushed == ended() + items_.size();
  }

 private:
  using standing = detail::standing;
  static constexpr std::uint32_t none = detail::no_node;

  static std::array<std::uint64_t*, 13> numbers(counts& c) noexcept {
    return {&c.pushed,    &c.succeeded, &c.given_up,    &c.shed,       &c.cancelled, &c.attempts, &c.failed,
            &c.timed_out, &c.hedges,    &c.at_fallback, &c.superseded, &c.late,      &c.stale};
  }
  std::uint64_t ended() const noexcept {
    return counts_.succeeded + counts_.given_up + counts_.shed + counts_.cancelled;
  }

  void count_push() noexcept {
    ++counts_.pushed;
    ++next_number_;
  }
  report_answer stale() noexcept {
    ++counts_.stale;
    return report_answer::stale;
  }

  std::uint32_t fallback_of(std::uint32_t target) const noexcept {
    return options_.targets[target].fallback.value_or(none);
  }
  // Where something goes now that prefers one target to another: none if it has to stay.
  std::uint32_t choose(std::uint32_t preferred, std::uint32_t other, timestamp now) const noexcept {
    if (gates_[preferred].admits(now)) return preferred;
    return other != none && gates_[preferred].is_down(now) && gates_[other].admits(now) ? other : none;
  }
  // From when on choose will find one.
  timestamp chosen_from(std::uint32_t preferred, std::uint32_t other, timestamp now) const noexcept {
    const timestamp from = gates_[preferred].admits_from();
    if (other == none || !gates_[preferred].is_down(now)) return from;
    const timestamp stands_in_from = gates_[other].admits_from();
    return stands_in_from < gates_[preferred].up_from() ? std::min(from, stands_in_from) : from;
  }

  recovery_work<Item> hand_out(std::uint32_t place, std::uint32_t target, timestamp now) noexcept {
    detail::recovery_record& r = items_.lines[place];
    const bool is_hedge = r.stands == standing::hedging;
    items_.lines.leave(place);
    const std::uint32_t attempt = ++r.attempts;
    const bool is_final = recoup::is_final(options_.retry, attempt, r.pushed, now);
    r.was_final |= is_final;
    const bool may_hedge = !is_hedge && !is_final && target == r.target && fallback_of(target) != none &&
                           options_.hedge_after < options_.lease;
    detail::lease l;
    l.until = saturating_add(now, options_.lease);
    l.hedge_at = may_hedge ? saturating_add(now, options_.hedge_after) : timestamp::max();
    l.number = detail::number_of(r.rank);
    l.item = place;
    l.permit = gates_[target].begin(now);
    l.other = is_hedge ? r.link : none;
    l.attempt = r.attempts;
    l.target = static_cast<std::uint8_t>(target);
    r.link = items_.leases.add(l);
    r.stands = standing::leased;
    ++counts_.attempts;
    counts_.hedges += is_hedge;
    counts_.at_fallback += target != r.target;
    return {items_.id_of(place, attempt), &items_[place], target, is_final, is_hedge, l.until};
  }

  template <class Told>
  void end_attempt(std::uint32_t lease, failure why, timestamp now, Told&& told) {
    const detail::lease l = items_.leases[lease];
    const std::uint32_t place = l.item;
    const bool is_last = l.other == none;
    const decision d = is_last ? decide_after(l, why, now) : decision{};
    const bool is_over = is_last && d.step == next_step::give_up;
    if (is_over) {
      told(recovery_given_up<Item>{items_.id_of(place, l.attempt), items_[place], why.kind, d.reason,
                                   items_.lines[place].pushed});
    }
    detail::target_gate& gate = gates_[l.target];
    if (why.kind == failure_kind::permanent) {
      gate.breaker().succeeded(l.permit, now);  // it answered
    } else {
      gate.breaker().failed(l.permit, now);
    }
    if (why.retry_after > duration::zero()) gate.leave_alone(saturating_add(now, why.retry_after));
    items_.drop_lease(lease);
    if (is_over) {
      end(place);
      ++counts_.given_up;
    } else if (is_last) {
      items_.lines.leave(place);
      if (d.step == next_step::fail_over) items_.lines[place].is_away = l.target == items_.lines[place].target;
      items_.lines.enter(place, d.at <= now ? standing::ready : standing::waiting, d.at);
    }
  }
  decision decide_after(const detail::lease& l, failure why, timestamp now) const noexcept {
    const detail::recovery_record& r = items_.lines[l.item];
    const std::uint32_t fallback = fallback_of(r.target);
    const bool at_fallback = l.target != r.target;
    const std::uint32_t other = at_fallback ? r.target : fallback;
    attempt_context c;
    c.id = detail::number_of(r.rank);
    // More may have been allowed before a restart: still the last one is announced as such.
    c.attempts = r.was_final ? r.attempts : std::min<std::uint32_t>(r.attempts, options_.retry.max_attempts - 1U);
    c.was_final = r.was_final;
    c.failed = why;
    c.pushed = r.pushed;
    c.now = now;
    c.at_fallback = at_fallback;
    c.other_is_up = fallback != none && !gates_[other].is_down(now);
    return decide(c, options_.retry);
  }

  template <class Told>
  void shed(std::uint32_t place, Told&& told) {
    const detail::recovery_record& r = items_.lines[place];
    told(recovery_shed<Item>{items_.id_of(place, r.attempts), items_[place], shed_reason::full,
                             detail::urgency_of(r.rank), r.pushed});
    end(place);
    ++counts_.shed;
  }

  // Of the attempts that are out, but for one.
  template <class Told>
  void tell_superseded(std::uint32_t place, std::uint32_t but, Told&& told) const {
    if (!items_.is_out(place)) return;
    const std::uint32_t first = items_.lines[place].link;
    for (const std::uint32_t lease : {first, items_.leases[first].other}) {
      if (lease == none || lease == but) continue;
      told(attempt_superseded<Item>{items_.id_of(place, items_.leases[lease].attempt), items_[place],
                                    items_.leases[lease].target});
    }
  }

  // The item has ended: the leases that are left are no probes any more.
  void end(std::uint32_t place) noexcept {
    while (items_.is_out(place) && items_.lines[place].link != none) {
      const detail::lease& l = items_.leases[items_.lines[place].link];
      gates_[l.target].breaker().cancelled(l.permit);
      items_.drop_lease(items_.lines[place].link);
      ++counts_.superseded;
    }
    items_.remove(place);
  }

  recovery_queue_options options_;
  detail::recovery_items<Item> items_;
  std::vector<detail::target_gate> gates_;
  std::uint64_t next_number_ = 1;
  bool paused_ = false;
  counts counts_;
};

}  // namespace recoup
