// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <recoup/core/sequence_range.hpp>
#include <recoup/core/time.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "timeline.hpp"

namespace recover {

// How a gap stands at the end: open if any of its numbers is still waited for, filled if all have come.
enum class gap_end : std::uint8_t { open, given_up, filled };
inline constexpr std::size_t gap_ends = 3;
inline constexpr std::array<std::string_view, gap_ends> gap_end_names = {"open", "given_up", "filled"};

// A range that was found missing, and what became of its numbers.
struct gap_record {
  std::string stream;
  recoup::sequence_range range;
  recoup::timestamp noticed;  // When a later number came.
  recoup::timestamp last_came;
  std::uint64_t came = 0;  // Numbers.
  std::uint64_t given_up = 0;
  std::uint32_t attempts = 0;  // Times it was asked for.
  std::string reason;          // Why numbers were given up.

  gap_end end() const {
    if (came == range.size()) return gap_end::filled;
    return came + given_up < range.size() ? gap_end::open : gap_end::given_up;
  }
  // From then on until the last number came; zero where time went backwards.
  recoup::duration took() const {
    if (last_came <= noticed) return recoup::duration::zero();
    const auto ticks = [](recoup::timestamp t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()); };
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    return recoup::duration(static_cast<std::int64_t>(std::min(ticks(last_came) - ticks(noticed), most)));
  }
};

// Follows each gap from where it was found to its end; gap trackers forget a gap that has ended. What ended is drawn
// into a timeline, where it was noticed: what came as filled, the rest as missing.
//
// Memory: a record for each gap that is open, or of the last most_undecided or more that were given up, as their
// numbers may still come; and for the first most_kept of each end. Time: O(log gaps) a call.
class gap_ledger {
 public:
  static constexpr std::size_t most_kept = 200;
  static constexpr std::size_t most_undecided = std::size_t{1} << 16;

  explicit gap_ledger(timeline& times) : times_(&times) {}

  void found(std::string_view stream, recoup::sequence_range range, recoup::timestamp noticed) {
    gaps_of(stream).emplace(range.first, gap_record{std::string(stream), range, noticed, {}, 0, 0, 0, {}});
    ++count_;
  }
  void asked(std::string_view stream, recoup::sequence_range range, std::uint32_t attempt) {
    for_each_overlap(stream, range, [&](gap_record& g, std::uint64_t) { g.attempts = std::max(g.attempts, attempt); });
  }
  // Of numbers that were not found missing before, this says that they are.
  void given_up(std::string_view stream, recoup::sequence_range range, recoup::timestamp noticed,
                std::string_view reason) {
    bool known = false;
    const auto give_up = [&](gap_record& g, std::uint64_t numbers) {
      known = true;
      const bool was_open = g.end() == gap_end::open;
      g.given_up += numbers;
      g.reason = reason;
      undecided_ += was_open && g.end() == gap_end::given_up;
    };
    for_each_overlap(stream, range, give_up);
    if (!known) {
      found(stream, range, noticed);
      for_each_overlap(stream, range, give_up);
    }
    if (undecided_ > most_undecided) settle_given_up();
  }
  // `was_given_up`: this number had been given up.
  void came(std::string_view stream, std::uint64_t number, bool was_given_up, recoup::timestamp now) {
    const auto gaps = streams_.find(stream);
    if (gaps == streams_.end()) return;
    const auto above = gaps->second.upper_bound(number);
    if (above == gaps->second.begin()) return;
    const auto at = std::prev(above);
    gap_record& g = at->second;
    if (!g.range.contains(number)) return;
    const gap_end before = g.end();
    ++g.came;
    g.given_up -= was_given_up;
    g.last_came = now;
    undecided_ -= before == gap_end::given_up;
    undecided_ += g.end() == gap_end::given_up;
    if (g.end() != gap_end::filled) return;
    settle(g);
    gaps->second.erase(at);
  }
  // The stream's numbers begin anew.
  void close(std::string_view stream, std::string_view reason) {
    const auto gaps = streams_.find(stream);
    if (gaps == streams_.end()) return;
    for (auto& [first, g] : gaps->second) {
      if (g.end() == gap_end::open) {
        g.given_up = g.range.size() - g.came;
        g.reason = reason;
      } else {
        --undecided_;
      }
      settle(g);
    }
    streams_.erase(gaps);
  }
  // Nothing more will come. To be called once, at the end.
  void finish() {
    for (auto& [stream, gaps] : streams_) {
      for (auto& [first, g] : gaps) settle(g);
    }
    streams_.clear();
    for (std::vector<gap_record>& kept : kept_) keep_first(kept);
  }

  std::uint64_t count() const { return count_; }  // Of all gaps.
  // Of those that have ended so; after finish(), of all that stand so.
  std::uint64_t count(gap_end of) const { return counts_[index(of)]; }
  // The first of them, by the time when they were noticed.
  const std::vector<gap_record>& kept(gap_end of) const { return kept_[index(of)]; }

 private:
  using gaps_by_first = std::map<std::uint64_t, gap_record>;

  static std::size_t index(gap_end of) { return static_cast<std::size_t>(of); }

  gaps_by_first& gaps_of(std::string_view stream) {
    const auto known = streams_.find(stream);
    return known != streams_.end() ? known->second : streams_[std::string(stream)];
  }

  // f(gap, numbers): how many of the gap's numbers are in the range.
  template <class F>
  void for_each_overlap(std::string_view stream, recoup::sequence_range range, F&& f) {
    const auto gaps = streams_.find(stream);
    if (gaps == streams_.end()) return;
    auto at = gaps->second.upper_bound(range.first);
    if (at != gaps->second.begin()) --at;
    for (; at != gaps->second.end() && at->first <= range.last; ++at) {
      const recoup::sequence_range common{std::max(at->first, range.first),
                                          std::min(at->second.range.last, range.last)};
      if (!common.empty()) f(at->second, common.size());
    }
  }

  void settle(gap_record& g) {
    const gap_end end = g.end();
    ++counts_[index(end)];
    if (g.came > 0) times_->add(g.stream, g.noticed, kind::filled, g.came);
    if (g.came < g.range.size()) times_->add(g.stream, g.noticed, kind::missing, g.range.size() - g.came);
    std::vector<gap_record>& kept = kept_[index(end)];
    kept.push_back(std::move(g));
    if (kept.size() == 2 * most_kept) keep_first(kept);
  }
  static void keep_first(std::vector<gap_record>& kept) {
    std::sort(kept.begin(), kept.end(), [](const gap_record& a, const gap_record& b) {
      return std::tie(a.noticed, a.stream, a.range.first) < std::tie(b.noticed, b.stream, b.range.first);
    });
    if (kept.size() > most_kept) kept.resize(most_kept);
  }
  void settle_given_up() {
    for (auto& [stream, gaps] : streams_) {
      for (auto at = gaps.begin(); at != gaps.end();) {
        if (at->second.end() == gap_end::given_up) {
          settle(at->second);
          at = gaps.erase(at);
        } else {
          ++at;
        }
      }
    }
    undecided_ = 0;
  }

  timeline* times_;
  std::map<std::string, gaps_by_first, std::less<>> streams_;
  std::array<std::vector<gap_record>, gap_ends> kept_;
  std::array<std::uint64_t, gap_ends> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t undecided_ = 0;  // Gaps that were given up and are still followed.
};

}  // namespace recover
