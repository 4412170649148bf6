// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: in_parts(...) adds up numbers
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

auto parts() { return recoup::in_parts(recoup::same<"amount">(&order::amount, &charge::amount)); }
