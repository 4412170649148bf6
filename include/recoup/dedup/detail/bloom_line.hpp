// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// Four generations of a Bloom filter, in two neighbouring cache lines. A generation is 256 bits: 128 in the first cache
// line, 128 in the second, each 4 words of 32 bits. The upper byte of one word is no filter but the generation's tag: a
// generation whose tag is not the one expected for its slot is out of date, and is as good as empty.
struct alignas(128) bloom_line {
  static constexpr std::size_t generations = 4;
  static constexpr std::uint32_t tag_bits = 0xFF00'0000;

  std::array<std::array<std::uint32_t, 4>, generations> near{};  // the tag is in word 3
  std::array<std::array<std::uint32_t, 4>, generations> far{};
};

// The tags expected, by slot, each in the bits of bloom_line::tag_bits.
using bloom_tags = std::array<std::uint32_t, bloom_line::generations>;

// Factors that spread a fingerprint, whose upper half has chosen the line, over the 8 words: the upper 20 bits of each
// half of a product are 4 picks of one bit in 32.
inline constexpr std::array<std::uint64_t, 2> bloom_factors = {0x9E37'79B9'7F4A'7C15, 0xC2B2'AE3D'27D4'EB4F};

// A key sets one bit in each of the 8 words, or picks two, which may be the same. A pick in the tag's place counts 16
// bits lower.
struct bloom_portable {
  struct mask {
    std::array<std::uint32_t, 4> near{};
    std::array<std::uint32_t, 4> far{};
  };

  static mask mask_of(std::uint64_t hash, bool two) noexcept {
    mask m;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto word = static_cast<std::uint32_t>((hash * bloom_factors[i / 2]) >> (i % 2 * 32));
      m.near[i] = bit(word >> 27);
      m.far[i] = bit(word >> 22);
      if (!two) continue;
      m.near[i] |= bit(word >> 17);
      m.far[i] |= bit(word >> 12);
    }
    const std::uint32_t in_tag = m.near[3] & bloom_line::tag_bits;
    m.near[3] = (m.near[3] ^ in_tag) | in_tag >> 16;
    return m;
  }

  // The slots, one bit each, whose generation is up to date and has all the bits.
  static unsigned found(const bloom_line& line, const mask& m, const bloom_tags& tags) noexcept {
    unsigned slots = 0;
    for (std::size_t g = 0; g < tags.size(); ++g) {
      bool all = (line.near[g][3] & bloom_line::tag_bits) == tags[g];
      for (std::size_t i = 0; i < 4; ++i) {
        all = all && (line.near[g][i] & m.near[i]) == m.near[i] && (line.far[g][i] & m.far[i]) == m.far[i];
      }
      slots |= all ? 1U << g : 0U;
    }
    return slots;
  }

  // Empties the generation first if it is out of date.
  static void add(bloom_line& line, const mask& m, std::size_t slot, std::uint32_t tag) noexcept {
    auto& near = line.near[slot];
    auto& far = line.far[slot];
    if ((near[3] & bloom_line::tag_bits) != tag) {
      near = {0, 0, 0, tag};
      far = {};
    }
    for (std::size_t i = 0; i < 4; ++i) {
      near[i] |= m.near[i];
      far[i] |= m.far[i];
    }
  }

 private:
  static std::uint32_t bit(std::uint32_t pick) noexcept { return std::uint32_t{1} << (pick & 31U); }
};

#if defined(__SSE2__)
struct bloom_sse2 {
  struct mask {
    __m128i near;
    __m128i far;
  };

  static mask mask_of(std::uint64_t hash, bool two) noexcept {
    const std::array<std::uint64_t, 2> products{hash * bloom_factors[0], hash * bloom_factors[1]};
    const __m128i words = _mm_set_epi64x(static_cast<long long>(products[1]), static_cast<long long>(products[0]));
    mask m{bits(_mm_srli_epi32(words, 27)), bits(_mm_srli_epi32(words, 22))};
    if (two) {
      m.near = _mm_or_si128(m.near, bits(_mm_srli_epi32(words, 17)));
      m.far = _mm_or_si128(m.far, bits(_mm_srli_epi32(words, 12)));
    }
    const __m128i in_tag = _mm_and_si128(m.near, word3(bloom_line::tag_bits));
    m.near = _mm_or_si128(_mm_xor_si128(m.near, in_tag), _mm_srli_epi32(in_tag, 16));
    return m;
  }

