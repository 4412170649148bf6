// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <recoup/core/sequence_range.hpp>
#include <recoup/core/time.hpp>
#include <recoup/recovery/findings.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agenda.hpp"
#include "event.hpp"
#include "faults.hpp"

namespace payments {

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>((*this)() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool once_in(std::uint64_t n) { return (*this)() % n == 0; }

 private:
  std::uint64_t state_;
};

/// Where each day's sales of a shop stand in the ledger.
using shop_and_day = std::pair<std::uint32_t, recoup::timestamp>;
using day_totals = std::map<shop_and_day, std::int64_t>;
[[nodiscard]] recoup::timestamp day_of(recoup::timestamp t);

/// Customers, shops and the systems outside. It knows the truth, breaks it, and says in the fault table what it broke.
class world {
 public:
  world(std::uint64_t events, std::uint64_t seed, agenda& plans, fault_table& table);

  // What happens in it.
  void journey(recoup::timestamp now);
  void happen(event e, fault f, recoup::timestamp now);

  /// The shops send what is missing again, if they have it.
  void send_again(std::uint32_t shop, recoup::sequence_range numbers, recoup::timestamp now);
  /// A look-up goes out; the answer comes late, twice, wrong or not at all.
  void ask(recoup::recovery_id work, const look_up& what, std::uint32_t target, recoup::timestamp now);
  /// The exchange rate of the euro in millionths of a dollar; nothing while the service is silent.
  [[nodiscard]] std::optional<std::int64_t> rate(recoup::timestamp now) const;

  /// The event that has this number in its shop.
  [[nodiscard]] std::uint64_t id_at(std::uint32_t shop, std::uint64_t number) const { return ids_[shop][number - 1]; }
  [[nodiscard]] std::uint64_t last_number(std::uint32_t shop) const { return ids_[shop].size(); }
  /// As a person finds out who asks the customer.
  [[nodiscard]] const event& truth(std::uint64_t id) const { return truth_.at(id); }

  [[nodiscard]] const day_totals& sales() const { return sales_; }
  [[nodiscard]] bool is_closed() const { return is_closed_; }
  [[nodiscard]] recoup::timestamp drop_begins() const { return at_part(70); }
  [[nodiscard]] recoup::timestamp sync_trouble_begins() const { return at_part(55); }
  [[nodiscard]] std::uint64_t purchases() const { return purchases_; }
  [[nodiscard]] std::uint64_t events() const { return happened_; }

 private:
  [[nodiscard]] recoup::timestamp at_part(std::int64_t percent) const;
  [[nodiscard]] bool has_drop() const;
  [[nodiscard]] bool is_provider_up(recoup::timestamp t) const;
  [[nodiscard]] bool are_rates_up(recoup::timestamp t) const;
  fault fault_of(kind what, currency money, recoup::timestamp at);
  void plan(event e, recoup::timestamp at);
  void break_event(event& e, fault f, recoup::timestamp now);
  void tell_charge(const event& e, fault f, recoup::timestamp now);

  agenda& agenda_;
  fault_table& table_;
  random_numbers random_;   // for the truth and what happens to it, whatever is asked
  random_numbers answers_;  // for those who are asked
  std::uint64_t planned_;
  recoup::timestamp end_;
  std::uint64_t next_id_ = 0;
  std::uint64_t happened_ = 0;
  std::uint64_t purchases_ = 0;
  bool is_closed_ = false;
  std::array<std::vector<std::uint64_t>, shops> ids_;
  std::unordered_map<std::uint64_t, event> truth_;                   // of purchases and calls
  std::map<std::pair<std::uint32_t, std::uint64_t>, event> outbox_;  // lost ones, which the shop has
  day_totals sales_;
};

}  // namespace payments
