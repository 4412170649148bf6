// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// zero_cost_cases CASE N: N events through a component, called by hand or by a pipeline of one stage. The script
// zero_cost counts the instructions of the functions here. Both sides judge, hand the event to the same handler,
// commit, and count the verdict.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "recoup/recoup.hpp"

namespace {

using recoup::timestamp;

struct event {
  std::uint32_t stream;
  std::uint64_t number;  // in its stream
  std::uint64_t id;
  std::int64_t price, quantity, total;
  timestamp at;
};

std::uint64_t handled = 0;

// The user's sink: of several kinds of message, and too simple to hide the cost of anything else.
struct handler {
  [[gnu::noinline]] void operator()(const recoup::accepted<event>& a) const { handled += a.event.id; }
  template <class Told>
  void operator()(const Told&) const {
    handled ^= 1;
  }
};

// Bounds as a program has them that reads its options: unknown to the compiler.
volatile std::int64_t bound = 3'600;
std::int64_t high_price() { return 1'000 * bound; }
recoup::duration oldest() { return std::chrono::seconds(bound); }

auto make_rules() {
  using namespace recoup;
  return rule_set(
      rule<"price.range">(in_range(&event::price, std::int64_t{1}, high_price()), on_fail::dead_letter),
      rule<"at.future">(not_after(&event::at, oldest()), on_fail::review),
      rule<"at.past">(not_before(&event::at, oldest()), on_fail::review),
      rule<"total.product">(product_equals(&event::price, &event::quantity, &event::total), on_fail::review));
}

// By hand: the component, the sink and a count of the verdicts, as members of a program's consumer.
struct by_hand {
  std::array<std::uint64_t, recoup::verdict_kinds> verdicts{};
  handler sink{};

  void accept(const event& e) const { sink(recoup::accepted<event>{e, recoup::origin::live}); }
  void count(recoup::verdict v) { ++verdicts[static_cast<std::size_t>(v)]; }
};

struct tracker_by_hand : by_hand {
  recoup::gap_tracker tracker;

  void consume(const event& e, timestamp now) {
    const auto seen = tracker.judge(e.id);
    accept(e);
    tracker.commit(seen, now);
    count(recoup::verdict::accepted);
  }
};

struct streams_by_hand : by_hand {
  recoup::gap_trackers<std::uint32_t> trackers{{}, recoup::keyed_options{}};

  void consume(const event& e, timestamp now) {
    const auto seen = trackers.judge(e.stream, e.number);
    accept(e);
    trackers.commit(e.stream, seen, now);
    count(recoup::verdict::accepted);
  }
};

struct window_by_hand : by_hand {
  recoup::exact_window<std::uint64_t> window{{.events = 1 << 20}};

  void consume(const event& e, timestamp now) {
    const auto seen = window.judge(e.id, now);
    if (seen.is_duplicate) {
      handled ^= 1;
    } else {
      accept(e);
    }
    window.commit(e.id, seen, now);
    count(seen.is_duplicate ? recoup::verdict::duplicate : recoup::verdict::accepted);
  }
};

struct rules_by_hand : by_hand {
  decltype(make_rules()) rules = make_rules();
  std::uint64_t checked = 0;
  std::array<std::uint64_t, 4> failures{};

  void consume(const event& e, timestamp now) {
    using enum recoup::verdict;
    const auto failed = rules.failed(e, now);
    const auto outcome = failed == 0                                                     ? accepted
                         : failed & decltype(rules)::with(recoup::severity::dead_letter) ? dead_letter
                                                                                         : review;
    if (outcome == accepted) {
      accept(e);
    } else {
      handled ^= 1;
    }
    ++checked;
    if (failed != 0) {
      for (std::size_t i = 0; i < failures.size(); ++i) failures[i] += failed >> i & 1;
    }
    count(outcome);
  }
};

// By a pipeline of one stage, as a member likewise.
template <class Pipeline>
struct by_pipeline {
  Pipeline pipe;
  handler sink{};

  void consume(const event& e, timestamp now) { pipe.process(e, now, sink); }
};
template <class Pipeline>
by_pipeline(Pipeline) -> by_pipeline<Pipeline>;

// What is counted: one event through one consumer, about which the compiler knows nothing.
template <class Consumer>
[[gnu::noinline]] void feed(Consumer& consumer, const event& e, timestamp now) {
  consumer.consume(e, now);
}

template <class Make>
void run(std::span<const event> events, Make make) {
  auto consumer = make();
  for (const event& e : events) feed(consumer, e, timestamp{});
}

struct named_case {
  std::string_view name;
  void (*run)(std::span<const event>);
};
template <class... Rules>
auto check_of(recoup::rule_set<Rules...> rules) {
  return recoup::check_stage<event, recoup::rule_set<Rules...>>(std::move(rules));
}
template <class... Stages>
auto pipeline_of(Stages... stages) {
  return by_pipeline{recoup::assemble<event>(std::move(stages)...)};
}
constexpr named_case cases[] = {
    {"tracker.hand", [](auto events) { run(events, [] { return tracker_by_hand{}; }); }},
    {"tracker.pipeline", [](auto events) { run(events, [] { return pipeline_of(recoup::track_gaps(&event::id)); }); }},
    {"streams.hand", [](auto events) { run(events, [] { return streams_by_hand{}; }); }},
    {"streams.pipeline",
     [](auto events) { run(events, [] { return pipeline_of(recoup::track_gaps(&event::stream, &event::number)); }); }},
    {"window.hand", [](auto events) { run(events, [] { return window_by_hand{}; }); }},
    {"window.pipeline",
     [](auto events) {
       run(events, [] {
         return pipeline_of(recoup::deduplicate(&event::id, recoup::exact_window<std::uint64_t>({.events = 1 << 20})));
       });
     }},
    {"rules.hand", [](auto events) { run(events, [] { return rules_by_hand{}; }); }},
    {"rules.pipeline", [](auto events) { run(events, [] { return pipeline_of(check_of(make_rules())); }); }},
};

std::vector<event> in_order(std::size_t count) {
  std::vector<event> events(count);
  std::uint64_t next[64]{};
  for (std::size_t i = 0; i < count; ++i) {
    const auto stream = static_cast<std::uint32_t>(i * 7 % 64);
    events[i] = {stream, next[stream]++, i, 3, 4, 12, timestamp{}};
  }
  return events;
}

}  // namespace

int main(int arguments, char** argument) {
  const auto* chosen = arguments == 3 ? std::find_if(std::begin(cases), std::end(cases),
                                                     [&](const named_case& c) { return c.name == argument[1]; })
                                      : std::end(cases);
  if (chosen == std::end(cases)) {
    std::fprintf(stderr, "usage: zero_cost_cases CASE N, with CASE one of");
    for (const named_case& c : cases) std::fprintf(stderr, " %.*s", static_cast<int>(c.name.size()), c.name.data());
    std::fprintf(stderr, "\n");
    return 2;
  }
  const auto events = in_order(std::strtoul(argument[2], nullptr, 10));
  chosen->run(events);
  std::printf("%llu\n", static_cast<unsigned long long>(handled));
}
