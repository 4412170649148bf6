// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to keep what is still to be done? recovery_queue beside what people write by hand: a
// std::priority_queue by urgency and age, a second one by the time of the next attempt, and a std::unordered_map of the
// items by their number. The peer knows no leases that run out, no rates, no breakers and no bound.
//
// X/N with N items of eight bytes, of eight urgencies:
//   drain    all are pushed, then each is handed out and succeeds
//   steady   with N in the queue, one is pushed, one is handed out and succeeds, again and again
//   outage   all are pushed, handed out and fail; a minute later each is handed out again and succeeds
//   shed     into a full queue N/2 more are pushed, each more urgent than half of what is in it
//   blocked  N wait for a target that is down, while one after the other is done for a target that is up
// `each` is the time of an item, bytes_an_item the heap besides the item itself, divided by N.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <recoup/recovery/recovery_queue.hpp>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace {

using namespace std::chrono_literals;
using recoup::timestamp;
using item = std::uint64_t;

constexpr timestamp start = timestamp(1h);

std::size_t heap_bytes() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
#else
  return 0;
#endif
}

constexpr auto ignore = [](const auto&) {};

template <bool Ordered>
class recoup_queue {
 public:
  explicit recoup_queue(std::size_t items) : queue_(options(items)) {}

  void push(item i, std::uint8_t urgency, timestamp now, std::uint32_t target = 0) {
    recoup::push_options o{.urgency = urgency, .target = target};
    if constexpr (Ordered) o.key = i;
    queue_.push(i, o, now, ignore);
  }
  auto next(timestamp now) { return queue_.next(now); }
  void succeeded(const recoup::recovery_work<item>& work, timestamp now) { queue_.succeeded(work.id, now, ignore); }
  void failed(const recoup::recovery_work<item>& work, timestamp now) { queue_.failed(work.id, {}, now, ignore); }
  void advance(timestamp now) { queue_.advance(now, ignore); }
  void pause(std::uint32_t target) { queue_.pause(target); }
  static const item& of(const recoup::recovery_work<item>& work) { return *work.item; }

 private:
  static recoup::recovery_queue_options options(std::size_t items) {
    recoup::recovery_queue_options o;
    o.capacity = items;
    o.ordered_keys = Ordered;
    o.targets.resize(2);
    for (recoup::recovery_target& t : o.targets) t.breaker.failure_percent = 0;
    return o;
  }

  recoup::recovery_queue<item> queue_;
};

class by_hand {
 public:
  explicit by_hand(std::size_t items) { items_.reserve(items); }

  void push(item i, std::uint8_t urgency, timestamp /*now*/) {
    items_.emplace(next_, entry{i, urgency, 0});
    ready_.emplace(urgency, next_++);
  }
  std::optional<std::uint64_t> next(timestamp /*now*/) {
    if (ready_.empty()) return std::nullopt;
    const std::uint64_t number = ready_.top().second;
    ready_.pop();
    ++items_.at(number).attempts;
    return number;
  }
  void succeeded(std::uint64_t number, timestamp /*now*/) { items_.erase(number); }
  void failed(std::uint64_t number, timestamp now) {
    waiting_.emplace(now + 1s * (1U << std::min(items_.at(number).attempts - 1, 5U)), number);
  }
  void advance(timestamp now) {
    while (!waiting_.empty() && waiting_.top().first <= now) {
      const std::uint64_t number = waiting_.top().second;
      waiting_.pop();
      ready_.emplace(items_.at(number).urgency, number);
    }
  }
  const item& of(std::uint64_t number) const { return items_.at(number).value; }

 private:
  struct entry {
    item value;
    std::uint8_t urgency;
    unsigned attempts;
  };
  using ready = std::pair<std::uint8_t, std::uint64_t>;
  using waiting = std::pair<timestamp, std::uint64_t>;

  std::unordered_map<std::uint64_t, entry> items_;
  std::priority_queue<ready, std::vector<ready>, std::greater<>> ready_;
  std::priority_queue<waiting, std::vector<waiting>, std::greater<>> waiting_;
  std::uint64_t next_ = 1;
};

