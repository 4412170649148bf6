// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/xxhash.hpp"

namespace recoup {

/// A key whose fingerprint is defined: bool, integers and enums up to 64 bits, float, double, std::chrono durations and
/// time points, text (whatever converts to std::string_view), bytes (whatever converts to std::span<const std::byte> or
/// to a span of const unsigned char), and std::optional, std::pair and std::tuple of these, of values or references.
template <class T>
concept fingerprintable = detail::is_key<std::remove_cvref_t<T>>;

/// The canonical encoding of a key, the same on every platform:
/// - integers, enums, bool: 8 bytes, little-endian, sign-extended, so that equal numbers of different types agree (but
///   -1 and 2^64 - 1 do too); char and wchar_t without a sign;
/// - float, double: the 8 bytes of the double; -0 as +0, every NaN alike;
/// - durations and time points: their count as above, in their own unit;
/// - text, bytes: as they are where they are the whole key, behind their length as 8 bytes inside another key, so that
///   ("ab", "c") differs from ("a", "bc"); an array of char ends at its first zero, a null const char* is empty;
/// - optional: a byte 0, or a byte 1 and the value;
/// - pair, tuple: their fields in turn.
template <fingerprintable T>
constexpr std::size_t encoded_size(const T& key) noexcept {
  if constexpr (detail::bytes_key<T>) {
    return detail::key_view(key).size();
  } else {
    return detail::field_size(key);
  }
}

/// Calls consume(const std::byte*, std::size_t) with the encoding, piece by piece, none of them empty; text and bytes
/// are not copied.
template <fingerprintable T, class Consume>
void encode(const T& key, Consume&& consume) {
  if constexpr (detail::bytes_key<T>) {
    const auto bytes = detail::key_bytes(key);
    if (!bytes.empty()) consume(bytes.data(), bytes.size());
  } else {
    detail::encode_field(key, consume);
  }
}

struct fingerprint128_t {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend constexpr bool operator==(const fingerprint128_t&, const fingerprint128_t&) = default;
};

namespace detail {

struct xxh3_64 {
  static std::uint64_t one_shot(const std::byte* data, std::size_t size, std::uint64_t seed) noexcept {
    return XXH3_64bits_withSeed(data, size, seed);
  }
  static void reset(XXH3_state_t& state, std::uint64_t seed) noexcept { XXH3_64bits_reset_withSeed(&state, seed); }
  static void update(XXH3_state_t& state, const std::byte* data, std::size_t size) noexcept {
    XXH3_64bits_update(&state, data, size);
  }
  static std::uint64_t digest(const XXH3_state_t& state) noexcept { return XXH3_64bits_digest(&state); }
};

struct xxh3_128 {
  static fingerprint128_t one_shot(const std::byte* data, std::size_t size, std::uint64_t seed) noexcept {
    return pair(XXH3_128bits_withSeed(data, size, seed));
  }
  static void reset(XXH3_state_t& state, std::uint64_t seed) noexcept { XXH3_128bits_reset_withSeed(&state, seed); }
  static void update(XXH3_state_t& state, const std::byte* data, std::size_t size) noexcept {
    XXH3_128bits_update(&state, data, size);
  }
  static fingerprint128_t digest(const XXH3_state_t& state) noexcept { return pair(XXH3_128bits_digest(&state)); }

 private:
  static fingerprint128_t pair(XXH128_hash_t hash) noexcept { return {hash.low64, hash.high64}; }
};

// XXH3 of 8 bytes: flattened, since only with the length known does xxHash come down to a dozen instructions.
template <class Hash>
[[gnu::flatten]] inline auto hash_scalar(std::uint64_t bits, std::uint64_t seed) noexcept {
  std::byte buffer[8];
  store_little_endian(bits, buffer);
  return Hash::one_shot(buffer, sizeof buffer, seed);
}

// XXH3 of the encoding. Short keys are hashed in one call, from a buffer on the stack; both ways give the same value.
template <class Hash, class T>
auto hash_key(const T& key, std::uint64_t seed) noexcept {
  constexpr std::size_t fixed = fixed_size<T>;
  constexpr std::size_t largest_buffer = 256;
  if constexpr (bytes_key<T>) {
    const auto bytes = key_bytes(key);
    return Hash::one_shot(bytes.data(), bytes.size(), seed);
  } else if constexpr (scalar_key<T>) {
    return hash_scalar<Hash>(scalar_bits(key), seed);
  } else {
    if (fixed <= largest_buffer && (fixed != 0 || recoup::encoded_size(key) <= largest_buffer)) {
      std::byte buffer[fixed != 0 && fixed <= largest_buffer ? fixed : largest_buffer];
      std::size_t used = 0;
      recoup::encode(key, [&](const std::byte* data, std::size_t size) {
        std::memcpy(buffer + used, data, size);
        used += size;
      });
      return Hash::one_shot(buffer, used, seed);
    }
    XXH3_state_t state{};  // reset reads the seed it had before
    Hash::reset(state, seed);
    recoup::encode(key, [&](const std::byte* data, std::size_t size) { Hash::update(state, data, size); });
    return Hash::digest(state);
  }
}

}  // namespace detail

/// XXH3 (https://github.com/Cyan4973/xxHash) of the canonical encoding, 64 bits wide. Seeded: take a secret seed where
/// producers are not trusted, so that they cannot prepare keys that collide. Not cryptographic. Nothing is allocated.
template <fingerprintable T>
std::uint64_t fingerprint(const T& key, std::uint64_t seed) noexcept {
  return detail::hash_key<detail::xxh3_64>(key, seed);
}

/// The same, 128 bits wide: for where a collision must not happen at all.
template <fingerprintable T>
fingerprint128_t fingerprint128(const T& key, std::uint64_t seed) noexcept {
  return detail::hash_key<detail::xxh3_128>(key, seed);
}

template <class T>
std::uint64_t fingerprint(const T&, std::uint64_t) noexcept {
  static_assert(fingerprintable<T>,
                "recoup::fingerprint: a key is an integer, enum, float, duration, time point, text, span of bytes, or "
                "an optional, pair or tuple of these; project other types to one of them");
  return 0;
}

template <class T>
fingerprint128_t fingerprint128(const T&, std::uint64_t) noexcept {
  static_assert(fingerprintable<T>,
                "recoup::fingerprint128: a key is an integer, enum, float, duration, time point, text, span of bytes, "
                "or an optional, pair or tuple of these; project other types to one of them");
  return {};
}

/// The probability that any two of `keys` different keys share a fingerprint of `bits` bits is at most this: the number
/// of pairs over 2^bits (the birthday or union bound). Where the answer p is small, the bound is high by less than the
/// factor 1 + p. 2^20 keys: 3.0e-8 with 64 bits, 1.6e-27 with 128.
constexpr double collision_probability(std::uint64_t keys, unsigned bits) noexcept {
  if (keys < 2) return 0;
  double expected = static_cast<double>(keys) * static_cast<double>(keys - 1) / 2;
  for (unsigned i = 0; i < bits && expected > 0; ++i) expected /= 2;
  return expected < 1 ? expected : 1;
}

}  // namespace recoup
