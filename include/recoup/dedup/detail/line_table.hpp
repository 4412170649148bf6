// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "recoup/core/fingerprint.hpp"
#include "recoup/dedup/detail/changed_lines.hpp"
#include "recoup/dedup/detail/epochs.hpp"
#include "recoup/dedup/detail/line_masks.hpp"

namespace recoup::detail {

struct alignas(64) cache_line {
  std::array<std::byte, 64> bytes{};
};

// The low bits of a fingerprint; at most 64, or 120 of 128.
template <unsigned Bits>
using remainder_of = std::conditional_t<(Bits <= 64), std::uint64_t, fingerprint128_t>;

// The keys of a window: the low bits of their hashes and the epochs in which they came, in lines of 64 bytes. A key has
// two lines, and each follows from the other and the remainder (Fan, Andersen, Kaminsky and Mitzenmacher, 2014; the sum
// of the two in place of their exclusive or, so that the number of lines is free). It goes into the emptier one
// (Azar, Broder, Karlin and Upfal, 1994); if both are full, an entry of the two moves to its own other line. A slot
// whose tag is dead is free.
template <unsigned Bits, class Allocator = std::allocator<cache_line>>
class line_table {
  static_assert(Bits == 16 || Bits == 24 || Bits == 32 || Bits == 40 || Bits == 48 || Bits == 56 || Bits == 64 ||
                    Bits == 120,
                "recoup: a line keeps 16, 24, 32, 40, 48, 56, 64 or 120 bits of a fingerprint");

 public:
  using remainder = remainder_of<Bits>;
  static constexpr unsigned slots = 512 / (Bits + 8);

  // The two lines of a key, and what they keep of it.
  struct home {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    remainder rest{};

    friend bool operator==(const home&, const home&) = default;
  };
  // Valid until the table changes.
  struct place {
    std::uint32_t line = 0;
    std::uint32_t slot = slots;
    [[nodiscard]] bool is_found() const noexcept { return slot != slots; }

    friend bool operator==(const place&, const place&) = default;
  };

  explicit line_table(std::uint32_t lines, const Allocator& allocator = {}) : lines_(lines, allocator), count_(lines) {}

  [[nodiscard]] std::uint32_t lines() const noexcept { return count_; }

  [[nodiscard]] home home_of(std::uint64_t hash) const noexcept requires(Bits <= 64) {
    const std::uint64_t rest = hash & (~std::uint64_t{0} >> (64 - Bits));
    const std::uint32_t first = share(hash);
    return {first, other_line(first, rest), rest};
  }
  [[nodiscard]] home home_of(const fingerprint128_t& hash) const noexcept requires(Bits == 120) {
    const fingerprint128_t rest{hash.low, hash.high & (~std::uint64_t{0} >> 8)};
    const std::uint32_t first = share(hash.high);
    return {first, other_line(first, rest), rest};
  }

  void prefetch(const home& h) const noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(&lines_[h.first]);
    __builtin_prefetch(&lines_[h.second]);
#else
    static_cast<void>(h);
#endif
  }

