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
struct raw {
  const char* price = nullptr;
  char code[4] = {'1', '2', '3', '4'};  // no zero at the end
  char next[4] = {'5', '6', '7', '\0'};
  std::optional<const char*> rate;
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

TEST_CASE("text that is null or has no end is of the form that its characters have") {
  raw r;
  const auto price = recoup::well_formed(&raw::price, recoup::looks_like_number);
  CHECK_FALSE(price(r, now));
  CHECK(price.explain(r, now) == "\"\" is not well formed");
  r.price = "12";
  CHECK(price(r, now));
  const auto rate = recoup::well_formed(&raw::rate, recoup::looks_like_number);
  CHECK(rate(r, now));
  r.rate = nullptr;
  CHECK_FALSE(rate(r, now));
  CHECK(recoup::well_formed(&raw::code, recoup::looks_like_number)(r, now));
  CHECK_FALSE(recoup::well_formed(&raw::code, recoup::looks_like_phone)(r, now));  // which has five digits
  CHECK(recoup::well_formed(&raw::code, [](std::string_view text) { return text == "1234"; })(r, now));
  CHECK(recoup::well_formed(&raw::price, [](const char* text) { return text[0] == '1'; })(r, now));
}
