// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup::fingerprint: a key is an integer, enum, float
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

std::uint64_t print(const payment& p) { return recoup::fingerprint(p, 0); }
