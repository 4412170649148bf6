// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct sequence_window_options {
  std::uint64_t events = 1 << 16;              ///< numbers up to the highest that are told apart, 1 to 2^40
  std::uint64_t max_jump = ~std::uint64_t{0};  ///< a number further above the highest than this is a jump
  bool too_old_is_duplicate = true;            ///< what a number below the window is called; else it is new
};

/// Remembers which numbers of a dense sequence have come: the anti-replay window of RFC 4303 (section 3.4.3), as the
/// ring of blocks of RFC 6479. A bit a number, for producers that number what they send: never calls a new number a
/// duplicate, and never misses a duplicate. Any number from 0 to 2^64 - 1 is legal, and the first to come may be any; a
/// negative one is the number of its 64 bits.
///
/// The window is the `events` numbers up to the highest that has come, and up to 63 below them. It only moves up. A
/// number below it is too old to be told apart: the RFCs discard it, and so it is called a duplicate, unless the
/// options say otherwise; it is not remembered then. Age does not apply: time is not looked at.
///
/// A number far ahead, true or not, moves the window with it, and all before are too old from then on; a jump, which is
/// more than max_jump ahead, is new each time and changes nothing instead. A producer that starts anew from a low
/// number is too old, and one that goes on behind a jump jumps, until you call `reset`.
///
/// Cost: a word of memory; a new highest number clears one for each 64 that it moves the window by, at most all. Bytes:
/// an eighth of one a number, all taken at construction.
class sequence_window {
 public:
  using hash_type = std::uint64_t;  // the number itself

  /// What is known of a number. Valid until the window next changes.
  struct judgement {
    bool is_duplicate = false;
    bool is_too_old = false;  ///< below the window: whether it has come is not known
    bool is_jump = false;     ///< more than max_jump ahead
  };

  sequence_window() : sequence_window(sequence_window_options()) {}
  explicit sequence_window(const sequence_window_options& options)
      : options_(checked(options)), words_(static_cast<std::size_t>(words_for(options.events))) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(const sequence_window_options& o) noexcept {
    return static_cast<std::size_t>(words_for(o.events)) * sizeof(std::uint64_t);
  }
  [[nodiscard]] static constexpr double false_positive_rate_for(const sequence_window_options&) noexcept { return 0; }

  template <std::integral N>
  [[nodiscard]] hash_type hash(N number) const noexcept {
    return static_cast<std::uint64_t>(number);
  }
  void prefetch(hash_type number) const noexcept {
#if defined(__GNUC__)
    const std::uint64_t block = block_of(number);
    const bool is_ahead = block > top_;
    const std::uint64_t distance = is_ahead ? block - top_ : top_ - block;
    if (distance >= words_.size()) return;
    const std::size_t ahead = at_ + static_cast<std::size_t>(distance);
    const std::size_t wrapped = ahead < words_.size() ? ahead : ahead - words_.size();
    __builtin_prefetch(&words_[is_ahead ? wrapped : index_of(block)]);
#else
    static_cast<void>(number);
#endif
  }

  template <std::integral N>
  [[nodiscard]] judgement judge(N, hash_type number, timestamp) const noexcept {
    if (is_above(number)) return {.is_jump = has_any_ && number - highest_ > options_.max_jump};
    if (is_below(number)) return {.is_duplicate = options_.too_old_is_duplicate, .is_too_old = true};
    return {.is_duplicate = (words_[index_of(block_of(number))] & bit_of(number)) != 0};
  }
  template <std::integral N>
  [[nodiscard]] judgement judge(N number, timestamp now) const noexcept {
    return judge(number, hash(number), now);
  }

  /// Remembers the number if it is new, and neither too old nor a jump.
  template <std::integral N>
  void commit(N number, judgement j, timestamp) noexcept {
    too_old_ += j.is_too_old ? 1U : 0U;
    jumps_ += j.is_jump ? 1U : 0U;
    if (j.is_duplicate) {
      ++duplicates_;
      return;
    }
    ++fresh_;
    if (j.is_too_old || j.is_jump) return;
    const hash_type n = hash(number);
    if (is_above(n)) move_to(n);
    words_[index_of(block_of(n))] |= bit_of(n);
  }

  template <std::integral N>
  judgement observe(N number, timestamp now) noexcept {
    const judgement j = judge(number, now);
    commit(number, j, now);
    return j;
  }

  /// Makes a number new again, since what it stands for was not processed after all. The window does not move back.
  /// False if the number was not remembered.
  template <std::integral N>
  bool forget(N number) noexcept {
    const hash_type n = hash(number);
    if (is_above(n) || is_below(n)) return false;
    std::uint64_t& word = words_[index_of(block_of(n))];
    const bool was_there = (word & bit_of(n)) != 0;
    word &= ~bit_of(n);
    return was_there;
  }

  /// Forgets all numbers, for a producer that starts anew: the next may be any, as the first could. The counts go on.
  void reset() noexcept {
    std::fill(words_.begin(), words_.end(), 0);
    highest_ = top_ = 0;
    at_ = 0;
    has_any_ = false;
  }

