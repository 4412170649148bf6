// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <recoup/recoup.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "page.hpp"
#include "reader.hpp"
#include "text.hpp"

namespace recover {

// A sink for records: counts, keeps what a person wants to see, and on demand prints each verdict and finding as a line
// of JSON.
class report {
 public:
  report(bool as_json, std::string source) : as_json_(as_json) { page_.source = std::move(source); }

  // Findings of `advance` have no time of their own.
  void set_now(recoup::timestamp now) { now_ = now; }

  void operator()(const recoup::accepted<record>& a) {
    page_.times.add(a.event.stream, a.event.at.value_or(now_), kind::accepted);
    if (as_json_) print(line("accepted", a.event));
  }
  void operator()(const recoup::duplicate<record>& d) {
    refused(kind::duplicate, page_.total.duplicates, "duplicate", d);
  }
  void operator()(const recoup::dead_letter<record>& d) {
    refused(kind::rejected, page_.total.rejected, "dead_letter", d);
  }
  void operator()(const recoup::review<record>& r) { refused(kind::review, page_.total.review, "review", r); }
  void operator()(const recoup::correction<record>& c) {
    ++page_.total.corrected;
    keep(kind::corrected, c.original, c);
    if (!as_json_) return;
    json j = line("correction", c.original);
    j["corrected"] = c.corrected.value ? json(*c.corrected.value) : json();
    j["why"] = c.why();
    print(j);
  }

  void operator()(const recoup::gap_found<std::string>& g) {
    found(g.stream, g.range, g.opened);
    if (as_json_) print(line("gap_found", g.stream, g.range));
  }
  void operator()(const recoup::replay_request<std::string>& r) {
    ++replay_requests_;
    page_.set_replay(r.stream, r.range.first, fmt::format("asked for, attempt {} of {}", r.attempt, r.max_attempts));
    if (!as_json_) return;
    json j = line("replay_request", r.stream, r.range);
    j["attempt"] = r.attempt;
    print(j);
  }
  void operator()(const recoup::gap_abandoned<std::string>& g) {
    ++abandoned_;
    if (g.reason == recoup::abandon_reason::capacity && g.attempts == 0) found(g.stream, g.range, g.opened);
    page_.set_replay(g.stream, g.range.first,
                     fmt::format("given up after {} requests: {}", g.attempts, describe(g.reason)));
    if (!as_json_) return;
    json j = line("gap_abandoned", g.stream, g.range);
    j["why"] = describe(g.reason);
    print(j);
  }
  void operator()(const recoup::late_arrival<std::string>& l) {
    ++page_.total.late;
    page_.times.add(l.stream, now_, kind::late);
    if (as_json_) print(line("late_arrival", l.stream, {l.sequence, l.sequence}));
  }
  void operator()(const recoup::stream_evicted<std::string>& s) {
    ++evicted_;
    if (as_json_) print({{"kind", "stream_evicted"}, {"stream", s.stream}, {"missing", s.missing}});
  }
  void operator()(const recoup::inferred<record, std::string>& i) {
    ++page_.total.inferred;
    page_.times.add(i.stream, i.event.at.value_or(now_), kind::inferred);
    if (page_.keeps(kind::inferred))
      page_.add(kind::inferred, {i.stream, i.sequence, {}, i.event.at, "from its neighbours"});
    if (as_json_) print(line("inferred", i.event));
  }
  void operator()(const recoup::not_inferred<std::string>& n) const {
    if (as_json_) print(line("not_inferred", n.stream, n.range));
  }
  void operator()(const recoup::inference_superseded<record, std::string>& s) const {
    if (as_json_) print(line("inference_superseded", s.event));
  }

  void operator()(const recoup::inference_forgotten<std::string>& f) const {
    if (as_json_) print(line("inference_forgotten", f.stream, f.range));
  }

  void malformed(std::uint64_t row, std::string_view why) {
    ++page_.total.malformed_rows;
    if (malformed_.size() < shown) malformed_.push_back(fmt::format("line {}: {}", row, why));
    if (as_json_) print({{"kind", "malformed_row"}, {"row", row}, {"why", why}});
  }

  // After the last event: what the pipeline knows itself. `recovered` numbers came after they had been found missing.
  void finish(std::uint64_t events, std::uint64_t streams, std::uint64_t recovered, double seconds,
              std::uint64_t state_bytes) {
    page_.total.events = events;
    page_.total.streams = streams;
    page_.total.missing -= std::min(recovered, page_.total.missing);
    page_.total.events_per_second = seconds > 0 ? static_cast<double>(events) / seconds : 0;
    page_.total.state_bytes = state_bytes;
  }

