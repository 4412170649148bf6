// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/detect.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "recoup/anomaly/ewma.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/pipeline/check.hpp"
#include "recoup/pipeline/pipeline.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::timestamp;
using recoup::verdict;

constexpr timestamp at(std::int64_t seconds) { return timestamp(std::chrono::seconds(seconds)); }

struct reading {
  std::string sensor;
  std::optional<double> celsius;
  bool is_valid = true;
};

constexpr auto ignore = [](const auto&) {};

double noise(std::uint64_t i) { return static_cast<double>(i * 7'919 % 101) / 100; }

template <class Pipe, class Sink>
void warm(Pipe& pipe, Sink& sink, const std::string& sensor, double level) {
  for (std::uint64_t i = 0; i < 200; ++i) {
    pipe.process(reading{sensor, level + noise(i)}, at(static_cast<std::int64_t>(i)), sink);
  }
}

TEST_CASE("an unusual value is told with its event and accepted") {
  auto pipe = recoup::assemble<reading>(recoup::detect("temperature", &reading::celsius, recoup::ewma()));
  std::vector<recoup::anomaly<>> told;
  std::vector<std::string> texts;
  recoup::overloaded sink{[&](const recoup::anomaly<>& a) {
                            told.push_back(a);
                            texts.push_back(a.why());
                          },
                          [](const recoup::accepted<reading>&) {}};
  warm(pipe, sink, "a", 20);
  CHECK(told.empty());
  CHECK(pipe.process({"a", 90.0}, at(200), sink) == verdict::accepted);
  REQUIRE(told.size() == 1);
  CHECK(told[0].name == "temperature");
  CHECK(told[0].at == at(200));
  CHECK(told[0].value == 90);
  CHECK(told[0].assessed.score > 14);
  CHECK(told[0].assessed.side == recoup::side::above);
  CHECK_THAT(texts[0], Catch::StartsWith("temperature: 90 is above what is usual, 1"));
  CHECK_THAT(texts[0], Catch::Contains("expected 20.") && Catch::Contains("; score "));
  CHECK(pipe.process({"a", std::nullopt}, at(201), sink) == verdict::accepted);
  CHECK(pipe.process({"a", std::nan("")}, at(201), sink) == verdict::accepted);
  CHECK(told.size() == 1);
  CHECK(pipe.stage_at<0>().detector().ignored() == 1);
}

TEST_CASE("an unusual value is held for review where that is asked for and learnt all the same") {
  auto pipe = recoup::assemble<reading>(
      recoup::detect("temperature", &reading::celsius, recoup::ewma({.half_life = 5}), {}, recoup::on_fail::review));
  std::string why;
  recoup::overloaded sink{[](const recoup::accepted<reading>&) {},
                          [&](const recoup::review<reading>& r) { why = r.why(); }};
  warm(pipe, sink, "a", 20);
  CHECK(pipe.process({"a", 90.0}, at(200), sink) == verdict::review);
  CHECK_THAT(why, Catch::StartsWith("temperature: 90 is above what is usual"));
  int held = 0;
  for (std::int64_t i = 0; i < 200; ++i) held += pipe.process({"a", 90.0}, at(200 + i), sink) == verdict::review;
  CHECK(held > 1);
  CHECK(held < 150);  // a level that stays becomes the usual one
}

TEST_CASE("only live events that pass are learnt") {
  const auto rule = recoup::rule<"valid">([](const reading& r) { return r.is_valid; }, recoup::on_fail::dead_letter);
  auto before = recoup::assemble<reading>(recoup::check(rule), recoup::detect("t", &reading::celsius, recoup::ewma()));
  auto behind = recoup::assemble<reading>(recoup::detect("t", &reading::celsius, recoup::ewma()), recoup::check(rule));
  warm(before, ignore, "a", 20);
  warm(behind, ignore, "a", 20);
  const recoup::assessment usual = before.stage_at<1>().detector().assess(at(300), 21);
  for (int i = 0; i < 100; ++i) {
    const reading bad{"a", 30.0, false};
    const reading good{"a", 30.0, true};
    CHECK(before.process(bad, at(200), ignore) == verdict::dead_letter);
    CHECK(behind.process(bad, at(200), ignore) == verdict::dead_letter);
    for (const auto from : {recoup::origin::replay, recoup::origin::correction, recoup::origin::inferred}) {
      before.process(good, at(200), ignore, from);
      behind.process(good, at(200), ignore, from);
    }
  }
  CHECK(before.stage_at<1>().detector().assess(at(300), 21) == usual);
  CHECK(behind.stage_at<0>().detector().assess(at(300), 21) == usual);
  before.process({"a", 30.0}, at(200), ignore);
  CHECK_FALSE(before.stage_at<1>().detector().assess(at(300), 21) == usual);
}

TEST_CASE("a sink that throws leaves the detector as it was") {
  auto pipe = recoup::assemble<reading>(
      recoup::detect("t", &reading::sensor, &reading::celsius, recoup::ewma(), {}, {.capacity = 1}));
  warm(pipe, ignore, "a", 20);
  const auto before = recoup::snapshot(pipe);
  recoup::overloaded refuse{[](const recoup::accepted<reading>&) { throw std::runtime_error("no"); }, ignore};
  recoup::overloaded refuse_evicted{
      [](const recoup::detector_evicted<std::string>&) { throw std::runtime_error("no"); }, ignore};
  CHECK_THROWS(pipe.process({"a", 90.0}, at(200), refuse));
  CHECK_THROWS(pipe.process({"b", 90.0}, at(200), refuse_evicted));
  CHECK(recoup::snapshot(pipe) == before);
}

TEST_CASE("each key has a detector of its own and one that has to go is told") {
  auto pipe = recoup::assemble<reading>(
      recoup::detect("t", &reading::sensor, &reading::celsius, recoup::ewma(), {}, {.capacity = 2, .idle = 1h}));
  std::vector<std::string> unusual;
  std::vector<std::string> evicted;
  recoup::overloaded sink{[](const recoup::accepted<reading>&) {},
                          [&](const recoup::anomaly<std::string>& a) { unusual.push_back(a.key); },
                          [&](const recoup::detector_evicted<std::string>& e) {
                            CHECK(e.name == "t");
                            evicted.push_back(e.key);
                          }};
  warm(pipe, sink, "cold", -20);
  warm(pipe, sink, "hot", 300);
  pipe.process({"cold", 300.0}, at(200), sink);
  pipe.process({"hot", 300.0}, at(200), sink);
  CHECK(unusual == std::vector<std::string>{"cold"});
  pipe.process({"new", 5.0}, at(201), sink);
  CHECK(evicted.size() == 1);
  CHECK(pipe.stage_at<0>().detector("new") != nullptr);
  pipe.advance(at(201) + 2h, sink);
  CHECK(evicted.size() == 3);
  CHECK(pipe.stage_at<0>().detector("new") == nullptr);
}

TEST_CASE("one by one and as a span a detecting pipeline answers the same and its snapshot goes on") {
  const auto make = [] {
    return recoup::assemble<reading>(recoup::detect("t", &reading::celsius, recoup::ewma()),
                                     recoup::detect("each", &reading::sensor, &reading::celsius, recoup::ewma()));
  };
  auto single = make();
  auto spans = make();
  std::mt19937_64 random(4);
  std::vector<double> told_single;
  std::vector<double> told_spans;
  recoup::overloaded first{[&](const recoup::anomaly<>& a) { told_single.push_back(a.assessed.score); }, ignore};
  recoup::overloaded second{[&](const recoup::anomaly<>& a) { told_spans.push_back(a.assessed.score); }, ignore};
  for (int round = 0; round < 40; ++round) {
    std::vector<reading> batch;
    for (int i = 0; i < 50; ++i) {
      const double value = random() % 100 == 0 ? 1e6 : noise(random());
      batch.push_back({std::to_string(random() % 5), random() % 10 == 0 ? std::nullopt : std::optional(value)});
    }
    for (const reading& r : batch) single.process(r, at(round), first);
    spans.process(std::span<const reading>(batch), at(round), second);
    if (round == 20) {
      auto restored = make();
      REQUIRE(recoup::restore(restored, recoup::snapshot(spans)));
      spans = std::move(restored);
    }
  }
  CHECK(told_single.size() > 5);
  CHECK(told_single == told_spans);
  CHECK(recoup::snapshot(single) == recoup::snapshot(spans));
}

TEST_CASE("a detecting stage counts what it judged and refuses a threshold that is none") {
  auto pipe = recoup::assemble<reading>(recoup::detect("t", &reading::celsius, recoup::ewma()));
  warm(pipe, ignore, "a", 20);
  pipe.process({"a", std::numeric_limits<double>::infinity()}, timestamp::max(), ignore);
  pipe.process({"a", -1e300}, timestamp::min(), ignore);
  std::vector<std::uint64_t> counters;
  pipe.stats([&](std::string_view stage, std::string_view, std::uint64_t value) {
    if (stage == "detect") counters.push_back(value);
  });
  CHECK(counters == std::vector<std::uint64_t>{202, 1, 1});
  CHECK_THROWS_WITH(recoup::assemble<reading>(recoup::detect("t", &reading::celsius, recoup::ewma(), {.score = 0})),
                    Catch::Contains("detect_options.score must be above 0"));
}

}  // namespace
