// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/window.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/bloom_window.hpp"
#include "recoup/dedup/compact_window.hpp"
#include "recoup/dedup/content_window.hpp"
#include "recoup/dedup/exact_window.hpp"
#include "recoup/dedup/fingerprint_window.hpp"
#include "recoup/dedup/integer_window.hpp"
#include "recoup/dedup/sequence_window.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::snapshot;
using recoup::timestamp;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

static_assert(recoup::dedup_window<recoup::exact_window<std::uint64_t>, std::uint64_t>);
static_assert(recoup::dedup_window<recoup::exact_window<>, std::string>);
static_assert(recoup::dedup_window<recoup::exact_window<>, std::string_view>);
static_assert(recoup::dedup_window<recoup::content_window, std::uint64_t>);
static_assert(recoup::dedup_window<recoup::fingerprint_window<>, std::uint64_t>);
static_assert(recoup::dedup_window<recoup::compact_window<>, std::uint64_t>);
static_assert(recoup::dedup_window<recoup::bloom_window, std::uint64_t>);
static_assert(recoup::dedup_window<recoup::sequence_window, std::uint64_t>);
static_assert(!recoup::dedup_window<std::vector<int>, int>);

std::uint64_t key_of(std::uint64_t number, std::uint64_t) { return number; }
std::string key_of(std::uint64_t number, const std::string&) { return "order-" + std::to_string(number); }

template <class Judgement>
bool is_same(const Judgement& a, const Judgement& b) {
  if constexpr (requires { a.first_seen; }) {
    if (a.first_seen != b.first_seen) return false;
  }
  return a.is_duplicate == b.is_duplicate;
}

// Spans of many lengths, whose keys repeat keys of the same span and of those before, near and far.
template <class Key, class Window>
void observes_ahead_as_one_by_one(const Window& empty) {
  constexpr std::array<std::size_t, 15> lengths{0, 1, 2, 31, 32, 33, 63, 64, 65, 100, 0, 257, 1, 500, 1'000};
  std::mt19937_64 random(17);
  Window ahead = empty;
  Window alone = empty;
  std::vector<std::uint64_t> so_far{0};
  std::uint64_t next = 1;
  std::int64_t now = 0;
  std::uint64_t differing = 0;
  std::uint64_t repeated_in_span = 0;
  for (int round = 0; round < 3; ++round) {
    for (const std::size_t length : lengths) {
      std::vector<Key> keys;
      const std::size_t before = so_far.size();
      while (keys.size() < length) {
        const std::uint64_t kind = random() % 8;
        const std::size_t reach = kind == 0 ? 1 : kind == 1 ? 40 : so_far.size();  // the last, a near one, any
        const bool repeats = kind < 3;
        const std::size_t back = 1 + random() % std::min(reach, so_far.size());
        if (repeats && so_far.size() - back >= before) ++repeated_in_span;
        so_far.push_back(repeats ? so_far[so_far.size() - back] : next++);
        keys.push_back(key_of(so_far.back(), Key()));
      }
      now += static_cast<std::int64_t>(random() % 50);
      std::size_t called = 0;
      recoup::observe_ahead(ahead, std::span<const Key>(keys), at(now), [&](std::size_t i, const auto& judged) {
        if (i != called++) ++differing;
        const auto expected = alone.observe(keys[i], at(now));
        if (!is_same(judged, expected)) ++differing;
        if (!ahead.judge(keys[i], at(now)).is_duplicate) ++differing;  // committed before each is called
      });
      if (called != length) ++differing;
      if (snapshot(ahead) != snapshot(alone)) ++differing;
    }
  }
  CHECK(differing == 0);
  CHECK(ahead.fresh() == alone.fresh());
  CHECK(ahead.duplicates() == alone.duplicates());
  CHECK(ahead.fresh() + ahead.duplicates() == so_far.size() - 1);
  CHECK(ahead.duplicates() > 500);
  CHECK(repeated_in_span > 500);
}

template <class Window>
void observes_ahead_as_one_by_one_with_texts_too(const Window& empty) {
  observes_ahead_as_one_by_one<std::uint64_t>(empty);
  observes_ahead_as_one_by_one<std::string>(empty);
}

}  // namespace

TEST_CASE("observing ahead in an exact window answers as observing one by one") {
  for (const std::size_t events : {1U, 30U, 700U, 10'000U}) {
    for (const bool renew : {false, true}) {
      const recoup::exact_window_options options{.events = events, .age = 300ns, .renew = renew};
      observes_ahead_as_one_by_one<std::uint64_t>(recoup::exact_window<std::uint64_t>(options));
      observes_ahead_as_one_by_one_with_texts_too(recoup::exact_window<>(options));
    }
  }
}

TEST_CASE("observing ahead in a window of fingerprints answers as observing one by one") {
  for (const bool renew : {false, true}) {
    observes_ahead_as_one_by_one_with_texts_too(
        recoup::fingerprint_window<>({.events = 700, .age = 300ns, .renew = renew}));
    observes_ahead_as_one_by_one<std::uint64_t>(recoup::integer_window<>({.events = 700, .renew = renew}));
    observes_ahead_as_one_by_one_with_texts_too(recoup::fingerprint_window<128>({.events = 700, .renew = renew}));
    observes_ahead_as_one_by_one_with_texts_too(recoup::compact_window<>({.events = 700, .renew = renew}));
    observes_ahead_as_one_by_one_with_texts_too(
        recoup::bloom_window({.events = 700, .false_positive_rate = 1e-4, .renew = renew}));
  }
}

TEST_CASE("observing ahead in a window of contents or numbers answers as observing one by one") {
  observes_ahead_as_one_by_one_with_texts_too(recoup::content_window({.events = 700, .within = 100ns}));
  observes_ahead_as_one_by_one<std::uint64_t>(recoup::sequence_window({.events = 700}));
}
