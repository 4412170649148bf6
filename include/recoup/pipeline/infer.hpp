// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/detail/inference_state.hpp"
#include "recoup/pipeline/detail/sequence_of.hpp"
#include "recoup/pipeline/detail/streams.hpp"
#include "recoup/pipeline/findings.hpp"
#include "recoup/pipeline/from_neighbours.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/reconcile/neighbours.hpp"

namespace recoup {

/// Makes up the events that a track_gaps before it finds missing, and tells them as `inferred`. An inferred event is
/// not processed: nothing counts it, and the real event, when it comes, is judged as if there had been none; that it
/// came is told as inference_superseded. Keeps copies of accepted events, two a hole and one a stream. Stands behind
/// the stages that reject or correct events.
template <class Event, class Stream, class Number, class Fillers>
class infer_stage : public stage_defaults<Event> {
 public:
  static_assert(
      detail::projection_of<Stream, Event> && detail::projection_of<Number, Event>,
      "recoup: stream and number of infer(stream, number, ...) must be member pointers of this Event or callables "
      "of const Event&");
  static_assert(detail::is_number<detail::projected<Number, Event>>,
                "recoup: the number of infer(stream, number, ...) must be an integer, or a std::optional of one");
  static_assert(std::is_default_constructible_v<Event> && std::is_copy_assignable_v<Event>,
                "recoup: infer(...) makes up events: the Event must be default-constructible and copyable");

  static constexpr std::string_view name = "infer";
  static constexpr bool counts_rejected = true;
  static constexpr bool takes_right_events = true;
  using stream_type = detail::stream_of<Stream, Event>;
  using table = detail::table_of<stream_type, detail::inference_state<Event>>;
  using findings = type_list<inferred<Event, stream_type>, not_inferred<stream_type>,
                             inference_superseded<Event, stream_type>, inference_forgotten<stream_type>>;
  using reacts_to = type_list<gap_found<stream_type>>;

  struct hint {
    std::uint32_t hash = 0;
  };
  struct judgement {
    typename table::place place;
    std::optional<std::uint64_t> sequence;
    bool was_inferred = false;
  };

  infer_stage(Stream stream, Number number, Fillers fillers, const infer_options& options, const keyed_options& streams)
      : infer_stage(std::move(stream), std::move(number), std::move(fillers), options,
                    table(streams, detail::inference_state<Event>(checked(options)))) {}

  hint prepare(const Event& e) const { return {streams_.hash(detail::project(stream_, e))}; }
  void prefetch(const hint& h) const noexcept { streams_.prefetch(h.hash); }

  judgement judge(const Event& e, const hint& h, const context& c) const {
    judgement j;
    const std::optional<std::uint64_t> number = detail::sequence_of(detail::project(number_, e), options_.bits);
    if (!number || c.from == origin::correction || c.from == origin::inferred) return j;
    j.place = streams_.locate(detail::project(stream_, e), h.hash);
    const auto& state = streams_.at(j.place);
    j.sequence = state.unwrap(*number);
    j.was_inferred = j.sequence && is_right(c.so_far) && state.was_inferred(*j.sequence);
    return j;
  }
  verdict outcome(const judgement&) const noexcept { return verdict::accepted; }

  template <class Emit>
  void report(const Event& e, const judgement& j, const context&, Emit&& emit) const {
    if (!j.sequence) return;
    streams_.tell_victim(j.place, [&](const stream_type& s, const auto& state) { tell_forgotten(s, state, emit); });
    if (!j.was_inferred) return;
    const auto stream = detail::make_stream<stream_type>(detail::project(stream_, e));
    if (const auto displaced = streams_.at(j.place).displaced_by(*j.sequence)) {
      emit(inference_forgotten<stream_type>{stream, *displaced});
    }
    emit(inference_superseded<Event, stream_type>{e, stream, *j.sequence});
  }

  void commit(const Event& e, const judgement& j, const context& c, verdict v) {
    if (!j.sequence) return;
    auto& state = streams_.use(j.place, detail::project(stream_, e), c.now);
    if (is_right(v)) {
      state.remember(*j.sequence, e);
      superseded_ += j.was_inferred;
      if (c.from == origin::live) fillers_.learn(e);
    }
    state.arrive(*j.sequence);
  }

  void react(const gap_found<stream_type>& gap, timestamp) {
    const auto* state = streams_.find(gap.stream);
    const bool has_neighbours = state != nullptr && state->around(gap.range.first) && state->around(gap.range.last);
    pending_ = {gap.stream, gap.range, has_neighbours && gap.range.size() <= options_.max_run};
  }

  template <class Emit>
  void advance(timestamp now, Emit&& emit) {
    if (!pending_.range.empty()) tell_pending(emit);
    streams_.advance(now, [&](const stream_type& s, const auto& state) { tell_forgotten(s, state, emit); });
  }

  template <class F>
  void for_each_counter(F&& f) const {
    f("inferred", inferred_);
    f("superseded", superseded_);
  }

