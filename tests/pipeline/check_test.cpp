// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/check.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "orders.hpp"
#include "recoup/core/snapshot.hpp"
#include "test_scale.hpp"

namespace {

using namespace orders;
namespace on_fail = recoup::on_fail;
using recoup::equals;
using recoup::in_range;
using recoup::rule;

order priced(std::int64_t price, std::int64_t quantity = 1, std::int64_t total = 1) {
  return {.offset = {}, .id = "a", .price = price, .quantity = quantity, .total = total, .at = {}};
}

// A code (id) is used once, prices of a partition never fall, totals are right.
auto remembering_rules(std::size_t codes = 1'000) {
  return recoup::assemble<order>(
      recoup::check(rule<"code.unique">(recoup::unique_within(&order::id, recoup::exact_window({.events = codes})),
                                        on_fail::review),
                    rule<"price.monotone">(recoup::monotone(&order::partition, &order::price), on_fail::dead_letter),
                    rule<"total.product">(recoup::product_equals(&order::price, &order::quantity, &order::total),
                                          on_fail::correct)),
      recoup::deduplicate(&order::revision, recoup::exact_window<std::uint32_t>({.events = 4'096})));
}

order coded(std::string id, std::int64_t price, std::uint32_t revision) {
  order o = priced(price, 1, price);
  o.id = std::move(id);
  o.revision = revision;
  return o;
}

}  // namespace

TEST_CASE("the severest failed rule decides") {
  auto pipe = recoup::assemble<order>(recoup::check(
      rule<"flag">(in_range(&order::price, 1, 1'000), on_fail::flag),
      rule<"correct">(in_range(&order::price, 2, 1'000), on_fail::correct([](order& o) { o.price = 10; })),
      rule<"review">(in_range(&order::price, -5, 1'000), on_fail::review),
      rule<"dead">(in_range(&order::price, -9, 1'000), on_fail::dead_letter)));
  recorder told;
  CHECK(pipe.process(priced(5), start, told) == verdict::accepted);
  CHECK(pipe.process(priced(1), start, told) == verdict::correction);
  CHECK(pipe.process(priced(0), start, told) == verdict::correction);
  CHECK(pipe.process(priced(-7), start, told) == verdict::review);
  CHECK(pipe.process(priced(-10), start, told) == verdict::dead_letter);
  CHECK(told.count("flagged") == 3);
  CHECK(told.lines.back() ==
        "dead_letter: 0/absent \"a\"r0 -10*1=1 at no time why correct: -10 is not in the range from 2 to 1000; review: "
        "-10 "
        "is not in the range from -5 to 1000; dead: -10 is not in the range from -9 to 1000");
  CHECK(pipe.stage_at<0>().failures<"flag">() == 3);
  CHECK(pipe.stage_at<0>().failures<"correct">() == 4);
  CHECK(pipe.stage_at<0>().failures<"dead">() == 1);
}

TEST_CASE("a flagged event is accepted after the finding") {
  auto pipe = recoup::assemble<order>(recoup::check(rule<"price">(equals(&order::price, 1), on_fail::flag)));
  recorder told;
  CHECK(pipe.process(priced(2), start, told) == verdict::accepted);
  CHECK(told.lines == std::vector<std::string>{"flagged: 0/absent \"a\"r0 2*1=1 at no time why price: 2 is not 1",
                                               "accepted: 0/absent \"a\"r0 2*1=1 at no time from 0"});
}

TEST_CASE("a correction keeps the original and is what later stages see") {
  auto pipe = recoup::assemble<order>(
      recoup::check(
          rule<"total">(recoup::product_equals(&order::price, &order::quantity, &order::total), on_fail::correct)),
      recoup::check(rule<"small">(in_range(&order::total, 0, 50), on_fail::review)));
  recorder told;
  CHECK(pipe.process(priced(3, 4, 99), start, told) == verdict::correction);
  CHECK(pipe.process(priced(30, 4, 1), start, told) == verdict::review);
  CHECK(told.lines ==
        std::vector<std::string>{
            "correction: 0/absent \"a\"r0 3*4=99 at no time to 0/absent \"a\"r0 3*4=12 at no time why total: "
            "99 is not 3 * 4 = 12",
            "review: 0/absent \"a\"r0 30*4=1 at no time why small: 120 is not in the range from 0 to 50"});
}

TEST_CASE("a correction that cannot be made or does not help is held for a person") {
  auto refuses = recoup::assemble<order>(
      recoup::check(rule<"price">(equals(&order::price, 1), on_fail::correct([](order&) { return false; }))));
  recorder told;
  CHECK(refuses.process(priced(2), start, told) == verdict::review);
  CHECK(told.lines.back() ==
        "review: 0/absent \"a\"r0 2*1=1 at no time why price: 2 is not 1; check: the correction can't be made");

  auto makes_worse = recoup::assemble<order>(
      recoup::check(rule<"price">(equals(&order::price, 1), on_fail::correct([](order& o) { o.price = 7; }))));
  CHECK(makes_worse.process(priced(2), start, told) == verdict::review);
  CHECK(told.lines.back().ends_with("why price: 2 is not 1; price: after correction, 7 is not 1"));
}

TEST_CASE("all 64 rules of a set are counted") {
  const auto make = []<std::size_t... I>(std::index_sequence<I...>) {
    return recoup::assemble<order>(recoup::check(
        rule<recoup::fixed_string<3>({static_cast<char>('a' + I / 8), static_cast<char>('a' + I % 8), 0})>(
            [](const order& o) { return o.price != static_cast<std::int64_t>(I) && o.price >= 0; },
            on_fail::review)...));
  };
  auto pipe = make(std::make_index_sequence<64>{});
  const auto ignore = [](const auto&) {};
  for (std::int64_t n = -1; n < 65; ++n) pipe.process(priced(n), start, ignore);
  CHECK(pipe.count(verdict::review) == 65);
  CHECK(pipe.stage_at<0>().failures<"aa">() == 2);
  CHECK(pipe.stage_at<0>().failures<"hh">() == 2);
}

TEST_CASE("rules remember what was delivered and not what the sink threw at") {
  auto pipe = remembering_rules();
  recorder failing(0);
  const auto before = recoup::snapshot(pipe);
  CHECK_THROWS_AS(pipe.process(coded("a", 5, 1), start, failing), sink_failure);
  CHECK(recoup::snapshot(pipe) == before);
  recorder told;
  CHECK(pipe.process(coded("a", 5, 1), start, told) == verdict::accepted);
  CHECK(pipe.process(coded("a", 6, 2), start, told) == verdict::review);
  CHECK(told.lines.back().ends_with("why code.unique: the field \"a\" was first seen at 2024-10-04T00:00:00Z"));
  CHECK(pipe.process(coded("b", 4, 3), start, told) == verdict::dead_letter);
  CHECK(told.lines.back().ends_with("why price.monotone: 4 is not at least 5, the value before"));
  CHECK(pipe.process(coded("b", 5, 3), start, told) == verdict::accepted);  // the rejected one taught nothing
}

TEST_CASE("an event that a later stage rejects teaches no rule") {
  auto pipe = remembering_rules();
  recorder told;
  CHECK(pipe.process(coded("a", 5, 1), start, told) == verdict::accepted);
  CHECK(pipe.process(coded("b", 9, 1), start, told) == verdict::duplicate);
  CHECK(pipe.process(coded("b", 6, 2), start, told) == verdict::accepted);
}

TEST_CASE("re-injected and inferred events are not asked whether they repeat themselves") {
  for (const origin from : {origin::correction, origin::inferred}) {
    auto pipe = remembering_rules();
    recorder told;
    CHECK(pipe.process(coded("a", 5, 1), start, told) == verdict::accepted);
    CHECK(pipe.process(coded("a", 3, 2), start, told, from) == verdict::accepted);
    CHECK(pipe.process(coded("c", 4, 3), start, told) == verdict::dead_letter);  // 5 is still the last price
    CHECK(pipe.process(coded("b", 9, 4), start, told, from) == verdict::accepted);
    CHECK(pipe.process(coded("b", 6, 5), start, told) == verdict::accepted);
    CHECK(pipe.forget(coded("b", 9, 4), start, from));
    CHECK(pipe.process(coded("b", 6, 6), start, told) == verdict::review);
  }
  auto pipe = remembering_rules();
  recorder told;
  CHECK(pipe.process(coded("a", 5, 1), start, told, origin::replay) == verdict::accepted);
  CHECK(pipe.process(coded("a", 5, 2), start, told) == verdict::review);
}

TEST_CASE("a corrected event is remembered and forgotten as it was corrected to") {
  auto pipe = recoup::assemble<order>(recoup::check(
      rule<"code">(equals(&order::price, 7), on_fail::correct([](order& o) { o.id = "fixed", o.price = 7; })),
      rule<"code.unique">(recoup::unique_within(&order::id, recoup::exact_window({.events = 10})), on_fail::review)));
  recorder told;
  CHECK(pipe.process(coded("a", 1, 1), start, told) == verdict::correction);
  CHECK(pipe.process(coded("a", 7, 2), start, told) == verdict::accepted);
  CHECK(pipe.process(coded("fixed", 7, 3), start, told) == verdict::review);
  CHECK(pipe.process(coded("b", 1, 4), start, told) == verdict::review);  // would be corrected to a code in use
  CHECK(pipe.forget(coded("a", 1, 1), start));
  CHECK(pipe.process(coded("fixed", 7, 3), start, told) == verdict::accepted);
  CHECK(pipe.process(coded("a", 7, 5), start, told) == verdict::review);
}

TEST_CASE("what rules remember is in the snapshot and keys without room are counted") {
  auto pipe = remembering_rules(3);
  recorder told;
  for (const char* id : {"a", "b", "c", "d"}) pipe.process(coded(id, 5, static_cast<std::uint32_t>(*id)), start, told);
  std::map<std::string, std::uint64_t, std::less<>> counters;
  pipe.stats([&](auto stage, auto counter, std::uint64_t n) {
    counters[std::string(stage) + '.' + std::string(counter)] = n;
  });
  CHECK(counters["check.evicted"] == 1);
  const auto saved = recoup::snapshot(pipe);
  auto other = remembering_rules(3);
  REQUIRE(recoup::restore(other, saved));
  CHECK(recoup::snapshot(other) == saved);
  CHECK(other.process(coded("d", 5, 1), start, told) == verdict::review);
  CHECK(other.process(coded("e", 4, 2), start, told) == verdict::dead_letter);
  auto larger = remembering_rules(4);
  CHECK(recoup::restore(larger, saved).status == recoup::snapshot_status::other_configuration);
  auto cut = saved;
  cut.resize(cut.size() - 1);
  CHECK_FALSE(recoup::restore(other, cut));
}

TEST_CASE("rules that remember agree with a model under throwing sinks and snapshots and events taken back") {
  std::mt19937_64 random(11);
  auto pipe = remembering_rules();
  std::set<std::string> codes;
  std::map<std::uint32_t, std::int64_t> last;
  std::size_t reviews = 0;
  std::size_t dead = 0;
  bool agrees = true;
  for (std::uint32_t i = 0; i < 2'000 * test_scale() && agrees; ++i) {
    order o =
        coded("code " + std::to_string(random() % 150 + i / 10), static_cast<std::int64_t>(i / 20 + random() % 20), i);
    o.partition = static_cast<std::uint32_t>(random() % 3);
    const auto before = last.find(o.partition);
    const bool falls = before != last.end() && o.price < before->second;
    const bool repeats = codes.contains(o.id);
    const verdict expected = falls ? verdict::dead_letter : repeats ? verdict::review : verdict::accepted;
    if (random() % 4 == 0) {
      recorder failing(0);
      CHECK_THROWS_AS(pipe.process(o, start, failing), sink_failure);
    }
    recorder told;
    agrees = pipe.process(o, start, told) == expected;
    reviews += expected == verdict::review;
    dead += expected == verdict::dead_letter;
    if (expected != verdict::accepted) continue;
    if (random() % 4 == 0) {
      agrees = agrees && pipe.forget(o, start);
      continue;
    }
    codes.insert(o.id);
    last[o.partition] = o.price;
    if (random() % 50 == 0) {
      auto other = remembering_rules();
      agrees = agrees && recoup::restore(other, recoup::snapshot(pipe));
      pipe = std::move(other);
    }
  }
  CHECK(agrees);
  CHECK(reviews > 100);
  CHECK(dead > 100);
}

TEST_CASE("what an owner of a stream of calls and payments asks for can be said") {
  // Fields exchanged are put back, a price times its quantity, a quantity that exists but is zero.
  struct record {
    std::string email, phone;
    std::int64_t price = 2, quantity = 3, revenue = 6;
    bool exists = true;
    recoup::duration length = 1s;
  };
  auto pipe = recoup::assemble<record>(recoup::check(
      rule<"contact">(
          recoup::not_swapped(&record::email, &record::phone, recoup::looks_like_email, recoup::looks_like_phone),
          on_fail::correct),
      rule<"revenue">(recoup::product_equals(&record::price, &record::quantity, &record::revenue), on_fail::correct),
      rule<"call.length">(
          recoup::implies(equals(&record::exists, true), recoup::not_(equals(&record::length, recoup::duration(0)))),
          on_fail::flag)));
  std::vector<std::string> told;
  const auto sink = recoup::overloaded{[&](const recoup::accepted<record>&) { told.emplace_back("accepted"); },
                                       [&](const recoup::flagged<record>& f) { told.push_back("flagged " + f.why()); },
                                       [&](const recoup::review<record>& r) { told.push_back("review " + r.why()); },
                                       [&](const recoup::correction<record>& c) {
                                         told.push_back("corrected to " + c.corrected.email + ' ' + c.corrected.phone +
                                                        ' ' + std::to_string(c.corrected.revenue));
                                       }};
  pipe.process({.email = "12345", .phone = "a@b.c", .revenue = 7}, start, sink);
  pipe.process({.email = "a@b.c", .phone = "12345", .length = 0s}, start, sink);
  CHECK(told == std::vector<std::string>{"corrected to a@b.c 12345 6",
                                         "flagged call.length: true is true, but 0 ns is 0 ns", "accepted"});
}
