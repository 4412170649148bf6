// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/recovery_queue.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::failure_kind;
using recoup::jitter;
using recoup::recovery_id;
using recoup::recovery_queue_options;
using recoup::recovery_target;
using recoup::report_answer;
using recoup::shed_reason;
using recoup::snapshot_status;
using recoup::step_reason;
using recoup::timestamp;
using queue = recoup::recovery_queue<int>;

constexpr timestamp start = timestamp(1h);

struct listener {
  std::vector<int> shed, given_up, superseded;
  std::vector<shed_reason> why_shed;
  std::vector<step_reason> why_given_up;

  void operator()(const recoup::recovery_shed<int>& s) {
    shed.push_back(s.item);
    why_shed.push_back(s.reason);
  }
  void operator()(const recoup::recovery_given_up<int>& g) {
    given_up.push_back(g.item);
    why_given_up.push_back(g.reason);
  }
  void operator()(const recoup::attempt_superseded<int>& s) { superseded.push_back(s.item); }
};

// Waits of 1, 2, 4 ... seconds; two targets, the second of which stands in for the first.
recovery_queue_options plain() {
  recovery_queue_options o;
  o.capacity = 8;
  o.max_leases = 8;
  o.lease = 30s;
  o.retry = {
      .max_attempts = 3, .backoff = {.first = 1s, .longest = 1h, .jitter = jitter::none}, .attempts_a_target = 0};
  o.targets = {recovery_target{.fallback = 1}, recovery_target{}};
  return o;
}

int next_item(queue& q, timestamp now) {
  const auto work = q.next(now);
  return work ? *work->item : -1;
}

TEST_CASE("the most urgent is handed out first and of those the oldest") {
  queue q(plain());
  listener told;
  q.push(1, {.urgency = 5}, start, told);
  q.push(2, {.urgency = 0}, start, told);
  q.push(3, {.urgency = 5}, start, told);
  q.push(4, {.urgency = 0}, start, told);
  q.push(5, {.urgency = 255}, start, told);
  q.push(6, {.urgency = 7}, start, told);
  for (const int expected : {2, 4, 1, 3, 5, 6, -1}) CHECK(next_item(q, start) == expected);
}

TEST_CASE("what failed is handed out again in its old place once its backoff is over") {
  queue q(plain());
  listener told;
  q.push(1, {}, start, told);
  q.push(2, {}, start, told);
  const auto work = q.next(start);
  REQUIRE(work->id.attempt == 1);
  CHECK(q.failed(work->id, {failure_kind::transient}, start, told) == report_answer::taken);
  CHECK(q.next_due(start) == timestamp::min());  // for the other
  q.advance(start + 1s - 1ns, told);
  CHECK(next_item(q, start + 1s - 1ns) == 2);
  CHECK(q.next_due(start) == start + 1s);
  q.push(3, {}, start + 1s, told);
  q.advance(start + 1s, told);
  const auto again = q.next(start + 1s);
  REQUIRE(again);
  CHECK(*again->item == 1);
  CHECK(again->id.attempt == 2);
  CHECK_FALSE(again->is_final);
  CHECK(next_item(q, start + 1s) == 3);
}

TEST_CASE("the last attempt is known as such and after it the item is given up") {
  queue q(plain());
  listener told;
  q.push(1, {}, start, told);
  timestamp now = start;
  for (int attempt = 1; attempt <= 3; ++attempt) {
    q.advance(now, told);
    const auto work = q.next(now);
    REQUIRE(work);
    CHECK(work->is_final == (attempt == 3));
    CHECK(told.given_up.empty());
    q.failed(work->id, {failure_kind::transient}, now, told);
    now += 1min;
  }
  CHECK(told.given_up == std::vector{1});
  CHECK(told.why_given_up == std::vector{step_reason::no_attempts_left});
  CHECK(q.size() == 0);
  CHECK(q.counters().given_up == 1);
}

