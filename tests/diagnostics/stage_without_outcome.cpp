// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: assemble<Event>(...) takes track_gaps, deduplicate, check, in_order
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

struct half_done : recoup::stage_defaults<payment> {
  static constexpr std::string_view name = "half_done";
  struct judgement {};
  judgement judge(const payment&, const hint&, const recoup::context&) const { return {}; }
};
auto payments = recoup::assemble<payment>(half_done{});
