// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <recoup/anomaly/count_detector.hpp>
#include <recoup/anomaly/cusum.hpp>
#include <recoup/anomaly/detector.hpp>
#include <recoup/anomaly/ewma.hpp>
#include <recoup/anomaly/holt_winters.hpp>
#include <recoup/anomaly/page_hinkley.hpp>
#include <recoup/anomaly/value_detector.hpp>
#include <recoup/anomaly/welford.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "baselines.hpp"
#include "contestant.hpp"

namespace nab {

namespace {

template <class Detector, class Options>
contestant baseline(std::string name, std::string what, variables<Options> vary) {
  return contestant_of(std::move(name), std::move(what), Options{}, std::move(vary), [](const Options& options) {
    return [d = Detector(options)](recoup::timestamp, double value) mutable { return d.update(value); };
  });
}

template <recoup::detector Detector, class Options>
contestant component(std::string name, std::string what, variables<Options> vary) {
  return contestant_of(std::move(name), std::move(what), Options{}, std::move(vary), [](const Options& options) {
    return [d = Detector(options)](recoup::timestamp at, double value) mutable { return d.update(at, value).score; };
  });
}

// Of every detector's options all numbers are here but those that are 0 or infinite as shipped, as no factor would
// change them.

contestant value_detector() {
  using options = recoup::value_detector_options;
  return component<recoup::value_detector, options>("value_detector", "for a metric that nobody has looked at",
                                                    {{{"warm_up", &options::warm_up, 50},
                                                      {"level_weight", &options::level_weight},
                                                      {"season_weight", &options::season_weight},
                                                      {"change_weight", &options::change_weight},
                                                      {"drift_weight", &options::drift_weight},
                                                      {"pattern_weight", &options::pattern_weight},
                                                      {"lasting_weight", &options::lasting_weight},
                                                      {"tail_share", &options::tail_share, 0, 0.5},
                                                      {"tail_step", &options::tail_step, 0, 1},
                                                      {"tail_rate", &options::tail_rate, 0, 1},
                                                      {"tail_shape", &options::tail_shape, 0, 2},
                                                      {"level_rate", &options::level_rate, 0, 1},
                                                      {"origin_rate", &options::origin_rate, 0, 1},
                                                      {"drift_rate", &options::drift_rate, 0, 1},
                                                      {"scale_rate", &options::scale_rate, 0, 1},
                                                      {"season_rate", &options::season_rate, 0, 1},
                                                      {"spread_trust", &options::spread_trust, 0, 0.9},
                                                      {"pattern_backoff", &options::pattern_backoff},
                                                      {"pattern_scale", &options::pattern_scale},
                                                      {"pattern_due", &options::pattern_due, 1},
                                                      {"clip", &options::clip, 1},
                                                      {"floor", &options::floor, 0, 1},
                                                      {"telling", &options::telling},
                                                      {"memory", &options::memory},
                                                      {"discount", &options::discount, 0, 1}},
                                                     {{"season", &options::season}}});
}

contestant ewma() {
  using options = recoup::ewma_options;
  return component<recoup::ewma, options>(
      "ewma", "a level that wanders",
      {{{"half_life", &options::half_life, 1}, {"warmup", &options::warmup, 8}, {"clip", &options::clip, 1}}, {}});
}

contestant welford() {
  using options = recoup::welford_options;
  return component<recoup::welford, options>("welford", "a level that never changes",
                                             {{{"warmup", &options::warmup, 8}, {"clip", &options::clip, 1}}, {}});
}

contestant holt_winters() {
  using options = recoup::holt_winters_options;
  return component<recoup::holt_winters<>, options>("holt_winters", "level, trend and season of a day",
                                                    {{{"level", &options::level, 0, 1},
                                                      {"trend", &options::trend, 0, 1},
                                                      {"season", &options::season, 0, 1},
                                                      {"damping", &options::damping, 0, 1},
                                                      {"scale", &options::scale, 0, 0.5},
                                                      {"warmup", &options::warmup, 8},
                                                      {"clip", &options::clip, 1}},
                                                     {{"period", &options::period}}});
}

contestant cusum() {
  using options = recoup::cusum_options;
  return component<recoup::cusum, options>("cusum", "a small shift that lasts; not single values",
                                           {{{"drift", &options::drift, 0.05, 4},
                                             {"half_life", &options::half_life, 30},
                                             {"warmup", &options::warmup, 8},
                                             {"clip", &options::clip, 1}},
                                            {}});
}

contestant page_hinkley() {
  using options = recoup::page_hinkley_options;
  return component<recoup::page_hinkley, options>("page_hinkley", "levels that stay and then jump; not single values",
                                                  {{{"drift", &options::drift, 0.05, 4},
                                                    {"warmup", &options::warmup, 8},
                                                    {"clip", &options::clip, 1},
                                                    {"alarm", &options::alarm}},
                                                   {}});
}

contestant count_detector() {
  using options = recoup::count_detector_options;
  return component<recoup::count_detector, options>(
      "count_detector", "counts in buckets of 5 minutes, which few of these files are",
      {{{"adapt_after", &options::adapt_after}}, {{"bucket", &options::bucket}, {"season", &options::season}}});
}

contestant plain_ewma_z() {
  using options = ewma_z_options;
  return baseline<ewma_z, options>("ewma_z", "baseline: distance from a moving average, in moving standard deviations",
                                   {{{"rate", &options::rate, 0, 1}}, {}});
}

contestant plain_windowed_gaussian() {
  using options = windowed_gaussian_options;
  return baseline<windowed_gaussian, options>("windowed_gaussian", "baseline: the benchmark's own windowedGaussian",
                                              {{{"window", &options::window, 2}, {"step", &options::step, 1}}, {}});
}

}  // namespace

std::vector<std::vector<double>> run(const contestant& c, std::span<const double> factors, const corpus& files) {
  std::vector<std::vector<double>> scores;
  for (const series& s : files.files) {
    scores.push_back(c.run(s, factors));
    for (const double score : scores.back()) {
      if (!(score >= 0) || std::isinf(score)) {
        throw std::domain_error(
            fmt::format("{} gave a score of {} in {}; it must be finite and not negative.", c.name, score, s.name));
      }
    }
  }
  return scores;
}

std::vector<contestant> all_contestants() {
  return {value_detector(), ewma(),           welford(),      holt_winters(),           cusum(),
          page_hinkley(),   count_detector(), plain_ewma_z(), plain_windowed_gaussian()};
}

}  // namespace nab
