// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/expect.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/exact_window.hpp"
#include "recoup/pipeline/check.hpp"
#include "recoup/pipeline/deduplicate.hpp"
#include "recoup/pipeline/pipeline.hpp"
#include "recoup/reconcile/predicates.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::timestamp;

enum class kind { created, synced, followed_up, unsubscribed, opened_mail };

struct lead_event {
  std::uint64_t lead = 0;
  kind what = kind::created;
  std::uint64_t id = 0;
  std::optional<timestamp> at = {};
  std::optional<std::string> owner = {};
};

constexpr timestamp start = timestamp(480'000h);

auto is(kind k) {
  return [k](const lead_event& e) { return e.what == k; };
}

constexpr auto ignore = [](const auto&) {};

auto followed_up(recoup::expectation_options options = {}) {
  return recoup::expect("lead.followed_up", &lead_event::lead, options, recoup::opened_by(is(kind::created)),
                        recoup::then(is(kind::synced), 5min), recoup::then(is(kind::followed_up), 1h, 10s),
                        recoup::cancelled_by(is(kind::unsubscribed)));
}

struct log {
  std::vector<std::string> lines;

  auto sink() {
    return recoup::overloaded{[this](const recoup::overdue<std::uint64_t>& f) {
                                lines.push_back("overdue " + std::to_string(f.key) + '/' + std::to_string(f.step));
                              },
                              [this](const recoup::overdue_retracted<std::uint64_t>& f) {
                                lines.push_back("retracted " + std::to_string(f.key) + '/' + std::to_string(f.step));
                              },
                              [this](const recoup::expectation_evicted<std::uint64_t>& f) {
                                lines.push_back("evicted " + std::to_string(f.key) + '/' + std::to_string(f.step));
                              },
                              ignore};
  }
};

TEST_CASE("a lead that nobody follows up is told and taken back when somebody does") {
  auto pipe = recoup::assemble<lead_event>(followed_up());
  log told;
  auto sink = told.sink();
  CHECK(pipe.process({1, kind::created}, start, sink) == recoup::verdict::accepted);
  pipe.process({2, kind::created}, start, sink);
  pipe.process({3, kind::created}, start, sink);
  pipe.process({1, kind::synced}, start + 1min, sink);
  pipe.process({2, kind::opened_mail}, start + 1min, sink);
  pipe.process({3, kind::unsubscribed}, start + 1min, sink);
  pipe.advance(start + 6min, sink);
  CHECK(told.lines == std::vector<std::string>{"overdue 2/0"});
  pipe.advance(start + 62min, sink);
  CHECK(told.lines == std::vector<std::string>{"overdue 2/0", "overdue 1/1"});
  pipe.process({1, kind::followed_up}, start + 63min, sink);
  CHECK(told.lines.back() == "retracted 1/1");
  const auto& counts = pipe.stage_at<0>().waiting().counts();
  CHECK(counts.opened == 3);
  CHECK(counts.fulfilled == 1);
  CHECK(counts.cancelled == 1);
  std::vector<std::string> counters;
  pipe.stats([&](std::string_view stage, std::string_view counter, std::uint64_t value) {
    if (stage == "expect" && value > 0) counters.push_back(std::string(counter) + ' ' + std::to_string(value));
  });
  CHECK(counters == std::vector<std::string>{"opened 3", "fulfilled 1", "cancelled 1", "overdue 2", "retracted 1"});
}

TEST_CASE("an event that the sink throws at opens and ends no expectation") {
  auto pipe = recoup::assemble<lead_event>(followed_up());
  log told;
  auto sink = told.sink();
  recoup::overloaded refuse{[](const recoup::accepted<lead_event>&) { throw std::runtime_error("no"); }, ignore};
  CHECK_THROWS(pipe.process({1, kind::created}, start, refuse));
  CHECK(pipe.stage_at<0>().waiting().size() == 0);
  pipe.process({1, kind::created}, start, sink);
  pipe.advance(start + 6min, sink);
  const auto before = recoup::snapshot(pipe);
  CHECK_THROWS(pipe.process({1, kind::synced}, start + 7min, refuse));
  CHECK(recoup::snapshot(pipe) == before);
  recoup::overloaded refuse_overdue{[](const recoup::overdue<std::uint64_t>&) { throw std::runtime_error("no"); },
                                    ignore};
  pipe.process({2, kind::created}, start + 7min, sink);
  CHECK_THROWS(pipe.advance(start + 13min, refuse_overdue));
  pipe.advance(start + 13min, sink);
  CHECK(told.lines == std::vector<std::string>{"overdue 1/0", "overdue 2/0"});
}

TEST_CASE("a created lead that is taken back is not waited for") {
  auto pipe = recoup::assemble<lead_event>(followed_up());
  pipe.process({1, kind::created}, start, ignore);
  CHECK(pipe.forget({1, kind::created}, start + 3s));
  CHECK_FALSE(pipe.forget({1, kind::created}, start + 3s));
  CHECK(pipe.forget({1, kind::opened_mail}, start + 3s));
  CHECK(pipe.stage_at<0>().waiting().counts().opened == 0);
  pipe.advance(timestamp::max(), [](const auto&) { FAIL("nothing is waited for"); });
}

TEST_CASE("only events that pass count as having happened") {
  auto pipe = recoup::assemble<lead_event>(
      recoup::deduplicate(&lead_event::id, recoup::exact_window({.events = 100})),
      recoup::check(recoup::rule<"owner.required">(recoup::required(&lead_event::owner), recoup::on_fail::dead_letter)),
      followed_up({.again = recoup::when_opened_again::restart}));
  pipe.process({1, kind::created, 1, {}, "a"}, start, ignore);
  pipe.process({1, kind::created, 1, {}, "a"}, start + 1min, ignore);
  const auto& waiting = pipe.stage_at<2>().waiting();
  CHECK(waiting.counts().opened == 1);
  pipe.process({1, kind::synced, 2}, start + 1min, ignore);
  CHECK(waiting.find(1)->step == 0);
  pipe.process({1, kind::synced, 3, {}, "a"}, start + 1min, ignore, recoup::origin::inferred);
  CHECK(waiting.find(1)->step == 0);
  pipe.process({1, kind::synced, 4, {}, "a"}, start + 1min, ignore, recoup::origin::replay);
  CHECK(waiting.find(1)->step == 1);
}

TEST_CASE("times may be those of the events and keys may have parts") {
  auto pipe = recoup::assemble<lead_event>(recoup::expect("quiet", recoup::key(&lead_event::lead, &lead_event::owner),
                                                          {.tolerance = 10s}, recoup::opened_by(is(kind::unsubscribed)),
                                                          recoup::never(is(kind::opened_mail), 24h),
                                                          recoup::timed_by(&lead_event::at)));
  std::vector<std::string> told;
  recoup::overloaded sink{
      [&](const recoup::forbidden_arrival<std::tuple<std::uint64_t, std::optional<std::string>>>& f) {
        told.push_back(std::to_string(std::get<0>(f.key)) + *std::get<1>(f.key) + ' ' + std::string(f.name));
        CHECK(f.due == start + 24h);
      },
      [](const recoup::expectation_evicted<std::tuple<std::uint64_t, std::optional<std::string>>>&) {},
      [](const recoup::accepted<lead_event>&) {}};  // nothing can be overdue
  pipe.process({1, kind::unsubscribed, 0, start, "ann"}, start + 90h, sink);
  pipe.process({1, kind::unsubscribed, 0, start, std::nullopt}, start + 90h, sink);
  pipe.process({2, kind::unsubscribed, 0, std::nullopt, "bob"}, start, sink);
  CHECK(pipe.stage_at<0>().waiting().open() == 2);
  pipe.process({1, kind::opened_mail, 0, start + 23h, "bob"}, start + 91h, sink);
  pipe.process({1, kind::opened_mail, 0, start + 23h, "ann"}, start + 91h, sink);
  CHECK(told == std::vector<std::string>{"1ann quiet"});
  pipe.process({2, kind::opened_mail, 0, start + 25h, "bob"}, start + 91h, sink);
  CHECK(told.size() == 1);
  CHECK(pipe.stage_at<0>().waiting().counts().fulfilled == 1);
}

TEST_CASE("alternatives are one predicate and text is owned") {
  struct message {
    std::string_view order;
    char what;
  };
  auto pipe = recoup::assemble<message>(
      recoup::expect("order.ended", &message::order, recoup::opened_by([](const message& m) { return m.what == 'A'; }),
                     recoup::then([](const message& m) { return m.what == 'B' || m.what == 'b'; }, 1min)));
  {
    const std::array<std::string, 3> orders{"one", "two", "three"};
    for (const std::string& o : orders) pipe.process({o, 'A'}, start, ignore);
    pipe.process({orders[0], 'B'}, start, ignore);
    pipe.process({orders[1], 'b'}, start, ignore);
  }
  std::vector<std::string> overdue;
  pipe.advance(start + 2min,
               recoup::overloaded{[&](const recoup::overdue<std::string>& o) { overdue.push_back(o.key); }, ignore});
  CHECK(overdue == std::vector<std::string>{"three"});
}

TEST_CASE("a batch of events is expected like one after the other and a snapshot holds what is pending") {
  auto single = recoup::assemble<lead_event>(followed_up({.capacity = 50, .tolerance = 1s}));
  auto batched = single.empty_copy();
  log single_told;
  log batched_told;
  auto single_sink = single_told.sink();
  auto batched_sink = batched_told.sink();
  std::uint64_t random = 1;
  const auto next = [&](std::uint64_t below) {
    random = random * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    return (random >> 33) % below;
  };
  for (int round = 0; round < 200; ++round) {
    const timestamp now = start + round * 1min;
    std::vector<lead_event> batch;
    for (int i = 0; i < 40; ++i) batch.push_back({next(120), static_cast<kind>(next(5))});
    for (const lead_event& e : batch) single.process(e, now, single_sink);
    batched.process(std::span<const lead_event>(batch), now, batched_sink);
    if (round % 3 == 0) {
      single.advance(now, single_sink);
      batched.advance(now, batched_sink);
    }
    if (round % 20 == 0) {
      auto restored = batched.empty_copy();
      REQUIRE(recoup::restore(restored, recoup::snapshot(batched)));
      CHECK(recoup::snapshot(restored) == recoup::snapshot(batched));
      REQUIRE(recoup::restore(batched, recoup::snapshot(batched)));  // and go on from there
    }
  }
  CHECK(single_told.lines == batched_told.lines);
  CHECK(single_told.lines.size() > 200);
  auto other = recoup::assemble<lead_event>(followed_up({.capacity = 51, .tolerance = 1s}));
  CHECK_FALSE(recoup::restore(other, recoup::snapshot(single)));
}

TEST_CASE("the steps of a stage that expects are those of its clauses") {
  CHECK_THROWS_AS(followed_up({.steps = {{.within = 1s}}}), std::invalid_argument);
  CHECK_THROWS_AS(
      recoup::assemble<lead_event>(recoup::expect("x", &lead_event::lead, recoup::opened_by(is(kind::created)),
                                                  recoup::then(is(kind::synced), -1s))),
      std::invalid_argument);
}

}  // namespace
