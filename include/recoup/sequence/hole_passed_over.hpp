// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "recoup/core/sequence_range.hpp"
#include "recoup/sequence/findings.hpp"

/// What a resequencer tells besides the events.

namespace recoup {

enum class pass_reason : std::uint8_t {
  given_up,  ///< pass_over was called: these numbers were given up, or will not come
  time,      ///< an event above them was held for resequencer_options.max_hold
  capacity,  ///< more was held than max_events or max_bytes
  flush,     ///< all that was held was to be released, as its stream was dropped or the caller wished it
};

[[nodiscard]] constexpr std::string_view describe(pass_reason reason) {
  switch (reason) {
    case pass_reason::given_up:
      return "its numbers were given up";
    case pass_reason::time:
      return "a later event was held for as long as max_hold admits";
    case pass_reason::capacity:
      return "more was held than max_events or max_bytes admits";
    case pass_reason::flush:
      return "everything that was held had to be released";
  }
  return "unknown reason";
}

/// The events of these numbers are not waited for any longer: what is told after this comes after them. Should one of
/// them come all the same, it is late.
template <class Stream = only_stream>
struct hole_passed_over {
  Stream stream;
  sequence_range range;
  pass_reason reason;
};

}  // namespace recoup
