// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: product_equals compares integers
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};
struct invoice {
  double price, quantity, total;
};

void feed(const invoice& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<invoice>(recoup::check(recoup::rule<"total">(
      recoup::product_equals(&invoice::price, &invoice::quantity, &invoice::total), recoup::on_fail::review)));
  pipe.process(event, now, [](const auto&) {});
}
