// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/running_total.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/pipeline/overloaded.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::running_total;
using recoup::timestamp;
using recoup::total_answer;
using recoup::total_change;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }
constexpr auto ignore = [](const auto&) {};

template <class Value = std::int64_t>
using totals_of = recoup::totals<Value>;
using published = recoup::total_published<std::string, std::int64_t>;
using adjusted = recoup::total_adjusted<std::string, std::int64_t>;
using dropped = recoup::total_dropped<std::string, std::int64_t>;

recoup::running_total_options by_ten() { return {.window = 10ns, .keys = {.capacity = 8}}; }

TEST_CASE("totals are published when their window is over and adjusted by what comes later") {
  running_total<std::string> total(by_ten());
  std::vector<published> out;
  std::vector<adjusted> changes;
  recoup::overloaded told{[&](const published& p) { out.push_back(p); },
                          [&](const adjusted& a) { changes.push_back(a); },
                          [&](const dropped&) { FAIL("nothing is to be dropped"); }};
  CHECK(total.add("shop", at(1), 5, at(1), told) == total_answer::counted);
  CHECK(total.add("shop", at(9), 7, at(9), told) == total_answer::counted);
  CHECK(total.correct("shop", at(1), 5, 6, at(9), told) == total_answer::counted);
  total.advance(at(9), told);
  CHECK(out.empty());
  total.advance(at(10), told);
  REQUIRE(out.size() == 1);
  CHECK(out[0].key == "shop");
  CHECK(out[0].window == at(0));
  CHECK(out[0].total == totals_of<>{.count = 2, .sum = 13, .least = 6, .greatest = 7});
  total.advance(at(11), told);
  CHECK(out.size() == 1);

  CHECK(total.add("shop", at(3), 100, at(12), told) == total_answer::adjusted);
  CHECK(total.correct("shop", at(3), 100, 10, at(13), told) == total_answer::adjusted);
  CHECK(total.retract("shop", at(1), 6, at(14), told) == total_answer::adjusted);
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].before == out[0].total);
  CHECK(changes[0].after == totals_of<>{.count = 3, .sum = 113, .least = 6, .greatest = 100});
  CHECK(changes[0].why == total_change::late);
  CHECK(changes[1].before == changes[0].after);
  CHECK(changes[1].after == totals_of<>{.count = 3, .sum = 23, .least = 6, .greatest = 10});
  CHECK(changes[1].why == total_change::corrected);
  CHECK(changes[2].after == totals_of<>{.count = 2, .sum = 17, .least = 7, .greatest = 10});
  CHECK(changes[2].why == total_change::retracted);
  CHECK(total.find("shop", at(5)) == changes[2].after);
  CHECK_FALSE(total.find("shop", at(10)));
  CHECK_FALSE(total.find("other", at(5)));
}

TEST_CASE("a listener that throws leaves the totals as they were") {
  running_total<std::string> total(by_ten());
  total.add("a", at(1), 5, at(1), ignore);
  const auto refuse = [](const auto&) { throw std::runtime_error("no"); };
  const auto before = recoup::snapshot(total);
  CHECK_THROWS(total.advance(at(10), refuse));
  int told = 0;
  total.advance(at(10), [&](const auto&) { ++told; });
  CHECK(told == 1);
  const auto after = recoup::snapshot(total);
  CHECK_THROWS(total.add("a", at(2), 5, at(12), refuse));
  CHECK_THROWS(total.retract("a", at(2), 5, at(12), refuse));
  CHECK(recoup::snapshot(total) == after);
  CHECK(before != after);
}

