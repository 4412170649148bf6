// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"

// Where a table of keys keeps them: as they are (one fixed type), or as bytes, in a ring or in slots. The table gives
// each key a position of its own. In a ring, keys are released in the order in which they were stored, and the newest
// may be taken back; a slot is just overwritten. From a handle comes the hash of its key, so that a snapshot need not
// be trusted with it. A snapshot has of a key that is no longer remembered only the place that it takes. save_begin,
// save for each key in order, save_end; what they write is read into a store without keys.

namespace recoup::detail {

template <class Key>
class fixed_keys {
 public:
  // Of an enumeration the number, since not every number is a value of every enumeration.
  using handle =
      typename std::conditional_t<std::is_enum_v<Key>, std::underlying_type<Key>, std::type_identity<Key>>::type;
  static constexpr std::uint64_t kind = sizeof(handle);  // in the configuration of a snapshot

  fixed_keys(std::size_t /*keys*/, std::size_t /*key_bytes*/, std::uint64_t seed, bool /*in_slots*/) : seed_(seed) {}

  static constexpr std::size_t bytes_for(std::size_t /*keys*/, std::size_t /*key_bytes*/, bool /*in_slots*/) noexcept {
    return 0;
  }

  template <class K>
  std::uint64_t hash(const K& key) const noexcept {
    return fingerprint(number(key), seed_);
  }

  template <class K>
  bool has_room_for(const K&) const noexcept {
    return true;
  }
  template <class K>
  handle store(const K& key) {
    return number(key);
  }
  template <class K>
  handle store_at(std::uint32_t /*position*/, const K& key) {
    return number(key);
  }
  void release(const handle&) noexcept {}
  void take_back(const handle&) noexcept {}

  template <class K>
  bool is_same(const handle& stored, const K& key) const {
    return stored == number(key);
  }

  // A key of another store with the same options.
  bool has_room_for(const fixed_keys&, const handle&) const noexcept { return true; }
  handle store_at(std::uint32_t /*position*/, const fixed_keys&, const handle& key) noexcept { return key; }
  bool is_same(const handle& stored, const fixed_keys&, const handle& key) const noexcept { return stored == key; }

  void save_begin(snapshot_writer&) const {}
  void save(snapshot_writer& w, const handle& stored, bool is_remembered) const {
    if (is_remembered) w.value(stored);
  }
  void save_end(snapshot_writer&) const {}
  bool load_begin(snapshot_reader&) { return true; }
  bool load(snapshot_reader& r, handle& stored, bool is_remembered, std::uint32_t /*position*/) {
    return !is_remembered || r.value(stored);
  }
  bool load_end(snapshot_reader&) { return true; }

 private:
  template <class K>
  static constexpr handle number(const K& key) noexcept {
    constexpr bool fits = (std::integral<K> || std::is_enum_v<K>)&&sizeof(K) <= sizeof(Key);
    static_assert(
        fits,
        "recoup: an exact_window<Key> is given a key that is no integer or enumeration of at most Key's size; "
        "for other keys write exact_window<> (any_key)");
    if constexpr (fits) return static_cast<handle>(key);
    return {};
  }

  std::uint64_t seed_;
};

// A key is its canonical encoding, contiguous in a ring of bytes or in a slot of the key's position. In the ring,
// offsets count up for ever; a key that would straddle its end begins at its start. A key longer than the longest (of
// the ring `longest_in_ring`, of a slot its bytes) is kept as its 128-bit fingerprint: two such keys are taken for the
// same with a probability of 2^-128.
class encoded_keys {
 public:
  static constexpr std::size_t longest_in_ring = 1'024;
  static constexpr std::uint64_t kind = 16;

  struct handle {
    std::uint64_t is_fingerprint : 1;
    std::uint64_t length : 11;
    std::uint64_t offset : 52;  // of at most 2^30 keys of 2^20 bytes
  };

