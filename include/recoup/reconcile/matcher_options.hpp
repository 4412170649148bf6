// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct matcher_options {
  std::size_t ours = 4'096;                        ///< our records held at once, waiting or remembered: 1 to 2^30
  std::size_t theirs = 4'096;                      ///< theirs
  duration ours_wait = std::chrono::minutes(5);    ///< how long ours wait for theirs before they count as missing there
  duration theirs_wait = std::chrono::minutes(5);  ///< how long theirs wait for ours
  duration remember = std::chrono::hours(1);  ///< how long settled ones are known, for duplicates and late partners
  std::size_t per_key = 16;                   ///< records of a key held at once, on each side: 1 to 2^16
  std::size_t max_parts = 8;  ///< records that may agree together with one: 2 to 16. The search is exponential in it

  /// Whether a key may name several records of a side. Then two that disagree are told as mismatched only when the
  /// first of them has waited for one that agrees; else at once. So too with a comparer in_parts.
  bool several_per_key = false;
  /// Whether a record that equals another of its side in key and all compared fields is its duplicate. Not so where
  /// equal ones are usual, such as equal instalments: then compare a field that tells them apart, or set this to false.
  bool identical_is_duplicate = true;
  /// Of several candidates that agree equally well, take the one that came first, rather than tell that it is
  /// ambiguous.
  bool earliest = false;

  std::uint64_t seed = 0;  ///< of the hash; choose one that an attacker doesn't know. No answer depends on it
};

namespace detail {
constexpr matcher_options checked(const matcher_options& o) {
  constexpr std::size_t most = std::size_t{1} << 30;
  detail::require_option(o.ours >= 1 && o.ours <= most, "matcher_options.ours must be 1 to 2^30 records");
  detail::require_option(o.theirs >= 1 && o.theirs <= most, "matcher_options.theirs must be 1 to 2^30 records");
  detail::require_option(o.ours_wait >= duration::zero(), "matcher_options.ours_wait must be zero or more");
  detail::require_option(o.theirs_wait >= duration::zero(), "matcher_options.theirs_wait must be zero or more");
  detail::require_option(o.remember >= duration::zero(), "matcher_options.remember must be zero or more");
  detail::require_option(o.per_key >= 1 && o.per_key <= 65'536, "matcher_options.per_key must be 1 to 2^16 records");
  detail::require_option(o.max_parts >= 2 && o.max_parts <= 16, "matcher_options.max_parts must be 2 to 16 records");
  return o;
}
}  // namespace detail

}  // namespace recoup
