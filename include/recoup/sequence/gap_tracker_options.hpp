// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/replay_policy.hpp"

namespace recoup {

/// A hole becomes a gap, which is reported and asked for, when later numbers have come and reordering can't explain it
/// any more: by distance, by time, or by whichever comes first where both are given (RFC 9002, section 6.1); at once
/// where neither is.
struct gap_tracker_options {
  unsigned bits = 64;  ///< width of the sequence number as sent, 1 to 64; it wraps after 2^bits
  std::optional<std::uint64_t> expect_from =
      {};  ///< the first number there must be; else the first arrival is the first
  std::optional<std::uint64_t> reorder_distance = {};  ///< missing once a number this much above the hole has come
  std::optional<duration> reorder_delay = {};          ///< missing once this long has passed since a higher one came
  std::size_t max_gaps = 4'096;        ///< missing ranges kept at once a stream; beyond it the lowest is given up
  std::uint64_t max_jump = 1'000'000;  ///< a longer hole than this is no hole but a jump
  std::optional<std::uint64_t> max_behind = {};  ///< a repeated number further below the highest may be a restart
  std::uint32_t resynchronise_after = 2;  ///< successive numbers that prove a jump or a restart to be real (RFC 3550,
                                          ///< appendix A.1); 1: at once; 0: never, you call resume_at
  replay_policy replay = {};
};

namespace detail {
inline gap_tracker_options checked(gap_tracker_options o) {
  require_option(o.bits >= 1 && o.bits <= 64, "gap_tracker_options.bits must be 1 to 64");
  require_option(o.max_gaps >= 1 && o.max_gaps <= (std::size_t{1} << 28),
                 "gap_tracker_options.max_gaps must be 1 to 2^28");
  require_option(!o.reorder_delay || *o.reorder_delay >= duration::zero(),
                 "gap_tracker_options.reorder_delay must not be negative");
  o.replay = checked(o.replay);
  return o;
}

// What a snapshot depends on: how numbers are read, and how many gaps there is room for. When gaps are told and asked
// for may change from one run to the next.
inline std::uint64_t configuration_of(const gap_tracker_options& o) noexcept {
  return combine({o.bits, option(o.expect_from), o.max_gaps});
}
}  // namespace detail

}  // namespace recoup
