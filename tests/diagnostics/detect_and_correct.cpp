// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: what detect(...) finds unusual can be told (on_fail::flag) or held (on_fail::review)
#include "recoup/recoup.hpp"

struct payment {
  std::string shop;
  std::int64_t revenue;
};
auto payments = recoup::assemble<payment>(
    recoup::detect("revenue", &payment::revenue, recoup::ewma(), {}, recoup::on_fail::dead_letter));