TEST_CASE("what is too late ahead or no number is not counted") {
  running_total<std::string, double> total({.window = 10ns});
  CHECK(total.add("a", at(45), 1, at(45), ignore) == total_answer::counted);
  CHECK(total.add("a", at(9), 1, at(45), ignore) == total_answer::too_late);
  CHECK(total.add("a", at(10), 1, at(45), ignore) == total_answer::counted);
  CHECK(total.add("a", at(59), 1, at(45), ignore) == total_answer::counted);
  CHECK(total.add("a", at(60), 1, at(45), ignore) == total_answer::ahead);
  CHECK(total.retract("a", at(10), 1, at(45), ignore) == total_answer::too_late);  // it made room for that of 50
  CHECK(total.add("a", at(20), 1, at(45), ignore) == total_answer::counted);
  CHECK(total.add("a", timestamp::max(), 1, at(45), ignore) == total_answer::ahead);
  CHECK(total.add("a", timestamp::min(), 1, at(45), ignore) == total_answer::too_late);
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(total.add("a", at(45), bad, at(45), ignore) == total_answer::refused);
    CHECK(total.correct("a", at(45), 1, bad, at(45), ignore) == total_answer::refused);
  }
  const double huge = std::numeric_limits<double>::max();
  CHECK(total.add("b", at(45), huge, at(45), ignore) == total_answer::counted);
  CHECK(total.add("b", at(45), huge, at(45), ignore) == total_answer::refused);
  CHECK(total.find("b", at(45))->sum == huge);
  CHECK(total.retract("c", at(45), 1, at(45), ignore) == total_answer::refused);
  CHECK(total.retract("a", at(45), -3, at(45), ignore) == total_answer::refused);
  CHECK(total.not_counted() == 12);

  running_total<int> whole({.window = 10ns});
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(whole.add(1, at(1), most, at(1), ignore) == total_answer::counted);
  CHECK(whole.add(1, at(1), 1, at(1), ignore) == total_answer::refused);
  CHECK(whole.add(1, at(1), std::numeric_limits<std::int64_t>::min(), at(1), ignore) == total_answer::counted);
  CHECK(whole.find(1, at(1))->sum == -1);
}

TEST_CASE("a window left behind is told as dropped and so are those of a key that has to go") {
  running_total<std::string> total({.window = 10ns, .keys = {.capacity = 1}});
  std::vector<std::pair<timestamp, bool>> gone;
  recoup::overloaded told{[&](const dropped& d) { gone.emplace_back(d.window, d.is_published); }, [](const auto&) {}};
  total.add("a", at(5), 1, at(5), told);
  total.advance(at(10), told);
  total.add("a", at(15), 1, at(15), told);
  total.add("a", at(45), 1, at(45), told);
  CHECK(gone == std::vector<std::pair<timestamp, bool>>{{at(0), true}});
  gone.clear();
  total.add("b", at(45), 1, at(45), told);
  CHECK(gone.size() == 2);
  CHECK(std::count(gone.begin(), gone.end(), std::pair(at(10), false)) == 1);
  CHECK(total.size() == 1);
}

TEST_CASE("a time far ahead that was wrong keeps no key from counting") {
  running_total<std::string> total(by_ten());
  CHECK(total.add("a", timestamp::max(), 1, timestamp::max(), ignore) == total_answer::counted);
  total.advance(timestamp::max(), ignore);
  for (std::int64_t t = 0; t < 100; t += 10) {
    CHECK(total.add("a", at(t), 1, at(t), ignore) == total_answer::counted);
  }
  int told = 0;
  total.advance(at(100), [&](const auto&) { ++told; });
  CHECK(told == 4);
  CHECK(total.add("a", timestamp::min(), 1, timestamp::min(), ignore) == total_answer::counted);
}

TEST_CASE("a value of a key that is known allocates nothing however long the key is") {
  const std::string_view name = "a key that is too long for the room in a string";
  running_total<std::string> total(by_ten());
  REQUIRE(total.add(name, at(1), 1, at(1), ignore) == total_answer::counted);
  const std::size_t before = allocations_so_far;
  for (int i = 2; i < 10; ++i) {
    total.add(name, at(i), i, at(i), ignore);
    total.correct(name, at(i), i, i + 1, at(i), ignore);
    total.retract(name, at(i), i + 1, at(i), ignore);
    total.add(name, at(i + 10), i, at(i), ignore);
    total.advance(at(i), ignore);
  }
  CHECK(allocations_so_far == before);
  CHECK(total.find(name, at(1))->sum == 1);
}

