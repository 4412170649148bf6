// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#ifdef RECOUP_BENCH_LIBBLOOM
#include <bloom.h>
#endif

namespace peers {

/// Two Bloom filters: keys go to the first; when it has taken `size`, it becomes the second, and the old second is
/// emptied at once. Remembers the last `size` to 2 * `size` keys.
template <class Filter>
class two_generations {
 public:
  explicit two_generations(std::size_t size) : size_(size), young_(size), old_(size) {}

  bool is_duplicate(std::uint64_t key, std::uint64_t /*now*/) {
    if (young_.contains(key) || old_.contains(key)) return true;
    if (taken_ == size_) {
      std::swap(young_, old_);
      young_.clear();
      taken_ = 0;
    }
    ++taken_;
    young_.add(key);
    return false;
  }

  /// That a new key is called a duplicate, when both are full.
  [[nodiscard]] double false_positive_rate() const { return 1 - std::pow(1 - young_.false_positive_rate(), 2); }

 private:
  std::size_t size_;
  std::size_t taken_ = 0;
  Filter young_;
  Filter old_;
};

/// The split block Bloom filter of Apache Parquet: a key sets a bit in each of the 8 words of one block of 256 bits.
/// 20 bits a key.
class split_block_filter {
 public:
  explicit split_block_filter(std::size_t size) : keys_(size), blocks_(size * 20 / 256 + 1) {}

  void add(std::uint64_t key) {
    const std::uint64_t hash = mixed(key);
    block& b = blocks_[place(hash)];
    for (std::size_t i = 0; i < b.size(); ++i) b[i] |= bit(hash, i);
  }

  [[nodiscard]] bool contains(std::uint64_t key) const {
    const std::uint64_t hash = mixed(key);
    const block& b = blocks_[place(hash)];
    std::uint32_t missing = 0;
    for (std::size_t i = 0; i < b.size(); ++i) missing |= ~b[i] & bit(hash, i);
    return missing == 0;
  }

  void clear() { std::fill(blocks_.begin(), blocks_.end(), block{}); }

  /// The keys of a block are Poisson distributed.
  [[nodiscard]] double false_positive_rate() const {
    const double mean = static_cast<double>(keys_) / static_cast<double>(blocks_.size());
    double of_so_many = std::exp(-mean);
    double rate = 0;
    for (int keys = 1; keys < 10 * mean; ++keys) {
      of_so_many *= mean / keys;
      rate += of_so_many * std::pow(1 - std::pow(31.0 / 32, keys), 8);
    }
    return rate;
  }

 private:
  struct alignas(32) block : std::array<std::uint32_t, 8> {};

  static std::uint64_t mixed(std::uint64_t key) {  // the finaliser of MurmurHash3
    key = (key ^ (key >> 33)) * 0xFF51'AFD7'ED55'8CCD;
    key = (key ^ (key >> 33)) * 0xC4CE'B9FE'1A85'EC53;
    return key ^ (key >> 33);
  }
  [[nodiscard]] std::size_t place(std::uint64_t hash) const { return ((hash >> 32) * blocks_.size()) >> 32; }
  static std::uint32_t bit(std::uint64_t hash, std::size_t word) {
    constexpr std::array<std::uint32_t, 8> salt{0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D,
                                                0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31};
    return std::uint32_t{1} << ((static_cast<std::uint32_t>(hash) * salt[word]) >> 27);
  }

  std::size_t keys_;
  std::vector<block> blocks_;
};

#ifdef RECOUP_BENCH_LIBBLOOM
/// The Bloom filter of libbloom, which is not blocked.
class libbloom_filter {
 public:
  explicit libbloom_filter(std::size_t size) { bloom_init(&filter_, static_cast<int>(size), rate); }
  libbloom_filter(libbloom_filter&& other) noexcept : filter_(std::exchange(other.filter_, {})) {}
  libbloom_filter& operator=(libbloom_filter&& other) noexcept {
    std::swap(filter_, other.filter_);
    return *this;
  }
  libbloom_filter(const libbloom_filter&) = delete;
  libbloom_filter& operator=(const libbloom_filter&) = delete;
  ~libbloom_filter() { bloom_free(&filter_); }

  void add(std::uint64_t key) { bloom_add(&filter_, &key, sizeof key); }
  [[nodiscard]] bool contains(std::uint64_t key) { return bloom_check(&filter_, &key, sizeof key) == 1; }
  void clear() { bloom_reset(&filter_); }
  [[nodiscard]] double false_positive_rate() const { return rate; }

 private:
  static constexpr double rate = 5e-4;

  bloom filter_{};
};
#endif

}  // namespace peers
