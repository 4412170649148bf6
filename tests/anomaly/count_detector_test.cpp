// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/count_detector.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::assessment;
using recoup::count_detector;
using recoup::count_detector_options;
using recoup::duration;
using recoup::restore;
using recoup::side;
using recoup::snapshot;
using recoup::snapshot_status;
using recoup::timestamp;
using recoup::usual_score;
using bytes = std::vector<std::byte>;

static_assert(sizeof(count_detector) <= 684);

constexpr int day = 288;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

timestamp start_of(int bucket) { return timestamp(bucket * 5min); }

// Negative binomial counts around a rate with a cycle of day and week; the first bucket is that of a Thursday.
class stream {
 public:
  stream(double base, std::uint64_t seed) : base_(base), random_(seed) {}

  double rate(int bucket) const {
    const bool is_weekend = bucket / day % 7 == 2 || bucket / day % 7 == 3;
    const double hour = bucket % day / 12.0;
    return base_ * (is_weekend ? 0.6 : 1) * (1 + 0.5 * std::sin(hour * 0.261'799));
  }
  double count(int bucket, double factor = 1) {
    const double noise = std::gamma_distribution<double>(200, 1 / 200.0)(random_);
    const double mean = rate(bucket) * factor * noise;
    return mean > 0 ? static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(random_)) : 0;
  }

 private:
  double base_;
  std::mt19937_64 random_;
};

void teach(count_detector& d, stream& s, int first, int last) {
  for (int i = first; i < last; ++i) d.learn(start_of(i), s.count(i));
}

bool is_sane(const assessment& a) {
  return a.score >= 0 && a.score < infinity && a.expected >= 0 && a.expected < infinity &&
         (a.warming || (a.lower >= 0 && a.lower <= a.upper && a.lower < infinity));
}

}  // namespace

