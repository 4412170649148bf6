// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "recoup/core/time.hpp"
#include "recoup/dedup/bloom_window.hpp"

namespace peers {

/// A Bloom filter in front of an exact window, which is asked only for keys that the filter knows. The filter renews: a
/// key that it takes for another must be stored all the same.
template <class Exact>
class filter_and_exact {
 public:
  explicit filter_and_exact(std::size_t window)
      : filter_({.events = window + window / 10, .renew = true}), exact_({.events = window}) {}

  bool is_duplicate(std::uint64_t key, std::uint64_t now) {
    const recoup::timestamp at{recoup::duration(now)};
    const bool is_known = filter_.observe(key, at).is_duplicate && exact_.judge(key, at).is_duplicate;
    if (!is_known) exact_.observe(key, at);
    return is_known;
  }

 private:
  recoup::bloom_window filter_;
  Exact exact_;
};

}  // namespace peers
