// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/deduplicate.hpp"

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "catch.hpp"
#include "orders.hpp"

namespace {
using namespace orders;
const auto ignore = [](const auto&) {};
}  // namespace

TEST_CASE("deduplicate agrees with a set of keys") {
  auto pipe = recoup::assemble<order>(
      recoup::deduplicate(recoup::key(&order::id, &order::revision), recoup::exact_window({.events = 4'096})));
  std::set<std::pair<std::string, std::uint32_t>> model;
  std::mt19937_64 random(1);
  for (int i = 0; i < 4'000; ++i) {
    const order o{.offset = {},
                  .id = std::to_string(random() % 300),
                  .revision = static_cast<std::uint32_t>(random() % 3),
                  .at = {}};
    if (random() % 10 == 0) {
      REQUIRE(pipe.forget(o, start) == (model.erase({o.id, o.revision}) == 1));
    } else {
      REQUIRE(pipe.process(o, start, ignore) ==
              (model.insert({o.id, o.revision}).second ? verdict::accepted : verdict::duplicate));
    }
  }
}

TEST_CASE("an event whose key has an absent part is neither judged nor remembered") {
  auto pipe = recoup::assemble<order>(
      recoup::deduplicate(recoup::key(&order::id, &order::offset), recoup::exact_window({.events = 8})));
  const order o{.offset = {}, .id = "a", .at = {}};
  CHECK(pipe.process(o, start, ignore) == verdict::accepted);
  CHECK(pipe.process(o, start, ignore) == verdict::accepted);
  CHECK(pipe.forget(o, start));
  CHECK(pipe.stage_at<0>().window().fresh() == 0);
}

TEST_CASE("the key of a rejected event is remembered") {
  auto pipe = recoup::assemble<order>(
      recoup::deduplicate(&order::revision, recoup::exact_window<std::uint32_t>({.events = 8})),
      recoup::check(recoup::rule<"id.required">(recoup::required(&order::id), recoup::on_fail::dead_letter)));
  CHECK(pipe.process({.offset = {}, .id = "", .revision = 7, .at = {}}, start, ignore) == verdict::dead_letter);
  CHECK(pipe.process({.offset = {}, .id = "", .revision = 7, .at = {}}, start, ignore) == verdict::duplicate);
}

TEST_CASE("an optional integer is a key of a window of integers") {
  auto pipe =
      recoup::assemble<order>(recoup::deduplicate(&order::offset, recoup::exact_window<std::uint64_t>({.events = 8})));
  CHECK(pipe.process({.offset = 3, .id = {}, .at = {}}, start, ignore) == verdict::accepted);
  CHECK(pipe.process({.offset = 3, .id = {}, .at = {}}, start, ignore) == verdict::duplicate);
  CHECK(pipe.process({.offset = {}, .id = {}, .at = {}}, start, ignore) == verdict::accepted);
}

TEST_CASE("a key older than the age of the window is new again") {
  auto pipe = recoup::assemble<order>(recoup::deduplicate(&order::id, recoup::exact_window({.events = 8, .age = 10s})));
  const order o{.offset = {}, .id = "a", .at = {}};
  CHECK(pipe.process(o, start, ignore) == verdict::accepted);
  CHECK(pipe.process(o, start + 10s, ignore) == verdict::duplicate);
  CHECK(pipe.process(o, start - 1h, ignore) == verdict::duplicate);
  CHECK(pipe.process(o, start + 11s, ignore) == verdict::accepted);
}
