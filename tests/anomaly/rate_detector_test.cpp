// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/rate_detector.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::bucket_assessment;
using recoup::buckets_skipped;
using recoup::count_detector;
using recoup::duration;
using recoup::rate_detector;
using recoup::rate_detector_options;
using recoup::restore;
using recoup::snapshot;
using recoup::snapshot_status;
using recoup::timestamp;
using bytes = std::vector<std::byte>;
using finding = std::variant<bucket_assessment, buckets_skipped>;

__extension__ using wide = __int128;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

// The same in the plainest way: a map from bucket to count, and times that cannot overflow.
class model {
 public:
  explicit model(const rate_detector_options& o) : options_(o), detector_(o.counts) {}

  bool add(timestamp time, std::uint64_t count) {
    const wide bucket = bucket_of(ticks(time));
    if (!oldest_) oldest_ = bucket;
    if (bucket < *oldest_) return late += count, false;
    if (bucket >= *oldest_ + 16) return ahead += count, false;
    counts_[bucket] += count;
    return true;
  }
  bool forget(timestamp time, std::uint64_t count) {
    const auto found = counts_.find(bucket_of(ticks(time)));
    const std::uint64_t there = found == counts_.end() ? 0 : found->second;
    const wide bucket = bucket_of(ticks(time));
    if (!oldest_ || bucket < *oldest_ || bucket >= *oldest_ + 16 || there < count) return false;
    counts_[bucket] -= count;
    return true;
  }
  std::vector<finding> advance(timestamp now) {
    std::vector<finding> told;
    const wide end = bucket_of(std::max(ticks(now) - options_.grace.count(), ticks(timestamp::min())));
    if (!oldest_) return begin(now, end), told;
    const wide due = std::min((*oldest_ + 1) * width() + options_.grace.count(), ticks(timestamp::max()));
    if (ticks(now) < due) {
      const bool back =
          clock_ ? *clock_ - ticks(now) > options_.longest_silence.count() : bucket_of(ticks(now)) < *oldest_;
      if (back) begin(now, end);
      return told;
    }
    const bool leap = end - *oldest_ > 16 + options_.longest_silence / options_.counts.bucket;
    while (*oldest_ < end) {
      if (leap && open() == 0) {
        const auto number = static_cast<std::uint64_t>(end - *oldest_);
        told.emplace_back(buckets_skipped{start_of(*oldest_), number});
        skipped += number;
        oldest_ = end;
        break;
      }
      const std::uint64_t count = counts_[*oldest_];
      const timestamp start = start_of(*oldest_);
      told.emplace_back(
          bucket_assessment{start, options_.counts.bucket, count, detector_.update(start, static_cast<double>(count))});
      counted += count;
      ++buckets;
      counts_.erase((*oldest_)++);
    }
    clock_ = clock_ ? std::max(*clock_, ticks(now)) : ticks(now);
    return told;
  }
  std::uint64_t open() const {
    std::uint64_t sum = 0;
    for (const auto& [bucket, count] : counts_) sum += count;
    return sum;
  }

  std::uint64_t counted = 0, late = 0, ahead = 0, buckets = 0, skipped = 0;

 private:
  static wide ticks(timestamp time) { return time.time_since_epoch().count(); }
  wide width() const { return options_.counts.bucket.count(); }
  wide bucket_of(wide time) const { return (time >= 0 ? time : time - width() + 1) / width(); }
  timestamp start_of(wide bucket) const {
    return at(static_cast<std::int64_t>(std::max(bucket * width(), ticks(timestamp::min()))));
  }
  void begin(timestamp now, wide end) {
    oldest_ = end;
    clock_ = ticks(now);
    for (auto i = counts_.begin(); i != counts_.end();) {
      const bool is_open = i->first >= end && i->first < end + 16;
      if (!is_open) ahead += i->second;
      i = is_open ? std::next(i) : counts_.erase(i);
    }
  }

  rate_detector_options options_;
  count_detector detector_;
  std::map<wide, std::uint64_t> counts_;
  std::optional<wide> oldest_;
  std::optional<wide> clock_;
};

