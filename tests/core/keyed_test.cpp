// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/core/keyed.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using recoup::duration;
using recoup::keyed;
using recoup::keyed_options;
using recoup::timestamp;
using namespace std::chrono_literals;

using bytes = std::vector<std::byte>;

constexpr timestamp start{};
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

timestamp at(std::int64_t ns) { return timestamp(duration{ns}); }

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
using table = keyed<Key, counter>;
template <class Key>
using pairs = std::vector<std::pair<Key, std::uint64_t>>;

static_assert(recoup::snapshotable<table<std::uint64_t>>);
static_assert(recoup::snapshotable<table<std::string>>);
static_assert(table<std::uint64_t>::evicts);

enum class plant : std::uint8_t {};
template <class... Ts>
constexpr bool are_keys = (recoup::detail::is_table_key<Ts> && ...);
template <class... Ts>
constexpr bool are_no_keys = !(recoup::detail::is_table_key<Ts> || ...);

static_assert(are_keys<bool, char, std::int8_t, std::uint64_t, plant, std::string, timestamp, std::chrono::seconds,
                       std::optional<std::string>, std::pair<plant, std::string>,
                       std::tuple<int, std::optional<std::pair<std::string, timestamp>>>>);
static_assert(are_no_keys<float, double, std::chrono::duration<double>,
                          std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<float>>>);
static_assert(are_no_keys<const char*, std::string_view, char[4], int*, std::nullptr_t, std::span<const std::byte>,
                          std::string&, const int, std::vector<int>>);
static_assert(are_no_keys<std::optional<double>, std::optional<const char*>, std::pair<std::string_view, int>,
                          std::pair<const std::string&, int>, std::tuple<int, std::optional<std::pair<int, float>>>>);

template <class Key>
pairs<Key> all_of(const table<Key>& t) {
  pairs<Key> all;
  t.for_each([&](const Key& key, const counter& c) { all.emplace_back(key, c.n); });
  return all;
}

template <class Key, class Place>
pairs<Key> victims(const table<Key>& t, Place p) {
  pairs<Key> all;
  t.tell_victim(p, [&](const Key& key, const counter& c) { all.emplace_back(key, c.n); });
  return all;
}

template <class Key>
pairs<Key> advance(table<Key>& t, timestamp now) {
  pairs<Key> evicted;
  t.advance(now, [&](const Key& key, const counter& c) { evicted.emplace_back(key, c.n); });
  return evicted;
}

