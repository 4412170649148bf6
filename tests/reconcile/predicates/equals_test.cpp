// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/equals.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "catch.hpp"

namespace {

using recoup::equals_field;
using recoup::one_of;

struct record {
  std::int64_t paid = 0;
  std::uint64_t due = 0;
  double ratio = 0;
  std::string name;
  const char* alias = "";
  std::optional<std::int64_t> limit;
};
constexpr recoup::timestamp now{};

struct pair_of_numbers {
  std::int32_t a;
  std::uint32_t b;
};
static_assert(equals_field(&pair_of_numbers::a, &pair_of_numbers::b)(pair_of_numbers{3, 3}, now));
static_assert(!equals_field(&pair_of_numbers::a, &pair_of_numbers::b)(pair_of_numbers{-1, 0xFFFF'FFFF}, now));
static_assert(one_of(&pair_of_numbers::a, 1, 3U)(pair_of_numbers{3, 0}, now));
static_assert(!one_of(&pair_of_numbers::a, 1, 0xFFFF'FFFFU)(pair_of_numbers{-1, 0}, now));

}  // namespace

TEST_CASE("a field is one of some values by value and not by type") {
  record r;
  r.name = "EUR";
  const auto currency = one_of(&record::name, "USD", std::string_view("EUR"), std::string("GBP"));
  CHECK(currency(r, now));
  CHECK(currency.explain(r, now) == "\"EUR\" is one of \"USD\", \"EUR\", \"GBP\"");
  r.name = "EU";
  CHECK_FALSE(currency(r, now));
  CHECK(currency.explain(r, now) == "\"EU\" is none of \"USD\", \"EUR\", \"GBP\"");
  CHECK_FALSE(one_of(&record::ratio, std::numeric_limits<double>::quiet_NaN())(r, now));
  CHECK(one_of(&record::limit, 4)(r, now));
  r.limit = 5;
  CHECK_FALSE(one_of(&record::limit, 4)(r, now));
  r.due = std::numeric_limits<std::uint64_t>::max();
  CHECK_FALSE(one_of(&record::due, -1, -2)(r, now));
}

TEST_CASE("two fields are equal by value and not by type") {
  record r;
  const auto paid_up = equals_field(&record::paid, &record::due);
  CHECK(paid_up(r, now));
  r.paid = -1;
  r.due = std::numeric_limits<std::uint64_t>::max();
  CHECK_FALSE(paid_up(r, now));
  CHECK(paid_up.explain(r, now) == "-1 differs from 18446744073709551615");
  CHECK(equals_field(&record::limit, &record::paid)(r, now));
  r.limit = -1;
  CHECK(equals_field(&record::limit, &record::paid)(r, now));
  CHECK(equals_field(&record::limit, &record::paid).explain(r, now) == "-1 agrees with -1");
  r.limit = 1;
  CHECK_FALSE(equals_field(&record::limit, &record::paid)(r, now));
  r.name = "anna";
  const std::string copy = "anna";
  r.alias = copy.c_str();
  CHECK(equals_field(&record::name, &record::alias)(r, now));
  r.ratio = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(equals_field(&record::ratio, &record::ratio)(r, now));
}
