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

// Where an exact_window keeps its keys: as they are (one fixed type), or as bytes in a ring. Keys are released in the
// order in which they were stored; the newest may be taken back. A handle has the hash of its key, so that a snapshot
// need not be trusted with it. A snapshot has of a key that is no longer remembered only the place that it takes.
// save_begin, save for each key in order, save_end; what they write is read into a store without keys.

namespace recoup::detail {

template <class Key>
class fixed_keys {
 public:
  // Of an enumeration the number, since not every number is a value of every enumeration.
  using handle =
      typename std::conditional_t<std::is_enum_v<Key>, std::underlying_type<Key>, std::type_identity<Key>>::type;

  fixed_keys(std::size_t /*keys*/, std::size_t /*key_bytes*/, std::uint64_t seed) : seed_(seed) {}

  static constexpr std::size_t bytes_for(std::size_t /*keys*/, std::size_t /*key_bytes*/) noexcept { return 0; }

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
  void release(const handle&) noexcept {}
  void take_back(const handle&) noexcept {}

  template <class K>
  bool is_same(const handle& stored, const K& key) const {
    return stored == number(key);
  }

  void save_begin(snapshot_writer&) const {}
  void save(snapshot_writer& w, const handle& stored, bool is_remembered) const {
    if (is_remembered) w.value(stored);
  }
  void save_end(snapshot_writer&) const {}
  bool load_begin(snapshot_reader&) { return true; }
  bool load(snapshot_reader& r, handle& stored, bool is_remembered) { return !is_remembered || r.value(stored); }
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

// A key is its canonical encoding, contiguous in a ring of bytes. Offsets count up for ever; a key that would straddle
// the ring's end begins at its start. A key longer than `longest` is kept as its 128-bit fingerprint: two such keys are
// taken for the same with a probability of 2^-128.
class encoded_keys {
 public:
  static constexpr std::size_t longest = 1'024;

  struct handle {
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    bool is_fingerprint = false;
  };

  encoded_keys(std::size_t keys, std::size_t key_bytes, std::uint64_t seed)
      : ring_(bytes_for(keys, key_bytes)), seed_(seed) {}

  static constexpr std::size_t bytes_for(std::size_t keys, std::size_t key_bytes) noexcept {
    return std::bit_ceil(std::max(keys * key_bytes, 4 * longest));
  }

  template <class K>
  std::uint64_t hash(const K& key) const noexcept {
    return encoded_size(key) > longest ? hash(print_of(key)) : fingerprint(key, seed_);
  }
  std::uint64_t hash(const handle& h) const noexcept { return hash(std::span(at(h), h.length)); }

  template <class K>
  bool has_room_for(const K& key) const noexcept {
    const std::size_t size = encoded_size(key);
    return has_room(size > longest ? sizeof(print) : size);
  }

  // There must be room.
  template <class K>
  handle store(const K& key) {
    const std::size_t size = encoded_size(key);
    if (size > longest) {
      const handle h = take(sizeof(print), true);
      std::ranges::copy(print_of(key), at(h));
      return h;
    }
    const handle h = take(size, false);
    std::byte* out = at(h);
    encode(key, [&out](const std::byte* data, std::size_t n) { out = std::copy_n(data, n, out); });
    return h;
  }

  void release(const handle& h) noexcept {
    begin_ = h.offset + h.length;
    --stored_;
  }
  // The newest only.
  void take_back(const handle& h) noexcept {
    end_ = h.offset;
    --stored_;
  }

  template <class K>
  bool is_same(const handle& h, const K& key) const {
    const std::size_t size = encoded_size(key);
    if (size > longest) return h.is_fingerprint && std::ranges::equal(print_of(key), std::span(at(h), h.length));
    if (h.is_fingerprint || h.length != size) return false;
    const std::byte* stored = at(h);
    bool same = true;
    encode(key, [&](const std::byte* data, std::size_t n) {
      same = same && std::memcmp(stored, data, n) == 0;
      stored += n;
    });
    return same;
  }
  bool is_same(const handle& a, const handle& b) const {
    return a.is_fingerprint == b.is_fingerprint &&
           std::ranges::equal(std::span(at(a), a.length), std::span(at(b), b.length));
  }

  void save_begin(snapshot_writer& w) const { w.u64(in_ring(stored_ == 0 ? end_ : begin_)); }
  void save(snapshot_writer& w, const handle& h, bool is_remembered) const {
    w.u64(in_ring(h.offset));
    if (is_remembered) {
      w.boolean(h.is_fingerprint);
      w.bytes({at(h), h.length});
    } else {
      w.u64(h.length);
    }
  }
  void save_end(snapshot_writer& w) const { w.u64(in_ring(end_)); }

  bool load_begin(snapshot_reader& r) {
    begin_ = end_ = r.u64();
    return begin_ < ring_.size();
  }
  bool load(snapshot_reader& r, handle& h, bool is_remembered) {
    if (!load_offset(r)) return false;
    const bool is_fingerprint = is_remembered && r.boolean();
    const std::span<const std::byte> bytes = is_remembered ? r.bytes() : std::span<const std::byte>();
    const std::uint64_t size = is_remembered ? bytes.size() : r.u64();
    if (!r.ok() || size > longest || (is_fingerprint && size != sizeof(print))) return false;
    if (place_for(size) != end_ || end_ + size - begin_ > ring_.size()) return false;
    h = {end_, static_cast<std::uint32_t>(size), is_fingerprint};
    std::copy(bytes.begin(), bytes.end(), at(h));
    end_ += size;
    ++stored_;
    return true;
  }
  bool load_end(snapshot_reader& r) { return load_offset(r) && (stored_ > 0 || end_ == begin_); }

 private:
  using print = std::array<std::byte, 16>;

  std::uint64_t hash(std::span<const std::byte> bytes) const noexcept { return fingerprint(bytes, seed_); }

  template <class K>
  print print_of(const K& key) const noexcept {
    const fingerprint128_t value = fingerprint128(key, seed_);
    print bytes;
    store_little_endian(value.low, bytes.data());
    store_little_endian(value.high, bytes.data() + 8);
    return bytes;
  }

  const std::byte* at(const handle& h) const noexcept { return ring_.data() + in_ring(h.offset); }
  std::byte* at(const handle& h) noexcept { return ring_.data() + in_ring(h.offset); }

  std::uint64_t in_ring(std::uint64_t offset) const noexcept { return offset & (ring_.size() - 1); }

  // Where the next key begins: at the end of the one before or, if it (or one taken back since) did not fit there, at
  // the start of the ring.
  bool load_offset(snapshot_reader& r) {
    const std::uint64_t offset = r.u64();
    if (!r.ok() || (offset != 0 && offset != in_ring(end_))) return false;
    if (offset != in_ring(end_)) end_ += ring_.size() - in_ring(end_);
    return end_ - begin_ <= ring_.size();
  }

  std::uint64_t place_for(std::size_t size) const noexcept {
    const std::uint64_t left = ring_.size() - in_ring(end_);
    return size <= left ? end_ : end_ + left;
  }
  bool has_room(std::size_t size) const noexcept {
    return stored_ == 0 || place_for(size) + size - begin_ <= ring_.size();
  }
  handle take(std::size_t size, bool is_fingerprint) noexcept {
    const handle taken{place_for(size), static_cast<std::uint32_t>(size), is_fingerprint};
    if (stored_++ == 0) begin_ = taken.offset;
    end_ = taken.offset + size;
    return taken;
  }

  std::vector<std::byte> ring_;  // a power of two
  std::uint64_t seed_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::size_t stored_ = 0;
};

}  // namespace recoup::detail
