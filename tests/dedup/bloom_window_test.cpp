// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/bloom_window.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/window.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::bloom_window;
using recoup::bloom_window_options;
using recoup::duration;
using recoup::restore;
using recoup::snapshot;
using recoup::snapshot_status;
using recoup::timestamp;
using bytes = std::vector<std::byte>;

static_assert(recoup::dedup_window<bloom_window, std::uint64_t>);
static_assert(recoup::dedup_window<bloom_window, std::string>);
static_assert(std::is_trivially_copyable_v<bloom_window::judgement>);

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

// What a window must remember, may remember, and can remember by mistake only, by the keys that it took for new.
class model {
 public:
  enum class answer { must, may, only_by_mistake };

  explicit model(const bloom_window_options& o) : options_(o), pass_((o.events + 2) / 3) {}

  // `stay`: how long a key may be remembered.
  answer judge(std::uint64_t key, timestamp now, duration stay) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return answer::only_by_mistake;
    const auto [number, seen] = found->second;
    const std::uint64_t newer = count_ - number;  // this one among them
    const duration age = recoup::elapsed(seen, now);
    // A key renewed as its pass ends takes room too.
    const std::uint64_t uncounted = options_.renew ? 4 : 0;
    if (newer + uncounted <= options_.events && age <= options_.age) return answer::must;
    if (options_.age == duration::max() && newer > 4 * pass_) return answer::only_by_mistake;
    return age <= stay ? answer::may : answer::only_by_mistake;
  }
  // `counted`: whether it takes room.
  void commit(std::uint64_t key, timestamp now, bool counted) {
    keys_[key] = {count_, now};
    count_ += counted ? 1 : 0;
  }
  bool forget(std::uint64_t key) { return keys_.erase(key) != 0; }

 private:
  bloom_window_options options_;
  std::uint64_t pass_;
  std::uint64_t count_ = 0;
  std::unordered_map<std::uint64_t, std::pair<std::uint64_t, timestamp>> keys_;
};

struct tally {
  std::uint64_t judged_new = 0;  // keys that can be duplicates by mistake only
  std::uint64_t mistakes = 0;
  std::uint64_t missed = 0;
  std::uint64_t duplicates = 0;
};

// Observes and compares, and counts what differs.
class checked_window {
 public:
  explicit checked_window(const bloom_window_options& o, duration stay = duration::max())
      : window(o), expected(o), stay_(stay) {}

  void observe(std::uint64_t key, timestamp now) {
    const auto judged = window.judge(key, now);
    compare(key, judged.is_duplicate, now);
    window.commit(key, judged, now);
    if (!judged.is_duplicate || window.options().renew) expected.commit(key, now, !judged.is_current);
  }
  void judge(std::uint64_t key, timestamp now) { compare(key, window.judge(key, now).is_duplicate, now); }

  bloom_window window;
  model expected;
  tally seen;

 private:
  void compare(std::uint64_t key, bool is_duplicate, timestamp now) {
    const auto answer = expected.judge(key, now, stay_);
    seen.duplicates += is_duplicate ? 1U : 0U;
    if (answer == model::answer::must && !is_duplicate) ++seen.missed;
    if (answer == model::answer::only_by_mistake) {
      ++seen.judged_new;
      seen.mistakes += is_duplicate ? 1U : 0U;
    }
  }

  duration stay_;
};

bool is_within(double count, double expected, double deviations) {
  return std::abs(count - expected) <= deviations * std::sqrt(expected) + 1;
}

// Mostly forward, now and then one wrong time.
timestamp wandering(std::mt19937_64& random, std::int64_t& now) {
  now += static_cast<std::int64_t>(random() % 4);
  switch (random() % 200) {
    case 0:
      return timestamp::min();
    case 1:
      return timestamp::max();
    case 2:
      return at(static_cast<std::int64_t>(random()));
    case 3:
      return at(now - static_cast<std::int64_t>(random() % 1'000));
    default:
      return at(now);
  }
}

// A frame of the window's own configuration with a right checksum around any content.
template <class Write>
bytes forged(const bloom_window& window, Write&& write) {
  recoup::snapshot_writer w;
  recoup::detail::begin_frame(w, window.configuration(), {});
  write(w);
  recoup::detail::end_frame(w);
  return w.take();
}

struct saved_fields {
  std::uint64_t pass = 4;
  std::uint64_t keys_left = 1;
  std::uint64_t sweep_at = 0;
  std::uint64_t sweep_left = 0;
  std::uint8_t doubt = 1;
  std::uint32_t tag = 0xFF00'0000;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> forgotten{};
  std::size_t table = 128;
};
bytes forged(const bloom_window& window, const saved_fields& s) {
  return forged(window, [&](recoup::snapshot_writer& w) {
    w.begin_section(recoup::section_tag("BLOM"), 2);
    for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, s.pass, s.keys_left}) w.u64(n);
    w.value(std::optional<duration>(-5ns));
    w.u64(s.sweep_at);
    w.u64(s.sweep_left);
    w.time(timestamp::max());
    w.time(timestamp::min());
    w.u8(s.doubt);
    for (int i = 0; i < 4; ++i) {
      w.time(timestamp::max());
      w.u64(~std::uint64_t{0});
      w.u64(~std::uint64_t{0});
    }
    for (int i = 0; i < 4; ++i) w.u32(s.tag);
    w.u64(s.forgotten.size());
    for (const auto& [hash, pass] : s.forgotten) {
      w.u64(hash);
      w.u64(pass);
    }
    for (std::size_t i = 0; i < s.table; ++i) w.u8(0xFF);
    w.end_section();
  });
}

}  // namespace

