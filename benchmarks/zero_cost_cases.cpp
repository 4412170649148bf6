// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// zero_cost_cases CASE N: N events through a component, called by hand or by a pipeline of one stage. The script
// zero_cost counts the instructions of the functions here. Both sides judge, hand the event to the same handler,
// commit, and count the verdict.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string_view>
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
  void operator()(const recoup::accepted<event>& a) const { handled += a.event.id; }
  template <class Told>
  void operator()(const Told&) const {
    handled ^= 1;
  }
};

template <class Pipeline>
void process(std::span<const event> events, timestamp now, Pipeline& pipe) {
  for (const event& e : events) pipe.process(e, now, handler{});
  handled += pipe.processed();
}

// The counters of verdicts, as a pipeline has them.
struct counted {
  std::uint64_t of[recoup::verdict_kinds]{};
  void operator()(recoup::verdict v) { ++of[static_cast<std::size_t>(v)]; }
  ~counted() {
    for (const std::uint64_t n : of) handled += n;
  }
};

// Bounds as a program has them that reads its options: unknown to the compiler.
volatile std::int64_t bound = 3'600;
std::int64_t high_price() { return 1'000 * bound; }
recoup::duration oldest() { return std::chrono::seconds(bound); }

[[gnu::noinline]] void tracker_by_hand(std::span<const event> events, timestamp now) {
  recoup::gap_tracker tracker;
  counted count;
  const handler sink;
  for (const event& e : events) {
    const auto seen = tracker.judge(e.id);
    sink(recoup::accepted<event>{e, recoup::origin::live});
    tracker.commit(seen, now);
    count(recoup::verdict::accepted);
  }
}
[[gnu::noinline]] void tracker_by_pipeline(std::span<const event> events, timestamp now) {
  recoup::pipeline pipe = recoup::assemble<event>(recoup::track_gaps(&event::id));
  process(events, now, pipe);
}

[[gnu::noinline]] void streams_by_hand(std::span<const event> events, timestamp now) {
  recoup::keyed<std::uint32_t, recoup::gap_tracker> trackers({}, recoup::gap_tracker());
  counted count;
  const handler sink;
  for (const event& e : events) {
    const auto place = trackers.locate(e.stream);
    const auto seen = trackers.at(place).judge(e.number);
    sink(recoup::accepted<event>{e, recoup::origin::live});
    trackers.use(place, e.stream, now).commit(seen, now);
    count(recoup::verdict::accepted);
  }
}
[[gnu::noinline]] void streams_by_pipeline(std::span<const event> events, timestamp now) {
  recoup::pipeline pipe = recoup::assemble<event>(recoup::track_gaps(&event::stream, &event::number));
  process(events, now, pipe);
}

using window = recoup::exact_window<std::uint64_t>;
[[gnu::noinline]] void window_by_hand(std::span<const event> events, timestamp now) {
  window seen_keys({.events = 1 << 20});
  counted count;
  const handler sink;
  for (const event& e : events) {
    const auto seen = seen_keys.judge(e.id, now);
    if (seen.is_duplicate) {
      handled ^= 1;
      count(recoup::verdict::duplicate);
    } else {
      sink(recoup::accepted<event>{e, recoup::origin::live});
      count(recoup::verdict::accepted);
    }
    seen_keys.commit(e.id, seen, now);
  }
}
[[gnu::noinline]] void window_by_pipeline(std::span<const event> events, timestamp now) {
  recoup::pipeline pipe = recoup::assemble<event>(recoup::deduplicate(&event::id, window({.events = 1 << 20})));
  process(events, now, pipe);
}

[[gnu::noinline]] void rules_by_hand(std::span<const event> events, timestamp now) {
  using namespace recoup;
  const rule_set set(
      rule<"price.range">(in_range(&event::price, std::int64_t{1}, high_price()), on_fail::dead_letter),
      rule<"at.future">(not_after(&event::at, oldest()), on_fail::review),
      rule<"at.past">(not_before(&event::at, oldest()), on_fail::review),
      rule<"total.product">(product_equals(&event::price, &event::quantity, &event::total), on_fail::review));
  std::uint64_t checked = 0;
  counted count;
  const handler sink;
  for (const event& e : events) {
    const auto failed = set.failed(e, now);
    ++checked;  // as the stage counts for its failure rates
    if (failed == 0) {
      sink(recoup::accepted<event>{e, recoup::origin::live});
      count(recoup::verdict::accepted);
    } else {
      handled ^= 1;
      count(failed & set.with(recoup::severity::dead_letter) ? recoup::verdict::dead_letter : recoup::verdict::review);
    }
  }
  handled += checked;
}
[[gnu::noinline]] void rules_by_pipeline(std::span<const event> events, timestamp now) {
  using namespace recoup;
  recoup::pipeline pipe = assemble<event>(
      check(rule<"price.range">(in_range(&event::price, std::int64_t{1}, high_price()), on_fail::dead_letter),
            rule<"at.future">(not_after(&event::at, oldest()), on_fail::review),
            rule<"at.past">(not_before(&event::at, oldest()), on_fail::review),
            rule<"total.product">(product_equals(&event::price, &event::quantity, &event::total), on_fail::review)));
  process(events, now, pipe);
}

struct named_case {
  std::string_view name;
  void (*run)(std::span<const event>, timestamp now);
};
constexpr named_case cases[] = {
    {"tracker.hand", tracker_by_hand}, {"tracker.pipeline", tracker_by_pipeline},
    {"streams.hand", streams_by_hand}, {"streams.pipeline", streams_by_pipeline},
    {"window.hand", window_by_hand},   {"window.pipeline", window_by_pipeline},
    {"rules.hand", rules_by_hand},     {"rules.pipeline", rules_by_pipeline},
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
  chosen->run(in_order(std::strtoul(argument[2], nullptr, 10)), timestamp{});
  std::printf("%llu\n", static_cast<unsigned long long>(handled));
}
