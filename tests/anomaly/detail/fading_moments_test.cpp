// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/fading_moments.hpp"

#include <algorithm>
#include <random>

#include "catch.hpp"
#include "recoup/anomaly/detail/moments.hpp"

namespace {

using Catch::Matchers::WithinRel;
using recoup::detail::fading_moments;
using recoup::detail::moments;

TEST_CASE("Fading moments weigh few values alike, and many by the half-life", "[anomaly][fading_moments]") {
  std::mt19937_64 random(1);
  for (const double half_life : {1.0, 3.0, 50.0}) {
    fading_moments fading(half_life, 8);
    moments model;
    const double weight = fading_moments::weight_of(half_life);
    for (int i = 1; i < 1'000; ++i) {
      const auto value = static_cast<double>(random() % 100);
      fading.absorb(value);
      model.absorb(value, std::max(weight, 1.0 / i));
      REQUIRE_THAT(fading.now().mean, WithinRel(model.mean, 1e-12));
      REQUIRE_THAT(fading.now().variance, WithinRel(model.variance, 1e-12));
      const double depth = std::min(static_cast<double>(i), 2 / weight - 1);
      REQUIRE_THAT(fading.next(1e-9).vagueness, WithinRel(1 / (std::max(depth, 2.0) - 1), 1e-12));
      REQUIRE(fading.next(1e-9).warming == (i < 8));
    }
    fading.clear();
    CHECK(fading.learnt() == 0);
    CHECK(fading.now().mean == 0);
  }
}

}  // namespace
