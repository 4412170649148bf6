// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// How long the gaps between events are, as a Weibull distribution: P(gap > g) = exp(-(g / scale)^shape). Shape 1 is a
// Poisson process, above 1 more regular, below more bursty.
//
// Fitted to moments in which a gap weighs as much as it lasts: the mean S2 / S1 and the mean square S3 / S1 of the gap
// that a moment lies in, of sums S of the powers of gaps. So a hundred events at once, once a minute, are as regular as
// one a minute, and what short gaps are like says nothing about long ones. Gaps fade, likewise by how long they last.
class gap_distribution {
 public:
  // Gaps of the mean weighted length, of which 1 / e is left after so many more.
  explicit gap_distribution(double memory) : memory_(memory) { fit(); }

  void learn(double gap) noexcept {
    const double kept = 1 - std::min(gap * fading_, 1.0) / memory_;
    gap = std::min(gap, longest_gap);
    sums_[0] = sums_[0] * kept + 1;
    sums_[1] = sums_[1] * kept + gap;
    sums_[2] = sums_[2] * kept + gap * gap;
    sums_[3] = sums_[3] * kept + gap * gap * gap;
  }
  // From now on gaps are this many times as long as they were: once, at most 10^12 times.
  void rescale(double factor) noexcept {
    double power = 1;
    for (double& sum : sums_) {
      sum = std::min(sum * power, most_sum);
      power *= factor;
    }
    fit();
  }

  // From the sums; until then distribution and score stay the same.
  void fit() noexcept {
    const double mean_gap = std::clamp(sums_[1] / std::max(sums_[0], 1.0), least_gap, longest_gap);
    const double s1 = sums_[1] + prior * mean_gap;  // of a Poisson process, until much else is known
    const double s2 = sums_[2] + prior * 2 * mean_gap * mean_gap;
    const double s3 = sums_[3] + prior * 6 * mean_gap * mean_gap * mean_gap;
    const double irregularity = std::log(s1 * s3 / (s2 * s2));
    std::size_t i = 1;
    while (i + 1 < nodes.size() && nodes[i].irregularity < irregularity) ++i;
    const node& a = nodes[i - 1];
    const node& b = nodes[i];
    const double t = std::clamp((irregularity - a.irregularity) / (b.irregularity - a.irregularity), 0.0, 1.0);
    const double per_shape = a.per_shape + t * (b.per_shape - a.per_shape);
    const double log_stretch = a.log_stretch + t * (b.log_stretch - a.log_stretch);
    shape_ = 1 / per_shape;
    scale_ = s2 / s1 * std::exp(-log_stretch);
    depth_ = s1 * s1 / s2;
    mean_ = mean_gap;
    fading_ = s1 / s2;
  }

  // -ln P(gap > g). As scale and shape were estimated from so many gaps, a long one is less unlikely than they say: for
  // a Poisson process by exactly this where the gaps are `depth_` (Lomax distribution).
  [[nodiscard]] double score(double gap) const noexcept {
    if (!(gap > 0)) return 0;
    const double depth = depth_ * trust;
    return depth * std::log1p(std::pow(gap / scale_, shape_) / depth);
  }
  // The gap of that score.
  [[nodiscard]] double gap_of(double score) const noexcept {
    const double depth = depth_ * trust;
    return std::min(scale_ * std::pow(depth * std::expm1(std::min(score / depth, 300.0)), 1 / shape_), longest_gap);
  }

  [[nodiscard]] double shape() const noexcept { return shape_; }
  [[nodiscard]] double mean() const noexcept { return mean_; }
  [[nodiscard]] double depth() const noexcept { return depth_; }
  // Of the gap that a moment lies in.
  [[nodiscard]] double usual_length() const noexcept { return 1 / fading_; }

  void save(snapshot_writer& w) const {
    for (const double sum : sums_) w.f64(sum);
    for (const double d : {shape_, scale_, depth_, mean_, fading_}) w.f64(d);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    for (double& sum : sums_) {
      sum = r.f64();
      if (!(sum >= 0 && sum <= most_sum)) return false;
    }
    for (double* d : {&shape_, &scale_, &depth_, &mean_, &fading_}) {
      *d = r.f64();
      if (!(*d >= 1e-40 && *d <= 1e40)) return false;
    }
    return r.ok() && shape_ <= 1 / nodes.front().per_shape + 1e-9 && shape_ >= 1 / nodes.back().per_shape - 1e-9;
  }

  static constexpr double least_gap = 1e-15;
  static constexpr double longest_gap = 1e18;

 private:
  static constexpr double prior = 2;  // gaps
  static constexpr double trust = 0.25;
  static constexpr double most_sum = 1e120;

  // Of 1 / shape = x: ln(S1 S3 / S2^2) = ln(G(1 + x) G(1 + 3 x) / G(1 + 2 x)^2), where G is the gamma function, and
  // ln(S2 / S1 / scale) = ln(G(1 + 2 x) / G(1 + x)); between nodes linear in the former, to 1 %. Shapes 4 to 0.25.
  struct node {
    double irregularity;
    double per_shape;
    double log_stretch;
  };
  static constexpr std::array<node, 25> nodes{{
      {0.058892, 0.250000, -0.022510}, {0.070453, 0.280616, -0.012146}, {0.083994, 0.314980, 0.002150},
      {0.099790, 0.353553, 0.021333},  {0.118145, 0.396850, 0.046550},  {0.139392, 0.445449, 0.079161},
      {0.163901, 0.500000, 0.120782},  {0.192077, 0.561231, 0.173318},  {0.224369, 0.629961, 0.239013},
      {0.261273, 0.707107, 0.320497},  {0.303338, 0.793701, 0.420851},  {0.351175, 0.890899, 0.543671},
      {0.405465, 1.000000, 0.693147},  {0.466967, 1.122462, 0.874153},  {0.536532, 1.259921, 1.092348},
      {0.615112, 1.414214, 1.354299},  {0.703774, 1.587401, 1.667611},  {0.803719, 1.781797, 2.041088},
      {0.916291, 2.000000, 2.484907},  {1.043003, 2.244924, 3.010824},  {1.185555, 2.519842, 3.632413},
      {1.345856, 2.828427, 4.365326},  {1.526052, 3.174802, 5.227607},  {1.728551, 3.563595, 6.240039},
      {1.956063, 4.000000, 7.426549},
  }};

  double memory_;
  std::array<double, 4> sums_{};
  double shape_ = 1;
  double scale_ = 1;
  double depth_ = 1;  // gaps that what is known is as good as, all of the same length
  double mean_ = 1;
  double fading_ = 1;  // one over the mean weighted gap
};

}  // namespace recoup::detail
