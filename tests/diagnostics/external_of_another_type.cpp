// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: no stage of this pipeline takes external records of this type
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

void feed(recoup::timestamp now) {
  auto pipe = recoup::assemble<order>(recoup::reconcile(recoup::match<order, charge>(&order::id, &charge::order, {})));
  pipe.external(5, now, [](const auto&) {});
}
