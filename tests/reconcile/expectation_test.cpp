// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/expectation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::expectation_options;
using recoup::expectation_roles;
using recoup::expectation_state;
using recoup::expectations;
using recoup::timestamp;
using recoup::when_opened_again;
namespace role = recoup::expectation_role;

using leads = expectations<std::uint64_t>;

static_assert(recoup::snapshotable<leads>);
static_assert(leads::bytes_for(1'000'000) <= 48 * 1'000'000 + 16);
static_assert(expectations<std::string>::bytes_for(1'000'000) <= 72 * 1'000'000 + 16);

constexpr timestamp start = timestamp(480'000h);

// Writes down what it is told, one line each; throws instead where it is told to fail.
struct recorder {
  std::vector<std::string> lines;
  std::size_t fail_at = std::numeric_limits<std::size_t>::max();

  template <class Key>
  void operator()(const recoup::overdue<Key>& f) {
    note("overdue", f.key, f.step, f.since, f.due);
  }
  template <class Key>
  void operator()(const recoup::overdue_retracted<Key>& f) {
    note("retracted", f.key, f.step, f.since, f.due);
    lines.back() += " came " + show(f.at);
  }
  template <class Key>
  void operator()(const recoup::forbidden_arrival<Key>& f) {
    note("forbidden", f.key, f.step, f.since, f.due);
    lines.back() += " came " + show(f.at);
  }
  template <class Key>
  void operator()(const recoup::expectation_evicted<Key>& f) {
    constexpr std::array names{"open", "overdue", "early"};
    note(std::string("evicted ") + names[static_cast<std::size_t>(f.was)], f.key, f.step, f.since, f.due);
  }

  std::vector<std::string> take() { return std::exchange(lines, {}); }

  static std::string show(timestamp t) { return recoup::detail::show(recoup::elapsed(start, t)); }

 private:
  template <class Key>
  void note(const std::string& what, const Key& key, std::uint32_t step, timestamp since, timestamp due) {
    if (lines.size() == fail_at) throw std::runtime_error("the listener failed");
    lines.push_back(what + ' ' + recoup::detail::show(key) + '/' + std::to_string(step) + " since " + show(since) +
                    " due " + show(due));
  }
};

using lines = std::vector<std::string>;

expectation_options follow_up() { return {.steps = {{.within = 5min}, {.within = 1h, .grace = 10s}}, .capacity = 100}; }

template <class E>
bool adds_up(const E& e) {
  return e.counts().add_up(e.open());
}

TEST_CASE("a follow-up that does not come is told when time passes") {
  leads e(follow_up());
  recorder told;
  e.observe(1, role::opens, start, told);
  e.observe(2, role::opens, start + 1s, told);
  e.observe(1, role::step(0), start + 2min, told);
  CHECK(e.find(1)->step == 1);
  CHECK(e.find(1)->due == start + 2min + 1h + 10s);
  e.advance(start + 5min + 1s, told);
  CHECK(told.lines.empty());
  e.advance(start + 5min + 1s + 1ns, told);
  CHECK(told.take() == lines{"overdue 2/0 since 1 s due 301 s"});
  e.advance(start + 62min + 10s, told);
  CHECK(told.lines.empty());
  e.advance(start + 10h, told);
  CHECK(told.take() == lines{"overdue 1/1 since 2 min due 3730 s"});
  e.advance(start + 1'000h, told);
  CHECK(told.lines.empty());
  CHECK(e.size() == 0);
  CHECK(e.counts().overdue == 2);
  CHECK(e.counts().opened == 2);
  CHECK(adds_up(e));
}

TEST_CASE("a follow-up in time is told to nobody and frees its place") {
  leads e(follow_up());
  recorder told;
  e.observe(1, role::opens, start, told);
  e.observe(1, role::step(0), start + 5min, told);
  e.observe(1, role::step(1), start + 65min + 10s, told);
  CHECK(e.size() == 0);
  CHECK(e.counts().fulfilled == 1);
  e.advance(timestamp::max(), told);
  CHECK(told.lines.empty());
}

TEST_CASE("a step that comes before its turn counts for nothing without a tolerance") {
  leads e(follow_up());
  recorder told;
  e.observe(1, role::step(0), start, told);
  CHECK(e.size() == 0);
  e.observe(1, role::opens, start, told);
  e.observe(1, role::step(1), start + 1s, told);
  e.observe(1, role::step(7), start + 1s, told);
  e.observe(1, role::step(1'000), start + 1s, told);
  e.observe(1, 0, start + 1s, told);
  CHECK(e.find(1)->step == 0);
}

TEST_CASE("what comes after it was overdue takes the overdue back and the chain goes on") {
  leads e(follow_up());
  recorder told;
  e.observe(1, role::opens, start, told);
  e.advance(start + 6min, told);
  CHECK(e.find(1)->state == expectation_state::overdue);
  told.take();
  e.observe(1, role::step(0), start + 7min, told);
  CHECK(told.take() == lines{"retracted 1/0 since 0 ns due 5 min came 7 min"});
  CHECK(e.open() == 1);
  CHECK(adds_up(e));
  e.observe(1, role::step(1), start + 8min, told);
  CHECK(e.counts().fulfilled == 1);
  CHECK(e.counts().overdue == e.counts().retracted);
  CHECK(adds_up(e));
}

TEST_CASE("an overdue is taken back only as long as it is remembered") {
  for (const duration remembered : {0ns, duration(10min), duration::max()}) {
    auto options = follow_up();
    options.remember_overdue = remembered;
    leads e(options);
    recorder told;
    e.observe(1, role::opens, start, told);
    e.advance(start + 6min, told);
    CHECK(told.take().size() == 1);
    CHECK(e.size() == (remembered > 0ns ? 1 : 0));
    e.advance(start + 16min, told);
    CHECK(e.size() == (remembered > 10min ? 1 : 0));
    e.observe(1, role::step(0), start + 16min, told);
    CHECK(told.take().size() == (remembered > 10min ? 1 : 0));
    CHECK(adds_up(e));
  }
}

TEST_CASE("the findings do not depend on how often time is advanced") {
  leads e(follow_up());
  recorder told;
  e.observe(1, role::opens, start, told);
  e.observe(1, role::step(0), start + 6min, told);
  CHECK(told.take() == lines{"overdue 1/0 since 0 ns due 5 min", "retracted 1/0 since 0 ns due 5 min came 6 min"});
  e.observe(2, role::opens, start, told);
  e.observe(2, role::step(0), start + 2h, told);
  CHECK(told.take() == lines{"overdue 2/0 since 0 ns due 5 min"});
  e.observe(3, role::opens, start, told);
  e.observe(3, role::cancels, start + 6min, told);
  CHECK(told.take() == lines{"overdue 3/0 since 0 ns due 5 min"});
  e.observe(4, role::opens, start, told);
  e.observe(4, role::opens, start + 6min, told);
  CHECK(told.take() == lines{"overdue 4/0 since 0 ns due 5 min"});
  CHECK(e.counts().overdue == 4);
  CHECK(e.counts().cancelled == 0);
  CHECK(adds_up(e));
}

TEST_CASE("an expectation that is opened again goes on or begins anew") {
  auto options = follow_up();
  recorder told;
  leads keeps(options);
  options.again = when_opened_again::restart;
  leads restarts(options);
  for (leads* e : {&keeps, &restarts}) {
    e->observe(1, role::opens, start, told);
    e->observe(1, role::step(0), start + 1min, told);
    e->observe(1, role::opens, start + 2min, told);
    CHECK(adds_up(*e));
  }
  CHECK(keeps.find(1)->step == 1);
  CHECK(keeps.counts().opened == 1);
  CHECK(restarts.find(1)->step == 0);
  CHECK(restarts.find(1)->since == start + 2min);
  CHECK(restarts.counts().opened == 2);
  CHECK(restarts.counts().restarted == 1);
}

TEST_CASE("a cancelled expectation is waited for no longer") {
  leads e(follow_up());
  recorder told;
  e.observe(1, role::cancels, start, told);
  e.observe(1, role::opens, start, told);
  e.observe(1, role::cancels, start + 1s, told);
  CHECK(e.size() == 0);
  CHECK(e.counts().cancelled == 1);
  e.observe(1, role::opens, start + 2s, told);
  e.observe(1, role::cancels | role::opens, start + 3s, told);
  CHECK(e.find(1)->since == start + 3s);
  e.advance(timestamp::max(), told);
  CHECK(told.lines.size() == 1);
  CHECK(adds_up(e));
}

TEST_CASE("what must not come so soon is told when it comes and fulfils when it does not") {
  leads e({.steps = {{.within = 5min}, {.within = 1h, .is_absence = true}}, .capacity = 100});
  recorder told;
  for (const std::uint64_t key : {1U, 2U, 3U}) {
    e.observe(key, role::opens, start, told);
    e.observe(key, role::step(0), start + 1min, told);
  }
  e.observe(1, role::step(1), start + 61min, told);
  CHECK(told.take() == lines{"forbidden 1/1 since 1 min due 61 min came 61 min"});
  e.observe(2, role::step(1), start + 61min + 1ns, told);
  CHECK(e.counts().fulfilled == 1);
  e.advance(start + 62min, told);
  CHECK(told.lines.empty());
  CHECK(e.counts().fulfilled == 2);
  CHECK(e.counts().violated == 1);
  CHECK(e.size() == 0);
  CHECK(adds_up(e));
}

TEST_CASE("an event that is step and opening at once is a heartbeat") {
  leads e({.steps = {{.within = 5min}}, .capacity = 100});
  recorder told;
  constexpr expectation_roles beat = role::opens | role::step(0);
  for (int i = 0; i < 10; ++i) {
    e.observe(1, beat, start + i * 4min, told);
    e.advance(start + i * 4min, told);
  }
  CHECK(e.counts().opened == 10);
  CHECK(e.counts().fulfilled == 9);
  CHECK(told.lines.empty());
  e.advance(start + 50min, told);
  CHECK(told.take() == lines{"overdue 1/0 since 36 min due 41 min"});
  e.observe(1, beat, start + 51min, told);
  CHECK(told.take() == lines{"retracted 1/0 since 36 min due 41 min came 51 min"});
  CHECK(e.open() == 1);
  CHECK(adds_up(e));
}

TEST_CASE("a step may come before its opening by as much as is tolerated") {
  auto options = follow_up();
  options.tolerance = 10s;
  leads e(options);
  recorder told;
  e.observe(1, role::step(0), start, told);
  CHECK(e.find(1)->state == expectation_state::early);
  e.observe(1, role::opens, start + 10s, told);
  CHECK(e.find(1)->step == 1);
  CHECK(e.find(1)->since == start + 10s);
  e.observe(2, role::step(0), start + 5s, told);
  e.observe(2, role::opens, start + 3s, told);
  CHECK(e.find(2)->since == start + 5s);
  e.observe(3, role::step(0), start, told);
  e.observe(3, role::opens, start + 10s + 1ns, told);
  CHECK(e.find(3)->step == 0);
  CHECK(e.counts().unclaimed == 1);
  e.observe(4, role::step(0), start + 20s, told);
  e.advance(start + 30s, told);
  CHECK(e.find(4));
  e.advance(start + 31s, told);
  CHECK_FALSE(e.find(4));
  CHECK(e.counts().unclaimed == 2);
  CHECK(told.lines.empty());
}

TEST_CASE("a later step may come before the one that it follows by as much as is tolerated") {
  expectation_options options{.steps = {{.within = 1min}, {.within = 1min}, {.within = 1min}}, .tolerance = 10s};
  leads e(options);
  recorder told;
  e.observe(1, role::opens, start, told);
  e.observe(1, role::step(1), start + 20s, told);
  e.observe(1, role::step(0), start + 25s, told);
  CHECK(e.find(1)->step == 2);
  CHECK(recoup::elapsed(start + 25s, e.find(1)->since) < 10us);
  e.observe(2, role::opens, start, told);
  e.observe(2, role::step(1), start + 20s, told);
  e.observe(2, role::step(0), start + 31s, told);
  CHECK(e.find(2)->step == 1);
  e.observe(3, role::opens, start, told);
  e.observe(3, role::step(2), start + 20s, told);
  e.observe(3, role::step(0), start + 21s, told);
  CHECK(e.find(3)->step == 1);
  // In time by its own clock, though it was delivered first: the next step counts from it.
  e.observe(4, role::opens, start, told);
  e.observe(4, role::step(1), start + 55s, told);
  e.observe(4, role::step(0), start + 50s, told);
  CHECK(e.find(4)->step == 2);
  const duration rounded = recoup::elapsed(start + 55s, e.find(4)->since);
  CHECK(rounded >= 0ns);
  CHECK(rounded < 10us);
  CHECK(told.lines.empty());
}

TEST_CASE("of a step that comes early in a long wait the time is known well enough to count") {
  for (const duration between : {0ns, 1ns, duration(1us), duration(10ms), duration(500ms), duration(1s)}) {
    leads e({.steps = {{.within = 720h}, {.within = 0ns}, {.within = 1h}}, .capacity = 10, .tolerance = 1s});
    recorder told;
    for (std::uint64_t key = 0; key < 10; ++key) {
      const timestamp at = start + 10s + key * 123'456'789ns;
      e.observe(key, role::opens, start, told);
      e.observe(key, role::step(1), at - between, told);
      e.observe(key, role::step(0), at, told);
      REQUIRE(e.find(key));
      CHECK(e.find(key)->step == 2);
      CHECK(e.find(key)->since == at);
    }
  }
}

TEST_CASE("when the table is full what is due first has to go and is told") {
  leads e({.steps = {{.within = 1min}}, .capacity = 2, .tolerance = 1min});
  recorder told;
  e.observe(1, role::opens, start + 1s, told);
  e.observe(2, role::opens, start, told);
  e.observe(3, role::opens, start + 2s, told);
  CHECK(told.take() == lines{"evicted open 2/0 since 0 ns due 1 min"});
  e.observe(4, role::step(0), start + 2s, told);
  CHECK(told.take() == lines{"evicted early 4/0 since 2 s due 62 s"});
  CHECK_FALSE(e.find(4));
  e.advance(start + 61s + 1ns, told);
  CHECK(told.take() == lines{"overdue 1/0 since 1 s due 61 s"});
  e.observe(5, role::step(0), start + 61s, told);
  CHECK(told.take() == lines{"evicted overdue 1/0 since 1 s due 3661 s"});
  e.observe(6, role::opens, start + 61s, told);
  CHECK(told.take() == lines{"evicted early 5/0 since 61 s due 121 s"});
  CHECK(e.counts().evicted == 1);
  CHECK(e.counts().forgotten == 3);
  CHECK(adds_up(e));
}

TEST_CASE("what a listener throws at has not happened and is told again") {
  leads e({.steps = {{.within = 1min}}, .capacity = 2});
  recorder fails;
  fails.fail_at = 0;
  recorder told;
  e.observe(1, role::opens, start, told);
  e.observe(2, role::opens, start, told);
  const auto before = recoup::snapshot(e);
  CHECK_THROWS(e.observe(3, role::opens, start + 1s, fails));
  CHECK(recoup::snapshot(e) == before);
  CHECK_THROWS(e.observe(1, role::step(0), start + 1h, fails));
  CHECK(recoup::snapshot(e) == before);
  CHECK_THROWS(e.advance(start + 2min, fails));
  CHECK(recoup::snapshot(e) == before);
  fails.fail_at = 1;
  CHECK_THROWS(e.advance(start + 2min, fails));
  e.advance(start + 2min, told);
  CHECK(told.lines.size() == 1);
  CHECK(e.counts().overdue == 2);
  CHECK_THROWS(e.observe(1, role::step(0), start + 3min, [](const auto&) { throw 1; }));
  CHECK(e.counts().retracted == 0);
  e.observe(1, role::step(0), start + 3min, told);
  CHECK(e.counts().retracted == 1);
}

TEST_CASE("an opening can be taken back so that it is new again") {
  auto options = follow_up();
  options.tolerance = 1s;
  leads e(options);
  recorder told;
  const auto before = recoup::snapshot(e);
  e.observe(1, role::opens, start, told);
  CHECK_FALSE(e.forget(1, role::opens, start + 1s));
  CHECK_FALSE(e.forget(2, role::opens, start));
  CHECK(e.forget(1, role::opens, start));
  CHECK(recoup::snapshot(e) == before);
  e.observe(1, role::step(0), start, told);
  CHECK(e.forget(1, role::step(0), start));
  CHECK(recoup::snapshot(e) == before);
  e.observe(1, role::opens, start, told);
  e.observe(1, role::step(0), start, told);
  CHECK_FALSE(e.forget(1, role::opens, start));
  CHECK(e.forget(1, role::step(0), start));
  CHECK(e.forget(1, 0, start));
  CHECK(e.find(1)->step == 1);
  CHECK(adds_up(e));
}

TEST_CASE("what is pending for a key moves to other expectations") {
  auto options = follow_up();
  leads here(options);
  leads there(options);
  recorder told;
  for (std::uint64_t key = 0; key < 100; ++key) {
    here.observe(key, role::opens, start + key * 1s, told);
    if (key % 2 == 0) here.observe(key, role::step(0), start + key * 1s, told);
  }
  here.advance(start + 5min + 50s, told);
  CHECK(told.take().size() == 25);
  CHECK_FALSE(here.take(1'000));
  for (std::uint64_t key = 0; key < 100; key += 3) {
    const auto pending = here.take(key);
    REQUIRE(pending);
    CHECK_FALSE(here.find(key));
    recoup::snapshot_writer w;
    w.value(*pending);
    leads::pending received;
    const auto bytes = w.take();
    recoup::snapshot_reader r(bytes);
    REQUIRE(r.value(received));
    REQUIRE(there.put(key, received));
    CHECK_FALSE(there.put(key, received));
  }
  CHECK(adds_up(here));
  CHECK(adds_up(there));
  CHECK(here.size() + there.size() == 100);
  there.observe(3, role::step(0), start + 6min, told);
  CHECK(told.take() == lines{"retracted 3/0 since 3 s due 303 s came 6 min"});
  CHECK(adds_up(there));
  there.advance(timestamp::max(), told);
  here.advance(timestamp::max(), told);
  CHECK(told.lines.size() == 76);
  CHECK(adds_up(here));
  CHECK_FALSE(there.put(1, leads::pending()));
  leads shorter({.steps = {{.within = 5min}}, .capacity = 1});
  CHECK_FALSE(shorter.put(1, {expectation_state::open, 1, start}));
  CHECK_FALSE(shorter.put(1, {expectation_state::early, 0, start}));
  CHECK_FALSE(shorter.put(1, {start, 0xFFFF'FFFF}));
  CHECK(shorter.put(1, {expectation_state::open, 0, start}));
  CHECK_FALSE(shorter.put(2, {expectation_state::open, 0, start}));
}

TEST_CASE("waits of nothing and of forever") {
  leads none({.steps = {{.within = 0s}}});
  recorder told;
  none.observe(1, role::opens, start, told);
  none.advance(start, told);
  none.observe(1, role::step(0), start, told);
  CHECK(none.counts().fulfilled == 1);
  none.observe(1, role::opens, start, told);
  none.advance(start + 1ns, told);
  CHECK(told.take().size() == 1);

  leads forever({.steps = {{.within = duration::max(), .grace = duration::max()}}, .tolerance = duration::max()});
  forever.observe(1, role::opens, timestamp::min(), told);
  forever.observe(2, role::opens, timestamp::max(), told);
  forever.observe(3, role::opens, start, told);
  forever.observe(4, role::step(0), timestamp::max(), told);
  forever.observe(4, role::opens, timestamp::min(), told);
  CHECK(forever.find(4));
  forever.advance(timestamp::max(), told);
  CHECK(told.take() == lines{"overdue 1/0 since -9223372036854775808 ns due -1728000000000000001 ns",
                             "overdue 4/0 since -9223372036854775808 ns due -1728000000000000001 ns"});
  CHECK(forever.open() == 2);
}

TEST_CASE("keys of several parts and of text are owned and looked up by views") {
  expectations<std::string> texts({.steps = {{.within = 1s}}});
  recorder told;
  {
    const std::string key(100, 'x');
    texts.observe(key, role::opens, start, told);
  }
  const std::string_view view = "yyyy";
  const auto j = texts.judge(view, texts.hash(view), role::opens, start);
  texts.report(j, view, start, told);
  texts.commit(j, view);
  CHECK(texts.find(std::string(100, 'x')));
  CHECK(texts.find("yyyy"));
  texts.advance(start + 2s, told);
  CHECK(told.lines.size() == 2);

  using pair = std::tuple<std::uint32_t, std::string>;
  expectations<pair> pairs({.steps = {{.within = 1s}}});
  pairs.observe(pair(1, "a"), role::opens, start, told);
  const std::string a = "a";
  const std::uint32_t one = 1;
  const std::tuple<const std::uint32_t&, const std::string&> refers(one, a);
  CHECK(pairs.find(refers));
  const auto fulfils = pairs.judge(refers, pairs.hash(refers), role::step(0), start);
  pairs.commit(fulfils, refers);
  CHECK(pairs.counts().fulfilled == 1);
}

TEST_CASE("bad options are refused with a sentence") {
  const auto refused = [](expectation_options o, const std::string& part) {
    try {
      leads e(o);
    } catch (const std::invalid_argument& error) {
      return std::string_view(error.what()).find(part) != std::string_view::npos;
    }
    return false;
  };
  using steps = std::vector<recoup::expectation_step>;
  CHECK(refused({}, "give it 1 to 15"));
  CHECK(refused({.steps = steps(16, {1s})}, "has 16 steps"));
  CHECK(refused({.steps = {{-1s}}}, "-1 s"));
  CHECK(refused({.steps = {{1s, -1s}}}, "-1 s"));
  CHECK(refused({.steps = {{1s, 0s, true}, {1s}}}, "step 0"));
  CHECK(refused({.steps = {{1s}}, .capacity = 0}, "capacity is 0"));
  CHECK(refused({.steps = {{1s}}, .capacity = (std::size_t{1} << 30) + 1}, "1 to 2^30"));
  CHECK(refused({.steps = {{1s}}, .tolerance = -1s}, "tolerance is -1 s"));
  CHECK(refused({.steps = {{1s}}, .remember_overdue = -1s}, "remember_overdue is -1 s"));
  CHECK_FALSE(refused({.steps = steps(15, {1s})}, ""));
}

TEST_CASE("an expectation says why in a sentence") {
  leads e({.name = "lead.synced", .steps = {{.within = 5min}}});
  std::string why;
  const auto told = [&](const auto& f) { why = f.why(); };
  e.observe(7, role::opens, timestamp(0s), told);
  e.advance(timestamp(1h), told);
  CHECK(why ==
        "lead.synced: step 0 of 7 should have come by 1970-01-01T00:05:00Z, since the event before it came at "
        "1970-01-01T00:00:00Z");
  e.observe(7, role::step(0), timestamp(1h), told);
  CHECK(why == "lead.synced: step 0 of 7, due by 1970-01-01T00:05:00Z, came at 1970-01-01T01:00:00Z");
}

// The same by other means: a map, and a look at all of it for whatever is asked.
class naive {
 public:
  struct state {
    char is;  // 'o'pen, over'd'ue, 'e'arly
    std::size_t step;
    timestamp since;
    std::optional<timestamp> early;
  };

  explicit naive(expectation_options o) : o_(std::move(o)) {}

  std::map<std::uint64_t, state> all;
  recoup::expectation_counts n;

  std::size_t open() const {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const auto& a) { return a.second.is == 'o'; }));
  }

  lines observe(std::uint64_t key, expectation_roles roles, timestamp at, std::optional<std::uint64_t> evicted) {
    lines told;
    if (roles == 0) return told;
    const bool was_there = all.contains(key);
    if (was_there && at > ends(all.at(key))) pass(key, at, told);
    const auto has = [&](std::size_t step) { return (roles & role::step(step)) != 0; };
    const auto is = [&](char c) { return all.contains(key) && all.at(key).is == c; };
    bool used = false;
    if (is('o')) {
      state& s = all.at(key);
      if (roles & role::cancels) {
        ++n.cancelled;
        used = true;
        all.erase(key);
      } else if (has(s.step)) {
        used = true;
        if (o_.steps[s.step].is_absence) {
          ++n.violated;
          told.push_back("forbidden " + line(key, s) + " came " + recorder::show(at));
          all.erase(key);
        } else {
          reach(key, at);
        }
      } else if (expects(s.step + 1) && has(s.step + 1)) {
        if (at >= recoup::saturating_add(s.since, -o_.tolerance)) s.early = at;
      } else if ((roles & role::opens) && o_.again == when_opened_again::restart) {
        ++n.restarted;
        all.erase(key);
      }
    } else if (is('d') && has(all.at(key).step)) {
      used = true;
      ++n.retracted;
      told.push_back("retracted " + line(key, all.at(key)) + " came " + recorder::show(at));
      reach(key, at);
    } else if (is('e') && has(0)) {
      all.at(key).since = std::max(all.at(key).since, at);
    }
    if ((roles & role::opens) && !is('o')) {
      ++n.opened;
      const auto before = is('e') ? std::optional(all.at(key).since) : std::nullopt;
      all.insert_or_assign(key, state{'o', 0, at, {}});
      if (before && *before <= ends(all.at(key))) reach(key, std::max(at, *before));
    } else if (!all.contains(key) && !used && has(0) && expects(0)) {
      all.insert_or_assign(key, state{'e', 0, at, {}});
    }
    if (all.size() > o_.capacity) {
      // Which of equals it is, the order of arrival decides, which is not kept here.
      REQUIRE(evicted);
      const bool has_room = std::any_of(all.begin(), all.end(), [&](const auto& a) {
        return a.first != key && (a.second.is != 'o' || all.at(key).is == 'o');
      });
      REQUIRE(has_room == (*evicted != key));
      const state& gone = all.at(*evicted);
      for (const auto& [k, s] : all) {
        if (k == key) continue;
        const auto rank = [](char c) { return c == 'e' ? 0 : c == 'd' ? 1 : 2; };
        REQUIRE((*evicted == key || std::pair(rank(gone.is), ends(gone)) <= std::pair(rank(s.is), ends(s))));
      }
      ++(gone.is == 'o' ? n.evicted : n.forgotten);
      told.insert(told.begin(), std::string("evicted ") +
                                    (gone.is == 'o'   ? "open "
                                     : gone.is == 'd' ? "overdue "
                                                      : "early ") +
                                    line(*evicted, gone, ends(gone)));
      all.erase(*evicted);
    }
    return told;
  }

  // In no order but that of the keys.
  lines advance(timestamp now) {
    lines told;
    std::vector<std::uint64_t> keys;
    for (const auto& [key, s] : all) keys.push_back(key);
    for (const std::uint64_t key : keys) {
      if (now > ends(all.at(key))) pass(key, now, told);
    }
    return told;
  }

 private:
  duration limit(std::size_t step) const { return recoup::saturating_add(o_.steps[step].within, o_.steps[step].grace); }
  timestamp ends(const state& s) const {
    if (s.is == 'e') return recoup::saturating_add(s.since, o_.tolerance);
    const duration l = limit(s.step);
    return recoup::saturating_add(s.since, s.is == 'o' ? l : recoup::saturating_add(l, o_.remember_overdue));
  }
  bool expects(std::size_t step) const {
    return o_.tolerance > 0ns && step < o_.steps.size() && !o_.steps[step].is_absence;
  }
  std::string line(std::uint64_t key, const state& s) const {
    return line(key, s, recoup::saturating_add(s.since, limit(s.step)));
  }
  static std::string line(std::uint64_t key, const state& s, timestamp due) {
    return std::to_string(key) + '/' + std::to_string(s.step) + " since " + recorder::show(s.since) + " due " +
           recorder::show(due);
  }
  void pass(std::uint64_t key, timestamp now, lines& told) {
    state& s = all.at(key);
    if (s.is == 'o' && !o_.steps[s.step].is_absence) {
      ++n.overdue;
      told.push_back("overdue " + line(key, s));
      s.is = 'd';
      s.early.reset();
      if (o_.remember_overdue > 0ns && now <= ends(s)) return;
    } else if (s.is == 'o') {
      ++n.fulfilled;
    } else if (s.is == 'e') {
      ++n.unclaimed;
    }
    all.erase(key);
  }
  void reach(std::uint64_t key, timestamp at) {
    state& s = all.at(key);
    if (s.step + 1 == o_.steps.size()) {
      ++n.fulfilled;
      all.erase(key);
      return;
    }
    const std::optional<timestamp> early = s.early;
    s = {'o', s.step + 1, std::max(s.since, at), {}};
    if (early && recoup::saturating_add(*early, o_.tolerance) >= at && *early <= ends(s)) reach(key, *early);
  }

  expectation_options o_;
};

std::optional<std::uint64_t> key_of(const lines& told) {
  for (const std::string& line : told) {
    if (line.starts_with("evicted ")) return std::stoull(line.substr(line.find(' ', 8) + 1));
  }
  return std::nullopt;
}

expectation_options random_options(std::mt19937_64& random) {
  const auto pick = [&](std::uint64_t below) { return random() % below; };
  expectation_options o;
  o.steps.resize(1 + pick(4));
  for (auto& s : o.steps) s = {duration(pick(40)), duration(pick(2) * pick(10)), false};
  o.steps.back().is_absence = pick(4) == 0;
  o.capacity = 1 + pick(60);
  o.again = pick(2) == 0 ? when_opened_again::keep : when_opened_again::restart;
  o.tolerance = duration(pick(2) * pick(20));
  o.remember_overdue = duration(pick(2) * pick(60));
  return o;
}

TEST_CASE("expectations agree with a map that is looked at as a whole") {
  for (std::uint64_t seed = 0; seed < 300 * test_scale(); ++seed) {
    std::mt19937_64 random(seed);
    const expectation_options o = random_options(random);
    leads e(o);
    naive model(o);
    timestamp now = start;
    const std::uint64_t keys = 1 + random() % 80;
    for (int i = 0; i < 400; ++i) {
      now += duration(random() % 4);
      if (random() % 50 == 0) now -= duration(random() % 60);
      recorder told;
      if (random() % 4 == 0) {
        e.advance(now, told);
        lines expected = model.advance(now);
        std::sort(expected.begin(), expected.end());
        std::sort(told.lines.begin(), told.lines.end());
        REQUIRE(told.lines == expected);
      } else {
        const std::uint64_t key = random() % keys;
        expectation_roles roles = random() % 2 == 0 ? role::opens : role::step(random() % o.steps.size());
        if (random() % 10 == 0) roles |= role::step(random() % 16);
        if (random() % 20 == 0) roles |= role::cancels;
        if (random() % 20 == 0) roles |= role::opens;
        const timestamp at = random() % 5 == 0 ? now - duration(random() % 100) + 30ns : now;
        if (random() % 8 == 0) {
          recorder fails;
          fails.fail_at = 0;
          const auto before = recoup::snapshot(e);
          const auto would_tell = e.judge(key, e.hash(key), roles, at).tells();
          if (would_tell) {
            REQUIRE_THROWS(e.observe(key, roles, at, fails));
            REQUIRE(recoup::snapshot(e) == before);
          }
        }
        e.observe(key, roles, at, told);
        REQUIRE(told.lines == model.observe(key, roles, at, key_of(told.lines)));
      }
      REQUIRE(e.size() == model.all.size());
      REQUIRE(e.open() == model.open());
      REQUIRE(e.counts() == model.n);
      REQUIRE(adds_up(e));
      if (i % 40 == 0) {
        for (std::uint64_t k = 0; k < keys; ++k) {
          const auto found = e.find(k);
          REQUIRE(found.has_value() == model.all.contains(k));
          if (found) REQUIRE(found->since == model.all.at(k).since);
        }
        auto restored = e.empty_copy();
        REQUIRE(recoup::restore(restored, recoup::snapshot(e)));
        REQUIRE(recoup::snapshot(restored) == recoup::snapshot(e));
        if (random() % 2 == 0) e = restored;
      }
    }
  }
}

TEST_CASE("what is due is told in the order in which it is due however it came") {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    std::mt19937_64 random(seed);
    leads e({.steps = {{.within = 100us}, {.within = 50us}}, .capacity = 5'000});
    std::vector<timestamp> dues;
    const auto told = [&](const auto& f) {
      if constexpr (requires { f.why(); }) dues.push_back(f.due);
    };
    std::map<std::uint64_t, timestamp> expected;
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t key = random() % 4'000;
      // In order, in reverse and in no order at all.
      const auto shift = duration(seed == 1 ? i : seed == 2 ? -i : static_cast<int>(random() % (seed * 5'000)));
      const bool opens = random() % 3 != 0;
      const timestamp at = start + shift;
      e.observe(key, opens ? role::opens : role::step(random() % 2), at, told);
      if (const auto s = e.find(key)) {
        expected[key] = s->due;
      } else {
        expected.erase(key);
      }
    }
    REQUIRE(dues.empty());
    const recorder ignored;
    auto restored = e.empty_copy();
    REQUIRE(recoup::restore(restored, recoup::snapshot(e)));
    std::vector<std::uint64_t> order;
    std::vector<std::uint64_t> restored_order;
    for (timestamp t = start - 1ms; t < start + 1ms; t += 777ns) {
      e.advance(t, [&](const auto& f) {
        order.push_back(f.key);
        dues.push_back(f.due);
        REQUIRE(f.due < t);
        REQUIRE(f.due >= t - 777ns);
      });
      restored.advance(t, [&](const auto& f) { restored_order.push_back(f.key); });
    }
    CHECK(std::is_sorted(dues.begin(), dues.end()));
    CHECK(dues.size() == expected.size());
    CHECK(order == restored_order);
  }
}

TEST_CASE("times from the ends of the world break nothing in an expectation") {
  std::mt19937_64 random(5);
  const std::array times{timestamp::min(), timestamp::min() + 1ns, start,
                         timestamp(0s),    timestamp::max() - 1ns, timestamp::max()};
  for (int round = 0; round < 60; ++round) {
    expectation_options o = random_options(random);
    for (auto& s : o.steps) {
      if (random() % 2 == 0) s.within = duration::max();
      if (random() % 4 == 0) s.grace = duration::max();
    }
    if (random() % 2 == 0) o.tolerance = duration::max();
    if (random() % 2 == 0) o.remember_overdue = duration::max();
    leads e(o);
    recorder told;
    for (int i = 0; i < 300; ++i) {
      const timestamp at = times[random() % times.size()];
      if (random() % 4 == 0) {
        e.advance(at, told);
      } else {
        const expectation_roles roles = static_cast<expectation_roles>(random() & random());
        e.observe(random() % 20, roles, at, told);
      }
      REQUIRE(adds_up(e));
      REQUIRE(e.size() <= o.capacity);
    }
    auto restored = e.empty_copy();
    REQUIRE(recoup::restore(restored, recoup::snapshot(e)));
    CHECK(recoup::snapshot(restored) == recoup::snapshot(e));
  }
}

TEST_CASE("corrupt bytes of expectations are refused or harmless") {
  std::mt19937_64 random(9);
  expectation_options o = follow_up();
  o.capacity = 20;
  o.tolerance = 1s;
  leads e(o);
  recorder told;
  for (std::uint64_t i = 0; i < 60; ++i) {
    e.observe(random() % 25, role::opens, start + (i * 7 % 40) * 1s, told);
    e.observe(random() % 25, role::step(random() % 2), start + i * 1s, told);
    if (i % 20 == 0) e.advance(start + i * 10s, told);
  }
  recoup::snapshot_writer w;
  e.save(w);
  const auto bytes = w.take();
  std::size_t refused = 0;
  for (int round = 0; round < 3'000; ++round) {
    auto corrupt = bytes;
    if (random() % 8 == 0) corrupt.resize(random() % corrupt.size());
    for (std::uint64_t flips = 1 + random() % 2; flips > 0 && !corrupt.empty(); --flips) {
      corrupt[random() % corrupt.size()] ^= static_cast<std::byte>(1U << (random() % 8));
    }
    auto loaded = e.empty_copy();
    recoup::snapshot_reader r(corrupt);
    if (!loaded.load(r)) {
      ++refused;
      continue;
    }
    for (std::uint64_t k = 0; k < 30; ++k) loaded.observe(k, role::opens | role::step(k % 2), start + 1min, told);
    loaded.advance(timestamp::max(), told);
    REQUIRE(adds_up(loaded));
    REQUIRE(loaded.open() == 0);
  }
  CHECK(refused > 1'000);
  auto other = leads({.steps = {{.within = 5min}}, .capacity = 20});
  CHECK_FALSE(recoup::restore(other, recoup::snapshot(e)));
}

}  // namespace