  std::uint64_t configuration() const noexcept {
    return detail::combine({streams_.configuration(), fillers_.configuration()});
  }
  void save(snapshot_writer& w) const {
    streams_.save(w);
    fillers_.save(w);
    w.value(pending_.stream);
    w.u64(pending_.range.first);
    w.u64(pending_.range.last);
    w.boolean(pending_.is_inferable);
    w.u64(inferred_);
    w.u64(superseded_);
  }
  bool load(snapshot_reader& r) {
    if (!streams_.load(r) || !fillers_.load(r) || !r.value(pending_.stream)) return false;
    pending_.range = {r.u64(), r.u64()};
    pending_.is_inferable = r.boolean();
    inferred_ = r.u64();
    superseded_ = r.u64();
    return r.ok() && (!pending_.is_inferable || pending_.range.size() <= options_.max_run);
  }
  infer_stage empty_copy() const { return {stream_, number_, fillers_.empty_copy(), options_, streams_.empty_copy()}; }

 private:
  infer_stage(Stream stream, Number number, Fillers fillers, const infer_options& options, table streams)
      : stream_(std::move(stream)),
        number_(std::move(number)),
        fillers_(std::move(fillers)),
        options_(options),
        streams_(std::move(streams)) {}

  // A gap that was found and whose events are still to be told.
  struct pending {
    stream_type stream{};
    sequence_range range{1, 0};
    bool is_inferable = false;
  };

  // Each is counted as told when emit returns.
  template <class Emit>
  void tell_pending(Emit& emit) {
    auto* state = streams_.find(pending_.stream);
    if (!pending_.is_inferable || state == nullptr) {
      emit(not_inferred<stream_type>{pending_.stream, pending_.range});
      pending_.range = {1, 0};
      return;
    }
    for (; !pending_.range.empty(); pending_.range = above_first(pending_.range)) {
      const std::uint64_t sequence = pending_.range.first;
      const auto around = state->around(sequence);
      if (!around) {  // has come since, or its neighbours had to go
        emit(not_inferred<stream_type>{pending_.stream, {sequence, sequence}});
        continue;
      }
      if (state->has_no_room_for(sequence)) {
        emit(inference_forgotten<stream_type>{pending_.stream, state->inferred().front()});
        state->forget_lowest();
      }
      const Event made = make(pending_.stream, *around);
      emit(inferred<Event, stream_type>{made, pending_.stream, sequence});
      state->commit_inferred(sequence);
      ++inferred_;
    }
  }

  template <class Emit>
  static void tell_forgotten(const stream_type& stream, const detail::inference_state<Event>& state, Emit& emit) {
    for (const sequence_range& range : state.inferred()) emit(inference_forgotten<stream_type>{stream, range});
  }
  static constexpr sequence_range above_first(sequence_range r) noexcept {
    return r.first == r.last ? sequence_range{1, 0} : sequence_range{r.first + 1, r.last};
  }

  static infer_options checked(const infer_options& o) {
    detail::require_option(o.bits >= 1 && o.bits <= 64, "infer_options.bits must be 1 to 64");
    detail::require_option(o.max_run >= 1, "infer_options.max_run must be at least 1 number");
    detail::require_option(o.max_holes >= 1, "infer_options.max_holes must be at least 1 hole");
    return o;
  }

  Event make(const stream_type& stream, const neighbours<Event>& around) const {
    Event draft{};
    assign(detail::project(stream_, draft), stream);
    assign(detail::project(number_, draft), around.sequence & (~std::uint64_t{0} >> (64 - options_.bits)));
    fillers_.fill(draft, around);
    return draft;
  }
  // Where the projection gives a reference, the field can be written.
  template <class Field, class Value>
  static void assign(Field&& field, const Value& value) {
    if constexpr (std::is_lvalue_reference_v<Field> && !std::is_const_v<std::remove_reference_t<Field>>) {
      using target = std::remove_reference_t<Field>;
      if constexpr (detail::is_optional_v<target>) {
        field = static_cast<typename target::value_type>(value);
      } else {
        field = static_cast<target>(value);
      }
    }
  }

  Stream stream_;
  Number number_;
  Fillers fillers_;
  infer_options options_;
  table streams_;
  pending pending_;
  std::uint64_t inferred_ = 0;
  std::uint64_t superseded_ = 0;
};

namespace detail {
template <class Stream, class Number, class Fillers>
struct infer_description {
  Stream stream;
  Number number;
  Fillers fillers;
  infer_options options;
  keyed_options streams;

  template <class Event>
  auto bind() && {
    auto bound = std::move(fillers).template bind<Event>();
    return infer_stage<Event, Stream, Number, decltype(bound)>(std::move(stream), std::move(number), std::move(bound),
                                                               options, streams);
  }
};
}  // namespace detail

/// infer(&event::source, &event::number, from_neighbours(midpoint(&event::at), most_frequent(&event::type)))
template <class Stream, class Number, class... Fillers>
[[nodiscard]] auto infer(Stream stream, Number number, detail::filler_set_description<Fillers...> fillers,
                         infer_options options = {}, keyed_options streams = {}) {
  return detail::infer_description<Stream, Number, decltype(fillers)>{std::move(stream), std::move(number),
                                                                      std::move(fillers), options, streams};
}

/// All events are of one stream.
template <class Number, class... Fillers>
[[nodiscard]] auto infer(Number number, detail::filler_set_description<Fillers...> fillers,
                         infer_options options = {}) {
  return detail::infer_description<detail::one_stream, Number, decltype(fillers)>{
      {}, std::move(number), std::move(fillers), options, {}};
}

}  // namespace recoup
