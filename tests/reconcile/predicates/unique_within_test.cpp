// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/unique_within.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/exact_window.hpp"
#include "recoup/dedup/fingerprint_window.hpp"
#include "recoup/pipeline/key.hpp"
#include "recoup/reconcile/field.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::exact_window;
using recoup::timestamp;
using recoup::unique_within;

struct issue {
  std::string user;
  std::optional<std::string> code;
  std::uint64_t number = 0;
};
constexpr timestamp noon(43'200s);

}  // namespace

TEST_CASE("a code is issued to a user once within the window") {
  auto rule = unique_within(recoup::key(&issue::user, &issue::code), exact_window<>({.events = 100, .age = 1h}));
  static_assert(recoup::snapshotable<decltype(rule)>);
  const issue first{"anna", "SPRING", 1};
  CHECK(rule(first, noon));
  CHECK(rule.explain(first, noon) == "the field (\"anna\", \"SPRING\") is new");
  CHECK(rule(first, noon));  // judging remembers nothing
  rule.commit(first, noon);
  CHECK_FALSE(rule(first, noon + 1h));
  CHECK(rule.explain(first, noon) == "the field (\"anna\", \"SPRING\") was first seen at 1970-01-01T12:00:00Z");
  CHECK(rule(first, noon + 1h + 1ns));
  CHECK(rule(issue{"bert", "SPRING", 2}, noon));
  const issue without{"anna", std::nullopt, 3};
  CHECK(rule(without, noon));
  rule.commit(without, noon);
  CHECK(rule(without, noon));
  CHECK(rule.explain(without, noon) == "the field is absent");
  CHECK(rule.forget(without, noon));
  CHECK(rule.forget(first, noon));
  CHECK_FALSE(rule.forget(first, noon));
  CHECK(rule(first, noon));
}

TEST_CASE("every window of dedup can tell what is unique") {
  const auto agrees_with_a_set = [](auto rule) {
    std::mt19937_64 random(5);
    std::set<std::uint64_t> issued;
    for (int i = 0; i < 400; ++i) {
      issue e;
      e.number = 1'000 + random() % 300;
      const bool is_new = !issued.contains(e.number);
      if (rule(e, noon) != is_new || rule(e, noon) != is_new) return false;
      if (random() % 3 == 0) continue;  // not delivered
      rule.commit(e, noon);
      issued.insert(e.number);
      if (i % 50 == 7) {
        auto other = rule.empty_copy();
        if (!recoup::restore(other, recoup::snapshot(rule))) return false;
        rule = std::move(other);
      }
    }
    return issued.size() > 100;
  };
  const auto number = recoup::field<"number">(&issue::number);
  CHECK(agrees_with_a_set(unique_within(number, exact_window<std::uint64_t>({.events = 1'000}))));
  CHECK(agrees_with_a_set(unique_within(number, exact_window<>({.events = 1'000}))));
  CHECK(agrees_with_a_set(unique_within(number, recoup::fingerprint_window({.events = 1'000}))));
}

TEST_CASE("keys that had to make room are counted") {
  auto rule = unique_within(&issue::number, exact_window<std::uint64_t>({.events = 2}));
  for (std::uint64_t n = 1; n <= 5; ++n) rule.commit(issue{"", "", n}, noon);
  CHECK(rule.evicted() == 3);
  CHECK(rule(issue{"", "", 3}, noon));
  CHECK_FALSE(rule(issue{"", "", 4}, noon));
}
