// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <recoup/recoup.hpp>

std::uint64_t fingerprint_of_seven();

// Two translation units with all of recoup in each.
int main() {
  recoup::interval_set numbers;
  numbers.insert({1, 4});
  numbers.insert({6, 9});
  return numbers.contains(4) && !numbers.contains(5) && recoup::fingerprint(7, 42) == fingerprint_of_seven() ? 0 : 1;
}
