// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/gap_distribution.hpp"

#include <cmath>
#include <random>

#include "anomaly/conduct.hpp"
#include "catch.hpp"

namespace {
using recoup::detail::gap_distribution;
}

TEST_CASE("The shape and scale of gaps are found again", "[anomaly][silence]") {
  for (const double shape : {0.5, 0.8, 1.0, 1.5, 2.5, 3.9}) {
    for (const double scale : {1e-6, 1.0, 1e5}) {
      std::mt19937_64 random(1);
      gap_distribution gaps(20'000);
      for (int i = 0; i < 200'000; ++i) gaps.learn(std::weibull_distribution<>(shape, scale)(random));
      gaps.fit();
      INFO("shape " << shape << ", scale " << scale << ": " << gaps.shape());
      CHECK(std::abs(gaps.shape() - shape) < 0.06 * shape);
      const double mean = scale * std::tgamma(1 + 1 / shape);
      CHECK(std::abs(gaps.mean() - mean) < 0.08 * mean);
      for (const double score : {2.0, 7.0}) {
        const double gap = scale * std::pow(score, 1 / shape);
        CHECK(std::abs(gaps.score(gap) - score) < 0.08 * score);
      }
    }
  }
}

TEST_CASE("The gap of a score scores that", "[anomaly][silence]") {
  std::mt19937_64 random(2);
  gap_distribution gaps(64);
  for (int i = 0; i < 500; ++i) {
    gaps.learn(std::exponential_distribution<>(3)(random));
    gaps.fit();
    for (const double score : {0.1, 6.9, 13.8, 50.0}) {
      const double gap = gaps.gap_of(score);
      if (gap < gap_distribution::longest_gap) REQUIRE(std::abs(gaps.score(gap) - score) < 1e-6 * score);
      if (i > 30 && score < 20) REQUIRE(gap < 1e6);
    }
  }
  CHECK(gaps.score(0) == 0);
  CHECK(gaps.score(-1) == 0);
}

TEST_CASE("What is known of few gaps makes long ones less unlikely than what is known of many", "[anomaly][silence]") {
  gap_distribution few(256);
  gap_distribution many(256);
  std::mt19937_64 random(3);
  for (int i = 0; i < 3'000; ++i) {
    const double gap = std::exponential_distribution<>(1)(random);
    if (i < 20) few.learn(gap);
    many.learn(gap);
  }
  few.fit();
  many.fit();
  CHECK(few.depth() < many.depth());
  CHECK(few.score(14) < many.score(14));
}

TEST_CASE("Gaps in other units are as likely", "[anomaly][silence]") {
  gap_distribution gaps(256);
  std::mt19937_64 random(4);
  for (int i = 0; i < 300; ++i) gaps.learn(std::exponential_distribution<>(1)(random));
  gaps.fit();
  const double before = gaps.score(5);
  gaps.rescale(1e-3);
  CHECK(std::abs(gaps.score(5e-3) - before) < 1e-6);
}

TEST_CASE("Gaps of all sizes leave a distribution that is finite", "[anomaly][silence]") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    gap_distribution gaps(16);
    for (int i = 0; i < 2'000; ++i) {
      gaps.learn(random() % 2 == 0 ? 0 : std::ldexp(1.0, static_cast<int>(random() % 200) - 100));
      if (i == 100) gaps.rescale(std::ldexp(1.0, static_cast<int>(random() % 80) - 40));
      gaps.fit();
      REQUIRE(std::isfinite(gaps.score(1)));
      REQUIRE(gaps.gap_of(13.8) <= gap_distribution::longest_gap);
      gap_distribution restored(16);
      REQUIRE(conduct::load(restored, conduct::bytes_of(gaps)));
      REQUIRE(restored.score(2) == gaps.score(2));
    }
  }
}
