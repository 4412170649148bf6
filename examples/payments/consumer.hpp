// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <recoup/recoup.hpp>
#include <string>
#include <unordered_map>

#include "agenda.hpp"
#include "books.hpp"
#include "event.hpp"
#include "faults.hpp"
#include "stages.hpp"
#include "world.hpp"

namespace payments {

/// Consumes the shops' events: recoup decides, and this does what it says. It never looks into the fault table, but
/// notes there what it was told and what became of it.
class consumer {
 public:
  consumer(world& outside, agenda& plans, fault_table& table, std::uint64_t seed);

  void take(const delivery& d, recoup::timestamp now);
  void take(const charge& c, recoup::timestamp now);
  void take(const answer& a, recoup::timestamp now);
  void take(const decision& d, recoup::timestamp now);
  void take(const proposal& p, recoup::timestamp now) { propose("provider", p.original, p.corrected, now); }
  void take(const application& a, recoup::timestamp now);
  void take(const tick& t, recoup::timestamp now);

  [[nodiscard]] const books& ledger() const { return books_; }
  /// Whether nothing is left to be done, and all sums add up.
  [[nodiscard]] bool is_done() const;
  void print() const;
  /// What is known at the end only.
  void close();

 private:
  static recoup::recovery_queue_options queue_options();

  auto sink(recoup::timestamp now);
  auto told_by_matcher(recoup::timestamp now);
  auto told_by_corrector(recoup::timestamp now);

  [[nodiscard]] std::uint64_t id_of(const event& e) const { return outside_.id_at(e.shop, e.number); }
  void accept(const event& e, recoup::timestamp now);
  void hold(const recoup::review<event>& r, recoup::timestamp now);
  void ask_what_is_due(recoup::timestamp now);
  void look_up_record(std::uint64_t id, system_of_record where, std::uint8_t urgency, recoup::timestamp now);
  void resolve(const look_up& what, const std::optional<event>& record, recoup::timestamp now);
  void propose(std::string_view rule, const event& original, event corrected, recoup::timestamp now);
  void note(const recoup::gap_found<std::uint32_t>& g);
  void note(const recoup::gap_abandoned<std::uint32_t>& g);
  void note(const recoup::overdue<std::uint64_t>& o);
  void note(const recoup::anomaly<>& a);
  void set_rate(recoup::timestamp now);

  world& outside_;
  agenda& agenda_;
  fault_table& table_;
  random_numbers random_;  // for the faults of our own systems

  recoup::external_value<double> dollars_a_euro_{"EUR/USD"};
  decltype(stages(dollars_a_euro_)) pipe_ = stages(dollars_a_euro_);
  decltype(matcher_of_charges()) charges_ = matcher_of_charges();
  recoup::corrector<event> corrections_;
  recoup::recovery_queue<look_up> look_ups_{queue_options()};
  recoup::in_flight<std::uint64_t> asked_{{.capacity = 1 << 16, .lease = std::chrono::hours(48)}};
  books books_;

  std::unordered_map<std::uint64_t, event> held_;              // for review, until they are put right
  std::unordered_map<std::uint64_t, event> for_a_person_;      // corrections that move too far, by correction
  std::unordered_map<std::uint64_t, std::int64_t> unclaimed_;  // dollars of charges whose purchase never came
  std::uint64_t dead_letters_ = 0;
  std::uint64_t taken_back_ = 0;    // overdue or unmatched, and came after all
  std::uint64_t other_alarms_ = 0;  // anomalies that are none
  std::uint64_t overtaken_ = 0;     // urgent look-ups that others went before
  bool books_are_shut_ = false;
  bool was_provider_down_ = false;
  bool were_rates_stale_ = false;
};

}  // namespace payments
