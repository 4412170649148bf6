// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/bucket_ring.hpp"

#include <cstdint>
#include <random>
#include <vector>

#include "anomaly/conduct.hpp"
#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::timestamp;

struct bucket {
  std::vector<int> items;

  bool is_empty() const { return items.empty(); }
  void clear() { items.clear(); }
  void save(recoup::snapshot_writer& w) const {
    w.u64(items.size());
    for (const int i : items) w.value(i);
  }
  bool load(recoup::snapshot_reader& r) {
    items.resize(r.count(100));
    for (int& i : items)
      if (!r.value(i)) return false;
    return r.ok();
  }
};
using ring = recoup::detail::bucket_ring<bucket>;

struct closed {
  timestamp start;
  std::vector<int> items;
  bool operator==(const closed&) const = default;
};
struct happened {
  std::vector<closed> buckets;
  std::uint64_t skipped = 0;
  int lost = 0;
};

happened advance(ring& r, timestamp now) {
  happened h;
  r.advance(
      now,
      [&](timestamp start, const bucket& b) {
        h.buckets.push_back({start, b.items});
      },
      [&](timestamp, std::uint64_t n) { h.skipped += n; }, [&](const bucket&) { ++h.lost; });
  return h;
}

ring::place put(ring& r, timestamp time, int item) {
  return r.at(time, [&](bucket& b, timestamp start) {
    REQUIRE((time >= start && time < start + 10s));
    b.items.push_back(item);
  });
}

}  // namespace

TEST_CASE("Buckets close in order, once they are complete", "[anomaly][ratio]") {
  ring r(10s, 5s, 1min, 3, {});  // four are open at once
  CHECK(r.buckets().size() == 4);
  CHECK(put(r, timestamp(-1s), 1) == ring::place::open);  // the first event tells where to begin
  CHECK(r.due() == timestamp(5s));
  CHECK(put(r, timestamp(0s), 2) == ring::place::open);
  CHECK(put(r, timestamp(9s), 3) == ring::place::open);
  CHECK(put(r, timestamp(29s), 4) == ring::place::open);
  CHECK(put(r, timestamp(30s), 5) == ring::place::ahead);
  CHECK(put(r, timestamp(-11s), 6) == ring::place::late);
  CHECK(r.find(timestamp(30s)) == nullptr);
  REQUIRE(r.find(timestamp(5s)) != nullptr);
  CHECK(r.find(timestamp(5s))->items == std::vector{2, 3});
  CHECK(advance(r, timestamp(4s)).buckets.empty());
  CHECK(advance(r, timestamp(15s)).buckets == std::vector<closed>{{timestamp(-10s), {1}}, {timestamp(0s), {2, 3}}});
  CHECK(put(r, timestamp(9s), 7) == ring::place::late);
  CHECK(put(r, timestamp(49s), 8) == ring::place::open);
}

TEST_CASE("A leap passes over empty buckets at once, and a step far back begins anew", "[anomaly][ratio]") {
  ring r(10s, 0s, 1min, 4, {});
  put(r, timestamp(0s), 1);
  (void)advance(r, timestamp(1s));
  put(r, timestamp(15s), 2);
  const auto leap = advance(r, timestamp(24h));
  CHECK(leap.buckets == std::vector<closed>{{timestamp(0s), {1}}, {timestamp(10s), {2}}});
  CHECK(leap.skipped == 24 * 360 - 2);
  put(r, timestamp(24h), 3);
  CHECK(advance(r, timestamp(24h) - 1min).lost == 0);  // not far
  CHECK(r.due() == timestamp(24h) + 10s);
  CHECK(advance(r, timestamp(24h) - 2min).lost == 1);
  CHECK(r.due() == timestamp(24h) - 2min + 10s);
  CHECK(r.is_empty());
}

TEST_CASE("Buckets at the ends of time open and close", "[anomaly][ratio]") {
  ring r(1h, 0s, 24h, 4, {});
  std::mt19937_64 random(1);
  for (int i = 0; i < 5'000; ++i) {
    const auto where = r.at(conduct::any_time(random), [&](bucket& b, timestamp) { b.items.assign(1, i); });
    if (where == ring::place::open) REQUIRE_FALSE(r.is_empty());
    (void)advance(r, conduct::any_time(random));
    ring restored(1h, 0s, 24h, 4, {});
    REQUIRE(conduct::load(restored, conduct::bytes_of(r)));
    REQUIRE(conduct::bytes_of(restored) == conduct::bytes_of(r));
    REQUIRE(restored.due() == r.due());
  }
}