  encoded_keys(std::size_t keys, std::size_t key_bytes, std::uint64_t seed, bool in_slots)
      : bytes_(bytes_for(keys, key_bytes, in_slots)),
        mask_(bytes_.size() - 1),
        seed_(seed),
        longest_(in_slots ? slot_bytes(key_bytes) : longest_in_ring),
        in_slots_(in_slots) {}

  static constexpr std::size_t bytes_for(std::size_t keys, std::size_t key_bytes, bool in_slots) noexcept {
    if (in_slots) return keys * slot_bytes(key_bytes);
    return std::bit_ceil(std::max(keys * key_bytes, 4 * longest_in_ring));
  }

  template <class K>
  std::uint64_t hash(const K& key) const noexcept {
    return encoded_size(key) > longest_ ? hash(print_of(key)) : fingerprint(key, seed_);
  }
  std::uint64_t hash(const handle& h) const noexcept { return hash(bytes_of(h)); }

  // Of the ring.
  template <class K>
  bool has_room_for(const K& key) const noexcept {
    const std::size_t size = encoded_size(key);
    return has_room(size > longest_ ? sizeof(print) : size);
  }

  // In the ring, where there must be room.
  template <class K>
  handle store(const K& key) {
    return store_by(key, [this](std::size_t size) { return take(size); });
  }
  // In the slot.
  template <class K>
  handle store_at(std::uint32_t position, const K& key) {
    return store_by(key, [this, position](std::size_t) { return slot(position); });
  }

  void release(const handle& h) noexcept {
    begin_ += in_ring(h.offset + h.length - begin_);
    --stored_;
  }
  // The newest only.
  void take_back(const handle& h) noexcept {
    end_ -= in_ring(end_ - h.offset);
    --stored_;
  }

  template <class K>
  bool is_same(const handle& h, const K& key) const {
    const std::size_t size = encoded_size(key);
    if (size > longest_) return h.is_fingerprint && std::ranges::equal(print_of(key), bytes_of(h));
    if (h.is_fingerprint || h.length != size) return false;
    const std::byte* stored = at(h);
    bool same = true;
    encode(key, [&](const std::byte* data, std::size_t n) {
      same = same && std::memcmp(stored, data, n) == 0;
      stored += n;
    });
    return same;
  }
  bool is_same(const handle& a, const handle& b) const { return is_same(a, *this, b); }

  // A key of another store with the same options.
  bool has_room_for(const encoded_keys&, const handle& h) const noexcept { return in_slots_ || has_room(h.length); }
  handle store_at(std::uint32_t position, const encoded_keys& other, const handle& key) noexcept {
    const handle h = make(in_slots_ ? slot(position) : take(key.length), key.length, key.is_fingerprint);
    std::ranges::copy(other.bytes_of(key), at(h));
    return h;
  }
  bool is_same(const handle& stored, const encoded_keys& other, const handle& key) const noexcept {
    return stored.is_fingerprint == key.is_fingerprint && std::ranges::equal(bytes_of(stored), other.bytes_of(key));
  }

  void save_begin(snapshot_writer& w) const {
    if (!in_slots_) w.u64(in_ring(stored_ == 0 ? end_ : begin_));
  }
  void save(snapshot_writer& w, const handle& h, bool is_remembered) const {
    if (!in_slots_) w.u64(h.offset);
    if (is_remembered) {
      w.boolean(h.is_fingerprint);
      w.bytes(bytes_of(h));
    } else {
      w.u64(h.length);
    }
  }
  void save_end(snapshot_writer& w) const {
    if (!in_slots_) w.u64(in_ring(end_));
  }

