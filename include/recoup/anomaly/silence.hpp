// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/core/time.hpp"

// What silence_detector tells.

namespace recoup {

/// No event for so long that it is unlikely.
struct silence {
  timestamp since;                ///< of the last event
  timestamp at;                   ///< the `now` at which it was told
  std::uint32_t times;            ///< it was told, this one counted
  recoup::assessment assessment;  ///< in seconds since the last event

  [[nodiscard]] constexpr duration lasted() const noexcept { return elapsed(since, at); }
  [[nodiscard]] constexpr bool operator==(const silence&) const = default;
};

/// A silence that was told has ended.
struct silence_ended {
  timestamp since;
  timestamp until;      ///< of the event that ended it
  std::uint32_t times;  ///< it was told

  [[nodiscard]] constexpr duration lasted() const noexcept { return elapsed(since, until); }
  [[nodiscard]] constexpr bool operator==(const silence_ended&) const = default;
};

}  // namespace recoup
