// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/combined.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/anomaly/ewma.hpp"
#include "recoup/anomaly/value_detector.hpp"
#include "recoup/anomaly/welford.hpp"
#include "recoup/core/keyed.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using recoup::assessment;
using recoup::combined;
using recoup::ewma;
using recoup::side;
using recoup::timestamp;
using recoup::welford;

constexpr timestamp now{};

// A detector that says what it is told to.
struct parrot {
  assessment says;
  std::uint64_t passed_over = 0;

  assessment assess(timestamp, double) const { return says; }
  void learn(timestamp, double) {}
  assessment update(timestamp, double) { return says; }
  std::uint64_t ignored() const { return passed_over; }
  std::uint64_t configuration() const { return 1; }
  parrot empty_copy() const { return {says}; }
  void save(recoup::snapshot_writer& w) const { w.u64(passed_over); }
  bool load(recoup::snapshot_reader& r) {
    passed_over = r.u64();
    return r.ok();
  }
};

assessment saying(double score, double expected, double lower, double upper, side where = side::above,
                  std::string_view part = {}) {
  assessment a;
  a.score = score;
  a.expected = expected;
  a.lower = lower;
  a.upper = upper;
  a.side = where;
  a.warming = false;
  a.part = part;
  return a;
}

}  // namespace

static_assert(recoup::detector<combined<ewma, welford>>);

TEST_CASE("Combined detectors do what every detector must", "[anomaly][combined]") {
  conduct::check_all(combined({"recent", "ever"}, ewma(), welford()), 30);
  conduct::check_all(combined({"only"}, ewma()), 30);
}

TEST_CASE("The loudest part speaks for all, less what it costs to ask several", "[anomaly][combined]") {
  const combined d({"a", "", "c"}, parrot{saying(4, 1, 0, 10)}, parrot{saying(9, 2, 1, 8, side::below, "inner")},
                   parrot{saying(9, 3, -5, 7)});
  const assessment a = d.assess(now, 0);
  CHECK_THAT(a.score, WithinAbs(9 - std::log(3.0), 1e-12));
  CHECK(a.part == "inner");  // the part without a name of its own calls itself so; of equals the first
  CHECK(a.side == side::below);
  CHECK(a.expected == 2);
  CHECK(a.lower == 1);
  CHECK(a.upper == 7);
  CHECK_FALSE(a.warming);
}

TEST_CASE("A single part says what it would say alone", "[anomaly][combined]") {
  combined d({""}, ewma());
  ewma alone;
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    const double value = static_cast<double>(random() % 100);
    const assessment a = d.update(now, value);
    assessment b = alone.update(now, value);
    if (b.score == 0) b.side = side::neither;
    REQUIRE(a == b);
  }
}

TEST_CASE("Parts that are warming have no say", "[anomaly][combined]") {
  assessment warming;
  warming.expected = 50;
  CHECK(combined({"a", "b"}, parrot{warming}, parrot{warming}).assess(now, 0).warming);
  const assessment a = combined({"a", "b"}, parrot{warming}, parrot{saying(9, 2, 1, 8)}).assess(now, 0);
  CHECK(a.score == 9);
  CHECK(a.part == "b");
  CHECK(a.expected == 2);
}

TEST_CASE("Where nothing is unusual no part is named", "[anomaly][combined]") {
  const assessment a = combined({"a", "b"}, parrot{saying(0.3, 1, 0, 2)}, parrot{saying(0.5, 1, 0, 2)}).assess(now, 0);
  CHECK(a.score == 0);
  CHECK(a.part.empty());
  CHECK(a.side == side::neither);
}

TEST_CASE("Bands that do not overlap leave a point between them", "[anomaly][combined]") {
  const assessment a = combined({"a", "b"}, parrot{saying(1, 1, 0, 2)}, parrot{saying(5, 7, 6, 8)}).assess(now, 0);
  CHECK(a.lower == 4);
  CHECK(a.upper == 4);
  CHECK(a.expected == 4);
}

TEST_CASE("However parts depend on each other, high scores are no more frequent than each part promises",
          "[anomaly][combined]") {
  // Scores of exact parts: the same one three times, independent ones, and ones of which one speaks where others don't.
  constexpr int values = 200'000;
  for (const int dependence : {0, 1, 2}) {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> uniform(0, 1);
    int high = 0;
    for (int i = 0; i < values; ++i) {
      const double u = uniform(random);
      double v = u;
      double w = u;
      if (dependence == 1) {
        v = uniform(random);
        w = uniform(random);
      } else if (dependence == 2) {  // the events never coincide: the union bound is met
        v = std::fmod(u + 1.0 / 3, 1);
        w = std::fmod(u + 2.0 / 3, 1);
      }
      const auto part = [](double p) { return parrot{saying(-std::log(std::max(p, 1e-300)), 0, -1, 1)}; };
      high += combined({"a", "b", "c"}, part(u), part(v), part(w)).assess(now, 0).score >= 4.605;  // once in 100
    }
    const double rate = high / (0.01 * values);
    INFO("dependence " << dependence);
    CHECK(rate < 1.1);
    CHECK(rate > (dependence == 0 ? 0.27 : 0.9));
  }
}

TEST_CASE("A band of combined detectors holds values that score less than usual", "[anomaly][combined]") {
  combined d({"recent", "ever"}, ewma({.half_life = 20}), welford());
  conduct::clock time;
  conduct::learn_noise(d, time, 500, 10, 2, 3);
  const auto t = time.next();
  const assessment a = d.assess(t, 10);
  for (const double inside : {a.lower + 1e-9, a.upper - 1e-9, a.expected}) {
    CHECK(d.assess(t, inside).score < recoup::usual_score);
  }
  CHECK(d.assess(t, a.upper + 3).score > recoup::usual_score);
}

TEST_CASE("What combined detectors ignored is what the part ignored that ignored most", "[anomaly][combined]") {
  CHECK(combined({"a", "b"}, parrot{{}, 3}, parrot{{}, 5}).ignored() == 5);
  CHECK(combined({"a", "b"}, ewma(), welford()).configuration() !=
        combined({"a", "b"}, ewma({.half_life = 7}), welford()).configuration());
}

TEST_CASE("Each key has combined detectors of its own", "[anomaly][combined]") {
  using both = combined<ewma, welford>;
  recoup::keyed<std::string, both> bank({.capacity = 4}, both({"recent", "ever"}, ewma(), welford()));
  const std::string key = "tenant 7";
  for (int i = 0; i < 50; ++i) bank.use(bank.locate(key), key, now).learn(now, i % 5);
  CHECK(bank.at(bank.locate(key)).assess(now, 1'000).score > recoup::usual_score);
  CHECK(bank.at(bank.locate(std::string("another"))).assess(now, 1'000).warming);
}
