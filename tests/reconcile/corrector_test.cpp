// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/corrector.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/pipeline/overloaded.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::correction_state;
using recoup::corrector;
using recoup::corrector_options;
using recoup::duration;
using recoup::timestamp;
using recoup::value_change;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

struct sale {
  std::string id;
  std::int64_t revenue = 0;

  friend bool operator==(const sale&, const sale&) = default;
  void save(recoup::snapshot_writer& w) const {
    w.text(id);
    w.i64(revenue);
  }
  bool load(recoup::snapshot_reader& r) {
    id = r.text();
    revenue = r.i64();
    return r.ok();
  }
};

struct listener {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> proposed;  // id, attempt
  std::vector<std::uint64_t> held;
  std::vector<std::uint64_t> unresolved;
  bool throws = false;

  void operator()(const recoup::correction_proposed<sale>& p) {
    if (throws) throw std::runtime_error("no");
    proposed.emplace_back(p.id, p.attempt);
  }
  void operator()(const recoup::correction_held<sale>& h) {
    if (throws) throw std::runtime_error("no");
    held.push_back(h.id);
  }
  void operator()(const recoup::correction_unresolved<sale>& u) {
    if (throws) throw std::runtime_error("no");
    unresolved.push_back(u.id);
  }
};

const sale wrong{"a", 90};
const sale right{"a", 100};

TEST_CASE("a correction is proposed once and applied once whatever is redelivered") {
  corrector<sale> c;
  listener told;
  const auto id = recoup::correction_id(wrong.id, "revenue.product", right.revenue);
  CHECK(c.propose(id, wrong, right, at(0), told) == correction_state::proposed);
  CHECK(c.propose(id, wrong, right, at(1), told) == correction_state::proposed);
  CHECK(told.proposed == std::vector<std::pair<std::uint64_t, std::uint32_t>>{{id, 1}});
  REQUIRE(c.original(id) != nullptr);
  CHECK(*c.original(id) == wrong);
  CHECK(c.confirm(id, at(2)));
  CHECK_FALSE(c.confirm(id, at(2)));
  CHECK_FALSE(c.roll_back(id));
  CHECK(c.original(id) == nullptr);
  CHECK(c.propose(id, wrong, right, at(3), told) == correction_state::applied);
  CHECK(told.proposed.size() == 1);
  CHECK(c.find(id) == correction_state::applied);
  CHECK_FALSE(c.find(id + 1));
}

TEST_CASE("an id names key rule and value") {
  const auto id = recoup::correction_id(std::string("a"), "rule", 5);
  CHECK(id == recoup::correction_id(std::string("a"), "rule", 5));
  CHECK(id != recoup::correction_id(std::string("b"), "rule", 5));
  CHECK(id != recoup::correction_id(std::string("a"), "other", 5));
  CHECK(id != recoup::correction_id(std::string("a"), "rule", 6));
  CHECK(id != recoup::correction_id(std::string("a"), "rule", 5, 1));
}

TEST_CASE("a rollback gives the original back and the correction may be proposed again") {
  corrector<sale> c;
  listener told;
  c.propose(1, wrong, right, at(0), told);
  CHECK(c.roll_back(1) == wrong);
  CHECK_FALSE(c.roll_back(1));
  CHECK(c.open() == 0);
  CHECK(c.propose(1, wrong, right, at(1), told) == correction_state::proposed);
  CHECK(told.proposed.size() == 2);
  CHECK(told.proposed[1].second == 1);
}

TEST_CASE("an outcome that nobody reports is asked for again with the same id until a person is told") {
  corrector<sale> c({.timeout = 10ns, .max_attempts = 3});
  listener told;
  c.propose(7, wrong, right, at(0), told);
  CHECK(c.due() == at(10));
  c.advance(at(9), told);
  CHECK(told.proposed.size() == 1);
  c.advance(at(10), told);
  c.advance(at(15), told);
  c.advance(at(20), told);
  CHECK(told.proposed == std::vector<std::pair<std::uint64_t, std::uint32_t>>{{7, 1}, {7, 2}, {7, 3}});
  CHECK(told.unresolved.empty());
  c.advance(at(30), told);
  CHECK(told.unresolved == std::vector<std::uint64_t>{7});
  CHECK(c.find(7) == correction_state::unknown);
  c.advance(timestamp::max(), told);
  CHECK(told.unresolved.size() == 1);
  CHECK(c.propose(7, wrong, right, at(40), told) == correction_state::unknown);
  CHECK(c.confirm(7, at(41)));
  CHECK(c.applied() == 1);
}

