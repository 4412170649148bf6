// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// nab: recoup's detectors on the Numenta Anomaly Benchmark, and how much of each figure is luck or tuning.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bootstrap.hpp"
#include "contestant.hpp"
#include "corpus.hpp"
#include "halves.hpp"
#include "parallel.hpp"
#include "perturbation.hpp"
#include "report.hpp"
#include "result_files.hpp"
#include "scoring.hpp"

namespace {

struct settings {
  std::filesystem::path root, out;
  std::vector<std::string> detectors;
  bool files = false;
  std::size_t perturb = 30, bootstrap = 1000;
  nab::halves_options halves;
  std::uint64_t seed = 1;
};

template <class... Arguments>
void progress(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  fmt::print(stderr, text, std::forward<Arguments>(arguments)...);
}

nab::result measure(const nab::contestant& c, const nab::corpus& corpus, const settings& wanted) {
  const auto scores = nab::run(c, nab::as_shipped(c), corpus);
  if (!wanted.out.empty()) nab::write_result_files(wanted.out, c.name, corpus, scores);
  const nab::sweep sweep(corpus.truth, scores);
  nab::result r{c.name, c.what, {}, {}, {}};
  for (const nab::profile& p : corpus.profiles) {
    r.outcomes.push_back(sweep.best(p, nab::multiplicities(corpus.files.size(), 1)));
  }
  for (std::size_t f = 0; f != corpus.files.size(); ++f) {
    r.tallies.push_back(nab::tally_of(corpus.truth[f], scores[f], r.outcomes.front().threshold));
  }
  r.resampled = nab::bootstrap(sweep, corpus.profiles.front(), corpus.files.size(), wanted.bootstrap, wanted.seed);
  return r;
}

void report(const settings& wanted) {
  const auto corpus = nab::read_corpus(wanted.root);
  std::vector<nab::contestant> contestants;
  for (const auto& c : nab::all_contestants()) {
    const auto& names = wanted.detectors;
    if (names.empty() || std::find(names.begin(), names.end(), c.name) != names.end()) contestants.push_back(c);
  }
  std::vector<nab::result> results(contestants.size());
  nab::for_each_index(contestants.size(), [&](std::size_t i) {
    progress("{}: {} files\n", contestants[i].name, corpus.files.size());
    results[i] = measure(contestants[i], corpus, wanted);
  });
  fmt::print("{}", nab::table_of(corpus, results, wanted.bootstrap));
  if (wanted.files) {
    for (const auto& r : results) fmt::print("{}", nab::files_of(corpus, r));
  }
  for (std::size_t i = 0; i != contestants.size(); ++i) {
    const auto& c = contestants[i];
    if (c.parameters.empty() || (wanted.detectors.empty() && c.name != "value_detector")) continue;
    if (wanted.halves.splits != 0) {
      progress("{}: split-half, {} splits\n", c.name, wanted.halves.splits);
      fmt::print("{}", nab::halves_of(c, nab::measure_halves(c, corpus, wanted.halves), wanted.halves));
    }
    if (wanted.perturb != 0) {
      progress("{}: {} perturbations\n", c.name, wanted.perturb);
      const double threshold = results[i].outcomes.front().threshold;
      fmt::print("{}", nab::perturbed_of(c, nab::perturb(c, corpus, threshold, wanted.perturb, wanted.seed)));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    settings wanted;
    std::vector<std::string> names;
    for (const auto& c : nab::all_contestants()) names.push_back(c.name);
    CLI::App app("recoup's detectors on the Numenta Anomaly Benchmark (https://github.com/numenta/NAB).");
    app.add_option("PATH", wanted.root, "a checkout of the benchmark: data/, labels/, profiles.json")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_option("--detector", wanted.detectors,
                   "only this one, split-half and perturbed even if it is not value_detector; may be repeated")
        ->check(CLI::IsMember(names));
    app.add_option("--out", wanted.out, "writes the benchmark's result files below this directory");
    app.add_flag("--files", wanted.files, "a line a file: windows found, false alarms");
    app.add_option("--perturb", wanted.perturb, "draws of perturbed parameters; 0 for none")->capture_default_str();
    app.add_option("--bootstrap", wanted.bootstrap, "draws of files; 0 for none")->capture_default_str();
    app.add_option("--halves", wanted.halves.splits, "splits into halves; 0 for none")->capture_default_str();
    app.add_option("--passes", wanted.halves.passes, "of tuning over the parameters, at most")->capture_default_str();
    app.add_option("--astray", wanted.halves.astray,
                   "tuning begins with every parameter off by a random factor of up to this")
        ->check(CLI::Range(1.0, 4.0))
        ->capture_default_str();
    app.add_option("--seed", wanted.seed, "of everything that is drawn")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    wanted.halves.seed = wanted.seed;
    report(wanted);
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "nab: {}\n", e.what());
    return 1;
  }
}
