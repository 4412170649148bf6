// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/matcher.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "matcher_records.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/pipeline/key.hpp"
#include "recoup/pipeline/overloaded.hpp"

namespace {

using namespace std::chrono_literals;
using namespace matching;
using recoup::match_totals;
using recoup::matcher_options;

constexpr auto ours = match_side::ours;
constexpr auto theirs = match_side::theirs;

TEST_CASE("a purchase that the provider says has failed is mismatched and says why") {
  auto m = match_whole({});
  std::string why;
  std::vector<std::pair<std::string, bool>> fields;
  double by = 0;
  const auto told = [&](const auto& finding) {
    if constexpr (requires { finding.why(); }) {
      why = finding.why();
      for (const auto& f : finding.fields) fields.emplace_back(f.field, f.agrees);
      by = finding.fields[0].by;
    }
  };
  m.ours({.id = 1, .amount = 100, .status = 1}, at(0), told);
  m.theirs({.order_id = 1, .amount = 90, .status = 2}, at(1), told);
  CHECK(why == "amount: theirs 90 is 10 below ours 100, more than 5; status: ours is 1, theirs is 2");
  CHECK(fields == std::vector<std::pair<std::string, bool>>{{"amount", false}, {"status", false}});
  CHECK(by == -10);
  CHECK(m.totals(ours).mismatched == 1);
  CHECK(m.totals(theirs).mismatched == 1);
}

TEST_CASE("records match in either order and one record matches once") {
  auto m = match_whole({});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.theirs({1, 103, 0, 2}, at(1), told);
  m.theirs({2, 50, 0, 3}, at(2), told);
  m.ours({2, 50, 0, 4}, at(3), told);
  CHECK(told.take() == lines{"matched 1 with 2", "matched 4 with 3"});
  m.theirs({1, 100, 0, 5}, at(4), told);
  m.ours({2, 51, 0, 6}, at(5), told);
  CHECK(told.take().empty());
  CHECK(m.totals(ours).open == 1);
  CHECK(m.totals(theirs).open == 1);
}

TEST_CASE("a record without a partner is unmatched at the end of its side's wait") {
  auto m = match_whole({.ours_wait = 10ns, .theirs_wait = 20ns});
  listener told;
  CHECK(m.due() == timestamp::max());
  m.theirs({1, 100, 0, 1}, at(0), told);
  m.ours({2, 100, 0, 2}, at(5), told);
  CHECK(m.due() == at(15));
  m.advance(at(14), told);
  CHECK(told.take().empty());
  m.advance(at(15), told);
  CHECK(told.take() == lines{"ours 2 unmatched, waited since 5"});
  m.advance(at(100), told);
  CHECK(told.take() == lines{"theirs 1 unmatched, waited since 0"});
  m.advance(timestamp::max(), told);
  CHECK(told.take().empty());
  CHECK(m.totals(ours).missing == 1);
  CHECK(m.totals(theirs).missing == 1);
}

TEST_CASE("without a wait a record is unmatched by the next advance") {
  auto m = match_whole({.ours_wait = 0ns, .theirs_wait = 0ns, .remember = 0ns});
  listener told;
  m.ours({1, 100, 0, 1}, at(7), told);
  m.theirs({1, 100, 0, 2}, at(7), told);
  CHECK(told.take() == lines{"matched 1 with 2"});
  m.ours({1, 100, 0, 3}, at(7), told);
  m.advance(at(7), told);
  m.theirs({1, 100, 0, 4}, at(7), told);  // nothing is remembered
  m.advance(at(7), told);
  CHECK(told.take() == lines{"ours 3 unmatched, waited since 7", "theirs 4 unmatched, waited since 7"});
}

TEST_CASE("a late partner takes back what was missing and opens nothing again") {
  auto m = match_whole({.ours_wait = 10ns, .theirs_wait = 10ns, .remember = 50ns});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.ours({2, 100, 0, 2}, at(0), told);
  m.ours({3, 100, 0, 3}, at(0), told);
  m.advance(at(10), told);
  told.lines.clear();
  m.theirs({1, 100, 0, 4}, at(20), told);
  m.theirs({2, 10, 0, 5}, at(20), told);
  CHECK(told.take() == lines{"ours 1 retracted", "matched 1 with 4", "ours 2 retracted", "mismatched 2 with 5"});
  CHECK(m.totals(ours).missing == 1);
  CHECK(m.totals(ours).open == 0);
  m.theirs({3, 100, 0, 6}, at(60), told);  // that far back nothing is remembered
  CHECK(told.take().empty());
  m.advance(at(1'000), told);
  CHECK(told.take() == lines{"theirs 6 unmatched, waited since 60"});
  CHECK(m.totals(ours).missing == 1);
}

TEST_CASE("a record that comes again is a duplicate for as long as it is remembered") {
  auto m = match_whole({.ours_wait = 10ns, .remember = 50ns});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.ours({1, 100, 0, 2}, at(1), told);
  m.theirs({1, 100, 0, 3}, at(2), told);
  m.theirs({1, 100, 0, 4}, at(51), told);
  CHECK(told.take() == lines{"ours 2 repeats 1", "matched 1 with 3", "theirs 4 repeats 3"});
  m.theirs({1, 100, 0, 5}, at(52), told);
  CHECK(told.take().empty());
  m.theirs({1, 100, 1, 6}, at(52), told);  // another status
  CHECK(told.take().empty());
  CHECK(m.totals(theirs).open == 2);
  CHECK(m.totals(ours).duplicates == 1);
  CHECK(m.totals(theirs).duplicates == 1);
}

TEST_CASE("equal records may be records of their own") {
  auto m = match_whole({.identical_is_duplicate = false});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.ours({1, 100, 0, 2}, at(1), told);
  m.theirs({1, 100, 0, 3}, at(2), told);
  CHECK(told.take() == lines{"ambiguous 1 with 3 or 2 with 3"});
  auto earliest = match_whole({.identical_is_duplicate = false, .earliest = true});
  earliest.ours({1, 100, 0, 1}, at(0), told);
  earliest.ours({1, 100, 0, 2}, at(1), told);
  earliest.theirs({1, 100, 0, 3}, at(2), told);
  earliest.theirs({1, 100, 0, 4}, at(3), told);
  CHECK(told.take() == lines{"matched 1 with 3", "matched 2 with 4"});
}

TEST_CASE("equally good candidates are ambiguous until one of them is gone") {
  auto m = match_whole({.ours_wait = 10ns, .theirs_wait = 20ns});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.ours({1, 102, 0, 2}, at(1), told);
  m.theirs({1, 101, 0, 3}, at(2), told);
  CHECK(told.take() == lines{"ambiguous 1 with 3 or 2 with 3"});
  CHECK(m.totals(theirs).ambiguous == 1);
  CHECK(m.totals(theirs).open == 1);
  m.theirs({1, 100, 0, 4}, at(3), told);  // exactly the first
  CHECK(told.take() == lines{"matched 1 with 4"});
  m.advance(at(11), told);
  CHECK(told.take() == lines{"matched 2 with 3"});
}

TEST_CASE("what stays ambiguous is unmatched at the end for that reason") {
  auto m = match_whole({.ours_wait = 100ns, .theirs_wait = 20ns});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.ours({1, 102, 0, 2}, at(1), told);
  m.theirs({1, 101, 0, 3}, at(2), told);
  told.lines.clear();
  m.advance(at(22), told);
  CHECK(told.take() == lines{"theirs 3 unmatched, ambiguous since 2"});
  m.advance(at(100), told);  // the other one is still there
  CHECK(told.take() == lines{"theirs 3 retracted", "matched 1 with 3"});
  m.advance(at(101), told);
  CHECK(told.take() == lines{"ours 2 unmatched, waited since 1"});
}

TEST_CASE("one that is equal comes before one that is close and one that waits before one that was missing") {
  auto m = match_whole({.ours_wait = 10ns});
  listener told;
  m.ours({1, 99, 0, 1}, at(0), told);
  m.advance(at(10), told);
  m.ours({1, 98, 0, 2}, at(10), told);
  m.ours({1, 103, 0, 3}, at(10), told);
  told.lines.clear();
  m.theirs({1, 103, 0, 4}, at(11), told);
  m.theirs({1, 100, 0, 5}, at(11), told);
  m.theirs({1, 100, 1, 6}, at(12), told);
  CHECK(told.take() == lines{"matched 3 with 4", "matched 2 with 5", "ours 1 retracted", "mismatched 1 with 6"});
}

TEST_CASE("with several records of a key those that disagree are told at the end of the wait") {
  auto m = match_whole({.ours_wait = 10ns, .theirs_wait = 10ns, .several_per_key = true});
  listener told;
  m.theirs({1, 100, 2, 1}, at(0), told);  // a first attempt that failed
  m.ours({1, 100, 0, 2}, at(1), told);
  CHECK(told.take().empty());
  m.theirs({1, 100, 0, 3}, at(2), told);
  CHECK(told.take() == lines{"matched 2 with 3"});
  m.ours({1, 300, 2, 4}, at(3), told);
  CHECK(told.take().empty());
  m.advance(at(10), told);
  CHECK(told.take() == lines{"mismatched 4 with 1"});
}

TEST_CASE("several records of a side add up to one of the other") {
  auto m = match_in_parts({.ours_wait = 10ns});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.theirs({1, 40, 0, 2}, at(1), told);
  m.theirs({1, 30, 1, 3}, at(1), told);  // of another status: no part
  CHECK(told.take().empty());
  m.theirs({1, 62, 0, 4}, at(2), told);
  CHECK(told.take() == lines{"matched in parts 1 with 2 4"});
  CHECK(m.totals(ours).matched == 1);
  CHECK(m.totals(theirs).matched == 2);

  m.ours({2, 20, 0, 5}, at(3), told);
  m.ours({2, 30, 0, 6}, at(3), told);
  m.ours({2, 51, 0, 7}, at(3), told);
  m.theirs({2, 101, 0, 8}, at(4), told);
  CHECK(told.take() == lines{"matched in parts 5 6 7 with 8"});

  m.theirs({3, 100, 0, 9}, at(5), told);
  m.ours({3, -20, 0, 10}, at(5), told);
  m.ours({3, 120, 0, 11}, at(6), told);
  CHECK(told.take() == lines{"matched in parts 10 11 with 9"});
}

TEST_CASE("the sum of parts says how far it is off") {
  auto m = match_in_parts({});
  double by = 0;
  bool agrees = false;
  const auto told = [&](const auto& finding) {
    if constexpr (requires { finding.sum; }) {
      by = finding.sum.by;
      agrees = finding.sum.agrees;
      CHECK(finding.sum.field == "amount");
    }
  };
  m.ours({1, 100, 0, 1}, at(0), told);
  m.theirs({1, 40, 0, 2}, at(1), told);
  m.theirs({1, 57, 0, 3}, at(2), told);
  CHECK(by == -3);
  CHECK(agrees);
}

TEST_CASE("a record that agrees alone comes before parts and equally good parts are ambiguous") {
  auto m = match_in_parts({.ours_wait = 50ns, .theirs_wait = 50ns});
  listener told;
  m.theirs({1, 40, 0, 1}, at(0), told);
  m.theirs({1, 60, 0, 2}, at(0), told);
  m.theirs({1, 97, 0, 3}, at(0), told);
  m.ours({1, 100, 0, 4}, at(1), told);
  CHECK(told.take() == lines{"matched 4 with 3"});
  m.theirs({1, 61, 0, 5}, at(2), told);
  m.ours({1, 103, 0, 6}, at(3), told);
  CHECK(told.take() == lines{"ambiguous 6 with 1 2 or 6 with 1 5"});
  m.ours({1, 101, 0, 7}, at(4), told);  // 40 and 61
  CHECK(told.take() == lines{"matched in parts 7 with 1 5"});
}

TEST_CASE("a late part takes back what was missing") {
  auto m = match_in_parts({.ours_wait = 10ns, .theirs_wait = 10ns});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.theirs({1, 40, 0, 2}, at(0), told);
  m.theirs({2, 40, 0, 3}, at(0), told);
  m.advance(at(10), told);
  CHECK(told.take() == lines{"mismatched 1 with 2", "theirs 3 unmatched, waited since 0"});
  m.theirs({2, 60, 0, 4}, at(11), told);
  m.ours({2, 100, 0, 5}, at(12), told);
  CHECK(told.take() == lines{"theirs 3 retracted", "matched in parts 5 with 3 4"});
  CHECK(m.totals(theirs).missing == 0);
}

TEST_CASE("a sum that overflows fits nothing and as many parts are looked at as allowed") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  auto m = match_in_parts({.max_parts = 3});
  listener told;
  m.ours({1, -2, 0, 1}, at(0), told);  // what most + most would wrap to
  m.theirs({1, most, 0, 2}, at(0), told);
  m.theirs({1, most - 1, 0, 3}, at(0), told);
  CHECK(told.take().empty());
  for (std::uint32_t i = 0; i < 4; ++i) m.theirs({2, 25 + i % 2 * 10, 0, 10 + i}, at(0), told);
  m.ours({2, 120, 0, 20}, at(0), told);
  CHECK(told.take() == lines{"theirs 12 repeats 10", "theirs 13 repeats 11"});
  for (std::uint32_t i = 0; i < 4; ++i) m.theirs({3, 10 + 20 * i, 0, 30 + i}, at(0), told);
  m.ours({3, 160, 0, 40}, at(0), told);  // all four
  CHECK(told.take().empty());
  m.ours({3, 90, 0, 41}, at(0), told);  // the first three
  CHECK(told.take() == lines{"matched in parts 41 with 30 31 32"});
}

TEST_CASE("the record due first goes when a side is full and settled ones go before") {
  auto m = match_whole({.ours = 2, .ours_wait = 10ns});
  listener told;
  m.ours({1, 100, 0, 1}, at(0), told);
  m.ours({2, 100, 0, 2}, at(1), told);
  m.theirs({2, 100, 0, 3}, at(2), told);
  m.ours({3, 100, 0, 4}, at(3), told);  // in place of 2, which was matched
  CHECK(told.take() == lines{"matched 2 with 3"});
  CHECK(m.totals(ours).forgotten_early == 1);
  m.ours({4, 100, 0, 5}, at(4), told);
  CHECK(told.take() == lines{"ours 1 unmatched, evicted since 0"});
  CHECK(m.totals(ours).evicted == 1);
  CHECK(m.totals(ours).missing == 1);
  m.theirs({5, 100, 0, 6}, at(5), told);
  m.ours({5, 100, 0, 7}, at(5), told);  // matched at once: drives nobody out, and is not remembered
  CHECK(told.take() == lines{"matched 7 with 6"});
  CHECK(m.totals(ours).open == 2);
  CHECK(m.totals(ours).forgotten_early == 2);
}

TEST_CASE("a key holds so many records and no more") {
  auto m = match_whole({.per_key = 2});
  listener told;
  for (std::uint32_t i = 0; i < 4; ++i) m.ours({1, 100 * i, 0, i}, at(i), told);
  CHECK(told.take() == lines{"ours 0 unmatched, evicted since 0", "ours 1 unmatched, evicted since 1"});
  m.theirs({1, 300, 0, 9}, at(9), told);
  CHECK(told.take() == lines{"matched 3 with 9"});
  m.ours({1, 900, 0, 5}, at(10), told);
  CHECK(told.take().empty());
  CHECK(m.totals(ours).forgotten_early == 1);
  CHECK(m.totals(ours).is_balanced());
}

TEST_CASE("a late part may go for the record that it is paired with") {
  auto m = match_in_parts({.ours = 1, .ours_wait = 10ns, .several_per_key = true});
  listener told;
  m.ours({1, 40, 0, 1}, at(0), told);
  m.advance(at(10), told);
  m.theirs({1, 100, 0, 2}, at(11), told);
  m.ours({1, 60, 0, 3}, at(12), told);
  CHECK(told.take() == lines{"ours 1 unmatched, waited since 0", "ours 1 retracted", "matched in parts 1 3 with 2"});
  m.ours({1, 60, 0, 4}, at(13), told);
  m.ours({1, 40, 0, 5}, at(13), told);
  CHECK(told.take() == lines{"ours 4 repeats 3"});
  CHECK(m.totals(ours).matched == 2);
  CHECK(m.totals(ours).is_balanced());
}

TEST_CASE("a record that waits can be taken back") {
  auto m = match_whole({});
  listener told;
  CHECK_FALSE(m.withdraw_ours({1, 100, 0, 1}));
  m.ours({1, 100, 0, 1}, at(0), told);
  CHECK_FALSE(m.withdraw_ours({1, 101, 0, 1}));
  CHECK(m.withdraw_ours({1, 100, 0, 1}));
  CHECK(m.totals(ours).seen == 0);
  m.theirs({1, 100, 0, 2}, at(1), told);
  m.ours({1, 100, 0, 1}, at(2), told);
  CHECK(told.take() == lines{"matched 1 with 2"});
  CHECK_FALSE(m.withdraw_ours({1, 100, 0, 1}));
  CHECK_FALSE(m.withdraw_theirs({1, 100, 0, 2}));
}

struct shipment {
  std::optional<std::string> id;
  std::uint32_t leg = 0;
  double weight = 0;
};
struct weighing {
  const char* shipment;
  std::uint32_t leg;
  double weight;
};

TEST_CASE("keys may have several parts and may be absent") {
  auto m = recoup::match<shipment, shipment>(
      recoup::key(&shipment::id, &shipment::leg), recoup::key(&shipment::id, &shipment::leg), {},
      recoup::close<"weight">(&shipment::weight, &shipment::weight, {.of_ours = 0.1}));
  std::vector<std::string> told;
  const auto note =
      recoup::overloaded{[&](const recoup::matched<shipment, shipment>&) { told.emplace_back("matched"); },
                         [&](const recoup::mismatched<shipment, shipment>&) { told.emplace_back("mismatched"); },
                         [&](const recoup::unmatched<shipment>& u) {
                           told.push_back(std::string(name_of(u.side)) + ' ' + std::string(name_of(u.reason)));
                         },
                         [](const auto&) {}};
  m.ours({"a", 1, 10}, at(0), note);
  m.theirs({"a", 2, 10}, at(0), note);
  CHECK(told.empty());
  m.theirs({"a", 1, 10.5}, at(0), note);
  m.ours({std::nullopt, 1, 10}, at(0), note);
  m.theirs({std::nullopt, 1, 10}, at(0), note);
  m.ours({"a", 2, std::nan("")}, at(0), note);
  CHECK(told == std::vector<std::string>{"matched", "ours no_key", "theirs no_key", "mismatched"});
  CHECK(m.totals(ours).missing == 1);
  CHECK(m.totals(ours).is_balanced());
  m.ours({"a", 2, std::nan("")}, at(0), note);
  CHECK(m.totals(ours).duplicates == 1);
}

TEST_CASE("text of any kind is the same key and empty text is none") {
  auto m = recoup::match<shipment, weighing>([](const shipment& s) -> const std::string& { return *s.id; },
                                             &weighing::shipment, {});
  m.ours({"a", 1, 10}, at(0), [](const auto&) {});
  m.theirs({"a", 1, 10}, at(0), [](const auto&) {});
  m.theirs({nullptr, 1, 10}, at(0), [](const auto&) {});
  m.ours({"", 1, 10}, at(0), [](const auto&) {});
  CHECK(m.totals(ours).matched == 1);
  for (const auto side : {ours, theirs}) CHECK(m.totals(side).missing == 1);
}

TEST_CASE("a listener that throws undoes the call whatever it was told before") {
  auto m = match_in_parts({.ours = 4, .theirs = 4, .ours_wait = 10ns, .theirs_wait = 10ns});
  listener told;
  const auto throws_at_every_finding = [&](auto&& call) {
    const auto before = recoup::snapshot(m);
    for (std::size_t n = 0;; ++n) {
      told.lines.clear();
      told.fail_at = n;
      bool threw = false;
      try {
        call();
      } catch (const listener_failure&) {
        threw = true;
      }
      told.fail_at = std::numeric_limits<std::size_t>::max();
      if (!threw) return told.take();
      REQUIRE(recoup::snapshot(m) == before);
    }
  };
  m.theirs({1, 40, 0, 1}, at(0), told);
  m.theirs({2, 60, 0, 2}, at(0), told);
  m.advance(at(10), told);
  m.theirs({1, 61, 0, 3}, at(11), told);
  CHECK(throws_at_every_finding([&] {
          m.ours({1, 100, 0, 4}, at(12), told);
        }) == lines{"theirs 1 retracted", "matched in parts 4 with 1 3"});
  CHECK(throws_at_every_finding([&] { m.ours({1, 100, 0, 5}, at(12), told); }) == lines{"ours 5 repeats 4"});
  CHECK(throws_at_every_finding([&] {
          m.ours({2, 60, 0, 6}, at(13), told);
        }) == lines{"theirs 2 retracted", "matched 6 with 2"});
  for (std::uint32_t i = 0; i < 4; ++i) m.ours({3 + i, 1, 0, 10 + i}, at(14 + i), told);
  CHECK(throws_at_every_finding([&] {
          m.ours({9, 1, 0, 20}, at(20), told);
        }) == lines{"ours 10 unmatched, evicted since 14"});
  CHECK(throws_at_every_finding([&] { m.advance(at(25), told); }) == lines{"ours 11 unmatched, waited since 15"});
  CHECK(m.totals(ours).is_balanced());
}

TEST_CASE("a listener that throws in advance is told the rest by the next") {
  auto m = match_whole({.ours_wait = 10ns});
  listener told;
  for (std::uint32_t i = 0; i < 3; ++i) m.ours({i, 1, 0, i}, at(0), told);
  told.fail_at = 1;
  CHECK_THROWS_AS(m.advance(at(10), told), listener_failure);
  told.fail_at = 99;
  m.advance(at(10), told);
  CHECK(told.take() == lines{"ours 0 unmatched, waited since 0", "ours 1 unmatched, waited since 0",
                             "ours 2 unmatched, waited since 0"});
}

TEST_CASE("hostile times are answers to a matcher") {
  auto m = match_whole({.ours_wait = duration::max(), .theirs_wait = 10ns, .remember = duration::max()});
  listener told;
  m.ours({1, 1, 0, 1}, timestamp::max(), told);
  m.ours({2, 1, 0, 2}, timestamp::min(), told);
  m.theirs({3, 1, 0, 3}, timestamp::max(), told);
  m.theirs({4, 1, 0, 4}, timestamp::min(), told);
  m.theirs({5, 1, 0, 5}, at(0), told);
  CHECK(told.take().empty());
  m.advance(timestamp::min(), told);
  CHECK(told.take().empty());
  m.advance(at(10), told);
  CHECK(told.take() ==
        lines{"theirs 4 unmatched, waited since " + std::to_string(std::numeric_limits<std::int64_t>::min()),
              "ours 2 unmatched, waited since " + std::to_string(std::numeric_limits<std::int64_t>::min()),
              "theirs 5 unmatched, waited since 0"});
  m.advance(timestamp::max(), told);
  CHECK(told.take().size() == 2);
  CHECK(m.totals(ours).is_balanced());
  CHECK(m.totals(theirs).is_balanced());
}

TEST_CASE("a matcher refuses options that make no sense") {
  const auto refused = [](const matcher_options& o, const char* about) {
    CHECK_THROWS_WITH(match_whole(o), Catch::Contains(about));
  };
  refused({.ours = 0}, "ours must be 1 to 2^30");
  refused({.theirs = 0}, "theirs must be 1 to 2^30");
  refused({.ours_wait = -1ns}, "ours_wait must be zero or more");
  refused({.theirs_wait = -1ns}, "theirs_wait must be zero or more");
  refused({.remember = -1ns}, "remember must be zero or more");
  refused({.per_key = 0}, "per_key must be 1 to 2^16");
  refused({.max_parts = 1}, "max_parts must be 2 to 16");
  refused({.max_parts = 17}, "max_parts must be 2 to 16");
}

TEST_CASE("a matcher allocates nothing after construction") {
  auto m = match_in_parts({.ours = 64, .theirs = 64, .ours_wait = 30ns, .theirs_wait = 30ns});
  const std::size_t before = allocations_so_far;
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    m.ours({i * 7 % 40, i % 9, 0, i}, at(i), [](const auto&) {});
    m.theirs({i * 11 % 40, i % 11, 0, i}, at(i), [](const auto&) {});
    m.advance(at(i), [](const auto&) {});
  }
  CHECK(allocations_so_far == before);
  CHECK(m.totals(ours).matched > 100);
  CHECK(decltype(m)::bytes_for({.ours = 64, .theirs = 64}) < 64 * 2 * 200);
}

TEST_CASE("a matcher whose projections cannot be assigned loads a snapshot") {
  const std::int64_t unit = static_cast<std::int64_t>(std::string("0123456789").size());
  const auto make = [&] {
    return recoup::match<order, charge>(
        [unit](const order& o) { return o.id / unit; },
        [unit](const charge& c) { return static_cast<std::int64_t>(c.order_id) / unit; }, {});
  };
  auto m = make();
  listener told;
  m.ours({10, 1, 0, 1}, at(0), told);
  auto restored = make();
  REQUIRE(recoup::restore(restored, recoup::snapshot(m)));
  restored.theirs({11, 1, 0, 2}, at(1), told);
  CHECK(told.take() == lines{"matched 1 with 2"});
}

TEST_CASE("hostile bytes in a snapshot of a matcher are refused or give one that works") {
  auto m = match_in_parts({.ours = 12, .theirs = 12, .ours_wait = 10ns, .theirs_wait = 20ns});
  listener told;
  for (std::uint32_t i = 0; i < 30; ++i) {
    m.ours({i % 5, i % 7, 0, i}, at(i), told);
    m.theirs({i % 6, i % 8, 0, i}, at(i), told);
    if (i % 4 == 0) m.advance(at(i), told);
  }
  const auto saved = recoup::snapshot(m);
  const auto frame = recoup::detail::parse_frame(saved);
  std::mt19937_64 random(5);
  std::size_t refused = 0;
  std::size_t taken = 0;
  for (int i = 0; i < 4'000; ++i) {
    std::vector<std::byte> content(frame.content.begin(), frame.content.end());
    content[random() % content.size()] = static_cast<std::byte>(random());
    auto loaded = m.empty_copy();
    listener others;
    loaded.ours({99, 1, 0, 99}, at(0), others);
    const auto before = recoup::snapshot(loaded);
    recoup::snapshot_reader reader(content);
    if (!loaded.load(reader)) {
      ++refused;
      REQUIRE(recoup::snapshot(loaded) == before);
      continue;
    }
    ++taken;
    for (std::uint32_t k = 0; k < 20; ++k) {
      loaded.ours({k % 5, k % 9, 0, k}, at(30 + k), others);
      loaded.theirs({k % 5, k % 7, 0, k}, at(30 + k), others);
      loaded.advance(at(30 + k), others);
      REQUIRE(loaded.totals(ours).is_balanced());
      REQUIRE(loaded.totals(theirs).is_balanced());
    }
    loaded.advance(timestamp::max(), others);
    REQUIRE(loaded.totals(ours).open == 0);
    REQUIRE(loaded.totals(theirs).open == 0);
  }
  CHECK(refused > 300);
  CHECK(taken > 300);
  for (std::size_t size = 0; size < frame.content.size(); ++size) {
    recoup::snapshot_reader reader(frame.content.first(size));
    REQUIRE_FALSE(m.load(reader));
  }
  CHECK(recoup::snapshot(m) == saved);
}

}  // namespace