// A key that is easily made from a number.
template <class Key>
Key key_of(std::uint64_t n) {
  if constexpr (std::is_same_v<Key, std::string>) {
    return (n % 2 == 0 ? "" : "a stream whose name is longer than the short ones ") + std::to_string(n);
  } else {
    return static_cast<Key>(n * 0x9E37'79B9'7F4A'7C15);
  }
}

// CLOCK (Corbato, 1969) in an array, looked through from end to end.
template <class Key>
class naive_table {
 public:
  struct entry {
    Key key;
    timestamp last_used;
    bool is_used;
    std::uint64_t n;
  };

  explicit naive_table(keyed_options o) : o_(o) {}

  auto find(const Key& key) {
    return std::find_if(entries_.begin(), entries_.end(), [&](const entry& e) { return e.key == key; });
  }
  bool contains(const Key& key) { return find(key) != entries_.end(); }
  bool is_full() const { return entries_.size() == o_.capacity; }
  std::size_t size() const { return entries_.size(); }
  bool has_unused() const {
    return std::any_of(entries_.begin(), entries_.end(), [](const entry& e) { return !e.is_used; });
  }

  std::uint64_t& use(const Key& key, timestamp now) {
    if (auto e = find(key); e != entries_.end()) {
      *e = {key, now, true, e->n};
      return e->n;
    }
    if (!is_full()) {
      entries_.push_back({key, now, true, 0});
      return entries_.back().n;
    }
    while (entries_[hand_].is_used) {
      entries_[hand_].is_used = false;
      hand_ = (hand_ + 1) % entries_.size();
    }
    const std::size_t victim = std::exchange(hand_, (hand_ + 1) % entries_.size());
    entries_[victim] = {key, now, true, 0};
    return entries_[victim].n;
  }
  bool put(const Key& key, std::uint64_t n, timestamp now) {
    if (contains(key) || is_full()) return false;
    entries_.push_back({key, now, false, n});
    return true;
  }
  std::optional<std::uint64_t> take(const Key& key) {
    const auto e = find(key);
    if (e == entries_.end()) return std::nullopt;
    const std::uint64_t n = e->n;
    remove(static_cast<std::size_t>(e - entries_.begin()));
    return n;
  }
  pairs<Key> advance(timestamp now) {
    pairs<Key> evicted;
    for (std::size_t i = 0; o_.idle != duration::max() && i < table<Key>::sweep && !entries_.empty(); ++i) {
      if (sweep_ >= entries_.size()) sweep_ = 0;
      const entry& e = entries_[sweep_];
      if (recoup::elapsed(e.last_used, now) > o_.idle) {
        evicted.emplace_back(e.key, e.n);
        remove(sweep_);
      } else {
        ++sweep_;
      }
    }
    return evicted;
  }
  pairs<Key> all() const {
    pairs<Key> all;
    for (const entry& e : entries_) all.emplace_back(e.key, e.n);
    return all;
  }

 private:
  void remove(std::size_t i) {
    entries_[i] = entries_.back();
    entries_.pop_back();
    if (hand_ >= entries_.size()) hand_ = 0;
    sweep_ = std::min(sweep_, entries_.size());
  }

  keyed_options o_;
  std::vector<entry> entries_;
  std::size_t hand_ = 0;
  std::size_t sweep_ = 0;
};

template <class Key>
void check_against_naive(std::uint64_t first_seed, std::uint64_t seeds) {
  std::uint64_t evictions = 0;
  std::uint64_t expiries = 0;
  std::uint64_t operations = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
    std::mt19937_64 random(seed);
    const auto roll = [&](std::uint64_t n) { return random() % n; };
    const keyed_options options{.capacity = 1 + roll(roll(4) > 0 ? 8 : 90),
                                .idle = roll(2) == 0 ? duration::max() : duration{1 + roll(400)},
                                .seed = random()};
    std::vector<Key> keys;
    for (std::uint64_t k = options.capacity + 1 + roll(2 * options.capacity); k > 0; --k)
      keys.push_back(key_of<Key>(k));
    table<Key> t(options, counter{});
    naive_table<Key> naive(options);
    timestamp now = at(1'000);
    for (std::uint64_t step = 0; step < 250; ++step, ++operations) {
      INFO("seed " << seed << " step " << step);
      now += duration{roll(20) == 0 ? static_cast<std::int64_t>(roll(400)) - 100 : static_cast<std::int64_t>(roll(4))};
      const Key& key = keys[roll(keys.size())];
      switch (roll(16)) {
        case 0:
          if (const auto taken = t.take(key); (taken ? std::optional(taken->n) : std::nullopt) != naive.take(key)) {
            FAIL("take differs");
          }
          break;
        case 1:
          if (t.put(key, counter{step + 1'000}, now) != naive.put(key, step + 1'000, now)) FAIL("put differs");
          break;
        case 2: {
          const auto evicted = advance(t, now);
          expiries += evicted.size();
          if (evicted != naive.advance(now)) FAIL("advance differs");
          break;
        }
        case 3: {
          const bytes saved = snapshot(t);
          table<Key> other(options, counter{});
          if (!restore(other, saved)) FAIL("its own snapshot is refused");
          if (snapshot(other) != saved) FAIL("the restored table has other bytes");
          t = std::move(other);
          break;
        }
        default: {
          const auto place = t.locate(key);
          if (place.found() != naive.contains(key)) FAIL("locate differs");
          if (t.at(place).n != (place.found() ? naive.find(key)->n : 0)) FAIL("the component differs");
          const pairs<Key> victim = victims(t, place);
          if (victim.size() != (naive.is_full() && !place.found() ? 1U : 0U)) FAIL("a wrong number of victims");
          if (t.is_found(place) != place.found()) FAIL("is_found");
          if (!victim.empty()) {
            ++evictions;
            if (naive.has_unused() && naive.find(victim[0].first)->is_used) FAIL("one that was used lately is evicted");
          }
          (place.found() && step % 2 == 0 ? t.use_found(place, now) : t.use(place, key, now)).n += 1;
          naive.use(key, now) += 1;
          if (!victim.empty() && naive.contains(victim[0].first)) FAIL("another victim than told");
        }
      }
      if ((options.capacity <= 8 || step % 8 == 0) && all_of(t) != naive.all()) FAIL("the entries differ");
      if (t.size() > options.capacity || t.size() != naive.size()) FAIL("the size");
      for (std::uint64_t k = roll(9); k < keys.size(); k += 1 + roll(20)) {
        if ((t.find(keys[k]) != nullptr) != naive.contains(keys[k])) FAIL("find differs");
      }
    }
  }
  CHECK(operations == 250 * seeds);
  CHECK(evictions > seeds);
  CHECK(expiries > seeds);
}

TEST_CASE("a table of numbers answers as a naive one") { check_against_naive<std::uint64_t>(1, 200); }
TEST_CASE("a table of texts answers as a naive one") { check_against_naive<std::string>(1'000, 100); }

TEST_CASE("a new key gets a copy of the prototype and keeps it") {
  table<int> t({.capacity = 2}, counter{40});
  CHECK(t.at(t.locate(1)).n == 40);
  CHECK(t.find(1) == nullptr);
  CHECK(t.size() == 0);
  t.use(1, start).n += 2;
  CHECK(t.find(1)->n == 42);
  CHECK(t.at(t.locate(2)).n == 40);
}

TEST_CASE("all memory is taken at construction so that no component ever moves by growth") {
  constexpr std::size_t capacity = 1'000;
  table<std::uint64_t> t({.capacity = capacity}, counter{});
  const counter* first = &t.use(std::uint64_t{0}, start);
  const counter* second = &t.use(std::uint64_t{1}, start);
  for (std::uint64_t k = 0; k < 20'000; ++k) {
    const std::ptrdiff_t place = &t.use(k, start) - first;
    if (place < 0 || place % (second - first) != 0 ||
        place / (second - first) >= static_cast<std::ptrdiff_t>(capacity)) {
      FAIL("key " << k << " lies elsewhere");
    }
  }
  CHECK(t.size() == capacity);
  CHECK(table<std::uint64_t>::bytes_for(capacity) >= capacity * (sizeof(std::uint64_t) + sizeof(counter)));
  CHECK(table<std::uint64_t>::bytes_for(capacity) <= capacity * 64);
}

TEST_CASE("components of a copy never move by growth either") {
  constexpr std::uint64_t capacity = 1'000;
  table<std::uint64_t> original({.capacity = capacity}, counter{});
  original.use(std::uint64_t{0}, start).n = 7;
  table<std::uint64_t> assigned({.capacity = 1}, counter{});
  assigned = original;
  table<std::uint64_t> copied = original;
  table<std::uint64_t> moved = table<std::uint64_t>(original);
  for (table<std::uint64_t>* t : {&assigned, &copied, &moved}) {
    const counter* first = t->find(std::uint64_t{0});
    REQUIRE(first != nullptr);
    CHECK(first->n == 7);
    for (std::uint64_t k = 1; k < capacity; ++k) t->use(k, start);
    CHECK(t->find(std::uint64_t{0}) == first);
    CHECK(t->size() == capacity);
  }
  CHECK(original.size() == 1);
}

TEST_CASE("a copy goes on as the original") {
  table<int> original({.capacity = 5, .idle = 10ns}, counter{});
  for (int k = 0; k < 12; ++k) original.use(k, at(k));  // the hand is in the middle
  CHECK(advance(original, at(12)).empty());
  table<int> copy = original;
  CHECK(snapshot(copy) == snapshot(original));
  for (int k = 20; k < 40; ++k) {
    original.use(k, at(k));
    copy.use(k, at(k));
    CHECK(advance(copy, at(k)) == advance(original, at(k)));
    CHECK(snapshot(copy) == snapshot(original));
  }
}

TEST_CASE("a key is evicted only if it was not used since the last round") {
  table<int> t({.capacity = 3}, counter{});
  for (const int k : {1, 2, 3}) t.use(k, start);
  t.use(4, start);  // all were used: the oldest goes, and the others lose their second chance
  CHECK(t.find(1) == nullptr);
  t.use(2, start);
  CHECK(victims(t, t.locate(5)) == pairs<int>{{3, 0}});
  t.use(5, start);
  CHECK(t.find(2) != nullptr);
  CHECK(t.find(3) == nullptr);
}

TEST_CASE("a text is found by whatever equals it") {
  table<std::string> t({.capacity = 2}, counter{});
  t.use(std::string_view("sensor/1"), start).n = 5;
  t.use("sensor/2", start).n = 6;
  CHECK(t.find("sensor/1")->n == 5);
  CHECK(t.find(std::string("sensor/2"))->n == 6);
  CHECK(t.find(std::string_view("sensor/12").substr(0, 8))->n == 5);
  CHECK(t.find("sensor") == nullptr);
  CHECK(t.find("") == nullptr);
  CHECK(t.take(std::string_view("sensor/1"))->n == 5);
  t.use("", start).n = 7;
  CHECK(t.find(std::string())->n == 7);
}

TEST_CASE("text that is null or not terminated is read to its end and no further") {
  struct row {
    char name[4];
    char next[4];
  };
  const row first{{'a', 'b', 'c', 'd'}, {'1', '\0', '\0', '\0'}};
  const row second{{'a', 'b', 'c', 'd'}, {'2', '\0', '\0', '\0'}};
  const char* const absent = nullptr;
  table<std::string> t({.capacity = 4}, counter{});
  t.use(first.name, start).n = 1;
  t.use(second.name, start).n += 1;
  t.use(t.locate(first.next), first.next, start).n = 9;
  t.use(absent, start).n = 5;
  CHECK(all_of(t) == pairs<std::string>{{"abcd", 2}, {"1", 9}, {"", 5}});
  CHECK(t.find(absent)->n == 5);
  CHECK(t.find("")->n == 5);
  CHECK(t.take(second.name)->n == 2);
  CHECK(t.find("abcd") == nullptr);
}

TEST_CASE("a number is found by the same number of any type") {
  table<std::uint64_t> t({.capacity = 4}, counter{});
  t.use(5, start).n = 50;
  CHECK(t.find(5U)->n == 50);
  CHECK(t.find(std::uint8_t{5})->n == 50);
  CHECK(t.find(std::int64_t{5})->n == 50);
  t.use(most, start).n = 60;
  CHECK(t.find(-1) == nullptr);
  CHECK(t.find(most)->n == 60);

  table<std::int32_t> narrow({.capacity = 4}, counter{});
  narrow.use(5, start).n = 50;
  CHECK(narrow.find((std::uint64_t{1} << 32) + 5) == nullptr);
  CHECK(narrow.find(std::uint64_t{5})->n == 50);
}

TEST_CASE("a number that the key cannot hold is converted as everywhere and harms nothing") {
  table<std::uint8_t> t({.capacity = 2}, counter{});
  for (int k = 0; k < 2'000; ++k) {
    t.use(k, start).n += 1;
    if (t.find(static_cast<std::uint8_t>(k)) == nullptr) FAIL("not found");
    if (k % 7 == 0) static_cast<void>(t.take(static_cast<std::uint8_t>(k - 1)));
    std::set<std::uint8_t> keys;
    for (const auto& [key, n] : all_of(t)) {
      if (!keys.insert(key).second) FAIL("a key twice");
    }
  }
  CHECK(t.size() <= 2);
}

// Twice, as an entry that was passed may be moved to where another one was evicted.
TEST_CASE("an idle key is evicted within twice capacity over sweep calls") {
  using numbers = table<std::uint64_t>;
  for (const std::size_t capacity : {1UL, 63UL, 64UL, 65UL, 640UL, 1'000UL}) {
    for (const std::uint64_t calls_before : {0U, 1U, 5U}) {
      CAPTURE(capacity, calls_before);
      numbers t({.capacity = capacity, .idle = 10ns}, counter{});
      for (std::uint64_t k = 0; k < capacity; ++k) t.use(k, start);
      for (std::uint64_t i = 0; i < calls_before; ++i) CHECK(advance(t, start + 10ns).empty());
      t.use(capacity / 2, start + 5ns);
      std::set<std::uint64_t> evicted;
      for (std::size_t calls = (2 * capacity + numbers::sweep - 1) / numbers::sweep; calls > 0; --calls) {
        for (const auto& [key, n] : advance(t, start + 11ns)) CHECK(evicted.insert(key).second);
      }
      CHECK(evicted.size() == capacity - 1);
      CHECK(t.find(capacity / 2) != nullptr);
    }
  }
}

TEST_CASE("nothing is idle where time went back or idle is not limited") {
  table<int> t({.capacity = 2, .idle = 1ns}, counter{});
  t.use(1, timestamp::max());
  CHECK(advance(t, timestamp::min()).empty());
  table<int> unlimited({.capacity = 2}, counter{});
  unlimited.use(1, timestamp::min());
  CHECK(advance(unlimited, timestamp::max()).empty());
}

TEST_CASE("a handler that throws keeps the key and is told again") {
  table<int> t({.capacity = 3, .idle = 1ns}, counter{});
  for (const int k : {1, 2, 3}) t.use(k, start).n = static_cast<std::uint64_t>(k);
  pairs<int> evicted;
  std::size_t throws = 0;
  for (std::size_t failing = 0; t.size() > 0; failing = 1 - failing) {
    std::size_t calls = 0;
    try {
      t.advance(at(5), [&](int key, const counter& c) {
        if (calls++ == failing) throw std::runtime_error("the handler");
        evicted.emplace_back(key, c.n);
      });
    } catch (const std::runtime_error&) {
      ++throws;
      CHECK(t.size() + evicted.size() == 3);
    }
  }
  CHECK(throws >= 2);
  std::sort(evicted.begin(), evicted.end());
  CHECK(evicted == pairs<int>{{1, 1}, {2, 2}, {3, 3}});
}

TEST_CASE("a prototype that cannot be copied leaves the table as it was") {
  struct fragile {
    bool* fails = nullptr;
    int n = 0;
    explicit fragile(bool& flag) : fails(&flag) {}
    fragile(const fragile& o) : fails(o.fails), n(o.n) {
      if (*fails) throw std::runtime_error("copy");
    }
    fragile(fragile&&) = default;
    fragile& operator=(const fragile&) = default;
    fragile& operator=(fragile&&) = default;
    ~fragile() = default;
  };
  bool fails = false;
  keyed<int, fragile> t({.capacity = 2}, fragile(fails));
  t.use(1, start).n = 1;
  t.use(2, start).n = 2;
  fails = true;
  CHECK_THROWS_AS(t.use(3, start), std::runtime_error);
  fails = false;
  CHECK(t.size() == 2);
  CHECK(t.find(1)->n == 1);
  CHECK(t.find(2)->n == 2);
  CHECK(t.find(3) == nullptr);
}

TEST_CASE("a component moves from one table to another") {
  table<std::string> a({.capacity = 2}, counter{});
  table<std::string> b({.capacity = 1, .seed = 9}, counter{});
  a.use("x", start).n = 7;
  a.use("y", start).n = 8;
  CHECK_FALSE(a.take("z"));
  CHECK(b.put("x", *a.take("x"), start));
  CHECK(a.size() == 1);
  CHECK(b.find("x")->n == 7);
  CHECK_FALSE(b.put("x", counter{}, start));
  CHECK_FALSE(b.put("y", *a.take("y"), start));  // full
  CHECK(b.find("x")->n == 7);
}

// Whoever notes where keys lie, and is told what moves, knows where all of them lie.
TEST_CASE("every entry that moves in a table is told") {
  std::uint64_t moves = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random(seed);
    const auto roll = [&](std::uint64_t n) { return random() % n; };
    table<std::string> t({.capacity = 1 + roll(12), .idle = 20ns, .seed = seed}, counter{});
    std::vector<std::string> names(t.capacity());  // by position
    const auto moved = [&](auto position) {
      ++moves;
      names[position] = t.key_at(position);
    };
    for (int step = 0; step < 200; ++step) {
      INFO("seed " << seed << " step " << step);
      const std::string key = key_of<std::string>(roll(16));
      const timestamp now = at(step + static_cast<std::int64_t>(roll(20)));
      switch (roll(6)) {
        case 0: {
          const bool is_there = t.find(key) != nullptr;
          if (t.take(key, moved).has_value() != is_there) FAIL("take");
          break;
        }
        case 1:
          t.advance(
              now, [](const std::string&, counter& c) { c.n = 0; }, moved);
          break;
        default:
          t.use(key, now).n = 1'000 + static_cast<std::uint64_t>(step);
          names[t.position_of(key)] = key;
      }
      std::size_t found = 0;
      for (std::uint32_t i = 0; i < t.size(); ++i) {
        if (names[i] != t.key_at(i) || t.position_of(names[i]) != i) FAIL("position " << i << " has another key");
        if (&std::as_const(t).component_at(i) != t.find(names[i])) FAIL("position " << i << " has another component");
        ++found;
      }
      if (found != t.size()) FAIL("the positions are not dense");
      if (t.find(key) == nullptr && t.position_of(key) != t.none) FAIL("a key that is not there has a position");
    }
  }
  CHECK(moves > 500);
}

TEST_CASE("nothing moves where the last entry is removed") {
  table<int> t({.capacity = 4}, counter{});
  for (const int key : {1, 2, 3}) t.use(key, start);
  std::vector<std::uint32_t> moved;
  const auto note = [&](auto position) { moved.push_back(position); };
  CHECK(t.take(3, note));
  CHECK_FALSE(t.take(3, note));
  CHECK(moved.empty());
  CHECK(t.take(1, note));
  CHECK(moved == std::vector<std::uint32_t>{0});
  CHECK(t.key_at(0) == 2);
}

TEST_CASE("the components of a table are written and read by whoever likes") {
  table<std::string> t({.capacity = 4}, counter{});
  t.use("a", start).n = 5;
  t.use("b", at(7)).n = 6;
  recoup::snapshot_writer w;
  t.save(w, [&](const counter& c) { w.u8(static_cast<std::uint8_t>(c.n)); });
  const bytes saved = w.take();

  const auto load = [&](table<std::string>& into, int refused) {
    recoup::snapshot_reader r(saved);
    int read = 0;
    return into.load(r, [&](counter& c) {
      c.n = r.u8() + 100U;
      return read++ != refused;
    });
  };
  table<std::string> other = t.empty_copy();
  CHECK(load(other, -1));
  CHECK(all_of(other) == pairs<std::string>{{"a", 105}, {"b", 106}});
  for (const int refused : {0, 1}) {
    table<std::string> none = t.empty_copy();
    CHECK_FALSE(load(none, refused));
  }
}

TEST_CASE("a snapshot can be taken after keys were taken out") {
  table<int> t({.capacity = 8, .idle = 100ns}, counter{});
  for (int k = 0; k < 14; ++k) t.use(k, start);  // the hand is in the middle
  CHECK(advance(t, start).empty());
  for (int k = 6; k < 13; ++k) CHECK(t.take(k));
  table<int> other({.capacity = 8, .idle = 100ns}, counter{});
  REQUIRE(restore(other, snapshot(t)));
  CHECK(t.take(13));
  REQUIRE(restore(other, snapshot(t)));
  CHECK(other.size() == 0);
}

TEST_CASE("a snapshot of a table with other options is refused") {
  const keyed_options base{.capacity = 4, .idle = 5ns, .seed = 1};
  table<int> t(base, counter{});
  t.use(1, start);
  const bytes saved = snapshot(t);
  for (const keyed_options& o : {keyed_options{.capacity = 5, .idle = 5ns, .seed = 1},
                                 {.capacity = 4, .idle = 6ns, .seed = 1},
                                 {.capacity = 4, .idle = 5ns, .seed = 2}}) {
    table<int> other(o, counter{});
    CHECK(restore(other, saved).status == recoup::snapshot_status::other_configuration);
  }
}

TEST_CASE("a snapshot of a table with other keys is refused") {
  const std::vector<std::uint64_t> kinds{
      table<std::uint32_t>({}, counter{}).configuration(),
      table<std::int32_t>({}, counter{}).configuration(),
      table<std::uint64_t>({}, counter{}).configuration(),
      table<std::uint8_t>({}, counter{}).configuration(),
      table<bool>({}, counter{}).configuration(),
      table<plant>({}, counter{}).configuration(),
      table<std::string>({}, counter{}).configuration(),
      table<timestamp>({}, counter{}).configuration(),
      table<duration>({}, counter{}).configuration(),
      table<std::chrono::seconds>({}, counter{}).configuration(),
      table<std::optional<std::uint32_t>>({}, counter{}).configuration(),
      table<std::tuple<std::uint32_t>>({}, counter{}).configuration(),
      table<std::pair<std::uint32_t, std::string>>({}, counter{}).configuration(),
      table<std::pair<std::string, std::uint32_t>>({}, counter{}).configuration(),
      table<std::tuple<std::uint32_t, std::string, bool>>({}, counter{}).configuration()};
  CHECK(std::set<std::uint64_t>(kinds.begin(), kinds.end()).size() == kinds.size());

  table<std::uint32_t> t({}, counter{});
  t.use(1U, start);
  table<std::int32_t> other({}, counter{});
  CHECK(restore(other, snapshot(t)).status == recoup::snapshot_status::other_configuration);
}

TEST_CASE("the same kind of key is the same in every spelling and on every platform") {
  using recoup::detail::key_kind;
  STATIC_REQUIRE(key_kind<unsigned long long> == key_kind<std::uint64_t>);
  STATIC_REQUIRE(key_kind<long long> == key_kind<std::int64_t>);
  STATIC_REQUIRE(key_kind<char> == key_kind<unsigned char>);
  STATIC_REQUIRE(key_kind<std::pair<int, bool>> == key_kind<std::tuple<int, bool>>);
  STATIC_REQUIRE(key_kind<std::uint32_t> != 0);
}

// A snapshot of a table of int from its fields.
struct saved_table {
  std::uint64_t count = 3;
  std::uint32_t hand = 2;
  std::uint64_t sweep_at = 3;
  std::vector<int> keys{1, 2, 3};

  recoup::snapshot_status restored_into(table<int>& t) const {
    recoup::snapshot_writer w;
    recoup::detail::begin_frame(w, t.configuration(), {});
    w.u64(count);
    w.u32(hand);
    w.u64(sweep_at);
    for (const int key : keys) {
      w.value(key);
      w.time(start);
      w.boolean(true);
      w.u64(0);
    }
    recoup::detail::end_frame(w);
    return restore(t, w.take()).status;
  }
};

TEST_CASE("a snapshot of a table that cannot be is refused and changes nothing") {
  using enum recoup::snapshot_status;
  const auto status = [](const saved_table& saved) {
    table<int> t({.capacity = 3}, counter{});
    t.use(9, start);
    const auto answer = saved.restored_into(t);
    CHECK((t.find(9) == nullptr) == (answer == ok));
    return answer;
  };
  CHECK(status({}) == ok);
  CHECK(status({.count = 0, .hand = 0, .sweep_at = 0, .keys = {}}) == ok);
  CHECK(status({.hand = 3}) == malformed);
  CHECK(status({.hand = ~0U}) == malformed);
  CHECK(status({.sweep_at = 4}) == malformed);
  CHECK(status({.sweep_at = most}) == malformed);
  CHECK(status({.count = 2}) == malformed);
  CHECK(status({.count = 4}) == malformed);
  CHECK(status({.count = most}) == malformed);
  CHECK(status({.count = 4, .keys = {1, 2, 3, 4}}) == malformed);
  CHECK(status({.keys = {1, 2, 1}}) == malformed);
  CHECK(status({.count = 0, .hand = 1, .sweep_at = 0, .keys = {}}) == malformed);
}

template <class Key>
void check_forged_snapshots(std::uint64_t seeds) {
  std::uint64_t accepted = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    std::mt19937_64 random(seed);
    const auto roll = [&](std::uint64_t n) { return random() % n; };
    const keyed_options options{.capacity = 1 + roll(6), .idle = 50ns, .seed = seed};
    table<Key> original(options, counter{});
    for (std::uint64_t i = roll(12); i > 0; --i)
      original.use(key_of<Key>(roll(9)), at(static_cast<std::int64_t>(i))).n = i;
    const bytes valid = snapshot(original);
    const auto frame = recoup::detail::parse_frame(valid);
    for (int i = 0; i < 60; ++i) {
      INFO("seed " << seed << " mutation " << i);
      bytes content(frame.content.begin(), frame.content.end());
      for (std::uint64_t n = 1 + roll(3); n > 0 && !content.empty(); --n) {
        const std::size_t place = roll(2) == 0 ? roll(content.size()) : roll(20) % content.size();
        if (roll(8) == 0) {
          content.resize(place);
        } else {
          content[place] = static_cast<std::byte>(roll(3) == 0 ? roll(256) : roll(6));
        }
      }
      recoup::snapshot_writer w;
      recoup::detail::begin_frame(w, frame.configuration, {});
      for (const std::byte b : content) w.u8(std::to_integer<std::uint8_t>(b));
      recoup::detail::end_frame(w);
      const bytes forged = w.take();

      table<Key> t = original;
      if (!restore(t, forged)) {
        if (snapshot(t) != valid) FAIL("a refused snapshot changed the table");
        continue;
      }
      ++accepted;
      if (snapshot(t) != forged) FAIL("not what was restored");
      for (int step = 0; step < 20; ++step) {
        const Key key = key_of<Key>(roll(9));
        if (roll(4) == 0) static_cast<void>(t.take(key));
        t.use(key, at(static_cast<std::int64_t>(roll(90)))).n += 1;
        static_cast<void>(advance(t, at(static_cast<std::int64_t>(roll(120)))));
        std::set<Key> keys;
        for (const auto& [k, n] : all_of(t)) {
          if (!keys.insert(k).second) FAIL("a key twice");
          if (t.find(k) == nullptr) FAIL("a key is lost");
        }
        if (keys.size() != t.size() || t.size() > options.capacity) FAIL("the size");
      }
      if (table<Key> again(options, counter{}); !restore(again, snapshot(t))) FAIL("its own snapshot is refused");
    }
  }
  CHECK(accepted > 10 * seeds);
}

TEST_CASE("a forged snapshot of numbers is refused or gives a table that works") {
  check_forged_snapshots<std::uint64_t>(60);
}
TEST_CASE("a forged snapshot of texts is refused or gives a table that works") {
  check_forged_snapshots<std::string>(60);
}

TEST_CASE("impossible options of a table are refused with a sentence") {
  const auto refusal = [](const keyed_options& o) -> std::string {
    try {
      table<int> t(o, counter{});
    } catch (const std::invalid_argument& refused) {
      return refused.what();
    }
    return {};
  };
  CHECK(refusal({}).empty());
  CHECK(refusal({.capacity = 0}).find("keyed_options.capacity") == 0);
  CHECK(refusal({.capacity = (std::size_t{1} << 30) + 1}).find("keyed_options.capacity") == 0);
  CHECK(refusal({.idle = 0ns}).find("keyed_options.idle") == 0);
  CHECK(refusal({.idle = -1ns}).find("keyed_options.idle") == 0);
}

}  // namespace
