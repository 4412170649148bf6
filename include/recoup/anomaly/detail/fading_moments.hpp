// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/anomaly/detail/moments.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// Moments in which values fade exponentially, once there are many; of few, all weigh the same. Here and in forecasts,
// branches that are foreseen stand for divisions, and keep the root off the path from one value to the next.
class fading_moments {
 public:
  fading_moments(double half_life, std::uint32_t warmup) noexcept
      : weight_(weight_of(half_life)), vagueness_(1 / (2 / weight_ - 2)), warmup_(warmup) {}

  [[nodiscard]] static double weight_of(double half_life) noexcept { return -std::expm1(-ln2 / half_life); }
  [[nodiscard]] static double half_life_of(double weight) noexcept { return -ln2 / std::log1p(-weight); }

  [[nodiscard]] const moments& now() const noexcept { return moments_; }
  [[nodiscard]] std::uint32_t learnt() const noexcept { return learnt_; }  // up to 2^32 - 1
  [[nodiscard]] double weight() const noexcept { return weight_; }
  [[nodiscard]] std::uint32_t warmup() const noexcept { return warmup_; }

  // Faded values are as good as 2 / weight - 1 that weigh the same.
  [[nodiscard]] forecast next(double least_scale) const noexcept {
    const double others = static_cast<double>(learnt_) - 1;
    const double vagueness = others * vagueness_ >= 1 ? vagueness_ : vagueness_of(learnt_);
    return forecast::from(moments_, vagueness, least_scale, learnt_ < warmup_);
  }
  void absorb(double value) noexcept {
    learnt_ += learnt_ < std::numeric_limits<std::uint32_t>::max();
    const double values = learnt_;
    moments_.absorb(value, values * weight_ >= 1 ? weight_ : 1 / values);
  }

  void clear() noexcept {
    moments_ = {};
    learnt_ = 0;
  }
  void save(snapshot_writer& w) const {
    moments_.save(w);
    w.u32(learnt_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (!moments_.load(r)) return false;
    learnt_ = r.u32();
    return r.ok();
  }

 private:
  static constexpr double ln2 = 0.693'147'180'559'945'3;

  double weight_;
  double vagueness_;  // at last
  moments moments_;
  std::uint32_t warmup_;
  std::uint32_t learnt_ = 0;
};

}  // namespace recoup::detail