TEST_CASE("totals refuse options that make no sense") {
  CHECK_THROWS_WITH(running_total<int>({.window = 0ns}), Catch::Contains("window must be longer"));
  CHECK_THROWS_WITH(running_total<int>({.window = 10ns, .grace = -1ns}),
                    Catch::Contains("grace must be at least zero"));
  CHECK_THROWS_WITH(running_total<int>({.window = 10ns, .grace = 21ns}), Catch::Contains("at most two windows"));
  CHECK_NOTHROW(running_total<int>({.window = duration::max(), .grace = duration::max()}));
  CHECK_NOTHROW(running_total<int>({.window = 10ns, .grace = 20ns}));
}

// Every event once, with its right value, in order: what each window's totals must be in the end.
template <class Value>
struct clean_stream {
  std::map<std::pair<int, std::int64_t>, std::vector<Value>> values;

  [[nodiscard]] totals_of<Value> total(int key, std::int64_t window) const {
    const auto found = values.find({key, window});
    if (found == values.end() || found->second.empty()) return {};
    const auto& v = found->second;
    totals_of<Value> t{.count = v.size(),
                       .sum = 0,
                       .least = *std::min_element(v.begin(), v.end()),
                       .greatest = *std::max_element(v.begin(), v.end())};
    for (const Value value : v) t.sum += value;
    return t;
  }
  void add(int key, std::int64_t window, Value v) { values[{key, window}].push_back(v); }
  bool remove(int key, std::int64_t window, Value v) {
    auto& all = values[{key, window}];
    const auto found = std::find(all.begin(), all.end(), v);
    if (found == all.end()) return false;
    all.erase(found);
    return true;
  }
};

// Published totals and all their adjustments add up to the totals of the clean stream, at every moment.
template <class Value>
void check_random(std::uint64_t seed, std::int64_t values) {
  std::mt19937_64 random(seed);
  running_total<int, Value> total({.window = 10ns, .grace = 3ns, .keys = {.capacity = 16}});
  clean_stream<Value> clean;
  std::map<std::pair<int, std::int64_t>, totals_of<Value>> known;  // by those who listen
  std::uint64_t adjustments = 0;
  recoup::overloaded told{
      [&](const recoup::total_published<int, Value>& p) {
        REQUIRE(known.emplace(std::pair(p.key, p.window.time_since_epoch().count()), p.total).second);
      },
      [&](const recoup::total_adjusted<int, Value>& a) {
        auto& k = known.at({a.key, a.window.time_since_epoch().count()});
        REQUIRE(k == a.before);
        k = a.after;
        ++adjustments;
      },
      [](const recoup::total_dropped<int, Value>&) {}};
  std::int64_t now = 0;
  std::size_t exact = 0;
  std::size_t looked_at = 0;
  for (int step = 0; step < 4'000; ++step) {
    now += static_cast<std::int64_t>(random() % 3);
    const int key = static_cast<int>(random() % 4);
    const std::int64_t when = std::max<std::int64_t>(0, now - static_cast<std::int64_t>(random() % 35));
    const std::int64_t window = when / 10 * 10;
    const Value value =
        static_cast<Value>(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(values)) - values / 2);
    const auto& there = clean.values[{key, window}];
    const auto kind = random() % 10;
    if (kind < 6 || there.empty()) {
      const auto answer = total.add(key, at(when), value, at(now), told);
      if (answer <= total_answer::adjusted) clean.add(key, window, value);
    } else {
      const Value old = there[random() % there.size()];
      if (kind < 8) {
        if (total.correct(key, at(when), old, value, at(now), told) <= total_answer::adjusted) {
          REQUIRE(clean.remove(key, window, old));
          clean.add(key, window, value);
        }
      } else if (total.retract(key, at(when), old, at(now), told) <= total_answer::adjusted) {
        REQUIRE(clean.remove(key, window, old));
      }
    }
    if (random() % 4 == 0) total.advance(at(now), told);
    if (random() % 200 == 0) {
      running_total<int, Value> restored = total.empty_copy();
      REQUIRE(recoup::restore(restored, recoup::snapshot(total)));
      REQUIRE(recoup::snapshot(restored) == recoup::snapshot(total));
      total = std::move(restored);
    }
    const auto found = total.find(key, at(when));
    const auto expected = clean.total(key, window);
    if (!found) continue;
    ++looked_at;
    REQUIRE(found->count == expected.count);
    REQUIRE(static_cast<double>(found->sum) == static_cast<double>(expected.sum));
    if (expected.count == 0) continue;
    if (found->least_is_exact) REQUIRE(found->least == expected.least);
    if (found->greatest_is_exact) REQUIRE(found->greatest == expected.greatest);
    REQUIRE(found->least <= expected.least);
    REQUIRE(found->greatest >= expected.greatest);
    exact += found->least_is_exact && found->greatest_is_exact;
  }
  CHECK(adjustments > 200);
  CHECK(looked_at > 2'000);
  CHECK(exact > looked_at * 9 / 10);
  CHECK(known.size() > 100);
  for (const auto& [where, t] : known) CHECK(t.count == clean.total(where.first, where.second).count);
}

