// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/gap_tracker_options.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>

#include "catch.hpp"

namespace {

using recoup::gap_tracker_options;
using recoup::detail::configuration_of;
using namespace std::chrono_literals;

std::string refusal(const gap_tracker_options& o) {
  try {
    static_cast<void>(recoup::detail::checked(o));
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return {};
}

TEST_CASE("the options of a gap tracker are refused outside their range and taken at its ends") {
  CHECK(refusal({}).empty());
  CHECK(refusal({.bits = 1}).empty());
  CHECK(refusal({.bits = 0}).find("gap_tracker_options.bits") == 0);
  CHECK(refusal({.bits = 65}).find("gap_tracker_options.bits") == 0);
  CHECK(refusal({.max_gaps = 1}).empty());
  CHECK(refusal({.max_gaps = 0}).find("gap_tracker_options.max_gaps") == 0);
  CHECK(refusal({.max_gaps = std::size_t{1} << 28}).empty());
  CHECK(refusal({.max_gaps = (std::size_t{1} << 28) + 1}).find("gap_tracker_options.max_gaps") == 0);
  CHECK(refusal({.reorder_delay = 0ns}).empty());
  CHECK(refusal({.reorder_delay = -1ns}).find("gap_tracker_options.reorder_delay") == 0);
  CHECK(refusal({.replay = {.max_range = 0}}).find("replay_policy.max_range") == 0);
}

TEST_CASE("a snapshot depends on how numbers are read and on the room for gaps and on nothing else") {
  const std::set<std::uint64_t> different{configuration_of({}), configuration_of({.bits = 32}),
                                          configuration_of({.expect_from = 0}), configuration_of({.expect_from = 1}),
                                          configuration_of({.max_gaps = 5})};
  CHECK(different.size() == 5);
  CHECK(configuration_of({.reorder_distance = 3,
                          .reorder_delay = 1s,
                          .max_jump = 7,
                          .max_behind = 9,
                          .resynchronise_after = 0,
                          .replay = {.max_attempts = 1}}) == configuration_of({}));
}

}  // namespace
