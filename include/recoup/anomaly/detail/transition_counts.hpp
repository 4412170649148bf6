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
  // The probability that `to` follows `from`; never 0. `backoff` is the weight, in counts, of what is known of `to`
  // alone, `prior` that of all being equally likely.
  [[nodiscard]] double probability(std::size_t from, std::size_t to, double backoff, double prior) const noexcept {
    const double all = total_ + prior;
    return (counts_[from][to] * all + backoff * (into_[to] + prior / States)) / ((out_of_[from] + backoff) * all);
  }

  void count(std::size_t from, std::size_t to) noexcept {
    ++out_of_[from];
    ++into_[to];
    ++total_;
    if (++counts_[from][to] == 255) halve(from);
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
        if (n == 255) return false;
        counts_[from][to] = n;
        out_of_[from] = static_cast<std::uint16_t>(out_of_[from] + n);
        into_[to] = static_cast<std::uint16_t>(into_[to] + n);
        total_ += n;
      }
    }
    return r.ok();
  }

 private:
  static_assert(States * 255 <= 65'535, "recoup: the sums are 16 bits wide");

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
