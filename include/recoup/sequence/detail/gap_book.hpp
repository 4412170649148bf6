// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/flat_deque.hpp"
#include "recoup/core/interval_set.hpp"
#include "recoup/core/sequence_range.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/arrival.hpp"
#include "recoup/sequence/findings.hpp"
#include "recoup/sequence/gap_tracker_options.hpp"

namespace recoup::detail {

// How many numbers were ever found missing, and how many of those came or were skipped later.
struct gap_tally {
  std::uint64_t found = 0;
  std::uint64_t recovered = 0;
};

// What is missing of one stream, what was given up, and when to do something about it.
//
// The missing numbers are a set, and the truth. Their timers are sections of the number line: each holds from its first
// number to the next section's, so that a number that comes splits no timer. Level 0 is a hole that is not a gap yet;
// level k + 1 a gap that was asked for k times. Holes open in ascending order and all gaps of a level wait equally
// long, so levels descend along the line, and `opened`, and `due` within a level, ascend (where time goes back, they
// stand still): the line is a queue for each level, and moving a section to the next level moves no data.
//
// Bytes: 16 a missing range, and 32 for all ranges that opened at the same time; 16 a range given up; in at most twice
// that room.
class gap_book {
 public:
  struct timer {
    std::uint64_t first = 0;
    timestamp opened;
    timestamp due;
    std::uint32_t level = 0;
  };
  static constexpr timestamp never = timestamp::max();

  gap_book() = default;
  gap_book(interval_set missing, interval_set abandoned, const flat_deque<timer, 1>& timers, std::uint64_t floor)
      : missing_(std::move(missing)), abandoned_(std::move(abandoned)), timers_(timers), floor_(floor) {
    settle_timers();
  }

  const interval_set& missing() const noexcept { return missing_; }
  const interval_set& abandoned() const noexcept { return abandoned_; }
  const flat_deque<timer, 1>& timers() const noexcept { return timers_; }
  std::size_t heap_bytes() const noexcept {
    return missing_.heap_bytes() + abandoned_.heap_bytes() + timers_.heap_bytes();
  }

  // Whether it holds nothing that a fresh one does not.
  bool is_blank() const noexcept { return missing_.empty() && abandoned_.empty() && floor_ == 0 && probes_ == 0; }
  void clear() noexcept {
    missing_.clear();
    abandoned_.clear();
    timers_.clear();
    floor_ = 0;
    probes_ = 0;
    due_ = never;
    ripe_.reset();
  }

  // Below this, what is neither missing nor remembered as given up may be either received or forgotten.
  std::uint64_t floor(std::uint64_t first) const noexcept { return std::max(first, floor_); }

  // What arrivals in this range, all below the expected number, mean: f(arrival, sequence_range) for each run of equal
  // answers, ascending.
  template <class F>
  void for_each_run(sequence_range range, std::uint64_t first, F&& f) const {
    const std::uint64_t known = floor(first);
    auto gap = missing_.from(range.first);
    auto lost = abandoned_.from(range.first);
    for (std::uint64_t at = range.first;;) {
      std::uint64_t last = range.last;
      arrival answer = arrival::duplicate;
      if (gap != missing_.end() && gap->first <= at) {
        answer = arrival::filled;
        last = std::min(last, gap->last);
      } else if (lost != abandoned_.end() && lost->first <= at) {
        answer = arrival::late;
        last = std::min(last, lost->last);
      } else {
        if (gap != missing_.end()) last = std::min(last, gap->first - 1);
        if (lost != abandoned_.end()) last = std::min(last, lost->first - 1);
        if (at < known) {
          answer = arrival::stale;
          last = std::min(last, known - 1);
        }
      }
      f(answer, sequence_range{at, last});
      if (last == range.last) return;
      at = last + 1;
      while (gap != missing_.end() && gap->last < at) ++gap;
      while (lost != abandoned_.end() && lost->last < at) ++lost;
    }
  }
  arrival classify(std::uint64_t number, std::uint64_t first) const noexcept {
    if (missing_.contains(number)) return arrival::filled;
    if (abandoned_.contains(number)) return arrival::late;
    return number < floor(first) ? arrival::stale : arrival::duplicate;
  }

