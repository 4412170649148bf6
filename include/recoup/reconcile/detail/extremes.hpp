// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "recoup/core/snapshot_bytes.hpp"

namespace recoup::detail {

// The first of many values in an order, also after some have been taken back, by keeping the first few. Those kept are
// exactly the first of all; once they have all been taken back, what remains is known to lie at or behind `bound`, and
// a value that comes at or before it is the first again.
template <class Value, class Before>
class extremes {
 public:
  static constexpr std::size_t most = 8;

  // `others`: how many values there are besides.
  void add(const Value& value, std::uint64_t others) noexcept {
    const Before before;
    if (kept_ == 0 && others != 0) {
      if (!before(bound_, value)) put(value);
    } else if (kept_ == others && kept_ < most) {
      put(value);  // all of them are kept
    } else if (before(value, values_[kept_ - 1])) {
      if (kept_ == most) --kept_;
      put(value);
    }
  }
  // False, and nothing changes, if there can't have been such a value.
  [[nodiscard]] bool remove(const Value& value) noexcept {
    const Before before;
    for (std::size_t i = 0; i < kept_; ++i) {
      if (before(value, values_[i])) return false;
      if (before(values_[i], value)) continue;
      if (kept_ == 1) bound_ = values_[0];
      std::copy(values_.begin() + static_cast<std::ptrdiff_t>(i + 1),
                values_.begin() + static_cast<std::ptrdiff_t>(kept_), values_.begin() + static_cast<std::ptrdiff_t>(i));
      --kept_;
      return true;
    }
    return kept_ != 0 || !before(value, bound_);
  }

  // Whether `first` is the first of all; else it is a bound.
  [[nodiscard]] bool is_exact() const noexcept { return kept_ != 0; }
  [[nodiscard]] const Value& first() const noexcept { return kept_ != 0 ? values_[0] : bound_; }
  [[nodiscard]] std::size_t kept() const noexcept { return kept_; }

  void save(snapshot_writer& w) const {
    w.u8(kept_);
    w.value(bound_);
    for (std::size_t i = 0; i < kept_; ++i) w.value(values_[i]);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    kept_ = r.u8();
    if (kept_ > most || !r.value(bound_)) return false;
    const Before before;
    for (std::size_t i = 0; i < kept_; ++i) {
      if (!r.value(values_[i]) || (i > 0 && before(values_[i], values_[i - 1])) || values_[i] != values_[i])
        return false;
    }
    return r.ok() && bound_ == bound_;
  }

 private:
  void put(const Value& value) noexcept {
    const Before before;
    std::size_t at = kept_++;
    for (; at > 0 && before(value, values_[at - 1]); --at) values_[at] = values_[at - 1];
    values_[at] = value;
  }

  std::array<Value, most> values_{};
  Value bound_{};
  std::uint8_t kept_ = 0;
};

}  // namespace recoup::detail