std::vector<finding> advance(rate_detector& d, timestamp now) {
  std::vector<finding> told;
  d.advance(now, [&](const auto& f) { told.emplace_back(f); });
  return told;
}

bool counts_agree(const rate_detector& d, const model& m) {
  const auto& c = d.counters();
  return c.counted == m.counted && c.late == m.late && c.ahead == m.ahead && c.buckets == m.buckets &&
         c.skipped == m.skipped && d.open() == m.open();
}

template <class Change>
bytes forged(const rate_detector& d, Change&& change) {
  recoup::snapshot_writer w;
  recoup::detail::begin_frame(w, d.configuration(), {});
  change(w);
  recoup::detail::end_frame(w);
  return w.take();
}

constexpr rate_detector_options minutes{.counts = {.bucket = 1min, .season = 1h}, .longest_silence = 10min};

}  // namespace

TEST_CASE("buckets of events are counted and told as by the model") {
  const auto operations = static_cast<int>(20'000 * test_scale());
  for (const duration grace : {duration(0), duration(7ns), duration(10ns), duration(149ns)}) {
    for (const duration longest : {duration(10ns), duration(300ns)}) {
      const rate_detector_options options{.counts = {.bucket = 10ns, .season = 100ns, .adapt_after = 100ns},
                                          .grace = grace,
                                          .longest_silence = longest};
      rate_detector detector(options);
      model naive(options);
      std::mt19937_64 random(static_cast<std::uint64_t>(grace.count() + longest.count()));
      std::int64_t now = -2'000;
      std::uint64_t added = 0;
      std::uint64_t leaps = 0;
      bool agrees = true;
      for (int i = 0; i < operations && agrees; ++i) {
        if (random() % 4 == 0) now += static_cast<std::int64_t>(random() % 8);
        if (random() % 500 == 0) now += static_cast<std::int64_t>(random() % 1'000);
        if (random() % 700 == 0) now -= static_cast<std::int64_t>(random() % 1'000);
        const auto time = at(now + static_cast<std::int64_t>(random() % 60) - 40 +
                             (random() % 50 == 0 ? static_cast<std::int64_t>(random() % 300) : 0));
        const std::uint64_t count = random() % 4;
        switch (random() % 4) {
          case 0: {
            const auto told = advance(detector, at(now));
            const auto expected = naive.advance(at(now));
            agrees = told == expected;
            for (const finding& f : told) leaps += f.index();
            break;
          }
          case 1: {
            const bool forgot = naive.forget(time, count);
            agrees = detector.forget(time, count) == forgot;
            if (forgot) added -= count;
            break;
          }
          default:
            agrees = detector.add(time, count) == naive.add(time, count);
            added += count;
        }
        agrees = agrees && counts_agree(detector, naive);
        const auto& c = detector.counters();
        agrees = agrees && c.counted + c.late + c.ahead + detector.open() == added;
        if (random() % 1'000 == 0) {  // go on from a snapshot
          rate_detector restored(options);
          agrees = agrees && restore(restored, snapshot(detector)) && snapshot(restored) == snapshot(detector);
          detector = restored;
        }
      }
      INFO("grace " << grace.count() << ", longest silence " << longest.count());
      CHECK(agrees);
      CHECK(leaps > 0);
      CHECK(naive.late > 0);
      CHECK(naive.ahead > 0);
      CHECK(naive.counted > 0);
    }
  }
}

TEST_CASE("any times at all are counted as by the model") {
  const auto operations = static_cast<int>(3'000 * test_scale());
  for (const duration width : {duration(1ns), duration(3ns), duration(1h), duration(24h * 365 * 200)}) {
    const rate_detector_options options{
        .counts = {.bucket = width, .season = width, .adapt_after = width}, .grace = width, .longest_silence = width};
    rate_detector detector(options);
    model naive(options);
    std::mt19937_64 random(static_cast<std::uint64_t>(width.count()));
    const auto any_time = [&] {
      const std::int64_t near = static_cast<std::int64_t>(random() % 20) - 10;
      switch (random() % 5) {
        case 0:
          return recoup::saturating_add(timestamp::min(), duration(near));
        case 1:
          return recoup::saturating_add(timestamp::max(), duration(near));
        case 2:
          return at(static_cast<std::int64_t>(random()));
        default:
          return at(near);
      }
    };
    bool agrees = true;
    for (int i = 0; i < operations && agrees; ++i) {
      const timestamp time = any_time();
      if (random() % 3 == 0)
        agrees = advance(detector, time) == naive.advance(time);
      else if (random() % 3 == 0)
        agrees = detector.forget(time) == naive.forget(time, 1);
      else
        agrees = detector.add(time) == naive.add(time, 1);
      agrees = agrees && counts_agree(detector, naive);
      if (random() % 100 == 0) {
        rate_detector restored(options);
        agrees = agrees && restore(restored, snapshot(detector)) && snapshot(restored) == snapshot(detector);
        detector = restored;
      }
    }
    INFO("width " << width.count());
    CHECK(agrees);
  }
}

TEST_CASE("silence is told as buckets of zero") {
  rate_detector detector(minutes);
  CHECK(detector.add(at(0)));
  CHECK(detector.add(at(59'999'999'999)));
  CHECK(advance(detector, timestamp(59s)).empty());
  const auto told = advance(detector, timestamp(3min));
  REQUIRE(told.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& bucket = std::get<bucket_assessment>(told[i]);
    CHECK(bucket.start == timestamp(static_cast<std::int64_t>(i) * 1min));
    CHECK(bucket.width == 1min);
    CHECK(bucket.count == (i == 0 ? 2U : 0U));
    CHECK(bucket.assessment.warming);
  }
  CHECK(detector.due() == timestamp(4min));
  CHECK_FALSE(detector.add(timestamp(179s)));
  CHECK(detector.counters().late == 1);
}

TEST_CASE("with a grace no bucket before the first event is judged") {
  rate_detector detector({.counts = {.bucket = 1min, .season = 1h}, .grace = 30s});
  const timestamp first = timestamp(std::chrono::hours(24));
  detector.add(first, 7);
  CHECK(advance(detector, first).empty());
  const std::vector<finding> told = advance(detector, first + 90s);
  REQUIRE(told.size() == 1);
  CHECK(std::get<bucket_assessment>(told[0]).start == first);
  CHECK(std::get<bucket_assessment>(told[0]).count == 7);
}

TEST_CASE("a bucket waits for late events as long as the grace") {
  rate_detector detector({.counts = {.bucket = 1min, .season = 1h}, .grace = 30s});
  CHECK(detector.add(timestamp(10s)));
  CHECK(detector.due() == timestamp(90s));
  CHECK(advance(detector, timestamp(90s) - 1ns).empty());
  CHECK(detector.add(timestamp(20s)));
  CHECK(detector.add(timestamp(80s)));
  const auto told = advance(detector, timestamp(90s));
  REQUIRE(told.size() == 1);
  CHECK(std::get<bucket_assessment>(told[0]).count == 2);
  CHECK_FALSE(detector.add(timestamp(20s)));
  CHECK(detector.open() == 1);
}

TEST_CASE("a leap of a hundred years tells what was counted and then one pause") {
  rate_detector detector(minutes);
  advance(detector, timestamp(0s));
  detector.add(timestamp(150s), 7);
  const timestamp later = timestamp(24h * 36'525);
  const auto told = advance(detector, later);
  REQUIRE(told.size() == 4);
  CHECK(std::get<bucket_assessment>(told[2]).count == 7);
  CHECK(std::get<buckets_skipped>(told[3]) == buckets_skipped{timestamp(3min), 52'596'000 - 3});
  CHECK(detector.counters().skipped == 52'596'000 - 3);
  CHECK(detector.add(later));
  CHECK(advance(detector, later + 1min).size() == 1);
}

TEST_CASE("a clock that was wrong for once and far ahead makes no more than a pause") {
  rate_detector detector(minutes);
  advance(detector, timestamp(0s));
  advance(detector, timestamp::max());
  CHECK_FALSE(detector.add(timestamp(10s)));
  CHECK(advance(detector, timestamp(20s)).empty());
  CHECK(detector.add(timestamp(30s)));
  const auto told = advance(detector, timestamp(60s));
  REQUIRE(told.size() == 1);
  CHECK(std::get<bucket_assessment>(told[0]).count == 1);
}

TEST_CASE("one event of the far future does not stop a detector that has a clock or gets one") {
  for (const bool has_clock : {false, true}) {
    rate_detector detector(minutes);
    if (has_clock) advance(detector, timestamp(0s));
    CHECK(detector.add(timestamp::max(), 5) == !has_clock);
    if (!has_clock) CHECK(advance(detector, timestamp(0s)).empty());
    CHECK(detector.counters().ahead == 5);
    CHECK(detector.add(timestamp(1s)));
    CHECK(advance(detector, timestamp(1min)).size() == 1);
  }
}

TEST_CASE("time that goes back by less than the longest silence changes nothing") {
  rate_detector detector(minutes);
  advance(detector, timestamp(0s));
  advance(detector, timestamp(30min));
  detector.add(timestamp(30min));
  const bytes before = snapshot(detector);
  for (const auto now : {30min, 25min, 20min}) CHECK(advance(detector, timestamp(now)).empty());
  CHECK((snapshot(detector) == before));
}

TEST_CASE("an event taken back was never counted but not out of a closed bucket") {
  rate_detector detector(minutes);
  CHECK_FALSE(detector.forget(timestamp(0s)));
  detector.add(timestamp(0s), 3);
  CHECK_FALSE(detector.forget(timestamp(0s), 4));
  CHECK(detector.forget(timestamp(59s), 2));
  CHECK_FALSE(detector.forget(timestamp(61s)));
  CHECK(detector.open() == 1);
  advance(detector, timestamp(1min));
  CHECK_FALSE(detector.forget(timestamp(0s)));
  CHECK(detector.counters().counted == 1);
}

TEST_CASE("a bucket whose telling throws is told again and was not learnt") {
  rate_detector detector(minutes);
  rate_detector same = detector;
  for (rate_detector* d : {&detector, &same}) {
    for (int i = 0; i < 5; ++i) d->add(timestamp(i * 1min), static_cast<std::uint64_t>(i));
  }
  std::vector<finding> told;
  int calls = 0;
  for (int tries = 0; tries < 20; ++tries) {
    try {
      detector.advance(timestamp(48h), [&](const auto& f) {
        if (++calls % 2 == 1) throw std::runtime_error("not now");
        told.emplace_back(f);
      });
    } catch (const std::runtime_error&) {
    }
  }
  CHECK((told == advance(same, timestamp(48h))));
  CHECK(told.size() == 6);
  CHECK((snapshot(detector) == snapshot(same)));
}

TEST_CASE("a bucket holds any number of events and not one more") {
  rate_detector detector(minutes);
  detector.add(timestamp(0s), most);
  detector.add(timestamp(0s), most);
  CHECK(detector.open() == most);
  const auto told = advance(detector, timestamp(1min));
  CHECK(std::get<bucket_assessment>(told.at(0)).count == most);
  CHECK(detector.add(timestamp(1min)));
  CHECK(advance(detector, timestamp(2min)).size() == 1);
}

TEST_CASE("counting events and closing buckets allocates nothing") {
  rate_detector detector(minutes);
  const std::size_t before = allocations_so_far;
  std::uint64_t told = 0;
  for (int i = 0; i < 10'000; ++i) {
    detector.add(timestamp(i * 7s));
    detector.advance(timestamp(i * 7s), [&](const auto&) { ++told; });
  }
  CHECK(allocations_so_far == before);
  CHECK(told == 1'166);
}

TEST_CASE("a stream that stops is told by its rate") {
  rate_detector detector({.counts = {.bucket = 5min}});
  std::mt19937_64 random(5);
  double score = 0;
  double usual = 0;
  for (int i = 0; i < 9 * 288; ++i) {
    const timestamp start(i * 5min);
    if (i < 9 * 288 - 3) detector.add(start + 1s, 40 + random() % 20);
    detector.advance(start + 5min, [&](const auto& f) {
      if constexpr (requires { f.assessment; }) {
        if (i < 9 * 288 - 3)
          usual = std::max(usual, f.assessment.score);
        else
          score = f.assessment.score;
        if (i == 9 * 288 - 1) CHECK(f.assessment.side == recoup::side::below);
      }
    });
  }
  CHECK(usual < 15);
  CHECK(score > 40);
}

TEST_CASE("options that make no sense for a rate are refused") {
  const auto refused = [](const rate_detector_options& o) {
    try {
      rate_detector d(o);
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(refused({}).empty());
  CHECK(refused({.grace = -1ns}) == "rate_detector_options.grace must be 0 to 14 buckets");
  CHECK(refused({.grace = 75min - 1ns}).empty());
  CHECK_FALSE(refused({.grace = 75min}).empty());
  CHECK(refused({.longest_silence = 1min}) == "rate_detector_options.longest_silence must be 1 to 1,000,000 buckets");
  CHECK_FALSE(refused({.counts = {.bucket = 0ns}}).empty());
}

TEST_CASE("a detector of rates with other options refuses a snapshot") {
  rate_detector detector(minutes);
  const bytes saved = snapshot(detector);
  rate_detector_options others = minutes;
  others.grace = 1s;
  rate_detector other(others);
  CHECK(restore(other, saved).status == snapshot_status::other_configuration);
  others = minutes;
  others.longest_silence = 11min;
  rate_detector another(others);
  CHECK(restore(another, saved).status == snapshot_status::other_configuration);
}

TEST_CASE("hostile bytes are no rate and change nothing") {
  rate_detector detector(minutes);
  for (int i = 0; i < 300; ++i) detector.add(timestamp(i * 7s));
  advance(detector, timestamp(20min));
  const bytes before = snapshot(detector);
  const auto answer = [&](bool has_begun, bool has_clock, std::int64_t oldest, std::size_t slot) {
    const bytes hostile = forged(detector, [&](recoup::snapshot_writer& w) {
      w.begin_section(recoup::section_tag("RATE"), 1);
      detector.detector().save(w);
      for (std::uint64_t i = 0; i < 5; ++i) w.u64(i);
      w.boolean(has_begun);
      w.boolean(has_clock);
      if (has_begun) {
        w.i64(oldest);
        w.time(timestamp::max());
        for (std::size_t i = 0; i < 16; ++i) w.u64(i == slot ? most : 0);
      }
      w.end_section();
    });
    rate_detector target = detector;
    const auto status = restore(target, hostile).status;
    CHECK((snapshot(target) == (status == snapshot_status::ok ? hostile : before)));
    for (const timestamp t : {timestamp::max(), timestamp::min(), timestamp()}) {
      target.add(t);
      advance(target, t);
    }
    return status;
  };
  const std::int64_t last = std::numeric_limits<std::int64_t>::max() / 60'000'000'000;
  CHECK(answer(true, true, 0, 15) == snapshot_status::ok);
  CHECK(answer(true, false, last, 0) == snapshot_status::ok);
  CHECK(answer(true, true, last, 1) == snapshot_status::malformed);
  CHECK(answer(true, true, last + 1, 0) == snapshot_status::malformed);
  CHECK(answer(true, true, -last - 1, 15) == snapshot_status::ok);
  CHECK(answer(true, true, -last - 2, 0) == snapshot_status::malformed);
  CHECK(answer(false, true, 0, 0) == snapshot_status::malformed);
  CHECK(answer(false, false, 0, 0) == snapshot_status::ok);
  for (std::size_t i = 0; i < before.size(); ++i) {
    rate_detector target(minutes);
    CHECK_FALSE(restore(target, std::span(before).first(i)));
  }
}