  // Whether removing this range from the missing ones leaves one range more.
  bool is_split_by(sequence_range range) const noexcept {
    const sequence_range* gap = missing_.find(range.first);
    return gap != nullptr && gap->first < range.first && range.last < gap->last;
  }

  // All that may fail of the next open, settle, give_up or reopen, or of a give_up before one of the others.
  void make_room() {
    missing_.make_room();
    timers_.make_room();
    abandoned_.make_room();
  }

  void open(sequence_range hole, timestamp now, const gap_tracker_options& o) {
    missing_.insert(hole);
    const timestamp opened = timers_.empty() ? now : std::max(now, timers_.back().opened);
    const timestamp due = due_of(opened, o);
    const bool can_join = !timers_.empty() && timers_.back().level == 0;
    if (can_join && (timers_.back().opened == opened || timers_.size() >= o.max_gaps)) {
      timers_.back().opened = opened;
      timers_.back().due = due;
    } else {
      timers_.push_back({hole.first, opened, due, 0});
    }
    due_ = std::min({due_, due, saturating_add(opened, o.replay.give_up_after)});
    ripen(hole.last, o);
  }

  // Numbers of this range have come, or will never come.
  void settle(sequence_range range, const gap_tracker_options& o, gap_tally& tally) {
    if (!abandoned_.empty()) tally.recovered += abandoned_.erase(range);
    if (!missing_.empty()) close(range, o, tally);
    bound(o);
  }

  // A number that is missing has come.
  void fill(std::uint64_t number, const gap_tracker_options& o, gap_tally& tally) {
    const auto gap = missing_.from(number);
    if (o.reorder_distance && gap->first < number) ripen(number - 1, o);  // what is left below ends lower
    const std::size_t i = timer_of(number);
    tally.recovered += timers_[i].level > 0;
    drop_if_empty(i, missing_.erase(gap, number));
  }
  // A number that had been given up has come.
  [[gnu::noinline]] void recover(std::uint64_t number, const gap_tracker_options& o, gap_tally& tally) {
    tally.recovered += abandoned_.erase({number, number});
    bound(o);
  }

  // Numbers that had come are missing again; they take part in what the missing one before them waits for, or behind
  // them where there is none.
  void reopen(sequence_range range, timestamp now, const gap_tracker_options& o, gap_tally& tally) {
    if (timers_.empty()) return open(range, now, o);
    const auto above = missing_.from(range.first);
    if (above == missing_.begin()) {
      timers_.front().first = std::min(timers_.front().first, range.first);
    } else if (const std::size_t next = timer_of(above[-1].last) + 1;
               next < timers_.size() && timers_[next].first <= range.last) {
      timers_[next].first = range.last + 1;
    }
    missing_.insert(range);
    if (timers_[timer_of(range.first)].level > 0) tally.found += range.size();
    schedule(o);
  }

  void keep_below(std::uint64_t number) {
    missing_.erase({number, most});
    abandoned_.erase({number, most});
    while (!timers_.empty() && timers_.back().first >= number) timers_.pop_back();
    floor_ = std::min(floor_, number);
    settle_timers();
  }
  void keep_from(std::uint64_t number) {
    if (number == 0) return;
    missing_.erase({0, number - 1});
    abandoned_.erase({0, number - 1});
    while (timers_.size() > 1 && timers_[1].first <= number) timers_.pop_front();
    if (!timers_.empty()) timers_.front().first = std::max(timers_.front().first, number);
    settle_timers();
  }

