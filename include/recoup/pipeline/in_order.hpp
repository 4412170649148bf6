// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/detail/sequence_of.hpp"
#include "recoup/pipeline/detail/streams.hpp"
#include "recoup/pipeline/findings.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/reconcile/rule.hpp"
#include "recoup/sequence/resequencer.hpp"

namespace recoup {

namespace detail {

template <class Event>
struct arriving_event {
  const Event& event;
  origin from;
};

template <class Event>
struct held_event {
  held_event() requires std::default_initializable<Event>
  = default;
  explicit held_event(const arriving_event<Event>& e) : event(e.event), from(e.from) {}

  Event event;
  origin from = origin::live;

  void save(snapshot_writer& w) const requires snapshot_value<Event> {
    w.value(event);
    w.value(from);
  }
  bool load(snapshot_reader& r) requires snapshot_value<Event> {
    return r.value(event) && r.value(from) && from <= origin::inferred;
  }
};

template <class Size>
struct size_of_held {
  Size size;
  std::size_t operator()(const auto& e) const { return detail::project(size, e.event); }
};

}  // namespace detail

/// Hands the events of every stream on in the order of their numbers: gives every stream a resequencer. An event that
/// comes before its turn is copied, told as `held`, and told as accepted when its turn has come: after the event that
/// filled the hole before it, or when the hole is passed over, which is told first. Holes are passed over when a
/// track_gaps before this stage gives them up, and by the bounds of the resequencer, with or without one.
///
/// An event whose turn is over is told as `late`, a verdict of its own: it is right and new, and no other verdict says
/// so; whether it is of use out of order, only the user knows. One that is held or was released already is a duplicate.
///
/// Every arrival counts for its sequence: nobody waits for an event that an earlier stage rejected. A correction and an
/// inferred event have arrived before, or not at all, and pass at once; so do an event whose number is absent, and a
/// replay before the stream's first live event. Stands behind the stages that reject or correct events; those behind it
/// see every event when it comes, also one that is held or late.
///
/// Where the gap tracker takes a stream up at another number, so does this stage: a jump is passed over, and after a
/// restart at a lower number, whose first events are late or duplicates, what is held is handed out and the next event
/// begins anew.
///
/// A stream that is dropped since others need its place, or as it is idle, first hands out what it holds.
///
/// advance is O(1) while nothing is due; else it looks at every stream. Bytes: those of `keyed`, and what each stream
/// takes once it holds something, at most resequencer::bytes_for(options): capacity * max_events events in all.
template <class Event, class Stream, class Number, class Size>
class in_order_stage : public stage_defaults<Event> {
  using held_event = detail::held_event<Event>;
  using arriving = detail::arriving_event<Event>;

 public:
  static_assert(
      detail::projection_of<Stream, Event> && detail::projection_of<Number, Event>,
      "recoup: stream and number of in_order(stream, number) must be member pointers of this Event or callables of "
      "const Event&");
  static_assert(detail::is_number<detail::projected<Number, Event>>,
                "recoup: the number of in_order(stream, number) must be an integer, or a std::optional of one");
  static_assert(detail::projection_of<Size, Event>,
                "recoup: the size of in_order(stream, number, options, streams, size) must be a member pointer of this "
                "Event or a callable of const Event& that gives bytes");
  static_assert(std::is_copy_constructible_v<Event>,
                "recoup: in_order(...) keeps events until their turn: the Event must be copyable");

  static constexpr std::string_view name = "in_order";
  static constexpr bool counts_rejected = true;
  static constexpr bool needs_told = false;
  using stream_type = detail::stream_of<Stream, Event>;
  using component = resequencer<held_event, detail::size_of_held<Size>>;
  using table = detail::table_of<stream_type, component>;
  using verdicts = type_list<duplicate<Event>, held<Event>, late<Event>, refused<Event>>;
  using findings = detail::joined<type_list<hole_passed_over<stream_type>>,
                                  detail::type_list_if<table::evicts, stream_evicted<stream_type>>>;
  using reacts_to = type_list<gap_abandoned<stream_type>, stream_resumed<stream_type>>;

  struct hint {
    std::uint32_t hash = 0;
  };
  struct judgement {  // without padding, so that it stays in registers
    typename component::judgement seen;
    [[no_unique_address]] typename table::place place;
    std::uint32_t counts = 0;    // a bool
    std::uint32_t rejected = 0;  // a bool: by a stage before
  };

