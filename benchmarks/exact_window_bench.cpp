// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to recognise a duplicate? exact_window, and what people write by hand: a hash set with a ring or
// deque of the last keys. 5 % of the keys repeat one of the last W; all must find the same duplicates.

#include <absl/container/flat_hash_set.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <recoup/dedup/exact_window.hpp>
#include <unordered_set>
#include <vector>

namespace {

std::vector<std::uint64_t> make_keys(std::size_t window) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> keys;
  for (std::size_t i = 0; i < 4 * window; ++i) {
    const bool repeats = i > 0 && random() % 20 == 0;
    keys.push_back(repeats ? keys[i - 1 - random() % std::min(i, window / 2)] : random());
  }
  return keys;
}

template <class Window>
void run(benchmark::State& state, Window (*make)(std::size_t)) {
  const auto window = static_cast<std::size_t>(state.range(0));
  const auto keys = make_keys(window);
  std::uint64_t duplicates = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Window w = make(window);
    state.ResumeTiming();
    duplicates = 0;
    for (const std::uint64_t key : keys) duplicates += w.is_duplicate(key);
  }
  state.counters["duplicates"] = static_cast<double>(duplicates);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(keys.size()));
}

struct std_window {
  std::size_t size;
  std::unordered_set<std::uint64_t> set{};
  std::deque<std::uint64_t> last{};

  bool is_duplicate(std::uint64_t key) {
    if (!set.insert(key).second) return true;
    last.push_back(key);
    if (last.size() > size) {
      set.erase(last.front());
      last.pop_front();
    }
    return false;
  }
};

struct absl_window {
  std::vector<std::uint64_t> ring;
  absl::flat_hash_set<std::uint64_t> set{};
  std::size_t at = 0;
  bool full = false;

  bool is_duplicate(std::uint64_t key) {
    if (!set.insert(key).second) return true;
    if (full) set.erase(ring[at]);
    ring[at] = key;
    if (++at == ring.size()) {
      at = 0;
      full = true;
    }
    return false;
  }
};

struct recoup_window {
  recoup::exact_window<std::uint64_t> window;
  bool is_duplicate(std::uint64_t key) { return window.observe(key, recoup::timestamp{}).is_duplicate; }
};

void std_unordered_set_and_deque(benchmark::State& state) {
  run<std_window>(state, [](std::size_t n) { return std_window{n}; });
}
void absl_flat_hash_set_and_ring(benchmark::State& state) {
  run<absl_window>(state, [](std::size_t n) { return absl_window{std::vector<std::uint64_t>(n)}; });
}
void exact_window(benchmark::State& state) {
  run<recoup_window>(state,
                     [](std::size_t n) { return recoup_window{recoup::exact_window<std::uint64_t>({.events = n})}; });
  const recoup::exact_window_options options{.events = static_cast<std::size_t>(state.range(0))};
  state.counters["bytes_a_key"] = static_cast<double>(recoup::exact_window<std::uint64_t>::bytes_for(options)) /
                                  static_cast<double>(options.events);
}

#define RECOUP_WINDOWS ArgName("window")->Arg(1 << 12)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond)
BENCHMARK(std_unordered_set_and_deque)->RECOUP_WINDOWS;
BENCHMARK(absl_flat_hash_set_and_ring)->RECOUP_WINDOWS;
BENCHMARK(exact_window)->RECOUP_WINDOWS;

}  // namespace