  // The report, for people or as the last JSON object; its last line is the summary.
  void print_result(std::uint64_t filtered) const {
    const page_data::totals& t = page_.total;
    if (as_json_) {
      print({{"kind", "summary"},
             {"missing", t.missing},
             {"gaps", t.gaps},
             {"duplicates", t.duplicates},
             {"rejected", t.rejected},
             {"events", t.events},
             {"streams", t.streams},
             {"review", t.review},
             {"corrected", t.corrected},
             {"inferred", t.inferred},
             {"late", t.late},
             {"replay_requests", replay_requests_},
             {"abandoned_gaps", abandoned_},
             {"malformed_rows", t.malformed_rows},
             {"filtered_rows", filtered},
             {"state_bytes", t.state_bytes}});
      return;
    }
    fmt::print("{}\n\n", summary_of(t));
    fmt::print("  missing      {:>11}  in {} gaps; {} replay requests, {} gaps given up\n", t.missing, t.gaps,
               replay_requests_, abandoned_);
    print_ranges();
    print_kind(kind::duplicate, "duplicates", t.duplicates);
    print_kind(kind::rejected, "rejected", t.rejected);
    print_kind(kind::review, "for review", t.review);
    print_kind(kind::corrected, "corrected", t.corrected);
    print_kind(kind::inferred, "inferred", t.inferred);
    if (t.late != 0) fmt::print("  late         {:>11}  came after they had been given up\n", t.late);
    if (evicted_ != 0) fmt::print("  evicted      {:>11}  streams, as there were too many at once\n", evicted_);
    fmt::print("  malformed    {:>11}  rows\n", t.malformed_rows);
    for (const std::string& row : malformed_) fmt::print("                 {}\n", row);
    if (filtered != 0) fmt::print("  filtered     {:>11}  rows that --where leaves out\n", filtered);
    fmt::print("\n  {:.2f} M events/s inside the pipeline, {:.1f} MB of state\n\n", t.events_per_second / 1e6,
               static_cast<double>(t.state_bytes) / 1e6);
    fmt::print("missing={} gaps={} duplicates={} rejected={}\n", t.missing, t.gaps, t.duplicates, t.rejected);
  }

  const page_data& page() const { return page_; }

 private:
  using json = nlohmann::ordered_json;
  static constexpr std::size_t shown = 5;

  static void print(const json& j) { fmt::print("{}\n", j.dump(-1, ' ', false, json::error_handler_t::replace)); }
  static json line(std::string_view what, const record& r) {
    json j{{"kind", what}, {"row", r.row}, {"stream", r.stream}};
    if (r.sequence) j["sequence"] = *r.sequence;
    if (r.at) j["at_ns"] = r.at->time_since_epoch().count();
    if (!r.key.empty()) j["key"] = r.key;
    if (r.value) j["value"] = *r.value;
    return j;
  }
  static json line(std::string_view what, std::string_view stream, recoup::sequence_range range) {
    return {{"kind", what}, {"stream", stream}, {"first", range.first}, {"last", range.last}};
  }

  template <class Verdict>
  void refused(kind what, std::uint64_t& total, std::string_view name, const Verdict& v) {
    ++total;
    keep(what, v.event, v);
    if (!as_json_) return;
    json j = line(name, v.event);
    j["why"] = v.why();
    print(j);
  }
  template <class Verdict>
  void keep(kind what, const record& r, const Verdict& v) {
    page_.times.add(r.stream, r.at.value_or(now_), what);
    if (page_.keeps(what)) {
      page_.add(what, {r.stream, r.sequence, r.key, r.at, fmt::format("line {}: {}", r.row, v.why())});
    } else {
      page_.add(what, {});
    }
  }
  void found(const std::string& stream, recoup::sequence_range range, recoup::timestamp opened) {
    ++page_.total.gaps;
    add_to(page_.total.missing, range.size());
    page_.times.add(stream, opened, kind::missing, range.size());
    page_.add({stream, range.first, range.last, opened, "not asked for"});
  }

  void print_ranges() const {
    for (std::size_t i = 0; i < page_.ranges().size() && i < shown; ++i) {
      const page_data::missing_range& r = page_.ranges()[i];
      const std::string of = r.stream.empty() ? "" : printable(r.stream) + ": ";
      if (r.first == r.last) {
        fmt::print("                 {}{}, {}\n", of, r.first, r.replay);
      } else {
        fmt::print("                 {}{} to {}, {}\n", of, r.first, r.last, r.replay);
      }
    }
    print_rest(page_.range_count());
  }
  void print_kind(kind what, std::string_view name, std::uint64_t total) const {
    fmt::print("  {:<12} {:>11}\n", name, total);
    const std::vector<page_data::sample>& kept = page_.samples(what);
    for (std::size_t i = 0; i < kept.size() && i < shown; ++i) {
      fmt::print("                 {}\n", printable(kept[i].reason, 160));
    }
    print_rest(total);
  }
  static void print_rest(std::uint64_t total) {
    if (total > shown) fmt::print("                 and {} more\n", total - shown);
  }

  bool as_json_;
  page_data page_;
  recoup::timestamp now_;
  std::uint64_t replay_requests_ = 0;
  std::uint64_t abandoned_ = 0;
  std::uint64_t evicted_ = 0;
  std::vector<std::string> malformed_;
};

}  // namespace recover
