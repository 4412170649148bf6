// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/times.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

#include "catch.hpp"
#include "checked_order.hpp"
#include "recoup/reconcile/field.hpp"

namespace {

using namespace checking;
using namespace std::chrono_literals;
using recoup::not_after;
using recoup::not_before;

struct call {
  timestamp started{};
  std::chrono::sys_time<std::chrono::milliseconds> ended{};
  std::optional<timestamp> answered;
};
constexpr call sample{noon, std::chrono::sys_time<std::chrono::milliseconds>(43'200'000ms), std::nullopt};

static_assert(not_before(&call::ended, &call::started, 0ns)(sample, timestamp()));
static_assert(not_after(&call::ended, &call::started, 0ns)(sample, timestamp()));
static_assert(!not_after(&call::ended, &call::started, -1ns)(sample, timestamp()));
static_assert(not_after(&call::started, 10ns)(sample, noon - 10ns));
static_assert(!not_after(&call::started, 9ns)(sample, noon - 10ns));
static_assert(not_before(&call::started, 10ns)(sample, noon + 10ns));
static_assert(!not_before(&call::started, 9ns)(sample, noon + 10ns));

}  // namespace

TEST_CASE("times after and before the arrival are tolerated up to the nanosecond") {
  const auto after = [](timestamp t, timestamp now, duration tolerance) {
    return not_after(&order::at, tolerance)(with(&order::at, t), now);
  };
  const auto before = [](timestamp t, timestamp now, duration tolerance) {
    return not_before(&order::at, tolerance)(with(&order::at, t), now);
  };
  CHECK(after(noon + 5s, noon, 5s));
  CHECK_FALSE(after(noon + 5s + 1ns, noon, 5s));
  CHECK(after(noon, noon, 0s));
  CHECK_FALSE(after(noon, noon, -1ns));
  CHECK(before(noon - 5s, noon, 5s));
  CHECK_FALSE(before(noon - 5s - 1ns, noon, 5s));
  CHECK(before(noon + 24h, noon, 0s));
  CHECK(not_after(&order::paid, 0s)(nothing(), noon));
  CHECK(not_before(&order::paid, 0s)(nothing(), noon));
  CHECK_FALSE(not_after(&order::paid, 0s)(with(&order::paid, {noon + 1ns}), noon));
  CHECK_FALSE(not_before(&order::paid, 0s)(with(&order::paid, {noon - 1ns}), noon));
}

TEST_CASE("no extreme time or tolerance overflows and the answers agree with wide arithmetic") {
  std::mt19937_64 random(47);
  const auto number = [&]() -> std::int64_t {
    switch (random() % 6) {
      case 0:
        return least<std::int64_t> + static_cast<std::int64_t>(random() % 3);
      case 1:
        return most<std::int64_t> - static_cast<std::int64_t>(random() % 3);
      case 2:
        return static_cast<std::int64_t>(random() % 5) - 2;
      default:
        return static_cast<std::int64_t>(random());
    }
  };
  bool agrees = true;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t t = number();
    const std::int64_t now = number();
    const std::int64_t tolerance = number() & most<std::int64_t>;
    const order o = with(&order::at, at(t));
    // t - now and now - t, where positive, fit 64 unsigned bits.
    const auto distance = static_cast<std::uint64_t>(t > now ? t : now) - static_cast<std::uint64_t>(t > now ? now : t);
    const bool within = distance <= static_cast<std::uint64_t>(tolerance);
    agrees = agrees && not_after(&order::at, duration(tolerance))(o, at(now)) == (t <= now || within);
    agrees = agrees && not_before(&order::at, duration(tolerance))(o, at(now)) == (t >= now || within);
    (void)not_after(&order::at, duration(number()))(o, at(now));
    (void)not_before(&order::at, duration(number()))(o, at(now));
    if (!agrees) FAIL("t " << t << ", now " << now << ", tolerance " << tolerance);
  }
}

TEST_CASE("times of a coarser unit are compared even where they do not fit nanoseconds") {
  const auto after = [](milliseconds_time t) { return not_after(&order::coarse, 5s)(with(&order::coarse, t), noon); };
  const auto before = [](milliseconds_time t) { return not_before(&order::coarse, 5s)(with(&order::coarse, t), noon); };
  CHECK(after(milliseconds_time(43'205'000ms)));
  CHECK_FALSE(after(milliseconds_time(43'205'001ms)));
  CHECK_FALSE(after(milliseconds_time::max()));
  CHECK(after(milliseconds_time::min()));
  CHECK(before(milliseconds_time(43'195'000ms)));
  CHECK_FALSE(before(milliseconds_time(43'194'999ms)));
  CHECK_FALSE(before(milliseconds_time::min()));
  CHECK(before(milliseconds_time::max()));
}

TEST_CASE("a time is compared with another one of the event and not with its arrival") {
  call c = sample;
  const auto ends_later = not_before(&call::ended, &call::started, 0s);
  const auto soon_over = not_after(&call::ended, &call::started, 1h);
  for (const timestamp now : {timestamp::min(), noon, timestamp::max()}) {
    c.ended = sample.ended;
    CHECK(ends_later(c, now));
    c.ended -= 1ms;
    CHECK_FALSE(ends_later(c, now));
    c.ended = sample.ended + 1h;
    CHECK(soon_over(c, now));
    c.ended += 1ms;
    CHECK_FALSE(soon_over(c, now));
  }
  CHECK(soon_over.explain(c, noon) == "1970-01-01T13:00:00.001Z is more than 1 h after 1970-01-01T12:00:00Z");
  CHECK(
      not_after(recoup::field<"ended">(&call::ended), recoup::field<"started">(&call::started), 2h).explain(c, noon) ==
      "ended 1970-01-01T13:00:00.001Z is not more than 2 h after started 1970-01-01T12:00:00Z");
}

TEST_CASE("two times of which one is absent pass") {
  const call c = sample;
  CHECK(not_before(&call::answered, &call::started, -1h)(c, noon));
  CHECK(not_before(&call::started, &call::answered, -1h)(c, noon));
  CHECK(not_before(&call::answered, &call::started, -1h).explain(c, noon) == "the field is absent");
}

TEST_CASE("extreme times of an event are compared exactly") {
  call c = sample;
  const auto at_all = not_after(&call::started, &call::ended, duration::max());
  c.started = timestamp::max();
  c.ended = std::chrono::sys_time<std::chrono::milliseconds>::min();  // nearest: timestamp::min()
  CHECK_FALSE(at_all(c, noon));
  c.started = timestamp(-1ns);
  CHECK(at_all(c, noon));
  c.started = timestamp::min();
  CHECK(at_all(c, noon));
  CHECK_FALSE(not_after(&call::started, &call::ended, -1ns)(c, noon));
  CHECK_FALSE(not_after(&call::started, &call::ended, duration::min())(c, noon));
}
