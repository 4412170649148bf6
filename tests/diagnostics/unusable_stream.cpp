// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: keyed<Key, ...> needs a Key that it can own and compare
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};
struct tagged {
  std::vector<int> tags;
  std::uint64_t number;
};

void feed(const tagged& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<tagged>(recoup::track_gaps(&tagged::tags, &tagged::number));
  pipe.process(event, now, [](const auto&) {});
}
