// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/detail/epochs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"

namespace {

using recoup::duration;
using recoup::elapsed;
using recoup::timestamp;
using recoup::detail::epochs;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

// Holds tags as a window does, and beside each what a window without tags would know.
class holder {
 public:
  static constexpr std::uint32_t slots = 4;

  holder(std::uint64_t events, duration age, std::uint32_t lines)
      : epochs_(events, age, lines), events_(events), age_(age), lines_(lines), slots_(lines * slots) {
    for (slot& s : slots_) s.tag = epochs_.dead_tag();
  }

  void add(timestamp now) {
    const unsigned sweep = epochs_.is_due(now) ? epochs_.turn(now) : 0;
    epochs_.add(now);
    ++total_;
    recent_.push_back(now);
    if (recent_.size() > 8) recent_.pop_front();
    if (recent_.size() == 8) final_ = std::max(final_, *std::min_element(recent_.begin(), recent_.end()));
    const std::size_t begin = random_() % slots_.size();
    std::size_t tried = 0;
    const auto candidate = [&]() -> slot& { return slots_[(begin + tried) % slots_.size()]; };
    while (tried < slots_.size() && epochs_.is_alive(candidate().tag)) ++tried;
    if (tried == slots_.size()) {
      ++overfull;
      return;
    }
    candidate() = {epochs_.current(), false, now, total_};
    for (unsigned i = 0; i < sweep; ++i, sweep_ = (sweep_ + 1) % lines_) {
      for (std::uint32_t k = 0; k < slots; ++k) {
        slot& s = slots_[sweep_ * slots + k];
        if (!epochs_.is_alive(s.tag)) s = {epochs_.dead_tag(), true, {}, 0};
      }
    }
    epochs_.swept(sweep);
    check(now);
  }

  std::uint64_t lost = 0;      // keys dead that must be remembered
  std::uint64_t returned = 0;  // keys alive again
  std::uint64_t kept = 0;      // keys alive though `events` and an epoch more came since
  std::uint64_t overfull = 0;
  duration oldest{};  // the greatest age of a key that counts
  [[nodiscard]] const epochs& inner() const { return epochs_; }

 private:
  struct slot {
    epochs::tag tag = 0;
    bool is_dead = true;
    timestamp seen{};
    std::uint64_t number = 0;
  };

  void check(timestamp now) {
    std::uint64_t most = events_ + epochs::keys_for(events_);
    for (slot& s : slots_) {
      const bool alive = epochs_.is_alive(s.tag);
      if (s.is_dead) {
        if (alive) ++returned;
        continue;
      }
      const bool within_age = alive && epochs_.is_within_age(s.tag, now);
      const std::uint64_t since = total_ - s.number;
      if (since < events_ && elapsed(s.seen, now) <= age_ && elapsed(s.seen, final_) <= age_ && !within_age) ++lost;
      if (alive && since >= most) ++kept;
      if (alive && (epochs_.first(s.tag) > s.seen || epochs_.latest(s.tag) < s.seen)) ++lost;
      if (within_age) oldest = std::max(oldest, elapsed(s.seen, now));
      if (!alive) s.is_dead = true;
    }
  }

  epochs epochs_;
  std::uint64_t events_;
  duration age_;
  std::uint32_t lines_;
  std::vector<slot> slots_;
  std::deque<timestamp> recent_;
  timestamp final_ = timestamp::min();  // what is older than the age here may be forgotten for good
  std::uint64_t total_ = 0;
  std::uint32_t sweep_ = 0;
  std::mt19937_64 random_{1};
};

std::uint32_t lines_for(std::uint64_t events) {
  return static_cast<std::uint32_t>((events + epochs::keys_for(events)) * 5 / (4 * holder::slots) + 2);
}

}  // namespace

