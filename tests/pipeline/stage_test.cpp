// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/stage.hpp"

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "orders.hpp"

namespace {

using namespace orders;

// A finding and a stage as a user writes them: holds orders above a limit, and tells each new record.
struct new_record {
  std::int64_t total;
};

class spending_limit : public recoup::stage_defaults<order> {
 public:
  static constexpr std::string_view name = "spending_limit";
  using verdicts = recoup::type_list<recoup::review<order>>;
  using findings = recoup::type_list<new_record>;
  struct judgement {
    bool is_above = false;
    bool is_record = false;
  };

  explicit spending_limit(std::int64_t limit) : limit_(limit) {}

  judgement judge(const order& o, const hint&, const recoup::context&) const {
    return {o.total > limit_, o.total > record_};
  }
  recoup::verdict outcome(const judgement& j) const {
    return j.is_above ? recoup::verdict::review : recoup::verdict::accepted;
  }
  template <class Emit>
  void report(const order& o, const judgement& j, const recoup::context&, Emit&& emit) const {
    if (j.is_record) emit(new_record{o.total});
  }
  std::vector<recoup::reason> explain(const order& o, const judgement&, const recoup::context&) const {
    return {{name, std::to_string(o.total) + " is above " + std::to_string(limit_)}};
  }
  void commit(const order& o, const judgement& j, const recoup::context&, recoup::verdict) {
    if (j.is_record) record_ = o.total;
  }
  template <class F>
  void for_each_counter(F&& f) const {
    f("record", static_cast<std::uint64_t>(record_));
  }
  std::uint64_t configuration() const { return static_cast<std::uint64_t>(limit_); }
  void save(recoup::snapshot_writer& w) const { w.i64(record_); }
  bool load(recoup::snapshot_reader& r) {
    record_ = r.i64();
    return r.ok();
  }

 private:
  std::int64_t limit_;
  std::int64_t record_ = 0;
};

static_assert(recoup::stage<spending_limit, order>);
static_assert(!recoup::stage<int, order>);
static_assert(!recoup::stage<recoup::stage_defaults<order>, order>);

struct listener {
  std::vector<std::string> heard;
  void operator()(const recoup::accepted<order>& a) { heard.push_back("accepted " + a.event.id); }
  void operator()(const recoup::duplicate<order>& d) { heard.push_back("duplicate " + d.event.id); }
  void operator()(const recoup::review<order>& r) { heard.push_back("review " + r.event.id + ": " + r.why()); }
  void operator()(const new_record& n) { heard.push_back("record " + std::to_string(n.total)); }
};

order spend(std::string id, std::int64_t total) {
  order o;
  o.id = std::move(id);
  o.total = total;
  return o;
}

}  // namespace

TEST_CASE("a stage of the user has its own findings and verdicts and reasons") {
  auto pipe = recoup::assemble<order>(spending_limit(100),
                                      recoup::deduplicate(&order::id, recoup::exact_window({.events = 8})));
  listener told;
  CHECK(pipe.process(spend("a", 40), start, told) == verdict::accepted);
  CHECK(pipe.process(spend("b", 250), start, told) == verdict::review);
  CHECK(pipe.process(spend("b", 50), start, told) == verdict::accepted);  // held events do not reach the window
  CHECK(pipe.process(spend("a", 60), start, told) == verdict::duplicate);
  pipe.advance(start, told);
  CHECK(told.heard == std::vector<std::string>{"record 40", "accepted a", "record 250",
                                               "review b: spending_limit: 250 is above 100", "accepted b",
                                               "duplicate a"});
  bool has_counter = false;
  pipe.stats([&](std::string_view stage, std::string_view counter, std::uint64_t value) {
    if (stage == "spending_limit" && counter == "record") has_counter = value == 250;
  });
  CHECK(has_counter);
}

TEST_CASE("the counters of several stages of a name are told apart") {
  auto pipe =
      recoup::assemble<order>(spending_limit(100), recoup::deduplicate(&order::id, recoup::exact_window({.events = 8})),
                              spending_limit(200), spending_limit(300));
  listener told;
  pipe.process(spend("a", 40), start, told);
  std::vector<std::string> stages;
  pipe.stats([&](std::string_view stage, std::string_view counter, std::uint64_t) {
    if (counter == "record") stages.emplace_back(stage);
  });
  CHECK(stages == std::vector<std::string>{"spending_limit", "spending_limit_2", "spending_limit_3"});
}

