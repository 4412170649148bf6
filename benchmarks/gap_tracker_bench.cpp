// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to know which numbers are missing? gap_tracker, a std::set of missing numbers with the same
// shortcut for numbers in order, and the floor: compare and increment in memory. All see the same numbers and must
// agree.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <recoup/sequence/gap_tracker.hpp>
#include <set>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t events = 1 << 20;

// Numbers from 0 on, of which some are lost for good, and some come up to 64 places late.
std::vector<std::uint64_t> make_stream(double lost, double reordered) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> chance;
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t n = 0; numbers.size() < events; ++n) {
    if (n == 0 || chance(random) >= lost) numbers.push_back(n);
  }
  for (std::size_t i = 1; i + 64 < events; ++i) {
    if (chance(random) < reordered) std::swap(numbers[i], numbers[i + 1 + random() % 63]);
  }
  return numbers;
}

std::vector<std::uint64_t> stream_of(const benchmark::State& state) {
  return make_stream(static_cast<double>(state.range(0)) / 100, static_cast<double>(state.range(1)) / 100);
}

struct missing_set {
  std::uint64_t next = 0;
  std::set<std::uint64_t> missing;

  void observe(std::uint64_t number) {
    if (number == next) {
      ++next;
    } else if (number > next) {
      for (; next < number; ++next) missing.insert(missing.end(), next);
      ++next;
      while (missing.size() > 4'096) missing.erase(missing.begin());
    } else {
      missing.erase(number);
    }
  }
};

void floor_in_memory(benchmark::State& state) {
  const auto numbers = stream_of(state);
  for (auto _ : state) {
    std::uint64_t next = 0;
    std::uint64_t unexpected = 0;
    for (const std::uint64_t n : numbers) {
      benchmark::DoNotOptimize(next);
      if (n == next) {
        ++next;
      } else {
        ++unexpected;
        next = n + 1;
      }
    }
    benchmark::DoNotOptimize(unexpected);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events));
}

void std_set_of_missing(benchmark::State& state) {
  const auto numbers = stream_of(state);
  std::size_t missing = 0;
  for (auto _ : state) {
    missing_set tracker;
    for (const std::uint64_t n : numbers) tracker.observe(n);
    missing = tracker.missing.size();
  }
  state.counters["missing"] = static_cast<double>(missing);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events));
}

void gap_tracker(benchmark::State& state) {
  const auto numbers = stream_of(state);
  std::uint64_t missing = 0;
  for (auto _ : state) {
    recoup::gap_tracker tracker;
    for (const std::uint64_t n : numbers) benchmark::DoNotOptimize(tracker.observe(n, recoup::timestamp{}).answer);
    missing = tracker.missing_count();
  }
  state.counters["missing"] = static_cast<double>(missing);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events));
}

// {percent lost, percent reordered}
#define RECOUP_STREAMS \
  ArgNames({"lost", "reordered"})->Args({0, 0})->Args({1, 0})->Args({0, 5})->Unit(benchmark::kMillisecond)
BENCHMARK(floor_in_memory)->RECOUP_STREAMS;
BENCHMARK(std_set_of_missing)->RECOUP_STREAMS;
BENCHMARK(gap_tracker)->RECOUP_STREAMS;

}  // namespace
