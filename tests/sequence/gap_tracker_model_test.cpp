// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// Random operations on a gap_tracker, and on a model that keeps every number by itself, must be told the same.
#include "sequence/gap_tracker_model.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/sequence/gap_tracker.hpp"
#include "test_scale.hpp"

namespace {

using namespace gap_model;
using namespace std::chrono_literals;
using recoup::skip_reason;

// Times in units of this many nanoseconds: jitter needs some room.
std::uint64_t any_unit(dice& roll) { return roll.one_of({std::uint64_t{1}, std::uint64_t{1'000'000}}); }

void any_timing(gap_tracker_options& o, std::uint64_t unit, dice& roll) {
  const auto some = [&](std::uint64_t n) { return duration{static_cast<std::int64_t>(n * unit)}; };
  o.reorder_distance.reset();
  o.reorder_delay.reset();
  if (roll.chance(50))
    o.reorder_distance = roll.one_of({std::uint64_t{0}, std::uint64_t{1}, 1 + roll(10), 1 + roll(40), most - roll(5)});
  if (roll.chance(50)) o.reorder_delay = some(roll.one_of({std::uint64_t{0}, roll(100), roll(1'000)}));
  o.max_jump = roll.one_of({roll(20), 40 + roll(60), std::uint64_t{300}});
  o.max_behind.reset();
  if (roll.chance(40)) o.max_behind = roll.one_of({roll(10), roll(60)});
  o.resynchronise_after = static_cast<std::uint32_t>(roll(5));
  o.replay = {};
  o.replay.max_attempts = static_cast<std::uint32_t>(roll(4));
  o.replay.first_wait = some(1 + roll(100));
  o.replay.longest_wait = o.replay.first_wait + some(roll(150));
  if (roll.chance(50)) o.replay.give_up_after = some(1 + roll(roll.one_of({100U, 2'000U})));
  if (roll.chance(5)) o.replay.give_up_after = duration::max() - some(roll(2'000));
  if (roll.chance(40)) o.replay.max_range = 1 + roll(6);
  if (roll.chance(40)) o.replay.max_requests = static_cast<std::uint32_t>(1 + roll(5));
  if (roll.chance(30)) o.replay.jitter_percent = static_cast<std::uint32_t>(roll(1'001));
  o.replay.jitter_seed = roll(100);
}

gap_tracker_options any_options(std::uint64_t unit, dice& roll) {
  gap_tracker_options o;
  o.bits = roll.chance(60) ? 64 : static_cast<unsigned>(1 + roll(64));
  const std::uint64_t mask = most >> (64 - o.bits);
  if (roll.chance(60))
    o.expect_from = roll.one_of({std::uint64_t{0}, roll(100), most - roll(300), mask - roll(3), most / 2, mask});
  o.max_gaps = roll.one_of({std::uint64_t{1}, 1 + roll(8), 1 + roll(8), std::uint64_t{40}});
  any_timing(o, unit, roll);
  return o;
}

// A number as sent, of those that matter.
std::uint64_t any_number(const model& m, const gap_tracker_options& o, dice& roll) {
  const std::uint64_t mask = most >> (64 - o.bits);
  const std::uint64_t next = m.next().value_or(m.high() ? 0 : roll.one_of({roll(50), mask - roll(50), mask / 2}));
  const auto nth_of = [&](const auto& all, std::uint64_t i) {
    return std::next(all.begin(), static_cast<std::ptrdiff_t>(i));
  };
  switch (roll(20)) {
    case 0:
    case 1:
    case 2:
      return (next + roll.one_of({1 + roll(3), 1 + roll(12), roll(40)})) & mask;
    case 3:
    case 4:
    case 5:
    case 6:
      if (m.waits().empty()) return next & mask;
      return nth_of(m.waits(), roll(std::min<std::uint64_t>(m.waits().size(), 50)))->first & mask;
    case 7:
    case 8:
      if (m.given_up().empty()) return next & mask;
      return *nth_of(m.given_up(), roll(std::min<std::uint64_t>(m.given_up().size(), 50))) & mask;
    case 9:
    case 10:
      return (next - 1 - roll(roll.one_of({3U, 30U, 200U}))) & mask;
    case 11:
      return (m.first() - roll(4)) & mask;
    case 12:
      return roll.chance(50) ? roll(mask / 2 + 1) * 2 + roll(2) : next;  // anything, of this width or not
    case 13:
      return (next + o.max_jump + roll(4)) & mask;
    default:
      return next & mask;
  }
}

timestamp any_time(timestamp now, std::uint64_t unit, dice& roll) {
  const std::int64_t t = now.time_since_epoch().count();
  constexpr std::int64_t middle = std::numeric_limits<std::int64_t>::max() / 2;
  const auto some = [&](std::uint64_t n) { return static_cast<std::int64_t>(roll(n) * unit); };
  switch (roll(200)) {
    case 0:
      return roll.one_of({timestamp::max(), timestamp::min(), timestamp::max() - 1ns, timestamp::min() + 1ns});
    case 1:
    case 2:
      return at(some(1'000));
    case 3:
    case 4:
    case 5:
      return t > middle || t < -middle ? start : at(t + some(2'000) - static_cast<std::int64_t>(1'000 * unit));
    default:
      return t > middle ? now : at(t + some(roll.one_of({2U, 20U, 60U})));
  }
}

struct handler_failure {};

// What a handler does with the findings of one advance, one after the other.
struct handler_plan {
  std::size_t throws_at = most;
  std::uint64_t refused = 0;  // a bit for each

  template <class Advance>
  std::pair<findings, bool> run(Advance&& advance) const {
    findings all;
    std::size_t calls = 0;
    try {
      advance([&](const told& t) {
        const std::size_t call = calls++;
        if (call > 10'000) FAIL("there is no end of findings, such as: " << t);
        if (call == throws_at) throw handler_failure();
        const bool is_refused = t.what == told::request && ((refused >> (call % 64)) & 1) != 0;
        if (!is_refused) all.push_back(t);
        return !is_refused;
      });
    } catch (const handler_failure&) {
      return {all, true};
    }
    return {all, false};
  }
};

std::string difference(const gap_tracker& t, const model& m) {
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) {
    if (t.count(static_cast<arrival>(a)) != m.count(static_cast<arrival>(a)))
      return "count of " + std::string(name_of(static_cast<arrival>(a)));
  }
  if (t.missing_count() != m.missing_count()) return "missing_count";
  if (missing(t) != m.missing()) return "missing";
  if (abandoned(t) != m.abandoned()) return "abandoned";
  if (t.gap_count() != m.gap_count()) return "gap_count";
  if (t.high_position() != m.high()) return "high_position";
  if (t.expected() != m.next()) return "expected";
  if (t.contiguous_position() != m.contiguous_position()) return "contiguous_position";
  if (t.found_count() != m.found_count()) return "found_count";
  if (t.recovered_count() != m.recovered_count()) return "recovered_count";
  if (t.skipped_count() != m.skipped_count()) return "skipped_count";
  if (t.found_count() - t.recovered_count() != m.lost()) return "found_count - recovered_count is not what was lost";
  if (t.due() > m.due()) return "due is too late";
  return {};
}

class duel {
 public:
  explicit duel(std::uint64_t seed)
      : roll_(seed), unit_(any_unit(roll_)), options_(any_options(unit_, roll_)), tracker_(options_), model_(options_) {
    now_ = roll_.one_of({start, at(1'000'000), at(-500)});
  }

  void step() {
    now_ = any_time(now_, unit_, roll_);
    const std::uint64_t choice = roll_(100);
    if (choice < 55) {
      receive(number(), 1);
    } else if (choice < 65) {
      receive(number(), roll_.one_of({1 + roll_(3), 1 + roll_(20), roll_(2), roll_(40)}));
    } else if (choice < 83) {
      advance();
    } else if (choice < 88) {
      forget();
    } else if (choice < 91) {
      observe_high();
    } else if (choice < 95) {
      skip();
    } else if (choice < 96) {
      resume();
    } else {
      restart();
    }
    if (received(tracker_) != received_) FAIL("the counts do not add up");
    if (const std::string what = difference(tracker_, model_); !what.empty()) FAIL(what);
  }

  const gap_tracker& tracker() const { return tracker_; }

  enum reached : std::uint8_t {
    as_arrival,
    as_displaced = recoup::arrival_kinds,
    as_resumed,
    as_found,
    as_request,
    as_age,
    as_attempts,
    as_refused,
    as_thrown,
    as_forgotten,
    as_high,
    as_skipped,
    as_heard,
    as_other_options,
    as_ended,
    reached_kinds
  };
  using census = std::array<std::uint64_t, reached_kinds>;
  const census& counts() const { return census_; }

 private:
  std::uint64_t number() {
    const bool goes_on = last_number_ && roll_.chance(30);
    const std::uint64_t n =
        goes_on ? (*last_number_ + 1) & (most >> (64 - options_.bits)) : any_number(model_, options_, roll_);
    last_number_.reset();
    return n;
  }

  void receive(std::uint64_t number, std::uint64_t count) {
    const auto judged = count == 1 ? tracker_.judge(number) : tracker_.judge(number, count);
    const findings displaced = displaced_by(tracker_, judged);
    const sequence_range hole = tracker_.hole(judged);
    std::array<std::uint64_t, recoup::arrival_kinds> by_runs{};
    if (count == 1) {
      const auto seen = tracker_.observe(number, now_);
      if (seen.answer != judged.answer || seen.sequence != judged.first) FAIL("observed is not as judged");
    } else {
      std::array<std::uint64_t, recoup::arrival_kinds> before{};
      for (std::size_t a = 0; a < before.size(); ++a) before[a] = tracker_.count(static_cast<arrival>(a));
      tracker_.observe(number, count, now_, [&](arrival a, sequence_range r) {
        if (a == judged.answer) ++census_[static_cast<std::size_t>(a)];
        by_runs[static_cast<std::size_t>(a)] += r.size();
      });
      for (std::size_t a = 0; a < before.size(); ++a) {
        if (by_runs[a] != tracker_.count(static_cast<arrival>(a)) - before[a]) FAIL("the runs are not what is counted");
      }
    }
    const model::seen expected = model_.observe(number, count, now_);
    if (count == 0) return;
    if (judged.answer != expected.answer || judged.first != expected.sequence) {
      CAPTURE(number, count, judged.first, expected.sequence);
      REQUIRE(name_of(judged.answer) == name_of(expected.answer));
      REQUIRE(judged.first == expected.sequence);
    }
    if (hole.empty() != expected.hole.empty() || (!hole.empty() && hole != expected.hole)) FAIL("the hole differs");
    if (displaced != expected.displaced) {
      CAPTURE(number, count);
      REQUIRE(displaced == expected.displaced);
    }
    received_ += by_model_received(count);
    ++census_[static_cast<std::size_t>(judged.answer)];
    for (const told& t : displaced) ++census_[t.what == told::resumed ? as_resumed : as_displaced];
    if (!tracker_.expected() && tracker_.high_position()) ++census_[as_ended];
    if (judged.answer == arrival::filled) last_filled_ = number;
    if (judged.answer == arrival::jump || judged.answer == arrival::restart) last_number_ = number + count - 1;
  }
  // A packet that cannot be counts as one number.
  std::uint64_t by_model_received(std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) sum += model_.count(static_cast<arrival>(a));
    const std::uint64_t more = sum - received_;
    if (more != count && more != 1) FAIL("the model counts wrongly");
    return more;
  }

  void advance() {
    handler_plan plan;
    if (roll_.chance(20)) plan.throws_at = roll_(4);
    if (roll_.chance(20)) plan.refused = roll_(1'024);
    const timestamp due = tracker_.due();
    const auto [all, threw] = plan.run([&](auto&& handler) {
      tracker_.advance(now_, [&](const auto& finding) { return handler(as_told(finding)); });
    });
    const auto [expected, model_threw] = plan.run([&](auto&& handler) { model_.advance(now_, handler); });
    if (all != expected || threw != model_threw) {
      CAPTURE(now_.time_since_epoch().count(), threw, model_threw, due.time_since_epoch().count());
      REQUIRE(all == expected);
      REQUIRE(threw == model_threw);
    }
    if (now_ < due && (threw || !all.empty())) FAIL("something was told before it was due");
    if (threw && !is_due(tracker_, now_)) FAIL("what was not told is not due");
    if (!threw && now_ >= due && tracker_.due() != model_.due()) FAIL("due is not when something is due");
    std::uint64_t requests = 0;
    for (const told& t : all) {
      if (t.what == told::found) ++census_[as_found];
      if (t.what == told::abandoned) ++census_[t.reason == abandon_reason::age ? as_age : as_attempts];
      if (t.what != told::request) continue;
      ++census_[as_request];
      if (++requests > options_.replay.max_requests) FAIL("more requests than max_requests");
      if (t.range.size() > options_.replay.max_range) FAIL("a request is longer than max_range");
    }
    census_[as_thrown] += threw;
    census_[as_refused] += plan.refused != 0 && !all.empty();
  }

  void forget() {
    const std::uint64_t n = last_filled_ && roll_.chance(50) ? *last_filled_ : number();
    last_filled_.reset();
    const bool is_forgotten = tracker_.forget(n, now_);
    if (is_forgotten != model_.forget(n, now_)) FAIL("forget " << n << " says " << is_forgotten);
    census_[as_forgotten] += is_forgotten;
  }

  // What is given up is told before anything changes: all that is no longer missing, and not for having `come`.
  template <class F>
  void hear(F&& change, sequence_range come = {1, 0}) {
    const ranges before = missing(tracker_);
    recoup::interval_set gone = tracker_.missing();
    const auto take_out = [&](const auto& finding) {
      if (missing(tracker_) != before) FAIL("a gap is given up before that is told");
      const told t = as_told(finding);
      if (t.what != told::abandoned) return;
      if (gone.erase(t.range) != t.range.size()) FAIL("given up, but not missing: " << t.range.first);
      ++census_[as_heard];
    };
    change(take_out);
    for (const sequence_range& r : tracker_.missing()) gone.erase(r);
    gone.erase(come);
    if (!gone.empty()) FAIL("given up, but not told: " << gone.front().first);
  }

  void observe_high() {
    const std::uint64_t n = number();
    sequence_range hole;
    hear([&](auto& told) { hole = tracker_.observe_high(n, now_, told); });
    const sequence_range expected = model_.observe_high(n, now_);
    if (hole.empty() != expected.empty() || (!hole.empty() && hole != expected)) FAIL("observe_high " << n);
    census_[as_high] += !hole.empty();
  }

  void skip() {
    const std::uint64_t next = model_.next().value_or(model_.high() ? most : roll_(100));
    sequence_range range{next - std::min(next, roll_(60)), 0};
    range.first += std::min(most - range.first, roll_(40));
    range.last = range.first + std::min(most - range.first, roll_(roll_.one_of({2U, 30U})));
    if (roll_.chance(3)) range = {5, 4};
    std::uint64_t skipped = 0;
    hear([&](auto& told) { skipped = tracker_.skip(range, skip_reason::compacted, now_, told); }, range);
    if (skipped != model_.skip(range, now_)) FAIL("skip " << range.first << '-' << range.last << " says " << skipped);
    census_[as_skipped] += skipped > 0;
  }

  void resume() {
    const std::uint64_t first = roll_.one_of({std::uint64_t{0}, roll_(100), most - roll_(100), most / 2});
    hear([&](auto& told) { tracker_.resume_at(first, told); });
    model_.resume_at(first);
  }

  // From a snapshot; now and then with other times and limits.
  void restart() {
    const bytes saved = snapshot(tracker_);
    if (const std::string broken = broken_invariant(tracker_); !broken.empty()) FAIL(broken);
    if (roll_.chance(30)) {
      any_timing(options_, unit_, roll_);
      model_.change_timing(options_);
      ++census_[as_other_options];
    }
    gap_tracker other(options_);
    if (!restore(other, saved)) FAIL("a snapshot is refused");
    if (snapshot(other) != saved) FAIL("the bytes of the restored tracker differ");
    tracker_ = std::move(other);
  }

  dice roll_;
  std::uint64_t unit_;
  gap_tracker_options options_;
  gap_tracker tracker_;
  model model_;
  timestamp now_;
  std::uint64_t received_ = 0;
  std::optional<std::uint64_t> last_number_;
  std::optional<std::uint64_t> last_filled_;
  census census_{};
};

TEST_CASE("a gap tracker answers as one that keeps every number") {
  duel::census reached{};
  const std::uint64_t runs = 600 * test_scale();
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    duel d(seed);
    for (int step = 0; step < 250; ++step) {
      INFO("seed " << seed << " step " << step << " bits " << d.tracker().options().bits);
      d.step();
    }
    for (std::size_t i = 0; i < reached.size(); ++i) reached[i] += d.counts()[i];
  }
  for (std::size_t i = 0; i < reached.size(); ++i) {
    CAPTURE(i);
    CHECK(reached[i] > 200);  // else the run above proves little
  }
}

}  // namespace
