// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/verdict.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "orders.hpp"

namespace {

using namespace orders;

// Fails for a negative price, and counts how often it is asked why.
struct price_condition {
  int* asked;
  bool operator()(const order& o) const { return o.price >= 0; }
  std::string explain(const order& o, timestamp) const {
    ++*asked;
    return std::to_string(o.price) + " is negative";
  }
};

}  // namespace

TEST_CASE("every verdict has a name") {
  std::vector<std::string> names;
  for (std::size_t v = 0; v < recoup::verdict_kinds; ++v) names.emplace_back(recoup::name_of(static_cast<verdict>(v)));
  CHECK(names == std::vector<std::string>{"accepted", "duplicate", "dead_letter", "review", "correction", "held",
                                          "late", "refused"});
}

TEST_CASE("an explanation is made when asked for and each time anew") {
  int made = 0;
  const auto reasons = [&] {
    ++made;
    return std::vector<recoup::reason>{{"first", "1 is not 2"}, {"second", "no"}};
  };
  const recoup::explanation because(reasons);
  CHECK(made == 0);
  CHECK(because.text() == "first: 1 is not 2; second: no");
  CHECK(because.reasons().size() == 2);
  CHECK(made == 2);
}

TEST_CASE("no reasons are worked out unless the sink asks") {
  int asked = 0;
  auto pipe = recoup::assemble<order>(
      recoup::check(recoup::rule<"price.negative">(price_condition{&asked}, recoup::on_fail::dead_letter),
                    recoup::rule<"price.told">(price_condition{&asked}, recoup::on_fail::flag)));
  const order bad{.offset = {}, .id = "a", .price = -5, .at = {}};
  int told = 0;
  pipe.process(bad, start, [&](const auto&) { ++told; });
  CHECK(told == 2);
  CHECK(asked == 0);

  recorder asks;
  pipe.process(bad, start, asks);
  CHECK(asks.lines ==
        std::vector<std::string>{"flagged: 0/absent \"a\"r0 -5*1=1 at no time why price.told: -5 is negative",
                                 "dead_letter: 0/absent \"a\"r0 -5*1=1 at no time why price.negative: -5 is negative"});
  CHECK(asked == 2);
}

TEST_CASE("a duplicate says when its key was first seen") {
  auto pipe = recoup::assemble<order>(recoup::deduplicate(&order::id, recoup::exact_window({.events = 4})));
  const order o{.offset = {}, .id = "a", .at = {}};
  pipe.process(o, start, [](const auto&) {});
  std::optional<timestamp> first;
  std::string why;
  pipe.process(o, start + 90s,
               recoup::overloaded{[](const recoup::accepted<order>&) {},
                                  [&](const recoup::duplicate<order>& d) {
                                    first = d.first_seen;
                                    why = d.why();
                                  }});
  CHECK(first == start);
  CHECK(why == "deduplicate: the key was first seen at 2024-10-04T00:00:00Z, 90 s before");
}

TEST_CASE("origins and verdicts have their names, and four verdicts are right") {
  using recoup::name_of;
  CHECK(name_of(recoup::origin::live) == "live");
  CHECK(name_of(recoup::origin::inferred) == "inferred");
  CHECK(name_of(recoup::verdict::refused) == "refused");
  std::string right;
  for (std::uint32_t v = 0; v < recoup::verdict_kinds; ++v) {
    if (is_right(static_cast<recoup::verdict>(v))) right += std::string(name_of(static_cast<recoup::verdict>(v))) + ' ';
  }
  CHECK(right == "accepted correction held late ");
}
