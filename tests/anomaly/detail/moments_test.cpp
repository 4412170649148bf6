// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/moments.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "recoup/core/snapshot_bytes.hpp"

namespace {

using recoup::detail::moments;

TEST_CASE("Moments of values by hand", "[anomaly][moments]") {
  moments m;
  m.absorb(2, 1);
  CHECK(m.mean == 2);
  CHECK(m.variance == 0);
  m.absorb(6, 0.25);  // weights 3/4, 1/4
  CHECK(m.mean == 3);
  CHECK(m.variance == 3);
}

TEST_CASE("Moments stay finite for the largest values and any weights", "[anomaly][moments]") {
  moments m;
  for (int i = 0; i < 10'000; ++i) m.absorb(i % 2 == 0 ? 1e100 : -1e100, i == 0 ? 1 : i % 3 == 0 ? 1e-9 : 0.5);
  CHECK(std::isfinite(m.mean));
  CHECK(std::isfinite(m.variance));
  CHECK(m.variance > 0);
}

TEST_CASE("Moments that cannot be are not loaded", "[anomaly][moments]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto loads = [](double mean, double variance) {
    recoup::snapshot_writer w;
    w.f64(mean);
    w.f64(variance);
    recoup::snapshot_reader r(w.written());
    moments m;
    return m.load(r);
  };
  CHECK(loads(-1e100, 1e200));
  CHECK_FALSE(loads(nan, 1));
  CHECK_FALSE(loads(1, nan));
  CHECK_FALSE(loads(1e101, 1));
  CHECK_FALSE(loads(0, -1));
  CHECK_FALSE(loads(0, 1e201));
}

}  // namespace
