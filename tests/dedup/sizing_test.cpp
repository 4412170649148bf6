// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/sizing.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::dedup_traffic;
using recoup::duration;
using recoup::key_kind;
using recoup::size_window;
using recoup::window_kind;
using recoup::window_plan;

constexpr std::size_t any_memory = std::numeric_limits<std::size_t>::max();

// A plan's promises, from the window that it names.
struct promises {
  std::size_t bytes = 0;
  double most_false = 0;
};
template <class Window, class Options>
promises promises_of(Options options, const window_plan& plan) {
  options.events = plan.events;
  promises p{Window::bytes_for(options)};
  if constexpr (requires { Window::false_positive_rate_for(options); }) {
    p.most_false = Window::false_positive_rate_for(options);
  }
  return p;
}
promises promises_of(const window_plan& plan) {
  if (plan.type == "sequence_window") {
    return promises_of<recoup::sequence_window>(recoup::sequence_window_options{}, plan);
  }
  if (plan.type == "integer_window<>") {
    return promises_of<recoup::integer_window<>>(recoup::window_options{}, plan);
  }
  if (plan.type == "exact_window<>") {
    recoup::exact_window_options options;
    options.key_bytes = plan.key_bytes;
    return promises_of<recoup::exact_window<>>(options, plan);
  }
  if (plan.type == "fingerprint_window<>") {
    return promises_of<recoup::fingerprint_window<>>(recoup::window_options{}, plan);
  }
  if (plan.type == "compact_window<32>") {
    return promises_of<recoup::compact_window<32>>(recoup::window_options{}, plan);
  }
  if (plan.type == "compact_window<24>") {
    return promises_of<recoup::compact_window<24>>(recoup::window_options{}, plan);
  }
  if (plan.type == "compact_window<16>") {
    return promises_of<recoup::compact_window<16>>(recoup::window_options{}, plan);
  }
  CHECK(plan.type == "bloom_window");
  recoup::bloom_window_options options;
  options.false_positive_rate = plan.false_positive_rate;
  return promises_of<recoup::bloom_window>(options, plan);
}

