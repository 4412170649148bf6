// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <recoup/recoup.hpp>

struct event {
  std::uint64_t number;
};

int main() {
  auto pipe = recoup::assemble<event>(recoup::track_gaps(&event::number));
  int accepted = 0;
  auto sink = recoup::overloaded{[&](const recoup::accepted<event>&) { ++accepted; }, [](const auto&) {}};
  pipe.process(event{1}, recoup::timestamp{}, sink);
  pipe.process(event{3}, recoup::timestamp{}, sink);
  return accepted == 2 ? 0 : 1;
}
