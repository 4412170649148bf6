// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "recoup/anomaly/detail/float4.hpp"
#include "recoup/anomaly/detail/floats.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// Counts and what was expected of them, as of a Poisson process, averaged over four lengths of time and compared.
// The longer ones see what is small but lasts, and forget it once the counts say that it is over.
//
// Invariant: averages are 0 to 10^18, and usual variances at least least_usual.
class count_averages {
 public:
  static constexpr std::size_t lengths = 4;
  using values = std::array<float, lengths>;
  static constexpr std::array<std::string_view, lengths> names{"1 bucket", "6 buckets", "19 buckets", "66 buckets"};

  static constexpr float lasting = 3.5F;  // standard deviations, from which the longer ones wait for an end

  struct comparison {
    values seen, expected;
    values square;     // of the deviation, where 1 is that of a Poisson process
    values deviation;  // in usual standard deviations; of the longer ones the less, the likelier it is that it is over
    float loudest;
    float over, effect;
  };

  count_averages() { usual_.fill(1); }

  // With this count, where `mean` was expected, the logarithm of which has a variance of `uncertainty`; and other times
  // the mean would be usual too, as would all between.
  [[nodiscard]] comparison compare(float count, float mean, float uncertainty, float other) const noexcept {
    const float reach = loudest_of_one * std::sqrt(mean + 0.25F);
    const float clipped = std::clamp(count, std::max(0.0F, mean - reach), mean + reach + squared(loudest_of_one) / 4);
    // Not as a step towards the new value, in which a huge one would leave its rounding behind.
    const float4 rates(rate.data());
    const float4 kept = 1 - rates;
    const float4 is_longer(longer.data());
    const float4 seen = kept * float4(seen_.data()) + rates * (is_longer * clipped + (1 - is_longer) * count);
    const float4 expected = kept * float4(expected_.data()) + rates * mean;
    comparison c;
    seen.store(c.seen.data());
    expected.store(c.expected.data());
    const float4 sum = float4(memory.data()) * expected;
    const float4 there = sqrt(float4(memory.data()) * seen + 0.375F);
    float4 half = there - sqrt(sum + 0.375F);
    if (other != 1) half = nearest(half, there - sqrt(sum * other + 0.375F));
    const float4 square = 4 * half * half / (sum * uncertainty + 1);
    const float4 deviation = 2 * half / sqrt((sum * uncertainty + 1) * float4(usual_.data()));
    square.store(c.square.data());
    deviation.store(c.deviation.data());
    c.over = c.effect = 0;
    c.loudest = largest(abs(deviation));
    if (c.loudest > lasting && largest(abs(deviation) * is_longer) > lasting) [[unlikely]] {
      forget_what_is_over(c);
      c.loudest = largest(abs(float4(c.deviation.data())));
    }
    return c;
  }

  void commit(const comparison& c) noexcept {
    seen_ = c.seen;
    expected_ = c.expected;
    over_ = c.over;
    effect_ = c.effect;
  }

  // The usual variances move towards this one by this share, or by more while there are few.
  void learn_usual(const comparison& c, float share, float learnt) noexcept {
    const float4 usual(usual_.data());
    const float4 by = learnt * share < 1 ? max(share, 1 / (float4(first_weights.data()) + learnt)) : share;
    const float4 square = min(float4(c.square.data()), 9 * usual);
    max(usual + by * (square - usual), least_usual).store(usual_.data());
  }

  // The variance of deviations of counts of one bucket, and of the longest average: 1 if as of a Poisson process.
  [[nodiscard]] float usual_of_one() const noexcept { return usual_.front(); }
  [[nodiscard]] float usual_of_longest() const noexcept { return usual_.back(); }

