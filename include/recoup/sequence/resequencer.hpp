// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/flat_deque.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/interval_set.hpp"
#include "recoup/core/sequence_number.hpp"
#include "recoup/core/sequence_range.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/hole_passed_over.hpp"

namespace recoup {

/// What becomes of an event that is offered. Every event is counted under exactly one of these.
enum class placing : std::uint32_t {
  next,       ///< its turn: it goes at once, and is followed by what it frees
  held,       ///< events before it are missing: a copy is kept until they have come or are passed over
  duplicate,  ///< is held already, or was released
  late,       ///< its turn was passed over, or nobody remembers; or it is no number of this stream
  refused,    ///< there is no room to hold it: nothing has changed, and it may be offered again
};
inline constexpr std::size_t placing_kinds = 5;

[[nodiscard]] constexpr std::string_view name_of(placing p) {
  constexpr std::array<std::string_view, placing_kinds> names{"next", "held", "duplicate", "late", "refused"};
  return names[static_cast<std::size_t>(p)];
}

/// What happens when an event would have to be held for which there is no room.
enum class on_overflow : std::uint8_t {
  release,  ///< the lowest hole is passed over, and the next one, until what is still held is within the bounds
  refuse,   ///< the event is refused; an event that is larger than max_bytes by itself is, until its turn has come
};

struct resequencer_options {
  unsigned bits = 64;  ///< width of the sequence number as sent, 1 to 64; it wraps after 2^bits
  std::optional<std::uint64_t> expect_from =
      {};                          ///< the first number there must be; else the first arrival is the first
  std::size_t max_events = 1'024;  ///< events held at once, 1 to 2^24
  std::size_t max_bytes = std::numeric_limits<std::size_t>::max();  ///< bytes of the events held, as Size counts them
  duration max_hold =
      std::chrono::minutes(1);  ///< then the holes before an event are passed over; duration::max(): never
  on_overflow overflow = on_overflow::release;
};

/// Counts what lies in the event itself, and not what it points to.
struct size_in_place {
  template <class Event>
  constexpr std::size_t operator()(const Event&) const noexcept {
    return sizeof(Event);
  }
};

/// Puts the events of one stream into the order of their numbers: an event that comes before its turn is held back
/// until all before it have come or are passed over. Holes may be of any size: only what is held is bounded, by count,
/// by bytes and by time. Numbers are 64-bit; narrower ones are unwrapped, and all ranges are told in 64-bit numbers.
///
/// Invariant: what `release` tells is in strictly rising order, and every number between two of its events was told as
/// passed over, was settled, or was an event for which `judge` said next.
/// Cost: in order and with nothing held, two comparisons and two increments, and no copy. Else O(log held) to judge;
/// to hold, one copy of the event, and moving up to half of the held numbers, 16 bytes each, where it is not the
/// highest; O(1) to release an event. Time: O(1) while nothing is due, else O(held).
/// Bytes: sizeof(resequencer), and at most bytes_for(options) more. Allocates only while the number of events held, or
/// of holes passed over and remembered, grows to a new high, and what copying an Event allocates; if that fails,
/// nothing has changed.
///
/// Size is a member pointer or a callable of const Event& that gives the bytes an event counts for.
///
/// `judge` changes nothing; `commit` makes it so; `release` hands out what is ready, and is the only clock; `offer` is
/// all of it.
template <class Event, class Size = size_in_place>
class resequencer {
  static_assert(std::is_move_assignable_v<Size>,
                "recoup: the Size of a resequencer must be assignable: a member pointer, or a lambda that captures "
                "nothing");

 public:
  /// What is known of a number before anything changes. Valid until the resequencer next changes.
  struct judgement {
    std::uint64_t sequence = 0;  ///< the number, unwrapped
    placing answer = placing::late;
    std::uint32_t at = 0;  // if held: how many of those held are lower; if late: 1 for a number passed over
  };

  explicit resequencer(const resequencer_options& options = {}) requires std::is_class_v<Size>
      : resequencer(options, Size()) {}
  resequencer(const resequencer_options& options, Size size)
      : options_(checked(options)), size_(std::move(size)), mask_(~std::uint64_t{0} >> ((64 - options.bits) & 63)) {
    if (options_.expect_from) start(*options_.expect_from);
  }

