// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <recoup/recoup.hpp>
#include <string>
#include <utility>
#include <vector>

#include "jobs.hpp"

namespace recover {
namespace {

using namespace std::chrono_literals;

struct event {
  std::optional<std::uint64_t> id;
  std::string type;
  std::optional<recoup::timestamp> at;
  std::optional<bool> valid;
};

recoup::timestamp at(int hour, int minute, int second) {
  using namespace std::chrono;
  return sys_days(year(2025) / 2 / 9) + hours(hour) + minutes(minute) + seconds(second);
}

const std::vector<event>& stream() {
  static const std::vector<event> events{
      {1001, "LeadCreated", at(12, 0, 0), true},  {1002, "CRM_Sync", at(12, 1, 0), true},
      {1002, "CRM_Sync", at(12, 1, 0), true},     {1004, "LeadCreated", at(12, 2, 0), true},
      {1005, "CRM_Sync", at(12, 3, 0), true},     {1005, "CRM_Sync", at(12, 3, 1), true},
      {1006, "Transaction", at(12, 4, 0), false}, {1006, "Transaction", at(12, 4, 0), false},
      {{}, "Transaction", at(12, 4, 0), true},    {1007, "Transaction", at(12, 4, 0), {}},
  };
  return events;
}

std::string clock_time(recoup::timestamp t) {
  const auto second = std::chrono::floor<std::chrono::seconds>(t);
  const std::chrono::hh_mm_ss time(second - std::chrono::floor<std::chrono::days>(second));
  return fmt::format("{:02}:{:02}:{:02}", time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::string text_of(const event& e) {
  return fmt::format("{:<4} {:<11} {} {:<5}", e.id ? std::to_string(*e.id) : "-", e.type,
                     e.at ? clock_time(*e.at) : "-", e.valid ? (*e.valid ? "true" : "false") : "-");
}

}  // namespace

void show_ten_events() {
  recoup::pipeline pipe = recoup::assemble<event>(
      recoup::track_gaps(&event::id, {.reorder_delay = 2min}),
      recoup::deduplicate(recoup::key(&event::id, &event::at), recoup::exact_window({.events = 1'000})),
      recoup::check(recoup::rule<"id.required">(recoup::required(&event::id), recoup::on_fail::dead_letter),
                    recoup::rule<"type.required">(recoup::required(&event::type), recoup::on_fail::dead_letter),
                    recoup::rule<"at.required">(recoup::required(&event::at), recoup::on_fail::dead_letter),
                    recoup::rule<"valid.true">(recoup::equals(&event::valid, true), recoup::on_fail::dead_letter),
                    recoup::rule<"valid.filled">(recoup::required(&event::valid),
                                                 recoup::on_fail::correct([](event& e) { e.valid = true; }))),
      recoup::infer(&event::id,
                    recoup::from_neighbours(recoup::midpoint(&event::at), recoup::most_frequent(&event::type),
                                            [](event& draft, const auto&) { draft.valid = true; })));

  std::vector<std::string> published;
  int inferred = 0;
  const auto publish = [&](const event& e, const char* how) { published.push_back(text_of(e) + how); };
  const auto say = [](const char* what, const std::string& which, const std::string& why = {}) {
    std::string line = fmt::format("    {:<14}{}", what, which);
    if (!why.empty()) line += "  " + why;
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  };
  const recoup::overloaded sink{
      [&](const recoup::accepted<event>& a) {
        say("accepted", "");
        publish(a.event, "");
      },
      [&](const recoup::duplicate<event>& d) { say("duplicate", d.why()); },
      [&](const recoup::dead_letter<event>& d) { say("dead letter", d.why()); },
      [&](const recoup::review<event>& r) { say("review", r.why()); },
      [&](const recoup::correction<event>& c) {
        say("corrected", text_of(c.corrected), c.why());
        publish(c.corrected, "  corrected");
      },
      [&](const recoup::gap_found<>& g) { say("missing", fmt::format("{} to {}", g.range.first, g.range.last)); },
      [&](const recoup::replay_request<>& r) { say("replay?", fmt::format("{} to {}", r.range.first, r.range.last)); },
      [&](const recoup::gap_abandoned<>& g) { say("given up", fmt::format("{} to {}", g.range.first, g.range.last)); },
      [&](const recoup::late_arrival<>& l) { say("late", fmt::format("{} to {}", l.range.first, l.range.last)); },
      [&](const recoup::stream_resumed<>& r) { say("resumed", "at " + std::to_string(r.resumed_at)); },
      [&](const recoup::inferred<event>& i) {
        say("inferred", text_of(i.event));
        ++inferred;
        publish(i.event, "  inferred");
      },
      [&](const recoup::not_inferred<>& n) {
        say("not inferred", fmt::format("{} to {}", n.range.first, n.range.last));
      },
      [&](const recoup::inference_superseded<event>& s) { say("superseded", text_of(s.event)); },
      [&](const recoup::inference_forgotten<>& f) { say("forgotten", std::to_string(f.range.first)); }};

  fmt::print("Ten events of a sales system, in order of arrival\n\n");
  for (const event& e : stream()) {
    const recoup::timestamp now = e.at.value_or(recoup::timestamp{});
    pipe.advance(now, sink);
    fmt::print("  {}\n", text_of(e));
    pipe.process(e, now, sink);
  }
  fmt::print("\n  published:\n");
  for (const std::string& line : published) fmt::print("    {}\n", line);
  const recoup::stream_gaps tracker = pipe.stage_at<0>().tracker();
  fmt::print("\nten events: missing={} duplicates={} rejected={} corrected={} inferred={} published={}\n\n",
             tracker.missing_count(), pipe.count(recoup::verdict::duplicate), pipe.count(recoup::verdict::dead_letter),
             pipe.count(recoup::verdict::correction), inferred, published.size());
}

}  // namespace recover
