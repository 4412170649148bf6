// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: an exact_window<Key> is given a key that is no integer or enumeration
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::deduplicate(&payment::id, recoup::exact_window<std::uint64_t>()));
  pipe.process(event, now, [](const auto&) {});
}