  bool load_begin(snapshot_reader& r) {
    if (in_slots_) return true;
    begin_ = end_ = r.u64();
    return begin_ < bytes_.size();
  }
  bool load(snapshot_reader& r, handle& h, bool is_remembered, std::uint32_t position) {
    if (!in_slots_ && !load_offset(r)) return false;
    const bool is_fingerprint = is_remembered && r.boolean();
    const std::span<const std::byte> bytes = is_remembered ? r.bytes() : std::span<const std::byte>();
    const std::uint64_t size = is_remembered ? bytes.size() : r.u64();
    if (!r.ok() || size > longest_ || (is_fingerprint && size != sizeof(print))) return false;
    if (!in_slots_ && (place_for(size) != end_ || end_ + size - begin_ > bytes_.size())) return false;
    const std::uint64_t begin = begin_;  // what was before the first key may have left a gap
    h = make(in_slots_ ? slot(position) : take(size), size, is_fingerprint);
    begin_ = begin;
    std::ranges::copy(bytes, at(h));
    return true;
  }
  bool load_end(snapshot_reader& r) { return in_slots_ || (load_offset(r) && (stored_ > 0 || end_ == begin_)); }

 private:
  using print = std::array<std::byte, 16>;

  static constexpr std::size_t slot_bytes(std::size_t key_bytes) noexcept {
    return std::clamp(key_bytes, sizeof(print), longest_in_ring);
  }

  std::uint64_t hash(std::span<const std::byte> bytes) const noexcept { return fingerprint(bytes, seed_); }

  template <class K>
  print print_of(const K& key) const noexcept {
    const fingerprint128_t value = fingerprint128(key, seed_);
    print bytes;
    store_little_endian(value.low, bytes.data());
    store_little_endian(value.high, bytes.data() + 8);
    return bytes;
  }

  const std::byte* at(const handle& h) const noexcept { return bytes_.data() + h.offset; }
  std::byte* at(const handle& h) noexcept { return bytes_.data() + h.offset; }
  std::span<const std::byte> bytes_of(const handle& h) const noexcept { return {at(h), h.length}; }

  std::uint64_t in_ring(std::uint64_t offset) const noexcept { return offset & mask_; }

  // Where the next key begins: at the end of the one before or, if it (or one taken back since) did not fit there, at
  // the start of the ring.
  bool load_offset(snapshot_reader& r) {
    const std::uint64_t offset = r.u64();
    if (!r.ok() || (offset != 0 && offset != in_ring(end_))) return false;
    if (offset != in_ring(end_)) {
      const std::uint64_t left = mask_ + 1 - in_ring(end_);
      if (left >= longest_) return false;
      end_ += left;
    }
    return end_ - begin_ <= bytes_.size();
  }

  std::uint64_t place_for(std::size_t size) const noexcept {
    const std::uint64_t left = mask_ + 1 - in_ring(end_);
    return size <= left ? end_ : end_ + left;
  }
  bool has_room(std::size_t size) const noexcept {
    return stored_ == 0 || place_for(size) + size - begin_ <= mask_ + 1;
  }
  // Where it is in bytes_.
  std::uint64_t take(std::size_t size) noexcept {
    const std::uint64_t begin = place_for(size);
    if (stored_++ == 0) begin_ = begin;
    end_ = begin + size;
    return in_ring(begin);
  }
  std::uint64_t slot(std::uint32_t position) const noexcept { return position * std::uint64_t{longest_}; }

  static handle make(std::uint64_t offset, std::size_t size, bool is_fingerprint) noexcept {
    handle h;
    h.is_fingerprint = is_fingerprint;
    h.length = size & 0x7FF;
    h.offset = offset & ((std::uint64_t{1} << 52) - 1);
    return h;
  }

  template <class K, class Place>
  handle store_by(const K& key, Place&& place) {
    const std::size_t size = encoded_size(key);
    if (size > longest_) {
      const handle h = make(place(sizeof(print)), sizeof(print), true);
      std::ranges::copy(print_of(key), at(h));
      return h;
    }
    const handle h = make(place(size), size, false);
    std::byte* out = at(h);
    encode(key, [&out](const std::byte* data, std::size_t n) { out = std::copy_n(data, n, out); });
    return h;
  }

  std::vector<std::byte> bytes_;
  std::uint64_t mask_;  // of the ring, whose size is a power of two
  std::uint64_t seed_;
  std::size_t longest_;
  bool in_slots_;
  std::uint64_t begin_ = 0;  // of the ring
  std::uint64_t end_ = 0;
  std::size_t stored_ = 0;
};

}  // namespace recoup::detail