TEST_CASE("a Bloom window remembers its last keys by count and up to a third more") {
  for (const std::size_t events : {1U, 2U, 3U, 5U, 64U, 1'000U, 20'000U}) {
    for (const bool renew : {false, true}) {
      INFO("events " << events << ", renew " << renew);
      std::mt19937_64 random(events);
      checked_window w({.events = events, .false_positive_rate = 1e-6, .seed = events, .renew = renew});
      const std::uint64_t distinct = 4 * events + 3;
      for (std::uint64_t i = 0; i < 30'000 + 8 * events; ++i) w.observe(random() % distinct, at(0));
      CHECK(w.seen.missed == 0);
      CHECK(w.seen.mistakes <= 3);
      CHECK(w.seen.judged_new > 1'000);
      CHECK(w.seen.duplicates > 1'000);
      CHECK(w.window.fresh() > 4 * events);
    }
  }
}

TEST_CASE("a Bloom window of every last key in turn misses none at the very end of the window") {
  for (const std::size_t events : {1U, 2U, 4U, 100U, 3'001U}) {
    bloom_window w({.events = events, .false_positive_rate = 1e-7});
    std::uint64_t missed = 0;
    std::uint64_t kept = 0;
    std::vector<std::uint64_t> taken;  // new keys in turn: a mistake makes no room
    for (std::uint64_t i = 0; i < 10 * events + 20; ++i) {
      if (!w.observe(i, at(0)).is_duplicate) taken.push_back(i);
      if (taken.size() >= events) missed += w.judge(taken[taken.size() - events], at(0)).is_duplicate ? 0U : 1U;
      const std::size_t beyond = 4 * ((events + 2) / 3) + 1;
      if (taken.size() >= beyond) kept += w.judge(taken[taken.size() - beyond], at(0)).is_duplicate ? 1U : 0U;
    }
    CHECK(missed == 0);
    CHECK(kept <= 1);
    CHECK(taken.size() > 10 * events);
  }
}

TEST_CASE("a Bloom window calls new keys duplicates as often as computed") {
  struct sample {
    std::size_t events;
    double rate;
    std::uint64_t seed;
  };
  for (const auto& [events, rate, seed] : {sample{30'000, 1e-2, 1}, sample{30'000, 1e-3, 2}, sample{50'000, 1.1e-3, 3},
                                           sample{60'000, 2e-4, 4}, sample{60'000, 5e-5, 5}, sample{9'000, 3e-3, 6}}) {
    const bloom_window_options options{.events = events, .false_positive_rate = rate, .seed = seed};
    const double computed = bloom_window::false_positive_rate_for(options);
    CHECK(computed <= rate * (1 + 1e-9));
    CHECK(computed > rate * 0.98);

    std::mt19937_64 random(seed);
    bloom_window w(options);
    while (w.fresh() < 2 * events) w.observe(random(), at(0));
    std::uint64_t mistakes = 0;
    std::uint64_t keys = 0;
    for (const std::uint64_t until = w.fresh() + 4 * (events + 2) / 3 * 3; w.fresh() < until;) {
      mistakes += w.observe(random(), at(0)).is_duplicate ? 1U : 0U;
      ++keys;
    }
    // Between two keys, many probes of the same window: the rate averages over whole passes.
    for (int pass = 0; pass < 3 * 16; ++pass) {
      for (std::size_t i = 0; i < events / 3 / 16; ++i) w.observe(random(), at(0));
      for (int i = 0; i < 20'000; ++i, ++keys) mistakes += w.judge(random(), at(0)).is_duplicate ? 1U : 0U;
    }
    const double expected = computed * static_cast<double>(keys);
    INFO("rate " << rate << ": " << mistakes << " mistakes, " << expected << " expected");
    CHECK(is_within(static_cast<double>(mistakes), expected, 6 + 0.02 * std::sqrt(expected)));
  }
}

TEST_CASE("a Bloom window takes four bytes a key at one mistake in a thousand and eight at one in a hundred thousand") {
  const auto bytes_a_key = [](double rate) {
    const bloom_window_options options{.events = 1 << 24, .false_positive_rate = rate};
    return static_cast<double>(bloom_window::bytes_for(options)) / static_cast<double>(options.events);
  };
  CHECK(bytes_a_key(1e-2) < 2.4);
  CHECK(bytes_a_key(1.1e-3) < 3.7);
  CHECK(bytes_a_key(1e-3) < 3.8);
  CHECK(bytes_a_key(1e-4) < 5.6);
  CHECK(bytes_a_key(1e-5) < 7.7);
  CHECK(bytes_a_key(1e-7) < 14.8);
  CHECK(bloom_window::bytes_for({.events = 1, .forgotten = 0}) == 128);
}

TEST_CASE("in a steady flow a Bloom window remembers a key for its age and at most a third more") {
  for (const std::int64_t age : {1, 2, 3, 30, 1'000, 9'999}) {
    for (const bool renew : {false, true}) {
      INFO("age " << age << ", renew " << renew);
      const bloom_window_options options{
          .events = 50'000, .age = duration(age), .false_positive_rate = 1e-6, .renew = renew};
      // A pass ends with the first key after a third of the age.
      checked_window w(options, duration(age + age / 3 + 1));
      std::mt19937_64 random(static_cast<std::uint64_t>(age));
      std::int64_t now = 1'700'000'000'000'000'000;
      for (int i = 0; i < 40'000; ++i) {
        now += static_cast<std::int64_t>(random() % 3 == 0);
        w.observe(random() % static_cast<std::uint64_t>(2 * age + 3), at(now));
        if (i % 4 == 0) w.judge(random() % static_cast<std::uint64_t>(2 * age + 3), at(now));
      }
      CHECK(w.seen.missed == 0);
      CHECK(w.seen.mistakes <= 3);
      CHECK(w.seen.duplicates > 1'000);
      CHECK(w.seen.judged_new > 100);
      CHECK(w.window.evicted_within_age() == 0);
      CHECK(!w.window.youngest_evicted());
    }
  }
}

TEST_CASE("in an uneven flow a Bloom window remembers a key for its age and at most four times as long") {
  std::mt19937_64 random(8);
  for (const std::size_t events : {30U, 300U, 3'000U}) {
    constexpr std::int64_t age = 3'000;
    checked_window w({.events = events, .age = duration(age), .false_positive_rate = 1e-7}, duration(4 * age));
    std::int64_t now = 0;
    std::int64_t step = 1;
    for (int i = 0; i < 60'000; ++i) {
      if (random() % 500 == 0) step = std::int64_t{1} << random() % 14;  // from bursts to a key in three ages
      now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(step + 1));
      w.observe(random() % (2 * events), at(now));
      w.judge(random() % (2 * events), at(now));
    }
    CHECK(w.seen.missed == 0);
    CHECK(w.seen.mistakes <= 3);
    CHECK(w.seen.duplicates > 5'000);
    CHECK(w.seen.judged_new > 5'000);
  }
}

TEST_CASE("a flow of few keys in a large Bloom window does not keep them") {
  bloom_window w({.events = 1 << 19, .age = 100ns, .false_positive_rate = 1e-6});
  std::int64_t now = 0;
  for (std::uint64_t key = 0; key < 3'000; ++key) {  // three times as many passes as tell themselves apart
    CHECK_FALSE(w.observe(key, at(now)).is_duplicate);
    CHECK(w.judge(key, at(now + 100)).is_duplicate);
    for (const std::uint64_t older : {1U, 2U, 3U, 4U, 5U, 1'024U, 2'048U}) {
      if (older <= key) CHECK_FALSE(w.judge(key - older, at(now)).is_duplicate);
    }
    now += key % 2 == 0 ? 101 : 5'000;
  }
}

TEST_CASE("lone wrong times do not empty a Bloom window however many there are") {
  for (const int period : {2, 3, 7}) {
    std::mt19937_64 random(static_cast<std::uint64_t>(period));
    bloom_window w({.events = 3'000, .age = 1'000ns, .false_positive_rate = 1e-6});
    std::int64_t now = 1'000'000;
    for (std::uint64_t key = 0; key < 900; ++key) w.observe(key, at(now));
    const timestamp wrong[] = {timestamp::max(), timestamp::min(), at(0), at(now + 5'000), at(now - 2'000)};
    for (std::uint64_t key = 10'000; key < 10'500; ++key) {
      w.observe(key, key % static_cast<std::uint64_t>(period) == 0 ? wrong[random() % 5] : at(now));
    }
    std::uint64_t missed = 0;
    for (std::uint64_t key = 0; key < 900; ++key) missed += w.judge(key, at(now)).is_duplicate ? 0U : 1U;
    for (std::uint64_t key = 10'000; key < 10'500; ++key) {
      if (key % static_cast<std::uint64_t>(period) != 0) missed += w.judge(key, at(now)).is_duplicate ? 0U : 1U;
    }
    CHECK(missed == 0);
  }
}

TEST_CASE("a wrong time costs a Bloom window at most the oldest of its passes until a third of its keys are new") {
  bloom_window w({.events = 300, .age = 1'000ns, .false_positive_rate = 1e-6});
  for (std::uint64_t key = 0; key < 350; ++key) w.observe(key, at(0));  // in four passes
  for (std::uint64_t key = 1'000; key < 1'040; ++key) w.observe(key, key % 2 == 0 ? timestamp::max() : at(1));
  std::uint64_t missed = 0;
  for (std::uint64_t key = 100; key < 350; ++key) missed += w.judge(key, at(1)).is_duplicate ? 0U : 1U;
  CHECK(missed == 0);
  CHECK_FALSE(w.judge(50U, at(1)).is_duplicate);
}

TEST_CASE("a Bloom window whose time has gone far ahead for good expires as before") {
  bloom_window w({.events = 1'000, .age = 300ns, .false_positive_rate = 1e-6});
  std::uint64_t key = 0;
  for (const std::int64_t begin : {0L, 1'000'000'000'000L, 500L}) {
    for (std::int64_t i = 0; i < 1'000; ++i) w.observe(key++, at(begin + i));
    CHECK(w.judge(key - 300, at(begin + 999)).is_duplicate);
    CHECK_FALSE(w.judge(key - 402, at(begin + 999)).is_duplicate);
    CHECK_FALSE(w.judge(key - 900, at(begin + 999)).is_duplicate);
  }
}

TEST_CASE("a key of a Bloom window keeps its age though an earlier time comes behind it") {
  bloom_window w({.events = 300, .age = 90ns, .false_positive_rate = 1e-7});
  w.observe(1U, at(100));
  w.observe(2U, at(80));
  CHECK(w.judge(1U, at(190)).is_duplicate);
  CHECK_FALSE(w.judge(1U, at(191)).is_duplicate);
}

TEST_CASE("an unlimited age of a Bloom window reaches from one end of time to the other") {
  bloom_window w;
  w.observe(1U, timestamp::min());
  w.observe(2U, timestamp::max());
  CHECK(w.judge(1U, timestamp::max()).is_duplicate);
  CHECK(w.judge(2U, timestamp::min()).is_duplicate);
}

TEST_CASE("a renewed key stays in a Bloom window as long as it is seen") {
  for (const bool renew : {false, true}) {
    bloom_window counted({.events = 300, .false_positive_rate = 1e-6, .renew = renew});
    bloom_window aged({.events = 100'000, .age = 100ns, .false_positive_rate = 1e-6, .renew = renew});
    std::uint64_t counted_new = 0;
    std::uint64_t aged_new = 0;
    for (std::uint64_t i = 0; i < 3'000; ++i) {
      counted.observe(i + 10, at(0));
      aged.observe(i + 10, at(static_cast<std::int64_t>(i)));
      if (i % 60 != 0) continue;
      counted_new += counted.observe(1U, at(0)).is_duplicate ? 0U : 1U;
      aged_new += aged.observe(1U, at(static_cast<std::int64_t>(i))).is_duplicate ? 0U : 1U;
    }
    CHECK((renew ? counted_new == 1 : counted_new >= 7 && counted_new <= 10));
    CHECK((renew ? aged_new == 1 : aged_new > 15));
  }
}

TEST_CASE("the duplicate of a key that was mistaken for another is missed as often as its mistake unless renewed") {
  for (const bool renew : {false, true}) {
    const bloom_window_options options{.events = 3'000, .false_positive_rate = 1e-2, .seed = 3, .renew = renew};
    bloom_window w(options);
    std::vector<std::uint64_t> keys;
    std::vector<bool> was_mistaken;
    std::mt19937_64 random(7);
    std::uint64_t mistaken = 0;
    std::uint64_t missed = 0;
    constexpr std::uint64_t all = 300'000;
    for (std::uint64_t i = 0; i < all; ++i) {
      keys.push_back(random());
      was_mistaken.push_back(w.observe(keys.back(), at(0)).is_duplicate);
      mistaken += was_mistaken.back() ? 1U : 0U;
      if (i < 2'500) continue;
      // Its own duplicate, within the window.
      const bool is_missed = !w.judge(keys[i - 2'500], at(0)).is_duplicate;
      missed += is_missed ? 1U : 0U;
      if (is_missed) CHECK(was_mistaken[i - 2'500]);
    }
    const double rate = bloom_window::false_positive_rate_for(options);
    CHECK(is_within(static_cast<double>(mistaken), rate * all, 8));
    if (renew) {
      CHECK(missed == 0);
    } else {
      CHECK(missed > mistaken / 3);
      CHECK(missed <= mistaken);
    }
  }
}

TEST_CASE("a forgotten key is new once more and other keys of a Bloom window are untouched") {
  bloom_window w({.events = 300, .false_positive_rate = 1e-6, .forgotten = 2});
  for (std::uint64_t key = 0; key < 100; ++key) w.observe(key, at(0));
  CHECK_FALSE(w.forget(1'000U));
  CHECK(w.forget(7U));
  CHECK_FALSE(w.forget(7U));
  CHECK(w.forget(8U));
  CHECK_FALSE(w.forget(9U));  // the list is full
  CHECK(w.judge(9U, at(0)).is_duplicate);
  CHECK_FALSE(w.judge(8U, at(0)).is_duplicate);
  CHECK_FALSE(w.observe(7U, at(0)).is_duplicate);
  CHECK(w.observe(7U, at(0)).is_duplicate);
  CHECK(w.fresh() == 101);
  CHECK(w.forget(7U));
  for (std::uint64_t key = 10; key < 100; ++key) CHECK(w.judge(key, at(0)).is_duplicate);
  // Both leave the list when the window has passed on, and can then be new without it.
  for (std::uint64_t key = 200; key < 601; ++key) w.observe(key, at(0));
  CHECK(w.forget(500U));
  CHECK(w.forget(501U));
  CHECK_FALSE(w.observe(7U, at(0)).is_duplicate);
  CHECK(w.judge(7U, at(0)).is_duplicate);
  CHECK_FALSE(bloom_window({.forgotten = 0}).forget(1U));
}

TEST_CASE("a Bloom window answers as the model does under random operations") {
  for (const std::size_t events : {1U, 4U, 30U, 333U}) {
    for (const duration age : {duration::max(), duration(100), duration(2'000)}) {
      for (const bool renew : {false, true}) {
        INFO("events " << events << ", age " << age.count() << ", renew " << renew);
        const bloom_window_options options{
            .events = events, .age = age, .false_positive_rate = 1e-7, .seed = 9, .renew = renew, .forgotten = 50};
        std::mt19937_64 random(events * 7 + static_cast<std::uint64_t>(age.count() % 1'000));
        checked_window w(options, age == duration::max() ? age : 4 * age);
        std::int64_t now = 0;
        std::uint64_t unforgettable = 0;
        for (int i = 0; i < 20'000; ++i) {
          const std::uint64_t key = random() % (2 * events + 2);
          now += static_cast<std::int64_t>(random() % 5);
          switch (random() % 16) {
            case 0:
              if (w.window.forget(key)) {
                w.expected.forget(key);
                if (w.window.judge(key, at(now)).is_duplicate || w.window.forget(key)) ++unforgettable;
              } else if (w.expected.judge(key, at(now), duration(0)) == model::answer::must) {
                ++unforgettable;  // the list is full
              }
              break;
            case 1: {
              const bytes saved = snapshot(w.window);
              bloom_window other = w.window.empty_copy();
              other.observe(key, timestamp::max());
              REQUIRE(restore(other, saved));
              REQUIRE(snapshot(other) == saved);
              w.window = std::move(other);
              break;
            }
            case 2:
              w.judge(key, at(now));
              break;
            default:
              w.observe(key, at(now));
          }
        }
        CHECK(w.seen.missed == 0);
        CHECK(w.seen.mistakes <= 10);  // generations may hold more than they are made for
        CHECK(w.seen.duplicates > 500);
        CHECK(unforgettable == (events == 333 ? unforgettable : 0));
      }
    }
  }
}

TEST_CASE("a restored Bloom window goes on as the original under any times") {
  std::mt19937_64 random(4);
  const bloom_window_options options{.events = 500, .age = 300ns, .false_positive_rate = 1e-2, .forgotten = 8};
  bloom_window original(options);
  bloom_window other(options);
  std::int64_t now = 0;
  std::uint64_t differing = 0;
  for (int i = 0; i < 30'000; ++i) {
    if (random() % 128 == 0) {
      other = original.empty_copy();
      differing += restore(other, snapshot(original)) ? 0U : 1U;
    }
    const std::uint64_t key = random() % 900;
    const timestamp when = wandering(random, now);
    if (random() % 8 == 0) {
      differing += original.forget(key) != other.forget(key) ? 1U : 0U;
    } else {
      differing += original.observe(key, when).is_duplicate != other.observe(key, when).is_duplicate ? 1U : 0U;
    }
    if (i % 64 == 0) differing += snapshot(original) != snapshot(other) ? 1U : 0U;
  }
  CHECK(differing == 0);
  CHECK(original.duplicates() > 1'000);
  CHECK(original.evicted_within_age() > 100);
}

TEST_CASE("observing ahead gives a Bloom window's own answers") {
  const bloom_window_options options{.events = 2'000, .age = 5'000ns, .false_positive_rate = 1e-2, .renew = true};
  bloom_window one(options);
  bloom_window ahead(options);
  std::mt19937_64 random(6);
  std::uint64_t differing = 0;
  for (std::int64_t batch = 0; batch < 100; ++batch) {
    std::vector<std::uint64_t> keys(random() % 200);
    for (auto& key : keys) key = random() % 5'000;
    std::vector<bool> answers;
    observe_ahead(ahead, std::span<const std::uint64_t>(keys), at(batch * 100),
                  [&](std::size_t, const bloom_window::judgement& j) { answers.push_back(j.is_duplicate); });
    for (std::size_t i = 0; i < keys.size(); ++i) {
      differing += one.observe(keys[i], at(batch * 100)).is_duplicate != answers[i] ? 1U : 0U;
    }
  }
  CHECK(differing == 0);
  CHECK(snapshot(one) == snapshot(ahead));
  CHECK(one.duplicates() > 1'000);
}

TEST_CASE("a Bloom window counts the passes that had to make room within their age") {
  bloom_window w({.events = 300, .age = 1'000ns, .false_positive_rate = 1e-7});
  for (std::int64_t i = 0; i < 400; ++i) w.observe(i, at(i));
  CHECK(w.evicted_within_age() == 0);
  CHECK(!w.youngest_evicted());
  w.observe(1'000, at(399));
  CHECK(w.evicted_within_age() == 100);
  CHECK(w.youngest_evicted() == 300ns);  // keys 0 to 99, the latest at 99
  for (std::int64_t i = 400; i < 500; ++i) w.observe(i, at(300));
  CHECK(w.evicted_within_age() == 200);
  CHECK(w.youngest_evicted() == 101ns);  // keys 100 to 199, when key 499 came
  for (std::int64_t i = 500; i < 600; ++i) w.observe(i, at(100'000));
  CHECK(w.evicted_within_age() == 200);
}

TEST_CASE("a merged Bloom window remembers what either does for as long as it would have") {
  std::mt19937_64 random(12);
  for (int round = 0; round < 40; ++round) {
    const bloom_window_options options{.events = 600, .false_positive_rate = 1e-7, .forgotten = 20};
    bloom_window a(options);
    bloom_window b(options);
    const std::uint64_t in_a = random() % 1'500;
    const std::uint64_t in_b = random() % 1'500;
    for (std::uint64_t i = 0; i < in_a; ++i) a.observe(i, at(5));
    for (std::uint64_t i = 0; i < in_b; ++i) b.observe(100'000 + i, at(9));
    const auto nth_newest = [](std::uint64_t count, std::uint64_t n) { return count - 1 - n; };
    bloom_window merged = a;
    REQUIRE(merged.merge(b));
    CHECK(merged.fresh() == in_a + in_b);
    std::uint64_t missed = 0;
    const std::uint64_t more = random() % 600;
    for (std::uint64_t i = 0; i < more; ++i) merged.observe(200'000 + i, at(9));
    for (std::uint64_t n = 0; n + more < 600; ++n) {
      if (n < in_a) missed += merged.judge(nth_newest(in_a, n), at(9)).is_duplicate ? 0U : 1U;
      if (n < in_b) missed += merged.judge(100'000 + nth_newest(in_b, n), at(9)).is_duplicate ? 0U : 1U;
    }
    for (std::uint64_t i = 0; i < more; ++i) missed += merged.judge(200'000 + i, at(9)).is_duplicate ? 0U : 1U;
    CHECK(missed == 0);
    std::uint64_t mistakes = 0;
    for (std::uint64_t i = 0; i < 1'000; ++i) mistakes += merged.judge(500'000 + i, at(9)).is_duplicate ? 1U : 0U;
    CHECK(mistakes <= 3);
    for (std::uint64_t i = 0; i < 2'000; ++i) merged.observe(300'000 + i, at(9));
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(100, in_b); ++i) {
      mistakes += merged.judge(100'000 + i, at(9)).is_duplicate ? 1U : 0U;
    }
    CHECK(mistakes <= 3);
  }
}

TEST_CASE("the passes of a merged Bloom window that make room are counted with the keys of both") {
  bloom_window a({.events = 300, .false_positive_rate = 1e-7});
  bloom_window b({.events = 300, .false_positive_rate = 1e-7});
  for (std::uint64_t i = 0; i < 100; ++i) {
    a.observe(i, at(0));
    b.observe(1'000 + i, at(0));
  }
  CHECK(a.merge(b));
  for (std::uint64_t i = 0; i < 300; ++i) a.observe(2'000 + i, at(5));
  CHECK(a.evicted_within_age() == 0);
  a.observe(3'000U, at(5));
  CHECK(a.evicted_within_age() == 200);
}

TEST_CASE("merged Bloom windows agree on what was forgotten or refuse where it is too much") {
  const bloom_window_options options{.events = 300, .false_positive_rate = 1e-7, .forgotten = 2};
  bloom_window a(options);
  bloom_window b(options);
  for (const std::uint64_t key : {1U, 2U, 3U}) a.observe(key, at(0));
  for (const std::uint64_t key : {2U, 3U, 4U}) b.observe(key, at(0));
  CHECK(a.forget(1U));
  CHECK(a.forget(2U));  // which b remembers
  CHECK(b.forget(4U));
  bloom_window merged = a;
  CHECK(merged.merge(b));
  CHECK_FALSE(merged.judge(1U, at(0)).is_duplicate);
  CHECK(merged.judge(2U, at(0)).is_duplicate);
  CHECK(merged.judge(3U, at(0)).is_duplicate);
  CHECK_FALSE(merged.judge(4U, at(0)).is_duplicate);
  CHECK_FALSE(merged.observe(4U, at(0)).is_duplicate);
  CHECK(merged.observe(4U, at(0)).is_duplicate);

  b.observe(5U, at(0));
  CHECK(b.forget(5U));
  const bytes before = snapshot(a);
  CHECK_FALSE(a.merge(b));  // 1, 4 and 5
  CHECK(snapshot(a) == before);
  CHECK_FALSE(a.merge(bloom_window({.events = 301, .false_positive_rate = 1e-7, .forgotten = 2})));
  CHECK(snapshot(a) == before);
}

TEST_CASE("a Bloom window allocates nothing after construction") {
  bloom_window w({.events = 500, .age = 300ns, .forgotten = 20});
  bloom_window copy = w;
  std::mt19937_64 random(2);
  std::int64_t now = 0;
  const std::size_t before = allocations_so_far;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t key = random() % 1'500;
    const timestamp when = wandering(random, now);
    w.observe(key, when);
    copy.observe(key, when);
    if (i % 8 == 0) w.forget(key);
    if (i % 8 == 0) copy.forget(key);
  }
  const std::size_t after = allocations_so_far;
  CHECK(after == before);
  ::operator delete(::operator new(1));
  CHECK(allocations_so_far > after);  // they are counted
  CHECK(w.duplicates() > 0);
}

TEST_CASE("a Bloom window refuses bad options with a sentence") {
  const auto refused = [](const bloom_window_options& options, const char* about) {
    CHECK_THROWS_WITH(bloom_window(options), Catch::Contains(about));
    CHECK_THROWS_AS(bloom_window(options), std::invalid_argument);
  };
  refused({.events = 0}, "events must be 1 to 2^32");
  refused({.events = (std::size_t{1} << 32) + 1}, "events must be 1 to 2^32");
  refused({.age = 0ns}, "age must be longer than zero");
  refused({.false_positive_rate = 0.011}, "false_positive_rate must be 1e-7 to 1e-2");
  refused({.false_positive_rate = 0.9e-7}, "false_positive_rate must be 1e-7 to 1e-2");
  refused({.false_positive_rate = std::numeric_limits<double>::quiet_NaN()}, "false_positive_rate must be 1e-7");
  refused({.forgotten = (1 << 16) + 1}, "forgotten must be at most 2^16");
}

TEST_CASE("a Bloom window refuses the snapshot of other options") {
  const bloom_window_options options{.events = 100, .age = 5ns, .seed = 1, .forgotten = 3};
  const bytes saved = snapshot(bloom_window(options));
  const auto is_refused = [&](auto change) {
    bloom_window_options others = options;
    change(others);
    bloom_window other(others);
    return restore(other, saved).status == snapshot_status::other_configuration;
  };
  CHECK(is_refused([](auto& o) { o.events = 101; }));
  CHECK(is_refused([](auto& o) { o.age = 6ns; }));
  CHECK(is_refused([](auto& o) { o.seed = 2; }));
  CHECK(is_refused([](auto& o) { o.renew = true; }));
  CHECK(is_refused([](auto& o) { o.forgotten = 4; }));
  CHECK(is_refused([](auto& o) { o.false_positive_rate = 2e-3; }));
  CHECK_FALSE(is_refused([](auto&) {}));
}

TEST_CASE("a hostile snapshot of a Bloom window is refused or makes a window that works") {
  const bloom_window_options options{.events = 3, .age = 100ns, .forgotten = 2};
  REQUIRE(bloom_window::bytes_for(options) == 128 + 2 * 16);
  const auto answer_to = [&](const saved_fields& s) {
    bloom_window w(options);
    w.observe(5U, at(5));
    const bytes before = snapshot(w);
    const bytes hostile = forged(w, s);
    const auto status = restore(w, hostile).status;
    CHECK(snapshot(w) == (status == snapshot_status::ok ? hostile : before));
    std::mt19937_64 random(1);
    std::int64_t now = 0;
    for (int i = 0; i < 500; ++i) {
      w.observe(random() % 20, wandering(random, now));
      w.forget(random() % 20);
      if (i % 50 == 0) CHECK(w.merge(bloom_window(options)));
    }
    return status;
  };
  CHECK(answer_to({}) == snapshot_status::ok);
  CHECK(answer_to({.keys_left = 0, .sweep_left = 1}) == snapshot_status::ok);
  CHECK(answer_to({.pass = 3}) == snapshot_status::malformed);
  CHECK(answer_to({.pass = ~std::uint64_t{0}}) == snapshot_status::malformed);
  CHECK(answer_to({.keys_left = 2}) == snapshot_status::malformed);
  CHECK(answer_to({.sweep_at = 1}) == snapshot_status::malformed);
  CHECK(answer_to({.sweep_left = 2}) == snapshot_status::malformed);
  CHECK(answer_to({.pass = 9, .forgotten = {{1, 6}, {2, 9}}}) == snapshot_status::ok);
  CHECK(answer_to({.pass = 9, .forgotten = {{2, 9}, {1, 9}}}) == snapshot_status::malformed);
  CHECK(answer_to({.pass = 9, .forgotten = {{1, 9}, {1, 9}}}) == snapshot_status::malformed);
  CHECK(answer_to({.pass = 9, .forgotten = {{1, 10}}}) == snapshot_status::malformed);
  CHECK(answer_to({.pass = 9, .forgotten = {{1, 5}}}) == snapshot_status::malformed);
  CHECK(answer_to({.pass = 9, .forgotten = {{1, 9}, {2, 9}, {3, 9}}}) == snapshot_status::malformed);
  CHECK(answer_to({.doubt = 2}) == snapshot_status::ok);
  CHECK(answer_to({.doubt = 3}) == snapshot_status::malformed);
  CHECK(answer_to({.tag = 0x0100'0001}) == snapshot_status::malformed);
  CHECK(answer_to({.table = 127}) != snapshot_status::ok);
  CHECK(answer_to({.table = 256}) != snapshot_status::ok);

  bloom_window w(options);
  for (std::uint64_t key = 0; key < 5; ++key) w.observe(key, at(0));
  w.forget(4U);
  const bytes saved = snapshot(w);
  std::mt19937_64 random(3);
  for (std::size_t i = 0; i < saved.size(); ++i) {
    bytes changed = saved;
    changed[i] ^= static_cast<std::byte>(1 + random() % 255);
    CHECK_FALSE(restore(w, changed));
    CHECK_FALSE(restore(w, std::span(saved).first(i)));
    // The same with a right checksum.
    const auto content = recoup::detail::parse_frame(saved).content;
    bytes inner(content.begin(), content.end());
    if (i >= inner.size()) continue;
    inner[i] ^= static_cast<std::byte>(1 + random() % 255);
    const bytes signed_again = forged(w, [&](recoup::snapshot_writer& out) {
      for (const std::byte b : inner) out.u8(static_cast<std::uint8_t>(b));
    });
    bloom_window other = w.empty_copy();
    if (!restore(other, signed_again)) continue;
    CHECK((snapshot(other) == signed_again));
    for (std::uint64_t key = 0; key < 10; ++key) other.observe(key, at(0));
  }
}