  // The lowest gap, with what is known of it: f(range, opened, attempts).
  template <class F>
  void tell_lowest(F&& f) const {
    const timer& t = timers_.front();
    f(missing_.front(), t.opened, attempts(t));
  }
  template <class F>
  void tell_all(F&& f) const {
    for (std::size_t i = 0; i < timers_.size(); ++i) {
      const timer& t = timers_[i];
      missing_.for_each_overlap({t.first, last_of(i)}, [&](sequence_range r) { f(r, t.opened, attempts(t)); });
    }
  }
  // A range within one gap, where there is room.
  [[gnu::noinline]] void give_up(sequence_range range, const gap_tracker_options& o, gap_tally& tally) {
    const auto gap = missing_.from(range.first);
    const std::size_t i = timer_of(range.first);
    if (*gap == range && range.last <= last_of(i)) {
      if (timers_[i].level == 0) tally.found += range.size();  // what was never told is found now
      drop_if_empty(i, missing_.erase(gap));
    } else {
      gap_tally closed;
      close(range, o, closed);
      tally.found += range.size() - closed.recovered;
    }
    abandoned_.insert(range);
    bound(o);
  }
  // Gives up all that is missing, and forgets it.
  void give_up_all(gap_tally& tally) noexcept {
    tally.found += missing_.count() - missing_and_found();
    clear();
  }
  // How many numbers were found missing and have not come, as far as is remembered.
  std::uint64_t lost() const noexcept { return abandoned_.count() + missing_and_found(); }

  // Nothing is due by time before; `high` is the highest number known.
  timestamp due(std::uint64_t high) const noexcept { return ripe_ && high >= *ripe_ ? timestamp::min() : due_; }

  template <class Stream, class Told>
  void advance(timestamp now, std::uint64_t high, const Stream& stream, Told& told, const gap_tracker_options& o,
               std::uint32_t& requests_left, gap_tally& tally) {
    find(now, high, stream, told, o, tally);
    give_up_old(now, stream, told, o, tally);
    ask(now, stream, told, o, requests_left, tally);
  }

  // Notes a number that is out of range; true if so many have come in succession that they are to be believed.
  bool is_proof(std::uint64_t number, const gap_tracker_options& o) const noexcept {
    return o.resynchronise_after != 0 && probes_after(number) >= o.resynchronise_after;
  }
  void probe(std::uint64_t first, std::uint64_t last) noexcept {
    const std::uint32_t probes = probes_after(first);
    if (probes == 1) probe_from_ = first;
    probes_ = probes;
    probe_next_ = last + 1;
  }
  // Where the stream would resume with a number that is proof.
  std::uint64_t resumed_at(std::uint64_t number) const noexcept {
    return probes_after(number) > 1 ? probe_from_ : number;
  }

  void save(snapshot_writer& w) const {
    missing_.save(w);
    abandoned_.save(w);
    w.u64(timers_.size());
    for (const timer& t : timers_) {
      w.u64(t.first);
      w.time(t.opened);
      w.u32(t.level);
      if (t.level > 0) w.time(t.due);
    }
    for (const std::uint64_t n : {floor_, probe_from_, probe_next_}) w.u64(n);
    w.u32(probes_);
  }
  // All numbers must lie from `first` to `high`.
  [[nodiscard]] bool load(snapshot_reader& r, std::uint64_t first, std::uint64_t high, const gap_tracker_options& o) {
    clear();
    if (!missing_.load(r, o.max_gaps) || !abandoned_.load(r, o.max_gaps)) return false;
    const std::uint64_t timers = r.u64();
    for (std::uint64_t i = 0; i < timers && r.ok(); ++i) {
      timer t;
      t.first = r.u64();
      t.opened = r.time();
      t.level = r.u32();
      t.due = t.level > 0 ? r.time() : due_of(t.opened, o);
      timers_.push_back(t);
    }
    for (std::uint64_t* n : {&floor_, &probe_from_, &probe_next_}) *n = r.u64();
    probes_ = r.u32();
    if (!r.ok() || !is_consistent(first, high)) return false;
    schedule(o);
    return true;
  }

  // When a hole that opened then becomes a gap by time.
  static timestamp due_of(timestamp opened, const gap_tracker_options& o) noexcept {
    if (o.reorder_delay) return saturating_add(opened, *o.reorder_delay);
    return o.reorder_distance ? never : opened;
  }
  void bound(const gap_tracker_options& o) noexcept {
    while (abandoned_.size() > o.max_gaps) {
      floor_ = std::max(floor_, abandoned_.front().last + 1);
      abandoned_.pop_front();
    }
  }

 private:
  static std::uint32_t attempts(const timer& t) noexcept { return t.level == 0 ? 0 : t.level - 1; }
  static constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  static constexpr sequence_range nothing{1, 0};

