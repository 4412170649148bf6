// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace recoup {

/// What became of a snapshot.
enum class snapshot_status : std::uint8_t {
  ok,
  truncated,            ///< shorter than it says itself, or than any snapshot
  not_a_snapshot,       ///< does not start as a snapshot does
  other_endian,         ///< its numbers are in the other byte order
  older_version,        ///< written by a version of recoup that this one no longer reads
  newer_version,        ///< written by a version of recoup that this one does not know yet
  corrupt,              ///< the checksum does not fit
  other_configuration,  ///< taken from a component with other options
  malformed,            ///< the checksum fits and the content is impossible, or more bytes follow
};

/// What is wrong, and what to do, in a sentence.
[[nodiscard]] constexpr std::string_view describe(snapshot_status status) {
  switch (status) {
    case snapshot_status::ok:
      return "The snapshot was restored.";
    case snapshot_status::truncated:
      return "The snapshot ends too early: read all of its bytes, or use an older complete snapshot.";
    case snapshot_status::not_a_snapshot:
      return "These bytes are not a recoup snapshot: check which file or record was read.";
    case snapshot_status::other_endian:
      return "The snapshot's numbers are in the other byte order: recoup writes little-endian on every machine, so "
             "find "
             "what converted them.";
    case snapshot_status::older_version:
      return "The snapshot is of an older version than can be read: restore it with the recoup that wrote it, or start "
             "empty.";
    case snapshot_status::newer_version:
      return "The snapshot was written by a newer recoup: upgrade this program, or use a snapshot that it wrote.";
    case snapshot_status::corrupt:
      return "The snapshot's checksum does not fit its bytes: they changed in storage; use another snapshot.";
    case snapshot_status::other_configuration:
      return "The snapshot was taken with other options: construct the component with those, or start empty.";
    case snapshot_status::malformed:
      return "The snapshot's content is impossible, or bytes follow its end: pass exactly the bytes that snapshot() "
             "returned.";
  }
  return "Unknown snapshot status.";
}

}  // namespace recoup