  in_order_stage(Stream stream, Number number, Size size, const resequencer_options& options,
                 const keyed_options& streams)
      : in_order_stage(std::move(stream), std::move(number), options.bits,
                       table(streams, component(options, {std::move(size)}))) {}

  hint prepare(const Event& e) const { return {streams_.hash(detail::project(stream_, e))}; }
  void prefetch(const hint& h) const noexcept { streams_.prefetch(h.hash); }

  judgement judge(const Event& e, const hint& h, const context& c) const {
    const std::optional<std::uint64_t> number = number_of(e, c);
    if (!number) return {};
    const auto place = streams_.locate(detail::project(stream_, e), h.hash);
    const component& stream = streams_.at(place);
    if (c.from == origin::replay && !stream.has_begun()) return {};
    const bool rejected = c.so_far != verdict::accepted && c.so_far != verdict::correction;
    return {rejected ? stream.judge(*number) : stream.judge(*number, arriving{e, c.from}), place, 1, rejected};
  }
  verdict outcome(const judgement& j) const noexcept {
    if (!j.counts || j.seen.answer == placing::next) [[likely]]
      return verdict::accepted;
    switch (j.seen.answer) {
      case placing::held:
        return verdict::held;
      case placing::duplicate:
        return verdict::duplicate;
      case placing::refused:
        return verdict::refused;
      default:
        return verdict::late;
    }
  }
  bool is_usual(const judgement& j) const noexcept {
    return j.counts && table::is_found(j.place) && streams_.at(j.place).is_next(j.seen) && dropped_.empty();
  }
  void commit_usual(const Event&, const judgement& j, const context& c) noexcept {
    streams_.use_found(j.place, c.now).commit_next();
  }

  template <class Emit>
  void report(const Event&, const judgement& j, const context&, Emit&& emit) const {
    if (!j.counts) return;
    streams_.tell_victim(j.place, [&](const stream_type& s, const component& r) {
      if (r.held_count() == 0) tell_evicted(s, 0, emit);
    });
  }

  std::vector<reason> explain(const Event&, const judgement& j, const context&) const {
    const component& stream = streams_.at(j.place);
    const std::string number = std::to_string(j.seen.sequence);
    const std::string turn = stream.expected() ? std::to_string(*stream.expected()) : "no number";
    switch (j.seen.answer) {
      case placing::held:
        return {{name, number + " waits, as it is the turn of " + turn}};
      case placing::duplicate:
        return {{name, number + (stream.is_held(j.seen) ? " is held already" : " was handed out before")}};
      case placing::refused:
        return {{name, "there is no room for " + number + " to wait, as " + std::to_string(stream.held_count()) +
                           " are held and it is the turn of " + turn}};
      default:
        return {{name, "the turn of " + number + " is over, it is the turn of " + turn}};
    }
  }

  void commit(const Event& e, const judgement& j, const context& c, verdict) {
    if (!j.counts) return;
    streams_.tell_victim(j.place, [&](const stream_type& key, component& victim) {
      if (victim.held_count() != 0) drop(key, victim, true);
    });
    component& stream = streams_.use(j.place, detail::project(stream_, e), c.now);
    if (j.rejected) {
      stream.settle(j.seen, c.now);
    } else {
      stream.commit(j.seen, arriving{e, c.from}, c.now);
    }
    due_ = std::min(due_, stream.due());
  }

  /// Tells what is ready in the event's stream.
  template <class Emit>
  void release(const Event& e, const context&, Emit&& emit) {
    tell_dropped(emit);
    component* stream = streams_.find(detail::project(stream_, e));
    if (stream == nullptr || stream->due() != timestamp::min()) return;
    // Time passes in advance only.
    release(detail::make_stream<stream_type>(detail::project(stream_, e)), *stream, timestamp::min(), emit);
  }

  /// What is held is dropped. An event that was handed out may be next again if nothing was handed out since; else it
  /// will be late.
  bool forget(const Event& e, const context& c) {
    const std::optional<std::uint64_t> number = number_of(e, c);
    if (!number) return true;
    component* stream = streams_.find(detail::project(stream_, e));
    if (c.from == origin::replay && (stream == nullptr || !stream->has_begun())) return true;
    return stream != nullptr && stream->forget(*number);
  }

