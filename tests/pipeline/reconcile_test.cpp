// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/pipeline/reconcile.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "orders.hpp"

namespace {

using namespace orders;
using recoup::match_side;

struct invoice {
  std::string order_id;
  std::uint32_t revision = 0;
  std::int64_t total = 0;

  void save(recoup::snapshot_writer& w) const {
    w.value(order_id);
    w.value(revision);
    w.i64(total);
  }
  bool load(recoup::snapshot_reader& r) { return r.value(order_id) && r.value(revision) && r.value(total); }
};

auto invoiced() {
  return recoup::assemble<order>(
      recoup::check(
          recoup::rule<"id.required">(recoup::required(&order::id), recoup::on_fail::dead_letter),
          recoup::rule<"total.product">(recoup::product_equals(&order::price, &order::quantity, &order::total),
                                        recoup::on_fail::correct)),
      recoup::reconcile(recoup::match<order, invoice>(
          recoup::key(&order::id, &order::revision), recoup::key(&invoice::order_id, &invoice::revision),
          {.ours_wait = 10s, .theirs_wait = 20s},
          recoup::close<"total">(&order::total, &invoice::total, {.absolute = 1}))));
}

// What was told, without the events.
class notes {
 public:
  std::vector<std::string> lines;
  bool fails = false;

  void operator()(const recoup::matched<order, invoice>& m) { note("matched " + m.ours.id); }
  void operator()(const recoup::mismatched<order, invoice>& m) { note("mismatched " + m.ours.id + ": " + m.why()); }
  void operator()(const recoup::ambiguous<order, invoice>&) { note("ambiguous"); }
  void operator()(const recoup::matched_in_parts<order, invoice>&) { note("in parts"); }
  template <class Record>
  void operator()(const recoup::unmatched<Record>& u) {
    note(std::string(name_of(u.side)) + " unmatched");
  }
  template <class Record>
  void operator()(const recoup::unmatched_retracted<Record>& u) {
    note(std::string(name_of(u.side)) + " retracted");
  }
  template <class Record>
  void operator()(const recoup::duplicate_record<Record>& d) {
    note(std::string(name_of(d.side)) + " repeated");
  }
  void operator()(const recoup::accepted<order>&) { note("accepted"); }
  void operator()(const recoup::correction<order>&) { note("correction"); }
  void operator()(const recoup::dead_letter<order>&) { note("dead_letter"); }
  void operator()(const recoup::review<order>&) { note("review"); }

  std::vector<std::string> take() { return std::exchange(lines, {}); }

