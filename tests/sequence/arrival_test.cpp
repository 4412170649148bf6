// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/arrival.hpp"

#include <cstddef>
#include <set>
#include <string_view>

#include "catch.hpp"

namespace {

using recoup::arrival;
using recoup::name_of;

static_assert(name_of(arrival::in_order) == "in_order");
static_assert(name_of(arrival::ahead) == "ahead");
static_assert(name_of(arrival::filled) == "filled");
static_assert(name_of(arrival::late) == "late");
static_assert(name_of(arrival::duplicate) == "duplicate");
static_assert(name_of(arrival::stale) == "stale");
static_assert(name_of(arrival::jump) == "jump");
static_assert(name_of(arrival::restart) == "restart");

TEST_CASE("every arrival has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) {
    const std::string_view name = name_of(static_cast<arrival>(a));
    CHECK_FALSE(name.empty());
    CHECK(names.insert(name).second);
  }
  CHECK(static_cast<std::size_t>(arrival::restart) + 1 == recoup::arrival_kinds);
}

}  // namespace
