// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/arrival_rates.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>

#include "anomaly/conduct.hpp"
#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::timestamp;
using recoup::detail::arrival_rates;

arrival_rates day_of(std::mt19937_64& random) {
  arrival_rates rates(24h);
  for (std::size_t part = 0; part < 24; ++part) rates.learn(part, static_cast<double>(random() % 1'000), 3600);
  return rates;
}

}  // namespace

TEST_CASE("Expected events are the sum of the rates of all minutes", "[anomaly][silence]") {
  std::mt19937_64 random(1);
  const arrival_rates rates = day_of(random);
  for (int i = 0; i < 50; ++i) {
    const timestamp from{std::chrono::minutes(static_cast<std::int64_t>(random() % 10'000) - 5'000)};
    const timestamp to = from + std::chrono::minutes(random() % 6'000);
    double sum = 0;
    for (timestamp t = from; t < to; t += 1min) sum += 60 * rates.rate(rates.part_of(t));
    REQUIRE(std::abs(rates.expected(from, to) - sum) < 1e-6 * sum + 1e-9);
    REQUIRE(std::abs(rates.expected(from, rates.time_of(sum, from)) - sum) < 1e-6 * sum + 1e-6);
  }
}

TEST_CASE("Times and rates at the ends of what there is are finite", "[anomaly][silence]") {
  std::mt19937_64 random(2);
  for (const duration season : {duration(0), duration(1min), duration(24h), duration(24h * 366)}) {
    arrival_rates rates(season);
    for (int i = 0; i < 2'000; ++i) {
      const timestamp a = conduct::any_time(random);
      const timestamp b = conduct::any_time(random);
      REQUIRE(std::isfinite(rates.expected(std::min(a, b), std::max(a, b))));
      REQUIRE(rates.time_of(std::ldexp(1.0, static_cast<int>(random() % 100) - 40), a) >= a);
      REQUIRE(rates.end_of(a) >= a);
      rates.learn(rates.part_of(a), std::ldexp(1.0, static_cast<int>(random() % 70)),
                  1e-9 * static_cast<double>(random() >> 4));
      REQUIRE((rates.highest() > 0 && std::isfinite(rates.highest())));
      arrival_rates restored(season);
      REQUIRE(conduct::load(restored, conduct::bytes_of(rates)));
      REQUIRE(restored.highest() == rates.highest());
    }
  }
}

TEST_CASE("A part never seen is as all are on average", "[anomaly][silence]") {
  arrival_rates rates(24h);
  CHECK(rates.rate(3) == 1);
  CHECK(rates.learn(1, 7, 3600) == 1);  // too few to know
  CHECK(rates.rate(3) == 1);
  const double factor = rates.learn(1, 713, 3600);
  CHECK(std::abs(factor - 0.1) < 0.001);
  CHECK(std::abs(rates.rate(3) - 0.1) < 0.001);
  rates.learn(3, 0, 3600);
  CHECK(rates.rate(3) < 0.001);
  CHECK(rates.rate(3) > 0);
}

TEST_CASE("Rates follow what the last seasons were like", "[anomaly][silence]") {
  arrival_rates rates(24h);
  for (int day = 0; day < 20; ++day) rates.learn(5, 3'600, 3600);
  for (int day = 0; day < 30; ++day) rates.learn(5, 7'200, 3600);
  CHECK(std::abs(rates.rate(5) - 2) < 0.05);
}
