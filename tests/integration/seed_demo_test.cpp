// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// Ten events of a customer-relations system, with one missing, two duplicates, two rejected and one to be completed.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "recoup/recoup.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::timestamp;
using strings = std::vector<std::string>;

struct event {
  std::optional<std::uint64_t> id;
  std::string type;
  std::optional<timestamp> at;
  std::optional<bool> valid;
};

constexpr timestamp noon{std::chrono::sys_days{std::chrono::year{2025} / 2 / 9}.time_since_epoch() + 12h};

const std::vector<event> events{
    {1001, "LeadCreated", noon, true},
    {1002, "CRM_Sync", noon + 1min, true},
    {1002, "CRM_Sync", noon + 1min, true},
    {1004, "LeadCreated", noon + 2min, true},
    {1005, "CRM_Sync", noon + 3min, true},
    {1005, "CRM_Sync", noon + 3min + 1s, true},
    {1006, "Transaction", noon + 4min, false},
    {1006, "Transaction", noon + 4min, false},
    {std::nullopt, "Transaction", noon + 4min, true},
    {1007, "Transaction", noon + 4min, std::nullopt},
};

auto demo() {
  return recoup::assemble<event>(
      recoup::track_gaps(&event::id, {.reorder_delay = 2min}),
      recoup::deduplicate(recoup::key(&event::id, &event::at), recoup::exact_window({.events = 1'000})),
      recoup::check(recoup::rule<"id.required">(recoup::required(&event::id), recoup::on_fail::dead_letter),
                    recoup::rule<"type.required">(recoup::required(&event::type), recoup::on_fail::dead_letter),
                    recoup::rule<"at.required">(recoup::required(&event::at), recoup::on_fail::dead_letter),
                    recoup::rule<"valid.given">(recoup::required(&event::valid),
                                                recoup::on_fail::correct([](event& e) { e.valid = true; })),
                    recoup::rule<"valid.true">(recoup::equals(&event::valid, true), recoup::on_fail::dead_letter)),
      recoup::infer(&event::id,
                    recoup::from_neighbours(recoup::midpoint(&event::at), recoup::most_frequent(&event::type))));
}

std::string show(const event& e) {
  const auto time = [&] {
    const std::string full = recoup::detail::show(e.at);
    return full.substr(full.find('T') + 1, 8);
  };
  return (e.id ? std::to_string(*e.id) : "-") + ' ' + e.type + ' ' + (e.at ? time() : "-") + ' ' +
         (!e.valid   ? "-"
          : *e.valid ? "true"
                     : "false");
}

struct outcome {
  strings published;
  strings missing;
  strings duplicates;
  strings dead_letters;
  strings corrections;
  strings superseded;
  strings others;

  void operator()(const recoup::accepted<event>& a) { published.push_back(show(a.event)); }
  void operator()(const recoup::duplicate<event>& d) { duplicates.push_back(show(d.event) + ": " + d.why()); }
  void operator()(const recoup::dead_letter<event>& d) { dead_letters.push_back(show(d.event) + ": " + d.why()); }
  void operator()(const recoup::correction<event>& c) {
    published.push_back(show(c.corrected));
    corrections.push_back(show(c.original) + " -> " + show(c.corrected) + ": " + c.why());
  }
  void operator()(const recoup::gap_found<>& g) {
    missing.push_back(std::to_string(g.range.first) + '-' + std::to_string(g.range.last));
  }
  void operator()(const recoup::inferred<event>& i) { published.push_back(show(i.event) + " inferred"); }
  void operator()(const recoup::inference_forgotten<>&) { FAIL("an inferred event was forgotten"); }
  void operator()(const recoup::inference_superseded<event>& i) { superseded.push_back(show(i.event)); }
  void operator()(const recoup::replay_request<>&) {}
  template <class Other>
  void operator()(const Other&) {
    others.emplace_back("unexpected");
  }
};

}  // namespace

TEST_CASE("the ten events come out as specified") {
  auto pipe = demo();
  outcome told;
  for (const event& e : events) {
    pipe.advance(*e.at, told);
    pipe.process(e, *e.at, told);
  }

  CHECK(told.missing == strings{"1003-1003"});
  CHECK(
      told.duplicates ==
      strings{"1002 CRM_Sync 12:01:00 true: deduplicate: the key was first seen at 2025-02-09T12:01:00Z, the same time",
              "1006 Transaction 12:04:00 false: deduplicate: the key was first seen at 2025-02-09T12:04:00Z, the same "
              "time"});
  CHECK(told.dead_letters == strings{"1006 Transaction 12:04:00 false: valid.true: false is not true",
                                     "- Transaction 12:04:00 true: id.required: the field is absent"});
  CHECK(told.corrections ==
        strings{"1007 Transaction 12:04:00 - -> 1007 Transaction 12:04:00 true: valid.given: the field is absent"});
  CHECK(told.published == strings{
                              "1001 LeadCreated 12:00:00 true",
                              "1002 CRM_Sync 12:01:00 true",
                              "1004 LeadCreated 12:02:00 true",
                              "1005 CRM_Sync 12:03:00 true",
                              "1005 CRM_Sync 12:03:01 true",
                              "1003 CRM_Sync 12:01:30 - inferred",
                              "1007 Transaction 12:04:00 true",
                          });
  CHECK(told.superseded.empty());
  CHECK(told.others.empty());
  CHECK(pipe.processed() == events.size());
}

TEST_CASE("the real event that comes after all is accepted and supersedes the inferred one") {
  auto pipe = demo();
  outcome told;
  for (const event& e : events) {
    pipe.advance(*e.at, told);
    pipe.process(e, *e.at, told);
  }
  const event late{1003, "AI_FollowUp", noon + 90s, true};
  CHECK(pipe.process(late, noon + 5min, told) == recoup::verdict::accepted);
  CHECK(told.superseded == strings{"1003 AI_FollowUp 12:01:30 true"});
  CHECK(told.published.back() == "1003 AI_FollowUp 12:01:30 true");
  CHECK(pipe.stage_at<0>().tracker().missing_count() == 0);
  CHECK(pipe.stage_at<0>().tracker().contiguous_position() == 1007U);

  CHECK(pipe.process(late, noon + 6min, told) == recoup::verdict::duplicate);
  CHECK(told.superseded.size() == 1);
  CHECK(told.others.empty());
}
