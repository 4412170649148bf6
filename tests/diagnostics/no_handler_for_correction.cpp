// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for correction<Event>, which this pipeline tells
#include "recoup/recoup.hpp"

struct payment {
  std::uint32_t partition;
  std::uint64_t offset;
  std::string id;
  std::int64_t price, quantity, revenue;
};

struct sink {
  template <class Told>
  void operator()(const Told&) const {}
  template <class T>
  void operator()(const recoup::correction<T>&) const = delete;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::check(
      recoup::rule<"id">(recoup::required(&payment::id), recoup::on_fail::correct([](payment& p) { p.id = "none"; }))));
  pipe.process(event, now, sink{});
}
