// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>

// How many times as long as every day a random test is to run: the environment variable RECOUP_TEST_SCALE, or 1.
inline std::uint64_t test_scale() {
  const char* const text = std::getenv("RECOUP_TEST_SCALE");
  const std::uint64_t scale = text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
  return scale == 0 ? 1 : scale;
}
