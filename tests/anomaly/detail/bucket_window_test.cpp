// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/bucket_window.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>

#include "catch.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "test_scale.hpp"

namespace {

using recoup::detail::bucket_window;

// All counts, of which the window is to show the highest.
struct all_counts {
  void add(std::int32_t bucket, std::uint64_t times) { counts[bucket] += times; }

  void require_is(const bucket_window& w, std::int32_t size) const {
    std::map<std::int32_t, std::uint64_t> shown;
    std::uint64_t total = 0;
    const std::int32_t low = counts.empty() ? 0 : counts.rbegin()->first - size + 1;
    for (const auto& [bucket, times] : counts) {
      shown[std::max(bucket, low)] += times;
      total += times;
    }
    REQUIRE(w.total() == total);
    REQUIRE(w.empty() == counts.empty());
    if (counts.empty()) return;
    REQUIRE(w.lowest() == shown.begin()->first);
    REQUIRE(w.highest() == shown.rbegin()->first);
    REQUIRE(w.has_collapsed() == (counts.begin()->first < low));
    for (std::int32_t bucket = w.lowest(); bucket <= w.highest(); ++bucket) {
      const auto found = shown.find(bucket);
      REQUIRE(w.at(bucket) == (found == shown.end() ? 0 : found->second));
    }
  }

  std::map<std::int32_t, std::uint64_t> counts;
};

TEST_CASE("A bucket window counts the highest buckets, and what is lower in the lowest", "[anomaly][bucket_window]") {
  std::mt19937_64 random(1);
  for (std::uint64_t round = 0; round < 300 * test_scale(); ++round) {
    bucket_window w(16);
    all_counts model;
    const auto spread = static_cast<std::int32_t>(1 + random() % 60);
    for (std::size_t i = random() % 60; i > 0; --i) {
      const auto bucket = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(spread)) - 20;
      const std::uint64_t times = 1 + random() % 5;
      w.add(bucket, times);
      model.add(bucket, times);
      model.require_is(w, 16);
    }
    bucket_window loaded(16);
    recoup::snapshot_writer saved;
    w.save(saved);
    recoup::snapshot_reader r(saved.written());
    REQUIRE(loaded.load(r, -100, 100));
    REQUIRE(r.at_end());
    model.require_is(loaded, 16);
    bucket_window twice = w;
    twice.merge(loaded);
    for (auto& [bucket, times] : model.counts) times *= 2;
    model.require_is(twice, 16);
  }
}

TEST_CASE("A bucket window takes the lowest and highest numbers that a double's magnitude has",
          "[anomaly][bucket_window]") {
  bucket_window w(64);
  w.add(-8'000'000, 3);
  w.add(8'000'000, 1);
  CHECK(w.lowest() == 8'000'000 - 63);
  CHECK(w.at(w.lowest()) == 3);
  CHECK(w.at(8'000'000) == 1);
  w.clear();
  CHECK(w.empty());
  CHECK_FALSE(w.has_collapsed());
}

TEST_CASE("A bucket window is not loaded from bytes that contradict themselves", "[anomaly][bucket_window]") {
  const auto refuses = [](std::uint64_t total, std::int32_t low, std::int32_t high, std::uint64_t each) {
    recoup::snapshot_writer w;
    w.u64(total);
    w.value(low);
    w.value(high);
    w.boolean(false);
    for (int i = 0; i < 16; ++i) w.u64(each);
    recoup::snapshot_reader r(w.written());
    return !bucket_window(16).load(r, -100, 100);
  };
  CHECK_FALSE(refuses(16, 0, 15, 1));
  CHECK(refuses(17, 0, 15, 1));
  CHECK(refuses(15, 0, 15, 1));
  CHECK(refuses(16, 15, 0, 1));
  CHECK(refuses(17, 0, 16, 1));
  CHECK(refuses(16, 90, 105, 1));
  CHECK(refuses(16, -105, -90, 1));
  CHECK(refuses(16, INT32_MIN, INT32_MAX, 1));
  CHECK(refuses(std::uint64_t{1} << 63, 0, 15, std::uint64_t{1} << 59));
  CHECK(refuses(1, 0, 1, 0));
}

}  // namespace
