// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the window of unique_within(key, window) must be one of recoup/dedup/
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

auto payments = recoup::assemble<payment>(recoup::check(
    recoup::rule<"id">(recoup::unique_within(&payment::id, recoup::duration(5)), recoup::on_fail::review)));
