// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "recoup/core/detail/table_key.hpp"
#include "recoup/core/sequence_number.hpp"
#include "recoup/core/sequence_range.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/arrival.hpp"
#include "recoup/sequence/detail/gap_book.hpp"
#include "recoup/sequence/detail/stream_position.hpp"
#include "recoup/sequence/findings.hpp"
#include "recoup/sequence/gap_tracker_options.hpp"
#include "recoup/sequence/numbering.hpp"
#include "recoup/sequence/skip_reason.hpp"

namespace recoup::detail {

// What is known of some numbers before anything changes.
struct sequence_judgement {
  std::uint64_t first = 0;  // unwrapped
  std::uint64_t last = 0;
  arrival answer = arrival::stale;
  std::uint32_t is_number = 0;  // a bool: whether they are numbers of the stream at all
};

struct tell_nobody {
  template <class Finding>
  void operator()(const Finding&) const noexcept {}
};

// How the numbers of streams are judged and counted: what all streams of a table share.
class gap_rules {
 public:
  explicit gap_rules(gap_tracker_options options) : options_(checked(options)), mask_(most >> (64 - options.bits)) {}

  const gap_tracker_options& options() const noexcept { return options_; }
  stream_position fresh() const noexcept {
    stream_position p;
    if (options_.expect_from) p.start(*options_.expect_from);
    return p;
  }

  bool is_expected(const stream_position& p, std::uint64_t number) const noexcept {
    return number == (p.next & mask_) && p.is_running;
  }
  // The same, where it is known to be so of numbers that don't wrap.
  bool is_expected_whole(const stream_position& p, std::uint64_t number) const noexcept {
    return number == p.next && p.is_running && mask_ == most;
  }
  sequence_judgement expected(const stream_position& p) const noexcept {
    return {p.next, p.next, arrival::in_order, 1};
  }
  bool is_next(const stream_position& p, const sequence_judgement& j) const noexcept {
    return j.answer == arrival::in_order && j.first == p.next && p.is_running;
  }

  // `count` numbers from `number` on, as sent. Where there cannot be so many, that is one stale number.
  sequence_judgement judge(const stream_position& p, const gap_book& book, std::uint64_t number,
                           std::uint64_t count) const {
    const std::optional<std::uint64_t> unwrapped = unwrap(p, number);
    if (!unwrapped && is_restart_before_0(p, number, count)) return {number, number + (count - 1), arrival::restart, 1};
    if (!unwrapped || count == 0 || count - 1 > mask_ || count - 1 > most - *unwrapped) {
      const bool can_be = count - 1 <= std::min(mask_, most - number);
      return {number, can_be || count == 0 ? number + (count - 1) : number, arrival::stale, 0};
    }
    const std::uint64_t first = *unwrapped;
    const std::uint64_t last = first + (count - 1);
    const auto are = [&](arrival answer) { return sequence_judgement{first, last, answer, 1}; };
    if (!p.is_started) return are(arrival::in_order);
    if (p.is_running && last >= p.next) {
      if (first <= p.next) return are(arrival::in_order);
      return are(first - p.next > options_.max_jump ? arrival::jump : arrival::ahead);
    }
    if (first == last) {
      const arrival answer = book.classify(first, p.first);
      return are(is_restart(p, answer, first) ? arrival::restart : answer);
    }
    arrival best = arrival::duplicate;
    book.for_each_run({first, last}, p.first, [&](arrival a, sequence_range) {
      if (rank(a) < rank(best)) best = a;
    });
    return are(is_restart(p, best, last) ? arrival::restart : best);
  }

  // Takes up the numbers that continue the stream, up to the first that does not; how many these are.
  std::size_t commit_run(stream_position& p, std::span<const std::uint64_t> numbers) const noexcept {
    constexpr std::size_t step = 8;
    if (!p.is_running || mask_ != most || p.next > most - numbers.size()) return 0;
    std::uint64_t next = p.next;
    std::size_t i = 0;
    for (; i + step <= numbers.size(); i += step, next += step) {
      std::uint64_t differences = 0;
      for (std::size_t k = 0; k < step; ++k) differences |= numbers[i + k] ^ (next + k);
      if (differences != 0) break;
    }
    for (; i < numbers.size() && numbers[i] == next; ++i) ++next;
    p.next = next;
    return i;
  }

