// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// What goes wrong in the events of shops and a CRM, one fault a test, as a consumer sees it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/recoup.hpp"

namespace {

using namespace std::chrono_literals;
namespace on_fail = recoup::on_fail;
using recoup::rule;
using recoup::timestamp;
using strings = std::vector<std::string>;

constexpr timestamp monday{std::chrono::sys_days{std::chrono::year{2026} / 2 / 9}.time_since_epoch()};

struct shop_event {
  std::uint64_t id = 0;
  std::uint32_t revision = 0;
  std::string type = "purchase";
  std::string source = "till 1";
  std::uint64_t customer = 0;
  std::optional<timestamp> at = monday;
  std::string email;
  std::string phone;
  std::string amount_text = "100.00";
  std::int64_t price = 100;
  std::int64_t quantity = 1;
  std::int64_t revenue = 100;
  double converted = 100;
  std::int64_t seconds = 60;
  std::string code;
  bool is_paid = true;
};

shop_event of_type(std::string type, std::uint64_t customer, timestamp at) {
  shop_event e;
  e.type = std::move(type);
  e.customer = customer;
  e.at = at;
  return e;
}

auto is(std::string_view type) {
  return [type](const shop_event& e) { return e.type == type; };
}

// What the pipeline tells, as lines of text.
struct journal {
  strings lines;

  void operator()(const recoup::accepted<shop_event>&) { lines.emplace_back("accepted"); }
  void operator()(const recoup::duplicate<shop_event>& d) {
    lines.push_back("duplicate " + std::to_string(d.event.id));
  }
  void operator()(const recoup::review<shop_event>& r) { lines.push_back("review " + r.why()); }
  void operator()(const recoup::dead_letter<shop_event>& d) { lines.push_back("dead letter " + d.why()); }
  void operator()(const recoup::correction<shop_event>& c) { lines.push_back("correction " + c.why()); }
  void operator()(const recoup::flagged<shop_event>& f) { lines.push_back("flagged " + f.why()); }
  void operator()(const recoup::gap_found<>& g) { lines.push_back("missing " + std::to_string(g.range.first)); }
  void operator()(const recoup::replay_request<>& r) { lines.push_back("ask for " + std::to_string(r.range.first)); }
  void operator()(const recoup::anomaly<>& a) { lines.push_back("unusual " + a.why()); }
  void operator()(const recoup::overdue<std::uint64_t>& o) {
    lines.push_back("overdue step " + std::to_string(o.step) + " of " + std::to_string(o.key));
  }
  void operator()(const recoup::overdue_retracted<std::uint64_t>& o) {
    lines.push_back("came after all: step " + std::to_string(o.step) + " of " + std::to_string(o.key));
  }
  template <class Other>
  void operator()(const Other&) {
    lines.emplace_back("something else");
  }
};

// What is told of one event by a pipeline of these stages.
template <class... Stages>
strings told_of(const shop_event& e, Stages... stages) {
  auto pipe = recoup::assemble<shop_event>(stages...);
  journal told;
  pipe.process(e, monday, told);
  return told.lines;
}

auto timestamps() {
  return recoup::check(rule<"at.required">(recoup::required(&shop_event::at), on_fail::review),
                       rule<"at.outdated">(recoup::not_before(&shop_event::at, 24h), on_fail::review),
                       rule<"at.future">(recoup::not_after(&shop_event::at, 1min), on_fail::review));
}

}  // namespace

TEST_CASE("fault: a required field is absent, and a person decides") {
  shop_event e;
  const auto stage = recoup::check(rule<"source.required">(recoup::required(&shop_event::source), on_fail::review));
  CHECK(told_of(e, stage) == strings{"accepted"});
  e.source.clear();
  CHECK(told_of(e, stage) == strings{"review source.required: the field is absent"});
}

