// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/dense.hpp"
#include "recoup/core/detail/deadline_queue.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/sequence_range.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/arrival.hpp"
#include "recoup/sequence/detail/gap_book.hpp"
#include "recoup/sequence/detail/gap_rules.hpp"
#include "recoup/sequence/detail/stream_position.hpp"
#include "recoup/sequence/findings.hpp"
#include "recoup/sequence/gap_tracker.hpp"
#include "recoup/sequence/gap_tracker_options.hpp"
#include "recoup/sequence/stream_gaps.hpp"

namespace recoup {

/// A number of a stream.
template <class Stream>
struct numbered {
  Stream stream;
  std::uint64_t number = 0;
};

/// A gap_tracker for each of many streams, in less: a stream without gaps is a position of 24 bytes, the others share
/// what keeps gaps, and one queue knows what is due next. Answers as a gap_tracker for each stream would, but counts
/// for all streams together.
///
/// Table is keyed<Stream, ...> (any streams, the idle ones evicted) or dense<Stream, ...> (streams 0 to capacity - 1).
/// Cost: in order, the look-up of the stream, a comparison and an increment; advance costs what is due, and O(1) where
/// nothing is. Bytes: those of the table, and, for each stream that misses something or remembers what was given up,
/// 272 and what gap_tracker states for gaps. That room is used again, and grows only where more streams than ever
/// have gaps at once; where that fails, nothing has changed.
template <class Stream, class Table = keyed<Stream, detail::stream_position>>
class gap_trackers {
 public:
  using position = typename Table::position;
  static constexpr bool evicts = Table::evicts;
  static constexpr bool admits_all = Table::admits_all;

  /// What is known of some numbers before anything changes. Valid until the table next changes.
  struct judgement {
    detail::sequence_judgement seen;
    [[no_unique_address]] typename Table::place place;
  };

  template <class TableOptions>
  gap_trackers(const gap_tracker_options& options, const TableOptions& table)
      : rules_(options), table_(table, rules_.fresh()) {
    table_.for_each([&](const auto&, const detail::stream_position& p) { rules_.enter(p); });
    grow();
  }

  gap_trackers(const gap_trackers& other)
      : rules_(other.rules_),
        table_(other.table_),
        books_(other.books_),
        owners_(other.owners_),
        free_(other.free_),
        queue_(other.queue_),
        turn_(other.turn_) {
    reserve(books_.size());
  }
  gap_trackers(gap_trackers&&) noexcept = default;
  gap_trackers& operator=(const gap_trackers& other) {
    *this = gap_trackers(other);
    return *this;
  }
  gap_trackers& operator=(gap_trackers&&) noexcept = default;
  ~gap_trackers() = default;

  template <class S>
  [[nodiscard]] std::uint32_t hash(const S& stream) const noexcept {
    return table_.hash(stream);
  }
  void prefetch(std::uint32_t hash) const noexcept { table_.prefetch(hash); }

  /// Numbers: an integer, or a sequence_range, linked_number or increasing_number.
  template <class S, class Numbers>
  [[nodiscard, gnu::always_inline]] judgement judge(const S& stream, std::uint32_t hash, const Numbers& numbers) const {
    const auto place = table_.locate(stream, hash);
    if constexpr (std::is_integral_v<Numbers>) {
      const detail::stream_position& p = table_.at(place);
      if (rules_.is_expected(p, numbers) && admits(place)) [[likely]]
        return {rules_.expected(p), place};
    }
    return judge_unusual(place, numbers);
  }
  template <class S, class Numbers>
  [[nodiscard]] judgement judge(const S& stream, const Numbers& numbers) const {
    return judge(stream, hash(stream), numbers);
  }

  /// Whether this is the usual case, for which commit_next will do: the number that a known stream expects next.
  [[nodiscard]] bool is_next(const judgement& j) const noexcept {
    return Table::is_found(j.place) && rules_.is_next(table_.at(j.place), j.seen);
  }
  void commit_next(const judgement& j, timestamp now) noexcept {
    detail::stream_position& p = table_.use_found(j.place, now);
    rules_.commit_next(p, j.seen);
    if (p.book != detail::stream_position::no_book) [[unlikely]] {
      if (rules_.options().reorder_distance) take_note_of(p);
    }
  }

