// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/overloaded.hpp"

#include <string>

#include "catch.hpp"

TEST_CASE("overloaded calls the handler for the type and keeps what it captured") {
  int numbers = 0;
  std::string texts;
  const recoup::overloaded sink{
      [&](int n) { numbers += n; },
      [&](const std::string& t) { texts += t; },
      [](const auto&) { return 'x'; },
  };
  sink(3);
  sink(4);
  sink(std::string("ab"));
  CHECK(numbers == 7);
  CHECK(texts == "ab");
  CHECK(sink(2.5) == 'x');
}
