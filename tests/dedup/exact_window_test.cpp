// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/exact_window.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::any_key;
using recoup::duration;
using recoup::exact_window;
using recoup::exact_window_options;
using recoup::restore;
using recoup::snapshot;
using recoup::snapshot_status;
using recoup::timestamp;
using bytes = std::vector<std::byte>;

enum class side : std::int16_t { buy = -1, none, sell = 0x7FFF };
enum colour : std::uint8_t { red, green = 200 };

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

template <class K>
std::string encoding(const K& key) {
  std::string all;
  recoup::encode(key,
                 [&](const std::byte* data, std::size_t n) { all.append(reinterpret_cast<const char*>(data), n); });
  return all;
}

// Places in order of arrival (with renew: of when they were last seen), and which of them each key has now.
class model {
 public:
  struct answer {
    bool is_duplicate = false;
    timestamp first_seen{};
    timestamp last_seen{};
    std::uint32_t repeats = 0;
    bool operator==(const answer&) const = default;
  };

  explicit model(exact_window_options o) : options_(o) {}

  answer judge(const std::string& key, timestamp now) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return {};
    const place& p = *found->second;
    return {is_young(p, now), p.first_seen, p.last_seen, p.repeats};
  }
  void commit(const std::string& key, timestamp now) {
    if (judge(key, now).is_duplicate) {
      ++duplicates;
      const auto at = keys_[key];
      at->last_seen = std::max(at->last_seen, now);
      ++at->repeats;
      if (options_.renew) places_.splice(places_.end(), places_, at);
      return;
    }
    ++fresh;
    const auto expired = keys_.find(key);
    if (options_.renew && expired != keys_.end()) {
      places_.erase(expired->second);
      keys_.erase(expired);
    }
    append({key, now, now, 0, true}, now);
  }
  bool forget(const std::string& key) {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return false;
    found->second->is_remembered = false;
    if (options_.renew) places_.erase(found->second);
    keys_.erase(found);
    while (!places_.empty() && !places_.back().is_remembered) places_.pop_back();
    return true;
  }

  // Both windows' keys, each as the one knows it that saw it later, merged as two sorted lists are.
  void merge(const model& other) {
    std::list<place> mine;
    std::list<place> theirs;
    timestamp now = timestamp::min();
    for (const place& p : places_) {
      if (!p.is_remembered) continue;
      const auto same = other.keys_.find(p.key);
      if (same == other.keys_.end() || !(since(p) < since(*same->second))) mine.push_back(p);
    }
    for (const place& p : other.places_) {
      if (!p.is_remembered) continue;
      const auto same = keys_.find(p.key);
      if (same == keys_.end() || since(*same->second) < since(p)) theirs.push_back(p);
    }
    for (const model* m : {static_cast<const model*>(this), &other}) {
      for (const place& p : m->places_) now = std::max(now, since(p));
    }
    places_.clear();
    keys_.clear();
    fresh += other.fresh;
    duplicates += other.duplicates;
    evicted_within_age += other.evicted_within_age;
    if (other.youngest && (!youngest || *other.youngest < *youngest)) youngest = other.youngest;
    while (!mine.empty() || !theirs.empty()) {
      std::list<place>& next =
          theirs.empty() || (!mine.empty() && since(mine.front()) <= since(theirs.front())) ? mine : theirs;
      append(next.front(), now);
      next.pop_front();
    }
  }
  template <class Keep>
  void keep(Keep&& is_kept) {
    places_.remove_if([](const place& p) { return !p.is_remembered; });
    for (auto p = places_.begin(); p != places_.end();) {
      if (is_kept(p->key)) {
        ++p;
      } else {
        keys_.erase(p->key);
        p = places_.erase(p);
      }
    }
  }

  std::size_t size() const { return keys_.size(); }

  std::uint64_t fresh = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t evicted_within_age = 0;
  std::optional<duration> youngest;

 private:
  struct place {
    std::string key;
    timestamp first_seen;
    timestamp last_seen;
    std::uint32_t repeats;
    bool is_remembered;
  };

  void append(place p, timestamp now) {
    if (places_.size() == options_.events) {
      const place& oldest = places_.front();
      if (oldest.is_remembered) {
        if (is_young(oldest, now)) {
          ++evicted_within_age;
          const duration age = std::max(recoup::elapsed(since(oldest), now), duration::zero());
          youngest = std::min(youngest.value_or(age), age);
        }
        keys_.erase(oldest.key);
      }
      places_.pop_front();
    }
    if (const auto expired = keys_.find(p.key); expired != keys_.end()) expired->second->is_remembered = false;
    const std::string key = p.key;
    keys_[key] = places_.insert(places_.end(), std::move(p));
  }

  timestamp since(const place& p) const { return options_.renew ? p.last_seen : p.first_seen; }
  bool is_young(const place& p, timestamp now) const {
    return is_within(options_.age, since(p), now) &&
           (!options_.renew || is_within(options_.max_age, p.first_seen, now));
  }
  static bool is_within(duration limit, timestamp from, timestamp now) {
    if (now <= from || limit == duration::max()) return true;
    const auto age = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                     static_cast<std::uint64_t>(from.time_since_epoch().count());
    return age <= static_cast<std::uint64_t>(limit.count());
  }

  exact_window_options options_;
  std::list<place> places_;
  std::map<std::string, std::list<place>::iterator> keys_;
};

// Mostly forward, now and then back, far ahead, or to an end of time.
class wandering_time {
 public:
  timestamp next(std::mt19937_64& random) {
    switch (random() % 100) {
      case 0:
        return at(std::numeric_limits<std::int64_t>::min());
      case 1:
        return at(std::numeric_limits<std::int64_t>::max());
      case 2:
        return at(static_cast<std::int64_t>(random()));
      case 3:
        now_ += 1'000;
        break;
      case 4:
      case 5:
        return at(now_ - static_cast<std::int64_t>(random() % 200));
      default:
        now_ += static_cast<std::int64_t>(random() % 4);
    }
    return at(now_);
  }

 private:
  std::int64_t now_ = 1'700'000'000'000'000'000;
};

