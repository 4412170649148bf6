// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/interval_set.hpp"
#include "recoup/core/sequence_number.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/findings.hpp"
#include "recoup/sequence/replay_policy.hpp"

namespace recoup {

/// What a number's arrival means. Every number received is counted under exactly one of these. (32 bits wide, so that a
/// judgement has no padding and stays in registers.)
enum class arrival : std::uint32_t {
  in_order,   ///< the one expected next, or the stream's first
  ahead,      ///< later ones than expected: opens a hole before it
  filled,     ///< was missing
  late,       ///< was missing and had been given up
  duplicate,  ///< had come before
  stale,      ///< from before what the tracker remembers, or no number of this stream: a guess would be dishonest
};
inline constexpr std::size_t arrival_kinds = 6;

[[nodiscard]] constexpr std::string_view name_of(arrival a) {
  constexpr std::array<std::string_view, arrival_kinds> names{"in_order", "ahead",     "filled",
                                                              "late",     "duplicate", "stale"};
  return names[static_cast<std::size_t>(a)];
}

/// A hole becomes a gap, which is reported and asked for, when later numbers have come and reordering can't explain it
/// any more: by distance, by time, or by whichever comes first where both are given (RFC 9002, section 6.1); at once
/// where neither is.
struct gap_tracker_options {
  unsigned bits = 64;  ///< width of the sequence number as sent, 1 to 64; it wraps after 2^bits
  std::optional<std::uint64_t> expect_from =
      {};  ///< the first number there must be; else the first arrival is the first
  std::optional<std::uint64_t> reorder_distance = {};  ///< missing once a number this much above the hole has come
  std::optional<duration> reorder_delay = {};          ///< missing once this long has passed since a higher one came
  std::size_t max_gaps = 4'096;  ///< missing ranges kept at once; beyond it the lowest is given up
  replay_policy replay = {};
};

/// Knows which sequence numbers of one stream are missing, in memory that depends on the holes and not on the stream.
/// Numbers are 64-bit; narrower ones are unwrapped to 64 bits, and all ranges are told in 64-bit numbers.
///
/// Invariant: every number from the first to the highest is missing (in one gap), given up, or has been received; so a
/// duplicate is recognised however old it is, down to the lowest given-up range that is still remembered.
/// Cost: in order, a comparison and two increments; else O(log gaps) to judge and O(gaps) to move a sorted array.
/// Bytes: sizeof(gap_tracker), and once there are more than none 40 a gap, at most 40 * (max_gaps + 1); the ranges
/// given up take 16 each, in room that doubles: less than 32 * (max_gaps + 1). Allocates only while the number of gaps,
/// or of ranges given up, grows to a new high; where that fails, `commit` or `forget` has changed nothing.
///
/// `judge` changes nothing; `commit` makes it so; `observe` is both. `advance` is the only clock: it reports gaps,
/// hands out replay requests and gives up.
class gap_tracker {
 public:
  /// What is known of a number before anything changes. Valid until the tracker next changes.
  struct judgement {
    std::uint64_t sequence = 0;  ///< the number, unwrapped
    arrival answer = arrival::stale;
    std::uint32_t gap = 0;  ///< if filled: which gap
  };

  struct observation {
    arrival answer;
    std::uint64_t sequence;  ///< the number, unwrapped
    sequence_range hole;     ///< if ahead: the numbers that are missing from now on; else empty
  };

  gap_tracker() : gap_tracker(gap_tracker_options()) {}
  explicit gap_tracker(gap_tracker_options options)
      : options_(checked(options)), mask_(~std::uint64_t{0} >> (64 - options.bits)) {
    if (options_.expect_from) start(*options_.expect_from);
  }

  [[nodiscard]] judgement judge(std::uint64_t number) const {
    if (number == (next_ & mask_) && running_) [[likely]]
      return {next_, arrival::in_order, 0};
    return judge_out_of_order(number);
  }

  void commit(judgement j, timestamp now) {
    if (is_next(j)) [[likely]] {
      commit_next();
    } else {
      commit_out_of_order(j, now);
      ++counts_[static_cast<std::size_t>(j.answer)];
    }
  }

  /// Whether this is the usual case, for which commit_next will do: the number that was expected next.
  [[nodiscard]] bool is_next(judgement j) const noexcept { return j.answer == arrival::in_order && running_; }
  /// commit, for a judgement that is_next.
  void commit_next() noexcept {
    ++counts_[static_cast<std::size_t>(arrival::in_order)];
    step_to(next_);
  }