  /// The most bytes that it ever takes besides its own, without what the events point to.
  [[nodiscard]] static constexpr std::size_t bytes_for(const resequencer_options& o) noexcept {
    const std::size_t events = o.max_events + 1;
    return events * sizeof(slot) + (events + events / 3 + 2) * sizeof(entry) +
           2 * (events + 1) * sizeof(sequence_range);
  }

  [[nodiscard]] judgement judge(std::uint64_t number, const auto& event) const {
    if (is_turn_of(number)) [[likely]]
      return {next_, placing::next, 0};
    return judge_out_of_order(number, size_of(event));
  }
  /// Of a number that has come, but whose event is not to be handed out: give the judgement to `settle`.
  [[nodiscard]] judgement judge(std::uint64_t number) const {
    if (is_turn_of(number)) [[likely]]
      return {next_, placing::next, 0};
    return judge_out_of_order(number, 0);
  }

  /// Keeps a copy of the event if it is to be held. An event that is next must have been handed out before.
  template <class E>
  void commit(judgement j, E&& event, timestamp now) {
    if (j.answer == placing::held) {
      make_room();
      const std::size_t bytes = size_of(event);
      slots_[free_].event.emplace(std::forward<E>(event));
      if (waits_to_pass()) erase_passed(j.sequence);
      hold(j, bytes, now);
    } else {
      commit_unheld(j);
    }
    ++counts_[static_cast<std::size_t>(j.answer)];
  }
  /// Takes note that a number has come whose event is not to be handed out, so that nothing waits for it. Where that
  /// would have to be held and is refused, the number is passed over.
  void settle(judgement j, timestamp now) {
    if (j.answer == placing::held) {
      make_room();
      slots_[free_].event.reset();
      if (waits_to_pass()) erase_passed(j.sequence);
      hold(j, 0, now);
    } else if (j.answer == placing::refused) {
      pass_over({j.sequence, j.sequence});
    } else {
      commit_unheld(j);
    }
    ++counts_[static_cast<std::size_t>(j.answer)];
  }

  /// Whether this is the usual case, for which commit_next will do, and after which nothing is ready.
  [[nodiscard]] bool is_next(judgement j) const noexcept {
    return j.answer == placing::next && running_ && order_.empty() && !waits_to_pass();
  }
  void commit_next() noexcept {
    ++counts_[static_cast<std::size_t>(placing::next)];
    step_to(next_);
  }

  /// Judges, commits and releases. told(event) is called for the event, if it is next, and for every event that is
  /// released, told(hole_passed_over<>) for every hole before one. If it throws for the event itself, nothing has
  /// changed; if it throws later, the event has been taken and the next `release` goes on.
  template <class E, class Told>
  placing offer(std::uint64_t number, E&& event, timestamp now, Told&& told) {
    static_assert(std::same_as<std::remove_cvref_t<E>, Event>, "recoup: resequencer::offer takes an Event");
    const judgement j = judge(number, std::as_const(event));
    if (j.answer == placing::next) told(std::as_const(event));
    if (is_next(j)) [[likely]] {
      commit_next();
      return j.answer;
    }
    commit(j, std::forward<E>(event), now);
    release(now, told);
    return j.answer;
  }

  /// Hands out what is ready or due at `now`, in order: told(const Event&), and told(hole_passed_over) with the name of
  /// the stream. Each counts as told when told() returns; if it throws, that one is told again next time. told() must
  /// not change the resequencer.
  template <class Stream, class Told>
  void release(timestamp now, const Stream& stream, Told&& told) {
    const bool is_due = now >= due_ && !order_.empty();
    if (!is_due && !is_ready()) return;
    const std::optional<std::uint64_t> overdue = is_due ? highest_overdue(now) : std::nullopt;
    hand_out(stream, told, [&](std::uint64_t held) -> std::optional<pass_reason> {
      if (is_over()) return pass_reason::capacity;
      if (overdue && held <= *overdue) return pass_reason::time;
      return std::nullopt;
    });
    if (is_due) schedule();
  }
  template <class Told>
  void release(timestamp now, Told&& told) {
    release(now, only_stream{}, told);
  }

