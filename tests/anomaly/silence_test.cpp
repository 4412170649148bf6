// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/silence.hpp"

#include "catch.hpp"
#include "recoup/core/time.hpp"

using namespace std::chrono_literals;

TEST_CASE("A silence lasts from the last event on, whatever the times", "[anomaly][silence]") {
  using recoup::timestamp;
  CHECK(recoup::silence{.since = timestamp(5s), .at = timestamp(8s), .times = 1, .assessment = {}}.lasted() == 3s);
  CHECK(recoup::silence_ended{timestamp(5s), timestamp(9s), 2}.lasted() == 4s);
  CHECK(recoup::silence_ended{timestamp::min(), timestamp::max(), 2}.lasted() == recoup::duration::max());
  CHECK(recoup::silence_ended{timestamp(1s), timestamp(2s), 2} ==
        recoup::silence_ended{timestamp(1s), timestamp(2s), 2});
  CHECK_FALSE(recoup::silence_ended{timestamp(1s), timestamp(2s), 2} ==
              recoup::silence_ended{timestamp(1s), timestamp(2s), 3});
}
