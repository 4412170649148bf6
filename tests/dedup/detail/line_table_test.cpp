// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/detail/line_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <tuple>
#include <type_traits>

#include "catch.hpp"
#include "recoup/dedup/detail/line_masks.hpp"
#include "recoup/dedup/detail/living_tags.hpp"

namespace {

using recoup::duration;
using recoup::fingerprint128_t;
using recoup::timestamp;
using recoup::detail::epochs;
using recoup::detail::line_masks;
using recoup::detail::line_table;
using recoup::detail::living_tags;
using recoup::detail::portable_line_masks;

template <unsigned Slots>
void both_ways_agree() {
  INFO("slots " << Slots);
  using fast = line_masks<Slots>;
  using plain = portable_line_masks<Slots>;
  std::mt19937_64 random(Slots);
  std::uint64_t differing = 0;
  std::uint64_t found = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::array<std::array<std::byte, 64>, 2> lines{};
    for (auto& line : lines) {
      const std::uint64_t values = 1 + random() % 256;
      for (auto& byte : line) byte = static_cast<std::byte>(random() % values);
    }
    const auto word = static_cast<std::uint16_t>(random() % 3 * 0x0101);
    const auto current = static_cast<std::uint8_t>(random());
    const auto span = static_cast<std::uint8_t>(random() % 4 == 0 ? 255 : random());
    const living_tags living(current, span);
    const std::byte* a = lines[0].data();
    const std::byte* b = lines[1].data();
    if (fast::equal(a, word) != plain::equal(a, word)) ++differing;
    if (fast::alive(a, living) != plain::alive(a, living)) ++differing;
    const std::uint64_t equal = fast::equal(a, b, word);
    if ((equal & ((std::uint64_t{1} << Slots) - 1)) != plain::equal(a, word)) ++differing;
    if (equal >> fast::second_line != plain::equal(b, word)) ++differing;
    found += equal != 0 ? 1U : 0U;
    const auto pair = fast::alive(a, b, living);
    const auto expected = plain::alive(a, b, living);
    if ((pair.mask & ((std::uint64_t{1} << Slots) - 1)) != plain::alive(a, living)) ++differing;
    if (pair.mask >> fast::second_line != plain::alive(b, living)) ++differing;
    if (pair.first_count != expected.first_count || pair.second_count != expected.second_count) ++differing;
    auto swept = lines;
    fast::replace_dead(swept[0].data(), living, 77);
    plain::replace_dead(swept[1].data(), living, 77);
    plain::replace_dead(lines[0].data(), living, 77);
    fast::replace_dead(lines[1].data(), living, 77);
    if (swept != lines) ++differing;
  }
  CHECK(differing == 0);
  CHECK(found > 100);
}

template <unsigned Bits>
auto hash_from(std::mt19937_64& random) {
  if constexpr (Bits > 64) {
    return fingerprint128_t{random(), random()};
  } else {
    return random();
  }
}

// What a table keeps of a key, its two lines in order.
template <class Home>
auto identity(const Home& h) {
  const auto lines = std::minmax(h.first, h.second);
  if constexpr (std::is_same_v<decltype(h.rest), fingerprint128_t>) {
    return std::tuple(lines.first, lines.second, h.rest.low, h.rest.high);
  } else {
    return std::tuple(lines.first, lines.second, h.rest, std::uint64_t{0});
  }
}

