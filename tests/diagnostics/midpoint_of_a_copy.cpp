// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: midpoint(field) must be able to write the field
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void wait(recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(
      recoup::track_gaps(&payment::offset),
      recoup::infer(&payment::offset,
                    recoup::from_neighbours(recoup::midpoint([](const payment&) { return recoup::timestamp(); }))));
  pipe.advance(now, [](const auto&) {});
}