  observation observe(std::uint64_t number, timestamp now) {
    const judgement j = judge(number);
    const observation seen{j.answer, j.sequence, hole(j)};
    commit(j, now);
    return seen;
  }

  /// The numbers that will be missing once this is committed; empty unless it is ahead.
  [[nodiscard]] sequence_range hole(judgement j) const noexcept {
    return j.answer == arrival::ahead ? sequence_range{next_, j.sequence - 1} : sequence_range{1, 0};
  }

  /// Tells gap_abandoned for the numbers that committing this will give up, if any.
  template <class Stream, class Told>
  void tell_displaced(judgement j, const Stream& stream, Told&& told) const {
    if (!displaces(j)) return;
    const gap& g = gaps_.front();
    told(gap_abandoned<Stream>{stream, displaced(j), g.opened, g.attempts, abandon_reason::capacity});
  }

  /// Takes the arrival of a number back, so that it is missing again. False if it had not arrived, or if there is no
  /// room for another gap.
  bool forget(std::uint64_t number, timestamp now) {
    const judgement seen = judge(number);
    if (seen.answer != arrival::duplicate || gaps_.size() == options_.max_gaps) return false;
    make_room();
    insert_gap({{seen.sequence, seen.sequence}, now, due_at(now), 0, false});
    return true;
  }

  /// Tells what is due at `now`, with findings that name `stream`: told(gap_found), told(replay_request),
  /// told(gap_abandoned). Each is counted as told when told() returns; if it throws, that one is told again next time.
  /// told() must not change the tracker. O(1) if nothing is due, else O(gaps).
  template <class Stream, class Told>
  void advance(timestamp now, const Stream& stream, Told&& told) {
    if (now < due()) [[likely]]
      return;
    for (std::size_t i = 0; i < gaps_.size();) {
      if (!advance_gap(gaps_[i], now, stream, told)) {
        abandon(i);
      } else {
        ++i;
      }
    }
    schedule();
  }
  template <class Told>
  void advance(timestamp now, Told&& told) {
    advance(now, only_stream{}, told);
  }

  /// When advance has something to do next, as far as is known now: the least time if it has at once, the greatest if
  /// it never has.
  [[nodiscard]] timestamp due() const noexcept { return is_ripe(ripe_) ? timestamp::min() : due_; }

  /// The number that is expected next: one above the highest; nothing before the first number, and after 2^64 - 1.
  [[nodiscard]] std::optional<std::uint64_t> expected() const noexcept {
    return running_ ? std::optional(next_) : std::nullopt;
  }
  /// The highest number received; nothing before the first.
  [[nodiscard]] std::optional<std::uint64_t> high_position() const noexcept {
    return started_ && (!running_ || next_ != first_) ? std::optional(next_ - 1) : std::nullopt;
  }
  /// The highest number up to which nothing is missing (received or given up): safe to commit. Nothing before it
  /// exists.
  [[nodiscard]] std::optional<std::uint64_t> contiguous_position() const noexcept {
    if (gaps_.empty()) return high_position();
    const std::uint64_t first = gaps_.front().range.first;
    return first > first_ ? std::optional(first - 1) : std::nullopt;
  }

  /// Calls f(sequence_range) for each range that is missing and not given up, lowest first.
  template <class F>
  void for_each_missing(F&& f) const {
    for (const gap& g : gaps_) f(g.range);
  }
  [[nodiscard]] std::size_t gap_count() const noexcept { return gaps_.size(); }
  /// 2^64 - 1 also where all 2^64 numbers are missing.
  [[nodiscard]] std::uint64_t missing_count() const noexcept {
    return missing_ == 0 && !gaps_.empty() ? ~std::uint64_t{0} : missing_;
  }
  /// How many numbers were ever found missing (told by gap_found, or given up before that), and how many of them have
  /// come since: the difference is what the stream has lost.
  [[nodiscard]] std::uint64_t found_count() const noexcept { return found_; }
  [[nodiscard]] std::uint64_t recovered_count() const noexcept { return recovered_; }
  /// Ranges given up and still remembered, whose numbers would be late.
  [[nodiscard]] const interval_set& abandoned() const noexcept { return abandoned_; }

