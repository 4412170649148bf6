// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <deque>
#include <vector>

// What is plain and in use, to compare with: each takes one value after the other and returns its score.
namespace nab {

struct ewma_z_options {
  double rate = 0.01;  // the weight of the newest value
};

// The distance from a moving average, in moving standard deviations.
class ewma_z {
 public:
  explicit ewma_z(const ewma_z_options& options) : rate_(options.rate) {}

  double update(double value) {
    const double error = seen_ ? value - mean_ : 0;
    const double score = variance_ > 0 ? std::abs(error) / std::sqrt(variance_) : 0;
    if (!seen_) mean_ = value;
    seen_ = true;
    mean_ += rate_ * error;
    variance_ = (1 - rate_) * (variance_ + rate_ * error * error);
    return score;
  }

 private:
  double rate_, mean_ = 0, variance_ = 0;
  bool seen_ = false;
};

struct windowed_gaussian_options {
  std::size_t window = 6400;  // values
  std::size_t step = 100;     // by so many values at a time the window moves once it is full
};

// The benchmark's own baseline windowedGaussian: 1 minus the tail's probability in a normal distribution fitted to a
// moving window. It rounds to 12 decimals as the benchmark's result files do, which decides what ties with 1; without,
// it scores half a point more than published.
class windowed_gaussian {
 public:
  explicit windowed_gaussian(const windowed_gaussian_options& options) : options_(options) {}

  double update(double value) {
    const double distance = std::abs(value - mean_) / deviation_;
    const double score = window_.empty() ? 0 : 1 - std::erfc(distance / std::sqrt(2.0)) / 2;
    if (window_.size() < options_.window) {
      grow(value);
    } else {
      coming_.push_back(value);
      if (coming_.size() == options_.step) slide();
    }
    return std::round(score * 1e12) / 1e12;
  }

 private:
  void grow(double value) {
    window_.push_back(value);
    const double error = value - mean_;
    mean_ += error / static_cast<double>(window_.size());
    squares_ += error * (value - mean_);
    settle(squares_);
  }

  void slide() {
    window_.insert(window_.end(), coming_.begin(), coming_.end());
    window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(coming_.size()));
    coming_.clear();
    double sum = 0, squares = 0;
    for (const double v : window_) sum += v;
    mean_ = sum / static_cast<double>(window_.size());
    for (const double v : window_) squares += (v - mean_) * (v - mean_);
    settle(squares);
  }

  void settle(double squares) {
    deviation_ = std::sqrt(squares / static_cast<double>(window_.size()));
    if (deviation_ == 0) deviation_ = 0.000001;
  }

  windowed_gaussian_options options_;
  std::deque<double> window_;
  std::vector<double> coming_;
  double mean_ = 0, deviation_ = 1;
  double squares_ = 0;  // of the errors, while the window grows
};

}  // namespace nab