TEST_CASE("a value that moves too far against its trend is held until a person has decided") {
  corrector<sale> c;
  listener told;
  CHECK(c.propose(1, wrong, right, value_change{400, 100}, at(0), told) == correction_state::proposed);
  CHECK(c.propose(2, wrong, right, value_change{400.1, 100}, at(0), told) == correction_state::held);
  CHECK(told.held == std::vector<std::uint64_t>{2});
  CHECK_FALSE(c.confirm(2, at(1)));
  CHECK_FALSE(c.roll_back(2));
  c.advance(timestamp::max(), told);
  CHECK(c.find(2) == correction_state::held);
  CHECK(c.release(2, at(2), told));
  CHECK_FALSE(c.release(2, at(2), told));
  CHECK(told.proposed.back() == std::pair<std::uint64_t, std::uint32_t>{2, 1});
  CHECK(c.confirm(2, at(3)));

  CHECK(c.propose(3, wrong, right, value_change{1e9, 1}, at(0), told) == correction_state::held);
  CHECK(c.reject(3, at(1)) == wrong);
  CHECK_FALSE(c.reject(3, at(1)));
  CHECK(c.propose(3, wrong, right, at(2), told) == correction_state::rejected);
  CHECK_FALSE(c.release(1, at(2), told));
  CHECK_FALSE(c.reject(1, at(2)));
}

TEST_CASE("a change exceeds its limit at every boundary as it should") {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  constexpr double huge = std::numeric_limits<double>::max();
  CHECK_FALSE(value_change{4, 1}.exceeds(3));
  CHECK_FALSE(value_change{-2, 1}.exceeds(3));
  CHECK(value_change{-2.001, 1}.exceeds(3));
  CHECK_FALSE(value_change{-400, -100}.exceeds(3));
  CHECK(value_change{301, -100}.exceeds(3));
  CHECK_FALSE(value_change{0, 0}.exceeds(3));
  CHECK(value_change{1e-300, 0}.exceeds(3));
  CHECK_FALSE(value_change{huge, huge}.exceeds(3));
  CHECK_FALSE(value_change{huge, -huge}.exceeds(3));
  CHECK(value_change{huge, -huge}.exceeds(1));
  for (const double odd : {std::nan(""), infinite, -infinite}) {
    CHECK(value_change{odd, 1}.exceeds(3));
    CHECK(value_change{1, odd}.exceeds(3));
    CHECK(value_change{odd, odd}.exceeds(3));
  }
}

TEST_CASE("a full corrector takes no more and loses none") {
  corrector<sale> c({.open = 2, .remembered = 1});
  listener told;
  CHECK(c.propose(1, wrong, right, at(0), told) == correction_state::proposed);
  CHECK(c.propose(2, wrong, right, at(0), told) == correction_state::proposed);
  CHECK(c.propose(3, wrong, right, at(0), told) == correction_state::no_room);
  CHECK(c.without_room() == 1);
  CHECK_FALSE(c.find(3));
  CHECK(c.confirm(1, at(1)));
  CHECK(c.propose(3, wrong, right, at(2), told) == correction_state::proposed);
  CHECK(c.confirm(2, at(3)));
  CHECK_FALSE(c.find(1));  // the one remembered is 2
  CHECK(c.find(2) == correction_state::applied);
}

TEST_CASE("a listener that throws undoes what it was told of a correction") {
  corrector<sale> c({.timeout = 10ns, .max_attempts = 2});
  listener told;
  told.throws = true;
  CHECK_THROWS(c.propose(1, wrong, right, at(0), told));
  CHECK_THROWS(c.propose(2, wrong, right, value_change{9, 1}, at(0), told));
  CHECK(c.open() == 0);
  CHECK(c.proposed() == 0);
  told.throws = false;
  c.propose(1, wrong, right, at(0), told);
  c.propose(2, wrong, right, value_change{9, 1}, at(0), told);
  const auto before = recoup::snapshot(c);
  told.throws = true;
  CHECK_THROWS(c.advance(at(10), told));
  CHECK_THROWS(c.release(2, at(10), told));
  CHECK(recoup::snapshot(c) == before);
}

