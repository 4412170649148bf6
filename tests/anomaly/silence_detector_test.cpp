// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/silence_detector.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
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
using recoup::duration;
using recoup::side;
using recoup::silence;
using recoup::silence_detector;
using recoup::silence_detector_options;
using recoup::timestamp;

constexpr timestamp start(std::chrono::hours(24 * 18'000) + 9h);

duration seconds(double s) { return duration(static_cast<std::int64_t>(s * 1e9)); }
double in_seconds(duration d) { return static_cast<double>(d.count()) * 1e-9; }

std::vector<silence> advance(silence_detector& d, timestamp now) {
  std::vector<silence> told;
  d.advance(now, [&](const silence& s) { told.push_back(s); });
  return told;
}

// Advances in small steps until a silence is told, at most so long after the last event.
std::optional<silence> wait(silence_detector& d, timestamp last, duration step, duration most) {
  for (timestamp t = last; t <= last + most; t += step) {
    const auto told = advance(d, t);
    if (!told.empty()) return told[0];
  }
  return std::nullopt;
}

struct stream {
  silence_detector detector;
  std::mt19937_64 random;
  timestamp now = start;
  int told = 0;

  template <class Gap>
  void run(int events, Gap&& gap) {
    for (int i = 0; i < events; ++i) {
      now += gap(random);
      told += static_cast<int>(advance(detector, now).size());
      detector.seen(now);
    }
  }
};

auto poisson(double mean) {
  return [mean](std::mt19937_64& random) {
    return std::max(duration(1), seconds(std::exponential_distribution<>(1 / mean)(random)));
  };
}

}  // namespace

TEST_CASE("A heartbeat that misses two beats is told", "[anomaly][silence]") {
  for (const duration period : {duration(60s), duration(1ms), duration(1h)}) {
    stream s{silence_detector(), {}};
    s.run(100, [&](auto&) { return period; });
    CHECK(s.told == 0);
    const auto told = wait(s.detector, s.now, period / 20, 5 * period);
    REQUIRE(told);
    CHECK(told->since == s.now);
    CHECK(told->times == 1);
    CHECK(told->lasted() > 2 * period);
    CHECK(told->lasted() < 3 * period);
    CHECK(told->assessment.score >= 13.8);
    CHECK(told->assessment.side == side::above);
    CHECK(std::abs(told->assessment.expected - in_seconds(period)) < 0.05 * in_seconds(period));
    CHECK(told->assessment.upper < 3 * in_seconds(period));
    CHECK(s.detector.regularity() > 3);
  }
}

TEST_CASE("Batches are as regular as their beginnings", "[anomaly][silence]") {
  stream s{silence_detector(), {}};
  int n = 0;
  const auto batches = [&n](auto&) { return ++n % 100 == 0 ? duration(1min) : duration(1us); };
  s.run(3'000, batches);
  s.told = 0;
  s.run(3'000, batches);
  CHECK(s.told == 0);
  const auto told = wait(s.detector, s.now, 1s, 10min);
  REQUIRE(told);
  CHECK(told->lasted() > 1min);
  CHECK(told->lasted() < 3min);
}

TEST_CASE("A silence in a Poisson stream is told after as many mean gaps as it scores nats", "[anomaly][silence]") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    stream s{silence_detector(), std::mt19937_64(seed)};
    s.run(5'000, poisson(7));
    const auto told = wait(s.detector, s.now, 1s, 500s);
    REQUIRE(told);
    INFO("seed " << seed << ": " << in_seconds(told->lasted()) / 7);
    CHECK(told->lasted() > 10 * 7s);
    CHECK(told->lasted() < 21 * 7s);
    CHECK(std::abs(s.detector.regularity() - 1) < 0.2);
  }
}

TEST_CASE("Of usual gaps few are called unlikely", "[anomaly][silence]") {
  // Seed 3; 20,000 gaps each, as multiples of what the score promises. Lognormal gaps have a heavier tail than any
  // Weibull distribution, and gamma ones than a regular one.
  struct gaps {
    const char* name;
    double (*next)(std::mt19937_64&);
    double once_in_100, once_in_1000;
    int told;
  };
  const std::vector<gaps> all{
      {"poisson", [](auto& g) { return std::exponential_distribution<>(1)(g); }, 1.3, 2, 0},
      {"bursty", [](auto& g) { return std::weibull_distribution<>(0.5, 1)(g); }, 1.3, 2, 1},
      {"regular", [](auto& g) { return std::gamma_distribution<>(4, 0.25)(g); }, 1.5, 2.5, 3},
      {"very bursty", [](auto& g) { return std::gamma_distribution<>(0.3, 3)(g); }, 1.3, 2, 1},
      {"uniform", [](auto& g) { return std::uniform_real_distribution<>(0, 2)(g); }, 1.3, 2, 0},
      {"lognormal", [](auto& g) { return std::lognormal_distribution<>(0, 1)(g); }, 2, 4, 8},
      {"batches", [](auto& g) { return g() % 10 != 0 ? 1e-3 : std::exponential_distribution<>(1)(g); }, 1.3, 2, 1}};
  for (const gaps& kind : all) {
    stream s{silence_detector(), std::mt19937_64(3)};
    const auto gap = [&](std::mt19937_64& random) { return std::max(duration(1), seconds(kind.next(random))); };
    s.run(500, gap);
    s.told = 0;
    int once_in_100 = 0;
    int once_in_1000 = 0;
    constexpr int gaps_judged = 20'000;
    for (int i = 0; i < gaps_judged; ++i) {
      s.now += gap(s.random);
      const double score = s.detector.assess(s.now).score;
      once_in_100 += score >= 4.605;
      once_in_1000 += score >= 6.908;
      s.told += static_cast<int>(advance(s.detector, s.now).size());
      s.detector.seen(s.now);
    }
    INFO(kind.name << ": " << once_in_100 << ", " << once_in_1000 << ", told " << s.told);
    CHECK(once_in_100 <= kind.once_in_100 * gaps_judged / 100);
    CHECK(once_in_1000 <= kind.once_in_1000 * gaps_judged / 1'000);
    CHECK(s.told <= kind.told);
  }
}

TEST_CASE("Quiet nights are no silence once a few were seen, and a quiet day still is", "[anomaly][silence]") {
  for (const double night : {0.0, 0.2, 5.0}) {
    for (const double day : {20.0, 600.0}) {
      std::mt19937_64 random(1);
      silence_detector d;
      std::vector<int> told(12);
      timestamp next = start;
      const auto draw = [&] {
        do {
          next += std::max(duration(1), seconds(std::exponential_distribution<>(day / 3600)(random)));
          const auto hour = next.time_since_epoch() % 24h / 1h;
          if (hour >= 6 && hour < 22) return;
        } while (std::uniform_real_distribution<>(0, day)(random) >= night);
      };
      for (timestamp now = start; now < start + 12 * 24h; now += 1min) {
        while (next <= now) {
          d.seen(next);
          draw();
        }
        told[static_cast<std::size_t>((now - start) / 24h)] += static_cast<int>(advance(d, now).size());
      }
      INFO("night " << night << ", day " << day << " an hour");
      int later = 0;
      for (std::size_t i = 4; i < told.size(); ++i) later += told[i];
      CHECK(told[0] < 60);
      CHECK(later == 0);
      const auto noon = timestamp(std::chrono::floor<std::chrono::hours>(next.time_since_epoch()) / 24h * 24h + 36h);
      timestamp last{};
      for (; next < noon; draw()) d.seen(last = next);
      const auto outage = wait(d, last, 1s, 24h);
      REQUIRE(outage);
      CHECK(in_seconds(outage->lasted()) < 22 * 3600 / day);
    }
  }
}

TEST_CASE("A silence is told again whenever it has lasted twice as long, and its end is told", "[anomaly][silence]") {
  stream s{silence_detector({.season = 0s}), {}};
  s.run(8'000, [](auto&) { return 1s; });
  std::vector<silence> told;
  for (timestamp t = s.now; t < s.now + 2h; t += 100ms) {
    for (const silence& x : advance(s.detector, t)) told.push_back(x);
  }
  REQUIRE(told.size() == 12);
  for (std::size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].times == i + 1);
    CHECK(told[i].since == s.now);
    if (i > 0) CHECK(told[i].lasted() == 2 * told[i - 1].lasted());
  }
  CHECK(s.detector.is_silent());
  const auto ended = s.detector.seen(s.now + 2h);
  REQUIRE(ended);
  CHECK(ended->since == s.now);
  CHECK(ended->lasted() == 2h);
  CHECK(ended->times == 12);
  CHECK_FALSE(s.detector.is_silent());
  CHECK_FALSE(s.detector.seen(s.now + 2h + 1s));
  // One outage is no habit.
  for (int i = 2; i < 20; ++i) s.detector.seen(s.now + 2h + i * 1s);
  const auto again = wait(s.detector, s.now + 2h + 19s, 100ms, 1min);
  REQUIRE(again);
  CHECK(again->lasted() < 5s);
}

TEST_CASE("A silence is told again if the listener throws", "[anomaly][silence]") {
  stream s{silence_detector(), {}};
  s.run(100, [](auto&) { return 1s; });
  const auto fails = [](const silence&) { throw std::runtime_error("down"); };
  CHECK_THROWS_AS(s.detector.advance(s.now + 10s, fails), std::runtime_error);
  CHECK_FALSE(s.detector.is_silent());
  const auto told = advance(s.detector, s.now + 11s);
  REQUIRE(told.size() == 1);
  CHECK(told[0].times == 1);
}

TEST_CASE("A clock that is set back tells a silence no more often", "[anomaly][silence]") {
  stream s{silence_detector(), {}};
  s.run(200, [](auto&) { return 60s; });
  int told = 0;
  for (int i = 0; i < 600; ++i) told += static_cast<int>(advance(s.detector, s.now + i * 1s).size());
  CHECK(told == 3);
  const timestamp back = s.now - 30h;  // further than longest_step
  const auto ended_by = s.detector.judge(back);
  REQUIRE(ended_by);
  CHECK(ended_by->lasted() == 599s);
  std::vector<silence> again;
  for (int i = 0; i < 3'600; ++i) {
    for (const silence& one : advance(s.detector, back + i * 1s)) again.push_back(one);
  }
  REQUIRE(again.size() == 2);
  CHECK(again[0].lasted() == 2 * 599s);
  CHECK(again[1].lasted() == 4 * 599s);
  CHECK(again[1].times == 5);
  const auto ended = s.detector.seen(back + 1h);
  REQUIRE(ended);
  CHECK(ended->lasted() == 1h + 599s);
}

TEST_CASE("Nothing is told before there were events enough", "[anomaly][silence]") {
  for (const int events : {0, 1, 29}) {
    stream s{silence_detector({.events = 30}), {}};
    s.run(events, [](auto&) { return 1s; });
    CHECK(s.detector.assess(s.now + 1h).warming);
    CHECK(s.detector.assess(s.now + 1h).score == 0);
    CHECK(advance(s.detector, s.now + 1h).empty());
  }
}

TEST_CASE("Nothing is told before it is due", "[anomaly][silence]") {
  stream s{silence_detector(), std::mt19937_64(2)};
  s.run(2'000, poisson(30));
  int looks = 0;
  for (timestamp due = s.detector.due();; due = s.detector.due(), ++looks) {
    REQUIRE(looks < 30);
    silence_detector copy = s.detector;
    CHECK(advance(copy, due - 1ns).empty());
    if (!advance(s.detector, due).empty()) break;
  }
}

TEST_CASE("A stream of few events is learnt by calling advance when it is due", "[anomaly][silence]") {
  silence_detector d({.events = 8});
  timestamp now = start;
  int calls = 0;
  const auto pass = [&](duration gap) {
    int told = 0;
    for (const timestamp until = now + gap; d.due() < until; ++calls) {
      now = std::max(now, d.due());
      told += static_cast<int>(advance(d, now).size());
    }
    now = std::max(now, start) + (gap - (now - start) % gap);
    return told;
  };
  for (int event = 0; event < 40; ++event) {
    d.seen(now);
    CHECK(pass(72h) == 0);
  }
  d.seen(now);
  CHECK(calls > 100);
  CHECK(calls < 2'000);
  CHECK(std::abs(d.assess(now).expected - 72 * 3600) < 0.2 * 72 * 3600);
  CHECK(pass(24h * 20) > 0);
}

TEST_CASE("A pause of the observer is no silence", "[anomaly][silence]") {
  stream s{silence_detector({.longest_step = 1h}), {}};
  s.run(100, [](auto&) { return 1s; });
  CHECK(advance(s.detector, s.now + 3h).empty());       // a leap
  CHECK(advance(s.detector, s.now - 3h).empty());       // and back
  CHECK(advance(s.detector, s.now - 3h + 1s).empty());  // where a gap begins anew
  CHECK(advance(s.detector, s.now - 3h + 1min).size() == 1);
  // A single time from far ahead does no lasting harm.
  stream t{silence_detector({.longest_step = 1h}), {}};
  t.run(100, [](auto&) { return 1s; });
  t.detector.seen(timestamp::max());
  t.run(100, [](auto&) { return 1s; });
  CHECK(advance(t.detector, t.now + 1min).size() == 1);
}

TEST_CASE("Asking about a silence changes nothing", "[anomaly][silence]") {
  stream s{silence_detector(), std::mt19937_64(4)};
  s.run(1'000, poisson(600));
  const auto before = conduct::bytes_of(s.detector);
  double score = 0;
  for (duration d = 0s; d < 48h; d += 10min) {  // the longer, the less likely
    const auto a = s.detector.assess(s.now + d);
    conduct::require_sane(a);
    CHECK(a.score >= score);
    CHECK((in_seconds(d) <= a.upper) == (a.score <= recoup::usual_score));
    score = a.score;
  }
  CHECK(score > 20);
  CHECK(s.detector.assess(s.now - 1h).score == 0);
  CHECK(conduct::bytes_of(s.detector) == before);
}

TEST_CASE("A silence detector goes on from a snapshot at any moment", "[anomaly][silence]") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    std::mt19937_64 random(seed);
    const silence_detector_options options{.score = 8,
                                           .events = 8,
                                           .memory = 64,
                                           .season = seed % 2 == 0 ? duration(1h) : duration(0),
                                           .longest_step = 20min};
    silence_detector d(options);
    silence_detector copy(options);
    timestamp now = start;
    std::size_t told = 0;
    std::size_t ended = 0;
    for (std::uint64_t i = 0; i < 20'000 * test_scale(); ++i) {
      now = recoup::saturating_add(now, seconds(std::exponential_distribution<>(1)(random)));
      if (random() % 1'000 == 0) now = recoup::saturating_add(now, seconds(static_cast<double>(random() % 80)));
      if (random() % 3'000 == 0) {
        const timestamp odd = conduct::any_time(random);
        REQUIRE(d.seen(odd) == copy.seen(odd));
      }
      if (random() % 2 == 0) {
        const auto expected = d.judge(now);
        const auto a = d.seen(now);
        REQUIRE(a == expected);
        REQUIRE(a == copy.seen(now));
        ended += a.has_value();
      } else {
        const auto a = advance(d, now);
        REQUIRE(a == advance(copy, now));
        told += a.size();
      }
      REQUIRE(d.assess(now) == copy.assess(now));
      REQUIRE(d.due() == copy.due());
      if (random() % 20 == 0) {
        copy = silence_detector(options);
        REQUIRE(recoup::restore(copy, recoup::snapshot(d)));
        REQUIRE(recoup::snapshot(copy) == recoup::snapshot(d));
      }
    }
    CHECK(told > 4);
    CHECK(ended > 2);
  }
}

TEST_CASE("Silences of hostile times are finite", "[anomaly][silence]") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    std::mt19937_64 random(seed);
    silence_detector d({.score = 5,
                        .events = 8,
                        .season = seed % 2 == 0 ? duration(24h) : duration(0),
                        .longest_step = seed < 2 ? duration(24h * 40) : duration(10s)});
    for (std::uint64_t i = 0; i < 3'000 * test_scale(); ++i) {
      timestamp now = conduct::any_time(random);
      for (std::uint64_t k = random() % 30; k > 0; --k) {
        d.seen(now);
        now = recoup::saturating_add(now, duration(static_cast<std::int64_t>(random() >> (random() % 64 | 1))));
      }
      for (const silence& s : advance(d, random() % 2 == 0 ? now : conduct::any_time(random))) {
        conduct::require_sane(s.assessment);
        REQUIRE(s.times > 0);
      }
      conduct::require_sane(d.assess(conduct::any_time(random)));
      if (i % 7 == 0) {
        silence_detector restored = d.empty_copy();
        REQUIRE(conduct::load(restored, conduct::bytes_of(d)));
        REQUIRE(conduct::bytes_of(restored) == conduct::bytes_of(d));
      }
    }
  }
}

TEST_CASE("A silence detector refuses bytes that describe none, and works on with all others", "[anomaly][silence]") {
  stream s{silence_detector({.longest_step = 100h}), std::mt19937_64(5)};
  s.run(500, poisson(60));
  (void)advance(s.detector, s.now + 2h);
  const auto bytes = conduct::bytes_of(s.detector);
  silence_detector other = s.detector.empty_copy();
  const auto nothing = conduct::bytes_of(other);
  for (std::size_t n = 0; n < bytes.size(); ++n) REQUIRE_FALSE(conduct::load(other, std::span(bytes).first(n)));
  CHECK(conduct::bytes_of(other) == nothing);
  std::mt19937_64 random(6);
  int refused = 0;
  for (std::uint64_t i = 0; i < 1'000 * test_scale(); ++i) {
    auto changed = bytes;
    for (std::uint64_t k = 0; k <= random() % 3; ++k) {
      changed[random() % changed.size()] = static_cast<std::byte>(random());
    }
    silence_detector loaded = s.detector.empty_copy();
    refused += !conduct::load(loaded, changed);
    timestamp now = s.now;
    for (int k = 0; k < 20; ++k) {
      now += 1h;
      for (const silence& x : advance(loaded, now)) conduct::require_sane(x.assessment);
      if (k % 3 == 0) loaded.seen(now);
      conduct::require_sane(loaded.assess(conduct::any_time(random)));
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("Watching for silence allocates nothing", "[anomaly][silence]") {
  const std::size_t before = allocations_so_far;
  silence_detector d;
  std::size_t told = 0;
  for (int i = 0; i < 2'000; ++i) {
    d.seen(start + i * 10min);
    d.advance(start + i * 10min + 5min, [&](const silence&) { ++told; });
  }
  d.advance(start + 2'000 * 10min + 2h, [&](const silence&) { ++told; });
  CHECK(told == 1);
  CHECK(allocations_so_far == before);
}

TEST_CASE("Options of a silence detector that make no sense are refused in a sentence", "[anomaly][silence]") {
  CHECK_THROWS_AS(silence_detector({.score = 0}), std::invalid_argument);
  CHECK_THROWS_AS(silence_detector({.score = conduct::limits::quiet_NaN()}), std::invalid_argument);
  CHECK_THROWS_AS(silence_detector({.events = 7}), std::invalid_argument);
  CHECK_THROWS_AS(silence_detector({.memory = 15}), std::invalid_argument);
  CHECK_THROWS_AS(silence_detector({.season = 59s}), std::invalid_argument);
  CHECK_THROWS_AS(silence_detector({.longest_step = 0s}), std::invalid_argument);
  CHECK_THROWS_AS(silence_detector({.season = 1min, .longest_step = 24h}), std::invalid_argument);
  CHECK(silence_detector().configuration() != silence_detector({.score = 10}).configuration());
}

TEST_CASE("Each key has silences of its own", "[anomaly][silence]") {
  recoup::keyed<std::string, silence_detector> bank({.capacity = 3}, silence_detector());
  for (const std::string key : {"fast", "slow"}) {
    for (int i = 0; i < 50; ++i) {
      bank.use(bank.locate(key), key, start).seen(start + i * (key == "fast" ? duration(1s) : duration(1min)));
    }
  }
  const auto is_unlikely = [&](const std::string& key, duration silent, timestamp last) {
    return bank.at(bank.locate(key)).assess(last + silent).score > 13.8;
  };
  CHECK(is_unlikely("fast", 10s, start + 49s));
  CHECK_FALSE(is_unlikely("slow", 10s, start + 49min));
}