  /// How many numbers were received with this answer. Their sum is how many were received.
  [[nodiscard]] std::uint64_t count(arrival a) const noexcept { return counts_[static_cast<std::size_t>(a)]; }
  [[nodiscard]] const gap_tracker_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const replay_policy& r = options_.replay;
    return detail::combine({options_.bits, detail::option(options_.expect_from),
                            detail::option(options_.reorder_distance), detail::option(options_.reorder_delay),
                            options_.max_gaps, r.max_attempts, detail::option(r.first_wait),
                            detail::option(r.longest_wait), detail::option(r.give_up_after)});
  }
  [[nodiscard]] gap_tracker empty_copy() const { return gap_tracker(options_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("GAPS"), 1);
    w.boolean(started_);
    w.boolean(running_);
    for (const std::uint64_t n : {first_, floor_, next_, found_, recovered_}) w.u64(n);
    for (const std::uint64_t n : counts_) w.u64(n);
    w.u64(gaps_.size());
    for (const gap& g : gaps_) {
      w.u64(g.range.first);
      w.u64(g.range.last);
      w.time(g.opened);
      w.time(g.due);
      w.u32(g.attempts);
      w.boolean(g.found);
    }
    abandoned_.save(w);
    w.end_section();
  }

  [[nodiscard]] bool load(snapshot_reader& r) {
    gap_tracker loaded = empty_copy();
    (void)r.begin_section(section_tag("GAPS"), 1);
    loaded.started_ = r.boolean();
    loaded.running_ = r.boolean();
    for (std::uint64_t* n : {&loaded.first_, &loaded.floor_, &loaded.next_, &loaded.found_, &loaded.recovered_}) {
      *n = r.u64();
    }
    for (std::uint64_t& n : loaded.counts_) n = r.u64();
    const std::size_t gaps = r.count(options_.max_gaps);
    for (std::size_t i = 0; i < gaps && r.ok(); ++i) {
      gap g;
      g.range = {r.u64(), r.u64()};
      g.opened = r.time();
      g.due = r.time();
      g.attempts = r.u32();
      g.found = r.boolean();
      loaded.make_room();
      loaded.gaps_.push_back(g);
    }
    if (!loaded.abandoned_.load(r, options_.max_gaps)) return false;
    r.end_section();
    if (!r.ok() || !loaded.is_consistent()) return false;
    for (const gap& g : loaded.gaps_) loaded.missing_ += g.range.size();
    loaded.schedule();
    *this = std::move(loaded);
    return true;
  }

 private:
  struct gap {
    sequence_range range{0, 0};
    timestamp opened;
    timestamp due;  // when it becomes a gap; once found, when the next replay request is due
    std::uint32_t attempts = 0;
    bool found = false;
  };
  static constexpr timestamp never = timestamp::max();

  static gap_tracker_options checked(gap_tracker_options o) {
    detail::require_option(o.bits >= 1 && o.bits <= 64, "gap_tracker_options.bits must be 1 to 64");
    detail::require_option(o.max_gaps >= 1 && o.max_gaps < (std::size_t{1} << 32),
                           "gap_tracker_options.max_gaps must be 1 to 2^32 - 1");
    detail::require_option(!o.reorder_delay || *o.reorder_delay >= duration::zero(),
                           "gap_tracker_options.reorder_delay must not be negative");
    o.replay = detail::checked(o.replay);
    return o;
  }

  [[gnu::noinline]] judgement judge_out_of_order(std::uint64_t number) const {
    sequence_unwrapper unwrapper(options_.bits);
    if (started_) unwrapper.commit(high_position().value_or(next_));
    const std::optional<std::uint64_t> unwrapped = unwrapper.unwrap(number);
    if (!unwrapped) return {number, arrival::stale, 0};

    const std::uint64_t sequence = *unwrapped;
    if (!started_ || (running_ && sequence == next_)) return {sequence, arrival::in_order, 0};
    if (running_ && sequence > next_) return {sequence, arrival::ahead, 0};
    if (const auto at = gap_of(sequence); at != gaps_.end()) {
      return {sequence, arrival::filled, static_cast<std::uint32_t>(at - gaps_.begin())};
    }
    if (abandoned_.contains(sequence)) return {sequence, arrival::late, 0};
    return {sequence, sequence < floor_ ? arrival::stale : arrival::duplicate, 0};
  }

