// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: keyed<Key, ...> needs a Key that it can own and compare
#include "recoup/recoup.hpp"

struct reading {
  double sensor;
  std::uint64_t number;
};

auto readings = recoup::assemble<reading>(recoup::track_gaps(&reading::sensor, &reading::number));
