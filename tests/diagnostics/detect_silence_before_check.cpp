// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: a stage that rejects or corrects events stands behind detect_silence, expect, infer or reconcile
#include "recoup/recoup.hpp"

struct beat {
  std::uint64_t device;
  std::string type;
};

auto make() {
  return recoup::assemble<beat>(
      recoup::detect_silence("beats", &beat::device, recoup::silence_detector()),
      recoup::check(recoup::rule<"type.required">(recoup::required(&beat::type), recoup::on_fail::review)));
}
