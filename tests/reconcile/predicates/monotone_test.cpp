// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/monotone.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/reconcile/predicate.hpp"
#include "test_scale.hpp"

namespace {

using recoup::monotone;
using recoup::timestamp;

struct reading {
  std::string meter;
  std::int64_t total = 0;
  std::uint64_t large = 0;
  double level = 0;
  std::optional<timestamp> at;
};
constexpr timestamp now{};

reading of(std::string meter, std::int64_t total) {
  reading r;
  r.meter = std::move(meter);
  r.total = total;
  return r;
}

}  // namespace

TEST_CASE("the values of a key never fall and those of others do not matter") {
  auto rule = monotone(&reading::meter, &reading::total);
  static_assert(recoup::remembering<decltype(rule)>);
  CHECK(rule(of("a", 5), now));
  CHECK(rule.explain(of("a", 5), now) == "5 is the first of its key");
  rule.commit(of("a", 5), now);
  CHECK(rule(of("a", 5), now));
  CHECK(rule(of("a", 6), now));
  CHECK(rule.explain(of("a", 6), now) == "6 is at least 5, the value before");
  CHECK_FALSE(rule(of("a", 4), now));
  CHECK(rule.explain(of("a", 4), now) == "4 is not at least 5, the value before");
  CHECK(rule(of("b", 4), now));
  rule.commit(of("a", 1), now);  // only flagged: it goes on from here
  CHECK(rule(of("a", 2), now));
}

TEST_CASE("an event that is forgotten leaves the value before it") {
  auto rule = monotone(&reading::meter, &reading::total);
  rule.commit(of("a", 5), now);
  const auto before = recoup::snapshot(rule);
  rule.commit(of("a", 9), now);
  CHECK_FALSE(rule(of("a", 7), now));
  CHECK(rule.forget(of("a", 9), now));
  CHECK(rule(of("a", 7), now));
  CHECK_FALSE(rule(of("a", 4), now));
  CHECK(rule.forget(of("a", 8), now));  // never committed
  CHECK_FALSE(rule(of("a", 4), now));
  CHECK(rule.forget(of("a", 5), now));
  CHECK(rule(of("a", 4), now));
  CHECK(rule.forget(of("b", 5), now));
  REQUIRE(recoup::restore(rule, before));
  CHECK_FALSE(rule(of("a", 4), now));
}

TEST_CASE("each order agrees with a model over numbers of every size") {
  for (const bool falling : {false, true}) {
    for (const bool strictly : {false, true}) {
      std::mt19937_64 random(falling * 2U + strictly);
      auto rule = monotone(&reading::meter, &reading::large, {.falling = falling, .strictly = strictly, .keys = 64});
      std::map<std::string, std::uint64_t> last;
      bool agrees = true;
      for (std::uint64_t i = 0; i < 4'000 * test_scale() && agrees; ++i) {
        reading r = of(std::string(1, static_cast<char>('a' + random() % 20)), 0);
        r.large = random() % 3 == 0 ? random() : random() % 4 - 2;
        bool expected = true;
        if (const auto at = last.find(r.meter); at != last.end()) {
          expected = falling ? r.large <= at->second : r.large >= at->second;
          expected = expected && !(strictly && r.large == at->second);
        }
        agrees = rule(r, now) == expected;
        if (random() % 2 == 0) {
          rule.commit(r, now);
          last[r.meter] = r.large;
        }
        if (i % 500 == 3) {
          auto other = rule.empty_copy();
          agrees = agrees && recoup::restore(other, recoup::snapshot(rule)) &&
                   recoup::snapshot(other) == recoup::snapshot(rule);
          rule = std::move(other);
        }
      }
      CHECK(agrees);
    }
  }
}

TEST_CASE("NaN is out of order and is not remembered") {
  auto rule = monotone(&reading::meter, &reading::level);
  reading r = of("a", 0);
  r.level = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(rule(r, now));
  CHECK(rule.explain(r, now) == "nan is not a number");
  rule.commit(r, now);
  r.level = -std::numeric_limits<double>::infinity();
  CHECK(rule(r, now));
  rule.commit(r, now);
  r.level = -1e308;
  CHECK(rule(r, now));
  rule.commit(r, now);
  r.level = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(rule(r, now));
}

TEST_CASE("times can be monotone and absent ones are passed over") {
  auto rule = monotone(&reading::meter, &reading::at);
  reading r = of("a", 0);
  CHECK(rule(r, now));
  rule.commit(r, now);
  CHECK(rule.forget(r, now));
  CHECK(rule.explain(r, now) == "the key or the field is absent");
  r.at = timestamp::min();
  rule.commit(r, now);
  r.at = timestamp::max();
  CHECK(rule(r, now));
  rule.commit(r, now);
  r.at = timestamp::min();
  CHECK_FALSE(rule(r, now));
}

TEST_CASE("of more keys than there is room for the one not used lately begins anew") {
  auto rule = monotone(&reading::meter, &reading::total, {.keys = 2});
  for (const char* meter : {"a", "b", "c"}) rule.commit(of(meter, 5), now);
  CHECK(rule.evicted() == 1);
  int known = 0;
  for (const char* meter : {"a", "b", "c"}) known += !rule(of(meter, 4), now);
  CHECK(known == 2);
  CHECK_THROWS_AS(monotone(&reading::meter, &reading::total, {.keys = 0}), std::invalid_argument);
}
