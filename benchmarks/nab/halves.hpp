// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "contestant.hpp"
#include "corpus.hpp"
#include "summary.hpp"

namespace nab {

// How a detector does on files that nothing was tuned on. The files are split at random into halves, each with half of
// every folder; one half is for tuning, the other is scored, and then the other way round.
//
// Tuning is coordinate steps: one parameter after the other is multiplied by 0.8, 1 and 1.25, and stays where the
// tuning half scores highest, its threshold the best for that half. It begins with the parameters as shipped, of which
// those who chose them may have seen all files; or, to be free of that, astray.
struct halves_options {
  std::size_t splits = 5;
  std::size_t passes = 1;  // over the parameters, at most: it ends where nothing gains
  double astray = 1;       // every parameter begins off by a random factor, from 1 / astray to astray
  std::uint64_t seed = 1;
};

struct split_half {
  // The parameters as shipped, so that only the threshold is at stake.
  summary shipped_own_threshold;      // the best for the scored half, as the benchmark's own figure has it
  summary shipped_carried_threshold;  // the best for the tuning half
  // The parameters tuned on the other half.
  summary tuned_own_threshold;
  summary tuned_carried_threshold;  // the scored half has decided nothing
  summary tuning_half;              // what the tuned parameters score where they were tuned
  std::size_t points_tried = 0;     // sets of parameters
};

split_half measure_halves(const contestant& c, const corpus& files, const halves_options& options);

}  // namespace nab
