// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/detect_rate.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/pipeline/check.hpp"
#include "recoup/pipeline/pipeline.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::timestamp;

constexpr auto ignore = [](const auto&) {};
struct order {
  std::string shop;
  bool is_valid = true;
};
constexpr timestamp start = timestamp(1'700'000'040s);

recoup::rate_detector by_minute() { return recoup::rate_detector({.counts = {.bucket = 60s}}); }

// `seconds` of an order a second, from `from` on.
template <class Pipe, class Sink>
void feed(Pipe& pipe, Sink& sink, int from, int seconds, const order& o = {"a"}) {
  for (int s = from; s < from + seconds; ++s) {
    pipe.process(o, start + std::chrono::seconds(s), sink);
    pipe.advance(start + std::chrono::seconds(s), sink);
  }
}

TEST_CASE("a drop of the rate is told when its bucket closes though no event comes") {
  auto pipe = recoup::assemble<order>(recoup::detect_rate("orders", by_minute()));
  std::vector<recoup::anomaly<>> told;
  recoup::overloaded sink{[&](const recoup::anomaly<>& a) { told.push_back(a); }, ignore};
  feed(pipe, sink, 0, 30 * 3'600);
  CHECK(told.empty());
  pipe.advance(start + 30h + 10min, sink);
  REQUIRE_FALSE(told.empty());
  CHECK(told[0].name == "orders");
  CHECK(told[0].value == 0);
  CHECK(told[0].assessed.side == recoup::side::below);
  CHECK(told[0].at >= start + 30h - 1min);
  CHECK(told[0].at <= start + 30h + 2min);
  const std::size_t so_far = told.size();
  pipe.advance(start + 30h + 10min, sink);
  CHECK(told.size() == so_far);
}

TEST_CASE("only live events that pass are counted and forget takes one back") {
  auto pipe = recoup::assemble<order>(
      recoup::check(recoup::rule<"valid">([](const order& o) { return o.is_valid; }, recoup::on_fail::dead_letter)),
      recoup::detect_rate("orders", by_minute()));
  pipe.process({"a", false}, start, ignore);
  pipe.process({"a"}, start, ignore, recoup::origin::replay);
  pipe.process({"a"}, start, ignore);
  CHECK(pipe.stage_at<1>().detector().open() == 1);
  CHECK(pipe.forget({"a"}, start));
  CHECK(pipe.stage_at<1>().detector().open() == 0);
  recoup::overloaded refuse{[](const recoup::accepted<order>&) { throw std::runtime_error("no"); }, ignore};
  CHECK_THROWS(pipe.process({"a"}, start, refuse));
  CHECK(pipe.stage_at<1>().detector().open() == 0);
}

TEST_CASE("an event that fails after its bucket of a rate has ended is taken back all the same") {
  auto pipe = recoup::assemble<order>(recoup::detect_rate("orders", by_minute()));
  pipe.advance(start, ignore);
  pipe.process({"a"}, start + 59s, ignore);
  CHECK(pipe.forget({"a"}, start + 61s));
  CHECK(pipe.stage_at<0>().detector().open() == 0);
  CHECK(pipe.forget({"a"}, start + 61s));  // there is none left
  CHECK(pipe.stage_at<0>().detector().open() == 0);
}

TEST_CASE("each key has a rate of its own") {
  auto pipe = recoup::assemble<order>(recoup::detect_rate("orders", &order::shop, by_minute(), {}, {.capacity = 2}));
  std::vector<std::string> told;
  std::vector<std::string> evicted;
  recoup::overloaded sink{[&](const recoup::anomaly<std::string>& a) { told.push_back(a.key); },
                          [&](const recoup::detector_evicted<std::string>& e) { evicted.push_back(e.key); }, ignore};
  for (int s = 0; s < 30 * 3'600; ++s) {
    pipe.process({"a"}, start + std::chrono::seconds(s), sink);
    if (s < 29 * 3'600) pipe.process({"b"}, start + std::chrono::seconds(s), sink);
    pipe.advance(start + std::chrono::seconds(s), sink);
  }
  REQUIRE_FALSE(told.empty());
  for (const std::string& key : told) CHECK(key == "b");
  CHECK(evicted.empty());
  pipe.process({"c"}, start + 30h, sink);
  CHECK(evicted.size() == 1);
}

TEST_CASE("a sink that throws out of advance is told the same again and a snapshot goes on") {
  const auto make = [] {
    return recoup::assemble<order>(recoup::detect_rate("all", by_minute()),
                                   recoup::detect_rate("orders", &order::shop, by_minute()));
  };
  auto pipe = make();
  feed(pipe, ignore, 0, 30 * 3'600);
  auto other = make();
  REQUIRE(recoup::restore(other, recoup::snapshot(pipe)));
  std::vector<std::string> told;
  std::vector<std::string> told_other;
  int refusals = 3;
  recoup::overloaded sink{[&](const recoup::anomaly<>& a) {
                            if (refusals-- > 0) throw std::runtime_error("no");
                            told.push_back(a.why());
                          },
                          [&](const recoup::anomaly<std::string>& a) { told.push_back(a.why()); }, ignore};
  recoup::overloaded sink_other{[&](const recoup::anomaly<>& a) { told_other.push_back(a.why()); },
                                [&](const recoup::anomaly<std::string>& a) { told_other.push_back(a.why()); }, ignore};
  for (int i = 0; i < 3; ++i) CHECK_THROWS(pipe.advance(start + 31h, sink));
  CHECK_NOTHROW(pipe.advance(start + 31h, sink));
  other.advance(start + 31h, sink_other);
  CHECK_FALSE(told.empty());
  CHECK(told == told_other);
  CHECK(recoup::snapshot(pipe) == recoup::snapshot(other));
}

TEST_CASE("hostile times make no rate stage hang") {
  auto pipe = recoup::assemble<order>(recoup::detect_rate("orders", &order::shop, by_minute()));
  for (const timestamp t : {timestamp::max(), timestamp::min(), timestamp{}, start, timestamp::max()}) {
    pipe.process({"a"}, t, ignore);
    pipe.advance(t, ignore);
    pipe.process({"b"}, t, ignore);
  }
  CHECK(pipe.processed() == 10);
}

}  // namespace
