// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: this pipeline's state contains whole events (in_order holds them)
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

auto state(recoup::timestamp) {
  auto pipe = recoup::assemble<payment>(recoup::in_order(&payment::partition, &payment::offset));
  return recoup::snapshot(pipe);
}
