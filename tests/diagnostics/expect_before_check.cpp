// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: a stage that rejects or corrects events stands behind detect_silence, expect, infer or reconcile
#include "recoup/recoup.hpp"

struct event {
  std::uint64_t lead;
  std::string type;
};

auto make() {
  const auto is_lead = [](const event& e) { return e.type == "lead"; };
  const auto is_sync = [](const event& e) { return e.type == "sync"; };
  return recoup::assemble<event>(
      recoup::expect("lead", &event::lead, {}, recoup::opened_by(is_lead),
                     recoup::then(is_sync, std::chrono::minutes(5))),
      recoup::check(recoup::rule<"type.required">(recoup::required(&event::type), recoup::on_fail::review)));
}
