// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to wait for the follow-up that may never come? expectations beside what people write by hand: an
// absl::flat_hash_map from key to time with a std::priority_queue by due time, from which what was fulfilled is dropped
// only when its time has come; and a std::multimap by due time with a flat_hash_map from key to its node.
//
// X/N with N expectations open all the while, of random 64-bit keys, each to be followed within the time in which 4 N
// are opened, which has passed when the clock starts; every second event opens one, every second fulfils one:
//   oldest   the oldest one
//   random   any of them, so that one in 55 is overdue before its turn comes
//   jitter   any of them; the times of the openings are out of order, by up to a hundredth of that time
// X/N where nothing follows:
//   overdue  N are opened, then all are told by one advance; the time is that of both
//   idle     advance, called with N open and nothing due
// `each` is the time of an event (an expectation in `overdue`, a call in `idle`), bytes_each the heap divided by N.
// The peers remember nothing that was overdue, and are not bounded.

#include <absl/container/flat_hash_map.h>
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <recoup/reconcile/expectation.hpp>
#include <string>
#include <utility>
#include <vector>
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace {

using namespace std::chrono_literals;
using recoup::timestamp;
using key = std::uint64_t;

constexpr timestamp start = timestamp(1'000h);
constexpr std::chrono::nanoseconds step = 1us;  // between two openings

std::size_t heap_bytes() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
#else
  return 0;
#endif
}

class by_recoup {
 public:
  by_recoup(std::size_t open, std::chrono::nanoseconds within) : waiting_(options(open, within)) {}

  void open(key k, timestamp at) { waiting_.observe(k, recoup::expectation_role::opens, at, ignore); }
  void follow(key k, timestamp at) { waiting_.observe(k, recoup::expectation_role::step(0), at, ignore); }
  template <class Overdue>
  void advance(timestamp now, Overdue&& overdue) {
    waiting_.advance(now, [&](const recoup::overdue<key>& o) { overdue(o.key); });
  }

 private:
  static constexpr auto ignore = [](const auto&) {};
  static recoup::expectation_options options(std::size_t open, std::chrono::nanoseconds within) {
    recoup::expectation_options o;
    o.steps = {{within}};
    o.capacity = open + 1;
    o.remember_overdue = 0s;
    return o;
  }

  recoup::expectations<key> waiting_;
};

class by_heap {
 public:
  by_heap(std::size_t open, std::chrono::nanoseconds within) : within_(within) { since_.reserve(open + 1); }

  void open(key k, timestamp at) {
    if (since_.emplace(k, at).second) due_.emplace(at + within_, k);
  }
  void follow(key k, timestamp /*at*/) { since_.erase(k); }
  template <class Overdue>
  void advance(timestamp now, Overdue&& overdue) {
    for (; !due_.empty() && due_.top().first < now; due_.pop()) {
      const auto [due, k] = due_.top();
      const auto found = since_.find(k);
      if (found == since_.end() || found->second + within_ != due) continue;
      overdue(k);
      since_.erase(found);
    }
  }

 private:
  using entry = std::pair<timestamp, key>;
  std::chrono::nanoseconds within_;
  absl::flat_hash_map<key, timestamp> since_;
  std::priority_queue<entry, std::vector<entry>, std::greater<>> due_;
};

class by_multimap {
 public:
  by_multimap(std::size_t open, std::chrono::nanoseconds within) : within_(within) { nodes_.reserve(open + 1); }

  void open(key k, timestamp at) {
    const auto [found, is_new] = nodes_.try_emplace(k);
    if (is_new) found->second = due_.emplace(at + within_, k);
  }
  void follow(key k, timestamp /*at*/) {
    const auto found = nodes_.find(k);
    if (found == nodes_.end()) return;
    due_.erase(found->second);
    nodes_.erase(found);
  }
  template <class Overdue>
  void advance(timestamp now, Overdue&& overdue) {
    while (!due_.empty() && due_.begin()->first < now) {
      overdue(due_.begin()->second);
      nodes_.erase(due_.begin()->second);
      due_.erase(due_.begin());
    }
  }

 private:
  std::chrono::nanoseconds within_;
  std::multimap<timestamp, key> due_;
  absl::flat_hash_map<key, std::multimap<timestamp, key>::iterator> nodes_;
};

key mixed(std::uint64_t n) {
  n = (n ^ (n >> 30)) * 0xBF58'476D'1CE4'E5B9;
  n = (n ^ (n >> 27)) * 0x94D0'49BB'1331'11EB;
  return n ^ (n >> 31);
}

enum class order { oldest, random, jitter };

struct event {
  key opens;
  key follows;
  timestamp at;
};

// The first `open` events only open.
std::vector<event> events_of(order o, std::uint64_t open) {
  std::vector<event> all;
  std::vector<std::uint64_t> waiting;
  const std::uint64_t count = 7 * open;
  all.reserve(count);
  waiting.reserve(open);
  for (std::uint64_t i = 0; i < count; ++i) {
    event e{mixed(i), 0, start + i * step};
    if (o == order::jitter) e.at -= std::chrono::nanoseconds(mixed(~i) % (4 * open * step.count() / 100));
    if (i < open) {
      waiting.push_back(i);
    } else {
      std::uint64_t& chosen = waiting[o == order::oldest ? i % open : mixed(i + count) % open];
      e.follows = mixed(chosen);
      chosen = i;
    }
    all.push_back(e);
  }
  return all;
}

void report(benchmark::State& state, std::uint64_t events) {
  state.counters["each"] = benchmark::Counter(static_cast<double>(events) * static_cast<double>(state.iterations()),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <class Waiting, order Order>
void steady(benchmark::State& state) {
  const auto open = static_cast<std::uint64_t>(state.range(0));
  const std::vector<event> events = events_of(Order, open);
  const auto within = std::chrono::nanoseconds(4 * open * step);
  std::uint64_t overdue = 0;
  const auto count = [&](key) { ++overdue; };
  double bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    {
      const std::size_t before = heap_bytes();
      Waiting waiting(open, within);
      const auto process = [&](std::uint64_t i) {
        const event& e = events[i];
        if (i >= open) waiting.follow(e.follows, e.at);
        waiting.open(e.opens, e.at);
        waiting.advance(start + i * step, count);
      };
      for (std::uint64_t i = 0; i < 5 * open; ++i) process(i);
      state.ResumeTiming();
      for (std::uint64_t i = 5 * open; i < events.size(); ++i) process(i);
      state.PauseTiming();
      bytes = static_cast<double>(heap_bytes() - before);
    }
    state.ResumeTiming();
  }
  benchmark::DoNotOptimize(overdue);
  report(state, 4 * open);
  state.counters["bytes_each"] = bytes / static_cast<double>(open);
}

template <class Waiting>
void overdue(benchmark::State& state) {
  const auto open = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t sum = 0;
  for (auto _ : state) {
    state.PauseTiming();
    {
      Waiting waiting(open, 1s);
      state.ResumeTiming();
      for (std::uint64_t i = 0; i < open; ++i) waiting.open(mixed(i), start + i * 1ns);
      waiting.advance(start + 1h, [&](key k) { sum += k; });
      state.PauseTiming();
    }
    state.ResumeTiming();
  }
  benchmark::DoNotOptimize(sum);
  report(state, open);
}

template <class Waiting>
void idle(benchmark::State& state) {
  const auto open = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t sum = 0;
  Waiting waiting(open, 1h);
  for (std::uint64_t i = 0; i < open; ++i) waiting.open(mixed(i), start + i * 1ns);
  timestamp now = start;
  for (auto _ : state) {
    waiting.advance(now, [&](key k) { sum += k; });
    now += 1ns;
    benchmark::DoNotOptimize(now);
  }
  benchmark::DoNotOptimize(sum);
  report(state, 1);
}

template <class Waiting>
void enter(const std::string& name, std::int64_t most) {
  const auto add = [&](const std::string& what, auto run) {
    benchmark::RegisterBenchmark((what + '/' + name).c_str(), run)
        ->Arg(10'000)
        ->Arg(most)
        ->Unit(benchmark::kMillisecond);
  };
  add("oldest", steady<Waiting, order::oldest>);
  add("random", steady<Waiting, order::random>);
  add("jitter", steady<Waiting, order::jitter>);
  add("overdue", overdue<Waiting>);
  add("idle", idle<Waiting>);
}

const bool entered = [] {
  enter<by_recoup>("recoup", 1'000'000);
  enter<by_heap>("flat_hash_map+priority_queue", 1'000'000);
  enter<by_multimap>("flat_hash_map+multimap", 1'000'000);
  return true;
}();

}  // namespace
