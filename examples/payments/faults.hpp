// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string_view>
#include <vector>

namespace payments {

/// What goes wrong: with an event (at most one each), up to `last_of_events`; then with the systems around.
enum class fault : std::uint8_t {
  none,
  lost,
  lost_for_good,
  repeated,
  echoed,
  wrong_product,
  wrong_unit,
  wrong_conversion,
  bad_quantity,
  no_country,
  swapped,
  future,
  outdated,
  no_id,
  silent_call,
  code_twice,
  step_missing,
  step_late,
  unpaid,
  charge_missing,
  charge_twice,
  last_of_events = charge_twice,
  wrong_answer,
  no_answer,
  answer_twice,
  correction_twice,
  report_lost,
  books_refuse,
  provider_down,
  rates_silent,
  volume_drop,
  ratio_drop,
};
inline constexpr std::size_t faults = 31;

inline constexpr std::array<std::string_view, faults> fault_names{
    "none",
    "event lost, sent again when asked",
    "event lost for good",
    "event delivered twice",
    "equal event milliseconds later",
    "price x quantity is not the revenue",
    "dollars recorded as cents (moves by > 300 %)",
    "conversion off by more than 5 %",
    "quantity out of range",
    "country missing",
    "e-mail and phone exchanged",
    "future-dated",
    "outdated",
    "event without an id",
    "call of 0 seconds",
    "discount code issued twice to a customer",
    "step of a lead that never came",
    "step of a lead that came late",
    "paid for us, failed at the provider",
    "provider never told of a purchase",
    "provider told twice of a purchase",
    "look-up: wrong answer (moves by > 300 %)",
    "look-up: no answer",
    "look-up: answered twice",
    "correction delivered twice",
    "correction applied, nobody said so",
    "correction refused by the books",
    "provider down",
    "exchange rates not told for hours",
    "no new customers for two hours",
    "fewer leads synchronised for two hours",
};

enum class fate : std::uint8_t { injected, detected, corrected, held, given_up };
inline constexpr std::size_t fates = 5;

/// Who injects a fault says so, who finds and settles it too: each at most once an event. The handlers know of a fault
/// only what recoup told them; what does not fit the event's fault is a false alarm.
class fault_table {
 public:
  void label(std::uint64_t id, fault f) {
    if (id >= label_.size()) {
      label_.resize(id + 1);
      seen_.resize(id + 1);
    }
    label_[id] = f;
    count(f, fate::injected);
  }
  [[nodiscard]] fault of(std::uint64_t id) const { return id < label_.size() ? label_[id] : fault::none; }

  /// Something was found out about an event: false if that is not its fault.
  bool is(std::uint64_t id, fault f, fate what) {
    if (of(id) != f) return false;
    note(id, what);
    return true;
  }
  /// What becomes of an event's fault, whichever it has.
  void note(std::uint64_t id, fate what) {
    const fault f = of(id);
    if (f == fault::none) return;
    const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(what));
    if ((seen_[id] & bit) == 0) count(f, what);
    seen_[id] |= bit;
  }
  void false_alarm() { ++false_alarms_; }
  [[nodiscard]] std::uint64_t false_alarms() const { return false_alarms_; }

  void count(fault f, fate what) { ++counts_[static_cast<std::size_t>(f)][static_cast<std::size_t>(what)]; }
  [[nodiscard]] std::uint64_t get(fault f, fate what) const {
    return counts_[static_cast<std::size_t>(f)][static_cast<std::size_t>(what)];
  }

  /// Whether each fault was detected, and either corrected or given up.
  [[nodiscard]] bool is_settled() const {
    bool all = false_alarms_ == 0;
    for (std::size_t i = 1; i < faults; ++i) {
      const auto f = static_cast<fault>(i);
      const std::uint64_t injected = get(f, fate::injected);
      all = all && get(f, fate::detected) == injected && get(f, fate::corrected) + get(f, fate::given_up) == injected;
    }
    return all;
  }

  void print() const {
    std::cout << std::left << std::setw(46) << "fault" << std::right << std::setw(9) << "injected" << std::setw(10)
              << "detected" << std::setw(10) << "corrected" << std::setw(8) << "held" << std::setw(10) << "given up"
              << '\n';
    for (std::size_t i = 1; i < faults; ++i) {
      const auto& row = counts_[i];
      std::cout << std::left << std::setw(46) << fault_names[i] << std::right << std::setw(9) << row[0] << std::setw(10)
                << row[1] << std::setw(10) << row[2] << std::setw(8) << row[3] << std::setw(10) << row[4] << '\n';
    }
  }

 private:
  std::vector<fault> label_;
  std::vector<std::uint8_t> seen_;
  std::array<std::array<std::uint64_t, fates>, faults> counts_{};
  std::uint64_t false_alarms_ = 0;
};

}  // namespace payments
