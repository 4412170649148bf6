// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "perturbation.hpp"

#include <vector>

#include "parallel.hpp"
#include "random.hpp"

namespace nab {

namespace {

struct draw {
  std::vector<double> factors;
  double best = 0, same = 0;
};

void run_all(std::vector<draw>& draws, const contestant& c, const corpus& files, double threshold) {
  const profile& standard = files.profiles.front();
  const multiplicities all(files.files.size(), 1);
  for_each_index(draws.size(), [&](std::size_t i) {
    const sweep s(files.truth, run(c, draws[i].factors, files));
    draws[i].best = s.best(standard, all).score;
    draws[i].same = s.at(threshold, standard, all);
  });
}

}  // namespace

perturbed perturb(const contestant& c, const corpus& files, double threshold, std::size_t count, std::uint64_t seed) {
  random_source random(seed);
  std::vector<draw> draws(count, draw{as_shipped(c)});
  const auto perturb_from = [&](std::size_t first, std::size_t end) {
    for (draw& d : draws) {
      for (std::size_t p = first; p != end; ++p) d.factors[p] = random.between(0.9, 1.1);
    }
    run_all(draws, c, files, threshold);
  };
  perturbed p;
  perturb_from(0, c.parameters.size());
  for (const draw& d : draws) {
    p.best_threshold.add(d.best);
    p.same_threshold.add(d.same);
  }
  if (c.facts.empty()) return p;
  perturb_from(c.parameters.size(), c.parameters.size() + c.facts.size());
  for (const draw& d : draws) p.with_facts.add(d.best);
  return p;
}

}  // namespace nab
