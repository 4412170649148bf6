// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "recoup/pipeline/findings.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/sequence/findings.hpp"

namespace recoup {
template <class Key>
struct anomaly;
template <class Key>
struct silence_over;
template <class Key>
struct detector_evicted;
template <class Key>
struct overdue;
template <class Key>
struct overdue_retracted;
template <class Key>
struct forbidden_arrival;
template <class Key>
struct expectation_evicted;
template <class Ours, class Theirs>
struct matched;
template <class Ours, class Theirs>
struct mismatched;
template <class Ours, class Theirs>
struct matched_in_parts;
template <class Ours, class Theirs>
struct ambiguous;
template <class Record>
struct unmatched;
template <class Record>
struct unmatched_retracted;
template <class Record>
struct duplicate_record;
}  // namespace recoup

namespace recoup::detail {

// Hands a finding or verdict to the sink. Where that has no handler for it, handles has said so in one sentence.
template <class Sink, class Told>
[[gnu::always_inline]] inline decltype(auto) hand(Sink& sink, const Told& told) {
  if constexpr (std::is_invocable_v<Sink&, const Told&>) return sink(told);
}

// That a sink takes what a pipeline tells; if not, the compiler's first error is a sentence.
template <class Sink, class Told>
struct handler_of {
  static_assert(std::is_invocable_v<Sink&, const Told&>,
                "recoup: the sink has no handler for a finding of one of your own stages: see Told in this error");
};

#define RECOUP_HANDLER_OF(TEMPLATE, SPELLED, ...)                                                            \
  template <class Sink, class... Ts>                                                                         \
  struct handler_of<Sink, TEMPLATE<Ts...>> {                                                                 \
    static_assert(std::is_invocable_v<Sink&, const TEMPLATE<Ts...>&>,                                        \
                  "recoup: the sink has no handler for " SPELLED ", which this pipeline tells: " __VA_ARGS__ \
                  " add [](const recoup::" SPELLED "&) { ... }");                                            \
  };

RECOUP_HANDLER_OF(accepted, "accepted<Event>", "the event is right;")
RECOUP_HANDLER_OF(duplicate, "duplicate<Event>", "the event has been here before;")
RECOUP_HANDLER_OF(dead_letter, "dead_letter<Event>", "the event breaks a rule beyond repair;")
RECOUP_HANDLER_OF(review, "review<Event>", "a person should decide about the event;")
RECOUP_HANDLER_OF(correction, "correction<Event>", "the event was put right;")
RECOUP_HANDLER_OF(held, "held<Event>", "the event waits for its turn;")
RECOUP_HANDLER_OF(late, "late<Event>", "the event's turn is over;")
RECOUP_HANDLER_OF(refused, "refused<Event>", "there is no room to hold the event, give it again;")
RECOUP_HANDLER_OF(flagged, "flagged<Event>", "the event breaks a rule that only flags;")
RECOUP_HANDLER_OF(gap_found, "gap_found<Stream>", "numbers are missing;")
RECOUP_HANDLER_OF(replay_request, "replay_request<Stream>", "ask the source for these numbers;")
RECOUP_HANDLER_OF(gap_abandoned, "gap_abandoned<Stream>", "missing numbers are given up;")
RECOUP_HANDLER_OF(late_arrival, "late_arrival<Stream>", "a number came after it was given up;")
RECOUP_HANDLER_OF(hole_passed_over, "hole_passed_over<Stream>", "missing events are not waited for any longer;")
RECOUP_HANDLER_OF(stream_resumed, "stream_resumed<Stream>", "a stream goes on at another number;")
RECOUP_HANDLER_OF(unknown_stream, "unknown_stream<Stream>", "an event of a stream beyond dense_options.capacity;")
RECOUP_HANDLER_OF(stream_evicted, "stream_evicted<Stream>", "a stream's state was dropped;")
RECOUP_HANDLER_OF(window_evicted, "window_evicted<Space>", "a key space's window was dropped;")
RECOUP_HANDLER_OF(anomaly, "anomaly<Key>", "something is unusual;")
RECOUP_HANDLER_OF(silence_over, "silence_over<Key>", "a silence has ended;")
RECOUP_HANDLER_OF(detector_evicted, "detector_evicted<Key>", "what was learnt of a key was dropped;")
RECOUP_HANDLER_OF(matched, "matched<Ours, Theirs>", "two records agree;")
RECOUP_HANDLER_OF(mismatched, "mismatched<Ours, Theirs>", "two records of a key disagree;")
RECOUP_HANDLER_OF(matched_in_parts, "matched_in_parts<Ours, Theirs>", "several records add up to one;")
RECOUP_HANDLER_OF(ambiguous, "ambiguous<Ours, Theirs>", "there are several equally good ways to match a record;")
RECOUP_HANDLER_OF(unmatched, "unmatched<Record>", "a record is missing on the other side;")
RECOUP_HANDLER_OF(unmatched_retracted, "unmatched_retracted<Record>", "an unmatched record has a partner after all;")
RECOUP_HANDLER_OF(duplicate_record, "duplicate_record<Record>", "a record has come before;")
RECOUP_HANDLER_OF(inferred, "inferred<Event, Stream>", "an event that stands in for a missing one;")
RECOUP_HANDLER_OF(not_inferred, "not_inferred<Stream>", "a missing event that could not be inferred;")
RECOUP_HANDLER_OF(inference_superseded, "inference_superseded<Event, Stream>", "an inferred event's real one came;")
RECOUP_HANDLER_OF(inference_forgotten, "inference_forgotten<Stream>", "inferred events are no longer watched for;")
RECOUP_HANDLER_OF(overdue, "overdue<Key>", "what was expected has not come in time;")
RECOUP_HANDLER_OF(overdue_retracted, "overdue_retracted<Key>", "what was overdue has come after all;")
RECOUP_HANDLER_OF(forbidden_arrival, "forbidden_arrival<Key>", "what must not come so soon has come;")
RECOUP_HANDLER_OF(expectation_evicted, "expectation_evicted<Key>", "an expectation had to go, as the table is full;")

#undef RECOUP_HANDLER_OF

template <class Sink, class... Told>
constexpr bool handles(type_list<Told...>) {
  return ((sizeof(handler_of<Sink, Told>) > 0) && ...);
}

}  // namespace recoup::detail