TEST_CASE("what a worker held that crashed is handed out again when its lease has run out") {
  queue q(plain());
  listener told;
  q.push(1, {}, start, told);
  const auto lost = q.next(start);
  CHECK(lost->lease_until == start + 30s);
  q.advance(start + 30s - 1ns, told);
  CHECK(q.leased() == 1);
  q.advance(start + 30s, told);
  CHECK(q.leased() == 0);
  CHECK(q.counters().timed_out == 1);
  q.advance(start + 31s, told);
  const auto work = q.next(start + 31s);
  REQUIRE(work);
  CHECK(work->id.attempt == 2);
  CHECK(q.failed(lost->id, {}, start + 31s, told) == report_answer::stale);
  CHECK(q.size() == 1);
}

TEST_CASE("a success that comes after its lease still counts and the one who has the item now is told") {
  queue q(plain());
  listener told;
  q.push(1, {}, start, told);
  const auto slow = q.next(start);
  q.advance(start + 40s, told);
  q.advance(start + 50s, told);
  const auto work = q.next(start + 50s);
  REQUIRE(work);
  CHECK(q.succeeded(slow->id, start + 51s, told) == report_answer::late);
  CHECK(told.superseded == std::vector{1});
  CHECK(q.size() == 0);
  CHECK(q.leased() == 0);
  CHECK(q.succeeded(work->id, start + 52s, told) == report_answer::stale);
  CHECK(q.counters().late == 1);
  CHECK(q.counters().superseded == 1);
  CHECK(q.counters().stale == 1);
}

TEST_CASE("an attempt that takes longer may extend its lease") {
  queue q(plain());
  listener told;
  q.push(1, {}, start, told);
  const auto work = q.next(start);
  CHECK(q.extend(work->id, start + 20s) == report_answer::taken);
  CHECK(q.extend(work->id, start) == report_answer::taken);  // never sooner
  q.advance(start + 50s - 1ns, told);
  CHECK(q.leased() == 1);
  q.advance(start + 50s, told);
  CHECK(q.extend(work->id, start + 50s) == report_answer::stale);
}

TEST_CASE("an id is of one item for ever though places are used again") {
  auto o = plain();
  o.capacity = 1;
  queue q(o);
  listener told;
  const auto first = q.push(1, {}, start, told);
  const auto work = q.next(start);
  CHECK(q.succeeded(work->id, start, told) == report_answer::taken);
  const auto second = q.push(2, {}, start, told);
  REQUIRE(second);
  CHECK(second->place == first->place);
  CHECK(q.find_item(*first) == nullptr);
  CHECK(*q.find_item(*second) == 2);
  CHECK(q.succeeded(work->id, start, told) == report_answer::stale);
  CHECK(q.succeeded(*second, start, told) == report_answer::stale);  // not handed out
  CHECK_FALSE(q.cancel(*first, told));
  CHECK(q.cancel(*second, told));
}

TEST_CASE("a full queue sheds the newest of the least urgent which may be the one that comes") {
  auto o = plain();
  o.capacity = 3;
  queue q(o);
  listener told;
  q.push(1, {.urgency = 2}, start, told);
  q.push(2, {.urgency = 4}, start, told);
  q.push(3, {.urgency = 4}, start, told);
  CHECK_FALSE(q.push(4, {.urgency = 4}, start, told));
  CHECK(told.shed == std::vector{4});
  CHECK(q.push(5, {.urgency = 3}, start, told));
  CHECK(q.push(6, {.urgency = 0}, start, told));
  CHECK(told.shed == std::vector{4, 3, 2});
  CHECK_FALSE(q.push(7, {.urgency = 5}, start, told));
  for (const int expected : {6, 1, 5, -1}) CHECK(next_item(q, start) == expected);
  CHECK_FALSE(q.push(8, {.urgency = 0}, start, told));  // what is handed out is not shed
  CHECK(told.shed.back() == 8);
  CHECK(q.counters().pushed == 8);
  CHECK(q.counters().shed == 5);
}

