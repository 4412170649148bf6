// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <recoup/recoup.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "jobs.hpp"
#include "page.hpp"
#include "progress.hpp"

namespace recover {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// What was done to an event on its way. The pipeline does not see this.
enum class fault : std::uint8_t { none, repeated, no_id, bad_quantity, future_time, wrong_revenue };
constexpr std::size_t faults = 6;

struct payment {
  std::uint32_t partition = 0;
  fault truth = fault::none;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> id;
  std::int64_t price = 0;  // Cents.
  std::int64_t quantity = 0;
  std::int64_t revenue = 0;
  recoup::timestamp at;
};

constexpr std::uint32_t partitions = 64;
constexpr recoup::timestamp start = std::chrono::sys_days(std::chrono::year(2025) / 2 / 9) + 12h;
constexpr std::size_t window = 1 << 17;

std::uint64_t mix(std::uint64_t n) {
  n = (n ^ (n >> 30)) * 0xBF58'476D'1CE4'E5B9;
  n = (n ^ (n >> 27)) * 0x94D0'49BB'1331'11EB;
  return n ^ (n >> 31);
}

// Events in the order in which they arrive, with faults of every kind, and the truth about them. Answers replay
// requests with what it kept, which is three of four lost events.
class source {
 public:
  source(std::uint64_t events, std::uint64_t seed)
      : left_(events), incident_length_(std::max<std::uint64_t>(events / 40, 1)), seed_(mix(seed)), random_(seed) {}

