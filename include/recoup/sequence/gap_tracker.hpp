// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "recoup/core/interval_set.hpp"
#include "recoup/core/sequence_range.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/arrival.hpp"
#include "recoup/sequence/detail/gap_book.hpp"
#include "recoup/sequence/detail/gap_rules.hpp"
#include "recoup/sequence/detail/gap_union.hpp"
#include "recoup/sequence/detail/stream_position.hpp"
#include "recoup/sequence/findings.hpp"
#include "recoup/sequence/gap_tracker_options.hpp"
#include "recoup/sequence/numbering.hpp"
#include "recoup/sequence/skip_reason.hpp"
#include "recoup/sequence/stream_gaps.hpp"

namespace recoup {

/// Knows which sequence numbers of one stream are missing, in memory that depends on the holes and not on the stream.
/// Numbers are 64-bit; narrower ones are unwrapped to 64 bits, and all ranges are told in 64-bit numbers. For many
/// streams see gap_trackers.
///
/// Invariant: every number from the first to the highest is missing, given up, skipped, or has been received; so a
/// duplicate is recognised however old it is, down to the lowest given-up range that is still remembered.
/// Cost: in order, a comparison and an increment; else O(log gaps) to judge, and moving at most half of the gaps, 16
/// bytes each, to commit. Bytes: sizeof(gap_tracker); on the heap, in at most twice that room, 16 a missing range, 32
/// for all ranges that opened at the same time, and 16 a range given up; of each at most max_gaps, but of the second
/// kind one more for each attempt. Allocates only while one of these comes near a new high; where that fails, `commit`
/// and `forget` have changed nothing.
///
/// `judge` changes nothing; `commit` makes it so; `observe` is both. `advance` is the only clock: it reports gaps,
/// hands out replay requests and gives up. What is given up otherwise, for want of room or as the stream is taken up
/// elsewhere, is told by tell_displaced before a commit, and to the last argument of other functions, as gap_abandoned
/// (and stream_resumed), before anything changes; who doesn't ask finds it in abandoned() and the counters.
class gap_tracker {
 public:
  /// What is known of some numbers before anything changes. Valid until the tracker next changes.
  using judgement = detail::sequence_judgement;

  struct observation {
    arrival answer;
    std::uint64_t sequence;  ///< the number, unwrapped
    sequence_range hole;     ///< if ahead: the numbers that are missing from now on; else empty
  };

  gap_tracker() : gap_tracker(gap_tracker_options()) {}
  explicit gap_tracker(const gap_tracker_options& options) : rules_(options), position_(rules_.fresh()) {
    rules_.enter(position_);
  }

  [[nodiscard]] judgement judge(std::uint64_t number) const {
    if (rules_.is_expected(position_, number)) [[likely]]
      return rules_.expected(position_);
    return judge_unusual(number);
  }
  /// Of `count` successive numbers, from `first` on. The answer is that of the newest kind among them; for_each_run
  /// tells them apart.
  [[nodiscard]] judgement judge(std::uint64_t first, std::uint64_t count) const {
    return rules_.judge(position_, book_, first, count);
  }

  /// f(arrival, sequence_range) for each run of numbers with the same answer, ascending.
  template <class F>
  void for_each_run(const judgement& j, F&& f) const {
    rules_.for_each_run(position_, book_, j, f);
  }

  void commit(const judgement& j, timestamp now) {
    if (is_next(j)) [[likely]] {
      commit_next(j);
    } else {
      commit_unusual(j, now);
    }
  }

  /// Whether this is the usual case, for which commit_next will do: the number that was expected next.
  [[nodiscard]] bool is_next(const judgement& j) const noexcept { return rules_.is_next(position_, j); }
  /// commit, for a judgement that is_next.
  void commit_next(const judgement& j) noexcept { rules_.commit_next(position_, j); }

