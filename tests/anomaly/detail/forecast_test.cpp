// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/forecast.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "recoup/anomaly/detail/tail.hpp"

namespace {

using Catch::Matchers::WithinRel;
using recoup::detail::forecast;
using recoup::detail::gaussian_tail;
using recoup::detail::judge;
using recoup::detail::student_deviation;
using recoup::detail::vagueness_of;
using limits = std::numeric_limits<double>;

// -ln P(|T| >= t) of Student's distribution, integrated by Simpson's rule over the angle: its density in
// theta = atan(t / sqrt(nu)) is proportional to cos(theta)^(nu - 1).
double student_tail(double t, double nu) {
  const auto integral = [&](double from, double to) {
    const int steps = 20'000;
    const double h = (to - from) / steps;
    double sum = 0;
    for (int i = 0; i <= steps; ++i) {
      sum += (i == 0 || i == steps ? 1 : i % 2 == 0 ? 2 : 4) * std::pow(std::cos(from + i * h), nu - 1);
    }
    return sum * h / 3;
  };
  const double quarter = std::acos(0.0);
  return -std::log(integral(std::atan(t / std::sqrt(nu)), quarter) / integral(0, quarter));
}

TEST_CASE("A deviation by an estimated scale scores as Student's distribution has it", "[anomaly][forecast]") {
  for (const double nu : {7.0, 15.0, 29.0, 100.0, 1'000.0}) {
    for (double t = 0.25; t * t <= 1.5 * nu && t < 30; t *= 1.2) {
      // The scale as forecast::from has it, without what the uncertain mean adds.
      const double scale = std::sqrt(1 + 0.5 / nu);
      CAPTURE(nu, t);
      CHECK_THAT(gaussian_tail(student_deviation(t / scale, 1 / nu)), WithinRel(student_tail(t, nu), 0.04));
    }
  }
}

TEST_CASE("Student's deviation rises with the deviation and stays below it", "[anomaly][forecast]") {
  for (const double vagueness : {1e-9, 0.01, 0.5, 1.0}) {
    double before = 0;
    for (double t = 1e-3; t < 1e140; t *= 1.1) {
      const double z = student_deviation(t, vagueness);
      REQUIRE(z > before);
      REQUIRE(z <= t);
      REQUIRE(student_deviation(-t, vagueness) == -z);
      before = z;
    }
  }
  CHECK(student_deviation(3, 0) == 3);
}

TEST_CASE("The ends of a band score just less than usual, however vague the scale is", "[anomaly][forecast]") {
  for (const double depth : {2.0, 3.0, 5.0, 8.0, 12.0, 30.0, 1e3, 1e9}) {
    const forecast f = forecast::from({.mean = 7, .variance = 4}, vagueness_of(depth), 1e-9, false);
    const auto a = judge(f, 7);
    CAPTURE(depth);
    CHECK(judge(f, a.lower).score <= recoup::usual_score);
    CHECK(judge(f, a.upper).score <= recoup::usual_score);
    if (depth >= 8) CHECK(judge(f, a.upper).score > 0.94 * recoup::usual_score);
  }
}

TEST_CASE("No scale is less than the least one, nor than a millionth of what is expected", "[anomaly][forecast]") {
  CHECK(forecast::from({}, 0.01, 0.5, false).scale == 0.5);
  CHECK(forecast::from({.mean = -3e6, .variance = 1}, 0.01, 0.5, false).scale == 3);
  CHECK(forecast::from({.mean = 1, .variance = 400}, 1e-6, 0.5, false).scale > 20);
}

TEST_CASE("Values are clipped once there is a scale", "[anomaly][forecast]") {
  const forecast f{.expected = 10, .scale = 2, .vagueness = 0, .warming = false};
  CHECK(f.clipped(11, 4) == 11);
  CHECK(f.clipped(100, 4) == 18);
  CHECK(f.clipped(-1e308, 4) == 2);
  CHECK(f.clipped(1e308, limits::infinity()) == 1e100);
  const forecast warming{.expected = 10, .scale = 2, .vagueness = 0, .warming = true};
  CHECK(warming.clipped(100, 4) == 100);
  CHECK(warming.clipped(1e308, 4) == 1e100);
}

}  // namespace
