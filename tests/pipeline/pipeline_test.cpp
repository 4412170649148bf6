// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/pipeline.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "orders.hpp"

namespace {

using namespace orders;
using recoup::restore;
using recoup::snapshot;
using recoup::snapshot_status;

template <class Pipeline>
void run(Pipeline& pipe, std::span<const step> steps, recorder& told) {
  for (const step& s : steps) {
    if (s.advances) pipe.advance(s.now, told);
    pipe.process(s.event, s.now, told, s.from);
  }
}

template <class Pipeline>
recorder run(Pipeline& pipe, std::span<const step> steps) {
  recorder told;
  run(pipe, steps, told);
  return told;
}

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
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

TEST_CASE("the faulty stream brings about every verdict and every finding") {
  auto pipe = every_stage();
  const recorder told = run(pipe, faulty_stream(2'000, 1));
  for (const std::string_view kind : every_kind) {
    INFO(kind);
    CHECK(told.count(kind) > 0);
  }
}

// Law 1

TEST_CASE("a sink that throws at any of its calls leaves the pipeline as it was and the event is judged alike again") {
  const auto steps = faulty_stream(500, 2);
  auto undisturbed = every_stage();
  const recorder expected = run(undisturbed, steps);

  auto pipe = every_stage();
  recorder told;
  std::size_t throws = 0;
  for (const step& s : steps) {
    if (s.advances) pipe.advance(s.now, told);
    const auto before = snapshot(pipe);
    for (std::size_t fail_at = 0;; ++fail_at) {
      recorder attempt(fail_at);
      bool threw = false;
      try {
        pipe.process(s.event, s.now, attempt, s.from);
      } catch (const sink_failure&) {
        threw = true;
      }
      if (!threw) {
        told.lines = told.lines + attempt.lines;
        break;
      }
      ++throws;
      REQUIRE((snapshot(pipe) == before));
    }
  }
  CHECK(throws > steps.size());
  CHECK(told.lines == expected.lines);
  CHECK((snapshot(pipe) == snapshot(undisturbed)));
}

TEST_CASE("advance tells the rest after a sink threw and nothing twice and nothing is lost") {
  const auto steps = faulty_stream(450, 3);
  auto pipe = every_stage();
  recorder told;
  std::size_t throws = 0;
  for (const step& s : steps) {
    if (s.advances) {
      for (std::size_t fail_at = 0;; ++fail_at) {
        auto disturbed = pipe;
        recorder first(fail_at);
        bool threw = false;
        try {
          disturbed.advance(s.now, first);
        } catch (const sink_failure&) {
          threw = true;
        }
        if (!threw) break;
        ++throws;
        REQUIRE(first.lines.size() == fail_at);

        // What is still to be told survives a restart.
        auto restarted = every_stage();
        REQUIRE(restore(restarted, snapshot(disturbed)));
        recorder rest;
        disturbed.advance(s.now, rest);
        recorder rest_of_restarted;
        restarted.advance(s.now, rest_of_restarted);

        auto undisturbed = pipe;
        recorder expected;
        undisturbed.advance(s.now, expected);
        REQUIRE(first.lines + rest.lines == expected.lines);
        REQUIRE(first.lines + rest_of_restarted.lines == expected.lines);
      }
      pipe.advance(s.now, told);
    }
    pipe.process(s.event, s.now, told, s.from);
  }
  CHECK(throws > 100);
  CHECK(told.count("inferred") > 0);
}

TEST_CASE("a forgotten event is new again and its number is missing again") {
  auto pipe = recoup::assemble<order>(
      recoup::track_gaps(&order::partition, &order::offset),
      recoup::deduplicate(recoup::key(&order::id, &order::revision), recoup::exact_window({.events = 16})));
  recorder told;
  for (std::uint64_t n = 1; n <= 3; ++n) {
    pipe.process({.offset = n, .id = std::to_string(n), .at = {}}, start, told);
  }
  const order second{.offset = 2, .id = "2", .at = {}};
  REQUIRE(pipe.process(second, start, told) == verdict::duplicate);

  CHECK(pipe.forget(second, start));
  CHECK(pipe.stage_at<0>().tracker(0U)->missing_count() == 1);
  CHECK(pipe.stage_at<0>().tracker(0U)->contiguous_position() == 1U);
  CHECK(pipe.process(second, start, told) == verdict::accepted);
  CHECK(pipe.stage_at<0>().tracker(0U)->missing_count() == 0);
  CHECK(pipe.stage_at<0>().tracker(0U)->contiguous_position() == 3U);
  CHECK(pipe.process(second, start, told) == verdict::duplicate);

  CHECK_FALSE(pipe.forget({.offset = 9, .id = "9", .at = {}}, start));
  CHECK_FALSE(pipe.forget({.partition = 5, .offset = 1, .id = "9", .at = {}}, start));
}

// Law 2

TEST_CASE("a rejected event has arrived all the same") {
  auto pipe = every_stage();
  recorder told;
  for (std::uint64_t n = 1; n <= 5; ++n) {
    // 2 is a dead letter, 3 a duplicate, 4 is held for review.
    const std::string id = n == 2 ? "" : n == 3 ? "1" : std::to_string(n);
    pipe.process({.offset = n, .id = id, .at = n == 4 ? start + 1h : start}, start, told);
  }
  CHECK(pipe.count(verdict::accepted) == 2);
  CHECK(pipe.count(verdict::dead_letter) == 1);
  CHECK(pipe.count(verdict::duplicate) == 1);
  CHECK(pipe.count(verdict::review) == 1);
  CHECK(pipe.stage_at<0>().tracker(0U)->missing_count() == 0);
  CHECK(pipe.stage_at<0>().tracker(0U)->contiguous_position() == 5U);
}

TEST_CASE("a replay fills gaps and opens none") {
  auto pipe = every_stage();
  recorder told;
  const auto send = [&](std::uint64_t n, origin from) {
    return pipe.process({.offset = n, .id = std::to_string(n), .at = start}, start, told, from);
  };
  const auto tracker = [&] { return pipe.stage_at<0>().tracker(0U); };
  CHECK(send(7, origin::replay) == verdict::accepted);
  CHECK_FALSE(tracker());  // a replay does not begin a sequence
  send(10, origin::live);
  send(14, origin::live);
  CHECK(tracker()->missing_count() == 3);
  send(12, origin::replay);
  CHECK(tracker()->missing_count() == 2);
  send(90, origin::replay);
  send(15, origin::replay);
  CHECK(tracker()->missing_count() == 2);
  CHECK(tracker()->expected() == 15U);
}

TEST_CASE("a correction passes once and counts nowhere in the sequence") {
  auto pipe = every_stage();
  recorder told;
  order o{.offset = 10, .id = "a", .at = start};
  CHECK(pipe.process(o, start, told) == verdict::accepted);
  const auto tracker = [&] { return pipe.stage_at<0>().tracker(0U); };
  const auto received = [&] {
    std::uint64_t sum = 0;
    for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) {
      sum += pipe.stage_at<0>().trackers().count(static_cast<recoup::arrival>(a));
    }
    return sum;
  };
  CHECK(pipe.process(o, start, told, origin::correction) == verdict::duplicate);
  o.revision = 1;
  CHECK(pipe.process(o, start, told, origin::correction) == verdict::accepted);
  CHECK(told.lines.back().ends_with("from 2"));
  CHECK(pipe.process(o, start, told, origin::correction) == verdict::duplicate);
  o.revision = 2;
  o.offset = 500;
  CHECK(pipe.process(o, start, told, origin::correction) == verdict::accepted);
  CHECK(received() == 1);
  CHECK(tracker()->missing_count() == 0);
  CHECK(tracker()->expected() == 11U);
}

// Law 3

TEST_CASE("the same events at the same times give the same answers and the same bytes") {
  for (const std::uint64_t seed : {4U, 5U, 6U}) {
    const auto steps = faulty_stream(1'000, seed);
    auto one = every_stage();
    auto other = every_stage();
    CHECK(run(one, steps).lines == run(other, steps).lines);
    CHECK((snapshot(one) == snapshot(other)));
  }
}

// Law 4

TEST_CASE("more streams than there is room for are told as evicted with what they lack") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::partition, &order::offset, {}, {.capacity = 2}));
  recorder told;
  for (std::uint32_t p = 0; p < 5; ++p) {
    pipe.process({.partition = p, .offset = 1, .id = {}, .at = {}}, start, told);
    pipe.process({.partition = p, .offset = 4 + p, .id = {}, .at = {}}, start, told);
  }
  CHECK(told.count("stream_evicted") == 3);
  CHECK(counters(pipe)["track_gaps.streams"] == 2);
  // Every missing number is either still known to be missing or has been told to go.
  std::uint64_t evicted = 0;
  for (const std::string& line : told.lines) {
    for (std::uint32_t p = 0; p < 5; ++p) {
      const auto gone = "stream_evicted: stream " + std::to_string(p) + ' ' + std::to_string(2 + p) + " missing";
      if (line == gone) evicted += 2 + p;
    }
  }
  CHECK(evicted + counters(pipe)["track_gaps.missing"] == 2 + 3 + 4 + 5 + 6);
}

