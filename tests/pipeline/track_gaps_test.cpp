// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/track_gaps.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "orders.hpp"

namespace {
using namespace orders;
const auto ignore = [](const auto&) {};
}  // namespace

TEST_CASE("each stream misses what a set of its numbers misses") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::partition, &order::offset));
  std::map<std::uint32_t, std::set<std::uint64_t>> model;
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    const auto partition = static_cast<std::uint32_t>(random() % 5);
    const std::uint64_t offset = 1'000 + i + random() % 20;
    if (model[partition].empty() || offset > *model[partition].begin()) model[partition].insert(offset);
    pipe.process({.partition = partition, .offset = offset, .id = {}, .at = {}}, start, ignore);
  }
  for (const auto& [partition, numbers] : model) {
    const auto tracker = pipe.stage_at<0>().tracker(partition);
    REQUIRE(tracker);
    CHECK(tracker->missing_count() == *numbers.rbegin() - *numbers.begin() + 1 - numbers.size());
  }
}

TEST_CASE("streams of text are found by any text") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::id, &order::offset));
  pipe.process({.offset = 1, .id = "north", .at = {}}, start, ignore);
  pipe.process({.offset = 4, .id = "north", .at = {}}, start, ignore);
  pipe.process({.offset = 1, .id = "south", .at = {}}, start, ignore);
  REQUIRE(pipe.stage_at<0>().tracker(std::string_view("north")));
  CHECK(pipe.stage_at<0>().tracker(std::string_view("north"))->missing_count() == 2);
  CHECK_FALSE(pipe.stage_at<0>().tracker(std::string_view("east")));
  recorder told;
  pipe.advance(start, told);
  CHECK(told.lines.front() == "gap_found: stream \"north\" 2-3");
}

TEST_CASE("an event without a number is passed over") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::partition, &order::offset));
  CHECK(pipe.process({.offset = {}, .id = {}, .at = {}}, start, ignore) == verdict::accepted);
  CHECK_FALSE(pipe.stage_at<0>().tracker(0U));
  CHECK(pipe.forget({.offset = {}, .id = {}, .at = {}}, start));
}

TEST_CASE("idle streams are evicted by advance and told") {
  auto pipe =
      recoup::assemble<order>(recoup::track_gaps(&order::partition, &order::offset, {}, {.capacity = 4, .idle = 10s}));
  recorder told;
  pipe.process({.offset = 1, .id = {}, .at = {}}, start, told);
  pipe.process({.offset = 3, .id = {}, .at = {}}, start, told);
  pipe.advance(start + 10s, told);
  CHECK(told.count("stream_evicted") == 0);
  pipe.advance(start + 11s, told);
  CHECK(told.lines.back() == "stream_evicted: stream 0 1 missing");
  CHECK_FALSE(pipe.stage_at<0>().tracker(0U));
}

TEST_CASE("a stream taken out of one pipeline goes on in another") {
  auto one = recoup::assemble<order>(recoup::track_gaps(&order::partition, &order::offset));
  auto other = recoup::assemble<order>(recoup::track_gaps(&order::partition, &order::offset));
  one.process({.partition = 7, .offset = 1, .id = {}, .at = {}}, start, ignore);
  one.process({.partition = 7, .offset = 5, .id = {}, .at = {}}, start, ignore);
  auto taken = one.stage_at<0>().trackers().take(7U);
  REQUIRE(taken);
  CHECK(other.stage_at<0>().trackers().put(7, *std::move(taken), start));
  recorder told;
  one.advance(start, told);
  CHECK(told.lines.empty());
  other.advance(start, told);
  CHECK(told.lines.front() == "gap_found: stream 7 2-4");
}

TEST_CASE("a number that had been given up is told as late") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::offset, {.replay = {.give_up_after = 1s}}));
  recorder told;
  for (const std::uint64_t n : {1U, 3U}) pipe.process({.offset = n, .id = {}, .at = {}}, start, told);
  pipe.advance(start + 1s, told);
  CHECK(told.lines.back() == "gap_abandoned by time: stream 0 2-2 it was missing for longer than give_up_after");
  pipe.process({.offset = 2, .id = {}, .at = {}}, start, told);
  CHECK(told.lines[told.lines.size() - 2] == "late_arrival: stream 0 2");
}

TEST_CASE("narrow numbers wrap") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::offset, {.bits = 12}));
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    if (n % 1'000 != 7) pipe.process({.offset = n % 4'096, .id = {}, .at = {}}, start, ignore);
  }
  CHECK(pipe.stage_at<0>().tracker().missing_count() == 10);
  CHECK(pipe.stage_at<0>().tracker().expected() == 10'000U);
}

TEST_CASE("streams of bounded and absent text are streams of their own") {
  struct row {
    char device[4];
    char next[4];
    const char* site;
    std::uint64_t number;
  };
  const auto streams_of = [](const auto& pipe) {
    std::set<std::string> names;
    pipe.template stage_at<0>().trackers().for_each([&](const std::string& name, const auto&) { names.insert(name); });
    return names;
  };
  auto devices = recoup::assemble<row>(recoup::track_gaps(&row::device, &row::number));
  auto sites = recoup::assemble<row>(recoup::track_gaps(&row::site, &row::number));
  for (std::uint64_t n = 1; n < 4; ++n) {
    const row r{{'a', 'b', 'c', 'd'}, {static_cast<char>('0' + n)}, n == 2 ? "" : nullptr, n};
    devices.process(r, start, ignore);
    sites.process(r, start, ignore);
  }
  CHECK(streams_of(devices) == std::set<std::string>{"abcd"});
  CHECK(streams_of(sites) == std::set<std::string>{""});
  CHECK(devices.stage_at<0>().tracker("abcd")->expected() == 4U);
  CHECK(sites.stage_at<0>().tracker("")->missing_count() == 0);
}

TEST_CASE("the name of a stream of text is built from text that is null or not terminated") {
  using recoup::detail::make_stream;
  const char bounded[2] = {'a', 'b'};
  const char* const absent = nullptr;
  CHECK(make_stream<std::string>(bounded) == "ab");
  CHECK(make_stream<std::string>(absent).empty());
  CHECK(make_stream<std::string>(std::string_view("north").substr(0, 2)) == "no");
  CHECK(make_stream<std::uint32_t>(std::uint32_t{7}) == 7U);
}
