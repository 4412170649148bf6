// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: detect_ratio(name, opens, follows, detector) needs two callables of const Event& that return bool
#include "recoup/recoup.hpp"

struct payment {
  std::string shop;
  std::int64_t revenue;
};
void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::detect_ratio(
      "paid", &payment::shop, [](const payment&) { return true; }, recoup::ratio_detector()));
  pipe.process(event, now, [](const auto&) {});
}
