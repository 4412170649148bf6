// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "../../examples/recover/timeline.hpp"
#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recover::counts;
using recover::kind;
using recover::picture;
using recover::timeline;

const recoup::timestamp start(std::chrono::seconds(1'739'102'400));

counts sum_of(const picture::row& row) {
  counts sum = {};
  for (const counts& bucket : row.buckets) recover::add_to(sum, bucket);
  return sum;
}

// Its bucket, counted by hand.
std::size_t bucket_of(const picture& drawn, recoup::timestamp at) {
  return static_cast<std::size_t>((at - drawn.from) / drawn.width);
}

}  // namespace

TEST_CASE("an empty timeline has an empty picture") {
  const picture drawn = timeline().draw();
  CHECK(drawn.rows.empty());
  CHECK(drawn.buckets == 0);
}

TEST_CASE("each entry is in the bucket of its time whatever the order and the span") {
  std::mt19937_64 random(1);
  for (const recoup::duration span : {recoup::duration(900), recoup::duration(5ms), recoup::duration(3s),
                                      recoup::duration(40h), recoup::duration(std::chrono::hours(24 * 365 * 80))}) {
    timeline times;
    struct entry {
      std::string stream;
      recoup::timestamp at;
      std::size_t what;
      std::uint64_t count;
    };
    std::vector<entry> entries;
    for (int i = 0; i != 20'000; ++i) {
      const entry e{
          "stream " + std::to_string(random() % 9),
          start + recoup::duration(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span.count()))),
          random() % recover::kinds, 1 + random() % 3};
      times.add(e.stream, e.at, static_cast<kind>(e.what), e.count);
      entries.push_back(e);
    }
    const picture drawn = times.draw();
    CHECK(drawn.before == 0);
    CHECK(drawn.after == 0);
    CHECK(drawn.buckets <= 240);
    if (span > 1s) CHECK(drawn.buckets >= 120);
    std::map<std::string, std::vector<counts>> model;
    for (const entry& e : entries) {
      std::vector<counts>& row = model[e.stream];
      row.resize(drawn.buckets);
      row.at(bucket_of(drawn, e.at))[e.what] += e.count;
    }
    REQUIRE(drawn.rows.size() == model.size());
    for (const picture::row& row : drawn.rows) {
      CHECK(row.buckets == model[row.stream]);
      CHECK(row.total == sum_of(row));
    }
  }
}

