// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/fingerprint_window.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string_view>
#include <utility>
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
using recoup::duration;
using recoup::elapsed;
using recoup::fingerprint_window;
using recoup::timestamp;
using recoup::window_options;

static_assert(recoup::dedup_window<fingerprint_window<>, std::uint64_t>);
static_assert(recoup::dedup_window<fingerprint_window<128>, std::string_view>);

template <class Window>
void agree() {
  for (const std::size_t events : {1U, 2U, 3U, 10U, 64U, 97U, 300U, 2'000U}) {
    for (const duration age : {duration::max(), duration(6'400), duration(1)}) {
      for (const bool renew : {false, true}) {
        for (const bool wanders : {false, true}) {
          INFO("events " << events << ", age " << age.count() << ", renew " << renew << ", time wanders " << wanders);
          const auto t = agree_with_the_model<Window>({.events = events, .age = age, .seed = events, .renew = renew},
                                                      events + 1 + events / 2, wanders, 4'000);
          CHECK(t.missed == 0);
          CHECK(t.mistaken == 0);
          CHECK(t.wrong == 0);
        }
      }
    }
  }
}

window_options limited(std::size_t events, duration age = duration::max()) {
  return {.events = events, .age = age, .seed = 5};
}

// A frame of the window's own configuration with a right checksum around the content of another, changed.
template <class Change>
std::vector<std::byte> forged(const fingerprint_window<>& window, Change&& change) {
  recoup::snapshot_writer content;
  window.save(content);
  auto changed = content.take();
  change(changed);
  recoup::snapshot_writer w;
  recoup::detail::begin_frame(w, window.configuration(), {});
  for (const std::byte b : changed) w.u8(static_cast<std::uint8_t>(b));
  recoup::detail::end_frame(w);
  return w.take();
}

}  // namespace

TEST_CASE("a window of 64-bit fingerprints answers as the model does") { agree<fingerprint_window<>>(); }
TEST_CASE("a window of 128-bit fingerprints answers as the model does") { agree<fingerprint_window<128>>(); }

TEST_CASE("a full window of fingerprints remembers all that it promises and evicts by count alone") {
  for (const std::size_t events : {1U, 8U, 30U, 100U, 1'000U, 20'000U}) {
    INFO("events " << events);
    fingerprint_window<> window(limited(events));
    fingerprint_window<128> wide(limited(events));
    std::uint64_t missed = 0;
    const std::uint64_t keys = 6 * events + 50'000;
    for (std::uint64_t i = 0; i < keys; ++i) {
      window.observe(i, at(static_cast<std::int64_t>(i)));
      wide.observe(i, at(static_cast<std::int64_t>(i)));
      if (i + 1 < events) continue;
      const std::uint64_t oldest = i + 1 - events;
      if (!window.judge(oldest, at(0)).is_duplicate || !wide.judge(oldest, at(0)).is_duplicate) ++missed;
    }
    CHECK(missed == 0);
    std::uint64_t remembered = 0;
    for (std::uint64_t i = 0; i < keys; ++i) remembered += window.judge(i, at(0)).is_duplicate ? 1U : 0U;
    CHECK(remembered >= events);
    CHECK(remembered <= events + (events + 95) / 96);
    CHECK(window.evicted_within_age() == keys - remembered);
    CHECK(window.youngest_evicted() >= duration(static_cast<std::int64_t>(events - 1)));
    CHECK(window.fresh() == keys);
  }
}

TEST_CASE("integers at equal distances are spread over the lines as well as random ones") {
  constexpr std::uint64_t events = 5'000;
  std::vector<std::uint64_t> steps{10, 1'000'000'007, 2'971'215'073, 0x9E37'79B9'7F4A'7C15};
  for (unsigned shift = 1; shift <= 50; shift += 7) steps.push_back(std::uint64_t{1} << shift);
  for (const std::uint64_t step : steps) {
    INFO("distance " << step);
    fingerprint_window<> window({.events = events});
    std::uint64_t missed = 0;
    for (std::uint64_t i = 0; i < 3 * events; ++i) {
      window.observe(i * step, at(0));
      if (i + 1 >= events && !window.judge((i + 1 - events) * step, at(0)).is_duplicate) ++missed;
    }
    CHECK(missed == 0);
    CHECK(window.fresh() == 3 * events);
  }
}

TEST_CASE("bytes of a window of fingerprints are at most ten a key from a thousand keys on") {
  for (const std::size_t events : {1'000U, 1U << 16, 1U << 20, 1U << 30}) {
    CHECK(static_cast<double>(fingerprint_window<>::bytes_for(limited(events))) <= 10.2 * static_cast<double>(events));
    CHECK(static_cast<double>(fingerprint_window<128>::bytes_for(limited(events))) <=
          22.0 * static_cast<double>(events));
  }
  CHECK(static_cast<double>(fingerprint_window<>::bytes_for(limited(1 << 20))) <= 9.9 * (1 << 20));
}

TEST_CASE("the rate of false duplicates of fingerprints is about the keys over the values") {
  CHECK_THAT(fingerprint_window<>::false_positive_rate_for(limited(1 << 20)),
             Catch::Matchers::WithinRel(1'048'576 / 18'446'744'073'709'551'616.0, 0.02));
  CHECK(fingerprint_window<128>::false_positive_rate_for(limited(1 << 20)) < 1e-30);
  CHECK(fingerprint_window<128>::false_positive_rate_for(limited(1 << 20)) > 0);
  CHECK(fingerprint_window<>::false_positive_rate_for(limited(1)) > 0);
}

TEST_CASE("a duplicate renews its key if told so and then the window is of keys by when they were last seen") {
  for (const bool renew : {false, true}) {
    fingerprint_window<> window({.events = 100, .age = 1'000ns, .renew = renew});
    CHECK_FALSE(window.observe(7, at(0)).is_duplicate);
    CHECK(window.observe(7, at(900)).is_duplicate);
    CHECK(window.judge(7, at(1'800)).is_duplicate == renew);
    fingerprint_window<> small({.events = 4, .renew = renew});
    small.observe(7, at(0));
    for (int i = 100; i < 120; ++i) {
      small.observe(i, at(i));
      small.observe(7, at(i));
    }
    CHECK((small.fresh() == 21) == renew);
  }
}

TEST_CASE("forgotten fingerprints are new again once and leave room at once") {
  fingerprint_window<> window(limited(50));
  for (int i = 0; i < 10'000; ++i) {
    window.observe(i, at(i));
    CHECK(window.forget(i));
    CHECK_FALSE(window.forget(i));
  }
  CHECK(window.evicted_within_age() == 0);
}

TEST_CASE("two windows of fingerprints become one that knows the newest keys of both") {
  for (const std::size_t events : {1U, 5U, 100U, 3'000U}) {
    for (const duration age : {duration::max(), duration(2'000)}) {
      INFO("events " << events << ", age " << age.count());
      std::mt19937_64 random(events);
      fingerprint_window<> a(limited(events, age));
      fingerprint_window<> b(limited(events, age));
      std::vector<std::pair<std::uint64_t, timestamp>> seen;  // the newest first, each key once
      const std::uint64_t arrivals = 3 * events + 10;
      for (std::uint64_t i = 0; i < arrivals; ++i) {
        const std::uint64_t key = random();
        const timestamp now = at(static_cast<std::int64_t>(i));
        const std::uint64_t where = random() % 3;
        if (where != 0) a.observe(key, now);
        if (where != 1) b.observe(key, now);
        seen.insert(seen.begin(), {key, now});
      }
      const auto in_a = a.fresh();
      const auto in_b = b.fresh();
      REQUIRE(a.merge(b));
      CHECK(a.fresh() == in_a + in_b);
      const timestamp end = at(static_cast<std::int64_t>(arrivals));
      std::uint64_t missed = 0;
      std::uint64_t remembered = 0;
      for (std::size_t i = 0; i < seen.size(); ++i) {
        const bool known = a.judge(seen[i].first, end).is_duplicate;
        if (i < events && elapsed(seen[i].second, end) <= age && !known) ++missed;
        remembered += known ? 1U : 0U;
      }
      CHECK(missed == 0);
      CHECK(remembered <= events + 3 * ((events + 95) / 96));
      // And it goes on as a window does.
      for (std::uint64_t i = 0; i < 4 * events + 300; ++i) {
        const std::uint64_t key = random();
        seen.insert(seen.begin(), {key, end});
        a.observe(key, end);
        const auto& oldest = seen[events - 1];
        if (elapsed(oldest.second, end) <= age && !a.judge(oldest.first, end).is_duplicate) ++missed;
      }
      CHECK(missed == 0);
      fingerprint_window<> copy(limited(events, age));
      REQUIRE(restore(copy, snapshot(a)));
      CHECK(snapshot(copy) == snapshot(a));
    }
  }
}

TEST_CASE("a key that two windows of fingerprints know is as young as in either when they are one") {
  const auto options = limited(50, duration(1'000));
  for (const bool mine_is_older : {false, true}) {
    fingerprint_window<> a(options);
    fingerprint_window<> b(options);
    a.observe(7, at(mine_is_older ? 0 : 900));
    b.observe(7, at(mine_is_older ? 900 : 0));
    a.observe(8, at(0));
    REQUIRE(a.merge(b));
    CHECK(a.judge(7, at(1'500)).is_duplicate);
    CHECK_FALSE(a.judge(8, at(1'500)).is_duplicate);
  }
}

TEST_CASE("a window of fingerprints does not merge with one of other options and stays as it is") {
  fingerprint_window<> a(limited(10));
  a.observe(1, at(0));
  const auto before = snapshot(a);
  CHECK_FALSE(a.merge(fingerprint_window<>(limited(11))));
  CHECK_FALSE(a.merge(fingerprint_window<>({.events = 10, .seed = 6})));
  CHECK(snapshot(a) == before);
  CHECK(a.merge(a));
  CHECK(snapshot(a) == before);
  CHECK(a.merge(fingerprint_window<>(limited(10))));
  CHECK(a.judge(1, at(0)).is_duplicate);
}

TEST_CASE("the keys of a window of fingerprints are shared out and come together again") {
  constexpr std::uint32_t parts = 3;
  fingerprint_window<> all(limited(3'000));
  for (std::uint64_t i = 0; i < 3'000; ++i) all.observe(i, at(static_cast<std::int64_t>(i)));
  std::vector<fingerprint_window<>> part(parts, all);
  for (std::uint32_t p = 0; p < parts; ++p) part[p].keep_part(p, parts);
  std::uint64_t wrong = 0;
  std::vector<int> sizes(parts);
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    const std::uint32_t own = all.part_of(i, parts);
    REQUIRE(own < parts);
    ++sizes[own];
    for (std::uint32_t p = 0; p < parts; ++p) wrong += part[p].judge(i, at(0)).is_duplicate != (p == own) ? 1U : 0U;
  }
  CHECK(wrong == 0);
  for (const int size : sizes) CHECK((size > 850 && size < 1'150));
  CHECK(part[0].merge(part[1]));
  CHECK(part[0].merge(part[2]));
  for (std::uint64_t i = 0; i < 3'000; ++i) wrong += part[0].judge(i, at(0)).is_duplicate ? 0U : 1U;
  CHECK(wrong == 0);
}

TEST_CASE("a window of fingerprints restored goes on as the original") {
  std::mt19937_64 random(9);
  const window_options options{.events = 150, .age = 700ns, .seed = 1, .renew = true};
  fingerprint_window<> original(options);
  fingerprint_window<> other(options);
  std::uint64_t differing = 0;
  std::int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 64 == 0 && !restore(other, snapshot(original))) ++differing;
    now += static_cast<std::int64_t>(random() % (i % 2'000 < 1'000 ? 3 : 40));
    const std::uint64_t key = random() % 260;
    if (random() % 5 == 0) {
      if (original.forget(key) != other.forget(key)) ++differing;
    } else {
      const auto a = original.observe(key, at(now));
      const auto b = other.observe(key, at(now));
      if (a.is_duplicate != b.is_duplicate || a.first_seen != b.first_seen) ++differing;
    }
    if (i % 16 == 0 && snapshot(original) != snapshot(other)) ++differing;
  }
  CHECK(differing == 0);
  CHECK(original.duplicates() > 1'000);
}

TEST_CASE("a window of fingerprints refuses the bytes of a version whose keys had other hashes") {
  fingerprint_window<> window({.events = 10});
  window.observe(1, at(0));
  recoup::snapshot_writer w;
  window.save(w);
  std::vector<std::byte> bytes = w.take();
  constexpr std::size_t version = 4;  // behind the tag of the section
  for (const int change : {0, -1, 1}) {
    INFO("version changed by " << change);
    std::vector<std::byte> changed = bytes;
    changed[version] = static_cast<std::byte>(static_cast<int>(changed[version]) + change);
    recoup::snapshot_reader r(changed);
    fingerprint_window<> other({.events = 10});
    CHECK(other.load(r) == (change == 0));
  }
}

TEST_CASE("hostile bytes in a snapshot of fingerprints are refused or give a window that works") {
  std::mt19937_64 random(3);
  const auto options = limited(40, duration(90));
  fingerprint_window<> source(options);
  for (int i = 0; i < 300; ++i) source.observe(random() % 90, at(i));
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto bytes = forged(source, [&](std::vector<std::byte>& content) {
      const std::uint64_t kind = random() % 8;
      if (kind == 0) content.resize(random() % content.size());
      if (kind == 1) content.push_back(std::byte{0});
      const std::uint64_t changes = 1 + random() % 3;
      for (std::uint64_t i = 0; kind > 1 && i < changes; ++i) {
        content[14 + random() % (content.size() - 14)] = std::byte{static_cast<unsigned char>(random())};
      }
    });
    fingerprint_window<> window(options);
    window.observe(1, at(0));
    const auto before = snapshot(window);
    if (restore(window, bytes)) {
      ++taken;
      CHECK(snapshot(window) == bytes);
      fingerprint_window<> merged(options);
      CHECK(merged.merge(window));
    } else {
      ++refused;
      CHECK(snapshot(window) == before);
    }
    for (int i = 0; i < 20; ++i) window.observe(random() % 90, at(static_cast<std::int64_t>(random())));
  }
  CHECK(taken > 100);
  CHECK(refused > 1'000);
}

TEST_CASE("windows of fingerprints allocate at construction and never again") {
  fingerprint_window<> window(limited(500, duration(5'000)));
  std::mt19937_64 random(2);
  const std::size_t before = allocations_so_far;
  for (int i = 0; i < 20'000; ++i) {
    window.observe(random() % 3'000, at(i * 7));
    if (i % 9 == 0) window.forget(random() % 3'000);
  }
  CHECK(allocations_so_far == before);
}

TEST_CASE("keys of every kind are told apart by their fingerprints and observed ahead as one by one") {
  fingerprint_window<128> window;
  CHECK_FALSE(window.observe(std::string_view("a"), at(0)).is_duplicate);
  CHECK_FALSE(window.observe(std::pair(std::string_view("a"), 1), at(0)).is_duplicate);
  CHECK_FALSE(window.observe(std::optional<int>(), at(0)).is_duplicate);
  CHECK(window.observe("a", at(0)).is_duplicate);
  std::mt19937_64 random(6);
  std::vector<std::uint64_t> keys(5'000);
  for (auto& key : keys) key = random() % 3'000;
  fingerprint_window<> one_by_one(limited(1'000));
  fingerprint_window<> ahead(limited(1'000));
  std::vector<bool> answers;
  observe_ahead(ahead, std::span<const std::uint64_t>(keys), at(0),
                [&](std::size_t, const auto& j) { answers.push_back(j.is_duplicate); });
  std::uint64_t differing = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (one_by_one.observe(keys[i], at(0)).is_duplicate != answers[i]) ++differing;
  }
  CHECK(differing == 0);
  CHECK(snapshot(one_by_one) == snapshot(ahead));
}

TEST_CASE("options of a fingerprint_window that make no sense are refused with a sentence") {
  CHECK_THROWS_WITH(fingerprint_window<>({.events = 0}), "window_options.events must be 1 to 2^32 keys");
  CHECK_THROWS_WITH(fingerprint_window<>({.events = (std::size_t{1} << 32) + 1}),
                    "window_options.events must be 1 to 2^32 keys");
  CHECK_THROWS_WITH(fingerprint_window<>({.age = 0ns}), "window_options.age must be longer than zero");
}