  observation observe(std::uint64_t number, timestamp now) {
    if (!rules_.is_expected_whole(position_, number)) [[unlikely]]
      return observe_unusual(number, now);
    position_.step_behind(number);  // not behind `next`: that would make each event wait for the one before it
    return {arrival::in_order, number, {1, 0}};
  }
  /// A packet of `count` successive numbers, from `first` on: the same as observing them one by one, in time that
  /// depends on the gaps between them only; but it is out of range as a whole or not at all, and counts as one proof
  /// then, and as a whole it may need less room for gaps. Calls f as for_each_run does; if f throws, nothing has
  /// changed.
  template <class F>
  void observe(std::uint64_t first, std::uint64_t count, timestamp now, F&& f) {
    const judgement j = judge(first, count);
    if (count > 0) for_each_run(j, f);
    commit(j, now);
  }
  /// An event that names the one before it, or whose number only grows: see numbering.hpp.
  observation observe(linked_number number, timestamp now) { return observe_unusual(number, now); }
  observation observe(increasing_number number, timestamp now) { return observe_unusual(number, now); }
  /// All these numbers, one after the other; f(index, observation) for those that are not in order.
  template <class F>
  void observe(std::span<const std::uint64_t> numbers, timestamp now, F&& f) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      i += rules_.commit_run(position_, numbers.subspan(i));
      if (i == numbers.size()) return;
      const observation seen = observe(numbers[i], now);
      if (seen.answer != arrival::in_order) f(i, seen);
    }
  }

  /// A heartbeat or watermark: numbers up to this one exist, so that those which have not come are missing. Returns
  /// them; nothing where they are known already, where the stream has not begun, or where they are more than max_jump.
  template <class Told = detail::tell_nobody>
  sequence_range observe_high(std::uint64_t number, timestamp now, Told&& told = {}) {
    return rules_.expect_through<only_stream>(position_, book_, number, now, only_stream{}, told);
  }

  /// These numbers (unwrapped) will never come, and nobody need ask for them: transaction markers and compacted records
  /// of Kafka, deleted messages, a gap fill of FIX. As if they had come, but not counted as received. Returns how many
  /// of them were missing or not yet expected.
  template <class Told = detail::tell_nobody>
  std::uint64_t skip(sequence_range range, skip_reason reason, timestamp now, Told&& told = {}) {
    return rules_.skip<only_stream>(position_, book_, range, reason, now, only_stream{}, told);
  }

  /// Gives up what is missing, forgets what has come, and expects this number next: a new epoch of the producer.
  template <class Told = detail::tell_nobody>
  void resume_at(std::uint64_t first, Told&& told = {}) {
    rules_.resume<only_stream>(position_, book_, first, only_stream{}, told);
  }

  /// The numbers that will be missing once this is committed; empty unless it is ahead.
  [[nodiscard]] sequence_range hole(const judgement& j) const noexcept { return rules_.hole(position_, j); }

  /// Tells gap_abandoned for the numbers that committing this will give up, if any, and stream_resumed where the stream
  /// will go on elsewhere.
  template <class Stream, class Told>
  void tell_displaced(const judgement& j, const Stream& stream, Told&& told) const {
    rules_.tell_displaced<Stream>(position_, book_, j, stream, told);
  }

  /// Takes the arrival of a number back, so that it is missing again. False if it had not arrived, or if there is no
  /// room for another gap. Where gaps are open, it takes part in the requests of the one before it, or else behind it.
  bool forget(std::uint64_t number, timestamp now) { return rules_.forget(position_, book_, number, now); }

  /// Tells what is due at `now`, with findings that name `stream`: told(gap_found), told(replay_request),
  /// told(gap_abandoned). Each is counted as told when told() returns (and, if it returns a bool, that is true); else
  /// it is told again next time. told() must not change the tracker. O(1) if nothing is due, else O(log gaps) and what
  /// is told.
  template <class Stream, class Told>
  void advance(timestamp now, const Stream& stream, Told&& told) {
    if (now < due()) [[likely]]
      return;
    std::uint32_t requests_left = options().replay.max_requests;
    rules_.advance(position_, book_, now, stream, told, requests_left);
  }
  template <class Told>
  void advance(timestamp now, Told&& told) {
    advance(now, only_stream{}, told);
  }

  /// Where the stream stands, and what is missing of it.
  [[nodiscard]] stream_gaps gaps() const noexcept { return {position_, book_}; }
  [[nodiscard]] timestamp due() const noexcept { return gaps().due(); }
  [[nodiscard]] std::optional<std::uint64_t> expected() const noexcept { return gaps().expected(); }
  [[nodiscard]] std::optional<std::uint64_t> high_position() const noexcept { return gaps().high_position(); }
  [[nodiscard]] std::optional<std::uint64_t> contiguous_position() const noexcept {
    return gaps().contiguous_position();
  }
  [[nodiscard]] const interval_set& missing() const noexcept { return book_.missing(); }
  [[nodiscard]] std::uint64_t missing_count() const noexcept { return book_.missing().count(); }
  [[nodiscard]] std::size_t gap_count() const noexcept { return book_.missing().size(); }
  [[nodiscard]] const interval_set& abandoned() const noexcept { return book_.abandoned(); }

  /// How many numbers were ever found missing (told by gap_found, or given up before that), and how many of them have
  /// come or were skipped since: the difference is what the stream has lost.
  [[nodiscard]] std::uint64_t found_count() const noexcept { return rules_.found(); }
  [[nodiscard]] std::uint64_t recovered_count() const noexcept { return rules_.recovered(); }
  [[nodiscard]] std::uint64_t skipped_count() const noexcept { return rules_.skipped(); }
  [[nodiscard]] std::uint64_t skipped_count(skip_reason reason) const noexcept { return rules_.skipped(reason); }

  /// How many numbers were received with this answer. Their sum is how many were received.
  [[nodiscard]] std::uint64_t count(arrival a) const noexcept { return rules_.count(a, position_.next); }
  [[nodiscard]] const gap_tracker_options& options() const noexcept { return rules_.options(); }
  /// Bytes taken on the heap.
  [[nodiscard]] std::size_t heap_bytes() const noexcept { return book_.heap_bytes(); }

  /// Takes up what another tracker of the same stream has seen: received is what either has received, given up what one
  /// gave up and the other has not received. Commutative and idempotent in all but the counters, which remain this
  /// tracker's own; but found_count or recovered_count grow by the numbers that are lost now, or no longer. What both
  /// asked for keeps the longer wait. Where more than max_gaps are missing then, the lowest are given up. If it throws,
  /// nothing has changed. O(gaps).
  template <class Told = detail::tell_nobody>
  void merge(const gap_tracker& other, timestamp now, Told&& told = {}) {
    detail::gap_union both(position_, book_, other.position_, other.book_, options(), now);
    both.make_fit(options(), told);
    rules_.move_position(position_, both.position());
    rules_.change_lost(static_cast<std::int64_t>(both.lost() - book_.lost()));
    book_ = std::move(both.book());
  }
  /// Takes the numbers from `from` (unwrapped) on out, as a tracker of their own with fresh counters, which expects
  /// `from` if the stream had begun and not come that far; those of them that are lost move to its found_count. merge
  /// undoes it.
  gap_tracker split(std::uint64_t from) {
    gap_tracker upper(options());
    rules_.split(position_, book_, from, upper.rules_, upper.position_, upper.book_);
    return upper;
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept { return rules_.configuration(); }
  [[nodiscard]] gap_tracker empty_copy() const { return gap_tracker(options()); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("GAPS"), 1);
    rules_.save(w);
    rules_.save(w, position_, book_);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    gap_tracker loaded = empty_copy();
    (void)r.begin_section(section_tag("GAPS"), 1);
    loaded.rules_.load(r);
    if (!rules_.load(r, loaded.position_, loaded.book_)) return false;
    r.end_section();
    if (!r.ok()) return false;
    *this = std::move(loaded);
    return true;
  }

 private:
  template <class Stream, class Table>
  friend class gap_trackers;

  [[gnu::noinline]] judgement judge_unusual(std::uint64_t number) const {
    return rules_.judge(position_, book_, number, 1);
  }
  [[gnu::noinline]] void commit_unusual(judgement j, timestamp now) { rules_.commit(position_, book_, j, now); }
  template <class Numbers>
  [[gnu::noinline, gnu::flatten]] observation observe_unusual(const Numbers& numbers, timestamp now) {
    const judgement j = rules_.judge(position_, book_, numbers);
    const observation seen{j.answer, j.last, hole(j)};
    rules_.commit(position_, book_, j, now);
    return seen;
  }

  detail::gap_rules rules_;
  detail::stream_position position_;
  detail::gap_book book_;
};

}  // namespace recoup
