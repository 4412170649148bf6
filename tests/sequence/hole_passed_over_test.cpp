// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/hole_passed_over.hpp"

#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include "catch.hpp"

namespace {

using recoup::describe;
using recoup::pass_reason;

static_assert(std::is_trivially_copyable_v<recoup::hole_passed_over<>>);
static_assert(std::is_same_v<decltype(recoup::hole_passed_over<std::string>::stream), std::string>);
static_assert(describe(pass_reason::time).find("max_hold") != std::string_view::npos, "names the option");
static_assert(describe(pass_reason::capacity).find("max_events") != std::string_view::npos, "names the option");

TEST_CASE("every reason to pass a hole over has a text of its own that completes a sentence") {
  std::set<std::string_view> texts;
  for (const auto reason : {pass_reason::given_up, pass_reason::time, pass_reason::capacity, pass_reason::flush}) {
    const std::string_view text = describe(reason);
    CAPTURE(text);
    CHECK(text.size() > 10);
    CHECK(text.back() != '.');
    CHECK((text.front() >= 'a' && text.front() <= 'z'));
    CHECK(texts.insert(text).second);
  }
  CHECK(describe(static_cast<pass_reason>(200)) == "unknown reason");
}

}  // namespace
