// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "generator.hpp"

// How alerts are scored. A bucket alerts where its score exceeds the threshold, one for all keys. An anomaly is found
// if a bucket in it alerts; the delay is from its first bucket to the first that alerts, and 0 within that bucket.
// Buckets that alert outside of all anomalies, and not in the hour after one, are false; of those of a key which
// follow each other within an hour, one false alert is made. The threshold is the lowest at which there are no more
// false alerts than are allowed for a key and week.
namespace counts {

struct result {
  double threshold = 0;
  std::array<std::size_t, kinds> present{};
  std::array<std::vector<std::size_t>, kinds> delays{};  // of those that were found, in buckets

  void add(const result& other) {
    for (std::size_t k = 0; k < kinds; ++k) {
      present[k] += other.present[k];
      delays[k].insert(delays[k].end(), other.delays[k].begin(), other.delays[k].end());
    }
  }
  [[nodiscard]] double recall() const {
    std::size_t there = 0;
    std::size_t found = 0;
    for (std::size_t k = 0; k < kinds; ++k) {
      there += present[k];
      found += delays[k].size();
    }
    return there == 0 ? 0 : static_cast<double>(found) / static_cast<double>(there);
  }
};

using scores = std::vector<double>;

inline std::size_t false_alerts(const series& s, const scores& score, double threshold) {
  std::vector<bool> excused(buckets, false);
  for (const anomaly_span& a : s.truth)
    for (std::size_t i = a.begin; i < std::min(a.settled, buckets); ++i) excused[i] = true;
  std::size_t alerts = 0;
  std::size_t last = 0;
  bool any = false;
  for (std::size_t i = first_judged; i < buckets; ++i) {
    if (!(score[i] > threshold) || excused[i]) continue;
    if (!any || i - last > buckets_an_hour) ++alerts;
    any = true;
    last = i;
  }
  return alerts;
}

inline double threshold_for(std::span<const series> all, std::span<const scores> score, double alerts_a_key_week) {
  const double weeks = static_cast<double>(buckets - first_judged) / (7.0 * buckets_a_day);
  const auto allowed = static_cast<std::size_t>(alerts_a_key_week * weeks * static_cast<double>(all.size()));
  const auto count = [&](double threshold) {
    std::size_t alerts = 0;
    for (std::size_t k = 0; k < all.size(); ++k) alerts += false_alerts(all[k], score[k], threshold);
    return alerts;
  };
  double low = 0;
  double high = 0;
  for (const scores& s : score) high = std::max(high, *std::max_element(s.begin(), s.end()));
  // Bisect on what is nearly a geometric scale. Count may rise with the threshold only where nearly all alerts.
  for (int i = 0; i < 40 && high - low > 1e-9; ++i) {
    const double middle = low > 0 ? std::sqrt(low * high) : high / 16;
    (count(middle) > allowed ? low : high) = middle;
    if (high < 1e-6) break;
  }
  return high;
}

inline result recall_at(std::span<const series> all, std::span<const scores> score, double threshold) {
  result r;
  r.threshold = threshold;
  for (std::size_t k = 0; k < all.size(); ++k) {
    for (const anomaly_span& a : all[k].truth) {
      const auto what = static_cast<std::size_t>(a.what);
      ++r.present[what];
      for (std::size_t i = a.begin; i < std::min(a.end, buckets); ++i) {
        if (!(score[k][i] > threshold)) continue;
        r.delays[what].push_back(i - a.begin);
        break;
      }
    }
  }
  return r;
}

}  // namespace counts