TEST_CASE("A planned window holds the keys of the horizon, rounded up") {
  const auto events = [](double rate, duration horizon) {
    return size_window({.events_per_second = rate, .horizon = horizon}).events;
  };
  CHECK(events(1'000, 10min) == 600'000);
  CHECK(events(0.5, 3s) == 2);
  CHECK(events(1e6, 1ns) == 1);
  CHECK(events(0, 24h) == 1);
  CHECK(events(1'000, 0s) == 1);

  const window_plan plan = size_window({.events_per_second = 1'000, .horizon = 10min});
  CHECK(plan.remembered == 10min);
  CHECK(plan.is_long_enough);
  CHECK(size_window({.events_per_second = 0, .horizon = 10min}).remembered == duration::max());
}

TEST_CASE("Numbered events get a sequence_window, and where nothing false is tolerated others an exact one") {
  const dedup_traffic traffic{.events_per_second = 1'000, .horizon = 10min};
  const auto with = [&](key_kind keys, double tolerated) {
    dedup_traffic t = traffic;
    t.keys = keys;
    t.key_bytes = 36;
    t.false_duplicates = tolerated;
    return size_window(t);
  };
  for (const double tolerated : {0.0, 1e-3}) {
    CHECK(with(key_kind::numbered, tolerated).kind == window_kind::sequence);
    CHECK(with(key_kind::numbered, tolerated).false_positive_rate == 0);
  }
  CHECK(with(key_kind::integer, 0).type == "integer_window<>");
  CHECK(with(key_kind::integer, 0).key_bytes == 0);
  CHECK(with(key_kind::any, 0).type == "exact_window<>");
  CHECK(with(key_kind::any, 0).key_bytes == 36);
  CHECK(size_window({.events_per_second = 1, .horizon = 1h, .key_bytes = 1'025}).key_bytes == 1'024);
  for (const double less_than_any : {1e-30, std::numeric_limits<double>::denorm_min()}) {
    CHECK(with(key_kind::integer, less_than_any).kind == window_kind::integer);
    CHECK(with(key_kind::any, less_than_any).kind == window_kind::exact);
  }
}

TEST_CASE("As memory gets less, windows get more approximate, and never more than tolerated") {
  dedup_traffic t{.events_per_second = 100'000, .horizon = 10min, .false_duplicates = 1e-3};
  std::vector<std::string> types;
  for (t.memory = std::size_t{1} << 30; t.memory >= std::size_t{1} << 20; t.memory -= std::size_t{1} << 20) {
    const window_plan plan = size_window(t);
    REQUIRE(plan.false_positive_rate <= t.false_duplicates);
    if (types.empty() || types.back() != plan.type) types.emplace_back(plan.type);
  }
  CHECK(types.front() == "fingerprint_window<>");
  CHECK(types[1] == "compact_window<32>");
  CHECK(types[2] == "compact_window<24>");

  t.memory = 1;
  CHECK_FALSE(size_window(t).fits);
  CHECK(size_window(t).bytes > 1);
}

TEST_CASE("A plan of random traffic is what its window says, and no better one was passed over") {
  std::mt19937_64 random(1);
  const auto power_of_ten = [&](double from, double to) {
    return std::pow(10.0, std::uniform_real_distribution<double>(from, to)(random));
  };
  for (int i = 0; i < 3'000; ++i) {
    dedup_traffic t;
    t.events_per_second = power_of_ten(-2, 7);
    t.horizon = duration(static_cast<duration::rep>(power_of_ten(6, 14)));
    t.false_duplicates = random() % 4 == 0 ? 0 : power_of_ten(-16, 0);
    t.keys = static_cast<key_kind>(random() % 3);
    t.key_bytes = static_cast<std::size_t>(power_of_ten(0, 4));
    t.memory = static_cast<std::size_t>(power_of_ten(3, 12));
    const window_plan plan = size_window(t);
    CAPTURE(i, t.events_per_second, t.horizon.count(), t.false_duplicates, t.memory, plan.text());

    const double needed = t.events_per_second * static_cast<double>(t.horizon.count()) * 1e-9;
    if (plan.is_long_enough) {
      CHECK(static_cast<double>(plan.events) >= needed * (1 - 1e-12));
      CHECK(static_cast<double>(plan.events) <= needed * (1 + 1e-12) + 1);
      CHECK(std::abs(static_cast<double>(plan.remembered.count()) -
                     static_cast<double>(plan.events) / t.events_per_second * 1e9) <=
            1e-9 * static_cast<double>(plan.remembered.count()) + 1);
    } else {
      CHECK(static_cast<double>(plan.events) < needed);
    }

    const promises p = promises_of(plan);
    CHECK(plan.bytes == p.bytes);
    CHECK(p.most_false <= plan.false_positive_rate * (1 + 1e-9));
    CHECK(plan.false_positive_rate <= t.false_duplicates);
    CHECK(plan.fits == (plan.bytes <= t.memory));

    const window_plan exact = size_window([&] {
      dedup_traffic never = t;
      never.false_duplicates = 0;
      return never;
    }());
    if (plan.kind != exact.kind) CHECK(plan.bytes < exact.bytes + (1 << 14));
    if (!plan.fits) {
      // With all the memory that it takes it is the first that fits, or an even better one fits too.
      dedup_traffic more = t;
      more.memory = plan.bytes;
      CHECK(size_window(more).fits);
      more.memory = plan.bytes - 1;
      CHECK_FALSE(size_window(more).fits);
    }
  }
}

TEST_CASE("A window can be made from its plan") {
  const window_plan plan = size_window(
      {.events_per_second = 1'000, .horizon = 1h, .false_duplicates = 1e-2, .keys = key_kind::integer, .memory = 1});
  REQUIRE(plan.type == "bloom_window");
  recoup::bloom_window window({.events = plan.events, .false_positive_rate = plan.false_positive_rate});
  CHECK_FALSE(window.observe(7, recoup::timestamp()).is_duplicate);
  CHECK(window.observe(7, recoup::timestamp()).is_duplicate);
}

TEST_CASE("Traffic too large for any number is answered with the largest window") {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  for (const key_kind keys : {key_kind::any, key_kind::integer, key_kind::numbered}) {
    for (const double tolerated : {0.0, 1e-9, 1e-3, 1.0}) {
      for (const double rate : {1e18, std::numeric_limits<double>::max(), infinite}) {
        const window_plan plan = size_window({.events_per_second = rate,
                                              .horizon = duration::max(),
                                              .false_duplicates = tolerated,
                                              .keys = keys,
                                              .key_bytes = any_memory,
                                              .memory = any_memory});
        CHECK_FALSE(plan.is_long_enough);
        CHECK(plan.fits);
        CHECK(plan.bytes == promises_of(plan).bytes);
        CHECK(plan.bytes < std::size_t{1} << 42);
        CHECK(plan.remembered < 5s);
      }
      const window_plan none = size_window(
          {.events_per_second = infinite, .horizon = 0s, .false_duplicates = tolerated, .keys = keys, .memory = 0});
      CHECK(none.events == 1);
      CHECK_FALSE(none.fits);
    }
  }
}

TEST_CASE("Traffic that is none is refused") {
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  for (const double rate : {-1.0, -1e300, not_a_number}) {
    CHECK_THROWS_WITH(size_window({.events_per_second = rate, .horizon = 1s}),
                      "dedup_traffic.events_per_second must be a number, zero or more");
  }
  for (const duration horizon : {duration(-1), duration::min()}) {
    CHECK_THROWS_WITH(size_window({.events_per_second = 1, .horizon = horizon}),
                      "dedup_traffic.horizon must not be negative");
  }
  for (const double tolerated : {-1e-9, 1.1, not_a_number}) {
    CHECK_THROWS_WITH(size_window({.events_per_second = 1, .horizon = 1s, .false_duplicates = tolerated}),
                      "dedup_traffic.false_duplicates must be a probability, 0 to 1");
  }
}

TEST_CASE("A plan reads as sentences") {
  window_plan plan;
  plan.events = 600'000;
  plan.key_bytes = 36;
  plan.bytes = 67'108'864;
  CHECK(plan.text() ==
        "exact_window<> with events = 600000 and key_bytes = 36 takes 64.0 MiB and never calls a new key a duplicate.");

  plan = {.kind = window_kind::compact, .type = "compact_window<24>", .events = 20, .bytes = 960};
  plan.false_positive_rate = 1.618e-6;
  CHECK(plan.text() ==
        "compact_window<24> with events = 20 takes 960 bytes and calls a new key a duplicate with a probability of "
        "1.6e-06.");

  for (const auto& [bytes, shown] : std::vector<std::pair<std::size_t, std::string>>{
           {1'023, " 1023 bytes "}, {1'024, " 1.0 KiB "}, {1'048'575, " 1024.0 KiB "}, {1'048'576, " 1.0 MiB "}}) {
    plan.bytes = bytes;
    CHECK(plan.text().find(shown) != std::string::npos);
  }

  plan = {.kind = window_kind::bloom, .type = "bloom_window", .events = 20, .bytes = std::size_t{3} << 39};
  plan.false_positive_rate = 1e-3;
  plan.remembered = 90min + 1ms;
  plan.is_long_enough = false;
  plan.fits = false;
  CHECK(plan.text() ==
        "bloom_window with events = 20 and false_positive_rate = 0.001 takes 1.5 TiB and calls a new key a duplicate "
        "with a probability of 0.001. It is the largest that there is, and too short for the horizon: it remembers "
        "90 min of this traffic; divide the stream, and use one window for each part. That is more than the memory "
        "given; none that answers as asked takes less.");
  plan.remembered = 9'500ms;
  CHECK(plan.text().find("it remembers 9500 ms of") != std::string::npos);
}

}  // namespace
