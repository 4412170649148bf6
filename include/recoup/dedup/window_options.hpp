// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "recoup/core/time.hpp"

namespace recoup {

/// Of integer_window, fingerprint_window and compact_window.
struct window_options {
  std::size_t events = 1 << 16;    ///< keys remembered at least, 1 to 2^32; then the oldest go
  duration age = duration::max();  ///< a key older than this is new again
  std::uint64_t seed = 0;          ///< of the hash; choose one that an attacker doesn't know
  bool renew = false;              ///< a duplicate makes its key young again
};

}  // namespace recoup
