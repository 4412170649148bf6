// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/rule_set.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/exact_window.hpp"
#include "recoup/reconcile/predicates.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::equals;
using recoup::in_range;
using recoup::not_after;
using recoup::product_equals;
using recoup::reason;
using recoup::required;
using recoup::rule;
using recoup::rule_set;
using recoup::severity;
using recoup::timestamp;
namespace on_fail = recoup::on_fail;

struct order {
  std::string_view id;
  std::int64_t price = 0, quantity = 0, revenue = 0;
  std::optional<double> rate;
  timestamp at{};
};

constexpr timestamp noon(43'200s);
constexpr order good{.id = "a", .price = 5, .quantity = 2, .revenue = 10, .rate = 1.0, .at = noon};

constexpr rule_set rules(rule<"id.required">(required(&order::id), on_fail::dead_letter),
                         rule<"at.future">(not_after(&order::at, 5s), on_fail::review),
                         rule<"revenue.product">(product_equals(&order::price, &order::quantity, &order::revenue),
                                                 on_fail::correct),
                         rule<"rate.range">(in_range(&order::rate, 0.5, 1.5), on_fail::flag),
                         rule<"quantity.positive">([](const order& o) { return o.quantity > 0; },
                                                   on_fail::correct([](order& o) { o.quantity = 1; })));
using rules_t = decltype(rules);

constexpr order bad = [] {
  order o = good;
  o.id = "";
  o.revenue = 11;
  o.rate = 2.0;
  return o;
}();

static_assert(rules.failed(good, noon) == 0);
static_assert(rules.failed(bad, noon) == 0b01101);
static_assert(rules.failed(good, noon - 6s) == 0b00010);
static_assert(rules.failed(order(), noon) == 0b10001);
static_assert(rules_t::size == 5 && rules_t::names[0] == "id.required" && rules_t::names[4] == "quantity.positive");
static_assert(rules_t::with(severity::dead_letter) == 0b00001 && rules_t::with(severity::review) == 0b00010);
static_assert(rules_t::with(severity::correct) == 0b10100 && rules_t::with(severity::flag) == 0b01000);
static_assert(rules_t::index_of<"id.required">() == 0 && rules_t::index_of<"quantity.positive">() == 4);
static_assert([] {
  order o = bad;
  return rules.correct(0b00100, o) && o.revenue == 10 && rules.failed(o, noon) == 0b01001;
}());

constexpr rule_set single(rule<"id">(equals(&order::id, std::string_view("a")), on_fail::review));
static_assert(single.size == 1 && single.failed(good, noon) == 0 && single.failed(bad, noon) == 1);
static_assert(single.with(severity::review) == 1 && single.with(severity::flag) == 0);

static_assert(rules_t::deciding(0) == 5 && rules_t::deciding(0b01000) == 3 && rules_t::deciding(0b11100) == 2);
static_assert(rules_t::deciding(0b11110) == 1 && rules_t::deciding(0b11111) == 0 && rules_t::deciding(0b10000) == 4);
static_assert(rules.get<"revenue.product">().measured(bad, noon) == 11 && rules.get<"rate.range">().holds(good, noon));
static_assert(!rules_t::has_memory && rules_t::with_memory() == 0);

template <std::size_t N>
constexpr recoup::fixed_string<3> numbered() {
  return {{static_cast<char>('a' + N / 8), static_cast<char>('a' + N % 8), '\0'}};
}
// The i-th of 64 rules fails where the i-th bit of a number is set, and its correction clears that bit.
template <std::size_t I>
constexpr auto bit_rule() {
  const auto is_clear = [](const std::uint64_t& n) { return (n >> I & 1) == 0; };
  if constexpr (I % 4 == 0) {
    return rule<numbered<I>()>(is_clear, on_fail::flag);
  } else if constexpr (I % 4 == 1) {
    return rule<numbered<I>()>(is_clear, on_fail::review);
  } else if constexpr (I % 4 == 2) {
    return rule<numbered<I>()>(is_clear, on_fail::dead_letter);
  } else {
    return rule<numbered<I>()>(is_clear, on_fail::correct([](std::uint64_t& n) { n &= ~(std::uint64_t{1} << I); }));
  }
}
constexpr auto all = []<std::size_t... I>(std::index_sequence<I...>) { return rule_set(bit_rule<I>()...); }
(std::make_index_sequence<64>());
constexpr std::uint64_t every_fourth = 0x1111'1111'1111'1111;

static_assert(all.size == 64);
static_assert(all.failed(std::uint64_t{0}, noon) == 0);
static_assert(all.failed(~std::uint64_t{0}, noon) == ~std::uint64_t{0});
static_assert(all.failed(std::uint64_t{1} << 63, noon) == std::uint64_t{1} << 63);
static_assert(all.with(severity::flag) == every_fourth && all.with(severity::correct) == every_fourth << 3);
static_assert(all.index_of<"aa">() == 0 && all.index_of<"hh">() == 63);

using pairs = std::vector<std::pair<std::string, std::string>>;
pairs texts(const std::vector<reason>& reasons) {
  pairs all_texts;
  for (const reason& r : reasons) all_texts.emplace_back(r.rule, r.text);
  return all_texts;
}

}  // namespace

TEST_CASE("the mask has the bit of each rule that fails") {
  std::mt19937_64 random(53);
  bool agrees = true;
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t number = random();
    agrees = agrees && all.failed(number, noon) == number;
    std::uint64_t corrected = number;
    const std::uint64_t mask = random();
    agrees = agrees && all.correct(mask, corrected);
    agrees = agrees && corrected == (number & ~(mask & every_fourth << 3));
  }
  CHECK(agrees);
}