TEST_CASE("a queue of which a target is not known hands the item back") {
  queue q(plain());
  listener told;
  CHECK_FALSE(q.push(1, {.target = 2}, start, told));
  CHECK_FALSE(q.push(2, {.target = ~std::uint32_t{0}}, start, told));
  CHECK(told.why_shed == std::vector{shed_reason::unknown_target, shed_reason::unknown_target});
  q.pause(77);
  q.resume(77);
  CHECK_FALSE(q.is_paused(77));
}

TEST_CASE("items of one key are handed out in the order of their pushes one at a time") {
  queue q(plain());
  listener told;
  q.push(1, {.urgency = 5, .key = 7}, start, told);
  const auto second = q.push(2, {.urgency = 0, .key = 7}, start, told);
  q.push(3, {.urgency = 5, .key = 7}, start, told);
  q.push(4, {.urgency = 6, .key = 8}, start, told);
  q.push(5, {.urgency = 7}, start, told);
  const auto first = q.next(start);
  CHECK(*first->item == 1);
  CHECK(next_item(q, start) == 4);
  CHECK(next_item(q, start) == 5);
  CHECK(next_item(q, start) == -1);
  q.failed(first->id, {}, start, told);
  CHECK(next_item(q, start) == -1);  // while it waits, too
  q.cancel(*second, told);           // from between them
  q.advance(start + 1s, told);
  const auto again = q.next(start + 1s);
  CHECK(*again->item == 1);
  q.failed(again->id, {failure_kind::permanent}, start + 1s, told);
  CHECK(told.given_up == std::vector{1});
  CHECK(next_item(q, start + 1s) == 3);
}

TEST_CASE("a target that fails is left alone and its items go to the fallback or wait") {
  auto o = plain();
  o.targets[0].breaker = {
      .failure_percent = 0, .consecutive_failures = 2, .open = {.first = 10s, .longest = 1h, .jitter = jitter::none}};
  queue q(o);
  listener told;
  for (int i = 1; i <= 5; ++i) q.push(i, {}, start, told);
  for (int i = 0; i < 2; ++i) {
    const auto work = q.next(start);
    CHECK(work->target == 0);
    q.failed(work->id, {}, start, told);
  }
  CHECK(q.breaker(0).state() == recoup::breaker_state::open);
  const auto stand_in = q.next(start);
  REQUIRE(stand_in);
  CHECK(*stand_in->item == 3);
  CHECK(stand_in->target == 1);
  q.pause(1);
  CHECK(next_item(q, start) == -1);
  q.advance(start + 5s, told);
  CHECK(next_item(q, start + 5s) == -1);
  CHECK(q.next_due(start + 5s) == start + 10s);
  const auto probe = q.next(start + 10s);
  REQUIRE(probe);
  CHECK(*probe->item == 1);
  CHECK(probe->target == 0);
  CHECK(next_item(q, start + 10s) == -1);  // one probe
  q.succeeded(probe->id, start + 10s, told);
  CHECK(next_item(q, start + 10s) == 2);
  CHECK(q.counters().at_fallback == 1);
}

TEST_CASE("after its attempts at the first target an item is tried at the fallback") {
  auto o = plain();
  o.retry.max_attempts = 5;
  o.retry.attempts_a_target = 2;
  queue q(o);
  listener told;
  q.push(1, {}, start, told);
  std::vector<std::uint32_t> targets;
  timestamp now = start;
  while (q.size() > 0) {
    q.advance(now, told);
    while (const auto work = q.next(now)) {
      targets.push_back(work->target);
      q.failed(work->id, {}, now, told);
    }
    now += 1min;
  }
  CHECK(targets == std::vector<std::uint32_t>{0, 0, 1, 1, 0});
}

TEST_CASE("a target that asks for a pause gets nothing until it is over") {
  auto o = plain();
  o.targets = {recovery_target{}};
  queue q(o);
  listener told;
  q.push(1, {}, start, told);
  q.push(2, {}, start, told);
  const auto work = q.next(start);
  q.failed(work->id, {failure_kind::overloaded, 1min}, start, told);
  CHECK(next_item(q, start + 1min - 1ns) == -1);
  CHECK(q.next_due(start) == start + 1min);
  q.advance(start + 1min, told);
  CHECK(next_item(q, start + 1min) == 1);
}