  static unsigned found(const bloom_line& line, const mask& m, const bloom_tags& tags) noexcept {
    const unsigned near = all_bits(line.near, m.near);
    if (near == 0) return 0;  // as for most new keys: neither the tags nor the second cache line are waited for
    const unsigned both = near & all_bits(line.far, m.far);
    unsigned slots = 0;
    for (std::size_t g = 0; g < tags.size(); ++g) {
      const bool is_current = (line.near[g][3] & bloom_line::tag_bits) == tags[g];
      slots |= is_current ? (both >> 4 * g & 1U) << g : 0U;
    }
    return slots;
  }

  static void add(bloom_line& line, const mask& m, std::size_t slot, std::uint32_t tag) noexcept {
    const __m128i old = load(line.near[slot]);
    const __m128i is_tag = _mm_cmpeq_epi32(_mm_and_si128(old, word3(bloom_line::tag_bits)), word3(tag));
    const __m128i keep = _mm_shuffle_epi32(is_tag, 0xFF);
    const __m128i near = _mm_and_si128(old, keep);
    const __m128i far = _mm_and_si128(load(line.far[slot]), keep);
    store(line.near[slot], _mm_or_si128(_mm_or_si128(near, m.near), word3(tag)));
    store(line.far[slot], _mm_or_si128(far, m.far));
  }

 private:
  using words = std::array<std::uint32_t, 4>;

  static __m128i load(const words& w) noexcept { return _mm_load_si128(reinterpret_cast<const __m128i*>(w.data())); }
  static void store(words& w, __m128i v) noexcept { _mm_store_si128(reinterpret_cast<__m128i*>(w.data()), v); }
  static __m128i word3(std::uint32_t v) noexcept { return _mm_set_epi32(static_cast<int>(v), 0, 0, 0); }
  // Bit 4 * g: whether generation g has all the bits.
  static unsigned all_bits(const std::array<words, bloom_line::generations>& half, __m128i bits) noexcept {
    const auto have = [&](std::size_t g) { return _mm_cmpeq_epi32(_mm_and_si128(load(half[g]), bits), bits); };
    const __m128i by_byte = _mm_packs_epi16(_mm_packs_epi32(have(0), have(1)), _mm_packs_epi32(have(2), have(3)));
    const auto by_word = static_cast<unsigned>(_mm_movemask_epi8(by_byte));
    const unsigned pairs = by_word & by_word >> 1;
    return pairs & pairs >> 2 & 0x1111U;
  }
  // 2 to the power of the lower five bits: there is no shift by word, so it is made as the exponent of a float. 2^31
  // is out of range for the conversion, whose answer to that has just its bit.
  static __m128i bits(__m128i picks) noexcept {
    const __m128i power = _mm_slli_epi32(_mm_and_si128(picks, _mm_set1_epi32(31)), 23);
    return _mm_cvttps_epi32(_mm_castsi128_ps(_mm_add_epi32(power, _mm_set1_epi32(127 << 23))));
  }
};
using bloom_simd = bloom_sse2;
#else
using bloom_simd = bloom_portable;
#endif

// Empties the generations that are out of date.
inline void bloom_sweep(bloom_line& line, const bloom_tags& tags) noexcept {
  for (std::size_t g = 0; g < tags.size(); ++g) {
    if ((line.near[g][3] & bloom_line::tag_bits) == tags[g]) continue;
    line.near[g] = {};
    line.far[g] = {};
  }
}

// Adds the generations of `from` to those of `to`, slot g to slot g + turn.
inline void bloom_merge(bloom_line& to, const bloom_tags& tags, const bloom_line& from, const bloom_tags& from_tags,
                        std::size_t turn) noexcept {
  for (std::size_t g = 0; g < tags.size(); ++g) {
    if ((from.near[g][3] & bloom_line::tag_bits) != from_tags[g]) continue;
    bloom_portable::mask bits{from.near[g], from.far[g]};
    bits.near[3] &= ~bloom_line::tag_bits;
    const std::size_t slot = (g + turn) % tags.size();
    bloom_portable::add(to, bits, slot, tags[slot]);
  }
}

