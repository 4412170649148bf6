// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/resequencer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"

namespace {

using recoup::duration;
using recoup::on_overflow;
using recoup::pass_reason;
using recoup::placing;
using recoup::resequencer;
using recoup::resequencer_options;
using recoup::sequence_range;
using recoup::timestamp;
using namespace std::chrono_literals;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
constexpr timestamp start{};

struct event {
  std::uint64_t number = 0;
  std::uint32_t size = 1;

  void save(recoup::snapshot_writer& w) const {
    w.u64(number);
    w.u32(size);
  }
  bool load(recoup::snapshot_reader& r) {
    number = r.u64();
    size = r.u32();
    return r.ok();
  }
};

struct plain {
  std::uint64_t number;
};

struct size_of_event {
  std::size_t operator()(const event& e) const noexcept { return e.size; }
};
using sized = resequencer<event, size_of_event>;

static_assert(sizeof(sized::judgement) == 16, "stays in two registers");
static_assert(std::has_unique_object_representations_v<sized::judgement>, "has no padding");
static_assert(recoup::snapshotable<resequencer<event>>);
static_assert(!recoup::snapshotable<resequencer<plain>>, "what can't be written has no snapshot");
static_assert(std::is_nothrow_move_constructible_v<sized> && std::is_nothrow_move_assignable_v<sized>);

// One event, or one hole.
struct told {
  bool is_event = true;
  sequence_range range{};
  pass_reason reason{};

  bool operator==(const told&) const = default;
};
std::ostream& operator<<(std::ostream& out, const told& t) {
  if (t.is_event) return out << t.range.first;
  return out << '[' << t.range.first << '-' << t.range.last << ' ' << describe(t.reason) << ']';
}
using history = std::vector<told>;

told came(std::uint64_t number) { return {true, {number, number}, {}}; }
told passed(std::uint64_t first, std::uint64_t last, pass_reason why) { return {false, {first, last}, why}; }
history came(std::initializer_list<std::uint64_t> numbers) {
  history all;
  for (const std::uint64_t n : numbers) all.push_back(came(n));
  return all;
}

struct failure {};

// Writes down what it is told; throws at a call.
struct recorder {
  history all;
  std::size_t fail_at = std::numeric_limits<std::size_t>::max();

  void note(told t) {
    if (all.size() == fail_at) throw failure();
    all.push_back(t);
  }
  template <class Event>
  void operator()(const Event& e) {
    note(came(e.number));
  }
  template <class Stream>
  void operator()(const recoup::hole_passed_over<Stream>& h) {
    note(passed(h.range.first, h.range.last, h.reason));
  }
};

template <class R>
placing offer(R& r, std::uint64_t number, recorder& out, timestamp now = start) {
  return r.offer(number, event{number, 1}, now, out);
}
template <class R>
history offer_all(R& r, std::initializer_list<std::uint64_t> numbers, timestamp now = start) {
  recorder out;
  for (const std::uint64_t n : numbers) offer(r, n, out, now);
  return out.all;
}
template <class R>
history release(R& r, timestamp now) {
  recorder out;
  r.release(now, out);
  return out.all;
}
template <class R>
history flush(R& r) {
  recorder out;
  r.flush(out);
  return out.all;
}

template <class R>
std::uint64_t offered(const R& r) {
  std::uint64_t sum = 0;
  for (std::size_t p = 0; p < recoup::placing_kinds; ++p) sum += r.count(static_cast<placing>(p));
  return sum;
}

// Keeps every number one by one. For numbers that lie close together.
class model {
 public:
  explicit model(const resequencer_options& o) : options_(o) {
    if (o.expect_from) begin(*o.expect_from);
  }

