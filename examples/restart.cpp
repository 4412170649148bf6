// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What if the process dies? A snapshot holds the whole state and the position in the source to which it belongs: start
// from both, and no answer differs from those of a process that never died.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <recoup/recoup.hpp>
#include <span>
#include <vector>

struct reading {
  std::uint64_t number;
};

auto make_pipeline() {
  return recoup::assemble<reading>(
      recoup::track_gaps(&reading::number, {.reorder_distance = 2}),
      recoup::deduplicate(&reading::number, recoup::exact_window<std::uint64_t>({.events = 1'000})));
}

int main() {
  const recoup::timestamp now{};
  const std::vector<reading> source{{1}, {2}, {4}, {2}, {5}, {6}, {4}, {3}, {7}};
  int duplicates = 0;
  recoup::overloaded sink{[](const recoup::accepted<reading>&) {},
                          [&](const recoup::duplicate<reading>&) { ++duplicates; }, [](const auto&) {}};

  std::vector<std::byte> saved;
  {
    auto pipe = make_pipeline();
    std::uint64_t position = 0;
    for (; position < 5; ++position) pipe.process(source[position], now, sink);
    saved = recoup::snapshot(pipe, std::as_bytes(std::span(&position, 1)));
  }  // the process dies

  auto pipe = make_pipeline();
  const recoup::restored state = recoup::restore(pipe, saved);
  if (!state) {
    std::cerr << recoup::describe(state.status) << '\n';
    return 1;
  }
  std::uint64_t position = 0;
  std::memcpy(&position, state.position.data(), sizeof position);
  std::cout << "restored " << saved.size() << " bytes, going on at " << position << '\n';
  for (; position < source.size(); ++position) pipe.process(source[position], now, sink);

  const recoup::stream_gaps tracker = pipe.stage_at<0>().tracker();
  std::cout << duplicates << " duplicates, " << tracker.missing_count() << " missing, safe to commit up to "
            << tracker.contiguous_position().value_or(0) << '\n';
  return duplicates == 2 && tracker.missing_count() == 0 ? 0 : 1;
}