TEST_CASE("fault: a timestamp is absent, outdated or in the future") {
  shop_event e;
  for (const auto& [at, outcome] :
       std::vector<std::pair<std::optional<timestamp>, std::string>>{{monday, "accepted"},
                                                                     {monday - 24h, "accepted"},
                                                                     {monday + 1min, "accepted"},
                                                                     {std::nullopt, "review at.required"},
                                                                     {monday - 24h - 1ns, "review at.outdated"},
                                                                     {monday + 1min + 1ns, "review at.future"},
                                                                     {timestamp::min(), "review at.outdated"},
                                                                     {timestamp::max(), "review at.future"}}) {
    e.at = at;
    const strings told = told_of(e, timestamps());
    REQUIRE(told.size() == 1);
    CHECK(told[0].substr(0, outcome.size()) == outcome);
  }
}

TEST_CASE("fault: a numeric field is not well formed") {
  const auto is_decimal = [](const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
  };
  const auto stage =
      recoup::check(rule<"amount.form">(recoup::well_formed(&shop_event::amount_text, is_decimal), on_fail::review));
  shop_event e;
  CHECK(told_of(e, stage) == strings{"accepted"});
  e.amount_text = "1O0.00";
  CHECK(told_of(e, stage) == strings{"review amount.form: \"1O0.00\" is not well formed"});
}

TEST_CASE("fault: an id is left out, and is asked for") {
  auto pipe = recoup::assemble<shop_event>(recoup::track_gaps(&shop_event::id));
  journal told;
  shop_event e;
  for (const std::uint64_t id : {1001U, 1002U, 1004U}) {
    e.id = id;
    pipe.process(e, monday, told);
  }
  pipe.advance(monday, told);
  CHECK(told.lines == strings{"accepted", "accepted", "accepted", "missing 1003", "ask for 1003"});
}

TEST_CASE("fault: a lead is never synchronised, and one is followed up late") {
  auto pipe =
      recoup::assemble<shop_event>(recoup::expect("lead", &shop_event::customer, {}, recoup::opened_by(is("lead")),
                                                  recoup::then(is("sync"), 5min), recoup::then(is("follow-up"), 1h)));
  journal told;
  for (const std::uint64_t customer : {1U, 2U}) pipe.process(of_type("lead", customer, monday), monday, told);
  pipe.process(of_type("sync", 2, monday + 1min), monday + 1min, told);
  told.lines.clear();
  pipe.advance(monday + 5min, told);
  pipe.advance(monday + 6min, told);
  CHECK(told.lines == strings{"overdue step 0 of 1"});
  told.lines.clear();
  pipe.advance(monday + 2h, told);
  pipe.process(of_type("follow-up", 2, monday + 2h), monday + 2h, told);
  CHECK(told.lines == strings{"overdue step 1 of 2", "came after all: step 1 of 2", "accepted"});
}

// By night 40 events in five minutes, by day 400.
TEST_CASE("fault: the volume drops by day to what is usual by night") {
  auto pipe = recoup::assemble<shop_event>(recoup::detect_rate("volume", recoup::rate_detector()));
  journal told;
  const shop_event e;
  const auto run = [&](int first_bucket, int last_bucket, std::function<int(double)> count) {
    for (int bucket = first_bucket; bucket < last_bucket; ++bucket) {
      const timestamp begin = monday + bucket * 5min;
      const double hour = std::fmod(bucket / 12.0, 24);
      const int events = count(hour) + bucket * 7 % 11 - 5;
      for (int i = 0; i < events; ++i) pipe.process(e, begin + i * (5min / events), told);
      pipe.advance(begin + 5min, told);
    }
  };
  const auto usual = [](double hour) { return static_cast<int>(220 - 180 * std::cos(hour / 24 * 2 * 3.14159265)); };
  run(0, 14 * 288, usual);
  told.lines.clear();
  run(14 * 288, 14 * 288 + 144, usual);
  CHECK(std::count(told.lines.begin(), told.lines.end(), "accepted") == std::ssize(told.lines));
  told.lines.clear();
  run(14 * 288 + 144, 14 * 288 + 147, [](double) { return 40; });
  std::erase(told.lines, "accepted");
  REQUIRE_FALSE(told.lines.empty());
  CHECK(told.lines[0].find("is below what is usual") != std::string::npos);
}

