// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "recoup/recoup.hpp"

// What the tests of the pipeline share: an event, a pipeline with every stage, a sink that writes down what it is told,
// and streams with every kind of fault.

namespace orders {

using namespace std::chrono_literals;
using recoup::origin;
using recoup::timestamp;
using recoup::verdict;

struct order {
  std::uint32_t partition = 0;
  std::optional<std::uint64_t> offset;
  std::string id;
  std::uint32_t revision = 0;
  std::int64_t price = 1;
  std::int64_t quantity = 1;
  std::int64_t total = 1;
  std::optional<timestamp> at;

  void save(recoup::snapshot_writer& w) const {
    w.value(partition);
    w.value(offset);
    w.value(id);
    w.value(revision);
    for (const std::int64_t n : {price, quantity, total}) w.i64(n);
    w.value(at);
  }
  bool load(recoup::snapshot_reader& r) {
    if (!r.value(partition) || !r.value(offset) || !r.value(id) || !r.value(revision)) return false;
    for (std::int64_t* n : {&price, &quantity, &total}) *n = r.i64();
    return r.value(at);
  }
  bool operator==(const order&) const = default;
};

inline std::string show(const order& o) {
  using recoup::detail::show;
  return show(o.partition) + '/' + show(o.offset) + ' ' + show(o.id) + 'r' + show(o.revision) + ' ' + show(o.price) +
         '*' + show(o.quantity) + '=' + show(o.total) + " at " + (o.at ? show(o.at->time_since_epoch()) : "no time");
}
inline std::string show(recoup::sequence_range r) { return std::to_string(r.first) + '-' + std::to_string(r.last); }

inline constexpr timestamp start{std::chrono::hours(480'000)};

struct sink_failure {};

// Writes down whatever it is told, one line each; throws instead where it is told to fail.
class recorder {
 public:
  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

  explicit recorder(std::size_t fail_at = never) : fail_at_(fail_at) {}

  std::vector<std::string> lines;

  void operator()(const recoup::accepted<order>& v) {
    note("accepted", show(v.event) + " from " + std::to_string(static_cast<int>(v.from)));
  }
  void operator()(const recoup::duplicate<order>& v) { note("duplicate", show(v.event) + " why " + v.why()); }
  void operator()(const recoup::dead_letter<order>& v) { note("dead_letter", show(v.event) + " why " + v.why()); }
  void operator()(const recoup::review<order>& v) { note("review", show(v.event) + " why " + v.why()); }
  void operator()(const recoup::correction<order>& v) {
    note("correction", show(v.original) + " to " + show(v.corrected) + " why " + v.why());
  }
  void operator()(const recoup::flagged<order>& f) { note("flagged", show(f.event) + " why " + f.why()); }
  template <class Stream>
  void operator()(const recoup::gap_found<Stream>& f) {
    note("gap_found", of(f.stream) + show(f.range));
  }
  template <class Stream>
  void operator()(const recoup::replay_request<Stream>& f) {
    note("replay_request", of(f.stream) + show(f.range) + " #" + std::to_string(f.attempt));
  }
  template <class Stream>
  void operator()(const recoup::gap_abandoned<Stream>& f) {
    note(f.reason == recoup::abandon_reason::capacity ? "gap_abandoned by capacity" : "gap_abandoned by time",
         of(f.stream) + show(f.range) + ' ' + std::string(recoup::describe(f.reason)));
  }
  template <class Stream>
  void operator()(const recoup::late_arrival<Stream>& f) {
    note("late_arrival", of(f.stream) + show(f.range));
  }
  template <class Stream>
  void operator()(const recoup::stream_resumed<Stream>& f) {
    note("stream_resumed",
         of(f.stream) + std::to_string(f.expected.value_or(0)) + " expected, at " + std::to_string(f.resumed_at));
  }
  template <class Stream>
  void operator()(const recoup::unknown_stream<Stream>& f) {
    note("unknown_stream", of(f.stream));
  }
  template <class Stream>
  void operator()(const recoup::stream_evicted<Stream>& f) {
    note("stream_evicted", of(f.stream) + std::to_string(f.missing) + " missing");
  }
  template <class Space>
  void operator()(const recoup::window_evicted<Space>& f) {
    note("window_evicted", recoup::detail::show(f.space));
  }
  template <class Stream>
  void operator()(const recoup::inferred<order, Stream>& f) {
    note("inferred", of(f.stream) + std::to_string(f.sequence) + ' ' + show(f.event));
  }
  template <class Stream>
  void operator()(const recoup::not_inferred<Stream>& f) {
    note("not_inferred", of(f.stream) + show(f.range));
  }
  template <class Stream>
  void operator()(const recoup::inference_forgotten<Stream>& f) {
    note("inference_forgotten", of(f.stream) + show(f.range));
  }
  template <class Stream>
  void operator()(const recoup::inference_superseded<order, Stream>& f) {
    note("inference_superseded", of(f.stream) + std::to_string(f.sequence) + ' ' + show(f.event));
  }

  // How many lines begin with these words.
  std::size_t count(std::string_view words) const {
    std::size_t n = 0;
    for (const std::string& line : lines) n += line.starts_with(words) && line.substr(words.size(), 1) == ":";
    return n;
  }

 private:
  template <class Stream>
  static std::string of(const Stream& stream) {
    return "stream " + recoup::detail::show(stream) + ' ';
  }
  void note(std::string_view what, const std::string& rest) {
    if (calls_++ == fail_at_) throw sink_failure();
    lines.push_back(std::string(what) + ": " + rest);
  }

  std::size_t fail_at_;
  std::size_t calls_ = 0;
};

inline constexpr std::string_view every_kind[] = {"accepted",
                                                  "duplicate",
                                                  "dead_letter",
                                                  "review",
                                                  "correction",
                                                  "flagged",
                                                  "gap_found",
                                                  "replay_request",
                                                  "gap_abandoned by capacity",
                                                  "gap_abandoned by time",
                                                  "late_arrival",
                                                  "stream_resumed",
                                                  "stream_evicted",
                                                  "inferred",
                                                  "not_inferred",
                                                  "inference_superseded",
                                                  "inference_forgotten"};

// Every stage, every outcome of a rule, and tables so small that all of them overflow.
inline auto every_stage() {
  return recoup::assemble<order>(
      recoup::track_gaps(&order::partition, &order::offset,
                         {.reorder_distance = 8,
                          .reorder_delay = 200ms,
                          .max_gaps = 3,
                          .replay = {.max_attempts = 2, .first_wait = 100ms, .longest_wait = 1s, .give_up_after = 2s}},
                         {.capacity = 4, .idle = 20s}),
      recoup::deduplicate(recoup::key(&order::id, &order::revision),
                          recoup::exact_window({.events = 4'096, .key_bytes = 64})),
      recoup::check(
          recoup::rule<"id.required">(recoup::required(&order::id), recoup::on_fail::dead_letter),
          recoup::rule<"at.future">(recoup::not_after(&order::at, 5s), recoup::on_fail::review),
          recoup::rule<"total.product">(recoup::product_equals(&order::price, &order::quantity, &order::total),
                                        recoup::on_fail::correct),
          recoup::rule<"quantity.range">(recoup::in_range(&order::quantity, 1, 1'000), recoup::on_fail::flag)),
      recoup::infer(&order::partition, &order::offset,
                    recoup::from_neighbours(recoup::midpoint(&order::at), recoup::most_frequent(&order::price, 4)),
                    {.max_run = 4, .max_holes = 3}, {.capacity = 4, .idle = 20s}));
}

struct step {
  order event;
  timestamp now;
  origin from = origin::live;
  bool advances = false;  // before the event
};

// A stream with faults of every kind, the same for the same seed.
inline std::vector<step> faulty_stream(std::size_t steps, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto one_in = [&](std::uint64_t n) { return random() % n == 0; };
  std::vector<step> all;
  std::vector<std::uint64_t> next(6, 100);
  std::vector<order> held;  // lost for now
  timestamp now = start;
  for (std::size_t i = 0; all.size() < steps; ++i) {
    now += std::chrono::milliseconds(random() % 40);
    if (one_in(400)) now += 15s;
    if (one_in(100)) now -= 30ms;
    if (one_in(300)) next[i % 2] += 2'000'000;
    // The higher partitions are rare, so that they come and go.
    const auto partition = static_cast<std::uint32_t>(one_in(60) ? random() % next.size() : random() % 2);
    order o{.partition = partition,
            .offset = next[partition]++,
            .id = "order-" + std::to_string(i),
            .price = static_cast<std::int64_t>(random() % 3 + 1),
            .quantity = static_cast<std::int64_t>(random() % 9 + 1),
            .at = now};
    o.total = o.price * o.quantity;
    if (one_in(30)) o.id.clear();
    if (one_in(30)) o.at = now + 1h;
    if (one_in(30)) o.total += 7;
    if (one_in(30)) o.quantity = 2'000, o.total = o.price * o.quantity;
    if (one_in(60)) o.price = std::numeric_limits<std::int64_t>::max(), o.quantity = 3;
    if (one_in(60)) o.at.reset();
    if (one_in(60)) o.offset.reset();
    step s{std::move(o), now, origin::live, one_in(3)};
    if (one_in(12)) {
      held.push_back(s.event);
      if (one_in(6)) next[partition] += random() % 12;  // a whole run of events is lost
      continue;
    }
    all.push_back(s);
    if (one_in(12)) all.push_back(s);
    if (one_in(40)) {
      s.from = origin::correction;
      ++s.event.revision;
      all.push_back(s);
    }
    if (!held.empty() && one_in(12)) {
      const std::size_t at = random() % held.size();
      all.push_back({held[at], now, one_in(2) ? origin::replay : origin::live, false});
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  return all;
}

}  // namespace orders