TEST_CASE("a stage of the user is part of the snapshot and of its configuration") {
  auto pipe = recoup::assemble<order>(spending_limit(100));
  listener told;
  pipe.process(spend("a", 40), start, told);
  auto other = recoup::assemble<order>(spending_limit(100));
  REQUIRE(recoup::restore(other, recoup::snapshot(pipe)));
  CHECK((recoup::snapshot(other) == recoup::snapshot(pipe)));
  told.heard.clear();
  other.process(spend("b", 40), start, told);
  CHECK(told.heard == std::vector<std::string>{"accepted b"});

  auto stricter = recoup::assemble<order>(spending_limit(50));
  CHECK(recoup::restore(stricter, recoup::snapshot(pipe)).status == recoup::snapshot_status::other_configuration);
}

TEST_CASE("type lists join and are searched") {
  using recoup::type_list;
  using recoup::detail::contains;
  using recoup::detail::joined;
  STATIC_REQUIRE(std::is_same_v<joined<>, type_list<>>);
  STATIC_REQUIRE(
      std::is_same_v<joined<type_list<int, char>, type_list<>, type_list<long>>, type_list<int, char, long>>);
  STATIC_REQUIRE(contains<char>(type_list<int, char>{}));
  STATIC_REQUIRE_FALSE(contains<long>(type_list<int, char>{}));
  STATIC_REQUIRE_FALSE(contains<long>(type_list<>{}));
}

namespace {

// Takes up gaps that are found and tells of each how long it is, once.
struct gap_length {
  std::uint64_t numbers;
};

class measure_gaps : public recoup::stage_defaults<order> {
 public:
  static constexpr std::string_view name = "measure_gaps";
  using findings = recoup::type_list<gap_length>;
  using reacts_to = recoup::type_list<recoup::gap_found<>>;
  struct judgement {};

  judgement judge(const order&, const hint&, const recoup::context&) const { return {}; }
  recoup::verdict outcome(const judgement&) const { return recoup::verdict::accepted; }
  void commit(const order&, const judgement&, const recoup::context&, recoup::verdict) {}
  void react(const recoup::gap_found<>& gap, timestamp) { length_ = gap.range.size(); }
  template <class Emit>
  void advance(timestamp, Emit&& emit) {
    if (length_ == 0) return;
    emit(gap_length{length_});
    length_ = 0;
  }

 private:
  std::uint64_t length_ = 0;
};

}  // namespace

TEST_CASE("a stage that reacts tells what follows before anything else is told") {
  auto pipe = recoup::assemble<order>(recoup::track_gaps(&order::offset), measure_gaps{});
  std::vector<std::string> heard;
  std::size_t fails = 0;
  const auto hear = [&](std::string line) {
    if (fails > 0 && --fails == 0) throw sink_failure();
    heard.push_back(std::move(line));
  };
  const recoup::overloaded sink{
      [&](const recoup::accepted<order>&) {},
      [&](const recoup::gap_found<>& g) { hear("gap " + show(g.range)); },
      [&](const gap_length& g) { hear("of " + std::to_string(g.numbers)); },
      [&](const recoup::replay_request<>& r) { hear("replay " + show(r.range)); },
      [&](const recoup::gap_abandoned<>&) {},
      [&](const recoup::late_arrival<>&) {},
      [&](const recoup::stream_resumed<>&) {},
  };
  for (const std::uint64_t n : {1U, 3U, 6U}) {
    order o;
    o.offset = n;
    pipe.process(o, start, sink);
  }
  const std::vector<std::string> expected{"gap 2-2", "of 1", "gap 4-5", "of 2", "replay 2-2", "replay 4-5"};
  for (std::size_t at = 1; at <= expected.size(); ++at) {
    auto copy = pipe;
    heard.clear();
    fails = at;
    CHECK_THROWS_AS(copy.advance(start, sink), sink_failure);
    CHECK(heard.size() == at - 1);
    copy.advance(start, sink);
    CHECK(heard == expected);
  }
}
