// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/cardinality_detector.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::cardinality_assessment;
using recoup::cardinality_detector;
using recoup::cardinality_detector_options;
using recoup::duration;
using recoup::side;
using recoup::timestamp;

template <unsigned Precision>
std::vector<cardinality_assessment> advance(cardinality_detector<Precision>& d, timestamp now) {
  std::vector<cardinality_assessment> told;
  d.advance(now, [&](const cardinality_assessment& c) { told.push_back(c); });
  return told;
}

// Buckets of a second in seasons of twenty.
cardinality_detector_options seconds(bool above = true, bool below = true) {
  return {.counts = {.bucket = 1s, .season = 20s, .adapt_after = 20s, .above = above, .below = below},
          .longest_silence = 10s};
}

}  // namespace

TEST_CASE("Each bucket is told with how many different keys it had", "[anomaly][cardinality]") {
  const cardinality_detector_options options{
      .counts = {.bucket = 1s, .season = 20s, .adapt_after = 20s}, .grace = 2s, .longest_silence = 10s};
  cardinality_detector<12> d(options);
  std::map<timestamp, std::set<std::uint64_t>> naive;  // by beginning of the bucket
  std::mt19937_64 random(1);
  std::uint64_t late = 0;
  std::size_t told = 0;
  timestamp now(100s);
  (void)advance(d, now);
  for (int i = 0; i < 40'000; ++i) {
    now += duration(static_cast<std::int64_t>(random() % 4'000'000));
    const timestamp time = now - duration(static_cast<std::int64_t>(random() % 3'500'000'000));
    const std::uint64_t key = random() % 300;
    const timestamp bucket(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()));
    const bool is_open = bucket + 1s + 2s > now && bucket >= timestamp(98s);
    if (random() % 2 == 0) {
      for (const auto& c : advance(d, now)) {
        REQUIRE(c.width == 1s);
        const auto keys = static_cast<double>(naive[c.start].size());
        REQUIRE(std::abs(c.keys - keys) <= 0.06 * keys);  // over five times the error of so few keys
        ++told;
      }
    } else {
      (void)advance(d, now);
      REQUIRE(d.add(time, key) == is_open);
      if (is_open) naive[bucket].insert(key);
      late += !is_open;
    }
    if (random() % 2'000 == 0) {  // go on from a snapshot
      cardinality_detector<12> restored(options);
      REQUIRE(recoup::restore(restored, recoup::snapshot(d)));
      REQUIRE(recoup::snapshot(restored) == recoup::snapshot(d));
      d = restored;
    }
  }
  CHECK(told > 30);
  CHECK(late > 100);
  CHECK(d.counters().late == late);
  CHECK(d.counters().ahead == 0);
}

TEST_CASE("What a sketch makes up is never an anomaly", "[anomaly][cardinality]") {
  // 6 bits err by 13 %. Seed 1; 3,000 buckets of 800 keys: the same ones, others each time, and each in turn for long.
  for (const int kind : {0, 1, 2}) {
    cardinality_detector<6> d(seconds());
    std::uint64_t next = 1;
    int once_in_100 = 0;
    int judged = 0;
    double highest = 0;
    double furthest = 0;
    for (int second = 0; second < 3'000; ++second) {
      const timestamp t{std::chrono::seconds(second)};
      const bool is_new = kind == 1 || (kind == 2 && second / 500 % 2 == 1);
      for (std::uint64_t key = 0; key < 800; ++key) d.add(t, is_new ? next++ : key);
      for (const auto& c : advance(d, t + 1s)) {
        if (c.assessment.warming) continue;
        ++judged;
        once_in_100 += c.assessment.score >= 4.605;
        highest = std::max(highest, c.assessment.score);
        furthest = std::max(furthest, std::abs(c.keys / 800 - 1));
        CHECK((c.keys < c.assessment.lower || c.keys > c.assessment.upper || c.assessment.score < 7 ||
               c.assessment.part != "1 bucket"));
      }
    }
    INFO("kind " << kind << ": " << once_in_100 << ", highest " << highest << ", furthest " << furthest);
    CHECK(judged > 2'900);
    CHECK(furthest > 0.25);  // there was noise to be taken for an anomaly
    CHECK(once_in_100 < 45);
    CHECK(highest < 12);
  }
}

TEST_CASE("Far more different keys than usual are told, and far fewer", "[anomaly][cardinality]") {
  for (const int factor : {3, 0}) {
    cardinality_detector<10> d(seconds());
    std::mt19937_64 random(2);
    const auto bucket = [&](int second, int keys) {
      const timestamp t{std::chrono::seconds(second)};
      for (int i = 0; i < keys; ++i) d.add(t, random());
      const auto told = advance(d, t + 1s);
      REQUIRE(told.size() == 1);
      return told[0];
    };
    for (int second = 0; second < 400; ++second) {
      bucket(second, std::poisson_distribution<int>(500)(random));
    }
    const auto told = bucket(400, 500 * factor);
    CHECK(told.assessment.score > 30);
    CHECK(told.assessment.side == (factor > 1 ? side::above : side::below));
    CHECK(std::abs(told.assessment.expected - 500) < 30);
  }
}

TEST_CASE("Only the side that is asked about has a band that is widened", "[anomaly][cardinality]") {
  for (const bool above : {false, true}) {
    cardinality_detector<4> d(seconds(above, !above));
    for (int second = 0; second < 200; ++second) {
      const timestamp t{std::chrono::seconds(second)};
      for (int key = 0; key < 100; ++key) d.add(t, key);
      for (const auto& c : advance(d, t + 1s)) conduct::require_sane(c.assessment);
    }
    const auto a = d.assess(timestamp(200s), above ? 0.0 : 1e9);
    CHECK(a.score == 0);
    const auto b = d.assess(timestamp(200s), above ? 1e9 : 0.0);
    CHECK(b.score > 3);
    CHECK((above ? b.lower == 0 : b.upper == conduct::limits::infinity()));
    // 4 bits err by 26 %: the band is at least 3.3 times that wide.
    CHECK((above ? b.upper > 1.8 * b.expected : b.lower < 0.2 * b.expected));
  }
}

TEST_CASE("A count of keys is told again if the listener throws", "[anomaly][cardinality]") {
  cardinality_detector<> d(seconds());
  d.add(timestamp(5s), 1);
  d.add(timestamp(5s), 2);
  CHECK_THROWS_AS(d.advance(timestamp(6s), [](const auto&) { throw std::runtime_error("down"); }), std::runtime_error);
  const auto told = advance(d, timestamp(6s));
  REQUIRE(told.size() == 1);
  CHECK(std::abs(told[0].keys - 2) < 0.01);
  CHECK(d.counters().buckets == 1);
}

TEST_CASE("Keys of hostile times leave a detector that works", "[anomaly][cardinality]") {
  std::mt19937_64 random(3);
  cardinality_detector<4> d(seconds());
  for (std::uint64_t i = 0; i < 20'000 * test_scale(); ++i) {
    for (std::uint64_t k = random() % 4; k > 0; --k) d.add(conduct::any_time(random), random());
    const timestamp now = conduct::any_time(random);
    d.add(now, random());
    for (const auto& c : advance(d, now)) conduct::require_sane(c.assessment);
    conduct::require_sane(d.assess(now, conduct::any_value(random)));
  }
  cardinality_detector<4> restored = d.empty_copy();
  REQUIRE(conduct::load(restored, conduct::bytes_of(d)));
  CHECK(conduct::bytes_of(restored) == conduct::bytes_of(d));
  CHECK(d.counters().lost > 0);
  CHECK(d.counters().skipped > 0);
}

TEST_CASE("A cardinality detector refuses bytes that describe none, and works on with all others",
          "[anomaly][cardinality]") {
  cardinality_detector<4> d(seconds());
  for (int second = 0; second < 50; ++second) {
    const timestamp t{std::chrono::seconds(second)};
    for (int key = 0; key < 20; ++key) d.add(t, key);
    (void)advance(d, t);
  }
  const auto bytes = conduct::bytes_of(d);
  cardinality_detector<4> other = d.empty_copy();
  const auto nothing = conduct::bytes_of(other);
  for (std::size_t n = 0; n < bytes.size(); ++n) REQUIRE_FALSE(conduct::load(other, std::span(bytes).first(n)));
  CHECK(conduct::bytes_of(other) == nothing);
  std::mt19937_64 random(4);
  int refused = 0;
  for (std::uint64_t i = 0; i < 500 * test_scale(); ++i) {
    auto changed = bytes;
    for (std::uint64_t k = 0; k <= random() % 3; ++k) {
      changed[random() % changed.size()] = static_cast<std::byte>(random());
    }
    cardinality_detector<4> loaded = d.empty_copy();
    refused += !conduct::load(loaded, changed);
    for (int k = 0; k < 20; ++k) {
      const timestamp t{std::chrono::seconds(50 + k)};
      loaded.add(t, k);
      for (const auto& c : advance(loaded, t)) conduct::require_sane(c.assessment);
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("Counting different keys allocates nothing", "[anomaly][cardinality]") {
  cardinality_detector<8> d(seconds());
  std::size_t told = 0;
  const std::size_t before = allocations_so_far;
  for (int i = 0; i < 1'000; ++i) {
    d.add(timestamp(i * 50ms), i % 7);
    d.advance(timestamp(i * 50ms), [&](const auto&) { ++told; });
  }
  CHECK(told == 49);
  CHECK(allocations_so_far == before);
}

TEST_CASE("Options of a cardinality detector that make no sense are refused in a sentence", "[anomaly][cardinality]") {
  using detector = cardinality_detector<>;
  CHECK_THROWS_AS(detector({.counts = {.bucket = 0s}}), std::invalid_argument);
  CHECK_THROWS_AS(detector({.grace = -1s}), std::invalid_argument);
  CHECK_THROWS_AS(detector({.grace = 24h}), std::invalid_argument);
  CHECK_THROWS_AS(detector({.longest_silence = 1s}), std::invalid_argument);
  CHECK(detector().configuration() != detector({.seed = 1}).configuration());
  CHECK(detector::bytes_for({}) >= 2 * 4'096);
}

TEST_CASE("Each tenant has different keys of its own", "[anomaly][cardinality]") {
  recoup::keyed<std::string, cardinality_detector<6>> bank({.capacity = 3}, cardinality_detector<6>(seconds()));
  const std::string key = "tenant";
  bank.use(bank.locate(key), key, timestamp()).add(timestamp(1s), std::string("host 7"));
  double keys = 0;
  bank.use(bank.locate(key), key, timestamp()).advance(timestamp(2s), [&](const auto& c) { keys += c.keys; });
  CHECK(std::abs(keys - 1) < 0.05);
}
