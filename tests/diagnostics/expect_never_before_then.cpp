// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: never(...) must be the last step in expect(...)
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
auto leads = recoup::assemble<event>(recoup::expect("lead.synced", &event::lead, recoup::opened_by(created),
                                                    recoup::never(synced, 5min), recoup::then(synced, 5min)));