  [[gnu::noinline]] void commit_out_of_order(judgement j, timestamp now) {
    switch (j.answer) {
      case arrival::in_order:
        if (!started_) start(j.sequence);
        step_to(j.sequence);
        break;
      case arrival::ahead: {
        const sequence_range missing = hole(j);
        make_room();
        if (displaces(j)) abandon(0);
        step_to(j.sequence);
        insert_gap({missing, now, due_at(now), 0, false});
        break;
      }
      case arrival::filled:
        fill(j);
        break;
      case arrival::late:
        abandoned_.erase({j.sequence, j.sequence});  // may split a range
        bound_abandoned();
        ++recovered_;
        break;
      case arrival::duplicate:
      case arrival::stale:
        break;
    }
  }

  // Whether committing this takes one gap more than max_gaps.
  bool displaces(judgement j) const noexcept {
    if (gaps_.size() < options_.max_gaps) return false;
    return j.answer == arrival::filled ? splits(j) : j.answer == arrival::ahead;
  }
  bool splits(judgement j) const noexcept {
    const sequence_range whole = gaps_[j.gap].range;
    return whole.first < j.sequence && j.sequence < whole.last;
  }
  // The lowest gap, but for its part above a number that splits it.
  sequence_range displaced(judgement j) const noexcept {
    const sequence_range lowest = gaps_.front().range;
    return j.answer == arrival::filled && j.gap == 0 ? sequence_range{lowest.first, j.sequence - 1} : lowest;
  }

  void start(std::uint64_t first) noexcept {
    started_ = running_ = true;
    first_ = floor_ = next_ = first;
  }
  void step_to(std::uint64_t number) noexcept {
    next_ = number + 1;
    if (next_ == 0) [[unlikely]]
      running_ = false;
  }

  std::vector<gap>::const_iterator gap_of(std::uint64_t number) const {
    const auto above = std::upper_bound(gaps_.begin(), gaps_.end(), number,
                                        [](std::uint64_t n, const gap& g) { return n < g.range.first; });
    if (above == gaps_.begin() || !std::prev(above)->range.contains(number)) return gaps_.end();
    return std::prev(above);
  }

  // For one gap more, max_gaps + 1 at most, and for giving one up in exchange: these can't fail any more.
  void make_room() {
    if (gaps_.size() == gaps_.capacity()) gaps_.reserve(std::min(2 * gaps_.size() + 1, options_.max_gaps + 1));
    if (gaps_.size() == options_.max_gaps) abandoned_.reserve(abandoned_.size() + 1);
  }

  // There must be room.
  void insert_gap(const gap& g) {
    const auto at = std::upper_bound(gaps_.begin(), gaps_.end(), g.range.first,
                                     [](std::uint64_t n, const gap& other) { return n < other.range.first; });
    gaps_.insert(at, g);
    missing_ += g.range.size();
    schedule(g);
  }

  void fill(judgement j) {
    const std::uint64_t n = j.sequence;
    if (splits(j)) make_room();
    gap& g = gaps_[j.gap];
    --missing_;
    recovered_ += g.found;
    if (g.range.first == g.range.last) {
      gaps_.erase(gaps_.begin() + j.gap);
    } else if (n == g.range.first) {
      ++g.range.first;
    } else if (n == g.range.last) {
      --g.range.last;
      schedule(g);  // it ends lower, so it is ripe sooner
    } else {
      gap above = g;
      above.range.first = n + 1;
      g.range.last = n - 1;
      schedule(g);
      gaps_.insert(gaps_.begin() + j.gap + 1, above);  // at most max_gaps + 1 for a moment
      if (gaps_.size() > options_.max_gaps) abandon(0);
    }
  }

  void abandon(std::size_t i) {
    const sequence_range range = gaps_[i].range;
    abandoned_.insert(range);  // first, as it may fail
    if (!gaps_[i].found) found_ += range.size();
    gaps_.erase(gaps_.begin() + static_cast<std::ptrdiff_t>(i));
    missing_ -= range.size();
    bound_abandoned();
  }
  void bound_abandoned() {
    if (abandoned_.size() <= options_.max_gaps) return;
    floor_ = std::max(floor_, abandoned_.front().last + 1);
    abandoned_.pop_front();
  }

