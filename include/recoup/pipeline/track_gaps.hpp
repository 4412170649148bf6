// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/dense.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/detail/sequence_of.hpp"
#include "recoup/pipeline/detail/streams.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/sequence/arrival.hpp"
#include "recoup/sequence/findings.hpp"
#include "recoup/sequence/gap_tracker_options.hpp"
#include "recoup/sequence/gap_trackers.hpp"
#include "recoup/sequence/stream_gaps.hpp"

namespace recoup {

/// Knows what is missing of every stream. Each arrival counts for its sequence, whatever becomes of the event; only a
/// correction and an inferred event have arrived before, or not at all, and a replay fills gaps without opening any. An
/// event whose number is absent (an empty std::optional, or a negative number where numbers have 64 bits) is passed
/// over. Has no verdict: that a number repeats does not say that the event does.
template <class Event, class Stream, class Number, class TableOptions>
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
  static_assert(detail::is_numbering<detail::projected<Number, Event>>,
                "recoup: the number of track_gaps(stream, number) must be an integer, a std::optional of one, a "
                "sequence_range, or what linked() or increasing() give");

  static constexpr std::string_view name = "track_gaps";
  static constexpr bool counts_rejected = true;
  using stream_type = detail::stream_of<Stream, Event>;
  using table = gap_trackers<stream_type, detail::positions_of<stream_type, TableOptions>>;
  using findings =
      detail::joined<type_list<gap_found<stream_type>, replay_request<stream_type>, gap_abandoned<stream_type>,
                               late_arrival<stream_type>, stream_resumed<stream_type>>,
                     detail::type_list_if<table::evicts, stream_evicted<stream_type>>,
                     detail::type_list_if<!table::admits_all, unknown_stream<stream_type>>>;

  struct hint {
    std::uint32_t hash = 0;
  };
  struct judgement {  // without padding, so that it stays in registers
    typename table::judgement seen;
    std::uint64_t counts = 0;  // a bool
  };

  track_gaps_stage(Stream stream, Number number, const gap_tracker_options& options, const TableOptions& streams)
      : track_gaps_stage(std::move(stream), std::move(number), table(options, streams)) {}

  hint prepare(const Event& e) const { return {trackers_.hash(detail::project(stream_, e))}; }
  void prefetch(const hint& h) const noexcept { trackers_.prefetch(h.hash); }

  [[gnu::always_inline]] judgement judge(const Event& e, const hint& h, const context& c) const {
    const auto numbers = numbers_of(e);
    if (!numbers || c.from == origin::correction || c.from == origin::inferred) return {};
    const typename table::judgement j = trackers_.judge(detail::project(stream_, e), h.hash, *numbers);
    const arrival a = j.seen.answer;
    const bool is_new = a == arrival::in_order || a == arrival::ahead || a == arrival::jump || a == arrival::restart;
    return {j, c.from == origin::live || !is_new};
  }
  verdict outcome(const judgement&) const noexcept { return verdict::accepted; }
  bool is_usual(const judgement& j) const noexcept { return j.counts && trackers_.is_next(j.seen); }
  void commit_usual(const Event&, const judgement& j, const context& c) noexcept {
    trackers_.commit_next(j.seen, c.now);
  }

  template <class Emit>
  void report(const Event& e, const judgement& j, const context&, Emit&& emit) const {
    if (j.counts) trackers_.tell_displaced(detail::project(stream_, e), j.seen, emit);
  }
  void commit(const Event& e, const judgement& j, const context& c, verdict) {
    if (j.counts) trackers_.commit(detail::project(stream_, e), j.seen, c.now);
  }

  bool forget(const Event& e, const context& c) {
    const auto numbers = numbers_of(e);
    if (!numbers || c.from == origin::correction || c.from == origin::inferred) return true;
    return trackers_.forget(detail::project(stream_, e), *numbers, c.now);
  }

  template <class Emit>
  void advance(timestamp now, Emit&& emit) {
    trackers_.advance(now, emit);
  }

  /// All but streams and open_gaps count numbers. What was found missing, less what was recovered and what is missing
  /// still, is lost.
  template <class F>
  void for_each_counter(F&& f) const {
    for (std::size_t a = 0; a < arrival_kinds; ++a) {
      f(name_of(static_cast<arrival>(a)), trackers_.count(static_cast<arrival>(a)));
    }
    f("streams", std::uint64_t{trackers_.size()});
    f("open_gaps", trackers_.gap_count());
    f("missing", trackers_.missing_count());
    f("found", trackers_.found_count());
    f("recovered", trackers_.recovered_count());
    f("skipped", trackers_.skipped_count());
  }

  /// How a stream stands; nothing before the stream's first event.
  template <class S>
  [[nodiscard]] std::optional<stream_gaps> tracker(const S& stream) const {
    return trackers_.find(stream);
  }
  [[nodiscard]] stream_gaps tracker() const requires std::is_same_v<stream_type, only_stream> {
    return *trackers_.find(only_stream{});
  }

  /// All of them: to look at each, to skip numbers, or to take one out and put it into another pipeline.
  table& trackers() noexcept { return trackers_; }
  const table& trackers() const noexcept { return trackers_; }

  std::uint64_t configuration() const noexcept { return trackers_.configuration(); }
  void save(snapshot_writer& w) const { trackers_.save(w); }
  bool load(snapshot_reader& r) { return trackers_.load(r); }
  track_gaps_stage empty_copy() const { return {stream_, number_, trackers_.empty_copy()}; }

 private:
  track_gaps_stage(Stream stream, Number number, table trackers)
      : stream_(std::move(stream)), number_(std::move(number)), trackers_(std::move(trackers)) {}

  auto numbers_of(const Event& e) const {
    return detail::numbers_of(detail::project(number_, e), trackers_.options().bits);
  }

  Stream stream_;
  Number number_;
  table trackers_;
};

namespace detail {
template <class Stream, class Number, class TableOptions>
struct track_gaps_description {
  Stream stream;
  Number number;
  gap_tracker_options options;
  TableOptions streams;

  template <class Event>
  auto bind() && {
    return track_gaps_stage<Event, Stream, Number, TableOptions>(std::move(stream), std::move(number), options,
                                                                 streams);
  }
};
}  // namespace detail

/// track_gaps(&payment::partition, &payment::offset, {.reorder_distance = 64, .reorder_delay = 200ms})
///
/// Streams are kept in a table that evicts idle ones (keyed_options), or, where they are small integers, in an array
/// (dense_options). How events are numbered: see pipeline/numbering.hpp.
template <class Stream, class Number>
[[nodiscard]] auto track_gaps(Stream stream, Number number, gap_tracker_options options = {},
                              keyed_options streams = {}) {
  return detail::track_gaps_description<Stream, Number, keyed_options>{std::move(stream), std::move(number), options,
                                                                       streams};
}
template <class Stream, class Number, std::same_as<dense_options> Table>
[[nodiscard]] auto track_gaps(Stream stream, Number number, gap_tracker_options options, Table streams) {
  return detail::track_gaps_description<Stream, Number, dense_options>{std::move(stream), std::move(number), options,
                                                                       streams};
}

/// All events are of one stream.
template <class Number>
[[nodiscard]] auto track_gaps(Number number, gap_tracker_options options = {}) {
  return detail::track_gaps_description<detail::one_stream, Number, keyed_options>{{}, std::move(number), options, {}};
}

}  // namespace recoup
