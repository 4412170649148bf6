// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "recoup/anomaly/detail/float4.hpp"
#include "recoup/anomaly/detail/floats.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// Where in its season, and in which of seven, a moment lies.
struct season_position {
  float phase = 0;        // 0 to 1
  std::uint32_t day = 0;  // 0 to 6; as std::chrono::weekday counts, where a season is a day: 0 is Sunday
  bool is_rest_day = false;
};

// What count is to be expected: exp(level + that of the day of the week + the shape of the day + how the shape differs
// on days of rest), as a random walk of each term, estimated by a Kalman filter of the logarithm, linear around what it
// expects. The level and the seven days share a covariance, as one week alone doesn't tell a high level from days that
// are all high; the bins of the shapes have variances of their own.
//
// Invariant: all values are finite, and within the bounds that `load` demands.
class count_baseline {
 public:
  static constexpr std::size_t shape_bins = 32;
  static constexpr std::size_t rest_bins = 12;

  struct expectation {
    float log_count;
    float uncertainty;  // variance of log_count, apart from that of counts themselves
    float misfit;       // variance of log_count in this bucket alone, as the shape has no room for steps
    // Of log_count with the level and the seven days; twice, so that it may be read from any of them on.
    std::array<float, 16> covariance;
    std::array<std::uint32_t, 2> bin, rest_bin;
    std::array<float, 2> weight, rest_weight;
    std::uint32_t day;
  };

  count_baseline() {
    shape_variance_.fill(prior_shape);
    rest_variance_.fill(prior_rest);
    covariance_.fill(0);
    covariance_[0] = prior_level;
    for (std::size_t day = 1; day <= 7; ++day) covariance_[day] = prior_day;
  }

  [[nodiscard]] expectation expect(const season_position& p) const noexcept {
    expectation e;
    e.day = p.day;
    split(p.phase * shape_bins, shape_bins, e.bin, e.weight);
    e.rest_bin = {0, 0};
    e.rest_weight = {0, 0};
    if (p.is_rest_day) split(p.phase * rest_bins, rest_bins, e.rest_bin, e.rest_weight);
    const std::size_t day = p.day + 1;
    for (std::size_t i = 0; i < terms; ++i)
      e.covariance[i] = e.covariance[i + terms] = covariance_[place[i]] + covariance_[place[day * terms + i]];
    e.log_count = terms_[0] + terms_[day];
    e.uncertainty = e.covariance[0] + e.covariance[day];
    for (std::size_t i = 0; i < 2; ++i) {
      e.log_count += e.weight[i] * shape_[e.bin[i]] + e.rest_weight[i] * rest_[e.rest_bin[i]];
      e.uncertainty += e.weight[i] * e.weight[i] * shape_variance_[e.bin[i]] +
                       e.rest_weight[i] * e.rest_weight[i] * rest_variance_[e.rest_bin[i]];
    }
    e.misfit = misfit_at(e.bin[0], e.bin[1]);
    e.log_count = std::clamp(e.log_count, -furthest, furthest);
    e.uncertainty = std::max(e.uncertainty, least_variance);
    return e;
  }

  // The count of a bucket, of this share of a season, was `deviation` (relative) from what was expected, of which noise
  // of this variance explains a part.
  void learn(const expectation& e, float deviation, float noise, bool is_new_day, float share_of_season) noexcept {
    const float information = 1 / (e.uncertainty + noise);
    const float step = deviation * information;
    const float4 first(e.covariance.data());
    const float4 second(e.covariance.data() + 4);
    bounded(float4(terms_.data()) + first * step).store(terms_.data());
    bounded(float4(terms_.data() + 4) + second * step).store(terms_.data() + 4);
    for (std::size_t apart = 0; apart <= terms / 2; ++apart) {
      float* const row = covariance_.data() + apart * terms;
      (float4(row) - first * information * float4(e.covariance.data() + apart)).store(row);
      if (apart == terms / 2) break;
      (float4(row + 4) - second * information * float4(e.covariance.data() + apart + 4)).store(row + 4);
    }
    static constexpr std::array<float, 4> walk{level_walk, 0, 0, 0};
    const auto within = [](float4 variances) { return min(max(variances, least_variance), prior_level); };
    within(float4(covariance_.data()) + float4(walk.data()) * share_of_season).store(covariance_.data());
    within(float4(covariance_.data() + 4)).store(covariance_.data() + 4);
    if (is_new_day) covariance_[e.day + 1] = std::min(covariance_[e.day + 1] + day_walk, prior_level);
    for (std::size_t i = 0; i < 2; ++i) {
      correct(shape_[e.bin[i]], shape_variance_[e.bin[i]], e.weight[i], step, information,
              shape_walk * shape_bins * share_of_season, prior_shape);
      if (e.rest_weight[i] != 0)
        correct(rest_[e.rest_bin[i]], rest_variance_[e.rest_bin[i]], e.rest_weight[i], step, information,
                shape_walk * rest_bins * share_of_season, prior_rest);
    }
  }

