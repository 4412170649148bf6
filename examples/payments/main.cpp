// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// A week of eight shops: leads, their way through the CRM, calls, discount codes, purchases; a payment provider, a CRM
// and a service of exchange rates that answer late, twice, wrong or not at all. A generator breaks a part of all that,
// and knows what it broke. Read stages.hpp for what each event goes through, then consumer.cpp for what is done about
// it. In the end the ledger must equal the truth to the cent, and each fault must be accounted for.
//
//     payments [EVENTS] [SEED]
//
// It ends with 0 if both is so. All of it follows from the seed: two runs print the same.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <recoup/pipeline/overloaded.hpp>
#include <string>
#include <utility>
#include <variant>

#include "agenda.hpp"
#include "consumer.hpp"
#include "faults.hpp"
#include "world.hpp"

namespace {

using namespace std::chrono_literals;

std::string money(std::int64_t cents) {
  const std::string rest = std::to_string(cents % 100);
  return std::to_string(cents / 100) + '.' + std::string(2 - rest.size(), '0') + rest;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t events = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  if (events < 100'000) {
    std::cerr << "payments: EVENTS must be 100000 or more: less than a day has no room for all faults\n";
    return 2;
  }

  payments::agenda agenda;
  payments::fault_table table;
  payments::world world(events, seed, agenda, table);
  payments::consumer consumer(world, agenda, table, seed);

  // Every ten seconds time passes for the consumer, and for two days after the last customer.
  std::optional<recoup::timestamp> last;
  const recoup::overloaded happens{
      [&](payments::journey_begins, recoup::timestamp now) { world.journey(now); },
      [&](payments::event_happens& e, recoup::timestamp now) { world.happen(std::move(e.e), e.f, now); },
      [&](payments::tick t, recoup::timestamp now) {
        consumer.take(t, now);
        if (world.is_closed() && !last) last = now + 48h;
        if (!last || now < *last) agenda.put(now + 10s, t);
      },
      [&](const auto& happening, recoup::timestamp now) { consumer.take(happening, now); }};
  for (bool has_begun = false; !agenda.empty();) {
    auto [now, order, what] = agenda.take();
    if (!has_begun) agenda.put(now, payments::tick{});
    has_begun = true;
    const recoup::timestamp at = now;
    std::visit([&](auto& each) { happens(each, at); }, what);
  }
  consumer.close();

  std::int64_t difference = 0;
  std::int64_t earned = 0;
  for (const auto& [day, cents] : world.sales()) {
    const auto found = consumer.ledger().days().find(day);
    const std::int64_t ours = found == consumer.ledger().days().end() ? 0 : found->second;
    difference += std::abs(ours - cents);
    earned += cents;
  }
  for (const auto& [day, cents] : consumer.ledger().days())
    if (!world.sales().contains(day)) difference += std::abs(cents);

  std::cout << world.events() << " events of " << payments::shops << " shops, " << world.purchases()
            << " of them purchases; seed " << seed << "\n\n";
  table.print();
  std::cout << '\n';
  consumer.print();
  std::cout << "false alarms  " << table.false_alarms() << "\n\nledger: " << money(earned)
            << " dollars of truth, difference " << money(difference) << ", " << consumer.ledger().entries() << " of "
            << world.purchases() << " purchases\n";
  const bool is_right =
      difference == 0 && consumer.ledger().entries() == world.purchases() && table.is_settled() && consumer.is_done();
  std::cout << (is_right ? "every fault is accounted for\n" : "SOMETHING IS WRONG\n");
  return is_right ? 0 : 1;
}