TEST_CASE("a corrector refuses options that make no sense") {
  const auto refused = [](const corrector_options& o, const char* about) {
    CHECK_THROWS_WITH(corrector<sale>(o), Catch::Contains(about));
  };
  refused({.open = 0}, "open must be 1 to 2^30");
  refused({.remembered = 0}, "remembered must be 1 to 2^30");
  refused({.timeout = 0ns}, "timeout must be longer than zero");
  refused({.max_attempts = 0}, "max_attempts must be at least 1");
  refused({.limit = 0}, "limit must be above 0");
  refused({.limit = std::nan("")}, "limit must be above 0");
}

TEST_CASE("hostile times make no corrector hang") {
  corrector<sale> c({.timeout = duration::max(), .max_attempts = std::numeric_limits<std::uint32_t>::max()});
  listener told;
  for (std::uint64_t id = 0; id < 3; ++id) c.propose(id, wrong, right, timestamp::max(), told);
  for (int i = 0; i < 5; ++i) {
    c.advance(timestamp::max(), told);
    c.advance(timestamp::min(), told);
  }
  CHECK(told.proposed.size() <= 18);
  CHECK(c.open() == 3);
}

// What a corrector should be: a map, and linear searches.
struct model {
  struct correction {
    correction_state state;
    std::uint32_t attempts;
    std::int64_t due;
  };
  std::map<std::uint64_t, correction> open;
  std::map<std::uint64_t, correction_state> settled;
};

