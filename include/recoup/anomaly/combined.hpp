// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// Several detectors on one stream of values, as one: `combined d({"level", "season"}, ewma(), holt_winters())`.
///
/// The score is that of the loudest part less ln k, of the k parts that are past their warming (Bonferroni): as the
/// parts look at the same values, none of their scores may be taken for new evidence. Whatever the dependence, values
/// that score s come no more often than once in e^s if that holds for each part (the union bound). It costs 0.7 nats of
/// two parts and 1.4 of four. Means of the parts' probabilities that reward agreement must pay more for the same
/// promise (Vovk and Wang, "Combining p-values via averaging", 2020): the harmonic mean of two takes a factor of 2
/// beyond, and is then never above this; the Cauchy combination (Liu and Xie, 2020) promises it for the far tail alone.
///
/// A value is usual that is so for every part: the band is where theirs overlap, and where they don't, a point between
/// them. What each part learns is its own; it warms until the first part judges.
/// Cost and bytes: those of the parts.
template <detector... Ds>
class combined {
  static_assert(sizeof...(Ds) >= 1, "recoup: combined<Ds...> needs a detector or more");

 public:
  static constexpr std::size_t parts = sizeof...(Ds);
  using names = std::array<std::string_view, parts>;

  /// What the part of an assessment is called where that detector spoke; empty: as the detector itself calls it. Names
  /// are not copied: give literals.
  explicit combined(const names& part_names, Ds... detectors)
      : names_(part_names), detectors_(std::move(detectors)...) {}

  [[nodiscard]] assessment assess(timestamp at, double value) const {
    return combine(
        std::apply([&](const Ds&... d) { return std::array<assessment, parts>{d.assess(at, value)...}; }, detectors_));
  }
  void learn(timestamp at, double value) {
    std::apply([&](Ds&... d) { (d.learn(at, value), ...); }, detectors_);
  }
  assessment update(timestamp at, double value) {
    return combine(
        std::apply([&](Ds&... d) { return std::array<assessment, parts>{d.update(at, value)...}; }, detectors_));
  }

  /// Values that the part ignored which ignored most.
  [[nodiscard]] std::uint64_t ignored() const {
    return std::apply([](const Ds&... d) { return std::max({d.ignored()...}); }, detectors_);
  }
  template <std::size_t I>
  [[nodiscard]] const auto& part() const noexcept {
    return std::get<I>(detectors_);
  }

  [[nodiscard]] std::uint64_t configuration() const {
    return std::apply(
        [](const Ds&... d) {
          return detail::combine({section_tag("CMBD"), d.configuration()...});
        },
        detectors_);
  }
  [[nodiscard]] combined empty_copy() const {
    return std::apply([&](const Ds&... d) { return combined(names_, d.empty_copy()...); }, detectors_);
  }

  void save(snapshot_writer& w) const {
    std::apply([&](const Ds&... d) { (w.value(d), ...); }, detectors_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    combined loaded = empty_copy();
    if (!std::apply([&](Ds&... d) { return (r.value(d) && ...); }, loaded.detectors_)) return false;
    *this = std::move(loaded);
    return true;
  }

 private:
  [[nodiscard]] assessment combine(const std::array<assessment, parts>& all) const {
    constexpr std::size_t none = parts;
    std::size_t loudest = none;
    std::size_t judging = 0;
    for (std::size_t i = 0; i < parts; ++i) {
      if (all[i].warming) continue;
      ++judging;
      if (loudest == none || all[i].score > all[loudest].score) loudest = i;
    }
    assessment a;
    if (loudest == none) {
      a.expected = all[0].expected;
      return a;
    }
    for (const assessment& part : all) {
      if (part.warming) continue;
      a.lower = std::max(a.lower, part.lower);
      a.upper = std::min(a.upper, part.upper);
    }
    if (a.lower > a.upper) a.lower = a.upper = a.lower / 2 + a.upper / 2;
    const assessment& spoke = all[loudest];
    a.warming = false;
    a.expected = std::clamp(spoke.expected, a.lower, a.upper);
    a.score = std::max(0.0, spoke.score - std::log(static_cast<double>(judging)));
    if (a.score > 0) {
      a.side = spoke.side;
      a.part = names_[loudest].empty() ? spoke.part : names_[loudest];
    }
    return a;
  }

  names names_;
  std::tuple<Ds...> detectors_;
};

template <detector... Ds>
combined(const std::array<std::string_view, sizeof...(Ds)>&, Ds...) -> combined<Ds...>;

}  // namespace recoup
