// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <recoup/core/detail/show.hpp>
#include <recoup/recoup.hpp>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "page.hpp"
#include "reader.hpp"
#include "settings.hpp"
#include "text.hpp"
#include "watchers.hpp"

namespace recover {

// A sink for records: counts, keeps what a person wants to see, and on demand prints each verdict and finding as a line
// of JSON.
class report {
 public:
  explicit report(const settings& s)
      : as_json_(s.json),
        looks_for_unusual_(s.looks_for_unusual()),
        everywhere_(s.fields.stream.empty() ? "" : "all streams") {
    page_.source = s.file == "-" ? "standard input" : s.file;
    page_.has_times = !s.fields.time.empty();
    if (looks_for_unusual_) page_.times.reserve(everywhere_);
  }

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
    page_.gaps.found(g.stream, g.range, g.opened);
    if (as_json_) print(line("gap_found", g.stream, g.range));
  }
  void operator()(const recoup::replay_request<std::string>& r) {
    ++replay_requests_;
    page_.gaps.asked(r.stream, r.range, r.attempt);
    if (!as_json_) return;
    json j = line("replay_request", r.stream, r.range);
    j["attempt"] = r.attempt;
    print(j);
  }
  void operator()(const recoup::gap_abandoned<std::string>& g) {
    page_.gaps.given_up(g.stream, g.range, g.opened, describe(g.reason));
    if (!as_json_) return;
    json j = line("gap_abandoned", g.stream, g.range);
    j["why"] = describe(g.reason);
    print(j);
  }
  void operator()(const recoup::late_arrival<std::string>& l) {
    ++page_.total.late;
    is_late_ = true;
    if (as_json_) print(line("late_arrival", l.stream, l.range));
  }
  // The event at hand has a number that had been found missing.
  void came(const std::string& stream, std::uint64_t sequence) {
    page_.gaps.came(stream, sequence, std::exchange(is_late_, false), now_);
  }
  void operator()(const recoup::stream_resumed<std::string>& r) {
    ++resumed_;
    page_.gaps.close(r.stream, describe(recoup::abandon_reason::restart));
    if (!as_json_) return;
    json j{{"kind", "stream_resumed"}, {"stream", r.stream}, {"at", r.resumed_at}};
    if (r.expected) j["expected"] = *r.expected;
    print(j);
  }
  void operator()(const recoup::stream_evicted<std::string>& s) {
    ++evicted_;
    page_.gaps.close(s.stream, "others needed the stream's place");
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

  template <class Key>
  void operator()(const recoup::anomaly<Key>& a) {
    constexpr bool is_of_stream = std::is_same_v<Key, std::string>;
    const std::string* stream = &everywhere_;
    if constexpr (is_of_stream) stream = &a.key;
    const unusual what = unusual_called(a.name);
    // A silence is told again when it has lasted twice as long.
    const bool is_new = what != unusual::silence || silent_.insert(*stream).second;
    if (is_new) {
      ++page_.total.unusual;
      ++unusual_[static_cast<std::size_t>(what)];
      page_.times.add(*stream, a.at, kind::unusual);
      const bool keeps = page_.keeps(kind::unusual);
      page_.add(kind::unusual, keeps ? page_data::sample{*stream, {}, {}, a.at, a.why()} : page_data::sample());
    }
    if (!as_json_) return;
    json j{{"kind", "anomaly"}, {"of", name_of(what)}};
    if constexpr (is_of_stream) j["stream"] = a.key;
    j["at_ns"] = a.at.time_since_epoch().count();
    j["value"] = a.value;
    j["score"] = a.assessed.score;
    j["why"] = a.why();
    print(j);
  }
  void operator()(const recoup::silence_over<std::string>& s) {
    ++silences_over_;
    silent_.erase(s.key);
    if (!as_json_) return;
    print({{"kind", "silence_over"},
           {"stream", s.key},
           {"since_ns", s.since.time_since_epoch().count()},
           {"until_ns", s.until.time_since_epoch().count()}});
  }
  // Its stream is new again to the watcher.
  void operator()(const recoup::detector_evicted<std::string>& d) {
    ++detectors_evicted_;
    const unusual what = unusual_called(d.name);
    if (what == unusual::silence) silent_.erase(d.key);
    if (as_json_) print({{"kind", "detector_evicted"}, {"of", name_of(what)}, {"stream", d.key}});
  }

  void malformed(std::uint64_t row, std::string_view why) {
    ++page_.total.malformed_rows;
    if (malformed_.size() < shown) malformed_.push_back(fmt::format("line {}: {}", row, why));
    if (as_json_) print({{"kind", "malformed_row"}, {"row", row}, {"why", why}});
  }

  // After the last event: what the pipeline knows itself.
  template <class Trackers>
  void finish(std::uint64_t events, const Trackers& trackers, double seconds, std::uint64_t state_bytes) {
    page_.gaps.finish();
    page_data::totals& t = page_.total;
    t.events = events;
    t.streams = trackers.size();
    t.open = trackers.missing_count();
    t.filled = trackers.recovered_count();
    t.given_up = trackers.found_count() - t.filled - t.open;
    t.events_per_second = seconds > 0 ? static_cast<double>(events) / seconds : 0;
    t.state_bytes = state_bytes;
    out_of_range_ = trackers.count(recoup::arrival::jump) + trackers.count(recoup::arrival::restart);
  }

  // The report, for people or as the last JSON object; its last line is the summary.
  void print_result(std::uint64_t filtered) const {
    const page_data::totals& t = page_.total;
    const gap_ledger& gaps = page_.gaps;
    if (as_json_) {
      json summary{{"kind", "summary"},
                   {"missing", t.missing()},
                   {"gaps", gaps.count()},
                   {"duplicates", t.duplicates},
                   {"rejected", t.rejected},
                   {"events", t.events},
                   {"streams", t.streams},
                   {"review", t.review},
                   {"corrected", t.corrected},
                   {"inferred", t.inferred},
                   {"open", t.open},
                   {"open_gaps", gaps.count(gap_end::open)},
                   {"abandoned", t.given_up},
                   {"abandoned_gaps", gaps.count(gap_end::given_up)},
                   {"filled", t.filled},
                   {"filled_gaps", gaps.count(gap_end::filled)},
                   {"late", t.late},
                   {"out_of_range", out_of_range_},
                   {"replay_requests", replay_requests_},
                   {"malformed_rows", t.malformed_rows},
                   {"filtered_rows", filtered},
                   {"state_bytes", t.state_bytes}};
      if (looks_for_unusual_) {
        summary["unusual"] = t.unusual;
        summary["unusual_volumes"] = count(unusual::volume);
        summary["silences"] = count(unusual::silence);
        summary["silences_over"] = silences_over_;
        summary["unusual_ratios"] = count(unusual::ratio);
        summary["detectors_evicted"] = detectors_evicted_;
      }
      print(summary);
      return;
    }
    fmt::print("{}\n\n", summary_of(page_));
    fmt::print("  {:<12} {:>11}  {}in {}; {}\n", "missing", t.missing(),
               t.filled != 0 ? fmt::format("of {} ", with_commas(t.missing() + t.filled)) : std::string(),
               counted(gaps.count(), "gap", "gaps"), counted(replay_requests_, "replay request", "replay requests"));
    if (t.open != 0) print_gaps(gap_end::open, "  still open", t.open, "in {}");
    if (t.given_up != 0) print_gaps(gap_end::given_up, "  given up", t.given_up, "in {}");
    if (t.filled != 0) print_gaps(gap_end::filled, "filled", t.filled, "came after all, {} in full");
    if (t.late != 0) fmt::print("  late         {:>11}  of them, after they had been given up\n", t.late);
    print_kind(kind::duplicate, "duplicates", t.duplicates);
    print_kind(kind::rejected, "rejected", t.rejected);
    print_kind(kind::review, "for review", t.review);
    print_kind(kind::corrected, "corrected", t.corrected);
    print_kind(kind::inferred, "inferred", t.inferred);
    if (looks_for_unusual_) print_unusual();
    if (out_of_range_ != 0) {
      fmt::print("  out of range {:>11}  {} too far ahead or behind to be believed at once\n", out_of_range_,
                 out_of_range_ == 1 ? "number" : "numbers");
    }
    if (resumed_ != 0) {
      fmt::print("  resumed      {:>11}  {} a stream went on at another number\n", resumed_,
                 resumed_ == 1 ? "time" : "times");
    }
    if (evicted_ != 0) {
      fmt::print("  evicted      {:>11}  {}, as there were too many at once\n", evicted_,
                 evicted_ == 1 ? "stream" : "streams");
    }
    fmt::print("  malformed    {:>11}  {}\n", t.malformed_rows, t.malformed_rows == 1 ? "row" : "rows");
    for (const std::string& row : malformed_) fmt::print("                 {}\n", row);
    if (filtered != 0) {
      fmt::print("  filtered     {:>11}  {} that --where leaves out\n", filtered, filtered == 1 ? "row" : "rows");
    }
    fmt::print("\n  {:.2f} M events/s inside the pipeline, {:.1f} MB of state\n\n", t.events_per_second / 1e6,
               static_cast<double>(t.state_bytes) / 1e6);
    fmt::print("missing={} gaps={} duplicates={} rejected={}{}\n", t.missing(), gaps.count(), t.duplicates, t.rejected,
               looks_for_unusual_ ? fmt::format(" unusual={}", t.unusual) : std::string());
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

  static unusual unusual_called(std::string_view title) {
    const auto* const found = std::find(unusual_titles.begin(), unusual_titles.end(), title);
    return static_cast<unusual>(found - unusual_titles.begin());
  }
  static std::string_view name_of(unusual what) { return unusual_names[static_cast<std::size_t>(what)]; }
  std::uint64_t count(unusual what) const { return unusual_[static_cast<std::size_t>(what)]; }

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
  void print_gaps(gap_end end, std::string_view name, std::uint64_t numbers,
                  fmt::format_string<std::string> where) const {
    const std::uint64_t count = page_.gaps.count(end);
    fmt::print("  {:<12} {:>11}  {}\n", name, numbers, fmt::format(where, counted(count, "gap", "gaps")));
    const std::vector<gap_record>& kept = page_.gaps.kept(end);
    for (std::size_t i = 0; i < kept.size() && i < shown; ++i) fmt::print("                 {}\n", text_of(kept[i]));
    print_rest(count);
  }
  static std::string text_of(const gap_record& g) {
    std::string text = g.stream.empty() ? "" : printable(g.stream) + ": ";
    text += std::to_string(g.range.first);
    if (g.range.last != g.range.first) text += " to " + std::to_string(g.range.last);
    if (g.end() == gap_end::filled) {
      return g.took() > recoup::duration::zero() ? fmt::format("{}, after {}", text, lasting(g.took())) : text;
    }
    if (g.came != 0) text += fmt::format(", of which {} came", with_commas(g.came));
    text += g.attempts == 0 ? ", never asked for" : ", asked for " + how_often(g.attempts);
    return g.reason.empty() ? text : text + ": " + g.reason;
  }
  void print_kind(kind what, std::string_view name, std::uint64_t total) const {
    fmt::print("  {:<12} {:>11}\n", name, total);
    const std::vector<page_data::sample>& kept = page_.samples(what);
    for (std::size_t i = 0; i < kept.size() && i < shown; ++i) {
      fmt::print("                 {}\n", printable(kept[i].reason, 160));
    }
    print_rest(total);
  }
  void print_unusual() const {
    std::string what;
    const auto add = [&](std::uint64_t number, std::string_view one, std::string_view many) {
      if (number != 0) what += (what.empty() ? "" : ", ") + counted(number, one, many);
    };
    add(count(unusual::volume), "volume", "volumes");
    add(count(unusual::silence), "silence", "silences");
    if (!silent_.empty()) what += fmt::format(", of which {} not over", counted(silent_.size(), "is", "are"));
    add(count(unusual::ratio), "ratio", "ratios");
    fmt::print("  {:<12} {:>11}{}{}\n", "unusual", page_.total.unusual, what.empty() ? "" : "  ", what);
    const std::vector<page_data::sample>& kept = page_.samples(kind::unusual);
    for (std::size_t i = 0; i < kept.size() && i < shown; ++i) {
      const std::string stream = kept[i].stream.empty() ? "" : printable(kept[i].stream) + ": ";
      fmt::print("                 {}{}, {}\n", stream, recoup::detail::show(*kept[i].at), kept[i].reason);
    }
    print_rest(page_.total.unusual);
    if (detectors_evicted_ != 0) {
      fmt::print("  forgotten    {:>11}  {} what is usual in a stream, as there were too many at once\n",
                 detectors_evicted_, detectors_evicted_ == 1 ? "time" : "times");
    }
  }
  static void print_rest(std::uint64_t total) {
    if (total > shown) fmt::print("                 and {} more\n", total - shown);
  }

  bool as_json_;
  bool looks_for_unusual_;
  std::string everywhere_;  // What the row of all streams is called.
  page_data page_;
  recoup::timestamp now_;
  bool is_late_ = false;  // The event at hand.
  std::uint64_t replay_requests_ = 0;
  std::uint64_t out_of_range_ = 0;
  std::uint64_t evicted_ = 0;
  std::uint64_t resumed_ = 0;
  std::vector<std::string> malformed_;
  std::array<std::uint64_t, unusual_names.size()> unusual_{};
  std::set<std::string> silent_;  // Streams whose silence was told and is not over.
  std::uint64_t silences_over_ = 0;
  std::uint64_t detectors_evicted_ = 0;
};

}  // namespace recover
