// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/ratio_detector.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
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
using recoup::ratio_assessment;
using recoup::ratio_detector;
using recoup::ratio_detector_options;
using recoup::side;
using recoup::timestamp;

__extension__ using wide = __int128;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

struct told_ratio {
  timestamp start;
  duration width;
  std::uint64_t opened, followed;
  bool operator==(const told_ratio&) const = default;
};

// Which ratios are told, in the plainest way: a map of buckets, and times that cannot overflow.
class model {
 public:
  explicit model(const ratio_detector_options& o)
      : options_(o), room_(static_cast<wide>(std::bit_ceil(static_cast<std::uint64_t>(o.maturity / o.bucket) + 17))) {}

  bool put(timestamp time, std::uint64_t as, std::uint64_t bs) {
    const wide index = bucket_of(ticks(time));
    if (!oldest_) oldest_ = index;
    if (index < *oldest_) return late += as + bs, false;
    if (index >= *oldest_ + room_) return ahead += as + bs, false;
    buckets_[index].as += as;
    buckets_[index].bs += bs;
    return true;
  }
  bool forget(timestamp time, std::uint64_t as, std::uint64_t bs) {
    const wide index = bucket_of(ticks(time));
    if (!oldest_ || index < *oldest_ || index >= *oldest_ + room_) return false;
    bucket& b = buckets_[index];
    if (b.as < as || b.bs < bs) return false;
    b.as -= as;
    b.bs -= bs;
    return true;
  }
  std::vector<told_ratio> advance(timestamp now) {
    std::vector<told_ratio> told;
    const wide end = bucket_of(std::max(ticks(now) - options_.maturity.count(), ticks(timestamp::min())));
    if (!oldest_) return begin(now, end), told;
    const wide due =
        std::min((*oldest_ + 1) * options_.bucket.count() + options_.maturity.count(), ticks(timestamp::max()));
    if (ticks(now) < due) {
      const bool back = clock_ ? *clock_ - ticks(now) > options_.longest_silence.count() : end < *oldest_;
      if (back) begin(now, end);
      return told;
    }
    while (!buckets_.empty() && buckets_.begin()->first < end) {
      close(buckets_.begin()->first, buckets_.begin()->second, told);
      buckets_.erase(buckets_.begin());
    }
    oldest_ = std::max(*oldest_, end);
    clock_ = clock_ ? std::max(*clock_, ticks(now)) : ticks(now);
    return told;
  }

  std::uint64_t opened = 0, followed = 0, unpaired = 0, late = 0, ahead = 0;

 private:
  struct bucket {
    std::uint64_t as = 0;
    std::uint64_t bs = 0;
  };
  static wide ticks(timestamp time) { return time.time_since_epoch().count(); }
  wide bucket_of(wide time) const {
    const wide width = options_.bucket.count();
    return (time >= 0 ? time : time - width + 1) / width;
  }
  void begin(timestamp now, wide end) {
    oldest_ = end;
    clock_ = ticks(now);
    for (auto i = buckets_.begin(); i != buckets_.end();) {
      const bool is_open = i->first >= end && i->first < end + room_;
      if (!is_open) ahead += i->second.as + i->second.bs;
      i = is_open ? std::next(i) : buckets_.erase(i);
    }
  }
  void close(wide index, const bucket& b, std::vector<told_ratio>& told) {
    if (b.as == 0 && b.bs == 0) return;
    const auto start = at(static_cast<std::int64_t>(index * options_.bucket.count()));
    if (waiting_.as == 0 || (b.as > 0 && start < since_)) since_ = start;
    waiting_.as += b.as;
    waiting_.bs += std::min(b.bs, b.as);
    opened += b.as;
    followed += b.bs;
    unpaired += b.bs - std::min(b.bs, b.as);
    if (waiting_.as < options_.least) return;
    told.push_back({since_, start + options_.bucket - since_, waiting_.as, waiting_.bs});
    waiting_ = {};
  }