  /// New numbers and duplicates so far; of either, those that were too old, and of the new ones, the jumps.
  [[nodiscard]] std::uint64_t fresh() const noexcept { return fresh_; }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }
  [[nodiscard]] std::uint64_t too_old() const noexcept { return too_old_; }
  [[nodiscard]] std::uint64_t jumps() const noexcept { return jumps_; }
  /// The highest number remembered so far, if any.
  [[nodiscard]] std::optional<std::uint64_t> highest() const noexcept {
    return has_any_ ? std::optional(highest_) : std::nullopt;
  }
  /// 0 and none: numbers have no age.
  [[nodiscard]] std::uint64_t evicted_within_age() const noexcept { return 0; }
  [[nodiscard]] std::optional<duration> youngest_evicted() const noexcept { return std::nullopt; }
  [[nodiscard]] const sequence_window_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({options_.events, options_.max_jump, options_.too_old_is_duplicate ? 1U : 0U});
  }
  [[nodiscard]] sequence_window empty_copy() const { return sequence_window(options_); }

  /// Remembers what the other window remembers too, as far as it is in the higher of the two windows, which holds.
  /// False, and nothing changes, where the options differ.
  bool merge(const sequence_window& other) noexcept {
    if (configuration() != other.configuration()) return false;
    fresh_ += other.fresh_;
    duplicates_ += other.duplicates_;
    too_old_ += other.too_old_;
    jumps_ += other.jumps_;
    if (!other.has_any_) return true;
    if (is_above(other.highest_)) move_to(other.highest_);
    for (std::uint64_t i = 0; i < words_.size() && i <= other.top_; ++i) {
      const std::uint64_t block = other.top_ - i;
      if (top_ - block < words_.size()) words_[index_of(block)] |= other.words_[other.index_of(block)];
    }
    return true;
  }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("SEQW"), 1);
    for (const std::uint64_t n : {fresh_, duplicates_, too_old_, jumps_}) w.u64(n);
    w.boolean(has_any_);
    w.u64(highest_);
    for (std::size_t i = 0; i < words_.size(); ++i) w.u64(words_[i <= at_ ? at_ - i : at_ + words_.size() - i]);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    (void)r.begin_section(section_tag("SEQW"), 1);
    for (std::uint64_t* n : {&fresh_, &duplicates_, &too_old_, &jumps_}) *n = r.u64();
    has_any_ = r.boolean();
    highest_ = r.u64();
    top_ = block_of(highest_);
    at_ = words_.size() - 1;
    if (r.remaining() != words_.size() * sizeof(std::uint64_t)) return false;
    for (std::uint64_t i = 0; i < words_.size(); ++i) {
      const std::uint64_t word = r.u64();
      words_[at_ - static_cast<std::size_t>(i)] = word;
      if (word != 0 && (!has_any_ || i > top_)) return false;  // there are no such numbers
    }
    r.end_section();
    const std::uint64_t above = ~(bit_of(highest_) | (bit_of(highest_) - 1));
    return r.ok() && (words_[at_] & above) == 0 && (has_any_ || highest_ == 0);
  }

 private:
  static sequence_window_options checked(const sequence_window_options& o) {
    detail::require_option(o.events >= 1 && o.events <= std::uint64_t{1} << 40,
                           "sequence_window_options.events must be 1 to 2^40 numbers");
    detail::require_option(o.max_jump >= 1, "sequence_window_options.max_jump must be at least 1");
    return o;
  }

  // One more than the numbers below the highest need, as the highest may be the first of its block (RFC 6479).
  static constexpr std::uint64_t words_for(std::uint64_t events) noexcept { return (events + 62) / 64 + 1; }
  static constexpr std::uint64_t block_of(std::uint64_t number) noexcept { return number / 64; }
  static constexpr std::uint64_t bit_of(std::uint64_t number) noexcept { return std::uint64_t{1} << (number % 64); }

  bool is_above(std::uint64_t number) const noexcept { return number > highest_ || !has_any_; }
  bool is_below(std::uint64_t number) const noexcept { return top_ - block_of(number) >= words_.size(); }
  // Of a block in the window. By distance from the highest, as that needs no division, whatever the size.
  std::size_t index_of(std::uint64_t block) const noexcept {
    const std::uint64_t back = top_ - block;
    return static_cast<std::size_t>(back <= at_ ? at_ - back : at_ + words_.size() - back);
  }

  void move_to(std::uint64_t number) noexcept {
    const std::uint64_t block = block_of(number);
    const std::uint64_t cleared = has_any_ ? std::min<std::uint64_t>(block - top_, words_.size()) : 0;
    for (std::uint64_t i = 0; i < cleared; ++i) {
      at_ = at_ + 1 < words_.size() ? at_ + 1 : 0;
      words_[at_] = 0;
    }
    highest_ = number;
    top_ = block;
    has_any_ = true;
  }

  sequence_window_options options_;
  std::vector<std::uint64_t> words_;  // a ring of blocks of 64 numbers, the latest the one with the highest
  std::size_t at_ = 0;                // where that one is
  std::uint64_t highest_ = 0;
  std::uint64_t top_ = 0;  // its block
  bool has_any_ = false;
  std::uint64_t fresh_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t too_old_ = 0;
  std::uint64_t jumps_ = 0;
};

}  // namespace recoup
