// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

namespace nab {

// The mean of some scores and their range.
class summary {
 public:
  void add(double score) {
    ++count_;
    sum_ += score;
    least_ = std::min(least_, score);
    most_ = std::max(most_, score);
  }

  std::size_t count() const { return count_; }
  double mean() const { return sum_ / static_cast<double>(count_); }
  double least() const { return least_; }
  double most() const { return most_; }

 private:
  std::size_t count_ = 0;
  double sum_ = 0;
  double least_ = std::numeric_limits<double>::infinity(), most_ = -std::numeric_limits<double>::infinity();
};

}  // namespace nab
