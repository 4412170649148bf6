// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/rule.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include "catch.hpp"

namespace {

using recoup::rule;
using recoup::severity;
using recoup::timestamp;
namespace on_fail = recoup::on_fail;

struct event {
  int value = 0;
  timestamp at{};
};
constexpr timestamp later = timestamp(recoup::duration(10));

struct even {  // with a sentence and a correction of its own
  constexpr bool operator()(const event& e) const { return e.value % 2 == 0; }
  std::string explain(const event& e, timestamp now) const {
    return std::to_string(e.value) + " is odd at " + std::to_string(now.time_since_epoch().count());
  }
  constexpr void fix(event& e) const { e.value += e.value % 2; }
};
struct small {  // whose correction may be impossible
  constexpr bool operator()(const event& e, timestamp) const { return e.value < 100; }
  constexpr bool fix(event& e) const {
    if (e.value >= 1'000) return false;
    e.value = 99;
    return true;
  }
};

constexpr auto is_even = rule<"value.even">(even(), on_fail::correct);
constexpr auto is_small = rule<"value.small">(small(), on_fail::correct);
constexpr auto is_past = rule<"at.past">([](const event& e, timestamp now) { return e.at <= now; }, on_fail::review);
constexpr auto to_zero = on_fail::correct([](event& e) { e.value = 0; });
constexpr auto if_positive = on_fail::correct([](event& e) {
  if (e.value < 0) return false;
  e.value = 1;
  return true;
});

static_assert(is_even.name == "value.even" && is_even.level == severity::correct);
static_assert(is_past.name == "at.past" && is_past.level == severity::review);
static_assert(rule<"">(even(), on_fail::flag).name.empty());
static_assert(rule<"a">(even(), on_fail::flag).level == severity::flag);
static_assert(rule<"a">(even(), on_fail::dead_letter).level == severity::dead_letter);
static_assert(rule<"a">(even(), to_zero).level == severity::correct);
static_assert(severity::flag < severity::correct && severity::correct < severity::review &&
              severity::review < severity::dead_letter);

static_assert(is_even.holds(event{4}, later) && !is_even.holds(event{3}, later));
static_assert(is_past.holds(event{0, later}, later) && !is_past.holds(event{0, later}, timestamp()));

template <class Rule>
constexpr int fixed(const Rule& r, int value) {  // -1 if it says that it can't
  event e{value};
  return r.fix(e) ? e.value : -1;
}
static_assert(fixed(is_even, 3) == 4);
static_assert(fixed(is_small, 500) == 99 && fixed(is_small, 5'000) == -1);
static_assert(fixed(rule<"a">(even(), to_zero), 3) == 0);
static_assert(fixed(rule<"a">(even(), if_positive), 3) == 1 && fixed(rule<"a">(even(), if_positive), -3) == -1);

}  // namespace

TEST_CASE("a rule explains itself by its predicate's sentence or by a general one") {
  CHECK(is_even.explain(event{7}, later) == "7 is odd at 10");
  CHECK(is_small.explain(event{700}, later) == "the event does not satisfy this rule");
  CHECK(is_past.explain(event{0, later}, timestamp()) == "the event does not satisfy this rule");
  CHECK(is_past.explain(event{0, later}, later) == "the event satisfies this rule");
}

TEST_CASE("the correction given to on_fail goes before the predicate's own") {
  event e{3};
  CHECK(rule<"a">(even(), on_fail::correct([](event& f) { f.value = -8; })).fix(e));
  CHECK(e.value == -8);
}

TEST_CASE("a predicate may be a function and may capture") {
  int limit = 4;
  ++limit;
  const auto below = rule<"below">([limit](const event& e) { return e.value < limit; }, on_fail::flag);
  CHECK(below.holds(event{4}, later));
  CHECK_FALSE(below.holds(event{5}, later));
  bool (*const function)(const event&) = [](const event& e) { return e.value == 1; };
  CHECK(rule<"one">(function, on_fail::flag).holds(event{1}, later));
  const auto generic = rule<"any">([](const auto& e, auto now) { return e.at == now; }, on_fail::flag);
  CHECK(generic.holds(event{0, later}, later));
}

TEST_CASE("a predicate that takes a time is given it though it could do without") {
  struct both {
    bool operator()(const event&) const { return false; }
    bool operator()(const event&, timestamp now) const { return now == later; }
  };
  CHECK(rule<"both">(both(), on_fail::flag).holds(event(), later));
}
