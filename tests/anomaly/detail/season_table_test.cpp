// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/season_table.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>

#include "catch.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::timestamp;
using table = recoup::detail::season_table<48>;

std::size_t part_of(timestamp at, duration period) {
  const auto width = table::width_of(period);
  return table::part_of(at, width, width == 0 ? 0 : 1 / static_cast<double>(width));
}

TEST_CASE("a time is in the half hour of the day it is in, before and after the epoch") {
  CHECK(part_of(timestamp(0s), 24h) == 0);
  CHECK(part_of(timestamp(30min - 1ns), 24h) == 0);
  CHECK(part_of(timestamp(30min), 24h) == 1);
  CHECK(part_of(timestamp(24h - 1ns), 24h) == 47);
  CHECK(part_of(timestamp(24h), 24h) == 0);
  CHECK(part_of(timestamp(-1ns), 24h) == 47);
  CHECK(part_of(timestamp(-30min), 24h) == 47);
  CHECK(part_of(timestamp(-30min - 1ns), 24h) == 46);
  CHECK(part_of(timestamp(365 * 24h * 50 + 14h + 30min), 24h) == 29);
  CHECK(part_of(timestamp(14h), 0s) == 0);
}

TEST_CASE("the part of a season is that of a division, whatever the time and the width") {
  std::mt19937_64 random(1);
  int wrong = 0;
  for (std::uint64_t i = 0; i < 200'000 * test_scale(); ++i) {
    const duration period = duration(static_cast<std::int64_t>(random() % 31'622'400'000'000'000 + 1'000'000'000));
    const std::int64_t width = (period.count() + 47) / 48;
    std::int64_t time = static_cast<std::int64_t>(random());
    if (i % 4 == 0) time = time / width * width + static_cast<std::int64_t>(random() % 3) - 1;  // near a border
    if (i % 1'000 == 0)
      time = i % 2'000 == 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
    std::int64_t part = time / width - (time % width < 0);
    part = ((part % 48) + 48) % 48;
    wrong += part_of(timestamp(duration(time)), period) != static_cast<std::size_t>(part);
  }
  CHECK(wrong == 0);
}

TEST_CASE("a part of a season learns its own mean and spread") {
  table t;
  for (int i = 0; i < 500; ++i) {
    for (const std::size_t part : {std::size_t{3}, std::size_t{4}}) {
      const double value = part == 3 ? 10 : (i % 2 == 0 ? -20 : 0);
      t.learn(part, value - t.mean(part), 1.0 / 16);
    }
  }
  CHECK_THAT(t.mean(3), Catch::Matchers::WithinAbs(10, 0.01));
  CHECK_THAT(t.mean(4), Catch::Matchers::WithinAbs(-10, 1));
  CHECK(t.spread(3) < 0.1);
  CHECK_THAT(t.spread(4), Catch::Matchers::WithinAbs(10, 1));
  CHECK(t.seen(3) == 255);
  CHECK(t.seen(5) == 0);
  CHECK(t.mean(5) == 0);
}

TEST_CASE("a season taken up from bytes is the same, and impossible ones are refused") {
  table t;
  std::mt19937_64 random(2);
  for (int i = 0; i < 1'000; ++i) t.learn(random() % 48, static_cast<double>(random() % 100), 0.1);
  recoup::snapshot_writer w;
  t.save(w);
  const auto bytes = w.take();
  table other;
  recoup::snapshot_reader r(bytes);
  REQUIRE(other.load(r));
  CHECK(r.at_end());
  for (std::size_t i = 0; i < 48; ++i) {
    CHECK(other.mean(i) == t.mean(i));
    CHECK(other.spread(i) == t.spread(i));
    CHECK(other.seen(i) == t.seen(i));
  }
  for (const std::size_t at : {std::size_t{3}, std::size_t{7}}) {  // the signs and exponents of a mean, a spread
    auto corrupt = bytes;
    corrupt[at] = std::byte{0xFF};
    corrupt[at - 1] = std::byte{0xFF};
    recoup::snapshot_reader bad(corrupt);
    CHECK_FALSE(other.load(bad));
  }
  recoup::snapshot_reader cut(std::span<const std::byte>(bytes).first(bytes.size() - 1));
  CHECK_FALSE(other.load(cut));
}

}  // namespace
