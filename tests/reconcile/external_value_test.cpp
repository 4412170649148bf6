// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/external_value.hpp"

#include <chrono>
#include <cstdint>

#include "catch.hpp"
#include "recoup/reconcile/predicates.hpp"
#include "recoup/reconcile/rule_set.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::external_value;
using recoup::fresh;
using recoup::timestamp;
using recoup::value_of;

struct payment {
  std::int64_t amount = 0;
  double recorded = 0;
};
constexpr timestamp noon(43'200s);

static_assert([] {
  external_value<int> limit;
  if (fresh(limit, 1h)(payment(), noon) || value_of(limit)(payment())) return false;
  limit.set(3, noon);
  return fresh(limit, 1h)(payment(), noon + 1h) && *value_of(limit)(payment()) == 3;
}());

}  // namespace

TEST_CASE("an external value is fresh up to its age and never before it is set") {
  external_value<double> rate("EUR/USD");
  const payment p;
  const auto rule = fresh(rate, 1h);
  CHECK_FALSE(rule(p, noon));
  CHECK(rule.explain(p, noon) == "EUR/USD was never set");
  CHECK(rule.measured(p, noon) == recoup::duration::max());
  rate.set(1.1, noon);
  CHECK(rule(p, noon + 1h));
  CHECK(rule.explain(p, noon + 1h) == "EUR/USD is 1 h old, at most 1 h");
  CHECK_FALSE(rule(p, noon + 1h + 1ns));
  CHECK_FALSE(rule(p, noon + 3h));
  CHECK(rule.explain(p, noon + 3h) == "EUR/USD is 3 h old, more than 1 h");
  CHECK(rule.measured(p, noon + 3h) == 3h);
  CHECK(rule(p, noon - 5h));  // of the future: not stale
  CHECK(rule(p, timestamp::min()));
  CHECK_FALSE(rule(p, timestamp::max()));
  rate.set(1.2, noon + 3h);
  CHECK(rule(p, noon + 3h));
  rate.reset();
  CHECK_FALSE(rule(p, noon + 3h));
}

TEST_CASE("a stale rate is another outcome than a wrong amount") {
  external_value<double> rate("EUR/USD");
  const auto amount =
      recoup::within(&payment::recorded, recoup::times(&payment::amount, value_of(rate)), recoup::percent(5));
  const recoup::rule_set rules(
      recoup::rule<"rate.fresh">(fresh(rate, 1h), recoup::on_fail::review),
      recoup::rule<"amount.rate">(recoup::implies(fresh(rate, 1h), amount), recoup::on_fail::flag));
  const payment right{100, 204};
  const payment wrong{100, 206};
  CHECK(rules.failed(right, noon) == 0b01);
  CHECK(rules.failed(wrong, noon) == 0b01);
  rate.set(2, noon);
  CHECK(rules.failed(right, noon) == 0b00);
  CHECK(rules.failed(wrong, noon) == 0b00);
  rate.set(1.95, noon);
  CHECK(rules.failed(right, noon) == 0b00);
  CHECK(rules.failed(wrong, noon) == 0b10);
  CHECK(rules.get<"amount.rate">().explain(wrong, noon) ==
        "EUR/USD is 0 ns old, at most 1 h, but 206 is 11 above 100 * EUR/USD 1.95 = 195, more than 5 % of it");
  CHECK(rules.failed(right, noon + 3h) == 0b01);
  CHECK(rules.failed(wrong, noon + 3h) == 0b01);
}
