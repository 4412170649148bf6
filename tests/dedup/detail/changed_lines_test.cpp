// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/detail/changed_lines.hpp"

#include <cstddef>
#include <random>
#include <set>
#include <utility>

#include "catch.hpp"

namespace {

using recoup::detail::changed_lines;

TEST_CASE("changed lines are those of a set") {
  std::mt19937_64 random(1);
  for (const std::size_t lines : {1U, 63U, 64U, 65U, 1'000U}) {
    changed_lines changed;
    std::set<std::size_t> model;
    changed.mark(0);
    CHECK(changed.count() == 0);
    changed.watch(lines);
    for (std::size_t i = 0; i < lines; ++i) model.insert(i);
    for (int step = 0; step < 4'000; ++step) {
      REQUIRE(changed.count() == model.size());
      if (random() % 3 == 0 || model.empty()) {
        const std::size_t line = random() % lines;
        changed.mark(line);
        model.insert(line);
      } else {
        REQUIRE(model.erase(changed.take()) == 1);
      }
    }
    changed.stop();
    CHECK_FALSE(changed.is_watched());
    CHECK(changed.count() == 0);
  }
}

TEST_CASE("a copy of a watched table is not watched") {
  changed_lines watched;
  watched.watch(10);
  changed_lines copy(watched);
  CHECK_FALSE(copy.is_watched());
  copy = watched;
  CHECK_FALSE(copy.is_watched());
  CHECK(watched.is_watched());
  const changed_lines moved(std::move(watched));
  CHECK(moved.is_watched());
  CHECK(moved.count() == 10);
}

}  // namespace
