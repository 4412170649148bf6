// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/skip_reason.hpp"

#include <cstddef>
#include <cstdint>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "sequence/gap_tracker_model.hpp"

namespace {

using namespace gap_model;
using recoup::skip_reason;

static_assert(static_cast<std::size_t>(skip_reason::other) + 1 == recoup::skip_reasons);

TEST_CASE("skipped numbers are counted by reason, also behind a snapshot") {
  gap_tracker t({.expect_from = 0});
  t.skip({0, 0}, skip_reason::control, start);
  t.skip({1, 2}, skip_reason::compacted, start);
  t.skip({3, 6}, skip_reason::deleted, start);
  t.skip({7, 14}, skip_reason::gap_fill, start);
  t.skip({15, 30}, skip_reason::other, start);
  t.skip({15, 30}, skip_reason::control, start);  // said before
  gap_tracker restored({.expect_from = 0});
  REQUIRE(recoup::restore(restored, recoup::snapshot(t)));
  for (const gap_tracker* each : {&t, &restored}) {
    CHECK(each->skipped_count(skip_reason::control) == 1);
    CHECK(each->skipped_count(skip_reason::compacted) == 2);
    CHECK(each->skipped_count(skip_reason::deleted) == 4);
    CHECK(each->skipped_count(skip_reason::gap_fill) == 8);
    CHECK(each->skipped_count(skip_reason::other) == 16);
    CHECK(each->skipped_count() == 31);
  }
}

}  // namespace
