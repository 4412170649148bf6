// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/findings.hpp"

#include "catch.hpp"

TEST_CASE("why a recovery queue shed an item has a sentence") {
  CHECK(describe(recoup::shed_reason::full) == "the queue was full, and nothing in it was less urgent");
  CHECK(describe(recoup::shed_reason::unknown_target) == "recovery_queue_options.targets has no target of this number");
}
