// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the sink has no handler for overdue_retracted<Key>, which this pipeline tells
#include <cstdint>

#include "recoup/pipeline/expect.hpp"
#include "recoup/pipeline/pipeline.hpp"

using namespace std::chrono_literals;

struct event {
  std::uint64_t lead;
  int kind;
  double score;
};
const auto created = [](const event& e) { return e.kind == 0; };
const auto synced = [](const event& e) { return e.kind == 1; };

struct sink {
  template <class Told>
  void operator()(const Told&) const {}
  template <class T>
  void operator()(const recoup::overdue_retracted<T>&) const = delete;
};

void feed(const event& e, recoup::timestamp now) {
  auto pipe = recoup::assemble<event>(
      recoup::expect("lead.synced", &event::lead, recoup::opened_by(created), recoup::then(synced, 5min)));
  pipe.process(e, now, sink{});
}
