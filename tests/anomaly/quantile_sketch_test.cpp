// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/quantile_sketch.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "test_scale.hpp"

namespace {

using Catch::Matchers::WithinAbs;
using conduct::bytes_of;
using conduct::load;
using recoup::quantile_sketch;
using recoup::quantile_sketch_options;
using limits = std::numeric_limits<double>;

// Magnitudes over `decades` powers of ten, of either sign, with zeros among them.
double wide_value(std::mt19937_64& random, double decades, bool negative) {
  if (random() % 50 == 0) return 0;
  const double unit = std::uniform_real_distribution<double>(0, 1)(random);
  const double magnitude = std::pow(10, decades * (unit - 0.5));
  return negative && random() % 3 == 0 ? -magnitude : magnitude;
}

void require_quantiles(const quantile_sketch& s, std::vector<double> values, double error) {
  std::sort(values.begin(), values.end());
  REQUIRE(s.learnt() == values.size());
  for (double share = 0; share <= 1; share += 0.0078125) {  // exact in binary
    const auto index = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    const double exact = values[index];
    REQUIRE(std::abs(s.quantile(share) - exact) <= error * std::abs(exact) * (1 + 1e-9));
  }
}

TEST_CASE("Each quantile of a sketch is within its relative error of the sorted values", "[anomaly][quantile_sketch]") {
  std::mt19937_64 random(1);
  for (const double error : {0.001, 0.01, 0.1, 0.5}) {
    for (const bool negative : {false, true}) {
      for (std::uint64_t round = 0; round < 2 * test_scale(); ++round) {
        quantile_sketch s({.relative_error = error, .buckets = std::size_t{1} << 14});
        std::vector<double> values;
        const double decades = 1 + static_cast<double>(random() % 12);
        for (std::size_t i = 0; i < 1 + random() % 3'000; ++i) {
          values.push_back(wide_value(random, decades, negative));
          s.learn(values.back());
        }
        REQUIRE_FALSE(s.has_collapsed());
        require_quantiles(s, values, error);
      }
    }
  }
}

TEST_CASE("Every magnitude is within the relative error of its bucket", "[anomaly][quantile_sketch]") {
  for (const double error : {0.0001, 0.01, 0.3}) {
    for (const double sign : {1.0, -1.0}) {
      std::vector<double> values;
      for (double v = limits::min(); v < limits::max() / 1.1; v *= 1.371) values.push_back(v);
      values.push_back(limits::max());
      for (int exponent = -1022; exponent < 1024; exponent += 31) {
        const double power = std::ldexp(1.0, exponent);
        values.push_back(power);
        values.push_back(std::nextafter(power, limits::infinity()));
        if (exponent > -1022) values.push_back(std::nextafter(power, 0));
      }
      for (const double value : values) {
        quantile_sketch s({.relative_error = error, .buckets = 16});
        s.learn(sign * value);
        CAPTURE(error, value);
        REQUIRE(std::abs(s.quantile(0.5) - sign * value) <= error * value * (1 + 1e-9));
      }
    }
  }
}

TEST_CASE("Where there are more magnitudes than buckets the largest keep their error", "[anomaly][quantile_sketch]") {
  std::mt19937_64 random(2);
  quantile_sketch s({.relative_error = 0.01, .buckets = 256});
  std::vector<double> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(wide_value(random, 12, true));
    s.learn(values.back());
  }
  CHECK(s.has_collapsed());
  std::sort(values.begin(), values.end());
  std::size_t checked = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    // 256 buckets hold a bit more than a factor of 140.
    if (std::abs(values[i]) < std::max(values.back(), -values.front()) / 140) continue;
    ++checked;
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(values.size() - 1);
    REQUIRE(std::abs(s.quantile(share) - values[i]) <= 0.0101 * std::abs(values[i]));
  }
  CHECK(checked > 1'000);
  // What lies further in is somewhere between.
  const double median = s.quantile(0.5);
  CHECK(median >= -values.back());
  CHECK(median <= values.back());
  CHECK_FALSE(std::isnan(median));
}

TEST_CASE("A sketch of merged sketches is that of all values, in any order", "[anomaly][quantile_sketch]") {
  std::mt19937_64 random(3);
  for (std::uint64_t round = 0; round < 100 * test_scale(); ++round) {
    const quantile_sketch empty({.relative_error = 0.02, .buckets = 64});
    quantile_sketch all = empty;
    quantile_sketch forth = empty;
    quantile_sketch back = empty;
    std::vector<quantile_sketch> parts(1 + random() % 4, empty);
    for (quantile_sketch& part : parts) {
      const double decades = static_cast<double>(random() % 10);
      for (std::size_t i = random() % 200; i > 0; --i) {
        const double value = wide_value(random, decades, true);
        part.learn(value);
        all.learn(value);
      }
    }
    for (const quantile_sketch& part : parts) REQUIRE(forth.merge(part));
    for (std::size_t i = parts.size(); i > 0; --i) REQUIRE(back.merge(parts[i - 1]));
    REQUIRE(bytes_of(forth) == bytes_of(all));
    REQUIRE(bytes_of(back) == bytes_of(all));
  }
  quantile_sketch s;
  s.learn(5);
  const auto before = bytes_of(s);
  CHECK_FALSE(s.merge(quantile_sketch({.buckets = 16})));
  CHECK_FALSE(s.merge(quantile_sketch({.relative_error = 0.02})));
  CHECK(bytes_of(s) == before);
  CHECK(s.merge(s));
  CHECK(s.learnt() == 2);
}

