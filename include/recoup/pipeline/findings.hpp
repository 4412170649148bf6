// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "recoup/core/sequence_range.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/sequence/findings.hpp"
#include "recoup/sequence/hole_passed_over.hpp"

/// What the pipeline notices, besides what a gap tracker (sequence/findings.hpp) and a resequencer
/// (sequence/hole_passed_over.hpp) tell: any number an event or advance.
/// The structs refer to events: copy out of them what is to outlive the call of the sink.

namespace recoup {

/// The event breaks rules whose outcome is only to be told. Its verdict follows.
template <class Event>
struct flagged {
  const Event& event;
  explanation because;
  [[nodiscard]] std::string why() const { return because.text(); }
};

/// This event stands in for one that is missing. It is no event of the stream: publish it as what it is.
template <class Event, class Stream = only_stream>
struct inferred {
  const Event& event;
  Stream stream;
  std::uint64_t sequence;
};

/// The window of a key space was dropped, since it was idle or others needed its place: its keys are new again.
template <class Space>
struct window_evicted {
  Space space;
};

/// Missing events were not inferred: too many in a row, or the events on both sides of them are not kept any more.
template <class Stream = only_stream>
struct not_inferred {
  Stream stream;
  sequence_range range;
};

/// The real event has come for which an inferred one was told: take that one back. The real event's own
/// verdict follows.
template <class Event, class Stream = only_stream>
struct inference_superseded {
  const Event& event;
  Stream stream;
  std::uint64_t sequence;
};

/// Inferred events are no longer watched for, as others needed the room: should the real ones come after all, nothing
/// will say that they had been inferred.
template <class Stream = only_stream>
struct inference_forgotten {
  Stream stream;
  sequence_range range;
};

}  // namespace recoup
