// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/findings.hpp"

#include "catch.hpp"

TEST_CASE("why a recovery queue shed an item has a sentence") {
  CHECK(describe(recoup::shed_reason::full) == "the queue was full, and nothing in it was less urgent");
  CHECK(describe(recoup::shed_reason::unknown_target) == "recovery_queue_options.targets has no target of this number");
}

TEST_CASE("failures and what became of reports have names") {
  CHECK(name_of(recoup::failure_kind::transient) == "transient");
  CHECK(name_of(recoup::failure_kind::permanent) == "permanent");
  CHECK(name_of(recoup::report_answer::taken) == "taken");
  CHECK(name_of(recoup::report_answer::stale) == "stale");
}