template <unsigned Bits>
void agrees_with_a_map(std::uint32_t lines) {
  INFO("bits " << Bits << ", lines " << lines);
  using table = line_table<Bits>;
  std::mt19937_64 random(Bits + lines);
  const std::uint64_t events = std::uint64_t{lines} * table::slots / 2;
  epochs time(events, duration::max(), lines);
  table t(lines);
  std::map<decltype(identity(typename table::home())), typename table::home> present;
  std::uint64_t wrong = 0;
  for (int i = 0; i < 6'000; ++i) {
    const auto h = t.home_of(hash_from<Bits>(random));
    if (h.first >= lines || h.second >= lines) ++wrong;
    const auto from_second = t.home_at(h.second, h.rest);
    if (from_second.second != h.first) ++wrong;
    if (t.find(h, time).is_found() != present.contains(identity(h))) ++wrong;
    if (present.contains(identity(h))) continue;
    if (time.is_due(timestamp())) {
      const unsigned sweep = time.turn(timestamp());
      t.sweep(sweep, time);
      time.swept(sweep);
    }
    time.add(timestamp());
    const auto place = t.make_room(h, time, [&](epochs::tag) { ++wrong; });
    if (place.line != h.first && place.line != h.second) ++wrong;
    const std::uint32_t other = place.line == h.first ? h.second : h.first;
    if (std::popcount(t.alive(place.line, time)) > std::popcount(t.alive(other, time))) ++wrong;
    t.put(place, h.rest, time.current());
    if (!(t.get(place) == h.rest) || t.tag(place) != time.current()) ++wrong;
    present.emplace(identity(h), h);
    // Every key is where it can be found, or its epoch is over; no slot is lost.
    if (i % 64 != 0) continue;
    std::uint64_t alive = 0;
    for (std::uint32_t line = 0; line < lines; ++line) {
      for (std::uint32_t mask = t.alive(line, time); mask != 0; mask &= mask - 1) ++alive;
    }
    std::uint64_t found = 0;
    for (auto it = present.begin(); it != present.end();) {
      const bool is_there = t.find(it->second, time).is_found();
      found += is_there ? 1U : 0U;
      it = is_there ? std::next(it) : present.erase(it);
    }
    if (alive != found || found < std::min<std::uint64_t>(events, static_cast<std::uint64_t>(i))) ++wrong;
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("lines are compared alike with and without vector instructions") {
  both_ways_agree<4>();
  both_ways_agree<8>();
  both_ways_agree<12>();
  both_ways_agree<16>();
  both_ways_agree<21>();
}

TEST_CASE("a table of lines finds what was put into it and nothing else") {
  for (const std::uint32_t lines : {8U, 13U, 64U, 257U}) {
    agrees_with_a_map<24>(lines);
    agrees_with_a_map<32>(lines);
    agrees_with_a_map<40>(lines);
    agrees_with_a_map<48>(lines);
    agrees_with_a_map<56>(lines);
    agrees_with_a_map<120>(lines);
  }
}

TEST_CASE("entries move to their other lines and the oldest of two full lines goes only when none can") {
  using table = line_table<56>;
  epochs time(1'000, duration::max(), 4);
  table t(4);
  std::mt19937_64 random(8);
  std::uint64_t keys = 0;
  std::uint64_t evicted = 0;
  const auto put = [&] {
    const auto h = t.home_of(random());
    time.add(timestamp());
    t.put(t.make_room(h, time, [&](epochs::tag) { ++evicted; }), h.rest, time.current());
    ++keys;
    return h;
  };
  const auto alive = [&] {
    std::uint64_t n = 0;
    for (std::uint32_t line = 0; line < 4; ++line) {
      for (std::uint32_t mask = t.alive(line, time); mask != 0; mask &= mask - 1) ++n;
    }
    return n;
  };
  while (alive() < 32 && keys < 1'000) {
    const auto h = put();
    CHECK(t.find(h, time).is_found());
    CHECK(alive() == keys - evicted);
  }
  CHECK(alive() == 32);
  CHECK(evicted <= 3);
  const std::uint64_t before = evicted;
  for (int i = 0; i < 10; ++i) put();
  CHECK(evicted == before + 10);
  CHECK(alive() == 32);
}

TEST_CASE("swept lines have no dead tag but one") {
  using table = line_table<24>;
  epochs time(100, duration::max(), 10);
  table t(10);
  std::mt19937_64 random(8);
  for (int i = 0; i < 1'000; ++i) {
    if (time.is_due(timestamp())) {
      const unsigned sweep = time.turn(timestamp());
      t.sweep(sweep, time);
      time.swept(sweep);
    }
    const auto h = t.home_of(random());
    time.add(timestamp());
    t.put(t.make_room(h, time, [](epochs::tag) {}), h.rest, time.current());
  }
  const std::uint32_t position = t.sweep_position();
  t.sweep(10, time);
  CHECK(t.sweep_position() == position);
  std::uint64_t dead = 0;
  for (std::uint32_t line = 0; line < 10; ++line) {
    for (std::uint32_t slot = 0; slot < table::slots; ++slot) {
      const epochs::tag tag = t.tag({line, slot});
      if (time.is_alive(tag)) continue;
      ++dead;
      CHECK(tag == time.dead_tag());
    }
  }
  CHECK(dead > 40);
}
