// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/detail/key_chains.hpp"
#include "recoup/recovery/detail/lease_table.hpp"
#include "recoup/recovery/detail/rank_order.hpp"
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
      : options_(detail::checked(options)),
        items_(options_.capacity),
        lines_(options_.capacity, options_.targets.size()),
        leases_(options_.max_leases),
        chains_(options_.ordered_keys ? options_.capacity : 0, options_.seed) {
    gates_.reserve(options_.targets.size());
    for (const recovery_target& t : options_.targets) gates_.emplace_back(t.rate, t.breaker);
  }

  /// Besides the Item itself.
  [[nodiscard]] static constexpr std::size_t bytes_an_item(bool ordered_keys) noexcept {
    return detail::recovery_lines::bytes_per_item + (ordered_keys ? detail::key_chains::bytes_per_item : 0);
  }
  /// All bytes on the heap.
  [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t capacity, std::size_t max_leases,
                                                       std::size_t targets, bool ordered_keys) noexcept {
    return capacity * (sizeof(Item) + detail::recovery_lines::bytes_per_item) +
           detail::key_chains::bytes_for(ordered_keys ? capacity : 0) +
           max_leases * detail::lease_table::bytes_per_lease +
           targets *
               (sizeof(detail::target_gate) + sizeof(detail::recovery_lines::target_lines) + sizeof(recovery_target));
  }

  /// Takes an item in. Where the queue is full it is shed itself, and nothing returned, unless something less urgent is
  /// not handed out: then of the least urgent the one that failed last is shed, or the newest if none waits for another
  /// attempt. told(recovery_shed).
  template <class Told>
  std::optional<recovery_id> push(Item item, const push_options& options, timestamp now, Told&& told) {
    const std::uint8_t urgency = std::min<std::uint8_t>(options.urgency, detail::urgencies - 1);
    const std::uint64_t rank = detail::rank_of(urgency, next_number_);
    const bool is_known = options.target < gates_.size();
    const bool is_full = size_ == options_.capacity;
    const std::uint32_t victim = is_known && is_full ? lines_.least() : none;
    if (!is_known || (is_full && (victim == none || detail::urgency_of(lines_[victim].rank) <= urgency))) {
      const auto reason = is_known ? shed_reason::full : shed_reason::unknown_target;
      told(recovery_shed<Item>{{next_number_, none, 0}, item, reason, urgency, now});
      count_push();
      ++counts_.shed;
      return std::nullopt;
    }
    if (is_full) shed(victim, told);
    const std::uint32_t place = take_place();
    detail::recovery_record& r = lines_[place];
    r.rank = rank;
    r.pushed = now;
    r.attempts = 0;
    r.target = static_cast<std::uint8_t>(options.target);
    r.is_away = r.is_keyed = r.was_final = false;
    items_[place] = std::move(item);
    const bool is_blocked = options_.ordered_keys && options.key && chains_.append(lines_, place, *options.key);
    lines_.enter(place, is_blocked ? standing::blocked : standing::fresh);
    count_push();
    return recovery_id{detail::number_of(rank), place, 0};
  }

  /// Hands out what is to be done first, if anything may be done now. Calls of advance make due what is.
  [[nodiscard]] std::optional<recovery_work<Item>> next(timestamp now) {
    if (paused_ || leases_.full()) return std::nullopt;
    std::uint32_t place = none;
    std::uint32_t target = 0;
    const auto consider = [&](const auto& line, std::uint32_t to) {
      if (to == none || line.empty()) return;
      const std::uint32_t first = lines_.first(line);
      if (place != none && lines_[place].rank < lines_[first].rank) return;
      place = first;
      target = to;
    };
    lines_.for_each_ready([&](std::uint32_t home, const auto& lines) {
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
    timestamp due = std::min(leases_.due(), lines_.due());
    if (paused_ || leases_.full()) return due;
    lines_.for_each_ready([&](std::uint32_t home, const auto& lines) {
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
    const std::uint32_t place = find(id);
    if (place == none || id.attempt == 0 || id.attempt > lines_[place].attempts) return stale();
    const std::uint32_t mine = lease_of(id);
    tell_superseded(place, mine, told);
    if (mine != none) {
      gates_[leases_[mine].target].breaker().succeeded(leases_[mine].permit, now);
      drop_lease(mine);
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
    const std::uint32_t lease = lease_of(id);
    if (lease == none) return stale();
    end_attempt(lease, why, now, told);
    ++counts_.failed;
    return report_answer::taken;
  }

  /// The attempt takes longer: its lease begins anew, and never ends earlier for that.
  report_answer extend(recovery_id id, timestamp now) noexcept {
    const std::uint32_t lease = lease_of(id);
    if (lease == none) return stale();
    const detail::lease& l = leases_[lease];
    leases_.set_times(lease, std::max(l.until, saturating_add(now, options_.lease)), l.hedge_at);
    return report_answer::taken;
  }

  /// Takes an item out, whatever is done with it now; false if it has ended. told(attempt_superseded) for the attempts
  /// that are out.
  template <class Told>
  bool cancel(recovery_id id, Told&& told) {
    const std::uint32_t place = find(id);
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
    while (!leases_.empty() && leases_.due() <= now) {
      const std::uint32_t lease = leases_.first();
      const detail::lease& l = leases_[lease];
      if (l.until <= now) {
        end_attempt(lease, {failure_kind::timed_out}, now, told);
        ++counts_.timed_out;
      } else {
        const std::uint32_t place = l.item;
        leases_.set_times(lease, l.until, timestamp::max());
        lines_.enter(place, standing::hedging);
      }
    }
    while (lines_.any_waits() && lines_.due() <= now) {
      const std::uint32_t place = lines_.first_due();
      lines_.leave(place);
      lines_.enter(place, standing::ready);
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
    const std::uint32_t place = find(id);
    return place != none ? &items_[place] : nullptr;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Attempts that are out.
  [[nodiscard]] std::size_t leased() const noexcept { return leases_.size(); }
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
    std::vector<std::uint32_t> places;
    places.reserve(size_);
    for (std::uint32_t p = 0; p < used_; ++p) {
      if (lines_[p].stands != standing::none) places.push_back(p);
    }
    std::sort(places.begin(), places.end(), [&](std::uint32_t a, std::uint32_t b) {
      return detail::number_of(lines_[a].rank) < detail::number_of(lines_[b].rank);
    });
    w.u64(places.size());
    for (const std::uint32_t p : places) save_item(w, p);
    // The orders that do not follow from the items.
    std::size_t waiting = 0;
    lines_.for_each_waiting([&](std::uint32_t) { ++waiting; });
    w.u64(waiting);
    lines_.for_each_waiting([&](std::uint32_t p) { w.u32(p); });
    w.u64(used_ - size_);
    for (std::uint32_t p = free_; p != none; p = lines_[p].link) w.u32(p);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) requires snapshot_value<Item> {
    *this = empty_copy();
    (void)r.begin_section(section_tag("RECQ"), 1);
    for (std::uint64_t* n : numbers(counts_)) *n = r.u64();
    next_number_ = r.u64();
    paused_ = r.boolean();
    if (next_number_ < 1 || next_number_ > detail::last_number) return false;
    for (detail::target_gate& gate : gates_) {
      if (!gate.load(r)) return false;
    }
    const std::size_t count = r.count(options_.capacity);
    std::uint64_t number = 0;
    for (; size_ < count; ++size_) {
      if (!load_item(r, number)) return false;
    }
    return number < next_number_ && load_order_of_waiting(r) && load_free_places(r) &&
           counts_.pushed == ended() + size_;
  }

 private:
  using standing = detail::standing;
  static constexpr std::uint32_t none = detail::no_node;
  static_assert(none == detail::lease_table::none && none == detail::hash_index::none);

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

  std::uint32_t take_place() noexcept {
    ++size_;
    if (free_ == none) return used_++;
    return std::exchange(free_, lines_[free_].link);
  }

  // Where the item is; none if it has ended.
  std::uint32_t find(recovery_id id) const noexcept {
    const bool is_there = id.place < used_ && lines_[id.place].stands != standing::none &&
                          detail::number_of(lines_[id.place].rank) == id.number;
    return is_there ? id.place : none;
  }
  static bool is_out(const detail::recovery_record& r) noexcept {
    return r.stands == standing::leased || r.stands == standing::hedging;
  }
  // The lease of an attempt; none if it has ended.
  std::uint32_t lease_of(recovery_id id) const noexcept {
    const std::uint32_t place = find(id);
    std::uint32_t lease = place != none && is_out(lines_[place]) ? lines_[place].link : none;
    while (lease != none && leases_[lease].attempt != id.attempt) {
      // Two leases name each other.
      lease = lease == lines_[place].link ? leases_[lease].other : none;
    }
    return lease;
  }
  recovery_id id_of(std::uint32_t place, std::uint32_t attempt) const noexcept {
    return {detail::number_of(lines_[place].rank), place, attempt};
  }

  recovery_work<Item> hand_out(std::uint32_t place, std::uint32_t target, timestamp now) noexcept {
    detail::recovery_record& r = lines_[place];
    const bool is_hedge = r.stands == standing::hedging;
    lines_.leave(place);
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
    r.link = leases_.add(l);
    r.stands = standing::leased;
    ++counts_.attempts;
    counts_.hedges += is_hedge;
    counts_.at_fallback += target != r.target;
    return {id_of(place, attempt), &items_[place], target, is_final, is_hedge, l.until};
  }

  template <class Told>
  void end_attempt(std::uint32_t lease, failure why, timestamp now, Told&& told) {
    const detail::lease l = leases_[lease];
    const std::uint32_t place = l.item;
    const bool is_last = l.other == none;
    const decision d = is_last ? decide_after(l, why, now) : decision{};
    const bool is_over = is_last && d.step == next_step::give_up;
    if (is_over) {
      told(recovery_given_up<Item>{id_of(place, l.attempt), items_[place], why.kind, d.reason, lines_[place].pushed});
    }
    detail::target_gate& gate = gates_[l.target];
    if (why.kind == failure_kind::permanent) {
      gate.breaker().succeeded(l.permit, now);  // it answered
    } else {
      gate.breaker().failed(l.permit, now);
    }
    if (why.retry_after > duration::zero()) gate.leave_alone(saturating_add(now, why.retry_after));
    drop_lease(lease);
    if (is_over) {
      end(place);
      ++counts_.given_up;
    } else if (is_last) {
      lines_.leave(place);
      if (d.step == next_step::fail_over) lines_[place].is_away = l.target == lines_[place].target;
      lines_.enter(place, d.at <= now ? standing::ready : standing::waiting, d.at);
    }
  }
  // Its item keeps the other one, if there is one.
  void drop_lease(std::uint32_t lease) noexcept {
    lines_[leases_[lease].item].link = leases_[lease].other;
    leases_.remove(lease);
  }
  decision decide_after(const detail::lease& l, failure why, timestamp now) const noexcept {
    const detail::recovery_record& r = lines_[l.item];
    const std::uint32_t fallback = fallback_of(r.target);
    const bool at_fallback = l.target != r.target;
    const std::uint32_t other = at_fallback ? r.target : fallback;
    attempt_context c;
    c.id = detail::number_of(r.rank);
    c.attempts = r.attempts;
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
    const detail::recovery_record& r = lines_[place];
    told(recovery_shed<Item>{id_of(place, r.attempts), items_[place], shed_reason::full, detail::urgency_of(r.rank),
                             r.pushed});
    end(place);
    ++counts_.shed;
  }

  // Of the attempts that are out, but for one.
  template <class Told>
  void tell_superseded(std::uint32_t place, std::uint32_t but, Told&& told) const {
    if (!is_out(lines_[place])) return;
    const std::uint32_t first = lines_[place].link;
    for (const std::uint32_t lease : {first, leases_[first].other}) {
      if (lease == none || lease == but) continue;
      told(attempt_superseded<Item>{id_of(place, leases_[lease].attempt), items_[place], leases_[lease].target});
    }
  }

  // The item has ended: the leases that are left are no probes any more.
  void end(std::uint32_t place) {
    items_[place] = Item{};
    detail::recovery_record& r = lines_[place];
    while (is_out(r) && r.link != none) {
      gates_[leases_[r.link].target].breaker().cancelled(leases_[r.link].permit);
      drop_lease(r.link);
      ++counts_.superseded;
    }
    const std::uint32_t unblocked = r.is_keyed ? chains_.remove(lines_, place) : none;
    lines_.leave(place);
    if (unblocked != none) {
      lines_.leave(unblocked);
      lines_.enter(unblocked, standing::ready);
    }
    if (--size_ == 0) {
      used_ = 0;
      free_ = none;
    } else {
      r.link = std::exchange(free_, place);
    }
  }

  void save_item(snapshot_writer& w, std::uint32_t place) const {
    const detail::recovery_record& r = lines_[place];
    w.u32(place);
    w.u64(r.rank);
    w.time(r.pushed);
    w.u16(r.attempts);
    w.u8(r.target);
    w.value(standing{r.stands});
    for (const bool flag : {bool{r.is_away}, bool{r.is_keyed}, bool{r.was_final}}) w.boolean(flag);
    if (r.is_keyed) w.u64(chains_.key_of(place));
    if (r.stands == standing::waiting) w.time(lines_.due_of(place));
    if (is_out(r)) {
      const std::uint32_t other = leases_[r.link].other;
      w.boolean(other != none);
      if (other != none) save_lease(w, leases_[other]);
      save_lease(w, leases_[r.link]);
    }
    w.value(items_[place]);
  }
  static void save_lease(snapshot_writer& w, const detail::lease& l) {
    w.time(l.until);
    w.time(l.hedge_at);
    w.u32(l.permit);
    w.u16(l.attempt);
    w.u8(l.target);
  }

  // An item with a number above the one before.
  bool load_item(snapshot_reader& r, std::uint64_t& number) {
    const std::uint32_t place = r.u32();
    if (place >= options_.capacity || lines_[place].stands != standing::none) return false;
    detail::recovery_record& item = lines_[place];
    item.rank = r.u64();
    item.pushed = r.time();
    item.attempts = r.u16();
    item.target = r.u8();
    standing stands{};
    if (!r.value(stands) || stands == standing::none || static_cast<std::uint8_t>(stands) >= detail::standings)
      return false;
    item.is_away = r.boolean();
    const bool is_keyed = r.boolean();
    item.was_final = r.boolean();
    const std::uint64_t key = is_keyed ? r.u64() : 0;
    const timestamp due = stands == standing::waiting ? r.time() : timestamp{};
    if (!r.ok() || detail::number_of(item.rank) <= number || item.target >= gates_.size()) return false;
    number = detail::number_of(item.rank);
    if (!stands_to_reason(item, stands) || (is_keyed && !options_.ordered_keys)) return false;
    const bool is_blocked = is_keyed && chains_.append(lines_, place, key);
    if (is_blocked != (stands == standing::blocked)) return false;
    if (stands == standing::leased || stands == standing::hedging) {
      if (!load_leases(r, place, stands)) return false;
      item.stands = standing::leased;
    }
    if (stands != standing::leased) lines_.enter(place, stands, due);
    used_ = std::max(used_, place + 1);
    return r.value(items_[place]);
  }
  bool stands_to_reason(const detail::recovery_record& item, standing stands) const noexcept {
    const bool is_tried = item.attempts > 0;
    const bool has_fallback = fallback_of(item.target) != none;
    if (item.is_away && (!has_fallback || !is_tried)) return false;
    if (item.attempts == std::numeric_limits<std::uint16_t>::max() && stands != standing::leased) return false;
    switch (stands) {
      case standing::blocked:
      case standing::fresh:
        return !is_tried;
      case standing::hedging:
        return is_tried && has_fallback;
      case standing::waiting:
      case standing::leased:
        return is_tried;
      default:
        return true;
    }
  }
  bool load_leases(snapshot_reader& r, std::uint32_t place, standing stands) {
    detail::recovery_record& item = lines_[place];
    const bool is_hedged = r.boolean();
    if (is_hedged && stands == standing::hedging) return false;
    item.link = none;
    std::uint16_t before = 0;
    for (int i = is_hedged ? 0 : 1; i < 2; ++i) {
      detail::lease l;
      l.until = r.time();
      l.hedge_at = r.time();
      l.permit = r.u32();
      l.attempt = r.u16();
      l.target = r.u8();
      const std::uint32_t fallback = fallback_of(item.target);
      const bool may_hedge = !is_hedged && stands == standing::leased && fallback != none &&
                             item.attempts < std::numeric_limits<std::uint16_t>::max();
      if (!r.ok() || leases_.full() || l.attempt == before || l.attempt < 1 || l.attempt > item.attempts ||
          (l.target != item.target && l.target != fallback) || (l.hedge_at != timestamp::max() && !may_hedge)) {
        return false;
      }
      before = l.attempt;
      l.number = detail::number_of(item.rank);
      l.item = place;
      l.other = item.link;
      item.link = leases_.add(l);
    }
    return true;
  }
  bool load_order_of_waiting(snapshot_reader& r) {
    std::size_t waiting = 0;
    lines_.for_each_waiting([&](std::uint32_t) { ++waiting; });
    if (r.count(waiting) != waiting) return false;
    std::vector<bool> seen(used_);
    for (std::size_t i = 0; i < waiting; ++i) {
      const std::uint32_t p = r.u32();
      if (p >= used_ || seen[p] || lines_[p].stands != standing::waiting) return false;
      seen[p] = true;
      lines_.renew(p);
    }
    return r.ok();
  }
  // The places below used_ that no item has, in the order in which they will be taken.
  bool load_free_places(snapshot_reader& r) {
    const std::size_t count = r.count(options_.capacity);
    if (size_ + count > options_.capacity || (size_ == 0 && count != 0)) return false;
    std::vector<std::uint32_t> places(count);
    used_ = static_cast<std::uint32_t>(std::max<std::size_t>(used_, size_ + count));
    std::vector<bool> seen(used_);
    for (std::uint32_t& p : places) {
      p = r.u32();
      if (p >= used_ || seen[p] || lines_[p].stands != standing::none) return false;
      seen[p] = true;
    }
    r.end_section();
    if (!r.ok() || size_ + count != used_) return false;
    for (std::size_t i = count; i > 0; --i) lines_[places[i - 1]].link = std::exchange(free_, places[i - 1]);
    return true;
  }

  recovery_queue_options options_;
  std::vector<Item> items_;
  detail::recovery_lines lines_;
  detail::lease_table leases_;
  detail::key_chains chains_;
  std::vector<detail::target_gate> gates_;
  std::uint64_t next_number_ = 1;
  std::size_t size_ = 0;
  std::uint32_t used_ = 0;  // places below it have been taken since the queue was last empty
  std::uint32_t free_ = none;
  bool paused_ = false;
  counts counts_;
};

}  // namespace recoup
