// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/transition_counts.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "test_scale.hpp"

namespace {

constexpr std::size_t states = 5;
using counts = recoup::detail::transition_counts<states>;

// The same in numbers that are as wide as you like, the sums taken anew each time.
class model {
 public:
  void count(std::size_t from, std::size_t to) {
    if (++counts_[from][to] < 255) return;
    for (auto& n : counts_[from]) n /= 2;
  }
  double probability(std::size_t from, std::size_t to, double backoff, double prior) const {
    double row = 0;
    double column = 0;
    double all = 0;
    for (std::size_t a = 0; a < states; ++a) {
      for (std::size_t b = 0; b < states; ++b) {
        all += counts_[a][b];
        row += a == from ? counts_[a][b] : 0;
        column += b == to ? counts_[a][b] : 0;
      }
    }
    const double alone = (column + prior / states) / (all + prior);
    return (counts_[from][to] + backoff * alone) / (row + backoff);
  }

 private:
  std::array<std::array<unsigned, states>, states> counts_{};
};

std::vector<std::byte> bytes_of(const counts& c) {
  recoup::snapshot_writer w;
  c.save(w);
  return w.take();
}

TEST_CASE("transition counts answer as the model does") {
  for (std::uint64_t seed = 0; seed < 4 * test_scale(); ++seed) {
    std::mt19937_64 random(seed);
    counts c;
    model m;
    for (int i = 0; i < 10'000; ++i) {
      const std::size_t from = random() % states * (random() % 2);  // state 0 more often than the others
      const std::size_t to = random() % (from + 1);
      if (i % 50 == 0) {
        for (std::size_t a = 0; a < states; ++a) {
          for (std::size_t b = 0; b < states; ++b) {
            CHECK_THAT(c.probability(a, b, 1, 0.5), Catch::Matchers::WithinRel(m.probability(a, b, 1, 0.5), 1e-12));
          }
        }
      }
      c.count(from, to);
      m.count(from, to);
    }
  }
}

TEST_CASE("the probabilities of what may follow a state add up to one, and none is zero") {
  std::mt19937_64 random(1);
  counts c;
  for (int i = 0; i < 3'000; ++i) {
    for (std::size_t from = 0; i % 100 == 0 && from < states; ++from) {
      double sum = 0;
      for (std::size_t to = 0; to < states; ++to) {
        CHECK(c.probability(from, to, 2, 0.5) > 0);
        sum += c.probability(from, to, 2, 0.5);
      }
      CHECK_THAT(sum, Catch::Matchers::WithinRel(1.0, 1e-12));
    }
    c.count(random() % 3, random() % 4);
  }
}

TEST_CASE("transition counts taken up from bytes are the same, and full or missing ones are refused") {
  std::mt19937_64 random(2);
  counts c;
  for (int i = 0; i < 5'000; ++i) c.count(random() % states, random() % states);
  const auto bytes = bytes_of(c);
  counts other;
  recoup::snapshot_reader r(bytes);
  REQUIRE(other.load(r));
  CHECK(bytes_of(other) == bytes);
  for (int i = 0; i < 2'000; ++i) {
    const std::size_t from = random() % states;
    const std::size_t to = random() % states;
    c.count(from, to);
    other.count(from, to);
    REQUIRE(c.probability(from, to, 1, 0.5) == other.probability(from, to, 1, 0.5));
  }
  auto corrupt = bytes;
  corrupt[7] = std::byte{255};
  recoup::snapshot_reader full(corrupt);
  CHECK_FALSE(other.load(full));
  corrupt.pop_back();
  corrupt[7] = std::byte{1};
  recoup::snapshot_reader missing(corrupt);
  CHECK_FALSE(other.load(missing));
}

}  // namespace
