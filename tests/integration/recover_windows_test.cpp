// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

// Every window of dedup/ on a real trace whose truth is known: one sensor, each frame of which several gateways heard.
// It lies beside the project (../shared/data), or where RECOUP_TRACES says; its licence keeps it out of it.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "../../examples/recover/reader.hpp"
#include "catch.hpp"
#include "recoup/recoup.hpp"

namespace {

struct reception {
  std::string device;
  std::uint64_t frame;
  recoup::timestamp at;
};

constexpr std::uint64_t receptions = 93'435;
constexpr std::uint64_t frames = 13'768;

std::vector<reception> read_trace() {
  const char* const folder = std::getenv("RECOUP_TRACES");
  const auto beside = std::filesystem::path(__FILE__).parent_path() / "../../../shared/data";
  const auto path = (folder ? std::filesystem::path(folder) : beside) / "sainteynard_receptions.csv";
  std::vector<reception> all;
  if (!std::filesystem::exists(path)) {
    std::cout << "Skipped: the trace is not at " << path << "; set RECOUP_TRACES to its folder.\n";
    return all;
  }
  recover::columns columns;
  columns.stream = "dev";
  columns.sequence = "fcnt";
  columns.time = "ts_ms";
  columns.time_as = recover::time_format::milliseconds;
  recover::reader reader(path.string(), columns);
  recover::record r;
  while (reader.next(r) == recover::reader::result::row) all.push_back({r.stream, r.sequence.value(), r.at.value()});
  return all;
}

template <class Window, class KeyOf>
std::uint64_t duplicates(Window window, const std::vector<reception>& trace, KeyOf&& key_of) {
  for (const reception& r : trace) window.observe(key_of(r), r.at);
  CHECK(window.fresh() + window.duplicates() == trace.size());
  return window.duplicates();
}

TEST_CASE("every window finds the duplicates of a real trace") {
  const std::vector<reception> trace = read_trace();
  if (trace.empty()) return;
  REQUIRE(trace.size() == receptions);
  const auto device_and_frame = [](const reception& r) { return std::tuple(std::string_view(r.device), r.frame); };
  const auto frame = [](const reception& r) { return r.frame; };
  constexpr std::uint64_t truth = receptions - frames;

  CHECK(duplicates(recoup::exact_window<>(), trace, device_and_frame) == truth);
  CHECK(duplicates(recoup::exact_window<std::uint64_t>(), trace, frame) == truth);
  CHECK(duplicates(recoup::integer_window<>(), trace, frame) == truth);
  CHECK(duplicates(recoup::fingerprint_window<>(), trace, device_and_frame) == truth);
  CHECK(duplicates(recoup::fingerprint_window<128>(), trace, device_and_frame) == truth);

  // So many false ones that no more come once in a million runs.
  const auto check_within = [&](std::uint64_t found, double rate) {
    const double expected = rate * static_cast<double>(frames);
    CHECK(found >= truth);
    CHECK(static_cast<double>(found - truth) <= expected + 5 * std::sqrt(expected) + 5);
  };
  const recoup::window_options compact{.events = frames};
  check_within(duplicates(recoup::compact_window<16>(compact), trace, device_and_frame),
               recoup::compact_window<16>::false_positive_rate_for(compact));
  check_within(duplicates(recoup::compact_window<24>(compact), trace, device_and_frame),
               recoup::compact_window<24>::false_positive_rate_for(compact));
  check_within(duplicates(recoup::compact_window<32>(compact), trace, device_and_frame),
               recoup::compact_window<32>::false_positive_rate_for(compact));
  for (const double rate : {1e-2, 1e-3, 1e-5}) {
    const recoup::bloom_window_options bloom{.events = frames, .false_positive_rate = rate};
    check_within(duplicates(recoup::bloom_window(bloom), trace, device_and_frame),
                 recoup::bloom_window::false_positive_rate_for(bloom));
  }
}

}  // namespace
