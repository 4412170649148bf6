// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/alert_gate.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::alert;
using recoup::alert_change;
using recoup::alert_gate;
using recoup::alert_gate_options;
using recoup::duration;
using recoup::side;
using recoup::timestamp;

__extension__ using wide = __int128;
using limits = std::numeric_limits<double>;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }
wide ticks(timestamp t) { return t.time_since_epoch().count(); }

// The same from the list of all samples since the last alert.
class model {
 public:
  explicit model(const alert_gate_options& o) : options_(o) {}

  alert_change add(timestamp time, double score, side where) {
    if (score != score) return alert_change::nothing;
    samples_.push_back({time, score, where});
    if (!first_) {
      const std::size_t begin = row([&](const sample& s) { return s.score >= options_.fire; }, 0, true);
      if (!is_long(begin, options_.samples_high, options_.time_high)) return alert_change::nothing;
      first_ = begin;
      raised_ = samples_.size();
      escalated_ = open().peak >= options_.escalate;
      return alert_change::raised;
    }
    if (!escalated_ && score >= options_.escalate) {
      escalated_ = true;
      return alert_change::escalated;
    }
    const std::size_t begin = row([&](const sample& s) { return s.score < options_.clear; }, raised_, false);
    if (!is_long(begin, options_.samples_low, options_.time_low)) return alert_change::nothing;
    cleared = open();
    forget();
    return alert_change::cleared;
  }
  std::optional<alert> advance(timestamp now) {
    if (!first_ || options_.longest_silence == duration::max()) return std::nullopt;
    if (ticks(now) - ticks(samples_.back().time) < options_.longest_silence.count()) return std::nullopt;
    alert ended = open();
    ended.end = now;
    forget();
    return ended;
  }
  bool is_open() const { return first_.has_value(); }
  alert open() const {
    alert a;
    a.peak = -1;
    a.start = timestamp::max();
    for (std::size_t i = *first_; i < samples_.size(); ++i) {
      const sample& s = samples_[i];
      if (i < raised_) a.start = std::min(a.start, s.time);
      if (s.score > a.peak) {
        a.peak = s.score;
        a.peak_at = s.time;
        a.side = s.where;
      }
      if (s.score >= options_.clear) a.last = s.time;
      a.end = s.time;
      ++a.samples;
    }
    a.is_escalated = escalated_;
    return a;
  }

  alert cleared;

 private:
  struct sample {
    timestamp time;
    double score;
    side where;
  };
  // Where the row begins that ends with the latest sample.
  template <class Is>
  std::size_t row(Is&& is, std::size_t from, bool broken_by_silence) const {
    std::size_t begin = samples_.size();
    while (begin > from && is(samples_[begin - 1])) {
      const bool pause = begin < samples_.size() && ticks(samples_[begin].time) - ticks(samples_[begin - 1].time) >
                                                        options_.longest_silence.count();
      if (broken_by_silence && pause && options_.longest_silence != duration::max()) break;
      --begin;
    }
    return begin;
  }
  bool is_long(std::size_t begin, std::size_t samples, duration time) const {
    if (begin == samples_.size() || samples_.size() - begin < samples) return false;
    wide earliest = ticks(samples_[begin].time);
    for (std::size_t i = begin; i < samples_.size(); ++i) earliest = std::min(earliest, ticks(samples_[i].time));
    return ticks(samples_.back().time) - earliest >= time.count();
  }
  void forget() {
    samples_.clear();
    first_.reset();
    raised_ = 0;
    escalated_ = false;
  }

  alert_gate_options options_;
  std::vector<sample> samples_;
  std::optional<std::size_t> first_;  // of the alert's samples
  std::size_t raised_ = 0;
  bool escalated_ = false;
};

std::optional<alert> advance(alert_gate& g, timestamp now) {
  std::optional<alert> told;
  g.advance(now, [&](const alert& a) { told = a; });
  return told;
}

}  // namespace

TEST_CASE("An alert is raised, escalated and cleared once, with its start, peak and end", "[anomaly][alert_gate]") {
  alert_gate gate({.fire = 10, .clear = 5, .escalate = 20, .samples_high = 2, .samples_low = 2});
  CHECK(gate.observe(at(1), 12).change == alert_change::nothing);  // held down
  CHECK(gate.observe(at(2), 9).change == alert_change::nothing);   // the row is over
  CHECK(gate.observe(at(3), 11).change == alert_change::nothing);
  CHECK_FALSE(gate.is_open());
  const auto raised = gate.observe(at(4), 10, side::above);
  CHECK(raised.change == alert_change::raised);
  CHECK(raised.alert.start == at(3));
  CHECK(raised.alert.samples == 2);
  CHECK(gate.observe(at(5), 25, side::below).change == alert_change::escalated);
  CHECK(gate.observe(at(6), 30, side::below).change == alert_change::nothing);
  CHECK(gate.observe(at(7), 4).change == alert_change::nothing);
  CHECK(gate.observe(at(8), 6).change == alert_change::nothing);  // between clear and fire: it goes on
  CHECK(gate.observe(at(9), 4).change == alert_change::nothing);
  const auto cleared = gate.observe(at(10), 0);
  CHECK(cleared.change == alert_change::cleared);
  CHECK(cleared.alert == alert{.start = at(3),
                               .peak_at = at(6),
                               .last = at(8),
                               .end = at(10),
                               .peak = 30,
                               .samples = 8,
                               .side = side::below,
                               .is_escalated = true});
  CHECK_FALSE(gate.is_open());
}