TEST_CASE("reasons come in the order of declaration with exact sentences") {
  order o = bad;
  o.at = noon + 1h;
  o.quantity = -2;
  const auto failed = rules.failed(o, noon);
  CHECK(failed == 0b11111);
  CHECK(texts(rules.explain(failed, o, noon)) ==
        pairs{{"id.required", "the field is absent"},
              {"at.future", "1970-01-01T13:00:00Z is more than 5 s after 1970-01-01T12:00:00Z"},
              {"revenue.product", "11 is not 5 * -2 = -10"},
              {"rate.range", "2 is not in the range from 0.5 to 1.5"},
              {"quantity.positive", "the event does not satisfy this rule"}});
  CHECK(texts(rules.explain(failed & 0b01010, o, noon)).front().first == "at.future");
  CHECK(rules.explain(0, o, noon).empty());
  CHECK(rules.explain(~std::uint64_t{0}, o, noon).size() == 5);
}

TEST_CASE("all 64 rules are explained each once") {
  const auto reasons = all.explain(~std::uint64_t{0}, std::uint64_t{0}, noon);
  REQUIRE(reasons.size() == 64);
  for (std::size_t i = 0; i < 64; ++i) CHECK(reasons[i].rule == all.names[i]);
  const auto last = all.explain(std::uint64_t{1} << 63, std::uint64_t{0}, noon);
  REQUIRE(last.size() == 1);
  CHECK(last[0].rule == "hh");
}

TEST_CASE("corrections are applied in order and only those of rules that failed") {
  std::vector<int> trace;
  const auto note = [&trace](int n, bool answer) {
    return on_fail::correct([&trace, n, answer](int&) {
      trace.push_back(n);
      return answer;
    });
  };
  const auto fails = [](const int&) { return false; };
  const rule_set three(rule<"one">(fails, note(1, true)), rule<"two">(fails, on_fail::review),
                       rule<"three">(fails, note(3, true)), rule<"four">(fails, note(4, true)));
  int event = 0;
  CHECK(three.correct(0b1111, event));
  CHECK(trace == std::vector<int>{1, 3, 4});
  trace.clear();
  CHECK(three.correct(0b1000, event));
  CHECK(trace == std::vector<int>{4});
  trace.clear();
  CHECK(three.correct(0, event));
  CHECK(trace.empty());

  const rule_set impossible(rule<"one">(fails, note(1, true)), rule<"two">(fails, note(2, false)),
                            rule<"three">(fails, note(3, true)));
  CHECK_FALSE(impossible.correct(0b111, event));
  CHECK(trace == std::vector<int>{1, 2});
  CHECK(impossible.correct(0b101, event));
}

TEST_CASE("a product that overflows cannot be corrected") {
  order o = good;
  o.price = std::numeric_limits<std::int64_t>::max();
  const auto failed = rules.failed(o, noon);
  CHECK(failed == 0b00100);
  CHECK_FALSE(rules.correct(failed, o));
  CHECK(o.revenue == 10);
  CHECK(texts(rules.explain(failed, o, noon)) ==
        pairs{{"revenue.product", "9223372036854775807 * 2 does not fit the field, which holds 10"}});
}

TEST_CASE("a correction sees what the ones before it did") {
  order o = good;
  o.quantity = 0;
  o.revenue = 3;
  const rule_set chain(
      rule<"quantity">([](const order& e) { return e.quantity > 0; },
                       on_fail::correct([](order& e) { e.quantity = 4; })),
      rule<"revenue">(product_equals(&order::price, &order::quantity, &order::revenue), on_fail::correct));
  CHECK(chain.correct(chain.failed(o, noon), o));
  CHECK(o.revenue == 20);
  CHECK(chain.failed(o, noon) == 0);
}

TEST_CASE("a set of every size puts each rule in its place") {
  const auto check = []<std::size_t... I>(std::index_sequence<I...>) {
    const rule_set some(bit_rule<I>()...);
    bool agrees = true;
    for (std::size_t bit = 0; bit < 64; ++bit) {
      const std::uint64_t number = std::uint64_t{1} << bit;
      agrees = agrees && some.failed(number, noon) == (bit < sizeof...(I) ? number : 0);
      agrees = agrees && some.failed(~number, noon) == (~number & (~std::uint64_t{0} >> (64 - sizeof...(I))));
    }
    return agrees;
  };
  CHECK(check(std::make_index_sequence<1>()));
  CHECK(check(std::make_index_sequence<7>()));
  CHECK(check(std::make_index_sequence<8>()));
  CHECK(check(std::make_index_sequence<9>()));
  CHECK(check(std::make_index_sequence<16>()));
  CHECK(check(std::make_index_sequence<63>()));
  CHECK(check(std::make_index_sequence<64>()));
}

TEST_CASE("a set of rules remembers for those that do and is a component of its own") {
  rule_set some(
      rule<"id.required">(required(&order::id), on_fail::dead_letter),
      rule<"id.unique">(recoup::unique_within(&order::id, recoup::exact_window({.events = 8})), on_fail::review),
      rule<"price.monotone">(recoup::monotone(&order::id, &order::price), on_fail::flag));
  static_assert(some.has_memory && some.with_memory() == 0b110);
  CHECK(some.failed(good, noon) == 0);
  some.commit(good, noon);
  order cheaper = good;
  cheaper.price = 4;
  CHECK(some.failed(cheaper, noon) == 0b110);
  const auto saved = recoup::snapshot(some);
  CHECK(some.forget(good, noon));
  CHECK(some.failed(cheaper, noon) == 0);
  CHECK_FALSE(some.forget(good, noon));
  REQUIRE(recoup::restore(some, saved));
  CHECK(some.failed(cheaper, noon) == 0b110);
  CHECK(some.empty_copy().failed(cheaper, noon) == 0);
  CHECK(some.configuration() == some.empty_copy().configuration());
}
