// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/circuit_breaker.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::breaker_state;
using recoup::circuit_breaker;
using recoup::circuit_breaker_options;
using recoup::duration;
using recoup::jitter;
using recoup::timestamp;

constexpr timestamp start = timestamp(1h);

circuit_breaker_options plain() {
  circuit_breaker_options o;
  o.failure_percent = 50;
  o.least_calls = 4;
  o.open = {.first = 1s, .longest = 5s, .jitter = jitter::none};
  return o;
}

void call(circuit_breaker& b, bool good, timestamp now) {
  const auto permit = b.begin(now);
  good ? b.succeeded(permit, now) : b.failed(permit, now);
}

// Opened at `now`.
circuit_breaker opened(circuit_breaker_options o, timestamp now) {
  circuit_breaker b(o);
  b.trip(now);
  return b;
}

TEST_CASE("a breaker opens when half of at least four calls have failed and not before") {
  circuit_breaker b(plain());
  call(b, false, start);
  call(b, false, start);
  call(b, true, start);
  CHECK(b.state() == breaker_state::closed);  // three calls say nothing
  call(b, true, start);                       // two of four
  CHECK(b.state() == breaker_state::closed);  // a success opens nothing
  call(b, false, start);
  CHECK(b.state() == breaker_state::open);
  CHECK_FALSE(b.permits(start));
  CHECK(b.permitted_from() == start + 1s);
  CHECK(b.permits(start + 1s));
}

