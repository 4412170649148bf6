// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>

namespace fuzz {

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Bytes as choices; zeros when there are no more.
class input {
 public:
  explicit input(std::span<const std::uint8_t> data) : left_(data) {}
  bool empty() const { return left_.empty(); }
  std::uint8_t next() {
    if (left_.empty()) return 0;
    const std::uint8_t value = left_.front();
    left_ = left_.subspan(1);
    return value;
  }
  // Nothing where the byte is even: so many options are left as they are.
  std::optional<std::uint64_t> maybe() {
    const std::uint8_t value = next();
    return value % 2 == 0 ? std::nullopt : std::optional<std::uint64_t>(value / 2);
  }

 private:
  std::span<const std::uint8_t> left_;
};

}  // namespace fuzz
