// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What if the service that takes corrections is down for an hour? 20,000 corrections come in while it is, one in ten of
// them urgent, and a few replies are lost on the way. They wait in a recovery queue: the breaker keeps most of them
// away from the service while it is down, a quarter of an hour of it is bridged by a slower fallback, and when it is
// back the urgent ones go first. Each correction takes effect, at least once; what a lost reply repeats is told apart
// by its id.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <recoup/core/time.hpp>
#include <recoup/recovery/recovery_queue.hpp>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct correction {
  std::uint32_t number = 0;
  bool is_urgent = false;
};

constexpr recoup::timestamp start{};
constexpr std::uint32_t corrections = 20'000;
constexpr std::uint32_t service = 0;
constexpr std::uint32_t fallback = 1;

bool is_up(std::uint32_t target, recoup::duration t) {
  return target == service ? t < 5min || t >= 65min : t >= 15min && t < 30min;
}

struct minutes {
  std::uint64_t attempts = 0;
  std::uint64_t urgent = 0;
  std::uint64_t others = 0;
};

}  // namespace

int main() {
  recoup::recovery_queue_options options;
  options.capacity = corrections;
  options.lease = 10s;
  options.retry.max_attempts = 1'000;  // as long as it takes
  options.retry.backoff = {.first = 1s, .longest = 5min};
  options.targets = {{.fallback = fallback, .rate = {.calls = 50, .per = 1s, .burst = 5}},
                     {.fallback = {}, .rate = {.calls = 5, .per = 1s}}};
  recoup::recovery_queue<correction> queue(options);

  std::uint64_t lost = 0;
  const auto told = [&](const auto&) { ++lost; };  // given up or shed: there must be none

  std::vector<int> effects(corrections);
  std::vector<minutes> table(13);
  std::uint64_t overtaken = 0;  // urgent ones that went somewhere after others at the same time
  std::uint32_t pushed = 0;
  recoup::timestamp now = start;
  for (int tick = 0; tick < 130 * 60 && (pushed < corrections || queue.size() > 0); ++tick, now += 1s) {
    const recoup::duration t = recoup::elapsed(start, now);
    minutes& row = table[std::min<std::size_t>(table.size() - 1, static_cast<std::size_t>(t / 10min))];
    for (int i = 0; i < 5 && pushed < corrections; ++i, ++pushed) {
      const bool is_urgent = pushed % 10 == 0;
      const std::uint8_t urgency = is_urgent ? 0 : 4;
      queue.push({pushed, is_urgent}, {.urgency = urgency}, now, told);
    }
    queue.advance(now, told);
    std::array<bool, 2> others_went{};
    while (const auto work = queue.next(now)) {
      const correction& c = *work->item;
      overtaken += c.is_urgent && others_went[work->target];
      others_went[work->target] |= !c.is_urgent;
      ++row.attempts;
      if (!is_up(work->target, t)) {
        queue.failed(work->id, {recoup::failure_kind::transient}, now, told);
        continue;
      }
      if (++effects[c.number] == 1) ++(c.is_urgent ? row.urgent : row.others);
      const bool is_reply_lost = (c.number + work->id.attempt) % 97 == 0;
      if (!is_reply_lost) queue.succeeded(work->id, now, told);  // else its lease runs out
    }
  }

  std::cout << "minute  attempts  urgent  others\n";
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::cout << std::setw(6) << 10 * i << std::setw(10) << table[i].attempts << std::setw(8) << table[i].urgent
              << std::setw(8) << table[i].others << '\n';
  }
  const auto done = std::count_if(effects.begin(), effects.end(), [](int times) { return times > 0; });
  const auto repeated = std::count_if(effects.begin(), effects.end(), [](int times) { return times > 1; });
  const auto& counts = queue.counters();
  std::cout << done << " of " << corrections << " corrections took effect, " << repeated
            << " of them more than once as a reply was lost; " << lost << " were given up or shed\n";
  const bool is_conserved =
      counts.pushed == counts.succeeded + counts.given_up + counts.shed + counts.cancelled + queue.size();
  return done == corrections && lost == 0 && overtaken == 0 && queue.size() == 0 && is_conserved ? 0 : 1;
}
