// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: a rule says on_fail::correct, and its predicate knows no correction
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(
      recoup::check(recoup::rule<"id.required">(recoup::required(&payment::id), recoup::on_fail::correct)));
  pipe.process(event, now, [](const auto&) {});
}