TEST_CASE("more gaps than there is room for are told as abandoned") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::offset, {.max_gaps = 4}));
  recorder told;
  for (std::uint64_t n = 0; n < 20; n += 2) pipe.process({.offset = n, .id = {}, .at = {}}, start, told);
  CHECK(told.count("gap_abandoned by capacity") == 9 - 4);
  CHECK(told.lines[5] == "gap_abandoned by capacity: stream 0 1-1 more gaps were open than max_gaps admits");
  CHECK(told.lines[6] == "accepted: 0/10 \"\"r0 1*1=1 at no time from 0");
  CHECK(counters(pipe)["track_gaps.missing"] == 4);
}

// Law 5

namespace {

std::uint64_t extreme(std::mt19937_64& random) {
  constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t near = random() % 8;
  switch (random() % 6) {
    case 0:
      return near;
    case 1:
      return top - near;
    case 2:
      return top / 2 - 3 + near;
    case 3:
      return std::uint64_t{1} << random() % 64;
    case 4:
      return 1'000 + random() % 64;
    default:
      return random();
  }
}

timestamp extreme_time(std::mt19937_64& random) {
  return timestamp(recoup::duration(static_cast<std::int64_t>(extreme(random))));
}

order extreme_order(std::mt19937_64& random) {
  order o{.partition = static_cast<std::uint32_t>(extreme(random)),
          .offset = extreme(random),
          .id = std::string(random() % 50 == 0 ? random() % 3'000 : random() % 4, static_cast<char>(random())),
          .revision = static_cast<std::uint32_t>(extreme(random) % 3),
          .price = static_cast<std::int64_t>(extreme(random)),
          .quantity = static_cast<std::int64_t>(extreme(random)),
          .total = static_cast<std::int64_t>(extreme(random)),
          .at = extreme_time(random)};
  if (random() % 4 != 0) o.partition %= 3;
  if (random() % 8 == 0) o.offset.reset();
  if (random() % 8 == 0) o.at.reset();
  return o;
}

}  // namespace

TEST_CASE("any event at any time gets exactly one verdict") {
  for (const std::uint64_t seed : {7U, 8U, 9U}) {
    std::mt19937_64 random(seed);
    auto pipe = every_stage();
    recorder told;
    std::uint64_t events = 0;
    for (int i = 0; i < 1'000; ++i) {
      const timestamp now = extreme_time(random);
      if (random() % 4 == 0) pipe.advance(now, told);
      const order o = extreme_order(random);
      if (random() % 32 == 0) (void)pipe.forget(o, now);
      pipe.process(o, now, told, static_cast<origin>(random() % 4));
      ++events;
    }
    CHECK(pipe.processed() == events);
    std::uint64_t verdicts = 0;
    for (const auto kind : {"accepted", "duplicate", "dead_letter", "review", "correction"})
      verdicts += told.count(kind);
    CHECK(verdicts == events);
    auto other = every_stage();
    CHECK(restore(other, snapshot(pipe)));
    CHECK((snapshot(other) == snapshot(pipe)));
  }
}

TEST_CASE("the highest sequence numbers are inferred and told like others") {
  constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
  auto pipe = every_stage();
  recorder told;
  for (const std::uint64_t n : {top - 6, top - 3, top}) {
    pipe.process({.offset = n, .id = std::to_string(n), .at = start}, start, told);
  }
  pipe.advance(start + 1s, told);
  CHECK(told.count("inferred") == 4);
  CHECK(told.count("gap_found") == 2);
}

TEST_CASE("a batch of none tells nothing and a batch of one is one event") {
  auto pipe = every_stage();
  recorder told;
  const auto before = snapshot(pipe);
  pipe.process(std::span<const order>(), start, told);
  CHECK(told.lines.empty());
  CHECK((snapshot(pipe) == before));

  const std::array batch{order{.offset = 1, .id = "a", .at = start}};
  pipe.process(std::span(batch), start, told);
  CHECK(told.lines.size() == 1);
  auto other = every_stage();
  recorder also_told;
  other.process(batch[0], start, also_told);
  CHECK(told.lines == also_told.lines);
  CHECK((snapshot(pipe) == snapshot(other)));
}

// Law 6

TEST_CASE("a restored pipeline goes on as if nothing had happened") {
  const auto steps = faulty_stream(1'200, 10);
  for (const std::size_t cut : {0U, 1U, 399U, 800U, 1'199U}) {
    auto uninterrupted = every_stage();
    run(uninterrupted, std::span(steps).first(cut));
    const std::array<std::byte, 3> position{std::byte{1}, std::byte{2}, static_cast<std::byte>(cut)};
    const auto bytes = snapshot(uninterrupted, position);

    auto restarted = every_stage();
    recorder ignored;
    run(restarted, faulty_stream(50, 11), ignored);  // whatever it was before
    const auto answer = restore(restarted, bytes);
    REQUIRE(answer.status == snapshot_status::ok);
    CHECK(std::equal(answer.position.begin(), answer.position.end(), position.begin(), position.end()));
    CHECK((snapshot(restarted, position) == bytes));

    const auto rest = std::span(steps).subspan(cut);
    CHECK(run(restarted, rest).lines == run(uninterrupted, rest).lines);
    CHECK((snapshot(restarted) == snapshot(uninterrupted)));
  }
}

TEST_CASE("a snapshot of another configuration is refused") {
  auto pipe = every_stage();
  run(pipe, faulty_stream(300, 12));
  const auto refused = [&](auto other) {
    const auto before = snapshot(other);
    const auto answer = restore(other, snapshot(pipe));
    CHECK(answer.status == snapshot_status::other_configuration);
    CHECK((snapshot(other) == before));
  };
  using recoup::deduplicate;
  using recoup::exact_window;
  using recoup::track_gaps;
  refused(recoup::assemble<order>(track_gaps(&order::partition, &order::offset)));
  refused(recoup::assemble<order>(deduplicate(&order::id, exact_window({.events = 64}))));

  auto gaps_first =
      recoup::assemble<order>(track_gaps(&order::offset), deduplicate(&order::id, exact_window({.events = 64})));
  auto window_first =
      recoup::assemble<order>(deduplicate(&order::id, exact_window({.events = 64})), track_gaps(&order::offset));
  auto other_window =
      recoup::assemble<order>(track_gaps(&order::offset), deduplicate(&order::id, exact_window({.events = 65})));
  CHECK(restore(window_first, snapshot(gaps_first)).status == snapshot_status::other_configuration);
  CHECK(restore(other_window, snapshot(gaps_first)).status == snapshot_status::other_configuration);
}

TEST_CASE("a damaged snapshot is refused and changes nothing") {
  auto pipe = every_stage();
  run(pipe, faulty_stream(200, 13));
  const auto intact = snapshot(pipe);
  auto target = every_stage();
  run(target, faulty_stream(60, 14));
  const auto before = snapshot(target);
  std::mt19937_64 random(15);
  for (int i = 0; i < 300; ++i) {
    auto damaged = intact;
    if (i % 2 == 0) {
      damaged[random() % damaged.size()] ^= static_cast<std::byte>(1U << random() % 8);
    } else {
      damaged.resize(random() % damaged.size());
    }
    REQUIRE_FALSE(restore(target, damaged));
  }
  CHECK((snapshot(target) == before));
}

TEST_CASE("a forged snapshot with the right checksum is an answer") {
  auto pipe = every_stage();
  run(pipe, faulty_stream(200, 16));
  const auto intact = snapshot(pipe);
  std::mt19937_64 random(17);
  int taken = 0;
  for (int i = 0; i < 300; ++i) {
    auto forged = intact;
    const std::size_t header = 40;
    const std::size_t content = forged.size() - header - 8;
    const std::size_t at = header + random() % content;
    if (i % 2 == 0) {
      forged[at] = static_cast<std::byte>(random());
    } else {
      for (std::size_t k = at; k < std::min(at + 8, header + content); ++k) {
        forged[k] = static_cast<std::byte>(random() % 2 ? 0xFF : 0);
      }
    }
    const auto checksum = recoup::fingerprint(std::span<const std::byte>(forged).first(forged.size() - 8), 0);
    for (std::size_t k = 0; k < 8; ++k)
      forged[forged.size() - 8 + k] = static_cast<std::byte>(checksum >> (8 * k) & 0xFF);
    auto target = every_stage();
    if (!restore(target, forged)) continue;
    ++taken;
    // Whatever it was taken for, it works on.
    recorder told;
    run(target, faulty_stream(20, 18), told);
    target.advance(start + 1h, told);
    (void)snapshot(target);
  }
  CHECK(taken > 0);
}

TEST_CASE("an empty copy of a pipeline is as if newly made") {
  auto pipe = every_stage();
  const auto fresh = snapshot(pipe);
  run(pipe, faulty_stream(300, 19));
  REQUIRE(snapshot(pipe) != fresh);
  CHECK((snapshot(pipe.empty_copy()) == fresh));
}

// Law 9: one thread and no shared state, so batches change speed and nothing else.

TEST_CASE("a batch answers as its events one by one") {
  std::mt19937_64 random(20);
  const auto steps = faulty_stream(1'500, 21);
  auto single = every_stage();
  auto batched = every_stage();
  recorder expected;
  recorder told;
  for (std::size_t at = 0; at < steps.size();) {
    const std::size_t size = std::min<std::size_t>(random() % 50, steps.size() - at);
    const timestamp now = size > 0 ? steps[at].now : start;
    const origin from = size > 0 ? steps[at].from : origin::live;
    std::vector<order> batch;
    for (std::size_t i = 0; i < size; ++i) batch.push_back(steps[at + i].event);
    if (!batch.empty() && random() % 4 == 0) batch.push_back(batch[random() % batch.size()]);  // inside one batch
    single.advance(now, expected);
    batched.advance(now, told);
    for (const order& o : batch) single.process(o, now, expected, from);
    batched.process(std::span<const order>(batch), now, told, from);
    at += size;
    REQUIRE(told.lines == expected.lines);
    expected.lines.clear();
    told.lines.clear();
  }
  CHECK((snapshot(single) == snapshot(batched)));
  CHECK(single.count(verdict::duplicate) > 50);
}

TEST_CASE("a sink that throws inside a batch finds the events before that one committed") {
  const auto steps = faulty_stream(40, 22);
  std::vector<order> batch;
  for (const step& s : steps) batch.push_back(s.event);
  batch.push_back(batch[3]);
  auto whole = every_stage();
  recorder expected;
  whole.process(std::span<const order>(batch), start, expected);
  for (std::size_t fail_at = 0; fail_at < expected.lines.size(); ++fail_at) {
    auto pipe = every_stage();
    recorder first(fail_at);
    CHECK_THROWS_AS(pipe.process(std::span<const order>(batch), start, first), sink_failure);
    const std::uint64_t done = pipe.processed();

    auto until_there = every_stage();
    recorder ignored;
    until_there.process(std::span<const order>(batch).first(done), start, ignored);
    REQUIRE((snapshot(pipe) == snapshot(until_there)));

    recorder rest;
    pipe.process(std::span<const order>(batch).subspan(done), start, rest);
    const std::size_t told_again = first.lines.size() - ignored.lines.size();
    REQUIRE(std::vector(first.lines.begin(), first.lines.end() - static_cast<std::ptrdiff_t>(told_again)) +
                rest.lines ==
            expected.lines);
    REQUIRE((snapshot(pipe) == snapshot(whole)));
  }
}

// Counters

TEST_CASE("all counters have names and add up") {
  auto pipe = every_stage();
  recorder told;
  const auto send = [&](std::uint64_t n, std::string id, std::int64_t total = 1) {
    pipe.process({.offset = n, .id = std::move(id), .total = total, .at = start}, start, told);
  };
  send(1, "a");
  send(2, "b");
  send(2, "b");
  send(4, "d", 9);
  send(5, "");
  pipe.advance(start + 1s, told);
  send(3, "c");

  const std::map<std::string, std::uint64_t> expected{
      {"pipeline.accepted", 3},      {"pipeline.duplicate", 1},
      {"pipeline.dead_letter", 1},   {"pipeline.review", 0},
      {"pipeline.correction", 1},    {"track_gaps.in_order", 3},
      {"track_gaps.ahead", 1},       {"track_gaps.filled", 1},
      {"track_gaps.late", 0},        {"track_gaps.duplicate", 1},
      {"track_gaps.stale", 0},       {"track_gaps.jump", 0},
      {"track_gaps.restart", 0},     {"track_gaps.streams", 1},
      {"track_gaps.open_gaps", 0},   {"track_gaps.missing", 0},
      {"track_gaps.found", 1},       {"track_gaps.recovered", 1},
      {"track_gaps.skipped", 0},     {"deduplicate.fresh", 5},
      {"deduplicate.duplicates", 1}, {"deduplicate.evicted_within_age", 0},
      {"check.checked", 5},          {"check.id.required", 1},
      {"check.at.future", 0},        {"check.total.product", 1},
      {"check.quantity.range", 0},   {"infer.inferred", 1},
      {"infer.superseded", 1},
  };
  CHECK(counters(pipe) == expected);
}

TEST_CASE("every event handed in is counted under one verdict and told once") {
  auto pipe = every_stage();
  const auto steps = faulty_stream(1'000, 23);
  const recorder told = run(pipe, steps);
  std::uint64_t sum = 0;
  for (std::size_t v = 0; v < recoup::verdict_kinds; ++v) {
    const auto kind = static_cast<verdict>(v);
    CHECK(pipe.count(kind) == told.count(recoup::name_of(kind)));
    sum += pipe.count(kind);
  }
  CHECK(sum == steps.size());
  CHECK(pipe.processed() == steps.size());
}
