// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "parallel.hpp"
#include "random.hpp"

namespace nab {

interval bootstrap(const sweep& s, const profile& p, std::size_t files, std::size_t draws, std::uint64_t seed) {
  if (draws == 0) return {};
  random_source random(seed);
  std::vector<multiplicities> drawn(draws, multiplicities(files));
  for (multiplicities& times : drawn) {
    for (std::size_t i = 0; i != files; ++i) ++times[random.below(files)];
  }
  std::vector<double> scores(draws);
  for_each_index(draws, [&](std::size_t i) { scores[i] = s.best(p, drawn[i]).score; });
  std::sort(scores.begin(), scores.end());
  const auto quantile = [&](double q) {
    return scores[static_cast<std::size_t>(std::round(q * static_cast<double>(draws - 1)))];
  };
  return {quantile(0.025), quantile(0.975)};
}

}  // namespace nab
