// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: within_time<...>(ours, theirs, duration) compares times
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
  auto m = recoup::match<order, charge>(
      &order::id, &charge::order, {},
      recoup::within_time<"amount">(&order::amount, &charge::amount, std::chrono::minutes(1)));
  m.ours(o, now, [](const auto&) {});
}
