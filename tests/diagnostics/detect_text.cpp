// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the value of detect(name, value, detector) must be a number, or a std::optional of one
#include "recoup/recoup.hpp"

struct payment {
  std::string shop;
  std::int64_t revenue;
};
void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::detect("shop", &payment::shop, recoup::ewma()));
  pipe.process(event, now, [](const auto&) {});
}
