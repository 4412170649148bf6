// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to check an event of 64 bytes against 8 and 64 rules? A rule_set beside what people write by hand:
// ifs, and lists of rules made at run time (std::function, absl::AnyInvocable, virtual functions). All of them answer
// with the mask of the failed rules, and before one is timed its answers are compared with those of the ifs. Bounds are
// read at run time. Of eight rules, five are ranges or times, one is a product, one asks for a finite number, one
// for a small integer; of 64 there are eight of each, with other bounds.
//
// Benchmarks are named rules_N/events/way. Events: `pass` fail no rule; of `fail`, each fails one rule in eight, which
// one is random; `half` is both in turns at random. `each` is the processor's time of an event. rule_set names fields
// by member pointers, rule_set_fields by field<"name", &event::member>().

#include <absl/functional/any_invocable.h>
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <recoup/reconcile/predicates.hpp>
#include <recoup/reconcile/rule_set.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

using recoup::duration;
using recoup::timestamp;

struct event {
  std::int64_t price, quantity, revenue;
  timestamp at;
  double rate, level;
  std::uint32_t kind, state;
  std::int64_t fee;
};
static_assert(sizeof(event) == 64);

constexpr timestamp now{std::chrono::hours(480'000)};

// Bounds of the I-th rule, as a program has them that reads its options: unknown to the compiler.
volatile std::int64_t unit = 1;
struct bounds {
  std::int64_t low, high;
  duration tolerance;
  double lowest, highest;
  std::uint32_t first, last;
};
bounds bounds_of(std::size_t i) {
  const std::int64_t one = unit;
  const auto n = static_cast<std::int64_t>(i);
  return {.low = one,
          .high = 1'000 * one + n,
          .tolerance = std::chrono::seconds(3'600 * one + n),
          .lowest = 0.5 * static_cast<double>(one),
          .highest = 1.5 * static_cast<double>(one) + static_cast<double>(n),
          .first = static_cast<std::uint32_t>(one),
          .last = static_cast<std::uint32_t>(8 * one + n)};
}

template <std::size_t I>
constexpr recoup::fixed_string<3> name() {
  return {{static_cast<char>('a' + I / 8), static_cast<char>('a' + I % 8), '\0'}};
}

struct pointers {
  static constexpr auto price = &event::price;
  static constexpr auto quantity = &event::quantity;
  static constexpr auto revenue = &event::revenue;
  static constexpr auto at = &event::at;
  static constexpr auto rate = &event::rate;
  static constexpr auto level = &event::level;
  static constexpr auto kind = &event::kind;
};
struct fields {
  static constexpr auto price = recoup::field<"price", &event::price>();
  static constexpr auto quantity = recoup::field<"quantity", &event::quantity>();
  static constexpr auto revenue = recoup::field<"revenue", &event::revenue>();
  static constexpr auto at = recoup::field<"at", &event::at>();
  static constexpr auto rate = recoup::field<"rate", &event::rate>();
  static constexpr auto level = recoup::field<"level", &event::level>();
  static constexpr auto kind = recoup::field<"kind", &event::kind>();
};

template <class Of, std::size_t I>
auto predicate() {
  using namespace recoup;
  const bounds b = bounds_of(I);
  if constexpr (I % 8 == 0) {
    return in_range(Of::price, b.low, b.high);
  } else if constexpr (I % 8 == 1) {
    return in_range(Of::quantity, b.low, b.high);
  } else if constexpr (I % 8 == 2) {
    return product_equals(Of::price, Of::quantity, Of::revenue);
  } else if constexpr (I % 8 == 3) {
    return not_after(Of::at, b.tolerance);
  } else if constexpr (I % 8 == 4) {
    return not_before(Of::at, b.tolerance);
  } else if constexpr (I % 8 == 5) {
    return in_range(Of::rate, b.lowest, b.highest);
  } else if constexpr (I % 8 == 6) {
    return finite(Of::level);
  } else {
    return in_range(Of::kind, b.first, b.last);
  }
}

template <class Of, std::size_t N>
auto make_rules() {
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return recoup::rule_set(recoup::rule<name<I>()>(predicate<Of, I>(), recoup::on_fail::review)...);
  }
  (std::make_index_sequence<N>());
}

template <class Of, std::size_t N>
struct by_rule_set {
  decltype(make_rules<Of, N>()) rules = make_rules<Of, N>();
  std::uint64_t failed(const event& e) { return rules.failed(e, now); }
};

// The I-th rule as an if.
template <std::size_t I>
[[gnu::always_inline]] inline bool fails(const event& e, const bounds& b) {
  if constexpr (I % 8 == 0) {
    return e.price < b.low || e.price > b.high;
  } else if constexpr (I % 8 == 1) {
    return e.quantity < b.low || e.quantity > b.high;
  } else if constexpr (I % 8 == 2) {
    std::int64_t product = 0;
    return __builtin_mul_overflow(e.price, e.quantity, &product) || product != e.revenue;
  } else if constexpr (I % 8 == 3) {
    return e.at - now > b.tolerance;
  } else if constexpr (I % 8 == 4) {
    return now - e.at > b.tolerance;
  } else if constexpr (I % 8 == 5) {
    return !(e.rate >= b.lowest && e.rate <= b.highest);
  } else if constexpr (I % 8 == 6) {
    return !__builtin_isfinite(e.level);
  } else {
    return e.kind < b.first || e.kind > b.last;
  }
}

template <std::size_t N>
std::array<bounds, N> all_bounds() {
  std::array<bounds, N> all{};
  for (std::size_t i = 0; i < N; ++i) all[i] = bounds_of(i);
  return all;
}

template <std::size_t N>
struct by_ifs {
  std::array<bounds, N> all = all_bounds<N>();

  std::uint64_t failed(const event& e) { return failed(e, std::make_index_sequence<N>()); }
  template <std::size_t... I>
  [[gnu::always_inline]] std::uint64_t failed(const event& e, std::index_sequence<I...>) {
    std::uint64_t mask = 0;
    const auto note = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) __attribute__((always_inline)) {
      if (fails<J>(e, all[J])) mask |= std::uint64_t{1} << J;
    };
    (note(std::integral_constant<std::size_t, I>()), ...);
    return mask;
  }
};

template <class Function>
struct by_functions {
  std::vector<Function> rules;

  std::uint64_t failed(const event& e) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < rules.size(); ++i) mask |= std::uint64_t{rules[i](e)} << i;
    return mask;
  }
  template <std::size_t... I>
  explicit by_functions(std::index_sequence<I...>) {
    (rules.emplace_back([b = bounds_of(I)](const event& e) { return fails<I>(e, b); }), ...);
  }
};
template <std::size_t N>
struct by_std_function : by_functions<std::function<bool(const event&)>> {
  by_std_function() : by_functions(std::make_index_sequence<N>()) {}
};
template <std::size_t N>
struct by_any_invocable : by_functions<absl::AnyInvocable<bool(const event&)>> {
  by_any_invocable() : by_functions(std::make_index_sequence<N>()) {}
};

