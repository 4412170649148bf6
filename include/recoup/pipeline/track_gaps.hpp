// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/detail/sequence_of.hpp"
#include "recoup/pipeline/detail/streams.hpp"
#include "recoup/pipeline/findings.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/sequence/gap_tracker.hpp"

namespace recoup {

/// Gives every stream a gap_tracker. Each arrival counts for its sequence, whatever becomes of the event; only a
/// correction and an inferred event have arrived before, or not at all, and a replay fills gaps without opening any. An
/// event whose number is absent (an empty std::optional, or a negative number where numbers have 64 bits) is passed
/// over. Has no verdict: that a number repeats does not say that the event does.
///
/// advance is O(1) while nothing is due; else it looks at every stream.
template <class Event, class Stream, class Number>
class track_gaps_stage : public stage_defaults<Event> {
 public:
  static_assert(
      detail::projection_of<Stream, Event>,
      "recoup: the stream of track_gaps(stream, number) must be a member pointer of this Event or a callable of "
      "const Event&");
  static_assert(
      detail::projection_of<Number, Event>,
      "recoup: the number of track_gaps(stream, number) must be a member pointer of this Event or a callable of "
      "const Event&");
  static_assert(detail::is_number<detail::projected<Number, Event>>,
                "recoup: the number of track_gaps(stream, number) must be an integer, or a std::optional of one");

  static constexpr std::string_view name = "track_gaps";
  static constexpr bool counts_rejected = true;
  using stream_type = detail::stream_of<Stream, Event>;
  using table = detail::table_of<stream_type, gap_tracker>;
  using findings = detail::joined<type_list<gap_found<stream_type>, replay_request<stream_type>,
                                            gap_abandoned<stream_type>, late_arrival<stream_type>>,
                                  detail::type_list_if<table::evicts, stream_evicted<stream_type>>>;

  struct hint {
    std::uint32_t hash = 0;
  };
  struct judgement {  // without padding, so that it stays in registers
    gap_tracker::judgement seen;
    [[no_unique_address]] typename table::place place;
    std::uint64_t counts = 0;  // a bool
  };

  track_gaps_stage(Stream stream, Number number, const gap_tracker_options& options, const keyed_options& streams)
      : track_gaps_stage(std::move(stream), std::move(number), options.bits, table(streams, gap_tracker(options))) {}

  hint prepare(const Event& e) const { return {trackers_.hash(detail::project(stream_, e))}; }
  void prefetch(const hint& h) const noexcept { trackers_.prefetch(h.hash); }

  judgement judge(const Event& e, const hint& h, const context& c) const {
    const std::optional<std::uint64_t> number = detail::sequence_of(detail::project(number_, e), bits_);
    if (!number || c.from == origin::correction || c.from == origin::inferred) return {};
    const auto place = trackers_.locate(detail::project(stream_, e), h.hash);
    const gap_tracker::judgement seen = trackers_.at(place).judge(*number);
    return {seen, place, c.from == origin::live || (seen.answer != arrival::in_order && seen.answer != arrival::ahead)};
  }
  verdict outcome(const judgement&) const noexcept { return verdict::accepted; }
  bool is_usual(const judgement& j) const noexcept {
    return j.counts && table::is_found(j.place) && trackers_.at(j.place).is_next(j.seen);
  }
  void commit_usual(const Event&, const judgement& j, const context& c) noexcept {
    gap_tracker& tracker = trackers_.use_found(j.place, c.now);
    tracker.commit_next();
    take_note_of_due(tracker);
  }

  template <class Emit>
  void report(const Event& e, const judgement& j, const context&, Emit&& emit) const {
    if (!j.counts) return;
    trackers_.tell_victim(j.place, [&](const stream_type& s, const gap_tracker& t) { tell_evicted(s, t, emit); });
    if (j.seen.answer == arrival::late) {
      emit(late_arrival<stream_type>{detail::make_stream<stream_type>(detail::project(stream_, e)), j.seen.sequence});
    }
    const gap_tracker& tracker = trackers_.at(j.place);
    if (tracker.gap_count() < tracker.options().max_gaps) return;
    tracker.tell_displaced(j.seen, detail::make_stream<stream_type>(detail::project(stream_, e)), emit);
  }

  void commit(const Event& e, const judgement& j, const context& c, verdict) {
    if (!j.counts) return;
    gap_tracker& tracker = trackers_.use(j.place, detail::project(stream_, e), c.now);
    tracker.commit(j.seen, c.now);
    take_note_of_due(tracker);
  }