  /// Hands out everything that is held, and passes over every hole before it.
  template <class Stream, class Told>
  void flush(const Stream& stream, Told&& told) {
    hand_out(stream, told, [](std::uint64_t) { return std::optional(pass_reason::flush); });
  }
  template <class Told>
  void flush(Told&& told) {
    flush(only_stream{}, told);
  }

  /// These numbers were given up, or will not come: `release` will not wait for those of them that are not held and
  /// whose turn has not come. No number of theirs is lost by it: until it is told, one that comes takes its place. At
  /// most max_events ranges are remembered; beyond it the highest is forgotten, and waited for again. Changes nothing
  /// before the first number.
  void pass_over(sequence_range range) {
    if (!running_) return;
    range.first = std::max(range.first, next_);
    for (std::size_t i = index_of(range.first); i < order_.size() && range.contains(order_[i].number); ++i) {
      const std::uint64_t held = order_[i].number;
      if (held > range.first) note_passed({range.first, held - 1});
      if (held == range.last) return;
      range.first = held + 1;
    }
    if (!range.empty()) note_passed(range);
  }

  /// Begins anew with the next number, whatever it is, as after a producer's restart. What is held is dropped: flush it
  /// before. `near`: where that number will lie, if known: narrow ones are unwrapped next to it.
  void restart(std::uint64_t near = 0) noexcept {
    while (!order_.empty()) {
      give_back(order_.back().slot);
      order_.pop_back();
    }
    started_ = running_ = false;
    next_ = near;
    floor_ = 0;
    passed_.clear();
    due_ = never;
  }

  /// Takes the arrival of a number back. What is held is dropped; what was released last will be next again; what was
  /// released before that will be late, as its turn is over. False if the number had not come.
  bool forget(std::uint64_t number) {
    const std::optional<std::uint64_t> unwrapped = unwrap(number);
    if (!started_ || !unwrapped) return false;
    const std::uint64_t sequence = *unwrapped;
    if (!is_past(sequence)) {
      const std::size_t at = index_of(sequence);
      if (at == order_.size() || order_[at].number != sequence) return false;
      give_back(order_[at].slot);
      order_.erase(order_.begin() + at, order_.begin() + at + 1);
      if (order_.empty()) due_ = never;
      return true;
    }
    if (sequence < floor_ || passed_.contains(sequence)) return false;
    if (sequence == next_ - 1) {
      next_ = sequence;
      running_ = true;
    } else {
      note_passed({sequence, sequence});
    }
    return true;
  }

  /// When `release` has something to do next, as far as is known now: the least time if it has at once, the greatest if
  /// it never has.
  [[nodiscard]] timestamp due() const noexcept { return is_ready() ? timestamp::min() : due_; }

  /// The number whose turn it is; nothing before the first number, and after 2^64 - 1.
  [[nodiscard]] std::optional<std::uint64_t> expected() const noexcept {
    return running_ ? std::optional(next_) : std::nullopt;
  }
  /// Whether there is a first number: it has come, or was expected.
  [[nodiscard]] bool has_begun() const noexcept { return started_; }
  /// Whether a duplicate is one of an event that is held; else it was handed out, or settled.
  [[nodiscard]] bool is_held(judgement j) const noexcept { return !is_past(j.sequence); }
  /// Numbers held: events, and numbers that are settled and whose turn has not come.
  [[nodiscard]] std::size_t held_count() const noexcept { return order_.size(); }
  [[nodiscard]] std::size_t held_bytes() const noexcept { return static_cast<std::size_t>(bytes_); }
  /// Calls f(sequence, const Event&) for each event held, lowest first.
  template <class F>
  void for_each_held(F&& f) const {
    for (const entry& e : order_) {
      if (slots_[e.slot].event) f(e.number, *slots_[e.slot].event);
    }
  }