TEST_CASE("The share below a value is that of the sorted values, but for its bucket", "[anomaly][quantile_sketch]") {
  std::mt19937_64 random(4);
  quantile_sketch s({.buckets = 4'096});
  CHECK(s.share_below(3) == 0);
  std::vector<double> values;
  for (int i = 0; i < 5'000; ++i) {
    values.push_back(wide_value(random, 6, true));
    s.learn(values.back());
  }
  std::sort(values.begin(), values.end());
  const auto exact = [&](double v) {
    return static_cast<double>(std::lower_bound(values.begin(), values.end(), v) - values.begin()) / 5'000;
  };
  for (int i = 0; i < 2'000; ++i) {
    const double v = wide_value(random, 7, true);
    const double margin = 0.0203 * std::abs(v);
    const double share = s.share_below(v);
    REQUIRE(share >= exact(v - margin) - 1e-12);
    REQUIRE(share <= std::max(exact(v + margin), v == 0 ? exact(1e-300) : 0) + 1e-12);
  }
  CHECK(s.share_below(limits::infinity()) == 1);
  CHECK(s.share_below(-limits::infinity()) == 0);
  CHECK(s.share_below(limits::quiet_NaN()) == 0);
}

TEST_CASE("A sketch takes any number and ignores what is none", "[anomaly][quantile_sketch]") {
  std::mt19937_64 random(5);
  quantile_sketch s;
  CHECK(s.quantile(0.5) == 0);
  std::uint64_t ignored = 0;
  std::uint64_t learnt = 0;
  for (std::uint64_t i = 0; i < 20'000 * test_scale(); ++i) {
    const double value = conduct::any_value(random);
    s.learn(value);
    ++(std::isfinite(value) ? learnt : ignored);
    REQUIRE(s.learnt() == learnt);
    REQUIRE(s.ignored() == ignored);
    if (i % 500 != 0) continue;
    double before = limits::lowest();
    for (const double share : {-1.0, 0.0, 0.2, 0.5, 0.9, 1.0, 7.0}) {
      const double q = s.quantile(share);
      REQUIRE(q >= before);
      REQUIRE(q <= limits::max());
      before = q;
    }
    REQUIRE_FALSE(std::isnan(s.quantile(limits::quiet_NaN())));
    quantile_sketch restored = s.empty_copy();
    REQUIRE(load(restored, bytes_of(s)));
    REQUIRE(bytes_of(restored) == bytes_of(s));
    if (random() % 8 == 0) s = restored;
  }
  s.clear();
  CHECK(bytes_of(s) == bytes_of(quantile_sketch()));
}

TEST_CASE("Hostile bytes make no sketch, or one that works", "[anomaly][quantile_sketch]") {
  std::mt19937_64 random(6);
  quantile_sketch s({.relative_error = 0.05, .buckets = 32});
  for (int i = 0; i < 200; ++i) s.learn(wide_value(random, 3, true));
  const auto bytes = bytes_of(s);
  quantile_sketch untouched = s.empty_copy();
  const auto nothing = bytes_of(untouched);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    REQUIRE_FALSE(load(untouched, std::span(bytes).first(length)));
    REQUIRE(bytes_of(untouched) == nothing);
  }
  std::size_t refused = 0;
  for (std::uint64_t i = 0; i < 3'000 * test_scale(); ++i) {
    auto changed = bytes;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      changed[random() % changed.size()] = static_cast<std::byte>(random() % 2 == 0 ? 0xFF : random());
    }
    quantile_sketch loaded = s.empty_copy();
    refused += !load(loaded, changed);
    for (int v = 0; v < 5; ++v) loaded.learn(conduct::any_value(random));
    loaded.merge(s);
    REQUIRE_FALSE(std::isnan(loaded.quantile(0.5)));
    REQUIRE_FALSE(std::isnan(loaded.share_below(1)));
  }
  CHECK(refused > 0);
}

TEST_CASE("Options of quantile_sketch that make no sense are refused", "[anomaly][quantile_sketch]") {
  using options = quantile_sketch_options;
  for (const options& o :
       {options{.relative_error = 0}, options{.relative_error = 0.6}, options{.relative_error = limits::quiet_NaN()},
        options{.buckets = 0}, options{.buckets = 1'000}, options{.buckets = 8}, options{.buckets = 1 << 21}}) {
    CHECK_THROWS_AS(quantile_sketch(o), std::invalid_argument);
  }
  CHECK_THROWS_WITH(quantile_sketch({.buckets = 100}),
                    "quantile_sketch_options.buckets must be a power of two from 16 to 2^20");
  CHECK(quantile_sketch::bytes_for(1'024) == sizeof(quantile_sketch) + 16'384);
}

}  // namespace
