// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "scoring.hpp"

namespace nab {

struct interval {
  double low = 0, high = 0;
};

// The middle 95 % of the scores that a detector reaches on other draws of files: as many as there are, each with
// replacement, the threshold the best for each draw. The same seed draws the same files for every detector.
interval bootstrap(const sweep& s, const profile& p, std::size_t files, std::size_t draws, std::uint64_t seed);

}  // namespace nab
