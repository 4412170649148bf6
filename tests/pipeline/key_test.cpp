// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/key.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "catch.hpp"
#include "recoup/core/fingerprint.hpp"

namespace {

struct order {
  std::string id;
  std::optional<int> revision;
};

}  // namespace

TEST_CASE("a key of members refers to them and copies none") {
  const auto key = recoup::key(&order::id, &order::revision);
  const order o{"a", 2};
  const auto found = key(o);
  STATIC_REQUIRE(std::is_same_v<decltype(found), const std::tuple<const std::string&, const std::optional<int>&>>);
  CHECK(&std::get<0>(found) == &o.id);
  CHECK(std::get<1>(found) == 2);
}

TEST_CASE("a key takes callables and owns what they return") {
  const auto key = recoup::key(&order::id, [](const order& o) { return o.id.size(); });
  const order o{"abc", {}};
  STATIC_REQUIRE(std::is_same_v<decltype(key(o)), std::tuple<const std::string&, std::size_t>>);
  CHECK(std::get<1>(key(o)) == 3);
}

TEST_CASE("a key has the fingerprint of its fields in turn") {
  const auto key = recoup::key(&order::id, &order::revision);
  const order o{"a", 2};
  CHECK(recoup::fingerprint(key(o), 7) == recoup::fingerprint(std::tuple(std::string_view("a"), std::optional(2)), 7));
  CHECK(recoup::fingerprint(key(o), 7) != recoup::fingerprint(key(order{"a", 3}), 7));
}

TEST_CASE("a key is complete if no part is absent however deep") {
  using recoup::detail::is_complete;
  CHECK(is_complete(5));
  CHECK(is_complete(std::optional(5)));
  CHECK_FALSE(is_complete(std::optional<int>()));
  CHECK(is_complete(std::tuple(1, std::optional(2))));
  CHECK_FALSE(is_complete(std::tuple(1, std::optional<int>())));
  CHECK_FALSE(is_complete(std::tuple(1, std::tuple(std::string("a"), std::optional<int>()))));
  CHECK_FALSE(is_complete(std::pair(std::optional<int>(), 1)));
  const auto key = recoup::key(&order::id, &order::revision);
  CHECK(is_complete(key(order{"a", 2})));
  CHECK_FALSE(is_complete(key(order{"a", {}})));
}
