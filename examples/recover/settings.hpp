// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <recoup/core/time.hpp>
#include <string>
#include <utility>

#include "reader.hpp"

namespace recover {

enum class out_of_range : int { review, reject, clamp };

// What the command line asks for.
struct settings {
  std::string file = "-";
  columns fields;
  input_format format = input_format::detect;

  unsigned bits = 64;
  std::optional<std::uint64_t> expect_from;
  std::optional<std::uint64_t> expect_to;
  std::uint64_t reorder_distance = 64;
  recoup::duration reorder_delay = std::chrono::minutes(1);
  std::size_t max_gaps = 4'096;
  std::uint64_t max_jump = 1'000'000;
  std::optional<std::uint64_t> max_behind;
  std::uint32_t resynchronise_after = 2;
  std::uint32_t attempts = 1;
  recoup::duration answer_within = std::chrono::hours(1);
  std::optional<recoup::duration> longest_wait;  // Else answer_within.
  recoup::duration give_up_after = recoup::duration::max();
  std::uint64_t max_range = std::numeric_limits<std::uint64_t>::max();

  std::size_t window_events = std::size_t{1} << 16;
  recoup::duration window_age = recoup::duration::max();

  std::optional<std::pair<double, double>> range;
  out_of_range on_range = out_of_range::review;
  std::optional<recoup::duration> max_ahead;
  bool infer = false;

  std::optional<recoup::duration> volume;  // The width of a bucket.
  bool volume_by_stream = false;
  bool silence = false;
  std::optional<std::pair<std::string, std::string>>
      ratio;  // Types of events: how many of the first lead to the second.
  double anomaly_score = 14;

  bool looks_for_unusual() const { return volume || silence || ratio; }

  bool json = false;
  std::string html;
};

}  // namespace recover