TEST_CASE("fault: fewer of the scanned cards become CRM entries than the usual 95 per cent") {
  auto pipe = recoup::assemble<shop_event>(
      recoup::detect_ratio("scans to entries", is("scan"), is("entry"), recoup::ratio_detector({.maturity = 1min})));
  journal told;
  const auto hours = [&](int first, int last, int lost_in_a_hundred) {
    for (int minute = first * 60; minute < last * 60; ++minute) {
      const timestamp now = monday + minute * 1min;
      for (int i = 0; i < 20; ++i) {
        pipe.process(of_type("scan", 0, now), now, told);
        if ((minute * 20 + i) * 37 % 100 >= lost_in_a_hundred) pipe.process(of_type("entry", 0, now), now, told);
      }
      pipe.advance(now, told);
    }
    std::erase(told.lines, "accepted");
  };
  hours(0, 48, 5);
  CHECK(told.lines.empty());
  hours(48, 49, 20);
  REQUIRE_FALSE(told.lines.empty());
  CHECK(told.lines[0].find("scans to entries: 0.8 is below what is usual") != std::string::npos);
}

TEST_CASE("fault: an event comes again under its key, at its source's time, or as equal content within milliseconds") {
  const auto twice = [](auto stage, const shop_event& a, const shop_event& b, recoup::duration later) {
    auto pipe = recoup::assemble<shop_event>(stage);
    journal told;
    pipe.process(a, monday, told);
    pipe.process(b, monday + later, told);
    return told.lines.back();
  };
  shop_event a;
  a.id = 7;
  shop_event b = a;
  const auto by_key = [] { return recoup::deduplicate(&shop_event::id, recoup::exact_window({.events = 100})); };
  CHECK(twice(by_key(), a, b, 1h) == "duplicate 7");
  b.id = 8;
  CHECK(twice(by_key(), a, b, 1h) == "accepted");

  const auto by_source = [] {
    return recoup::deduplicate(recoup::key(&shop_event::source, &shop_event::at),
                               recoup::exact_window({.events = 100}));
  };
  CHECK(twice(by_source(), a, b, 1h) == "duplicate 8");
  b.source = "till 2";
  CHECK(twice(by_source(), a, b, 1h) == "accepted");

  const auto by_content = [] {
    return recoup::deduplicate(recoup::key(&shop_event::customer, &shop_event::price, &shop_event::quantity),
                               recoup::content_window({.events = 100, .within = 5ms}));
  };
  CHECK(twice(by_content(), a, b, 5ms) == "duplicate 8");
  CHECK(twice(by_content(), a, b, 6ms) == "accepted");
}

TEST_CASE("fault: what came twice is kept until somebody discards it or takes it back into the stream") {
  auto pipe = recoup::assemble<shop_event>(
      recoup::deduplicate(recoup::key(&shop_event::id, &shop_event::revision), recoup::exact_window({.events = 100})));
  std::vector<shop_event> kept;
  std::vector<std::uint64_t> processed;
  const recoup::overloaded sink{[&](const recoup::accepted<shop_event>& a) { processed.push_back(a.event.id); },
                                [&](const recoup::duplicate<shop_event>& d) {
                                  CHECK(d.first_seen == monday);
                                  kept.push_back(d.event);
                                }};
  shop_event e;
  e.id = 7;
  pipe.process(e, monday, sink);
  pipe.process(e, monday + 1s, sink);
  REQUIRE(kept.size() == 1);
  ++kept[0].revision;  // a person has found that it was another purchase
  pipe.process(kept[0], monday + 1h, sink, recoup::origin::correction);
  CHECK(processed == std::vector<std::uint64_t>{7, 7});
}

