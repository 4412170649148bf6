// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to match a record? Pairs of an order and its charge, the charge `range(0)` orders later: the time
// is that of a pair, two records, of which the second matches. Beside it, what people write by hand: a map of the
// orders that wait, which compares nothing but the amount, bounds nothing and remembers nothing.

#include <absl/container/flat_hash_map.h>
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <recoup/reconcile/matcher.hpp>

namespace {

using recoup::timestamp;

struct order {
  std::uint64_t id;
  std::int64_t amount;
  timestamp at;
};
struct charge {
  std::uint64_t order_id;
  std::int64_t amount;
  timestamp at;
};

constexpr timestamp start{std::chrono::hours(480'000)};
constexpr std::uint64_t scattered(std::uint64_t n) { return n * 0x9E37'79B9'7F4A'7C15; }

void matcher(benchmark::State& state) {
  const auto waiting = static_cast<std::uint64_t>(state.range(0));
  auto m = recoup::match<order, charge>(&order::id, &charge::order_id, {.ours = 4 * waiting, .theirs = 4 * waiting},
                                        recoup::close<"amount">(&order::amount, &charge::amount, {.absolute = 1}),
                                        recoup::within_time<"at">(&order::at, &charge::at, std::chrono::minutes(2)));
  std::uint64_t matches = 0;
  const auto told = [&](const auto& finding) {
    matches += requires { finding.fields; };
  };
  std::uint64_t n = 0;
  for (; n < waiting; ++n) m.ours({scattered(n), 100, start}, start, told);
  for (auto _ : state) {
    m.ours({scattered(n), 100, start}, start, told);
    m.theirs({scattered(n - waiting), 100, start}, start, told);
    ++n;
  }
  if (matches != n - waiting) std::abort();
}
BENCHMARK(matcher)->Arg(1'000)->Arg(100'000);

void map_by_hand(benchmark::State& state) {
  const auto waiting = static_cast<std::uint64_t>(state.range(0));
  absl::flat_hash_map<std::uint64_t, order> orders;
  orders.reserve(waiting + 1);
  std::uint64_t matches = 0;
  std::uint64_t n = 0;
  for (; n < waiting; ++n) orders.emplace(scattered(n), order{scattered(n), 100, start});
  for (auto _ : state) {
    orders.emplace(scattered(n), order{scattered(n), 100, start});
    const auto found = orders.find(scattered(n - waiting));
    matches += found != orders.end() && found->second.amount == 100;
    orders.erase(found);
    ++n;
  }
  if (matches != n - waiting) std::abort();
}
BENCHMARK(map_by_hand)->Arg(1'000)->Arg(100'000);

}  // namespace
