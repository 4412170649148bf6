// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// How many events a second go through a pipeline, one by one and by span? To tune yours: put your event and your stages
// here, and compare windows, orders of stages and batch sizes.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <recoup/recoup.hpp>
#include <span>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::uint64_t id;
  std::int64_t price, quantity, revenue;
  recoup::timestamp at;
};

std::vector<payment> make_events(std::size_t count) {
  std::vector<payment> events;
  std::vector<std::uint64_t> next(64);
  for (std::size_t i = 0; i < count; ++i) {
    const auto partition = static_cast<std::uint32_t>(i * 7 % 64);
    events.push_back({partition, next[partition]++, i * 0x9E37'79B9'7F4A'7C15, 3, 4, 12, {}});
  }
  return events;
}

auto make_pipeline(std::size_t window) {
  return recoup::assemble<payment>(
      recoup::track_gaps(&payment::partition, &payment::offset, {.reorder_distance = 64}),
      recoup::deduplicate(&payment::id, recoup::exact_window<std::uint64_t>({.events = window})),
      recoup::check(
          recoup::rule<"revenue.product">(
              recoup::product_equals(&payment::price, &payment::quantity, &payment::revenue), recoup::on_fail::correct),
          recoup::rule<"at.future">(recoup::not_after(&payment::at, 5s), recoup::on_fail::review)));
}

template <class Feed>
void run(benchmark::State& state, Feed feed) {
  const auto events = make_events(1 << 20);
  std::uint64_t accepted = 0;
  const recoup::overloaded sink{[&](const recoup::accepted<payment>&) { ++accepted; }, [](const auto&) {}};
  for (auto _ : state) {
    state.PauseTiming();
    auto pipe = make_pipeline(static_cast<std::size_t>(state.range(0)));
    state.ResumeTiming();
    feed(pipe, std::span<const payment>(events), sink);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events.size()));
  if (accepted != static_cast<std::uint64_t>(state.iterations()) * events.size())
    state.SkipWithError("events were lost");
}

void one_by_one(benchmark::State& state) {
  run(state, [](auto& pipe, std::span<const payment> events, const auto& sink) {
    for (const payment& p : events) pipe.process(p, p.at, sink);
  });
}
void by_span(benchmark::State& state) {
  run(state, [](auto& pipe, std::span<const payment> events, const auto& sink) {
    for (; !events.empty(); events = events.subspan(std::min<std::size_t>(256, events.size()))) {
      pipe.process(events.first(std::min<std::size_t>(256, events.size())), recoup::timestamp{}, sink);
    }
  });
}

#define RECOUP_WINDOWS ArgName("window")->Arg(1 << 12)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond)
BENCHMARK(one_by_one)->RECOUP_WINDOWS;
BENCHMARK(by_span)->RECOUP_WINDOWS;

}  // namespace
