// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/gap_tracker.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using recoup::abandon_reason;
using recoup::arrival;
using recoup::duration;
using recoup::gap_abandoned;
using recoup::gap_found;
using recoup::gap_tracker;
using recoup::gap_tracker_options;
using recoup::replay_request;
using recoup::sequence_range;
using recoup::timestamp;
using namespace std::chrono_literals;

__extension__ using wide = __int128;
using bytes = std::vector<std::byte>;
using ranges = std::vector<sequence_range>;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
constexpr timestamp start{};

static_assert(sizeof(gap_tracker::judgement) == 16, "stays in two registers");
static_assert(std::has_unique_object_representations_v<gap_tracker::judgement>, "has no padding");
static_assert(std::is_trivially_copyable_v<gap_tracker::judgement>);
static_assert(recoup::snapshotable<gap_tracker>);

timestamp at(std::int64_t ns) { return timestamp(duration{ns}); }

// One finding, of whatever type.
struct told {
  enum kind : std::uint8_t { found, request, abandoned } what;
  sequence_range range;
  timestamp opened{};
  std::uint32_t attempts = 0;
  std::uint32_t of = 0;
  abandon_reason reason{};

  bool operator==(const told&) const = default;
};
using findings = std::vector<told>;

std::ostream& operator<<(std::ostream& out, const told& t) {
  return out << std::array{"found ", "request ", "given up "}[t.what] << t.range.first << '-' << t.range.last
             << " opened " << t.opened.time_since_epoch().count() << " attempt " << t.attempts << " of " << t.of << ' '
             << describe(t.reason);
}

template <class Stream>
told as_told(const gap_found<Stream>& g) {
  return {told::found, g.range, g.opened};
}
template <class Stream>
told as_told(const replay_request<Stream>& r) {
  return {told::request, r.range, {}, r.attempt, r.max_attempts};
}
template <class Stream>
told as_told(const gap_abandoned<Stream>& g) {
  return {told::abandoned, g.range, g.opened, g.attempts, 0, g.reason};
}

findings advance(gap_tracker& t, timestamp now) {
  findings all;
  t.advance(now, [&](const auto& finding) { all.push_back(as_told(finding)); });
  return all;
}

bool is_due(const gap_tracker& t, timestamp now) { return now >= t.due(); }

findings displaced_by(const gap_tracker& t, gap_tracker::judgement j) {
  findings all;
  t.tell_displaced(j, recoup::only_stream{}, [&](const auto& finding) { all.push_back(as_told(finding)); });
  return all;
}

ranges missing(const gap_tracker& t) {
  ranges all;
  t.for_each_missing([&](sequence_range r) { all.push_back(r); });
  return all;
}

ranges abandoned(const gap_tracker& t) { return {t.abandoned().begin(), t.abandoned().end()}; }

arrival receive(gap_tracker& t, std::uint64_t number, timestamp now = start) { return t.observe(number, now).answer; }

void receive_all(gap_tracker& t, std::initializer_list<std::uint64_t> numbers, timestamp now = start) {
  for (const std::uint64_t n : numbers) t.observe(n, now);
}

std::uint64_t received(const gap_tracker& t) {
  std::uint64_t sum = 0;
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) sum += t.count(static_cast<arrival>(a));
  return sum;
}

// Keeps every number of the stream one by one.
class naive_tracker {
 public:
  struct record {
    sequence_range range;
    timestamp opened;
    wide due;
    std::uint32_t attempts;
    bool is_found;
  };
  struct observation {
    arrival answer = arrival::stale;
    std::uint64_t sequence = 0;
    sequence_range hole{1, 0};
    findings displaced;
  };

  explicit naive_tracker(gap_tracker_options options) : o_(options) {
    if (o_.expect_from) begin(*o_.expect_from);
  }

  // The congruent number that is nearest to the highest; of two equally near the higher.
  std::optional<std::uint64_t> unwrap(std::uint64_t raw) const {
    const wide circle = wide{1} << o_.bits;
    if (wide{raw} >= circle) return std::nullopt;
    if (o_.bits == 64 || !is_started_) return raw;
    const wide reference = high_.value_or(first_);
    wide nearest = reference - reference % circle - circle + wide{raw};
    for (wide n = nearest; n <= nearest + 2 * circle; n += circle) {
      if (distance(n, reference) <= distance(nearest, reference)) nearest = n;
    }
    if (nearest < 0 || nearest > wide{most}) return std::nullopt;
    return static_cast<std::uint64_t>(nearest);
  }

  arrival classify(std::uint64_t n) const {
    if (!is_started_ || n == next()) return arrival::in_order;
    if (next() && n > *next()) return arrival::ahead;
    if (record_of(n) != gaps_.end()) return arrival::filled;
    if (abandoned_.contains(n)) return arrival::late;
    return received_.contains(n) && n >= floor_ ? arrival::duplicate : arrival::stale;
  }

  observation observe(std::uint64_t raw, timestamp now) {
    observation seen;
    const auto n = unwrap(raw);
    seen.sequence = n.value_or(raw);
    if (n) seen.answer = classify(*n);
    ++counts_[static_cast<std::size_t>(seen.answer)];
    if (!n) return seen;
    if (seen.answer == arrival::in_order && !is_started_) begin(*n);
    if (seen.answer == arrival::filled) split(*n);
    if (seen.answer == arrival::ahead) {
      seen.hole = {*next(), *n - 1};
      open(seen.hole, now);
    }
    if (seen.answer == arrival::late) {
      abandoned_.erase(*n);
      ++recovered_;
      remember_only_the_highest();
    }
    if (seen.answer != arrival::stale) received_.insert(*n);
    if (seen.answer == arrival::in_order || seen.answer == arrival::ahead) high_ = *n;
    if (gaps_.size() > o_.max_gaps) {
      seen.displaced.push_back(abandonment(gaps_.front(), abandon_reason::capacity));
      give_up(gaps_.begin());
    }
    return seen;
  }

  bool forget(std::uint64_t raw, timestamp now) {
    const auto n = unwrap(raw);
    if (!n || classify(*n) != arrival::duplicate || !is_started_ || gaps_.size() == o_.max_gaps) return false;
    received_.erase(*n);
    open({*n, *n}, now);
    return true;
  }

