// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct dense_options {
  std::size_t capacity = 256;  ///< keys are 0 to capacity - 1; 1 to 2^30
};

/// A component for each of the keys 0 to capacity - 1 (partitions, shards, channels): a plain array, without hashing,
/// eviction or idle times; as many as Key can name, at most. Is used as `keyed` is. A key beyond has no component, and
/// locate finds nothing.
/// Bytes: capacity * sizeof(Component), taken at construction. O(1).
template <std::integral Key, class Component>
class dense {
 public:
  using position = std::uint32_t;
  static constexpr position none = ~position{0};
  static constexpr bool evicts = false;
  static constexpr bool admits_all = false;

  struct place {
    position found = none;
  };
  static constexpr bool is_found(place p) noexcept { return p.found != none; }

  dense(dense_options options, Component prototype)
      : prototype_(std::move(prototype)), components_(checked(options), prototype_) {}

  static constexpr std::size_t bytes_for(std::size_t capacity) noexcept { return capacity * sizeof(Component); }

  template <class K>
  static std::uint32_t hash(const K& key) noexcept {
    static_assert(std::is_integral_v<K>, "recoup: a dense<Key, ...> is looked up by an integer; convert the key first");
    const auto number = +key;  // a bool or char cannot be compared
    return std::cmp_less(number, none) && std::cmp_greater_equal(number, 0) ? static_cast<std::uint32_t>(number) : none;
  }
  void prefetch(std::uint32_t hash) const noexcept {
#if defined(__GNUC__)
    if (hash < components_.size()) __builtin_prefetch(&components_[hash], 1);
#else
    static_cast<void>(hash);
#endif
  }

  void prefetch_entry(std::uint32_t) const noexcept {}

  template <class K>
  place locate(const K& key) const noexcept {
    return locate(key, hash(key));
  }
  template <class K>
  place locate(const K&, std::uint32_t hash) const noexcept {
    return {hash < components_.size() ? hash : none};
  }

  /// The component of the place, or the prototype where it is beyond the capacity.
  const Component& at(place p) const noexcept { return is_found(p) ? components_[p.found] : prototype_; }
  /// The component of a place that was found.
  Component& use_found(place p, timestamp) noexcept { return components_[p.found]; }
  template <class K>
  Component& use(place p, const K&, timestamp now) noexcept {
    return use_found(p, now);
  }

  template <class K>
  position position_of(const K& key) const noexcept {
    return locate(key).found;
  }
  static constexpr Key key_at(position at) noexcept { return static_cast<Key>(at); }
  Component& component_at(position at) noexcept { return components_[at]; }
  const Component& component_at(position at) const noexcept { return components_[at]; }

  template <class F>
  void tell_victim(place, F&&) const noexcept {}
  template <class... Callbacks>
  void advance(timestamp, Callbacks&&...) noexcept {}

  /// Takes a key's component out and leaves a fresh one. Nothing beyond the capacity.
  template <class K, class... Moved>
  std::optional<Component> take(const K& key, Moved&&...) {
    const place p = locate(key);
    if (!is_found(p)) return std::nullopt;
    return std::exchange(components_[p.found], prototype_);
  }
  /// Puts a component in under a key. False, and nothing changes, beyond the capacity.
  bool put(Key key, Component component, timestamp) {
    const place p = locate(key);
    if (is_found(p)) components_[p.found] = std::move(component);
    return is_found(p);
  }

  template <class F>
  void for_each(F&& f) {
    for (position i = 0; i < components_.size(); ++i) f(key_at(i), components_[i]);
  }
  template <class F>
  void for_each(F&& f) const {
    for (position i = 0; i < components_.size(); ++i) f(key_at(i), components_[i]);
  }

  std::size_t size() const noexcept { return components_.size(); }
  std::size_t capacity() const noexcept { return components_.size(); }

  std::uint64_t configuration() const noexcept {
    return detail::combine({components_.size(), prototype_.configuration()});
  }
  dense empty_copy() const { return dense({components_.size()}, prototype_); }

  void save(snapshot_writer& w) const {
    save(w, [&](const Component& component) { w.value(component); });
  }
  bool load(snapshot_reader& r) {
    return load(r, [&](Component& component) { return r.value(component); });
  }
  /// write(component) for each, in place of Component's own save.
  template <class Write>
  void save(snapshot_writer&, Write&& write) const {
    for (const Component& component : components_) write(component);
  }
  template <class Read>
  bool load(snapshot_reader&, Read&& read) {
    for (Component& component : components_) {
      if (!read(component)) return false;
    }
    return true;
  }

 private:
  static std::size_t checked(dense_options o) {
    detail::require_option(o.capacity >= 1 && o.capacity <= (std::size_t{1} << 30),
                           "dense_options.capacity must be 1 to 2^30 keys");
    constexpr auto last = static_cast<std::uint64_t>(std::numeric_limits<Key>::max());
    return last < o.capacity ? static_cast<std::size_t>(last + 1) : o.capacity;
  }

  Component prototype_;
  std::vector<Component> components_;
};

}  // namespace recoup
