// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "test_scale.hpp"

// What every detector must do, whatever it detects.

namespace conduct {

using limits = std::numeric_limits<double>;

template <class T>
std::vector<std::byte> bytes_of(const T& saved) {
  recoup::snapshot_writer w;
  saved.save(w);
  return w.take();
}

template <class T>
bool load(T& loaded, std::span<const std::byte> bytes) {
  recoup::snapshot_reader r(bytes);
  return loaded.load(r) && r.at_end();
}

// Values one second apart, from 2020 on.
class clock {
 public:
  recoup::timestamp next() { return now_ = recoup::saturating_add(now_, std::chrono::seconds(1)); }

 private:
  recoup::timestamp now_{std::chrono::seconds(1'577'836'800)};
};

inline void require_sane(const recoup::assessment& a) {
  REQUIRE(std::isfinite(a.score));
  REQUIRE(a.score >= 0);
  REQUIRE(std::isfinite(a.expected));
  REQUIRE(a.lower <= a.upper);  // false for NaN
  REQUIRE((!a.warming || a.score == 0));
}

// A value of every kind that can come.
inline double any_value(std::mt19937_64& random) {
  constexpr std::array special{0.0,
                               -0.0,
                               1.0,
                               1e308,
                               -1e308,
                               limits::max(),
                               limits::lowest(),
                               limits::min(),
                               5e-324,
                               1e140,
                               -1e154,
                               limits::infinity(),
                               -limits::infinity(),
                               limits::quiet_NaN()};
  switch (random() % 4) {
    case 0:
      return special[random() % special.size()];
    case 1:
      return std::bit_cast<double>(random());
    default:
      return static_cast<double>(random() % 100);
  }
}
inline recoup::timestamp any_time(std::mt19937_64& random) {
  switch (random() % 8) {
    case 0:
      return recoup::timestamp::min();
    case 1:
      return recoup::timestamp::max();
    case 2:
      return recoup::timestamp(recoup::duration(static_cast<std::int64_t>(random())));
    default:
      return recoup::timestamp(std::chrono::seconds(random() % 1'000'000));
  }
}

template <recoup::detector D>
void learn_noise(D& d, clock& time, std::size_t values, double mean, double deviation, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(mean, deviation);
  for (std::size_t i = 0; i < values; ++i) d.learn(time.next(), normal(random));
}

// Judges and learns `values` values of noise with each of two copies, which must agree.
template <recoup::detector D>
void require_same(D a, D b, clock time, std::size_t values, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < values; ++i) {
    const recoup::timestamp now = time.next();
    const double value = static_cast<double>(random() % 1'000);
    REQUIRE(a.update(now, value) == b.update(now, value));
  }
  REQUIRE(bytes_of(a) == bytes_of(b));
}

template <recoup::detector D>
void check_nan_and_infinity(const D& fresh, std::size_t warmup) {
  D d = fresh;
  clock time;
  learn_noise(d, time, warmup, 10, 2, 1);
  const auto now = time.next();
  const recoup::assessment before = d.assess(now, 10);
  REQUIRE_FALSE(before.warming);
  CHECK(d.ignored() == 0);
  for (const double odd : {limits::quiet_NaN(), limits::infinity(), -limits::infinity(), limits::signaling_NaN()}) {
    const recoup::assessment a = d.update(now, odd);
    CHECK(a.score == 0);
    CHECK(a.side == recoup::side::neither);
    CHECK(a.lower == before.lower);
    CHECK(a.upper == before.upper);
  }
  CHECK(d.ignored() == 4);
  CHECK(d.assess(now, 10) == before);
  CHECK(d.empty_copy().ignored() == 0);
}

template <recoup::detector D>
void check_update_is_assess_and_learn(const D& fresh, std::size_t warmup) {
  D d = fresh;
  D apart = fresh;
  clock time;
  std::mt19937_64 random(2);
  for (std::size_t i = 0; i < 2 * warmup; ++i) {
    const auto now = time.next();
    const double value = any_value(random);
    const auto before = bytes_of(apart);
    const recoup::assessment a = std::as_const(apart).assess(now, value);
    REQUIRE(bytes_of(apart) == before);
    require_sane(a);
    REQUIRE(d.update(now, value) == a);
    apart.learn(now, value);
    REQUIRE(bytes_of(apart) == bytes_of(d));
  }
}

template <recoup::detector D>
void check_hostile_values_and_times(const D& fresh) {
  D d = fresh;
  std::mt19937_64 random(3);
  for (std::uint64_t i = 0; i < 20'000 * test_scale(); ++i) {
    require_sane(d.update(any_time(random), any_value(random)));
    if (i % 5'000 == 4'999) d = d.empty_copy();
  }
  // Whatever it has learnt, it can be saved.
  D restored = d.empty_copy();
  REQUIRE(load(restored, bytes_of(d)));
  REQUIRE(bytes_of(restored) == bytes_of(d));
}

template <recoup::detector D>
void check_constant_streams(const D& fresh, std::size_t warmup) {
  for (const double constant : {0.0, 5.0, -1e6, 1e300, 1e-300}) {
    D d = fresh;
    clock time;
    for (std::size_t i = 0; i < 2 * warmup; ++i) REQUIRE(d.update(time.next(), constant).score == 0);
    for (std::size_t i = 0; i < 200; ++i) {
      const double noise = constant * (i % 2 == 0 ? 1e-9 : -1e-9);
      REQUIRE(d.update(time.next(), constant + noise).score < 1);
    }
  }
}

// A level that was constant may change for good: it is learnt in the end.
template <recoup::detector D>
void check_constant_that_changes(const D& fresh, std::size_t warmup, std::size_t values) {
  for (const double level : {1.0, -1e-5, 1e6}) {
    D d = fresh;
    clock time;
    for (std::size_t i = 0; i < warmup; ++i) d.learn(time.next(), 0);
    CHECK(d.assess(time.next(), level).score > recoup::usual_score);
    for (std::size_t i = 0; i < values; ++i) d.learn(time.next(), level);
    CHECK(d.assess(time.next(), level).score < 2);
  }
}

template <recoup::detector D>
void check_one_spike(const D& fresh, std::size_t warmup) {
  for (const double spike : {1e3, -1e6, 1e308, limits::lowest()}) {
    D d = fresh;
    clock time;
    learn_noise(d, time, 2 * warmup, 10, 2, 4);
    const recoup::assessment before = d.assess(time.next(), 10);
    CHECK(d.update(time.next(), spike).score > 100);
    CHECK(d.update(time.next(), spike).score > 30);
    const recoup::assessment after = d.assess(time.next(), 10);
    CHECK(after.upper - after.lower < 1.6 * (before.upper - before.lower));
    CHECK(after.score < recoup::usual_score);
  }
}

template <recoup::detector D>
void check_snapshots(const D& fresh, std::size_t warmup) {
  clock time;
  D d = fresh;
  for (const std::size_t values : {std::size_t{0}, std::size_t{1}, warmup / 2, warmup, 2 * warmup}) {
    learn_noise(d, time, values, 10, 2, values);
    d.learn(time.next(), limits::quiet_NaN());
    const auto bytes = bytes_of(d);
    D restored = d.empty_copy();
    REQUIRE(load(restored, bytes));
    CHECK(restored.ignored() == d.ignored());
    CHECK(restored.configuration() == d.configuration());
    require_same(d, restored, time, 200, 5);

    D untouched = fresh;
    const auto nothing = bytes_of(untouched);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      REQUIRE_FALSE(load(untouched, std::span(bytes).first(length)));
      REQUIRE(bytes_of(untouched) == nothing);
    }
  }
  // Bytes that were changed are refused, or make a detector that works.
  const auto bytes = bytes_of(d);
  std::mt19937_64 random(6);
  std::size_t refused = 0;
  for (std::uint64_t i = 0; i < 300 * test_scale(); ++i) {
    auto changed = bytes;
    for (std::size_t n = 1 + random() % 8; n > 0; --n) {
      changed[random() % changed.size()] = static_cast<std::byte>(random() % 2 == 0 ? 0xFF : random());
    }
    D loaded = fresh;
    const bool done = load(loaded, changed);
    refused += !done;
    for (int v = 0; v < 30; ++v) require_sane(loaded.update(any_time(random), any_value(random)));
  }
  CHECK(refused > 0);
}

template <recoup::detector D>
void check_empty_copy(const D& fresh, std::size_t warmup) {
  D d = fresh;
  clock time;
  learn_noise(d, time, 2 * warmup, 10, 2, 7);
  CHECK(bytes_of(d.empty_copy()) == bytes_of(fresh));
  CHECK(d.empty_copy().configuration() == fresh.configuration());
  require_same(d.empty_copy(), fresh, time, 2 * warmup, 8);
}

// `warmup`: values a second apart after which it scores.
template <recoup::detector D>
void check_all(const D& fresh, std::size_t warmup) {
  check_nan_and_infinity(fresh, warmup);
  check_update_is_assess_and_learn(fresh, warmup);
  check_hostile_values_and_times(fresh);
  check_constant_streams(fresh, warmup);
  check_snapshots(fresh, warmup);
  check_empty_copy(fresh, warmup);
}

// How often scores of independent standard normal values reach `score`, as a multiple of e^-score.
template <recoup::detector D>
class calibration {
 public:
  calibration(D d, std::size_t warmup, std::size_t values, std::uint64_t seed, double mean = 100,
              double deviation = 3) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal(mean, deviation);
    clock time;
    for (std::size_t i = 0; i < warmup; ++i) d.learn(time.next(), normal(random));
    scores_.reserve(values);
    for (std::size_t i = 0; i < values; ++i) scores_.push_back(d.update(time.next(), normal(random)).score);
  }

  [[nodiscard]] double excess(double score) const {
    std::size_t reached = 0;
    for (const double s : scores_) reached += s >= score;
    return static_cast<double>(reached) / (static_cast<double>(scores_.size()) * std::exp(-score));
  }

 private:
  std::vector<double> scores_;
};

}  // namespace conduct
