// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "recoup/core/detail/flat_deque.hpp"
#include "recoup/core/interval_set.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/detail/gap_book.hpp"
#include "recoup/sequence/detail/gap_rules.hpp"
#include "recoup/sequence/findings.hpp"
#include "recoup/sequence/gap_tracker_options.hpp"

namespace recoup::detail {

// What two trackers of one stream have seen between them.
class gap_union {
 public:
  gap_union(const stream_position& p, const gap_book& a, const stream_position& q, const gap_book& b,
            const gap_tracker_options& o, timestamp now)
      : position_(is_less(p, q) ? q : p), book_(is_less(p, q) ? b : a), lost_(book_.lost()) {
    if (!p.high() || !q.high()) return;
    position_.first = std::min(p.first, q.first);
    position_.is_running = p.is_running && q.is_running;
    position_.next = position_.is_running ? std::max(p.next, q.next) : 0;

    const interval_set absent_here = absent(p, a);
    const interval_set absent_there = absent(q, b);
    interval_set abandoned = common(a.abandoned(), absent_there);
    for (const sequence_range& r : common(b.abandoned(), absent_here)) abandoned.insert(r);
    interval_set missing = common(absent_here, absent_there);
    for (const sequence_range& r : abandoned) missing.erase(r);

    const auto timers = timers_for(missing, p, a, q, b, o, now);
    book_ = gap_book(std::move(missing), std::move(abandoned), timers, std::max(a.floor(0), b.floor(0)));
    lost_ = book_.lost();
    book_.bound(o);
  }

  // Gives up the lowest gaps where there are more than max_gaps.
  template <class Told>
  void make_fit(const gap_tracker_options& o, Told& told) {
    gap_tally displaced;
    while (book_.missing().size() > o.max_gaps) {
      book_.tell_lowest([&](sequence_range range, timestamp opened, std::uint32_t attempts) {
        told(gap_abandoned<>{{}, range, opened, attempts, abandon_reason::capacity});
      });
      book_.make_room();
      book_.give_up(book_.missing().front(), o, displaced);
    }
    lost_ += displaced.found;
  }

  const stream_position& position() const noexcept { return position_; }
  gap_book& book() noexcept { return book_; }
  // How many numbers were found missing and have not come.
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  using timer = gap_book::timer;

  // Whether `p` has nothing to say beside `q`: where nothing has come, nothing is missing either.
  static bool is_less(const stream_position& p, const stream_position& q) noexcept {
    if (p.high() || q.high()) return !p.high();
    return q.is_started && (!p.is_started || q.first < p.first);
  }

  // What one side has not received, of all that either could have.
  interval_set absent(const stream_position& p, const gap_book& book) const {
    interval_set s = book.missing();
    for (const sequence_range& r : book.abandoned()) s.insert(r);
    if (position_.first < p.first) s.insert({position_.first, p.first - 1});
    if (p.next != position_.next) s.insert({p.next, position_.next - 1});
    return s;
  }
  static interval_set common(const interval_set& a, const interval_set& b) {
    interval_set s;
    for (const sequence_range& r : a) {
      b.for_each_overlap(r, [&](sequence_range overlap) { s.insert(overlap); });
    }
    return s;
  }

  // What a side waits for at a number, if it misses any there.
  static std::optional<timer> at(std::uint64_t number, const stream_position& p, const gap_book& book) noexcept {
    const auto& timers = book.timers();
    if (timers.empty() || number < timers.front().first || (p.is_running && number >= p.next)) return std::nullopt;
    const auto after =
        std::partition_point(timers.begin(), timers.end(), [number](const timer& t) { return t.first <= number; });
    return after[-1];
  }

  static flat_deque<timer, 1> timers_for(const interval_set& missing, const stream_position& p, const gap_book& a,
                                         const stream_position& q, const gap_book& b, const gap_tracker_options& o,
                                         timestamp now) {
    flat_deque<timer, 1> timers;
    if (missing.empty()) return timers;
    const std::vector<std::uint64_t> starts = starts_of(missing.front().first, p, a, q, b);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::uint64_t start = starts[i];
      const auto gap = missing.from(start);
      if (gap == missing.end() || (i + 1 < starts.size() && gap->first >= starts[i + 1])) continue;  // nothing waits
      timers.push_back(longer({start, now, gap_book::due_of(now, o), 0}, at(start, p, a), at(start, q, b)));
    }
    put_in_order(timers, o);
    return timers;
  }

  // Where either side's timers begin, or end.
  static std::vector<std::uint64_t> starts_of(std::uint64_t first, const stream_position& p, const gap_book& a,
                                              const stream_position& q, const gap_book& b) {
    std::vector<std::uint64_t> starts{first};
    for (const gap_book* book : {&a, &b}) {
      for (const timer& t : book->timers()) starts.push_back(t.first);
    }
    for (const stream_position* side : {&p, &q}) {
      if (side->is_running) starts.push_back(side->next);
    }
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    return starts;
  }

  // The timer at fresh.first, of those that the sides have there.
  static timer longer(const timer& fresh, const std::optional<timer>& here, const std::optional<timer>& there) {
    if (!here && !there) return fresh;
    timer t = here ? *here : *there;
    t.first = fresh.first;
    if (!here || !there) return t;
    t.opened = std::min(here->opened, there->opened);
    t.level = std::max(here->level, there->level);
    t.due = here->level == there->level ? std::max(here->due, there->due)
                                        : (here->level > there->level ? here->due : there->due);
    return t;
  }

  // Levels descend: a lower number counts as asked for as often as a higher one. Times ascend: a higher number waits at
  // least as long as a lower one. What waits alike waits together.
  static void put_in_order(flat_deque<timer, 1>& timers, const gap_tracker_options& o) {
    for (std::size_t i = timers.size() - 1; i-- > 0;) {
      if (timers[i].level >= timers[i + 1].level) continue;
      timers[i].level = timers[i + 1].level;
      timers[i].due = timers[i + 1].due;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < timers.size(); ++i) {
      timer t = timers[i];
      const timer* const below = kept > 0 ? &timers[kept - 1] : nullptr;
      if (below) t.opened = std::max(t.opened, below->opened);
      if (below && t.level == below->level) t.due = std::max(t.due, below->due);
      if (t.level == 0) t.due = gap_book::due_of(t.opened, o);
      if (below && t.level == below->level && t.opened == below->opened && t.due == below->due) continue;
      timers[kept++] = t;
    }
    timers.erase(timers.begin() + kept, timers.end());
  }

  stream_position position_;
  gap_book book_;
  std::uint64_t lost_;
};

}  // namespace recoup::detail
