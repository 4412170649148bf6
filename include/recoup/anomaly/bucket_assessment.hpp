// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// One bucket, closed.
struct bucket_assessment {
  timestamp start;
  duration width;
  std::uint64_t count;
  recoup::assessment assessment;

  [[nodiscard]] constexpr bool operator==(const bucket_assessment&) const = default;
};

/// Buckets that were passed over, as nobody was there to see them: neither judged nor learnt.
struct buckets_skipped {
  timestamp start;        ///< of the first
  std::uint64_t buckets;  ///< how many

  [[nodiscard]] constexpr bool operator==(const buckets_skipped&) const = default;
};

}  // namespace recoup