  void react(const gap_abandoned<stream_type>& gap, timestamp) {
    component* stream = streams_.find(gap.stream);
    if (stream == nullptr) return;
    reacted_ = gap.stream;
    stream->pass_over(gap.range);
  }

  void react(const stream_resumed<stream_type>& resumed, timestamp) {
    component* stream = streams_.find(resumed.stream);
    if (stream == nullptr) return;
    reacted_ = resumed.stream;
    if (const auto expected = stream->expected(); expected && *expected <= resumed.resumed_at) {
      if (*expected < resumed.resumed_at) stream->pass_over({*expected, resumed.resumed_at - 1});
    } else {
      if (stream->held_count() != 0) drop(resumed.stream, *stream, false);
      stream->restart(resumed.resumed_at);
    }
  }

  template <class Emit>
  void advance(timestamp now, Emit&& emit) {
    tell_dropped(emit);
    if (reacted_) {
      if (component* stream = streams_.find(*reacted_)) release(*reacted_, *stream, now, emit);
      reacted_.reset();
    }
    if (!table::evicts || now >= due_) {
      timestamp due = timestamp::max();
      due_ = timestamp::min();  // should emit throw
      streams_.for_each([&](const stream_type& key, component& stream) {
        stream.release(now, key, as_accepted(emit));
        due = std::min(due, stream.due());
      });
      due_ = due;
    }
    streams_.advance(now, [&](const stream_type& key, component& stream) {
      if (stream.held_count() == 0) {
        tell_evicted(key, 0, emit);
      } else {
        drop(key, stream, true);
      }
    });
    tell_dropped(emit);
  }

  /// Hands out all that is held, and passes over every hole before it: at the end of the input, say. Give the sink of
  /// the pipeline.
  template <class Sink>
  void flush(Sink&& sink) {
    const auto emit = [&](const auto& told) { sink(told); };
    tell_dropped(emit);
    due_ = timestamp::min();  // should emit throw
    streams_.for_each([&](const stream_type& key, component& stream) { stream.flush(key, as_accepted(emit)); });
  }

  template <class F>
  void for_each_counter(F&& f) const {
    std::array<std::uint64_t, placing_kinds> counts{};
    std::uint64_t held = 0;
    std::uint64_t released = 0;
    std::uint64_t passed_over = 0;
    const auto add = [&](const component& r) {
      for (std::size_t p = 0; p < placing_kinds; ++p) counts[p] += r.count(static_cast<placing>(p));
      held += r.held_count();
      released += r.released_count();
      passed_over += r.passed_over_count();
    };
    streams_.for_each([&](const stream_type&, const component& r) { add(r); });
    for (const dropped& d : dropped_) add(d.component);
    for (std::size_t p = 0; p < placing_kinds; ++p) f(name_of(static_cast<placing>(p)), counts[p]);
    f("streams", std::uint64_t{streams_.size()});
    f("holding", held);
    f("released", released);
    f("passed_over", passed_over);
  }

  /// The resequencer of a stream, for its positions; null before the stream's first event.
  template <class S>
  [[nodiscard]] const component* stream(const S& stream) const {
    return streams_.find(stream);
  }
  [[nodiscard]] const component* stream() const requires std::is_same_v<stream_type, only_stream> {
    return streams_.find(only_stream{});
  }

  std::uint64_t configuration() const noexcept { return streams_.configuration(); }
  void save(snapshot_writer& w) const {
    check_snapshot();
    if constexpr (snapshot_value<component>) {
      streams_.save(w);
      w.u64(dropped_.size());
      for (const dropped& d : dropped_) {
        w.value(d.stream);
        w.value(d.component);
        w.u64(d.passed_over);
        w.boolean(d.evicted);
      }
    }
  }
  bool load(snapshot_reader& r) {
    check_snapshot();
    due_ = timestamp::min();
    reacted_.reset();
    if constexpr (snapshot_value<component>) {
      if (!streams_.load(r)) return false;
      dropped_.clear();
      const std::size_t count = r.count(most_dropped);
      for (std::size_t i = 0; i < count; ++i) {
        dropped d{{}, streams_.at({}).empty_copy(), 0, false};
        if (!r.value(d.stream) || !r.value(d.component)) return false;
        d.passed_over = r.u64();
        d.evicted = r.boolean();
        dropped_.push_back(std::move(d));
      }
    }
    return r.ok();
  }
  in_order_stage empty_copy() const { return {stream_, number_, bits_, streams_.empty_copy()}; }