  placing judge(std::uint64_t n, std::uint64_t size) const {
    if (!started_) return placing::next;
    if (is_past(n)) return n < floor_ || skipped_.contains(n) ? placing::late : placing::duplicate;
    if (held_.contains(n)) return placing::duplicate;
    if (n == next_) return placing::next;
    const bool refuses = options_.overflow == on_overflow::refuse;
    if (refuses ? held_.size() + 1 > options_.max_events || bytes() + size > options_.max_bytes : is_over()) {
      return placing::refused;
    }
    return placing::held;
  }
  // Without a size: the number is settled.
  placing commit(std::uint64_t n, std::optional<std::uint64_t> size, timestamp now) {
    const placing answer = judge(n, size.value_or(0));
    if (answer == placing::next) {
      if (!started_) begin(n);
      skipped_.erase(n);
      step_to(n);
    } else if (answer == placing::held) {
      held_[n] = {size, now};
      skipped_.erase(n);
    } else if (answer == placing::late) {
      skipped_.erase(n);
    } else if (answer == placing::refused && !size) {
      pass_over({n, n});
    }
    bound();
    return answer;
  }
  void pass_over(sequence_range r) {
    if (!started_ || ended_ || r.last < next_) return;
    // As the component does: one stretch between held numbers after the other.
    for (std::uint64_t n = std::max(r.first, next_); n <= r.last; ++n) {
      if (!held_.contains(n)) skipped_.insert(n);
      if (n == r.last || held_.contains(n + 1)) bound();
      if (n == r.last) break;
    }
  }
  bool forget(std::uint64_t n) {
    if (!started_) return false;
    if (!is_past(n)) return held_.erase(n) == 1;
    if (n < floor_ || skipped_.contains(n)) return false;
    if (n == next_ - 1) {
      next_ = n;
      ended_ = false;
    } else {
      skipped_.insert(n);
      bound();
    }
    return true;
  }
  // Stops, as if the handler threw, when the history is as long as `limit`. True if it did.
  bool release(timestamp now, bool all, history& out, std::size_t limit) {
    std::optional<std::uint64_t> overdue;
    for (const auto& [n, h] : held_) {
      if (now >= due_of(h)) overdue = n;
    }
    if (options_.max_hold == duration::max()) overdue.reset();
    while (started_ && !ended_) {
      if (const auto lowest = held_.begin(); lowest != held_.end() && lowest->first == next_) {
        if (lowest->second.size) {
          if (out.size() == limit) return true;
          out.push_back(came(next_));
        }
        held_.erase(lowest);
        step_to(next_);
        continue;
      }
      pass_reason why = pass_reason::given_up;
      const bool given_up = skipped_.contains(next_);
      if (!given_up) {
        if (held_.empty()) return false;
        if (all) {
          why = pass_reason::flush;
        } else if (is_over()) {
          why = pass_reason::capacity;
        } else if (overdue && held_.begin()->first <= *overdue) {
          why = pass_reason::time;
        } else {
          return false;
        }
      }
      if (out.size() == limit) return true;
      std::uint64_t last = next_;
      while (last != most && !held_.contains(last + 1) && skipped_.contains(last + 1) == given_up) ++last;
      out.push_back(passed(next_, last, why));
      for (std::uint64_t n = next_;; ++n) {
        skipped_.insert(n);
        if (n == last) break;
      }
      step_to(last);
      bound();
    }
    return false;
  }

  timestamp due() const {
    timestamp due = timestamp::max();
    for (const auto& [n, h] : held_) due = std::min(due, due_of(h));
    return due;
  }
  std::optional<std::uint64_t> expected() const { return started_ && !ended_ ? std::optional(next_) : std::nullopt; }
  std::size_t held_count() const { return held_.size(); }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [n, h] : held_) sum += h.size.value_or(0);
    return sum;
  }

 private:
  struct waiting {
    std::optional<std::uint64_t> size;
    timestamp since;
  };

  void begin(std::uint64_t n) {
    started_ = true;
    next_ = floor_ = n;
  }
  void step_to(std::uint64_t n) {
    next_ = n + 1;
    if (n == most) ended_ = true;
  }
  bool is_past(std::uint64_t n) const { return ended_ || n < next_; }
  bool is_over() const { return held_.size() > options_.max_events || bytes() > options_.max_bytes; }
  timestamp due_of(const waiting& w) const {
    return options_.max_hold == duration::max() ? timestamp::max() : w.since + options_.max_hold;
  }

  // As many stretches of numbers without a break as are remembered.
  void bound() {
    std::vector<sequence_range> stretches;
    for (const std::uint64_t n : skipped_) {
      if (!stretches.empty() && stretches.back().last + 1 == n) {
        stretches.back().last = n;
      } else {
        stretches.push_back({n, n});
      }
    }
    if (stretches.size() <= options_.max_events) return;
    sequence_range out = stretches.back();
    if (is_past(stretches.front().last)) {
      out = stretches.front();
      floor_ = out.last + 1;
    }
    std::erase_if(skipped_, [&](std::uint64_t n) { return out.contains(n); });
  }

  resequencer_options options_;
  std::uint64_t next_ = 0;
  std::uint64_t floor_ = 0;
  bool started_ = false;
  bool ended_ = false;
  std::map<std::uint64_t, waiting> held_;
  std::set<std::uint64_t> skipped_;
};

// How much longer than usual the tests with random operations run.
std::size_t test_scale() {
  const char* scale = std::getenv("RECOUP_TEST_SCALE");
  return scale == nullptr ? 1 : std::max<std::size_t>(1, std::strtoull(scale, nullptr, 10));
}

