// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// What every detector of anomaly/ is to its user: it learns what a stream of values usually looks like, and says how
/// unusual the next one is.
/// - `assess` judges a value and changes nothing; `learn` makes it part of what is usual. `update` is the two in that
///   order: a value is never part of its own baseline.
/// - One extreme value is learnt as a clipped one: it neither widens the band for long nor hides the next.
/// - NaN and infinity score 0, are never learnt, and are counted by `ignored`.
/// - Time may repeat, stand still or go back.
/// - Nothing allocates. A copy is independent.
template <class D>
concept detector = snapshot_value<D> && std::copyable<D> && requires(D& d, const D& c, timestamp at, double value) {
  { c.assess(at, value) } -> std::same_as<assessment>;
  d.learn(at, value);
  { d.update(at, value) } -> std::same_as<assessment>;
  { c.ignored() } -> std::same_as<std::uint64_t>;
  { c.configuration() } -> std::same_as<std::uint64_t>;
  { c.empty_copy() } -> std::same_as<D>;
};

}  // namespace recoup