 private:
  void note(std::string line) {
    if (fails) throw sink_failure();
    lines.push_back(std::move(line));
  }
};

order placed(std::string id, std::int64_t total, std::int64_t price) {
  return {.offset = {}, .id = std::move(id), .price = price, .total = total, .at = {}};
}
order placed(std::string id, std::int64_t total) { return placed(std::move(id), total, total); }

using strings = std::vector<std::string>;

TEST_CASE("accepted events are held against records from outside in either order") {
  auto pipe = invoiced();
  notes told;
  pipe.process(placed("a", 100), start, told);
  pipe.external(invoice{"a", 0, 101}, start, told);
  pipe.external(invoice{"b", 0, 90}, start, told);
  CHECK(pipe.process(placed("b", 100), start, told) == verdict::accepted);
  CHECK(told.take() == strings{"accepted", "matched a",
                               "mismatched b: total: theirs 90 is 10 below ours 100, more than 1", "accepted"});
}

TEST_CASE("rejected events are not reconciled and corrected ones are as corrected") {
  auto pipe = invoiced();
  notes told;
  pipe.process(placed("", 100), start, told);
  pipe.process(placed("a", 7, 100), start, told);
  pipe.external(invoice{"a", 0, 100}, start, told);
  CHECK(told.take() == strings{"dead_letter", "correction", "matched a"});
  CHECK(pipe.stage_at<1>().matcher().totals(match_side::ours).seen == 1);
}

TEST_CASE("live and replayed events are reconciled and others are not") {
  auto pipe = invoiced();
  notes told;
  for (const origin from : {origin::live, origin::replay, origin::correction, origin::inferred}) {
    order o = placed("a", 1);
    o.revision = static_cast<std::uint32_t>(from);
    pipe.process(o, start, told, from);
  }
  CHECK(pipe.stage_at<1>().matcher().totals(match_side::ours).seen == 2);
}

TEST_CASE("of a mixed stream those events are reconciled that are to be") {
  auto pipe = recoup::assemble<order>(recoup::reconcile(
      [](const order& o) { return o.total >= 100; },
      recoup::match<order, invoice>(&order::id, &invoice::order_id, {.ours_wait = 10s, .theirs_wait = 20s},
                                    recoup::same<"total">(&order::total, &invoice::total))));
  notes told;
  const order small{.offset = {}, .id = "a", .total = 99, .at = {}};
  const order large{.offset = {}, .id = "b", .total = 100, .at = {}};
  const order nameless{.offset = {}, .id = "", .total = 1, .at = {}};
  for (const order& o : {small, large, nameless}) pipe.process(o, start, told);
  pipe.external(invoice{"b", 0, 100}, start, told);
  CHECK(pipe.forget(small, start));
  pipe.advance(start + 1h, told);
  CHECK(told.take() == std::vector<std::string>{"accepted", "accepted", "accepted", "matched b"});
  CHECK(pipe.stage_at<0>().matcher().totals(match_side::ours).seen == 1);
  REQUIRE(recoup::restore(pipe, recoup::snapshot(pipe)));
}

TEST_CASE("time tells what is missing on either side and a late record takes that back") {
  auto pipe = invoiced();
  notes told;
  pipe.process(placed("a", 100), start, told);
  pipe.external(invoice{"b", 0, 1}, start, told);
  told.lines.clear();
  pipe.advance(start + 20s, told);
  CHECK(told.take() == strings{"ours unmatched", "theirs unmatched"});
  pipe.external(invoice{"a", 0, 100}, start + 30s, told);
  CHECK(told.take() == strings{"ours retracted", "matched a"});
}

TEST_CASE("a sink that throws while reconciling undoes the event and the record") {
  auto pipe = invoiced();
  notes told;
  pipe.external(invoice{"a", 0, 100}, start, told);
  const auto before = recoup::snapshot(pipe);
  told.fails = true;
  CHECK_THROWS_AS(pipe.process(placed("a", 100), start, told), sink_failure);
  CHECK(recoup::snapshot(pipe) == before);
  CHECK_THROWS_AS(pipe.external(invoice{"a", 0, 100}, start, told), sink_failure);
  CHECK_THROWS_AS(pipe.advance(start + 20s, told), sink_failure);
  CHECK(recoup::snapshot(pipe) == before);
  told.fails = false;
  pipe.process(placed("a", 100), start, told);
  CHECK(told.take() == strings{"matched a", "accepted"});
}

TEST_CASE("an event that waits for its record can be forgotten and one that has it cannot") {
  auto pipe = invoiced();
  notes told;
  const order a = placed("a", 100);
  pipe.process(a, start, told);
  CHECK(pipe.forget(a, start));
  CHECK(pipe.stage_at<1>().matcher().totals(match_side::ours).seen == 0);
  pipe.process(a, start, told);
  pipe.external(invoice{"a", 0, 100}, start, told);
  CHECK_FALSE(pipe.forget(a, start));
  told.lines.clear();
  pipe.process(a, start, told);
  CHECK(told.take() == strings{"ours repeated", "accepted"});
}

TEST_CASE("the counters of reconcile add up and survive a snapshot") {
  auto pipe = invoiced();
  notes told;
  for (std::uint32_t i = 0; i < 40; ++i) {
    pipe.process(placed(std::to_string(i % 30), i % 7 + 1), start + i * 1s, told);
    pipe.external(invoice{std::to_string(i * 3 % 40), 0, i % 11 + 1}, start + i * 1s, told);
    pipe.advance(start + i * 1s, told);
  }
  auto restored = pipe.empty_copy();
  REQUIRE(recoup::restore(restored, recoup::snapshot(pipe)));
  std::map<std::string, std::uint64_t, std::less<>> counters;
  restored.stats([&](std::string_view stage, std::string_view counter, std::uint64_t value) {
    if (stage == "reconcile") counters[std::string(counter)] = value;
  });
  CHECK(counters.size() == 12);
  for (const std::string side : {"ours_", "theirs_"}) {
    const auto of = [&](std::string_view counter) { return counters.at(side + std::string(counter)); };
    CHECK(of("seen") == 40);
    CHECK(of("seen") == of("matched") + of("mismatched") + of("open") + of("missing") + of("duplicates"));
    CHECK(of("matched") > 0);
    CHECK(of("mismatched") > 0);
  }
}

}  // namespace