TEST_CASE("An alert that begins at the score of escalation is raised as escalated", "[anomaly][alert_gate]") {
  alert_gate gate({.fire = 10, .clear = 5, .escalate = 20});
  const auto raised = gate.observe(at(1), 20);
  CHECK(raised.change == alert_change::raised);
  CHECK(raised.alert.is_escalated);
  CHECK(gate.observe(at(2), 40).change == alert_change::nothing);
}

TEST_CASE("High samples raise an alert only once they have lasted", "[anomaly][alert_gate]") {
  alert_gate gate({.fire = 10, .clear = 5, .samples_high = 2, .time_high = 60s, .time_low = 30s});
  CHECK(gate.observe(timestamp(0s), 15).change == alert_change::nothing);
  CHECK(gate.observe(timestamp(59s), 15).change == alert_change::nothing);
  CHECK(gate.observe(timestamp(60s), 15).change == alert_change::raised);
  CHECK(gate.observe(timestamp(61s), 0).change == alert_change::nothing);
  CHECK(gate.observe(timestamp(90s), 0).change == alert_change::nothing);
  CHECK(gate.observe(timestamp(91s), 0).change == alert_change::cleared);
}

TEST_CASE("An alert without samples is cleared by advance, and told again if the listener throws",
          "[anomaly][alert_gate]") {
  alert_gate gate({.longest_silence = 10s});
  CHECK(gate.due() == timestamp::max());
  gate.observe(timestamp(5s), 20);
  CHECK(gate.due() == timestamp(15s));
  CHECK_FALSE(advance(gate, timestamp(14s)));
  CHECK_THROWS_AS(gate.advance(timestamp(15s), [](const alert&) { throw std::runtime_error("down"); }),
                  std::runtime_error);
  CHECK(gate.is_open());
  const auto told = advance(gate, timestamp(16s));
  REQUIRE(told);
  CHECK(told->end == timestamp(16s));
  CHECK(told->last == timestamp(5s));
  CHECK_FALSE(gate.is_open());
  CHECK_FALSE(advance(gate, timestamp(100s)));

  alert_gate patient;
  patient.observe(timestamp(5s), 20);
  CHECK_FALSE(advance(patient, timestamp::max()));
}

TEST_CASE("Judging changes nothing until it is committed", "[anomaly][alert_gate]") {
  alert_gate gate;
  const auto j = gate.judge(at(1), 20);
  CHECK(j.change == alert_change::raised);
  CHECK_FALSE(gate.is_open());
  gate.commit(j);
  CHECK(gate.is_open());
  CHECK(gate.open().peak == 20);
  recoup::assessment a;
  a.score = 30;
  a.side = side::above;
  CHECK(gate.observe(at(2), a).alert.side == side::above);
}