TEST_CASE("a corrector answers as a map of corrections does") {
  for (std::uint64_t seed = 0; seed < 6 * test_scale(); ++seed) {
    std::mt19937_64 random(seed);
    const corrector_options options{.open = 20, .remembered = 1'000, .timeout = 50ns, .max_attempts = 3};
    corrector<sale> c(options);
    model m;
    std::int64_t now = 0;
    std::uint64_t first_proposed = 0;
    for (int step = 0; step < 4'000; ++step) {
      now += static_cast<std::int64_t>(random() % 10) - (random() % 50 == 0 ? 40 : 0);
      const std::uint64_t id = random() % 200;
      const sale original{std::to_string(id), 1};
      const sale corrected{std::to_string(id), 2};
      listener told;
      const auto found = m.open.find(id);
      const bool is_held = found != m.open.end() && found->second.state == correction_state::held;
      const bool is_out = found != m.open.end() && !is_held;
      switch (random() % 8) {
        case 0: {
          const bool known = is_out;
          REQUIRE(c.confirm(id, at(now)) == known);
          if (known) m.settled[id] = correction_state::applied, m.open.erase(id);
          break;
        }
        case 1: {
          const auto back = c.roll_back(id);
          REQUIRE(back.has_value() == is_out);
          if (back) {
            REQUIRE(*back == original);
            m.open.erase(id);
          }
          break;
        }
        case 2: {
          REQUIRE(c.release(id, at(now), told) == is_held);
          if (is_held) found->second = {correction_state::proposed, 1, now + 50};
          break;
        }
        case 3: {
          const auto back = c.reject(id, at(now));
          REQUIRE(back.has_value() == is_held);
          if (back) m.settled[id] = correction_state::rejected, m.open.erase(id);
          break;
        }
        case 4: {
          c.advance(at(now), told);
          std::map<std::uint64_t, std::uint32_t> again;
          std::vector<std::uint64_t> unresolved;
          for (auto& [open_id, o] : m.open) {
            if (o.state != correction_state::proposed || o.due > now) continue;
            if (o.attempts == 3) {
              o.state = correction_state::unknown;
              unresolved.push_back(open_id);
            } else {
              again[open_id] = ++o.attempts;
              o.due = now + 50;
            }
          }
          REQUIRE(std::map<std::uint64_t, std::uint32_t>(told.proposed.begin(), told.proposed.end()) == again);
          REQUIRE(told.proposed.size() == again.size());
          std::sort(told.unresolved.begin(), told.unresolved.end());
          REQUIRE(told.unresolved == unresolved);
          break;
        }
        default: {
          const bool far = random() % 4 == 0;
          const auto answer = far ? c.propose(id, original, corrected, value_change{9, 1}, at(now), told)
                                  : c.propose(id, original, corrected, at(now), told);
          if (found != m.open.end()) {
            REQUIRE(answer == found->second.state);
          } else if (m.settled.count(id) != 0) {
            REQUIRE(answer == m.settled[id]);
          } else if (m.open.size() == options.open) {
            REQUIRE(answer == correction_state::no_room);
          } else {
            const auto state = far ? correction_state::held : correction_state::proposed;
            REQUIRE(answer == state);
            REQUIRE(told.proposed.size() + told.held.size() == 1);
            m.open[id] = {state, far ? 0U : 1U, now + 50};
            ++first_proposed;
            break;
          }
          REQUIRE(told.proposed.size() + told.held.size() == 0);
        }
      }
      REQUIRE(c.open() == m.open.size());
      REQUIRE(c.proposed() == first_proposed);
      REQUIRE(c.proposed() == c.applied() + c.rejected() + c.rolled_back() + c.open());
      if (random() % 100 == 0) {
        corrector<sale> restored(options);
        REQUIRE(recoup::restore(restored, recoup::snapshot(c)));
        REQUIRE(recoup::snapshot(restored) == recoup::snapshot(c));
        c = std::move(restored);
      }
      if (m.settled.size() > 150) m.settled.clear(), m.open.clear(), c = corrector<sale>(options), first_proposed = 0;
    }
  }
}

// A corrector, and one that is made anew from a snapshot before each call.
TEST_CASE("what is due at once is told in the same order after a snapshot") {
  for (std::uint64_t seed = 0; seed < 20 * test_scale(); ++seed) {
    std::mt19937_64 random(seed);
    corrector<sale> stays({.open = 12, .remembered = 8, .timeout = duration(1 + random() % 20), .max_attempts = 3});
    corrector<sale> restored = stays.empty_copy();
    std::int64_t now = 0;
    for (int step = 0; step < 500; ++step) {
      now += static_cast<std::int64_t>(random() % 4) - (random() % 50 == 0 ? 40 : 0);
      const std::uint64_t id = random() % 30;
      const std::uint64_t call = random() % 10;
      corrector<sale> before = std::exchange(restored, stays.empty_copy());
      REQUIRE(recoup::restore(restored, recoup::snapshot(before)));
      const auto answer = [&](corrector<sale>& c) {
        listener told;
        if (call < 6) c.propose(id, wrong, right, value_change{id % 5 == 0 ? 9.0 : 1.0, 1}, at(now), told);
        if (call == 6) c.confirm(id, at(now));
        if (call == 7) c.roll_back(id);
        if (call == 8) c.release(id, at(now), told);
        if (call == 9) c.advance(at(now), told);
        return told;
      };
      const listener a = answer(stays);
      const listener b = answer(restored);
      REQUIRE(a.proposed == b.proposed);
      REQUIRE(a.unresolved == b.unresolved);
      REQUIRE(stays.due() == restored.due());
    }
    REQUIRE(recoup::snapshot(stays) == recoup::snapshot(restored));
  }
}

TEST_CASE("a snapshot of a corrector whose numbers do not add up is refused") {
  corrector<sale> c({.open = 4, .remembered = 4});
  listener told;
  c.propose(1, wrong, right, value_change{9, 1}, at(0), told);
  c.propose(2, wrong, right, at(0), told);
  const auto saved = recoup::snapshot(c);
  const auto frame = recoup::detail::parse_frame(saved);
  const auto loads_with = [&](std::size_t offset, std::byte value) {
    std::vector<std::byte> content(frame.content.begin(), frame.content.end());
    content[offset] = value;
    recoup::snapshot_reader reader(content);
    return c.empty_copy().load(reader);
  };
  constexpr std::size_t header = 14;  // of the section
  CHECK(loads_with(header, std::byte{2}));
  for (std::size_t counter = 0; counter < 4; ++counter) CHECK_FALSE(loads_with(header + 8 * counter, std::byte{7}));
  const std::size_t state_at = frame.content.size() - 20 - 1;  // 20: of the ids remembered, none
  const std::size_t attempts_at = state_at - 4;
  CHECK(loads_with(attempts_at, std::byte{5}));
  CHECK_FALSE(loads_with(attempts_at, std::byte{0}));                                         // proposed
  CHECK_FALSE(loads_with(state_at, static_cast<std::byte>(recoup::correction_state::held)));  // handed out
  CHECK(loads_with(state_at, static_cast<std::byte>(recoup::correction_state::unknown)));
}

TEST_CASE("a corrector that may make fewer attempts than before tells a person at the next") {
  corrector<sale> patient({.timeout = 10ns, .max_attempts = 5});
  corrector<sale> strict({.timeout = 10ns, .max_attempts = 2});
  listener told;
  patient.propose(1, wrong, right, at(0), told);
  for (int i = 1; i < 5; ++i) patient.advance(at(10 * i), told);
  CHECK(told.proposed.size() == 5);
  REQUIRE(recoup::restore(strict, recoup::snapshot(patient)));
  strict.advance(at(50), told);
  CHECK(told.unresolved == std::vector<std::uint64_t>{1});
  CHECK(told.proposed.size() == 5);
}

// Cannot be moved but by a copy, which can fail.
struct copied_event {
  static inline int copies_left = 0;
  copied_event() = default;
  copied_event(const copied_event&) { fail_at_zero(); }
  copied_event& operator=(const copied_event&) {
    fail_at_zero();
    return *this;
  }
  ~copied_event() = default;
  static void fail_at_zero() {
    if (copies_left-- == 0) throw std::runtime_error("no copy");
  }
};

TEST_CASE("an event that cannot be copied leaves no correction without one") {
  for (int copies = 0; copies < 40; ++copies) {
    corrector<copied_event> c({.open = 2});
    int proposed = 0;
    recoup::overloaded told{[&](const recoup::correction_proposed<copied_event>&) { ++proposed; },
                            [](const recoup::correction_held<copied_event>&) {},
                            [](const recoup::correction_unresolved<copied_event>&) {}};
    copied_event::copies_left = 1'000;
    const copied_event event;
    copied_event::copies_left = copies;
    try {
      c.propose(1, event, event, at(0), told);
      CHECK(c.open() == 1);
      break;
    } catch (const std::runtime_error&) {
      CHECK(c.open() == 0);
      CHECK_FALSE(c.find(1));
      CHECK(c.original(1) == nullptr);
      CHECK(c.proposed() == 0);
    }
    REQUIRE(copies < 39);
  }
}

TEST_CASE("hostile bytes in a snapshot of a corrector are refused or give one that works") {
  corrector<sale> c({.open = 8, .remembered = 8, .timeout = 10ns});
  listener told;
  for (std::uint64_t id = 0; id < 12; ++id) {
    c.propose(id, wrong, right, id % 3 == 0 ? std::optional(value_change{9, 1}) : std::nullopt, at(0), told);
    if (id % 4 == 1) c.confirm(id, at(1));
  }
  const auto saved = recoup::snapshot(c);
  const auto frame = recoup::detail::parse_frame(saved);
  std::mt19937_64 random(9);
  std::size_t refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::vector<std::byte> content(frame.content.begin(), frame.content.end());
    content[random() % content.size()] = static_cast<std::byte>(random());
    corrector<sale> loaded = c.empty_copy();
    recoup::snapshot_reader reader(content);
    if (!loaded.load(reader)) {
      ++refused;
      continue;
    }
    for (std::uint64_t id = 0; id < 14; ++id) {
      loaded.propose(id, wrong, right, at(5), told);
      loaded.advance(at(static_cast<std::int64_t>(id) * 10), told);
      loaded.confirm(id, at(5));
      loaded.roll_back(id);
      loaded.reject(id, at(5));
      REQUIRE(loaded.proposed() == loaded.applied() + loaded.rejected() + loaded.rolled_back() + loaded.open());
    }
  }
  CHECK(refused > 100);
}

}  // namespace