class random_run {
 public:
  explicit random_run(std::uint64_t seed) : random_(seed), options_(make_options()), r_(options_), m_(options_) {}

  // False, with what differed, at the first difference from the model.
  bool run(std::size_t operations) {
    for (std::size_t i = 0; i < operations && difference.empty(); ++i) step();
    return difference.empty();
  }

  std::string difference;
  std::array<std::uint64_t, recoup::placing_kinds> answers{};
  std::array<std::uint64_t, 4> reasons{};
  std::uint64_t throws = 0;

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  resequencer_options make_options() {
    resequencer_options o;
    constexpr std::array<std::uint64_t, 4> bases{0, 3, 1'000, most - 300};
    base_ = bases[below(4)];
    if (below(2) == 0) o.expect_from = base_;
    o.max_events = 1 + below(below(2) == 0 ? 3 : 12);
    if (below(2) == 0) o.max_bytes = 1 + below(20);
    o.max_hold = below(3) == 0 ? duration::max() : duration(below(30));
    if (below(2) == 0) o.overflow = on_overflow::refuse;
    return o;
  }

  std::uint64_t nearby() {
    const std::uint64_t at = m_.expected().value_or(m_.held_count() == 0 && offered(r_) == 0 ? base_ : most);
    const std::uint64_t behind = below(8) == 0 ? below(10) : 0;
    const std::uint64_t ahead = below(2) == 0 ? below(3) : below(14);
    const std::uint64_t from = at - std::min(at, behind);
    return from + std::min(ahead, most - from);
  }

  void expect(bool same, const char* what) {
    if (!same && difference.empty()) difference = what;
  }

  void step() {
    now_ += duration(below(4));
    if (below(50) == 0) now_ -= duration(below(20));
    const std::uint64_t what = below(100);
    if (what < 70) {
      offer(nearby(), below(12) == 0 ? std::nullopt : std::optional<std::uint32_t>(1 + below(6)));
    } else if (what < 74) {
      const std::uint64_t first = nearby();
      const sequence_range range{first, first + std::min(below(9), most - first)};
      r_.pass_over(range);
      m_.pass_over(range);
    } else if (what < 78) {
      const std::uint64_t n = nearby();
      expect(r_.forget(n) == m_.forget(n), "forget");
    } else if (what < 79) {
      hand_out(true);
    } else if (what < 80) {
      const auto bytes = recoup::snapshot(r_);
      sized restarted(options_);
      expect(recoup::restore(restarted, bytes).status == recoup::snapshot_status::ok, "restore");
      expect((recoup::snapshot(restarted) == bytes), "bytes of a snapshot");
      r_ = std::move(restarted);
    } else if (what < 81) {
      const sized copy = r_;
      r_ = copy;
    } else {
      hand_out(false);
    }
    expect(r_.expected() == m_.expected(), "expected");
    expect(r_.held_count() == m_.held_count(), "held_count");
    expect(r_.held_bytes() == m_.bytes(), "held_bytes");
    expect(r_.due() <= m_.due(), "due");
    expect(offered(r_) == offered_, "sum of counts");
    expect(r_.held_count() <= options_.max_events + 1, "bound by count");
  }

  void offer(std::uint64_t n, std::optional<std::uint32_t> size) {
    placing answer{};
    if (size) {
      const event e{n, *size};
      const auto judged = r_.judge(n, e);
      answer = judged.answer;
      r_.commit(judged, e, now_);
    } else {
      const auto judged = r_.judge(n);
      answer = judged.answer;
      r_.settle(judged, now_);
    }
    expect(answer == m_.commit(n, size, now_), "answer");
    ++offered_;
    ++answers[static_cast<std::size_t>(answer)];
  }

  // Mostly all of it; else until the handler throws.
  void hand_out(bool all) {
    const std::size_t limit = below(4) == 0 ? below(4) : recorder().fail_at;
    history expected;
    const bool throws_in_model = m_.release(now_, all, expected, limit);
    recorder out;
    out.fail_at = limit;
    bool threw = false;
    try {
      if (all) {
        r_.flush(out);
      } else {
        r_.release(now_, out);
      }
    } catch (const failure&) {
      threw = true;
      ++throws;
    }
    expect(threw == throws_in_model, "whether the handler is called again");
    expect(out.all == expected, "what is told");
    if (!threw) expect(r_.due() > now_, "nothing is ready after a release");
    for (const told& t : out.all) {
      if (!t.is_event) ++reasons[static_cast<std::size_t>(t.reason)];
    }
  }

  std::mt19937_64 random_;
  std::uint64_t base_ = 0;
  resequencer_options options_;
  sized r_;
  model m_;
  timestamp now_ = start;
  std::uint64_t offered_ = 0;
};

}  // namespace

