// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/numbering.hpp"

#include <cstdint>
#include <limits>
#include <optional>

#include "catch.hpp"
#include "recoup/pipeline/detail/sequence_of.hpp"

namespace {

using recoup::fixed_step;
using recoup::sequence_range;

struct update {
  std::uint64_t previous = 0;
  std::uint64_t number = 0;
  std::optional<std::uint32_t> maybe;
  std::int64_t offset = 0;
};

using link = decltype(recoup::linked(&update::previous, &update::number)(update{}));
using grown = decltype(recoup::increasing(&update::number)(update{}));
using packet = decltype(recoup::numbers_from(&update::previous, &update::number)(update{}));
using sample = decltype(recoup::stepped(&update::number, fixed_step(2))(update{}));
static_assert(recoup::detail::is_numbering<link> && recoup::detail::is_numbering<grown>);
static_assert(recoup::detail::is_numbering<packet> && recoup::detail::is_numbering<sample>);

TEST_CASE("an event's fields become its numbers") {
  const update u{.previous = 7, .number = 12, .maybe = 9U, .offset = 40};
  const auto linked = recoup::linked(&update::previous, &update::number)(u);
  REQUIRE(linked);
  CHECK(linked->previous == 7);
  CHECK(linked->number == 12);
  CHECK(recoup::numbers_from(&update::previous, &update::number)(u) == sequence_range{7, 12});
  CHECK(recoup::increasing(&update::offset)(u)->number == 40);
  CHECK(recoup::stepped(&update::number, fixed_step(5, 2))(u) == 2U);
  CHECK(recoup::increasing(&update::maybe)(u)->number == 9);
}

TEST_CASE("numbers may be computed from an event") {
  const update u{.previous = 7, .number = 12, .maybe = {}, .offset = 40};
  const auto first = [](const update& e) { return e.number; };
  const auto last = [](const update& e) { return e.number + static_cast<std::uint64_t>(e.offset) - 1; };
  CHECK(recoup::numbers_from(first, last)(u) == sequence_range{12, 51});
  CHECK(recoup::linked(&update::previous, last)(u)->number == 51);
  CHECK(recoup::stepped(last, fixed_step(3))(u) == 17U);
}

TEST_CASE("an event of which a field is absent has no numbers") {
  const update absent{.previous = 7, .number = 12, .maybe = {}, .offset = -1};
  CHECK_FALSE(recoup::linked(&update::maybe, &update::number)(absent));
  CHECK_FALSE(recoup::linked(&update::previous, &update::offset)(absent));
  CHECK_FALSE(recoup::numbers_from(&update::maybe, &update::number)(absent));
  CHECK_FALSE(recoup::numbers_from(&update::previous, &update::offset)(absent));
  CHECK_FALSE(recoup::increasing(&update::maybe)(absent));
  CHECK_FALSE(recoup::increasing(&update::offset)(absent));
  CHECK_FALSE(recoup::stepped(&update::maybe, fixed_step(2))(absent));
  CHECK_FALSE(recoup::stepped(&update::offset, fixed_step(2))(absent));
  CHECK_FALSE(recoup::stepped(&update::previous, fixed_step(2))(absent));  // 7 is none of 0, 2, 4, ...
}

TEST_CASE("a range of which the end lies before the beginning is told as it is") {
  const update u{.previous = std::numeric_limits<std::uint64_t>::max(), .number = 0, .maybe = {}, .offset = 0};
  CHECK(recoup::numbers_from(&update::previous, &update::number)(u)->empty());
}

}  // namespace
