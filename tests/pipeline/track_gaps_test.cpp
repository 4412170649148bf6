// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/track_gaps.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "orders.hpp"

namespace {
using namespace orders;
const auto ignore = [](const auto&) {};

struct packet {
  std::uint32_t channel = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// Writes down what it is told besides verdicts, in short.
struct scribe {
  std::vector<std::string> lines;

  template <class Told>
  void operator()(const Told& f) {
    using recoup::detail::show;
    if constexpr (requires { f.stream; }) {
      const std::string stream = show(f.stream) + ' ';
      if constexpr (requires { f.attempt; }) {
        lines.push_back("request " + stream + orders::show(f.range) + " #" + show(f.attempt));
      } else if constexpr (requires { f.reason; }) {
        lines.push_back("abandoned " + stream + orders::show(f.range));
      } else if constexpr (requires { f.range; }) {
        lines.push_back("found " + stream + orders::show(f.range));
      } else if constexpr (requires { f.resumed_at; }) {
        lines.push_back("resumed " + stream + show(f.expected) + " to " + show(f.resumed_at));
      } else if constexpr (requires { f.sequence; }) {
        lines.push_back("late " + stream + show(f.sequence));
      } else if constexpr (requires { f.missing; }) {
        lines.push_back("evicted " + stream + show(f.missing));
      } else {
        lines.push_back("unknown " + stream);
      }
    }
  }
};
using texts = std::vector<std::string>;

template <class List, class T>
inline constexpr bool has = false;
template <class... Ts, class T>
inline constexpr bool has<recoup::type_list<Ts...>, T> = (std::is_same_v<Ts, T> || ...);

template <class Pipeline>
texts advanced(Pipeline& pipe, timestamp now) {
  scribe told;
  pipe.advance(now, told);
  return told.lines;
}
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
  CHECK(told.lines[told.lines.size() - 2] == "late_arrival: stream 0 2-2");
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

TEST_CASE("streams that are small integers lie in an array and others are told as unknown") {
  auto pipe = recoup::assemble<packet>(
      recoup::track_gaps(&packet::channel, &packet::first, {.expect_from = 1}, recoup::dense_options{.capacity = 3}));
  using stage = std::decay_t<decltype(pipe.stage_at<0>())>;
  STATIC_REQUIRE(has<stage::findings, recoup::unknown_stream<std::uint32_t>>);
  STATIC_REQUIRE_FALSE(has<stage::findings, recoup::stream_evicted<std::uint32_t>>);
  scribe told;
  for (const std::uint32_t channel : {0U, 2U, 3U, std::numeric_limits<std::uint32_t>::max()}) {
    for (const std::uint64_t n : {1U, 4U}) CHECK(pipe.process({channel, n}, start, told) == verdict::accepted);
  }
  CHECK(told.lines == texts{"unknown 3 ", "unknown 3 ", "unknown 4294967295 ", "unknown 4294967295 "});
  CHECK(pipe.stage_at<0>().tracker(2U)->missing_count() == 2);
  CHECK(pipe.stage_at<0>().tracker(1U)->expected() == 1U);
  CHECK_FALSE(pipe.stage_at<0>().tracker(3U));
  CHECK_FALSE(pipe.forget({3, 4}, start));
  CHECK(pipe.stage_at<0>().trackers().count(recoup::arrival::stale) == 4);
  CHECK(pipe.stage_at<0>().trackers().count(recoup::arrival::in_order) == 2);
  CHECK(advanced(pipe, start) == texts{"found 0 2-3", "request 0 2-3 #1", "found 2 2-3", "request 2 2-3 #1"});
}

TEST_CASE("a sink that throws at an unknown stream is told again") {
  auto pipe = recoup::assemble<packet>(
      recoup::track_gaps(&packet::channel, &packet::first, {}, recoup::dense_options{.capacity = 1}));
  const auto failing = [](const auto& told) {
    if constexpr (std::is_same_v<std::decay_t<decltype(told)>, recoup::unknown_stream<std::uint32_t>>)
      throw sink_failure();
  };
  CHECK_THROWS_AS(pipe.process({5, 1}, start, failing), sink_failure);
  CHECK(pipe.stage_at<0>().trackers().count(recoup::arrival::stale) == 0);
  scribe told;
  pipe.process({5, 1}, start, told);
  CHECK(told.lines == texts{"unknown 5 "});
}

TEST_CASE("a stream in an array and one in a table miss the same") {
  auto array = recoup::assemble<order>(
      recoup::track_gaps(&order::partition, &order::offset, {.max_gaps = 5}, recoup::dense_options{.capacity = 6}));
  auto table = recoup::assemble<order>(recoup::track_gaps(&order::partition, &order::offset, {.max_gaps = 5}));
  for (const step& s : faulty_stream(3'000, 7)) {
    if (s.advances) REQUIRE(advanced(array, s.now) == advanced(table, s.now));
    scribe of_array;
    scribe of_table;
    array.process(s.event, s.now, of_array, s.from);
    table.process(s.event, s.now, of_table, s.from);
    REQUIRE(of_array.lines == of_table.lines);
  }
  for (std::uint32_t p = 0; p < 6; ++p) {
    const auto stream = table.stage_at<0>().tracker(p);
    REQUIRE(stream);
    CHECK(array.stage_at<0>().tracker(p)->missing_count() == stream->missing_count());
    CHECK(array.stage_at<0>().tracker(p)->expected() == stream->expected());
  }
  const auto& counts = array.stage_at<0>().trackers();
  CHECK(counts.count(recoup::arrival::filled) == table.stage_at<0>().trackers().count(recoup::arrival::filled));
  CHECK(counts.count(recoup::arrival::jump) > 0);
}

TEST_CASE("updates that name the one before them miss what lies between") {
  auto pipe = recoup::assemble<packet>(recoup::track_gaps(recoup::linked(&packet::first, &packet::last)));
  for (const packet& p : {packet{0, 0, 5}, {0, 5, 11}, {0, 20, 22}}) pipe.process(p, start, ignore);
  CHECK(advanced(pipe, start).front() == "found 0 12-20");
  pipe.process({0, 11, 20}, start, ignore, origin::replay);
  CHECK(pipe.stage_at<0>().tracker().missing_count() == 0);
  CHECK(pipe.forget({0, 5, 11}, start));
  CHECK(pipe.stage_at<0>().tracker().missing_count() == 6);
}

TEST_CASE("a packet stands for the numbers of all that it holds") {
  auto pipe = recoup::assemble<packet>(
      recoup::track_gaps(&packet::channel, recoup::numbers_from(&packet::first, &packet::last)));
  for (const packet& p : {packet{1, 1, 10}, {1, 16, 30}, {2, 5, 5}}) pipe.process(p, start, ignore);
  CHECK(advanced(pipe, start).front() == "found 1 11-15");
  pipe.process({1, 8, 13}, start, ignore);
  pipe.process({1, 9, 8}, start, ignore);  // none
  CHECK(pipe.stage_at<0>().tracker(1U)->missing_count() == 2);
  const auto& trackers = pipe.stage_at<0>().trackers();
  CHECK(trackers.count(recoup::arrival::filled) == 3);
  CHECK(trackers.count(recoup::arrival::duplicate) == 3);
  CHECK(trackers.found_count() - trackers.recovered_count() == 2);
}

TEST_CASE("of numbers that only grow nothing is missing") {
  auto pipe = recoup::assemble<packet>(recoup::track_gaps(&packet::channel, recoup::increasing(&packet::first)));
  for (const std::uint64_t n : {10U, 500U, 500U, 90'000'000U, 3U}) pipe.process({0, n}, start, ignore);
  CHECK(advanced(pipe, start).empty());
  CHECK(pipe.stage_at<0>().trackers().count(recoup::arrival::duplicate) == 1);
  CHECK(pipe.stage_at<0>().trackers().count(recoup::arrival::stale) == 1);
  CHECK(pipe.stage_at<0>().tracker(0U)->high_position() == 90'000'000U);
}

TEST_CASE("numbers of a step miss their steps and others have no number") {
  const recoup::fixed_step step(10, 100);
  auto pipe = recoup::assemble<packet>(recoup::track_gaps(recoup::stepped(&packet::first, step)));
  for (const std::uint64_t n : {100U, 110U, 115U, 150U, 7U}) pipe.process({0, n}, start, ignore);
  std::vector<recoup::sequence_range> found;
  pipe.advance(start, [&](const auto& f) {
    if constexpr (std::is_same_v<std::decay_t<decltype(f)>, recoup::gap_found<>>)
      found.push_back(step.numbers_of(f.range));
  });
  CHECK(found == std::vector<recoup::sequence_range>{{120, 140}});
  CHECK(pipe.stage_at<0>().trackers().count(recoup::arrival::stale) == 0);
}

TEST_CASE("a stream that goes on elsewhere is told with what is given up") {
  auto pipe = recoup::assemble<packet>(recoup::track_gaps(
      &packet::channel, &packet::first, {.max_jump = 100, .max_behind = 50, .resynchronise_after = 2}));
  scribe told;
  const auto receive = [&](std::uint64_t n, origin from = origin::live) { pipe.process({4, n}, start, told, from); };
  for (const std::uint64_t n : {1U, 3U, 5'000U}) receive(n);
  CHECK(told.lines.empty());
  receive(5'001, origin::replay);  // proves nothing
  CHECK(told.lines.empty());
  receive(5'001);
  CHECK(told.lines == texts{"abandoned 4 2-2", "resumed 4 4 to 5000"});
  told.lines.clear();
  for (const std::uint64_t n : {1U, 2U}) receive(n);
  CHECK(told.lines == texts{"resumed 4 5002 to 1"});
  CHECK(pipe.stage_at<0>().tracker(4U)->expected() == 3U);

  pipe.process({4, 500}, start, ignore);
  const auto failing = [](const auto& f) {
    if constexpr (requires { f.resumed_at; }) throw sink_failure();
  };
  CHECK_THROWS_AS(pipe.process({4, 501}, start, failing), sink_failure);
  CHECK(pipe.stage_at<0>().tracker(4U)->expected() == 3U);
  receive(501);
  CHECK(pipe.stage_at<0>().tracker(4U)->expected() == 502U);
}

TEST_CASE("requests are limited for all streams of a pipeline together") {
  auto pipe = recoup::assemble<packet>(
      recoup::track_gaps(&packet::channel, &packet::first, {.replay = {.max_attempts = 1, .max_requests = 3}}));
  for (std::uint32_t channel = 0; channel < 4; ++channel) {
    for (const std::uint64_t n : {1U, 3U, 5U}) pipe.process({channel, n}, start, ignore);
  }
  std::multiset<std::string> requests;
  for (const std::size_t expected : {3U, 3U, 2U, 0U}) {
    std::size_t now = 0;
    for (const std::string& line : advanced(pipe, start)) {
      if (!line.starts_with("request")) continue;
      requests.insert(line);
      ++now;
    }
    CHECK(now == expected);
  }
  CHECK(requests.size() == 8);
  CHECK(std::set<std::string>(requests.begin(), requests.end()).size() == 8);
}

TEST_CASE("a request that the sink says it could not send is made again and does not count") {
  auto pipe = recoup::assemble<packet>(recoup::track_gaps(
      &packet::channel, &packet::first, {.replay = {.max_attempts = 2, .first_wait = 1s, .longest_wait = 1s}}));
  for (const std::uint64_t n : {1U, 3U}) pipe.process({7, n}, start, ignore);
  bool can_send = false;
  std::vector<std::uint32_t> attempts;
  recoup::overloaded sink{[&](const recoup::replay_request<std::uint32_t>& r) {
                            attempts.push_back(r.attempt);
                            return can_send;
                          },
                          [](const auto&) {}};
  pipe.advance(start, sink);
  pipe.advance(start, sink);
  can_send = true;
  for (const auto wait : {0s, 0s, 1s}) pipe.advance(start + wait, sink);
  CHECK(attempts == std::vector<std::uint32_t>{1, 1, 1, 2});
}

TEST_CASE("an event that was lost and will never come is skipped in its stream") {
  auto pipe = recoup::assemble<packet>(recoup::track_gaps(&packet::channel, &packet::first));
  for (const std::uint64_t n : {1U, 5U}) pipe.process({0, n}, start, ignore);
  CHECK(pipe.stage_at<0>().trackers().skip(0U, {2, 3}, recoup::skip_reason::control, start) == 2);
  CHECK(advanced(pipe, start).front() == "found 0 4-4");
}

TEST_CASE("the gaps of a single stream are in a snapshot and not in an empty copy") {
  const auto assembled = [] {
    return recoup::assemble<packet>(recoup::track_gaps(&packet::first, {.reorder_delay = 1s}));
  };
  auto pipe = assembled();
  for (const std::uint64_t n : {1U, 5U, 7U}) pipe.process({0, n}, start, ignore);
  auto other = assembled();
  REQUIRE(restore(other, snapshot(pipe)));
  CHECK(advanced(other, start).empty());
  CHECK(advanced(other, start + 1s) == advanced(pipe, start + 1s));
  CHECK(other.stage_at<0>().trackers().found_count() == 4);
  const auto empty = pipe.empty_copy();
  CHECK(empty.stage_at<0>().tracker().missing_count() == 0);
  CHECK_FALSE(empty.stage_at<0>().tracker().expected());
  CHECK(snapshot(empty) == snapshot(assembled()));
}
