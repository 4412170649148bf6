// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/check.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "catch.hpp"
#include "orders.hpp"

namespace {

using namespace orders;
namespace on_fail = recoup::on_fail;
using recoup::equals;
using recoup::in_range;
using recoup::rule;

order priced(std::int64_t price, std::int64_t quantity = 1, std::int64_t total = 1) {
  return {.offset = {}, .id = "a", .price = price, .quantity = quantity, .total = total, .at = {}};
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
