// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/content_window.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/window.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::content_window;
using recoup::content_window_options;
using recoup::duration;
using recoup::restore;
using recoup::snapshot;
using recoup::snapshot_status;
using recoup::timestamp;
using bytes = std::vector<std::byte>;

static_assert(recoup::dedup_window<content_window, std::string>);

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

std::uint64_t distance(timestamp a, timestamp b) {
  const auto [first, last] = std::minmax(a, b);
  return static_cast<std::uint64_t>(last.time_since_epoch().count()) -
         static_cast<std::uint64_t>(first.time_since_epoch().count());
}

// All events in order of arrival, looked through one by one.
class model {
 public:
  explicit model(content_window_options o) : options_(o) {}

  bool is_duplicate(int content, timestamp now) const { return find(content, now) != places_.end(); }
  std::vector<timestamp> near(int content, timestamp now) const {
    std::vector<timestamp> all;
    for (const place& p : places_) {
      if (is_near(p, content, now)) all.push_back(p.time);
    }
    return all;
  }
  void commit(int content, timestamp now) {
    if (is_duplicate(content, now)) {
      ++duplicates;
      return;
    }
    ++fresh;
    if (places_.size() == options_.events) places_.pop_front();
    places_.push_back({content, now, true});
    latest_[content] = now;
  }
  // Forgets the event at a time that the window says it has found.
  void forget(int content, timestamp time) {
    for (place& p : places_) {
      if (p.content == content && p.time == time) p.is_remembered = false;
    }
    while (!places_.empty() && !places_.back().is_remembered) places_.pop_back();
    if (const auto known = latest_.find(content); known != latest_.end() && known->second == time) latest_.erase(known);
  }
  std::optional<timestamp> latest(int content) const {
    const auto known = latest_.find(content);
    return known == latest_.end() ? std::nullopt : std::optional(known->second);
  }

  std::uint64_t fresh = 0;
  std::uint64_t duplicates = 0;

 private:
  struct place {
    int content;
    timestamp time;
    bool is_remembered;
  };

  bool is_near(const place& p, int content, timestamp now) const {
    return p.is_remembered && p.content == content &&
           distance(p.time, now) <= static_cast<std::uint64_t>(options_.within.count());
  }
  std::list<place>::const_iterator find(int content, timestamp now) const {
    return std::find_if(places_.begin(), places_.end(), [&](const place& p) { return is_near(p, content, now); });
  }

  content_window_options options_;
  std::list<place> places_;
  std::map<int, timestamp> latest_;
};

timestamp some_time(std::mt19937_64& random, std::int64_t& clock, std::int64_t step) {
  const auto steps = static_cast<std::uint64_t>(step);
  switch (random() % 60) {
    case 0:
      return timestamp::min() + duration(static_cast<std::int64_t>(random() % (2 * steps)));
    case 1:
      return timestamp::max() - duration(static_cast<std::int64_t>(random() % (2 * steps)));
    case 2:
      return at(static_cast<std::int64_t>(random()));
    case 3:
      return at(static_cast<std::int64_t>(random() % (4 * steps)) - 2 * step);  // around the epoch
    default:
      clock += static_cast<std::int64_t>(random() % steps);
      return at(clock - static_cast<std::int64_t>(random() % (4 * steps)));
  }
}