  /// Tells what committing this will drop or give up: stream_evicted, gap_abandoned, stream_resumed; and late_arrival
  /// and, where the table is dense, unknown_stream.
  template <class S, class Told>
  void tell_displaced(const S& stream, const judgement& j, Told&& told) const {
    if constexpr (!Table::admits_all) {
      if (!admits(j.place)) return told(unknown_stream<Stream>{static_cast<Stream>(stream)});
    }
    table_.tell_victim(j.place, [&](const Stream& s, const detail::stream_position& p) { tell_evicted(s, p, told); });
    const detail::stream_position& p = table_.at(j.place);
    const detail::gap_book& book = book_of(p);
    if (!book.abandoned().empty()) tell_late(p, book, j.seen, stream, told);
    rules_.template tell_displaced<Stream>(p, book, j.seen, stream, told);
  }

  template <class S>
  void commit(const S& stream, const judgement& j, timestamp now) {
    if (is_next(j)) [[likely]] {
      commit_next(j, now);
    } else {
      commit_unusual(stream, j, now);
    }
  }

  /// Judges, tells and commits: what the arrival of a number means for its stream.
  template <class S, class Numbers, class Told>
  arrival observe(const S& stream, const Numbers& numbers, timestamp now, Told&& told) {
    return observe_hashed(stream, hash(stream), numbers, now, told);
  }
  /// All these, one after the other, with the latency of memory hidden.
  template <class Told>
  void observe(std::span<const numbered<Stream>> events, timestamp now, Told&& told) {
    constexpr std::size_t ahead = 16;
    std::array<std::uint32_t, ahead> hashes{};
    const auto prepare = [&](std::size_t i) {
      if (i < events.size()) prefetch(hashes[i % ahead] = hash(events[i].stream));
    };
    for (std::size_t i = 0; i < ahead; ++i) prepare(i);
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (i + ahead / 2 < events.size()) table_.prefetch_entry(hashes[(i + ahead / 2) % ahead]);
      observe_hashed(events[i].stream, hashes[i % ahead], events[i].number, now, told);
      prepare(i + ahead);
    }
  }

  /// See gap_tracker. Of a stream that is not known, there is nothing to forget, and nothing is expected.
  template <class S, class Numbers>
  bool forget(const S& stream, const Numbers& numbers, timestamp now) {
    return change(stream, false, [&](detail::stream_position& p, detail::gap_book& book) {
      return rules_.forget(p, book, numbers, now);
    });
  }
  template <class S, class Told = detail::tell_nobody>
  sequence_range observe_high(const S& stream, std::uint64_t number, timestamp now, Told&& told = {}) {
    return change(stream, sequence_range{1, 0}, [&](detail::stream_position& p, detail::gap_book& book) {
      return rules_.template expect_through<Stream>(p, book, number, now, stream, told);
    });
  }
  template <class S, class Told = detail::tell_nobody>
  std::uint64_t skip(const S& stream, sequence_range range, skip_reason reason, timestamp now, Told&& told = {}) {
    return change(stream, std::uint64_t{0}, [&](detail::stream_position& p, detail::gap_book& book) {
      return rules_.template skip<Stream>(p, book, range, reason, now, stream, told);
    });
  }
  /// False if the stream is not known.
  template <class S, class Told = detail::tell_nobody>
  bool resume_at(const S& stream, std::uint64_t first, Told&& told = {}) {
    return change(stream, false, [&](detail::stream_position& p, detail::gap_book& book) {
      rules_.template resume<Stream>(p, book, first, stream, told);
      return true;
    });
  }

