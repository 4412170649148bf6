// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/count_baseline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "test_scale.hpp"

namespace {

using recoup::detail::count_baseline;
using recoup::detail::season_position;

// The Kalman filter as in the books: a state of 8 + 32 + 12 terms, of which those of the shapes are taken to be
// independent of all others.
class model {
 public:
  static constexpr std::size_t terms = 8 + 32 + 12;

  model() {
    for (std::size_t i = 0; i < terms; ++i) at(i, i) = most(i);
  }
  // What part the terms have in the logarithm of the expected count.
  static std::vector<double> parts(const season_position& p) {
    std::vector<double> h(terms);
    h[0] = h[1 + p.day] = 1;
    const auto between = [&](std::size_t first, std::size_t bins) {
      const double place = static_cast<double>(p.phase) * static_cast<double>(bins) + static_cast<double>(bins) - 0.5;
      const auto left = static_cast<std::size_t>(place);
      h[first + left % bins] = 1 - (place - static_cast<double>(left));
      h[first + (left + 1) % bins] = place - static_cast<double>(left);
    };
    between(8, 32);
    if (p.is_rest_day) between(40, 12);
    return h;
  }
  double expected(const std::vector<double>& h) const {
    double sum = 0;
    for (std::size_t i = 0; i < terms; ++i) sum += h[i] * terms_[i];
    return sum;
  }
  double uncertainty(const std::vector<double>& h) const {
    double sum = 0;
    for (std::size_t i = 0; i < terms; ++i)
      for (std::size_t j = 0; j < terms; ++j) sum += h[i] * h[j] * at(i, j);
    return sum;
  }
  void learn(const std::vector<double>& h, double deviation, double noise, bool is_new_day, double share) {
    const double total = uncertainty(h) + noise;
    std::vector<double> gain(terms);
    for (std::size_t i = 0; i < terms; ++i)
      for (std::size_t j = 0; j < terms; ++j) gain[i] += at(i, j) * h[j];
    for (std::size_t i = 0; i < terms; ++i) {
      terms_[i] += gain[i] * deviation / total;
      for (std::size_t j = 0; j < terms; ++j)
        if (i == j || (i < 8 && j < 8)) at(i, j) -= gain[i] * gain[j] / total;
    }
    for (std::size_t i = 0; i < terms; ++i) {
      if (i == 0) at(i, i) += 1e-4 * share;
      if (i > 0 && i < 8 && is_new_day && h[i] > 0) at(i, i) += 1e-4;
      if (i >= 8) at(i, i) += 2e-5 * h[i] * (i < 40 ? 32 : 12) * share;
      at(i, i) = std::min(at(i, i), i < 8 ? 1 : most(i));
    }
  }

 private:
  static double most(std::size_t i) { return i == 0 ? 1 : i < 8 ? 0.25 : i < 40 ? 0.5 : 0.04; }
  double& at(std::size_t i, std::size_t j) { return covariance_[i * terms + j]; }
  double at(std::size_t i, std::size_t j) const { return covariance_[i * terms + j]; }

  std::vector<double> terms_ = std::vector<double>(terms);
  std::vector<double> covariance_ = std::vector<double>(terms * terms);
};

}  // namespace

TEST_CASE("what is expected of counts is what the filter of the books expects") {
  const auto steps = static_cast<int>(2'000 * test_scale());
  std::mt19937_64 random(1);
  count_baseline baseline;
  model naive;
  double worst = 0;
  for (int i = 0; i < steps; ++i) {
    season_position p;
    p.phase = static_cast<float>(random() % 1'000) / 1'000;
    p.day = static_cast<std::uint32_t>(i / 100 % 7);
    p.is_rest_day = p.day == 0 || p.day == 6;
    const auto e = baseline.expect(p);
    const auto h = model::parts(p);
    worst = std::max(worst, std::abs(static_cast<double>(e.log_count) - naive.expected(h)));
    worst = std::max(worst, std::abs(static_cast<double>(e.uncertainty) / naive.uncertainty(h) - 1));
    const float deviation = static_cast<float>(random() % 200) / 100 - 1;
    const float noise = 0.01F + static_cast<float>(random() % 100) / 100;
    baseline.learn(e, deviation, noise, i % 100 == 0, 1.0F / 288);
    naive.learn(h, static_cast<double>(deviation), static_cast<double>(noise), i % 100 == 0, 1.0 / 288);
  }
  CHECK(worst < 1e-2);
}

TEST_CASE("the phases at the ends of a season and beyond its bins are places in it") {
  const count_baseline baseline;
  for (const float phase : {0.0F, 1e-9F, 0.5F, 0.999'999'9F, 1.0F}) {
    for (std::uint32_t day = 0; day < 7; ++day) {
      const auto e = baseline.expect({phase, day, true});
      for (std::size_t i = 0; i < 2; ++i) {
        CHECK(e.bin[i] < count_baseline::shape_bins);
        CHECK(e.rest_bin[i] < count_baseline::rest_bins);
        CHECK(e.weight[i] >= 0);
        CHECK(e.weight[i] <= 1);
      }
      CHECK(e.bin[1] == (e.bin[0] + 1) % count_baseline::shape_bins);
      CHECK(std::abs(e.weight[0] + e.weight[1] - 1) < 1e-6F);
    }
  }
}

TEST_CASE("a step in the shape of a day is where the shape is trusted less") {
  count_baseline baseline;
  for (int i = 0; i < 288 * 30; ++i) {
    season_position p;
    p.phase = static_cast<float>(i % 288) / 288;
    p.day = static_cast<std::uint32_t>(i / 288 % 7);
    const auto e = baseline.expect(p);
    baseline.learn(e, (p.phase < 0.5F ? -0.5F : 0.5F) - e.log_count, 0.1F, i % 288 == 0, 1.0F / 288);
  }
  const float at_step = baseline.expect({0.5F, 1, false}).misfit;
  const float elsewhere = baseline.expect({0.25F, 1, false}).misfit;
  CHECK(at_step > 0.01F);
  CHECK(elsewhere < 0.001F);
}
