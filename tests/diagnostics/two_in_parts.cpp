// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: one comparer of a matcher may be in_parts
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

auto pair() {
  return recoup::match<order, charge>(&order::id, &charge::order, {},
                                      recoup::in_parts(recoup::close<"a">(&order::amount, &charge::amount, {})),
                                      recoup::in_parts(recoup::close<"b">(&order::amount, &charge::amount, {})));
}
