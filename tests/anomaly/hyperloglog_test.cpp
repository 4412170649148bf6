// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/hyperloglog.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "anomaly/conduct.hpp"
#include "catch.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot.hpp"
#include "test_scale.hpp"

namespace {

using recoup::hyperloglog;

// Registers as the paper has them, bit by bit, of all hashes.
template <unsigned Precision>
std::vector<std::byte> registers_of(const std::vector<std::uint64_t>& hashes) {
  std::vector<std::byte> all(std::size_t{1} << Precision);
  for (const std::uint64_t hash : hashes) {
    unsigned rank = 1;
    for (unsigned bit = 64 - Precision; bit > 0 && (hash >> (bit - 1) & 1U) == 0; --bit) ++rank;
    std::byte& there = all[hash >> (64 - Precision)];
    there = std::max(there, static_cast<std::byte>(rank));
  }
  return all;
}

template <unsigned Precision>
std::vector<std::byte> registers_of(const hyperloglog<Precision>& h) {
  auto bytes = conduct::bytes_of(h);
  bytes.erase(bytes.begin(), bytes.begin() + 8);  // behind their number
  return bytes;
}

// The likeliest number of keys for these registers, if each was added to by a Poisson number of them: by bisection.
double likeliest(const std::vector<std::byte>& registers, unsigned precision) {
  const unsigned most = 64 - precision + 1;
  const auto slope = [&](double rate) {  // of the logarithm of the likelihood, by the rate a register
    double sum = 0;
    for (const std::byte b : registers) {
      const auto k = std::to_integer<unsigned>(b);
      if (k < most) sum -= std::ldexp(1.0, -static_cast<int>(k));
      if (k > 0) {
        const double part = std::ldexp(1.0, -static_cast<int>(std::min(k, most - 1)));
        sum += part / std::expm1(rate * part);
      }
    }
    return sum;
  };
  double low = 1e-9;
  double high = 1e18;
  for (int i = 0; i < 200; ++i) {
    const double middle = std::sqrt(low * high);
    (slope(middle) > 0 ? low : high) = middle;
  }
  return low * static_cast<double>(registers.size());
}

}  // namespace

TEST_CASE("A sketch holds the registers of the paper", "[anomaly][hyperloglog]") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    hyperloglog<6> h;
    std::vector<std::uint64_t> hashes;
    for (std::uint64_t n = random() % 300; n > 0; --n) {
      const std::uint64_t hash = random() >> (random() % 4 == 0 ? random() % 64 : 0);  // also long rows of zeros
      hashes.push_back(random() % 3 == 0 ? std::rotr(hash, 6) : hash);
      h.add_hash(hashes.back());
    }
    REQUIRE(registers_of(h) == registers_of<6>(hashes));
    REQUIRE(h.is_empty() == hashes.empty());
  }
}

TEST_CASE("The error of an estimate is that of the theory, over seeds", "[anomaly][hyperloglog]") {
  // Seeds 1 to 120 times 977. The mean square of so many errors is within 30 % of its mean in all but rare cases.
  const int seeds = 120;
  for (const std::uint64_t keys : {1U, 10U, 300U, 3'000U, 20'000U}) {
    double sum = 0;
    double squares = 0;
    for (int seed = 1; seed <= seeds; ++seed) {
      hyperloglog<8> h(static_cast<std::uint64_t>(seed) * 977);
      for (std::uint64_t key = 0; key < keys; ++key) h.add(key);
      const double error = h.estimate() / static_cast<double>(keys) - 1;
      sum += error;
      squares += error * error;
    }
    const double theory = hyperloglog<8>::relative_error();
    const double mean = sum / seeds;
    const double root = std::sqrt(squares / seeds);
    INFO(keys << " keys: bias " << mean << ", error " << root << ", in theory " << theory);
    CHECK(std::abs(mean) < 3 * theory / std::sqrt(static_cast<double>(seeds)));
    CHECK(root < 1.25 * theory);
    if (keys >= 3'000) CHECK(root > 0.75 * theory);
  }
}

TEST_CASE("An estimate is near the likeliest number, at every size", "[anomaly][hyperloglog]") {
  std::mt19937_64 random(2);
  hyperloglog<10> h;
  std::uint64_t next = 1;
  for (std::uint64_t added = 1; added <= 300'000; ++added) {
    h.add_hash(random());
    if (added != next) continue;
    next = next * 3 + 1;
    const double best = likeliest(registers_of(h), 10);
    INFO(added << ": " << h.estimate() << ", likeliest " << best);
    CHECK(std::abs(h.estimate() / best - 1) < 0.02);
    CHECK(std::abs(h.estimate() / static_cast<double>(added) - 1) < 0.15);
  }
}

TEST_CASE("An empty sketch estimates none, and a full one more than any number", "[anomaly][hyperloglog]") {
  hyperloglog<> h;
  CHECK(h.is_empty());
  CHECK(h.estimate() == 0);
  for (std::uint64_t i = 0; i < hyperloglog<>::registers; ++i) h.add_hash(i << 52);
  CHECK(h.estimate() > 1e18);
  h.clear();
  CHECK(h == hyperloglog<>());
  CHECK(h.estimate() == 0);
}

TEST_CASE("Order and repetition do not matter to a sketch", "[anomaly][hyperloglog]") {
  hyperloglog<> a(7);
  hyperloglog<> b(7);
  for (int i = 0; i < 5'000; ++i) a.add(i);
  for (int round = 0; round < 3; ++round) {
    for (int i = 4'999; i >= 0; --i) b.add(i);
  }
  CHECK(a == b);
  hyperloglog<> c(8);
  for (int i = 0; i < 5'000; ++i) c.add(i);
  CHECK_FALSE(registers_of(a) == registers_of(c));
}

TEST_CASE("Sketches that are merged are one of all keys", "[anomaly][hyperloglog]") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20; ++round) {
    hyperloglog<8> a(5);
    hyperloglog<8> b(5);
    hyperloglog<8> all(5);
    for (std::uint64_t n = random() % 2'000; n > 0; --n) {
      const std::string key = "user " + std::to_string(random() % 3'000);
      (random() % 2 == 0 ? a : b).add(key);
      all.add(key);
    }
    REQUIRE(a.merge(b));
    REQUIRE(a == all);
    REQUIRE(a.merge(a));
    REQUIRE(a == all);
    hyperloglog<8> other(6);
    REQUIRE_FALSE(a.merge(other));
    REQUIRE(a == all);
  }
}

TEST_CASE("A sketch goes on from a snapshot, and refuses bytes that are none", "[anomaly][hyperloglog]") {
  hyperloglog<4> h(9);
  for (int i = 0; i < 50; ++i) {
    h.add(i);
    hyperloglog<4> restored(9);
    REQUIRE(recoup::restore(restored, recoup::snapshot(h)));
    REQUIRE(restored == h);
  }
  hyperloglog<4> other(10);
  CHECK_FALSE(recoup::restore(other, recoup::snapshot(h)));
  const auto bytes = conduct::bytes_of(h);
  hyperloglog<4> loaded(9);
  for (std::size_t n = 0; n < bytes.size(); ++n) REQUIRE_FALSE(conduct::load(loaded, std::span(bytes).first(n)));
  for (std::size_t at = 8; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] = std::byte{62};  // one more than there can be
    REQUIRE_FALSE(conduct::load(loaded, changed));
    REQUIRE(loaded.is_empty());
    changed[at] = std::byte{61};
    REQUIRE(conduct::load(loaded, changed));
    REQUIRE(std::isfinite(loaded.estimate()));
    loaded = hyperloglog<4>(9);
  }
}