  // Replaces `out` by the next arrivals; false when there are no more.
  bool next(std::vector<payment>& out) {
    out.clear();
    for (std::size_t i = 0; i < 1'024 && left_ > 0; ++i) step(out);
    if (left_ == 0) {
      for (lane& l : lanes_) release(l, out);
    }
    return !out.empty();
  }

  std::optional<payment> replay(std::uint32_t partition, std::uint64_t offset) const {
    if (mix(seed_ ^ (offset * partitions + partition)) % 4 == 0) return std::nullopt;
    payment p = original(partition, offset);
    p.at = now_;
    return p;
  }

  recoup::timestamp now() const { return now_; }
  const recoup::interval_set& lost(std::uint32_t partition) const { return lanes_[partition].lost; }
  std::uint64_t highest(std::uint32_t partition) const { return lanes_[partition].highest; }
  std::uint64_t injected(fault f) const { return injected_[static_cast<std::size_t>(f)]; }
  std::uint64_t reordered() const { return reordered_; }

 private:
  struct lane {
    std::uint64_t next = 0;
    std::uint64_t highest = 0;  // that arrived
    std::uint64_t burst = 0;    // so many more are lost
    std::optional<payment> held;
    std::uint64_t overtaken_by = 0;
    recoup::interval_set lost;
    std::vector<payment> recent;  // the last of those with an id
    std::size_t oldest = 0;
  };

  // Faults come in incidents: for a while, something goes wrong often in some neighbouring partitions.
  struct incident {
    std::uint64_t kind = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t until = 0;
  };
  enum kinds : std::uint64_t { losing, repeating, mangling, misdating, miscalculating, kind_count };

  // Whether a fault of this kind happens now: once in `seldom` events, or in an incident once in `often`.
  bool happens(kinds kind, std::uint32_t partition, std::uint64_t seldom, std::uint64_t often) {
    for (const incident& i : incidents_) {
      if (i.kind == kind && i.until > steps_ && partition - i.first < i.count) return random_() % often == 0;
    }
    return random_() % seldom == 0;
  }

  payment original(std::uint32_t partition, std::uint64_t offset) const {
    const std::uint64_t h = mix(seed_ + offset * partitions + partition);
    payment p;
    p.partition = partition;
    p.offset = offset;
    p.id = offset * partitions + partition;
    p.price = static_cast<std::int64_t>(h % 100'000) + 1;
    p.quantity = static_cast<std::int64_t>((h >> 32) % 20) + 1;
    p.revenue = p.price * p.quantity;
    return p;
  }

  void step(std::vector<payment>& out) {
    --left_;
    now_ += 1us;
    if (steps_++ % incident_length_ == 0) {
      incidents_[random_() % incidents_.size()] = {random_() % kind_count, random_() % partitions, 4 + random_() % 16,
                                                   steps_ + incident_length_ * (1 + random_() % 3)};
    }
    const auto partition = static_cast<std::uint32_t>(random_() % partitions);
    lane& l = lanes_[partition];
    payment p = original(partition, l.next++);
    p.at = now_;
    // A partition's first event always arrives: it is where the numbers begin.
    if (p.offset > 0 && (l.burst > 0 || happens(losing, partition, 20'000, 200))) {
      if (l.burst == 0) l.burst = random_() % 20 == 0 ? 1 + random_() % 500 : 1;
      --l.burst;
      l.lost.insert({p.offset, p.offset});
    } else {
      damage(p);
      if (p.offset > 0 && !l.held && random_() % 100 == 0) {
        l.held = p;
        l.overtaken_by = 1 + random_() % 32;
        ++reordered_;
      } else {
        arrive(p, out);
      }
    }
    if (l.held && l.overtaken_by-- == 0) release(l, out);
    if (happens(repeating, partition, 5'000, 8)) repeat(l, out);
  }

  void damage(payment& p) {
    if (happens(mangling, p.partition, 20'000, 50)) {
      if (random_() % 2 == 0) {
        p.truth = fault::no_id;
        p.id.reset();
      } else {
        p.truth = fault::bad_quantity;
        p.quantity = -p.quantity;
        p.revenue = -p.revenue;
      }
    } else if (happens(misdating, p.partition, 20'000, 100)) {
      p.truth = fault::future_time;
      p.at += 1h;
    } else if (happens(miscalculating, p.partition, 20'000, 20)) {
      p.truth = fault::wrong_revenue;
      p.revenue += 1 + static_cast<std::int64_t>(random_() % 1'000);
    }
    ++injected_[static_cast<std::size_t>(p.truth)];
  }

  void arrive(const payment& p, std::vector<payment>& out) {
    constexpr std::size_t kept = window / partitions / 2;
    out.push_back(p);
    lane& l = lanes_[p.partition];
    l.highest = std::max(l.highest, p.offset);
    if (!p.id) return;  // without an id it can't be told from its repetition
    if (l.recent.size() < kept) {
      l.recent.push_back(p);
    } else {
      l.recent[l.oldest++ % kept] = p;
    }
  }
  void release(lane& l, std::vector<payment>& out) {
    if (l.held) arrive(*l.held, out);
    l.held.reset();
  }
  void repeat(const lane& l, std::vector<payment>& out) {
    if (l.recent.empty()) return;
    payment p = l.recent[random_() % l.recent.size()];
    p.truth = fault::repeated;
    out.push_back(p);
    ++injected_[static_cast<std::size_t>(fault::repeated)];
  }

  std::uint64_t left_;
  std::uint64_t steps_ = 0;
  std::uint64_t incident_length_;
  std::uint64_t seed_;
  std::mt19937_64 random_;
  recoup::timestamp now_ = start;
  std::array<lane, partitions> lanes_;
  std::array<incident, 8> incidents_;
  std::array<std::uint64_t, faults> injected_{};
  std::uint64_t reordered_ = 0;
};

// What was found, beside what is true.
struct score {
  std::uint64_t injected = 0;
  std::uint64_t found = 0;
  std::uint64_t right = 0;

  bool is_perfect() const { return right == injected && right == found; }
};

void print_score(const char* what, const score& s, const char* answer) {
  const auto part = [](std::uint64_t of, std::uint64_t all) {
    return all == 0 ? 1.0 : static_cast<double>(of) / static_cast<double>(all);
  };
  fmt::print("  {:<16}{:>9}{:>10}{:>9.3f}{:>11.3f}  {}\n", what, s.injected, s.found, part(s.right, s.injected),
             part(s.right, s.found), answer);
}

std::uint64_t common(const recoup::interval_set& a, const recoup::interval_set& b) {
  std::uint64_t numbers = 0;
  for (const recoup::sequence_range& r : a)
    b.for_each_overlap(r, [&](recoup::sequence_range o) { numbers += o.size(); });
  return numbers;
}

// The sink: counts what it is told against the truth, and remembers replay requests for the source.
class observer {
 public:
  explicit observer(page_data& page) : page_(page) {
    for (std::uint32_t p = 0; p < partitions; ++p) names_.push_back(fmt::format("partition {:02}", p));
  }

  void set_now(recoup::timestamp now) {
    for (std::uint32_t p = 0; p < partitions; ++p) {
      if (accepted_[p] > 0) page_.times.add(names_[p], now_, kind::accepted, std::exchange(accepted_[p], 0));
    }
    now_ = now;
  }

  void operator()(const recoup::accepted<payment>& a) {
    ++accepted_[a.event.partition];
    const bool was_late = std::exchange(is_late_, false);
    if (a.from == recoup::origin::replay) {
      ++answered_;
      page_.gaps.came(names_[a.event.partition], a.event.offset, was_late, now_);
    }
    wrongly_accepted_ += a.event.truth != fault::none;
  }
  void operator()(const recoup::duplicate<payment>& d) {
    ++page_.total.duplicates;
    tell(duplicates, d.event, d, kind::duplicate, d.event.truth == fault::repeated);
  }
  void operator()(const recoup::dead_letter<payment>& d) {
    ++page_.total.rejected;
    tell(rejected, d.event, d, kind::rejected, d.event.truth == fault::no_id || d.event.truth == fault::bad_quantity);
  }
  void operator()(const recoup::review<payment>& r) {
    ++page_.total.review;
    tell(reviewed, r.event, r, kind::review, r.event.truth == fault::future_time);
  }
  void operator()(const recoup::correction<payment>& c) {
    ++page_.total.corrected;
    const bool is_right = c.corrected.revenue == c.corrected.price * c.corrected.quantity;
    tell(corrected, c.original, c, kind::corrected, is_right && c.original.truth == fault::wrong_revenue);
  }
  void operator()(const recoup::gap_found<std::uint32_t>& g) {
    found_[g.stream].insert(g.range);
    page_.gaps.found(names_[g.stream], g.range, g.opened);
  }
  void operator()(const recoup::replay_request<std::uint32_t>& r) {
    requests.push_back(r);
    page_.gaps.asked(names_[r.stream], r.range, r.attempt);
  }
  void operator()(const recoup::gap_abandoned<std::uint32_t>& g) {
    abandoned_ += g.range.size();
    page_.gaps.given_up(names_[g.stream], g.range, g.opened, describe(g.reason));
  }
  void operator()(const recoup::late_arrival<std::uint32_t>&) {
    ++page_.total.late;
    is_late_ = true;
  }
  void operator()(const recoup::stream_evicted<std::uint32_t>&) { ++evicted_; }
  void operator()(const recoup::stream_resumed<std::uint32_t>&) { ++resumed_; }

  std::vector<recoup::replay_request<std::uint32_t>> requests;
  score duplicates, rejected, reviewed, corrected;

  const recoup::interval_set& found(std::uint32_t partition) const { return found_[partition]; }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t abandoned() const { return abandoned_; }
  std::uint64_t wrongly_accepted() const { return wrongly_accepted_; }
  std::uint64_t evicted() const { return evicted_; }
  std::uint64_t resumed() const { return resumed_; }

 private:
  template <class Verdict>
  void tell(score& s, const payment& p, const Verdict& v, kind what, bool is_right) {
    ++s.found;
    s.right += is_right;
    page_.times.add(names_[p.partition], now_, what);
    if (page_.keeps(what)) {
      page_.add(what, {names_[p.partition], p.offset, p.id ? std::to_string(*p.id) : "", p.at, v.why()});
    } else {
      page_.add(what, {});
    }
  }

  page_data& page_;
  std::vector<std::string> names_;
  recoup::timestamp now_ = start;
  bool is_late_ = false;  // the event at hand
  std::array<std::uint64_t, partitions> accepted_{};
  std::array<recoup::interval_set, partitions> found_;
  std::uint64_t answered_ = 0;
  std::uint64_t abandoned_ = 0;
  std::uint64_t wrongly_accepted_ = 0;
  std::uint64_t evicted_ = 0;
  std::uint64_t resumed_ = 0;
};

}  // namespace

bool recover_generated(std::uint64_t events, std::uint64_t seed, const std::string& html) {
  const recoup::exact_window_options window_options{.events = window};
  const recoup::keyed_options stream_options{.capacity = partitions};
  recoup::pipeline pipe = recoup::assemble<payment>(
      recoup::track_gaps(&payment::partition, &payment::offset,
                         {.reorder_distance = 64,
                          .reorder_delay = 200ms,
                          .replay = {.max_attempts = 3, .first_wait = 20ms, .longest_wait = 80ms}},
                         stream_options),
      recoup::deduplicate(&payment::id, recoup::exact_window<std::uint64_t>(window_options)),
      recoup::check(
          recoup::rule<"id.required">(recoup::required(&payment::id), recoup::on_fail::dead_letter),
          recoup::rule<"quantity.range">(recoup::in_range(&payment::quantity, std::int64_t{1}, std::int64_t{1'000}),
                                         recoup::on_fail::dead_letter),
          recoup::rule<"at.future">(recoup::not_after(&payment::at, 5s), recoup::on_fail::review),
          recoup::rule<"revenue.product">(
              recoup::product_equals(&payment::price, &payment::quantity, &payment::revenue),
              recoup::on_fail::correct)));

  page_data page;
  page.source = fmt::format("a generated stream of {} events, seed {}", events, seed);
  observer sink(page);
  source from(events, seed);
  progress bar(events * sizeof(payment));
  std::vector<payment> batch;
  std::vector<payment> replayed;
  clock::duration inside{};
  std::uint64_t arrived = 0;
  const auto run = [&](auto&& work) {
    const auto began = clock::now();
    work();
    inside += clock::now() - began;
  };
  const auto answer = [&](recoup::timestamp now) {
    replayed.clear();
    for (const auto& r : sink.requests) {
      for (std::uint64_t n = r.range.first; n <= r.range.last; ++n) {
        if (auto p = from.replay(r.stream, n)) replayed.push_back(*p);
      }
    }
    sink.requests.clear();
    run([&] { pipe.process(std::span<const payment>(replayed), now, sink, recoup::origin::replay); });
  };
  while (from.next(batch)) {
    const recoup::timestamp now = from.now();
    sink.set_now(now);
    run([&] {
      pipe.process(std::span<const payment>(batch), now, sink);
      pipe.advance(now, sink);
    });
    answer(now);
    arrived += batch.size();
    for (std::size_t i = 0; i < batch.size(); ++i) bar.tick(arrived * sizeof(payment), arrived);
  }
  for (int i = 1; i <= 10; ++i) {  // time for the last requests to be made, answered and given up
    const recoup::timestamp now = from.now() + i * 200ms;
    sink.set_now(now);
    run([&] { pipe.advance(now, sink); });
    answer(now);
  }
  sink.set_now(from.now());
  bar.clear();

  score lost;
  std::uint64_t undecidable = 0;
  for (std::uint32_t p = 0; p < partitions; ++p) {
    recoup::interval_set truth = from.lost(p);
    undecidable += truth.erase({from.highest(p) + 1, ~std::uint64_t{0}});
    lost.injected += truth.count();
    lost.found += sink.found(p).count();
    lost.right += common(truth, sink.found(p));
  }
  sink.duplicates.injected = from.injected(fault::repeated);
  sink.rejected.injected = from.injected(fault::no_id) + from.injected(fault::bad_quantity);
  sink.reviewed.injected = from.injected(fault::future_time);
  sink.corrected.injected = from.injected(fault::wrong_revenue);

  const double seconds = std::chrono::duration<double>(inside).count();
  page.total.events = pipe.processed();
  page.total.streams = partitions;
  page.gaps.finish();
  page.total.filled = sink.answered();
  page.total.open = pipe.stage_at<0>().trackers().missing_count();
  page.total.given_up = lost.found - page.total.filled - page.total.open;
  page.total.events_per_second = static_cast<double>(page.total.events) / seconds;
  page.total.state_bytes =
      recoup::exact_window<std::uint64_t>::bytes_for(window_options) + pipe.stage_at<0>().trackers().bytes();

  fmt::print("A generated stream: {} events of {} partitions sent, {} arrivals, seed {}\n\n", events, partitions,
             arrived, seed);
  fmt::print("  {:<16}{:>9}{:>10}{:>9}{:>11}  {}\n", "fault", "injected", "found", "recall", "precision",
             "what was done");
  print_score("lost", lost, "replay requested");
  print_score("repeated", sink.duplicates, "dropped");
  print_score("malformed", sink.rejected, "dead letter");
  print_score("future-dated", sink.reviewed, "held for review");
  print_score("wrong revenue", sink.corrected, "recalculated");
  fmt::print("\n  {} were overtaken by later ones, and none of them was called missing.\n", from.reordered());
  fmt::print("  {} of the lost came by replay, {} were given up after 3 requests.\n", sink.answered(),
             sink.abandoned());
  if (undecidable > 0) {
    fmt::print("  {} were lost behind the last arrival of their partition, where nothing can tell.\n", undecidable);
  }
  fmt::print("\n  {:.2f} M events/s inside the pipeline, {:.1f} MB of state\n\n", page.total.events_per_second / 1e6,
             static_cast<double>(page.total.state_bytes) / 1e6);

  const bool is_perfect = lost.is_perfect() && sink.duplicates.is_perfect() && sink.rejected.is_perfect() &&
                          sink.reviewed.is_perfect() && sink.corrected.is_perfect() && sink.wrongly_accepted() == 0 &&
                          sink.evicted() == 0 && sink.resumed() == 0 &&
                          sink.answered() + sink.abandoned() == lost.found;
  fmt::print("generated stream: {}\n",
             is_perfect ? "every decidable fault was found, and nothing else" : "the answer is NOT the truth");
  if (!html.empty()) {
    write_page(html, page);
    fmt::print("the page is at {}\n", html);
  }
  return is_perfect;
}

}  // namespace recover
