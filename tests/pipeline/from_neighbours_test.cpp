// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/from_neighbours.hpp"

#include <cstdint>
#include <string>

#include "catch.hpp"
#include "orders.hpp"

namespace {

using namespace orders;

order at(timestamp t, std::string id = {}) { return {.offset = {}, .id = std::move(id), .at = t}; }

template <class Fillers>
order fill(const Fillers& fillers, const order& before, const order& after, std::uint64_t sequence) {
  order draft;
  fillers.fill(draft, {before, after, 10, sequence, 14});
  return draft;
}

}  // namespace

TEST_CASE("midpoint lies in proportion to the numbers") {
  const auto fillers = recoup::from_neighbours(recoup::midpoint(&order::at)).bind<order>();
  const order before = at(start);
  const order after = at(start + 40s);
  CHECK(fill(fillers, before, after, 11).at == start + 10s);
  CHECK(fill(fillers, before, after, 12).at == start + 20s);
  CHECK(fill(fillers, before, after, 13).at == start + 30s);
  CHECK(fill(fillers, after, before, 11).at == start + 30s);  // time went back
  CHECK(fill(fillers, at(timestamp::min()), at(timestamp::max()), 12).at == timestamp(-1ns));
}

TEST_CASE("midpoint stays empty where a neighbour has no time") {
  const auto fillers = recoup::from_neighbours(recoup::midpoint(&order::at)).bind<order>();
  order timeless;
  CHECK_FALSE(fill(fillers, timeless, at(start), 12).at);
  CHECK_FALSE(fill(fillers, at(start), timeless, 12).at);
}

TEST_CASE("most_frequent fills in what it has learnt") {
  auto fillers = recoup::from_neighbours(recoup::most_frequent(&order::id)).bind<order>();
  CHECK(fill(fillers, at(start), at(start), 12).id.empty());
  for (const auto* id : {"a", "b", "b"}) fillers.learn(at(start, id));
  CHECK(fill(fillers, at(start), at(start), 12).id == "b");
  CHECK(fill(fillers.empty_copy(), at(start), at(start), 12).id.empty());
}

TEST_CASE("fillers run in order and may be any callable") {
  const auto fillers = recoup::from_neighbours(
                           [](order& draft, const auto& n) { draft.revision = static_cast<std::uint32_t>(n.sequence); },
                           [](order& draft, const recoup::neighbours<order>& n) {
                             draft.id = n.before.id + std::to_string(draft.revision);
                           })
                           .bind<order>();
  CHECK(fill(fillers, at(start, "x"), at(start), 12).id == "x12");
}

TEST_CASE("what fillers have learnt is saved") {
  auto fillers =
      recoup::from_neighbours(recoup::most_frequent(&order::id, 8), recoup::midpoint(&order::at)).bind<order>();
  for (const auto* id : {"a", "b", "b"}) fillers.learn(at(start, id));
  recoup::snapshot_writer w;
  fillers.save(w);
  const auto bytes = w.take();
  auto loaded =
      recoup::from_neighbours(recoup::most_frequent(&order::id, 8), recoup::midpoint(&order::at)).bind<order>();
  recoup::snapshot_reader r(bytes);
  REQUIRE(loaded.load(r));
  CHECK(fill(loaded, at(start), at(start), 12).id == "b");
  CHECK(loaded.configuration() == fillers.configuration());
  CHECK(recoup::from_neighbours(recoup::most_frequent(&order::id, 9)).bind<order>().configuration() !=
        recoup::from_neighbours(recoup::most_frequent(&order::id, 8)).bind<order>().configuration());
}