// Calls f with one of `distinct` keys. Window is exact_window<Key>.
template <class Key>
struct some_keys {
  template <class F>
  void visit(std::uint64_t i, F&& f) const {
    f(static_cast<Key>(i * 0x9E37'79B9'7F4A'7C15));
  }
};
template <>
struct some_keys<side> {
  template <class F>
  void visit(std::uint64_t i, F&& f) const {
    f(static_cast<side>(static_cast<std::int16_t>(i * 257)));
  }
};
template <>
struct some_keys<any_key> {
  some_keys() {
    std::mt19937_64 random(71);
    std::vector<std::size_t> lengths{0, 1, 7, 8, 9, 31, 32, 255, 256, 257, 1'023, 1'024, 1'025, 3'000, 3'000};
    while (lengths.size() < 60) lengths.push_back(random() % 3'001);
    for (const std::size_t length : lengths) {
      std::string text(length, '\0');
      for (char& c : text) c = static_cast<char>(random() % 3);
      texts.push_back(std::move(text));
    }
  }
  template <class F>
  void visit(std::uint64_t i, F&& f) const {
    const std::string& text = texts[i / 8 % texts.size()];
    const auto number = static_cast<std::int64_t>(i / 8) - 20;
    switch (i % 8) {
      case 0:
        return f(number);
      case 1:
        return f(text);
      case 2:
        return f(std::string_view(text).substr(0, 3));
      case 3:
        return f(std::tuple(number, 7U, side::buy));
      case 4:
        return f(std::tie(text, number));
      case 5:
        return f(i % 16 < 8 ? std::optional<std::string_view>() : std::optional<std::string_view>(text));
      case 6:
        return f(std::pair(std::optional<std::int8_t>(static_cast<std::int8_t>(number)), at(number)));
      default:
        return f(static_cast<double>(number) / 3);
    }
  }
  std::vector<std::string> texts;
};

constexpr int operations = 6'000;

template <class Judgement>
model::answer answer_of(const Judgement& j) {
  return {j.is_duplicate, j.first_seen, j.last_seen, j.repeats};
}

template <class Window>
bool counts_agree(const Window& window, const model& expected) {
  return window.fresh() == expected.fresh && window.duplicates() == expected.duplicates &&
         window.evicted_within_age() == expected.evicted_within_age && window.youngest_evicted() == expected.youngest;
}

// One case, compared at every operation; `visit(i, f)` calls f with the i-th of `distinct` keys.
template <class Window, class Visit>
void agree_with_the_model(const exact_window_options& options, std::uint64_t distinct, const Visit& visit) {
  INFO("events " << options.events << ", age " << options.age.count() << ", distinct keys " << distinct << ", renew "
                 << options.renew << ", max_age " << options.max_age.count());
  std::mt19937_64 random(options.events * 1'000 + distinct);
  Window window(options);
  model expected(options);
  wandering_time times;
  bool agrees = true;
  const auto same = [&](const auto& judged, const model::answer& answer) {
    agrees = agrees && answer_of(judged) == answer;
  };
  for (int i = 0; i < operations && agrees; ++i) {
    const timestamp now = times.next(random);
    const std::uint64_t operation = random() % 256;
    visit(random() % distinct, [&](const auto& key) {
      const std::string name = encoding(key);
      if (operation < 120) {
        same(window.observe(key, now), expected.judge(name, now));
        expected.commit(name, now);
      } else if (operation < 200) {
        const auto hash = window.hash(key);
        window.prefetch(hash);
        const auto judged = window.judge(key, hash, now);
        same(judged, expected.judge(name, now));
        window.commit(key, judged, now);
        expected.commit(name, now);
      } else if (operation < 235) {
        same(window.judge(key, now), expected.judge(name, now));
      } else if (operation < 253) {
        agrees = agrees && window.forget(key) == expected.forget(name);
        agrees = agrees && !window.judge(key, now).is_duplicate;
      } else if (operation == 253) {
        const bytes before = snapshot(window);
        same(window.judge(key, now), expected.judge(name, now));
        agrees = agrees && before == snapshot(window);
      } else {
        const bytes saved = snapshot(window);
        Window other(options);
        other.observe(key, now);
        agrees = agrees && restore(other, saved) && snapshot(other) == saved;
        window = std::move(other);
      }
    });
    agrees = agrees && counts_agree(window, expected);
    if (!agrees) FAIL("differs at operation " << i << " (" << operation << ")");
  }
  for (std::uint64_t k = 0; k < distinct; ++k) {
    visit(k, [&](const auto& key) { same(window.judge(key, at(0)), expected.judge(encoding(key), at(0))); });
  }
  CHECK(agrees);
  CHECK(expected.duplicates > 0);
  CHECK(expected.fresh > distinct);
}

template <class Key>
void agree_with_the_model(const std::vector<std::size_t>& sizes) {
  const some_keys<Key> keys;
  const auto visit = [&](std::uint64_t i, auto&& f) { keys.visit(i, f); };
  for (const std::size_t events : sizes) {
    for (const duration age : {duration::max(), duration(40), duration(1)}) {
      const exact_window_options options{.events = events, .age = age, .seed = events * 31, .key_bytes = 1'300};
      const std::uint64_t distinct = events < 64 ? events + 1 + events / 2 : 200;
      agree_with_the_model<exact_window<Key>>(options, distinct, visit);
      for (const duration max_age : {duration::max(), duration(60)}) {
        exact_window_options renewing = options;
        renewing.renew = true;
        renewing.max_age = max_age;
        agree_with_the_model<exact_window<Key>>(renewing, distinct, visit);
      }
    }
  }
}

template <class Window, class Visit>
void go_on_as_the_original(const exact_window_options& options, std::uint64_t distinct, const Visit& visit) {
  INFO("events " << options.events << ", key_bytes " << options.key_bytes << ", age " << options.age.count());
  std::mt19937_64 random(options.events + options.key_bytes);
  Window original(options);
  Window other(options);
  std::uint64_t differing = 0;
  std::uint64_t forgotten = 0;
  std::int64_t now = 0;
  for (int i = 0; i < 8'000; ++i) {
    if (random() % 64 == 0) {
      other = Window(options);
      if (!restore(other, snapshot(original))) ++differing;
    }
    now += static_cast<std::int64_t>(random() % 4);
    const bool forgets = random() % 4 == 0;
    visit(random() % distinct, [&](const auto& key) {
      if (forgets) {
        const bool was_there = original.forget(key);
        if (other.forget(key) != was_there) ++differing;
        forgotten += was_there ? 1 : 0;
        return;
      }
      const auto a = original.observe(key, at(now));
      const auto b = other.observe(key, at(now));
      if (answer_of(a) != answer_of(b)) ++differing;
    });
    if (i % 4 == 0 && snapshot(original) != snapshot(other)) ++differing;
  }
  CHECK(differing == 0);
  CHECK(forgotten > 100);
  CHECK(original.duplicates() > 100);
}

// A frame of the window's own configuration with a right checksum around any content.
template <class Window, class Write>
bytes forged(const Window& window, Write&& write) {
  recoup::snapshot_writer w;
  recoup::detail::begin_frame(w, window.configuration(), {});
  write(w);
  recoup::detail::end_frame(w);
  return w.take();
}

// What a snapshot says of a key: first seen, last seen, repeats.
void seen(recoup::snapshot_writer& w, timestamp first) {
  w.time(first);
  w.time(first);
  w.u32(0);
}

template <class Window, class Write>
snapshot_status answer_to(Window window, std::uint64_t count, Write&& write_entries) {
  window.observe(5, at(5));
  const bytes before = snapshot(window);
  const bytes hostile = forged(window, [&](recoup::snapshot_writer& w) {
    w.begin_section(recoup::section_tag("EXWN"), 2);
    for (const std::uint64_t n : {1U, 2U, 3U}) w.u64(n);
    w.span(4ns);
    w.u64(count);
    write_entries(w);
    w.end_section();
  });
  const auto status = restore(window, hostile).status;
  if (status == snapshot_status::ok) {
    CHECK(snapshot(window) == hostile);
  } else {
    CHECK(snapshot(window) == before);
  }
  return status;
}

// Pairs of numbers whose hashes have the same tag, found by trying.
std::vector<std::uint64_t> colliding_keys(const exact_window<std::uint64_t>& window) {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> tags;
  for (std::uint64_t key = 0; key < 1 << 18; ++key) tags.emplace_back(window.hash(key), key);
  std::sort(tags.begin(), tags.end());
  std::vector<std::uint64_t> keys;
  for (std::size_t i = 1; i < tags.size(); ++i) {
    if (tags[i - 1].first != tags[i].first) continue;
    keys.push_back(tags[i - 1].second);
    keys.push_back(tags[i].second);
  }
  return keys;
}

}  // namespace

TEST_CASE("a window of integers or enumerations answers as the model does") {
  agree_with_the_model<std::uint64_t>({1, 2, 3, 4, 7, 64, 100});
  agree_with_the_model<std::int8_t>({2, 4, 60});
  agree_with_the_model<side>({1, 4, 50});
}

TEST_CASE("a window of any key answers as the model does") { agree_with_the_model<any_key>({1, 2, 3, 4, 16, 120}); }

TEST_CASE("keys whose hashes collide are told apart") {
  const exact_window_options options{.events = 6, .age = 100ns, .seed = 0x5EED};
  const auto keys = colliding_keys(exact_window<std::uint64_t>(options));
  REQUIRE(keys.size() >= 4);
  const auto visit = [&](std::uint64_t i, auto&& f) { f(keys[i]); };
  agree_with_the_model<exact_window<std::uint64_t>>(options, keys.size(), visit);
  agree_with_the_model<exact_window<>>(options, keys.size(), visit);
}

TEST_CASE("a window whose keys all have the same hash still answers as the model does") {
  std::mt19937_64 random(5);
  const some_keys<any_key> keys;
  for (const std::size_t events : {1U, 3U, 20U}) {
    const exact_window_options options{.events = events, .age = 60ns, .key_bytes = 1'300};
    exact_window<> window(options);
    model expected(options);
    wandering_time times;
    bool agrees = true;
    for (int i = 0; i < operations && agrees; ++i) {
      const timestamp now = times.next(random);
      keys.visit(random() % (2 * events), [&](const auto& key) {
        const auto judged = window.judge(key, 0xFFFF'FFFF, now);
        window.commit(key, judged, now);
        const std::string name = encoding(key);
        agrees = answer_of(judged) == expected.judge(name, now);
        expected.commit(name, now);
      });
    }
    CHECK(agrees);
    CHECK(window.evicted_within_age() == expected.evicted_within_age);
  }
}

TEST_CASE("a window short of bytes forgets early and says so but never takes a new key for a duplicate") {
  for (const std::size_t key_bytes : {0U, 1U, 16U, 100U}) {
    const exact_window_options options{.events = 64, .age = 5'000ns, .key_bytes = key_bytes};
    const std::size_t room = std::max<std::size_t>(4'096, std::bit_ceil(64 * key_bytes));
    INFO("key_bytes " << key_bytes);
    std::mt19937_64 random(key_bytes);
    const some_keys<any_key> keys;
    exact_window<> window(options);
    struct sighting {
      timestamp first_seen;
      std::uint64_t keys_before = 0;  // stored up to then
      std::uint64_t bytes_before = 0;
    };
    std::map<std::string, sighting> seen;
    std::uint64_t stored = 0;
    std::uint64_t missed = 0;
    std::uint64_t bad = 0;
    std::int64_t now = 0;
    for (int i = 0; i < 20'000; ++i) {
      now += static_cast<std::int64_t>(random() % 8);
      if (i % 1'000 == 999) {
        const bytes saved = snapshot(window);
        window = exact_window<>(options);
        if (!restore(window, saved) || snapshot(window) != saved) ++bad;
      }
      keys.visit(random() % 96, [&](const auto& key) {
        const std::string name = encoding(key);
        const auto judged = window.observe(key, at(now));
        const auto known = seen.find(name);
        const bool young = known != seen.end() && at(now) - known->second.first_seen <= options.age;
        if (judged.is_duplicate && (!young || judged.first_seen != known->second.first_seen)) ++bad;
        if (!judged.is_duplicate && young) {
          ++missed;
          // What came since fits, even if the gaps at the ring's end are as large as can be.
          const bool fits = stored - known->second.bytes_before <= room - 2 * 1'024;
          if (fits && window.fresh() - known->second.keys_before <= options.events) ++bad;
        }
        if (judged.is_duplicate) return;
        seen[name] = {at(now), window.fresh() - 1, stored};
        stored += name.size() > 1'024 ? 16 : name.size();
      });
    }
    CHECK(bad == 0);
    CHECK(missed > 0);
    CHECK(missed <= window.evicted_within_age());
    CHECK(window.fresh() + window.duplicates() == 20'000);
  }
}

TEST_CASE("the window is first in first out and a duplicate does not renew its key") {
  exact_window<std::uint64_t> window({.events = 3});
  for (const std::uint64_t key : {1U, 2U, 3U, 1U, 1U}) window.observe(key, at(static_cast<std::int64_t>(key)));
  CHECK(window.fresh() == 3);
  CHECK(window.duplicates() == 2);
  CHECK(window.evicted_within_age() == 0);
  CHECK_FALSE(window.observe(std::uint64_t{4}, at(4)).is_duplicate);
  CHECK(window.evicted_within_age() == 1);
  CHECK_FALSE(window.judge(std::uint64_t{1}, at(5)).is_duplicate);
  const auto second = window.judge(std::uint64_t{2}, at(5));
  CHECK(second.is_duplicate);
  CHECK(second.first_seen == at(2));
}

TEST_CASE("a key is a duplicate up to its age and new again beyond it") {
  exact_window<std::uint64_t> window({.events = 8, .age = 10ns});
  window.observe(1U, at(100));
  CHECK(window.judge(1U, at(110)).is_duplicate);
  CHECK_FALSE(window.judge(1U, at(111)).is_duplicate);
  CHECK(window.judge(1U, at(-100)).is_duplicate);
  CHECK(window.judge(1U, timestamp::min()).is_duplicate);
  CHECK_FALSE(window.judge(1U, timestamp::max()).is_duplicate);

  CHECK_FALSE(window.observe(1U, at(111)).is_duplicate);
  CHECK(window.judge(1U, at(121)).is_duplicate);
  CHECK(window.judge(1U, at(121)).first_seen == at(111));
  for (std::uint64_t key = 2; key < 10; ++key) window.observe(key, at(112));
  CHECK_FALSE(window.judge(1U, at(112)).is_duplicate);
  CHECK(window.evicted_within_age() == 1);  // the renewed key, not its expired place
}

TEST_CASE("an unlimited age remembers a key from one end of time to the other") {
  exact_window<std::uint64_t> window;
  window.observe(1U, timestamp::min());
  CHECK(window.judge(1U, timestamp::max()).is_duplicate);
}

TEST_CASE("a forgotten key is new again and takes no place from other keys if it is retried for ever") {
  exact_window<> window({.events = 4, .key_bytes = 1'024});
  const std::string kept(1'000, 'k');
  window.observe(kept, at(0));
  for (int i = 0; i < 100; ++i) {  // a batch that fails again and again
    for (const char* id : {"a", "b", "c"}) CHECK_FALSE(window.observe(id, at(i)).is_duplicate);
    for (const char* id : {"a", "b", "c"}) CHECK(window.forget(id));
  }
  CHECK(window.judge(kept, at(200)).is_duplicate);
  CHECK_FALSE(window.forget("a"));
  CHECK(window.evicted_within_age() == 0);
  CHECK(window.forget(kept));
  for (int i = 0; i < 4; ++i) CHECK_FALSE(window.observe(std::string(1'024, static_cast<char>(i)), at(i)).is_duplicate);
  for (int i = 0; i < 4; ++i) CHECK(window.judge(std::string(1'024, static_cast<char>(i)), at(i)).is_duplicate);
  CHECK(window.evicted_within_age() == 0);
}

TEST_CASE("keys around the longest that is kept as it is are told apart") {
  exact_window<> window({.events = 16, .key_bytes = 1'024});
  for (const std::size_t length : {1'023U, 1'024U, 1'025U, 3'000U}) {
    std::string key(length, 'x');
    CHECK_FALSE(window.observe(key, at(0)).is_duplicate);
    key.back() = 'y';
    CHECK_FALSE(window.observe(key, at(0)).is_duplicate);
    CHECK(window.judge(key, at(0)).is_duplicate);
    key.back() = 'x';
    CHECK(window.judge(key, at(0)).is_duplicate);
    // 16 bytes that are the fingerprint of a long key are not that key.
    const auto print = recoup::fingerprint128(key, 0);
    CHECK_FALSE(window.judge(std::tuple(print.low, print.high), window.hash(key), at(0)).is_duplicate);
  }
}

TEST_CASE("fields that join to the same text are different keys") {
  exact_window<> window;
  CHECK_FALSE(window.observe(std::tuple("ab", "c"), at(0)).is_duplicate);
  CHECK_FALSE(window.observe(std::tuple("a", "bc"), at(0)).is_duplicate);
  CHECK_FALSE(window.observe("", at(0)).is_duplicate);
  CHECK(window.observe(std::string(), at(0)).is_duplicate);
  CHECK_FALSE(window.observe(std::optional<std::string>(), at(0)).is_duplicate);
  CHECK_FALSE(window.observe(std::optional<std::string>(""), at(0)).is_duplicate);
}

TEST_CASE("a window of integers takes the narrower types and numbers of equal value agree") {
  exact_window<std::uint32_t> window;
  CHECK_FALSE(window.observe(7, at(0)).is_duplicate);
  CHECK(window.observe(std::uint8_t{7}, at(0)).is_duplicate);
  CHECK_FALSE(window.observe(-1, at(0)).is_duplicate);
  CHECK(window.observe(0xFFFF'FFFFU, at(0)).is_duplicate);
  exact_window<colour> colours({.events = 2});
  CHECK_FALSE(colours.observe(green, at(0)).is_duplicate);
  const bytes saved = snapshot(colours);
  CHECK(restore(colours, saved));
  CHECK(colours.observe(green, at(0)).is_duplicate);
  CHECK_FALSE(colours.observe(red, at(0)).is_duplicate);
}

TEST_CASE("nothing is allocated after construction") {
  const some_keys<any_key> keys;
  std::mt19937_64 random(9);
  exact_window<> window({.events = 100, .age = 300ns, .key_bytes = 64});
  exact_window<std::uint64_t> numbers({.events = 100});
  exact_window<> renewing({.events = 100, .age = 300ns, .key_bytes = 64, .renew = true});
  const std::size_t before = allocations_so_far;
  for (int i = 0; i < 20'000; ++i) {
    keys.visit(random() % 300, [&](const auto& key) {
      window.observe(key, at(i));
      renewing.observe(key, at(i));
      if (i % 16 == 0) window.forget(key);
      if (i % 16 == 0) renewing.forget(key);
    });
    numbers.observe(random() % 300, at(i));
    if (i % 16 == 0) numbers.forget(random() % 300);
  }
  const std::size_t after = allocations_so_far;
  CHECK(after == before);
  ::operator delete(::operator new(1));
  CHECK(allocations_so_far > after);  // they are counted
  CHECK(window.duplicates() > 0);
  CHECK(numbers.duplicates() > 0);
  CHECK(renewing.duplicates() > 0);
}

TEST_CASE("bytes_for adds up the ring of keys and the entries and the index") {
  const exact_window_options options{.events = 1'000, .key_bytes = 32};
  constexpr std::size_t ring = 32'768;
  constexpr std::size_t index = recoup::detail::hash_index::bytes_for(1'000);
  CHECK(exact_window<>::bytes_for(options) == ring + 1'001 * 32 + index);
  STATIC_REQUIRE(exact_window<std::uint64_t>::bytes_for({.events = 1'000}) == 1'001 * 32 + index);
  STATIC_REQUIRE(exact_window<std::uint32_t>::bytes_for({.events = 1'000}) == 1'001 * 32 + index);
  STATIC_REQUIRE(exact_window<std::uint64_t>::bytes_for({.events = 1'000, .renew = true}) ==
                 1'001 * 32 + index + 1'003 * 8);
  STATIC_REQUIRE(exact_window<>::bytes_for({.events = 1'000, .key_bytes = 40, .renew = true}) ==
                 1'001 * (32 + 40) + index + 1'003 * 8);
}

TEST_CASE("an exact window refuses bad options with a sentence") {
  const auto refused = [](const exact_window_options& options, const char* about) {
    CHECK_THROWS_WITH(exact_window<>(options), Catch::Contains(about));
    CHECK_THROWS_AS(exact_window<>(options), std::invalid_argument);
  };
  refused({.events = 0}, "events must be 1 to 2^30");
  refused({.events = (std::size_t{1} << 30) + 1}, "events must be 1 to 2^30");
  refused({.age = 0ns}, "age must be longer than zero");
  refused({.age = -1ns}, "age must be longer than zero");
  refused({.key_bytes = (1 << 20) + 1}, "key_bytes must be at most");
  refused({.renew = true, .max_age = 0ns}, "max_age must be longer than zero");
  refused({.max_age = 5ns}, "set renew as well, or use age");
  CHECK_NOTHROW(exact_window<>({.events = 1, .age = 1ns, .key_bytes = 0}));
}

TEST_CASE("exact window: a snapshot of other options is refused") {
  const exact_window<> window({.events = 10, .age = 5ns, .seed = 1, .key_bytes = 8});
  const bytes saved = snapshot(window);
  for (const exact_window_options& options :
       {exact_window_options{.events = 11, .age = 5ns, .seed = 1, .key_bytes = 8},
        exact_window_options{.events = 10, .age = 6ns, .seed = 1, .key_bytes = 8},
        exact_window_options{.events = 10, .age = 5ns, .seed = 2, .key_bytes = 8},
        exact_window_options{.events = 10, .age = 5ns, .seed = 1, .key_bytes = 9},
        exact_window_options{.events = 10, .age = 5ns, .seed = 1, .key_bytes = 8, .renew = true},
        exact_window_options{.events = 10, .age = 5ns, .seed = 1, .key_bytes = 8, .renew = true, .max_age = 9ns}}) {
    exact_window<> other(options);
    other.observe("another", at(0));
    CHECK(restore(other, saved).status == snapshot_status::other_configuration);
    CHECK_FALSE(other.merge(window));
    CHECK(other.judge("another", at(0)).is_duplicate);
    if (!options.renew) continue;
    CHECK(exact_window<>({.events = 10, .age = 5ns, .seed = 1, .key_bytes = 8, .renew = true, .max_age = 7ns})
              .configuration() != other.configuration());
  }
  exact_window<std::uint64_t> numbers({.events = 10, .age = 5ns, .seed = 1, .key_bytes = 8});
  CHECK(restore(numbers, saved).status == snapshot_status::other_configuration);
}

TEST_CASE("a load replaces what the window had") {
  exact_window<> window({.events = 4});
  window.observe("old", at(1));
  const bytes saved = snapshot(window);
  for (const char* key : {"a", "b", "c", "d", "e"}) window.observe(key, at(2));
  recoup::snapshot_reader reader(recoup::detail::parse_frame(saved).content);
  CHECK(window.load(reader));
  CHECK(snapshot(window) == saved);
  CHECK_FALSE(window.judge("e", at(2)).is_duplicate);
}

TEST_CASE("a hostile snapshot with a right checksum is refused or makes a window that works") {
  const exact_window<std::uint64_t> numbers({.events = 3});
  constexpr std::uint64_t forgotten = 0;
  const auto put = [](std::vector<std::uint64_t> keys) {
    return [keys = std::move(keys)](recoup::snapshot_writer& w) {
      for (const std::uint64_t key : keys) {
        w.boolean(key != forgotten);
        if (key == forgotten) continue;
        w.u64(key);
        seen(w, at(0));
      }
    };
  };
  CHECK(answer_to(numbers, 3, put({1, 2, 3})) == snapshot_status::ok);
  CHECK(answer_to(numbers, 0, put({})) == snapshot_status::ok);
  CHECK(answer_to(numbers, 4, put({1, 2, 3, 4})) == snapshot_status::malformed);
  CHECK(answer_to(numbers, 3, put({1, 2})) == snapshot_status::malformed);
  CHECK(answer_to(numbers, 2, put({1, 2, 3})) == snapshot_status::malformed);
  CHECK(answer_to(numbers, 2, put({7, 7})) == snapshot_status::malformed);
  CHECK(answer_to(numbers, ~std::uint64_t{0}, put({1})) == snapshot_status::malformed);
  CHECK(answer_to(numbers, 3, put({forgotten, 7, 8})) == snapshot_status::ok);
  CHECK(answer_to(numbers, 3, put({7, forgotten, 8})) == snapshot_status::ok);
  CHECK(answer_to(numbers, 3, put({7, 8, forgotten})) == snapshot_status::malformed);
  CHECK(answer_to(numbers, 1, put({forgotten})) == snapshot_status::malformed);

  const exact_window<> any({.events = 8, .key_bytes = 1});  // a ring of 4,096 bytes
  const auto text = [](std::uint8_t flag, std::size_t size, std::uint64_t times) {
    return [=](recoup::snapshot_writer& w) {
      w.u64(0);
      for (std::uint64_t i = 0; i < times; ++i) {
        bytes key(size, std::byte{9});
        if (size != 0) key[0] = static_cast<std::byte>(i);
        w.boolean(true);
        w.u64(i * size % 4'096);
        w.u8(flag);
        w.bytes(key);
        seen(w, timestamp::max());
      }
      w.u64(times * size % 4'096);
    };
  };
  CHECK(answer_to(any, 4, text(0, 1'024, 4)) == snapshot_status::ok);
  CHECK(answer_to(any, 5, text(0, 1'024, 5)) == snapshot_status::malformed);  // more bytes than there is room for
  CHECK(answer_to(any, 1, text(0, 1'025, 1)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, text(0, 0, 1)) == snapshot_status::ok);
  CHECK(answer_to(any, 2, text(0, 0, 2)) == snapshot_status::malformed);  // the same key twice
  CHECK(answer_to(any, 2, text(1, 16, 2)) == snapshot_status::ok);
  CHECK(answer_to(any, 1, text(1, 15, 1)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, text(1, 17, 1)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, text(1, 0, 1)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, text(2, 16, 1)) == snapshot_status::malformed);

  struct placed {
    std::uint64_t offset;
    std::uint64_t size;
    bool is_remembered = true;
  };
  const auto ring = [](std::uint64_t begin, const std::vector<placed>& keys, std::uint64_t end) {
    return [=](recoup::snapshot_writer& w) {
      w.u64(begin);
      std::uint8_t different = 0;
      for (const placed& key : keys) {
        w.boolean(key.is_remembered);
        w.u64(key.offset);
        if (key.is_remembered) {
          w.boolean(false);
          w.bytes(bytes(static_cast<std::size_t>(key.size), static_cast<std::byte>(++different)));
          seen(w, at(0));
        } else {
          w.u64(key.size);
        }
      }
      w.u64(end);
    };
  };
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  CHECK(answer_to(any, 0, ring(77, {}, 77)) == snapshot_status::ok);
  CHECK(answer_to(any, 0, ring(77, {}, 0)) == snapshot_status::malformed);
  CHECK(answer_to(any, 0, ring(0, {}, 77)) == snapshot_status::malformed);
  CHECK(answer_to(any, 0, ring(4'096, {}, 0)) == snapshot_status::malformed);
  CHECK(answer_to(any, 0, ring(huge, {}, huge)) == snapshot_status::malformed);
  CHECK(answer_to(any, 2, ring(4'000, {{4'000, 90}, {0, 100}}, 100)) == snapshot_status::ok);
  CHECK(answer_to(any, 2, ring(4'000, {{4'000, 90}, {4'090, 6}}, 0)) == snapshot_status::ok);
  CHECK(answer_to(any, 2, ring(4'000, {{4'000, 90}, {4'090, 7}}, 1)) == snapshot_status::malformed);      // straddles
  CHECK(answer_to(any, 2, ring(4'000, {{4'000, 90}, {4'091, 1}}, 4'092)) == snapshot_status::malformed);  // a gap
  CHECK(answer_to(any, 2, ring(4'000, {{4'000, 90}, {4'089, 1}}, 4'090)) == snapshot_status::malformed);  // overlap
  CHECK(answer_to(any, 2, ring(0, {{0, 90}, {huge, 1}}, 0)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, ring(3'073, {{0, 9}}, 9)) == snapshot_status::ok);  // what was before it is gone
  CHECK(answer_to(any, 1, ring(3'072, {{0, 9}}, 9)) == snapshot_status::malformed);
  CHECK(answer_to(any, 2, ring(9, {{0, 9}, {9, 1}}, 10)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, ring(2'073, {{2'073, 1'000}}, 0)) == snapshot_status::ok);         // the next did not fit
  CHECK(answer_to(any, 1, ring(2'072, {{2'072, 1'000}}, 0)) == snapshot_status::malformed);  // the longest would have
  CHECK(answer_to(any, 1, ring(0, {{0, 9}}, 0)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, ring(0, {{0, 9}}, 8)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, ring(9, {{0, 9}}, 0)) == snapshot_status::malformed);  // around twice
  CHECK(answer_to(any, 2, ring(0, {{0, 1'024, false}, {1'024, 1}}, 1'025)) == snapshot_status::ok);
  CHECK(answer_to(any, 2, ring(0, {{0, 1'025, false}, {1'025, 1}}, 1'026)) == snapshot_status::malformed);
  CHECK(answer_to(any, 2, ring(0, {{0, huge, false}, {0, 1}}, 1)) == snapshot_status::malformed);
  CHECK(answer_to(any, 1, ring(0, {{0, 1, false}}, 1)) == snapshot_status::malformed);
}

TEST_CASE("a restored window goes on as the original") {
  for (const duration age : {duration::max(), duration(60)}) {
    const some_keys<any_key> keys;
    const auto any = [&](std::uint64_t i, auto&& f) { keys.visit(i, f); };
    go_on_as_the_original<exact_window<>>({.events = 8, .age = age, .key_bytes = 16}, 12, any);
    go_on_as_the_original<exact_window<>>({.events = 64, .age = age, .key_bytes = 16}, 400, any);
    go_on_as_the_original<exact_window<>>({.events = 64, .age = age, .key_bytes = 200}, 400, any);
    const auto number = [](std::uint64_t i, auto&& f) { f(i); };
    go_on_as_the_original<exact_window<std::uint64_t>>({.events = 3, .age = age}, 6, number);
    go_on_as_the_original<exact_window<std::uint64_t>>({.events = 40, .age = age}, 80, number);
    go_on_as_the_original<exact_window<>>({.events = 8, .age = age, .key_bytes = 16, .renew = true}, 12, any);
    go_on_as_the_original<exact_window<>>({.events = 64, .age = age, .key_bytes = 200, .renew = true}, 400, any);
    go_on_as_the_original<exact_window<std::uint64_t>>({.events = 40, .age = age, .renew = true, .max_age = 90ns}, 80,
                                                       number);
  }
}

TEST_CASE("a load into a window that has been emptied starts at its beginning") {
  exact_window<std::uint64_t> window({.events = 3});
  for (std::uint64_t key = 1; key <= 5; ++key) window.observe(key, at(0));
  const bytes saved = snapshot(window);
  for (std::uint64_t key = 3; key <= 5; ++key) CHECK(window.forget(key));
  recoup::snapshot_reader reader(recoup::detail::parse_frame(saved).content);
  REQUIRE(window.load(reader));
  CHECK(snapshot(window) == saved);
  window.observe(6U, at(0));
  CHECK_FALSE(window.judge(3U, at(0)).is_duplicate);
  for (const std::uint64_t key : {4U, 5U, 6U}) CHECK(window.judge(key, at(0)).is_duplicate);
}

TEST_CASE("no options in braces are the default options") {
  CHECK(exact_window<int>({}).options().events == exact_window_options().events);
  CHECK(exact_window<>({}).options().events == exact_window_options().events);
  CHECK(exact_window({.events = 3}).options().events == 3);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<exact_window_options, exact_window<int>>);
}

TEST_CASE("a snapshot with any byte changed and the checksum made right does no harm") {
  const bool renew = GENERATE(false, true);
  const exact_window_options options{.events = 12, .age = 50ns, .key_bytes = 200, .renew = renew};
  const some_keys<any_key> keys;
  std::mt19937_64 random(3);
  exact_window<> window(options);
  for (std::uint64_t i = 0; i < 40; ++i) {
    keys.visit(i, [&](const auto& key) { window.observe(key, at(static_cast<std::int64_t>(i))); });
  }
  const bytes good = snapshot(window);
  const bytes content(good.begin() + 40, good.end() - 8);
  exact_window<> target(options);
  target.observe("kept", at(1));
  const bytes before = snapshot(target);
  int accepted = 0;
  bool harmless = true;
  for (int round = 0; round < 3'000; ++round) {
    bytes changed = content;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
      changed[random() % (round % 2 == 0 ? changed.size() : 88)] =
          static_cast<std::byte>(random() % 4 == 0 ? 255 : random());
    }
    if (round % 10 == 0) changed.resize(random() % changed.size());
    const bytes hostile = forged(window, [&](recoup::snapshot_writer& w) {
      for (const std::byte b : changed) w.u8(std::to_integer<std::uint8_t>(b));
    });
    exact_window<> fresh = target;
    if (!restore(fresh, hostile)) {
      harmless = harmless && snapshot(fresh) == before;
      continue;
    }
    ++accepted;
    harmless = harmless && snapshot(fresh) == hostile;
    for (std::uint64_t i = 0; i < 30; ++i) {
      keys.visit(random() % 60, [&](const auto& key) {
        fresh.observe(key, at(static_cast<std::int64_t>(i)));
        harmless = harmless && fresh.judge(key, at(static_cast<std::int64_t>(i))).is_duplicate;
        if (i % 5 == 0) harmless = harmless && fresh.forget(key) && !fresh.forget(key);
      });
    }
  }
  CHECK(harmless);
  CHECK(accepted > 100);
}

TEST_CASE("with renew a duplicate makes its key young again and the least recently seen goes first") {
  exact_window<std::uint64_t> window({.events = 3, .age = 10ns, .renew = true});
  for (const std::uint64_t key : {1U, 2U, 3U}) window.observe(key, at(0));
  const auto second = window.observe(1U, at(10));
  CHECK(second.is_duplicate);
  CHECK(second.first_seen == at(0));
  const auto third = window.observe(1U, at(20));  // its age counts from 10
  CHECK(third.is_duplicate);
  CHECK(third.first_seen == at(0));
  CHECK(third.last_seen == at(10));
  CHECK(third.repeats == 1);
  window.observe(4U, at(8));
  CHECK_FALSE(window.judge(2U, at(9)).is_duplicate);
  CHECK(window.judge(3U, at(9)).is_duplicate);
  CHECK(window.judge(1U, at(30)).is_duplicate);
  CHECK_FALSE(window.judge(1U, at(31)).is_duplicate);
  CHECK_FALSE(window.observe(1U, at(31)).is_duplicate);
  CHECK(window.judge(1U, at(31)).repeats == 0);
  CHECK(window.judge(1U, at(31)).first_seen == at(31));
}

TEST_CASE("a key repeated for ever takes no place from the others of a window that renews") {
  exact_window<> window({.events = 3, .renew = true});
  for (const char* key : {"a", "b", "hot"}) window.observe(key, at(0));
  for (int i = 0; i < 1'000; ++i) CHECK(window.observe("hot", at(i)).is_duplicate);
  CHECK(window.judge("a", at(1'000)).is_duplicate);
  CHECK(window.judge("b", at(1'000)).is_duplicate);
  CHECK(window.evicted_within_age() == 0);
}

TEST_CASE("a key older than the greatest age is new again however often it was renewed") {
  exact_window<std::uint64_t> window({.events = 4, .age = 10ns, .renew = true, .max_age = 25ns});
  window.observe(1U, at(0));
  for (const std::int64_t now : {5, 10, 15, 20, 25}) CHECK(window.observe(1U, at(now)).is_duplicate);
  CHECK_FALSE(window.observe(1U, at(26)).is_duplicate);
  CHECK(window.judge(1U, at(30)).first_seen == at(26));
  CHECK(window.judge(1U, at(30)).repeats == 0);
}

TEST_CASE("a duplicate from the past does not make its key older") {
  exact_window<std::uint64_t> window({.events = 4, .age = 10ns, .renew = true});
  window.observe(1U, at(100));
  CHECK(window.observe(1U, timestamp::min()).is_duplicate);
  CHECK(window.judge(1U, at(110)).is_duplicate);
  CHECK(window.judge(1U, at(110)).last_seen == at(100));
}

TEST_CASE("a window without renew counts repetitions and keeps the latest without growing the age") {
  exact_window<> window({.events = 4, .age = 10ns});
  window.observe("a", at(0));
  CHECK(window.observe("a", at(4)).repeats == 0);
  CHECK(window.observe("a", at(3)).repeats == 1);
  const auto third = window.observe("a", at(10));
  CHECK(third.repeats == 2);
  CHECK(third.first_seen == at(0));
  CHECK(third.last_seen == at(4));
  CHECK_FALSE(window.judge("a", at(11)).is_duplicate);
}

TEST_CASE("with renew a key longer than its room is still told apart from others") {
  for (const std::size_t key_bytes : {0U, 15U, 16U, 17U, 40U, 2'000U}) {
    exact_window<> window({.events = 8, .key_bytes = key_bytes, .renew = true});
    for (const std::size_t length : {15U, 16U, 17U, 40U, 41U, 1'024U, 1'025U}) {
      std::string key(length, 'x');
      CHECK_FALSE(window.observe(key, at(0)).is_duplicate);
      CHECK(window.observe(key, at(0)).is_duplicate);
      key.back() = 'y';
      CHECK_FALSE(window.judge(key, at(0)).is_duplicate);
    }
    const auto print = recoup::fingerprint128(std::string(1'025, 'x'), 0);
    CHECK_FALSE(window.judge(std::tuple(print.low, print.high), at(0)).is_duplicate);
  }
}

TEST_CASE("the youngest key that had to make room says how far the window was sure to reach") {
  exact_window<std::uint64_t> window({.events = 2, .age = 100ns});
  CHECK_FALSE(window.youngest_evicted().has_value());
  window.observe(1U, at(0));
  window.observe(2U, at(30));
  window.observe(3U, at(101));  // 1 was too old to matter
  CHECK_FALSE(window.youngest_evicted().has_value());
  window.observe(4U, at(102));
  CHECK(window.youngest_evicted() == 72ns);
  window.observe(5U, at(102));
  CHECK(window.youngest_evicted() == 1ns);
  window.observe(6U, at(150));
  CHECK(window.youngest_evicted() == 1ns);
  window.observe(7U, at(0));  // time went back
  CHECK(window.youngest_evicted() == 0ns);
  CHECK(window.evicted_within_age() == 4);
}

TEST_CASE("windows that were merged answer as merged models do") {
  const some_keys<any_key> keys;
  for (const bool renew : {false, true}) {
    for (const std::size_t events : {1U, 4U, 30U}) {
      const exact_window_options options{.events = events, .age = 60ns, .key_bytes = 1'300, .renew = renew};
      INFO("events " << events << ", renew " << renew);
      std::mt19937_64 random(events);
      std::vector<exact_window<>> windows(2, exact_window<>(options));
      std::vector<model> models(2, model(options));
      wandering_time times;
      bool agrees = true;
      std::uint64_t merged = 0;
      std::uint64_t evicted = 0;
      for (int i = 0; i < operations && agrees; ++i) {
        const timestamp now = times.next(random);
        const std::size_t one = random() % 2;
        keys.visit(random() % (3 * events), [&](const auto& key) {
          const std::string name = encoding(key);
          agrees = agrees && answer_of(windows[one].observe(key, now)) == models[one].judge(name, now);
          models[one].commit(name, now);
          if (random() % 8 == 0) agrees = agrees && windows[one].forget(key) == models[one].forget(name);
        });
        if (random() % (4 * events) == 0) {
          const bytes other = snapshot(windows[1 - one]);
          agrees = agrees && windows[one].merge(windows[1 - one]) && snapshot(windows[1 - one]) == other;
          models[one].merge(models[1 - one]);
          ++merged;
          if (random() % 2 == 0) {  // the other begins anew
            windows[1 - one] = exact_window<>(options);
            models[1 - one] = model(options);
          }
        }
        agrees = agrees && counts_agree(windows[one], models[one]);
        evicted = std::max(evicted, models[one].evicted_within_age);
      }
      CHECK(agrees);
      CHECK(merged > 10);
      CHECK(evicted > 0);
    }
  }
}

TEST_CASE("of a key that both windows remember the later sighting stays after a merge") {
  exact_window<std::uint64_t> window({.events = 4, .age = 10ns});
  exact_window<std::uint64_t> other({.events = 4, .age = 10ns});
  window.observe(1U, at(0));
  window.observe(2U, at(3));
  other.observe(2U, at(1));
  other.observe(3U, at(2));
  other.observe(1U, at(5));
  other.observe(1U, at(6));
  REQUIRE(window.merge(other));
  CHECK(window.judge(1U, at(15)).first_seen == at(5));
  CHECK(window.judge(1U, at(15)).is_duplicate);
  CHECK(window.judge(1U, at(15)).repeats == 1);
  CHECK(window.judge(2U, at(13)).first_seen == at(3));
  CHECK(window.fresh() == 5);
  CHECK(window.duplicates() == 1);
  window.observe(4U, at(6));
  window.observe(5U, at(6));  // the oldest is 3 of time 2
  CHECK_FALSE(window.judge(3U, at(6)).is_duplicate);
  CHECK(window.judge(2U, at(6)).is_duplicate);
  CHECK(window.youngest_evicted() == 4ns);
}

TEST_CASE("a merge of more keys than there is room for evicts the oldest and counts them") {
  exact_window<> window({.events = 3, .age = 10ns});
  exact_window<> other({.events = 3, .age = 10ns});
  for (const int key : {1, 2, 3}) window.observe(key, at(10 * key));
  for (const int key : {4, 5, 6}) other.observe(key, at(10 * key - 25));
  REQUIRE(window.merge(other));  // 10 of 1, 15 of 4, 20 of 2, 25 of 5, 30 of 3, 35 of 6
  for (const int key : {3, 5, 6}) CHECK(window.judge(key, at(30)).is_duplicate);
  for (const int key : {1, 2, 4}) CHECK_FALSE(window.judge(key, at(0)).is_duplicate);
  CHECK(window.evicted_within_age() == 0);
  REQUIRE(window.merge(window));
  for (const int key : {3, 5, 6}) CHECK(window.judge(key, at(30)).is_duplicate);

  exact_window<> wide({.events = 3, .age = 100ns});
  exact_window<> other_wide({.events = 3, .age = 100ns});
  for (const int key : {1, 2, 3}) wide.observe(key, at(10 * key));
  for (const int key : {4, 5, 6}) other_wide.observe(key, at(10 * key - 25));
  REQUIRE(wide.merge(other_wide));
  CHECK(wide.evicted_within_age() == 3);
  CHECK(wide.youngest_evicted() == 15ns);
}

TEST_CASE("the parts of a window are its keys once each and merge to the whole again") {
  const some_keys<any_key> keys;
  for (const bool renew : {false, true}) {
    for (const std::uint32_t parts : {1U, 2U, 3U, 7U}) {
      const exact_window_options options{.events = 200, .seed = 7, .key_bytes = 1'300, .renew = renew};
      exact_window<> whole(options);
      for (std::uint64_t i = 0; i < 230; ++i) {
        keys.visit(i, [&](const auto& key) {
          whole.observe(key, at(static_cast<std::int64_t>(i)));
          if (i % 9 == 0) whole.forget(key);
        });
      }
      std::vector<exact_window<>> kept(parts, whole);
      for (std::uint32_t part = 0; part < parts; ++part) kept[part].keep_part(part, parts);
      std::vector<int> sizes(parts, 0);
      bool agrees = true;
      for (std::uint64_t i = 0; i < 230; ++i) {
        keys.visit(i, [&](const auto& key) {
          const auto expected = answer_of(whole.judge(key, at(300)));
          const std::uint32_t own = whole.part_of(key, parts);
          for (std::uint32_t part = 0; part < parts; ++part) {
            const auto answer = answer_of(kept[part].judge(key, at(300)));
            agrees = agrees && answer == (part == own ? expected : model::answer());
          }
          if (own < parts) sizes[own] += expected.is_duplicate ? 1 : 0;
        });
      }
      exact_window<> again = kept[0];
      for (std::uint32_t part = 1; part < parts; ++part) agrees = agrees && again.merge(kept[part]);
      for (std::uint64_t i = 0; i < 230; ++i) {
        keys.visit(i, [&](const auto& key) {
          agrees = agrees && answer_of(again.judge(key, at(300))) == answer_of(whole.judge(key, at(300)));
        });
      }
      CHECK(agrees);
      for (const int size : sizes) CHECK(size > 150 / static_cast<int>(parts) / 2);
      CHECK(kept[0].fresh() == whole.fresh());
    }
  }
}

TEST_CASE("the keys of one part do not crowd in one part of the index") {
  exact_window<std::uint64_t> window({.events = 20'000});
  std::mt19937_64 random(8);
  std::uint64_t kept = 0;
  while (kept < 20'000) {
    const std::uint64_t key = random();
    if (window.part_of(key, 4) != 2) continue;
    window.observe(key, at(0));
    ++kept;
  }
  // Their hashes, by whose upper bits the index goes, are spread as those of any keys.
  std::vector<int> quarters(4, 0);
  random.seed(8);
  for (int i = 0; i < 8'000; ++i) {
    const std::uint64_t key = random();
    if (window.part_of(key, 4) == 2) ++quarters[window.hash(key) >> 30];
  }
  for (const int keys : quarters) {
    CHECK(keys > 400);  // 500 expected, standard deviation 22
    CHECK(keys < 600);
  }
}

TEST_CASE("a part that there is not leaves no key and no parts are one") {
  exact_window<std::uint64_t> window({.events = 4});
  window.observe(1U, at(0));
  CHECK(window.part_of(1U, 0) == 0);
  exact_window<std::uint64_t> same = window;
  same.keep_part(0, 0);
  CHECK(same.judge(1U, at(0)).is_duplicate);
  window.keep_part(5, 3);
  CHECK_FALSE(window.judge(1U, at(0)).is_duplicate);
  CHECK_FALSE(window.observe(1U, at(0)).is_duplicate);
}

TEST_CASE("a snapshot of the first version is refused as older") {
  exact_window<std::uint64_t> window({.events = 3});
  const bytes older = forged(window, [](recoup::snapshot_writer& w) {
    w.begin_section(recoup::section_tag("EXWN"), 1);
    for (const std::uint64_t n : {1U, 2U, 3U, 0U}) w.u64(n);
    w.end_section();
  });
  CHECK(restore(window, older).status == snapshot_status::older_version);
  const bytes newer = forged(window, [](recoup::snapshot_writer& w) {
    w.begin_section(recoup::section_tag("EXWN"), 3);
    w.end_section();
  });
  CHECK(restore(window, newer).status == snapshot_status::newer_version);
}

TEST_CASE("a hostile snapshot of impossible times or of a forgotten key where there is none is refused") {
  const auto answer = [](bool renew, bool is_remembered, duration youngest, timestamp first, timestamp last) {
    exact_window<std::uint64_t> window({.events = 3, .renew = renew});
    const bytes hostile = forged(window, [&](recoup::snapshot_writer& w) {
      w.begin_section(recoup::section_tag("EXWN"), 2);
      for (const std::uint64_t n : {1U, 2U, 3U}) w.u64(n);
      w.span(youngest);
      w.u64(2);
      w.boolean(is_remembered);
      if (is_remembered) {
        w.u64(1);
        seen(w, at(0));
      }
      w.boolean(true);
      w.u64(2);
      w.time(first);
      w.time(last);
      w.u32(0);
      w.end_section();
    });
    return restore(window, hostile).status;
  };
  for (const bool renew : {false, true}) {
    CHECK(answer(renew, true, 0ns, at(1), at(1)) == snapshot_status::ok);
    CHECK(answer(renew, true, -1ns, at(1), at(1)) == snapshot_status::malformed);
    CHECK(answer(renew, true, 0ns, at(1), at(0)) == snapshot_status::malformed);
    CHECK(answer(renew, true, duration::max(), timestamp::min(), timestamp::max()) == snapshot_status::ok);
  }
  CHECK(answer(false, false, 0ns, at(1), at(1)) == snapshot_status::ok);
  CHECK(answer(true, false, 0ns, at(1), at(1)) == snapshot_status::malformed);
}
