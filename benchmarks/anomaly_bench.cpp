// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to judge a value? Each detector beside the least that people write by hand for the same idea:
// peers/hand_written.hpp, which score by z alone, clip nothing, and take any number. All see the same values, noise
// with a spike now and then, a minute apart. hot/ is one detector, which stays in the first-level cache; keys/ one for
// each of 20'000 keys in random order: /calls looks each up and updates it, /span takes 64 values a call and asks for
// their memory ahead (s_a_value is a value's share of a call). rate/add counts an event, rate/close closes a bucket.

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <recoup/anomaly/cusum.hpp>
#include <recoup/anomaly/ewma.hpp>
#include <recoup/anomaly/holt_winters.hpp>
#include <recoup/anomaly/limited.hpp>
#include <recoup/anomaly/page_hinkley.hpp>
#include <recoup/anomaly/quantile_sketch.hpp>
#include <recoup/anomaly/rate_detector.hpp>
#include <recoup/anomaly/tracked_quantile.hpp>
#include <recoup/anomaly/value_detector.hpp>
#include <recoup/anomaly/welford.hpp>
#include <recoup/core/keyed.hpp>
#include <span>
#include <utility>
#include <vector>

#include "peers/hand_written.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t cycle = 4'096;

const std::vector<double>& stream() {
  static const std::vector<double> values = [] {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal(100, 10);
    std::vector<double> all(cycle);
    for (double& value : all) value = random() % 1'000 == 0 ? 1e4 : normal(random);
    return all;
  }();
  return values;
}

template <class Detector>
double score(Detector& d, recoup::timestamp at, double value) {
  if constexpr (requires { d.update(at, value).score; }) {
    const recoup::assessment a = d.update(at, value);
    return a.score + a.upper;  // both are wanted
  } else if constexpr (requires { d.update(at, value); }) {
    return d.update(at, value);
  } else {
    d.learn(value);
    benchmark::DoNotOptimize(d);
    return 0;
  }
}

template <class Detector>
void hot(benchmark::State& state, const Detector& fresh) {
  Detector d = fresh;
  const std::vector<double>& values = stream();
  recoup::timestamp at{};
  std::size_t i = 0;
  for (auto _ : state) {
    at = recoup::saturating_add(at, 1min);
    benchmark::DoNotOptimize(score(d, at, values[i++ % cycle]));
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = sizeof(Detector);
}

constexpr std::size_t keys = 20'000;

struct keyed_value {
  std::uint64_t key;
  double value;
};

const std::vector<keyed_value>& keyed_stream() {
  static const std::vector<keyed_value> all = [] {
    std::mt19937_64 random(2);
    std::vector<keyed_value> made(1U << 18);
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] = {random() % keys * 0x9E37'79B9'7F4A'7C15, stream()[i % cycle]};
    }
    return made;
  }();
  return all;
}

template <class Detector>
using table = recoup::keyed<std::uint64_t, Detector>;

template <class Detector>
table<Detector> filled(const Detector& fresh) {
  table<Detector> detectors({.capacity = keys}, fresh);
  for (const keyed_value& v : keyed_stream()) detectors.use(v.key, {}).learn({}, v.value);
  return detectors;
}

template <class Detector>
void keys_by_calls(benchmark::State& state, const Detector& fresh) {
  table<Detector> detectors = filled(fresh);
  const std::vector<keyed_value>& all = keyed_stream();
  recoup::timestamp at{};
  std::size_t i = 0;
  for (auto _ : state) {
    const keyed_value& v = all[i++ % all.size()];
    at = recoup::saturating_add(at, 1ms);
    benchmark::DoNotOptimize(score(detectors.use(v.key, at), at, v.value));
  }
  state.SetItemsProcessed(state.iterations());
}

