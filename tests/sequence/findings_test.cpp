// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/findings.hpp"

#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include "catch.hpp"

namespace {

using recoup::abandon_reason;
using recoup::describe;

static_assert(std::is_trivially_copyable_v<recoup::gap_found<>>);
static_assert(std::is_same_v<decltype(recoup::gap_abandoned<std::string>::stream), std::string>);
static_assert(describe(abandon_reason::age).find("give_up_after") != std::string_view::npos, "names the option");
static_assert(describe(abandon_reason::capacity).find("max_gaps") != std::string_view::npos, "names the option");

TEST_CASE("every reason to abandon has a text of its own that completes a sentence") {
  std::set<std::string_view> texts;
  for (const auto reason :
       {abandon_reason::attempts, abandon_reason::age, abandon_reason::capacity, abandon_reason::restart}) {
    const std::string_view text = describe(reason);
    CAPTURE(text);
    REQUIRE(text.size() > 10);
    CHECK(text.back() != '.');
    CHECK((text.front() >= 'a' && text.front() <= 'z'));
    CHECK(texts.insert(text).second);
  }
}

TEST_CASE("a reason that does not exist has a text too") {
  CHECK(describe(static_cast<abandon_reason>(200)) == "unknown reason");
}

}  // namespace