std::uint8_t urgency_of(std::uint64_t i) { return static_cast<std::uint8_t>((i * 0x9E37'79B9'7F4A'7C15) >> 61); }

template <class Queue>
void fill(Queue& queue, std::uint64_t items) {
  for (std::uint64_t i = 0; i < items; ++i) queue.push(i, urgency_of(i), start);
}

template <class Queue>
std::uint64_t take_all(Queue& queue, timestamp now) {
  std::uint64_t sum = 0;
  while (const auto work = queue.next(now)) {
    sum += queue.of(*work);
    queue.succeeded(*work, now);
  }
  return sum;
}

void report(benchmark::State& state, std::uint64_t items) {
  state.counters["each"] = benchmark::Counter(static_cast<double>(items) * static_cast<double>(state.iterations()),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <class Queue>
void drain(benchmark::State& state) {
  const auto items = static_cast<std::uint64_t>(state.range(0));
  std::size_t most = 0;
  for (auto _ : state) {
    const std::size_t before = heap_bytes();
    Queue queue(items);
    fill(queue, items);
    most = heap_bytes() - before;
    if (take_all(queue, start) != items * (items - 1) / 2) state.SkipWithError("items were lost");
  }
  report(state, items);
  state.counters["bytes_an_item"] = static_cast<double>(most) / static_cast<double>(items) - sizeof(item);
}

template <class Queue>
void steady(benchmark::State& state) {
  const auto items = static_cast<std::uint64_t>(state.range(0));
  Queue queue(items + 1);
  fill(queue, items);
  std::uint64_t i = items;
  for (auto _ : state) {
    queue.push(i, urgency_of(i), start);
    const auto work = queue.next(start);
    queue.succeeded(*work, start);
    ++i;
  }
  report(state, 1);
}

template <class Queue>
void outage(benchmark::State& state) {
  const auto items = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    Queue queue(items);
    fill(queue, items);
    timestamp now = start;
    while (const auto work = queue.next(now)) queue.failed(*work, now += 1us);
    queue.advance(now += 1min);
    if (take_all(queue, now) != items * (items - 1) / 2) state.SkipWithError("items were lost");
  }
  report(state, items);
}

template <class Queue>
void shed(benchmark::State& state) {
  const auto items = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    Queue queue(items);
    for (std::uint64_t i = 0; i < items; ++i) queue.push(i, i % 2 == 0 ? 3 : 7, start);
    state.ResumeTiming();
    for (std::uint64_t i = 0; i < items / 2; ++i) queue.push(i, 5, start);
  }
  report(state, items / 2);
}

template <class Queue>
void blocked(benchmark::State& state) {
  const auto items = static_cast<std::uint64_t>(state.range(0));
  Queue queue(items + 1);
  fill(queue, items);
  queue.pause(0);
  for (auto _ : state) {
    queue.push(1, 7, start, 1);
    const auto work = queue.next(start);
    queue.succeeded(*work, start);
  }
  report(state, 1);
}

using plain = recoup_queue<false>;
using ordered = recoup_queue<true>;

#define RECOUP_SIZES ArgName("items")->Arg(10'000)->Arg(1'000'000)
BENCHMARK_TEMPLATE(drain, by_hand)->RECOUP_SIZES->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(drain, plain)->RECOUP_SIZES->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(drain, ordered)->RECOUP_SIZES->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(steady, by_hand)->RECOUP_SIZES;
BENCHMARK_TEMPLATE(steady, plain)->RECOUP_SIZES;
BENCHMARK_TEMPLATE(steady, ordered)->RECOUP_SIZES;
BENCHMARK_TEMPLATE(outage, by_hand)->RECOUP_SIZES->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(outage, plain)->RECOUP_SIZES->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(outage, ordered)->RECOUP_SIZES->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(shed, plain)->RECOUP_SIZES->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(blocked, plain)->RECOUP_SIZES;

}  // namespace