  bool forget(const Event& e, const context& c) {
    const std::optional<std::uint64_t> number = detail::sequence_of(detail::project(number_, e), bits_);
    if (!number || c.from == origin::correction || c.from == origin::inferred) return true;
    gap_tracker* tracker = trackers_.find(detail::project(stream_, e));
    if (tracker == nullptr || !tracker->forget(*number, c.now)) return false;
    due_ = std::min(due_, tracker->due());
    return true;
  }

  template <class Emit>
  void advance(timestamp now, Emit&& emit) {
    if (!table::evicts || now >= due_) {
      timestamp due = timestamp::max();
      trackers_.for_each([&](const stream_type& stream, gap_tracker& tracker) {
        tracker.advance(now, stream, emit);
        if (tracker.gap_count() != 0) due = std::min(due, tracker.due());
      });
      due_ = due;
    }
    trackers_.advance(now, [&](const stream_type& stream, const gap_tracker& t) { tell_evicted(stream, t, emit); });
  }

  template <class F>
  void for_each_counter(F&& f) const {
    std::array<std::uint64_t, arrival_kinds> counts{};
    std::uint64_t missing = 0;
    std::uint64_t found = 0;
    std::uint64_t recovered = 0;
    std::uint64_t gaps = 0;
    trackers_.for_each([&](const stream_type&, const gap_tracker& t) {
      for (std::size_t a = 0; a < arrival_kinds; ++a) counts[a] += t.count(static_cast<arrival>(a));
      missing += t.missing_count();
      found += t.found_count();
      recovered += t.recovered_count();
      gaps += t.gap_count();
    });
    for (std::size_t a = 0; a < arrival_kinds; ++a) f(name_of(static_cast<arrival>(a)), counts[a]);
    f("streams", std::uint64_t{trackers_.size()});
    f("open_gaps", gaps);
    f("missing", missing);
    f("found", found);
    f("recovered", recovered);
  }

  /// The tracker of a stream, for its positions; null before the stream's first event.
  template <class S>
  [[nodiscard]] const gap_tracker* tracker(const S& stream) const {
    return trackers_.find(stream);
  }
  [[nodiscard]] const gap_tracker* tracker() const requires std::is_same_v<stream_type, only_stream> {
    return trackers_.find(only_stream{});
  }

  /// All of them: to look at each, or to take one out and put it into another pipeline.
  table& trackers() noexcept {
    due_ = timestamp::min();
    return trackers_;
  }
  const table& trackers() const noexcept { return trackers_; }

  std::uint64_t configuration() const noexcept { return trackers_.configuration(); }
  void save(snapshot_writer& w) const { trackers_.save(w); }
  bool load(snapshot_reader& r) {
    due_ = timestamp::min();
    return trackers_.load(r);
  }
  track_gaps_stage empty_copy() const { return {stream_, number_, bits_, trackers_.empty_copy()}; }

 private:
  track_gaps_stage(Stream stream, Number number, unsigned bits, table trackers)
      : stream_(std::move(stream)), number_(std::move(number)), bits_(bits), trackers_(std::move(trackers)) {}

  void take_note_of_due(const gap_tracker& tracker) noexcept {
    if constexpr (table::evicts) {  // a single tracker knows best itself
      if (tracker.gap_count() != 0) [[unlikely]]
        due_ = std::min(due_, tracker.due());
    }
  }

  template <class Emit>
  static void tell_evicted(const stream_type& stream, const gap_tracker& t, Emit& emit) {
    if constexpr (table::evicts) emit(stream_evicted<stream_type>{stream, t.missing_count()});
  }

  Stream stream_;
  Number number_;
  unsigned bits_;
  table trackers_;
  timestamp due_ = timestamp::max();  // no tracker has anything to tell before
};

namespace detail {
template <class Stream, class Number>
struct track_gaps_description {
  Stream stream;
  Number number;
  gap_tracker_options options;
  keyed_options streams;

  template <class Event>
  auto bind() && {
    return track_gaps_stage<Event, Stream, Number>(std::move(stream), std::move(number), options, streams);
  }
};
}  // namespace detail

/// track_gaps(&payment::partition, &payment::offset, {.reorder_distance = 64, .reorder_delay = 200ms})
template <class Stream, class Number>
[[nodiscard]] auto track_gaps(Stream stream, Number number, gap_tracker_options options = {},
                              keyed_options streams = {}) {
  return detail::track_gaps_description<Stream, Number>{std::move(stream), std::move(number), options, streams};
}

/// All events are of one stream.
template <class Number>
[[nodiscard]] auto track_gaps(Number number, gap_tracker_options options = {}) {
  return detail::track_gaps_description<detail::one_stream, Number>{{}, std::move(number), options, {}};
}

}  // namespace recoup
