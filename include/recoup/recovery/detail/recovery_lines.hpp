// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/deadline_queue.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/detail/rank_order.hpp"

namespace recoup::detail {

// Where an item of a recovery queue is.
enum class standing : std::uint8_t {
  none,     // its place is free
  blocked,  // behind another of its key
  fresh,    // ready, and came straight from a push
  ready,    // ready, and came back, or from behind another of its key
  waiting,  // to be tried again later
  leased,   // handed out
  hedging,  // handed out, and ready to be handed out once more
};
inline constexpr std::uint8_t standings = 7;

struct recovery_record {
  std::uint64_t rank = 0;
  std::uint32_t left = 0;  // links of the line in which it stands
  std::uint32_t right = 0;
  timestamp pushed{};
  std::uint32_t link = 0;  // blocked: the one before it of its key; handed out: its lease; free: the next free one
  std::uint16_t attempts = 0;
  std::uint8_t target = 0;
  standing stands : 3 = standing::none;
  bool is_away : 1 = false;  // prefers the fallback of its target
  bool is_keyed : 1 = false;
  bool was_final : 1 = false;

  constexpr std::uint64_t order() const noexcept { return rank; }
  constexpr std::uint64_t priority() const noexcept { return combine({rank}); }
};
static_assert(sizeof(recovery_record) == 32);

// The items of a recovery queue that are not handed out, in the lines in which they stand, by rank: those that are
// ready by the target that they prefer, so that a target which is down holds up its own lines alone.
class recovery_lines {
 public:
  static constexpr std::size_t bytes_per_item = sizeof(recovery_record) + deadline_queue::bytes_per_id;

  struct target_lines {
    rank_queues fresh;
    ordered_tree home;    // of those that came back
    ordered_tree away;    // of those that prefer the fallback
    ordered_tree hedges;  // for the fallback only

    bool empty() const noexcept { return fresh.empty() && home.empty() && away.empty() && hedges.empty(); }
  };

  recovery_lines(std::size_t capacity, std::size_t targets) : records_(capacity), targets_(targets) {
    due_.reserve(capacity);
  }

  recovery_record& operator[](std::uint32_t place) noexcept { return records_[place]; }
  const recovery_record& operator[](std::uint32_t place) const noexcept { return records_[place]; }
  std::size_t capacity() const noexcept { return records_.size(); }

  // An item that stands nowhere, or is handed out, takes its stand; `due` of one that waits.
  void enter(std::uint32_t place, standing stands, timestamp due = {}) noexcept {
    recovery_record& r = records_[place];
    target_lines& lines = targets_[r.target];
    r.stands = stands;
    if (stands == standing::blocked) {
      blocked_.push_back(records_, place);
    } else if (stands == standing::fresh) {
      lines.fresh.push_back(records_, place);
    } else if (stands == standing::ready) {
      (r.is_away ? lines.away : lines.home).insert(records_, place);
    } else if (stands == standing::hedging) {
      lines.hedges.insert(records_, place);
    } else if (stands == standing::waiting) {
      waiting_.push_back(records_, place);
      due_.set(place, due);
    }
    note(r.target);
  }
  // What stands in a line leaves it.
  void leave(std::uint32_t place) noexcept {
    recovery_record& r = records_[place];
    target_lines& lines = targets_[r.target];
    if (r.stands == standing::blocked) {
      blocked_.erase(records_, place);
    } else if (r.stands == standing::fresh) {
      lines.fresh.erase(records_, place);
    } else if (r.stands == standing::ready) {
      (r.is_away ? lines.away : lines.home).erase(records_, place);
    } else if (r.stands == standing::hedging) {
      lines.hedges.erase(records_, place);
    } else if (r.stands == standing::waiting) {
      waiting_.erase(records_, place);
      due_.erase(place);
    }
    r.stands = standing::none;
    note(r.target);
  }

  // f(target, its lines) for each target for which something is ready.
  template <class F>
  void for_each_ready(F&& f) const {
    for (std::uint64_t left = ready_; left != 0; left &= left - 1) {
      const auto target = static_cast<std::uint32_t>(std::countr_zero(left));
      f(target, targets_[target]);
    }
  }
  std::uint32_t first(const rank_queues& line) const noexcept { return line.first(); }
  std::uint32_t first(const ordered_tree& line) const noexcept { return line.first(records_); }

  // Whom to shed: of those that are not handed out one of the least urgent, the one that failed last if any waits, else
  // the newest. O(targets * log n).
  std::uint32_t least() const noexcept {
    std::uint32_t least = blocked_.last();
    const auto consider = [&](std::uint32_t place) {
      if (place != no_node && (least == no_node || records_[place].rank > records_[least].rank)) least = place;
    };
    for_each_ready([&](std::uint32_t, const target_lines& lines) {
      consider(lines.fresh.last());
      consider(lines.home.last(records_));
      consider(lines.away.last(records_));
    });
    const std::uint32_t waits = waiting_.last();
    const bool is_less =
        waits != no_node && (least == no_node || urgency_of(records_[waits].rank) >= urgency_of(records_[least].rank));
    return is_less ? waits : least;
  }

  // Of those that wait.
  timestamp due() const noexcept { return due_.due(); }
  timestamp due_of(std::uint32_t place) const noexcept { return due_.due_of(place); }
  std::uint32_t first_due() const noexcept { return due_.first(); }
  // f(place) for each in the order of their failures, those of each urgency by themselves; renew(place) for each in any
  // order makes it this one.
  template <class F>
  void for_each_waiting(F&& f) const {
    waiting_.for_each(records_, f);
  }
  void renew(std::uint32_t place) noexcept {
    waiting_.erase(records_, place);
    waiting_.push_back(records_, place);
  }
  bool any_waits() const noexcept { return !due_.empty(); }

 private:
  void note(std::uint8_t target) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << target;
    ready_ = targets_[target].empty() ? ready_ & ~bit : ready_ | bit;
  }

  std::vector<recovery_record> records_;
  std::vector<target_lines> targets_;
  rank_queues blocked_;
  rank_queues waiting_;
  deadline_queue due_;
  std::uint64_t ready_ = 0;  // a bit each target whose lines are not empty
};

}  // namespace recoup::detail
