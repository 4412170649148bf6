// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for silence_over<Key>, which this pipeline tells
#include "recoup/recoup.hpp"

struct payment {
  std::string shop;
  std::int64_t revenue;
};

struct sink {
  template <class Told>
  void operator()(const Told&) const {}
  template <class T>
  void operator()(const recoup::silence_over<T>&) const = delete;
};

void feed(const payment& event, recoup::timestamp now) {
  auto pipe = recoup::assemble<payment>(recoup::detect_silence("orders"));
  pipe.process(event, now, sink{});
}