  /// How many events were offered with this answer. Their sum is how many were offered.
  [[nodiscard]] std::uint64_t count(placing p) const noexcept { return counts_[static_cast<std::size_t>(p)]; }
  /// Events handed out after they had been held.
  [[nodiscard]] std::uint64_t released_count() const noexcept { return released_; }
  /// Numbers passed over; 2^64 - 1 at most.
  [[nodiscard]] std::uint64_t passed_over_count() const noexcept { return passed_count_; }
  [[nodiscard]] const resequencer_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({options_.bits, detail::option(options_.expect_from), options_.max_events,
                            options_.max_bytes, detail::option(options_.max_hold),
                            static_cast<std::uint64_t>(options_.overflow)});
  }
  [[nodiscard]] resequencer empty_copy() const { return resequencer(options_, size_); }

  void save(snapshot_writer& w) const requires snapshot_value<Event> && std::default_initializable<Event> {
    w.begin_section(section_tag("RESQ"), 1);
    w.boolean(started_);
    w.boolean(running_);
    for (const std::uint64_t n : {next_, floor_, released_, passed_count_}) w.u64(n);
    for (const std::uint64_t n : counts_) w.u64(n);
    w.u64(order_.size());
    for (const entry& e : order_) {
      const slot& s = slots_[e.slot];
      w.u64(e.number);
      w.time(s.since);
      w.boolean(s.event.has_value());
      if (s.event) w.value(*s.event);
    }
    passed_.save(w);
    w.end_section();
  }

  [[nodiscard]] bool load(snapshot_reader& r) requires snapshot_value<Event> && std::default_initializable<Event> {
    resequencer loaded = empty_copy();
    (void)r.begin_section(section_tag("RESQ"), 1);
    loaded.started_ = r.boolean();
    loaded.running_ = r.boolean();
    for (std::uint64_t* n : {&loaded.next_, &loaded.floor_, &loaded.released_, &loaded.passed_count_}) *n = r.u64();
    for (std::uint64_t& n : loaded.counts_) n = r.u64();
    const std::size_t held = r.count(options_.max_events + 1);
    for (std::uint32_t i = 0; i < held; ++i) {
      const judgement j{r.u64(), placing::held, i};
      const timestamp since = r.time();
      const bool has_event = r.boolean();
      if (!r.ok() || (i > 0 && j.sequence <= loaded.order_.back().number)) return false;
      loaded.make_room();
      auto& event = loaded.slots_[loaded.free_].event;
      if (has_event && !r.value(event.emplace())) return false;
      loaded.hold(j, has_event ? loaded.size_of(*event) : 0, since);
    }
    if (!loaded.passed_.load(r, options_.max_events)) return false;
    r.end_section();
    if (!r.ok() || !loaded.is_consistent()) return false;
    *this = std::move(loaded);
    return true;
  }

 private:
  struct slot {
    std::optional<Event> event = std::nullopt;  // none: the number is settled
    timestamp since{};
    std::uint64_t bytes = 0;
    std::uint32_t next_free = 0;
  };
  struct entry {
    std::uint64_t number;
    std::uint32_t slot;
  };
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr timestamp never = timestamp::max();
  static constexpr std::uint64_t last_number = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::size_t most_events = std::size_t{1} << 24;

  static resequencer_options checked(const resequencer_options& o) {
    detail::require_option(o.bits >= 1 && o.bits <= 64, "resequencer_options.bits must be 1 to 64");
    detail::require_option(o.max_events >= 1 && o.max_events <= most_events,
                           "resequencer_options.max_events must be 1 to 2^24 events");
    detail::require_option(o.max_bytes >= 1, "resequencer_options.max_bytes must be at least 1 byte");
    detail::require_option(o.max_hold >= duration::zero(), "resequencer_options.max_hold must not be negative");
    return o;
  }

  // So that the sum over all that is held has room in 64 bits, whatever the sizes.
  std::uint64_t size_of(const auto& event) const {
    return std::min<std::uint64_t>(detail::project(size_, event), (last_number >> 2) / most_events);
  }