 private:
  // What a stream held that has lost its place or begun anew, until it is told.
  struct dropped {
    stream_type stream;
    in_order_stage::component component;
    std::uint64_t passed_over;  // before that
    bool evicted;
  };
  static constexpr std::size_t most_dropped = 256;

  in_order_stage(Stream stream, Number number, unsigned bits, table streams)
      : stream_(std::move(stream)), number_(std::move(number)), bits_(bits), streams_(std::move(streams)) {}

  static constexpr void check_snapshot() {
    static_assert(
        snapshot_value<component>,
        "recoup: this pipeline's state contains whole events (in_order holds them); to take a snapshot, give your "
        "event a default constructor and the members void save(recoup::snapshot_writer&) const and bool "
        "load(recoup::snapshot_reader&)");
  }

  // Nothing if the event is not of the sequence.
  std::optional<std::uint64_t> number_of(const Event& e, const context& c) const {
    if (c.from == origin::correction || c.from == origin::inferred) return std::nullopt;
    return detail::sequence_of(detail::project(number_, e), bits_);
  }

  // Keeps what a stream holds that is about to lose its place or begin anew.
  void drop(const stream_type& key, component& stream, bool evicted) {
    dropped_.push_back({key, stream.empty_copy(), stream.passed_over_count(), evicted});
    std::swap(dropped_.back().component, stream);
  }

  template <class Emit>
  static auto as_accepted(Emit& emit) {
    return [&emit](const auto& told) {
      if constexpr (std::is_same_v<decltype(told), const held_event&>) {
        emit(accepted<Event>{told.event, told.from});
      } else {
        emit(told);
      }
    };
  }
  // If emit throws, advance looks at every stream again.
  template <class Emit>
  void release(const stream_type& key, component& stream, timestamp now, Emit& emit) {
    const timestamp due = std::exchange(due_, timestamp::min());
    stream.release(now, key, as_accepted(emit));
    due_ = std::min(due, stream.due());
  }
  template <class Emit>
  void tell_dropped(Emit& emit) {
    for (; !dropped_.empty(); dropped_.erase(dropped_.begin())) {
      dropped& d = dropped_.front();
      d.component.flush(d.stream, as_accepted(emit));
      if (d.evicted) tell_evicted(d.stream, d.component.passed_over_count() - d.passed_over, emit);
    }
  }
  template <class Emit>
  static void tell_evicted(const stream_type& stream, std::uint64_t missing, Emit& emit) {
    if constexpr (table::evicts) emit(stream_evicted<stream_type>{stream, missing});
  }

  Stream stream_;
  Number number_;
  unsigned bits_;
  table streams_;
  std::vector<dropped> dropped_;
  std::optional<stream_type> reacted_;  // a stream with something to release since a gap of it was given up
  timestamp due_ = timestamp::max();    // no stream has anything to tell before
};

namespace detail {
template <class Stream, class Number, class Size>
struct in_order_description {
  Stream stream;
  Number number;
  Size size;
  resequencer_options options;
  keyed_options streams;

  template <class Event>
  auto bind() && {
    return in_order_stage<Event, Stream, Number, Size>(std::move(stream), std::move(number), std::move(size), options,
                                                       streams);
  }
};
}  // namespace detail

/// in_order(&payment::partition, &payment::offset, {.max_events = 4'096, .max_hold = 30s})
/// size: a member pointer or a callable that gives the bytes an event counts for, for max_bytes.
template <class Stream, class Number, class Size = size_in_place>
[[nodiscard]] auto in_order(Stream stream, Number number, resequencer_options options = {}, keyed_options streams = {},
                            Size size = {}) {
  return detail::in_order_description<Stream, Number, Size>{std::move(stream), std::move(number), std::move(size),
                                                            options, streams};
}

/// All events are of one stream.
template <class Number>
[[nodiscard]] auto in_order(Number number, resequencer_options options = {}) {
  return detail::in_order_description<detail::one_stream, Number, size_in_place>{
      {}, std::move(number), {}, options, {}};
}

}  // namespace recoup
