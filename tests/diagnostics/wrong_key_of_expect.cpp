// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the key of expect(name, key, ...) must be a member pointer of this Event
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
struct refund {
  std::uint64_t number;
};
auto leads = recoup::assemble<event>(
    recoup::expect("lead.synced", &refund::number, recoup::opened_by(created), recoup::then(synced, 5min)));