  template <class F>
  void for_each_run(const stream_position& p, const gap_book& book, const sequence_judgement& j, F& f) const {
    std::uint64_t at = j.first;
    const bool has_position = j.is_number && j.answer != arrival::jump && j.answer != arrival::restart;
    if (has_position && p.is_started && (!p.is_running || at < p.next)) {
      const std::uint64_t last = p.is_running ? std::min(j.last, p.next - 1) : j.last;
      book.for_each_run({at, last}, p.first, f);
      if (last == j.last) return;
      at = last + 1;
    } else if (!has_position || j.answer == arrival::ahead) {
      const std::uint64_t last = has_position ? at : j.last;
      f(j.answer, sequence_range{at, last});
      if (last == j.last) return;
      at = last + 1;
    }
    f(arrival::in_order, sequence_range{at, j.last});
  }

  sequence_judgement judge(const stream_position& p, const gap_book& book, std::uint64_t number) const {
    return judge(p, book, number, 1);
  }
  sequence_judgement judge(const stream_position& p, const gap_book& book, sequence_range numbers) const {
    return judge(p, book, numbers.first, numbers.last - numbers.first + 1);
  }
  sequence_judgement judge(const stream_position& p, const gap_book& book, linked_number n) const {
    return judge(p, book, (n.previous + 1) & mask_, (n.number - n.previous) & mask_);
  }
  sequence_judgement judge(const stream_position& p, const gap_book& book, increasing_number n) const {
    sequence_judgement j = judge(p, book, n.number, 1);
    if (j.answer == arrival::ahead || j.answer == arrival::jump) {
      j.first = p.next;
      j.answer = arrival::in_order;
    } else if (j.answer == arrival::duplicate && j.first + 1 != p.next) {
      j.answer = arrival::stale;
    }
    return j;
  }

  // The numbers that will be missing once this is committed; empty unless it is ahead.
  sequence_range hole(const stream_position& p, const sequence_judgement& j) const noexcept {
    return j.answer == arrival::ahead ? sequence_range{p.next, j.first - 1} : sequence_range{1, 0};
  }

  bool resumes(const gap_book& book, const sequence_judgement& j) const noexcept {
    return (j.answer == arrival::jump || j.answer == arrival::restart) && book.is_proof(j.first, options_);
  }
  // What is given up for want of room when these numbers are taken up, or will never come.
  sequence_range displaced_by(const stream_position& p, const gap_book& book, sequence_range numbers) const noexcept {
    if (!is_full(book)) return {1, 0};
    sequence_range lowest = book.missing().front();
    if (p.is_running && numbers.first >= p.next) return numbers.first > p.next ? lowest : sequence_range{1, 0};
    if (!book.is_split_by(numbers)) return {1, 0};
    if (lowest.contains(numbers.first)) lowest.last = numbers.first - 1;
    return lowest;
  }

  // Tells what committing this will give up, and whether the stream resumes elsewhere.
  template <class Stream, class S, class Told>
  void tell_displaced(const stream_position& p, const gap_book& book, const sequence_judgement& j, const S& stream,
                      Told& told) const {
    if (resumes(book, j)) {
      tell_resumed<Stream>(p, book, book.resumed_at(j.first), stream, told);
    } else if (j.answer == arrival::filled || j.answer == arrival::ahead) {
      tell_displaced<Stream>(book, displaced_by(p, book, {j.first, j.last}), stream, told);
    }
  }

  void commit_next(stream_position& p, const sequence_judgement& j) const noexcept { p.step_behind(j.last); }

  void commit(stream_position& p, gap_book& book, const sequence_judgement& j, timestamp now) {
    book.make_room();
    const std::uint64_t size = j.last - j.first + 1;
    if (!j.is_number) {
      count_stale(j);
    } else if (j.answer == arrival::jump || j.answer == arrival::restart) {
      commit_out_of_range(p, book, j, size);
    } else {
      commit_within(p, book, j, now);
    }
  }

  void count_stale(const sequence_judgement& j) noexcept { counts_[index(arrival::stale)] += j.last - j.first + 1; }

