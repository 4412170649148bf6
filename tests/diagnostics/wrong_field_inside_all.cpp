// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: a rule's predicate must be callable as bool(const Event&)
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};
struct refund {
  std::uint64_t number;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::check(recoup::rule<"number">(
      recoup::all(recoup::required(&payment::id), recoup::not_(recoup::equals(&refund::number, 3U))),
      recoup::on_fail::review)));
  pipe.process(event, now, [](const auto&) {});
}
