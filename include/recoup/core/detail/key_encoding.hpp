// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/time.hpp"

// The parts of the canonical encoding of keys; fingerprint.hpp describes it.
namespace recoup::detail {

template <class T>
inline constexpr bool is_time = false;
template <class Rep, class Period>
inline constexpr bool is_time<std::chrono::duration<Rep, Period>> = std::is_arithmetic_v<Rep>;
template <class Clock, class Duration>
inline constexpr bool is_time<std::chrono::time_point<Clock, Duration>> = is_time<Duration>;

template <class T>
concept scalar_key = (std::is_arithmetic_v<T> || std::is_enum_v<T> || is_time<T>)&&sizeof(T) <= 8;

template <class T>
concept text_key = std::is_convertible_v<const T&, std::string_view> && !std::is_null_pointer_v<T>;

template <class T>
concept bytes_key = text_key<T> || std::is_convertible_v<const T&, std::span<const std::byte>> ||
    std::is_convertible_v<const T&, std::span<const unsigned char>>;

template <class T>
inline constexpr bool is_key = scalar_key<T> || bytes_key<T>;
template <class T>
inline constexpr bool is_key<std::optional<T>> = is_key<std::remove_cvref_t<T>>;
template <class... Ts>
inline constexpr bool is_key<std::tuple<Ts...>> = (is_key<std::remove_cvref_t<Ts>> && ...);
template <class A, class B>
inline constexpr bool is_key<std::pair<A, B>> = is_key<std::tuple<A, B>>;

// The bytes that every value of the type takes inside a composite; 0 where that depends on the value.
template <class T>
inline constexpr std::size_t fixed_size = scalar_key<T> ? 8 : 0;
template <class... Ts>
inline constexpr std::size_t fixed_size<std::tuple<Ts...>> = ((fixed_size<std::remove_cvref_t<Ts>> != 0) && ...)
                                                                 ? (fixed_size<std::remove_cvref_t<Ts>> + ... + 0)
                                                                 : 0;
template <class A, class B>
inline constexpr std::size_t fixed_size<std::pair<A, B>> = fixed_size<std::tuple<A, B>>;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <scalar_key T>
constexpr std::uint64_t scalar_bits(const T& value) noexcept {
  if constexpr (std::is_enum_v<T>) {
    return detail::scalar_bits(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    static_assert(std::numeric_limits<double>::is_iec559 && sizeof(double) == 8);
    const auto number = static_cast<double>(value);
    if (number != number) return 0x7FF8'0000'0000'0000;
    return number == 0 ? 0 : std::bit_cast<std::uint64_t>(number);
  } else if constexpr (std::is_same_v<T, char> || std::is_same_v<T, wchar_t>) {
    return static_cast<std::make_unsigned_t<T>>(value);  // platforms differ in their signs
  } else if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<std::uint64_t>(value);
  } else if constexpr (requires { value.time_since_epoch(); }) {
    return detail::scalar_bits(value.time_since_epoch().count());
  } else {
    return detail::scalar_bits(value.count());
  }
}

inline void store_little_endian(std::uint64_t value, std::byte* out) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(out, &value, sizeof value);
  } else {
    for (unsigned i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(value >> (8 * i));
  }
}

// A std::string_view, or a span of bytes.
template <bytes_key T>
constexpr auto key_view(const T& value) noexcept {
  if constexpr (std::is_array_v<T> && text_key<T>) {
    const std::string_view all(value, std::extent_v<T>);
    return all.substr(0, all.find('\0'));
  } else if constexpr (std::is_pointer_v<T>) {
    return value == nullptr ? std::string_view() : std::string_view(value);
  } else if constexpr (text_key<T>) {
    return static_cast<std::string_view>(value);
  } else if constexpr (std::is_convertible_v<const T&, std::span<const std::byte>>) {
    return static_cast<std::span<const std::byte>>(value);
  } else {
    return static_cast<std::span<const unsigned char>>(value);
  }
}

template <bytes_key T>
std::span<const std::byte> key_bytes(const T& value) noexcept {
  return std::as_bytes(std::span(detail::key_view(value)));
}

template <class T>
constexpr std::size_t field_size(const T& field) noexcept {
  if constexpr (scalar_key<T>) {
    return 8;
  } else if constexpr (bytes_key<T>) {
    return 8 + detail::key_view(field).size();
  } else if constexpr (is_optional<T>) {
    return 1 + (field ? detail::field_size(*field) : 0);
  } else {
    return std::apply([](const auto&... fields) { return (detail::field_size(fields) + ... + std::size_t{0}); }, field);
  }
}

template <class T, class Consume>
void encode_field(const T& field, Consume& consume) {
  if constexpr (scalar_key<T>) {
    std::byte bytes[8];
    detail::store_little_endian(detail::scalar_bits(field), bytes);
    consume(static_cast<const std::byte*>(bytes), sizeof(bytes));
  } else if constexpr (bytes_key<T>) {
    const auto bytes = detail::key_bytes(field);
    detail::encode_field(static_cast<std::uint64_t>(bytes.size()), consume);
    if (!bytes.empty()) consume(bytes.data(), bytes.size());
  } else if constexpr (is_optional<T>) {
    const std::byte present{static_cast<unsigned char>(field ? 1 : 0)};
    consume(&present, std::size_t{1});
    if (field) detail::encode_field(*field, consume);
  } else {
    std::apply([&](const auto&... fields) { (detail::encode_field(fields, consume), ...); }, field);
  }
}

}  // namespace recoup::detail