TEST_CASE("a target gets no more than its rate") {
  auto o = plain();
  o.targets = {recovery_target{.rate = {.calls = 10, .per = 1s}}, recovery_target{}};
  queue q(o);
  listener told;
  for (int i = 1; i <= 3; ++i) q.push(i, {}, start, told);
  q.push(4, {.urgency = 7, .target = 1}, start, told);
  CHECK(next_item(q, start) == 1);
  CHECK(next_item(q, start) == 4);  // the other target is not held up
  CHECK(next_item(q, start) == -1);
  CHECK(q.next_due(start) == start + 100ms);
  CHECK(next_item(q, start + 100ms) == 2);
  CHECK(next_item(q, start + 100ms) == -1);
}

TEST_CASE("while paused nothing is handed out and nothing is lost") {
  queue q(plain());
  listener told;
  q.push(1, {}, start, told);
  q.push(2, {.target = 1}, start, told);
  q.pause();
  CHECK(q.is_paused());
  q.advance(start + 1h, told);
  CHECK(next_item(q, start + 1h) == -1);
  CHECK(q.next_due(start + 1h) == timestamp::max());
  q.resume();
  q.pause(1);
  CHECK(q.is_paused(1));
  CHECK(next_item(q, timestamp::max()) == 1);
  CHECK(next_item(q, timestamp::max()) == -1);
  q.resume(1);
  CHECK(next_item(q, start) == 2);
}

TEST_CASE("a slow attempt gets a second one elsewhere and the first that succeeds counts") {
  auto o = plain();
  o.hedge_after = 5s;
  queue q(o);
  listener told;
  q.push(1, {}, start, told);
  const auto slow = q.next(start);
  CHECK_FALSE(slow->is_hedge);
  CHECK(q.next_due(start) == start + 5s);
  q.advance(start + 5s, told);
  const auto hedge = q.next(start + 5s);
  REQUIRE(hedge);
  CHECK(hedge->is_hedge);
  CHECK(hedge->target == 1);
  CHECK(hedge->id.attempt == 2);
  CHECK(next_item(q, start + 6s) == -1);

  SECTION("the second") {
    CHECK(q.succeeded(hedge->id, start + 6s, told) == report_answer::taken);
    CHECK(told.superseded == std::vector{1});
    CHECK(q.succeeded(slow->id, start + 7s, told) == report_answer::stale);
  }
  SECTION("the first") {
    CHECK(q.succeeded(slow->id, start + 6s, told) == report_answer::taken);
    CHECK(told.superseded == std::vector{1});
    CHECK(q.failed(hedge->id, {}, start + 7s, told) == report_answer::stale);
  }
  SECTION("one fails and the other goes on") {
    q.failed(hedge->id, {failure_kind::permanent}, start + 6s, told);
    CHECK(q.size() == 1);
    CHECK(q.succeeded(slow->id, start + 7s, told) == report_answer::taken);
    CHECK(told.superseded.empty());
  }
  SECTION("both fail") {
    q.failed(slow->id, {}, start + 6s, told);
    q.failed(hedge->id, {}, start + 6s, told);
    CHECK(q.leased() == 0);
    q.advance(start + 1min, told);
    const auto third = q.next(start + 1min);
    REQUIRE(third);
    CHECK(third->is_final);
    CHECK(third->id.attempt == 3);
  }
  CHECK(q.counters().hedges == 1);
}

TEST_CASE("no more attempts are out than there are leases") {
  auto o = plain();
  o.max_leases = 2;
  queue q(o);
  listener told;
  for (int i = 1; i <= 3; ++i) q.push(i, {}, start, told);
  const auto work = q.next(start);
  CHECK(next_item(q, start) == 2);
  CHECK(next_item(q, start) == -1);
  CHECK(q.next_due(start) == start + 30s);
  q.succeeded(work->id, start, told);
  CHECK(next_item(q, start) == 3);
}

