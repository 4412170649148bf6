// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

namespace recoup::detail {

// An array for sorted elements that come at the back and go at the front: they lie side by side, so that a binary
// search may walk over them, and inserting and erasing move the shorter side. `Inline` elements lie in the object; more
// are on the heap, in at most twice the room that the most of them ever took.
//
// push_back and pop_front are amortised O(1). Grows only where more than three quarters of the room are taken, and the
// place behind the last is.
template <class T, std::uint32_t Inline>
class flat_deque {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  flat_deque() = default;
  flat_deque(const flat_deque& other) {
    reserve(other.size_);
    append(other);
  }
  flat_deque(flat_deque&& other) noexcept { take(other); }
  flat_deque& operator=(const flat_deque& other) {
    if (this == &other) return *this;
    reserve(other.size_);
    clear();
    append(other);
    return *this;
  }
  flat_deque& operator=(flat_deque&& other) noexcept {
    take(other);
    return *this;
  }
  ~flat_deque() = default;

  T* begin() noexcept { return begin_; }
  T* end() noexcept { return begin_ + size_; }
  const T* begin() const noexcept { return begin_; }
  const T* end() const noexcept { return begin_ + size_; }
  T& operator[](std::size_t i) noexcept { return begin()[i]; }
  const T& operator[](std::size_t i) const noexcept { return begin()[i]; }
  T& front() noexcept { return *begin(); }
  const T& front() const noexcept { return *begin(); }
  T& back() noexcept { return end()[-1]; }
  const T& back() const noexcept { return end()[-1]; }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t heap_bytes() const noexcept { return heap_ ? capacity() * sizeof(T) : 0; }

  // Nothing is allocated until there are more than `elements`. With a quarter more than asked for, moving to the front
  // will do when the end is reached.
  void reserve(std::size_t elements) {
    if (elements <= Inline && !heap_) return;
    const std::size_t room = elements + elements / 3 + 2;
    if (room > capacity()) move_to(room);
  }

  // The next push_back or insert allocates nothing.
  void make_room() {
    if (left_ == 0) [[unlikely]]
      move_or_grow();
  }

  void push_back(const T& value) {
    const T copy = value;
    make_room();
    begin_[size_++] = copy;
    --left_;
  }
  void pop_front() noexcept {
    ++begin_;
    if (--size_ == 0) clear();
  }
  void pop_back() noexcept {
    --size_;
    ++left_;
  }
  void clear() noexcept {
    left_ = static_cast<std::uint32_t>(capacity());
    begin_ = data();
    size_ = 0;
  }

  [[gnu::noinline]] T* insert(const T* at, const T& value) {
    const auto i = static_cast<std::size_t>(at - begin());
    if (i == size_) {
      push_back(value);
      return &back();
    }
    const T copy = value;
    if (head() > 0 && (i < size_ / 2 || left_ == 0)) {
      std::copy(begin(), begin() + i, begin() - 1);
      --begin_;
      ++size_;
    } else {
      push_back(back());
      std::copy_backward(begin() + i, end() - 2, end() - 1);
    }
    begin()[i] = copy;
    return begin() + i;
  }

  T* erase(const T* first, const T* last) noexcept {
    const auto i = static_cast<std::size_t>(first - begin());
    const auto n = static_cast<std::uint32_t>(last - first);
    if (i == 0) {
      begin_ += n;
    } else if (i < size_ - i - n) {
      std::copy_backward(begin(), begin() + i, begin() + i + n);
      begin_ += n;
    } else {
      std::copy(begin() + i + n, end(), begin() + i);
      left_ += n;
    }
    size_ -= n;
    if (size_ == 0) clear();
    return begin() + i;
  }

 private:
  T* data() noexcept { return heap_ ? heap_.get() : inline_.data(); }
  const T* data() const noexcept { return heap_ ? heap_.get() : inline_.data(); }
  std::size_t head() const noexcept { return static_cast<std::size_t>(begin_ - data()); }
  std::size_t capacity() const noexcept { return head() + size_ + left_; }

  // Leaves `other` empty.
  void take(flat_deque& other) noexcept {
    const std::size_t head = other.head();
    heap_ = std::move(other.heap_);
    size_ = std::exchange(other.size_, 0);
    left_ = std::exchange(other.left_, Inline);
    inline_ = other.inline_;
    begin_ = data() + head;
    other.begin_ = other.data();
  }

  void append(const flat_deque& other) noexcept {
    std::copy(other.begin(), other.end(), begin() + size_);
    size_ += other.size_;
    left_ -= other.size_;
  }

  [[gnu::noinline]] void move_or_grow() {
    if (head() > 0 && head() >= capacity() / 4) {
      std::copy(begin(), end(), data());
      left_ = static_cast<std::uint32_t>(head());
      begin_ = data();
    } else {
      move_to(2 * (std::size_t{size_} + 1));
    }
  }

  void move_to(std::size_t capacity) {
    auto moved = std::make_unique<T[]>(capacity);
    std::copy(begin(), end(), moved.get());
    heap_ = std::move(moved);
    begin_ = heap_.get();
    left_ = static_cast<std::uint32_t>(
        std::min<std::size_t>(capacity - size_, std::numeric_limits<std::uint32_t>::max() - size_));
  }

  std::unique_ptr<T[]> heap_;
  std::array<T, Inline> inline_;
  T* begin_ = inline_.data();
  std::uint32_t size_ = 0;
  std::uint32_t left_ = Inline;  // places behind the last
};

}  // namespace recoup::detail
