// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/dense.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using recoup::dense;
using recoup::dense_options;
using recoup::timestamp;

constexpr timestamp start{};

struct counter {
  std::uint64_t n = 0;

  std::uint64_t configuration() const noexcept { return 1; }
  void save(recoup::snapshot_writer& w) const { w.u64(n); }
  bool load(recoup::snapshot_reader& r) {
    n = r.u64();
    return r.ok();
  }
  bool operator==(const counter&) const = default;
};
template <class Key>
using table = dense<Key, counter>;

static_assert(recoup::snapshotable<table<std::uint16_t>>);
static_assert(!table<int>::evicts && !table<int>::admits_all);
static_assert(table<int>::bytes_for(1'000) == 8'000);

template <class Key>
std::vector<Key> keys_of(const table<Key>& t) {
  std::vector<Key> keys;
  t.for_each([&](Key key, const counter&) { keys.push_back(key); });
  return keys;
}

TEST_CASE("an array of components answers as a vector of them") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    const auto roll = [&](std::uint64_t n) { return random() % n; };
    const std::size_t capacity = 1 + roll(20);
    table<std::int32_t> t({capacity}, counter{40});
    std::vector<std::uint64_t> naive(capacity, 40);
    for (int step = 0; step < 200; ++step) {
      INFO("seed " << seed << " step " << step);
      const auto key = static_cast<std::int32_t>(roll(capacity + 4)) - 2;
      const bool is_there = key >= 0 && static_cast<std::size_t>(key) < capacity;
      std::uint64_t* const expected = is_there ? &naive[static_cast<std::size_t>(key)] : nullptr;
      switch (roll(6)) {
        case 0:
          if (t.put(key, counter{roll(100) + 100}, start) != is_there) FAIL("put");
          if (is_there) *expected = t.at(t.locate(key)).n;
          break;
        case 1: {
          const std::optional<counter> taken = t.take(key, [](auto) { FAIL("nothing moves in an array"); });
          if (taken != (is_there ? std::optional(counter{*expected}) : std::nullopt)) FAIL("take");
          if (is_there) *expected = 40;
          break;
        }
        case 2: {
          table<std::int32_t> other({capacity}, counter{40});
          const auto saved = snapshot(t);
          if (!restore(other, saved) || snapshot(other) != saved) FAIL("restore");
          t = std::move(other);
          break;
        }
        default: {
          const auto place = t.locate(key, t.hash(key));
          t.prefetch(t.hash(key));
          if (t.is_found(place) != is_there) FAIL("locate");
          if (t.at(place).n != (is_there ? *expected : 40)) FAIL("at");
          if (t.position_of(key) != (is_there ? static_cast<std::uint32_t>(key) : t.none)) FAIL("position_of");
          t.tell_victim(place, [](auto&&...) { FAIL("nothing is evicted from an array"); });
          if (!is_there) break;
          (step % 2 == 0 ? t.use(place, key, start) : t.use_found(place, start)).n += 1;
          *expected += 1;
          if (t.key_at(place.found) != key || t.component_at(place.found).n != *expected) FAIL("component_at");
        }
      }
      t.advance(
          timestamp::max(), [](auto&&...) { FAIL("nothing is idle in an array"); }, [](auto) {});
      std::vector<std::uint64_t> all;
      std::as_const(t).for_each([&](std::int32_t, const counter& c) { all.push_back(c.n); });
      if (all != naive || t.size() != capacity || t.capacity() != capacity) FAIL("for_each");
    }
  }
}

TEST_CASE("a key is found by the same number of any type and none that is beyond") {
  table<std::uint8_t> t({.capacity = 200}, counter{});
  t.use(t.locate(7), 7, start).n = 70;
  for (const auto place : {t.locate(std::int64_t{7}), t.locate(std::uint8_t{7}), t.locate('\7'), t.locate(7ULL)}) {
    CHECK(t.at(place).n == 70);
  }
  for (const std::int64_t beyond :
       {std::int64_t{200}, std::int64_t{256 + 7}, std::int64_t{-1}, std::int64_t{-249}, (std::int64_t{1} << 32) + 7,
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    CHECK_FALSE(t.is_found(t.locate(beyond)));
  }
  CHECK_FALSE(t.is_found(t.locate(std::numeric_limits<std::uint64_t>::max())));
  CHECK_FALSE(t.is_found(t.locate(std::numeric_limits<std::uint32_t>::max())));
  CHECK(t.locate(true).found == 1);
}

TEST_CASE("there are no more components than keys") {
  CHECK(keys_of(table<bool>({}, counter{})) == std::vector<bool>{false, true});
  CHECK(table<std::int8_t>({}, counter{}).size() == 128);
  CHECK(table<std::uint8_t>({.capacity = 1'000}, counter{}).size() == 256);
  CHECK(table<std::uint16_t>({.capacity = 1'000}, counter{}).size() == 1'000);
  CHECK(keys_of(table<std::int8_t>({}, counter{})).back() == 127);
}

TEST_CASE("the components of an array are written and read by whoever likes") {
  table<int> t({.capacity = 3}, counter{});
  for (int key = 0; key < 3; ++key) t.component_at(static_cast<std::uint32_t>(key)).n = 5 + static_cast<unsigned>(key);
  recoup::snapshot_writer w;
  t.save(w, [&](const counter& c) { w.u8(static_cast<std::uint8_t>(c.n)); });
  const std::vector<std::byte> bytes = w.take();
  CHECK(bytes == std::vector{std::byte{5}, std::byte{6}, std::byte{7}});

  table<int> other = t.empty_copy();
  CHECK(other.at(other.locate(1)).n == 0);
  recoup::snapshot_reader r(bytes);
  int read = 0;
  CHECK(other.load(r, [&](counter& c) {
    c.n = r.u8();
    ++read;
    return true;
  }));
  CHECK(read == 3);
  CHECK(other.at(other.locate(2)).n == 7);
  CHECK_FALSE(other.load(r, [](counter&) { return false; }));
}

TEST_CASE("a snapshot of an array of another size is refused") {
  const table<int> t({.capacity = 3}, counter{});
  table<int> other({.capacity = 4}, counter{});
  CHECK(restore(other, snapshot(t)).status == recoup::snapshot_status::other_configuration);
  CHECK(t.empty_copy().configuration() == t.configuration());
}

TEST_CASE("impossible options of an array are refused with a sentence") {
  const auto refusal = [](const dense_options& o) -> std::string {
    try {
      const table<int> t(o, counter{});
    } catch (const std::invalid_argument& refused) {
      return refused.what();
    }
    return {};
  };
  CHECK(refusal({}).empty());
  CHECK(refusal({.capacity = 0}).find("dense_options.capacity") == 0);
  CHECK(refusal({.capacity = (std::size_t{1} << 30) + 1}).find("dense_options.capacity") == 0);
}

}  // namespace
