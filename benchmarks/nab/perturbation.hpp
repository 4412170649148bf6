// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "contestant.hpp"
#include "corpus.hpp"
#include "summary.hpp"

namespace nab {

// What a detector scores with parameters near those it ships with: of every draw all of them at once, each multiplied
// by a factor of its own from [0.9, 1.1).
struct perturbed {
  summary best_threshold;  // of each draw
  summary same_threshold;  // that of the parameters as shipped
  summary with_facts;      // the facts perturbed as well, the threshold the best for each draw; empty if there are none
};

perturbed perturb(const contestant& c, const corpus& files, double threshold, std::size_t count, std::uint64_t seed);

}  // namespace nab
