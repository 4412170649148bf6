// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for replay_request<Stream>, which this pipeline tells: ask the source for
// these numbers;
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void wait(recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::track_gaps(&payment::offset));
  pipe.advance(now, recoup::overloaded{[](const recoup::gap_found<>&) {}, [](const recoup::gap_abandoned<>&) {},
                                       [](const recoup::late_arrival<>&) {}, [](const recoup::stream_resumed<>&) {}});
}
