// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/fixed_string.hpp"

#include <string>
#include <string_view>
#include <type_traits>

#include "catch.hpp"

namespace {

using recoup::fixed_string;

template <fixed_string Name>
struct named {
  static constexpr std::string_view name = Name.view();
};

static_assert(named<"id.required">::name == "id.required");
static_assert(named<"">::name.empty());
static_assert(std::is_same_v<named<"a">, named<"a">>);
static_assert(!std::is_same_v<named<"a">, named<"b">>);
static_assert(!std::is_same_v<named<"a">, named<"a\0">>);

TEST_CASE("a string as a template argument is all its characters and outlives its scope") {
  std::string_view kept;
  { kept = named<"a\0b">::name; }
  CHECK(kept == std::string_view("a\0b", 3));
  CHECK(kept.data() == named<"a\0b">::name.data());
}

}  // namespace
