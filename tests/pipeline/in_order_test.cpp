// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/in_order.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "orders.hpp"

namespace {

using orders::order;
using orders::sink_failure;
using orders::start;
using recoup::in_order;
using recoup::on_overflow;
using recoup::origin;
using recoup::timestamp;
using recoup::verdict;
using namespace std::chrono_literals;
using lines = std::vector<std::string>;

// Writes down what it is told, in short: the stream and the number.
class scribe {
 public:
  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

  explicit scribe(std::size_t fail_at = never) : fail_at_(fail_at) {}

  lines all;
  std::string last_why;

  void operator()(const recoup::accepted<order>& v) {
    constexpr std::string_view from[] = {"", " replay", " correction", " inferred"};
    note("accepted", v.event, from[static_cast<std::size_t>(v.from)]);
  }
  void operator()(const recoup::duplicate<order>& v) { note("duplicate", v.event, v); }
  void operator()(const recoup::dead_letter<order>& v) { note("dead_letter", v.event, v); }
  void operator()(const recoup::correction<order>& v) { note("correction", v.original, v); }
  void operator()(const recoup::held<order>& v) {
    note(&v.event == &v.original ? "held" : "held corrected", v.event, v);
  }
  void operator()(const recoup::late<order>& v) { note("late", v.event, v); }
  void operator()(const recoup::refused<order>& v) { note("refused", v.event, v); }
  template <class Stream>
  void operator()(const recoup::hole_passed_over<Stream>& h) {
    constexpr std::string_view reasons[] = {"given up", "time", "capacity", "flush"};
    note("passed " + of(h.stream) + orders::show(h.range) + ' ' +
         std::string(reasons[static_cast<std::size_t>(h.reason)]));
  }
  template <class Stream>
  void operator()(const recoup::gap_abandoned<Stream>& g) {
    note("abandoned " + of(g.stream) + orders::show(g.range));
  }
  template <class Stream>
  void operator()(const recoup::stream_evicted<Stream>& e) {
    note("evicted " + of(e.stream) + std::to_string(e.missing) + " missing");
  }
  template <class Told>
  void operator()(const Told&) {}  // what track_gaps tells besides

 private:
  template <class Stream>
  static std::string of(Stream stream) {
    return std::to_string(static_cast<unsigned>(stream)) + '/';
  }
  void note(std::string_view what, const order& o, std::string_view more) {
    note(std::string(what) + ' ' + of(o.partition) + (o.offset ? std::to_string(*o.offset) : "absent") +
         std::string(more));
  }
  template <class Verdict>
  void note(std::string_view what, const order& o, const Verdict& v) {
    note(what, o, std::string_view());
    last_why = v.why();
  }
  void note(std::string line) {
    if (calls_++ == fail_at_) throw sink_failure();
    all.push_back(std::move(line));
  }

