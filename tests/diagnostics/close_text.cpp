// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: close<...>(ours, theirs, tolerance) compares numbers
#include "recoup/pipeline/reconcile.hpp"
#include "recoup/recoup.hpp"

struct order {
  std::string id;
  std::int64_t amount;
};
struct charge {
  std::string order;
  std::int64_t amount;
};

void feed(const order& o, recoup::timestamp now) {
  auto m = recoup::match<order, charge>(&order::id, &charge::order, {},
                                        recoup::close<"id">(&order::id, &charge::order, {.absolute = 1}));
  m.ours(o, now, [](const auto&) {});
}
