// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "recoup/core/detail/flat_deque.hpp"
#include "recoup/core/sequence_range.hpp"

namespace recoup {

/// A set of 64-bit numbers, held as ranges: sorted, disjoint, and never adjacent (1-3 and 4-5 become 1-5), so that
/// equal sets have equal ranges. All functions take any range; an empty one changes nothing. Correct at 0 and at 2^64
/// - 1.
//
/// Cost, for n ranges: look-ups O(log n); insert and erase O(log n) plus moving the ranges behind the place, O(1) where
/// a range is added or extended at the back or shortened in place. Two ranges lie inside the object; more take 16 bytes
/// each on the heap. The set bounds nothing by itself: hold size() below your limit.
class interval_set {
 public:
  using const_iterator = const sequence_range*;

  /// Makes room for so many ranges, beyond which nothing is allocated.
  void reserve(std::size_t ranges) { ranges_.reserve(ranges); }
  /// Nothing is allocated by the next insert or erase.
  void make_room() { ranges_.make_room(); }

  /// Adds the numbers of a range. Returns how many of them were new, at most 2^64 - 1.
  std::uint64_t insert(sequence_range range) {
    if (range.first > range.last) return 0;
    const bool is_above = empty() || (back().last < range.first && range.first - back().last > 1);
    if (!is_above) return merge(range);
    numbers_ = empty() ? width(range) : numbers_ + width(range);
    ranges_.push_back(range);
    return range.size();
  }

  /// Takes the numbers of a range out. Returns how many of them were there, at most 2^64 - 1.
  std::uint64_t erase(sequence_range range) {
    if (range.first > range.last) return 0;
    const auto lower = first_reaching(ranges_.begin(), ranges_.end(), range.first);
    const auto upper = first_after(lower, ranges_.end(), range.last);
    if (lower == upper) return 0;
    std::uint64_t removed = 0;
    for (auto it = lower; it != upper; ++it) removed += width(clip(*it, range));

    const bool keeps_left = lower->first < range.first;
    const sequence_range right{range.last + 1, (upper - 1)->last};
    const bool keeps_right = range.last < right.last;
    if (keeps_left && keeps_right && upper - lower == 1) {
      (ranges_.insert(upper, right) - 1)->last = range.first - 1;
    } else {
      auto write = lower;
      if (keeps_left) (write++)->last = range.first - 1;
      if (keeps_right) *write++ = right;
      ranges_.erase(write, upper);
    }
    numbers_ -= removed;
    return removed == 0 ? max : removed;
  }

  /// Takes one number out of the range that holds it, or a whole range. Returns the first range above.
  const_iterator erase(const_iterator at, std::uint64_t number) {
    sequence_range* const range = ranges_.begin() + (at - begin());
    if (range->first == range->last) return erase(at);
    --numbers_;
    if (number == range->first) {
      ++range->first;
      return range;
    }
    const std::uint64_t last = range->last;
    range->last = number - 1;
    return number == last ? range + 1 : ranges_.insert(range + 1, {number + 1, last});
  }
  const_iterator erase(const_iterator range) noexcept {
    numbers_ -= width(*range);
    return ranges_.erase(range, range + 1);
  }

  [[nodiscard]] bool contains(std::uint64_t number) const noexcept { return find(number) != nullptr; }

  /// The range that holds the number, or null. Valid until the set changes.
  [[nodiscard]] const sequence_range* find(std::uint64_t number) const noexcept {
    const auto it = from(number);
    return it != end() && it->first <= number ? it : nullptr;
  }

  /// The first range that ends at the number or above it.
  [[nodiscard]] const_iterator from(std::uint64_t number) const noexcept {
    if (!empty() && number <= front().last) return begin();  // where most look
    return first_reaching(begin(), end(), number);
  }

  /// Calls f(sequence_range) for each part of the range that is in the set, in order. f must not change the set.
  template <class F>
  void for_each_overlap(sequence_range range, F f) const {
    if (range.first > range.last) return;
    for (auto it = from(range.first); it != end() && it->first <= range.last; ++it) {
      f(clip(*it, range));
    }
  }

  [[nodiscard]] const_iterator begin() const noexcept { return ranges_.begin(); }
  [[nodiscard]] const_iterator end() const noexcept { return ranges_.end(); }