  bool is_turn_of(std::uint64_t number) const noexcept {
    return running_ && number == (next_ & mask_) && (order_.empty() || order_.front().number != next_);
  }
  bool is_past(std::uint64_t sequence) const noexcept { return started_ && (!running_ || sequence < next_); }
  bool is_over() const noexcept { return order_.size() > options_.max_events || bytes_ > options_.max_bytes; }
  bool fits(std::uint64_t bytes) const noexcept {
    return order_.size() < options_.max_events && bytes <= options_.max_bytes && bytes_ <= options_.max_bytes - bytes;
  }
  // Whether a number is remembered whose turn will be passed over.
  bool waits_to_pass() const noexcept { return !passed_.empty() && passed_.back().last >= next_; }
  bool is_ready() const noexcept {
    if (!running_) return false;
    if (!order_.empty() && (order_.front().number == next_ || is_over())) return true;
    return waits_to_pass() && passed_.contains(next_);
  }

  // Narrow numbers lie next to the highest that is known.
  std::optional<std::uint64_t> unwrap(std::uint64_t number) const {
    sequence_unwrapper unwrapper(options_.bits);
    if (!order_.empty()) {
      unwrapper.commit(order_.back().number);
    } else if (next_ != 0 || (started_ && !running_)) {
      unwrapper.commit(next_ - 1);
    }
    return unwrapper.unwrap(number);
  }
  // Of the first held number that is not below this one.
  std::size_t index_of(std::uint64_t sequence) const noexcept {
    if (order_.empty() || order_.back().number < sequence) return order_.size();
    const auto at = std::partition_point(order_.begin(), order_.end(), [&](entry e) { return e.number < sequence; });
    return static_cast<std::size_t>(at - order_.begin());
  }

  [[gnu::noinline]] judgement judge_out_of_order(std::uint64_t number, std::uint64_t bytes) const {
    const std::optional<std::uint64_t> unwrapped = unwrap(number);
    if (!unwrapped) return {number, placing::late, 0};
    const std::uint64_t sequence = *unwrapped;
    if (!started_) return {sequence, placing::next, 0};
    if (is_past(sequence)) {
      if (passed_.contains(sequence)) return {sequence, placing::late, 1};
      return {sequence, sequence < floor_ ? placing::late : placing::duplicate, 0};
    }
    const std::size_t at = index_of(sequence);
    if (at < order_.size() && order_[at].number == sequence) return {sequence, placing::duplicate, 0};
    if (sequence == next_) return {sequence, placing::next, 0};
    const bool has_room = options_.overflow == on_overflow::refuse ? fits(bytes) : !is_over();
    return {sequence, has_room ? placing::held : placing::refused, static_cast<std::uint32_t>(at)};
  }

  void commit_unheld(judgement j) {
    if (j.answer == placing::next) {
      if (!started_) start(j.sequence);
      if (waits_to_pass()) erase_passed(j.sequence);
      step_to(j.sequence);
    } else if (j.answer == placing::late && j.at == 1) {
      erase_passed(j.sequence);  // should it come again, it is a duplicate
    }
  }

  void start(std::uint64_t first) noexcept {
    started_ = running_ = true;
    floor_ = next_ = first;
  }
  void step_to(std::uint64_t number) noexcept {
    next_ = number + 1;
    if (next_ == 0) [[unlikely]]
      running_ = false;
  }

  // For one event more: `hold` can't fail then, and takes slots_[free_].
  void make_room() {
    if (free_ == none) {
      if (slots_.size() == slots_.capacity()) {
        slots_.reserve(std::min(2 * slots_.size() + 4, options_.max_events + 1));
      }
      slots_.emplace_back();
      free_ = static_cast<std::uint32_t>(slots_.size() - 1);
      slots_[free_].next_free = none;
    }
    order_.reserve(slots_.capacity());
  }
  void hold(judgement j, std::uint64_t bytes, timestamp now) noexcept {
    slot& s = slots_[free_];
    s.since = now;
    s.bytes = bytes;
    bytes_ += bytes;
    order_.insert(order_.begin() + j.at, {j.sequence, free_});
    free_ = s.next_free;
    due_ = std::min(due_, due_of(s));
  }
  void give_back(std::uint32_t at) noexcept {
    slot& s = slots_[at];
    s.event.reset();
    bytes_ -= s.bytes;
    s.next_free = free_;
    free_ = at;
  }

