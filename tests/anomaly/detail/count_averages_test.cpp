// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/count_averages.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>

#include "catch.hpp"
#include "test_scale.hpp"

namespace {

using recoup::detail::count_averages;

constexpr std::array<double, 4> rate{1, 0.3, 0.1, 0.03};

float poisson(std::mt19937_64& random, double mean) {
  if (mean == 0) return 0;
  return static_cast<float>(std::poisson_distribution<std::int64_t>(mean)(random));
}

float longest_of(const count_averages::comparison& c) {
  return std::max({std::abs(c.deviation[1]), std::abs(c.deviation[2]), std::abs(c.deviation[3])});
}

void pass(count_averages& a, float count, float mean) {
  const auto c = a.compare(count, mean, 0, 1);
  a.learn_usual(c, 1.0F / 2'016, 1e6F);
  a.commit(c);
}

}  // namespace

TEST_CASE("counts are averaged and compared as by the formulas") {
  const auto steps = static_cast<int>(20'000 * test_scale());
  std::mt19937_64 random(1);
  count_averages averages;
  std::array<double, 4> seen{};
  std::array<double, 4> expected{};
  std::array<double, 4> usual{1, 1, 1, 1};
  double worst = 0;
  for (int i = 0; i < steps; ++i) {
    const double mean = 20 + 10 * std::sin(i * 0.02);
    const double uncertainty = i % 3 == 0 ? 0.001 : 0;
    const float count = poisson(random, mean);
    const auto c = averages.compare(count, static_cast<float>(mean), static_cast<float>(uncertainty), 1);
    bool is_usual = true;
    for (std::size_t k = 0; k < 4; ++k) {
      seen[k] += rate[k] * (static_cast<double>(count) - seen[k]);
      expected[k] += rate[k] * (mean - expected[k]);
      const double memory = (2 - rate[k]) / rate[k];
      const double off = 2 * (std::sqrt(memory * seen[k] + 0.375) - std::sqrt(memory * expected[k] + 0.375));
      const double square = off * off / (1 + memory * expected[k] * uncertainty);
      const double deviation = std::copysign(std::sqrt(square / usual[k]), off);
      is_usual = is_usual && std::abs(deviation) < 3.4;
      if (is_usual) worst = std::max(worst, std::abs(deviation - static_cast<double>(c.deviation[k])));
      usual[k] = std::max(0.8, usual[k] + (std::min(square, 9 * usual[k]) - usual[k]) / 2'016);
    }
    averages.learn_usual(c, 1.0F / 2'016, 1e6F);
    averages.commit(c);
    if (!is_usual) {  // where the longer averages deviate they follow rules of their own
      averages.begin_at(1);
      seen = expected;
    }
  }
  CHECK(worst < 0.01);
}

TEST_CASE("what is small but lasts is seen by the longer averages") {
  std::mt19937_64 random(2);
  count_averages averages;
  for (int i = 0; i < 5'000; ++i) pass(averages, poisson(random, 20), 20);
  float one = 0;
  float longest = 0;
  for (int i = 0; i < 200; ++i) {
    const auto c = averages.compare(poisson(random, 16), 20, 0, 1);
    one = std::max(one, std::abs(c.deviation[0]));
    longest = std::max(longest, std::abs(c.deviation[3]));
    averages.commit(c);
  }
  CHECK(one < 5);
  CHECK(longest > 6);
}

TEST_CASE("the longer averages forget what is over within an hour") {
  for (const double factor : {0.0, 0.3, 0.6, 1.6, 5.0}) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      std::mt19937_64 random(seed);
      count_averages averages;
      for (int i = 0; i < 3'000; ++i) pass(averages, poisson(random, 50), 50);
      for (int i = 0; i < 150; ++i) pass(averages, poisson(random, 50 * factor), 50);
      for (int i = 0; i < 12; ++i) pass(averages, poisson(random, 50), 50);
      INFO("factor " << factor << ", seed " << seed);
      CHECK(longest_of(averages.compare(50, 50, 0, 1)) < 3.5F);
    }
  }
}

TEST_CASE("all between two usual means is usual") {
  count_averages averages;
  for (int i = 0; i < 500; ++i) pass(averages, 100, 100);
  CHECK(averages.compare(150, 100, 0, 1).loudest > 4);
  for (const float other : {0.5F, 2.0F}) {
    for (const float count : {100.0F, 100 * (1 + other) / 2, 100 * other})
      CHECK(averages.compare(count, 100, 0, other).loudest == 0);
    CHECK(averages.compare(other > 1 ? 300.0F : 20.0F, 100, 0, other).loudest > 5);
    CHECK(averages.compare(other > 1 ? 40.0F : 180.0F, 100, 0, other).loudest > 5);
  }
}

TEST_CASE("one huge count is clipped in the longer averages and forgotten by the shortest") {
  count_averages averages;
  for (int i = 0; i < 500; ++i) pass(averages, 100, 100);
  pass(averages, 1e15F, 100);
  const auto c = averages.compare(100, 100, 0, 1);
  CHECK(c.deviation[0] == 0);
  CHECK(longest_of(c) < 6);
}