  /// Tells what is due in any stream; see gap_tracker. At most max_requests for all of them together: where that is too
  /// few, the streams take turns. Evicts streams that have been idle too long.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    if (queue_.due() <= now) advance_due(now, told);
    table_.advance(
        now,
        [&](const Stream& stream, detail::stream_position& p) {
          tell_evicted(stream, p, told);
          release(p);
        },
        [&](position at) { note_owner(at); });
  }
  /// When advance has something to tell next, as far as is known now.
  [[nodiscard]] timestamp due() const noexcept { return queue_.due(); }

  /// How a stream stands; nothing where the table does not hold it. Valid until any stream next changes.
  template <class S>
  [[nodiscard]] std::optional<stream_gaps> find(const S& stream) const {
    const auto at = table_.position_of(stream);
    if (at == Table::none) return std::nullopt;
    const detail::stream_position& p = table_.component_at(at);
    return stream_gaps(p, book_of(p));
  }
  /// f(stream, stream_gaps) for each.
  template <class F>
  void for_each(F&& f) const {
    table_.for_each(
        [&](const Stream& stream, const detail::stream_position& p) { f(stream, stream_gaps(p, book_of(p))); });
  }
  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }

  /// Takes a stream out, for instance to hand it to another process. What it received remains counted here; what it
  /// has lost moves to its own found_count.
  template <class S>
  std::optional<gap_tracker> take(const S& stream) {
    std::optional<detail::stream_position> p = table_.take(stream, [&](position at) { note_owner(at); });
    if (!p) return std::nullopt;
    std::optional<gap_tracker> taken(rules_.options());
    if (p->book != no_book) {
      taken->book_ = std::move(books_[p->book]);
      rules_.move_lost(taken->book_, taken->rules_);
    }
    release(*p);
    if constexpr (!evicts) rules_.enter(rules_.fresh());
    taken->rules_.move_position(taken->position_, *p);
    return taken;
  }
  /// Puts a stream in. False, and nothing changes, if it is there already, there is no room, or the tracker has another
  /// configuration (bits, expect_from, max_gaps). What it received before is not counted here; what it has lost is.
  bool put(Stream stream, const gap_tracker& tracker, timestamp now) {
    if (tracker.configuration() != rules_.configuration()) return false;
    if (free_.empty()) grow();
    detail::stream_position p = tracker.position_;
    p.book = no_book;
    if constexpr (!evicts) {
      const position at = table_.position_of(stream);
      if (at == Table::none || table_.component_at(at).high()) return false;
      release(table_.component_at(at));
    }
    if (!table_.put(stream, p, now)) return false;
    detail::stream_position& placed = table_.component_at(table_.position_of(stream));
    rules_.enter(placed);
    book_for(placed, stream) = tracker.book_;
    rules_.change_lost(static_cast<std::int64_t>(tracker.book_.lost()));
    put_away(placed);
    return true;
  }

  /// Over all streams; see gap_tracker.
  [[nodiscard]] std::uint64_t count(arrival a) const {
    std::uint64_t sum_of_next = 0;
    if (a == arrival::in_order) {
      table_.for_each([&](const auto&, const detail::stream_position& p) { sum_of_next += p.next; });
    }
    return rules_.count(a, sum_of_next);
  }
  [[nodiscard]] std::uint64_t found_count() const noexcept { return rules_.found(); }
  [[nodiscard]] std::uint64_t recovered_count() const noexcept { return rules_.recovered(); }
  [[nodiscard]] std::uint64_t skipped_count() const noexcept { return rules_.skipped(); }
  [[nodiscard]] std::uint64_t skipped_count(skip_reason reason) const noexcept { return rules_.skipped(reason); }
  [[nodiscard]] std::uint64_t missing_count() const noexcept {
    return sum([](const auto& b) { return b.count(); });
  }
  [[nodiscard]] std::uint64_t gap_count() const noexcept {
    return sum([](const auto& b) { return b.size(); });
  }
  [[nodiscard]] const gap_tracker_options& options() const noexcept { return rules_.options(); }
  /// Bytes taken, now.
  [[nodiscard]] std::size_t bytes() const noexcept {
    constexpr std::size_t listed = sizeof(position) + 2 * sizeof(std::uint32_t) + detail::deadline_queue::bytes_per_id;
    std::size_t all = sizeof(*this) + Table::bytes_for(table_.capacity());
    all += books_.capacity() * (sizeof(detail::gap_book) + listed);
    for (const detail::gap_book& book : books_) all += book.heap_bytes();
    return all;
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({rules_.configuration(), table_.configuration()});
  }
  [[nodiscard]] gap_trackers empty_copy() const { return gap_trackers(rules_, table_.empty_copy()); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("GAPT"), 1);
    rules_.save(w);
    w.u32(turn_);
    table_.save(w, [&](const detail::stream_position& p) { rules_.save(w, p, book_of(p)); });
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    gap_trackers loaded = empty_copy();
    (void)r.begin_section(section_tag("GAPT"), 1);
    loaded.rules_.load(r);
    loaded.turn_ = r.u32();
    if (!loaded.table_.load(r, [&](detail::stream_position& p) { return loaded.load_stream(r, p); })) return false;
    r.end_section();
    if (!r.ok()) return false;
    loaded.note_owners();
    *this = std::move(loaded);
    return true;
  }

 private:
  static constexpr std::uint32_t no_book = detail::stream_position::no_book;

  // The table is empty, or all of its positions are to begin anew.
  gap_trackers(const detail::gap_rules& rules, Table table) : rules_(rules.options()), table_(std::move(table)) {
    table_.for_each([&](const auto&, detail::stream_position& p) {
      p = rules_.fresh();
      rules_.enter(p);
    });
    grow();
  }

  template <class S, class Numbers, class Told>
  arrival observe_hashed(const S& stream, std::uint32_t hash, const Numbers& numbers, timestamp now, Told& told) {
    const judgement j = judge(stream, hash, numbers);
    if (is_next(j)) [[likely]] {
      commit_next(j, now);
    } else {
      tell_displaced(stream, j, told);
      commit_unusual(stream, j, now);
    }
    return j.seen.answer;
  }

  template <class Numbers>
  [[gnu::noinline]] judgement judge_unusual(typename Table::place place, const Numbers& numbers) const {
    const detail::stream_position& p = table_.at(place);
    judgement j{rules_.judge(p, book_of(p), numbers), place};
    if (!admits(place)) j.seen = {j.seen.first, j.seen.last, arrival::stale, 0};
    return j;
  }

  template <class S>
  [[gnu::noinline]] void commit_unusual(const S& stream, const judgement& j, timestamp now) {
    if (!admits(j.place)) return rules_.count_stale(j.seen);
    if (free_.empty()) grow();
    detail::stream_position victim;
    table_.tell_victim(j.place, [&](const Stream&, const detail::stream_position& p) { victim = p; });
    const bool is_new = evicts && !Table::is_found(j.place);
    detail::stream_position& p = table_.use(j.place, stream, now);
    release(victim);
    if (is_new) rules_.enter(p);
    detail::gap_book& book = book_for(p, stream);
    rules_.commit(p, book, j.seen, now);
    put_away(p);
  }

  static constexpr bool admits(const typename Table::place& place) noexcept {
    return Table::admits_all || Table::is_found(place);
  }

  static const detail::gap_book& blank() noexcept {
    static const detail::gap_book book;
    return book;
  }
  const detail::gap_book& book_of(const detail::stream_position& p) const noexcept {
    return p.book == no_book ? blank() : books_[p.book];
  }

  // Twice as many books, of which one at least is free.
  void grow() {
    const std::size_t all = books_.size() + std::max<std::size_t>(books_.size(), 1);
    reserve(all);
    for (std::size_t i = all; i-- > books_.size();) free_.push_back(static_cast<std::uint32_t>(i));
    books_.resize(all);
    owners_.resize(all);
  }

  void reserve(std::size_t books) {
    books_.reserve(books);
    owners_.reserve(books);
    free_.reserve(books);
    again_.reserve(books);
    queue_.reserve(books);
  }

  template <class S>
  detail::gap_book& book_for(detail::stream_position& p, const S& stream) {
    if (p.book == no_book) {
      p.book = free_.back();
      free_.pop_back();
      owners_[p.book] = table_.position_of(stream);
    }
    return books_[p.book];
  }
  void put_away(detail::stream_position& p) noexcept {
    if (books_[p.book].is_blank()) {
      release_book(p);
    } else {
      take_note_of(p);
    }
  }
  [[gnu::noinline]] void take_note_of(const detail::stream_position& p) noexcept {
    const detail::gap_book& book = books_[p.book];
    if (book.missing().empty()) {
      queue_.erase(p.book);
    } else {
      queue_.set(p.book, book.due(p.next - 1));
    }
  }
  void release_book(detail::stream_position& p) noexcept {
    queue_.erase(p.book);
    books_[p.book].clear();
    free_.push_back(p.book);
    p.book = no_book;
  }
  void release(detail::stream_position& p) noexcept {
    rules_.leave(p);
    if (p.book != no_book) release_book(p);
  }

  void note_owner(position at) noexcept {
    const detail::stream_position& p = table_.component_at(at);
    if (p.book != no_book) owners_[p.book] = at;
  }
  void note_owners() noexcept {
    position at = 0;
    table_.for_each([&](const auto&, const detail::stream_position&) { note_owner(at++); });
  }

  bool load_stream(snapshot_reader& r, detail::stream_position& p) {
    if (free_.empty()) grow();
    p.book = free_.back();
    free_.pop_back();
    if (!rules_.load(r, p, books_[p.book])) return false;
    put_away(p);
    return true;
  }

  template <class S, class Answer, class F>
  Answer change(const S& stream, Answer otherwise, F&& f) {
    const position at = table_.position_of(stream);
    if (at == Table::none) return otherwise;
    if (free_.empty()) grow();
    detail::stream_position& p = table_.component_at(at);
    detail::gap_book& book = book_for(p, stream);
    const Answer answer = f(p, book);
    put_away(p);
    return answer;
  }

  template <class S, class Told>
  void tell_late(const detail::stream_position& p, const detail::gap_book& book, const detail::sequence_judgement& j,
                 const S& stream, Told& told) const {
    const auto tell = [&](arrival a, sequence_range range) {
      if (a == arrival::late) told(late_arrival<Stream>{detail::owned_key<Stream>(stream), range});
    };
    rules_.for_each_run(p, book, j, tell);
  }

  template <class Told>
  void tell_evicted(const Stream& stream, const detail::stream_position& p, Told& told) const {
    if constexpr (evicts) told(stream_evicted<Stream>{stream, book_of(p).missing().count()});
  }

  // Each due stream once, also where it remains due, as more requests are wanted than may be made. In the order of the
  // table, which a restored one has too, from behind the stream that was the last to be granted a request.
  template <class Told>
  [[gnu::noinline]] void advance_due(timestamp now, Told& told) {
    struct guard {
      gap_trackers& all;
      explicit guard(gap_trackers& trackers) : all(trackers) {}
      guard(const guard&) = delete;
      guard& operator=(const guard&) = delete;
      ~guard() {
        for (const std::uint32_t book : all.again_) all.take_note_of(all.table_.component_at(all.owners_[book]));
        all.again_.clear();
      }
    };
    const guard put_back(*this);
    while (!queue_.empty() && queue_.due() <= now) {
      again_.push_back(queue_.first());
      queue_.erase(queue_.first());
    }
    std::sort(again_.begin(), again_.end(), [&](std::uint32_t a, std::uint32_t b) { return owners_[a] < owners_[b]; });
    const auto turn = std::find_if(again_.begin(), again_.end(), [&](std::uint32_t b) { return owners_[b] >= turn_; });
    std::rotate(again_.begin(), turn, again_.end());
    std::uint32_t requests_left = options().replay.max_requests;
    for (const std::uint32_t book : again_) {
      const position at = owners_[book];
      const bool may_ask = requests_left > 0;
      rules_.advance(table_.component_at(at), books_[book], now, table_.key_at(at), told, requests_left);
      if (may_ask && requests_left == 0) turn_ = at + 1;
    }
  }

  template <class F>
  std::uint64_t sum(F&& f) const noexcept {
    std::uint64_t all = 0;
    for (const detail::gap_book& book : books_) all += f(book.missing());
    return all;
  }

  detail::gap_rules rules_;
  Table table_;
  std::vector<detail::gap_book> books_;
  std::vector<position> owners_;      // by book: which stream's it is
  std::vector<std::uint32_t> free_;   // books that no stream has
  std::vector<std::uint32_t> again_;  // while advancing: books to go back into the queue
  detail::deadline_queue queue_;      // of books
  position turn_ = 0;                 // the stream that may ask first
};

/// The streams 0 to dense_options.capacity - 1: an array, no hash.
template <class Stream>
using dense_gap_trackers = gap_trackers<Stream, dense<Stream, detail::stream_position>>;

}  // namespace recoup
