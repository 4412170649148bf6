// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: a matcher keeps whole records of both sides
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

auto state() {
  auto m = recoup::match<order, charge>(&order::id, &charge::order, {});
  return recoup::snapshot(m);
}
