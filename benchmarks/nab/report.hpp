// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "bootstrap.hpp"
#include "contestant.hpp"
#include "corpus.hpp"
#include "halves.hpp"
#include "perturbation.hpp"
#include "scoring.hpp"

namespace nab {

// What a contestant scored with its parameters as shipped.
struct result {
  std::string name, what;
  std::vector<outcome> outcomes;  // a profile
  std::vector<tally> tallies;     // a file, at the threshold of the standard profile
  interval resampled;
};

std::string table_of(const corpus& files, const std::vector<result>& results, std::size_t resamples);

// A line a file.
std::string files_of(const corpus& files, const result& r);

std::string halves_of(const contestant& c, const split_half& h, const halves_options& options);

std::string perturbed_of(const contestant& c, const perturbed& p);

}  // namespace nab
