// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/snapshot_status.hpp"

#include <set>
#include <string_view>

#include "catch.hpp"

TEST_CASE("every status of a snapshot has a sentence of its own") {
  using enum recoup::snapshot_status;
  std::set<std::string_view> sentences;
  for (const auto status : {ok, truncated, not_a_snapshot, other_endian, older_version, newer_version, corrupt,
                            other_configuration, malformed}) {
    const std::string_view sentence = describe(status);
    CHECK(sentence.ends_with('.'));
    CHECK(sentences.insert(sentence).second);
  }
  CHECK(describe(static_cast<recoup::snapshot_status>(200)) != describe(ok));
}
