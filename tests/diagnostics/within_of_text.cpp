// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: within(field, base, tolerance) compares numbers
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::check(
      recoup::rule<"near">(recoup::within(&payment::id, &payment::id, recoup::percent(5)), recoup::on_fail::review)));
  pipe.process(event, now, [](const auto&) {});
}
