// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace nab {

namespace {

tally sum(const std::vector<tally>& tallies) {
  tally all;
  for (const tally& t : tallies) {
    all.found += t.found;
    all.false_rows += t.false_rows;
    all.false_episodes += t.false_episodes;
  }
  return all;
}

const std::string heading = fmt::format("  {:<53}{:>6}   {}\n", "", "mean", "least to most");

std::string line_of(std::string_view what, const summary& s) {
  return fmt::format("  {:<53}{:6.2f}   {:6.2f} to {:6.2f}\n", what, s.mean(), s.least(), s.most());
}

}  // namespace

std::string table_of(const corpus& files, const std::vector<result>& results, std::size_t resamples) {
  std::size_t rows = 0, windows = 0;
  for (const labels& truth : files.truth) {
    rows += truth.rows;
    windows += truth.windows.size();
  }
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "Numenta Anomaly Benchmark: {} files, {} rows, {} windows of truth.\n", files.files.size(), rows,
                 windows);
  text +=
      "One set of parameters for all files, and one threshold: the best for these very files, as the benchmark has "
      "it,\n"
      "a profile. Threshold, windows found and false alarms are those of the standard profile; its resamples are of\n"
      "files, each with a threshold of its own.\n\n";
  fmt::format_to(out, "{:<18}{:>8}{:>8}{:>8}{:>11}{:>7}{:>13}{:>10}", "detector", "standard", "low FP", "low FN",
                 "threshold", "found", "false: rows", "episodes");
  if (resamples != 0) fmt::format_to(out, "  95 % of {} resamples", resamples);
  text += '\n';
  for (const result& r : results) {
    const tally all = sum(r.tallies);
    fmt::format_to(out, "{:<18}{:8.2f}{:8.2f}{:8.2f}{:>11.4g}{:7}{:13}{:10}", r.name, r.outcomes[0].score,
                   r.outcomes[1].score, r.outcomes[2].score, r.outcomes[0].threshold, all.found, all.false_rows,
                   all.false_episodes);
    if (resamples != 0) fmt::format_to(out, "  {:.2f} to {:.2f}", r.resampled.low, r.resampled.high);
    text += '\n';
  }
  text += '\n';
  for (const result& r : results) fmt::format_to(out, "{:<18}{}\n", r.name, r.what);
  return text;
}

std::string files_of(const corpus& files, const result& r) {
  std::string text = fmt::format("\n{}, at the standard threshold {}\n{:<60}{:>8}{:>14}{:>10}\n", r.name,
                                 r.outcomes.front().threshold, "file", "found", "false: rows", "episodes");
  for (std::size_t f = 0; f != files.files.size(); ++f) {
    const tally& t = r.tallies[f];
    const std::string found = fmt::format("{}/{}", t.found, files.truth[f].windows.size());
    fmt::format_to(std::back_inserter(text), "{:<60}{:>8}{:14}{:10}\n", files.files[f].name, found, t.false_rows,
                   t.false_episodes);
  }
  return text;
}

std::string halves_of(const contestant& c, const split_half& h, const halves_options& options) {
  const std::string start =
      options.astray == 1 ? "as shipped" : fmt::format("each off by a random factor up to {}", options.astray);
  return fmt::format("\n{}, split-half, standard profile: {} halves scored, {} parameters\n", c.name,
                     h.tuning_half.count(), c.parameters.size()) +
         fmt::format(
             "tuned on the other half by coordinate steps of 0.8, 1 and 1.25, beginning {}; passes: {}; points tried: "
             "{}\n",
             start, options.passes, h.points_tried) +
         heading + line_of("tuned, threshold of the tuning half (strict)", h.tuned_carried_threshold) +
         line_of("tuned, threshold the best for the scored half", h.tuned_own_threshold) +
         line_of("as shipped, threshold of the other half", h.shipped_carried_threshold) +
         line_of("as shipped, threshold the best for the scored half", h.shipped_own_threshold) +
         line_of("for comparison: tuned, on the tuning half itself", h.tuning_half);
}

std::string perturbed_of(const contestant& c, const perturbed& p) {
  std::string text = fmt::format("\n{}, all {} parameters perturbed by up to 10 %, standard profile, {} draws\n",
                                 c.name, c.parameters.size(), p.best_threshold.count());
  text += heading + line_of("threshold the best for each draw", p.best_threshold) +
          line_of("threshold of the parameters as shipped", p.same_threshold);
  if (p.with_facts.count() != 0) {
    text += line_of(fmt::format("{} perturbed too, best threshold", fmt::join(c.facts, ", ")), p.with_facts);
  }
  return text;
}

}  // namespace nab
