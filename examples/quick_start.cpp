// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What is missing, repeated or wrong in a stream of payments? The README shows what stands between the two marks.

#include <chrono>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <recoup/recoup.hpp>
#include <string>

using namespace std::chrono_literals;

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;  // where the broker put it
  std::string id;
  std::int64_t price, quantity, revenue;
};

int main() {
  const payment events[] = {
      {7, 100, "p-1", 250, 2, 500},  // right
      {7, 101, "p-2", 100, 3, 300},  // right
      {7, 101, "p-2", 100, 3, 300},  // delivered twice
      {7, 104, "p-5", 100, 4, 399},  // 102 and 103 are missing, and 100 * 4 is 400
      {7, 105, "p-6", 100, 1, 100},  // right
  };
  const recoup::timestamp now(std::chrono::hours(24 * 365 * 55));

  // [readme]
  auto pipe = recoup::assemble<payment>(
      recoup::track_gaps(&payment::partition, &payment::offset, {.reorder_distance = 2}),
      recoup::deduplicate(&payment::id, recoup::exact_window({.events = 100'000, .age = 10min})),
      recoup::check(recoup::rule<"revenue.product">(
          recoup::product_equals(&payment::price, &payment::quantity, &payment::revenue), recoup::on_fail::review)));

  recoup::overloaded sink{
      [](const recoup::accepted<payment>& a) { std::cout << "process " << a.event.id << '\n'; },
      [](const recoup::duplicate<payment>& d) { std::cout << "skip " << d.event.id << '\n'; },
      [](const recoup::review<payment>& r) { std::cout << "ask a person: " << r.why() << '\n'; },
      [](const recoup::replay_request<std::uint32_t>& r) { std::cout << "seek to " << r.range.first << '\n'; },
      [](const auto&) {}};  // everything else; without it, a missing handler does not compile

  for (const payment& event : events) {
    pipe.process(event, now, sink);  // one verdict, before the event is processed
    pipe.advance(now, sink);         // the only clock: replay requests, time-outs
  }
  // [readme]
  return pipe.processed() == std::size(events) ? 0 : 1;
}
