// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <recoup/core/time.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "scoring.hpp"

namespace nab {

struct row {
  std::string time;  // as the file has it
  recoup::timestamp at;
  double value;
};

struct series {
  std::string name;  // "folder/file.csv"
  std::vector<row> rows;
};

// Files in the order of their names, each with its labels.
struct corpus {
  std::vector<series> files;
  std::vector<labels> truth;
  std::vector<profile> profiles;  // standard, then those that weigh false alarms and missed windows more
};

// What cannot be read; the message names the file and what is wrong with it.
struct corpus_error : std::runtime_error {
  using runtime_error::runtime_error;
};

// From a checkout of the benchmark: data/, labels/combined_windows.json and profiles.json or config/profiles.json.
corpus read_corpus(const std::filesystem::path& root);

// The part of a name before the slash.
std::string_view folder_of(const series& s);

}  // namespace nab
