// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/time.hpp"

namespace recoup {

class snapshot_writer;
class snapshot_reader;

namespace detail {

template <class T>
concept self_snapshot = requires(const T& saved, T& loaded, snapshot_writer& w, snapshot_reader& r) {
  saved.save(w);
  { loaded.load(r) } -> std::same_as<bool>;
};

template <class T>
concept adl_snapshot = requires(const T& saved, T& loaded, snapshot_writer& w, snapshot_reader& r) {
  save(w, saved);
  { load(r, loaded) } -> std::same_as<bool>;
};

template <class T>  // any value of the underlying type is a value of a scoped enumeration; not so of an unscoped one
concept scoped_enum = std::is_enum_v<T> && !std::is_convertible_v<T, std::underlying_type_t<T>>;

template <class T>
inline constexpr bool is_snapshot_value =
    !std::is_const_v<T> && ((std::integral<T> && sizeof(T) <= 8) || scoped_enum<T> || std::same_as<T, float> ||
                            std::same_as<T, double> || std::same_as<T, timestamp> || std::same_as<T, duration> ||
                            std::same_as<T, std::string> || self_snapshot<T> || adl_snapshot<T>);
template <class T>
inline constexpr bool is_snapshot_value<std::optional<T>> = (std::default_initializable<T> && is_snapshot_value<T>);
template <class First, class Second>
inline constexpr bool is_snapshot_value<std::pair<First, Second>> = (is_snapshot_value<First> &&
                                                                     is_snapshot_value<Second>);
template <class... Ts>
inline constexpr bool is_snapshot_value<std::tuple<Ts...>> = (is_snapshot_value<Ts> && ...);

// Unrolled by hand, as compilers make one load or store of it then.
template <std::unsigned_integral U>
[[nodiscard]] constexpr std::array<std::byte, sizeof(U)> to_little_endian(U number) {
  return [number]<std::size_t... I>(std::index_sequence<I...>) {
    return std::array{static_cast<std::byte>(number >> (8 * I) & 0xFF)...};
  }
  (std::make_index_sequence<sizeof(U)>());
}

template <std::unsigned_integral U>  // from the first sizeof(U) bytes, which must be there
[[nodiscard]] constexpr U from_little_endian(std::span<const std::byte> bytes) {
  return [bytes]<std::size_t... I>(std::index_sequence<I...>) {
    return static_cast<U>(((std::uint64_t{std::to_integer<std::uint8_t>(bytes[I])} << (8 * I)) | ...));
  }
  (std::make_index_sequence<sizeof(U)>());
}

}  // namespace detail

}  // namespace recoup
