// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the key of deduplicate(key, window) must be an integer, text, bytes, a time
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};
struct tagged {
  std::vector<int> tags;
};

void feed(const tagged& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<tagged>(recoup::deduplicate(&tagged::tags, recoup::exact_window()));
  pipe.process(event, now, [](const auto&) {});
}