TEST_CASE("A gate does what a list of all samples says", "[anomaly][alert_gate]") {
  const auto operations = 6'000 * test_scale();
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    std::mt19937_64 random(seed);
    const alert_gate_options options{.fire = 10,
                                     .clear = seed % 3 == 0 ? 10.0 : 6.0,
                                     .escalate = seed % 2 == 0 ? 14 : limits::infinity(),
                                     .samples_high = static_cast<std::uint32_t>(1 + random() % 4),
                                     .time_high = duration(static_cast<std::int64_t>(random() % 30)),
                                     .samples_low = static_cast<std::uint32_t>(1 + random() % 4),
                                     .time_low = duration(static_cast<std::int64_t>(random() % 30)),
                                     .longest_silence = seed % 4 == 0 ? duration::max() : duration(40)};
    alert_gate gate(options);
    model naive(options);
    std::int64_t now = 0;
    double level = 0;
    std::array<int, 4> changes{};
    int silences = 0;
    for (std::uint64_t i = 0; i < operations; ++i) {
      now += static_cast<std::int64_t>(random() % 12);
      if (random() % 60 == 0) now -= static_cast<std::int64_t>(random() % 40);
      if (random() % 30 == 0) now += 100;
      if (random() % 8 == 0) level = static_cast<double>(random() % 16);
      if (random() % 6 == 0) {
        const auto told = advance(gate, at(now));
        REQUIRE(told == naive.advance(at(now)));
        silences += told.has_value();
        continue;
      }
      const timestamp time = random() % 500 == 0 ? conduct::any_time(random) : at(now);
      const double score = random() % 50 == 0 ? conduct::any_value(random) : level + static_cast<double>(random() % 3);
      const side where = static_cast<side>(random() % 3);
      const auto j = gate.observe(time, score, where);
      REQUIRE(j.change == naive.add(time, score, where));
      ++changes[static_cast<std::size_t>(j.change)];
      if (j.change == alert_change::cleared) REQUIRE(j.alert == naive.cleared);
      REQUIRE(gate.is_open() == naive.is_open());
      if (gate.is_open()) REQUIRE(gate.open() == naive.open());
      if (random() % 50 == 0) {  // go on from a snapshot
        alert_gate restored(options);
        REQUIRE(recoup::restore(restored, recoup::snapshot(gate)));
        REQUIRE(recoup::snapshot(restored) == recoup::snapshot(gate));
        gate = restored;
      }
    }
    CHECK(changes[1] > 20);
    CHECK((changes[2] > 5) == (seed % 2 == 0));
    CHECK(changes[3] > 5);
    CHECK((silences > 5) == (seed % 4 != 0));
  }
}

TEST_CASE("A gate refuses bytes that describe none, and works on with all others", "[anomaly][alert_gate]") {
  const alert_gate_options options{.samples_high = 3, .samples_low = 3, .longest_silence = 1h};
  for (const int samples : {0, 2, 4}) {
    alert_gate gate(options);
    for (int i = 0; i < samples; ++i) gate.observe(at(i), 20);
    const auto bytes = conduct::bytes_of(gate);
    alert_gate other(options);
    for (std::size_t n = 0; n < bytes.size(); ++n) REQUIRE_FALSE(conduct::load(other, std::span(bytes).first(n)));
    CHECK(conduct::bytes_of(other) == conduct::bytes_of(other.empty_copy()));
    std::mt19937_64 random(1);
    int refused = 0;
    for (std::uint64_t i = 0; i < 500 * test_scale(); ++i) {
      auto changed = bytes;
      for (int k = 0; k < 2; ++k) changed[random() % changed.size()] = static_cast<std::byte>(random());
      alert_gate loaded(options);
      refused += !conduct::load(loaded, changed);
      for (int k = 0; k < 20; ++k) {
        const auto j = loaded.observe(conduct::any_time(random), conduct::any_value(random));
        if (loaded.is_open()) REQUIRE(j.alert.peak >= options.fire);
        (void)advance(loaded, conduct::any_time(random));
      }
      REQUIRE(conduct::load(loaded, conduct::bytes_of(loaded)));
    }
    CHECK(refused > 0);
  }
}

TEST_CASE("Options of a gate that make no sense are refused in a sentence", "[anomaly][alert_gate]") {
  CHECK_THROWS_AS(alert_gate({.clear = 0}), std::invalid_argument);
  CHECK_THROWS_AS(alert_gate({.fire = 5, .clear = 6}), std::invalid_argument);
  CHECK_THROWS_AS(alert_gate({.fire = limits::infinity()}), std::invalid_argument);
  CHECK_THROWS_AS(alert_gate({.fire = limits::quiet_NaN()}), std::invalid_argument);
  CHECK_THROWS_AS(alert_gate({.escalate = 9}), std::invalid_argument);
  CHECK_THROWS_AS(alert_gate({.samples_high = 0}), std::invalid_argument);
  CHECK_THROWS_AS(alert_gate({.samples_low = 0}), std::invalid_argument);
  CHECK_THROWS_AS(alert_gate({.time_high = -1s}), std::invalid_argument);
  CHECK_THROWS_AS(alert_gate({.longest_silence = 0s}), std::invalid_argument);
  CHECK(alert_gate().configuration() != alert_gate({.fire = 14}).configuration());
}

TEST_CASE("Each key has a gate of its own", "[anomaly][alert_gate]") {
  recoup::keyed<std::string, alert_gate> gates({.capacity = 4}, alert_gate());
  const auto feed = [&](const std::string& key, double score) {
    const auto place = gates.locate(key);
    return gates.use(place, key, at(0)).observe(at(0), score).change;
  };
  CHECK(feed("a", 20) == alert_change::raised);
  CHECK(feed("b", 1) == alert_change::nothing);
  CHECK(feed("a", 1) == alert_change::cleared);
}

TEST_CASE("What happens to an alert has a name") {
  CHECK(name_of(recoup::alert_change::nothing) == "nothing");
  CHECK(name_of(recoup::alert_change::cleared) == "cleared");
}
