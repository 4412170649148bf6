// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for window_evicted<Space>, which this pipeline tells
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
  void operator()(const recoup::window_evicted<T>&) const = delete;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe =
      recoup::assemble<payment>(recoup::deduplicate(&payment::partition, &payment::offset, recoup::exact_window()));
  pipe.process(event, now, sink{});
}