  // Numbers up to `number` exist: those that have not come are missing. What is missing from now on.
  template <class Stream, class S, class Told>
  sequence_range expect_through(stream_position& p, gap_book& book, std::uint64_t number, timestamp now,
                                const S& stream, Told& told) {
    const std::optional<std::uint64_t> last = unwrap(p, number);
    if (!p.is_running || !last || *last < p.next || *last - p.next >= options_.max_jump) return {1, 0};
    book.make_room();
    const sequence_range hole{p.next, *last};
    if (is_full(book)) tell_displaced<Stream>(book, book.missing().front(), stream, told);
    open(book, hole, now);
    step(p, *last);
    return hole;
  }

  // These numbers, unwrapped, will never come. How many of them were missing or not yet expected.
  template <class Stream, class S, class Told>
  std::uint64_t skip(stream_position& p, gap_book& book, sequence_range range, skip_reason reason, timestamp now,
                     const S& stream, Told& told) {
    if (range.empty()) return 0;
    book.make_room();
    tell_displaced<Stream>(book, displaced_by(p, book, range), stream, told);
    if (!p.is_started) start(p, range.first);
    std::uint64_t skipped = 0;
    if (!p.is_running || range.first < p.next) {
      const sequence_range below{range.first, p.is_running ? std::min(range.last, p.next - 1) : range.last};
      book.missing().for_each_overlap(below, [&](sequence_range r) { skipped += r.size(); });
      give_way(p, book, below);
      book.settle(below, options_, tally_);
    }
    if (p.is_running && range.last >= p.next) {
      if (range.first > p.next) open(book, {p.next, range.first - 1}, now);
      skipped += range.last - std::max(range.first, p.next) + 1;
      step(p, range.last);
    }
    skipped_[index(reason)] += skipped;
    return skipped;
  }

  // Goes on at `first` as if nothing had come before.
  template <class Stream, class S, class Told>
  void resume(stream_position& p, gap_book& book, std::uint64_t first, const S& stream, Told& told) {
    tell_resumed<Stream>(p, book, first, stream, told);
    resume(p, book, first);
  }
  void resume(stream_position& p, gap_book& book, std::uint64_t first) {
    book.give_up_all(tally_);
    start(p, first);
  }

  template <class Numbers>
  bool forget(stream_position& p, gap_book& book, const Numbers& numbers, timestamp now) {
    const sequence_judgement seen = judge(p, book, numbers);
    if (!has_come(p, book, seen) || is_full(book)) return false;
    book.make_room();
    book.reopen({seen.first, seen.last}, now, options_, tally_);
    return true;
  }

  void move_position(stream_position& p, const stream_position& to) noexcept {
    counts_[index(arrival::in_order)] -= to.next - p.next;
    p = to;
  }
  // So many numbers that were found missing are added to what is lost, or taken from it where they are fewer than 0.
  void change_lost(std::int64_t more) noexcept {
    (more > 0 ? tally_.found : tally_.recovered) +=
        more > 0 ? static_cast<std::uint64_t>(more) : std::uint64_t{0} - static_cast<std::uint64_t>(more);
  }
  // What this book has lost is counted by another table from now on.
  void move_lost(const gap_book& book, gap_rules& to) noexcept {
    to.tally_.found += book.lost();
    tally_.found -= book.lost();
  }
  // Moves the numbers from `from` on to another tracker's rules, position and book.
  void split(stream_position& p, gap_book& book, std::uint64_t from, gap_rules& upper_rules, stream_position& upper,
             gap_book& upper_book) {
    if (!p.is_started) return;
    stream_position above = p;
    if (p.is_running && from >= p.next) {  // has not come that far
      above.start(from);
      return upper_rules.move_position(upper, above);
    }
    upper_book = book;
    above.first = std::max(from, p.first);
    upper_book.keep_from(above.first);
    stream_position below = p;
    below.is_running = true;
    below.next = above.first;
    book.keep_below(below.next);
    move_position(p, below);
    upper_rules.move_position(upper, above);
    move_lost(upper_book, upper_rules);
  }

