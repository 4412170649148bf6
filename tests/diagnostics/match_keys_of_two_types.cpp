// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the keys of match<Ours, Theirs>(ours_key, theirs_key, ...) must be of one type
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

auto pair() { return recoup::match<order, charge>(&order::id, &charge::amount, {}); }
