// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/compact_window.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "dedup/line_window_model.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/window.hpp"

namespace {

using namespace std::chrono_literals;
using line_window_tests::agree_with_the_model;
using line_window_tests::at;
using recoup::compact_window;
using recoup::duration;
using recoup::window_options;

static_assert(recoup::dedup_window<compact_window<>, std::uint64_t>);
static_assert(recoup::dedup_window<compact_window<16>, std::uint64_t>);

template <class Window>
void agree() {
  std::uint64_t mistaken = 0;
  std::uint64_t missed = 0;
  double expected = 0;
  for (const std::size_t events : {1U, 2U, 10U, 64U, 97U, 300U, 2'000U}) {
    for (const duration age : {duration::max(), duration(6'400), duration(1)}) {
      for (const bool renew : {false, true}) {
        for (const bool wanders : {false, true}) {
          INFO("events " << events << ", age " << age.count() << ", renew " << renew << ", time wanders " << wanders);
          const window_options options{.events = events, .age = age, .seed = events, .renew = renew};
          const auto t = agree_with_the_model<Window>(options, events + 1 + events / 2, wanders, 4'000);
          CHECK(t.wrong == 0);
          missed += t.missed;
          mistaken += t.mistaken;
          expected += static_cast<double>(t.asked) * Window::false_positive_rate_for(options);
        }
      }
    }
  }
  CHECK(missed == 0);
  CHECK(static_cast<double>(mistaken) <= expected + 5 * std::sqrt(expected) + 1);
}

// Of new keys only, in a full window.
template <class Window>
void has_the_rate_it_states(const window_options& options, std::uint64_t keys) {
  INFO("events " << options.events);
  Window window(options);
  std::mt19937_64 random(options.events);
  std::uint64_t mistaken = 0;
  for (std::uint64_t i = 0; i < options.events; ++i) window.observe(random(), at(0));
  for (std::uint64_t i = 0; i < keys; ++i) mistaken += window.observe(random(), at(0)).is_duplicate ? 1U : 0U;
  const double expected = static_cast<double>(keys) * Window::false_positive_rate_for(options);
  CHECK(static_cast<double>(mistaken) > expected - 5 * std::sqrt(expected));
  CHECK(static_cast<double>(mistaken) < expected + 5 * std::sqrt(expected));
  CHECK(expected > 50);
}

}  // namespace

TEST_CASE("a window of 24 or 32 bits a key answers as the model does") {
  agree<compact_window<24>>();
  agree<compact_window<32>>();
}
TEST_CASE("a window of 16 bits a key answers as the model does but for keys that share their bits with another") {
  agree<compact_window<16>>();
}

TEST_CASE("a full compact window remembers all that it promises and evicts by count alone") {
  for (const std::size_t events : {1U, 20U, 100U, 1'000U, 30'000U}) {
    INFO("events " << events);
    compact_window<> window(window_options{.events = events, .seed = 1});
    compact_window<32> wide(window_options{.events = events, .seed = 1});
    std::uint64_t missed = 0;
    std::uint64_t mistaken = 0;
    const std::uint64_t keys = 6 * events + 30'000;
    for (std::uint64_t i = 0; i < keys; ++i) {
      mistaken += window.observe(i, at(0)).is_duplicate ? 1U : 0U;
      mistaken += wide.observe(i, at(0)).is_duplicate ? 1U : 0U;
      if (i + 1 < events) continue;
      const std::uint64_t oldest = i + 1 - events;
      if (!window.judge(oldest, at(0)).is_duplicate || !wide.judge(oldest, at(0)).is_duplicate) ++missed;
    }
    CHECK(mistaken <= 3);
    CHECK(missed <= mistaken);
    CHECK(window.evicted_within_age() + events + (events + 95) / 96 >= keys - mistaken);
  }
}

TEST_CASE("new keys are called duplicates at the rate that a compact window states") {
  has_the_rate_it_states<compact_window<16>>({.events = 1'000, .seed = 1}, 1'000'000);
  has_the_rate_it_states<compact_window<16>>({.events = 100'000, .seed = 2}, 1'000'000);
  has_the_rate_it_states<compact_window<16>>({.events = 5, .seed = 2}, 4'000'000);
}

TEST_CASE("a compact window states its rate and bytes") {
  const window_options options{.events = 1 << 20};
  CHECK_THAT(compact_window<16>::false_positive_rate_for(options), Catch::Matchers::WithinRel(5.4e-4, 0.02));
  CHECK_THAT(compact_window<24>::false_positive_rate_for(options), Catch::Matchers::WithinRel(1.61e-6, 0.02));
  CHECK_THAT(compact_window<32>::false_positive_rate_for(options), Catch::Matchers::WithinRel(4.6e-9, 0.02));
  const auto bytes_a_key = [&](std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  CHECK(bytes_a_key(compact_window<16>::bytes_for(options)) <= 3.7);
  CHECK(bytes_a_key(compact_window<24>::bytes_for(options)) <= 4.8);
  CHECK(bytes_a_key(compact_window<32>::bytes_for(options)) <= 6.6);
}

TEST_CASE("the duplicate of a mistaken key passes when the other key is gone unless duplicates renew") {
  constexpr std::size_t events = 2'000;
  for (const bool renew : {false, true}) {
    INFO("renew " << renew);
    const window_options options{.events = events, .seed = 3, .renew = renew};
    compact_window<16> window(options);
    std::mt19937_64 random(4);
    std::vector<std::uint64_t> keys(1'500'000);
    std::uint64_t mistaken = 0;
    std::uint64_t passed = 0;
    std::vector<std::size_t> waiting;  // mistaken keys, whose duplicates come `events` / 2 keys behind
    std::size_t next = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] = random();
      if (window.observe(keys[i], at(0)).is_duplicate) waiting.push_back(i);
      if (next < waiting.size() && i == waiting[next] + events / 2) {
        ++mistaken;
        passed += window.judge(keys[waiting[next]], at(0)).is_duplicate ? 0U : 1U;
        ++next;
      }
    }
    // The other key was somewhere in the window: half of them are gone half a window later.
    const double expected = static_cast<double>(mistaken) / 2;
    CHECK(mistaken > 400);
    if (renew) {
      CHECK(passed == 0);
    } else {
      CHECK(static_cast<double>(passed) > expected - 5 * std::sqrt(expected / 2));
      CHECK(static_cast<double>(passed) < expected + 5 * std::sqrt(expected / 2));
    }
  }
}

TEST_CASE("two compact windows become one and a compact window is shared out") {
  const window_options options{.events = 2'000, .seed = 3};
  compact_window<> a(options);
  compact_window<> b(options);
  for (std::uint64_t i = 0; i < 2'000; ++i) (i % 2 == 0 ? a : b).observe(i, at(static_cast<std::int64_t>(i)));
  CHECK_FALSE(a.merge(compact_window<>({.events = 2'001, .seed = 3})));
  REQUIRE(a.merge(b));
  std::uint64_t missed = 0;
  for (std::uint64_t i = 0; i < 2'000; ++i) missed += a.judge(i, at(2'000)).is_duplicate ? 0U : 1U;
  CHECK(missed == 0);
  compact_window<> left = a;
  compact_window<> right = a;
  left.keep_part(0, 2);
  right.keep_part(1, 2);
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    wrong += left.judge(i, at(2'000)).is_duplicate != (a.part_of(i, 2) == 0) ? 1U : 0U;
    wrong += right.judge(i, at(2'000)).is_duplicate != (a.part_of(i, 2) == 1) ? 1U : 0U;
  }
  CHECK(wrong <= 1);
}

TEST_CASE("hostile bytes in a snapshot of a compact window are refused or give a window that works") {
  std::mt19937_64 random(3);
  const window_options options{.events = 60, .age = 90ns};
  compact_window<> source(options);
  for (int i = 0; i < 300; ++i) source.observe(random() % 90, at(i));
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;
  for (int round = 0; round < 5'000; ++round) {
    recoup::snapshot_writer content;
    source.save(content);
    auto changed = content.take();
    changed[14 + random() % (changed.size() - 14)] = std::byte{static_cast<unsigned char>(random())};
    recoup::snapshot_writer w;
    recoup::detail::begin_frame(w, source.configuration(), {});
    for (const std::byte b : changed) w.u8(static_cast<std::uint8_t>(b));
    recoup::detail::end_frame(w);
    const auto bytes = w.take();
    compact_window<> window(options);
    window.observe(1, at(0));
    const auto before = snapshot(window);
    if (restore(window, bytes)) {
      ++taken;
      CHECK(snapshot(window) == bytes);
    } else {
      ++refused;
      CHECK(snapshot(window) == before);
    }
    for (int i = 0; i < 20; ++i) window.observe(random() % 90, at(static_cast<std::int64_t>(random())));
  }
  CHECK(taken > 100);
  CHECK(refused > 100);
}

TEST_CASE("compact windows allocate at construction and never again") {
  compact_window<16> window({.events = 500, .age = 5'000ns});
  std::mt19937_64 random(2);
  const std::size_t before = allocations_so_far;
  for (int i = 0; i < 20'000; ++i) {
    window.observe(random() % 3'000, at(i * 7));
    if (i % 9 == 0) window.forget(random() % 3'000);
  }
  CHECK(allocations_so_far == before);
}

TEST_CASE("options of a compact_window that make no sense are refused with a sentence") {
  CHECK_THROWS_WITH(compact_window<>({.events = 0}), "window_options.events must be 1 to 2^32 keys");
  CHECK_THROWS_WITH(compact_window<>({.age = 0ns}), "window_options.age must be longer than zero");
}
