// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace recoup::detail {

// Which lines of a table have changed since they were last taken, a bit each, for as long as somebody watches. A copy
// of the table is another table, which nobody watches.
class changed_lines {
 public:
  changed_lines() = default;
  changed_lines(const changed_lines&) noexcept {}
  changed_lines(changed_lines&& other) noexcept { swap(other); }
  changed_lines& operator=(const changed_lines& other) noexcept {
    if (this != &other) stop();
    return *this;
  }
  changed_lines& operator=(changed_lines&& other) noexcept {
    swap(other);
    other.stop();
    return *this;
  }
  ~changed_lines() = default;

  // All lines count as changed.
  void watch(std::size_t lines) {
    words_.assign((lines + 63) / 64, ~std::uint64_t{0});
    if (lines % 64 != 0) words_.back() >>= 64 - lines % 64;
    count_ = lines;
    at_ = 0;
    is_watched_ = true;
  }
  void stop() noexcept {
    is_watched_ = false;
    count_ = at_ = 0;
    words_ = {};
  }

  [[nodiscard]] bool is_watched() const noexcept { return is_watched_; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

  void mark(std::size_t line) noexcept {
    if (is_watched_) [[unlikely]]
      note(line);
  }

  // The next changed line in turn, which is no longer one then. There must be one.
  [[nodiscard]] std::size_t take() noexcept {
    while (words_[at_] == 0) at_ = at_ + 1 < words_.size() ? at_ + 1 : 0;
    const auto bit = static_cast<std::size_t>(std::countr_zero(words_[at_]));
    words_[at_] &= words_[at_] - 1;
    --count_;
    return at_ * 64 + bit;
  }

 private:
  [[gnu::noinline]] void note(std::size_t line) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << line % 64;
    if ((words_[line / 64] & bit) != 0) return;
    words_[line / 64] |= bit;
    ++count_;
  }
  void swap(changed_lines& other) noexcept {
    words_.swap(other.words_);
    std::swap(count_, other.count_);
    std::swap(at_, other.at_);
    std::swap(is_watched_, other.is_watched_);
  }

  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
  std::size_t at_ = 0;  // the word to look at next
  bool is_watched_ = false;
};

}  // namespace recoup::detail
