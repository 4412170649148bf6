// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

// The scorer of benchmarks/nab, with figures worked out by hand and against a scorer that knows nothing but the rules.
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "../../benchmarks/nab/scoring.hpp"
#include "catch.hpp"
#include "test_scale.hpp"

namespace {

using Catch::Matchers::WithinAbs;

const nab::profile standard{"standard", 1, 0.11, 1};
const nab::profile low_fp{"reward_low_FP_rate", 1, 0.22, 1};
const nab::profile low_fn{"reward_low_FN_rate", 1, 0.11, 2};

// Twenty rows, of which three are probation, with the window [10, 13].
const std::vector<nab::labels> one_file{{20, {{10, 13}}}};

// A score of 1 at these rows, else 0.
std::vector<std::vector<double>> alarms_at(std::initializer_list<std::size_t> rows) {
  std::vector<double> scores(20, 0.0);
  for (const std::size_t r : rows) scores[r] = 1;
  return {scores};
}

double score_of(std::initializer_list<std::size_t> rows, const nab::profile& p) {
  return nab::sweep(one_file, alarms_at(rows)).at(1, p, {1});
}

// What the rules say, threshold by threshold, row by row.
double points_by_the_rules(const nab::labels& file, const std::vector<double>& scores, double threshold,
                           const nab::profile& p) {
  const auto begin = static_cast<std::size_t>(std::min(std::floor(0.15 * static_cast<double>(file.rows)), 750.0));
  const auto sigmoid = [](double y) { return 2 / (1 + std::exp(5 * y)) - 1; };
  double points = 0;
  for (const nab::window& w : file.windows) {
    if (w.last < begin) continue;
    double best = -p.false_negative;
    for (std::size_t i = std::max(begin, w.first); i <= w.last; ++i) {
      if (scores[i] < threshold) continue;
      const double width = static_cast<double>(w.last) - static_cast<double>(w.first) + 1;
      const double position = -(static_cast<double>(w.last) - static_cast<double>(i) + 1) / width;
      best = std::max(best, p.true_positive * sigmoid(position) / sigmoid(-1));
    }
    points += best;
  }
  for (std::size_t i = begin; i < file.rows; ++i) {
    bool inside = false;
    double past = 3;
    for (const nab::window& w : file.windows) {
      inside |= w.first <= i && i <= w.last;
      if (w.last < i) past = static_cast<double>(i - w.last) / static_cast<double>(w.last - w.first);
    }
    if (!inside && scores[i] >= threshold) points += p.false_positive * (past >= 3 ? -1 : sigmoid(past));
  }
  return points;
}

double score_by_the_rules(const std::vector<nab::labels>& files, const std::vector<std::vector<double>>& scores,
                          double threshold, const nab::profile& p, const nab::multiplicities& times) {
  double points = 0, silent = 0, perfect = 0;
  for (std::size_t f = 0; f != files.size(); ++f) {
    points += times[f] * points_by_the_rules(files[f], scores[f], threshold, p);
    silent += times[f] * points_by_the_rules(files[f], scores[f], std::numeric_limits<double>::infinity(), p);
    perfect += times[f] * static_cast<double>(files[f].windows.size()) * p.true_positive;
  }
  return perfect > silent ? 100 * (points - silent) / (perfect - silent) : 0;
}

TEST_CASE("NAB's scale goes from a detector that never speaks to one that speaks at the left edge alone") {
  for (const auto& p : {standard, low_fp, low_fn}) {
    CHECK_THAT(score_of({}, p), WithinAbs(0, 1e-12));
    CHECK_THAT(score_of({10}, p), WithinAbs(100, 1e-12));
    CHECK_THAT(score_of({10, 11, 12, 13}, p), WithinAbs(100, 1e-12));
  }
}

TEST_CASE("NAB's scorer gives the figures that are worked out by hand") {
  // The window's last row lies at -1/4: tanh(0.625) / tanh(2.5) = 0.562124 of a point, on a scale of two: +1 and -1.
  CHECK_THAT(score_of({13}, standard), WithinAbs(100 * (0.562124 + 1) / 2, 1e-4));
  CHECK_THAT(score_of({13}, low_fn), WithinAbs(100 * (0.562124 + 2) / 3, 1e-4));
  // Before any window a false alarm costs its whole weight.
  CHECK_THAT(score_of({5}, standard), WithinAbs(-100 * 0.11 / 2, 1e-9));
  CHECK_THAT(score_of({5, 6}, low_fp), WithinAbs(-100 * 0.44 / 2, 1e-9));
  // The row behind it lies at 1/3: tanh(0.833333) = 0.682261 of the weight; the sixth behind at 2: tanh(5) = 0.999909.
  CHECK_THAT(score_of({10, 14}, standard), WithinAbs(100 * (2 - 0.11 * 0.682261) / 2, 1e-4));
  CHECK_THAT(score_of({10, 19}, standard), WithinAbs(100 * (2 - 0.11 * 0.999909) / 2, 1e-4));
  // What is said in the probation does not count.
  CHECK_THAT(score_of({0, 1, 2}, standard), WithinAbs(0, 1e-12));
  CHECK_THAT(score_of({3}, standard), WithinAbs(-100 * 0.11 / 2, 1e-9));
}

TEST_CASE("The probation is 15 per cent of a file and at most 750 rows") {
  CHECK(nab::probation(20) == 3);
  CHECK(nab::probation(19) == 2);
  CHECK(nab::probation(4'032) == 604);
  CHECK(nab::probation(5'000) == 750);
  CHECK(nab::probation(22'695) == 750);
  CHECK(nab::probation(0) == 0);
}

TEST_CASE("A NAB window that lies in the probation altogether can neither be missed nor found") {
  const std::vector<nab::labels> files{{20, {{0, 2}, {10, 13}}}};
  std::vector<std::vector<double>> scores = alarms_at({0, 1, 2, 10});
  // A point of two is out of reach: from -1 to +1 of what could be from -1 to +2.
  CHECK_THAT(nab::sweep(files, scores).at(1, standard, {1}), WithinAbs(100 * 2.0 / 3, 1e-9));
  const std::vector<nab::labels> straddled{{20, {{1, 4}}}};
  // Row 3 of it is the first that counts: at -1/2.
  CHECK_THAT(nab::sweep(straddled, alarms_at({1, 2, 3})).at(1, standard, {1}),
             WithinAbs(100 * (std::tanh(1.25) / std::tanh(2.5) + 1) / 2, 1e-9));
}

TEST_CASE("The NAB threshold is one for all files, the highest of the best") {
  const std::vector<nab::labels> files{{20, {{10, 13}}}, {20, {{5, 8}}}};
  std::vector<std::vector<double>> scores(2, std::vector<double>(20, 0.0));
  scores[0][10] = 7;    // found
  scores[0][4] = 3;     // false
  scores[1][5] = 2;     // found, and worth the false one above it
  scores[1][6] = 2;     // adds nothing, as does what is above the threshold
  scores[1][15] = 1.5;  // false
  const nab::sweep s(files, scores);
  const nab::outcome both = s.best(standard, {1, 1});
  CHECK(both.threshold == 2);
  CHECK_THAT(both.score, WithinAbs(100 * (4 - 0.11) / 4, 1e-9));
  const nab::outcome first = s.best(standard, {1, 0});
  CHECK(first.threshold == 7);
  CHECK_THAT(first.score, WithinAbs(100, 1e-9));
  CHECK_THAT(s.at(2, standard, {1, 0}), WithinAbs(100 * (2 - 0.11) / 2, 1e-9));
  // Where nothing gains, nothing is an alarm.
  const nab::profile harsh{"harsh", 1, 5, 1};
  const nab::outcome silent = nab::sweep(one_file, alarms_at({5})).best(harsh, {1});
  CHECK(silent.score == 0);
  CHECK(silent.threshold == std::numeric_limits<double>::infinity());
}

TEST_CASE("NAB's scorer and the rules agree on random files, thresholds, profiles and choices of files") {
  std::mt19937_64 random(20'150'815);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::uint64_t round = 0; round != 60 * test_scale(); ++round) {
    std::vector<nab::labels> files(1 + below(4));
    std::vector<std::vector<double>> scores;
    nab::multiplicities times;
    std::set<double> thresholds;
    const std::size_t levels = 1 + below(12);
    for (nab::labels& file : files) {
      file.rows = below(90);
      for (std::size_t at = below(30); at + 2 < file.rows; at += 2 + below(30)) {
        const std::size_t last = std::min(file.rows - 1, at + 1 + below(9));
        file.windows.push_back({at, last});
        at = last;
      }
      scores.emplace_back();
      for (std::size_t i = 0; i != file.rows; ++i) scores.back().push_back(static_cast<double>(below(levels)) / 4);
      thresholds.insert(scores.back().begin(), scores.back().end());
      times.push_back(static_cast<std::uint32_t>(below(3)));
    }
    const nab::sweep s(files, scores);
    for (const auto& p : {standard, low_fp, low_fn}) {
      double best = 0;
      for (const double t : thresholds) {
        const double wanted = score_by_the_rules(files, scores, t, p, times);
        CHECK_THAT(s.at(t, p, times), WithinAbs(wanted, 1e-9));
        best = std::max(best, wanted);
      }
      const nab::outcome found = s.best(p, times);
      CHECK_THAT(found.score, WithinAbs(best, 1e-9));
      CHECK_THAT(score_by_the_rules(files, scores, found.threshold, p, times), WithinAbs(best, 1e-9));
    }
  }
}

TEST_CASE("A NAB file's tally counts windows found, rows and episodes of false alarms") {
  const nab::labels truth{20, {{5, 7}, {10, 13}}};
  std::vector<double> scores(20, 0.0);
  for (const std::size_t i : {0U, 1U, 2U, 3U, 4U, 6U, 8U, 9U, 14U, 15U, 18U}) scores[i] = 1;
  const nab::tally t = nab::tally_of(truth, scores, 1);
  CHECK(t.found == 1);
  CHECK(t.false_rows == 7);
  CHECK(t.false_episodes == 4);
  CHECK(nab::tally_of(truth, scores, 2).false_rows == 0);
  CHECK(nab::tally_of(truth, scores, 0).found == 2);
}

}  // namespace
