// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detector.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "catch.hpp"
#include "recoup/anomaly/combined.hpp"
#include "recoup/anomaly/count_detector.hpp"
#include "recoup/anomaly/cusum.hpp"
#include "recoup/anomaly/ewma.hpp"
#include "recoup/anomaly/holt_winters.hpp"
#include "recoup/anomaly/limited.hpp"
#include "recoup/anomaly/page_hinkley.hpp"
#include "recoup/anomaly/rate_detector.hpp"
#include "recoup/anomaly/value_detector.hpp"
#include "recoup/anomaly/welford.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

static_assert(!recoup::detector<int>);
static_assert(!recoup::detector<recoup::rate_detector>);  // it takes events, not values

// What the concept promises of every detector that is given a value for so long that it has learnt it.
template <recoup::detector Detector>
void check_promises(Detector detector) {
  const auto at = [](std::int64_t i) { return recoup::timestamp(std::chrono::minutes(5) * i); };
  for (std::int64_t i = 0; i < 3'000; ++i) detector.learn(at(i), 100 + static_cast<double>(i * 7'919 % 101) / 10);
  const Detector copy = detector;
  const recoup::assessment usual = detector.assess(at(3'000), 105);
  CHECK_FALSE(usual.warming);
  CHECK(usual.lower <= usual.expected);
  CHECK(usual.expected <= usual.upper);
  CHECK(usual.score < recoup::usual_score);

  // Judged, and nothing learnt.
  const auto before = recoup::snapshot(detector);
  const recoup::assessment far = detector.assess(at(3'000), 1e6);
  CHECK(far.score > usual.score);
  CHECK(recoup::snapshot(detector) == before);
  // Judged by what was learnt before it, and then learnt.
  CHECK(detector.update(at(3'000), 1e6) == far);
  CHECK(recoup::snapshot(detector) != before);
  CHECK(recoup::snapshot(copy) == before);

  const std::uint64_t ignored = detector.ignored();
  const auto learnt = detector.assess(at(3'001), 105);
  for (const double none : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(detector.assess(at(3'001), none).score == 0);
    detector.learn(at(3'001), none);
    CHECK(detector.update(at(3'001), none).score == 0);
  }
  CHECK(detector.ignored() == ignored + 4);
  CHECK(detector.assess(at(3'001), 105) == learnt);
  CHECK(detector.empty_copy().assess(at(0), 105).warming);
  CHECK(detector.empty_copy().configuration() == detector.configuration());
}

TEST_CASE("every detector keeps what the concept promises") {
  check_promises(recoup::ewma());
  check_promises(recoup::welford());
  check_promises(recoup::holt_winters<>());
  check_promises(recoup::value_detector());
  check_promises(recoup::count_detector());
  check_promises(recoup::limited<recoup::ewma>(recoup::ewma(), {}));
}

}  // namespace
