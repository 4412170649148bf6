// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// Which anomalies of event counts are found, how soon, and at what price in false alerts?
//
//     counts [SEED...]      by a generator (generator.hpp) with each seed, scored as scoring.hpp says; 1 to 5 if none
//     counts --score        reads lines "seconds,count" (seconds since 1970, every 5 minutes) of one key, and prints
//                           them with the score of count_detector behind

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <recoup/anomaly/count_detector.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "baselines.hpp"
#include "generator.hpp"
#include "scoring.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t keys = 60;

class recoup_counts {
 public:
  double update(std::size_t bucket, double count) {
    return detector_.update(recoup::timestamp(static_cast<std::int64_t>(bucket) * 5min), count).score;
  }

 private:
  recoup::count_detector detector_;
};

using key_sets = std::vector<std::vector<counts::series>>;

template <class Detector>
void print_results(std::string_view name, const key_sets& sets) {
  std::vector<std::vector<counts::scores>> scored;
  const auto begin = std::chrono::steady_clock::now();
  std::size_t judged = 0;
  for (const auto& set : sets) {
    auto& of_set = scored.emplace_back();
    for (const counts::series& key : set) {
      Detector detector;
      counts::scores& scores = of_set.emplace_back();
      scores.reserve(key.counts.size());
      for (std::size_t i = 0; i < key.counts.size(); ++i) scores.push_back(detector.update(i, key.counts[i]));
      judged += key.counts.size();
    }
  }
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
  std::printf("\n%.*s: %zu bytes, %.0f ns a bucket\n", static_cast<int>(name.size()), name.data(), sizeof(Detector),
              taken.count() / static_cast<double>(judged));

  for (const double allowed : {1.0, 0.1}) {
    counts::result all;
    double lowest = 1;
    double highest = 0;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const auto threshold = counts::threshold_for(sets[i], scored[i], allowed);
      const auto of_set = counts::recall_at(sets[i], scored[i], threshold);
      lowest = std::min(lowest, of_set.recall());
      highest = std::max(highest, of_set.recall());
      all.threshold += threshold / static_cast<double>(sets.size());
      all.add(of_set);
    }
    std::printf("  %3.1f false alerts a key-week: recall %5.1f %% (seeds: %.1f to %.1f), threshold %.1f\n", allowed,
                100 * all.recall(), 100 * lowest, 100 * highest, all.threshold);
    for (std::size_t k = 0; k < counts::kinds; ++k) {
      auto& delays = all.delays[k];
      std::sort(delays.begin(), delays.end());
      const auto found = static_cast<double>(delays.size());
      const std::string_view kind = counts::kind_names[k];
      std::printf("    %-13.*s %5.1f %%", static_cast<int>(kind.size()), kind.data(),
                  100 * found / static_cast<double>(std::max<std::size_t>(all.present[k], 1)));
      if (delays.empty())
        std::printf("\n");
      else
        std::printf("   found after %5.0f minutes (median)\n", 5.0 * static_cast<double>(delays[delays.size() / 2]));
    }
  }
}

int score_input() {
  recoup::count_detector detector;
  std::string line;
  while (std::getline(std::cin, line)) {
    char* comma = nullptr;
    const long long seconds = std::strtoll(line.c_str(), &comma, 10);
    if (*comma != ',') continue;  // a heading
    const recoup::timestamp at(std::chrono::duration_cast<recoup::duration>(std::chrono::seconds(seconds)));
    const double count = std::strtod(comma + 1, nullptr);
    std::printf("%s,%.3f\n", line.c_str(), detector.update(at, count).score);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  if (!arguments.empty() && std::string_view(arguments[0]) == "--score") return score_input();
  std::vector<std::uint64_t> seeds;
  for (const char* text : arguments) seeds.push_back(std::strtoull(text, nullptr, 10));
  if (seeds.empty()) seeds = {1, 2, 3, 4, 5};

  key_sets sets;
  std::size_t anomalies = 0;
  for (const std::uint64_t seed : seeds) {
    counts::generator generate(seed);
    auto& set = sets.emplace_back();
    for (std::size_t i = 0; i < keys; ++i) set.push_back(generate.next());
    for (const counts::series& key : set) anomalies += key.truth.size();
  }
  std::printf("%zu seeds, %zu keys each, %zu days of 5-minute counts, %zu anomalies from day 8 on\n", seeds.size(),
              keys, counts::days, anomalies);

  print_results<counts::ewma_z>("EWMA z", sets);
  print_results<counts::seasonal_z>("Seasonal z", sets);
  print_results<counts::holt_winters>("Holt-Winters", sets);
  print_results<counts::averages_of_season>("Averages of square roots less the season", sets);
  print_results<recoup_counts>("recoup::count_detector", sets);
  return 0;
}
