// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/value_detector.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::assessment;
using recoup::duration;
using recoup::timestamp;
using recoup::usual_score;
using recoup::value_detector;
using recoup::value_detector_options;

static_assert(recoup::detector<value_detector>);

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// A value every five minutes: 288 a day.
timestamp nth(std::int64_t i) { return timestamp(duration(i * 300s)); }

// Feeds values of a function of their number, and keeps the answers.
class feed {
 public:
  explicit feed(const value_detector_options& o = {}) : detector(o) {}

  assessment operator()(double value) { return last = detector.update(nth(number++), value); }
  // The highest score of the next n.
  template <class F>
  double highest(int n, F&& value) {
    double most = 0;
    for (int i = 0; i < n; ++i) most = std::max(most, (*this)(value(number)).score);
    return most;
  }

  value_detector detector;
  assessment last;
  std::int64_t number = 0;
};

class noise {
 public:
  explicit noise(std::uint64_t seed) : random_(seed) {}
  double operator()() {  // close to normal: the same on every platform, unlike std::normal_distribution
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 random_;
};

std::vector<std::byte> bytes_of(const value_detector& d) {
  recoup::snapshot_writer w;
  d.save(w);
  return w.take();
}

bool is_sound(const assessment& a) {
  return a.score >= 0 && std::isfinite(a.score) && std::isfinite(a.expected) && !std::isnan(a.lower) &&
         !std::isnan(a.upper) && (a.warming ? a.score == 0 : a.lower <= a.upper);
}

TEST_CASE("a value detector is silent on a constant and speaks when it changes") {
  for (const double constant : {0.0, 1.0, -40.0, 1e9, 1e-9}) {
    INFO("constant " << constant);
    feed f;
    CHECK(f.highest(2'000, [&](auto) { return constant; }) < 1e-3);
    CHECK(f.last.expected == constant);
    CHECK(f.last.lower <= constant);
    CHECK(f.last.upper >= constant);
    const double change = constant == 0 ? 1 : 0.5 * std::abs(constant);
    feed g = f;
    CHECK(g(constant + change).score > usual_score);
    CHECK(g.last.side == recoup::side::above);
    CHECK(f(constant - change).score > usual_score);
    CHECK(f.last.side == recoup::side::below);
    CHECK_FALSE(f.last.part.empty());
  }
}

TEST_CASE("a value detector is silent while it warms up") {
  feed f;
  for (int i = 0; i < 100; ++i) {
    const assessment a = f(i == 70 ? 1e9 : 1);
    CHECK(a.warming);
    CHECK(a.score == 0);
    CHECK(a.upper == infinity);
    CHECK(a.lower == -infinity);
  }
  CHECK_FALSE(f(1).warming);
}

TEST_CASE("noise below a thousandth of the level is none to a value detector") {
  noise n(1);
  feed f;
  CHECK(f.highest(10'000, [&](auto) { return 1e6 + 100 * n(); }) < usual_score);
  // The first sign of life of a stream that was constant to the last bit.
  feed g;
  CHECK(g.highest(2'000, [](auto) { return 1e6; }) < 1e-3);
  CHECK(g.highest(100, [&](auto) { return 1e6 + 50 * n(); }) < usual_score);
  CHECK(g(1.2e6).score > usual_score);
}

TEST_CASE("one spike widens the band of a value detector but a little and does not hide the next") {
  noise n(2);
  const auto value = [&](auto) { return 100 + 2 * n(); };
  feed f;
  f.highest(3'000, value);
  const double width = f.last.upper - f.last.lower;
  const double first = f(1e6).score;
  CHECK(first > 2 * usual_score);
  f(100);
  CHECK(f.last.upper - f.last.lower < 2 * width);
  CHECK(std::abs(f.last.expected - 100) < 10);
  CHECK(f.highest(12, value) < usual_score);  // back to normal is no news
  CHECK(f(1e6).score > usual_score);          // within the hour, though told
  f.highest(288, value);
  CHECK(f.last.upper - f.last.lower < 3 * width);  // after two
  CHECK(f(1e6).score > usual_score);
}

TEST_CASE("a value detector speaks at once of a level that shifts, and soon holds its peace") {
  noise n(3);
  feed f;
  f.highest(3'000, [&](auto) { return 100 + 2 * n(); });
  const auto shifted = [&](auto) { return 160 + 2 * n(); };
  CHECK(f(shifted(0)).score > usual_score);
  CHECK(f.last.side == recoup::side::above);
  f.highest(864, shifted);
  CHECK(f.highest(576, shifted) < usual_score);
  CHECK_THAT(f.last.expected, Catch::Matchers::WithinAbs(160, 4));
}

// A tenth of the noise an hour: each value is near the ones before.
TEST_CASE("a value detector notices a slow leak that no single value gives away") {
  const auto loudest_drift = [](double an_hour) {
    noise n(4);
    feed f;
    f.highest(5'000, [&](auto) { return 1'000 + 10 * n(); });
    double most = 0;
    for (int i = 0; i < 2'000; ++i) {
      const assessment a = f(1'000 + 10 * n() + an_hour * i / 12);
      if (a.part == "drift") most = std::max(most, a.score);
    }
    return most;
  };
  const double without = loudest_drift(0);
  CHECK(without < 3);
  CHECK(loudest_drift(1) > without + 1.5);
  CHECK(loudest_drift(-1) > without + 1.5);
}

TEST_CASE("what is usual by day is unusual by night to a value detector") {
  noise n(5);
  const auto is_day = [](std::int64_t i) { return i % 288 >= 96 && i % 288 < 240; };
  const auto value = [&](std::int64_t i) { return (is_day(i) ? 100.0 : 10.0) + n(); };
  feed f;
  f.highest(288 * 28, value);
  CHECK(f.highest(288 * 3, value) < usual_score);
  while (f.number % 288 != 36) f(value(f.number));  // three in the morning
  feed g = f;
  CHECK(g(10).score < 1);
  CHECK(f(100).score > usual_score);
  CHECK(f.last.expected < 30);

  // At noon, 100 is usual and 10 is not.
  while (g.number % 288 != 168) g(value(g.number));
  feed h = g;
  CHECK(h(100).score < 1);
  CHECK(g(10).score > usual_score);

  // Without a season, the day is learnt as it comes.
  feed s({.season = 0s});
  noise m(5);
  s.highest(288 * 28, [&](std::int64_t i) { return (is_day(i) ? 100.0 : 10.0) + m(); });
  while (s.number % 288 != 36) s(10 + m());
  CHECK(s(100).score < f.last.score);
}

TEST_CASE("a value detector counts NaN and infinity, and learns nothing from them") {
  feed f;
  noise n(6);
  f.highest(500, [&](auto) { return n(); });
  const auto before = bytes_of(f.detector);
  for (const double bad : {nan, infinity, -infinity}) {
    const assessment a = f.detector.update(nth(500), bad);
    CHECK(a.score == 0);
    CHECK_FALSE(a.warming);
    f.detector.learn(nth(500), bad);
    CHECK(f.detector.assess(nth(500), bad).score == 0);
  }
  CHECK(f.detector.ignored() == 6);
  CHECK(f.detector.learnt() == 500);
  const auto after = bytes_of(f.detector);
  std::size_t different = 0;
  for (std::size_t i = 0; i < before.size(); ++i) different += before[i] != after[i];
  CHECK(different == 1);  // the count
}

TEST_CASE("a value detector answers soundly whatever the values and the times") {
  const std::vector<double> values{
      0.0,    -0.0,    1.0,  -1.0,     1e308, -1e308, std::numeric_limits<double>::max(),
      5e-324, -5e-324, 1e36, 1e37,     nan,   1e-300, std::numeric_limits<double>::lowest(),
      1e-40,  1e15,    1e6,  -infinity};
  const std::vector<timestamp> times{timestamp::min(), timestamp::max(), nth(0), nth(1), nth(-1), nth(100'000)};
  for (std::uint64_t seed = 0; seed < 20 * test_scale(); ++seed) {
    std::mt19937_64 random(seed);
    value_detector_options o;
    if (seed % 4 == 1) o.season = 0s;
    if (seed % 4 == 2) o = {.season = 1s, .warm_up = 50, .tail_share = 0.5, .tail_step = 1, .tail_rate = 1, .floor = 0};
    if (seed % 4 == 3) o = {.season = 366 * 24h, .clip = 1e6, .memory = 1ns, .discount = 0};
    feed f(o);
    int unsound = 0;
    for (int i = 0; i < 3'000; ++i) {
      const timestamp at =
          random() % 3 == 0 ? times[random() % times.size()] : timestamp(duration(static_cast<std::int64_t>(random())));
      const double value = random() % 3 == 0   ? std::bit_cast<double>(random())
                           : random() % 2 == 0 ? values[random() % values.size()]
                                               : static_cast<double>(random() % 100);
      const assessment judged = f.detector.assess(at, value);
      const assessment updated = f.detector.update(at, value);
      unsound += !is_sound(judged) || judged != updated;
    }
    CHECK(unsound == 0);
    value_detector copy = f.detector.empty_copy();  // what came of it can be saved and taken up again
    const auto bytes = bytes_of(f.detector);
    recoup::snapshot_reader r(bytes);
    CHECK(copy.load(r));
  }
}

TEST_CASE("time that stands still or goes back changes little for a value detector") {
  noise n(7);
  value_detector still;
  double highest = 0;
  for (int i = 0; i < 5'000; ++i) highest = std::max(highest, still.update(nth(0), 50 + n()).score);
  for (int i = 0; i < 5'000; ++i) highest = std::max(highest, still.update(nth(-i), 50 + n()).score);
  CHECK(highest < 1.5 * usual_score);
  CHECK(still.update(nth(-1), 500).score > usual_score);
}

TEST_CASE("to assess changes nothing in a value detector, and update is assess, then learn") {
  noise n(8);
  value_detector a;
  value_detector b;
  int different = 0;
  for (int i = 0; i < 2'000; ++i) {
    const double value = i % 97 == 0 ? 50 * n() : n();
    const assessment first = a.assess(nth(i), value);
    different += first != a.assess(nth(i), value);
    a.learn(nth(i), value);
    different += first != b.update(nth(i), value);
  }
  CHECK(different == 0);
  CHECK(bytes_of(a) == bytes_of(b));
}

TEST_CASE("values within the band of a value detector score less than the usual score from level and season") {
  noise n(9);
  feed f({.change_weight = 0, .drift_weight = 0, .pattern_weight = 0, .lasting_weight = 0, .discount = 0});
  f.highest(4'000, [&](std::int64_t i) { return 20 * std::sin(static_cast<double>(i) / 45.84) + n(); });
  for (int i = 0; i < 500; ++i) {
    const assessment a = f(20 * std::sin(static_cast<double>(f.number) / 45.84) + n());
    REQUIRE(a.lower < a.upper);
    value_detector d = f.detector;
    const assessment now = d.assess(nth(f.number), 0);
    const double width = now.upper - now.lower;
    CHECK(d.assess(nth(f.number), now.upper - 1e-6 * width).score < usual_score + 1e-3);
    CHECK(d.assess(nth(f.number), now.lower + 1e-6 * width).score < usual_score + 1e-3);
    CHECK(d.assess(nth(f.number), now.upper + 3 * width).score > usual_score);
    CHECK(d.assess(nth(f.number), now.lower - 3 * width).score > usual_score);
  }
}

// Measured over two million values each of these and other distributions, scores above s came at most this factor times
// e^-s of the time: 0.25 for s of 1 to 5, 0.5 up to 6, 0.9 up to 12, the most for Student's t with three degrees of
// freedom. Here with room for chance.
TEST_CASE("on independent noise of many distributions a score of s nats comes about e^-s times of all") {
  const std::vector<std::function<double(noise&)>> distributions{
      [](noise& n) { return n(); },
      [](noise& n) { return n.uniform(); },
      [](noise& n) { return -std::log(1 - n.uniform()); },
      [](noise& n) { return std::log((n.uniform() + 1e-16) / (1 - n.uniform())); },
      [](noise& n) { return std::exp(n()); },
      [](noise& n) { return n() / std::sqrt((n() * n() + n() * n() + n() * n()) / 3); },
      [](noise& n) { return std::floor(-3 * std::log(1 - n.uniform())); },
      [](noise& n) { return n.uniform() < 0.5 ? 0.0 : 1.0; },
      [](noise& n) { return n.uniform() < 0.01 ? 100.0 : n(); },
  };
  constexpr int count = 60'000;
  for (std::size_t k = 0; k < distributions.size(); ++k) {
    noise n(k);
    feed f;
    std::vector<int> above(12);
    for (int i = 0; i < count; ++i) {
      const double score = f(distributions[k](n)).score;
      for (std::size_t s = 0; s < above.size() && score > static_cast<double>(s); ++s) ++above[s];
    }
    for (std::size_t s = 1; s < above.size(); ++s) {
      INFO("distribution " << k << ", above " << s << " nats: " << above[s]);
      const double due = count * std::exp(-static_cast<double>(s));
      CHECK(above[s] < 4 * due + 6);
    }
  }
}

TEST_CASE("what was told lately is less of a news to a value detector, and becomes news again") {
  noise n(10);
  const auto value = [&](auto) { return 10 + n(); };
  feed f;
  f.highest(4'000, value);
  const double first = f(60).score;
  f.highest(20, value);
  const double again = f(60).score;
  CHECK(again < first);
  feed all({.discount = 0});
  noise m(10);
  all.highest(4'000, [&](auto) { return 10 + m(); });
  const double untold = all(60).score;
  all.highest(20, [&](auto) { return 10 + m(); });
  CHECK(all(60).score > again);
  CHECK(untold >= first);
  f.highest(20 * 288, value);
  CHECK(f(60).score > again);
}

// The same spike as the second of two and after an ordinary value. A season is off so that only the past tells them
// apart.
TEST_CASE("what a value and the one before both say counts for more to a value detector, and not alone") {
  const auto second_of_two = [](double lasting, double first) {
    noise n(14);
    feed f({.season = 0s, .change_weight = 0, .pattern_weight = 0, .lasting_weight = lasting, .discount = 0});
    f.highest(4'000, [&](auto) { return 10 + n(); });
    f(first);
    return f(20).score;
  };
  const double alone = second_of_two(0, 20);
  CHECK(alone > 0);
  CHECK(second_of_two(0.5, 20) > alone + 0.3);
  CHECK_THAT(second_of_two(0.5, 10), Catch::Matchers::WithinAbs(second_of_two(0, 10), 0.3));
}

// Sizes of deviations are counted in few states, but what is said of them has no steps: here in 20,000ths of the noise.
TEST_CASE("a value detector does not jump where one size of deviations ends and the next begins") {
  noise n(15);
  feed f({.season = 0s, .level_weight = 0.01, .season_weight = 0, .change_weight = 0, .drift_weight = 0});
  f.highest(4'000, [&](auto) { return 1'000 + 100 * n(); });
  double before = f.detector.assess(nth(f.number), 1'000).score;
  double highest = before;
  double farthest = 0;
  for (int i = 1; i <= 100'000; ++i) {
    const double now = f.detector.assess(nth(f.number), 1'000 + 0.005 * i).score;
    farthest = std::max(farthest, std::abs(now - before));
    highest = std::max(highest, now);
    before = now;
  }
  CHECK(highest > 1);
  CHECK(farthest < 0.5);
}

TEST_CASE("a value detector restored from a snapshot goes on to the byte") {
  noise n(11);
  feed f;
  f.highest(3'333, [&](std::int64_t i) { return n() + (i % 288 < 96 ? 20.0 : 0.0) + (i % 500 == 0 ? 200.0 : 0.0); });
  f.detector.learn(nth(0), nan);
  const auto bytes = bytes_of(f.detector);
  value_detector restored = f.detector.empty_copy();
  restored.learn(nth(3), 7);
  recoup::snapshot_reader r(bytes);
  REQUIRE(restored.load(r));
  CHECK(r.at_end());
  CHECK(bytes_of(restored) == bytes);
  CHECK(restored.ignored() == 1);
  int different = 0;
  for (int i = 0; i < 2'000; ++i) {
    const double value = i % 333 == 0 ? 300 : n();
    different += f.detector.update(nth(f.number), value) != restored.update(nth(f.number), value);
    ++f.number;
  }
  CHECK(different == 0);
  CHECK(bytes_of(restored) == bytes_of(f.detector));
}

TEST_CASE("a value detector refuses bytes that it cannot have written") {
  noise n(12);
  feed f;
  f.highest(1'000, [&](auto) { return n(); });
  const auto bytes = bytes_of(f.detector);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::span<const std::byte> all = bytes;
    recoup::snapshot_reader r(all.first(length));
    value_detector d;
    if (d.load(r)) FAIL("cut off after " << length);
  }
  // The doubles from the 38th byte on (14 of the section, two counts, a time), one after the other.
  for (std::size_t field = 0; field < 7; ++field) {
    for (const double bad : {nan, infinity, -infinity, 1e300}) {
      auto corrupt = bytes;
      const auto bits = std::bit_cast<std::uint64_t>(bad);
      for (std::size_t i = 0; i < 8; ++i) corrupt[38 + 8 * field + i] = static_cast<std::byte>(bits >> (8 * i));
      recoup::snapshot_reader r(corrupt);
      value_detector d;
      CHECK_FALSE(d.load(r));
    }
  }
  auto endless = bytes;  // a count that would overflow
  for (std::size_t i = 14; i < 22; ++i) endless[i] = std::byte{0xFF};
  recoup::snapshot_reader too_many(endless);
  value_detector unchanged = f.detector;
  CHECK_FALSE(unchanged.load(too_many));
  CHECK(bytes_of(unchanged) == bytes);
  std::mt19937_64 random(12);
  int refused = 0;
  int unsound = 0;
  for (std::uint64_t i = 0; i < 2'000 * test_scale(); ++i) {
    auto corrupt = bytes;
    for (std::uint64_t k = 0; k <= random() % 4; ++k) {
      corrupt[random() % corrupt.size()] = static_cast<std::byte>(random());
    }
    recoup::snapshot_reader r(corrupt);
    value_detector d;
    if (!d.load(r)) {
      ++refused;
      continue;
    }
    for (int v = 0; v < 60; ++v) unsound += !is_sound(d.update(nth(v), v % 7 == 0 ? 1e300 : n()));
  }
  CHECK(refused > 0);
  CHECK(unsound == 0);
}

TEST_CASE("the configuration of a value detector tells its options apart") {
  std::vector<value_detector_options> all(27);
  all[1].season = 0s;
  all[2].warm_up = 101;
  all[3].level_weight = 1;
  all[4].season_weight = 1;
  all[5].change_weight = 1;
  all[6].drift_weight = 1;
  all[7].pattern_weight = 1;
  all[8].tail_share = 0.01;
  all[9].tail_step = 0.2;
  all[10].tail_rate = 0.01;
  all[11].tail_shape = 0.1;
  all[12].level_rate = 0.01;
  all[13].origin_rate = 0.01;
  all[14].drift_rate = 0.01;
  all[15].scale_rate = 0.01;
  all[16].season_rate = 0.01;
  all[17].spread_trust = 0;
  all[18].pattern_backoff = 3;
  all[19].clip = 10;
  all[20].floor = 0.01;
  all[21].memory = 1h;
  all[22].discount = 0;
  all[23].telling = 6;
  all[24].pattern_scale = 3;
  all[25].pattern_due = 400;
  all[26].lasting_weight = 0;
  std::vector<std::uint64_t> seen;
  for (const auto& o : all) {
    const value_detector d(o);
    seen.push_back(d.configuration());
    CHECK(d.empty_copy().configuration() == d.configuration());
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("a value detector refuses options that make no sense") {
  const auto refused = [](auto change) {
    value_detector_options o;
    change(o);
    try {
      const value_detector d(o);
      return std::string();
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
  };
  using o = value_detector_options;
  CHECK(refused([](o&) {}).empty());
  CHECK(refused([](o& x) { x.season = -1ns; }) ==
        "value_detector_options.season must be a second to 366 days, or zero for none");
  CHECK(refused([](o& x) { x.season = duration::max(); }).find("season") != std::string::npos);
  CHECK(refused([](o& x) { x.season = 999ms; }).find("season") != std::string::npos);
  CHECK(refused([](o& x) { x.warm_up = nan; }).find("warm_up") != std::string::npos);
  CHECK(refused([](o& x) { x.level_weight = -1; }).find("weights") != std::string::npos);
  CHECK(refused([](o& x) { x.lasting_weight = nan; }).find("weights") != std::string::npos);
  CHECK(refused([](o& x) { x.level_weight = x.season_weight = 0; }).find("band") != std::string::npos);
  CHECK(refused([](o& x) { x.tail_share = 0; }).find("tail_share") != std::string::npos);
  CHECK(refused([](o& x) { x.tail_rate = 2; }).find("rates") != std::string::npos);
  CHECK(refused([](o& x) { x.tail_shape = 0; }).find("tail_shape") != std::string::npos);
  CHECK(refused([](o& x) { x.spread_trust = 1; }).find("spread_trust") != std::string::npos);
  CHECK(refused([](o& x) { x.pattern_backoff = 0; }).find("pattern_backoff") != std::string::npos);
  CHECK(refused([](o& x) { x.pattern_scale = 0; }).find("pattern_scale") != std::string::npos);
  CHECK(refused([](o& x) { x.pattern_due = 0; }).find("pattern_due") != std::string::npos);
  CHECK(refused([](o& x) { x.clip = infinity; }).find("clip") != std::string::npos);
  CHECK(refused([](o& x) { x.floor = -1; }).find("floor") != std::string::npos);
  CHECK(refused([](o& x) { x.telling = nan; }).find("telling") != std::string::npos);
  CHECK(refused([](o& x) { x.memory = 0s; }).find("memory") != std::string::npos);
  CHECK(refused([](o& x) { x.discount = 2; }).find("discount") != std::string::npos);
}

TEST_CASE("a value detector allocates nothing") {
  noise n(13);
  const std::size_t before = allocations_so_far;
  value_detector d;
  for (int i = 0; i < 1'000; ++i) d.update(nth(i), n());
  value_detector copy = d;
  copy.learn(nth(0), 1);
  CHECK(allocations_so_far == before);
  CHECK(copy.learnt() == d.learnt() + 1);
}

}  // namespace
