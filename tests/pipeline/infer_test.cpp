// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/infer.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "catch.hpp"
#include "orders.hpp"

namespace {

using namespace orders;

auto inferring(recoup::infer_options options = {}) {
  return recoup::assemble<order>(
      recoup::track_gaps(&order::partition, &order::offset, {.replay = {.max_attempts = 0}}),
      recoup::check(recoup::rule<"id.required">(recoup::required(&order::id), recoup::on_fail::dead_letter)),
      recoup::infer(&order::partition, &order::offset,
                    recoup::from_neighbours(recoup::midpoint(&order::at), recoup::most_frequent(&order::id)), options));
}

order numbered(std::uint64_t n, std::string id = "a") {
  return {.partition = 3, .offset = n, .id = std::move(id), .at = start + n * 1s};
}

}  // namespace

TEST_CASE("an inferred event has its stream and number and lies between its neighbours") {
  auto pipe = inferring();
  recorder told;
  for (const std::uint64_t n : {1U, 2U, 5U}) pipe.process(numbered(n, n == 1 ? "b" : "a"), start, told);
  told.lines.clear();
  pipe.advance(start, told);
  const auto time = [](int seconds) {
    return recoup::detail::show((start + std::chrono::seconds(seconds)).time_since_epoch());
  };
  CHECK(told.lines == std::vector<std::string>{"gap_found: stream 3 3-4",
                                               "inferred: stream 3 3 3/3 \"a\"r0 1*1=1 at " + time(3),
                                               "inferred: stream 3 4 3/4 \"a\"r0 1*1=1 at " + time(4)});
}

TEST_CASE("the real event supersedes the inferred one once") {
  auto pipe = inferring();
  recorder told;
  for (const std::uint64_t n : {1U, 3U}) pipe.process(numbered(n), start, told);
  pipe.advance(start, told);
  pipe.process(numbered(2, ""), start, told);  // a dead letter is none
  CHECK(told.count("inference_superseded") == 0);
  CHECK(pipe.process(numbered(2), start, told) == verdict::accepted);
  CHECK(told.count("inference_superseded") == 1);
  pipe.process(numbered(2), start, told);
  CHECK(told.count("inference_superseded") == 1);
}

TEST_CASE("a gap longer than max_run is not inferred") {
  auto pipe = inferring({.max_run = 2});
  recorder told;
  for (const std::uint64_t n : {1U, 4U, 8U}) pipe.process(numbered(n), start, told);
  pipe.advance(start, told);
  CHECK(told.count("inferred") == 2);
  CHECK(told.lines.back() == "not_inferred: stream 3 5-7");
}

TEST_CASE("a gap whose neighbours were dropped is not inferred") {
  auto pipe = inferring({.max_holes = 1});
  recorder told;
  for (const std::uint64_t n : {1U, 3U, 5U}) pipe.process(numbered(n), start, told);
  pipe.advance(start, told);
  CHECK(told.count("not_inferred") == 1);
  CHECK(told.count("inferred") == 1);
}

TEST_CASE("rejected events are no neighbours") {
  auto pipe = inferring();
  recorder told;
  pipe.process(numbered(1), start, told);
  pipe.process(numbered(2, ""), start, told);
  pipe.process(numbered(4), start, told);
  told.lines.clear();
  pipe.advance(start, told);
  CHECK(told.lines[0] == "gap_found: stream 3 3-3");
  CHECK(told.count("inferred") == 1);
}

TEST_CASE("bad options of infer are refused with a sentence") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(inferring({.bits = 0}), Contains("infer_options.bits"));
  CHECK_THROWS_WITH(inferring({.bits = 65}), Contains("infer_options.bits"));
  CHECK_THROWS_WITH(inferring({.max_run = 0}), Contains("infer_options.max_run"));
  CHECK_THROWS_WITH(inferring({.max_holes = 0}), Contains("infer_options.max_holes"));
}
