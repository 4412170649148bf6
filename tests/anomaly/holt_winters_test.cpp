// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/holt_winters.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <type_traits>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/time.hpp"

namespace {

using namespace std::chrono_literals;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using recoup::duration;
using recoup::holt_winters;
using recoup::holt_winters_options;
using recoup::timestamp;

static_assert(recoup::detector<holt_winters<>>, "holt_winters must be a detector");
static_assert(std::is_trivially_copyable_v<holt_winters<24>> && sizeof(holt_winters<24>) == 12 * 24 + 136,
              "holt_winters must have the bytes that it says, without a heap");

constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

// The recursions as textbooks have them, one value a bin and period.
struct textbook {
  void learn(std::size_t i, double y) {
    const double last = level;
    double& s = season[i % 4];
    level = o.level * (y - s) + (1 - o.level) * (last + o.damping * trend);
    trend = o.trend * (level - last) + (1 - o.trend) * o.damping * trend;
    s = o.season * (y - level) + (1 - o.season) * s;
  }
  [[nodiscard]] double forecast(std::size_t i) const { return level + o.damping * trend + season[i % 4]; }

  holt_winters_options o;
  double level = 0;
  double trend = 0;
  std::array<double, 4> season{};
};

TEST_CASE("holt_winters is the textbook's recursion after the first period", "[anomaly][holt_winters]") {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 10);
  const holt_winters_options o{
      .period = duration(4), .level = 0.3, .trend = 0.2, .season = 0.4, .damping = 0.9, .warmup = 8, .clip = infinity};
  holt_winters<4> d(o);
  textbook model{.o = o};
  std::array<double, 4> first{};
  for (std::size_t i = 0; i < 400; ++i) {
    const double value = uniform(random) + static_cast<double>(10 * (i % 4)) + 0.1 * static_cast<double>(i);
    const auto now = at(static_cast<std::int64_t>(i));
    if (i < 4) {
      first[i] = value;
      model.level += value / 4;
    } else {
      if (i == 4) {
        for (std::size_t bin = 0; bin < 4; ++bin) model.season[bin] = first[bin] - model.level;
      }
      if (i > 4) REQUIRE_THAT(d.assess(now, 0).expected, WithinRel(model.forecast(i), 1e-9));
      model.learn(i, value);
    }
    d.learn(now, value);
    if (i >= 4) {
      REQUIRE_THAT(d.level(), WithinRel(model.level, 1e-9));
      REQUIRE_THAT(d.trend(), WithinAbs(model.trend, 1e-9));
      REQUIRE_THAT(d.season(now), WithinAbs(model.season[i % 4], 1e-9));
    }
  }
}

TEST_CASE("holt_winters finds the bin of any time", "[anomaly][holt_winters]") {
  using five = holt_winters<5>;
  for (std::int64_t i = -25; i < 25; ++i) {
    CHECK(five::bin_of(at(i), duration(5)) == static_cast<std::size_t>((i + 25) % 5));
    CHECK(five::bin_of(at(i), duration(50)) == static_cast<std::size_t>((i + 50) % 50 / 10));
  }
  for (const std::int64_t period : {5, 7, 1'000'003}) {
    for (std::int64_t i = 0; i < 2'000; ++i) {
      REQUIRE(five::bin_of(at(i), duration(period)) == static_cast<std::size_t>(i % period * 5 / period));
    }
  }
  for (const duration period : {duration(5), duration(24h), duration::max()}) {
    CHECK(five::bin_of(timestamp::min(), period) < 5);
    CHECK(five::bin_of(timestamp::max(), period) < 5);
  }
}

constexpr std::array<double, 24> busy{10, 8,  5,  5,  6,  9,  20, 40, 60, 80, 85, 90,
                                      88, 85, 80, 75, 70, 60, 50, 40, 30, 25, 20, 15};

// Four values an hour of a day's course.
double of_day(std::int64_t quarter) { return 10 * busy[static_cast<std::size_t>(quarter / 4 % 24)]; }
timestamp quarter_hour(std::int64_t quarter) { return timestamp(15min * quarter); }

TEST_CASE("A season is not shifted by values that fail to come or come twice", "[anomaly][holt_winters]") {
  std::mt19937_64 random(2);
  std::normal_distribution<double> noise(0, 5);
  holt_winters d;
  std::size_t alarms = 0;
  for (std::int64_t i = 0; i < 96 * 14; ++i) {
    for (std::size_t times = random() % 8 == 0 ? 0 : random() % 8 == 1 ? 2 : 1; times > 0; --times) {
      alarms += d.update(quarter_hour(i), of_day(i) + noise(random)).score > 9.2;  // once in 10'000
    }
  }
  CHECK(alarms <= 3);
  // Night's usual is the day's alarm.
  const std::int64_t noon = 96 * 14 + 48;
  CHECK(d.assess(quarter_hour(noon), of_day(noon)).score < recoup::usual_score);
  CHECK(d.assess(quarter_hour(noon), of_day(noon - 36)).score > 30);
  CHECK(d.assess(quarter_hour(noon), of_day(noon - 36)).side == recoup::side::below);
}

