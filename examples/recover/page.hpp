// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <recoup/core/time.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gap_ledger.hpp"
#include "timeline.hpp"

namespace recover {

// What a page shows. Every string may come from hostile input: the page escapes them.
struct page_data {
  // The first so many samples of each kind are kept and shown; the others are counted.
  static constexpr std::size_t most_samples = 50;

  struct sample {
    std::string stream;
    std::optional<std::uint64_t> sequence;
    std::string key;
    std::optional<recoup::timestamp> at;
    std::string reason;
  };

  struct totals {
    std::uint64_t events = 0, streams = 0;
    // Numbers that were found missing: still waited for, given up, or come after all. The first two are missing.
    std::uint64_t open = 0, given_up = 0, filled = 0;
    std::uint64_t late = 0;  // Of those that came: after they had been given up.
    std::uint64_t duplicates = 0, rejected = 0, review = 0, corrected = 0, inferred = 0;
    std::uint64_t unusual = 0;  // Stretches of time.
    std::uint64_t malformed_rows = 0;
    double events_per_second = 0;  // Inside the pipeline.
    std::uint64_t state_bytes = 0;

    std::uint64_t missing() const { return open + given_up; }
  };

  page_data() = default;
  ~page_data() = default;
  page_data(const page_data&) = delete;
  page_data& operator=(const page_data&) = delete;

  std::string title = "What the stream lost, repeated and got wrong";
  std::string source;     // The input's name.
  bool has_times = true;  // Else nothing is known of when, and the timeline is not drawn.
  totals total;
  timeline times;
  gap_ledger gaps{times};

  void add(kind of, sample event) {
    std::vector<sample>& kept = samples_[static_cast<std::size_t>(of)];
    if (kept.size() < most_samples) kept.push_back(std::move(event));
    ++sample_count_[static_cast<std::size_t>(of)];
  }
  // False: add() would only count; a caller may spare itself the strings.
  bool keeps(kind of) const { return samples_[static_cast<std::size_t>(of)].size() < most_samples; }

  const std::vector<sample>& samples(kind of) const { return samples_[static_cast<std::size_t>(of)]; }
  std::uint64_t sample_count(kind of) const { return sample_count_[static_cast<std::size_t>(of)]; }

 private:
  std::array<std::vector<sample>, kinds> samples_;
  std::array<std::uint64_t, kinds> sample_count_{};
};

// The totals as one sentence: "Of 10 events, 1 is missing in 1 gap; ...". After gaps.finish().
std::string summary_of(const page_data& data);

// One self-contained HTML page, charts and all; it loads nothing. Throws std::runtime_error with a sentence where the
// program was built without Chart.js.
std::string render_page(const page_data& data);

// Writes it. Throws std::runtime_error with a sentence, also where the file cannot be written.
void write_page(const std::string& path, const page_data& data);

}  // namespace recover
