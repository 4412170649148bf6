// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/detail/rank_order.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/detail/configuration.hpp"

namespace {

using recoup::detail::no_node;
using recoup::detail::ordered_tree;
using recoup::detail::rank_of;
using recoup::detail::rank_queues;

struct node {
  std::uint64_t rank = 0;
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  std::uint64_t order() const { return rank; }
  std::uint64_t priority() const { return recoup::detail::combine({rank}); }
};

TEST_CASE("a rank holds an urgency above a number") {
  using namespace recoup::detail;
  STATIC_REQUIRE(urgency_of(rank_of(7, last_number)) == 7);
  STATIC_REQUIRE(number_of(rank_of(7, last_number)) == last_number);
  STATIC_REQUIRE(rank_of(0, last_number) < rank_of(1, 0));
}

TEST_CASE("an ordered tree knows the first and last of a set") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<node> nodes(100);
    for (std::uint32_t i = 0; i < nodes.size(); ++i) nodes[i].rank = rank_of(i % 8, random() % 1'000 * 100 + i);
    ordered_tree tree;
    std::set<std::pair<std::uint64_t, std::uint32_t>> model;
    for (int step = 0; step < 1'000; ++step) {
      const auto at = static_cast<std::uint32_t>(random() % nodes.size());
      const auto entry = std::pair(nodes[at].rank, at);
      if (model.erase(entry) == 1) {
        tree.erase(nodes, at);
      } else {
        model.insert(entry);
        tree.insert(nodes, at);
      }
      const auto first = model.empty() ? no_node : model.begin()->second;
      const auto last = model.empty() ? no_node : model.rbegin()->second;
      if (tree.empty() != model.empty() || tree.first(nodes) != first || tree.last(nodes) != last)
        FAIL("seed " << seed << " step " << step);
    }
  }
  SUCCEED();
}

std::uint32_t depth(const std::vector<node>& nodes, std::uint32_t at) {
  return at == no_node ? 0 : 1 + std::max(depth(nodes, nodes[at].left), depth(nodes, nodes[at].right));
}

TEST_CASE("an ordered tree is not deep even if its nodes come in order") {
  constexpr std::uint32_t count = 100'000;
  std::vector<node> nodes(count + 1);
  ordered_tree tree;
  for (std::uint32_t i = 0; i < count; ++i) {
    nodes[i].rank = rank_of(3, i);
    tree.insert(nodes, i);
  }
  // The root is the node of the highest priority.
  std::uint32_t root = 0;
  for (std::uint32_t i = 1; i < count; ++i) {
    if (nodes[i].priority() > nodes[root].priority()) root = i;
  }
  CHECK(depth(nodes, root) < 60);  // 2 ln n is 23 of a node on average, 4.3 ln n = 50 the deepest
}

TEST_CASE("queues of ranks know the first and last of a set") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<node> nodes(1'000);
    rank_queues queues;
    std::set<std::pair<std::uint64_t, std::uint32_t>> model;
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
      nodes[i].rank = rank_of(static_cast<std::uint32_t>(random() % 8), i);
      queues.push_back(nodes, i);
      model.insert({nodes[i].rank, i});
      while (!model.empty() && random() % 2 == 0) {
        auto gone = model.begin();
        std::advance(gone, static_cast<std::ptrdiff_t>(random() % model.size()));
        queues.erase(nodes, gone->second);
        model.erase(gone);
      }
      const auto first = model.empty() ? no_node : model.begin()->second;
      const auto last = model.empty() ? no_node : model.rbegin()->second;
      if (queues.empty() != model.empty() || queues.first() != first || queues.last() != last)
        FAIL("seed " << seed << " node " << i);
    }
  }
  SUCCEED();
}

}  // namespace
