// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for a finding of one of your own stages
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

struct expensive {};

struct price_alarm : recoup::stage_defaults<payment> {
  static constexpr std::string_view name = "price_alarm";
  using findings = recoup::type_list<expensive>;
  struct judgement {};
  judgement judge(const payment&, const hint&, const recoup::context&) const { return {}; }
  recoup::verdict outcome(const judgement&) const { return recoup::verdict::accepted; }
  void commit(const payment&, const judgement&, const recoup::context&, recoup::verdict) {}
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(price_alarm{});
  pipe.process(event, now, recoup::overloaded{[](const recoup::accepted<payment>&) {}});
}