void agree_with_the_model(const content_window_options& options, std::uint64_t contents) {
  INFO("events " << options.events << ", within " << options.within.count());
  std::mt19937_64 random(options.events + contents);
  content_window window(options);
  model expected(options);
  std::int64_t clock = 1'700'000'000'000'000'000;
  const std::int64_t step = options.within.count() + 1;
  std::uint64_t forgotten = 0;
  bool agrees = true;
  int i = 0;
  for (; i < 20'000 && agrees; ++i) {
    const timestamp now = some_time(random, clock, step);
    const auto content = static_cast<int>(random() % contents);
    const std::uint64_t operation = random() % 64;
    const std::vector<timestamp> near = expected.near(content, now);
    const auto agree_on = [&](const content_window::judgement& j) {
      agrees = agrees && j.is_duplicate == !near.empty() &&
               (near.empty() || std::find(near.begin(), near.end(), j.first_seen) != near.end());
    };
    if (operation < 50) {
      agree_on(window.observe(content, now));
      expected.commit(content, now);
    } else if (operation < 56) {
      const bytes before = snapshot(window);
      agree_on(window.judge(content, window.hash(content), now));
      agrees = agrees && snapshot(window) == before;
    } else if (operation < 60) {
      const auto found = window.judge(content, now);
      agree_on(found);
      agrees = agrees && window.forget(content, now) == found.is_duplicate;
      if (found.is_duplicate) expected.forget(content, found.first_seen);
      forgotten += found.is_duplicate ? 1 : 0;
    } else if (operation < 63) {
      const std::optional<timestamp> latest = expected.latest(content);
      const auto found = latest ? window.judge(content, *latest) : content_window::judgement();
      agrees = agrees && window.forget(content) == found.is_duplicate;
      if (found.is_duplicate) expected.forget(content, found.first_seen);
      forgotten += found.is_duplicate ? 1 : 0;
    } else {
      const bytes saved = snapshot(window);
      content_window other(options);
      other.observe(1, now);
      agrees = agrees && restore(other, saved) && snapshot(other) == saved;
      window = std::move(other);
    }
    agrees = agrees && window.fresh() == expected.fresh && window.duplicates() == expected.duplicates;
  }
  INFO("operation " << i);
  CHECK(agrees);
  CHECK(expected.duplicates > 300);
  CHECK(expected.fresh > 1'000);
  CHECK(forgotten > 100);
}

// A sensor's reading as a message has it.
struct reading {
  std::string sensor;
  double celsius;
  timestamp at;
};
auto content(const reading& r) { return std::tie(r.sensor, r.celsius); }

}  // namespace

TEST_CASE("a content window answers as a model that compares every event") {
  for (const duration within : {duration(0), duration(1), duration(7), duration(3ms)}) {
    for (const std::size_t events : {1U, 2U, 5U, 40U}) {
      agree_with_the_model({.events = events, .within = within, .seed = 3}, events < 5 ? 2 : 6);
    }
  }
}