  ratio_detector_options options_;
  wide room_;
  std::map<wide, bucket> buckets_;
  std::optional<wide> oldest_;
  std::optional<wide> clock_;
  bucket waiting_;
  timestamp since_{};
};

std::vector<ratio_assessment> advance(ratio_detector& d, timestamp now) {
  std::vector<ratio_assessment> told;
  d.advance(now, [&](const ratio_assessment& r) { told.push_back(r); });
  return told;
}

// As from a beta distribution of mean p, of which p (1 - p) own is the variance; each leads to a B by chance.
std::uint64_t follow(std::mt19937_64& random, int of, double p, double own) {
  if (own > 0) {
    const double a = std::gamma_distribution<>(p * (1 / own - 1))(random);
    p = a / (a + std::gamma_distribution<>((1 - p) * (1 / own - 1))(random));
  }
  return static_cast<std::uint64_t>(std::binomial_distribution<int>(of, p)(random));
}

// Buckets of a second, one after the other.
struct stream {
  ratio_detector detector;
  std::mt19937_64 random;
  std::int64_t second = 1'000'000;

  ratio_assessment next(int of, double p, double own = 0) {
    const timestamp t{std::chrono::seconds(second++)};
    detector.opened(t, static_cast<std::uint64_t>(of));
    detector.followed(t, t, follow(random, of, p, own));
    const auto told = advance(detector, t + 1s);
    REQUIRE(told.size() == 1);
    return told[0];
  }
};

constexpr double certain = 13.8;

}  // namespace