// The index is asked for 16 values ahead; then 8 ahead, when that has come, the component's lines.
template <class Detector>
double update_span(table<Detector>& detectors, std::span<const keyed_value> values, recoup::timestamp at) {
  constexpr std::size_t most = 64;
  constexpr std::size_t ahead = 8;
  std::array<std::uint32_t, most> hashes{};
  std::array<typename table<Detector>::place, most> places{};
  double sum = 0;
  for (std::size_t i = 0; i < values.size() + 2 * ahead; ++i) {
    if (i < values.size()) {
      hashes[i] = detectors.hash(values[i].key);
      detectors.prefetch(hashes[i]);
    }
    if (const std::size_t j = i - ahead / 2; j < values.size()) detectors.prefetch_entry(hashes[j]);
    if (const std::size_t j = i - ahead; j < values.size()) {
      places[j] = detectors.locate(values[j].key, hashes[j]);
      const auto* const begin = reinterpret_cast<const char*>(&detectors.at(places[j]));
      for (std::size_t line = 0; line < sizeof(Detector); line += 64) __builtin_prefetch(begin + line, 1);
    }
    if (const std::size_t j = i - 2 * ahead; j < values.size()) {
      sum += score(detectors.use_found(places[j], at), at, values[j].value);
    }
  }
  return sum;
}

template <class Detector>
void keys_by_span(benchmark::State& state, const Detector& fresh) {
  constexpr std::size_t batch = 64;
  table<Detector> detectors = filled(fresh);
  const std::vector<keyed_value>& all = keyed_stream();
  recoup::timestamp at{};
  std::size_t i = 0;
  for (auto _ : state) {
    at = recoup::saturating_add(at, 64ms);
    benchmark::DoNotOptimize(update_span(detectors, std::span(all).subspan(i, batch), at));
    i = (i + batch) % all.size();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
  state.counters["s_a_value"] =
      benchmark::Counter(batch, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void rate_add(benchmark::State& state) {
  recoup::rate_detector d({.counts = {.bucket = 1min}});
  recoup::timestamp at{};
  d.advance(at, [](const auto&) {});
  std::uint64_t n = 0;
  for (auto _ : state) {
    if (++n % 1'000 == 0) {
      at = recoup::saturating_add(at, 30s);
      d.advance(at, [](const auto&) {});
    }
    benchmark::DoNotOptimize(d.add(at));
  }
  state.SetItemsProcessed(state.iterations());
}

void rate_close(benchmark::State& state) {
  recoup::rate_detector d({.counts = {.bucket = 1min}});
  recoup::timestamp at{};
  double sum = 0;
  const auto told = [&](const auto& finding) {
    if constexpr (requires { finding.assessment; }) sum += finding.assessment.score;
  };
  d.advance(at, told);
  std::size_t i = 0;
  for (auto _ : state) {
    d.add(at, static_cast<std::uint64_t>(stream()[i++ % cycle]));
    at = recoup::saturating_add(at, 1min);
    d.advance(at, told);
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = sizeof(recoup::rate_detector);
}

BENCHMARK_CAPTURE(hot, hand_written_ewma, hand_written::ewma{});
BENCHMARK_CAPTURE(hot, hand_written_holt_winters, hand_written::holt_winters{});
BENCHMARK_CAPTURE(hot, hand_written_cusum, hand_written::cusum{});
BENCHMARK_CAPTURE(hot, hand_written_page_hinkley, hand_written::page_hinkley{});
BENCHMARK_CAPTURE(hot, ewma, recoup::ewma());
BENCHMARK_CAPTURE(hot, limited_ewma, recoup::limited(recoup::ewma(), {.relative = 0.1, .lowest = 0}));
BENCHMARK_CAPTURE(hot, welford, recoup::welford());
BENCHMARK_CAPTURE(hot, holt_winters, recoup::holt_winters<24>());
BENCHMARK_CAPTURE(hot, cusum, recoup::cusum());
BENCHMARK_CAPTURE(hot, page_hinkley, recoup::page_hinkley());
BENCHMARK_CAPTURE(hot, tracked_quantile, recoup::tracked_quantile());
BENCHMARK_CAPTURE(hot, quantile_sketch, recoup::quantile_sketch());
BENCHMARK_CAPTURE(hot, value_detector, recoup::value_detector());

BENCHMARK_CAPTURE(keys_by_calls, ewma, recoup::ewma())->Name("keys/ewma/calls");
BENCHMARK_CAPTURE(keys_by_span, ewma, recoup::ewma())->Name("keys/ewma/span");
BENCHMARK_CAPTURE(keys_by_calls, value_detector, recoup::value_detector())->Name("keys/value_detector/calls");
BENCHMARK_CAPTURE(keys_by_span, value_detector, recoup::value_detector())->Name("keys/value_detector/span");

BENCHMARK(rate_add)->Name("rate/add");
BENCHMARK(rate_close)->Name("rate/close");

}  // namespace
