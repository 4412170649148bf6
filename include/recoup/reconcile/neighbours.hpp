// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup {

/// A missing event between the two nearest that are there: before_sequence < sequence < after_sequence.
template <class Event>
struct neighbours {
  const Event& before;
  const Event& after;
  std::uint64_t before_sequence;
  std::uint64_t sequence;
  std::uint64_t after_sequence;
};

/// Keeps, of one stream, the last event and those on both sides of each hole, so that missing events can be inferred
/// from their neighbours later on.
///
/// Event is default-constructible. Cost: in order, one copy-assignment of an event; else O(holes). Bytes: one event,
/// and two a hole, at most `max_holes` of them; then the lowest hole's neighbours are dropped. Allocates when the
/// number of holes grows to a new high, and what copying an Event allocates.
template <class Event>
class neighbour_memory {
 public:
  explicit neighbour_memory(std::size_t max_holes = 64) : max_holes_(max_holes) {
    detail::require_option(max_holes >= 1, "neighbour_memory needs room for at least 1 hole");
  }

  /// The event may be one that is remembered already. If copying it throws, nothing has changed; in order, though, the
  /// last event is then what its copy-assignment left.
  void remember(std::uint64_t sequence, const Event& event) {
    if (!started_ || sequence > last_.sequence) {
      if (started_ && sequence - last_.sequence > 1) return open({sequence, event});
      last_.event = event;
      last_.sequence = sequence;
      started_ = true;
    } else if (const auto at = hole_at(sequence); at != holes_.end()) {
      split(static_cast<std::size_t>(at - holes_.begin()), {sequence, event});
    }
  }

  /// The nearest remembered events on both sides; nothing if they are no longer kept, or if the event is there.
  [[nodiscard]] std::optional<neighbours<Event>> around(std::uint64_t sequence) const {
    const auto at = hole_at(sequence);
    if (at == holes_.end()) return std::nullopt;
    return neighbours<Event>{at->before.event, at->after.event, at->before.sequence, sequence, at->after.sequence};
  }

  [[nodiscard]] std::optional<std::uint64_t> highest() const noexcept {
    return started_ ? std::optional(last_.sequence) : std::nullopt;
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept { return detail::combine({max_holes_}); }
  [[nodiscard]] neighbour_memory empty_copy() const { return neighbour_memory(max_holes_); }

  void save(snapshot_writer& w) const {
    check_snapshot();
    w.boolean(started_);
    if (started_) save(w, last_);
    w.u64(holes_.size());
    for (const hole& h : holes_) {
      save(w, h.before);
      save(w, h.after);
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    check_snapshot();
    neighbour_memory loaded = empty_copy();
    loaded.started_ = r.boolean();
    if (loaded.started_ && !load(r, loaded.last_)) return false;
    const std::size_t holes = r.count(max_holes_);
    for (std::size_t i = 0; i < holes; ++i) {
      hole h{};
      if (!load(r, h.before) || !load(r, h.after)) return false;
      if (h.after.sequence <= h.before.sequence || h.after.sequence - h.before.sequence < 2) return false;
      if (i > 0 && h.before.sequence < loaded.holes_.back().after.sequence) return false;
      (void)loaded.make_room();
      loaded.holes_.push_back(std::move(h));
    }
    if (!r.ok()) return false;
    if (holes > 0 && (!loaded.started_ || loaded.last_.sequence < loaded.holes_.back().after.sequence)) return false;
    *this = std::move(loaded);
    return true;
  }

 private:
  struct entry {
    std::uint64_t sequence = 0;
    Event event{};
  };
  struct hole {
    entry before;
    entry after;
  };

  static constexpr void check_snapshot() {
    static_assert(
        snapshot_value<Event>,
        "recoup: this pipeline's state contains whole events (infer keeps neighbours); to take a snapshot, give "
        "your event the members void save(recoup::snapshot_writer&) const and bool "
        "load(recoup::snapshot_reader&)");
  }
  static void save(snapshot_writer& w, const entry& e) {
    w.u64(e.sequence);
    if constexpr (snapshot_value<Event>) w.value(e.event);
  }
  static bool load(snapshot_reader& r, entry& e) {
    e.sequence = r.u64();
    if constexpr (snapshot_value<Event>) return r.value(e.event);
    return false;
  }

  typename std::vector<hole>::const_iterator hole_at(std::uint64_t sequence) const {
    const auto at =
        std::partition_point(holes_.begin(), holes_.end(), [&](const hole& h) { return h.after.sequence <= sequence; });
    return at != holes_.end() && at->before.sequence < sequence ? at : holes_.end();
  }

  // Both make their copies and their room first; then they only move.

  void open(entry newest) {
    hole opened{{}, newest};
    make_room();
    opened.before = std::exchange(last_, std::move(newest));
    holes_.push_back(std::move(opened));
  }

  void split(std::size_t at, entry between) {
    const bool upper = holes_[at].after.sequence - between.sequence > 1;
    bool lower = between.sequence - holes_[at].before.sequence > 1;
    if (lower && upper && at == 0 && holes_.size() == max_holes_) lower = false;  // as it would be dropped
    if (lower && upper) {
      hole above{between, {}};
      if (make_room()) --at;
      above.after = std::exchange(holes_[at].after, std::move(between));
      holes_.insert(holes_.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::move(above));
    } else if (lower) {
      holes_[at].after = std::move(between);
    } else if (upper) {
      holes_[at].before = std::move(between);
    } else {
      holes_.erase(holes_.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

  // For one hole more. Whether the lowest had to be dropped for it.
  bool make_room() {
    if (holes_.size() == max_holes_) {
      holes_.erase(holes_.begin());
      return true;
    }
    if (holes_.size() == holes_.capacity()) holes_.reserve(std::min(2 * holes_.size() + 1, max_holes_));
    return false;
  }

  std::size_t max_holes_;
  bool started_ = false;
  entry last_;
  std::vector<hole> holes_;  // sorted, disjoint but for shared ends
};

}  // namespace recoup
