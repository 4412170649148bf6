// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: timed_by(...) in expect(...) needs a member pointer of this Event or a callable
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
                                                    recoup::then(synced, 5min), recoup::timed_by(&event::score)));
