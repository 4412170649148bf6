// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: stream and number of infer(stream, number, ...) must be member pointers of this Event
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};
struct refund {
  std::uint64_t number;
};
auto payments =
    recoup::assemble<payment>(recoup::track_gaps(&payment::offset),
                              recoup::infer(&refund::number, recoup::from_neighbours([](payment&, const auto&) {})));
