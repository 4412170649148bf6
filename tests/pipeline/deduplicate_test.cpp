// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/deduplicate.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "catch.hpp"
#include "orders.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/bloom_window.hpp"
#include "recoup/dedup/content_window.hpp"
#include "recoup/dedup/sequence_window.hpp"

namespace {
using namespace orders;
const auto ignore = [](const auto&) {};
}  // namespace

TEST_CASE("deduplicate agrees with a set of keys") {
  auto pipe = recoup::assemble<order>(
      recoup::deduplicate(recoup::key(&order::id, &order::revision), recoup::exact_window({.events = 4'096})));
  std::set<std::pair<std::string, std::uint32_t>> model;
  std::mt19937_64 random(1);
  for (int i = 0; i < 4'000; ++i) {
    const order o{.offset = {},
                  .id = std::to_string(random() % 300),
                  .revision = static_cast<std::uint32_t>(random() % 3),
                  .at = {}};
    if (random() % 10 == 0) {
      REQUIRE(pipe.forget(o, start) == (model.erase({o.id, o.revision}) == 1));
    } else {
      REQUIRE(pipe.process(o, start, ignore) ==
              (model.insert({o.id, o.revision}).second ? verdict::accepted : verdict::duplicate));
    }
  }
}

TEST_CASE("an event whose key has an absent part is neither judged nor remembered") {
  auto pipe = recoup::assemble<order>(
      recoup::deduplicate(recoup::key(&order::id, &order::offset), recoup::exact_window({.events = 8})));
  const order o{.offset = {}, .id = "a", .at = {}};
  CHECK(pipe.process(o, start, ignore) == verdict::accepted);
  CHECK(pipe.process(o, start, ignore) == verdict::accepted);
  CHECK(pipe.forget(o, start));
  CHECK(pipe.stage_at<0>().window().fresh() == 0);
}

TEST_CASE("an empty text is no key and a part of one") {
  auto pipe = recoup::assemble<order>(
      recoup::deduplicate(&order::id, recoup::exact_window({.events = 8})),
      recoup::check(recoup::rule<"id.required">(recoup::required(&order::id), recoup::on_fail::dead_letter)));
  const order nameless{.offset = {}, .id = "", .at = {}};
  for (int i = 0; i < 2; ++i) CHECK(pipe.process(nameless, start, ignore) == verdict::dead_letter);
  CHECK(pipe.forget(nameless, start));

  auto composite = recoup::assemble<order>(
      recoup::deduplicate(recoup::key(&order::id, &order::revision), recoup::exact_window({.events = 8})));
  CHECK(composite.process(nameless, start, ignore) == verdict::accepted);
  CHECK(composite.process(nameless, start, ignore) == verdict::duplicate);
}

TEST_CASE("the key of a rejected event is remembered") {
  auto pipe = recoup::assemble<order>(
      recoup::deduplicate(&order::revision, recoup::exact_window<std::uint32_t>({.events = 8})),
      recoup::check(recoup::rule<"id.required">(recoup::required(&order::id), recoup::on_fail::dead_letter)));
  CHECK(pipe.process({.offset = {}, .id = "", .revision = 7, .at = {}}, start, ignore) == verdict::dead_letter);
  CHECK(pipe.process({.offset = {}, .id = "", .revision = 7, .at = {}}, start, ignore) == verdict::duplicate);
}

TEST_CASE("an optional integer is a key of a window of integers") {
  auto pipe =
      recoup::assemble<order>(recoup::deduplicate(&order::offset, recoup::exact_window<std::uint64_t>({.events = 8})));
  CHECK(pipe.process({.offset = 3, .id = {}, .at = {}}, start, ignore) == verdict::accepted);
  CHECK(pipe.process({.offset = 3, .id = {}, .at = {}}, start, ignore) == verdict::duplicate);
  CHECK(pipe.process({.offset = {}, .id = {}, .at = {}}, start, ignore) == verdict::accepted);
}

TEST_CASE("a key older than the age of the window is new again") {
  auto pipe = recoup::assemble<order>(recoup::deduplicate(&order::id, recoup::exact_window({.events = 8, .age = 10s})));
  const order o{.offset = {}, .id = "a", .at = {}};
  CHECK(pipe.process(o, start, ignore) == verdict::accepted);
  CHECK(pipe.process(o, start + 10s, ignore) == verdict::duplicate);
  CHECK(pipe.process(o, start - 1h, ignore) == verdict::duplicate);
  CHECK(pipe.process(o, start + 11s, ignore) == verdict::accepted);
}

TEST_CASE("each key space has a window of its own") {
  using spaces = std::map<std::uint32_t, recoup::exact_window<std::uint64_t>>;
  const recoup::exact_window<std::uint64_t> window({.events = 20, .age = 100s, .seed = 7});
  auto pipe = recoup::assemble<order>(recoup::deduplicate(&order::partition, &order::offset, window));
  spaces model;
  std::mt19937_64 random(3);
  timestamp now = start;
  for (int i = 0; i < 20'000; ++i) {
    now += recoup::duration(random() % 1'000'000'000);
    const auto partition = static_cast<std::uint32_t>(random() % 8);
    const std::uint64_t offset = random() % 60;
    const order o{.partition = partition, .offset = offset, .id = {}, .at = {}};
    auto& expected = model.try_emplace(partition, window).first->second;
    if (random() % 10 == 0) {
      REQUIRE(pipe.forget(o, now) == expected.forget(offset));
    } else {
      REQUIRE((pipe.process(o, now, ignore) == verdict::duplicate) == expected.observe(offset, now).is_duplicate);
    }
    if (i % 1'000 == 0) REQUIRE(restore(pipe, snapshot(pipe)));
  }
  std::uint64_t duplicates = 0;
  for (const auto& [partition, w] : model) {
    CHECK(pipe.stage_at<0>().window(partition)->duplicates() == w.duplicates());
    duplicates += w.duplicates();
  }
  std::map<std::string, std::uint64_t> counters;
  pipe.stage_at<0>().for_each_counter([&](auto name, std::uint64_t n) { counters[std::string(name)] = n; });
  CHECK(counters.at("duplicates") == duplicates);
  CHECK(counters.at("windows") == 8);
  CHECK(pipe.stage_at<0>().window(99U) == nullptr);
}

TEST_CASE("a key space that goes is told and its keys are new again") {
  auto pipe = recoup::assemble<order>(recoup::deduplicate(
      &order::id, &order::revision, recoup::exact_window({.events = 8}), {.capacity = 2, .idle = 10s}));
  recorder told;
  const auto receive = [&](const char* id, timestamp now) {
    return pipe.process({.offset = {}, .id = id, .revision = 1, .at = {}}, now, told);
  };
  CHECK(receive("a", start) == verdict::accepted);
  CHECK(receive("b", start) == verdict::accepted);
  CHECK(receive("b", start) == verdict::duplicate);
  CHECK(told.count("window_evicted") == 0);

  recorder fails(0);
  CHECK_THROWS_AS(pipe.process({.offset = {}, .id = "c", .revision = 1, .at = {}}, start, fails), sink_failure);
  CHECK(receive("a", start) == verdict::duplicate);

  CHECK(receive("c", start) == verdict::accepted);
  REQUIRE(told.count("window_evicted") == 1);
  CHECK(receive("c", start) == verdict::duplicate);
  pipe.advance(start + 1h, told);
  CHECK(told.count("window_evicted") == 3);
  CHECK(receive("c", start + 1h) == verdict::accepted);
}

namespace {
// A window that knows next to nothing: the concept's least.
struct last_key {
  using hash_type = std::uint64_t;
  struct judgement {
    bool is_duplicate = false;
  };
  std::uint64_t last = 0;
  std::uint64_t fresh_keys = 0;
  std::uint64_t repeated = 0;

  hash_type hash(std::uint64_t key) const noexcept { return key; }
  void prefetch(hash_type) const noexcept {}
  judgement judge(std::uint64_t key, hash_type, timestamp) const { return {key == last}; }
  void commit(std::uint64_t key, judgement j, timestamp) {
    last = key;
    ++(j.is_duplicate ? repeated : fresh_keys);
  }
  bool forget(std::uint64_t key) { return key == last && (last = 0, true); }
  std::uint64_t fresh() const { return fresh_keys; }
  std::uint64_t duplicates() const { return repeated; }
  std::uint64_t evicted_within_age() const { return 0; }
  std::uint64_t configuration() const noexcept { return 0; }
  last_key empty_copy() const { return {}; }
  void save(recoup::snapshot_writer& w) const { w.u64(last); }
  bool load(recoup::snapshot_reader& r) {
    last = r.u64();
    return r.ok();
  }
};
static_assert(recoup::dedup_window<last_key, std::uint64_t>);
}  // namespace

TEST_CASE("a window of one's own is a window") {
  auto pipe = recoup::assemble<order>(recoup::deduplicate(&order::revision, last_key{}));
  recorder told;
  const order o{.offset = {}, .id = {}, .revision = 5, .at = {}};
  CHECK(pipe.process(o, start, told) == verdict::accepted);
  CHECK(pipe.process(o, start, told) == verdict::duplicate);
  CHECK(told.lines.back().ends_with("deduplicate: the window remembers the key"));
}

TEST_CASE("a duplicate says as much as its window knows") {
  recorder told;
  const order o{.offset = 5, .id = {}, .at = {}};
  const auto explained = [&](auto window) {
    auto pipe = recoup::assemble<order>(recoup::deduplicate(&order::offset, std::move(window)));
    pipe.process(order{.offset = 900, .id = {}, .at = {}}, start, told);
    pipe.process(o, start, told);
    pipe.process(o, start + 2s, told);
    return told.lines.back();
  };
  CHECK(explained(recoup::exact_window<std::uint64_t>()).ends_with(", 2 s before"));
  CHECK(explained(recoup::bloom_window({.events = 100, .false_positive_rate = 1e-3}))
            .find("the window remembers the key (of new keys, it takes a part of 0.0") != std::string::npos);
  CHECK(explained(recoup::sequence_window()).ends_with("the window remembers the key"));
  CHECK(explained(recoup::sequence_window({.events = 64})).ends_with("lies below the window, and counts as seen"));
}

TEST_CASE("an event is forgotten at its own time where the window goes by that") {
  auto pipe = recoup::assemble<order>(recoup::deduplicate(&order::price, recoup::content_window({.within = 5ms})));
  const order o{.offset = {}, .id = {}, .price = 7, .at = {}};
  for (const timestamp t : {start, start + 1h}) CHECK(pipe.process(o, t, ignore) == verdict::accepted);
  CHECK(pipe.forget(o, start));
  CHECK(pipe.process(o, start + 1h + 1ms, ignore) == verdict::duplicate);
  CHECK(pipe.process(o, start + 1ms, ignore) == verdict::accepted);
}
