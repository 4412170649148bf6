// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/detail/living_tags.hpp"

#include <algorithm>
#include <cstdint>

#include "catch.hpp"

TEST_CASE("as many tags live as the span says and they are those up to the current one") {
  using recoup::detail::living_tags;
  std::uint64_t wrong = 0;
  for (unsigned current = 0; current < 256; ++current) {
    for (unsigned span = 0; span < 256; ++span) {
      const living_tags living(static_cast<std::uint8_t>(current), static_cast<std::uint8_t>(span));
      unsigned found = 0;
      for (unsigned tag = 0; tag < 256; ++tag) found += living.has(static_cast<std::uint8_t>(tag)) ? 1U : 0U;
      wrong += found != span + 1 ? 1U : 0U;
      wrong += living.has(static_cast<std::uint8_t>(current)) ? 0U : 1U;
      wrong += living.has(static_cast<std::uint8_t>(current - span)) ? 0U : 1U;
      wrong += std::all_of(living.current(), living.current() + 16, [&](auto c) { return c == current; }) ? 0U : 1U;
      wrong += std::all_of(living.span(), living.span() + 16, [&](auto s) { return s == span; }) ? 0U : 1U;
    }
  }
  CHECK(wrong == 0);
}