namespace {

struct provider_record {
  std::uint64_t id = 0;
  std::int64_t amount = 0;
  bool is_paid = true;
};

auto against_provider() {
  return recoup::assemble<shop_event>(
      recoup::deduplicate(recoup::key(&shop_event::id, &shop_event::revision), recoup::exact_window({.events = 100})),
      recoup::reconcile(recoup::match<shop_event, provider_record>(
          &shop_event::id, &provider_record::id, {.ours_wait = 10min, .theirs_wait = 10min},
          recoup::same<"paid">(&shop_event::is_paid, &provider_record::is_paid),
          recoup::same<"amount">(&shop_event::revenue, &provider_record::amount))));
}

}  // namespace

TEST_CASE("fault: our record says paid and the provider says failed, and the event is rebuilt and goes in again") {
  auto pipe = against_provider();
  std::vector<shop_event> again;
  strings told;
  const recoup::overloaded sink{
      [&](const recoup::accepted<shop_event>& a) {
        told.push_back("accepted revision " + std::to_string(a.event.revision) + (a.event.is_paid ? ", paid" : ""));
      },
      [&](const recoup::mismatched<shop_event, provider_record>& m) {
        told.push_back("mismatched");
        shop_event right = m.ours;
        ++right.revision;
        right.is_paid = m.theirs.is_paid;
        again.push_back(right);
      },
      [&](const recoup::duplicate<shop_event>&) { told.emplace_back("duplicate"); },
      [&](const auto&) { told.emplace_back("something else"); }};
  shop_event e;
  e.id = 7;
  pipe.process(e, monday, sink);
  pipe.external(provider_record{7, 100, false}, monday + 1min, sink);
  REQUIRE(again.size() == 1);
  for (int time = 0; time < 2; ++time) pipe.process(again[0], monday + 2min, sink, recoup::origin::correction);
  pipe.advance(monday + 1h, sink);
  CHECK(told == strings{"accepted revision 0, paid", "mismatched", "accepted revision 1", "duplicate"});
}

TEST_CASE("fault: an amount in another currency is off by more than 5 per cent") {
  recoup::external_value<double> rate("EUR/USD");
  rate.set(1.1, monday);
  const auto stage = recoup::check(rule<"amount.rate">(
      recoup::within(&shop_event::converted, recoup::times(&shop_event::revenue, recoup::value_of(rate)),
                     recoup::percent(5)),
      on_fail::flag));
  shop_event e;
  for (const auto& [converted, is_right] : std::map<double, bool>{{104.4, false},
                                                                  {104.6, true},
                                                                  {110, true},
                                                                  {115.4, true},
                                                                  {115.6, false},
                                                                  {-110, false},
                                                                  {std::numeric_limits<double>::infinity(), false}}) {
    e.converted = converted;
    CAPTURE(converted);
    const strings told = told_of(e, stage);
    CHECK(told.size() == (is_right ? 1U : 2U));
    if (!is_right) CHECK(told[0].substr(0, 19) == "flagged amount.rate");
  }
  e.converted = std::numeric_limits<double>::quiet_NaN();
  CHECK(told_of(e, stage).size() == 2);
}

TEST_CASE("fault: price times quantity is not the revenue, and is worked out again") {
  const auto stage = recoup::check(rule<"revenue.product">(
      recoup::product_equals(&shop_event::price, &shop_event::quantity, &shop_event::revenue), on_fail::correct));
  shop_event e;
  e.quantity = 3;
  e.revenue = 299;
  auto pipe = recoup::assemble<shop_event>(stage);
  std::vector<std::int64_t> revenues;
  const recoup::overloaded sink{[&](const recoup::correction<shop_event>& c) {
                                  revenues = {c.original.revenue, c.corrected.revenue};
                                },
                                [](const auto&) { FAIL("it was no correction"); }};
  pipe.process(e, monday, sink);
  CHECK(revenues == std::vector<std::int64_t>{299, 300});
  e.price = std::numeric_limits<std::int64_t>::max();
  const auto uncorrectable = told_of(e, stage);
  REQUIRE(uncorrectable.size() == 1);
  CHECK(uncorrectable[0].substr(0, 8) != "accepted");
}

