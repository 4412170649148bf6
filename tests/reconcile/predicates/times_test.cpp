// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/times.hpp"

#include <chrono>
#include <optional>

#include "catch.hpp"
#include "recoup/reconcile/field.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::not_after;
using recoup::not_before;
using recoup::timestamp;

struct call {
  timestamp started{};
  std::chrono::sys_time<std::chrono::milliseconds> ended{};
  std::optional<timestamp> answered;
};
constexpr timestamp noon(43'200s);
constexpr call sample{noon, std::chrono::sys_time<std::chrono::milliseconds>(43'200'000ms), std::nullopt};

static_assert(not_before(&call::ended, &call::started, 0ns)(sample, timestamp()));
static_assert(not_after(&call::ended, &call::started, 0ns)(sample, timestamp()));
static_assert(!not_after(&call::ended, &call::started, -1ns)(sample, timestamp()));

}  // namespace

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
