// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/interval_set.hpp"
#include "recoup/core/sequence_number.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/reconcile/neighbours.hpp"

namespace recoup {

struct infer_options {
  unsigned bits = 64;                             ///< width of the sequence number, as for track_gaps
  std::optional<std::uint64_t> expect_from = {};  ///< the first number there must be, as for track_gaps
  std::uint64_t max_run = 16;  ///< a longer gap is not inferred: its neighbours say too little about its middle
  std::size_t max_holes = 64;  ///< holes a stream whose neighbours are kept; and inferred ranges that are watched for
};

namespace detail {

// Of one stream: where its numbers are, the neighbours of its holes, and what was inferred and has not come since.
template <class Event>
class inference_state {
 public:
  explicit inference_state(const infer_options& o) : options_(o), neighbours_(o.max_holes), highest_(o.expect_from) {}

  std::optional<std::uint64_t> unwrap(std::uint64_t number) const {
    sequence_unwrapper unwrapper(options_.bits);
    if (highest_) unwrapper.commit(*highest_);
    return unwrapper.unwrap(number);
  }
  // Every arrival counts for where the numbers are; only an event that passed is a neighbour.
  void arrive(std::uint64_t sequence) noexcept { highest_ = std::max(highest_.value_or(sequence), sequence); }
  void remember(std::uint64_t sequence, const Event& e) {
    neighbours_.remember(sequence, e);
    inferred_.erase({sequence, sequence});
    if (inferred_.size() > options_.max_holes) inferred_.pop_front();
  }

  bool was_inferred(std::uint64_t sequence) const noexcept { return inferred_.contains(sequence); }
  const interval_set& inferred() const noexcept { return inferred_; }
  std::optional<neighbours<Event>> around(std::uint64_t sequence) const { return neighbours_.around(sequence); }

  // The inferred range that is no longer watched for once the event of this number is remembered, if any: the number
  // splits a range, and there are as many as may be.
  std::optional<sequence_range> displaced_by(std::uint64_t sequence) const noexcept {
    const sequence_range* split = inferred_.find(sequence);
    if (inferred_.size() < options_.max_holes || split == nullptr) return std::nullopt;
    if (split->first == sequence || split->last == sequence) return std::nullopt;
    const sequence_range lowest = inferred_.front();
    return lowest.contains(sequence) ? sequence_range{lowest.first, sequence - 1} : lowest;
  }
  // Whether a range must be forgotten before this number can be watched for.
  bool has_no_room_for(std::uint64_t sequence) const noexcept {
    return inferred_.size() == options_.max_holes && !inferred_.contains(sequence) &&
           !inferred_.contains(sequence - 1) && !inferred_.contains(sequence + 1);
  }
  void forget_lowest() noexcept { inferred_.pop_front(); }
  void commit_inferred(std::uint64_t sequence) { inferred_.insert({sequence, sequence}); }

  std::uint64_t configuration() const noexcept {
    return detail::combine(
        {options_.bits, detail::option(options_.expect_from), options_.max_run, neighbours_.configuration()});
  }
  inference_state empty_copy() const { return inference_state(options_); }
  void save(snapshot_writer& w) const {
    neighbours_.save(w);
    inferred_.save(w);
    w.value(highest_);
  }
  bool load(snapshot_reader& r) {
    return neighbours_.load(r) && inferred_.load(r, options_.max_holes) && r.value(highest_);
  }

 private:
  infer_options options_;
  neighbour_memory<Event> neighbours_;
  interval_set inferred_;
  std::optional<std::uint64_t> highest_;
};

}  // namespace detail

}  // namespace recoup