TEST_CASE("what is too old is tried once more as its final attempt") {
  auto o = plain();
  o.retry.give_up_after = 1min;
  queue q(o);
  listener told;
  q.push(1, {}, start, told);
  q.pause();
  q.advance(start + 1h, told);
  CHECK(told.given_up.empty());
  q.resume();
  const auto work = q.next(start + 1h);
  REQUIRE(work);
  CHECK(work->is_final);
  q.failed(work->id, {}, start + 1h, told);
  CHECK(told.why_given_up == std::vector{step_reason::too_old});
}

TEST_CASE("a listener that throws leaves the queue as it was") {
  auto o = plain();
  o.capacity = 1;
  o.retry.max_attempts = 1;
  queue q(o);
  listener told;
  const auto refuse = [](const auto&) { throw std::runtime_error("full"); };
  q.push(1, {}, start, told);
  CHECK_THROWS_AS(q.push(2, {.urgency = 0}, start, refuse), std::runtime_error);
  CHECK_THROWS_AS(q.push(2, {.urgency = 7}, start, refuse), std::runtime_error);
  CHECK(q.counters().pushed == 1);
  const auto work = q.next(start);
  const auto before = recoup::snapshot(q);
  CHECK_THROWS_AS(q.failed(work->id, {}, start, refuse), std::runtime_error);
  CHECK_THROWS_AS(q.advance(start + 1h, refuse), std::runtime_error);
  CHECK_THROWS_AS(q.cancel(work->id, refuse), std::runtime_error);
  CHECK((recoup::snapshot(q) == before));
  q.advance(start + 1h, told);
  CHECK(told.given_up == std::vector{1});
}

TEST_CASE("any times are answers of a recovery queue") {
  auto o = plain();
  o.hedge_after = 1s;
  o.retry.give_up_after = 1min;
  o.retry.max_attempts = 50;
  queue q(o);
  listener told;
  std::mt19937_64 random(9);
  const std::vector<timestamp> times{timestamp::min(), timestamp::min() + 1ns, start,
                                     timestamp(),      timestamp::max() - 1ns, timestamp::max()};
  std::vector<recovery_id> ids;
  for (int i = 0; i < 5'000; ++i) {
    const timestamp now = times[random() % times.size()];
    q.push(i, {.urgency = static_cast<std::uint8_t>(random()), .target = static_cast<std::uint32_t>(random() % 2)}, now,
           told);
    q.advance(times[random() % times.size()], told);
    if (const auto work = q.next(now)) ids.push_back(work->id);
    if (!ids.empty()) {
      const auto id = ids[random() % ids.size()];
      const recoup::failure why{failure_kind::overloaded,
                                random() % 20 == 0 ? recoup::duration(static_cast<std::int64_t>(random())) : 0ns};
      random() % 2 == 0 ? q.succeeded(id, now, told) : q.failed(id, why, now, told);
    }
    const auto& c = q.counters();
    if (c.pushed != c.succeeded + c.given_up + c.shed + c.cancelled + q.size()) FAIL("not conserved");
    if (c.shed != told.shed.size() || c.given_up != told.given_up.size()) FAIL("not told");
  }
  CHECK(q.counters().succeeded > 50);
}