TEST_CASE("epochs forget by count neither too early nor later than one epoch") {
  for (const std::uint64_t events : {1U, 2U, 3U, 7U, 95U, 96U, 97U, 200U, 500U}) {
    INFO("events " << events);
    holder h(events, duration::max(), lines_for(events));
    for (std::uint64_t i = 0; i < 12 * events + 600; ++i) h.add(at(static_cast<std::int64_t>(i)));
    CHECK(h.lost == 0);
    CHECK(h.kept == 0);
    CHECK(h.returned == 0);
    CHECK(h.overfull == 0);
    CHECK(h.inner().evicted_within_age() >= 11 * events);
  }
}

TEST_CASE("epochs forget by age within a 64th of it however fast or slow keys come") {
  constexpr std::int64_t age = 64'000;
  for (const std::uint64_t events : {50U, 400U}) {
    for (const std::int64_t keys_an_age : {1, 3, 10, 40, 100, 200, 300, 399, 420, 1'000, 4'000}) {
      INFO("events " << events << ", new keys in the age " << keys_an_age);
      holder h(events, duration(age), lines_for(events));
      for (std::int64_t i = 0; i < 5'000; ++i) h.add(at(1'000'000 + i * age / keys_an_age));
      CHECK(h.lost == 0);
      CHECK(h.returned == 0);
      CHECK(h.kept == 0);
      CHECK(h.oldest <= duration(age + age / 64));
      if (keys_an_age < static_cast<std::int64_t>(events)) CHECK(h.inner().evicted_within_age() == 0);
    }
  }
}

TEST_CASE("epochs lose nothing by times that jump ahead or go back and no dead key returns") {
  constexpr std::int64_t age = 6'400;
  for (const std::uint64_t events : {1U, 5U, 60U, 300U}) {
    for (const unsigned pattern : {0U, 1U, 2U, 3U, 4U, 5U}) {
      INFO("events " << events << ", pattern " << pattern);
      std::mt19937_64 random(events * 10 + pattern);
      holder h(events, duration(age), lines_for(events));
      std::int64_t now = 1'700'000'000'000'000'000;
      for (std::int64_t i = 0; i < 6'000; ++i) {
        now += static_cast<std::int64_t>(random() % 200);
        std::int64_t told = now;
        const bool odd = i % 2 == 1;
        if (pattern == 0 && odd) told = std::numeric_limits<std::int64_t>::max();
        if (pattern == 1 && odd) told = std::numeric_limits<std::int64_t>::min();
        if (pattern == 2) told = static_cast<std::int64_t>(random());
        if (pattern == 3 && random() % 100 == 0) told = static_cast<std::int64_t>(random());
        if (pattern == 4 && random() % 8 != 0) told += static_cast<std::int64_t>(i) * age;
        if (pattern == 5) told = odd ? now - age / 2 : now;
        h.add(at(told));
      }
      CHECK(h.lost == 0);
      CHECK(h.returned == 0);
      CHECK(h.kept == 0);
      CHECK(h.overfull == 0);
    }
  }
}

TEST_CASE("a time that jumps ahead for fewer than eight keys makes epochs forget nothing") {
  constexpr std::int64_t age = 6'400;
  holder h(1'000, duration(age), lines_for(1'000));
  std::int64_t now = 0;
  for (int i = 0; i < 64; ++i) h.add(at(now += 101));
  CHECK(h.inner().span() == 63);
  const epochs::tag first = static_cast<epochs::tag>(h.inner().current() - h.inner().span());
  for (int i = 1; i < 8; ++i) h.add(at(now + std::int64_t{1'000'000'000} * i));
  CHECK(h.inner().is_alive(first));
  CHECK(h.inner().is_within_age(first, at(now)));
}

TEST_CASE("epochs say the least age of what had to make room") {
  holder h(96, duration::max(), lines_for(96));
  for (int i = 0; i < 96; ++i) h.add(at(i));
  CHECK_FALSE(h.inner().youngest_evicted());
  h.add(at(96));
  CHECK(h.inner().evicted_within_age() == 1);
  CHECK(h.inner().youngest_evicted() == duration(96));
  h.add(at(50));
  CHECK(h.inner().youngest_evicted() == duration(49));
  h.add(at(-50));
  CHECK(h.inner().youngest_evicted() == duration(0));
  CHECK(h.inner().evicted_within_age() == 3);
}

TEST_CASE("no dead key of a large and mostly empty window returns when its number is used again") {
  constexpr std::uint32_t lines = 40'000;
  for (const std::int64_t keys_an_age : {10, 100, 1'000}) {
    INFO("new keys in the age " << keys_an_age);
    constexpr std::int64_t age = 64'000'000;
    epochs time(lines, duration(age), lines);
    std::vector<epochs::tag> tags(lines, time.dead_tag());  // one a line
    std::vector<std::uint32_t> stored;
    std::vector<bool> died;
    std::mt19937_64 random(static_cast<std::uint64_t>(keys_an_age));
    std::uint32_t sweep = 0;
    std::uint64_t returned = 0;
    std::uint64_t deaths = 0;
    for (std::int64_t i = 0; i < 3'000; ++i) {
      const timestamp now = at(1 + i * (age / keys_an_age));
      const unsigned count = time.is_due(now) ? time.turn(now) : 0;
      for (unsigned k = 0; k < count; ++k, sweep = (sweep + 1) % lines) {
        if (!time.is_alive(tags[sweep])) tags[sweep] = time.dead_tag();
      }
      time.swept(count);
      std::uint32_t line = static_cast<std::uint32_t>(random() % lines);
      while (std::find(stored.begin(), stored.end(), line) != stored.end()) line = (line + 1) % lines;
      time.add(now);
      tags[line] = time.current();
      stored.push_back(line);
      died.push_back(false);
      for (std::size_t k = 0; k < stored.size(); ++k) {
        const bool alive = time.is_alive(tags[stored[k]]);
        if (alive && died[k]) ++returned;
        deaths += !alive && !died[k] ? 1U : 0U;
        if (!alive) died[k] = true;
      }
    }
    CHECK(returned == 0);
    CHECK(deaths > 1'000);
  }
}

TEST_CASE("a key added in order leaves the epochs as one that is added by turns") {
  std::mt19937_64 random(5);
  for (const std::uint64_t events : {1U, 50U, 3'000U, 5'000U}) {
    INFO("events " << events);
    constexpr std::int64_t age = 640'000;
    const std::uint64_t lines = events / 6 + 3;
    epochs by_turns(events, duration(age), lines);
    epochs in_order(events, duration(age), lines);
    const auto take_turn = [](epochs& e, timestamp now) {
      if (e.is_due(now)) e.swept(e.turn(now));
      e.add(now);
    };
    const auto bytes = [](const epochs& e) {
      recoup::snapshot_writer w;
      e.save(w);
      return w.take();
    };
    std::uint64_t in_one_step = 0;
    std::uint64_t differing = 0;
    timestamp now{};
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t kind = random() % 1'000;
      if (kind == 0) {
        now = timestamp::min();
      } else if (kind == 1) {
        now = timestamp::max();
      } else if (kind < 20) {
        now = at(static_cast<std::int64_t>(random() % (4 * age)) - 2 * age);
      } else {
        now = recoup::saturating_add(now, duration(random() % 100));
      }
      take_turn(by_turns, now);
      if (in_order.add_in_order(now)) {
        ++in_one_step;
      } else {
        take_turn(in_order, now);
      }
      differing += in_order.keys(in_order.current()) != by_turns.keys(by_turns.current()) ? 1U : 0U;
      if (i % 50 == 0) differing += bytes(in_order) != bytes(by_turns) ? 1U : 0U;
    }
    CHECK(differing == 0);
    CHECK((in_one_step > 10'000) == (events > 1'000));
  }
}