TEST_CASE("a few hostile timestamps are counted at the edge and leave the picture as it is") {
  for (const int events : {9, 100, 100'000}) {
    timeline times;
    for (int i = 0; i != events; ++i) {
      times.add("a", start + i * 1s, kind::accepted);
      if (i == events / 2) {
        times.add("a", recoup::timestamp::max(), kind::rejected);
        if (events > 9) times.add("a", recoup::timestamp::min(), kind::review, 5);
      }
    }
    const picture drawn = times.draw();
    CHECK(drawn.after == 1);
    CHECK(drawn.before == (events > 9 ? 1 : 0));
    CHECK(drawn.latest == recoup::timestamp::max());
    CHECK(drawn.width * static_cast<std::int64_t>(drawn.buckets) <= 3 * events * 1s);
    REQUIRE(drawn.rows.size() == 1);
    CHECK(drawn.rows[0].buckets.back()[static_cast<std::size_t>(kind::rejected)] == 1);
    CHECK(sum_of(drawn.rows[0]) == drawn.rows[0].total);
  }
}

TEST_CASE("one timestamp in a hundred is random and the picture stands") {
  std::mt19937_64 random(2);
  timeline times;
  std::uint64_t hostile = 0;
  for (int i = 0; i != 300'000; ++i) {
    if (i % 100 == 99) {
      times.add("a", recoup::timestamp(recoup::duration(static_cast<std::int64_t>(random()))), kind::rejected);
      ++hostile;
    } else {
      times.add("a", start + i * 1ms, kind::accepted);
    }
  }
  const picture drawn = times.draw();
  CHECK(drawn.width * static_cast<std::int64_t>(drawn.buckets) <= 20min);
  CHECK(drawn.before + drawn.after + 5 >= hostile);
  CHECK(sum_of(drawn.rows.at(0)) == drawn.rows.at(0).total);
}

TEST_CASE("a night of silence is part of the picture") {
  timeline times;
  for (int i = 0; i != 100'000; ++i) times.add("a", start + i * 100ms, kind::accepted);
  for (int i = 0; i != 500; ++i) times.add("a", start + 11h + i * 100ms, kind::missing);
  const picture drawn = times.draw();
  CHECK(drawn.after == 0);
  CHECK(drawn.rows.at(0).buckets.at(bucket_of(drawn, start + 11h))[static_cast<std::size_t>(kind::missing)] > 0);
}

TEST_CASE("time that goes backwards is no matter") {
  timeline forwards, backwards;
  for (int i = 0; i != 10'000; ++i) {
    forwards.add("a", start + i * 1s, kind::accepted);
    backwards.add("a", start + (9'999 - i) * 1s, kind::accepted);
  }
  const picture a = forwards.draw(), b = backwards.draw();
  CHECK(a.from == b.from);
  CHECK(a.width == b.width);
  CHECK(a.rows.at(0).buckets == b.rows.at(0).buckets);
}

TEST_CASE("only the ends of time are a picture too") {
  timeline times;
  for (int i = 0; i != 2'000; ++i) {
    times.add("a", recoup::timestamp::min(), kind::accepted);
    times.add("a", recoup::timestamp::max(), kind::duplicate);
    times.add("a", recoup::timestamp(), kind::filled, std::numeric_limits<std::uint64_t>::max());
  }
  const picture drawn = times.draw();
  CHECK(drawn.buckets <= 240);
  CHECK(drawn.rows.at(0).buckets.front()[static_cast<std::size_t>(kind::accepted)] == 2'000);
  CHECK(drawn.rows.at(0).buckets.back()[static_cast<std::size_t>(kind::duplicate)] == 2'000);
  CHECK(drawn.rows.at(0).total[static_cast<std::size_t>(kind::filled)] == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("random timestamps of the whole range are a picture") {
  std::mt19937_64 random(3);
  timeline times;
  for (int i = 0; i != 100'000; ++i) {
    times.add("a", recoup::timestamp(recoup::duration(static_cast<std::int64_t>(random()))), kind::duplicate);
  }
  const picture drawn = times.draw();
  CHECK(drawn.buckets <= 240);
  CHECK(sum_of(drawn.rows.at(0))[static_cast<std::size_t>(kind::duplicate)] == 100'000);
}

TEST_CASE("streams beyond the first 256 share one row and the most findings come first") {
  timeline times;
  for (int stream = 0; stream != 1'000; ++stream) {
    const std::string name = stream == 7 ? "other streams" : "s" + std::to_string(stream);
    times.add(name, start, kind::accepted, 1'000);
    times.add(name, start, kind::duplicate, static_cast<std::uint64_t>(stream % 256));
    times.add(name, start + 1s, kind::missing);
  }
  const picture drawn = times.draw();
  REQUIRE(drawn.rows.size() == timeline::most_streams + 1);
  CHECK(drawn.rows.front().stream == "s255");
  CHECK(drawn.rows.back().pooled);
  CHECK(drawn.rows.back().total[static_cast<std::size_t>(kind::missing)] == 1'000 - timeline::most_streams);
  for (std::size_t i = 1; i + 1 != drawn.rows.size(); ++i) {
    CHECK_FALSE(drawn.rows[i].pooled);
    CHECK(recover::findings(drawn.rows[i - 1].total) >= recover::findings(drawn.rows[i].total));
  }
}

TEST_CASE("a reserved row is drawn once something is in it however many streams came before") {
  timeline times;
  times.reserve("all streams");
  CHECK(times.empty());
  CHECK(times.draw().rows.empty());
  for (int stream = 0; stream != 300; ++stream) times.add("s" + std::to_string(stream), start, kind::accepted);
  REQUIRE(times.draw().rows.size() == timeline::most_streams);
  times.add("all streams", start, kind::unusual);
  const picture drawn = times.draw();
  REQUIRE(drawn.rows.size() == timeline::most_streams + 1);
  CHECK(drawn.rows.front().stream == "all streams");
  CHECK_FALSE(drawn.rows.front().pooled);
  CHECK(drawn.rows.front().total[static_cast<std::size_t>(kind::unusual)] == 1);
}
