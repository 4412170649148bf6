// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "corpus.hpp"

#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>

namespace nab {

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw corpus_error(fmt::format("{} cannot be opened.", path.string()));
  return {std::istreambuf_iterator(in), {}};
}

nlohmann::json parse_json(const std::filesystem::path& path) {
  try {
    return nlohmann::json::parse(contents(path));
  } catch (const nlohmann::json::exception& e) {
    throw corpus_error(fmt::format("{} is no JSON: {}.", path.string(), e.what()));
  }
}

// "2015-02-26 21:42:53", perhaps with a fraction, which is dropped; UTC.
std::optional<recoup::timestamp> parse_time(std::string_view text) {
  std::array<int, 6> parts{};
  constexpr std::array<std::size_t, 6> places{0, 5, 8, 11, 14, 17};
  constexpr std::string_view form = "dddd-dd-dd dd:dd:dd";
  if (text.size() < form.size() || (text.size() > form.size() && text[form.size()] != '.')) return std::nullopt;
  for (std::size_t i = 0; i != form.size(); ++i) {
    if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return std::nullopt;
  }
  for (std::size_t i = 0; i != parts.size(); ++i) {
    const char* const begin = text.data() + places[i];
    std::from_chars(begin, begin + (i == 0 ? 4 : 2), parts[i]);
  }
  const std::chrono::year_month_day date{std::chrono::year(parts[0]),
                                         std::chrono::month(static_cast<unsigned>(parts[1])),
                                         std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(parts[3]) + std::chrono::minutes(parts[4]) +
         std::chrono::seconds(parts[5]);
}

std::optional<double> parse_value(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The fields of one CSV file, line by line.
class table {
 public:
  explicit table(const std::filesystem::path& path) {
    const std::string text = contents(path);
    csv_parser parser{};
    csv_init(&parser, CSV_APPEND_NULL);
    const bool whole = csv_parse(&parser, text.data(), text.size(), take_field, end_line, this) == text.size() &&
                       csv_fini(&parser, take_field, end_line, this) == 0;
    const int error = csv_error(&parser);
    csv_free(&parser);
    if (!whole) throw corpus_error(fmt::format("{} is no CSV file: {}.", path.string(), csv_strerror(error)));
  }

  const std::vector<std::vector<std::string>>& lines() const { return lines_; }

 private:
  static void take_field(void* text, std::size_t size, void* self) {
    static_cast<table*>(self)->line_.emplace_back(static_cast<const char*>(text), size);
  }

  static void end_line(int, void* self) {
    auto& t = *static_cast<table*>(self);
    t.lines_.push_back(std::exchange(t.line_, {}));
  }

  std::vector<std::string> line_;
  std::vector<std::vector<std::string>> lines_;
};

series read_series(const std::filesystem::path& data, const std::string& name) {
  const std::filesystem::path path = data / name;
  const table csv(path);
  const auto& lines = csv.lines();
  if (lines.empty() || lines.front() != std::vector<std::string>{"timestamp", "value"}) {
    throw corpus_error(fmt::format("The first line of {} is not \"timestamp,value\".", path.string()));
  }
  series s{name, {}};
  s.rows.reserve(lines.size() - 1);
  for (std::size_t i = 1; i != lines.size(); ++i) {
    const auto& line = lines[i];
    const auto at = line.size() == 2 ? parse_time(line[0]) : std::nullopt;
    const auto value = line.size() == 2 ? parse_value(line[1]) : std::nullopt;
    if (!at || !value) {
      throw corpus_error(
          fmt::format("Row {} of {} is not a time (2015-02-26 21:42:53) and a number.", i, path.string()));
    }
    s.rows.push_back({line[0], *at, *value});
  }
  return s;
}

// Windows are given as times; of several rows of one time the first is meant.
labels read_labels(const series& s, const nlohmann::json& windows) {
  std::unordered_map<recoup::duration::rep, std::size_t> first;
  for (std::size_t i = 0; i != s.rows.size(); ++i) first.try_emplace(s.rows[i].at.time_since_epoch().count(), i);
  const auto row_at = [&](const nlohmann::json& time) {
    const auto at = parse_time(time.get_ref<const std::string&>());
    const auto found = at ? first.find(at->time_since_epoch().count()) : first.end();
    if (found == first.end()) {
      throw corpus_error(
          fmt::format("A window of {} is bounded by {}, a time of none of its rows.", s.name, time.dump()));
    }
    return found->second;
  };
  labels truth{s.rows.size(), {}};
  for (const auto& w : windows) truth.windows.push_back({row_at(w.at(0)), row_at(w.at(1))});
  std::sort(truth.windows.begin(), truth.windows.end(), [](window a, window b) { return a.first < b.first; });
  for (std::size_t i = 0; i != truth.windows.size(); ++i) {
    const window w = truth.windows[i];
    if (w.last < w.first || (i != 0 && w.first <= truth.windows[i - 1].last)) {
      throw corpus_error(fmt::format("The windows of {} overlap, or one ends before it begins.", s.name));
    }
  }
  return truth;
}

std::vector<profile> read_profiles(const std::filesystem::path& root) {
  const auto beside = root / "profiles.json";
  const auto all = parse_json(exists(beside) ? beside : root / "config" / "profiles.json");
  std::vector<profile> profiles;
  for (const char* const name : {"standard", "reward_low_FP_rate", "reward_low_FN_rate"}) {
    const auto& costs = all.at(name).at("CostMatrix");
    profiles.push_back({name, costs.at("tpWeight").get<double>(), costs.at("fpWeight").get<double>(),
                        costs.at("fnWeight").get<double>()});
  }
  return profiles;
}

}  // namespace

std::string_view folder_of(const series& s) { return std::string_view(s.name).substr(0, s.name.find('/')); }

corpus read_corpus(const std::filesystem::path& root) {
  try {
    corpus c;
    c.profiles = read_profiles(root);
    const auto windows_of = parse_json(root / "labels" / "combined_windows.json");
    for (const auto& [name, windows] : windows_of.items()) {
      c.files.push_back(read_series(root / "data", name));
      c.truth.push_back(read_labels(c.files.back(), windows));
    }
    if (c.files.empty()) throw corpus_error(fmt::format("No file is named by the labels in {}.", root.string()));
    return c;
  } catch (const nlohmann::json::exception& e) {
    throw corpus_error(
        fmt::format("The labels or profiles in {} are not the benchmark's: {}.", root.string(), e.what()));
  }
}

}  // namespace nab