  findings advance(timestamp now) {
    findings all;
    const wide t = ticks(now);
    for (auto g = gaps_.begin(); g != gaps_.end();) {
      const bool is_old = t - ticks(g->opened) >= wide{o_.replay.give_up_after.count()};
      const bool is_far = o_.reorder_distance && clamp(g->range.last, *o_.reorder_distance) <= *high_;
      if (!g->is_found && (t >= g->due || is_far || is_old)) {
        all.push_back({told::found, g->range, g->opened});
        g->is_found = true;
        found_ += g->range.size();
        g->due = t;
      }
      const bool was_asked_in_vain = o_.replay.max_attempts > 0 && g->attempts == o_.replay.max_attempts && t >= g->due;
      if (g->is_found && (is_old || was_asked_in_vain)) {
        all.push_back(abandonment(*g, is_old ? abandon_reason::age : abandon_reason::attempts));
        g = give_up(g);
        continue;
      }
      if (g->is_found && t >= g->due && g->attempts < o_.replay.max_attempts) {
        ++g->attempts;
        all.push_back({told::request, g->range, {}, g->attempts, o_.replay.max_attempts});
        wide wait = o_.replay.first_wait.count();
        for (std::uint32_t i = 1; i < g->attempts; ++i) wait *= 2;
        g->due = saturate(t + std::min(wait, wide{o_.replay.longest_wait.count()}));
      }
      ++g;
    }
    return all;
  }

  ranges missing() const {
    ranges all;
    for (const record& g : gaps_) all.push_back(g.range);
    return all;
  }
  std::uint64_t missing_count() const {
    std::uint64_t n = 0;
    for (const record& g : gaps_) n += g.range.last - g.range.first + 1;
    return n;
  }
  const ranges& abandoned() const { return runs_; }
  std::optional<std::uint64_t> next() const {
    if (!is_started_ || high_ == most) return std::nullopt;
    return high_ ? *high_ + 1 : first_;
  }
  std::optional<std::uint64_t> high_position() const { return high_; }
  std::optional<std::uint64_t> contiguous_position() const {
    if (gaps_.empty()) return high_;
    if (gaps_.front().range.first == first_) return std::nullopt;
    return gaps_.front().range.first - 1;
  }
  std::uint64_t count(arrival a) const { return counts_[static_cast<std::size_t>(a)]; }
  std::uint64_t found_count() const { return found_; }
  std::uint64_t recovered_count() const { return recovered_; }
  const std::set<std::uint64_t>& given_up() const { return abandoned_; }
  std::uint64_t first() const { return first_; }

 private:
  static wide distance(wide a, wide b) { return a < b ? b - a : a - b; }
  static wide ticks(timestamp t) { return t.time_since_epoch().count(); }
  static wide saturate(wide t) { return std::clamp(t, ticks(timestamp::min()), ticks(timestamp::max())); }
  static std::uint64_t clamp(std::uint64_t a, std::uint64_t b) { return a > most - b ? most : a + b; }
  static told abandonment(const record& g, abandon_reason why) {
    return {told::abandoned, g.range, g.opened, g.attempts, 0, why};
  }

  std::vector<record>::const_iterator record_of(std::uint64_t n) const {
    return std::find_if(gaps_.begin(), gaps_.end(), [n](const record& g) { return g.range.contains(n); });
  }
  void begin(std::uint64_t n) {
    is_started_ = true;
    first_ = floor_ = n;
  }
  void open(sequence_range r, timestamp now) {
    wide due = o_.reorder_distance ? ticks(timestamp::max()) : ticks(now);
    if (o_.reorder_delay) due = saturate(ticks(now) + o_.reorder_delay->count());
    gaps_.push_back({r, now, due, 0, false});
    sort();
  }
  void split(std::uint64_t n) {
    const auto found = record_of(n);
    const record whole = *found;
    gaps_.erase(found);
    if (whole.is_found) ++recovered_;
    if (whole.range.first < n)
      gaps_.push_back({{whole.range.first, n - 1}, whole.opened, whole.due, whole.attempts, whole.is_found});
    if (n < whole.range.last)
      gaps_.push_back({{n + 1, whole.range.last}, whole.opened, whole.due, whole.attempts, whole.is_found});
    sort();
  }
  void sort() {
    std::sort(gaps_.begin(), gaps_.end(),
              [](const record& a, const record& b) { return a.range.first < b.range.first; });
  }
  std::vector<record>::iterator give_up(std::vector<record>::iterator g) {
    if (!g->is_found) found_ += g->range.size();
    for (std::uint64_t i = 0; i < g->range.size(); ++i) abandoned_.insert(g->range.first + i);
    remember_only_the_highest();
    return gaps_.erase(g);
  }
  void remember_only_the_highest() {
    runs_.clear();
    for (const std::uint64_t n : abandoned_) {
      if (runs_.empty() || n - runs_.back().last != 1) runs_.push_back({n, n});
      runs_.back().last = n;
    }
    while (runs_.size() > o_.max_gaps) {
      const std::uint64_t last = runs_.front().last;
      floor_ = std::max(floor_, last + 1);
      abandoned_.erase(abandoned_.begin(), abandoned_.upper_bound(last));
      runs_.erase(runs_.begin());
    }
  }

  gap_tracker_options o_;
  bool is_started_ = false;
  std::uint64_t first_ = 0;
  std::uint64_t floor_ = 0;  // below it, it is not known any more what was received
  std::optional<std::uint64_t> high_;
  std::set<std::uint64_t> received_;
  std::set<std::uint64_t> abandoned_;
  ranges runs_;  // of abandoned_
  std::vector<record> gaps_;
  std::array<std::uint64_t, recoup::arrival_kinds> counts_{};
  std::uint64_t found_ = 0;
  std::uint64_t recovered_ = 0;
};

template <class Observation>
bool is_same(const Observation& a, const naive_tracker::observation& b) {
  return a.answer == b.answer && a.sequence == b.sequence && a.hole.empty() == b.hole.empty() &&
         (a.hole.empty() || a.hole == b.hole);
}

// Everything that can be seen of a tracker.
bool is_same(const gap_tracker& t, const naive_tracker& naive) {
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) {
    if (t.count(static_cast<arrival>(a)) != naive.count(static_cast<arrival>(a))) return false;
  }
  return t.found_count() == naive.found_count() && t.recovered_count() == naive.recovered_count() &&
         missing(t) == naive.missing() && t.missing_count() == naive.missing_count() &&
         t.gap_count() == naive.missing().size() && abandoned(t) == naive.abandoned() &&
         t.high_position() == naive.high_position() && t.contiguous_position() == naive.contiguous_position() &&
         t.expected() == naive.next();
}

