// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: a stage that rejects or corrects events stands behind detect_silence, expect, infer or reconcile
#include "recoup/recoup.hpp"

struct reading {
  std::uint64_t number;
  std::string sensor;
};

auto make() {
  return recoup::assemble<reading>(
      recoup::track_gaps(&reading::number),
      recoup::infer(&reading::number, recoup::from_neighbours(recoup::most_frequent(&reading::sensor))),
      recoup::check(recoup::rule<"sensor.required">(recoup::required(&reading::sensor), recoup::on_fail::dead_letter)));
}
