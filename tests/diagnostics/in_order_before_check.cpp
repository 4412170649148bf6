// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: a stage that rejects or corrects events stands behind in_order
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

auto payments = recoup::assemble<payment>(
    recoup::in_order(&payment::partition, &payment::offset),
    recoup::check(recoup::rule<"id">(recoup::required(&payment::id), recoup::on_fail::review)));
