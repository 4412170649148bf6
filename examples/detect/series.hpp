// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <recoup/anomaly/assessment.hpp>
#include <recoup/core/time.hpp>
#include <string>
#include <vector>

namespace detect {

// A value and what a detector made of it before it learnt it.
struct point {
  recoup::timestamp at;
  std::optional<double> value;  // Nothing where the input has none.
  recoup::assessment assessed;
};

// What a page shows.
struct series {
  std::string title;
  std::string source;    // The input's name.
  std::string detector;  // And its name.
  double threshold = 0;  // The score from which a value is an alert.
  std::vector<point> points = {};

  bool is_alert(const point& p) const { return p.assessed.score >= threshold; }
};

// Writes one self-contained HTML page. Throws std::runtime_error with a sentence where it cannot.
void write_page(const std::string& path, const series& data);

}  // namespace detect
