// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace recoup {

/// Which value is the most frequent one so far, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, 2005).
/// Exact while there are no more distinct values than `capacity`; beyond that a count is too high by at most
/// learnt / capacity. Of equally frequent values the one that got there first counts as more frequent.
///
/// Cost: O(capacity) to learn, O(1) to ask. Bytes: capacity * (sizeof(Value) + 8), taken at construction.
template <class Value>
class frequent_values {
 public:
  explicit frequent_values(std::size_t capacity = 64) : capacity_(capacity) {
    detail::require_option(capacity >= 1, "frequent_values needs a capacity of at least 1 value");
    counted_.reserve(capacity);
  }

  void learn(const Value& value) {
    std::size_t at = 0;
    std::size_t rarest = 0;
    for (; at < counted_.size() && !(counted_[at].value == value); ++at) {
      if (counted_[at].count < counted_[rarest].count) rarest = at;
    }
    if (at == counted_.size()) {
      if (at < capacity_) {
        counted_.push_back({value, 0});
      } else {
        at = rarest;
        counted_[at].value = value;  // inherits the count, which bounds its error
      }
    }
    ++counted_[at].count;
    if (counted_[at].count > counted_[top_].count) top_ = at;
  }

  /// The most frequent value; nothing before the first.
  [[nodiscard]] std::optional<Value> top() const {
    return counted_.empty() ? std::nullopt : std::optional<Value>(counted_[top_].value);
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept { return detail::combine({capacity_}); }
  [[nodiscard]] frequent_values empty_copy() const { return frequent_values(capacity_); }

  void save(snapshot_writer& w) const {
    w.u64(counted_.size());
    w.u64(top_);
    for (const counted& c : counted_) {
      w.value(c.value);
      w.u64(c.count);
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    const std::size_t size = r.count(capacity_);
    const auto top = static_cast<std::size_t>(r.u64());
    if (!r.ok() || top > size || (top == size && size > 0)) return false;
    std::vector<counted> loaded;
    loaded.reserve(capacity_);
    for (std::size_t i = 0; i < size; ++i) {
      counted c{};
      if (!r.value(c.value)) return false;
      c.count = r.u64();
      loaded.push_back(std::move(c));
    }
    const auto is_at_most_top = [&](const counted& c) { return c.count >= 1 && c.count <= loaded[top].count; };
    if (!r.ok() || !std::all_of(loaded.begin(), loaded.end(), is_at_most_top)) return false;
    counted_ = std::move(loaded);
    top_ = top;
    return true;
  }

 private:
  struct counted {
    Value value;
    std::uint64_t count = 0;
  };

  std::size_t capacity_;
  std::vector<counted> counted_;
  std::size_t top_ = 0;
};

}  // namespace recoup
