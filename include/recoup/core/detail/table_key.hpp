// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/time.hpp"

namespace recoup::detail {

// By what a snapshot tells keys of different types apart, the same on every platform. 0 where a table cannot hold the
// type: where == and the encoding disagree (NaN), or where it does not own what it refers to.
template <class T>
constexpr std::uint64_t simple_key_kind() noexcept {
  if constexpr (std::is_const_v<T> || std::is_volatile_v<T>) {
    return 0;
  } else if constexpr (std::is_enum_v<T>) {
    return combine({2, simple_key_kind<std::underlying_type_t<T>>()});
  } else if constexpr (std::is_integral_v<T> && scalar_key<T>) {
    return combine({1, sizeof(T), scalar_bits(static_cast<T>(-1))});
  } else {
    return std::is_same_v<T, std::string> ? combine({3}) : 0;
  }
}
template <class T>
inline constexpr std::uint64_t key_kind = simple_key_kind<T>();
template <class Rep, class Period>
inline constexpr std::uint64_t key_kind<std::chrono::duration<Rep, Period>> =
    key_kind<Rep> != 0
        ? combine({4, key_kind<Rep>, static_cast<std::uint64_t>(Period::num), static_cast<std::uint64_t>(Period::den)})
        : 0;
template <class Clock, class Duration>
inline constexpr std::uint64_t key_kind<std::chrono::time_point<Clock, Duration>> =
    key_kind<Duration> != 0 ? combine({5, key_kind<Duration>}) : 0;
template <class T>
inline constexpr std::uint64_t key_kind<std::optional<T>> = key_kind<T> != 0 ? combine({6, key_kind<T>}) : 0;
template <class... Ts>
inline constexpr std::uint64_t key_kind<std::tuple<Ts...>> = ((key_kind<Ts> != 0) && ...)
                                                                 ? combine({7, sizeof...(Ts), key_kind<Ts>...})
                                                                 : 0;
template <class A, class B>
inline constexpr std::uint64_t key_kind<std::pair<A, B>> = key_kind<std::tuple<A, B>>;

template <class T>
inline constexpr bool is_table_key = key_kind<T> != 0;

// By what a key can be looked up so that equal ones have the same fingerprint.
template <class K, class Key>
inline constexpr bool looks_up = std::is_same_v<K, Key> || (text_key<K> && text_key<Key>) ||
                                 (std::is_integral_v<K> && std::is_integral_v<Key>);

template <class Key, class K>
constexpr bool is_same_key(const Key& a, const K& b) {
  if constexpr (text_key<Key> && text_key<K>) {
    return key_view(a) == key_view(b);
  } else if constexpr (std::is_integral_v<Key> && std::is_integral_v<K> && !std::is_same_v<Key, K>) {
    return std::cmp_equal(+a, +b);
  } else {
    return a == b;
  }
}

// Text that is not terminated, or null, is made a key as the fingerprint reads it.
template <class Key, class K>
constexpr Key owned_key(const K& key) {
  if constexpr (text_key<Key> && text_key<K>) {
    return Key(key_view(key));
  } else {
    return static_cast<Key>(key);
  }
}

}  // namespace recoup::detail
