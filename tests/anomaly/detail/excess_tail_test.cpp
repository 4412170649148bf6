// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/excess_tail.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace {

using recoup::detail::excess_tail;
using recoup::detail::excess_tail_rules;
using recoup::detail::excess_tails;

constexpr float floor_of_all = 1e-6F;

double exponential(std::mt19937_64& random) { return -std::log(1 - static_cast<double>(random() >> 11) * 0x1p-53); }

excess_tail learnt_from_exponential(std::uint64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  excess_tail t;
  const excess_tail_rules r;
  for (std::uint64_t i = 1; i <= count; ++i) t.learn(static_cast<float>(exponential(random)), i, floor_of_all, r);
  return t;
}

// The threshold is where the score begins to be that at the threshold.
double threshold_of(const excess_tail& t) { return t.value_at(0, floor_of_all); }
double mean_of(const excess_tail& t) { return t.value_at(1, floor_of_all) - threshold_of(t); }

TEST_CASE("the threshold of a tail is a quantile, and its mean excess that of the values beyond") {
  double threshold = 0;
  double mean = 0;
  constexpr int runs = 40;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    const excess_tail t = learnt_from_exponential(20'000, seed);
    threshold += threshold_of(t) / runs;
    mean += mean_of(t) / runs;
  }
  CHECK_THAT(threshold, Catch::Matchers::WithinAbs(std::log(128), 0.25));
  CHECK_THAT(mean, Catch::Matchers::WithinAbs(1, 0.15));
}

TEST_CASE("the score of a tail rises from 0, is one nat at the threshold, and a Pareto tail's beyond") {
  const excess_tail t = learnt_from_exponential(5'000, 1);
  const excess_tail_rules r;
  const auto score = [&](double value) { return t.score(static_cast<float>(value), floor_of_all, r); };
  const double threshold = threshold_of(t);
  CHECK(score(0) == 0);
  CHECK_THAT(score(threshold / 2), Catch::Matchers::WithinRel(0.5, 1e-5));
  CHECK_THAT(score(threshold), Catch::Matchers::WithinRel(1.0, 1e-5));
  double before = 0;
  for (double value = 0; value < 1e6; value = 1.01 * value + 0.01) {
    CHECK(score(value) >= before);
    before = score(value);
  }
  for (const double nats : {1.5, 3.0, 10.0}) {
    const double value = t.value_at(std::expm1(r.shape * (nats - 1)) / r.shape, floor_of_all);
    CHECK_THAT(score(value), Catch::Matchers::WithinRel(nats, 1e-4));
  }
  CHECK(std::isfinite(score(std::numeric_limits<float>::max())));
}

TEST_CASE("one huge excess at most doubles the mean one of a tail, and a row of them is learnt soon") {
  excess_tail t = learnt_from_exponential(5'000, 2);
  const excess_tail_rules r;
  const double before = mean_of(t);
  t.learn(1e30F, 5'001, floor_of_all, r);
  CHECK(mean_of(t) > before);
  CHECK(mean_of(t) < 2.001 * before);
  int needed = 0;
  for (std::uint64_t i = 5'002; mean_of(t) < 1e28; ++i, ++needed) t.learn(1e30F, i, floor_of_all, r);
  CHECK(needed < 12);
}

TEST_CASE("a tail is never narrower than its floor") {
  excess_tail t;
  const excess_tail_rules r;
  for (std::uint64_t i = 1; i < 3'000; ++i) t.learn(0, i, 0.5F, r);
  CHECK(t.value_at(0, 0.5F) == 0.5);
  CHECK(t.score(0.5F, 0.5F, r) == 1);
  CHECK(t.score(1.0F, 0.5F, r) < 2);
}

TEST_CASE("a value is in the tail of its side") {
  excess_tails t;
  const excess_tail_rules r;
  std::mt19937_64 random(3);
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    const double value = exponential(random);
    t.learn(static_cast<float>(random() % 2 == 0 ? value : -10 * value), i, floor_of_all, r);
  }
  CHECK(threshold_of(t.below()) > 5 * threshold_of(t.above()));
  CHECK(t.score(20, floor_of_all, r) > t.score(-20, floor_of_all, r));
  CHECK(t.score(0, floor_of_all, r) == 0);
  CHECK(t.score(-0.0F, floor_of_all, r) == 0);
}

TEST_CASE("a tail taken up from bytes goes on as before, and impossible ones are refused") {
  excess_tail t = learnt_from_exponential(700, 4);
  recoup::snapshot_writer w;
  t.save(w);
  const auto bytes = w.take();
  excess_tail other;
  recoup::snapshot_reader r(bytes);
  REQUIRE(other.load(r));
  CHECK(r.at_end());
  CHECK(threshold_of(other) == threshold_of(t));
  CHECK(mean_of(other) == mean_of(t));

  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {-1.0F, nan, std::numeric_limits<float>::infinity(), 2e37F}) {
    for (const bool first : {false, true}) {
      recoup::snapshot_writer broken;
      broken.value(first ? bad : 1.0F);
      broken.value(first ? 1.0F : bad);
      broken.u16(0);
      const auto corrupt = broken.take();
      recoup::snapshot_reader reader(corrupt);
      excess_tail refused;
      CHECK_FALSE(refused.load(reader));
    }
  }
}

}  // namespace
