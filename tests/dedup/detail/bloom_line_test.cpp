// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/detail/bloom_line.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "catch.hpp"

namespace {

using recoup::detail::bloom_hit;
using recoup::detail::bloom_line;
using recoup::detail::bloom_portable;
using recoup::detail::bloom_rate;
using recoup::detail::bloom_simd;
using recoup::detail::bloom_size_for;
using recoup::detail::bloom_tags;

constexpr bloom_tags tags_at_first = {0x0100'0000, 0x0200'0000, 0xFF00'0000, 0};

int bits_of(const std::array<std::uint32_t, 4>& words) {
  int bits = 0;
  for (const std::uint32_t word : words) bits += std::popcount(word);
  return bits;
}

bool is_same(const bloom_line& a, const bloom_line& b) { return a.near == b.near && a.far == b.far; }

}  // namespace

TEST_CASE("a line of Bloom filters is the same with and without vector instructions") {
  std::mt19937_64 random(1);
  for (const bool two : {false, true}) {
    bloom_line simple;
    bloom_line fast;
    bloom_tags tags = tags_at_first;
    std::uint64_t differing = 0;
    std::uint64_t found = 0;
    for (int i = 0; i < 50'000; ++i) {
      const std::uint64_t hash = random() % 64 == 0 ? random() % 4 - 2 : random() >> random() % 64;
      const std::size_t slot = random() % 4;
      if (random() % 50 == 0) tags[slot] = static_cast<std::uint32_t>(random() % 4 << 30);
      if (random() % 4 == 0) {
        bloom_portable::add(simple, bloom_portable::mask_of(hash, two), slot, tags[slot]);
        bloom_simd::add(fast, bloom_simd::mask_of(hash, two), slot, tags[slot]);
      }
      const unsigned slots = bloom_portable::found(simple, bloom_portable::mask_of(hash, two), tags);
      differing += slots != bloom_simd::found(fast, bloom_simd::mask_of(hash, two), tags);
      differing += !is_same(simple, fast);
      found += slots != 0 ? 1 : 0;
    }
    CHECK(differing == 0);
    CHECK(found > 10'000);
    CHECK(found < 50'000);
  }
}

TEST_CASE("a key sets one bit in each word or up to two and none where the tag is") {
  std::mt19937_64 random(2);
  std::array<std::uint64_t, 32> near{};  // how often each bit of word 3
  for (int i = 0; i < 64'000; ++i) {
    const std::uint64_t hash = random();
    const auto one = bloom_portable::mask_of(hash, false);
    const auto two = bloom_portable::mask_of(hash, true);
    for (std::size_t w = 0; w < 4; ++w) {
      REQUIRE(std::popcount(one.near[w]) == 1);
      REQUIRE(std::popcount(one.far[w]) == 1);
      REQUIRE(std::popcount(two.near[w]) <= 2);
      REQUIRE((one.near[w] & two.near[w]) == one.near[w]);
      REQUIRE((one.far[w] & two.far[w]) == one.far[w]);
    }
    REQUIRE((two.near[3] & bloom_line::tag_bits) == 0);
    ++near[static_cast<std::size_t>(std::countr_zero(one.near[3]))];
  }
  for (std::size_t bit = 0; bit < 32; ++bit) {
    const double expected = bit >= 24 ? 0 : bit >= 8 && bit < 16 ? 4'000 : 2'000;
    CHECK(std::abs(static_cast<double>(near[bit]) - expected) <= 5 * std::sqrt(expected));
  }
}

TEST_CASE("a generation whose tag is another is empty to a search and begins anew with the next key") {
  bloom_line line;
  const auto a = bloom_portable::mask_of(0x1234'5678'9ABC'DEF0, false);
  const auto b = bloom_portable::mask_of(0x0FED'CBA9'8765'4321, false);
  bloom_tags tags = tags_at_first;
  CHECK(bloom_portable::found(line, a, tags) == 0);
  bloom_portable::add(line, a, 2, tags[2]);
  bloom_portable::add(line, b, 0, tags[0]);
  CHECK(bloom_portable::found(line, a, tags) == 4);
  CHECK(bloom_portable::found(line, b, tags) == 1);
  tags[2] = 0x0700'0000;
  CHECK(bloom_portable::found(line, a, tags) == 0);
  CHECK(bloom_portable::found(line, b, tags) == 1);
  bloom_portable::add(line, b, 2, tags[2]);
  CHECK(bloom_portable::found(line, a, tags) == 0);
  CHECK(bloom_portable::found(line, b, tags) == 5);
  CHECK(bits_of(line.near[2]) == 4 + 3);

  tags[0] = 0;
  bloom_sweep(line, tags);
  CHECK(bits_of(line.near[0]) == 0);
  CHECK(bits_of(line.far[0]) == 0);
  CHECK(bloom_portable::found(line, b, tags) == 4);
}

TEST_CASE("merging lines moves each generation that is up to date to the slot of the same age") {
  const bloom_tags other_tags = {0x0500'0000, 0x0600'0000, 0x0700'0000, 0x0800'0000};
  std::vector<bloom_portable::mask> keys;
  bloom_line line;
  bloom_line other;
  for (std::uint64_t i = 0; i < 4; ++i) {
    keys.push_back(bloom_portable::mask_of((i + 1) * 0x9E37'79B9'7F4A'7C15, true));
    bloom_portable::add(other, keys[i], i, other_tags[i]);
  }
  const auto own = bloom_portable::mask_of(99, true);
  bloom_portable::add(line, own, 0, tags_at_first[0]);
  bloom_portable::add(line, own, 1, 0x7700'0000);  // out of date
  bloom_tags some_stale = other_tags;
  some_stale[2] = 0;
  bloom_merge(line, tags_at_first, other, some_stale, 3);
  CHECK(bloom_portable::found(line, keys[0], tags_at_first) == 1U << 3);
  CHECK(bloom_portable::found(line, keys[1], tags_at_first) == 1U << 0);
  CHECK(bloom_portable::found(line, keys[2], tags_at_first) == 0);
  CHECK(bloom_portable::found(line, keys[3], tags_at_first) == 1U << 2);
  CHECK(bloom_portable::found(line, own, tags_at_first) == 1);
}

TEST_CASE("the chance that a line has all the bits of a new key is as computed") {
  std::mt19937_64 random(3);
  for (const bool two : {false, true}) {
    for (const int keys : {4, 12, 20}) {
      constexpr int lines = 4'000;
      constexpr int probes = 250;
      std::uint64_t hits = 0;
      for (int i = 0; i < lines; ++i) {
        bloom_line line;
        for (int k = 0; k < keys; ++k) bloom_simd::add(line, bloom_simd::mask_of(random(), two), 0, 0);
        for (int k = 0; k < probes; ++k) {
          hits += bloom_simd::found(line, bloom_simd::mask_of(random(), two), {}) & 1U;
        }
      }
      const double expected = bloom_hit(keys, two) * lines * probes;
      INFO("keys " << keys << ", two " << two << ", hits " << hits << ", expected " << expected);
      // Lines differ in how full they are, so that the probes of one are not independent.
      CHECK(std::abs(static_cast<double>(hits) - expected) <= 5 * std::sqrt(expected) * 1.5 + 0.03 * expected + 3);
    }
  }
}

TEST_CASE("the chance that a line has all the bits of a new key is the sum over all that it may pick") {
  std::vector<double> whole(32, 1.0 / 32);
  std::vector<double> tagged(24, 1.0 / 32);
  for (std::size_t bit = 8; bit < 16; ++bit) tagged[bit] = 2.0 / 32;
  // Of a word whose bits are picked with `chances`, after so many picks.
  const auto hit = [](const std::vector<double>& chances, int picks, bool two) {
    double sum = 0;
    for (std::size_t i = 0; i < chances.size(); ++i) {
      const double without_i = std::pow(1 - chances[i], picks);
      if (!two) sum += chances[i] * (1 - without_i);
      for (std::size_t j = 0; two && j < chances.size(); ++j) {
        const double without_j = std::pow(1 - chances[j], picks);
        const double without_both = i == j ? without_i : std::pow(1 - chances[i] - chances[j], picks);
        sum += chances[i] * chances[j] * (1 - without_i - without_j + without_both);
      }
    }
    return sum;
  };
  for (const bool two : {false, true}) {
    for (const int keys : {1, 2, 5, 12, 40}) {
      const int picks = two ? 2 * keys : keys;
      const double expected = std::pow(hit(whole, picks, two), 7) * hit(tagged, picks, two);
      CHECK_THAT(bloom_hit(keys, two), Catch::Matchers::WithinRel(expected, 1e-6));
    }
  }
}

TEST_CASE("a Bloom filter's rate is that of the Poisson spread of keys over lines") {
  for (const bool two : {false, true}) {
    for (const double load : {0.5, 3.0, 12.0, 20.0}) {
      // The same by brute force: a current generation at each hundredth of its growth.
      const auto found = [&](double mean) {
        double rate = 0;
        double chance = std::exp(-mean);
        for (int j = 1; j < 300; ++j) {
          chance *= mean / j;
          rate += chance * bloom_hit(j, two);
        }
        return rate;
      };
      double growing = 0;
      for (int i = 0; i < 100; ++i) growing += found(load * (i + 0.5) / 100) / 100;
      const double rate = 1 - std::pow(1 - found(load), 3) * (1 - growing);
      CHECK_THAT(bloom_rate(load, two), Catch::Matchers::WithinRel(rate, 1e-3));
    }
  }
}

TEST_CASE("a Bloom filter has as few lines as its rate allows") {
  for (const double rate : {1e-2, 1e-3, 2e-4, 1e-5, 1e-7}) {
    constexpr std::size_t keys = 10'000'000;
    const auto size = bloom_size_for(keys, rate);
    const auto rate_of = [&](std::size_t lines, bool two) {
      return bloom_rate(static_cast<double>(keys) / static_cast<double>(lines), two);
    };
    CHECK(rate_of(size.lines, size.two) <= rate);
    CHECK(rate_of(size.lines * 999 / 1'000, size.two) > rate);
    CHECK(rate_of(size.lines * 999 / 1'000, !size.two) > rate);
  }
  CHECK(bloom_size_for(1, 1e-2).lines == 1);
}