  /// How many ranges.
  [[nodiscard]] std::size_t size() const noexcept { return ranges_.size(); }
  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  /// Bytes taken on the heap.
  [[nodiscard]] std::size_t heap_bytes() const noexcept { return ranges_.heap_bytes(); }

  /// How many numbers, in O(1); 2^64 - 1 also where all 2^64 are in the set.
  [[nodiscard]] std::uint64_t count() const noexcept {
    if (empty()) return 0;
    return numbers_ == 0 ? max : numbers_;
  }

  /// The lowest and the highest range, of a set that is not empty.
  [[nodiscard]] const sequence_range& front() const noexcept { return ranges_.front(); }
  [[nodiscard]] const sequence_range& back() const noexcept { return ranges_.back(); }

  /// Takes the lowest range out, of a set that is not empty. O(1).
  void pop_front() noexcept {
    numbers_ -= width(ranges_.front());
    ranges_.pop_front();
  }

  /// Takes everything out and keeps the memory.
  void clear() noexcept { ranges_.clear(); }

  friend bool operator==(const interval_set& a, const interval_set& b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

  /// Writes 8 + 16 * size() bytes.
  template <class Writer>
  void save(Writer& writer) const {
    writer.u64(size());
    for (const sequence_range& range : *this) {
      writer.u64(range.first);
      writer.u64(range.last);
    }
  }

  /// Reads what save wrote. False, and nothing has changed, where the bytes end early, hold more than `max_ranges`
  /// ranges, or are not sorted, disjoint and coalesced.
  template <class Reader>
  [[nodiscard]] bool load(Reader& reader, std::size_t max_ranges) {
    const std::uint64_t ranges = reader.u64();
    if (!reader.ok() || ranges > max_ranges) return false;
    storage loaded;
    std::uint64_t numbers = 0;
    for (std::uint64_t i = 0; i < ranges; ++i) {
      const std::uint64_t first = reader.u64();
      const std::uint64_t last = reader.u64();
      if (!reader.ok() || first > last) return false;
      if (i > 0 && (first <= loaded.back().last || first - loaded.back().last == 1)) return false;
      loaded.push_back({first, last});
      numbers += width({first, last});
    }
    ranges_ = std::move(loaded);
    numbers_ = numbers;
    return true;
  }

 private:
  using storage = detail::flat_deque<sequence_range, 2>;
  static constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();

  // How many numbers, modulo 2^64.
  static constexpr std::uint64_t width(sequence_range range) noexcept { return range.last - range.first + 1; }

  static constexpr sequence_range clip(sequence_range a, sequence_range b) noexcept {
    return {std::max(a.first, b.first), std::min(a.last, b.last)};
  }

  // Inserts what touches a range, or lies below one.
  [[gnu::noinline]] std::uint64_t merge(sequence_range range) {
    std::uint64_t added = width(range);
    const auto lower = first_reaching(ranges_.begin(), ranges_.end(), range.first == 0 ? 0 : range.first - 1);
    const auto upper = first_after(lower, ranges_.end(), range.last == max ? max : range.last + 1);
    if (lower == upper) {
      ranges_.insert(lower, range);
    } else {
      const sequence_range merged{std::min(lower->first, range.first), std::max((upper - 1)->last, range.last)};
      added = width(merged);
      for (auto it = lower; it != upper; ++it) added -= width(*it);
      *lower = merged;
      ranges_.erase(lower + 1, upper);
    }
    numbers_ += added;
    return added;
  }

  // The first range whose end is at or behind the number.
  template <class Iterator>
  static Iterator first_reaching(Iterator begin, Iterator end, std::uint64_t number) noexcept {
    return std::partition_point(begin, end, [number](const sequence_range& r) { return r.last < number; });
  }

  // The first range that begins behind the number.
  template <class Iterator>
  static Iterator first_after(Iterator begin, Iterator end, std::uint64_t number) noexcept {
    return std::partition_point(begin, end, [number](const sequence_range& r) { return r.first <= number; });
  }

  storage ranges_;
  std::uint64_t numbers_ = 0;  // modulo 2^64; means nothing while the set is empty
};

}  // namespace recoup