  std::size_t timer_of(std::uint64_t number) const noexcept {
    if (timers_.size() < 2 || number < timers_[1].first) return 0;  // what comes or is given up is often the oldest
    const auto after =
        std::partition_point(timers_.begin(), timers_.end(), [number](const timer& t) { return t.first <= number; });
    return static_cast<std::size_t>(after - timers_.begin()) - 1;
  }
  // The first timer, of the first `end`, that has this level or a lower one.
  std::size_t first_of(std::uint32_t level, std::size_t end) const noexcept {
    if (end == 0 || timers_.front().level <= level) return 0;
    if (timers_[end - 1].level > level) return end;
    if (timers_[end - 2].level > level) return end - 1;  // end is 2 at least, as the front is of a higher level
    return static_cast<std::size_t>(std::partition_point(timers_.begin(), timers_.begin() + end,
                                                         [level](const timer& t) { return t.level > level; }) -
                                    timers_.begin());
  }
  std::uint64_t last_of(std::size_t i) const noexcept {
    return i + 1 < timers_.size() ? timers_[i + 1].first - 1 : most;
  }
  // The lowest range that reaches the numbers of a timer: often there is one for each.
  interval_set::const_iterator gap_of(std::size_t i) const noexcept {
    const std::uint64_t number = timers_[i].first;
    const auto guess = missing_.begin() + std::min(i, missing_.size() - 1);
    const bool is_it = guess->last >= number && (guess == missing_.begin() || guess[-1].last < number);
    return is_it ? guess : missing_.from(number);
  }
  // The lowest missing range of a timer.
  sequence_range first_missing(std::size_t i) const noexcept {
    const auto gap = gap_of(i);
    if (gap == missing_.end() || gap->first > last_of(i)) return nothing;
    return {std::max(gap->first, timers_[i].first), std::min(gap->last, last_of(i))};
  }
  // Whether more of a timer is missing than the numbers up to `last`, which end in its lowest range.
  bool has_missing_above(std::size_t i, std::uint64_t last) const noexcept {
    if (last >= last_of(i)) return false;  // the next timer may hold the rest of the same range
    const auto gap = gap_of(i);
    return gap->last > last || (gap + 1 != missing_.end() && gap[1].first <= last_of(i));
  }

  [[gnu::noinline]] void close(sequence_range range, const gap_tracker_options& o, gap_tally& tally) {
    const std::size_t begin = range.first < timers_.front().first ? 0 : timer_of(range.first);
    std::size_t end = begin + 1;
    if (range.first == range.last) {
      if (missing_.erase(range) == 0) return;
      tally.recovered += timers_[begin].level > 0;
    } else {
      for (end = begin; end < timers_.size() && timers_[end].first <= range.last; ++end) {
        if (timers_[end].level == 0) continue;
        const sequence_range part{std::max(range.first, timers_[end].first), std::min(range.last, last_of(end))};
        missing_.for_each_overlap(part, [&](sequence_range r) { tally.recovered += r.size(); });
      }
      missing_.erase(range);
    }
    if (missing_.empty()) {
      timers_.clear();
      due_ = never;
      ripe_.reset();
      return;
    }
    drop_empty(begin, end);
    if (o.reorder_distance) {  // what is left of a gap may end lower, and be ripe sooner
      const auto above = missing_.from(range.first);
      if (above != missing_.begin() && above[-1].last + 1 == range.first) ripen(above[-1].last, o);
    }
  }

  // After numbers have gone at an end. When something is due is found out by the next advance.
  void settle_timers() noexcept {
    if (missing_.empty()) timers_.clear();
    drop_empty(0, timers_.size());
    due_ = timers_.empty() ? never : timestamp::min();
    ripe_.reset();
  }

  // After numbers of timer i have gone, of which `above` are the missing ones above.
  void drop_if_empty(std::size_t i, interval_set::const_iterator above) noexcept {
    if (missing_.empty()) {
      timers_.clear();
      due_ = never;
      ripe_.reset();
    } else if (timers_.size() > 1) {
      const bool has_above = above != missing_.end() && above->first <= last_of(i);
      const bool has_below = above != missing_.begin() && above[-1].last >= timers_[i].first;
      if (!has_above && !has_below) timers_.erase(timers_.begin() + i, timers_.begin() + i + 1);
    }
  }

