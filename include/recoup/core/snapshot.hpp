// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/xxhash.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/snapshot_status.hpp"

/// The whole state of a component, or of several, as bytes, and back. The bytes, all numbers little-endian:
///
///     offset  bytes
///          0      8  magic: 0x89 'R' 'E' 'C' 'O' 'U' 'P' '\n'
///          8      4  byte-order mark 0x01020304
///         12      4  version of this format: 1
///         16      8  length of the whole snapshot
///         24      8  fingerprint of the components' options
///         32      8  length p of the source position
///         40      p  source position, the caller's own bytes
///     40 + p      n  what the component saved
/// 40 + p + n      8  XXH3-64 (seed 0) of all bytes before
///
/// The checksum finds accidents; it is no signature, and `restore` stays safe on bytes forged to fit it.

namespace recoup {

/// A component whose state can leave the process and come back:
/// - `configuration()`: a fingerprint of the options that fix the layout or the meaning of the state;
/// - `save(writer)`: writes the state, equal states as equal bytes;
/// - `load(reader)`: replaces the state whatever it was; false if the bytes describe none. It may leave the
///   component half changed then, as only a copy is ever loaded.
template <class C>
concept snapshotable = requires(const C& saved, C& loaded, snapshot_writer& w, snapshot_reader& r) {
  { saved.configuration() } -> std::same_as<std::uint64_t>;
  saved.save(w);
  { loaded.load(r) } -> std::same_as<bool>;
};

namespace detail {

inline constexpr std::uint64_t snapshot_magic = 0x0A50'554F'4345'5289;
inline constexpr std::uint32_t snapshot_byte_order = 0x0102'0304;
inline constexpr std::uint32_t snapshot_byte_order_swapped = 0x0403'0201;
inline constexpr std::uint32_t snapshot_format = 1;
inline constexpr std::size_t snapshot_length_offset = 16;
inline constexpr std::size_t snapshot_least_bytes = 48;

inline void begin_frame(snapshot_writer& w, std::uint64_t configuration, std::span<const std::byte> position) {
  w.u64(snapshot_magic);
  w.u32(snapshot_byte_order);
  w.u32(snapshot_format);
  w.u64(0);  // the length, by end_frame
  w.u64(configuration);
  w.bytes(position);
}

inline void end_frame(snapshot_writer& w) {
  w.patch(snapshot_length_offset, w.written().size() + sizeof(std::uint64_t));
  w.u64(XXH3_64bits(w.written().data(), w.written().size()));
}

template <class Save>
std::vector<std::byte> make_frame(std::uint64_t configuration, std::span<const std::byte> position, Save&& save) {
  snapshot_writer w;
  begin_frame(w, configuration, position);
  save(w);
  end_frame(w);
  return w.take();
}

struct snapshot_frame {
  snapshot_status status = snapshot_status::ok;
  std::uint64_t configuration = 0;
  std::span<const std::byte> position = {};
  std::span<const std::byte> content = {};
};

inline snapshot_frame parse_frame(std::span<const std::byte> bytes) {
  const auto magic = to_little_endian(snapshot_magic);
  for (std::size_t i = 0; i < magic.size() && i < bytes.size(); ++i) {
    if (bytes[i] != magic[i]) return {.status = snapshot_status::not_a_snapshot};
  }
  if (bytes.size() < snapshot_length_offset) return {.status = snapshot_status::truncated};
  snapshot_reader header(bytes.subspan(magic.size()));
  const auto byte_order = header.u32();
  if (byte_order == snapshot_byte_order_swapped) return {.status = snapshot_status::other_endian};
  if (byte_order != snapshot_byte_order) return {.status = snapshot_status::corrupt};
  const auto format = header.u32();
  if (format < snapshot_format) return {.status = snapshot_status::older_version};
  if (format > snapshot_format) return {.status = snapshot_status::newer_version};
  const auto length = header.u64();
  if (bytes.size() < snapshot_least_bytes || bytes.size() < length) return {.status = snapshot_status::truncated};
  if (bytes.size() > length) return {.status = snapshot_status::malformed};
  const auto checked = bytes.first(bytes.size() - sizeof(std::uint64_t));
  if (XXH3_64bits(checked.data(), checked.size()) != from_little_endian<std::uint64_t>(bytes.subspan(checked.size()))) {
    return {.status = snapshot_status::corrupt};
  }
  snapshot_frame frame{.configuration = header.u64()};
  frame.position = header.bytes();
  if (!header.ok() || header.remaining() < sizeof(std::uint64_t)) return {.status = snapshot_status::malformed};
  frame.content = checked.last(header.remaining() - sizeof(std::uint64_t));
  return frame;
}

// Of one component its own.
template <class... Cs>
std::uint64_t configuration_of(const std::tuple<Cs&...>& components) {
  std::uint64_t all = std::get<0>(components).configuration();
  const auto add = [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((all = detail::combine({all, std::get<I + 1>(components).configuration()})), ...);
  };
  add(std::make_index_sequence<sizeof...(Cs) - 1>{});
  return all;
}

template <class C>
[[nodiscard]] C copy_to_load(const C& component) {
  if constexpr (requires {
                  { component.empty_copy() } -> std::same_as<C>;
                }) {
    return component.empty_copy();
  } else {
    return component;
  }
}

template <class C>
void replace(C& component, C&& by) {
  if constexpr (std::is_move_assignable_v<C>) {
    component = std::move(by);
  } else {  // a component that holds a capturing lambda
    static_assert(std::is_nothrow_move_constructible_v<C>,
                  "recoup: a restored component must be move-assignable or nothrow move-constructible");
    component.~C();
    ::new (static_cast<void*>(&component)) C(std::move(by));
  }
}

}  // namespace detail

/// The state of components as bytes, together with `position`: the caller's own note of how far into the source this
/// state goes (offsets, a file position), opaque to recoup. Equal states, options and position give equal bytes.
/// Time and memory in proportion to the state.
///
///     snapshot(std::tie(pipe, queue, corrections), position)
template <snapshotable... Cs>
requires(sizeof...(Cs) > 0)  //
    [[nodiscard]] std::vector<std::byte> snapshot(const std::tuple<Cs&...>& components,
                                                  std::span<const std::byte> position = {}) {
  return detail::make_frame(detail::configuration_of(components), position, [&](snapshot_writer& w) {
    std::apply([&](const Cs&... each) { (each.save(w), ...); }, components);
  });
}
/// Of one component.
template <snapshotable C>
[[nodiscard]] std::vector<std::byte> snapshot(const C& component, std::span<const std::byte> position = {}) {
  return detail::make_frame(component.configuration(), position, [&](snapshot_writer& w) { component.save(w); });
}

/// What `restore` answers: whether it took the snapshot and, if it did, the source position from which to read on.
struct restored {
  snapshot_status status = snapshot_status::ok;
  std::vector<std::byte> position = {};
  explicit operator bool() const { return status == snapshot_status::ok; }
};

/// Gives the components the states in `bytes`, which may be hostile; unless the answer's status is ok, all are
/// unchanged. For that the states are loaded into second components first: until `restore` returns, memory for two is
/// needed, and the old state is copied only to be overwritten unless C has a member `C empty_copy() const`, an empty
/// component with the same options.
///
///     restore(std::tie(pipe, queue, corrections), bytes)
template <snapshotable... Cs>
requires(sizeof...(Cs) > 0)  //
    [[nodiscard]] restored restore(const std::tuple<Cs&...>& components, std::span<const std::byte> bytes) {
  const auto frame = detail::parse_frame(bytes);
  if (frame.status != snapshot_status::ok) return {.status = frame.status};
  if (frame.configuration != detail::configuration_of(components)) {
    return {.status = snapshot_status::other_configuration};
  }
  std::tuple<Cs...> loaded =
      std::apply([](const Cs&... each) { return std::tuple<Cs...>(detail::copy_to_load(each)...); }, components);
  snapshot_reader reader(frame.content);
  const bool all = std::apply([&](Cs&... each) { return (each.load(reader) && ...); }, loaded);
  if (!all || !reader.at_end()) {
    reader.fail();
    return {.status = reader.status()};
  }
  restored answer{.status = snapshot_status::ok, .position = {frame.position.begin(), frame.position.end()}};
  const auto replace_all = [&]<std::size_t... I>(std::index_sequence<I...>) {
    (detail::replace(std::get<I>(components), std::move(std::get<I>(loaded))), ...);
  };
  replace_all(std::index_sequence_for<Cs...>{});
  return answer;
}
/// Of one component.
template <snapshotable C>
[[nodiscard]] restored restore(C& component, std::span<const std::byte> bytes) {
  return recoup::restore(std::tie(component), bytes);
}

/// The source position inside a snapshot, a view into `bytes`, to choose between snapshots without restoring them;
/// nothing if the frame is not intact. Only `restore` knows whether the state inside fits a component.
[[nodiscard]] inline std::optional<std::span<const std::byte>> snapshot_position(std::span<const std::byte> bytes) {
  const auto frame = detail::parse_frame(bytes);
  if (frame.status != snapshot_status::ok) return std::nullopt;
  return frame.position;
}

}  // namespace recoup
