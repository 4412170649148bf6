// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/dedup/detail/line_window.hpp"
#include "recoup/dedup/window_options.hpp"

namespace recoup {

/// Remembers integers and enumerations of up to 64 bits, in three bytes more than their eight: each is kept as a
/// permutation of itself, so that a new key is never called a duplicate, and no duplicate inside the window is missed.
/// Integers of different types are the same key if their values are equal (-1 and 2^64 - 1 are, too).
///
/// All else is as in fingerprint_window, from which it differs in the bits alone: what is remembered, for how long,
/// which times it bears, what an operation costs. exact_window takes four times the room and knows more: when a key was
/// first and last seen, to the nanosecond, and how often.
template <class Allocator = std::allocator<detail::cache_line>>
class integer_window : public detail::line_window<64, Allocator> {
  using base = detail::line_window<64, Allocator>;

 public:
  integer_window() : integer_window(window_options()) {}
  /// A template so that for `integer_window<>({})` the two constructors are not equally good.
  template <std::same_as<window_options> Options = window_options>
  explicit integer_window(Options options, const Allocator& allocator = {}) : base(options, allocator) {}

  [[nodiscard]] integer_window empty_copy() const { return integer_window(this->options(), this->allocator()); }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (!this->is_new()) *this = empty_copy();
    return this->load_into_new(r);
  }
};

}  // namespace recoup
