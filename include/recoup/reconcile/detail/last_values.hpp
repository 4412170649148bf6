// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup::detail {

// The inverse of scalar_bits.
template <scalar_key T>
constexpr T from_scalar_bits(std::uint64_t bits) noexcept {
  if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(detail::from_scalar_bits<std::underlying_type_t<T>>(bits));
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(std::bit_cast<double>(bits));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<T>(bits);
  } else if constexpr (requires(const T& t) { t.time_since_epoch(); }) {
    return T(detail::from_scalar_bits<typename T::duration>(bits));
  } else {
    return T(detail::from_scalar_bits<typename T::rep>(bits));
  }
}

// A value of a field, of whatever type, and the time at which it was right.
struct past_value {
  std::uint64_t bits = 0;
  timestamp at{};

  friend constexpr bool operator==(const past_value&, const past_value&) = default;
};

// The last two values of a key, so that one can be taken back.
class past_values {
 public:
  [[nodiscard]] const past_value* last() const noexcept { return known_ > 0 ? &last_ : nullptr; }
  void push(past_value value) noexcept {
    before_ = std::exchange(last_, value);
    known_ = static_cast<std::uint8_t>(known_ < 2 ? known_ + 1 : 2);
  }
  // Of any other value nothing is left that depends on it.
  void take_back(past_value value) noexcept {
    if (known_ == 0 || !(last_ == value)) return;
    last_ = std::exchange(before_, {});
    --known_;
  }

  [[nodiscard]] static constexpr std::uint64_t configuration() noexcept { return 1; }
  void save(snapshot_writer& w) const {
    w.u8(known_);
    for (const past_value& value : {last_, before_}) {
      w.u64(value.bits);
      w.time(value.at);
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    known_ = r.u8();
    for (past_value* value : {&last_, &before_}) *value = {r.u64(), r.time()};
    return r.ok() && known_ <= 2;
  }

 private:
  past_value last_;
  past_value before_;
  std::uint8_t known_ = 0;
};

// The last values of each key, a key being known by its 64-bit fingerprint.
class last_values {
 public:
  last_values(std::size_t keys, std::uint64_t seed)
      : seed_(seed), table_({.capacity = keys, .idle = duration::max(), .seed = seed}, past_values()) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t keys) noexcept {
    return keyed<std::uint64_t, past_values>::bytes_for(keys);
  }

  template <class Key>
  [[nodiscard]] const past_value* last(const Key& key) const {
    const past_values* const found = table_.find(fingerprint(key, seed_));
    return found != nullptr ? found->last() : nullptr;
  }
  template <class Key>
  void push(const Key& key, past_value value, timestamp now) {
    const std::uint64_t print = fingerprint(key, seed_);
    const auto place = table_.locate(print);
    table_.tell_victim(place, [&](std::uint64_t, const past_values&) { ++evicted_; });
    table_.use(place, print, now).push(value);
  }
  template <class Key>
  void take_back(const Key& key, past_value value) {
    if (past_values* const found = table_.find(fingerprint(key, seed_))) found->take_back(value);
  }

  [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }
  [[nodiscard]] std::uint64_t configuration() const noexcept { return table_.configuration(); }
  [[nodiscard]] last_values empty_copy() const { return {table_.capacity(), seed_}; }
  void save(snapshot_writer& w) const {
    w.u64(evicted_);
    table_.save(w);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    last_values loaded = empty_copy();
    loaded.evicted_ = r.u64();
    if (!loaded.table_.load(r)) return false;
    *this = std::move(loaded);
    return true;
  }

 private:
  std::uint64_t seed_;
  keyed<std::uint64_t, past_values> table_;
  std::uint64_t evicted_ = 0;
};

}  // namespace recoup::detail
