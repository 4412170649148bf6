// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "generator.hpp"

// What is in use for such counts, to compare with: each takes one count after the other and returns its score.
namespace counts {

// The deviation from a moving average, in moving standard deviations.
class ewma_z {
 public:
  double update(std::size_t /*bucket*/, double y) {
    const double e = y - mean_;
    const double score = std::abs(e) / std::sqrt(variance_ + 1);
    if (first_)
      mean_ = y;
    else
      mean_ += rate * e, variance_ += rate * (e * e - variance_);
    first_ = false;
    return score;
  }

 private:
  static constexpr double rate = 0.05;
  double mean_ = 0, variance_ = 0;
  bool first_ = true;
};

// The deviation from the mean of the same bucket on other days, in standard deviations of that.
class seasonal_z {
 public:
  double update(std::size_t bucket, double y) {
    bin& b = bins_[bucket % buckets_a_day];
    const double e = y - b.mean;
    const double score = std::abs(e) / std::sqrt(b.variance + 1);
    ++b.seen;
    const double rate = std::max(0.15, 1 / b.seen);
    b.mean += rate * e;
    if (b.seen > 1) b.variance += rate * (e * e - b.variance);
    return score;
  }

 private:
  struct bin {
    double mean = 0, variance = 0, seen = 0;
  };
  std::array<bin, buckets_a_day> bins_{};
};

// Holt-Winters with an additive season of a day, and a moving standard deviation of what it did not foresee.
class holt_winters {
 public:
  double update(std::size_t bucket, double y) {
    double& season = season_[bucket % buckets_a_day];
    if (bucket < buckets_a_day) {  // the first day is the first season
      season = y;
      level_ += y / static_cast<double>(buckets_a_day);
      if (bucket + 1 == buckets_a_day)
        for (double& s : season_) s -= level_;
      return 0;
    }
    const double e = y - (level_ + trend_ + season);
    const double score = std::abs(e) / std::sqrt(variance_ + 1);
    const double before = level_;
    level_ = 0.05 * (y - season) + 0.95 * (level_ + trend_);
    trend_ = 0.001 * (level_ - before) + 0.999 * trend_;
    season = 0.2 * (y - level_) + 0.8 * season;
    variance_ += 0.01 * (e * e - variance_);
    return score;
  }

 private:
  std::array<double, buckets_a_day> season_{};
  double level_ = 0, trend_ = 0, variance_ = 0;
};

// 2 sqrt(count + 3/8) less a season of 48 bins times a factor for the day of the week, averaged at four rates, each in
// its own moving standard deviation; the largest.
class averages_of_season {
 public:
  averages_of_season() { of_day_.fill(1); }

  double update(std::size_t bucket, double y) {
    const double x = 2 * std::sqrt(y + 0.375);
    if (seen_ == 0) season_.fill(x);
    const double place = static_cast<double>(bucket % buckets_a_day) / buckets_a_day * bins + bins - 0.5;
    const auto below = static_cast<std::size_t>(place);
    const double share = place - static_cast<double>(below);
    double& left = season_[below % bins];
    double& right = season_[(below + 1) % bins];
    double& of_day = of_day_[bucket / buckets_a_day % 7];
    const double usual = (1 - share) * left + share * right;
    const double e = x - usual * of_day;
    double score = 0;
    for (std::size_t k = 0; k < rates.size(); ++k) {
      average_[k] += rates[k] * (e - average_[k]);
      score = std::max(score, std::abs(average_[k]) / std::sqrt(variance_[k] + 1e-3));
      const double square = std::min(average_[k] * average_[k], 9 * variance_[k]);
      variance_[k] += std::max(1 / (seen_ + 20), 1 / 2'000.0) * (square - variance_[k]);
    }
    ++seen_;
    const double reach = 3 * std::sqrt(variance_[0]);
    const double learnt = seen_ < buckets_a_day ? e : std::clamp(e, -reach, reach);
    const double rate = std::max(0.03, 1 / (seen_ / bins + 1));
    left += rate * (1 - share) * learnt;
    right += rate * share * learnt;
    of_day += std::max(0.003, 1 / (seen_ / 7 + 100)) * learnt / (usual + 1);
    return seen_ < buckets_a_day ? 0 : score;
  }

 private:
  static constexpr std::size_t bins = 48;
  static constexpr std::array rates{1.0, 0.3, 0.1, 0.03};
  std::array<double, bins> season_{};
  std::array<double, 7> of_day_{};
  std::array<double, 4> average_{}, variance_{1, 0.3, 0.1, 0.05};
  double seen_ = 0;
};

}  // namespace counts