  [[nodiscard]] place find(const home& h, const epochs& e) const noexcept {
    const std::uint16_t word = word_of(h.rest);
    std::uint64_t candidates = masks::equal(data(h.first), data(h.second), word);
    for (; candidates != 0; candidates &= candidates - 1) {
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(candidates));
      const place p{bit < masks::second_line ? h.first : h.second, bit % masks::second_line};
      if (e.is_alive(tag(p)) && is_at(p, h.rest)) return p;
    }
    return {};
  }

  // Finds a free slot for a key that is in neither of its lines; `evict(tag)` is called when a key has to go for it.
  template <class Evict>
  [[nodiscard]] place make_room(const home& h, const epochs& e, Evict&& evict) noexcept {
    const line_pair_mask m = masks::alive(data(h.first), data(h.second), e.living());
    // All ones if the second line is the emptier one: no branch, since half of the time it would go the other way.
    const std::uint32_t second = 0 - ((m.second_count - m.first_count) >> 31);
    const auto slot = static_cast<std::uint32_t>(std::countr_one(m.mask >> (second & masks::second_line)));
    if (slot < slots) return {h.first ^ ((h.first ^ h.second) & second), slot};
    return make_room_in_full_lines(h, e, evict);
  }

  void put(place p, const remainder& rest, epochs::tag t) noexcept {
    std::byte* const line = data(p.line);
    const std::uint16_t word = word_of(rest);
    std::memcpy(line + sizeof word * p.slot, &word, sizeof word);
    line[tags + p.slot] = std::byte{t};
    std::byte* const tail = line + tails + tail_bytes * p.slot;
    if constexpr (Bits == 120) {
      store<6>(rest.low >> 16, tail);
      store<7>(rest.high, tail + 6);
    } else {
      store<tail_bytes>(rest >> 16, tail);
    }
    changed_.mark(p.line);
  }

  [[nodiscard]] remainder get(place p) const noexcept {
    const std::byte* const line = data(p.line);
    std::uint16_t word = 0;
    std::memcpy(&word, line + sizeof word * p.slot, sizeof word);
    const std::byte* const tail = line + tails + tail_bytes * p.slot;
    if constexpr (Bits == 120) {
      return {load<6>(tail) << 16 | word, load<7>(tail + 6)};
    } else {
      return load<tail_bytes>(tail) << 16 | word;
    }
  }

  [[nodiscard]] epochs::tag tag(place p) const noexcept {
    return static_cast<epochs::tag>(lines_[p.line].bytes[tags + p.slot]);
  }
  void set_tag(place p, epochs::tag t) noexcept {
    lines_[p.line].bytes[tags + p.slot] = std::byte{t};
    changed_.mark(p.line);
  }

  [[nodiscard]] std::uint32_t alive(std::uint32_t line, const epochs& e) const noexcept {
    return masks::alive(data(line), e.living());
  }

  // Frees the slots of a line that are not in the mask.
  void keep(std::uint32_t line, std::uint32_t mask, const epochs& e) noexcept {
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      if ((mask >> slot & 1) == 0) set_tag({line, slot}, e.dead_tag());
    }
  }
  [[nodiscard]] Allocator allocator() const noexcept { return lines_.get_allocator(); }

  // The home of an entry in this line.
  [[nodiscard]] home home_at(std::uint32_t line, const remainder& rest) const noexcept {
    return {line, other_line(line, rest), rest};
  }

  // Marks the free slots of the next `count` lines.
  void sweep(unsigned count, const epochs& e) noexcept {
    const living_tags living = e.living();
    const epochs::tag dead = e.dead_tag();
    std::uint32_t line = sweep_;
    for (; count > 0; --count) {
      if (changed_.is_watched()) [[unlikely]] {
        const cache_line before = lines_[line];
        masks::replace_dead(data(line), living, dead);
        if (before.bytes != lines_[line].bytes) changed_.mark(line);
      } else {
        masks::replace_dead(data(line), living, dead);
      }
      line = line + 1 == count_ ? 0 : line + 1;
    }
    sweep_ = line;
  }
  [[nodiscard]] std::uint32_t sweep_position() const noexcept { return sweep_; }
  void set_sweep_position(std::uint32_t line) noexcept { sweep_ = line; }

  [[nodiscard]] changed_lines& changed() noexcept { return changed_; }
  [[nodiscard]] const changed_lines& changed() const noexcept { return changed_; }

 private:
  using masks = line_masks<slots>;
  static constexpr std::size_t tags = 2 * slots;
  static constexpr std::size_t tails = 3 * slots;
  static constexpr std::size_t tail_bytes = Bits / 8 - 2;
  static_assert(tails >= sizeof(std::uint64_t));

  static std::uint16_t word_of(const remainder& rest) noexcept {
    if constexpr (Bits == 120) {
      return static_cast<std::uint16_t>(rest.low);
    } else {
      return static_cast<std::uint16_t>(rest);
    }
  }

  template <std::size_t Bytes>
  static void store(std::uint64_t number, std::byte* out) noexcept {
    if constexpr (std::endian::native == std::endian::little) {
      // In words, which go from a register; five bytes copied at once would go through memory.
      if constexpr (Bytes >= 4) {
        const auto low = static_cast<std::uint32_t>(number);
        std::memcpy(out, &low, sizeof low);
        store<Bytes - 4>(number >> 32, out + 4);
      } else if constexpr (Bytes >= 2) {
        const auto low = static_cast<std::uint16_t>(number);
        std::memcpy(out, &low, sizeof low);
        store<Bytes - 2>(number >> 16, out + 2);
      } else if constexpr (Bytes == 1) {
        *out = static_cast<std::byte>(number);
      }
    } else {
      for (std::size_t i = 0; i < Bytes; ++i) out[i] = static_cast<std::byte>(number >> (8 * i));
    }
  }
  // Of a tail. By one load of the 8 bytes that end with it, as all of them are in its line.
  template <std::size_t Bytes>
  static std::uint64_t load(const std::byte* in) noexcept {
    std::uint64_t number = 0;
    if constexpr (Bytes > 0 && std::endian::native == std::endian::little) {
      std::memcpy(&number, in + Bytes - sizeof number, sizeof number);
      return number >> (64 - 8 * Bytes);
    } else {
      for (std::size_t i = 0; i < Bytes; ++i) number |= static_cast<std::uint64_t>(in[i]) << (8 * i);
    }
    return number;
  }

  [[nodiscard]] bool is_at(place p, const remainder& rest) const noexcept { return get(p) == rest; }

  // The number's upper half as a fraction of the lines.
  [[nodiscard]] std::uint32_t share(std::uint64_t number) const noexcept {
    return static_cast<std::uint32_t>(((number >> 32) * count_) >> 32);
  }
  // By bits of the hash by which the first line is not chosen, unless the remainder has none of them.
  [[nodiscard]] std::uint32_t other_line(std::uint32_t line, const remainder& rest) const noexcept {
    std::uint32_t sum = 0;
    if constexpr (Bits == 120) {
      sum = share(rest.low << 32);
    } else {
      sum = share(rest << (Bits < 32 ? 64 - Bits : 32));
    }
    return sum >= line ? sum - line : sum + lines() - line;
  }

  template <class Evict>
  [[gnu::noinline]] place make_room_in_full_lines(home h, const epochs& e, Evict evict) noexcept {
    place oldest{h.first, 0};
    for (std::uint32_t i = 0; i < 2 * slots; ++i) {
      const place from{i < slots ? h.first : h.second, i % slots};
      if (move(from, e)) return from;
      if (age(from, e) > age(oldest, e)) oldest = from;
    }
    // One more step: an entry of the other line of an entry moves, for the entry, for the key.
    constexpr std::uint32_t most = 64 / slots;
    for (std::uint32_t i = 0; i < most && i < 2 * slots; ++i) {
      const place from{i % 2 == 0 ? h.first : h.second, i / 2};
      const std::uint32_t other = other_line(from.line, get(from));
      for (std::uint32_t slot = 0; slot < slots && other != h.first && other != h.second; ++slot) {
        if (move({other, slot}, e) && move(from, e)) return from;
      }
    }
    evict(tag(oldest));
    return oldest;
  }
  // Moves an entry to its other line, if that has room.
  bool move(place from, const epochs& e) noexcept {
    const remainder rest = get(from);
    const std::uint32_t other = other_line(from.line, rest);
    const auto free = static_cast<std::uint32_t>(std::countr_one(alive(other, e)));
    if (free >= slots) return false;
    put({other, free}, rest, tag(from));
    set_tag(from, e.dead_tag());
    return true;
  }
  [[nodiscard]] std::uint8_t age(place p, const epochs& e) const noexcept {
    return static_cast<std::uint8_t>(e.current() - tag(p));
  }

  [[nodiscard]] std::byte* data(std::uint32_t line) noexcept { return lines_[line].bytes.data(); }
  [[nodiscard]] const std::byte* data(std::uint32_t line) const noexcept { return lines_[line].bytes.data(); }

  std::vector<cache_line, Allocator> lines_;
  std::uint32_t count_;
  std::uint32_t sweep_ = 0;
  changed_lines changed_;
};

}  // namespace recoup::detail
