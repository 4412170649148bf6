// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

enum class sides : std::uint8_t { both, above, below };

struct effect_limits {
  double absolute = 0;  ///< in units of the value: what is off by less scores 0
  double relative = 0;  ///< of the expected value's magnitude: what is off by less scores 0; 0.1 is a tenth
  recoup::sides sides = recoup::sides::both;                 ///< what is off on the other side scores 0
  double lowest = -std::numeric_limits<double>::infinity();  ///< nothing lower, nor
  double highest = std::numeric_limits<double>::infinity();  ///< higher, is ever expected, such as fewer than 0 orders
};

/// A detector that keeps quiet about what is unusual and yet of no consequence: it learns as the detector inside does,
/// and scores as that does, but 0 where a value is off by too little or on a side that doesn't matter. The band says
/// so: it is as wide as the limits, and open on the other side; it and the expected value stay within `lowest` to
/// `highest`. The score of what does count is left as it is.
///
/// Cost: a few comparisons. Bytes: those of the detector and 40.
template <detector Detector>
class limited {
 public:
  limited(Detector inside, effect_limits limits) : inside_(std::move(inside)), limits_(checked(limits)) {}

  [[nodiscard]] assessment assess(timestamp at, double value) const { return limit(inside_.assess(at, value), value); }
  void learn(timestamp at, double value) { inside_.learn(at, value); }
  assessment update(timestamp at, double value) { return limit(inside_.update(at, value), value); }

  [[nodiscard]] std::uint64_t ignored() const { return inside_.ignored(); }
  [[nodiscard]] const Detector& inside() const noexcept { return inside_; }

  [[nodiscard]] std::uint64_t configuration() const {
    const auto bits = [](double d) { return std::bit_cast<std::uint64_t>(d); };
    return detail::combine({inside_.configuration(), bits(limits_.absolute), bits(limits_.relative),
                            static_cast<std::uint64_t>(limits_.sides), bits(limits_.lowest), bits(limits_.highest)});
  }
  [[nodiscard]] limited empty_copy() const { return limited(inside_.empty_copy(), limits_); }

  void save(snapshot_writer& w) const { w.value(inside_); }
  [[nodiscard]] bool load(snapshot_reader& r) { return r.value(inside_); }

 private:
  static const effect_limits& checked(const effect_limits& l) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    detail::require_option(l.absolute >= 0 && l.absolute < infinity,
                           "effect_limits.absolute must be 0 or more, and finite");
    detail::require_option(l.relative >= 0 && l.relative < infinity,
                           "effect_limits.relative must be 0 or more, and finite");
    detail::require_option(l.sides <= sides::below, "effect_limits.sides must be sides::both, above or below");
    detail::require_option(l.lowest < l.highest, "effect_limits.lowest must be less than effect_limits.highest");
    return l;
  }

  [[nodiscard]] assessment limit(assessment a, double value) const noexcept {
    a.expected = std::clamp(a.expected, limits_.lowest, limits_.highest);
    const double least = std::max(limits_.absolute, limits_.relative * std::abs(a.expected));
    const double off = value - a.expected;
    const bool counts_above = limits_.sides != sides::below;
    const bool counts_below = limits_.sides != sides::above;
    const bool counts = a.side == side::above ? counts_above : counts_below;
    if (!counts || !(std::abs(off) >= least) || off == 0) a.score = 0;
    a.lower = counts_below ? std::min(a.lower, a.expected - least) : -std::numeric_limits<double>::infinity();
    a.upper = counts_above ? std::max(a.upper, a.expected + least) : std::numeric_limits<double>::infinity();
    a.lower = std::clamp(a.lower, limits_.lowest, limits_.highest);
    a.upper = std::clamp(a.upper, limits_.lowest, limits_.highest);
    return a;
  }

  Detector inside_;
  effect_limits limits_;
};

}  // namespace recoup
