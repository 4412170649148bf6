// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "recoup/core/detail/require.hpp"

namespace recoup {

/// Serial number arithmetic (RFC 1982): compares two numbers of `bits` bits, 1 to 64, that count modulo 2^bits. `a` is
/// greater where it lies less than half of the circle ahead of `b`; exactly half of it away the RFC leaves the order
/// undefined, and the answer is unordered. Higher bits of the numbers do not count; a width outside 1 to 64 is taken as
/// the nearest of these.
constexpr std::partial_ordering serial_compare(std::uint64_t a, std::uint64_t b, unsigned bits) noexcept {
  // The circle is stretched to 64 bits, so that half of it is the highest bit.
  const unsigned unused = bits >= 64 ? 0 : bits == 0 ? 63 : 64 - bits;
  const std::uint64_t ahead = (a - b) << unused;
  constexpr std::uint64_t half = std::uint64_t{1} << 63;
  if (ahead == 0) return std::partial_ordering::equivalent;
  if (ahead == half) return std::partial_ordering::unordered;
  return ahead < half ? std::partial_ordering::greater : std::partial_ordering::less;
}

/// Extends sequence numbers that a producer counts modulo 2^bits (RTP: 16, see RFC 3550 appendix A.1; TCP: 32; LoRaWAN:
/// 16; Sigfox: 12) to 64 bits, so that what follows never meets a wraparound. Each number is taken as the one nearest
/// to the highest committed so far: up to 2^(bits-1) ahead or 2^(bits-1) - 1 behind. Exactly half of the circle away,
/// where RFC 1982 gives no order, it counts as ahead. The first number committed is taken as it is, in cycle 0.
//
/// A silence or loss of 2^(bits-1) numbers or more cannot be told from a late packet: choose the width that the
/// producer really uses. With 64 bits the numbers pass through unchanged. O(1), 16 bytes.
class sequence_unwrapper {
 public:
  /// bits: 1 to 64.
  explicit constexpr sequence_unwrapper(unsigned bits) : bits_(bits) {
    if (bits < 1 || bits > 64) {
      detail::reject_option("sequence numbers of " + std::to_string(bits) + " bits: give 1 to 64");
    }
  }

  /// The 64-bit number that `raw` stands for; changes nothing. Nothing where `raw` has more than `bits` bits, or where
  /// the nearest number would lie before number 0 of cycle 0 or beyond 2^64 - 1.
  [[nodiscard]] constexpr std::optional<std::uint64_t> unwrap(std::uint64_t raw) const noexcept {
    const std::uint64_t mask = std::numeric_limits<std::uint64_t>::max() >> (64 - bits_);
    if (raw > mask) return std::nullopt;
    if (bits_ == 64 || !started_) return raw;
    const std::uint64_t ahead = (raw - highest_) & mask;
    if (ahead <= mask / 2 + 1) {
      if (ahead > std::numeric_limits<std::uint64_t>::max() - highest_) return std::nullopt;
      return highest_ + ahead;
    }
    const std::uint64_t behind = mask - ahead + 1;
    if (behind > highest_) return std::nullopt;
    return highest_ - behind;
  }

  /// Takes note that an unwrapped number has arrived. Late numbers change nothing.
  constexpr void commit(std::uint64_t unwrapped) noexcept {
    if (!started_ || unwrapped > highest_) highest_ = unwrapped;
    started_ = true;
  }

  [[nodiscard]] constexpr unsigned bits() const noexcept { return bits_; }

  /// The highest number committed; nothing before the first.
  [[nodiscard]] constexpr std::optional<std::uint64_t> highest() const noexcept {
    return started_ ? std::optional(highest_) : std::nullopt;
  }

 private:
  std::uint64_t highest_ = 0;
  unsigned bits_;
  bool started_ = false;
};

}  // namespace recoup
