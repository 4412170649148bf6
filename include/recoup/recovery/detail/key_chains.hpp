// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/hash_index.hpp"
#include "recoup/recovery/detail/rank_order.hpp"
#include "recoup/recovery/detail/recovery_lines.hpp"

namespace recoup::detail {

// The items of each key in the order of their pushes: the first is at large, those behind it are blocked, and `link` of
// their record is the one before. O(1).
class key_chains {
 public:
  static constexpr std::size_t bytes_per_item =
      sizeof(std::uint64_t) + sizeof(std::uint32_t) + hash_index::bytes_for(1) - hash_index::bytes_for(0);
  static constexpr std::size_t bytes_for(std::size_t capacity) noexcept {
    return capacity * (sizeof(std::uint64_t) + sizeof(std::uint32_t)) + hash_index::bytes_for(capacity);
  }

  key_chains(std::size_t capacity, std::uint64_t seed)
      : keys_(capacity), next_(capacity), last_of_(capacity), seed_(seed) {}

  std::uint64_t key_of(std::uint32_t place) const noexcept { return keys_[place]; }

  // Puts an item behind the others of its key; whether there are any.
  bool append(recovery_lines& lines, std::uint32_t place, std::uint64_t key) noexcept {
    const std::uint32_t tag = tag_of(key);
    const auto at = find(key, tag);
    keys_[place] = key;
    next_[place] = no_node;
    lines[place].is_keyed = true;
    if (at.found == hash_index::none) {
      last_of_.insert(at, tag, place);
      return false;
    }
    next_[at.found] = place;
    lines[place].link = at.found;
    last_of_.move(at, place);
    return true;
  }

  // Takes an item out; returns the one that is the first of its key from now on for that, or no_node.
  std::uint32_t remove(recovery_lines& lines, std::uint32_t place) noexcept {
    const bool is_first = lines[place].stands != standing::blocked;
    const std::uint32_t before = is_first ? no_node : lines[place].link;
    const std::uint32_t after = next_[place];
    if (!is_first) next_[before] = after;
    if (after != no_node) {
      lines[after].link = before;
      return is_first ? after : no_node;
    }
    const auto at = find(keys_[place], tag_of(keys_[place]));
    if (is_first) {
      last_of_.erase(at);
    } else {
      last_of_.move(at, before);
    }
    return no_node;
  }

 private:
  std::uint32_t tag_of(std::uint64_t key) const noexcept { return hash_index::tag_of(combine({seed_, key})); }
  hash_index::place find(std::uint64_t key, std::uint32_t tag) const {
    return last_of_.find(tag, [&](std::uint32_t place) { return keys_[place] == key; });
  }

  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> next_;  // behind it, of the same key
  hash_index last_of_;               // the last item of a key
  std::uint64_t seed_;
};

}  // namespace recoup::detail