  timestamp due_at(timestamp now) const noexcept {
    if (options_.reorder_delay) return saturating_add(now, *options_.reorder_delay);
    return options_.reorder_distance ? never : now;
  }
  // The highest number must reach this for a hole to be a gap by distance; nothing if that can't make it one.
  std::optional<std::uint64_t> ripe_at(const gap& g) const noexcept {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    if (g.found || !options_.reorder_distance) return std::nullopt;
    return g.range.last < most - *options_.reorder_distance ? g.range.last + *options_.reorder_distance : most;
  }

  bool is_ripe(std::optional<std::uint64_t> at) const noexcept { return at && next_ - 1 >= *at; }

  // Tells what is due of one gap; false if it is now given up.
  template <class Stream, class Told>
  bool advance_gap(gap& g, timestamp now, const Stream& stream, Told& told) {
    const replay_policy& replay = options_.replay;
    const bool is_old = elapsed(g.opened, now) >= replay.give_up_after;
    if (!g.found) {
      if (now < g.due && !is_ripe(ripe_at(g)) && !is_old) return true;
      told(gap_found<Stream>{stream, g.range, g.opened});
      g.found = true;
      g.due = now;
      found_ += g.range.size();
    }
    const bool is_wait_over = now >= g.due;
    if (is_old || (is_wait_over && g.attempts > 0 && g.attempts >= replay.max_attempts)) {
      told(gap_abandoned<Stream>{stream, g.range, g.opened, g.attempts,
                                 is_old ? abandon_reason::age : abandon_reason::attempts});
      return false;
    }
    if (is_wait_over && g.attempts < replay.max_attempts) {
      told(replay_request<Stream>{stream, g.range, g.attempts + 1, replay.max_attempts});
      ++g.attempts;
      g.due = saturating_add(now, replay.wait_after(g.attempts));
    }
    return true;
  }

  void schedule() noexcept {
    due_ = never;
    ripe_.reset();
    for (const gap& g : gaps_) schedule(g);
  }
  void schedule(const gap& g) noexcept {
    if (!g.found || options_.replay.max_attempts > 0) due_ = std::min(due_, g.due);
    due_ = std::min(due_, saturating_add(g.opened, options_.replay.give_up_after));
    if (const auto at = ripe_at(g); at && (!ripe_ || *at < *ripe_)) ripe_ = at;
  }

  bool is_consistent() const noexcept {
    const std::optional<std::uint64_t>& expected = options_.expect_from;
    if (!started_) {
      return !expected && !running_ && gaps_.empty() && abandoned_.empty() && first_ == 0 && floor_ == 0 && next_ == 0;
    }
    if (expected && first_ != *expected) return false;
    if (floor_ < first_ || (running_ ? floor_ > next_ : next_ != 0)) return false;
    if (running_ && next_ == first_) return expected && gaps_.empty() && abandoned_.empty();
    const std::uint64_t high = next_ - 1;
    for (std::size_t i = 0; i < gaps_.size(); ++i) {
      const gap& g = gaps_[i];
      const sequence_range r = g.range;
      if (r.empty() || r.first < first_ || r.last > high || r.last - r.first == ~std::uint64_t{0}) return false;
      if (g.attempts > options_.replay.max_attempts || (g.attempts > 0 && !g.found)) return false;
      if (i > 0 && r.first <= gaps_[i - 1].range.last) return false;
      bool is_abandoned = false;
      abandoned_.for_each_overlap(r, [&](sequence_range) { is_abandoned = true; });
      if (is_abandoned) return false;
    }
    return abandoned_.empty() || (abandoned_.front().first >= first_ && abandoned_.back().last <= high);
  }

  gap_tracker_options options_;
  std::uint64_t mask_;
  std::uint64_t next_ = 0;  // one above the highest; 0 again after 2^64 - 1
  bool started_ = false;
  bool running_ = false;     // started, and 2^64 - 1 has not come
  std::uint64_t first_ = 0;  // the stream's first number
  std::uint64_t floor_ = 0;  // below it, what is no gap may have been given up or received
  std::vector<gap> gaps_;    // sorted, disjoint
  interval_set abandoned_;
  std::uint64_t missing_ = 0;  // modulo 2^64
  std::uint64_t found_ = 0;
  std::uint64_t recovered_ = 0;
  timestamp due_ = never;              // nothing is due by time before
  std::optional<std::uint64_t> ripe_;  // nothing is due by distance before the highest number reaches this
  std::array<std::uint64_t, arrival_kinds> counts_{};
};

}  // namespace recoup