  // A stream goes, and its position with it.
  void leave(const stream_position& p) noexcept { counts_[index(arrival::in_order)] += p.next; }
  // A stream comes whose numbers were not counted here.
  void enter(const stream_position& p) noexcept { counts_[index(arrival::in_order)] -= p.next; }

  template <class Stream, class Told>
  void advance(const stream_position& p, gap_book& book, timestamp now, const Stream& stream, Told& told,
               std::uint32_t& requests_left) {
    book.advance(now, p.next - 1, stream, told, options_, requests_left, tally_);
  }

  // Arrivals in order are not counted one by one: they are what moved the positions on, of which `sum_of_next` is the
  // sum, beyond all else that did.
  std::uint64_t count(arrival a, std::uint64_t sum_of_next) const noexcept {
    return counts_[index(a)] + (a == arrival::in_order ? sum_of_next : 0);
  }
  std::uint64_t found() const noexcept { return tally_.found; }
  std::uint64_t recovered() const noexcept { return tally_.recovered; }
  std::uint64_t skipped(skip_reason reason) const noexcept { return skipped_[index(reason)]; }
  std::uint64_t skipped() const noexcept { return std::accumulate(skipped_.begin(), skipped_.end(), std::uint64_t{0}); }

  std::uint64_t configuration() const noexcept { return configuration_of(options_); }
  void save(snapshot_writer& w) const {
    for (const std::uint64_t n : counts_) w.u64(n);
    for (const std::uint64_t n : skipped_) w.u64(n);
    for (const std::uint64_t n : {tally_.found, tally_.recovered}) w.u64(n);
  }
  void load(snapshot_reader& r) {
    for (std::uint64_t& n : counts_) n = r.u64();
    for (std::uint64_t& n : skipped_) n = r.u64();
    for (std::uint64_t* n : {&tally_.found, &tally_.recovered}) *n = r.u64();
  }

  void save(snapshot_writer& w, const stream_position& p, const gap_book& book) const {
    w.boolean(p.is_started);
    w.boolean(p.is_running);
    w.u64(p.first);
    w.u64(p.next);
    book.save(w);
  }
  bool load(snapshot_reader& r, stream_position& p, gap_book& book) const {
    p.is_started = r.boolean();
    p.is_running = r.boolean();
    p.first = r.u64();
    p.next = r.u64();
    if (!r.ok() || !is_consistent(p)) return false;
    return book.load(r, p.first, p.next - 1, options_) &&
           (p.high() || (book.missing().empty() && book.abandoned().empty() && book.floor(p.first) == p.first));
  }

 private:
  static std::size_t index(arrival a) noexcept { return static_cast<std::size_t>(a); }
  static std::size_t index(skip_reason r) noexcept { return static_cast<std::size_t>(r); }

  bool is_full(const gap_book& book) const noexcept { return book.missing().size() >= options_.max_gaps; }

  // Of the lowest gap, or its beginning.
  template <class Stream, class S, class Told>
  static void tell_displaced(const gap_book& book, sequence_range displaced, const S& stream, Told& told) {
    if (displaced.empty()) return;
    book.tell_lowest([&](sequence_range, timestamp opened, std::uint32_t attempts) {
      told(gap_abandoned<Stream>{owned_key<Stream>(stream), displaced, opened, attempts, abandon_reason::capacity});
    });
  }
  template <class Stream, class S, class Told>
  static void tell_resumed(const stream_position& p, const gap_book& book, std::uint64_t first, const S& stream,
                           Told& told) {
    book.tell_all([&](sequence_range range, timestamp opened, std::uint32_t attempts) {
      told(gap_abandoned<Stream>{owned_key<Stream>(stream), range, opened, attempts, abandon_reason::restart});
    });
    told(stream_resumed<Stream>{owned_key<Stream>(stream), p.is_running ? std::optional(p.next) : std::nullopt, first});
  }
  // Of a range with several answers, the one that says most of what is new in it.
  static int rank(arrival a) noexcept {
    return a == arrival::filled ? 0 : a == arrival::late ? 1 : a == arrival::stale ? 2 : 3;
  }

  std::optional<std::uint64_t> unwrap(const stream_position& p, std::uint64_t number) const {
    if (mask_ == most) return number;
    sequence_unwrapper unwrapper(options_.bits);
    if (p.is_started) unwrapper.commit(p.high().value_or(p.next));
    return unwrapper.unwrap(number);
  }

