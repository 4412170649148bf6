// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/field.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "catch.hpp"
#include "recoup/reconcile/predicates.hpp"

namespace {

using recoup::field;

struct payment {
  std::int64_t amount = 0;
  std::int64_t fee = 0;
  std::optional<std::string> note;
  std::int64_t total = 0;
};
constexpr recoup::timestamp now{};

constexpr auto amount = field<"amount">(&payment::amount);
constexpr auto fee = field<"fee", &payment::fee>();
constexpr auto sum = field<"sum">([](const payment& p) { return p.amount + p.fee; });

struct amounts {
  std::int64_t amount, fee, total;
};
constexpr amounts sample{6, 7, 42};
static_assert(std::is_empty_v<decltype(fee)>);
static_assert(recoup::product_equals(field<"a", &amounts::amount>(), field<"f">(&amounts::fee),
                                     field<"t", &amounts::total>())(sample, now));
static_assert(sizeof(recoup::in_range(fee, 1, 2)) < sizeof(recoup::in_range(amount, 1, 2)));

// Of another event it is no field.
struct other {};
static_assert(!std::is_invocable_v<decltype(amount), const other&>);
static_assert(!std::is_invocable_v<decltype(fee), const other&>);

}  // namespace

TEST_CASE("a named field is the field") {
  payment p;
  p.amount = 3;
  p.fee = 4;
  CHECK(amount(p) == 3);
  CHECK(fee(p) == 4);
  CHECK(sum(p) == 7);
  amount(p) = 5;
  fee(p) = 6;
  CHECK(p.amount == 5);
  CHECK(p.fee == 6);
  CHECK(&fee(static_cast<const payment&>(p)) == &p.fee);
}

TEST_CASE("explanations call a named field by its name") {
  payment p;
  p.amount = 3;
  p.fee = 4;
  p.total = 13;
  const auto note = field<"note">(&payment::note);
  const auto total = field<"total">(&payment::total);
  CHECK(recoup::in_range(amount, 5, 9).explain(p, now) == "amount 3 is not in the range from 5 to 9");
  CHECK(recoup::equals(sum, 8).explain(p, now) == "sum 7 is not 8");
  CHECK(recoup::required(note).explain(p, now) == "note is absent");
  CHECK(recoup::equals(note, "x").explain(p, now) == "note is absent");
  CHECK(recoup::product_equals(amount, fee, total).explain(p, now) == "total 13 is not amount 3 * fee 4 = 12");
  CHECK(recoup::equals_field(amount, fee).explain(p, now) == "amount 3 differs from fee 4");
}

TEST_CASE("a named product can be corrected") {
  payment p;
  p.amount = 3;
  p.fee = 4;
  CHECK(recoup::product_equals(amount, fee, field<"total", &payment::total>()).fix(p));
  CHECK(p.total == 12);
}
