// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the matcher of reconcile(match<Ours, Theirs>(...)) must have this pipeline's Event as Ours
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

auto pipe() {
  return recoup::assemble<charge>(recoup::reconcile(recoup::match<order, charge>(&order::id, &charge::order, {})));
}
