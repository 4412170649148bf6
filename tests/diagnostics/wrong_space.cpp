// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the space of deduplicate(space, key, window) must be a member pointer of this Event
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
    recoup::assemble<payment>(recoup::deduplicate(&refund::number, &payment::offset, recoup::exact_window()));
