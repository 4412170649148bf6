// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/anomaly/detail/transition_counts.hpp"

#include <algorithm>
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
    if (++counts_[from][to] < counts::full) return;
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

double between(double share, double here, double after) { return (1 - share) * here + share * after; }

// The state itself, as one can be that has none after it.
counts::place at(std::size_t state) {
  if (state == states - 1) return {static_cast<std::uint8_t>(state - 1), 1};
  return {static_cast<std::uint8_t>(state), 0};
}

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
            CHECK_THAT(c.probability(at(a), at(b), 1, 0.5),
                       Catch::Matchers::WithinRel(m.probability(a, b, 1, 0.5), 1e-12));
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
        CHECK(c.probability(at(from), at(to), 2, 0.5) > 0);
        sum += c.probability(at(from), at(to), 2, 0.5);
      }
      CHECK_THAT(sum, Catch::Matchers::WithinRel(1.0, 1e-12));
    }
    c.count(random() % 3, random() % 4);
  }
}

TEST_CASE(
    "between two states that may follow the probability is between theirs, and there is no jump from one to the next") {
  std::mt19937_64 random(3);
  counts c;
  for (int i = 0; i < 2'000; ++i) c.count(random() % states, random() % (1 + random() % states));
  for (std::size_t from = 0; from < states; ++from) {
    for (std::uint8_t to = 0; to + 1U < states; ++to) {
      const double here = c.probability(at(from), at(to), 2, 0.5);
      const double after = c.probability(at(from), at(to + 1U), 2, 0.5);
      for (const float share : {0.0F, 0.25F, 0.5F, 0.99F, 1.0F}) {
        const double found = c.probability(at(from), {to, share}, 2, 0.5);
        CHECK_THAT(found, Catch::Matchers::WithinRel(between(share, here, after), 1e-12));
        CHECK(found > 0);
      }
    }
  }
  for (std::size_t to = 0; to < states; ++to) {
    for (std::uint8_t from = 0; from + 1U < states; ++from) {
      const double here = c.probability(at(from), at(to), 2, 0.5);
      const double after = c.probability(at(from + 1U), at(to), 2, 0.5);
      const double half = c.probability({from, 0.5F}, at(to), 2, 0.5);  // of counts: the row with more of them decides
      CHECK(half >= std::min(here, after) * (1 - 1e-12));
      CHECK(half <= std::max(here, after) * (1 + 1e-12));
    }
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
    REQUIRE(c.probability(at(from), at(to), 1, 0.5) == other.probability(at(from), at(to), 1, 0.5));
  }
  auto corrupt = bytes;
  corrupt[7] = std::byte{counts::full};
  recoup::snapshot_reader full(corrupt);
  CHECK_FALSE(other.load(full));
  corrupt.pop_back();
  corrupt[7] = std::byte{1};
  recoup::snapshot_reader missing(corrupt);
  CHECK_FALSE(other.load(missing));
}

}  // namespace