  std::size_t fail_at_;
  std::size_t calls_ = 0;
};

order numbered(std::uint64_t number, std::uint32_t partition = 0) {
  return {.partition = partition,
          .offset = number,
          .id = std::to_string(partition) + '-' + std::to_string(number),
          .at = start};
}

template <class Pipeline>
void send(Pipeline& pipe, std::initializer_list<std::uint64_t> numbers, scribe& out, std::uint32_t partition = 0) {
  for (const std::uint64_t n : numbers) pipe.process(numbered(n, partition), start, out);
}
template <class Pipeline>
lines send(Pipeline& pipe, std::initializer_list<std::uint64_t> numbers, std::uint32_t partition = 0) {
  scribe out;
  send(pipe, numbers, out, partition);
  return out.all;
}
template <class Pipeline>
lines advance(Pipeline& pipe, timestamp now) {
  scribe out;
  pipe.advance(now, out);
  return out.all;
}

auto alone(recoup::resequencer_options options = {}, recoup::keyed_options streams = {}) {
  return recoup::assemble<order>(in_order(&order::partition, &order::offset, options, streams));
}

auto behind_all(recoup::resequencer_options options = {}) {
  return recoup::assemble<order>(
      recoup::track_gaps(&order::partition, &order::offset,
                         {.replay = {.max_attempts = 1, .first_wait = 1s, .longest_wait = 1s}}),
      recoup::deduplicate(&order::id, recoup::exact_window({.events = 1'024})),
      recoup::check(
          recoup::rule<"price.positive">(recoup::in_range(&order::price, std::int64_t{1}, std::int64_t{1'000}),
                                         recoup::on_fail::dead_letter),
          recoup::rule<"total.product">(recoup::product_equals(&order::price, &order::quantity, &order::total),
                                        recoup::on_fail::correct)),
      in_order(&order::partition, &order::offset, options));
}

template <class Pipeline>
std::map<std::string, std::uint64_t> counters(const Pipeline& pipe) {
  std::map<std::string, std::uint64_t> all;
  pipe.stats([&](std::string_view stage, std::string_view counter, std::uint64_t value) {
    all[std::string(stage) + '.' + std::string(counter)] = value;
  });
  return all;
}

}  // namespace

TEST_CASE("an event before its turn is told as held and as accepted after the one that it waited for") {
  auto pipe = alone();
  scribe out;
  send(pipe, {1, 3}, out);
  CHECK(out.last_why == "in_order: 3 waits, as it is the turn of 2");
  send(pipe, {4, 2, 5}, out);
  CHECK(out.all ==
        lines{"accepted 0/1", "held 0/3", "held 0/4", "accepted 0/2", "accepted 0/3", "accepted 0/4", "accepted 0/5"});
  CHECK(pipe.count(verdict::held) == 2);
  CHECK(pipe.count(verdict::accepted) == 3);
}

TEST_CASE("events of one stream need not name it to be put in order") {
  auto pipe = recoup::assemble<order>(in_order(&order::offset, {.expect_from = 1}));
  CHECK(send(pipe, {2, 3}) == lines{"held 0/2", "held 0/3"});
  REQUIRE(pipe.stage_at<0>().stream() != nullptr);
  CHECK(pipe.stage_at<0>().stream()->held_count() == 2);
  CHECK(send(pipe, {1}) == lines{"accepted 0/1", "accepted 0/2", "accepted 0/3"});
}

TEST_CASE("every stream has an order of its own") {
  auto pipe = alone();
  scribe out;
  send(pipe, {1, 3}, out, 7);
  send(pipe, {2, 3}, out, 8);
  send(pipe, {2}, out, 7);
  CHECK(out.all == lines{"accepted 7/1", "held 7/3", "accepted 8/2", "accepted 8/3", "accepted 7/2", "accepted 7/3"});
  CHECK(pipe.stage_at<0>().stream(std::uint32_t{8})->expected() == 4);
  CHECK(pipe.stage_at<0>().stream(std::uint32_t{9}) == nullptr);
}

TEST_CASE("without a gap tracker holes are passed over by time in advance") {
  auto pipe = alone({.max_hold = 10s});
  send(pipe, {1, 3, 6});
  CHECK(advance(pipe, start + 9s).empty());
  CHECK(advance(pipe, start + 10s) == lines{"passed 0/2-2 time", "accepted 0/3", "passed 0/4-5 time", "accepted 0/6"});
  CHECK(advance(pipe, start + 1h).empty());
  scribe out;
  send(pipe, {5}, out);
  CHECK(out.all == lines{"late 0/5"});
  CHECK(out.last_why == "in_order: the turn of 5 is over, it is the turn of 7");
}

TEST_CASE("without a gap tracker holes are passed over by count and by bytes at once") {
  auto by_count = alone({.max_events = 2});
  CHECK(send(by_count, {1, 3, 4, 6}) == lines{"accepted 0/1", "held 0/3", "held 0/4", "held 0/6",
                                              "passed 0/2-2 capacity", "accepted 0/3", "accepted 0/4"});
  auto by_bytes = recoup::assemble<order>(
      in_order(&order::partition, &order::offset, {.max_bytes = 6}, {}, [](const order& o) { return o.id.size(); }));
  CHECK(send(by_bytes, {1, 3, 4, 6}) == lines{"accepted 0/1", "held 0/3", "held 0/4", "held 0/6",
                                              "passed 0/2-2 capacity", "accepted 0/3", "accepted 0/4"});
}

TEST_CASE("a hole that the gap tracker gives up is passed over at once and in its place") {
  auto pipe = behind_all();
  send(pipe, {1, 3, 4, 7});
  send(pipe, {1, 2}, 5);
  CHECK(advance(pipe, start).empty());
  CHECK(advance(pipe, start + 1s) == lines{"abandoned 0/2-2", "passed 0/2-2 given up", "accepted 0/3", "accepted 0/4",
                                           "abandoned 0/5-6", "passed 0/5-6 given up", "accepted 0/7"});
  CHECK(send(pipe, {6, 8}) == lines{"late 0/6", "accepted 0/8"});
}

TEST_CASE("a hole that the gap tracker gives up since another opens is passed over after that event") {
  auto pipe = recoup::assemble<order>(
      recoup::track_gaps(&order::partition, &order::offset, {.reorder_delay = 1h, .max_gaps = 2}),
      in_order(&order::partition, &order::offset));
  CHECK(send(pipe, {1, 3, 5, 7}) == lines{"accepted 0/1", "held 0/3", "held 0/5", "abandoned 0/2-2", "held 0/7",
                                          "passed 0/2-2 given up", "accepted 0/3"});
  scribe out(2);  // throws at the hole
  CHECK_THROWS_AS(pipe.process(numbered(9), start, out), sink_failure);
  CHECK(out.all == lines{"abandoned 0/4-4", "held 0/9"});
  CHECK(advance(pipe, start) == lines{"passed 0/4-4 given up", "accepted 0/5"});
  scribe again(1);  // throws at the event: nothing was given up
  CHECK_THROWS_AS(pipe.process(numbered(11), start, again), sink_failure);
  CHECK(advance(pipe, start).empty());
  CHECK(send(pipe, {6}) == lines{"accepted 0/6", "accepted 0/7"});
}

TEST_CASE("a stream that is taken up at another number goes on in order from there") {
  auto pipe = recoup::assemble<order>(
      recoup::track_gaps(&order::partition, &order::offset,
                         {.reorder_delay = 1h, .max_jump = 100, .max_behind = 100, .resynchronise_after = 2}),
      in_order(&order::partition, &order::offset));
  CHECK(send(pipe, {1'000, 1'002, 5'000}) == lines{"accepted 0/1000", "held 0/1002", "held 0/5000"});
  CHECK(send(pipe, {5'001, 5'003}) == lines{"abandoned 0/1001-1001", "held 0/5001", "passed 0/1001-1001 given up",
                                            "accepted 0/1002", "passed 0/1003-4999 given up", "accepted 0/5000",
                                            "accepted 0/5001", "held 0/5003"});
  CHECK(send(pipe, {7, 8, 9, 11, 10}) == lines{"late 0/7", "abandoned 0/5002-5002", "late 0/8",
                                               "passed 0/5002-5002 given up", "accepted 0/5003", "accepted 0/9",
                                               "held 0/11", "accepted 0/10", "accepted 0/11"});
}

TEST_CASE("when the sink throws at a hole that was given up the next advance goes on") {
  auto pipe = behind_all();
  send(pipe, {1, 3, 4, 7});
  advance(pipe, start);
  lines all;
  for (int i = 0; i < 20; ++i) {
    scribe out(1);
    try {
      pipe.advance(start + 1s, out);
    } catch (const sink_failure&) {
    }
    all.insert(all.end(), out.all.begin(), out.all.end());
  }
  CHECK(all == lines{"abandoned 0/2-2", "passed 0/2-2 given up", "accepted 0/3", "accepted 0/4", "abandoned 0/5-6",
                     "passed 0/5-6 given up", "accepted 0/7"});
}

TEST_CASE("nobody waits for an event that was rejected") {
  auto pipe = behind_all();
  order bad = numbered(3);
  bad.price = 0;
  scribe out;
  send(pipe, {1, 4}, out);
  pipe.process(bad, start, out);
  order copy = numbered(5);
  copy.id = "0-1";  // what the producer sent as number 1 again
  pipe.process(copy, start, out);
  send(pipe, {6, 2}, out);
  CHECK(out.all == lines{"accepted 0/1", "held 0/4", "dead_letter 0/3", "duplicate 0/5", "held 0/6", "accepted 0/2",
                         "accepted 0/4", "accepted 0/6"});
}

TEST_CASE("a repetition is a duplicate also without a deduplicate stage") {
  auto pipe = alone();
  scribe out;
  send(pipe, {1, 3, 3}, out);
  CHECK(out.last_why == "in_order: 3 is held already");
  send(pipe, {1}, out);
  CHECK(out.last_why == "in_order: 1 was handed out before");
  send(pipe, {2}, out);
  CHECK(out.all == lines{"accepted 0/1", "held 0/3", "duplicate 0/3", "duplicate 0/1", "accepted 0/2", "accepted 0/3"});
}

TEST_CASE("an event that was corrected is held and released as corrected") {
  auto pipe = behind_all();
  scribe out;
  send(pipe, {1}, out);
  order wrong = numbered(3);
  wrong.price = 2;
  wrong.quantity = 3;
  wrong.total = 7;
  CHECK(pipe.process(wrong, start, out) == verdict::held);
  CHECK(out.last_why.find("total.product") != std::string::npos);
  CHECK(out.last_why.find("in_order: 3 waits") != std::string::npos);
  std::int64_t total = 0;
  pipe.process(
      numbered(2), start,
      recoup::overloaded{[&](const recoup::accepted<order>& a) { total = a.event.total; }, [](const auto&) {}});
  CHECK(total == 6);
  CHECK(out.all == lines{"accepted 0/1", "held corrected 0/3"});
}

namespace {
// Partitions from 100 on are those of a producer that counts from there.
struct below_100 {
  bool operator()(const order& o) const { return o.partition < 100; }
  void fix(order& o) const { o.partition -= 100; }
};
}  // namespace

TEST_CASE("an event whose stream was corrected is followed by what it frees in that one") {
  auto pipe =
      recoup::assemble<order>(recoup::check(recoup::rule<"partition.number">(below_100(), recoup::on_fail::correct)),
                              in_order(&order::partition, &order::offset));
  scribe out;
  send(pipe, {1, 3}, out);
  send(pipe, {2}, out, 100);
  CHECK(out.all == lines{"accepted 0/1", "held 0/3", "correction 100/2", "accepted 0/3"});
}

TEST_CASE("stages behind see an event when it comes, once, also one that is held or late, but none that is refused") {
  struct payment {
    std::uint64_t offset = 0;
  };
  auto pipe = recoup::assemble<order>(
      in_order(&order::offset, {.max_events = 2, .overflow = on_overflow::refuse}),
      recoup::expect("order", &order::offset, {}, recoup::opened_by([](const order&) { return true; }),
                     recoup::never([](const order&) { return false; }, 1h)),
      recoup::detect_rate("orders", recoup::rate_detector()), recoup::detect("price", &order::price, recoup::welford()),
      recoup::reconcile(recoup::match<order, payment>(
          [](const order& o) { return *o.offset; }, &payment::offset, {},
          recoup::same<"offset">([](const order& o) { return *o.offset; }, &payment::offset))));
  scribe out;
  const auto seen = [&] {
    const auto all = counters(pipe);
    CHECK(all.at("detect_rate.noted") == all.at("expect.opened"));
    CHECK(all.at("detect.judged") == all.at("expect.opened"));
    CHECK(all.at("reconcile.ours_seen") == all.at("expect.opened"));
    CHECK(pipe.template stage_at<3>().detector().learnt() == all.at("expect.opened"));
    return all.at("expect.opened");
  };
  send(pipe, {1, 3, 4}, out);
  CHECK(seen() == 3);
  send(pipe, {5, 3}, out);
  CHECK(out.all == lines{"accepted 0/1", "held 0/3", "held 0/4", "refused 0/5", "duplicate 0/3"});
  CHECK(seen() == 3);
  pipe.advance(start + 24h, out);  // the hole is passed over
  send(pipe, {2}, out);
  CHECK(out.all.back() == "late 0/2");
  CHECK(seen() == 4);
}

TEST_CASE("an event is released with its origin and what is no part of the sequence passes at once") {
  auto pipe = alone();
  scribe out;
  pipe.process(numbered(9), start, out, origin::replay);  // begins no stream
  send(pipe, {1}, out);
  pipe.process(numbered(3), start, out, origin::replay);
  pipe.process(numbered(30), start, out, origin::correction);
  pipe.process(numbered(31), start, out, origin::inferred);
  order unnumbered = numbered(0);
  unnumbered.offset.reset();
  pipe.process(unnumbered, start, out);
  send(pipe, {2}, out);
  CHECK(out.all == lines{"accepted 0/9 replay", "accepted 0/1", "held 0/3", "accepted 0/30 correction",
                         "accepted 0/31 inferred", "accepted 0/absent", "accepted 0/2", "accepted 0/3 replay"});
}

TEST_CASE("a refused event is told and no stage has taken note of it") {
  auto pipe = behind_all({.max_events = 1, .overflow = on_overflow::refuse});
  scribe out;
  send(pipe, {1, 3}, out);
  const auto before = counters(pipe);
  CHECK(pipe.process(numbered(5), start, out) == verdict::refused);
  CHECK(out.last_why == "in_order: there is no room for 5 to wait, as 1 are held and it is the turn of 2");
  auto after = counters(pipe);
  CHECK(after["pipeline.refused"] == 1);
  after["pipeline.refused"] = 0;
  CHECK(after == before);
  send(pipe, {2, 5, 4}, out);
  CHECK(out.all == lines{"accepted 0/1", "held 0/3", "refused 0/5", "accepted 0/2", "accepted 0/3", "held 0/5",
                         "accepted 0/4", "accepted 0/5"});
}

TEST_CASE("a held event that is forgotten comes anew and so does one that was handed out last") {
  auto pipe = behind_all();
  scribe out;
  send(pipe, {1, 3}, out);
  CHECK(pipe.forget(numbered(3), start));
  send(pipe, {2}, out);
  CHECK(pipe.forget(numbered(2), start));
  send(pipe, {3, 2}, out);
  CHECK(out.all == lines{"accepted 0/1", "held 0/3", "accepted 0/2", "held 0/3", "accepted 0/2", "accepted 0/3"});
  CHECK(pipe.forget(numbered(2), start));
  CHECK(send(pipe, {2, 4}) == lines{"late 0/2", "accepted 0/4"});
  CHECK(!alone().forget(numbered(2), start));
}

TEST_CASE("a stream that is dropped for want of a place first hands out what it holds") {
  auto pipe = alone({}, {.capacity = 1});
  send(pipe, {1, 3, 6}, 7);
  CHECK(send(pipe, {20}, 8) == lines{"accepted 8/20", "passed 7/2-2 flush", "accepted 7/3", "passed 7/4-5 flush",
                                     "accepted 7/6", "evicted 7/3 missing"});
  CHECK(send(pipe, {1}, 9) == lines{"evicted 8/0 missing", "accepted 9/1"});
  CHECK(counters(pipe)["in_order.holding"] == 0);
}

TEST_CASE("a stream that is dropped as it is idle first hands out what it holds") {
  auto pipe = alone({.max_hold = recoup::duration::max()}, {.capacity = 4, .idle = 10s});
  send(pipe, {1, 3, 5}, 7);
  send(pipe, {1}, 8);
  CHECK(advance(pipe, start + 10s).empty());
  CHECK(advance(pipe, start + 11s) == lines{"evicted 8/0 missing", "passed 7/2-2 flush", "accepted 7/3",
                                            "passed 7/4-4 flush", "accepted 7/5", "evicted 7/2 missing"});
}

TEST_CASE("what a dropped stream holds survives a sink that throws and a restart") {
  const auto make = [] { return alone({}, {.capacity = 1}); };
  auto pipe = make();
  send(pipe, {1, 3, 6}, 7);
  lines all;
  const auto keep = [&](const scribe& out) { all.insert(all.end(), out.all.begin(), out.all.end()); };
  scribe first(2);
  CHECK_THROWS_AS(pipe.process(numbered(20, 8), start, first), sink_failure);
  keep(first);
  CHECK(pipe.processed() == 4);  // the event itself is done
  for (bool threw = true; threw;) {
    auto restarted = make();
    REQUIRE(recoup::restore(restarted, recoup::snapshot(pipe)).status == recoup::snapshot_status::ok);
    pipe = std::move(restarted);
    scribe out(1);
    threw = false;
    try {
      pipe.process(numbered(21, 8), start, out);
    } catch (const sink_failure&) {
      threw = true;
    }
    keep(out);
  }
  CHECK(all == lines{"accepted 8/20", "passed 7/2-2 flush", "accepted 7/3", "passed 7/4-5 flush", "accepted 7/6",
                     "evicted 7/3 missing", "accepted 8/21"});
}

TEST_CASE("a sink that throws at any of its calls changes nothing of what is told in the end") {
  const auto run = [](bool disturbed, std::uint64_t seed, std::size_t& throws) {
    auto pipe = alone({.max_events = 6, .max_hold = recoup::duration::max()});
    std::mt19937_64 random(seed);
    std::uint64_t next = 0;
    std::vector<std::uint64_t> lost;
    lines all;
    const auto call = [&](const auto& f) {
      for (std::size_t fail_at = disturbed ? 0 : scribe::never;; ++fail_at) {
        scribe out(fail_at);
        const std::uint64_t done = pipe.processed();
        bool threw = false;
        try {
          f(out);
        } catch (const sink_failure&) {
          threw = true;
        }
        all.insert(all.end(), out.all.begin(), out.all.end());
        if (!threw) return;
        ++throws;
        if (pipe.processed() == done) {
          CHECK(out.all.empty());
          continue;
        }
        for (bool threw_again = true; threw_again;) {  // what was released by it, one at a time
          scribe rest(1);
          threw_again = false;
          try {
            pipe.advance(start, rest);
          } catch (const sink_failure&) {
            threw_again = true;
          }
          all.insert(all.end(), rest.all.begin(), rest.all.end());
        }
        return;
      }
    };
    for (int i = 0; i < 2'000; ++i) {
      std::uint64_t n = next++;
      if (random() % 5 == 0) {
        lost.push_back(n);
        n = next++;
      }
      if (!lost.empty() && random() % 4 == 0) {
        call([&](scribe& out) { pipe.process(numbered(lost.back()), start, out); });
        lost.pop_back();
      }
      call([&](scribe& out) { pipe.process(numbered(n), start, out); });
    }
    return all;
  };
  std::size_t throws = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const lines undisturbed = run(false, seed, throws);
    REQUIRE(throws == 0);
    CHECK(run(true, seed, throws) == undisturbed);
    CHECK(throws > 2'000);
    throws = 0;
  }
}

TEST_CASE("after a sink threw in advance the next advance goes on though time goes back") {
  auto pipe = alone({.max_hold = 10s});
  send(pipe, {1, 3});
  scribe out(1);
  CHECK_THROWS_AS(pipe.advance(start + 10s, out), sink_failure);
  CHECK(out.all == lines{"passed 0/2-2 time"});
  CHECK(advance(pipe, start + 9s) == lines{"accepted 0/3"});

  send(pipe, {6});
  scribe flushed(1);
  CHECK_THROWS_AS(pipe.stage_at<0>().flush(flushed), sink_failure);
  CHECK(flushed.all == lines{"passed 0/4-5 flush"});
  CHECK(advance(pipe, start) == lines{"accepted 0/6"});
}

TEST_CASE("after a sink threw what was ready is told before the next event of the stream") {
  auto pipe = alone();
  send(pipe, {1, 3, 4});
  scribe out(1);
  CHECK_THROWS_AS(pipe.process(numbered(2), start, out), sink_failure);
  CHECK(out.all == lines{"accepted 0/2"});
  CHECK(send(pipe, {5}) == lines{"accepted 0/3", "accepted 0/4", "accepted 0/5"});

  send(pipe, {7, 8});
  scribe again(1);
  CHECK_THROWS_AS(pipe.process(numbered(6), start, again), sink_failure);
  CHECK(send(pipe, {6}) == lines{"accepted 0/7", "accepted 0/8", "duplicate 0/6"});
}

TEST_CASE("every event of several disordered streams is told once and the accepted ones in order") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    auto pipe = alone({.max_events = 1 + random() % 8, .max_hold = 40ms}, {.capacity = 3, .idle = 5s});
    std::vector<std::uint64_t> next(5, 10);
    std::map<std::pair<std::uint32_t, std::uint64_t>, int> told;
    std::map<std::uint32_t, std::uint64_t> last;
    std::size_t offered = 0;
    std::size_t held = 0;
    const auto sink = recoup::overloaded{[&](const recoup::accepted<order>& a) {
                                           ++told[{a.event.partition, *a.event.offset}];
                                           const auto before = last.find(a.event.partition);
                                           CHECK((before == last.end() || before->second < *a.event.offset));
                                           last[a.event.partition] = *a.event.offset;
                                         },
                                         [&](const recoup::late<order>& l) {
                                           ++told[{l.event.partition, *l.event.offset}];
                                         },
                                         [&](const recoup::held<order>&) { ++held; },
                                         [&](const recoup::duplicate<order>&) { FAIL("there are none"); },
                                         [&](const recoup::refused<order>&) { FAIL("there are none"); },
                                         [&](const recoup::hole_passed_over<std::uint32_t>&) {},
                                         [&](const recoup::stream_evicted<std::uint32_t>& e) { last.erase(e.stream); }};
    timestamp now = start;
    std::vector<order> delayed;
    for (int i = 0; i < 3'000; ++i) {
      now += std::chrono::milliseconds(random() % 10);
      const auto p = static_cast<std::uint32_t>(random() % 30 == 0 ? random() % 5 : random() % 2);
      order o = numbered(next[p]++, p);
      if (random() % 6 == 0) {
        delayed.push_back(o);
        continue;
      }
      pipe.process(o, now, sink);
      ++offered;
      if (!delayed.empty() && random() % 3 == 0) {
        const std::size_t at = random() % delayed.size();
        pipe.process(delayed[at], now, sink);
        ++offered;
        delayed.erase(delayed.begin() + static_cast<std::ptrdiff_t>(at));
      }
      if (random() % 5 == 0) pipe.advance(now, sink);
    }
    pipe.stage_at<0>().flush(sink);
    CHECK(held > 100);
    CHECK(told.size() == offered);
    CHECK(std::all_of(told.begin(), told.end(), [](const auto& t) { return t.second == 1; }));
    CHECK(pipe.processed() == offered);
    const auto all = counters(pipe);
    CHECK(all.at("in_order.holding") == 0);
    CHECK(all.at("pipeline.held") == held);
  }
}

TEST_CASE("a batch is told the same as single events where some are held") {
  std::vector<order> events;
  std::mt19937_64 random(3);
  for (std::uint64_t n = 0; n < 500; ++n) events.push_back(numbered(n, static_cast<std::uint32_t>(n % 3)));
  for (std::size_t i = 0; i + 8 < events.size(); ++i) std::swap(events[i], events[i + random() % 8]);
  auto one = alone({.max_events = 3});
  auto batch = alone({.max_events = 3});
  scribe told_one;
  scribe told_batch;
  for (const order& o : events) one.process(o, start, told_one);
  batch.process(std::span<const order>(events), start, told_batch);
  CHECK(told_one.all == told_batch.all);
  CHECK(counters(one) == counters(batch));
  CHECK(one.count(verdict::held) > 50);
}

TEST_CASE("a restored pipeline goes on with the same answers and the events that it held") {
  const auto make = [] { return behind_all({.max_events = 5, .max_hold = 3s}); };
  std::mt19937_64 random(11);
  auto pipe = make();
  scribe ignored;
  std::uint64_t next = 1;
  timestamp now = start;
  for (int i = 0; i < 300; ++i) {
    now += std::chrono::milliseconds(random() % 400);
    const std::uint64_t n = next++;
    if (random() % 4 == 0) continue;
    pipe.process(numbered(n, static_cast<std::uint32_t>(random() % 2)), now, ignored);
    if (random() % 3 == 0) pipe.advance(now, ignored);
    if (i % 10 != 0) continue;

    auto restarted = make();
    const auto bytes = recoup::snapshot(pipe);
    REQUIRE(recoup::restore(restarted, bytes).status == recoup::snapshot_status::ok);
    CHECK((recoup::snapshot(restarted) == bytes));
    CHECK(counters(restarted) == counters(pipe));
    auto original = pipe;
    scribe told;
    scribe told_restarted;
    original.advance(now + 2s, told);
    restarted.advance(now + 2s, told_restarted);
    for (std::uint64_t m = n - std::min<std::uint64_t>(n, 5); m < n + 9; ++m) {
      original.process(numbered(m, 1), now, told);
      restarted.process(numbered(m, 1), now, told_restarted);
    }
    original.advance(now + 10s, told);
    restarted.advance(now + 10s, told_restarted);
    CHECK(told.all == told_restarted.all);
  }
  CHECK(pipe.count(verdict::held) > 20);
}

TEST_CASE("numbers of 16 bits are put in order across the wraparound") {
  auto pipe = recoup::assemble<order>(
      recoup::track_gaps(&order::offset,
                         {.bits = 16, .replay = {.max_attempts = 1, .first_wait = 1s, .longest_wait = 1s}}),
      in_order(&order::offset, {.bits = 16}));
  CHECK(send(pipe, {65'534, 1}) == lines{"accepted 0/65534", "held 0/1"});
  CHECK(send(pipe, {65'535}) == lines{"accepted 0/65535"});
  advance(pipe, start);
  CHECK(advance(pipe, start + 1s) == lines{"abandoned 0/65536-65536", "passed 0/65536-65536 given up", "accepted 0/1"});
}

TEST_CASE("numbers of 16 bits that begin anew after a wraparound are counted on as the gap tracker counts them") {
  const auto make = [] {
    return recoup::assemble<order>(
        recoup::track_gaps(&order::offset, {.bits = 16,
                                            .max_jump = 100,
                                            .max_behind = 100,
                                            .resynchronise_after = 2,
                                            .replay = {.max_attempts = 1, .first_wait = 1s}}),
        in_order(&order::offset, {.bits = 16, .max_hold = recoup::duration::max()}));
  };
  auto pipe = make();
  scribe ignored;
  for (std::uint64_t n = 0; n < 80'000; ++n) pipe.process(numbered(n & 0xFFFF), start, ignored);
  const std::uint64_t first = 70'000 & 0xFFFF;
  send(pipe, {first, first + 1});
  auto restored = make();
  REQUIRE(recoup::restore(restored, recoup::snapshot(pipe)));
  CHECK(send(restored, {first + 2, first + 4}) == lines{"accepted 0/4466", "held 0/4468"});
  advance(restored, start);
  CHECK(advance(restored, start + 1min) ==
        lines{"abandoned 0/70003-70003", "passed 0/70003-70003 given up", "accepted 0/4468"});
}

TEST_CASE("all that is held can be handed out at the end") {
  auto pipe = alone({.max_hold = recoup::duration::max()});
  send(pipe, {1, 3}, 7);
  send(pipe, {1, 4}, 8);
  scribe out;
  pipe.stage_at<0>().flush(out);
  CHECK(out.all == lines{"passed 7/2-2 flush", "accepted 7/3", "passed 8/2-3 flush", "accepted 8/4"});
}

TEST_CASE("the counters of events in order have names and add up") {
  auto pipe = alone({.max_events = 2});
  scribe out;
  send(pipe, {1, 3, 4, 4, 6, 2, 9}, out);
  const std::map<std::string, std::uint64_t> expected{
      {"pipeline.accepted", 1},   {"pipeline.duplicate", 1}, {"pipeline.dead_letter", 0}, {"pipeline.review", 0},
      {"pipeline.correction", 0}, {"pipeline.held", 4},      {"pipeline.late", 1},        {"pipeline.refused", 0},
      {"in_order.next", 1},       {"in_order.held", 4},      {"in_order.duplicate", 1},   {"in_order.late", 1},
      {"in_order.refused", 0},    {"in_order.streams", 1},   {"in_order.holding", 2},     {"in_order.released", 2},
      {"in_order.passed_over", 1}};
  CHECK(counters(pipe) == expected);
  CHECK(pipe.processed() == 7);
}

TEST_CASE("a pipeline that holds nothing has no counters of what is held") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::offset));
  CHECK(counters(pipe).count("pipeline.held") == 0);
  CHECK(counters(pipe).count("pipeline.accepted") == 1);
}

TEST_CASE("neither an event in order nor one that is held allocates memory once there is room") {
  auto pipe = alone({.max_events = 8});
  std::size_t told = 0;
  const auto sink = [&](const auto&) { ++told; };
  std::vector<order> events;
  for (std::uint64_t n = 0; n < 4'000; ++n) events.push_back(numbered(n));
  for (std::size_t i = 10; i + 8 < events.size(); i += 9) std::swap(events[i], events[i + 3]);
  const auto feed = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) pipe.process(events[i], start, sink);
  };
  feed(0, 2'000);
  const std::size_t before = allocations_so_far;
  feed(2'000, 4'000);
  CHECK(allocations_so_far == before);
  CHECK(pipe.count(verdict::held) > 500);
  CHECK(told == 4'000 + pipe.count(verdict::held));
}