TEST_CASE("after any order of events corrections and retractions the totals are those of the clean stream") {
  for (std::uint64_t seed = 0; seed < 3 * test_scale(); ++seed) {
    check_random<std::int64_t>(seed, 1'000'000);
    check_random<std::int64_t>(seed, 5);
    check_random<double>(seed, 1 << 20);
  }
}

TEST_CASE("sums of floating point leave nothing behind when all is taken back") {
  running_total<int, double> total({.window = 1h});
  std::mt19937_64 random(1);
  std::vector<double> values;
  for (int i = 0; i < 1'000; ++i) {
    values.push_back(std::ldexp(static_cast<double>(random() % 1'000) - 500, static_cast<int>(random() % 60) - 30));
    REQUIRE(total.add(1, at(1), values.back(), at(1), ignore) == total_answer::counted);
  }
  REQUIRE(total.add(1, at(1), 0.1, at(1), ignore) == total_answer::counted);
  std::shuffle(values.begin(), values.end(), random);
  for (const double v : values) REQUIRE(total.retract(1, at(1), v, at(1), ignore) == total_answer::counted);
  CHECK(total.find(1, at(1))->count == 1);
  CHECK_THAT(total.find(1, at(1))->sum, Catch::Matchers::WithinAbs(0.1, 1e-6));
}

TEST_CASE("hostile bytes in a snapshot of totals are refused or give totals that work") {
  running_total<int, double> total({.window = 10ns, .keys = {.capacity = 4}});
  for (int i = 0; i < 60; ++i) total.add(i % 4, at(i), i * 0.5, at(i), ignore);
  const auto saved = recoup::snapshot(total);
  std::mt19937_64 random(9);
  std::size_t refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    const auto frame = recoup::detail::parse_frame(saved);
    std::vector<std::byte> content(frame.content.begin(), frame.content.end());
    content[random() % content.size()] = static_cast<std::byte>(random());
    running_total<int, double> loaded = total.empty_copy();
    recoup::snapshot_reader reader(content);
    if (!loaded.load(reader)) {
      ++refused;
      continue;
    }
    for (int k = 0; k < 20; ++k) {
      loaded.add(k % 4, at(60 + k), 1, at(60 + k), ignore);
      loaded.retract(k % 4, at(60 - k), 1, at(60 + k), ignore);
      loaded.advance(at(60 + k), ignore);
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("what a running total answers has a name") {
  CHECK(name_of(recoup::total_answer::counted) == "counted");
  CHECK(name_of(recoup::total_answer::refused) == "refused");
}

}  // namespace
