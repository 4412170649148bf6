// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace recoup {

/// Why numbers will never come, although nothing was lost.
enum class skip_reason : std::uint8_t {
  control,    ///< the source's own record: a transaction marker of Kafka, an administrative message of FIX
  compacted,  ///< the source kept a newer event of the same key
  deleted,    ///< deleted, expired or trimmed at the source before it could be read
  gap_fill,   ///< the source, asked to replay, says that it has nothing to send for it
  other,
};
inline constexpr std::size_t skip_reasons = 5;

}  // namespace recoup
