// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: this rule's predicate measures nothing
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void feed(const payment& event, recoup::timestamp now) {
  const recoup::rule_set rules(recoup::rule<"id">(recoup::required(&payment::id), recoup::on_fail::review));
  (void)rules.get<"id">().measured(event, now);
}
