// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "recoup/core/sequence_range.hpp"
#include "recoup/core/time.hpp"

/// What a gap tracker tells. Stream is the type that names a stream (a partition number, a device's name).

namespace recoup {

/// The name of the stream where there is only one.
enum class only_stream : std::uint8_t {};

/// These numbers are missing: later ones came, and reordering does not explain it any more. Told once a gap.
template <class Stream = only_stream>
struct gap_found {
  Stream stream;
  sequence_range range;
  timestamp opened;  ///< when a later number came
};

/// Ask the source to send these numbers again. When the handler returns, the request counts as sent; when it throws or
/// returns false, it was not, and is made again at the next advance. Of numbers that wrap, the range is as unwrapped:
/// ask for them modulo 2^bits.
template <class Stream = only_stream>
struct replay_request {
  Stream stream;
  sequence_range range;
  std::uint32_t attempt;       ///< 1 for the first
  std::uint32_t max_attempts;  ///< attempt == max_attempts: there will be no other
};

enum class abandon_reason : std::uint8_t {
  attempts,  ///< the last replay request was not answered in time
  age,       ///< missing for longer than replay_policy.give_up_after
  capacity,  ///< more gaps than gap_tracker_options.max_gaps: the lowest had to go
  restart,   ///< the stream was taken up anew at another number
};

[[nodiscard]] constexpr std::string_view describe(abandon_reason reason) {
  switch (reason) {
    case abandon_reason::attempts:
      return "the last replay request was not answered in time";
    case abandon_reason::age:
      return "it was missing for longer than give_up_after";
    case abandon_reason::capacity:
      return "more gaps were open than max_gaps admits";
    case abandon_reason::restart:
      return "the stream was taken up anew at another number";
  }
  return "unknown reason";
}

/// These numbers are given up: they no longer hold back the contiguous position, and nobody is asked for them again.
template <class Stream = only_stream>
struct gap_abandoned {
  Stream stream;
  sequence_range range;
  timestamp opened;
  std::uint32_t attempts;  ///< replay requests sent
  abandon_reason reason;
};

/// The stream goes on at another number, as successive arrivals have shown a jump or a restart to be real. What was
/// missing is told as gap_abandoned; of the numbers that were jumped over nothing is known.
template <class Stream = only_stream>
struct stream_resumed {
  Stream stream;
  std::optional<std::uint64_t> expected;  ///< the number that would have been next
  std::uint64_t resumed_at;               ///< the first of those that came instead
};

/// A stream's state was dropped, since it was idle or others needed its place. Its numbers begin anew with its
/// next event.
template <class Stream = only_stream>
struct stream_evicted {
  Stream stream;
  std::uint64_t missing;  ///< numbers that were still missing
};

/// An event of a stream that a dense table has no place for: beyond dense_options.capacity. It counts for no sequence.
template <class Stream>
struct unknown_stream {
  Stream stream;
};

/// Numbers that had been given up have come after all: takes back that part of a gap_abandoned.
template <class Stream = only_stream>
struct late_arrival {
  Stream stream;
  sequence_range range;
};

}  // namespace recoup
