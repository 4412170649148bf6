// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// expect: recoup: the window of deduplicate(key, window) must be one of recoup/dedup/, such as recoup::exact_window
#include "recoup/recoup.hpp"

struct payment {
  std::uint64_t offset;
};
auto payments = recoup::assemble<payment>(recoup::deduplicate(&payment::offset, recoup::keyed_options{}));
