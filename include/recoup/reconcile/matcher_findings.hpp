// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "recoup/core/time.hpp"
#include "recoup/reconcile/comparers.hpp"
#include "recoup/reconcile/match_side.hpp"

/// What a matcher tells. The structs refer to records: copy out of them what is to outlive the call.

namespace recoup {

/// These two records are of one key and agree.
template <class Ours, class Theirs>
struct matched {
  const Ours& ours;
  const Theirs& theirs;
  std::span<const field_difference> fields;  ///< in the order of the matcher's comparers
};

/// These two records are of one key and disagree.
template <class Ours, class Theirs>
struct mismatched {
  const Ours& ours;
  const Theirs& theirs;
  std::span<const field_difference> fields;  ///< in the order of the matcher's comparers; some do not agree
  const void* comparers;
  std::string (*explain)(const void* comparers, const Ours& ours, const Theirs& theirs);

  /// "amount: theirs 90 is 10 below ours 100, more than 5; status: ...": the fields that disagree.
  [[nodiscard]] std::string why() const { return explain(comparers, ours, theirs); }
};

/// Records that may belong together: one of a side, and one or more of the other.
template <class Ours, class Theirs>
struct possible_match {
  std::span<const Ours* const> ours;
  std::span<const Theirs* const> theirs;
};

/// Several records of one side add up to one of the other.
template <class Ours, class Theirs>
struct matched_in_parts {
  possible_match<Ours, Theirs> records;
  field_difference sum;
};

/// There are at least two equally good ways to match a record that came. Nothing was matched: the records wait for
/// better ones, and at the end of their wait they are tried once more.
template <class Ours, class Theirs>
struct ambiguous {
  possible_match<Ours, Theirs> first;
  possible_match<Ours, Theirs> second;
};

enum class unmatched_reason : std::uint8_t {
  waited,     ///< no partner has come in time
  ambiguous,  ///< at the end of its wait there were several equally good ones
  evicted,    ///< as many records are held as can be, and this one was to go first
  no_key,     ///< its key is absent, or an empty text
};
[[nodiscard]] constexpr std::string_view name_of(unmatched_reason r) {
  constexpr std::array<std::string_view, 4> names{"waited", "ambiguous", "evicted", "no_key"};
  return names[static_cast<std::size_t>(r)];
}

/// This record has no partner: it is missing on the other side.
template <class Record>
struct unmatched {
  match_side side;  ///< whose record this is
  const Record& record;
  timestamp since;  ///< when it came
  unmatched_reason reason;
};

/// This record was told as unmatched, and now has a partner after all: take that back. What it was paired with is told
/// next.
template <class Record>
struct unmatched_retracted {
  match_side side;
  const Record& record;
  timestamp since;  ///< when it came
};

/// This record equals one of the same side.
template <class Record>
struct duplicate_record {
  match_side side;
  const Record& record;
  const Record& first;
  timestamp first_seen;
};

/// The records of one side. At every moment seen = matched + mismatched + open + missing + duplicates.
struct match_totals {
  std::uint64_t seen = 0;
  std::uint64_t matched = 0;
  std::uint64_t mismatched = 0;
  std::uint64_t open = 0;
  std::uint64_t missing = 0;  ///< have no partner on the other side, and were told as unmatched
  std::uint64_t duplicates = 0;

  std::uint64_t evicted = 0;          ///< of the missing: those that did not wait to the end
  std::uint64_t ambiguous = 0;        ///< how often that was told of a record of this side
  std::uint64_t forgotten_early = 0;  ///< settled ones that were not remembered for as long as asked for
  [[nodiscard]] constexpr bool is_balanced() const noexcept {
    return seen == matched + mismatched + open + missing + duplicates;
  }
};

}  // namespace recoup
