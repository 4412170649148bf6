// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What if processing fails? A handler that throws at times, on a queue that delivers again: every event takes effect
// exactly once. And what if it fails later, when the pipeline has long moved on? Then `forget` takes the event back.

#include <cstdint>
#include <deque>
#include <iostream>
#include <map>
#include <recoup/recoup.hpp>
#include <stdexcept>

struct order {
  std::uint64_t id;
};

int main() {
  const recoup::timestamp now{};
  recoup::pipeline pipe =
      recoup::assemble<order>(recoup::deduplicate(&order::id, recoup::exact_window<std::uint64_t>({.events = 1'000})));

  std::deque<order> queue;
  for (std::uint64_t id = 1; id <= 20; ++id) queue.insert(queue.end(), {{id}, {id}});  // each is delivered twice

  std::map<std::uint64_t, int> effects;
  int attempts = 0;
  recoup::overloaded sink{[&](const recoup::accepted<order>& a) {
                            if (++attempts % 3 == 0) throw std::runtime_error("the database is down");
                            ++effects[a.event.id];
                          },
                          [](const recoup::duplicate<order>&) {}};
  while (!queue.empty()) {
    const order next = queue.front();
    queue.pop_front();
    try {
      pipe.process(next, now, sink);
    } catch (const std::runtime_error&) {
      queue.push_back(next);  // nothing was committed: delivered again, it is new again
    }
  }

  // Order 7 turns out to have been rolled back.
  effects.erase(7);
  pipe.forget({7}, now);
  while (!effects.contains(7)) {
    try {
      pipe.process({7}, now, sink);
    } catch (const std::runtime_error&) {
    }
  }

  int once = 0;
  for (const auto& [id, times] : effects) once += times == 1;
  std::cout << once << " of 20 orders took effect exactly once, in " << attempts << " attempts\n";
  return once == 20 ? 0 : 1;
}