  // Tells what is ready, lowest first; and passes over the hole before a held number where why(number) has a reason.
  template <class Stream, class Told, class Why>
  [[gnu::noinline]] void hand_out(const Stream& stream, Told& told, const Why& why) {
    while (running_) {
      if (!order_.empty() && order_.front().number == next_) {
        hand_out_lowest(told);
        continue;
      }
      sequence_range hole{next_, last_number};
      pass_reason reason = pass_reason::given_up;
      if (const sequence_range* given_up = passed_.find(next_)) {
        hole.last = given_up->last;
      } else {
        if (order_.empty()) return;
        const std::uint64_t held = order_.front().number;
        const std::optional<pass_reason> forced = why(held);
        if (!forced) return;
        reason = *forced;
        hole.last = held - 1;
        if (const auto above = passed_.from(next_); above != passed_.end()) {
          hole.last = std::min(hole.last, above->first - 1);
        }
      }
      told(hole_passed_over<Stream>{stream, hole, reason});
      passed_.insert(hole);
      passed_count_ += std::min(hole.size(), last_number - passed_count_);
      step_to(hole.last);
      bound_passed();
    }
  }
  template <class Told>
  void hand_out_lowest(Told& told) {
    const entry lowest = order_.front();
    if (const std::optional<Event>& event = slots_[lowest.slot].event) {
      told(*event);
      ++released_;
    }
    give_back(lowest.slot);
    order_.pop_front();
    if (order_.empty()) due_ = never;
    step_to(lowest.number);
  }

  // Sets of at most max_events ranges: what is passed over already goes first.
  void note_passed(sequence_range range) {
    passed_.insert(range);
    bound_passed();
  }
  void erase_passed(std::uint64_t sequence) {
    passed_.erase({sequence, sequence});
    bound_passed();
  }
  void bound_passed() {
    if (passed_.size() <= options_.max_events) return;
    if (is_past(passed_.front().last)) {
      floor_ = std::max(floor_, passed_.front().last + 1);
      passed_.pop_front();
    } else {
      passed_.erase(passed_.back());
    }
  }

  timestamp due_of(const slot& s) const noexcept {
    return options_.max_hold == duration::max() ? never : saturating_add(s.since, options_.max_hold);
  }
  std::optional<std::uint64_t> highest_overdue(timestamp now) const noexcept {
    if (options_.max_hold == duration::max()) return std::nullopt;
    for (std::size_t i = order_.size(); i-- > 0;) {
      if (now >= due_of(slots_[order_[i].slot])) return order_[i].number;
    }
    return std::nullopt;
  }
  void schedule() noexcept {
    due_ = never;
    for (const entry& e : order_) due_ = std::min(due_, due_of(slots_[e.slot]));
  }

  bool is_consistent() const noexcept {
    if (!started_) {
      return !running_ && floor_ == 0 && order_.empty() && passed_.empty();
    }
    if (running_ ? floor_ > next_ : next_ != 0 || !order_.empty()) return false;
    if (!order_.empty() && order_.front().number < next_) return false;
    if (!passed_.empty() && passed_.front().first < floor_) return false;
    return std::none_of(order_.begin(), order_.end(), [&](entry e) { return passed_.contains(e.number); });
  }

  resequencer_options options_;
  [[no_unique_address]] Size size_;
  std::uint64_t mask_;
  std::uint64_t next_ = 0;  // whose turn it is, 0 again after 2^64 - 1; before the first number: where it will lie
  bool started_ = false;
  bool running_ = false;                // started, and the turn of 2^64 - 1 is not over
  std::uint64_t floor_ = 0;             // below it, nobody knows what was passed over
  detail::flat_deque<entry, 2> order_;  // what is held, sorted; none below next_
  std::vector<slot> slots_;
  std::uint32_t free_ = none;  // the first slot that is not in order_
  std::uint64_t bytes_ = 0;
  interval_set passed_;    // below next_: passed over, or forgotten; from it on: not to be waited for
  timestamp due_ = never;  // nothing is due by time before
  std::uint64_t released_ = 0;
  std::uint64_t passed_count_ = 0;
  std::array<std::uint64_t, placing_kinds> counts_{};
};

}  // namespace recoup
