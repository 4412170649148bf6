// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/sequence_range.hpp"
#include "recoup/sequence/numbering.hpp"

namespace recoup::detail {

template <class T>
inline constexpr bool is_number = std::is_integral_v<T> || std::is_enum_v<T>;
template <class T>
inline constexpr bool is_number<std::optional<T>> = is_number<T>;

// The sequence number in a field, as it stands in `bits` bits. Nothing if it is absent, or negative in a field that is
// narrower than the number or as wide as 64 bits: then it means "none", as Kafka's offset -1 does. A signed field that
// is as wide as a narrower number counts through its negative half.
template <class Field>
constexpr std::optional<std::uint64_t> sequence_of(const Field& field, unsigned bits) noexcept {
  if constexpr (is_optional_v<Field>) {
    return field ? detail::sequence_of(*field, bits) : std::nullopt;
  } else if constexpr (std::is_enum_v<Field>) {
    return detail::sequence_of(static_cast<std::underlying_type_t<Field>>(field), bits);
  } else if constexpr (std::is_same_v<Field, bool> || std::is_unsigned_v<Field>) {
    return static_cast<std::uint64_t>(field);
  } else {
    if (field < 0 && (bits == 64 || bits > 8 * sizeof(Field))) return std::nullopt;
    return static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<Field>>(field));
  }
}

// What track_gaps can take for an event's number: one that sequence_of reads, or what stands for several.
template <class T>
inline constexpr bool is_numbering = is_number<T> || std::is_same_v<T, sequence_range> ||
                                     std::is_same_v<T, linked_number> || std::is_same_v<T, increasing_number>;
template <class T>
inline constexpr bool is_numbering<std::optional<T>> = is_numbering<T>;

template <class T>
constexpr auto numbers_of(const T& projected, unsigned bits) noexcept {
  if constexpr (is_number<T>) {
    return detail::sequence_of(projected, bits);
  } else if constexpr (is_optional_v<T>) {
    return projected;
  } else {
    return std::optional<T>(projected);
  }
}

}  // namespace recoup::detail
