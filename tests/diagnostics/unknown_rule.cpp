// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the rule_set has no rule of this name
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

std::uint64_t look() {
  auto pipe = recoup::assemble<payment>(
      recoup::check(recoup::rule<"id.required">(recoup::required(&payment::id), recoup::on_fail::review)));
  return pipe.stage_at<0>().failures<"id.requird">();
}
