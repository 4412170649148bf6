// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <recoup/recoup.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "jobs.hpp"
#include "page.hpp"
#include "progress.hpp"
#include "reader.hpp"
#include "report.hpp"
#include "text.hpp"
#include "watchers.hpp"

namespace recover {
namespace {

using clock = std::chrono::steady_clock;

struct has_required_fields {
  const settings* wanted;
  bool operator()(const record& r) const { return r.absent_fields == 0; }
  std::string explain(const record& r, recoup::timestamp) const {
    std::string absent = "absent:";
    for (std::size_t i = 0; i < wanted->fields.required.size(); ++i) {
      if ((r.absent_fields >> i & 1) != 0) absent += ' ' + wanted->fields.required[i];
    }
    return absent;
  }
};

struct readable_value {
  bool operator()(const record& r) const { return !r.value_unreadable; }
  std::string explain(const record&, recoup::timestamp) const { return "the value is no number"; }
};

// The event's time, if a person set a limit for it, lies at most that far ahead of the stream's.
struct not_too_far_ahead {
  const settings* wanted;
  bool operator()(const record& r, recoup::timestamp now) const {
    return !wanted->max_ahead || !r.at || *r.at <= recoup::saturating_add(now, *wanted->max_ahead);
  }
  std::string explain(const record&, recoup::timestamp) const { return "the time is too far ahead of the stream's"; }
};

// The value is in the range, if a person set one and wants this to happen to others.
struct in_wanted_range {
  const settings* wanted;
  out_of_range outcome;
  bool operator()(const record& r) const {
    if (!wanted->range || wanted->on_range != outcome || !r.value) return true;
    return wanted->range->first <= *r.value && *r.value <= wanted->range->second;
  }
  std::string explain(const record& r, recoup::timestamp) const {
    return fmt::format("{} is not in the range from {} to {}", *r.value, wanted->range->first, wanted->range->second);
  }
  bool fix(record& r) const {
    if (std::isnan(*r.value)) return false;
    r.value = std::clamp(*r.value, wanted->range->first, wanted->range->second);
    return true;
  }
};

// The pipeline that the settings ask for, without and with inference.
template <bool Infer>
auto make_pipeline(const settings& s) {
  using recoup::on_fail::dead_letter;
  using recoup::on_fail::review;
  auto gaps = recoup::track_gaps(&record::stream, &record::sequence,
                                 {.bits = s.bits,
                                  .expect_from = s.expect_from,
                                  .reorder_distance = s.reorder_distance,
                                  .reorder_delay = s.reorder_delay,
                                  .max_gaps = s.max_gaps,
                                  .max_jump = s.max_jump,
                                  .max_behind = s.max_behind,
                                  .resynchronise_after = s.resynchronise_after,
                                  .replay = {.max_attempts = s.attempts,
                                             .first_wait = s.answer_within,
                                             .longest_wait = s.longest_wait.value_or(s.answer_within),
                                             .give_up_after = s.give_up_after,
                                             .max_range = s.max_range}});
  const auto key = [](const record& r) {
    return r.key.empty() ? std::nullopt : std::optional<std::string_view>(r.key);
  };
  auto duplicates = recoup::deduplicate(key, recoup::exact_window({.events = s.window_events, .age = s.window_age}));
  auto rules = recoup::check(
      recoup::rule<"required">(has_required_fields{&s}, dead_letter),
      recoup::rule<"value.number">(readable_value{}, dead_letter),
      recoup::rule<"value.range.reject">(in_wanted_range{&s, out_of_range::reject}, dead_letter),
      recoup::rule<"value.range.review">(in_wanted_range{&s, out_of_range::review}, review),
      recoup::rule<"value.range.clamp">(in_wanted_range{&s, out_of_range::clamp}, recoup::on_fail::correct),
      recoup::rule<"time.ahead">(not_too_far_ahead{&s}, review));
  if constexpr (Infer) {
    return recoup::assemble<record>(
        gaps, std::move(duplicates), std::move(rules),
        recoup::infer(&record::stream, &record::sequence,
                      recoup::from_neighbours(recoup::midpoint(&record::at), recoup::most_frequent(&record::type)),
                      {.bits = s.bits}));
  } else {
    return recoup::assemble<record>(gaps, std::move(duplicates), std::move(rules));
  }
}

// Each stream goes up to this number. Of how many streams that could not be believed, as it is too far ahead.
template <class Trackers>
std::size_t expect_to(std::uint64_t number, Trackers& trackers, recoup::timestamp now) {
  std::vector<std::string> streams;
  trackers.for_each([&](const std::string& stream, recoup::stream_gaps) { streams.push_back(stream); });
  std::size_t disbelieved = 0;
  for (const std::string& stream : streams) {
    using recoup::arrival;
    const arrival answer = trackers.judge(stream, number).seen.answer;
    const bool is_new = answer == arrival::in_order || answer == arrival::ahead || answer == arrival::jump;
    const bool is_believed = !trackers.observe_high(stream, number, now).empty();
    disbelieved += is_new && !is_believed;
  }
  return disbelieved;
}

bool is_delivered(recoup::verdict v) { return v == recoup::verdict::accepted || v == recoup::verdict::correction; }

// What a person should know of the result, on standard error.
void tell_doubts(const reader& in, std::size_t disbelieved, std::uint64_t late) {
  for (const std::string& column : in.unseen_columns()) {
    fmt::print(stderr, "recover: no row had the column {}; is the name right?\n", printable(column));
  }
  if (disbelieved != 0) {
    fmt::print(stderr, "recover: {} further than --max-jump below --expect-to; what is missing there is not counted.\n",
               counted(disbelieved, "stream ends", "streams end"));
  }
  if (late != 0) {
    fmt::print(stderr,
               "recover: {} in no bucket of --volume or --ratio, as time was past it; sort the input by time.\n",
               counted(late, "event is", "events are"));
  }
}

template <bool Infer>
void run(const settings& s) {
  reader in(s.file, s.fields, s.format);
  report out(s);
  progress bar(in.total_bytes());
  auto pipe = make_pipeline<Infer>(s);
  auto& trackers = pipe.template stage_at<0>().trackers();
  std::optional<watchers> watch;
  if (s.looks_for_unusual()) watch.emplace(s);

  // Rows are read in blocks, so that the clock can be read around the pipeline alone; a malformed row ends one. The
  // stream's time is that of the last event that was not held back for its time.
  constexpr std::size_t block = 256;
  std::vector<record> rows(block);
  recoup::timestamp now{};
  clock::duration inside{};
  std::uint64_t events = 0;
  for (reader::result last = reader::result::row; last != reader::result::end;) {
    std::size_t read = 0;
    while (read < block && (last = in.next(rows[read])) == reader::result::row) ++read;
    const auto began = clock::now();
    for (std::size_t i = 0; i < read; ++i) {
      const record& r = rows[i];
      if (events + i == 0 || not_too_far_ahead{&s}(r, now)) now = r.at.value_or(now);
      out.set_now(now);
      pipe.advance(now, out);
      if (watch) watch->advance(now, out);
      const std::uint64_t recovered = trackers.recovered_count();
      const recoup::verdict answer = pipe.process(r, now, out);
      if (watch && is_delivered(answer)) watch->process(r, now, out);
      if (trackers.recovered_count() != recovered) {
        out.came(r.stream, trackers.judge(r.stream, r.sequence.value()).seen.first);  // unwrapped
      }
    }
    inside += clock::now() - began;
    for (std::size_t i = 0; i < read; ++i) bar.tick(in.bytes(), ++events);
    if (last == reader::result::malformed) out.malformed(in.malformed_line(), in.malformed_reason());
  }
  // Nothing more will come: what is missing now is missing.
  const std::size_t disbelieved = s.expect_to ? expect_to(*s.expect_to, trackers, now) : 0;
  pipe.advance(recoup::saturating_add(now, s.reorder_delay), out);
  if (watch) watch->advance(now, out);
  bar.clear();

  const auto& window = pipe.template stage_at<1>().window();
  std::uint64_t state = window.bytes_for(window.options()) + trackers.bytes();
  if (watch) state += watch->bytes();
  out.finish(events, trackers, std::chrono::duration<double>(inside).count(), state);
  tell_doubts(in, disbelieved, watch ? watch->late() : 0);
  out.print_result(in.filtered());
  if (!s.html.empty()) write_page(s.html, out.page());
}

}  // namespace

void recover_file(const settings& wanted) {
  if (wanted.infer) {
    run<true>(wanted);
  } else {
    run<false>(wanted);
  }
}

}  // namespace recover
