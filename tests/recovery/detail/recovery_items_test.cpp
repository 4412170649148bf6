// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/recovery/detail/recovery_items.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::recovery_id;
using recoup::timestamp;
using recoup::detail::lease;
using recoup::detail::rank_of;
using recoup::detail::standing;
using items = recoup::detail::recovery_items<std::string>;

constexpr timestamp start = timestamp(1h);

struct entry {
  std::string item;
  std::uint32_t place;
  std::optional<std::uint64_t> key;
  std::vector<std::uint16_t> out{};
};

recoup::recovery_queue_options options(std::size_t capacity) {
  recoup::recovery_queue_options o;
  o.capacity = capacity;
  o.max_leases = 4;
  o.targets = {recoup::recovery_target{.fallback = 1}, recoup::recovery_target{}};
  return o;
}

std::vector<std::byte> bytes_of(const items& all) {
  recoup::snapshot_writer w;
  all.save(w);
  return {w.written().begin(), w.written().end()};
}

// Begins an attempt at an item that is ready, or a second one where one is out.
void hand_out(items& all, std::uint32_t place) {
  auto& r = all.lines[place];
  if (all.is_out(place)) all.lines.enter(place, standing::hedging);
  const bool is_hedge = all.is_out(place);
  all.lines.leave(place);
  lease l;
  l.until = start + 1min;
  l.hedge_at = timestamp::max();
  l.number = recoup::detail::number_of(r.rank);
  l.item = place;
  l.other = is_hedge ? r.link : items::none;
  l.attempt = ++r.attempts;
  l.target = is_hedge ? 1 : 0;
  r.link = all.leases.add(l);
  r.stands = standing::leased;
}

TEST_CASE("the items of a recovery queue are found by their ids and their attempts by theirs") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    const auto o = options(1 + random() % 12);
    items all(o);
    std::map<std::uint64_t, entry> model;  // by number
    std::uint64_t number = 0;
    const auto is_blocked = [&](std::uint64_t n) {
      return model[n].key && std::any_of(model.begin(), model.end(), [&](const auto& other) {
               return other.first < n && other.second.key == model[n].key;
             });
    };
    for (int step = 0; step < 400; ++step) {
      INFO("seed " << seed << " step " << step);
      if (random() % 3 == 0 && !all.full()) {
        entry e{"item number " + std::to_string(++number) + " of this run", 0, std::nullopt};
        if (random() % 2 == 0) e.key = random() % 3;
        e.place = all.add(std::string(e.item), rank_of(static_cast<std::uint32_t>(random() % 8), number),
                          static_cast<std::uint32_t>(0), e.key ? &*e.key : nullptr, start);
        model[number] = std::move(e);
      } else if (!model.empty()) {
        auto any = model.begin();
        std::advance(any, static_cast<std::ptrdiff_t>(random() % model.size()));
        entry& e = any->second;
        if (random() % 2 == 0 && !all.leases.full() && e.out.size() < 2 && !is_blocked(any->first)) {
          hand_out(all, e.place);
          e.out.push_back(all.lines[e.place].attempts);
        } else if (e.out.size() == 2) {
          const std::size_t which = random() % 2;
          all.drop_lease(all.lease_of(all.id_of(e.place, e.out[which])));
          e.out.erase(e.out.begin() + static_cast<std::ptrdiff_t>(which));
        } else {
          for (const std::uint16_t a : e.out) all.drop_lease(all.lease_of(all.id_of(e.place, a)));
          all.remove(e.place);
          model.erase(any);
        }
      }
      REQUIRE(all.size() == model.size());
      REQUIRE(all.full() == (model.size() == o.capacity));
      std::size_t out = 0;
      for (const auto& [n, e] : model) {
        const recovery_id id = all.id_of(e.place, 0);
        REQUIRE(id.number == n);
        REQUIRE(all.find(id) == e.place);
        REQUIRE(all[e.place] == e.item);
        REQUIRE(all.find({n + 1'000'000, e.place, 0}) == items::none);
        REQUIRE(all.is_out(e.place) == !e.out.empty());
        REQUIRE((all.lines[e.place].stands == standing::blocked) == is_blocked(n));
        for (std::uint16_t a = 0; a <= all.lines[e.place].attempts; ++a) {
          const bool is_out = std::find(e.out.begin(), e.out.end(), a) != e.out.end();
          const std::uint32_t lease = all.lease_of({n, e.place, a});
          REQUIRE((lease != items::none) == is_out);
          if (is_out) REQUIRE(all.leases[lease].attempt == a);
        }
        out += e.out.size();
      }
      REQUIRE(all.leases.size() == out);
      if (random() % 8 != 0) continue;
      const auto bytes = bytes_of(all);
      items loaded(o);
      recoup::snapshot_reader r(bytes);
      REQUIRE(loaded.load(r, o, number + 1));
      REQUIRE((bytes_of(loaded) == bytes));
      items other(o);
      recoup::snapshot_reader again(bytes);
      if (model.count(number) != 0) REQUIRE_FALSE(other.load(again, o, number));  // not below the next number
      all = std::move(loaded);
    }
  }
}

TEST_CASE("what no queue could have saved is not loaded as its items") {
  const auto loads = [](const auto& change) {
    const auto o = options(4);
    items all(o);
    const auto place = all.add("one", rank_of(3, 1), 0, nullptr, start);
    hand_out(all, place);
    change(all.lines[place]);
    const auto bytes = bytes_of(all);
    items loaded(o);
    recoup::snapshot_reader r(bytes);
    return loaded.load(r, o, 2);
  };
  using record = recoup::detail::recovery_record;
  CHECK(loads([](record&) {}));
  CHECK_FALSE(loads([](record& r) { r.attempts = 0; }));  // though an attempt is out
  CHECK_FALSE(loads([](record& r) { r.target = 1; }));    // which is not where the attempt is, and has no fallback
  CHECK_FALSE(loads([](record& r) { r.target = 2; }));
  CHECK_FALSE(loads([](record& r) { r.rank = rank_of(3, 2); }));
  CHECK_FALSE(loads([](record& r) { r.attempts = 65'535; }));  // which was not announced as final
  CHECK(loads([](record& r) {
    r.attempts = 65'535;
    r.was_final = true;
  }));
}

}  // namespace
