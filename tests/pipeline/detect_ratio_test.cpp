// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/detect_ratio.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/pipeline/pipeline.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::timestamp;

constexpr auto ignore = [](const auto&) {};
struct event {
  std::string shop;
  bool is_scan;
};
constexpr timestamp start = timestamp(1'700'000'000s);
constexpr auto is_scan = [](const event& e) { return e.is_scan; };
constexpr auto is_entry = [](const event& e) { return !e.is_scan; };

// Scans every second, of which so many in a hundred become an entry at once.
template <class Pipe, class Sink>
void feed(Pipe& pipe, Sink& sink, int from, int seconds, std::uint64_t percent, const std::string& shop = "a") {
  std::mt19937_64 random(static_cast<std::uint64_t>(from));
  for (int s = from; s < from + seconds; ++s) {
    const timestamp now = start + std::chrono::seconds(s);
    pipe.process({shop, true}, now, sink);
    if (random() % 100 < percent) pipe.process({shop, false}, now, sink);
    pipe.advance(now, sink);
  }
}

TEST_CASE("a ratio that falls is told") {
  auto pipe = recoup::assemble<event>(
      recoup::detect_ratio("scans to entries", is_scan, is_entry, recoup::ratio_detector({.bucket = 60s})));
  std::vector<recoup::anomaly<>> told;
  recoup::overloaded sink{[&](const recoup::anomaly<>& a) { told.push_back(a); }, ignore};
  feed(pipe, sink, 0, 4 * 3'600, 95);
  CHECK(told.empty());
  feed(pipe, sink, 4 * 3'600, 1'800, 60);
  REQUIRE_FALSE(told.empty());
  CHECK(told[0].name == "scans to entries");
  CHECK(told[0].value < 0.9);
  CHECK(told[0].assessed.side == recoup::side::below);
  CHECK(told[0].at >= start + 4h - 1min);
}

TEST_CASE("each shop has a ratio of its own and a snapshot goes on") {
  const auto make = [] {
    return recoup::assemble<event>(
        recoup::detect_ratio("entries", &event::shop, is_scan, is_entry, recoup::ratio_detector({.bucket = 60s})));
  };
  auto pipe = make();
  feed(pipe, ignore, 0, 3 * 3'600, 95, "good");
  feed(pipe, ignore, 0, 3 * 3'600, 50, "half");
  auto restored = make();
  REQUIRE(recoup::restore(restored, recoup::snapshot(pipe)));
  std::vector<std::string> told;
  recoup::overloaded sink{[&](const recoup::anomaly<std::string>& a) { told.push_back(a.key); }, ignore};
  feed(restored, sink, 3 * 3'600, 3'600, 50, "half");
  CHECK(told.empty());
  feed(restored, sink, 4 * 3'600, 3'600, 50, "good");
  CHECK_FALSE(told.empty());
}

TEST_CASE("forget takes back what was counted of a ratio") {
  auto pipe = recoup::assemble<event>(recoup::detect_ratio("entries", is_scan, is_entry, recoup::ratio_detector()));
  pipe.process({"a", true}, start, ignore);
  pipe.process({"a", false}, start, ignore);
  const auto before = recoup::snapshot(pipe.stage_at<0>().detector());
  pipe.process({"a", false}, start, ignore);
  CHECK(recoup::snapshot(pipe.stage_at<0>().detector()) != before);
  CHECK(pipe.forget({"a", false}, start));
  CHECK(recoup::snapshot(pipe.stage_at<0>().detector()) == before);
}

TEST_CASE("an event that fails after its bucket of a ratio has ended is taken back all the same") {
  auto pipe = recoup::assemble<event>(
      recoup::detect_ratio("entries", is_scan, is_entry, recoup::ratio_detector({.bucket = 60s, .maturity = 10min})));
  pipe.advance(start, ignore);
  pipe.process({"a", true}, start + 1s, ignore);
  pipe.process({"a", true}, start + 2s, ignore);
  pipe.process({"a", false}, start + 3s, ignore);
  CHECK(pipe.forget({"a", true}, start + 9min));
  CHECK(pipe.forget({"a", false}, start + 2min));
  pipe.advance(start + 1h, ignore);
  CHECK(pipe.stage_at<0>().detector().counters().opened == 1);
  CHECK(pipe.stage_at<0>().detector().counters().followed == 0);
}

}  // namespace