  bool is_restart(const stream_position& p, arrival answer, std::uint64_t number) const noexcept {
    return options_.max_behind && (answer == arrival::duplicate || answer == arrival::stale) &&
           p.next - 1 - number > *options_.max_behind;
  }

  // Numbers that wrap may be so far behind that they come to lie before 0.
  bool is_restart_before_0(const stream_position& p, std::uint64_t number, std::uint64_t count) const noexcept {
    const bool is_range = number <= mask_ && count != 0 && count - 1 <= mask_ - number;
    return is_range && options_.max_behind && ((p.next - 1 - (number + (count - 1))) & mask_) > *options_.max_behind;
  }
  // Whether all of these have come, and are known to have.
  bool has_come(const stream_position& p, const gap_book& book, const sequence_judgement& j) const {
    if (!j.is_number || j.answer != arrival::restart) return j.is_number && j.answer == arrival::duplicate;
    bool all = !p.is_running || j.last < p.next;
    book.for_each_run({j.first, j.last}, p.first, [&](arrival a, sequence_range) { all &= a == arrival::duplicate; });
    return all;
  }

  // Moves on to behind `last` for another reason than arrivals in order.
  void step(stream_position& p, std::uint64_t last) noexcept {
    counts_[index(arrival::in_order)] -= last + 1 - p.next;
    p.step_behind(last);
  }
  void start(stream_position& p, std::uint64_t first) noexcept {
    counts_[index(arrival::in_order)] -= first - p.next;
    p.start(first);
  }

  void open(gap_book& book, sequence_range hole, timestamp now) {
    if (is_full(book)) book.give_up(book.missing().front(), options_, tally_);
    book.open(hole, now, options_);
  }
  // Settling may split a gap where there is no room for another.
  void give_way(const stream_position& p, gap_book& book, sequence_range range) {
    if (!is_full(book)) [[likely]]
      return;
    const sequence_range displaced = displaced_by(p, book, range);
    if (!displaced.empty()) book.give_up(displaced, options_, tally_);
  }

  void commit_within(stream_position& p, gap_book& book, const sequence_judgement& j, timestamp now) {
    if (!p.is_started) start(p, j.first);
    if (!p.is_running || j.first < p.next) {
      const sequence_range below{j.first, p.is_running ? std::min(j.last, p.next - 1) : j.last};
      if (j.first == j.last) {
        ++counts_[index(j.answer)];
        if (j.answer == arrival::late) book.recover(j.first, options_, tally_);
        if (j.answer != arrival::filled) return;
        give_way(p, book, below);
        book.fill(j.first, options_, tally_);
        return;
      }
      settle(p, book, below);
    } else if (j.first > p.next) {
      const sequence_range hole{p.next, j.first - 1};
      open(book, hole, now);
      step(p, j.first);
      ++counts_[index(arrival::ahead)];
    }
    if (p.is_running && j.last >= p.next) p.step_behind(j.last);
  }

  [[gnu::noinline]] void settle(const stream_position& p, gap_book& book, sequence_range below) {
    book.for_each_run(below, p.first, [&](arrival a, sequence_range r) { counts_[index(a)] += r.size(); });
    give_way(p, book, below);
    book.settle(below, options_, tally_);
  }

  [[gnu::noinline]] void commit_out_of_range(stream_position& p, gap_book& book, const sequence_judgement& j,
                                             std::uint64_t size) {
    counts_[index(j.answer)] += size;
    if (!resumes(book, j)) return book.probe(j.first, j.last);
    resume(p, book, book.resumed_at(j.first));
    step(p, j.last);
  }

  bool is_consistent(const stream_position& p) const noexcept {
    if (!p.is_started) return !options_.expect_from && !p.is_running && p.first == 0 && p.next == 0;
    return p.is_running ? p.first <= p.next : p.next == 0;
  }

  static constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

  gap_tracker_options options_;
  std::uint64_t mask_;
  std::array<std::uint64_t, arrival_kinds> counts_{};
  gap_tally tally_;
  std::array<std::uint64_t, skip_reasons> skipped_{};
};

}  // namespace recoup::detail
