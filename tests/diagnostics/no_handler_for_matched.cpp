// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for matched<Ours, Theirs>, which this pipeline tells
#include "recoup/pipeline/reconcile.hpp"
#include "recoup/recoup.hpp"

struct order {
  std::string id;
  std::int64_t amount;
};
struct charge {
  std::string order;
  std::int64_t amount;
};

struct sink {
  template <class Told>
  void operator()(const Told&) const {}
  template <class... Records>
  void operator()(const recoup::matched<Records...>&) const = delete;
};

void feed(const charge& record, recoup::timestamp now) {
  auto pipe = recoup::assemble<order>(recoup::reconcile(recoup::match<order, charge>(&order::id, &charge::order, {})));
  pipe.external(record, now, sink{});
}