// What holds of every tracker, whatever happened to it; a sentence where it does not.
std::string broken_invariant(const gap_tracker& t) {
  const sequence_range* before = nullptr;
  const ranges gaps = missing(t);
  std::uint64_t sum = 0;
  const auto expect_from = t.options().expect_from;
  if (expect_from && !t.expected() && !t.high_position()) return "not started at expect_from";
  if (expect_from && !gaps.empty() && gaps.front().first < *expect_from) return "a gap below expect_from";
  if (gaps.size() != t.gap_count() || gaps.size() > t.options().max_gaps) return "gap_count";
  if (t.abandoned().size() > t.options().max_gaps) return "more ranges given up than max_gaps";
  for (const sequence_range& g : gaps) {
    if (g.empty()) return "an empty gap";
    if (before != nullptr && before->last >= g.first) return "gaps overlap";
    if (!t.high_position() || g.last > *t.high_position()) return "a gap above the highest";
    bool is_given_up = false;
    t.abandoned().for_each_overlap(g, [&](sequence_range) { is_given_up = true; });
    if (is_given_up) return "a gap is given up";
    if (t.options().bits == 64) {
      for (const std::uint64_t n : {g.first, g.first + (g.last - g.first) / 2, g.last}) {
        if (t.judge(n).answer != arrival::filled) return "a missing number does not fill";
      }
    }
    sum += g.last - g.first + 1;
    before = &g;
  }
  if (sum != t.missing_count()) return "missing_count";
  for (const sequence_range& r : t.abandoned()) {
    if (!t.high_position() || r.last > *t.high_position()) return "given up above the highest";
    if (t.options().bits == 64 &&
        (t.judge(r.first).answer != arrival::late || t.judge(r.last).answer != arrival::late)) {
      return "a number given up is not late";
    }
  }
  if (t.contiguous_position() > t.high_position()) return "contiguous above the highest";
  if (t.expected() && t.high_position() && *t.expected() != *t.high_position() + 1) return "expected";
  const bytes saved = snapshot(t);
  gap_tracker again(t.options());
  if (!restore(again, saved)) return "its own snapshot is refused";
  if (snapshot(again) != saved) return "the snapshot changes";
  return {};
}

class dice {
 public:
  explicit dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t operator()(std::uint64_t n) { return random_() % n; }
  bool chance(std::uint64_t percent) { return random_() % 100 < percent; }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return *(all.begin() + random_() % all.size());
  }

 private:
  std::mt19937_64 random_;
};

