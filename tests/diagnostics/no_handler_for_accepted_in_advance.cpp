// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for accepted<Event>, which this pipeline tells
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void wait(recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::in_order(&payment::offset));
  pipe.advance(now, recoup::overloaded{[](const recoup::hole_passed_over<>&) {}});
}
