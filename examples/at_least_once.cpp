// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// A queue that delivers at least once: what is not acknowledged comes again. The handler fails at times, and at times
// its acknowledgement is lost on the way. How does each payment take effect exactly once? A filter that marks an event
// when it sees it loses those whose handler failed. recoup remembers an event when the sink has returned.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iomanip>
#include <iostream>
#include <random>
#include <recoup/recoup.hpp>
#include <stdexcept>
#include <string_view>
#include <unordered_set>
#include <vector>

struct payment {
  std::uint64_t id;
};

constexpr std::uint64_t payments = 10'000;

struct ledger {
  std::vector<int> effects = std::vector<int>(payments);
  std::mt19937_64 random{1};

  // One attempt in ten fails, before it has had any effect.
  void apply(const payment& p) {
    if (random() % 10 == 0) throw std::runtime_error("the database is down");
    ++effects[p.id];
  }
};

// Delivers from the front of the queue until every delivery is acknowledged. One acknowledgement in twenty is lost: the
// queue then delivers again what has long been processed. handle(payment) throws if it failed. Returns the deliveries.
template <class Handle>
std::size_t consume_all(Handle&& handle) {
  std::deque<payment> queue;
  for (std::uint64_t id = 0; id < payments; ++id) queue.push_back({id});
  std::mt19937_64 random{2};
  std::size_t deliveries = 0;
  for (; !queue.empty(); ++deliveries) {
    const payment next = queue.front();
    queue.pop_front();
    bool acknowledged = random() % 20 != 0;
    try {
      handle(next);
    } catch (const std::runtime_error&) {
      acknowledged = false;
    }
    if (!acknowledged) queue.push_back(next);
  }
  return deliveries;
}

bool report(std::string_view consumer, std::size_t deliveries, const ledger& l) {
  const auto once = std::count(l.effects.begin(), l.effects.end(), 1);
  const auto lost = std::count(l.effects.begin(), l.effects.end(), 0);
  const auto repeated = static_cast<std::ptrdiff_t>(payments) - once - lost;
  std::cout << std::left << std::setw(14) << consumer << std::right << std::setw(12) << deliveries << std::setw(10)
            << once << std::setw(10) << lost << std::setw(10) << repeated << '\n';
  return lost == 0 && repeated == 0;
}

int main() {
  std::cout << "consumer        deliveries      once      lost  repeated\n";

  ledger unprotected;
  const bool safe_alone =
      report("no filter", consume_all([&](const payment& p) { unprotected.apply(p); }), unprotected);

  // Marked when seen: the delivery that follows a failure is taken for a repetition.
  ledger marked;
  std::unordered_set<std::uint64_t> seen;
  const auto mark_on_sight = [&](const payment& p) {
    if (seen.insert(p.id).second) marked.apply(p);
  };
  const bool safe_marked = report("mark on sight", consume_all(mark_on_sight), marked);

  // Judged, delivered, committed: if the sink throws, nothing was committed, and the next delivery is new again.
  ledger exact;
  recoup::pipeline pipe = recoup::assemble<payment>(
      recoup::deduplicate(&payment::id, recoup::exact_window<std::uint64_t>({.events = payments})));
  const recoup::overloaded sink{[&](const recoup::accepted<payment>& a) { exact.apply(a.event); },
                                [](const recoup::duplicate<payment>&) {}};
  const auto process = [&](const payment& p) { pipe.process(p, recoup::timestamp{}, sink); };
  const bool safe_exact = report("recoup", consume_all(process), exact);

  // The first two must show the faults that the third has not.
  return safe_exact && !safe_marked && !safe_alone ? 0 : 1;
}