TEST_CASE("fault: a call of no length is flagged, or removed") {
  shop_event e;
  e.seconds = 0;
  const auto call = [](auto what) {
    return recoup::check(rule<"call.length">(recoup::in_range(&shop_event::seconds, 1, 86'400), what));
  };
  CHECK(told_of(e, call(on_fail::flag)) ==
        strings{"flagged call.length: 0 is not in the range from 1 to 86400", "accepted"});
  CHECK(told_of(e, call(on_fail::dead_letter)) ==
        strings{"dead letter call.length: 0 is not in the range from 1 to 86400"});
}

TEST_CASE("fault: e-mail and phone have changed places") {
  shop_event e;
  e.email = "+49 30 1234567";
  e.phone = "ada@a.example";
  auto pipe = recoup::assemble<shop_event>(recoup::check(rule<"contact.swapped">(
      recoup::not_swapped(&shop_event::email, &shop_event::phone, recoup::looks_like_email, recoup::looks_like_phone),
      on_fail::correct)));
  bool is_right = false;
  const recoup::overloaded sink{[&](const recoup::correction<shop_event>& c) {
                                  is_right = c.corrected.email == e.phone && c.corrected.phone == e.email;
                                },
                                [](const auto&) {}};
  pipe.process(e, monday, sink);
  CHECK(is_right);
}

TEST_CASE("fault: a code is issued twice to one customer") {
  auto pipe = recoup::assemble<shop_event>(
      recoup::check(rule<"code.unique">(recoup::unique_within(recoup::key(&shop_event::customer, &shop_event::code),
                                                              recoup::exact_window({.events = 100})),
                                        on_fail::dead_letter)));
  journal told;
  shop_event e = of_type("code", 1, monday);
  e.code = "SPRING";
  pipe.process(e, monday, told);
  pipe.process(e, monday, told);
  e.customer = 2;
  pipe.process(e, monday, told);
  REQUIRE(told.lines.size() == 3);
  CHECK(told.lines[0] == "accepted");
  CHECK(told.lines[1].substr(0, 23) == "dead letter code.unique");
  CHECK(told.lines[2] == "accepted");
}

TEST_CASE("fault: a correction comes twice, and is applied once") {
  recoup::corrector<shop_event> corrections;
  shop_event wrong;
  wrong.revenue = 90;
  const shop_event right;
  int applied = 0;
  for (int time = 0; time < 3; ++time) {
    const std::uint64_t id = recoup::correction_id(right.id, "revenue.product", right.revenue);
    corrections.propose(id, wrong, right, monday, [&](const auto& told) {
      ++applied;
      CHECK(told.original.revenue == 90);
    });
    if (time > 0) corrections.confirm(id, monday);
  }
  CHECK(applied == 1);
}

TEST_CASE("fault: a correction moves a value by more than 300 per cent, and is held for a person") {
  recoup::corrector<shop_event> corrections;
  shop_event wrong;
  shop_event right;
  wrong.revenue = 100;
  strings told;
  const recoup::overloaded listener{
      [&](const recoup::correction_proposed<shop_event>&) { told.emplace_back("proposed"); },
      [&](const recoup::correction_held<shop_event>&) { told.emplace_back("held"); }, [](const auto&) {}};
  for (const std::int64_t revenue : {400, 401, -200, -201}) {
    right.revenue = revenue;
    const auto id = static_cast<std::uint64_t>(revenue);
    corrections.propose(id, wrong, right, recoup::value_change{static_cast<double>(revenue), 100}, monday, listener);
  }
  CHECK(told == strings{"proposed", "held", "proposed", "held"});
  CHECK(corrections.release(401, monday, listener));
  CHECK(told.back() == "proposed");
}

TEST_CASE("fault: a correction fails, and the original is back") {
  recoup::corrector<shop_event> corrections;
  shop_event wrong;
  wrong.revenue = 90;
  corrections.propose(1, wrong, shop_event{}, monday, [](const auto&) {});
  const std::optional<shop_event> original = corrections.roll_back(1);
  REQUIRE(original);
  CHECK(original->revenue == 90);
  CHECK_FALSE(corrections.confirm(1, monday));
}

TEST_CASE("fault: very many events are flagged at once, and the urgent ones go first") {
  constexpr std::size_t flagged = 200'000;
  recoup::recovery_queue<std::uint64_t> queue({.capacity = flagged, .max_leases = 64, .ordered_keys = false});
  const auto never = [](const auto&) { FAIL("something was told"); };
  for (std::uint64_t i = 0; i < flagged; ++i)
    queue.push(i, {.urgency = static_cast<std::uint8_t>(i % 1'000 == 999 ? 0 : 4)}, monday, never);
  std::uint64_t taken = 0;
  bool is_in_order = true;
  while (const auto work = queue.next(monday)) {
    const std::uint64_t nth = taken++;
    const std::uint64_t expected = nth < flagged / 1'000
                                       ? nth * 1'000 + 999
                                       : (nth - flagged / 1'000) / 999 * 1'000 + (nth - flagged / 1'000) % 999;
    is_in_order = is_in_order && *work->item == expected;
    queue.succeeded(work->id, monday, never);
  }
  CHECK(taken == flagged);
  CHECK(is_in_order);
}

TEST_CASE("fault: the system outside is down, and its stand-in as well for a while, and nothing is lost") {
  recoup::recovery_queue_options options;
  options.retry.max_attempts = 1'000;
  options.retry.backoff = {.first = 1s, .longest = 1min};
  options.targets = {{.fallback = 1}, {}};
  recoup::recovery_queue<std::uint64_t> queue(options);
  const auto never = [](const auto&) { FAIL("something was told"); };
  constexpr std::uint64_t items = 1'000;
  std::map<std::uint64_t, std::uint32_t> done;  // and where
  int failures = 0;
  for (std::uint64_t i = 0; i < items; ++i) queue.push(i, {}, monday, never);
  timestamp now = monday;
  for (; queue.size() != 0 && now < monday + 24h; now += 1s) {
    while (const auto work = queue.next(now)) {
      const bool is_up = now >= monday + (work->target == 0 ? 2h : 10min);
      if (is_up) {
        CHECK(done.emplace(*work->item, work->target).second);
        queue.succeeded(work->id, now, never);
      } else {
        ++failures;
        queue.failed(work->id, {recoup::failure_kind::transient}, now, never);
      }
    }
    queue.advance(now, never);
  }
  CHECK(done.size() == items);
  CHECK(std::all_of(done.begin(), done.end(), [](const auto& d) { return d.second == 1; }));
  CHECK(now < monday + 1h);
  CHECK(failures < 2 * static_cast<int>(items));  // it does not knock all the time
}

TEST_CASE("fault: several threads, each with the pipeline of its partition, find what one finds") {
  constexpr std::uint64_t events = 20'000;
  const auto run = [](std::uint64_t partition) {
    auto pipe =
        recoup::assemble<shop_event>(recoup::track_gaps(&shop_event::id),
                                     recoup::deduplicate(&shop_event::id, recoup::exact_window({.events = 1 << 10})));
    std::array<std::uint64_t, 3> counts{};
    const recoup::overloaded sink{[&](const recoup::accepted<shop_event>&) { ++counts[0]; },
                                  [&](const recoup::duplicate<shop_event>&) { ++counts[1]; },
                                  [&](const recoup::gap_found<>& g) { counts[2] += g.range.size(); },
                                  [](const auto&) {}};
    shop_event e;
    for (std::uint64_t i = 0; i < events; ++i) {
      e.id = i;
      if (i % (97 + partition) == 50) continue;
      for (int copies = i % (89 + partition) == 40 ? 2 : 1; copies != 0; --copies) pipe.process(e, monday, sink);
    }
    pipe.advance(monday, sink);
    return counts;
  };
  std::vector<std::array<std::uint64_t, 3>> together(4);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t p = 0; p < together.size(); ++p) threads.emplace_back([&, p] { together[p] = run(p); });
  }
  for (std::uint64_t p = 0; p < together.size(); ++p) {
    CHECK(together[p] == run(p));
    CHECK(together[p][0] + together[p][2] == events);
    CHECK(together[p][1] != 0);
  }
}