struct virtual_rule {
  virtual_rule() = default;
  virtual_rule(const virtual_rule&) = delete;
  virtual_rule& operator=(const virtual_rule&) = delete;
  virtual ~virtual_rule() = default;
  virtual bool fails_on(const event& e) const = 0;
};
template <std::size_t I>
struct numbered_rule final : virtual_rule {
  bounds b = bounds_of(I);
  bool fails_on(const event& e) const override { return fails<I>(e, b); }
};
template <std::size_t N>
struct by_virtual {
  std::vector<std::unique_ptr<virtual_rule>> rules;

  by_virtual() {
    [this]<std::size_t... I>(std::index_sequence<I...>) {
      (rules.push_back(std::make_unique<numbered_rule<I>>()), ...);
    }
    (std::make_index_sequence<N>());
  }
  std::uint64_t failed(const event& e) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < rules.size(); ++i) mask |= std::uint64_t{rules[i]->fails_on(e)} << i;
    return mask;
  }
};

enum class kind { pass, fail, half };

std::vector<event> make_events(kind k) {
  constexpr std::size_t count = 16'384;  // 1 MiB, too many for a branch predictor to know by heart
  std::mt19937_64 random(7);
  std::vector<event> events(count);
  for (event& e : events) {
    e = {.price = static_cast<std::int64_t>(1 + random() % 1'000),
         .quantity = static_cast<std::int64_t>(1 + random() % 1'000),
         .revenue = 0,
         .at = now - std::chrono::milliseconds(random() % 1'000'000),
         .rate = 0.5 + static_cast<double>(random() % 1'000) / 1'000,
         .level = static_cast<double>(random() % 100),
         .kind = static_cast<std::uint32_t>(1 + random() % 8),
         .state = 0,
         .fee = 0};
    e.revenue = e.price * e.quantity;
    const std::uint64_t choice = random();
    if (k == kind::pass || (k == kind::half && choice % 16 >= 8)) continue;
    switch (choice % 8) {
      case 0:
        e.price = 0, e.revenue = 0;
        break;
      case 1:
        e.quantity = -3, e.revenue = -3 * e.price;
        break;
      case 2:
        ++e.revenue;
        break;
      case 3:
        e.at = now + std::chrono::hours(9);
        break;
      case 4:
        e.at = now - std::chrono::hours(9);
        break;
      case 5:
        e.rate = std::numeric_limits<double>::quiet_NaN();
        break;
      case 6:
        e.level = std::numeric_limits<double>::infinity();
        break;
      default:
        e.kind = 0;
    }
  }
  return events;
}

template <class Way>
[[gnu::noinline]] std::uint64_t check(Way& way, const std::vector<event>& events) {
  std::uint64_t all = 0;
  for (const event& e : events) all += way.failed(e);
  return all;
}

template <class Way, std::size_t N>
void run(benchmark::State& state, kind k) {
  const std::vector<event> events = make_events(k);
  Way way;
  by_ifs<N> ifs;
  for (const event& e : events) {
    if (way.failed(e) == ifs.failed(e)) continue;
    std::fputs("the answers differ\n", stderr);
    std::exit(1);
  }
  for (auto _ : state) benchmark::DoNotOptimize(check(way, events));
  state.counters["each"] = benchmark::Counter(
      static_cast<double>(events.size()), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <std::size_t N>
void add_all() {
  const std::array<std::pair<kind, const char*>, 3> streams{
      {{kind::pass, "pass"}, {kind::fail, "fail"}, {kind::half, "half"}}};
  for (const auto& stream : streams) {
    const kind k = stream.first;
    const std::string prefix = "rules_" + std::to_string(N) + '/' + stream.second + '/';
    const auto add = [&](const char* way, void (*bench)(benchmark::State&, kind)) {
      benchmark::RegisterBenchmark((prefix + way).c_str(), bench, k);
    };
    add("rule_set", run<by_rule_set<pointers, N>, N>);
    add("rule_set_fields", run<by_rule_set<fields, N>, N>);
    add("ifs", run<by_ifs<N>, N>);
    add("std_function", run<by_std_function<N>, N>);
    add("any_invocable", run<by_any_invocable<N>, N>);
    add("virtual", run<by_virtual<N>, N>);
  }
}

const bool is_added = [] {
  add_all<8>();
  add_all<64>();
  return true;
}();

}  // namespace