gap_tracker_options any_options(dice& roll) {
  gap_tracker_options o;
  o.bits = roll.one_of({64U, 64U, 64U, 64U, 32U, 16U, 12U, 12U, 8U, 8U, 33U, 63U, 7U, 5U, 3U, 2U, 1U});
  const std::uint64_t mask = most >> (64 - o.bits);
  if (roll.chance(60))
    o.expect_from = roll.one_of({std::uint64_t{0}, roll(100), most - roll(300), mask - roll(3), most / 2, mask});
  if (roll.chance(50))
    o.reorder_distance = roll.one_of({std::uint64_t{0}, std::uint64_t{1}, 1 + roll(10), 1 + roll(40), most - roll(5)});
  if (roll.chance(50)) o.reorder_delay = duration{roll.one_of({std::uint64_t{0}, roll(100), roll(1'000)})};
  o.max_gaps = 1 + roll(8);
  o.replay.max_attempts = static_cast<std::uint32_t>(roll(4));
  o.replay.first_wait = duration{1 + roll(100)};
  o.replay.longest_wait = o.replay.first_wait + duration{roll(150)};
  if (roll.chance(50)) o.replay.give_up_after = duration{1 + roll(roll.one_of({100U, 2'000U}))};
  if (roll.chance(5)) o.replay.give_up_after = duration::max() - duration{roll(2'000)};
  return o;
}

std::uint64_t any_number(const naive_tracker& naive, unsigned bits, dice& roll) {
  const std::uint64_t mask = most >> (64 - bits);
  const std::uint64_t next =
      naive.next().value_or(naive.high_position() ? 0 : roll.one_of({roll(50), mask - roll(50), mask / 2}));
  const ranges gaps = naive.missing();
  const auto& given_up = naive.given_up();
  switch (roll(20)) {
    case 0:
    case 1:
    case 2:
      return (next + roll.one_of({1 + roll(3), 1 + roll(12), roll(80)})) & mask;
    case 3:
    case 4:
    case 5:
    case 6:
      if (gaps.empty()) return next & mask;
      {
        const sequence_range& g = gaps[roll(gaps.size())];
        return roll.one_of({g.first, g.last, g.first + roll(g.size())}) & mask;
      }
    case 7:
    case 8:
      if (given_up.empty()) return next & mask;
      return *std::next(given_up.begin(), static_cast<std::ptrdiff_t>(roll(given_up.size()))) & mask;
    case 9:
    case 10:
      return (next - 1 - roll(roll.one_of({3U, 200U}))) & mask;
    case 11:
      return (naive.first() - roll(4)) & mask;
    case 12:
      return roll.chance(50) ? roll(mask / 2 + 1) * 2 + roll(2) : next;  // anything, of this width or not
    default:
      return next & mask;
  }
}

timestamp any_time(timestamp now, dice& roll) {
  const std::int64_t t = now.time_since_epoch().count();
  constexpr std::int64_t middle = std::numeric_limits<std::int64_t>::max() / 2;
  switch (roll(200)) {
    case 0:
      return roll.one_of({timestamp::max(), timestamp::min(), timestamp::max() - 1ns, timestamp::min() + 1ns});
    case 1:
    case 2:
      return at(static_cast<std::int64_t>(roll(1'000)));
    case 3:
    case 4:
    case 5:
      return t > middle || t < -middle ? start : at(t + static_cast<std::int64_t>(roll(2'000)) - 1'000);
    default:
      return t > middle ? now : at(t + static_cast<std::int64_t>(roll(roll.one_of({2U, 20U, 60U}))));
  }
}

// What advance tells to a handler that throws at each finding the first time.
findings advance_throwing(gap_tracker& t, timestamp now) {
  findings all;
  for (bool is_done = false, throws = true; !is_done;) {
    try {
      t.advance(now, [&](const auto& finding) {
        if (std::exchange(throws, !throws)) throw std::runtime_error("the handler");
        all.push_back(as_told(finding));
      });
      is_done = true;
    } catch (const std::runtime_error&) {
    }
  }
  return all;
}

TEST_CASE("a tracker answers as one that keeps every number") {
  std::uint64_t operations = 0;
  std::array<std::uint64_t, 12> reached{};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    dice roll(seed);
    const gap_tracker_options options = any_options(roll);
    gap_tracker tracker(options);
    naive_tracker naive(options);
    timestamp now = roll.one_of({start, at(1'000'000), at(-500)});
    std::uint64_t observed = 0;
    for (int step = 0; step < 200; ++step, ++operations) {
      INFO("seed " << seed << " step " << step << " bits " << options.bits);
      now = any_time(now, roll);
      const std::uint64_t choice = roll(100);
      if (choice < 75) {
        const std::uint64_t number = any_number(naive, options.bits, roll);
        if (const auto n = naive.unwrap(number); n && naive.next() && *n > *naive.next() && *n - *naive.next() > 300)
          continue;
        const auto judged = tracker.judge(number);
        const findings displaced = displaced_by(tracker, judged);
        const auto answer = tracker.observe(number, now);
        const auto expected = naive.observe(number, now);
        ++observed;
        ++reached[static_cast<std::size_t>(answer.answer)];
        if (!displaced.empty()) ++reached[6];
        if (!is_same(answer, expected) || judged.answer != answer.answer || judged.sequence != answer.sequence) {
          CAPTURE(number, answer.sequence, expected.sequence);
          REQUIRE(name_of(answer.answer) == name_of(expected.answer));
          REQUIRE(is_same(answer, expected));
        }
        if (displaced != expected.displaced) FAIL("what is displaced differs");
      } else if (choice < 90) {
        const bool can_wait = now < timestamp::max();  // at the end of time each wait is over at once
        std::optional<gap_tracker> copy;
        if (roll.chance(30) && can_wait) copy = tracker;
        const bool was_due = is_due(tracker, now);
        const findings all = advance(tracker, now);
        const findings expected = naive.advance(now);
        if (!was_due) REQUIRE(all.empty());
        if (all != expected) {
          CAPTURE(now.time_since_epoch().count(), was_due);
          REQUIRE(all == expected);
        }
        for (const told& f : all) ++reached[7 + f.what];
        if (can_wait && is_due(tracker, now)) FAIL("still due after advance");
        if (copy) {
          if (advance_throwing(*copy, now) != all) FAIL("a handler that throws is told something else");
          if (snapshot(*copy) != snapshot(tracker)) FAIL("a handler that throws leaves another state");
        }
      } else if (choice < 95) {
        const std::uint64_t number = any_number(naive, options.bits, roll);
        const bool is_forgotten = tracker.forget(number, now);
        REQUIRE(is_forgotten == naive.forget(number, now));
        if (is_forgotten) ++reached[10];
      } else {
        ++reached[11];
        const bytes saved = snapshot(tracker);
        gap_tracker other(options);
        REQUIRE(restore(other, saved));
        if (snapshot(other) != saved) FAIL("the bytes of the restored tracker differ");
        tracker = std::move(other);
        if (const std::string broken = broken_invariant(tracker); !broken.empty()) FAIL(broken);
      }
      if (!is_same(tracker, naive)) {
        REQUIRE(missing(tracker) == naive.missing());
        REQUIRE(abandoned(tracker) == naive.abandoned());
        REQUIRE(tracker.high_position() == naive.high_position());
        REQUIRE(tracker.contiguous_position() == naive.contiguous_position());
        REQUIRE(tracker.found_count() == naive.found_count());
        REQUIRE(tracker.recovered_count() == naive.recovered_count());
        FAIL("the state differs");
      }
      if (received(tracker) != observed) FAIL("the counts do not add up");
    }
  }
  for (const std::uint64_t n : reached) CHECK(n > 100);  // else the run above proves little
  CHECK(operations == 60'000);
}

// --- by hand

TEST_CASE("the first arrival is the first number unless another is expected") {
  gap_tracker any;
  CHECK_FALSE(any.expected());
  CHECK_FALSE(any.high_position());
  CHECK(receive(any, 7) == arrival::in_order);
  CHECK(receive(any, 6) == arrival::stale);
  CHECK(any.contiguous_position() == 7);

  gap_tracker from({.expect_from = 5});
  CHECK(from.expected() == 5);
  CHECK_FALSE(from.high_position());
  CHECK_FALSE(from.contiguous_position());
  CHECK(receive(from, 4) == arrival::stale);
  CHECK(receive(from, 7) == arrival::ahead);
  CHECK(missing(from) == ranges{{5, 6}});
  CHECK(from.high_position() == 7);
  CHECK_FALSE(from.contiguous_position());
  CHECK(receive(from, 5) == arrival::filled);
  CHECK(from.contiguous_position() == 5);
}

TEST_CASE("judging changes nothing and committing is what observe does") {
  gap_tracker judged;
  gap_tracker observed;
  for (const std::uint64_t n : {10U, 11U, 15U, 13U, 13U, 12U, 9U, 14U, 16U}) {
    const bytes before = snapshot(judged);
    const auto j = judged.judge(n);
    const auto hole = judged.hole(j);
    REQUIRE(snapshot(judged) == before);
    judged.commit(j, start);
    const auto seen = observed.observe(n, start);
    CHECK(seen.answer == j.answer);
    CHECK(seen.hole == hole);
    REQUIRE(snapshot(judged) == snapshot(observed));
  }
  CHECK(judged.count(arrival::in_order) == 3);
  CHECK(judged.count(arrival::ahead) == 1);
  CHECK(judged.count(arrival::filled) == 3);
  CHECK(judged.count(arrival::duplicate) == 1);
  CHECK(judged.count(arrival::stale) == 1);
}

TEST_CASE("every arrival has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) names.insert(name_of(static_cast<arrival>(a)));
  CHECK(names == std::set<std::string_view>{"in_order", "ahead", "filled", "late", "duplicate", "stale"});
}

TEST_CASE("a duplicate is recognised however old it is") {
  gap_tracker t({.expect_from = 0});
  for (std::uint64_t n = 0; n < 100'000; ++n) t.observe(n, start);
  CHECK(receive(t, 0) == arrival::duplicate);
  CHECK(receive(t, 50'000) == arrival::duplicate);
  CHECK(t.gap_count() == 0);
}

TEST_CASE("a packet is lost once three higher ones came as in RFC 9002") {
  gap_tracker t({.expect_from = 0, .reorder_distance = 3, .replay = {.max_attempts = 0}});
  receive_all(t, {0, 2, 3});
  CHECK(advance(t, start + 24h).empty());
  CHECK(t.due() > start + 24h);
  receive_all(t, {4});
  CHECK(is_due(t, start));
  CHECK(advance(t, start) == findings{{told::found, {1, 1}, start}});
  CHECK(advance(t, start).empty());
  CHECK(receive(t, 1) == arrival::filled);
  CHECK(t.found_count() == 1);
  CHECK(t.recovered_count() == 1);
}

TEST_CASE("a packet is lost after the time threshold of RFC 9002 where the next ones do not come") {
  gap_tracker t({.expect_from = 0, .reorder_distance = 3, .reorder_delay = 9ms, .replay = {.max_attempts = 0}});
  receive_all(t, {0, 2}, start + 1ms);
  CHECK(advance(t, start + 10ms - 1ns).empty());
  CHECK(advance(t, start + 10ms) == findings{{told::found, {1, 1}, start + 1ms}});
}

TEST_CASE("the numbers of RTP wrap after 65535 as in RFC 3550") {
  gap_tracker t({.bits = 16});
  for (const std::uint64_t n : {65'533U, 65'535U, 0U, 2U}) t.observe(n, start);
  CHECK(t.high_position() == 65'538);
  CHECK(missing(t) == ranges{{65'534, 65'534}, {65'537, 65'537}});
  CHECK(receive(t, 65'534) == arrival::filled);  // late across the wrap
  CHECK(receive(t, 65'535) == arrival::duplicate);
  CHECK(receive(t, 0) == arrival::duplicate);
  CHECK(t.contiguous_position() == 65'536);
  CHECK(receive(t, 1) == arrival::filled);
  CHECK(receive(t, 65'536) == arrival::stale);  // has 17 bits
  CHECK(receive(t, most) == arrival::stale);
  CHECK(t.contiguous_position() == 65'538);
}

TEST_CASE("a stream of 12 bits goes round many times without a false alarm") {
  gap_tracker t({.bits = 12, .expect_from = 4'000});
  for (std::uint64_t n = 4'000; n < 104'000; ++n) {
    if (t.observe(n & 0xFFF, start).answer != arrival::in_order) FAIL("at " << n);
  }
  CHECK(t.high_position() == 103'999);
  CHECK(t.missing_count() == 0);
}

TEST_CASE("a jump of 2^63 costs one gap") {
  gap_tracker t({.expect_from = 0, .max_gaps = 1});
  receive_all(t, {0});
  CHECK(t.observe(std::uint64_t{1} << 63, start).hole == sequence_range{1, (std::uint64_t{1} << 63) - 1});
  CHECK(t.gap_count() == 1);
  CHECK(t.missing_count() == (std::uint64_t{1} << 63) - 1);
  CHECK(advance(t, start).size() == 2);
  CHECK(receive(t, 1'000'000) == arrival::filled);  // splits it, and the lower half has to go
  CHECK(t.gap_count() == 1);
  CHECK(abandoned(t) == ranges{{1, 999'999}});
  CHECK(t.missing_count() == (std::uint64_t{1} << 63) - 1 - 1'000'000);
}

TEST_CASE("the stream ends at 2^64 - 1 and says so") {
  gap_tracker t({.expect_from = 0});
  CHECK(t.observe(most, start).hole == sequence_range{0, most - 1});
  CHECK_FALSE(t.expected());
  CHECK(t.high_position() == most);
  CHECK(t.missing_count() == most);
  CHECK(receive(t, most) == arrival::duplicate);
  CHECK(receive(t, 0) == arrival::filled);
  CHECK(receive(t, 0) == arrival::duplicate);
  CHECK(receive(t, most - 1) == arrival::filled);
  CHECK(missing(t) == ranges{{1, most - 2}});
  CHECK(t.forget(most, start));
  CHECK(receive(t, most) == arrival::filled);
  CHECK(broken_invariant(t).empty());

  gap_tracker last({.expect_from = most});
  CHECK(last.expected() == most);
  CHECK(receive(last, most) == arrival::in_order);
  CHECK(receive(last, most) == arrival::duplicate);
  CHECK(last.contiguous_position() == most);
}

TEST_CASE("all 2^64 numbers can be missing") {
  gap_tracker t({.expect_from = 0});
  t.observe(most, start);
  REQUIRE(t.forget(most, start));
  CHECK(t.missing_count() == most);  // as close as 64 bits come
  CHECK(receive(t, 5) == arrival::filled);
  CHECK(t.missing_count() == most);
  CHECK(broken_invariant(t).empty());
}

TEST_CASE("nothing is due where nothing is missing") {
  CHECK(gap_tracker().due() == timestamp::max());
  CHECK(gap_tracker({.expect_from = 0}).due() == timestamp::max());
  gap_tracker t({.expect_from = most - 1, .reorder_distance = 1});
  receive_all(t, {most - 1, most});
  CHECK(t.due() == timestamp::max());
  CHECK_FALSE(is_due(t, timestamp::max() - 1ns));
}

TEST_CASE("advance looks at no gap while none is due") {
  gap_tracker t({.expect_from = 0,
                 .reorder_distance = 64,
                 .reorder_delay = 200ms,
                 .replay = {.max_attempts = 1, .first_wait = 1s}});
  for (std::uint64_t n = 1; n < 40; n += 2) t.observe(n, start);
  CHECK(t.due() == start + 200ms);
  CHECK(advance(t, start + 200ms - 1ns).empty());
  CHECK(t.due() == start + 200ms);
  CHECK(advance(t, start + 200ms).size() == 40);
  CHECK(t.due() == start + 1'200ms);  // when the requests are too old
  receive_all(t, {1'000}, start + 300ms);
  CHECK(t.due() == start + 500ms);
  receive_all(t, {1'064}, start + 400ms);
  CHECK(t.due() == timestamp::min());
}

TEST_CASE("a gap whose upper end is filled is ripe sooner") {
  gap_tracker t({.expect_from = 0, .reorder_distance = 3, .replay = {.max_attempts = 0}});
  receive_all(t, {0, 5, 6});
  CHECK(advance(t, start).empty());
  receive_all(t, {4});
  CHECK(advance(t, start) == findings{{told::found, {1, 3}, start}});

  gap_tracker middle({.expect_from = 0, .reorder_distance = 3, .replay = {.max_attempts = 0}});
  receive_all(middle, {0, 5, 6, 3});
  CHECK(advance(middle, start) == findings{{told::found, {1, 2}, start}});
}

TEST_CASE("a gap is asked for with growing waits and given up after the last") {
  gap_tracker t(
      {.expect_from = 0,
       .replay = {.max_attempts = 3, .first_wait = 10ns, .longest_wait = 15ns, .give_up_after = duration::max()}});
  receive_all(t, {2}, at(100));
  std::vector<std::pair<std::int64_t, told>> log;
  for (std::int64_t now = 90; now < 200; ++now) {
    for (const told& f : advance(t, at(now))) log.emplace_back(now, f);
  }
  const sequence_range gap{0, 1};
  CHECK(log == std::vector<std::pair<std::int64_t, told>>{
                   {100, {told::found, gap, at(100)}},
                   {100, {told::request, gap, {}, 1, 3}},
                   {110, {told::request, gap, {}, 2, 3}},
                   {125, {told::request, gap, {}, 3, 3}},
                   {140, {told::abandoned, gap, at(100), 3, 0, abandon_reason::attempts}},
               });
  CHECK(receive(t, 1) == arrival::late);
  CHECK(receive(t, 1) == arrival::duplicate);
  CHECK(t.found_count() == 2);
  CHECK(t.recovered_count() == 1);
}

TEST_CASE("without requests a gap stays missing until it is too old") {
  gap_tracker t({.expect_from = 0, .replay = {.max_attempts = 0, .give_up_after = 1h}});
  receive_all(t, {1});
  CHECK(advance(t, start) == findings{{told::found, {0, 0}, start}});
  CHECK(t.due() == start + 1h);
  CHECK(advance(t, start + 1h - 1ns).empty());
  CHECK(advance(t, start + 1h) == findings{{told::abandoned, {0, 0}, start, 0, 0, abandon_reason::age}});
}

TEST_CASE("findings name the stream") {
  gap_tracker t({.expect_from = 0, .max_gaps = 1, .replay = {.give_up_after = 1ns}});
  receive_all(t, {1});
  std::vector<std::string> streams;
  const std::string stream = "sensor";
  const auto listen = [&](const auto& finding) { streams.push_back(finding.stream); };
  t.advance(start, stream, listen);
  t.tell_displaced(t.judge(3), stream, listen);
  t.advance(start + 1ns, stream, listen);
  CHECK(streams == std::vector<std::string>(4, stream));
}

TEST_CASE("the lowest gap is displaced by one too many and that is told before") {
  gap_tracker t({.expect_from = 0, .max_gaps = 2});
  receive_all(t, {1, 3}, at(5));
  CHECK(displaced_by(t, t.judge(4)).empty());
  CHECK(displaced_by(t, t.judge(0)).empty());
  CHECK(displaced_by(t, t.judge(5)) == findings{{told::abandoned, {0, 0}, at(5), 0, 0, abandon_reason::capacity}});
  receive_all(t, {5});
  CHECK(missing(t) == ranges{{2, 2}, {4, 4}});
  CHECK(abandoned(t) == ranges{{0, 0}});
}

TEST_CASE("late numbers that split what was given up do not make it grow beyond max_gaps") {
  gap_tracker t({.expect_from = 0, .max_gaps = 4, .replay = {.max_attempts = 0, .give_up_after = 1ns}});
  receive_all(t, {1'000});
  CHECK(advance(t, start + 1ns).size() == 2);
  for (std::uint64_t n = 1; n < 1'000; n += 2) {
    REQUIRE(receive(t, n) == arrival::late);
    REQUIRE(t.abandoned().size() <= 4);
  }
  CHECK(broken_invariant(t).empty());
  CHECK(receive(t, 1) == arrival::stale);
  CHECK(receive(t, 999) == arrival::duplicate);
}

TEST_CASE("a low gap given up after higher ones were forgotten is late and not stale") {
  gap_tracker t({.expect_from = 0, .max_gaps = 2, .replay = {.max_attempts = 0, .give_up_after = 100ns}});
  receive_all(t, {10}, at(50));  // 0-9 missing
  receive_all(t, {12}, at(0));   // 11, and so on, given up before it
  for (std::uint64_t n = 14; n < 24; n += 2) {
    static_cast<void>(advance(t, at(100)));
    receive_all(t, {n}, at(0));
  }
  REQUIRE(missing(t).front() == sequence_range{0, 9});
  REQUIRE(receive(t, 11) == arrival::stale);
  REQUIRE(receive(t, 17) == arrival::late);
  REQUIRE(receive(t, 19) == arrival::late);
  static_cast<void>(advance(t, at(150)));
  REQUIRE(abandoned(t).front() == sequence_range{0, 9});
  CHECK(receive(t, 9) == arrival::late);
}

TEST_CASE("forgetting makes a number missing again") {
  gap_tracker t({.expect_from = 0, .max_gaps = 2, .replay = {.max_attempts = 0}});
  receive_all(t, {0, 1, 2, 3});
  CHECK_FALSE(t.forget(4, start));
  CHECK_FALSE(t.forget(most, start));
  CHECK(t.forget(2, start));
  CHECK_FALSE(t.forget(2, start));
  CHECK(t.contiguous_position() == 1);
  CHECK(t.forget(3, start));  // the highest
  CHECK(t.high_position() == 3);
  CHECK(t.expected() == 4);
  CHECK_FALSE(t.forget(1, start));  // no room
  CHECK(receive(t, 1) == arrival::duplicate);
  CHECK(receive(t, 2) == arrival::filled);
  CHECK(t.forget(0, start));
  CHECK_FALSE(t.contiguous_position());
  CHECK(broken_invariant(t).empty());
  CHECK_FALSE(gap_tracker().forget(0, start));
}

TEST_CASE("time at both ends and going back breaks nothing") {
  for (const auto& [opened, later] : {std::pair{timestamp::min(), timestamp::max()},
                                      {timestamp::max(), timestamp::min()},
                                      {timestamp::max(), timestamp::max()},
                                      {timestamp::min(), timestamp::min()}}) {
    gap_tracker t(
        {.expect_from = 0,
         .reorder_delay = duration::max(),
         .replay = {.max_attempts = 2, .first_wait = duration::max() - 1ns, .longest_wait = duration::max()}});
    receive_all(t, {3}, opened);
    std::size_t told_count = 0;
    for (int i = 0; i < 10; ++i) {
      told_count += advance(t, later).size();
      told_count += advance(t, opened).size();
    }
    CHECK(told_count <= 4);
    CHECK(broken_invariant(t).empty());
  }
}

TEST_CASE("a handler that throws is told again and nothing else changes") {
  for (std::size_t failing = 0; failing < 8; ++failing) {
    gap_tracker t({.expect_from = 0, .replay = {.max_attempts = 1, .first_wait = 5ns}});
    receive_all(t, {1, 3, 5});
    gap_tracker reference = t;
    for (const timestamp now : {at(0), at(5)}) {
      findings all;
      std::size_t calls = 0;
      const auto handler = [&](const auto& finding) {
        if (calls++ == failing) throw std::runtime_error("the handler");
        all.push_back(as_told(finding));
      };
      try {
        t.advance(now, handler);
      } catch (const std::runtime_error&) {
        CHECK(is_due(t, now));
        gap_tracker other(t.options());
        REQUIRE(restore(other, snapshot(t)));
        CHECK(is_due(other, now));
        t.advance(now, handler);
      }
      CHECK(all == advance(reference, now));
      CHECK(snapshot(t) == snapshot(reference));
    }
    CHECK(t.gap_count() == 0);
  }
}

TEST_CASE("impossible options are refused with a sentence that names them") {
  const auto refusal = [](const gap_tracker_options& o) -> std::string {
    try {
      gap_tracker t(o);
    } catch (const std::invalid_argument& refused) {
      return refused.what();
    }
    return {};
  };
  CHECK(refusal({}).empty());
  CHECK(refusal({.bits = 0}).find("gap_tracker_options.bits") != std::string::npos);
  CHECK(refusal({.bits = 65}).find("gap_tracker_options.bits") != std::string::npos);
  CHECK(refusal({.max_gaps = 0}).find("max_gaps") != std::string::npos);
  CHECK(refusal({.max_gaps = std::size_t{1} << 32}).find("max_gaps") != std::string::npos);
  CHECK(refusal({.reorder_delay = -1ns}).find("reorder_delay") != std::string::npos);
  CHECK(refusal({.reorder_delay = 0ns}).empty());
  CHECK(refusal({.replay = {.first_wait = 0ns}}).find("first_wait") != std::string::npos);
}

// --- snapshots

TEST_CASE("gap tracker: a snapshot of other options is refused") {
  std::vector<gap_tracker_options> all(12);
  all[1].bits = 63;
  all[2].expect_from = 0;
  all[3].expect_from = 1;
  all[4].reorder_distance = 0;
  all[5].reorder_delay = 0ns;
  all[6].max_gaps = 1;
  all[7].replay.max_attempts = 1;
  all[8].replay.first_wait = 2s;
  all[9].replay.longest_wait = 2min;
  all[10].replay.give_up_after = 1s;
  all[11].reorder_distance = 1;
  for (std::size_t a = 0; a < all.size(); ++a) {
    for (std::size_t b = 0; b < all.size(); ++b) {
      CAPTURE(a, b);
      gap_tracker t(all[b]);
      CHECK((restore(t, snapshot(gap_tracker(all[a]))).status == recoup::snapshot_status::other_configuration) ==
            (a != b));
    }
  }
}

struct saved_gap {
  sequence_range range;
  std::uint32_t attempts = 0;
  bool is_found = false;
};

// The bytes of a tracker, field by field.
struct saved_tracker {
  bool is_started = true;
  bool is_running = true;
  std::uint64_t first = 10;
  std::uint64_t floor = 10;
  std::uint64_t next = 31;
  std::uint64_t found = 7;
  std::uint64_t recovered = 1;
  std::vector<saved_gap> gaps{{{20, 21}, 2, true}, {{25, 25}, 0, false}};
  ranges given_up{{12, 13}, {15, 16}};

  bytes framed(const gap_tracker& target) const {
    recoup::snapshot_writer w;
    recoup::detail::begin_frame(w, target.configuration(), {});
    w.begin_section(recoup::section_tag("GAPS"), 1);
    w.boolean(is_started);
    w.boolean(is_running);
    for (const std::uint64_t n : {first, floor, next, found, recovered}) w.u64(n);
    for (std::uint64_t n = 0; n < recoup::arrival_kinds; ++n) w.u64(n);
    w.u64(gaps.size());
    for (const saved_gap& g : gaps) {
      w.u64(g.range.first);
      w.u64(g.range.last);
      w.time(start);
      w.time(start);
      w.u32(g.attempts);
      w.boolean(g.is_found);
    }
    w.u64(given_up.size());
    for (const sequence_range& r : given_up) {
      w.u64(r.first);
      w.u64(r.last);
    }
    w.end_section();
    recoup::detail::end_frame(w);
    return w.take();
  }
};

template <class Change>
recoup::snapshot_status status_with(Change change, const gap_tracker_options& options = {.max_gaps = 3}) {
  saved_tracker saved;
  change(saved);
  gap_tracker t(options);
  const bytes before = snapshot(t);
  const auto status = restore(t, saved.framed(t)).status;
  if (status == recoup::snapshot_status::ok) {
    CHECK(broken_invariant(t).empty());
  } else {
    CHECK(snapshot(t) == before);
  }
  return status;
}

TEST_CASE("a snapshot of a state that cannot be is refused") {
  using enum recoup::snapshot_status;
  using saved = saved_tracker;
  REQUIRE(status_with([](saved&) {}) == ok);
  REQUIRE(status_with([](saved&) {}, {.expect_from = 10, .max_gaps = 3}) == ok);

  CHECK(status_with([](saved& s) { s.is_started = false; }) == malformed);
  CHECK(status_with([](saved& s) { s.is_running = false; }) == malformed);
  CHECK(status_with([](saved&) {}, {.expect_from = 9, .max_gaps = 3}) == malformed);
  CHECK(status_with([](saved& s) { s.floor = 9; }) == malformed);
  CHECK(status_with([](saved& s) { s.floor = 32; }) == malformed);
  CHECK(status_with([](saved& s) { s.next = 25; }) == malformed);
  CHECK(status_with([](saved& s) { s.next = 9; }) == malformed);
  CHECK(status_with([](saved& s) { s.gaps[0].range.first = 22; }) == malformed);
  CHECK(status_with([](saved& s) { s.gaps[0].range.first = 9; }) == malformed);
  CHECK(status_with([](saved& s) { s.gaps[0].range = {14, 15}; }) == malformed);
  CHECK(status_with([](saved& s) { s.gaps[1].range.last = 31; }) == malformed);
  CHECK(status_with([](saved& s) { s.gaps[1].range.first = 21; }) == malformed);
  CHECK(status_with([](saved& s) { std::swap(s.gaps[0], s.gaps[1]); }) == malformed);
  CHECK(status_with([](saved& s) { s.gaps.assign(4, {{20, 20}}); }) == malformed);
  CHECK(status_with([](saved& s) { s.gaps[0].attempts = 6; }) == malformed);
  CHECK(status_with([](saved& s) { s.gaps[1].attempts = 1; }) == malformed);
  CHECK(status_with([](saved& s) { s.given_up[0].first = 9; }) == malformed);
  CHECK(status_with([](saved& s) { s.given_up.push_back({31, 40}); }) == malformed);
  CHECK(status_with([](saved& s) { s.given_up = {{11, 11}, {13, 13}, {15, 15}, {17, 17}}; }) == malformed);

  const auto nothing_received = [](saved& s, std::uint64_t first) {
    s.first = s.floor = s.next = first;
    s.gaps.clear();
    s.given_up.clear();
  };
  CHECK(status_with([&](saved& s) { nothing_received(s, 0); }, {.expect_from = 0, .max_gaps = 3}) == ok);
  CHECK(status_with([&](saved& s) { nothing_received(s, 0); }) == malformed);
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}, most}) {
    const gap_tracker_options from{.expect_from = first, .max_gaps = 3};
    CHECK(status_with([&](saved& s) { nothing_received(s, first), s.given_up = {{5, 10}}; }, from) == malformed);
    CHECK(status_with([&](saved& s) { nothing_received(s, first), s.gaps = {{{5, 10}}}; }, from) == malformed);
    CHECK(status_with([&](saved& s) { nothing_received(s, 0), s.is_started = s.is_running = false; }, from) ==
          malformed);
  }

  const auto at_the_end = [](saved& s) { s.is_running = false, s.next = 0; };
  CHECK(status_with([&](saved& s) { at_the_end(s); }) == ok);
  CHECK(status_with([&](saved& s) { at_the_end(s), s.floor = 9; }) == malformed);
  CHECK(status_with([&](saved& s) { at_the_end(s), s.next = 1; }) == malformed);
  CHECK(status_with([&](saved& s) {
          at_the_end(s), s.first = s.floor = 0, s.given_up.clear(), s.gaps = {{{0, most}}};
        }) == malformed);
}

bytes mutated(bytes content, dice& roll) {
  // Where the fields are, as long as nothing was cut or added.
  const auto field = [&]() -> std::size_t {
    return roll.chance(50) ? 16 + 8 * roll(11) : 112 + 37 * roll(4) + 8 * roll(4);
  };
  for (std::uint64_t n = 1 + roll(3); n > 0 && content.size() > 8; --n) {
    const std::size_t place = roll.chance(70) ? field() % (content.size() - 8) : roll(content.size() - 8);
    switch (roll(10)) {
      case 0:
        content[roll.one_of({std::size_t{14}, std::size_t{15}, place}) % content.size()] =
            static_cast<std::byte>(roll.one_of({roll(2), roll(256)}));
        break;
      case 1:
        content.resize(roll(content.size()));
        break;
      case 2:
        content.insert(content.begin() + static_cast<std::ptrdiff_t>(place), roll(40),
                       static_cast<std::byte>(roll(256)));
        break;
      default: {
        const std::uint64_t old = recoup::detail::from_little_endian<std::uint64_t>(std::span(content).subspan(place));
        const auto patch = recoup::detail::to_little_endian(
            roll.one_of({std::uint64_t{0}, std::uint64_t{1}, most, most - 1, old + 1, old - 1, old + roll(20),
                         old - roll(20), std::uint64_t{1} << 63, roll(64)}));
        std::copy(patch.begin(), patch.end(), content.begin() + static_cast<std::ptrdiff_t>(place));
      }
    }
  }
  return content;
}

TEST_CASE("there is never memory for more gaps than one above max_gaps") {
  gap_tracker t({.max_gaps = 4});
  t.observe(0, start);
  const std::size_t before = allocations_so_far;
  for (std::uint64_t n = 10; n <= 40; n += 10) t.observe(n, start);
  CHECK(allocations_so_far - before == 3);  // room for 1, 3, 5
  t.observe(35, start);                     // splits a gap, and gives up the lowest
  CHECK(t.gap_count() == 4);
  CHECK(t.abandoned().size() == 1);
  CHECK(allocations_so_far - before == 3);
}

TEST_CASE("a forged snapshot is refused or gives a tracker that works") {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    dice roll(seed);
    gap_tracker_options options = any_options(roll);
    if (options.bits != 64) options.expect_from.reset();
    if (options.bits != 64 && roll.chance(70)) options.bits = 64;
    gap_tracker original(options);
    timestamp now = start;
    std::uint64_t number = options.expect_from.value_or(roll.one_of({std::uint64_t{0}, roll(1'000)}));
    for (std::uint64_t steps = roll(100); steps > 0; --steps) {
      original.observe(number - roll(5), now);
      number += roll(4);
      now += duration{roll(20)};
      static_cast<void>(advance(original, now));
    }
    const bytes valid = snapshot(original);
    const auto frame = recoup::detail::parse_frame(valid);
    for (int i = 0; i < 150; ++i) {
      INFO("seed " << seed << " mutation " << i);
      const bytes content = mutated({frame.content.begin(), frame.content.end()}, roll);
      recoup::snapshot_writer w;
      recoup::detail::begin_frame(w, frame.configuration, {});
      for (const std::byte b : content) w.u8(std::to_integer<std::uint8_t>(b));
      recoup::detail::end_frame(w);
      const bytes forged = w.take();

      gap_tracker t = original;
      if (!restore(t, forged)) {
        ++refused;
        if (snapshot(t) != valid) FAIL("a refused snapshot changed the tracker");
        continue;
      }
      ++accepted;
      if (snapshot(t) != forged) FAIL("not what was restored");
      if (const std::string broken = broken_invariant(t); !broken.empty()) FAIL(broken);
      for (int step = 0; step < 20; ++step) {
        const std::uint64_t sum = received(t);
        const std::uint64_t high = t.high_position().value_or(0);
        const std::uint64_t n = roll.one_of(
            {high + 1, high + roll(30), high - roll(60), roll(2) - 1, roll(40), high / 2, std::uint64_t{1} << 63});
        t.observe(n & (most >> (64 - options.bits)), now);
        if (received(t) != sum + 1) FAIL("a number is not counted");
        now = any_time(now, roll);
        for (const told& f : advance(t, now)) {
          if (f.what == told::request && (f.attempts == 0 || f.attempts > f.of)) FAIL("attempt " << f.attempts);
          if (f.what == told::abandoned && f.attempts > options.replay.max_attempts) FAIL("attempts " << f.attempts);
        }
        if (roll.chance(20)) static_cast<void>(t.forget(n, now));
      }
      if (const std::string broken = broken_invariant(t); !broken.empty()) FAIL(broken << " later");
    }
  }
  CHECK(accepted > 300);
  CHECK(refused > 1'500);
}

}  // namespace