TEST_CASE("holt_winters follows a trend", "[anomaly][holt_winters]") {
  holt_winters<4> d({.period = duration(4), .level = 0.3, .trend = 0.1, .season = 0.1, .damping = 1, .warmup = 8});
  double miss = infinity;
  for (std::int64_t i = 0; i < 2'000; ++i) {
    const double value = 3.0 * static_cast<double>(i) + (i % 4 == 0 ? 50 : 0);
    miss = std::abs(d.update(at(i), value).expected - value);
  }
  CHECK(miss < 0.1);
  CHECK_THAT(d.trend(), WithinRel(3, 0.01));
}

TEST_CASE("holt_winters scores nothing in the first period nor in a bin that has had no value",
          "[anomaly][holt_winters]") {
  holt_winters<4> d({.period = duration(400), .warmup = 8});
  for (std::int64_t i = 0; i < 300; ++i) REQUIRE(d.update(at(i), 7).warming);
  for (std::int64_t i = 400; i < 408; ++i) REQUIRE(d.update(at(i), 1).warming);
  CHECK_FALSE(d.assess(at(409), 1).warming);
  const auto unknown = d.assess(at(700), 1e6);
  CHECK(unknown.warming);
  CHECK(unknown.score == 0);
  d.learn(at(700), 21);
  CHECK_FALSE(d.assess(at(701), 21).warming);
  CHECK_THAT(d.assess(at(701), 21).expected, WithinAbs(21, 0.5));
}

TEST_CASE("A false time in the future does not hold up the season", "[anomaly][holt_winters]") {
  holt_winters<4> d({.period = duration(40), .warmup = 8});
  d.learn(timestamp::max(), 5);
  for (std::int64_t i = 0; i < 50; ++i) d.learn(at(i), 5);
  CHECK_FALSE(d.assess(at(50), 5).warming);
}

TEST_CASE("holt_winters scores normal noise about as often as its scores say", "[anomaly][holt_winters]") {
  const std::size_t values = 300'000;
  const conduct::calibration c(holt_winters<4>({.period = 4s, .level = 0.05, .trend = 0.01, .season = 0.05}), 5'000,
                               values, 3);
  for (const double score : {1.0, 2.3, 4.6, 6.9}) {
    CAPTURE(score);
    CHECK_THAT(c.excess(score), WithinAbs(1, 0.12 + 4 / std::sqrt(values * std::exp(-score))));
  }
}

TEST_CASE("holt_winters does what every detector does", "[anomaly][holt_winters]") {
  conduct::check_all(holt_winters<3>({.period = 6s}), 60);
  conduct::check_all(holt_winters<1>({.period = 1s, .level = 1, .trend = 1, .season = 1, .damping = 1}), 60);
  conduct::check_one_spike(holt_winters<3>({.period = 6s}), 300);
  conduct::check_constant_that_changes(holt_winters<3>({.period = 6s}), 300, 2'000);
}

TEST_CASE("Options of holt_winters that make no sense are refused", "[anomaly][holt_winters]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const holt_winters_options fine;
  const auto with = [&](auto set) {
    holt_winters_options o = fine;
    set(o);
    return o;
  };
  const std::array odd{with([](auto& o) { o.period = duration(23); }),
                       with([](auto& o) { o.level = 0; }),
                       with([](auto& o) { o.level = 1.1; }),
                       with([&](auto& o) { o.level = nan; }),
                       with([](auto& o) { o.trend = -0.1; }),
                       with([](auto& o) { o.season = 2; }),
                       with([](auto& o) { o.damping = 1.01; }),
                       with([](auto& o) { o.scale = 0; }),
                       with([](auto& o) { o.scale = 0.6; }),
                       with([](auto& o) { o.warmup = 7; }),
                       with([](auto& o) { o.clip = 0; }),
                       with([](auto& o) { o.least_scale = 0; })};
  for (const auto& o : odd) CHECK_THROWS_AS(holt_winters<24>(o), std::invalid_argument);
  CHECK_THROWS_WITH(holt_winters({.period = 0s}),
                    "holt_winters_options.period must be at least a nanosecond for each bin");
  CHECK(holt_winters<24>().configuration() != holt_winters<25>().configuration());
  const std::array other{with([](auto& o) { o.period = 1h; }),    with([](auto& o) { o.level = 0.5; }),
                         with([](auto& o) { o.trend = 0.5; }),    with([](auto& o) { o.season = 0.5; }),
                         with([](auto& o) { o.damping = 0.5; }),  with([](auto& o) { o.scale = 0.5; }),
                         with([](auto& o) { o.warmup = 50; }),    with([](auto& o) { o.clip = 5; }),
                         with([](auto& o) { o.least_scale = 5; })};
  for (const auto& o : other) CHECK(holt_winters<24>(o).configuration() != holt_winters<24>(fine).configuration());
}

}  // namespace
