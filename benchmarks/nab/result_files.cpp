// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "result_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace nab {

namespace {

std::string rows_of(const series& s, const labels& truth, std::span<const double> scores) {
  std::string text = "timestamp,value,anomaly_score,label\n";
  auto out = std::back_inserter(text);
  for (std::size_t i = 0; i != s.rows.size(); ++i) {
    const bool labelled =
        std::any_of(truth.windows.begin(), truth.windows.end(), [&](window w) { return w.first <= i && i <= w.last; });
    fmt::format_to(out, "{},{},{},{}\n", s.rows[i].time, s.rows[i].value, scores[i], labelled ? 1 : 0);
  }
  return text;
}

}  // namespace

void write_result_files(const std::filesystem::path& out, std::string_view detector, const corpus& c,
                        std::span<const std::vector<double>> scores) {
  for (std::size_t f = 0; f != c.files.size(); ++f) {
    const std::filesystem::path folder = out / detector / folder_of(c.files[f]);
    std::error_code error;
    create_directories(folder, error);
    const auto path =
        folder / fmt::format("{}_{}", detector, std::filesystem::path(c.files[f].name).filename().string());
    std::ofstream file(path, std::ios::binary);
    file << rows_of(c.files[f], c.truth[f], scores[f]) << std::flush;
    if (error || !file) throw corpus_error(fmt::format("{} cannot be written.", path.string()));
  }
}

}  // namespace nab
