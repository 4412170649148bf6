// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: exact_window<Key> takes an integer or an enumeration as Key
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

recoup::exact_window<double> window;
