// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "seen.hpp"

namespace peers {

/// A ring of bits, one for each number received, in the manner of RFC 6479: words are cleared as the highest number
/// enters them, and none is ever shifted. Its size is the power of two that holds `window` and a word.
class replay_window {
 public:
  seen observe(std::uint64_t number) {
    if (number == next_) [[likely]] {
      if (number % 64 == 0) word(number) = 0;
      word(number) |= bit(number);
      ++next_;
      return seen::in_order;
    }
    if (number > next_) {
      const std::uint64_t first = (next_ + 63) / 64;  // word not yet entered
      const std::uint64_t end = number / 64 + 1;
      for (std::uint64_t w = std::max(first, end - std::min<std::uint64_t>(end, words)); w < end; ++w) {
        bits_[w % words] = 0;
      }
      word(number) |= bit(number);
      next_ = number + 1;
      return seen::opened;
    }
    if (number < lowest_kept(next_) || (word(number) & bit(number)) != 0) return seen::other;
    word(number) |= bit(number);
    return seen::filled;
  }

  void poll() {}  // what the window has left behind is given up

  std::uint64_t missing() const {
    std::uint64_t sum = 0;
    for (std::uint64_t n = lowest_kept(next_); n < next_; ++n) sum += (bits_[n / 64 % words] & bit(n)) == 0;
    return sum;
  }

 private:
  static constexpr std::size_t words = 2 * window / 64;

  static constexpr std::uint64_t bit(std::uint64_t number) { return std::uint64_t{1} << number % 64; }
  std::uint64_t& word(std::uint64_t number) { return bits_[number / 64 % words]; }

  std::uint64_t next_ = 0;
  std::array<std::uint64_t, words> bits_{};
};

}  // namespace peers
