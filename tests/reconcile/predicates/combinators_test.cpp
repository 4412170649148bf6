// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/combinators.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/exact_window.hpp"
#include "recoup/reconcile/predicates/equals.hpp"
#include "recoup/reconcile/predicates/in_range.hpp"
#include "recoup/reconcile/predicates/unique_within.hpp"

namespace {

using recoup::all;
using recoup::any;
using recoup::equals;
using recoup::implies;
using recoup::in_range;
using recoup::not_;

struct call {
  bool exists = false;
  std::int64_t length = 0;
  std::int64_t code = 0;
};
constexpr recoup::timestamp now{};

constexpr auto yes = [](const call&) { return true; };
constexpr auto no = [](const call&, recoup::timestamp) { return false; };
constexpr call nothing{};
static_assert(all(yes)(nothing, now) && all(yes, yes)(nothing, now) && !all(yes, no, yes)(nothing, now));
static_assert(any(no, no, yes)(nothing, now) && !any(no, no)(nothing, now) && any(yes, yes)(nothing, now));
static_assert(not_(no)(nothing, now) && !not_(yes)(nothing, now));
static_assert(implies(no, no)(nothing, now) && implies(no, yes)(nothing, now) && implies(yes, yes)(nothing, now));
static_assert(!implies(yes, no)(nothing, now));
static_assert(!all(any(no, not_(no)), implies(yes, no))(nothing, now));
static_assert(!recoup::remembering<decltype(all(yes, no))> && !recoup::remembering<decltype(not_(yes))>);

// A call that exists lasts a while.
constexpr auto lasts = implies(equals(&call::exists, true), not_(equals(&call::length, 0)));
static_assert(lasts(call{true, 1, 0}, now) && lasts(call{false, 0, 0}, now) && !lasts(call{true, 0, 0}, now));

using codes = recoup::exact_window<std::int64_t>;
auto unique_code() { return recoup::unique_within(&call::code, codes({.events = 64})); }

}  // namespace

TEST_CASE("what is made of predicates explains itself by those that decide") {
  const call c{true, 0, 9};
  const auto exists = equals(&call::exists, true);
  const auto is_long = in_range(&call::length, 5, 10);
  const auto known = in_range(&call::code, 1, 10);
  CHECK(all(exists, is_long, known).explain(c, now) == "0 is not in the range from 5 to 10");
  CHECK(all(exists, known).explain(c, now) == "true is true and 9 is in the range from 1 to 10");
  CHECK(any(is_long, not_(known)).explain(c, now) ==
        "0 is not in the range from 5 to 10 and 9 is in the range from 1 to 10");
  CHECK(any(is_long, known).explain(c, now) == "9 is in the range from 1 to 10");
  CHECK(not_(known).explain(c, now) == "9 is in the range from 1 to 10");
  CHECK(lasts.explain(c, now) == "true is true, but 0 is 0");
  CHECK(lasts.explain(call{true, 4, 0}, now) == "true is true, and 4 is not 0");
  CHECK(lasts.explain(call{false, 0, 0}, now) == "false is not true");
  CHECK(all(yes).explain(c, now) == "the event satisfies this rule");
  CHECK(not_(yes).explain(c, now) == "the event satisfies this rule");
}

TEST_CASE("every part is evaluated whatever the others answer") {
  int asked = 0;
  const auto count = [&asked](const call&) { return ++asked > 0; };
  CHECK_FALSE(all(no, count, count)(nothing, now));
  CHECK(any(count, yes, count)(nothing, now));
  CHECK(implies(no, count)(nothing, now));
  CHECK(asked == 5);
}

TEST_CASE("a part that remembers events does so inside of others too") {
  auto rule = all(yes, not_(not_(any(unique_code(), no))));
  static_assert(recoup::remembering<decltype(rule)>);
  const call c{true, 1, 5};
  CHECK(rule(c, now));
  CHECK(rule(c, now));
  rule.commit(c, now);
  CHECK_FALSE(rule(c, now));
  const auto saved = recoup::snapshot(rule);
  CHECK(rule.forget(c, now));
  CHECK_FALSE(rule.forget(c, now));
  CHECK(rule(c, now));
  REQUIRE(recoup::restore(rule, saved));
  CHECK_FALSE(rule(c, now));
  CHECK(recoup::snapshot(rule) == saved);
  CHECK(rule.empty_copy()(c, now));
  auto other = all(yes, not_(not_(any(recoup::unique_within(&call::code, codes({.events = 65})), no))));
  CHECK(recoup::restore(other, saved).status == recoup::snapshot_status::other_configuration);
}

TEST_CASE("a consequence remembers only events that the condition admits") {
  auto rule = implies(equals(&call::exists, true), unique_code());
  rule.commit(call{false, 0, 5}, now);
  CHECK(rule(call{true, 0, 5}, now));
  rule.commit(call{true, 0, 5}, now);
  CHECK_FALSE(rule(call{true, 0, 5}, now));
  CHECK(rule(call{false, 0, 5}, now));
  CHECK(rule.forget(call{false, 0, 5}, now));
  CHECK_FALSE(rule(call{true, 0, 5}, now));
  CHECK(rule.forget(call{true, 0, 5}, now));
  CHECK(rule(call{true, 0, 5}, now));
}
