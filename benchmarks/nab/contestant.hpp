// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <recoup/core/time.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "corpus.hpp"

namespace nab {

// A member of a detector's options that may be varied. What comes out is kept from `least` to `most`.
template <class Options>
struct parameter {
  std::string name;
  std::variant<double Options::*, std::uint32_t Options::*, std::uint64_t Options::*, recoup::duration Options::*>
      member;
  double least = 0;
  double most = 1e300;
};

template <class Options>
void scale(Options& options, const parameter<Options>& which, double factor) {
  if (factor == 1) return;
  std::visit(
      [&](auto member) {
        auto& value = options.*member;
        using type = std::remove_reference_t<decltype(value)>;
        if constexpr (std::floating_point<type>) {
          value = std::clamp(value * factor, which.least, which.most);
        } else if constexpr (std::integral<type>) {
          value =
              static_cast<type>(std::clamp(std::round(static_cast<double>(value) * factor), which.least, which.most));
        } else {
          value = type(static_cast<typename type::rep>(std::round(static_cast<double>(value.count()) * factor)));
        }
      },
      which.member);
}

// What of a detector's options may be varied. Facts are numbers too, but of the world: a season is as long as a day on
// Earth is. They are not there to be tuned.
template <class Options>
struct variables {
  std::vector<parameter<Options>> parameters;
  std::vector<parameter<Options>> facts;
};

// A detector as the benchmark meets it: it is given the rows of one file after the other, each once and in order, and
// begins every file anew, with the same options for all of them.
struct contestant {
  std::string name;
  std::string what;
  std::vector<std::string> parameters;
  std::vector<std::string> facts;
  // A score a row. There is a factor for each parameter and then each fact, by which its value as shipped is
  // multiplied.
  std::function<std::vector<double>(const series&, std::span<const double> factors)> run;
};

// `make(options)` gives a callable that takes a timestamp and a value and returns a score.
template <class Options, class Make>
contestant contestant_of(std::string name, std::string what, Options shipped, variables<Options> vary, Make make) {
  contestant c{std::move(name), std::move(what), {}, {}, {}};
  for (const auto& p : vary.parameters) c.parameters.push_back(p.name);
  for (const auto& f : vary.facts) c.facts.push_back(f.name);
  c.run = [shipped, vary = std::move(vary), make](const series& s, std::span<const double> factors) {
    Options options = shipped;
    auto factor = factors.begin();
    for (const auto& p : vary.parameters) scale(options, p, *factor++);
    for (const auto& f : vary.facts) scale(options, f, *factor++);
    auto judge = make(options);
    std::vector<double> scores;
    scores.reserve(s.rows.size());
    for (const row& r : s.rows) scores.push_back(judge(r.at, r.value));
    return scores;
  };
  return c;
}

inline std::vector<double> as_shipped(const contestant& c) {
  return std::vector<double>(c.parameters.size() + c.facts.size(), 1.0);
}

// Of all files. Throws std::domain_error for a score that is negative, NaN or infinite.
std::vector<std::vector<double>> run(const contestant& c, std::span<const double> factors, const corpus& files);

// recoup's detectors, and what they are to be compared with.
std::vector<contestant> all_contestants();

}  // namespace nab
