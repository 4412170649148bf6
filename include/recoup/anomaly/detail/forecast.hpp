// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detail/moments.hpp"
#include "recoup/anomaly/detail/tail.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"

// What detectors that expect a number, give or take another, have in common.

namespace recoup::detail {

// A deviation of less than this share of what was expected is noise of the computation, not of the stream: no scale
// counts as less.
inline constexpr double relative_noise = 1e-6;

constexpr side side_of(double deviation) noexcept {
  return static_cast<side>((deviation > 0 ? 1 : 0) + (deviation < 0 ? 2 : 0));  // without a branch to guess
}

// What is known of the next value.
struct forecast {
  double expected = 0;
  double scale = 0;      // standard deviation of what may come; above 0
  double vagueness = 0;  // 1 / degrees of freedom of the scale, which is an estimate
  bool warming = true;

  static double floored(double scale, double least_scale, double expected) noexcept {
    return std::max(std::max(scale, least_scale), relative_noise * std::abs(expected));
  }

  // The next value misses an estimated mean by more than it misses the true one, and an estimated variance is too small
  // on average; what Student's distribution asks for beyond that, see student_deviation.
  static forecast from(const moments& m, double vagueness, double least_scale, bool warming) noexcept {
    return {m.mean, floored(std::sqrt(m.variance * (1 + 2.5 * vagueness)), least_scale, m.mean), vagueness, warming};
  }

  // In scales; at most 1e141.
  [[nodiscard]] double deviation(double value) const noexcept {
    return (std::clamp(value, -largest_learnt, largest_learnt) - expected) / scale;
  }
  // What to learn in place of a value: no further off than `clip` scales, once there is a scale.
  [[nodiscard]] double clipped(double value, double clip) const noexcept {
    const double reach = clip * scale;
    // A branch: as a minimum and maximum, each value would have to wait for the root of the variance before it.
    if (std::abs(value - expected) <= reach && std::abs(value) <= largest_learnt) [[likely]]
      return value;
    return clipped_away(value, expected, warming ? std::numeric_limits<double>::infinity() : reach);
  }

 private:
  [[gnu::noinline]] static double clipped_away(double value, double expected, double reach) noexcept {
    return std::clamp(std::clamp(value, expected - reach, expected + reach), -largest_learnt, largest_learnt);
  }
};

// Of an estimate from so many values (at least 2) that weigh the same.
constexpr double vagueness_of(double values) noexcept { return 1 / (std::max(values, 2.0) - 1); }

// What the options of all of them share.
template <class Options>
void require_forecast_options(std::string_view name, const Options& o) {
  const auto require = [&](bool valid, std::string_view sentence) {
    if (!valid) reject_option(std::string(name).append(".").append(sentence));
  };
  require(o.warmup >= 8, "warmup must be at least 8 values");
  require(o.clip >= 1, "clip must be at least 1 standard deviation; 4 is usual, infinity learns values as they are");
  require(o.least_scale >= 1e-40 && o.least_scale <= 1e40, "least_scale must be 1e-40 to 1e40, in units of the value");
}

// The standard normal deviation that is as unusual as the deviation t by a scale that was itself estimated: the root of
// ln(1 + u) / u with u = t^2 * vagueness (Wallace, 1959) as a rational function, to 1 % up to u = 1; there and beyond
// it exceeds it: by 3 % at u = 2. The factor next to 1 is in forecast::from.
constexpr double student_deviation(double t, double vagueness) noexcept {
  const double u = t * t * vagueness;
  return t * ((24 + 7 * u) / (24 + 13 * u));
}

inline assessment judge(const forecast& f, double value) noexcept {
  assessment a;
  a.expected = f.expected;
  a.warming = f.warming;
  if (f.warming) return a;
  // From inside: less than the inverse of student_deviation.
  const double widening = std::min(1 + 0.25 * usual_deviation * usual_deviation * f.vagueness, 1.4);
  const double reach = usual_deviation * widening * f.scale;
  a.lower = f.expected - reach;
  a.upper = f.expected + reach;
  if (!std::isfinite(value)) return a;
  const double t = f.deviation(value);
  a.score = gaussian_tail(student_deviation(t, f.vagueness));
  a.side = side_of(t);
  return a;
}

// A detector from what sets it apart: next(at), the forecast; absorb(at, clipped value, forecast), which learns; and
// where a score is not that of a single deviation, judged(forecast, value). All are const but absorb, and may be
// private to a friend.
template <class Detector>
class forecasting {
 public:
  [[nodiscard]] assessment assess(timestamp at, double value) const {
    return Detector::judged(self(), self().next(at), value);
  }
  void learn(timestamp at, double value) { learn(self().next(at), at, value); }
  assessment update(timestamp at, double value) {
    const forecast f = self().next(at);
    const assessment a = Detector::judged(self(), f, value);
    learn(f, at, value);
    return a;
  }

  /// Values that were NaN or infinite.
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }

 protected:
  explicit forecasting(double clip) noexcept : clip_(clip) {}

  static assessment judged(const Detector&, const forecast& f, double value) { return judge(f, value); }

  double clip_;
  std::uint64_t ignored_ = 0;

 private:
  const Detector& self() const { return static_cast<const Detector&>(*this); }

  void learn(const forecast& f, timestamp at, double value) {
    if (!std::isfinite(value)) [[unlikely]] {
      ++ignored_;
      return;
    }
    static_cast<Detector&>(*this).absorb(at, f.clipped(value, clip_), f);
  }
};

}  // namespace recoup::detail
