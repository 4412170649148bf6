// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "recoup/dedup/detail/living_tags.hpp"

// Comparisons of all slots of a line of 64 bytes at once. The line begins with `Slots` words of 16 bits; at byte
// 2 * Slots follow as many tags of 8 bits. A mask has bit i for slot i.
namespace recoup::detail {

// Of two lines.
struct line_pair_mask {
  std::uint64_t mask;
  std::uint32_t first_count;
  std::uint32_t second_count;
};

template <unsigned Slots>
struct portable_line_masks {
  static constexpr std::size_t tags = 2 * Slots;
  static constexpr unsigned second_line = Slots == 8 ? 8 : 32;  // in a mask of two lines, its first bit

  static std::uint32_t equal(const std::byte* line, std::uint16_t word) noexcept {
    std::uint32_t mask = 0;
    for (unsigned i = 0; i < Slots; ++i) {
      std::uint16_t found = 0;
      std::memcpy(&found, line + 2 * i, sizeof found);
      mask |= static_cast<std::uint32_t>(found == word) << i;
    }
    return mask;
  }

  static std::uint64_t equal(const std::byte* first, const std::byte* second, std::uint16_t word) noexcept {
    return equal(first, word) | static_cast<std::uint64_t>(equal(second, word)) << second_line;
  }

  static std::uint32_t alive(const std::byte* line, const living_tags& living) noexcept {
    std::uint32_t mask = 0;
    for (unsigned i = 0; i < Slots; ++i) {
      mask |= static_cast<std::uint32_t>(living.has(static_cast<std::uint8_t>(line[tags + i]))) << i;
    }
    return mask;
  }
  static line_pair_mask alive(const std::byte* first, const std::byte* second, const living_tags& living) noexcept {
    const std::uint32_t a = alive(first, living);
    const std::uint32_t b = alive(second, living);
    return {a | static_cast<std::uint64_t>(b) << second_line, static_cast<std::uint32_t>(std::popcount(a)),
            static_cast<std::uint32_t>(std::popcount(b))};
  }

  static void replace_dead(std::byte* line, const living_tags& living, std::uint8_t tag) noexcept {
    for (unsigned i = 0; i < Slots; ++i) {
      if (!living.has(static_cast<std::uint8_t>(line[tags + i]))) line[tags + i] = std::byte{tag};
    }
  }
};

#if defined(__SSE2__)

template <unsigned Slots>
struct sse2_line_masks {
  static_assert(Slots <= 21, "recoup: a line of 64 bytes has at most 21 slots");
  static constexpr std::size_t tags = 2 * Slots;
  static constexpr unsigned second_line = Slots == 8 ? 8 : 32;  // in a mask of two lines, its first bit

  static std::uint32_t equal(const std::byte* line, std::uint16_t word) noexcept {
    const __m128i wanted = _mm_set1_epi16(static_cast<short>(word));
    const __m128i a = _mm_cmpeq_epi16(load(line), wanted);
    const __m128i b = Slots > 8 ? _mm_cmpeq_epi16(load(line + 16), wanted) : a;
    std::uint32_t mask = bits(_mm_packs_epi16(a, b));
    if constexpr (Slots > 16) {
      const __m128i c = _mm_cmpeq_epi16(load(line + 32), wanted);
      mask |= bits(_mm_packs_epi16(c, c)) << 16;
    }
    return mask & all;
  }

  static std::uint64_t equal(const std::byte* first, const std::byte* second, std::uint16_t word) noexcept {
    if constexpr (Slots == 8) {
      const __m128i wanted = _mm_set1_epi16(static_cast<short>(word));
      return (bits(_mm_packs_epi16(_mm_cmpeq_epi16(load(first), wanted), _mm_cmpeq_epi16(load(second), wanted))));
    } else {
      return equal(first, word) | static_cast<std::uint64_t>(equal(second, word)) << second_line;
    }
  }