TEST_CASE("readings that a sensor sends twice are duplicates and equal readings minutes apart are not") {
  // Forty sensors measure every ten seconds, to a tenth of a degree, so that most readings equal earlier ones of the
  // same sensor. A fifth are sent again up to 5 ms later, with the time of that sending; one in fifty comes minutes
  // late.
  std::mt19937_64 random(11);
  content_window window({.events = 20'000, .within = 5ms, .seed = 5});
  const timestamp start = at(1'700'000'000'000'000'000);
  std::vector<reading> arrivals;
  std::vector<reading> late;
  std::size_t repeated = 0;
  for (int tick = 0; tick < 400; ++tick) {
    for (int sensor = 0; sensor < 40; ++sensor) {
      const auto jitter = duration(static_cast<std::int64_t>(random() % 1'000'000'000));
      const double celsius = std::round(200 + 5 * std::sin(tick / 40.0 + sensor)) / 10;
      const reading r{"boiler-" + std::to_string(sensor), celsius, start + tick * 10s + jitter};
      std::vector<reading>& to = random() % 50 == 0 ? late : arrivals;
      to.push_back(r);
      if (random() % 5 != 0) continue;
      ++repeated;
      to.push_back({r.sensor, r.celsius, r.at + duration(static_cast<std::int64_t>(random() % 5'000'001))});
    }
    if (tick % 30 == 29) {
      std::shuffle(late.begin(), late.end(), random);  // the repetition may come before what it repeats
      arrivals.insert(arrivals.end(), late.begin(), late.end());
      late.clear();
    }
  }
  arrivals.insert(arrivals.end(), late.begin(), late.end());
  std::size_t duplicates = 0;
  for (const reading& r : arrivals) duplicates += window.observe(content(r), r.at).is_duplicate ? 1U : 0U;
  CHECK(repeated > 2'500);
  CHECK(duplicates == repeated);
  CHECK(window.fresh() == 40 * 400);
  CHECK(window.evicted_within_age() == 0);
}

TEST_CASE("equal content is the same up to a distance before or after and another event beyond it") {
  for (const std::int64_t time : {0, 1, 4, 5, 6, 1'000, -1, -6, -1'000}) {
    content_window window({.events = 8, .within = 5ns});
    window.observe("a", at(time));
    for (std::int64_t apart = -12; apart <= 12; ++apart) {
      const auto judged = window.judge("a", at(time + apart));
      CHECK(judged.is_duplicate == (apart >= -5 && apart <= 5));
      if (judged.is_duplicate) CHECK(judged.first_seen == at(time));
      CHECK_FALSE(window.judge("b", at(time + apart)).is_duplicate);
    }
  }
}

TEST_CASE("a content window answers at the ends of time and for the longest distance") {
  content_window window({.events = 8, .within = 5ns});
  for (const timestamp end : {timestamp::min(), timestamp::max()}) CHECK_FALSE(window.observe(1, end).is_duplicate);
  CHECK(window.judge(1, timestamp::min() + 5ns).is_duplicate);
  CHECK_FALSE(window.judge(1, timestamp::min() + 6ns).is_duplicate);
  CHECK(window.judge(1, timestamp::max() - 5ns).is_duplicate);
  CHECK_FALSE(window.judge(1, timestamp::max() - 6ns).is_duplicate);

  content_window wide({.events = 8, .within = duration::max() - 1ns});
  wide.observe(1, at(0));
  CHECK(wide.judge(1, at(std::numeric_limits<std::int64_t>::max() - 1)).is_duplicate);
  CHECK_FALSE(wide.judge(1, timestamp::max()).is_duplicate);
  CHECK_FALSE(wide.judge(1, timestamp::min()).is_duplicate);

  content_window exact({.events = 8, .within = 0ns});
  exact.observe(1, at(5));
  CHECK(exact.judge(1, at(5)).is_duplicate);
  CHECK_FALSE(exact.judge(1, at(4)).is_duplicate);
  CHECK_FALSE(exact.judge(1, at(6)).is_duplicate);
}

TEST_CASE("a value that does not change is not one event for ever") {
  content_window window({.events = 100, .within = 5ns});
  int fresh = 0;
  for (std::int64_t now = 0; now < 60; now += 2) fresh += window.observe("constant", at(now)).is_duplicate ? 0 : 1;
  CHECK(fresh == 10);  // 0, 6, 12, ..., each compared with the last that was new
  const auto judged = window.judge("constant", at(59));
  CHECK(judged.first_seen == at(54));
  CHECK(judged.last_seen == at(58));
  CHECK(judged.repeats == 2);
}

TEST_CASE("an event that is forgotten by its time or as the latest is new again") {
  content_window window({.events = 8, .within = 5ns});
  for (const std::int64_t now : {100, 150, 200}) window.observe("a", at(now));
  CHECK(window.forget("a", at(148)));  // finds the one of 150
  CHECK_FALSE(window.judge("a", at(150)).is_duplicate);
  CHECK(window.forget("a"));  // 200
  CHECK_FALSE(window.judge("a", at(200)).is_duplicate);
  CHECK(window.judge("a", at(100)).is_duplicate);
  CHECK_FALSE(window.forget("a"));
  CHECK(window.forget("a", at(100)));
  CHECK_FALSE(window.forget("b"));
  CHECK_FALSE(window.observe("a", at(200)).is_duplicate);
  CHECK(window.forget("a"));
}

TEST_CASE("content windows merge unless their options differ") {
  const content_window_options options{.events = 4, .within = 5ns};
  content_window window(options);
  content_window other(options);
  window.observe("a", at(10));
  other.observe("a", at(100));
  other.observe("b", at(20));
  REQUIRE(window.merge(other));
  CHECK(window.judge("a", at(10)).is_duplicate);
  CHECK(window.judge("a", at(105)).is_duplicate);
  CHECK(window.judge("b", at(15)).is_duplicate);
  CHECK(window.fresh() == 3);
  for (const content_window_options& different :
       {content_window_options{.events = 5, .within = 5ns}, content_window_options{.events = 4, .within = 6ns},
        content_window_options{.events = 4, .within = 5ns, .seed = 1}}) {
    content_window last(different);
    CHECK_FALSE(last.merge(window));
    CHECK(last.fresh() == 0);
    CHECK(restore(last, snapshot(window)).status == snapshot_status::other_configuration);
  }
}

TEST_CASE("a content window says when it was too small") {
  content_window window({.events = 2, .within = 5ns});
  window.observe(1, at(0));
  window.observe(2, at(1));
  window.observe(3, at(6));
  CHECK_FALSE(window.youngest_evicted().has_value());
  window.observe(4, at(6));
  CHECK(window.youngest_evicted() == 5ns);
  window.observe(5, at(0));
  CHECK(window.youngest_evicted() == 0ns);
  CHECK(window.evicted_within_age() == 2);
}

TEST_CASE("a content window allocates nothing after construction and takes the bytes that it says") {
  content_window window({.events = 100, .within = 5ns});
  const std::size_t before = allocations_so_far;
  std::mt19937_64 random(1);
  for (int i = 0; i < 5'000; ++i) {
    window.observe(random() % 20, at(i));
    if (i % 7 == 0) window.forget(random() % 20);
  }
  CHECK(allocations_so_far == before);
  CHECK(window.duplicates() > 0);
  constexpr content_window_options options{.events = 1'000'000};
  STATIC_REQUIRE(content_window::bytes_for(options) / options.events == 104);
  STATIC_REQUIRE(content_window::false_positive_rate_for(options) < 2.2e-13);
  STATIC_REQUIRE(content_window::false_positive_rate_for(options) > 2.1e-13);
}

TEST_CASE("bad options of a content window are refused with a sentence") {
  const auto refused = [](const content_window_options& options, const char* about) {
    CHECK_THROWS_WITH(content_window(options), Catch::Contains(about));
    CHECK_THROWS_AS(content_window(options), std::invalid_argument);
  };
  refused({.events = 0}, "events must be 1 to 2^30");
  refused({.events = (std::size_t{1} << 30) + 1}, "events must be 1 to 2^30");
  refused({.within = -1ns}, "within must be zero or longer");
  refused({.within = duration::max()}, "shorter than duration::max()");
}

TEST_CASE("a content window's snapshot with any byte changed and the checksum made right does no harm") {
  const content_window_options options{.events = 6, .within = 5ns};
  content_window window(options);
  for (int i = 0; i < 10; ++i) window.observe(i % 4, at(10 * i));
  const bytes good = snapshot(window);
  std::mt19937_64 random(4);
  int accepted = 0;
  bool harmless = true;
  for (int round = 0; round < 3'000; ++round) {
    bytes content(good.begin() + 40, good.end() - 8);
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
      content[random() % content.size()] = static_cast<std::byte>(random() % 4 == 0 ? 255 : random());
    }
    if (round % 10 == 0) content.resize(random() % content.size());
    recoup::snapshot_writer w;
    recoup::detail::begin_frame(w, window.configuration(), {});
    for (const std::byte b : content) w.u8(std::to_integer<std::uint8_t>(b));
    recoup::detail::end_frame(w);
    const bytes hostile = w.take();
    content_window target(options);
    target.observe(77, at(1));
    const bytes before = snapshot(target);
    if (!restore(target, hostile)) {
      harmless = harmless && snapshot(target) == before;
      continue;
    }
    ++accepted;
    harmless = harmless && snapshot(target) == hostile;
    for (int i = 0; i < 20; ++i) {
      target.observe(i % 5, at(10 * i));
      harmless = harmless && target.judge(i % 5, at(10 * i)).is_duplicate;
      if (i % 3 == 0) harmless = harmless && target.forget(i % 5, at(10 * i));
    }
  }
  CHECK(harmless);
  CHECK(accepted > 100);
}
