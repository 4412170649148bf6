// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/detail/lease_table.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <tuple>

#include "catch.hpp"

namespace {

using recoup::duration;
using recoup::timestamp;
using recoup::detail::lease;
using recoup::detail::lease_table;

timestamp at(std::int64_t ns) { return timestamp(duration(ns)); }

TEST_CASE("a lease table knows the lease that is due first and of equal ones the oldest item's") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    const std::uint32_t capacity = 1 + static_cast<std::uint32_t>(random() % 30);
    lease_table table(capacity);
    std::map<std::uint32_t, lease> model;
    std::uint64_t number = 0;
    for (int step = 0; step < 600; ++step) {
      const auto any = [&] { return at(static_cast<std::int64_t>(random() % 8)); };
      if (random() % 2 == 0 && !table.full()) {
        lease l;
        l.until = any();
        l.hedge_at = random() % 2 == 0 ? any() : timestamp::max();
        l.number = number += random() % 2;
        l.attempt = static_cast<std::uint16_t>(step);
        l.other = lease_table::none;
        const auto slot = table.add(l);
        if (slot >= capacity || !model.emplace(slot, l).second) FAIL("the slot was taken");
      } else if (!model.empty()) {
        auto any_lease = model.begin();
        std::advance(any_lease, static_cast<std::ptrdiff_t>(random() % model.size()));
        if (random() % 2 == 0) {
          table.remove(any_lease->first);
          model.erase(any_lease);
        } else {
          any_lease->second.until = any();
          any_lease->second.hedge_at = timestamp::max();
          table.set_times(any_lease->first, any_lease->second.until, timestamp::max());
        }
      }
      const auto first = std::min_element(model.begin(), model.end(), [](const auto& a, const auto& b) {
        return std::tuple(a.second.due(), a.second.number, a.second.attempt) <
               std::tuple(b.second.due(), b.second.number, b.second.attempt);
      });
      const bool agrees = table.size() == model.size() && table.empty() == model.empty() &&
                          table.full() == (model.size() == capacity) &&
                          (model.empty() ? table.due() == timestamp::max()
                                         : table.first() == first->first && table.due() == first->second.due());
      if (!agrees) FAIL("seed " << seed << " step " << step);
    }
  }
  SUCCEED();
}

TEST_CASE("two leases of an item name each other until one of them ends") {
  lease_table table(3);
  lease l;
  l.other = lease_table::none;
  const auto first = table.add(l);
  l.other = first;
  l.attempt = 1;
  const auto second = table.add(l);
  CHECK(table[first].other == second);
  CHECK(table[second].other == first);
  table.remove(first);
  CHECK(table[second].other == lease_table::none);
}

}  // namespace
