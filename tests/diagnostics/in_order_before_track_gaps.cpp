// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: same type of stream; so too in_order(stream, ...)
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

auto payments = recoup::assemble<payment>(recoup::in_order(&payment::offset), recoup::track_gaps(&payment::offset));
