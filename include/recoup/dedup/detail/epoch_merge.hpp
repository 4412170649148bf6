// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recoup/core/time.hpp"
#include "recoup/dedup/detail/epochs.hpp"

namespace recoup::detail {

// The epochs of two windows in one order of time, and the numbers that they have when the two are one. The newest
// `events` keys stay, and those in one epoch with any of them. Epochs beside each other become one where there are more
// than numbers for them.
class epoch_merge {
 public:
  static constexpr epochs::tag dead = 0;

  epoch_merge(const epochs& mine, const epochs& theirs) : age_(mine.age()) {
    append(mine, 0);
    append(theirs, 1);
    std::stable_sort(line_.begin(), line_.end(),
                     [](const station& a, const station& b) { return a.period.latest < b.period.latest; });
    for (std::size_t i = 0; i < line_.size(); ++i) rank_[line_[i].side][line_[i].tag] = i;
  }

  // A key is in both windows: it counts as the newer one.
  void seen_by_both(epochs::tag mine, epochs::tag theirs) noexcept {
    --line_[std::min(rank_[0][mine], rank_[1][theirs])].period.keys;
  }

  void make(std::uint64_t events) {
    by_keys_ = epochs::keys_for(events);
    // An epoch stays unless `events` keys are newer than all of its keys.
    std::size_t first = 0;
    while (first + 1 < line_.size() && newer_than(line_[first].period.latest, first + 1) >= events) ++first;
    const timestamp newest = line_.back().period.latest;
    for (const station& s : std::span(line_).first(first)) {
      const duration age = elapsed(s.period.latest, newest);
      if (s.period.keys == 0 || age > age_) continue;
      youngest_left_out_ = left_out_ == 0 ? age : std::min(youngest_left_out_, age);
      left_out_ += s.period.keys;
    }
    duration longest = duration::zero();
    number(first, longest);
    while (periods_.size() > most && longest < duration::max()) {
      longest = std::max(saturating_multiply(longest, 2), std::max(age_ / epochs::by_time, duration(1)));
      number(first, longest);
    }
    std::uint64_t keys = 0;
    for (const epochs::period& p : periods_) keys += p.keys;
    for (epochs::period& p : periods_) {
      p.end = keys;
      for (const epochs::period& later : periods_) p.end -= later.first > p.latest ? later.keys : 0;
    }
  }

  [[nodiscard]] std::span<const epochs::period> periods() const noexcept { return periods_; }
  [[nodiscard]] epochs::tag mine(epochs::tag t) const noexcept { return tags_[0][t]; }
  [[nodiscard]] epochs::tag theirs(epochs::tag t) const noexcept { return tags_[1][t]; }
  // Keys that would be remembered if the window were larger, and the least age of one.
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }
  [[nodiscard]] duration youngest_left_out() const noexcept { return youngest_left_out_; }

 private:
  // Above twice the 96 that two windows have, as of any two neighbours that cannot be one, one has half the keys.
  static constexpr std::size_t most = 200;

  struct station {
    epochs::period period;
    std::size_t side;
    epochs::tag tag;
  };

  void append(const epochs& e, std::size_t side) {
    for (epochs::tag t = e.oldest();; ++t) {
      line_.push_back({{e.first(t), e.latest(t), e.keys(t)}, side, t});
      if (t == e.current()) break;
    }
  }

  [[nodiscard]] std::uint64_t newer_than(timestamp time, std::size_t from) const noexcept {
    std::uint64_t keys = 0;
    for (const station& s : std::span(line_).subspan(from)) keys += s.period.first > time ? s.period.keys : 0;
    return keys;
  }

  // Joins epochs that together have the keys of one, and are no longer than that.
  void number(std::size_t from, duration longest) {
    periods_.clear();
    timestamp begin;
    for (std::size_t i = from; i < line_.size(); ++i) {
      const station& s = line_[i];
      const bool fits = longest > duration::zero() && !periods_.empty() &&
                        periods_.back().keys + s.period.keys <= by_keys_ && elapsed(begin, s.period.latest) <= longest;
      if (fits || periods_.size() == 250) {
        epochs::period& p = periods_.back();
        p.first = std::min(p.first, s.period.first);
        p.latest = s.period.latest;
        p.keys += s.period.keys;
      } else {
        periods_.push_back(s.period);
        begin = s.period.latest;
      }
      tags_[s.side][s.tag] = static_cast<epochs::tag>(periods_.size());
    }
  }

  duration age_;
  std::uint64_t by_keys_ = 0;
  std::vector<station> line_;  // the oldest first
  std::array<std::array<std::size_t, 256>, 2> rank_{};
  std::vector<epochs::period> periods_;
  std::array<std::array<epochs::tag, 256>, 2> tags_{};
  std::uint64_t left_out_ = 0;
  duration youngest_left_out_{};
};

}  // namespace recoup::detail