  void drop_empty(std::size_t begin, std::size_t end) noexcept {
    std::size_t kept = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (!first_missing(i).empty()) timers_[kept++] = timers_[i];
    }
    if (kept < end) timers_.erase(timers_.begin() + kept, timers_.begin() + end);
  }

  std::uint64_t missing_and_found() const noexcept {
    if (timers_.empty() || timers_.front().level == 0) return 0;
    const std::size_t holes = first_of(0, timers_.size());
    if (holes == timers_.size()) return missing_.count();
    std::uint64_t n = 0;
    missing_.for_each_overlap({timers_.front().first, timers_[holes].first - 1},
                              [&](sequence_range r) { n += r.size(); });
    return n;
  }

  // Gives the numbers of timer i up to `last` the next level. The timer of the numbers that are left, or behind.
  // Where there are as many timers as gaps may be, what is asked for together waits together, for the longer time.
  std::size_t promote(std::size_t i, std::uint64_t last, timestamp due, const gap_tracker_options& o) {
    timer t = timers_[i];
    const bool has_rest = has_missing_above(i, last);
    ++t.level;
    t.due = due;
    if (i > 0 && timers_[i - 1].level == t.level) {
      timer& previous = timers_[i - 1];
      t.due = std::max(t.due, previous.due);
      if ((previous.opened == t.opened && previous.due == t.due) || timers_.size() >= o.max_gaps) {
        previous.due = t.due;
        if (has_rest) {
          timers_[i].first = last + 1;
        } else {
          timers_.erase(timers_.begin() + i, timers_.begin() + i + 1);
        }
        return i;
      }
    }
    if (has_rest) {
      timers_.insert(timers_.begin() + i, t);
      timers_[i + 1].first = last + 1;
    } else {
      timers_[i] = t;
    }
    return i + 1;
  }

  static bool is_old(const timer& t, timestamp now, const gap_tracker_options& o) noexcept {
    return elapsed(t.opened, now) >= o.replay.give_up_after;
  }

  template <class Stream, class Told>
  void find(timestamp now, std::uint64_t high, const Stream& stream, Told& told, const gap_tracker_options& o,
            gap_tally& tally) {
    for (std::size_t i = first_of(0, timers_.size()); i < timers_.size();) {
      const timer t = timers_[i];
      const sequence_range gap = first_missing(i);
      const bool is_time = now >= t.due || is_old(t, now, o);
      if (!is_time && !(o.reorder_distance && high >= ripe_at(gap.last, o))) return;
      timers_.make_room();
      told(gap_found<Stream>{stream, gap, t.opened});
      tally.found += gap.size();
      i = promote(i, gap.last, now, o);
    }
  }

  template <class Stream, class Told>
  void give_up_old(timestamp now, const Stream& stream, Told& told, const gap_tracker_options& o, gap_tally& tally) {
    while (!timers_.empty() && is_old(timers_.front(), now, o)) {
      tell_given_up(0, stream, told, abandon_reason::age, o, tally);
    }
  }
  template <class Stream, class Told>
  void tell_given_up(std::size_t i, const Stream& stream, Told& told, abandon_reason reason,
                     const gap_tracker_options& o, gap_tally& tally) {
    const timer t = timers_[i];
    const sequence_range gap = first_missing(i);
    make_room();
    told(gap_abandoned<Stream>{stream, gap, t.opened, attempts(t), reason});
    give_up(gap, o, tally);
  }

