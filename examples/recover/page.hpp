// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <recoup/core/time.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "timeline.hpp"

namespace recover {

// What a page shows. Every string may come from hostile input: the page escapes them.
struct page_data {
  // The first so many missing ranges, and samples of each kind, are kept and shown; the others are counted.
  static constexpr std::size_t most_ranges = 200;
  static constexpr std::size_t most_samples = 50;

  struct missing_range {
    std::string stream;
    std::uint64_t first = 0;
    std::uint64_t last = 0;                    // Included.
    std::optional<recoup::timestamp> noticed;  // When the gap was seen.
    std::string replay;                        // The replay request for it, or why there is none.
  };

  struct sample {
    std::string stream;
    std::optional<std::uint64_t> sequence;
    std::string key;
    std::optional<recoup::timestamp> at;
    std::string reason;
  };

  struct totals {
    std::uint64_t events = 0, streams = 0;
    std::uint64_t missing = 0, gaps = 0, duplicates = 0, rejected = 0, review = 0, corrected = 0, inferred = 0,
                  late = 0;
    std::uint64_t malformed_rows = 0;
    double events_per_second = 0;  // Inside the pipeline.
    std::uint64_t state_bytes = 0;
  };

  std::string title = "What the stream lost, repeated and got wrong";
  std::string source;  // The input's name.
  totals total;
  timeline times;

  void add(missing_range range) {
    if (ranges_.size() < most_ranges) ranges_.push_back(std::move(range));
    ++range_count_;
  }
  // What became of a range that is kept, if it is.
  void set_replay(std::string_view stream, std::uint64_t first, std::string replay) {
    const auto range = std::find_if(ranges_.rbegin(), ranges_.rend(),
                                    [&](const missing_range& r) { return r.first == first && r.stream == stream; });
    if (range != ranges_.rend()) range->replay = std::move(replay);
  }
  void add(kind of, sample event) {
    std::vector<sample>& kept = samples_[static_cast<std::size_t>(of)];
    if (kept.size() < most_samples) kept.push_back(std::move(event));
    ++sample_count_[static_cast<std::size_t>(of)];
  }
  // False: add() would only count; a caller may spare itself the strings.
  bool keeps(kind of) const { return samples_[static_cast<std::size_t>(of)].size() < most_samples; }
  bool keeps_ranges() const { return ranges_.size() < most_ranges; }

  const std::vector<missing_range>& ranges() const { return ranges_; }
  const std::vector<sample>& samples(kind of) const { return samples_[static_cast<std::size_t>(of)]; }
  std::uint64_t range_count() const { return range_count_; }
  std::uint64_t sample_count(kind of) const { return sample_count_[static_cast<std::size_t>(of)]; }

 private:
  std::vector<missing_range> ranges_;
  std::array<std::vector<sample>, kinds> samples_;
  std::uint64_t range_count_ = 0;
  std::array<std::uint64_t, kinds> sample_count_{};
};

// The totals as one sentence: "Of 10 events, 1 is missing in 1 gap, ...".
std::string summary_of(const page_data::totals& total);

// One self-contained HTML page, charts and all; it loads nothing. Throws std::runtime_error with a sentence where the
// program was built without Chart.js.
std::string render_page(const page_data& data);

// Writes it. Throws std::runtime_error with a sentence, also where the file cannot be written.
void write_page(const std::string& path, const page_data& data);

}  // namespace recover
