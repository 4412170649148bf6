// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/dedup/detail/line_window.hpp"
#include "recoup/dedup/window_options.hpp"

namespace recoup {

/// Remembers keys by a seeded fingerprint of 64 bits, or of 128: at least the last `events` new keys and at most 1/96
/// more, each for at least `age`. The default for whoever can bear that of 2^64 / events new keys one is called a
/// duplicate (2^20 events: one in 1.8e13); exact_window is for whoever cannot.
///
/// - A key inside the window is never missed, but for the duplicates of a key that was itself mistaken for another and
///   so not stored: a part of events / 2^64 at most, none with `renew`.
/// - Time is compared only. A key older than `age` is new again, at most age / 64 later where time does not go back, or
///   later by the time in which events / 10,000 new keys come if that is longer. Times that go back or jump ahead empty
///   nothing, even if they alternate; what eight new keys in a row found too old may be forgotten for good.
/// - renew: a duplicate makes its key as young as a new one; then the window is that of the last `events` new or
///   renewed keys, and a key's age counts from when it was last seen.
///
/// Each key has two lines of 64 bytes and is in either, eight to a line, beside a byte that names its epoch; a new key
/// displaces none within its age but with a probability below 1e-7 (measured: none in 2e7 keys; then the oldest of the
/// two lines goes, and is counted). Nothing is queued and nothing rehashed: an expired key is a free slot.
///
/// Cost: one hash, two lines, wherever the key is; no operation looks at more than 200 lines. Bytes: bytes_for, 9.9 a
/// key, 21.6 with 128 bits; all taken at construction, from `Allocator`.
template <unsigned FingerprintBits = 64, class Allocator = std::allocator<detail::cache_line>>
class fingerprint_window : public detail::line_window<FingerprintBits - 8, Allocator> {
  static_assert(FingerprintBits == 64 || FingerprintBits == 128,
                "recoup: fingerprint_window<FingerprintBits> takes 64 or 128 bits");
  using base = detail::line_window<FingerprintBits - 8, Allocator>;

 public:
  fingerprint_window() : fingerprint_window(window_options()) {}
  /// A template so that for `fingerprint_window<>({})` the two constructors are not equally good.
  template <std::same_as<window_options> Options = window_options>
  explicit fingerprint_window(Options options, const Allocator& allocator = {}) : base(options, allocator) {}

  [[nodiscard]] fingerprint_window empty_copy() const { return fingerprint_window(this->options(), this->allocator()); }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (!this->is_new()) *this = empty_copy();
    return this->load_into_new(r);
  }
};

}  // namespace recoup
