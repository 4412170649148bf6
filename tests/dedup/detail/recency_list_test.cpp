// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/detail/recency_list.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "catch.hpp"

using recoup::detail::recency_list;

TEST_CASE("a recency list keeps its positions in the order in which a vector does") {
  for (const std::size_t positions : {1U, 2U, 3U, 10U, 60U}) {
    recency_list list(positions);
    std::vector<std::uint32_t> model;
    std::mt19937_64 random(positions);
    bool agrees = true;
    for (int i = 0; i < 4'000 && agrees; ++i) {
      const std::uint64_t operation = random() % 4;
      if (operation < 2 && model.size() < positions) {
        const std::uint32_t added = list.add();
        agrees = added < positions && std::find(model.begin(), model.end(), added) == model.end();
        model.push_back(added);
      } else if (!model.empty()) {
        const auto at = model.begin() + static_cast<std::ptrdiff_t>(random() % model.size());
        const std::uint32_t chosen = *at;
        model.erase(at);
        if (operation == 2) {
          list.remove(chosen);
        } else {
          list.renew(chosen);
          model.push_back(chosen);
        }
      }
      std::vector<std::uint32_t> order;
      for (auto p = list.oldest(); p != recency_list::none; p = list.after(p)) order.push_back(p);
      agrees = agrees && order == model && list.size() == model.size();
    }
    CHECK(agrees);
  }
}

TEST_CASE("a recency list of no positions takes no memory") {
  const recency_list list(0);
  CHECK(list.size() == 0);
  STATIC_REQUIRE(recency_list::bytes_for(0) == 0);
  STATIC_REQUIRE(recency_list::bytes_for(10) == 12 * 8);
}
