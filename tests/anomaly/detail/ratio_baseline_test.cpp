// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/ratio_baseline.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <random>

#include "catch.hpp"
#include "recoup/core/time.hpp"

namespace {

using recoup::timestamp;
using recoup::detail::gaussian_tail;
using recoup::detail::ratio_baseline;
using recoup::detail::share_forecast;

double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

// -ln of twice the tail of a beta-binomial distribution from `from` away from the mean, summed up.
double exact_score(int n, double p, double own, int from, bool below) {
  const double a = p * (1 / own - 1);
  const double b = (1 - p) * (1 / own - 1);
  double tail = 0;
  for (int k = from; k >= 0 && k <= n; k += below ? -1 : 1) {
    const double ways = std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
    tail += std::exp(ways + log_beta(a + k, b + n - k) - log_beta(a, b));
  }
  return -std::log(2 * tail);
}

}  // namespace

TEST_CASE("The score of a ratio is that of a beta-binomial tail", "[anomaly][ratio]") {
  double worst = 0;
  for (const double own : {1e-6, 1e-3, 1e-2}) {
    for (const int n : {30, 100, 1'000, 20'000}) {
      for (const double p : {0.95, 0.5, 0.1}) {
        const share_forecast share{p, (1 - own) / n, own};
        for (const double deviations : {-5.0, -4.0, -3.0, -2.0, 2.0, 3.0, 4.0, 5.0}) {
          const int k = static_cast<int>(std::lround(n * (p + deviations * std::sqrt(share.variance()))));
          if (k < 0 || k > n) continue;
          const double exact = exact_score(n, p, own, k, deviations < 0);
          if (exact > 20) continue;
          const double score = gaussian_tail(share.deviation((k + (deviations < 0 ? 0.5 : -0.5)) / n));
          INFO("own " << own << ", " << k << " of " << n << ", p " << p << ": " << score << ", exactly " << exact);
          CHECK(std::abs(score - exact) < 0.3 + 0.06 * exact);
          worst = std::max(worst, std::abs(score / exact - 1));
        }
      }
    }
  }
  CHECK(worst > 0.01);  // the comparison compares
}

TEST_CASE("The share of a deviation is found again, from inside", "[anomaly][ratio]") {
  for (const double p : {1e-9, 0.1, 0.5, 0.95, 1 - 1e-9}) {
    for (const double noise : {1e-6, 1e-3, 0.5}) {
      const share_forecast share{p, noise, noise / 2};
      CHECK(std::abs(share.share_at(0) - p) < 1e-7);
      for (const double wanted : {-3.0, -0.5, 0.5, 3.0}) {
        const double x = share.share_at(wanted);
        CHECK((x >= 0 && x <= 1));
        CHECK((wanted < 0 ? x <= p : x >= p));
        if (x <= 1e-12 || x >= 1 - 1e-12 || x == p) continue;
        CHECK(std::abs(share.deviation(x)) <= std::abs(wanted));
        CHECK(std::abs(share.deviation(x)) > 0.998 * std::abs(wanted));
      }
    }
  }
}

TEST_CASE("What a ratio varies beyond counting is learnt", "[anomaly][ratio]") {
  for (const double own : {0.0, 0.003, 0.03}) {
    for (const int n : {300, 3'000}) {
      std::mt19937_64 random(5);
      const ratio_baseline::rules rules{.kept = std::exp2(-1.0 / 288), .warm_up = 20};
      ratio_baseline baseline;
      for (int i = 0; i < 3'000; ++i) {
        double p = 0.9;
        if (own > 0) {
          const double a = std::gamma_distribution<>(0.9 * (1 / own - 1))(random);
          p = a / (a + std::gamma_distribution<>(0.1 * (1 / own - 1))(random));
        }
        const auto k = static_cast<std::uint64_t>(std::binomial_distribution<int>(n, p)(random));
        baseline.learn(rules, baseline.judge(rules, timestamp(), k, static_cast<std::uint64_t>(n)));
      }
      INFO("own " << own << ", n " << n << ": " << baseline.own());
      CHECK(baseline.own() < 1.5 * own + 0.001);
      CHECK(baseline.own() > 0.5 * own);
    }
  }
}
