// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

// The scoring of the Numenta Anomaly Benchmark, version 1.1 (Lavin and Ahmad: Evaluating Real-Time Anomaly Detection
// Algorithms, ICMLA 2015). A row is an alarm where its score reaches the threshold, which is one for all files. The
// earliest alarm in a window of truth earns the more the earlier it is; a window without one costs; and so does every
// alarm outside, the less the closer it follows a window.
namespace nab {

// What a right alarm earns, and what a false one and a missed window cost.
struct profile {
  std::string name;
  double true_positive, false_positive, false_negative;
};

// Rows of a file, both of them in it.
struct window {
  std::size_t first, last;
};

struct labels {
  std::size_t rows;
  std::vector<window> windows;  // in order, apart
};

// So many rows at the beginning of a file are for learning alone: nothing that is said of them counts.
inline std::size_t probation(std::size_t rows) { return std::min<std::size_t>(rows * 15 / 100, 750); }

// What an alarm is worth: nearly 1 at the left edge of a window (-1), 0 at its right edge (0), nearly -1 a window's
// length behind it (1).
inline double worth(double position) { return position >= 3 ? -1 : 2 / (1 + std::exp(5 * position)) - 1; }

// How a file comes off at a threshold.
struct tally {
  std::size_t found = 0;           // windows with an alarm
  std::size_t false_rows = 0;      // alarms outside of windows
  std::size_t false_episodes = 0;  // of which so many do not follow directly on another
};

inline tally tally_of(const labels& truth, std::span<const double> scores, double threshold) {
  tally t;
  auto next = truth.windows.begin();
  bool found = false, alarmed = false;
  for (std::size_t i = 0; i != truth.rows; ++i) {
    const bool inside = next != truth.windows.end() && i >= next->first;
    const bool alarm = i >= probation(truth.rows) && scores[i] >= threshold;
    if (alarm && !inside) {
      ++t.false_rows;
      if (!alarmed) ++t.false_episodes;
    }
    found |= alarm && inside;
    alarmed = alarm;
    if (inside && i == next->last) {
      t.found += found;
      found = false;
      ++next;
    }
  }
  return t;
}

// How often each file counts: once or not at all, as halves have it, or several times, as resampling does.
using multiplicities = std::vector<std::uint32_t>;

struct outcome {
  double threshold = std::numeric_limits<double>::infinity();
  double score = 0;  // 0 for a detector that never speaks, 100 for one that speaks at each window's left edge alone
};

// Everything that a detector said of all files, in descending order of score, as what each row adds to the points when
// the threshold sinks to it. Points of any choice of files, profile and threshold are then one pass.
class sweep {
 public:
  // One vector of scores a file, a score a row; neither NaN nor negative.
  sweep(std::span<const labels> files, std::span<const std::vector<double>> scores) {
    for (std::size_t f = 0; f != files.size(); ++f) add(files[f], scores[f]);
    std::sort(steps_.begin(), steps_.end(), [](const step& a, const step& b) { return a.score > b.score; });
  }

  // At the threshold that suits these very files best; of several such the highest.
  outcome best(const profile& p, const multiplicities& times) const {
    outcome found;
    double points = 0, most = 0;
    for (std::size_t i = 0; i != steps_.size(); ++i) {
      points += times[steps_[i].file] * added(p, steps_[i]);
      if (points > most && (i + 1 == steps_.size() || steps_[i + 1].score != steps_[i].score)) {
        most = points;
        found.threshold = steps_[i].score;
      }
    }
    found.score = normalised(p, times, most);
    return found;
  }

  double at(double threshold, const profile& p, const multiplicities& times) const {
    double points = 0;
    for (const step& s : steps_) {
      if (s.score < threshold) break;
      points += times[s.file] * added(p, s);
    }
    return normalised(p, times, points);
  }

 private:
  enum class kind : std::uint8_t { first_in_window, earlier_in_window, false_alarm };

  struct step {
    double score;
    double worth;  // of earlier_in_window: the surplus over the row that scores higher
    std::uint32_t file;
    kind what;
  };

  struct window_counts {
    std::uint32_t all = 0, judged = 0;  // some windows may lie in the probation altogether
  };

  void add(const labels& truth, std::span<const double> scores) {
    const auto file = static_cast<std::uint32_t>(windows_.size());
    window_counts counts;
    const std::size_t begin = probation(truth.rows);
    std::size_t row = begin;
    const window* before = nullptr;
    const auto add_false_alarms = [&](std::size_t end) {
      for (; row < end; ++row) steps_.push_back({scores[row], worth_behind(before, row), file, kind::false_alarm});
    };
    for (const window& w : truth.windows) {
      add_false_alarms(w.first);
      ++counts.all;
      counts.judged += w.last >= begin;
      add_window(w, std::max(begin, w.first), scores, file);
      row = std::max(row, w.last + 1);
      before = &w;
    }
    add_false_alarms(truth.rows);
    windows_.push_back(counts);
  }

  // Of the rows in a window those alone matter that score higher than all before them.
  void add_window(const window& w, std::size_t begin, std::span<const double> scores, std::uint32_t file) {
    double highest = -1;
    for (std::size_t row = begin; row <= w.last; ++row) {
      if (scores[row] <= highest) continue;
      const double here = -static_cast<double>(w.last - row + 1) / static_cast<double>(w.last - w.first + 1);
      const double earned = worth(here) / worth(-1);
      if (highest >= 0) {
        steps_.back().what = kind::earlier_in_window;
        steps_.back().worth -= earned;
      }
      highest = scores[row];
      steps_.push_back({highest, earned, file, kind::first_in_window});
    }
  }

  static double worth_behind(const window* w, std::size_t row) {
    return w == nullptr ? -1 : worth(static_cast<double>(row - w->last) / static_cast<double>(w->last - w->first));
  }

  // What a step adds to the points, which begin at those of a detector that never speaks.
  static double added(const profile& p, const step& s) {
    if (s.what == kind::false_alarm) return p.false_positive * s.worth;
    return p.true_positive * s.worth + (s.what == kind::first_in_window ? p.false_negative : 0);
  }

  double normalised(const profile& p, const multiplicities& times, double points) const {
    double all = 0, judged = 0;
    for (std::size_t f = 0; f != windows_.size(); ++f) {
      all += times[f] * static_cast<double>(windows_[f].all);
      judged += times[f] * static_cast<double>(windows_[f].judged);
    }
    const double perfect = all * p.true_positive + judged * p.false_negative;
    return perfect > 0 ? 100 * points / perfect : 0;
  }

  std::vector<step> steps_;
  std::vector<window_counts> windows_;  // a file
};

}  // namespace nab
