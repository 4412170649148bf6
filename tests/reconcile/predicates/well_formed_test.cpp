// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/well_formed.hpp"

#include <optional>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "recoup/reconcile/predicates/text_forms.hpp"

namespace {
struct record {
  std::string price;
  std::optional<std::string> rate;
};
struct view {
  std::string_view price;
};
constexpr recoup::timestamp now{};
static_assert(recoup::well_formed(&view::price, recoup::looks_like_number)(view{"1.5"}, now));
static_assert(!recoup::well_formed(&view::price, recoup::looks_like_number)(view{"1.5.1"}, now));
}  // namespace

TEST_CASE("a field is well formed if its form says so or if it is absent") {
  record r;
  const auto price = recoup::well_formed(&record::price, recoup::looks_like_number);
  const auto rate = recoup::well_formed(&record::rate, [](const std::string& text) { return text.size() < 3; });
  CHECK_FALSE(price(r, now));
  r.price = "12";
  CHECK(price(r, now));
  CHECK(price.explain(r, now) == "\"12\" is well formed");
  CHECK(rate(r, now));
  r.rate = "abc";
  CHECK_FALSE(rate(r, now));
  CHECK(rate.explain(r, now) == "\"abc\" is not well formed");
}