  // Asks for what is due, from the lowest level up, and gives up what was asked for often enough.
  template <class Stream, class Told>
  void ask(timestamp now, const Stream& stream, Told& told, const gap_tracker_options& o, std::uint32_t& requests_left,
           gap_tally& tally) {
    const replay_policy& replay = o.replay;
    bool may_ask = true;
    schedule(o, [&](std::size_t i, std::uint32_t level) {
      if (level == 0 || replay.max_attempts == 0) return i;
      while (i < timers_.size() && timers_[i].level == level && timers_[i].due <= now) {
        if (level > replay.max_attempts) {
          tell_given_up(i, stream, told, abandon_reason::attempts, o, tally);
          continue;
        }
        if (!may_ask || requests_left == 0) break;
        sequence_range part = first_missing(i);
        part.last = part.first + std::min(part.last - part.first, replay.max_range - 1);
        timers_.make_room();
        may_ask = was_sent(told, replay_request<Stream>{stream, part, level, replay.max_attempts});
        if (!may_ask) break;
        --requests_left;
        i = promote(i, part.last, saturating_add(now, replay.wait_after(level)), o);
      }
      return i;
    });
  }
  template <class Told, class Request>
  static bool was_sent(Told& told, const Request& request) {
    if constexpr (std::is_same_v<decltype(told(request)), bool>) {
      return told(request);
    } else {
      told(request);
      return true;
    }
  }

  static std::uint64_t ripe_at(std::uint64_t last, const gap_tracker_options& o) noexcept {
    return last < most - *o.reorder_distance ? last + *o.reorder_distance : most;
  }
  void ripen(std::uint64_t last, const gap_tracker_options& o) noexcept {
    if (o.reorder_distance) ripe_ = std::min(ripe_.value_or(most), ripe_at(last, o));
  }

  // Finds out what is due first. Each level begins with its earliest timer, from where visit(timer, level) may go on.
  template <class Visit>
  void schedule(const gap_tracker_options& o, Visit visit) {
    timestamp due = never;
    std::optional<std::uint64_t> ripe;
    for (std::size_t end = timers_.size(); end > 0;) {
      const std::uint32_t level = timers_[end - 1].level;
      end = visit(first_of(level, end), level);
      if (end == timers_.size() || timers_[end].level != level) continue;
      if (level == 0 || o.replay.max_attempts > 0) due = std::min(due, timers_[end].due);
      if (level == 0 && o.reorder_distance) ripe = ripe_at(first_missing(end).last, o);
    }
    if (!timers_.empty()) due = std::min(due, saturating_add(timers_.front().opened, o.replay.give_up_after));
    due_ = due;
    ripe_ = ripe;
  }
  void schedule(const gap_tracker_options& o) {
    schedule(o, [](std::size_t i, std::uint32_t) { return i; });
  }

  bool is_consistent(std::uint64_t first, std::uint64_t high) const noexcept {
    const auto lies_within = [&](const interval_set& s) {
      return s.empty() || (s.front().first >= first && s.back().last <= high);
    };
    if (!lies_within(missing_) || !lies_within(abandoned_) || (floor_ != 0 && floor_ - 1 > high)) return false;
    if (probes_ > 0 && probe_from_ > probe_next_ - 1) return false;
    for (const sequence_range& gap : missing_) {
      bool is_abandoned = false;
      abandoned_.for_each_overlap(gap, [&](sequence_range) { is_abandoned = true; });
      if (is_abandoned) return false;
    }
    if (timers_.empty() || missing_.empty()) return timers_.empty() && missing_.empty();
    if (timers_.front().first > missing_.front().first) return false;
    for (std::size_t i = 0; i < timers_.size(); ++i) {
      if (i > 0) {
        const timer& a = timers_[i - 1];
        const timer& b = timers_[i];
        if (a.first >= b.first || a.opened > b.opened || a.level < b.level) return false;
        if (a.level == b.level && a.due > b.due) return false;
      }
    }
    for (std::size_t i = 0; i < timers_.size(); ++i) {
      if (first_missing(i).empty()) return false;
    }
    return true;
  }

  std::uint32_t probes_after(std::uint64_t number) const noexcept {
    return probes_ > 0 && number == probe_next_ && number != 0 ? probes_ + 1 : 1;
  }

  interval_set missing_;
  interval_set abandoned_;
  flat_deque<timer, 1> timers_;
  timestamp due_ = never;              // nothing is due by time before
  std::optional<std::uint64_t> ripe_;  // nothing is due by distance before this number has come
  std::uint64_t floor_ = 0;            // 0, or one above the highest range given up that was forgotten
  std::uint64_t probe_from_ = 0;       // numbers out of range: where their succession began, which comes next, how many
  std::uint64_t probe_next_ = 0;
  std::uint32_t probes_ = 0;
};

}  // namespace recoup::detail