  // How far what came in the last few buckets is from `ratio` times what was expected, in standard deviations.
  [[nodiscard]] float deviation_from(float ratio) const noexcept {
    return (root(memory[1] * seen_[1]) - root(memory[1] * expected_[1] * ratio)) / std::sqrt(usual_[1]);
  }
  // How many times what was expected came of late: over the 19 buckets, or where that is not all of it yet, over 6, or
  // in the last one if what the longer ones saw was clipped.
  [[nodiscard]] float ratio(const comparison& c) const noexcept {
    std::size_t k = std::abs(c.deviation[1]) > std::abs(c.deviation[2]) ? 1 : 2;
    if (root(seen_[0]) - root(expected_[0]) > loudest_of_one) k = 0;
    return (seen_[k] + 1e-3F) / (expected_[k] + 1e-3F);
  }

  // From now on, as if so many times as much had been expected, and had come.
  void begin_at(float ratio) noexcept {
    for (std::size_t k = 0; k < lengths; ++k) seen_[k] = expected_[k] = std::min(expected_[k] * ratio, most);
    over_ = effect_ = 0;
  }

  static float squared(float x) noexcept { return x * x; }
  static float root(float x) noexcept { return 2 * std::sqrt(x + 0.375F); }  // has a variance of 1 (Anscombe, 1948)

  void save(snapshot_writer& w) const {
    for (const values* v : {&seen_, &expected_, &usual_}) save_floats(w, *v);
    save_floats(w, std::array{over_, effect_});
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    return load_floats(r, seen_, 0, most) && load_floats(r, expected_, 0, most) &&
           load_floats(r, usual_, least_usual, most) && load_float(r, over_, 0, most) &&
           load_float(r, effect_, 0, most);
  }

 private:
  static constexpr values rate{1, 0.3F, 0.1F, 0.03F};
  static constexpr values memory{1, 1.7F / 0.3F, 1.9F / 0.1F, 1.97F / 0.03F};  // buckets, as of a plain mean
  static constexpr values longer{0, 1, 1, 1};
  static constexpr values first_weights{50, 100, 150, 200};  // in buckets, of the first guess of what is usual
  static constexpr float most = 1e18F;
  static constexpr float certainly_over = 2;  // nats
  static constexpr float least_usual = 0.8F;  // no stream is called steadier than that by much
  static constexpr float loudest_of_one = 6;  // standard deviations that one bucket counts for in the longer ones

  // How far it is to the nearer end of what is usual, of deviations from the two; nothing between them.
  static float4 nearest(float4 a, float4 b) noexcept { return max(min(a, b), 0.0F) + min(max(a, b), 0.0F); }

  // The longer averages remember what is over for as long as it takes to fade. So once they deviate, each bucket is
  // asked which is likelier, that it lasts or that all is as usual, in logarithms, from when that last spoke for the
  // former (the test of Page, 1954). What it is like is taken from when it was clearest.
  void forget_what_is_over(comparison& c) const noexcept {
    std::size_t part = 1;
    float effect = 0;
    for (std::size_t k = 1; k < lengths; ++k) {
      if (std::abs(c.deviation[k]) > std::abs(c.deviation[part])) part = k;
      effect = std::max(effect, std::abs(c.deviation[k]) / std::sqrt(memory[k]));
    }
    c.effect = std::min(std::max(0.98F * effect_, effect), most);
    const float lasted = 0.8F * c.effect;  // a bit less, as the clearest was so by chance too
    const float here = std::min(std::sqrt(c.square[0]), 4.0F) / std::sqrt(usual_[part]);
    const bool is_same_side = (c.deviation[0] < 0) == (c.deviation[part] < 0);
    c.over = std::max(0.0F, over_ + lasted * (lasted / 2 - (is_same_side ? here : -here)));
    const bool is_over = c.over > certainly_over;
    for (std::size_t k = 1; k < lengths; ++k) {
      c.deviation[k] *= is_over ? 0 : 1 - c.over / certainly_over;
      if (is_over) c.seen[k] = c.expected[k];
    }
    if (is_over) c.over = c.effect = 0;
  }

  values seen_{};
  values expected_{};
  values usual_{};    // variances of deviations
  float over_ = 0;    // evidence that what deviates is over
  float effect_ = 0;  // of it on each bucket, in standard deviations
};

}  // namespace recoup::detail