TEST_CASE("Ratios are told of the buckets that a map says", "[anomaly][ratio]") {
  const auto operations = 12'000 * test_scale();
  for (const duration maturity : {duration(0), duration(7), duration(35), duration(400)}) {
    const ratio_detector_options options{
        .bucket = duration(10), .maturity = maturity, .least = 12, .longest_silence = duration(300)};
    ratio_detector detector(options);
    model naive(options);
    std::mt19937_64 random(static_cast<std::uint64_t>(maturity.count()));
    std::int64_t now = -3'000;  // over the epoch
    std::size_t ratios = 0;
    for (std::uint64_t i = 0; i < operations; ++i) {
      if (random() % 3 == 0) now += static_cast<std::int64_t>(random() % 8);
      if (random() % 900 == 0) now += static_cast<std::int64_t>(random() % 2'000);
      if (random() % 1'500 == 0) now -= static_cast<std::int64_t>(random() % 1'000);
      const timestamp time = at(now - static_cast<std::int64_t>(random() % 60) + 20);
      const timestamp opening = at(now - static_cast<std::int64_t>(random() % 60));
      const std::uint64_t count = random() % 4;
      switch (random() % 6) {
        case 0: {
          std::vector<told_ratio> told;
          detector.advance(at(now), [&](const ratio_assessment& r) {
            told.push_back({r.start, r.width, r.opened, r.followed});
            // Judged by what was learnt before, at its last bucket.
            REQUIRE(r.assessment == detector.assess(r.start + r.width - options.bucket, r.followed, r.opened));
          });
          REQUIRE(told == naive.advance(at(now)));
          ratios += told.size();
          break;
        }
        case 1:
          REQUIRE(detector.forget_opened(time, count) == naive.forget(time, count, 0));
          break;
        case 2:
          REQUIRE(detector.forget_followed(time, opening, count) == naive.forget(opening, 0, count));
          break;
        case 3:
          REQUIRE(detector.followed(time, std::nullopt, count) == naive.put(time - maturity, 0, count));
          break;
        case 4:
          REQUIRE(detector.followed(time, opening, count) == naive.put(opening, 0, count));
          break;
        default:
          REQUIRE(detector.opened(time, count + 1) == naive.put(time, count + 1, 0));
      }
      const auto& c = detector.counters();
      REQUIRE((c.opened == naive.opened && c.followed == naive.followed && c.unpaired == naive.unpaired &&
               c.late == naive.late && c.ahead == naive.ahead));
      if (random() % 300 == 0) {  // go on from a snapshot
        ratio_detector restored(options);
        REQUIRE(recoup::restore(restored, recoup::snapshot(detector)));
        REQUIRE(recoup::snapshot(restored) == recoup::snapshot(detector));
        REQUIRE(restored.due() == detector.due());
        detector = restored;
      }
    }
    INFO("maturity " << maturity.count());
    CHECK(ratios > 50);
    CHECK(naive.late > 0);
    CHECK(naive.unpaired > 0);
  }
}

TEST_CASE("An A counts when it has had its time to lead to a B", "[anomaly][ratio]") {
  ratio_detector d({.bucket = 1min, .maturity = 10min, .least = 10, .expected = 0.9});
  d.opened(timestamp(0s), 10);
  CHECK(advance(d, timestamp(10min)).empty());
  CHECK(d.due() == timestamp(11min));
  for (int i = 0; i < 8; ++i) d.followed(timestamp(10min), timestamp(59s));
  d.followed(timestamp(10min + 5s));  // by default, of the A that is as old as the maturity
  CHECK(advance(d, timestamp(11min) - 1ns).empty());
  const auto told = advance(d, timestamp(11min));
  REQUIRE(told.size() == 1);
  CHECK(told[0].start == timestamp(0s));
  CHECK(told[0].width == 1min);
  CHECK(told[0].opened == 10);
  CHECK(told[0].followed == 9);
  CHECK(told[0].ratio() == 0.9);
  CHECK(told[0].assessment.score == 0);
  CHECK_FALSE(told[0].assessment.warming);
  CHECK_FALSE(d.followed(timestamp(12min), timestamp(30s)));
  CHECK(d.counters().late == 1);
}

TEST_CASE("Buckets with few As wait for the next ones", "[anomaly][ratio]") {
  ratio_detector d({.bucket = 1s, .least = 10});
  for (int i = 0; i < 9; ++i) {
    d.opened(timestamp(i * 1s));
    d.followed(timestamp(i * 1s), timestamp(i * 1s));
    CHECK(advance(d, timestamp((i + 1) * 1s)).empty());
  }
  d.opened(timestamp(20s), 2);
  const auto told = advance(d, timestamp(21s));
  REQUIRE(told.size() == 1);
  CHECK(told[0].start == timestamp(0s));
  CHECK(told[0].width == 21s);
  CHECK(told[0].opened == 11);
  CHECK(told[0].followed == 9);
}

TEST_CASE("A ratio whose buckets waited while the clock was set back ends after it begins", "[anomaly][ratio]") {
  ratio_detector d({.bucket = 1s, .least = 10, .longest_silence = 60s});
  d.opened(timestamp(1'000s), 5);
  CHECK(advance(d, timestamp(1'001s)).empty());
  CHECK(advance(d, timestamp(100s)).empty());
  d.opened(timestamp(100s), 6);
  const auto told = advance(d, timestamp(101s));
  REQUIRE(told.size() == 1);
  CHECK(told[0].opened == 11);
  CHECK(told[0].start == timestamp(100s));
  CHECK(told[0].width == 1s);
}

TEST_CASE("A ratio is told again if the listener throws", "[anomaly][ratio]") {
  ratio_detector d({.bucket = 1s, .least = 1});
  d.opened(timestamp(0s), 5);
  d.opened(timestamp(1s), 7);
  const auto fails = [](const ratio_assessment&) { throw std::runtime_error("down"); };
  CHECK_THROWS_AS(d.advance(timestamp(2s), fails), std::runtime_error);
  CHECK_THROWS_AS(d.advance(timestamp(2s), fails), std::runtime_error);
  const auto told = advance(d, timestamp(2s));
  REQUIRE(told.size() == 2);
  CHECK(told[0].opened == 5);
  CHECK(told[1].opened == 7);
  CHECK(d.counters().opened == 12);
}

TEST_CASE("Of stationary ratios few are called unusual", "[anomaly][ratio]") {
  // Seeds 1 to 3; 15,000 ratios each. Twice what the score promises, and at the rare end what chance adds to that.
  for (const double own : {0.0, 0.003}) {
    for (const int of : {30, 100, 1'000, 20'000}) {
      int once_in_100 = 0;
      int once_in_1000 = 0;
      double highest = 0;
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        stream s{ratio_detector({.bucket = 1s}), std::mt19937_64(seed)};
        for (int i = 0; i < 15'000; ++i) {
          const double score = s.next(of, 0.95, own).assessment.score;
          once_in_100 += score >= 4.605;
          once_in_1000 += score >= 6.908;
          highest = std::max(highest, score);
        }
      }
      INFO("own " << own << ", of " << of << ": " << once_in_100 << ", " << once_in_1000 << ", " << highest);
      CHECK(once_in_100 < 900);
      CHECK(once_in_1000 < 110);
      CHECK(highest < 16);
      if (of >= 1'000) CHECK(once_in_100 > 100);  // nor does it never speak
    }
  }
}

TEST_CASE("A ratio that falls from 95 to 85 per cent is told in a few buckets", "[anomaly][ratio]") {
  struct one {
    int of;
    int within;
  };
  for (const one c : {one{30, 28}, one{100, 10}, one{1'000, 2}, one{20'000, 1}}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      stream s{ratio_detector({.bucket = 1s}), std::mt19937_64(seed)};
      for (int i = 0; i < 500; ++i) s.next(c.of, 0.95);
      int after = 0;
      recoup::assessment a;
      for (; a.score < certain && after < 100; ++after) a = s.next(c.of, 0.85).assessment;
      INFO(c.of << " a bucket, seed " << seed << ": after " << after);
      CHECK(after <= c.within);
      CHECK(a.side == side::below);
      CHECK((a.part == "bucket" || a.part == "sum"));
    }
  }
}

TEST_CASE("A ratio that has recovered is soon usual again", "[anomaly][ratio]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    stream s{ratio_detector({.bucket = 1s}), std::mt19937_64(seed)};
    for (int i = 0; i < 500; ++i) s.next(200, 0.95);
    for (int i = 0; i < 30; ++i) s.next(200, 0.85);
    int after = 0;
    while (s.next(200, 0.95).assessment.score >= recoup::usual_score && after < 100) ++after;
    CHECK(after <= 5);
  }
}

TEST_CASE("One bad bucket changes little of what is usual", "[anomaly][ratio]") {
  stream s{ratio_detector({.bucket = 1s}), std::mt19937_64(3)};
  for (int i = 0; i < 300; ++i) s.next(200, 0.95);
  const timestamp t{std::chrono::seconds(s.second)};
  const auto before = s.detector.assess(t, 190, 200);
  CHECK(s.next(200, 1e-9).assessment.score > 100);
  const auto after = s.detector.assess(t, 190, 200);
  CHECK(std::abs(after.expected - before.expected) < 0.001);
  CHECK(after.upper - after.lower < 1.2 * (before.upper - before.lower));
  CHECK(s.next(200, 1e-9).assessment.score > 80);
}

TEST_CASE("A ratio that stays another one becomes the usual one", "[anomaly][ratio]") {
  stream s{ratio_detector({.bucket = 1s, .half_life = 50}), std::mt19937_64(4)};
  for (int i = 0; i < 300; ++i) s.next(200, 0.95);
  for (int i = 0; i < 600; ++i) s.next(200, 0.8);
  int unusual = 0;
  for (int i = 0; i < 100; ++i) unusual += s.next(200, 0.8).assessment.score >= recoup::usual_score;
  CHECK(unusual <= 2);
}

TEST_CASE("A ratio that was given is judged from the first bucket, and not unlearnt", "[anomaly][ratio]") {
  stream s{ratio_detector({.bucket = 1s, .expected = 0.95}), std::mt19937_64(5)};
  CHECK(s.next(1'000, 0.8).assessment.score > certain);
  for (int i = 0; i < 2'000; ++i) s.next(1'000, 0.9);
  CHECK(s.next(1'000, 0.9).assessment.expected == 0.95);
}

TEST_CASE("What is usual at night need not be by day", "[anomaly][ratio]") {
  ratio_detector d({.bucket = 1h, .season = 24h});
  std::mt19937_64 random(6);
  int unusual = 0;
  for (int hour = 0; hour < 24 * 60; ++hour) {
    const timestamp t{std::chrono::hours(hour)};
    const double p = hour % 24 < 6 ? 0.7 : 0.95;
    d.opened(t, 300);
    d.followed(t, t, follow(random, 300, p, 0));
    for (const auto& r : advance(d, t + 1h)) {
      if (hour > 24 * 20) unusual += r.assessment.score >= recoup::usual_score;
    }
  }
  CHECK(unusual <= 3);
  const timestamp night{std::chrono::hours(24 * 60 + 2)};
  const timestamp noon{std::chrono::hours(24 * 60 + 12)};
  CHECK(d.assess(night, 210, 300).score < recoup::usual_score);
  CHECK(d.assess(noon, 210, 300).score > certain);
  CHECK(d.assess(night, 285, 300).score > certain);
}

TEST_CASE("A band of ratios holds those that score less than usual", "[anomaly][ratio]") {
  for (const int of : {40, 1'000}) {
    stream s{ratio_detector({.bucket = 1s}), std::mt19937_64(7)};
    for (int i = 0; i < 300; ++i) {
      const auto told = s.next(of, i < 250 ? 0.9 : 0.85);  // also where a sum has grown
      const auto& a = told.assessment;
      if (a.warming) continue;
      CHECK(a.lower <= a.upper);
      const bool is_inside = told.ratio() > a.lower && told.ratio() < a.upper;
      const bool is_closed = a.lower == a.expected || a.upper == a.expected;  // none is usual until the sum is emptied
      if (is_inside && !is_closed) CHECK(a.score < recoup::usual_score);
    }
  }
}

TEST_CASE("While a ratio is another one its band still holds the expected one", "[anomaly][ratio]") {
  for (const double other : {0.3, 0.8}) {
    stream s{ratio_detector({.bucket = 1s}), std::mt19937_64(12)};
    for (int i = 0; i < 300; ++i) s.next(200, 0.6);
    for (int i = 0; i < 40; ++i) {
      const auto a = s.next(200, other).assessment;
      CHECK(a.lower <= a.expected);
      CHECK(a.expected <= a.upper);
      CHECK(a.lower < a.upper);
    }
  }
}

TEST_CASE("Ratios of hostile times and numbers are finite", "[anomaly][ratio]") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    std::mt19937_64 random(seed);
    ratio_detector d({.bucket = seed % 2 == 0 ? duration(1h) : duration(1),
                      .maturity = duration(seed == 3 ? 7 : 0),
                      .least = 1,
                      .season = seed % 2 == 0 ? duration(24h) : duration(0),
                      .longest_silence = seed % 2 == 0 ? duration(24h) : duration(1'000)});
    timestamp now = conduct::any_time(random);
    for (std::uint64_t i = 0; i < 10'000 * test_scale(); ++i) {
      if (random() % 10 == 0) now = conduct::any_time(random);
      const std::uint64_t count = random() % 3 == 0 ? most - random() % 2 : random() >> (random() % 64);
      d.opened(random() % 8 == 0 ? conduct::any_time(random) : now, count);
      d.followed(now, random() % 2 == 0 ? std::optional(conduct::any_time(random)) : std::nullopt,
                 count >> (random() % 4));
      now = recoup::saturating_add(now, duration(random() % 4));
      for (const auto& r : advance(d, random() % 8 == 0 ? conduct::any_time(random) : now)) {
        conduct::require_sane(r.assessment);
        REQUIRE(r.followed <= r.opened);
        REQUIRE(r.width > duration::zero());
      }
      conduct::require_sane(d.assess(conduct::any_time(random), random(), random()));
      if (i % 1'000 == 0) {
        ratio_detector restored = d.empty_copy();
        REQUIRE(conduct::load(restored, conduct::bytes_of(d)));
        REQUIRE(conduct::bytes_of(restored) == conduct::bytes_of(d));
      }
    }
  }
  CHECK(ratio_detector().assess(timestamp(), 5, 0).warming);
}

TEST_CASE("A ratio detector refuses bytes that describe none, and works on with all others", "[anomaly][ratio]") {
  stream s{ratio_detector({.bucket = 1s, .maturity = 3s, .least = 1}), std::mt19937_64(8)};
  s.detector.opened(timestamp(999'990s), 100);
  for (int i = 0; i < 40; ++i) {
    const timestamp t{std::chrono::seconds(s.second++)};
    s.detector.opened(t, 50);
    s.detector.followed(t, t, follow(s.random, 50, 0.9, 0));
    (void)advance(s.detector, t);
  }
  const auto bytes = conduct::bytes_of(s.detector);
  ratio_detector other = s.detector.empty_copy();
  const auto nothing = conduct::bytes_of(other);
  for (std::size_t n = 0; n < bytes.size(); ++n) REQUIRE_FALSE(conduct::load(other, std::span(bytes).first(n)));
  CHECK(conduct::bytes_of(other) == nothing);
  std::mt19937_64 random(9);
  int refused = 0;
  for (std::uint64_t i = 0; i < 400 * test_scale(); ++i) {
    auto changed = bytes;
    for (std::uint64_t k = 0; k <= random() % 3; ++k) {
      changed[random() % changed.size()] = static_cast<std::byte>(random());
    }
    ratio_detector loaded = s.detector.empty_copy();
    refused += !conduct::load(loaded, changed);
    for (int k = 0; k < 30; ++k) {
      const timestamp t{std::chrono::seconds(s.second + k)};
      loaded.opened(t, 20);
      loaded.followed(t, t, random() % 20);
      for (const auto& r : advance(loaded, t)) conduct::require_sane(r.assessment);
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("Counting ratios allocates nothing", "[anomaly][ratio]") {
  ratio_detector d({.bucket = 1s, .maturity = 5s, .least = 1});
  const std::size_t before = allocations_so_far;
  std::size_t ratios = 0;
  for (int i = 0; i < 1'000; ++i) {
    d.opened(timestamp(i * 100ms));
    d.followed(timestamp(i * 100ms));
    d.advance(timestamp(i * 100ms), [&](const ratio_assessment&) { ++ratios; });
  }
  CHECK(allocations_so_far == before);
  CHECK(ratios > 0);
}

TEST_CASE("Options of a ratio detector that make no sense are refused in a sentence", "[anomaly][ratio]") {
  CHECK_THROWS_AS(ratio_detector({.bucket = 0s}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.maturity = -1s}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.bucket = 1s, .maturity = 1'001s}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.least = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.expected = 95}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.expected = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.half_life = 0.5}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.half_life = conduct::limits::quiet_NaN()}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.warm_up = 1}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.season = 1s}), std::invalid_argument);
  CHECK_THROWS_AS(ratio_detector({.longest_silence = 1s}), std::invalid_argument);
  CHECK(ratio_detector().configuration() != ratio_detector({.expected = 0.9}).configuration());
}

TEST_CASE("Each key has ratios of its own", "[anomaly][ratio]") {
  recoup::keyed<std::string, ratio_detector> bank({.capacity = 3}, ratio_detector({.bucket = 1s, .least = 1}));
  const std::string key = "campaign";
  bank.use(bank.locate(key), key, timestamp()).opened(timestamp(0s), 3);
  std::uint64_t opened = 0;
  bank.use(bank.locate(key), key, timestamp()).advance(timestamp(1s), [&](const auto& r) { opened += r.opened; });
  CHECK(opened == 3);
}
