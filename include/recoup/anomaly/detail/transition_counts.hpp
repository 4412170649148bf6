// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// How often one of few states follows another: a first-order Markov chain in counts of one byte. When one is full, all
// of its row are halved, so that the past fades. What a row hasn't seen is estimated from the states alone, whatever
// came before (interpolated smoothing: Jelinek and Mercer, 1980).
template <std::size_t States>
class transition_counts {
 public:
  static constexpr std::uint8_t full = 127;  // a count that makes its row be halved

  // Somewhere on the line of states: in `state`, and by `share`, 0 to 1, in the one after it. So that what is near the
  // border of two states isn't thrown from one answer into another by next to nothing.
  struct place {
    std::uint8_t state;  // less than States - 1
    float share;
  };

  // The probability of `to` after `from`, each between two states: from the average counts of four transitions. Never
  // 0. `backoff` is the weight, in counts, of what is known of `to` alone, `prior` that of all being equally likely.
  [[nodiscard]] double probability(place from, place to, double backoff, double prior) const noexcept {
    const double all = total_ + prior;
    const double alone = prior / States + between(to.share, into_[to.state], into_[to.state + 1U]);
    const auto& row = counts_[from.state];
    const auto& next_row = counts_[from.state + 1U];
    const double both = between(from.share, between(to.share, row[to.state], row[to.state + 1U]),
                                between(to.share, next_row[to.state], next_row[to.state + 1U]));
    const double out = between(from.share, out_of_[from.state], out_of_[from.state + 1U]);
    return (both * all + backoff * alone) / ((out + backoff) * all);
  }
  void count(std::size_t from, std::size_t to) noexcept {
    ++out_of_[from];
    ++into_[to];
    ++total_;
    if (++counts_[from][to] == full) halve(from);
  }

  void save(snapshot_writer& w) const {
    for (const auto& row : counts_) {
      for (const std::uint8_t n : row) w.u8(n);
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    *this = {};
    for (std::size_t from = 0; from < States; ++from) {
      for (std::size_t to = 0; to < States; ++to) {
        const std::uint8_t n = r.u8();
        if (n >= full) return false;
        counts_[from][to] = n;
        out_of_[from] = static_cast<std::uint16_t>(out_of_[from] + n);
        into_[to] = static_cast<std::uint16_t>(into_[to] + n);
        total_ += n;
      }
    }
    return r.ok();
  }

 private:
  static double between(double share, double here, double after) noexcept { return here + share * (after - here); }

  static_assert(States * full <= 65'535, "recoup: the sums are 16 bits wide");

  void halve(std::size_t from) noexcept {
    for (std::size_t to = 0; to < States; ++to) {
      std::uint8_t& n = counts_[from][to];
      const auto lost = static_cast<std::uint8_t>(n - n / 2);
      n = static_cast<std::uint8_t>(n - lost);
      out_of_[from] = static_cast<std::uint16_t>(out_of_[from] - lost);
      into_[to] = static_cast<std::uint16_t>(into_[to] - lost);
      total_ -= lost;
    }
  }

  std::array<std::array<std::uint8_t, States>, States> counts_{};
  std::array<std::uint16_t, States> out_of_{};  // sums of the rows
  std::array<std::uint16_t, States> into_{};    // sums of the columns
  std::uint32_t total_ = 0;
};

}  // namespace recoup::detail
