// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "corpus.hpp"

namespace nab {

// Writes what a detector said as the benchmark files it: DETECTOR/folder/DETECTOR_file.csv below `out`, columns
// timestamp, value, anomaly_score, label. Throws corpus_error where a file cannot be written.
void write_result_files(const std::filesystem::path& out, std::string_view detector, const corpus& c,
                        std::span<const std::vector<double>> scores);

}  // namespace nab
