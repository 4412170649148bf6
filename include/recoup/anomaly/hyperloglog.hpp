// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup {

/// Estimates how many different keys were added, in 2^Precision bytes, however many there are.
///
/// The estimate has a relative standard deviation of 1.04 / sqrt(2^Precision) (relative_error) and next to no bias,
/// from one key to 10^19; few keys are told more precisely still, none at all exactly. That holds for keys chosen
/// without knowledge of the seed. Adding a key again changes nothing, so that order and repetition don't matter, and
/// the union of two sketches with the same seed is `merge`.
///
/// Cost: add, one XXH3 and one byte of memory; estimate, 2^Precision steps. Bytes: 2^Precision on the heap, taken at
/// construction: 4,096 by default, for an error of 1.6 %.
/// Source: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog" (2007); Heule, Nunkesser, Hall (2013) for 64-bit hashes;
/// the estimator is that of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6,
/// which needs neither constants that were fitted nor another estimator for few keys.
template <unsigned Precision = 12>
class hyperloglog {
  static_assert(Precision >= 4 && Precision <= 18, "recoup: hyperloglog<Precision> takes 4 to 18 bits of precision");

 public:
  static constexpr std::size_t registers = std::size_t{1} << Precision;

  /// Choose a seed that an attacker doesn't know.
  explicit hyperloglog(std::uint64_t seed = 0) : seed_(seed), registers_(registers) {}

  [[nodiscard]] static constexpr std::size_t bytes_for() noexcept { return registers; }
  [[nodiscard]] static double relative_error() noexcept { return 1.04 / std::sqrt(static_cast<double>(registers)); }

  template <fingerprintable Key>
  void add(const Key& key) noexcept {
    add_hash(fingerprint(key, seed_));
  }
  /// A key by its hash: 64 bits, all of them random.
  void add_hash(std::uint64_t hash) noexcept {
    const std::uint64_t rest = hash << Precision | std::uint64_t{1} << (Precision - 1);  // ends the zeros counted
    const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
    std::uint8_t& there = registers_[static_cast<std::size_t>(hash >> (64 - Precision))];
    if (rank <= there) return;
    used_ += there == 0;
    there = rank;
  }

  [[nodiscard]] double estimate() const noexcept {
    constexpr double m = static_cast<double>(registers);
    std::array<std::uint32_t, highest + 1> with{};
    for (const std::uint8_t rank : registers_) ++with[rank];
    double z = m * tau(1 - with[highest] / m);
    for (std::size_t k = highest - 1; k >= 1; --k) z = 0.5 * (z + with[k]);
    z += m * sigma(with[0] / m);
    constexpr double half_over_ln2 = 0.721'347'520'444'481'7;
    return half_over_ln2 * m * m / z;  // 0 where z is infinite: all are 0
  }

  [[nodiscard]] bool is_empty() const noexcept { return used_ == 0; }
  void clear() noexcept {
    if (used_ > 0) std::fill(registers_.begin(), registers_.end(), std::uint8_t{0});
    used_ = 0;
  }

  /// Takes in what another sketch was given; false, and nothing changes, if it has another seed.
  [[nodiscard]] bool merge(const hyperloglog& other) noexcept {
    if (seed_ != other.seed_) return false;
    for (std::size_t i = 0; i < registers; ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
    count_used();
    return true;
  }

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({section_tag("HLLG"), Precision, seed_});
  }
  [[nodiscard]] hyperloglog empty_copy() const { return hyperloglog(seed_); }

  void save(snapshot_writer& w) const { w.bytes(std::as_bytes(std::span(registers_))); }
  [[nodiscard]] bool load(snapshot_reader& r) {
    const std::span<const std::byte> bytes = r.bytes();
    if (!r.ok() || bytes.size() != registers) return false;
    const auto is_rank = [](std::byte b) { return std::to_integer<std::size_t>(b) <= highest; };
    if (!std::all_of(bytes.begin(), bytes.end(), is_rank)) return false;
    std::transform(bytes.begin(), bytes.end(), registers_.begin(),
                   [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    count_used();
    return true;
  }

  [[nodiscard]] bool operator==(const hyperloglog&) const = default;

 private:
  static constexpr std::size_t highest = 64 - Precision + 1;

  void count_used() noexcept {
    used_ = registers - static_cast<std::size_t>(std::count(registers_.begin(), registers_.end(), std::uint8_t{0}));
  }

  // x + sum over k of x^(2^k) 2^(k - 1), infinite at 1: what zeros stand for.
  static double sigma(double x) noexcept {
    double power = 1;
    double sum = x;
    for (double before = -1; sum != before;) {
      before = sum;
      x *= x;
      sum += x * power;
      power += power;
    }
    return sum;
  }
  // (1 - x - sum over k of (1 - x^(2^-k))^2 2^-k) / 3: what full registers stand for.
  static double tau(double x) noexcept {
    if (x == 0 || x == 1) return 0;
    double power = 1;
    double sum = 1 - x;
    for (double before = -1; sum != before;) {
      before = sum;
      x = std::sqrt(x);
      power /= 2;
      sum -= (1 - x) * (1 - x) * power;
    }
    return sum / 3;
  }

  std::uint64_t seed_;
  std::vector<std::uint8_t> registers_;  // of each: the highest rank, one more than the zeros before a hash's first bit
  std::size_t used_ = 0;                 // that are not 0
};

}  // namespace recoup
