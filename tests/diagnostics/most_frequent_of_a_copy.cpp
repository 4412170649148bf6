// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: most_frequent(field) must be able to write the field
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
                    recoup::from_neighbours(recoup::most_frequent([](const payment& p) { return p.price; }))));
  pipe.advance(now, [](const auto&) {});
}
