// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for anomaly<Key>, which this pipeline tells
#include "recoup/recoup.hpp"

struct payment {
  std::string shop;
  std::int64_t revenue;
};

struct sink {
  template <class Told>
  void operator()(const Told&) const {}
  template <class T>
  void operator()(const recoup::anomaly<T>&) const = delete;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::detect("revenue", &payment::revenue, recoup::ewma()));
  pipe.process(event, now, sink{});
}
