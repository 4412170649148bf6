// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: two rules of a rule_set have the same name
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

auto payments = recoup::assemble<payment>(
    recoup::check(recoup::rule<"id">(recoup::required(&payment::id), recoup::on_fail::review),
                  recoup::rule<"id">(recoup::equals(&payment::id, "x"), recoup::on_fail::flag)));