TEST_CASE("a recovery queue allocates nothing once it is made and takes the bytes it says") {
  STATIC_REQUIRE(queue::bytes_an_item(false) == 52);
  STATIC_REQUIRE(queue::bytes_an_item(true) == 80);
  STATIC_REQUIRE(queue::bytes_for(1'000'000, 1, 1, true) - 1'000'000 * (80 + sizeof(int)) < 1'000);
  auto o = plain();
  o.capacity = 1'000;
  o.max_leases = 100;
  o.hedge_after = 1s;
  queue q(o);
  const auto ignore = [](const auto&) {};
  const std::size_t before = allocations_so_far;
  timestamp now = start;
  for (int i = 0; i < 5'000; ++i) {
    q.push(i, {.urgency = static_cast<std::uint8_t>(i % 9), .key = i % 100}, now, ignore);
    q.advance(now += 100ms, ignore);
    const auto work = q.next(now);
    if (work && i % 3 == 0) q.succeeded(work->id, now, ignore);
    if (work && i % 3 == 1) q.failed(work->id, {}, now, ignore);
  }
  CHECK(allocations_so_far == before);
}

TEST_CASE("options of a recovery queue that make no sense are refused with a sentence") {
  const auto refusal = [](const auto& change) -> std::string {
    auto o = plain();
    change(o);
    try {
      const queue q(o);
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  };
  using options = recovery_queue_options;
  CHECK(refusal([](options&) {}).empty());
  CHECK(refusal([](options& o) { o.capacity = 0; }).find("recovery_queue_options.capacity") == 0);
  CHECK(refusal([](options& o) { o.max_leases = 0; }).find("recovery_queue_options.max_leases") == 0);
  CHECK(refusal([](options& o) { o.lease = 0s; }).find("recovery_queue_options.lease") == 0);
  CHECK(refusal([](options& o) { o.hedge_after = 0s; }).find("recovery_queue_options.hedge_after") == 0);
  CHECK(refusal([](options& o) { o.targets.clear(); }).find("recovery_queue_options.targets") == 0);
  CHECK(refusal([](options& o) { o.targets.resize(65); }).find("recovery_queue_options.targets") == 0);
  CHECK(refusal([](options& o) { o.targets[1].fallback = 1; }).find("recovery_target.fallback") == 0);
  CHECK(refusal([](options& o) { o.targets[1].fallback = 2; }).find("recovery_target.fallback") == 0);
  CHECK(refusal([](options& o) { o.retry.max_attempts = 0; }).find("retry_policy.max_attempts") == 0);
  CHECK(refusal([](options& o) { o.targets[1].rate = {.calls = 1, .burst = 0}; }).find("rate_limit.burst") == 0);
}

// A queue of texts that has something of everything in it.
using texts = recoup::recovery_queue<std::string>;
texts full_of_all() {
  auto o = plain();
  o.hedge_after = 5s;
  texts q(o);
  const auto ignore = [](const auto&) {};
  for (int i = 0; i < 6; ++i) {
    q.push("a text longer than a short one " + std::to_string(i),
           {.urgency = static_cast<std::uint8_t>(i), .key = i % 4}, start, ignore);
  }
  const auto first = q.next(start);
  const auto second = q.next(start);
  q.failed(first->id, {}, start, ignore);
  (void)q.next(start + 4s);
  q.advance(start + 5s, ignore);
  (void)q.next(start + 5s);
  (void)q.next(start + 5s);
  q.push("one more", {.target = 1}, start, ignore);
  const auto gone = q.push("gone", {}, start, ignore);
  q.cancel(*gone, ignore);
  static_cast<void>(second);
  return q;
}

TEST_CASE("leases survive a restart and their ids with them") {
  texts q = full_of_all();
  const auto bytes = recoup::snapshot(q);
  texts restored = q.empty_copy();
  REQUIRE(recoup::restore(restored, bytes));
  CHECK((recoup::snapshot(restored) == bytes));
  CHECK(restored.size() == q.size());
  CHECK(restored.leased() == q.leased());
  // Both go on alike, to the bytes.
  const auto ignore = [](const auto&) {};
  timestamp now = start + 5s;
  for (int i = 0; i < 300; ++i) {
    now += 700ms;
    for (texts* one : {&q, &restored}) {
      one->advance(now, ignore);
      one->push(std::to_string(i), {.urgency = 1, .key = i % 3}, now, ignore);
      const auto work = one->next(now);
      if (work && i % 2 == 0) one->succeeded(work->id, now, ignore);
      if (work && i % 2 == 1) one->failed(work->id, {}, now, ignore);
    }
    REQUIRE((recoup::snapshot(q) == recoup::snapshot(restored)));
  }
  auto other = plain();
  other.capacity = 9;
  texts bigger(other);
  CHECK(recoup::restore(bigger, bytes).status == snapshot_status::other_configuration);
}

TEST_CASE("with fewer attempts after a restart an item is not given up before one was announced as final") {
  for (const std::uint16_t fewer : {std::uint16_t{1}, std::uint16_t{2}}) {
    auto o = plain();
    o.retry.max_attempts = 5;
    queue before(o);
    listener told;
    before.push(1, {}, start, told);
    timestamp now = start;
    std::optional<recoup::recovery_work<int>> work;
    for (int attempt = 1; attempt <= 3; ++attempt) {
      now += 1min;
      before.advance(now, told);
      work = before.next(now);
      REQUIRE(work);
      CHECK_FALSE(work->is_final);
      if (attempt < 3) before.failed(work->id, {}, now, told);
    }
    o.retry.max_attempts = fewer;
    queue q(o);
    REQUIRE(recoup::restore(q, recoup::snapshot(before)));
    CHECK(q.failed(work->id, {}, now, told) == report_answer::taken);
    CHECK(told.given_up.empty());
    q.advance(now += 1min, told);
    work = q.next(now);
    REQUIRE(work);
    CHECK(work->is_final);
    q.failed(work->id, {}, now, told);
    CHECK(told.why_given_up == std::vector{step_reason::no_attempts_left});
  }
}

TEST_CASE("a recovery queue loads no number of pushes that it can't have reached") {
  const auto with_number = [](std::uint64_t next) {
    queue q(plain());
    listener told;
    q.push(1, {}, start, told);
    recoup::snapshot_writer w;
    q.save(w);
    std::vector<std::byte> bytes(w.written().begin(), w.written().end());
    constexpr std::size_t at = 14 + 13 * 8;  // behind the head of the section and the counters
    for (std::size_t i = 0; i < 8; ++i) bytes[at + i] = static_cast<std::byte>(next >> (8 * i));
    recoup::snapshot_reader r(bytes);
    return queue(plain()).load(r);
  };
  CHECK(with_number(2));
  for (const std::uint64_t bad : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, (std::uint64_t{1} << 61) - 1,
                                  std::uint64_t{1} << 61, ~std::uint64_t{0}}) {
    CHECK_FALSE(with_number(bad));
  }
}

TEST_CASE("a recovery queue loads no bytes that would break it") {
  const texts q = full_of_all();
  recoup::snapshot_writer w;
  q.save(w);
  const std::vector<std::byte> good(w.written().begin(), w.written().end());
  const auto ignore = [](const auto&) {};
  int loaded = 0;
  const auto attempt = [&](const std::vector<std::byte>& bytes) {
    texts target = q.empty_copy();
    recoup::snapshot_reader r(bytes);
    if (!target.load(r)) return;
    ++loaded;
    // Whatever it is now, it works to the end.
    timestamp now = start;
    for (int i = 0; i < 40; ++i) {
      now += 1h;
      target.resume();
      target.push("new", {.key = static_cast<std::uint64_t>(i % 3)}, now, ignore);
      target.advance(now, ignore);
      while (const auto work = target.next(now)) {
        i % 2 == 0 ? target.succeeded(work->id, now, ignore) : target.failed(work->id, {}, now, ignore);
      }
      recoup::snapshot_writer again;
      target.save(again);
      texts copy = q.empty_copy();
      recoup::snapshot_reader reader(again.written());
      if (!copy.load(reader)) FAIL("what it saves is not loaded");
    }
  };
  attempt(good);
  CHECK(loaded == 1);
  for (std::size_t size = 0; size < good.size(); ++size)
    attempt({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
  CHECK(loaded == 1);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {1, 2, 3, 4, 0x80, 0xFF}) {
      auto bad = good;
      bad[i] ^= static_cast<std::byte>(flip);
      attempt(bad);
    }
  }
  CHECK(loaded > 100);  // of times, texts, permits and counts that could have been
  std::mt19937_64 random(3);
  for (int i = 0; i < 3'000; ++i) {
    auto bad = good;
    for (int k = 0; k < 4; ++k) bad[random() % bad.size()] = static_cast<std::byte>(random() % (k % 2 == 0 ? 8 : 256));
    attempt(bad);
  }
}

}  // namespace
