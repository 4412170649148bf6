// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"

// Where an exact_window keeps its keys: as they are (one fixed type), or as bytes in a ring. Keys are released in the
// order in which they were stored.

namespace recoup::detail {

template <class Key>
class fixed_keys {
 public:
  using handle = Key;

  fixed_keys(std::size_t /*keys*/, std::size_t /*key_bytes*/, std::uint64_t /*seed*/) {}

  static constexpr std::size_t bytes_for(std::size_t /*keys*/, std::size_t /*key_bytes*/) noexcept { return 0; }

  template <class K>
  bool has_room_for(const K&) const noexcept {
    return true;
  }
  template <class K>
  handle store(const K& key) {
    return static_cast<Key>(key);
  }
  void release(const handle&) noexcept {}

  template <class K>
  bool is_same(const handle& stored, const K& key) const {
    return stored == static_cast<Key>(key);
  }

  void save(snapshot_writer& w, const handle& stored) const { w.value(stored); }
  bool load(snapshot_reader& r, handle& stored) { return r.value(stored); }
};

// A key is its canonical encoding, contiguous in a ring of bytes. Offsets count up for ever; a key that would straddle the
// ring's end begins at its start. A key longer than `longest` is kept as its 128-bit
// fingerprint: two such keys are taken for the same with a probability of 2^-128.
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
  bool has_room_for(const K& key) const noexcept {
    const std::size_t size = encoded_size(key);
    return has_room(size > longest ? sizeof(fingerprint128_t) : size);
  }

  // There must be room.
  template <class K>
  handle store(const K& key) {
    const std::size_t size = encoded_size(key);
    if (size > longest) {
      const fingerprint128_t print = fingerprint128(key, seed_);
      const handle h = take(sizeof print, true);
      std::memcpy(at(h), &print, sizeof print);
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

  template <class K>
  bool is_same(const handle& h, const K& key) const {
    const std::size_t size = encoded_size(key);
    if (size > longest) {
      const fingerprint128_t print = fingerprint128(key, seed_);
      return h.is_fingerprint && std::memcmp(at(h), &print, sizeof print) == 0;
    }
    if (h.is_fingerprint || h.length != size) return false;
    const std::byte* stored = at(h);
    bool same = true;
    encode(key, [&](const std::byte* data, std::size_t n) {
      same = same && std::memcmp(stored, data, n) == 0;
      stored += n;
    });
    return same;
  }

  void save(snapshot_writer& w, const handle& h) const {
    w.boolean(h.is_fingerprint);
    w.bytes({at(h), h.length});
  }
  bool load(snapshot_reader& r, handle& h) {
    const bool is_fingerprint = r.boolean();
    const std::span<const std::byte> bytes = r.bytes();
    if (!r.ok() || bytes.size() > longest || !has_room(bytes.size())) return false;
    if (is_fingerprint && bytes.size() != sizeof(fingerprint128_t)) return false;
    h = take(bytes.size(), is_fingerprint);
    std::copy(bytes.begin(), bytes.end(), at(h));
    return true;
  }

 private:
  const std::byte* at(const handle& h) const noexcept { return ring_.data() + (h.offset & (ring_.size() - 1)); }
  std::byte* at(const handle& h) noexcept { return ring_.data() + (h.offset & (ring_.size() - 1)); }

  std::uint64_t place_for(std::size_t size) const noexcept {
    const std::uint64_t left = ring_.size() - (end_ & (ring_.size() - 1));
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
