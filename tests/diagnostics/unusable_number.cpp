// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the number of track_gaps(stream, number) must be an integer
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::track_gaps(&payment::id));
  pipe.process(event, now, [](const auto&) {});
}
