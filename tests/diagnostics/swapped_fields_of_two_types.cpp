// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: not_swapped must be able to exchange its fields
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::check(recoup::rule<"swapped">(
      recoup::not_swapped(
          &payment::price, &payment::id, [](const auto&) { return true; }, [](const auto&) { return false; }),
      recoup::on_fail::correct)));
  pipe.process(event, now, [](const auto&) {});
}
