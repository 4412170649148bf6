// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/detail/sequence_of.hpp"

#include <cstdint>
#include <limits>
#include <optional>

#include "catch.hpp"
#include "recoup/recoup.hpp"

using recoup::detail::sequence_of;

TEST_CASE("a sequence number is the field as it stands in its bits") {
  STATIC_REQUIRE(sequence_of(std::uint64_t{7}, 64) == 7);
  STATIC_REQUIRE(sequence_of(std::numeric_limits<std::uint64_t>::max(), 64) ==
                 std::numeric_limits<std::uint64_t>::max());
  STATIC_REQUIRE(sequence_of(std::int8_t{-128}, 8) == 128);
  STATIC_REQUIRE(sequence_of(std::int8_t{-1}, 8) == 255);
  STATIC_REQUIRE(sequence_of(std::numeric_limits<std::int32_t>::min(), 32) == std::uint64_t{1} << 31);
  enum class offset : std::int64_t { seven = 7, none = -1 };
  STATIC_REQUIRE(sequence_of(offset::seven, 64) == 7);
  STATIC_REQUIRE_FALSE(sequence_of(offset::none, 64));
}

TEST_CASE("an absent number and a negative one that stands for none are none") {
  STATIC_REQUIRE_FALSE(sequence_of(std::optional<std::uint32_t>{}, 64));
  STATIC_REQUIRE(sequence_of(std::optional<std::uint32_t>{3}, 64) == 3);
  STATIC_REQUIRE_FALSE(sequence_of(std::int64_t{-1}, 64));
  STATIC_REQUIRE_FALSE(sequence_of(std::int8_t{-1}, 16));
}

TEST_CASE("signed counters wrap through their negative half without a gap") {
  struct packet {
    std::int8_t n;
  };
  auto pipe = recoup::assemble<packet>(recoup::track_gaps(&packet::n, {.bits = 8}));
  for (int n = 0; n < 1'000; ++n) {
    pipe.process({static_cast<std::int8_t>(static_cast<std::uint8_t>(n))}, recoup::timestamp{}, [](const auto&) {});
  }
  CHECK(pipe.stage_at<0>().trackers().count(recoup::arrival::in_order) == 1'000);
}

TEST_CASE("an offset of -1 among others opens no gap") {
  struct message {
    std::int64_t offset;
  };
  auto pipe = recoup::assemble<message>(recoup::track_gaps(&message::offset));
  for (const std::int64_t offset : {-1, 1, 2, -1, 3, 4}) {
    pipe.process({offset}, recoup::timestamp{}, [](const auto&) {});
  }
  CHECK(pipe.stage_at<0>().tracker().missing_count() == 0);
  CHECK(pipe.stage_at<0>().tracker().high_position() == 4);
}
