// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/dedup/detail/line_window.hpp"
#include "recoup/dedup/window_options.hpp"

namespace recoup {

/// Remembers keys by few bits of a seeded hash and where they are kept: for tens of millions of keys, where a new key
/// may be called a duplicate once in a while. The rate p of that, and the bytes a key, when the window is full:
///
///     compact_window<16>   5.4e-4   3.6 bytes
///     compact_window<24>   1.6e-6   4.8 bytes
///     compact_window<32>   4.6e-9   6.6 bytes
///
/// All else is as in fingerprint_window, from which it differs in the bits alone: what is remembered, for how long,
/// which times it bears, what an operation costs. Two things that are rare there matter here:
/// - A key that is mistaken for another is not stored. When its own duplicate comes, the other may be gone, and the
///   duplicate passes: of duplicates that come d new keys after the first, a part of p * d / events. With `renew` none.
/// - `forget` of a key that was mistaken, or never seen, forgets the other with a probability of p.
template <unsigned Bits = 24, class Allocator = std::allocator<detail::cache_line>>
class compact_window : public detail::line_window<Bits, Allocator> {
  static_assert(Bits == 16 || Bits == 24 || Bits == 32,
                "recoup: compact_window<Bits> takes 16, 24 or 32 bits; for more take fingerprint_window");
  using base = detail::line_window<Bits, Allocator>;

 public:
  compact_window() : compact_window(window_options()) {}
  /// A template so that for `compact_window<>({})` the two constructors are not equally good.
  template <std::same_as<window_options> Options = window_options>
  explicit compact_window(Options options, const Allocator& allocator = {}) : base(options, allocator) {}

  [[nodiscard]] compact_window empty_copy() const { return compact_window(this->options(), this->allocator()); }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (!this->is_new()) *this = empty_copy();
    return this->load_into_new(r);
  }
};

}  // namespace recoup