  static std::uint32_t alive(const std::byte* line, const living_tags& living) noexcept {
    std::uint32_t mask = bits(_mm_and_si128(alive_tags(load(line + tags), living), head_lanes()));
    if constexpr (Slots > 16) {
      const __m128i tail = _mm_and_si128(alive_tags(load(line + 48), living), tail_lanes());
      mask |= bits(tail) >> (tags + 16 - 48) << 16;
    }
    return mask;
  }
  static line_pair_mask alive(const std::byte* first, const std::byte* second, const living_tags& living) noexcept {
    if constexpr (Slots == 8) {
      const __m128i tag = _mm_unpacklo_epi64(load_half(first + tags), load_half(second + tags));
      const __m128i found = alive_tags(tag, living);
      const __m128i counts = ones(found);
      return {(bits(found)), low(counts), low(_mm_unpackhi_epi64(counts, counts))};
    } else {
      std::uint32_t a_count = 0;
      std::uint32_t b_count = 0;
      const std::uint32_t a = alive(first, living, a_count);
      const std::uint32_t b = alive(second, living, b_count);
      return {a | static_cast<std::uint64_t>(b) << second_line, a_count, b_count};
    }
  }

  static void replace_dead(std::byte* line, const living_tags& living, std::uint8_t tag) noexcept {
    replace_dead(line + tags, head_lanes(), living, tag);
    if constexpr (Slots > 16) replace_dead(line + 48, tail_lanes(), living, tag);
  }

 private:
  static constexpr std::uint32_t all = (std::uint32_t{1} << Slots) - 1;

  static __m128i load(const std::byte* p) noexcept { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static std::uint32_t bits(__m128i v) noexcept { return static_cast<std::uint32_t>(_mm_movemask_epi8(v)); }
  static __m128i repeated(const std::uint8_t* p) noexcept {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(p));
  }
  static __m128i every(std::uint8_t byte) noexcept { return _mm_set1_epi8(static_cast<char>(byte)); }

  static __m128i load_half(const std::byte* p) noexcept { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }
  static std::uint32_t low(__m128i v) noexcept { return static_cast<std::uint32_t>(_mm_cvtsi128_si32(v)); }
  // How many bytes of each half are not zero but all ones.
  static __m128i ones(__m128i v) noexcept {
    return _mm_sad_epu8(_mm_and_si128(v, _mm_set1_epi8(1)), _mm_setzero_si128());
  }
  static std::uint32_t alive(const std::byte* line, const living_tags& living, std::uint32_t& count) noexcept {
    const __m128i head = _mm_and_si128(alive_tags(load(line + tags), living), head_lanes());
    __m128i sum = ones(head);
    std::uint32_t mask = bits(head);
    if constexpr (Slots > 16) {
      const __m128i tail = _mm_and_si128(alive_tags(load(line + 48), living), tail_lanes());
      sum = _mm_add_epi64(sum, ones(tail));
      mask |= bits(tail) >> (tags + 16 - 48) << 16;
    }
    if constexpr (Slots > 8) sum = _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum));
    count = low(sum);
    return mask;
  }

  static __m128i lanes(unsigned first, unsigned end) noexcept {
    alignas(16) std::uint8_t lane[16];
    for (unsigned i = 0; i < 16; ++i) lane[i] = i >= first && i < end ? 0xFF : 0;
    return _mm_load_si128(reinterpret_cast<const __m128i*>(lane));
  }
  static __m128i head_lanes() noexcept { return lanes(0, Slots); }
  // Of the line's last 16 bytes: the tags from the 16th on.
  static __m128i tail_lanes() noexcept { return lanes(tags + 16 - 48, tags + Slots - 48); }

  static __m128i alive_tags(__m128i tag, const living_tags& living) noexcept {
    const __m128i distance = _mm_sub_epi8(repeated(living.current()), tag);
    return _mm_cmpeq_epi8(_mm_min_epu8(distance, repeated(living.span())), distance);
  }

  static void replace_dead(std::byte* at, __m128i lanes, const living_tags& living, std::uint8_t tag) noexcept {
    const __m128i found = load(at);
    const __m128i dead = _mm_andnot_si128(alive_tags(found, living), lanes);
    const __m128i result = _mm_or_si128(_mm_andnot_si128(dead, found), _mm_and_si128(dead, every(tag)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at), result);
  }
};

template <unsigned Slots>
using line_masks = sse2_line_masks<Slots>;

#else

template <unsigned Slots>
using line_masks = portable_line_masks<Slots>;

#endif

}  // namespace recoup::detail
