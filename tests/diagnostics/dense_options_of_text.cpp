// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: dense_options are for streams that are integers
#include "recoup/recoup.hpp"

struct reading {
  std::string device;
  std::uint64_t number;
};

void feed(const reading& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<reading>(
      recoup::track_gaps(&reading::device, &reading::number, {}, recoup::dense_options{.capacity = 8}));
  pipe.process(event, now, [](const auto&) {});
}
