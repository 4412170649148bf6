// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/equals.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "checked_order.hpp"
#include "recoup/reconcile/predicates/in_range.hpp"

namespace {

using namespace checking;
using recoup::equals;
using recoup::equals_field;
using recoup::in_range;
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
static_assert(equals(&pair_of_numbers::b, 3)(pair_of_numbers{3, 3}, now));
static_assert(!equals(&pair_of_numbers::b, -1)(pair_of_numbers{3, 0xFFFF'FFFF}, now));
static_assert(one_of(&pair_of_numbers::a, 1, 3U)(pair_of_numbers{3, 0}, now));
static_assert(!one_of(&pair_of_numbers::a, 1, 0xFFFF'FFFFU)(pair_of_numbers{-1, 0}, now));

}  // namespace

TEST_CASE("a field equals what is expected by value and not by type") {
  const auto holds = [](auto field, auto expected, const order& o) { return equals(field, expected)(o, noon); };
  CHECK(holds(&order::small, 7, with(&order::small, 7U)));
  CHECK_FALSE(holds(&order::small, -1, with(&order::small, most<std::uint32_t>)));
  CHECK_FALSE(holds(&order::large, -1, with(&order::large, most<std::uint64_t>)));
  CHECK_FALSE(holds(&order::tiny, 255U, with(&order::tiny, std::int8_t{-1})));
  CHECK(holds(&order::tiny, 127U, with(&order::tiny, std::int8_t{127})));
  CHECK_FALSE(holds(&order::price, most<std::uint64_t>, with(&order::price, std::int64_t{-1})));
  CHECK_FALSE(holds(&order::price, 0x1p53, with(&order::price, (std::int64_t{1} << 53) + 1)));
  CHECK_FALSE(holds(&order::ratio, most<std::int64_t>, with(&order::ratio, 0x1p63)));
  CHECK(holds(&order::ratio, least<std::int64_t>, with(&order::ratio, -0x1p63)));
  CHECK(holds(&order::is_open, true, with(&order::is_open, true)));
  CHECK(holds(&order::is_open, 1, with(&order::is_open, true)));
  CHECK(holds(&order::direction, side::sell, with(&order::direction, side::sell)));
  CHECK(holds(&order::ratio, 0.0, with(&order::ratio, -0.0)));
  CHECK_FALSE(holds(&order::ratio, not_a_number, with(&order::ratio, not_a_number)));
  CHECK(holds(&order::at, timestamp::min(), with(&order::at, timestamp::min())));
  CHECK(holds(&order::limit, 3, nothing()));
  CHECK_FALSE(holds(&order::limit, 3, with(&order::limit, {4})));
}

TEST_CASE("text is compared by its characters whatever holds it") {
  const auto holds = [](auto field, auto expected, const order& o) { return equals(field, expected)(o, noon); };
  order o;
  o.id = "EUR";
  for (std::size_t i = 0; i < 3; ++i) o.currency[i] = "EUR"[i];
  const std::string copy = "EUR";  // not the literal's address
  o.name = copy.c_str();
  CHECK(holds(&order::id, "EUR", o));
  CHECK(holds(&order::name, "EUR", o));
  CHECK(holds(&order::currency, "EUR", o));
  CHECK(holds(&order::currency, std::string_view("EUR"), o));
  CHECK_FALSE(holds(&order::id, "USD", o));
  CHECK_FALSE(holds(&order::currency, "EU", o));
  CHECK_FALSE(holds(&order::name, "EUR", nothing()));
  CHECK(holds(&order::name, "", nothing()));
  CHECK(in_range(&order::currency, "EUR", "EUZ")(o, noon));
  CHECK_FALSE(in_range(&order::name, "F", "Z")(o, noon));
  o.currency[3] = 'O';
  CHECK(holds(&order::currency, "EURO", o));
  CHECK_FALSE(holds(&order::currency, "EUR", o));
  CHECK(equals(&order::currency, "EUR").explain(o, noon) == "\"EURO\" is not \"EUR\"");
  CHECK(equals(&order::name, "EUR").explain(nothing(), noon) == "\"\" is not \"EUR\"");
}

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
