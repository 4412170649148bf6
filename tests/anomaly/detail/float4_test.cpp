// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/float4.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <random>

#include "catch.hpp"
#include "test_scale.hpp"

namespace {

using recoup::detail::float4;
using four = std::array<float, 4>;

four lanes(float4 f) {
  four values{};
  f.store(values.data());
  return values;
}

}  // namespace

TEST_CASE("four floats at once are as four of them one by one") {
  const auto operations = static_cast<int>(2'000 * test_scale());
  std::mt19937_64 random(1);
  std::uniform_real_distribution<float> any(-100, 100);
  bool agrees = true;
  for (int n = 0; n < operations; ++n) {
    four a{};
    four b{};
    for (float& x : a) x = any(random);
    for (float& x : b) x = any(random);
    const float4 x(a.data());
    const float4 y(b.data());
    for (std::size_t i = 0; i < 4; ++i) {
      agrees = agrees && lanes(x + y)[i] == a[i] + b[i] && lanes(x - y)[i] == a[i] - b[i];
      agrees = agrees && lanes(x * y)[i] == a[i] * b[i] && lanes(x / y)[i] == a[i] / b[i];
      agrees = agrees && lanes(min(x, y))[i] == std::min(a[i], b[i]) && lanes(max(x, y))[i] == std::max(a[i], b[i]);
      agrees = agrees && lanes(abs(x))[i] == std::abs(a[i]) && lanes(sqrt(abs(x)))[i] == std::sqrt(std::abs(a[i]));
      agrees = agrees && lanes(2 * x + 1)[i] == 2 * a[i] + 1;
    }
    agrees = agrees && largest(x) == *std::max_element(a.begin(), a.end());
  }
  CHECK(agrees);
}