  void begin_at(float log_count) noexcept { terms_[0] = log_count; }
  void shift(float log_ratio) noexcept { terms_[0] = bounded(terms_[0] + log_ratio); }
  void doubt_level() noexcept { covariance_[0] = std::min(covariance_[0] + level_doubt, prior_level); }

  void save(snapshot_writer& w) const {
    for (const std::span<const float> values :
         {std::span<const float>(terms_), std::span<const float>(shape_), std::span<const float>(rest_),
          std::span<const float>(covariance_), std::span<const float>(shape_variance_),
          std::span<const float>(rest_variance_)})
      save_floats(w, values);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    const bool read = load_floats(r, terms_, -furthest, furthest) && load_floats(r, shape_, -furthest, furthest) &&
                      load_floats(r, rest_, -furthest, furthest) &&
                      load_floats(r, covariance_, -prior_level, prior_level) &&
                      load_floats(r, shape_variance_, 0, prior_shape) && load_floats(r, rest_variance_, 0, prior_rest);
    if (!read) return false;
    for (std::size_t i = 0; i < terms; ++i)
      if (!(covariance_[i] >= least_variance)) return false;
    return true;
  }

 private:
  static constexpr std::size_t terms = 8;  // the level and seven days
  static constexpr float furthest = 40;

  // Variances of logarithms. At first: the level is taken from the first count; days may differ by half, hours as much
  // as by day and night, and the hours of days of rest from those of others by a tenth or two.
  static constexpr float prior_level = 1;
  static constexpr float prior_day = 0.25F;
  static constexpr float prior_shape = 0.5F;
  static constexpr float prior_rest = 0.04F;
  // Of the random walks: the level moves by 1 % a day, a day of the week by 1 % a week, a bin by 0.4 % a day.
  static constexpr float level_walk = 1e-4F;
  static constexpr float day_walk = 1e-4F;
  static constexpr float shape_walk = 2e-5F;
  static constexpr float level_doubt = 0.01F;
  static constexpr float least_variance = 1e-8F;

  // The covariance of terms a and b lies with those of the same distance round the circle of terms: first the eight of
  // distance 0, then those of 1, to the four of distance 4. So all of them change by a few vector instructions.
  static constexpr std::array<std::uint8_t, terms* terms> place = [] {
    std::array<std::uint8_t, terms * terms> all{};
    for (std::size_t apart = 0; apart <= terms / 2; ++apart) {
      for (std::size_t a = 0; a < (apart == terms / 2 ? terms / 2 : terms); ++a) {
        const std::size_t b = (a + apart) % terms;
        all[a * terms + b] = all[b * terms + a] = static_cast<std::uint8_t>(apart * terms + a);
      }
    }
    return all;
  }();

  // The two bins between whose middles a position lies, and how much of each.
  static void split(float position, std::uint32_t bins, std::array<std::uint32_t, 2>& bin,
                    std::array<float, 2>& weight) noexcept {
    const float from_middle = position + 0.5F;
    const auto above = std::min(static_cast<std::uint32_t>(from_middle), bins);
    weight[1] = from_middle - static_cast<float>(above);
    weight[0] = 1 - weight[1];
    bin[0] = above == 0 ? bins - 1 : above - 1;
    bin[1] = above == bins ? 0 : above;
  }

  // Between two bins the shape is a line. Where its slope changes at once, it may be off by a quarter of that.
  [[nodiscard]] float misfit_at(std::uint32_t left, std::uint32_t right) const noexcept {
    const float here = shape_[right] - shape_[left];
    const float before = shape_[left] - shape_[(left + shape_bins - 1) % shape_bins];
    const float behind = shape_[(right + 1) % shape_bins] - shape_[right];
    const float off = (std::abs(here - before) + std::abs(behind - here)) / 8;
    return off * off;
  }

  static float4 bounded(float4 terms_of) noexcept { return min(max(terms_of, -furthest), furthest); }
  static float bounded(float term) noexcept { return std::min(std::max(term, -furthest), furthest); }

  static void correct(float& term, float& variance, float weight, float step, float information, float walk,
                      float most) noexcept {
    const float covariance = variance * weight;
    term = bounded(term + covariance * step);
    variance = std::clamp(variance + weight * walk - covariance * covariance * information, 0.0F, most);
  }

  std::array<float, terms> terms_{};
  std::array<float, shape_bins> shape_{};
  std::array<float, rest_bins> rest_{};
  std::array<float, terms*(terms + 1) / 2> covariance_{};  // see place
  std::array<float, shape_bins> shape_variance_{};
  std::array<float, rest_bins> rest_variance_{};
};

}  // namespace recoup::detail
