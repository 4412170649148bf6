// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/detail/hash_index.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace {

using recoup::detail::hash_index;
using position = hash_index::position;

constexpr std::uint32_t last_tag = ~std::uint32_t{0};

// Where an entry is, told apart from those of the same tag by its position.
hash_index::place place_of(const hash_index& index, std::uint32_t tag, position p) {
  return index.find(tag, [p](position other) { return other == p; });
}

void insert(hash_index& index, std::uint32_t tag, position p) { index.insert(place_of(index, tag, p), tag, p); }

std::set<position> all_of(const hash_index& index, std::uint32_t tag) {
  std::set<position> all;
  static_cast<void>(index.find(tag, [&](position p) {
    all.insert(p);
    return false;
  }));
  return all;
}

TEST_CASE("an index holds as many entries of one tag as its capacity says and one more") {
  for (const std::size_t capacity : {1U, 2U, 3U, 7U, 64U}) {
    for (const std::uint32_t tag : {std::uint32_t{0}, std::uint32_t{1} << 31, last_tag - 1, last_tag}) {
      CAPTURE(capacity, tag);
      hash_index index(capacity);
      const auto entries = static_cast<position>(capacity + 1);
      for (position p = 0; p < entries; ++p) insert(index, tag, p);
      for (position p = 0; p < entries; ++p) REQUIRE(place_of(index, tag, p).found == p);
      CHECK(place_of(index, tag, entries).found == hash_index::none);
      CHECK(place_of(index, tag ^ 1, 0).found == hash_index::none);
      for (position p = 0; p < entries; p += 2) index.erase(place_of(index, tag, p));
      for (position p = 0; p < entries; ++p) {
        REQUIRE(place_of(index, tag, p).found == (p % 2 == 0 ? hash_index::none : p));
      }
    }
  }
}

TEST_CASE("an index of capacity 0 finds nothing") {
  const hash_index index(0);
  CHECK(place_of(index, 0, 0).found == hash_index::none);
  CHECK(place_of(index, last_tag, 0).found == hash_index::none);
  index.prefetch(last_tag);
}

TEST_CASE("entries that wrap round the end of the table survive an erasure before it") {
  hash_index index(3);                                          // 8 slots
  for (position p = 0; p < 3; ++p) insert(index, last_tag, p);  // slots 7, 0, 1
  insert(index, 0, 3);                                          // home 0, slot 2
  insert(index, std::uint32_t{1} << 30, 4);                     // home 2, slot 3
  index.erase(place_of(index, last_tag, 0));
  CHECK(place_of(index, last_tag, 1).slot == 7);
  CHECK(place_of(index, last_tag, 2).slot == 0);
  CHECK(place_of(index, 0, 3).slot == 1);
  CHECK(place_of(index, std::uint32_t{1} << 30, 4).slot == 2);  // at home, and no further
  index.erase(place_of(index, last_tag, 1));
  index.erase(place_of(index, last_tag, 2));
  CHECK(place_of(index, 0, 3).slot == 0);
  CHECK(place_of(index, std::uint32_t{1} << 30, 4).slot == 2);
}

TEST_CASE("the tag is the upper half of the hash and bytes are those of the slots") {
  STATIC_REQUIRE(hash_index::tag_of(0x0123'4567'89AB'CDEF) == 0x0123'4567);
  STATIC_REQUIRE(hash_index::bytes_for(1'000) == 2'002 * 8);
}

// The slots are compared through the places of the entries: they depend on the operations alone.
TEST_CASE("an index finds what a map finds whatever collides") {
  std::uint64_t operations = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const std::size_t capacity = 1 + random() % 24;
    const std::size_t slots = hash_index::bytes_for(capacity) / 8;
    hash_index index(capacity);
    std::map<position, std::uint32_t> naive;
    const std::uint64_t kind = seed % 4;
    const auto any_tag = [&]() -> std::uint32_t {
      const auto ends = static_cast<std::uint32_t>(random() % 3);
      if (kind == 0) return static_cast<std::uint32_t>(random());
      if (kind == 1) return random() % 2 == 0 ? ends : last_tag - ends;  // first and last slot, many alike
      if (kind == 2) return last_tag - static_cast<std::uint32_t>(random() % 4 * ((std::uint64_t{1} << 32) / slots));
      return 0x8000'0000;
    };
    for (int step = 0; step < 300; ++step, ++operations) {
      INFO("seed " << seed << " step " << step);
      const auto any_entry = [&] {
        return std::next(naive.begin(), static_cast<std::ptrdiff_t>(random() % naive.size()));
      };
      switch (naive.empty() ? 0 : random() % 5) {
        case 0:
        case 1: {
          if (naive.size() > capacity) break;
          const auto p = static_cast<position>(random() % 1'000'000);
          if (naive.contains(p)) break;
          const std::uint32_t tag = any_tag();
          const auto free = place_of(index, tag, p);
          REQUIRE(free.found == hash_index::none);
          index.insert(free, tag, p);
          naive.emplace(p, tag);
          break;
        }
        case 2: {
          const auto entry = any_entry();
          const auto [from, tag] = *entry;
          const auto to = static_cast<position>(1'000'000 + random() % 1'000'000);
          if (naive.contains(to)) break;
          index.move(place_of(index, tag, from), to);
          naive.erase(entry);
          naive.emplace(to, tag);
          break;
        }
        default: {
          const auto entry = any_entry();
          index.erase(place_of(index, entry->second, entry->first));
          naive.erase(entry);
        }
      }
      std::set<std::uint32_t> taken;
      for (const auto& [p, tag] : naive) {
        const auto found = place_of(index, tag, p);
        if (found.found != p) FAIL("position " << p << " of tag " << tag << " is lost");
        if (found.slot >= slots || !taken.insert(found.slot).second) FAIL("two entries in one slot");
      }
      const std::uint32_t tag = any_tag();
      std::set<position> same;
      for (const auto& [p, t] : naive) {
        if (t == tag) same.insert(p);
      }
      if (all_of(index, tag) != same) FAIL("others are found under tag " << tag);
    }
  }
  CHECK(operations == 90'000);
}

}  // namespace