TEST_CASE("a detector of counts expects what the hour and the day of the week bring") {
  for (const double base : {3.0, 60.0, 2'000.0}) {
    stream s(base, 1);
    count_detector d;
    teach(d, s, 0, 14 * day);
    double worst = 0;
    for (int i = 14 * day; i < 21 * day; ++i) {
      const auto a = d.update(start_of(i), s.count(i));
      worst = std::max(worst, std::abs(a.expected / s.rate(i) - 1));
    }
    INFO("base " << base);
    CHECK(worst < 0.05 + 0.5 / std::sqrt(base));
  }
}

TEST_CASE("usual counts rarely score and as rarely as the score says") {
  int judged = 0;
  int unusual = 0;
  for (std::uint64_t key = 0; key < 10; ++key) {
    stream s(2 * std::pow(2.0, static_cast<double>(key)), key);
    count_detector d;
    teach(d, s, 0, 14 * day);
    for (int i = 14 * day; i < 28 * day; ++i) {
      ++judged;
      if (d.update(start_of(i), s.count(i)).score > usual_score) ++unusual;
    }
  }
  CHECK(unusual < 4 * judged / 1'000);  // the largest of four that are alike is so up to four times as often
}

TEST_CASE("spikes and drops and shifts and leaks are found in small counts and large ones") {
  const auto loudest = [](double base, int buckets, side which, auto factor) {
    stream s(base, 7);
    count_detector d;
    teach(d, s, 0, 14 * day + 100);
    assessment most;
    for (int i = 0; i < buckets; ++i) {
      const int bucket = 14 * day + 100 + i;
      const auto a = d.update(start_of(bucket), s.count(bucket, factor(i)));
      if (a.score > most.score) most = a;
    }
    CHECK(most.side == which);
    return most.score;
  };
  const auto constant = [](double f) { return [f](int) { return f; }; };
  for (const double base : {8.0, 60.0, 1'500.0}) {
    INFO("base " << base);
    CHECK(loudest(base, 1, side::above, constant(5)) > 13);
    CHECK(loudest(base, 12, side::below, constant(0.3)) > 13);
    CHECK(loudest(base, 6, side::below, constant(0)) > 13);
    CHECK(loudest(base, 144, side::above, constant(1.5)) > 13);
    CHECK(loudest(base, 144, side::below, constant(0.6)) > 13);
    CHECK(loudest(base, 144, side::below, [](int i) { return 1 - 0.6 * i / 144; }) > 13);
  }
}

TEST_CASE("one extreme count neither widens the band nor blinds nor echoes") {
  for (const double extreme : {1e3, 1e9, 1e300}) {
    stream s(50, 3);
    count_detector d;
    teach(d, s, 0, 10 * day);
    const int now = 10 * day;
    const count_detector untouched = d;
    const auto before = d.assess(start_of(now), 50);
    CHECK(d.update(start_of(now), extreme).score > 100);
    const auto after = d.assess(start_of(now + 1), 50);
    CHECK(after.upper - after.lower < 1.05 * (before.upper - before.lower));
    CHECK(std::abs(after.expected / before.expected - 1) < 0.05);
    CHECK(d.assess(start_of(now + 1), 1e3).score > 100);
    count_detector undisturbed = untouched;
    undisturbed.learn(start_of(now), 50);
    double echo = 0;
    for (int i = 1; i < 300; ++i) {
      const double count = s.count(now + i);
      const double score = d.update(start_of(now + i), count).score;
      const double usual = undisturbed.update(start_of(now + i), count).score;
      if (i > 12) echo = std::max(echo, score - usual);
    }
    CHECK(echo < 1);
    CHECK(d.assess(start_of(now + 300), 0).score > 20);
  }
}

TEST_CASE("a level that changes is an anomaly for a day and then it and the old one are usual") {
  stream s(100, 4);
  count_detector d;
  teach(d, s, 0, 14 * day);
  int alerts = 0;
  for (int i = 14 * day; i < 15 * day; ++i) {
    if (d.update(start_of(i), s.count(i, 1.6)).score > 12) ++alerts;
  }
  CHECK(alerts > day * 9 / 10);
  teach(d, s, 15 * day, 15 * day);
  for (int i = 15 * day; i < 15 * day + 24; ++i) d.learn(start_of(i), s.count(i, 1.6));
  double loudest = 0;
  for (int i = 15 * day + 24; i < 17 * day; ++i)
    loudest = std::max(loudest, d.update(start_of(i), s.count(i, 1.6)).score);
  CHECK(loudest < 12);
  CHECK(std::abs(d.assess(start_of(17 * day), 100).expected / (1.6 * s.rate(17 * day)) - 1) < 0.1);
  loudest = 0;
  for (int i = 17 * day; i < 18 * day; ++i) loudest = std::max(loudest, d.update(start_of(i), s.count(i)).score);
  CHECK(loudest < 12);  // back to what it was
  CHECK(std::abs(d.assess(start_of(18 * day), 100).expected / s.rate(18 * day) - 1) < 0.1);
  CHECK(d.assess(start_of(18 * day), 10).score > 20);
}

TEST_CASE("a leak over a day is not learnt while it grows") {
  stream s(200, 5);
  count_detector d;
  teach(d, s, 0, 14 * day);
  for (int i = 0; i < day; ++i) d.learn(start_of(14 * day + i), s.count(14 * day + i, 1 - 0.5 * i / day));
  CHECK(d.assess(start_of(15 * day), 0).expected > 0.85 * s.rate(15 * day));
}

TEST_CASE("only the side that was asked for is told") {
  for (const bool above : {false, true}) {
    stream s(50, 6);
    count_detector d({.above = above, .below = !above});
    teach(d, s, 0, 8 * day);
    const auto many = d.assess(start_of(8 * day), 500);
    const auto few = d.assess(start_of(8 * day), 0);
    CHECK((many.score > 100) == above);
    CHECK((few.score > 10) == !above);
    CHECK((many.upper < infinity) == above);
    CHECK((many.lower > 0) == !above);
    CHECK(many.side != (above ? side::below : side::above));
  }
}

TEST_CASE("what lies beyond the band of counts is unusual and the band is never below zero") {
  for (const double base : {0.05, 1.0, 10.0, 1'000.0, 1e6}) {
    stream s(base, 8);
    count_detector d;
    CHECK(d.assess(start_of(0), base).warming);
    teach(d, s, 0, 9 * day);
    for (int i = 9 * day; i < 10 * day; i += 7) {
      const auto a = d.assess(start_of(i), base);
      INFO("base " << base << ", from " << a.lower << " to " << a.upper);
      CHECK_FALSE(a.warming);
      CHECK(a.lower >= 0);
      CHECK(a.lower <= a.expected);
      CHECK(a.upper >= a.expected);
      CHECK(d.assess(start_of(i), a.upper * 1.001 + 0.01).score >= usual_score - 0.1);
      if (a.lower > 0) CHECK(d.assess(start_of(i), a.lower * 0.999).score >= usual_score - 0.1);
    }
  }
}

TEST_CASE("a stream that is silent from the beginning is expected to be so") {
  count_detector d;
  double loudest = 0;
  for (int i = 0; i < 14 * day; ++i) loudest = std::max(loudest, d.update(start_of(i), 0).score);
  CHECK(loudest < usual_score);
  CHECK(d.assess(start_of(14 * day), 0).expected < 0.1);
  CHECK(d.assess(start_of(14 * day), 100).score > 30);
  for (int i = 14 * day; i < 18 * day; ++i) d.learn(start_of(i), 100);
  CHECK(d.assess(start_of(18 * day), 0).expected > 50);
}

TEST_CASE("to judge changes nothing and to update is to judge and learn") {
  stream s(20, 9);
  count_detector d;
  count_detector same;
  for (int i = 0; i < 9 * day; ++i) {
    const double count = s.count(i, i % 1'000 > 950 ? 3 : 1);
    const auto judged = d.assess(start_of(i), count);
    d.learn(start_of(i), count);
    if (!(same.update(start_of(i), count) == judged)) FAIL("at " << i);
  }
  const bytes before = snapshot(d);
  CHECK((before == snapshot(same)));
  (void)d.assess(start_of(0), 1e9);
  CHECK((before == snapshot(d)));
}

TEST_CASE("what throws while it is told was not learnt") {
  count_detector d;
  const bytes before = snapshot(d);
  CHECK_THROWS_AS(d.update(start_of(0), 3, [](const assessment&) { throw std::runtime_error("no"); }),
                  std::runtime_error);
  CHECK((before == snapshot(d)));
}

TEST_CASE("what is no count is ignored") {
  stream s(20, 10);
  count_detector d;
  teach(d, s, 0, 8 * day);
  count_detector same = d;
  std::uint64_t ignored = 0;
  for (const double value : {not_a_number, infinity, -infinity, -1.0, -1e300}) {
    const auto a = d.update(start_of(8 * day), value);
    CHECK(a.score == 0);
    CHECK(a.side == side::neither);
    CHECK(d.ignored() == ++ignored);
  }
  CHECK(d.assess(start_of(8 * day), 60) == same.assess(start_of(8 * day), 60));
}

TEST_CASE("any counts at any times leave a detector that answers and can be saved") {
  const auto operations = static_cast<int>(30'000 * test_scale());
  for (const count_detector_options& options :
       {count_detector_options{}, count_detector_options{.bucket = 1ns, .season = 1ns, .adapt_after = 1ns},
        count_detector_options{.bucket = 1h, .season = 24h, .midnight = 23h, .rest_days = 127},
        count_detector_options{.bucket = duration::max(), .season = duration::max(), .adapt_after = duration::max()}}) {
    std::mt19937_64 random(11);
    count_detector d(options);
    const auto any_count = [&]() -> double {
      switch (random() % 8) {
        case 0:
          return std::bit_cast<double>(random());
        case 1:
          return std::numeric_limits<double>::max();
        case 2:
          return 1e15;
        case 3:
          return std::numeric_limits<double>::denorm_min();
        default:
          return static_cast<double>(random() % 30);
      }
    };
    const auto any_time = [&] {
      const auto near = duration(static_cast<std::int64_t>(random() % 10));
      switch (random() % 6) {
        case 0:
          return timestamp::min() + near;
        case 1:
          return timestamp::max() - near;
        case 2:
          return timestamp(duration(static_cast<std::int64_t>(random())));
        default:
          return timestamp(near);
      }
    };
    bool is_sound = true;
    int kind = 0;
    for (int i = 0; i < operations && is_sound; ++i) {
      if (i % 2'000 == 0) kind = static_cast<int>(random() % 3);
      const timestamp now = kind == 0 ? any_time() : start_of(i);
      const double count = kind == 1 ? static_cast<double>(random() % 30) : any_count();
      const auto a = d.update(now, count);
      is_sound = is_sane(a) || (!(count >= 0 && count < infinity) && a.score == 0);
      if (i % 50 == 0) {
        count_detector again(options);
        is_sound = is_sound && restore(again, snapshot(d)) && snapshot(again) == snapshot(d);
      }
    }
    INFO("bucket " << options.bucket.count());
    CHECK(is_sound);
  }
}

TEST_CASE("a detector of counts goes on from a snapshot as if nothing had happened") {
  stream s(30, 12);
  count_detector d;
  for (const int first : {0, 1, day / 2, 8 * day, 10 * day}) {
    count_detector again;
    REQUIRE(restore(again, snapshot(d)));
    for (int i = first; i < first + day; ++i) {
      const double count = s.count(i, i % 50 == 0 ? 4 : 1);
      if (!(d.update(start_of(i), count) == again.update(start_of(i), count))) FAIL("at " << i);
    }
    CHECK((snapshot(d) == snapshot(again)));
    teach(d, s, first + day, 8 * day);
  }
}

TEST_CASE("hostile bytes are no detector of counts and change nothing") {
  stream s(30, 13);
  count_detector d;
  teach(d, s, 0, 8 * day);
  const bytes saved = snapshot(d);
  recoup::snapshot_writer w;
  d.save(w);
  const std::vector<std::byte> state = w.take();
  std::mt19937_64 random(14);
  const auto load = [&](const bytes& content) {
    recoup::snapshot_reader r(content);
    count_detector target = d;
    const bool loaded = target.load(r) && r.at_end();
    if (!loaded) CHECK((snapshot(target) == saved));
    bool is_sound = true;
    for (int i = 0; i < 20; ++i) is_sound = is_sound && is_sane(target.update(start_of(i), i * 10));
    CHECK(is_sound);
    return loaded;
  };
  CHECK(load(state));
  for (std::size_t i = 0; i < state.size(); i += 3)
    CHECK_FALSE(load(bytes(state.begin(), state.begin() + static_cast<std::ptrdiff_t>(i))));
  // After the section's 14 bytes come 8 + 3 * 4 bytes of integers, then nothing but floats.
  for (std::size_t at = 34; at + 4 <= state.size(); at += 4) {
    for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity(), -1e31F, 1e31F}) {
      bytes hostile = state;
      const auto bits = std::bit_cast<std::uint32_t>(value);
      for (std::size_t i = 0; i < 4; ++i) hostile[at + i] = static_cast<std::byte>(bits >> (8 * i));
      CHECK_FALSE(load(hostile));
    }
  }
  for (int i = 0; i < 300; ++i) {
    bytes hostile = state;
    for (int flips = 0; flips < 3; ++flips)
      hostile[random() % state.size()] ^= static_cast<std::byte>(1U << random() % 8);
    (void)load(hostile);
  }
}

TEST_CASE("a detector of counts has the same configuration as its copies alone") {
  const count_detector d;
  CHECK(d.configuration() == count_detector().configuration());
  CHECK(d.empty_copy().configuration() == d.configuration());
  for (const count_detector_options& o :
       {count_detector_options{.bucket = 1min}, count_detector_options{.season = 12h},
        count_detector_options{.midnight = 1h}, count_detector_options{.rest_days = 0},
        count_detector_options{.adapt_after = 25h}, count_detector_options{.above = false},
        count_detector_options{.below = false}}) {
    CHECK(count_detector(o).configuration() != d.configuration());
    count_detector other(o);
    CHECK(restore(other, snapshot(d)).status == snapshot_status::other_configuration);
  }
}

TEST_CASE("options that make no sense for counts are refused") {
  const auto refused = [](const count_detector_options& o) {
    try {
      count_detector d(o);
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(refused({}).empty());
  CHECK(refused({.bucket = 0ns}) == "count_detector_options.bucket must be longer than zero");
  CHECK(refused({.bucket = 25h}) == "count_detector_options.season must be 1 to 1,000,000 buckets");
  CHECK_FALSE(refused({.bucket = 1us}).empty());
  CHECK(refused({.midnight = 24h}) == "count_detector_options.midnight must be at least 0 and less than a season");
  CHECK_FALSE(refused({.midnight = -1ns}).empty());
  CHECK(refused({.adapt_after = 1min}) == "count_detector_options.adapt_after must be 1 to 1,000,000 buckets");
  CHECK(refused({.rest_days = 128}) == "count_detector_options.rest_days has bits 0 (Sunday) to 6 (Saturday)");
  CHECK_FALSE(refused({.above = false, .below = false}).empty());
}

TEST_CASE("days of rest have hours of their own from the first week on") {
  count_detector with;
  count_detector without({.rest_days = 0});
  const auto rate = [](int bucket) {  // on Saturdays and Sundays the morning is quiet
    const bool is_weekend = bucket / day % 7 == 2 || bucket / day % 7 == 3;
    return is_weekend && bucket % day < day / 2 ? 100.0 : 200.0;
  };
  double error_with = 0;
  double error_without = 0;
  for (int i = 0; i < 11 * day; ++i) {
    const double error_here = std::abs(with.update(start_of(i), rate(i)).expected - rate(i));
    const double error_there = std::abs(without.update(start_of(i), rate(i)).expected - rate(i));
    if (i < 9 * day) continue;
    error_with += error_here;
    error_without += error_there;
  }
  CHECK(error_with < 0.6 * error_without);
}

TEST_CASE("midnight is where it is said to be") {
  // The same counts 7 hours later by a clock that is 7 hours late: all the same.
  stream s(50, 15);
  count_detector d;
  count_detector later({.midnight = 7h});
  for (int i = 0; i < 9 * day; ++i) {
    const double count = s.count(i);
    if (!(d.update(start_of(i), count) == later.update(start_of(i) + 7h, count))) FAIL("at " << i);
  }
  CHECK(d.assess(start_of(9 * day), 50).expected > 0);
}

TEST_CASE("judging counts allocates nothing") {
  stream s(50, 16);
  count_detector d;
  const std::size_t before = allocations_so_far;
  for (int i = 0; i < 1'000; ++i) (void)d.update(start_of(i), s.count(i));
  CHECK(allocations_so_far == before);
}
