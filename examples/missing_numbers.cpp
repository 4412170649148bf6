// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// Which sequence numbers are missing? The gap tracker alone: plain numbers in, plain ranges out, no pipeline.

#include <chrono>
#include <cstdint>
#include <iostream>
#include <recoup/pipeline/overloaded.hpp>
#include <recoup/sequence/gap_tracker.hpp>

int main() {
  using namespace std::chrono_literals;
  recoup::timestamp now{};
  recoup::gap_tracker tracker({.bits = 16,  // an RTP stream: numbers wrap after 65,535
                               .reorder_delay = 50ms,
                               .replay = {.max_attempts = 2, .first_wait = 20ms, .longest_wait = 20ms}});
  for (const std::uint64_t number : {65'533U, 65'534U, 1U, 0U, 4U}) {
    const auto seen = tracker.observe(number, now);
    std::cout << number << " is " << name_of(seen.answer) << '\n';
    now += 1ms;
  }

  const auto wire = [](std::uint64_t number) { return number % 65'536; };  // ranges are told in 64-bit numbers
  const recoup::overloaded tell{
      [&](const recoup::gap_found<>& g) {
        std::cout << "missing: " << wire(g.range.first) << " to " << wire(g.range.last) << '\n';
      },
      [&](const recoup::replay_request<>& r) {
        std::cout << "  ask for " << wire(r.range.first) << ", attempt " << r.attempt << " of " << r.max_attempts
                  << '\n';
      },
      [&](const recoup::gap_abandoned<>& g) {
        std::cout << "given up: " << wire(g.range.first) << ", as " << describe(g.reason) << '\n';
      }};
  for (int step = 0; step < 10; ++step) tracker.advance(now += 20ms, tell);

  const auto late = tracker.observe(65'535, now);
  std::cout << "65535 is " << name_of(late.answer) << "; " << tracker.found_count() - tracker.recovered_count()
            << " numbers never came\n";
  return tracker.missing_count() == 0 ? 0 : 1;
}