inline void bloom_save(snapshot_writer& w, const bloom_line& line) {
  for (const auto* half : {&line.near, &line.far}) {
    for (const auto& words : *half) {
      for (const std::uint32_t word : words) w.u32(word);
    }
  }
}
inline void bloom_load(snapshot_reader& r, bloom_line& line) {
  for (auto* half : {&line.near, &line.far}) {
    for (auto& words : *half) {
      for (std::uint32_t& word : words) word = r.u32();
    }
  }
}

// The probability that a key finds all its bits in a generation of a line in which `keys` others have set theirs.
// In a word every bit is picked with 1 / 32, in that of the tag 16 are, and 8 with 2 / 32.
inline double bloom_hit(double keys, bool two) noexcept {
  const auto unset = [n = two ? 2 * keys : keys](double thirty_seconds) {
    return std::pow(1 - thirty_seconds / 32, n);
  };
  const double u1 = unset(1);
  const double u2 = unset(2);
  if (!two) return std::pow(1 - u1, 7) * ((1 - u1) / 2 + (1 - u2) / 2);
  const double u3 = unset(3);
  const double u4 = unset(4);
  // That two bits are set, by how often they are picked.
  const double b11 = 1 - 2 * u1 + u2;
  const double b12 = 1 - u1 - u2 + u3;
  const double b22 = 1 - 2 * u2 + u4;
  const double whole = (1 - u1) / 32 + b11 * 31 / 32;
  const double tagged = (16 * (1 - u1) + 16 * 15 * b11 + 2 * 16 * 16 * b12 + 32 * (1 - u2) + 32 * 7 * b22) / 1'024;
  return std::pow(whole, 7) * tagged;
}

// bloom_hit for up to 255 keys: more than a line ever has, as a Poisson number of at most 64 on average.
using bloom_hits = std::array<double, 256>;
inline bloom_hits bloom_hits_of(bool two) noexcept {
  bloom_hits hits{};
  for (std::size_t keys = 1; keys < hits.size(); ++keys) hits[keys] = bloom_hit(static_cast<double>(keys), two);
  return hits;
}

// The probability that a new key is found in a full window, on average over a pass: three generations have taken a
// Poisson number of keys, `load` on average, and the current one a part of that which grows from nothing to the whole.
inline double bloom_rate(double load, const bloom_hits& hits) noexcept {
  double full = 0;
  double growing = 0;
  double chance = std::exp(-load);  // of exactly j keys
  double above = 1 - chance;        // of more than j: `load` times the chance of exactly j in a growing generation
  for (std::size_t j = 1; j < hits.size(); ++j) {
    chance *= load / static_cast<double>(j);
    above = std::max(0.0, above - chance);
    full += chance * hits[j];
    growing += above / load * hits[j];
  }
  return 1 - std::pow(1 - full, 3) * (1 - growing);
}
inline double bloom_rate(double load, bool two) noexcept { return bloom_rate(load, bloom_hits_of(two)); }

struct bloom_size {
  std::size_t lines = 1;
  bool two = false;  // picks a word
};

// The fewest lines with which the rate is kept, for passes of so many keys.
inline bloom_size bloom_size_for(std::size_t pass_keys, double rate) noexcept {
  const auto largest_load = [rate](bool two) {
    const bloom_hits hits = bloom_hits_of(two);
    double low = 1e-3;
    double high = 64;
    for (int i = 0; i < 40; ++i) {
      const double middle = std::sqrt(low * high);
      (bloom_rate(middle, hits) <= rate ? low : high) = middle;
    }
    return low;
  };
  const double one = largest_load(false);
  const double two = largest_load(true);
  const double lines = std::ceil(static_cast<double>(pass_keys) / std::max(one, two));
  return {static_cast<std::size_t>(std::max(lines, 1.0)), two > one};
}

}  // namespace recoup::detail
