// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// What every tail of a detector has in common.
struct excess_tail_rules {
  float share = 1.0F / 128;   // of the values lie beyond the threshold
  float step = 0.1F;          // the threshold rises by 1 - share of this many mean excesses for a value beyond it
  float relax = 0.1F / 128;   // and falls by this many, step * share, for another
  float rate = 1.0F / 32;     // at which the mean excess follows, an excess
  float largest = 32;         // an excess counts as at most this many mean ones
  float shape = 0.25F;        // of the tail: 0 would be exponential, 0.25 has moments up to the fourth
  float at_threshold = 1.0F;  // nats
};

// One tail of a distribution, by peaks over a threshold (Pickands, 1975; Balkema and de Haan, 1974): a quantile that is
// tracked by stochastic approximation (Robbins and Monro, 1951), and beyond it a generalised Pareto distribution of
// fixed shape, whose scale is the mean excess. Two floats and two counts; no history.
//
// One excess, however large, at most doubles the mean one (rate * largest = 1); but the more such come in a row the
// more each counts, so that a tail which was learnt too small by orders of magnitude is put right within a few.
class excess_tail {
 public:
  static constexpr std::uint64_t in_hurry = 500;  // up to this value the threshold moves faster

  // Of a value of 0 or more. In nats, from 0 in the middle by way of `at_threshold` upwards. `floor` is the least mean
  // excess there can be.
  [[nodiscard]] double score(float value, float floor, const excess_tail_rules& r) const noexcept {
    const float threshold = std::max(threshold_, floor);
    if (value <= threshold) [[likely]]
      return r.at_threshold * (value / threshold);
    const double excess = (double{value} - threshold) / std::max(mean_, floor);
    return r.at_threshold + std::log1p(r.shape * excess) / r.shape;
  }

  // The value with this score above the threshold, where `stretch` is (exp(shape * nats) - 1) / shape.
  [[nodiscard]] double value_at(double stretch, float floor) const noexcept {
    return std::max(threshold_, floor) + stretch * std::max(mean_, floor);
  }

  // Learns the `number`th value (from 1).
  void learn(float value, std::uint64_t number, float floor, const excess_tail_rules& r) noexcept {
    if (number < in_hurry) [[unlikely]]
      return learn_early(value, static_cast<float>(number), floor, r);
    if (value > threshold_) [[unlikely]]
      return exceed(value, floor, r.step, r);
    threshold_ = std::max(0.0F, threshold_ - r.relax * std::max(mean_, floor));
  }

  void save(snapshot_writer& w) const {
    w.value(threshold_);
    w.value(mean_);
    w.u8(excesses_);
    w.u8(too_large_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (!r.value(threshold_) || !r.value(mean_)) return false;
    excesses_ = r.u8();
    too_large_ = r.u8();
    const auto is_size = [](float f) { return f >= 0 && f <= 1.01 * largest_size; };
    return r.ok() && is_size(threshold_) && is_size(mean_) && too_large_ <= 63;
  }

 private:
  static constexpr float first = 50;            // values, from which threshold and mean excess are guessed
  static constexpr double largest_size = 1e37;  // far enough from the largest float

  [[gnu::noinline]] void exceed(float value, float floor, double step, const excess_tail_rules& r) noexcept {
    const double mean = std::max(mean_, floor);
    const double excess = double{value} - threshold_;
    const double most = std::ldexp(mean * r.largest, too_large_);
    too_large_ = excess > most ? static_cast<std::uint8_t>(std::min(2 * too_large_ + 1, 63)) : std::uint8_t{0};
    if (excesses_ < 255) ++excesses_;
    const double rate = std::max<double>(r.rate, 1.0 / (excesses_ + 8));
    mean_ = bounded(mean + rate * (std::min(excess, most) - mean));
    threshold_ = bounded(threshold_ + step * (1 - r.share) * mean);
  }

  // The threshold at two mean deviations, the mean excess half of one: near enough for most distributions.
  [[gnu::noinline]] void learn_early(float value, float number, float floor, const excess_tail_rules& r) noexcept {
    if (number > first) {
      const float hurry = static_cast<float>(in_hurry) / number;
      if (value > threshold_) return exceed(value, floor, r.step * hurry, r);
      threshold_ = std::max(0.0F, threshold_ - hurry * r.relax * std::max(mean_, floor));
      return;
    }
    const double mean = mean_ + (std::abs(value) - mean_) / number;
    threshold_ = bounded(2 * mean);
    mean_ = bounded(number == first ? std::max<double>(mean / 2, floor) : mean);
  }

  static float bounded(double size) noexcept { return static_cast<float>(std::clamp(size, 0.0, largest_size)); }

  float threshold_ = 0;
  float mean_ = 0;              // excess; of the first values, their mean size
  std::uint8_t excesses_ = 0;   // so far, up to 255
  std::uint8_t too_large_ = 0;  // 2^n - 1 after n in a row that were clipped
};

// Both tails of something that lies around zero. Which one a value is in goes by index, as a branch would be a toss-up.
class excess_tails {
 public:
  [[nodiscard]] const excess_tail& above() const noexcept { return sides_[0]; }
  [[nodiscard]] const excess_tail& below() const noexcept { return sides_[1]; }

  [[nodiscard]] double score(float value, float floor, const excess_tail_rules& r) const noexcept {
    return sides_[side_of(value)].score(std::abs(value), floor, r);
  }
  void learn(float value, std::uint64_t number, float floor, const excess_tail_rules& r) noexcept {
    sides_[0].learn(value, number, floor, r);
    sides_[1].learn(-value, number, floor, r);
  }
  void save(snapshot_writer& w) const {
    for (const excess_tail& t : sides_) t.save(w);
  }
  [[nodiscard]] bool load(snapshot_reader& r) { return sides_[0].load(r) && sides_[1].load(r); }

 private:
  static std::size_t side_of(float value) noexcept { return std::bit_cast<std::uint32_t>(value) >> 31; }

  std::array<excess_tail, 2> sides_;
};

}  // namespace recoup::detail
