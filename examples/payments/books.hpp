// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <recoup/reconcile/running_total.hpp>
#include <unordered_map>

#include "event.hpp"
#include "world.hpp"

namespace payments {

/// The ledger: what each shop has earned each day. An entry that is posted again replaces what it was before, so that
/// twice is as once.
class books {
 public:
  void post(const event& e, recoup::timestamp now) {
    const auto told = [this](const auto& finding) { note(finding); };
    const auto [found, is_new] = entries_.try_emplace(*e.id, e);
    const std::int64_t after = e.is_paid ? dollars(e) : 0;
    const std::int64_t before = is_new || !found->second.is_paid ? 0 : dollars(found->second);
    found->second = e;
    if (after == before) return;
    const recoup::total_answer answer = before == 0  ? sums_.add(e.shop, *e.at, after, now, told)
                                        : after == 0 ? sums_.retract(e.shop, *e.at, before, now, told)
                                                     : sums_.correct(e.shop, *e.at, before, after, now, told);
    not_posted_ += answer != recoup::total_answer::counted && answer != recoup::total_answer::adjusted;
  }
  [[nodiscard]] const event* find(std::uint64_t id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  }
  void advance(recoup::timestamp now) {
    sums_.advance(now, [this](const auto& finding) { note(finding); });
  }

  /// Of days that are over.
  [[nodiscard]] const day_totals& days() const { return days_; }
  [[nodiscard]] std::size_t entries() const { return entries_.size(); }
  [[nodiscard]] std::uint64_t adjustments() const { return adjustments_; }
  [[nodiscard]] std::uint64_t not_posted() const { return not_posted_; }

 private:
  void note(const recoup::total_published<std::uint32_t, std::int64_t>& p) { days_[{p.key, p.window}] = p.total.sum; }
  void note(const recoup::total_adjusted<std::uint32_t, std::int64_t>& a) {
    days_[{a.key, a.window}] += a.after.sum - a.before.sum;
    ++adjustments_;
  }
  void note(const recoup::total_dropped<std::uint32_t, std::int64_t>& d) { days_[{d.key, d.window}] = d.total.sum; }

  recoup::running_total<std::uint32_t> sums_{{.window = std::chrono::hours(24), .keys = {.capacity = shops}}};
  std::unordered_map<std::uint64_t, event> entries_;
  day_totals days_;
  std::uint64_t adjustments_ = 0;
  std::uint64_t not_posted_ = 0;
};

}  // namespace payments
