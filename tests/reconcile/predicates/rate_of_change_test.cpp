// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/rate_of_change.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/reconcile/predicate.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::rate_of_change;
using recoup::timestamp;

struct sample {
  std::uint32_t sensor = 0;
  timestamp at{};
  double level = 0;
  std::optional<std::int64_t> count;
};
constexpr timestamp noon(43'200s);
constexpr double infinite = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("a value rises and falls by at most so much a second") {
  auto rule = rate_of_change(&sample::sensor, &sample::level, &sample::at, {.rise = 2, .fall = 1});
  static_assert(recoup::remembering<decltype(rule)>);
  const sample first{1, noon, 10, {}};
  CHECK(rule(first, noon));
  CHECK_FALSE(rule.measured(first, noon));
  rule.commit(first, noon);
  CHECK(rule(sample{1, noon + 2s, 14, {}}, noon));
  CHECK_FALSE(rule(sample{1, noon + 2s, std::nextafter(14, 15), {}}, noon));
  CHECK(rule(sample{1, noon + 2s, 8, {}}, noon));
  CHECK_FALSE(rule(sample{1, noon + 2s, std::nextafter(8, 7), {}}, noon));
  CHECK(rule(sample{2, noon + 2s, 900, {}}, noon));
  CHECK(rule.measured(sample{1, noon + 2s, 14, {}}, noon) == 2.0);
  CHECK(rule.measured(sample{1, noon + 2s, 7, {}}, noon) == -1.5);
  CHECK(rule.explain(sample{1, noon + 2s, 15, {}}, noon) ==
        "15 is 5 above 10, the value 2 s before, more than 2 a second");
  CHECK(rule.explain(sample{1, noon + 2s, 9, {}}, noon) == "9 is 1 below 10, the value 2 s before, at most 1 a second");
  CHECK(rule.explain(sample{2, noon, 9, {}}, noon) == "9 is the first of its key");
}

TEST_CASE("two values of one time must be equal and an older one is compared the other way round") {
  auto rule = rate_of_change(&sample::sensor, &sample::level, &sample::at, {.rise = 2, .fall = 1});
  rule.commit(sample{1, noon, 10, {}}, noon);
  CHECK(rule(sample{1, noon, 10, {}}, noon));
  CHECK_FALSE(rule(sample{1, noon, 11, {}}, noon));
  CHECK_FALSE(rate_of_change(&sample::sensor, &sample::level, {.rise = 2}).measured(sample(), noon));
  CHECK(rule(sample{1, noon - 1s, 8, {}}, noon));  // rose by 2 in a second since
  CHECK_FALSE(rule(sample{1, noon - 1s, 7.9, {}}, noon));
  CHECK(rule(sample{1, noon - 1s, 11, {}}, noon));  // fell by 1
  CHECK_FALSE(rule(sample{1, noon - 1s, 11.1, {}}, noon));
  CHECK(rule.measured(sample{1, noon - 1s, 7, {}}, noon) == 3.0);
  CHECK(rule.explain(sample{1, noon - 1s, 7, {}}, noon) ==
        "7 is 3 below 10, the value 1 s after it, more than 2 a second");
}

TEST_CASE("without a field for the time it is that of arrival") {
  auto rule = rate_of_change(&sample::sensor, &sample::count, {.rise = 1});
  sample s{1, timestamp::min(), 0, 10};
  rule.commit(s, noon);
  s.count = 11;
  CHECK(rule(s, noon + 1s));
  CHECK_FALSE(rule(s, noon + 999ms));
  s.count = -1'000'000;
  CHECK(rule(s, noon + 1s));  // may fall as it likes
  s.count.reset();
  CHECK(rule(s, noon + 1s));
  CHECK(rule.explain(s, noon) == "the key, the time or the field is absent");
}

TEST_CASE("hostile values and times are answers") {
  auto rule = rate_of_change(&sample::sensor, &sample::level, &sample::at, {.rise = 2, .fall = 1});
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(rule(sample{1, noon, not_a_number, {}}, noon));
  rule.commit(sample{1, noon, not_a_number, {}}, noon);
  CHECK(rule(sample{1, noon, infinite, {}}, noon));
  rule.commit(sample{1, noon, infinite, {}}, noon);
  CHECK_FALSE(rule(sample{1, noon + 1s, infinite, {}}, noon));
  CHECK_FALSE(rule(sample{1, noon + 1s, 3, {}}, noon));
  rule.commit(sample{1, timestamp::min(), 0, {}}, noon);
  CHECK(rule(sample{1, timestamp::max(), 1e9, {}}, noon));
  CHECK_FALSE(rule(sample{1, timestamp::max(), 1e30, {}}, noon));
  CHECK_THROWS_AS(rate_of_change(&sample::sensor, &sample::level, {.rise = -1}), std::invalid_argument);
  CHECK_THROWS_AS(rate_of_change(&sample::sensor, &sample::level, {.fall = not_a_number}), std::invalid_argument);
}

TEST_CASE("the rate of change agrees with a model that divides") {
  std::mt19937_64 random(9);
  auto rule = rate_of_change(&sample::sensor, &sample::level, &sample::at, {.rise = 3, .fall = 4, .keys = 64});
  std::map<std::uint32_t, std::pair<double, timestamp>> last;
  bool agrees = true;
  int failed = 0;
  for (std::uint64_t i = 0; i < 4'000 * test_scale() && agrees; ++i) {
    sample s;
    s.sensor = static_cast<std::uint32_t>(random() % 30);
    s.at = noon + std::chrono::seconds(random() % 8);
    s.level = static_cast<double>(random() % 40);
    bool expected = true;
    if (const auto at = last.find(s.sensor); at != last.end()) {
      const auto& [level, time] = at->second;
      const double seconds = std::chrono::duration<double>(s.at - time).count();
      const double rate = (s.level - level) / seconds;
      expected = seconds == 0 ? s.level == level : rate <= 3 && rate >= -4;
    }
    agrees = rule(s, noon) == expected;
    failed += !expected;
    if (random() % 2 == 0) {
      rule.commit(s, noon);
      if (random() % 8 == 0) {
        agrees = agrees && rule.forget(s, noon);
      } else {
        last[s.sensor] = {s.level, s.at};
      }
    }
    if (i % 500 == 3) {
      auto other = rule.empty_copy();
      agrees = agrees && recoup::restore(other, recoup::snapshot(rule));
      rule = std::move(other);
    }
  }
  CHECK(agrees);
  CHECK(failed > 100);
}