TEST_CASE("a resequencer does what a map of numbers does") {
  std::array<std::uint64_t, recoup::placing_kinds> answers{};
  std::array<std::uint64_t, 4> reasons{};
  std::uint64_t throws = 0;
  for (std::uint64_t seed = 0; seed < 900 * test_scale(); ++seed) {
    random_run run(seed);
    const bool same = run.run(600);
    if (!same) {
      CAPTURE(seed, run.difference);
      FAIL("the model says otherwise");
    }
    for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += run.answers[i];
    for (std::size_t i = 0; i < reasons.size(); ++i) reasons[i] += run.reasons[i];
    throws += run.throws;
  }
  // Nothing of it was left out.
  CHECK(*std::min_element(answers.begin(), answers.end()) > 3'000);
  CHECK(*std::min_element(reasons.begin(), reasons.end()) > 1'000);
  CHECK(throws > 1'000);
}

TEST_CASE("events in order go at once and are never copied") {
  struct counted {
    explicit counted(int& count) : copies(&count) {}
    counted(const counted& other) : copies(other.copies) { ++*copies; }
    counted(counted&&) noexcept = default;
    counted& operator=(const counted&) = delete;
    counted& operator=(counted&&) noexcept = default;
    ~counted() = default;
    int* copies;
  };
  int copies = 0;
  int handed_out = 0;
  const auto sink = [&](const auto&) { ++handed_out; };
  resequencer<counted> r;
  const counted e(copies);
  const std::size_t before = allocations_so_far;
  for (std::uint64_t n = 5; n < 1'000; ++n) CHECK(r.offer(n, e, start, sink) == placing::next);
  CHECK(handed_out == 995);
  CHECK(copies == 0);
  CHECK(allocations_so_far == before);

  CHECK(r.offer(1'001, e, start, sink) == placing::held);
  CHECK(copies == 1);
  CHECK(r.offer(1'002, counted(copies), start, sink) == placing::held);
  CHECK(r.offer(1'000, e, start, sink) == placing::next);
  CHECK(handed_out == 998);
  CHECK(copies == 1);
}

TEST_CASE("an event before its turn waits for those before it") {
  resequencer<event> r;
  CHECK(offer_all(r, {1, 4, 3}) == came({1}));
  CHECK(r.held_count() == 2);
  CHECK(r.expected() == 2);
  std::vector<std::uint64_t> held;
  r.for_each_held([&](std::uint64_t n, const event& e) {
    CHECK(e.number == n);
    held.push_back(n);
  });
  CHECK(held == std::vector<std::uint64_t>{3, 4});
  CHECK(offer_all(r, {2}) == came({2, 3, 4}));
  CHECK(r.held_count() == 0);
  CHECK(r.released_count() == 2);
  CHECK(r.due() == timestamp::max());
}

TEST_CASE("events that can only be moved can be held") {
  resequencer<std::unique_ptr<int>> r;
  std::vector<int> out;
  const auto sink = recoup::timestamp{};
  const auto told = [&](const auto& t) {
    if constexpr (requires { *t; }) out.push_back(*t);
  };
  for (const int n : {1, 3, 4, 2}) r.offer(static_cast<std::uint64_t>(n), std::make_unique<int>(n), sink, told);
  CHECK(out == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("what is held or was handed out is a duplicate and what was passed over is late once") {
  resequencer<event> r({.max_events = 2});
  recorder out;
  for (const std::uint64_t n : {10U, 13U, 14U}) offer(r, n, out);
  CHECK(offer(r, 13, out) == placing::duplicate);
  CHECK(offer(r, 10, out) == placing::duplicate);
  CHECK(offer(r, 16, out) == placing::held);  // one too many: 11-12 is passed over
  CHECK(out.all == history{came(10), passed(11, 12, pass_reason::capacity), came(13), came(14)});
  CHECK(offer(r, 12, out) == placing::late);
  CHECK(offer(r, 12, out) == placing::duplicate);
  CHECK(offer(r, 14, out) == placing::duplicate);
  CHECK(offer(r, 9, out) == placing::late);  // before the first
  CHECK(r.passed_over_count() == 2);
  CHECK(out.all.size() == 4);
}

TEST_CASE("the first and the last number have their turn") {
  resequencer<event> r({.expect_from = 0});
  CHECK(offer_all(r, {1, most}).empty());
  CHECK(offer_all(r, {0}) == came({0, 1}));
  r.pass_over({2, most - 1});
  CHECK(release(r, start) == history{passed(2, most - 1, pass_reason::given_up), came(most)});
  CHECK(r.expected() == std::nullopt);
  CHECK(r.passed_over_count() == most - 2);
  recorder out;
  CHECK(offer(r, most, out) == placing::duplicate);
  CHECK(offer(r, 0, out) == placing::duplicate);
  CHECK(offer(r, 5, out) == placing::late);
  CHECK(release(r, timestamp::max()).empty());
  CHECK(out.all.empty());

  CHECK(r.forget(most));
  CHECK(offer_all(r, {most}) == came({most}));
}

TEST_CASE("every number can be passed over at once") {
  resequencer<event> r({.expect_from = 0});
  r.pass_over({0, most});
  CHECK(r.due() == timestamp::min());
  CHECK(release(r, start) == history{passed(0, most, pass_reason::given_up)});
  CHECK(r.expected() == std::nullopt);
  recorder out;
  CHECK(offer(r, 7, out) == placing::late);
}

TEST_CASE("numbers far ahead are held as those nearby are") {
  resequencer<event> r({.max_events = 3});
  CHECK(offer_all(r, {0, most, 1ULL << 63, 5}) == came({0}));
  CHECK(r.held_count() == 3);
  CHECK(offer_all(r, {1}) == came({1}));
  CHECK(offer_all(r, {3}) ==
        history{passed(2, 2, pass_reason::capacity), came(3)});  // and what it would displace stays
  CHECK(r.held_count() == 3);
}

TEST_CASE("beyond max_bytes the lowest hole is passed over and one event may be larger than all") {
  sized r({.max_bytes = 10});
  recorder out;
  r.offer(1, event{1, 1}, start, out);
  r.offer(3, event{3, 6}, start, out);
  r.offer(5, event{5, 4}, start, out);
  CHECK(r.held_bytes() == 10);
  r.offer(7, event{7, 1}, start, out);
  CHECK(out.all == history{came(1), passed(2, 2, pass_reason::capacity), came(3)});
  CHECK(r.held_bytes() == 5);
  r.offer(9, event{9, 4'000'000'000}, start, out);
  CHECK(out.all.back() == came(9));
  CHECK(r.held_count() == 0);
}

TEST_CASE("sizes that add up to more than 64 bits do no harm") {
  struct huge {
    std::size_t operator()(const event&) const { return most; }
  };
  resequencer<event, huge> r({.max_events = 1'000, .overflow = on_overflow::refuse});
  recorder out;
  for (std::uint64_t n = 0; n < 2'000; n += 2) offer(r, n, out);
  CHECK(r.held_count() == 999);
  for (std::uint64_t n = 1; n < 2'000; n += 2) offer(r, n, out);
  CHECK(r.held_bytes() == 0);
}

TEST_CASE("a resequencer that refuses changes nothing and takes the event later") {
  sized r({.max_events = 2, .max_bytes = 5, .overflow = on_overflow::refuse});
  recorder out;
  for (const std::uint64_t n : {1U, 3U, 4U}) offer(r, n, out);
  CHECK(offer(r, 6, out) == placing::refused);
  CHECK(r.held_count() == 2);
  CHECK(out.all == came({1}));
  CHECK(r.forget(6) == false);
  CHECK(offer(r, 2, out) == placing::next);
  CHECK(offer(r, 6, out) == placing::held);
  CHECK(r.offer(7, event{7, 5}, start, out) == placing::refused);  // too large
  CHECK(offer(r, 5, out) == placing::next);
  CHECK(r.offer(7, event{7, 5}, start, out) == placing::next);
  CHECK(out.all == came({1, 2, 3, 4, 5, 6, 7}));
  CHECK(r.count(placing::refused) == 2);
}

TEST_CASE("without a release no more than one event too many is held") {
  resequencer<event> r({.max_events = 2});
  for (std::uint64_t n = 0; n < 20; n += 2) r.commit(r.judge(n, event{}), event{n, 1}, start);
  CHECK(r.held_count() == 3);
  CHECK(r.count(placing::refused) == 6);
}

TEST_CASE("an event is held for max_hold and then those before it are passed over") {
  resequencer<event> r({.max_hold = 10s});
  offer_all(r, {1, 3}, start);
  offer_all(r, {6}, start + 4s);
  offer_all(r, {9}, start + 5s);
  CHECK(r.due() == start + 10s);
  CHECK(release(r, start + 10s - 1ns).empty());
  CHECK(release(r, start + 10s) == history{passed(2, 2, pass_reason::time), came(3)});
  CHECK(r.due() == start + 14s);
  CHECK(release(r, start - 1h).empty());
  // The event that has waited for long is not the lowest: every hole before it is passed over.
  offer_all(r, {5}, start + 12s);
  CHECK(release(r, start + 14s) == history{passed(4, 4, pass_reason::time), came(5), came(6)});
  CHECK(release(r, start + 15s) == history{passed(7, 8, pass_reason::time), came(9)});
  CHECK(r.due() == timestamp::max());
}

TEST_CASE("times at the ends of their range and times that go back do no harm") {
  for (const duration hold : {0ns, duration(1s), duration::max()}) {
    resequencer<event> r({.max_hold = hold});
    offer_all(r, {1, 3}, timestamp::max());
    offer_all(r, {5}, timestamp::min());
    release(r, timestamp::min());
    release(r, timestamp::max());
    CHECK((r.held_count() == 0) == (hold != duration::max()));
    CHECK(r.due() == timestamp::max());
  }
}

TEST_CASE("without a max_hold nothing is ever due by time") {
  resequencer<event> r({.max_hold = duration::max()});
  offer_all(r, {1, 3}, start);
  CHECK(r.due() == timestamp::max());
  CHECK(release(r, timestamp::max()).empty());
}

TEST_CASE("numbers that were given up are not waited for and told in their place") {
  resequencer<event> r;
  offer_all(r, {1, 4, 8});
  r.pass_over({3, 6});
  CHECK(release(r, start).empty());  // 2 is still waited for
  CHECK(offer_all(r, {2}) ==
        history{came(2), passed(3, 3, pass_reason::given_up), came(4), passed(5, 6, pass_reason::given_up)});
  CHECK(r.expected() == 7);
}

TEST_CASE("a number that was given up and comes before it is told has its turn") {
  resequencer<event> r;
  offer_all(r, {1, 5});
  r.pass_over({2, 4});
  recorder out;
  r.commit(r.judge(3, event{}), event{3, 1}, start);
  r.release(start, out);
  CHECK(out.all == history{passed(2, 2, pass_reason::given_up), came(3), passed(4, 4, pass_reason::given_up), came(5)});
}

TEST_CASE("what was given up before or is behind changes nothing") {
  resequencer<event> r;
  r.pass_over({0, most});
  CHECK(offer_all(r, {4, 5}) == came({4, 5}));
  r.pass_over({0, 5});
  r.pass_over({9, 3});
  CHECK(release(r, start).empty());
  CHECK(r.expected() == 6);
}

TEST_CASE("a settled number is not waited for and nothing is told of it") {
  resequencer<event> r;
  offer_all(r, {1, 4});
  r.settle(r.judge(3), start);
  CHECK(offer_all(r, {2}) == came({2, 4}));
  r.settle(r.judge(5), start);
  CHECK(offer_all(r, {6}) == came({6}));
  recorder out;
  CHECK(offer(r, 3, out) == placing::duplicate);
}

TEST_CASE("a settled number for which there is no room is passed over") {
  resequencer<event> r({.max_events = 1, .overflow = on_overflow::refuse});
  offer_all(r, {1, 4});
  r.settle(r.judge(3), start);
  CHECK(offer_all(r, {2}) == history{came(2), passed(3, 3, pass_reason::given_up), came(4)});
}

TEST_CASE("when the handler throws the same is told again and nothing is lost or repeated") {
  resequencer<event> r({.max_hold = 1s});
  offer_all(r, {1, 3, 4, 7}, start);
  history all;
  std::size_t throws = 0;
  for (bool threw = true; threw;) {
    recorder out;
    out.fail_at = 1;
    threw = false;
    try {
      r.release(start + 1s, out);
    } catch (const failure&) {
      threw = true;
      ++throws;
    }
    all.insert(all.end(), out.all.begin(), out.all.end());
  }
  CHECK(all == history{passed(2, 2, pass_reason::time), came(3), came(4), passed(5, 6, pass_reason::time), came(7)});
  CHECK(throws == 4);
}

TEST_CASE("when the handler throws for the event itself nothing has changed") {
  resequencer<event> r;
  offer_all(r, {1, 3});
  recorder out;
  out.fail_at = 0;
  CHECK_THROWS_AS(offer(r, 2, out), failure);
  CHECK(r.expected() == 2);
  CHECK(offered(r) == 2);
  CHECK(offer_all(r, {2}) == came({2, 3}));
}

TEST_CASE("an event that can't be copied is not held and nothing has changed") {
  struct brittle {
    explicit brittle(bool is_bad) : breaks(is_bad) {}
    brittle(const brittle& other) : breaks(other.breaks) {
      if (breaks) throw failure();
    }
    brittle(brittle&&) = default;
    brittle& operator=(const brittle&) = default;
    brittle& operator=(brittle&&) = default;
    ~brittle() = default;
    bool breaks;
  };
  resequencer<brittle> r;
  int handed_out = 0;
  const auto sink = [&](const auto&) { ++handed_out; };
  r.offer(1, brittle(false), start, sink);
  const brittle bad(true);
  CHECK_THROWS_AS(r.offer(3, bad, start, sink), failure);
  CHECK(r.held_count() == 0);
  CHECK(offered(r) == 1);
  CHECK(r.offer(3, brittle(false), start, sink) == placing::held);
  CHECK(r.offer(2, bad, start, sink) == placing::next);
  CHECK(handed_out == 3);
}

TEST_CASE("what is forgotten comes anew") {
  resequencer<event> r;
  offer_all(r, {1, 2, 4});
  CHECK(r.forget(4));  // held: gone
  CHECK(!r.forget(4));
  CHECK(offer_all(r, {3}) == came({3}));
  CHECK(r.forget(3));  // the last: next again
  CHECK(offer_all(r, {4}).empty());
  CHECK(offer_all(r, {3}) == came({3, 4}));
  CHECK(r.forget(2));  // its turn is over
  CHECK(!r.forget(2));
  recorder out;
  CHECK(offer(r, 2, out) == placing::late);
  CHECK(offer(r, 2, out) == placing::duplicate);
  CHECK(!r.forget(0));
  CHECK(!r.forget(99));
  CHECK(!resequencer<event>().forget(0));
}

TEST_CASE("a restarted resequencer of narrow numbers counts on from where it is told that they lie") {
  recoup::resequencer<int> r({.bits = 8});
  const auto ignore = [](const auto&) {};
  r.offer(5, 5, start, ignore);
  r.restart(1'000);  // 232 in 8 bits
  CHECK_FALSE(r.has_begun());
  recoup::resequencer<int> restored({.bits = 8});
  REQUIRE(recoup::restore(restored, recoup::snapshot(r)));
  for (recoup::resequencer<int>* one : {&r, &restored}) {
    CHECK(one->judge(230).sequence == 998);
    CHECK(one->judge(1).sequence == 1'025);
    CHECK(one->offer(233, 1, start, ignore) == placing::next);
    CHECK(one->expected() == 1'002);
  }
}

TEST_CASE("a restarted resequencer begins with whatever comes next and remembers nothing") {
  resequencer<event> r({.expect_from = 100});
  offer_all(r, {100, 102, 104});
  r.pass_over({110, 120});
  r.restart();
  CHECK(r.held_count() == 0);
  CHECK(r.held_bytes() == 0);
  CHECK(!r.has_begun());
  CHECK(r.due() == timestamp::max());
  resequencer<event> restored({.expect_from = 100});
  REQUIRE(recoup::restore(restored, recoup::snapshot(r)).status == recoup::snapshot_status::ok);
  CHECK(offer_all(restored, {7, 9, 8}) == came({7, 8, 9}));
}

TEST_CASE("everything that is held can be handed out") {
  resequencer<event> r({.max_hold = duration::max()});
  offer_all(r, {1, 3, 4, 9});
  r.pass_over({6, 7});
  CHECK(flush(r) == history{passed(2, 2, pass_reason::flush), came(3), came(4), passed(5, 5, pass_reason::flush),
                            passed(6, 7, pass_reason::given_up), passed(8, 8, pass_reason::flush), came(9)});
  CHECK(r.expected() == 10);
  CHECK(flush(r).empty());
}

TEST_CASE("a resequencer unwraps numbers of 16 bits and holds across the wraparound") {
  resequencer<event> r({.bits = 16});
  recorder out;
  const auto send = [&](std::uint64_t n) { return r.offer(n, event{n, 1}, start, out); };
  send(65'534);
  CHECK(send(0) == placing::held);
  CHECK(send(1) == placing::held);
  CHECK(send(65'535) == placing::next);
  CHECK(out.all == came({65'534, 65'535, 0, 1}));
  CHECK(r.expected() == 65'538);
  CHECK(send(65'536) == placing::late);  // more than 16 bits
  for (std::uint64_t n = 2; n < 200'000; ++n) REQUIRE(send(n & 0xFFFF) == placing::next);
  CHECK(r.expected() == 265'536);
}

TEST_CASE("of holes passed over only so many are remembered and below them all is late") {
  resequencer<event> r({.max_events = 2, .max_hold = 0ns});
  for (std::uint64_t n = 0; n < 20; n += 2) offer_all(r, {n}), release(r, start);
  recorder out;
  CHECK(offer(r, 17, out) == placing::late);
  CHECK(offer(r, 16, out) == placing::duplicate);
  CHECK(offer(r, 5, out) == placing::late);
  CHECK(offer(r, 4, out) == placing::late);  // nobody knows any more
}

TEST_CASE("a resequencer takes no memory before it holds anything and then no more than it says") {
  const resequencer_options options{.max_events = 64};
  resequencer<event> r(options);
  recorder out;
  out.all.reserve(4'096);
  const auto lap = [&](std::uint64_t from) {
    for (std::uint64_t n = from; n < from + 200; n += 2) offer(r, n, out);
    for (std::uint64_t n = from + 1; n < from + 200; n += 2) offer(r, n, out);
    out.all.clear();
  };
  lap(0);
  const std::size_t before = allocations_so_far;
  for (std::uint64_t n = 1; n < 50; ++n) lap(n * 200);
  CHECK(allocations_so_far == before);
  CHECK(resequencer<event>::bytes_for(options) < 10'000);
}

TEST_CASE("bad options of a resequencer are refused with a sentence") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(resequencer<event>({.bits = 0}), Contains("resequencer_options.bits must be 1 to 64"));
  CHECK_THROWS_WITH(resequencer<event>({.bits = 65}), Contains("resequencer_options.bits"));
  CHECK_THROWS_WITH(resequencer<event>({.max_events = 0}), Contains("resequencer_options.max_events"));
  CHECK_THROWS_WITH(resequencer<event>({.max_events = (1 << 24) + 1}), Contains("resequencer_options.max_events"));
  CHECK_THROWS_WITH(resequencer<event>({.max_bytes = 0}), Contains("resequencer_options.max_bytes"));
  CHECK_THROWS_WITH(resequencer<event>({.max_hold = -1ns}), Contains("resequencer_options.max_hold"));
}

TEST_CASE("the options of a resequencer are part of its configuration") {
  std::set<std::uint64_t> all;
  for (const resequencer_options& o :
       {resequencer_options{}, resequencer_options{.bits = 32}, resequencer_options{.expect_from = 0},
        resequencer_options{.max_events = 5}, resequencer_options{.max_bytes = 5}, resequencer_options{.max_hold = 5s},
        resequencer_options{.overflow = on_overflow::refuse}}) {
    all.insert(resequencer<event>(o).configuration());
  }
  CHECK(all.size() == 7);
}

TEST_CASE("a resequencer refuses corrupt bytes or takes what it would write itself") {
  const resequencer_options options{.max_events = 4, .max_hold = 5s};
  resequencer<event> r(options);
  offer_all(r, {3, 6, 8, 11, 14, 17, 20});
  r.pass_over({30, 40});
  REQUIRE(r.held_count() == 4);
  recoup::snapshot_writer w;
  r.save(w);
  const std::vector<std::byte> good = w.take();
  const auto load = [&](const std::vector<std::byte>& bytes) {
    resequencer<event> loaded(options);
    recoup::snapshot_reader reader(bytes);
    if (!loaded.load(reader) || !reader.at_end()) {
      CHECK(loaded.held_count() == 0);
      return false;
    }
    recoup::snapshot_writer again;
    loaded.save(again);
    CHECK((again.take() == bytes));
    flush(loaded);
    return true;
  };
  CHECK(load(good));
  for (std::size_t n = 0; n < good.size(); ++n) {
    CHECK(!load(std::vector<std::byte>(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n))));
  }
  std::mt19937_64 random(7);
  std::size_t refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::vector<std::byte> bytes = good;
    for (std::uint64_t n = random() % 3 + 1; n > 0; --n) {
      bytes[random() % bytes.size()] = random() % 2 == 0 ? std::byte{0xFF} : static_cast<std::byte>(random());
    }
    refused += !load(bytes);
  }
  CHECK(refused > 500);
}

TEST_CASE("every reason to pass a hole over has a text of its own") {
  std::set<std::string_view> texts;
  for (const auto reason : {pass_reason::given_up, pass_reason::time, pass_reason::capacity, pass_reason::flush}) {
    texts.insert(describe(reason));
  }
  CHECK(texts.size() == 4);
  CHECK(texts.count(describe(static_cast<pass_reason>(200))) == 0);
}

TEST_CASE("every placing has a name") {
  std::vector<std::string> names;
  for (std::size_t p = 0; p < recoup::placing_kinds; ++p) names.emplace_back(name_of(static_cast<placing>(p)));
  CHECK(names == std::vector<std::string>{"next", "held", "duplicate", "late", "refused"});
}
