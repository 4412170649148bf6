// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/findings.hpp"

#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"

namespace {
struct event {
  int id;
};
}  // namespace

TEST_CASE("a flagged event explains itself when asked, and only then") {
  int asked = 0;
  const auto reasons = [&asked] {
    ++asked;
    return std::vector<recoup::reason>{{"id.odd", "3 is odd"}, {"id.small", "3 is below 10"}};
  };
  const event e{3};
  const recoup::flagged<event> f{e, recoup::explanation(reasons)};
  CHECK(&f.event == &e);
  CHECK(asked == 0);
  CHECK(f.why() == "id.odd: 3 is odd; id.small: 3 is below 10");
  CHECK(asked == 1);
}

TEST_CASE("findings of a pipeline with one stream need not name it") {
  STATIC_REQUIRE(std::is_same_v<recoup::inferred<event>, recoup::inferred<event, recoup::only_stream>>);
  STATIC_REQUIRE(std::is_same_v<recoup::not_inferred<>, recoup::not_inferred<recoup::only_stream>>);
  STATIC_REQUIRE(
      std::is_same_v<recoup::inference_superseded<event>, recoup::inference_superseded<event, recoup::only_stream>>);
  STATIC_REQUIRE(std::is_same_v<recoup::stream_evicted<>, recoup::stream_evicted<recoup::only_stream>>);
}