TEST_CASE("a breaker opens after failures in a row whatever their share") {
  auto o = plain();
  o.failure_percent = 0;
  o.consecutive_failures = 3;
  circuit_breaker b(o);
  for (int i = 0; i < 100; ++i) call(b, i % 3 == 0, start);
  CHECK(b.state() == breaker_state::closed);
  call(b, false, start);
  call(b, false, start);
  CHECK(b.state() == breaker_state::closed);
  call(b, false, start);
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("calls of long ago do not count") {
  auto o = plain();
  o.half_life = 10s;
  circuit_breaker b(o);
  for (int i = 0; i < 1'000; ++i) call(b, true, start);
  for (int i = 0; i < 4; ++i) call(b, false, start);
  CHECK(b.state() == breaker_state::closed);  // 4 of 1,004
  const timestamp later = start + 200s;
  for (int i = 0; i < 3; ++i) call(b, false, later);
  CHECK(b.state() == breaker_state::closed);  // too few recent calls
  call(b, false, later);
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("recent calls are halved at each half life") {
  auto o = plain();
  o.least_calls = 6;
  o.half_life = 10s;
  circuit_breaker b(o);
  for (int i = 0; i < 8; ++i) call(b, true, start);
  for (int i = 0; i < 3; ++i) call(b, false, start + 10s);  // 3 of 4 + 3
  CHECK(b.state() == breaker_state::closed);
  call(b, false, start + 10s);  // 4 of 4 + 4
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a half open breaker lets as many probes through as it may and closes when they succeed") {
  auto o = plain();
  o.probes = 2;
  o.successes_to_close = 3;
  circuit_breaker b = opened(o, start);
  const timestamp now = start + 1s;
  const auto first = b.begin(now);
  CHECK(b.state() == breaker_state::half_open);
  const auto second = b.begin(now);
  CHECK_FALSE(b.permits(now));
  CHECK(b.succeeded(first, now));
  CHECK(b.permits(now));
  CHECK(b.succeeded(second, now));
  CHECK(b.state() == breaker_state::half_open);
  CHECK(b.succeeded(b.begin(now), now));
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.trips() == 0);
}

TEST_CASE("a probe that fails opens the breaker for longer up to the longest") {
  circuit_breaker b = opened(plain(), start);
  timestamp now = start;
  for (const duration open : {1s, 2s, 4s, 5s, 5s}) {
    REQUIRE(b.permitted_from() == now + open);
    now += open;
    CHECK(b.failed(b.begin(now), now));
    REQUIRE(b.state() == breaker_state::open);
  }
  now = b.permitted_from();
  CHECK(b.succeeded(b.begin(now), now));
  b.trip(now);
  CHECK(b.permitted_from() == now + 1s);  // it had been closed
}

TEST_CASE("what began before the state changed is not counted") {
  circuit_breaker b(plain());
  const auto before = b.begin(start);
  b.trip(start);
  CHECK_FALSE(b.succeeded(before, start));
  CHECK(b.state() == breaker_state::open);
  const auto unpermitted = b.begin(start);
  CHECK_FALSE(b.succeeded(unpermitted, start));
  const auto probe = b.begin(start + 1s);
  CHECK_FALSE(b.failed(before, start + 1s));
  CHECK_FALSE(b.failed(unpermitted, start + 1s));
  CHECK(b.state() == breaker_state::half_open);
  CHECK(b.succeeded(probe, start + 1s));
  CHECK_FALSE(b.failed(probe, start + 1s));
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("a probe that is cancelled makes way and one without answer does so in time") {
  auto o = plain();
  o.probe_timeout = 10s;
  circuit_breaker b = opened(o, start);
  timestamp now = start + 1s;
  auto probe = b.begin(now);
  CHECK_FALSE(b.permits(now));
  b.cancelled(probe);
  CHECK(b.permits(now));
  probe = b.begin(now);
  CHECK(b.permitted_from() == now + 10s);
  now += 10s;
  REQUIRE(b.permits(now));
  const auto other = b.begin(now);
  CHECK_FALSE(b.permits(now));
  CHECK_FALSE(b.succeeded(probe, now));  // too late
  CHECK(b.succeeded(other, now));
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("a breaker with nothing to open it never opens but by hand") {
  circuit_breaker b({.failure_percent = 0});
  for (int i = 0; i < 1'000; ++i) call(b, false, start);
  CHECK(b.state() == breaker_state::closed);
  b.trip(start);
  CHECK_FALSE(b.permits(start));
  b.reset();
  CHECK(b.permits(start));
}

TEST_CASE("whatever the times and answers a breaker stays one") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    auto o = plain();
    o.half_life = duration(1 + static_cast<std::int64_t>(random() >> (1 + random() % 62)));
    o.probes = 1 + static_cast<std::uint32_t>(random() % 3);
    o.successes_to_close = 1 + static_cast<std::uint32_t>(random() % 3);
    circuit_breaker b(o);
    std::vector<circuit_breaker::permit> out{0};
    for (int i = 0; i < 500; ++i) {
      const timestamp now = random() % 10 == 0   ? timestamp::max()
                            : random() % 10 == 0 ? timestamp::min()
                                                 : timestamp(duration(static_cast<std::int64_t>(random())));
      const bool permitted = b.permits(now);
      if (permitted != (now >= b.permitted_from())) FAIL("permits");
      if (random() % 2 == 0) {
        out.push_back(b.begin(now));
        if (permitted && b.state() == breaker_state::open) FAIL("a permitted call leaves it open");
      } else {
        const auto permit = out[random() % out.size()];
        const auto before = b.state();
        const auto answer = random() % 3;
        if (answer == 2) {
          b.cancelled(permit);
        } else if (answer == 0 ? b.succeeded(permit, now) : b.failed(permit, now)) {
          if (before == breaker_state::open) FAIL("an open breaker counted");
          if (answer == 1 && before == breaker_state::half_open && b.state() != breaker_state::open)
            FAIL("a failed probe left it half open");
        } else if (b.state() != before) {
          FAIL("what was not counted changed the state");
        }
      }
      if (random() % 20 == 0) {
        const auto bytes = recoup::snapshot(b);
        circuit_breaker restored(o);
        if (!recoup::restore(restored, bytes) || recoup::snapshot(restored) != bytes) FAIL("restore");
        b = restored;
      }
    }
  }
  SUCCEED();
}

TEST_CASE("a breaker refuses bytes that describe none") {
  circuit_breaker b = opened(plain(), start);
  recoup::snapshot_writer w;
  b.save(w);
  const std::vector<std::byte> good(w.written().begin(), w.written().end());
  const auto loads = [](const std::vector<std::byte>& bytes) {
    circuit_breaker loaded(plain());
    recoup::snapshot_reader r(bytes);
    return loaded.load(r);
  };
  CHECK(loads(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(loads({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}));
  auto bad = good;
  bad[0] = std::byte{3};  // no state
  CHECK_FALSE(loads(bad));
  bad = good;
  bad[13] = std::byte{1};  // a probe while it is open
  CHECK_FALSE(loads(bad));
  bad = good;
  bad[25] = std::byte{1};  // more failures than calls
  CHECK_FALSE(loads(bad));
  bad[17 + 7] = std::byte{255};  // more calls than there can be
  CHECK_FALSE(loads(bad));
}

TEST_CASE("breaker options that make no sense are refused with a sentence") {
  CHECK_THROWS_AS(circuit_breaker({.failure_percent = 101}), std::invalid_argument);
  CHECK_THROWS_AS(circuit_breaker({.least_calls = 0}), std::invalid_argument);
  CHECK_THROWS_AS(circuit_breaker({.half_life = 0s}), std::invalid_argument);
  CHECK_THROWS_AS(circuit_breaker({.open = {.first = 0s}}), std::invalid_argument);
  CHECK_THROWS_AS(circuit_breaker({.probes = 0}), std::invalid_argument);
  CHECK_THROWS_AS(circuit_breaker({.successes_to_close = 0}), std::invalid_argument);
  CHECK_THROWS_AS(circuit_breaker({.probe_timeout = 0s}), std::invalid_argument);
}

TEST_CASE("the states of a breaker have names") {
  CHECK(name_of(breaker_state::closed) == "closed");
  CHECK(name_of(breaker_state::open) == "open");
  CHECK(name_of(breaker_state::half_open) == "half open");
}

}  // namespace
