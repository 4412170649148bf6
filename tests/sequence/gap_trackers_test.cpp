// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/sequence/gap_trackers.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/dense.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot.hpp"
#include "sequence/gap_tracker_model.hpp"
#include "test_scale.hpp"

namespace {

using namespace gap_model;
using namespace std::chrono_literals;
using recoup::dense_options;
using recoup::gap_trackers;
using recoup::increasing_number;
using recoup::keyed_options;
using recoup::linked_number;
using recoup::skip_reason;

template <class Stream>
using dense_trackers = recoup::dense_gap_trackers<Stream>;

static_assert(sizeof(recoup::detail::stream_position) == 24, "what a stream without gaps takes");
static_assert(recoup::snapshotable<gap_trackers<std::string>>);
static_assert(recoup::snapshotable<dense_trackers<std::uint32_t>>);
static_assert(std::is_nothrow_move_constructible_v<gap_trackers<std::string>>);

struct handler_failure {};

const auto ignore = [](const auto&) {};

// --- the duel with a gap_tracker for each stream

gap_tracker_options any_options(dice& roll) {
  const auto some = [&](std::uint64_t n) { return duration{1 + roll(n)}; };
  gap_tracker_options o;
  if (roll.chance(30)) o.bits = roll.one_of({1U, 4U, 7U, 32U});
  const std::uint64_t mask = most >> (64 - o.bits);
  if (roll.chance(40)) o.expect_from = roll.one_of({std::uint64_t{0}, roll(100), most - roll(60), mask});
  if (roll.chance(50)) o.reorder_distance = roll.one_of({std::uint64_t{0}, roll(10), most});
  if (roll.chance(50)) o.reorder_delay = some(100);
  o.max_gaps = roll.one_of({std::uint64_t{1}, 1 + roll(6), std::uint64_t{40}});
  o.max_jump = roll.one_of({roll(20), std::uint64_t{100}});
  if (roll.chance(40)) o.max_behind = roll.one_of({roll(10), roll(60)});
  o.resynchronise_after = static_cast<std::uint32_t>(roll(4));
  o.replay.max_attempts = static_cast<std::uint32_t>(roll(4));
  o.replay.first_wait = some(60);
  o.replay.longest_wait = o.replay.first_wait + some(100);
  if (roll.chance(50)) o.replay.give_up_after = some(roll.one_of({60U, 1'000U}));
  if (roll.chance(40)) o.replay.max_range = 1 + roll(6);
  o.replay.max_requests = std::numeric_limits<std::uint32_t>::max();  // it is shared; see below
  return o;
}

template <class Stream>
Stream stream_of(std::uint64_t i) {
  if constexpr (std::is_same_v<Stream, std::string>) {
    return (i % 2 == 0 ? "" : "a stream whose name is longer than the short ones ") + std::to_string(i);
  } else {
    return static_cast<Stream>(i);
  }
}

using counts = std::array<std::uint64_t, recoup::arrival_kinds + 3>;
constexpr std::size_t found_index = recoup::arrival_kinds;
template <class Trackers>
void add_counts(counts& all, const Trackers& t) {
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) all[a] += t.count(static_cast<arrival>(a));
  all[found_index] += t.found_count();
  all[recoup::arrival_kinds + 1] += t.recovered_count();
  all[recoup::arrival_kinds + 2] += t.skipped_count();
}

ranges all_of(const recoup::interval_set& s) { return {s.begin(), s.end()}; }

// What a sink was told, in that order for each stream; throws at the n-th, and refuses some of the requests.
template <class Stream>
class listener {
 public:
  explicit listener(std::uint64_t throws_at = most, std::uint64_t refused = most)
      : throws_at_(throws_at), refused_(refused) {}

  std::map<Stream, findings> all;
  std::map<Stream, std::uint64_t> late;
  std::vector<std::pair<Stream, std::uint64_t>> evicted;
  std::vector<Stream> unknown;
  std::optional<Stream> thrower;
  bool has_thrown = false;

  bool refuses(const recoup::replay_request<Stream>& r) const {
    return refused_ != most && (r.range.first + r.attempt + refused_) % 3 == 0;
  }

  bool operator()(const recoup::replay_request<Stream>& r) {
    count(r.stream);
    if (refuses(r)) return false;
    all[r.stream].push_back(as_told(r));
    return true;
  }
  void operator()(const recoup::late_arrival<Stream>& l) {
    count(l.stream);
    late[l.stream] += l.range.size();
  }
  void operator()(const recoup::stream_evicted<Stream>& e) {
    count(std::nullopt);
    evicted.emplace_back(e.stream, e.missing);
  }
  void operator()(const recoup::unknown_stream<Stream>& u) { unknown.push_back(u.stream); }
  template <class Finding>
  void operator()(const Finding& f) {
    count(f.stream);
    all[f.stream].push_back(as_told(f));
  }

 private:
  void count(std::optional<Stream> stream) {
    if (calls_++ != throws_at_) return;
    thrower = std::move(stream);
    has_thrown = true;
    throw handler_failure();
  }

  std::uint64_t calls_ = 0;
  std::uint64_t throws_at_;
  std::uint64_t refused_;
};

enum reached : std::uint8_t {
  as_arrival,
  as_displaced = recoup::arrival_kinds,
  as_resumed,
  as_found,
  as_request,
  as_given_up,
  as_refused,
  as_thrown,
  as_forgotten,
  as_high,
  as_skipped,
  as_taken,
  as_put,
  as_not_put,
  as_of_another_stream,  // evicted by capacity, or unknown
  as_idle,
  reached_kinds
};
using census = std::array<std::uint64_t, reached_kinds>;

// A table of streams and a gap_tracker for each of them.
template <class Trackers, class Stream, class TableOptions>
class side {
 public:
  struct one {
    gap_tracker tracker;
    timestamp last_used;
  };

  side(const gap_tracker_options& options, const TableOptions& table)
      : trackers(options, table), options_(options), table_(table) {
    if constexpr (!Trackers::evicts) {
      for (std::uint64_t i = 0; i < table.capacity; ++i) fresh(stream_of<Stream>(i));
    }
  }

  Trackers trackers;
  std::map<Stream, one> model;
  counts gone{};       // of trackers that the model has no more
  counts elsewhere{};  // of those that were counted by trackers put in or taken out

  bool can_hold(const Stream& s) const { return Trackers::evicts || model.contains(s); }
  one& fresh(const Stream& s) { return model.insert_or_assign(s, one{gap_tracker(options_), {}}).first->second; }
  void drop(const Stream& s) {
    add_counts(gone, model.at(s).tracker);
    model.erase(s);
  }
  bool is_full() const { return model.size() == table_.capacity; }
  bool is_idle(const one& m, timestamp now) const {
    if constexpr (Trackers::evicts) return recoup::elapsed(m.last_used, now) > table_.idle;
    return false;
  }

  std::string difference() const {
    if (trackers.size() != model.size()) return "size";
    std::size_t visited = 0;
    std::string what;
    trackers.for_each([&](const Stream& s, const recoup::stream_gaps& g) {
      ++visited;
      if (const auto m = model.find(s); m == model.end() || all_of(g.missing()) != missing(m->second.tracker))
        what = "for_each";
    });
    if (!what.empty() || visited != model.size()) return "for_each";
    counts expected = gone;
    std::uint64_t sum_missing = 0;
    std::uint64_t sum_gaps = 0;
    timestamp due = timestamp::max();
    for (const auto& [stream, m] : model) {
      const auto g = trackers.find(stream);
      if (!g) return "find";
      if (g->expected() != m.tracker.expected()) return "expected";
      if (g->high_position() != m.tracker.high_position()) return "high_position";
      if (g->contiguous_position() != m.tracker.contiguous_position()) return "contiguous_position";
      if (all_of(g->missing()) != missing(m.tracker)) return "missing";
      if (all_of(g->abandoned()) != abandoned(m.tracker)) return "abandoned";
      if (g->missing_count() != m.tracker.missing_count()) return "missing_count of a stream";
      if (g->due() != m.tracker.due()) return "due of a stream";
      sum_missing += m.tracker.missing_count();
      sum_gaps += m.tracker.gap_count();
      due = std::min(due, m.tracker.due());
      add_counts(expected, m.tracker);
    }
    if (trackers.missing_count() != sum_missing) return "missing_count";
    if (trackers.gap_count() != sum_gaps) return "gap_count";
    if (trackers.due() != due) return "due";
    counts counted = elsewhere;
    add_counts(counted, trackers);
    for (std::size_t i = 0; i < counted.size(); ++i) {
      if (counted[i] != expected[i]) return "count " + std::to_string(i);
    }
    return {};
  }

  void restart() {
    const bytes saved = snapshot(trackers);
    Trackers other(options_, table_);
    if (!restore(other, saved)) FAIL("a snapshot is refused");
    if (snapshot(other) != saved) FAIL("the bytes of the restored table differ");
    trackers = std::move(other);
    for (auto& [stream, m] : model) {
      gap_tracker again(options_);
      if (!restore(again, snapshot(m.tracker))) FAIL("a snapshot of one is refused");
      m.tracker = std::move(again);
    }
  }

 private:
  gap_tracker_options options_;
  TableOptions table_;
};

template <class Trackers, class Stream, class TableOptions>
class duel {
  using both = side<Trackers, Stream, TableOptions>;

 public:
  explicit duel(std::uint64_t seed)
      : roll_(seed),
        options_(any_options(roll_)),
        streams_(2 + roll_(12)),
        sides_{both(options_, any_table()), both(options_, any_table())} {}

  void step() {
    move_time();
    both& at = sides_[roll_.chance(80) ? 0 : 1];
    const Stream stream = stream_of<Stream>(roll_(streams_));
    const std::uint64_t choice = roll_(100);
    if (choice < 60) {
      observe_any(at, stream);
    } else if (choice < 78) {
      advance(at);
    } else if (choice < 90) {
      change(at, stream);
    } else if (choice < 96) {
      move(at, sides_[roll_(2)], stream);
    } else if (choice < 97) {
      observe_batch(at.trackers);
    } else if (choice < 98) {
      at.restart();
    } else {
      Trackers copy = std::as_const(at.trackers);
      at.trackers = std::move(copy);
    }
    for (const both& s : sides_) {
      if (const std::string what = s.difference(); !what.empty()) FAIL(what);
    }
  }
  const census& reached() const { return census_; }

 private:
  TableOptions any_table() {
    if constexpr (Trackers::evicts) {
      return {.capacity = 1 + roll_(streams_ + 1),
              .idle = roll_.chance(50) ? duration::max() : duration{1 + roll_(300)},
              .seed = roll_(1'000)};
    } else {
      return {.capacity = 1 + roll_(streams_)};
    }
  }

  void move_time() {
    const std::int64_t t = now_.time_since_epoch().count();
    constexpr std::int64_t middle = std::numeric_limits<std::int64_t>::max() / 2;
    if (roll_.chance(1)) {
      now_ = roll_.one_of({timestamp::max(), timestamp::min(), start});
    } else if (t > middle || t < -middle) {
      if (roll_.chance(20)) now_ = at(500);
    } else {
      now_ = at(t + static_cast<std::int64_t>(roll_(roll_.one_of({2U, 20U, 60U}))) - (roll_.chance(5) ? 100 : 0));
    }
  }

  std::uint64_t any_number(const both& at, const Stream& stream) {
    const std::uint64_t mask = most >> (64 - options_.bits);
    const auto m = at.model.find(stream);
    if (last_out_of_range_ && roll_.chance(60)) return (*last_out_of_range_ + 1) & mask;
    if (m == at.model.end()) return roll_.one_of({roll_(50), mask - roll_(20)}) & mask;
    const gap_tracker& t = m->second.tracker;
    const std::uint64_t next = t.expected().value_or(roll_(50));
    const auto one_of = [&](const recoup::interval_set& s) {
      const sequence_range r = *std::next(s.begin(), static_cast<std::ptrdiff_t>(roll_(s.size())));
      return r.first + roll_(r.size());
    };
    switch (roll_(14)) {
      case 0:
      case 1:
      case 2:
        return (next + 1 + roll_(roll_.one_of({3U, 20U}))) & mask;
      case 3:
      case 4:
      case 5:
        return (t.missing().empty() ? next : one_of(t.missing())) & mask;
      case 6:
        return (t.abandoned().empty() ? next : one_of(t.abandoned())) & mask;
      case 7:
        return (next - 1 - roll_(roll_.one_of({3U, 100U}))) & mask;
      case 8:
        return (next + options_.max_jump + roll_(4)) & mask;
      case 9:
        return roll_.chance(20) ? roll_(most) : next & mask;
      default:
        return next & mask;
    }
  }

  void observe_any(both& at, const Stream& stream) {
    const std::uint64_t mask = most >> (64 - options_.bits);
    const std::uint64_t n = any_number(at, stream);
    const std::uint64_t count = 1 + roll_(roll_.one_of({3U, 20U}));
    last_out_of_range_.reset();
    arrival a{};
    switch (roll_(8)) {
      case 0:
        a = observe(at, stream, sequence_range{n, n + (count - 1)},
                    [&](const gap_tracker& t) { return std::pair(t.judge(n, count), t.judge(n, count).answer); });
        break;
      case 1: {
        const linked_number linked{(n - 1) & mask, (n + (count - 1)) & mask};
        a = observe(at, stream, linked, [&](const gap_tracker& t) {
          const auto j = t.judge((linked.previous + 1) & mask, (linked.number - linked.previous) & mask);
          return std::pair(j, j.answer);
        });
        break;
      }
      case 2:
        if (roll_.chance(70) || !at.can_hold(stream)) break;
        a = observe(at, stream, increasing_number{n}, [&](const gap_tracker& t) {
          gap_tracker copy = t;
          const arrival answer = copy.observe(increasing_number{n}, now_).answer;
          return std::pair(t.judge(n), answer);
        });
        break;
      default:
        a = observe(at, stream, n, [&](const gap_tracker& t) { return std::pair(t.judge(n), t.judge(n).answer); });
    }
    if (a == arrival::jump || a == arrival::restart) last_out_of_range_ = n;
  }

  template <class Numbers>
  static void receive(gap_tracker& t, const Numbers& numbers, timestamp now, const gap_tracker_options& o) {
    const std::uint64_t mask = most >> (64 - o.bits);
    if constexpr (std::is_same_v<Numbers, sequence_range>) {
      t.observe(numbers.first, numbers.last - numbers.first + 1, now, [](auto&&...) {});
    } else if constexpr (std::is_same_v<Numbers, linked_number>) {
      t.commit(t.judge((numbers.previous + 1) & mask, (numbers.number - numbers.previous) & mask), now);
    } else {
      t.observe(numbers, now);
    }
  }

  template <class Numbers, class Judge>
  arrival observe(both& s, const Stream& stream, const Numbers& numbers, Judge&& judge) {
    const bool is_known = s.model.contains(stream);
    const gap_tracker blank(options_);
    const gap_tracker& before = is_known ? s.model.at(stream).tracker : blank;
    const auto [judged, answer] = judge(before);
    const bool moves_on_only = std::is_same_v<Numbers, increasing_number> &&
                               (judged.answer == arrival::ahead || judged.answer == arrival::jump);
    const findings displaced = moves_on_only ? findings() : displaced_by(before, judged);

    std::uint64_t late = 0;
    before.for_each_run(judged, [&](arrival a, sequence_range r) { late += a == arrival::late ? r.size() : 0; });

    const std::uint64_t throws_at = roll_.chance(10) ? roll_(2) : most;
    listener<Stream> told(throws_at);
    const bytes saved = throws_at != most ? snapshot(s.trackers) : bytes();
    const bool was_full = s.is_full();
    arrival seen{};
    try {
      if (roll_.chance(50)) {
        seen = s.trackers.observe(stream, numbers, now_, told);
      } else {
        const std::uint32_t hash = s.trackers.hash(stream);
        s.trackers.prefetch(hash);
        const auto j = s.trackers.judge(stream, hash, numbers);
        seen = j.seen.answer;
        if (s.trackers.is_next(j)) {
          s.trackers.commit_next(j, now_);
        } else {
          s.trackers.tell_displaced(stream, j, told);
          s.trackers.commit(stream, j, now_);
        }
      }
    } catch (const handler_failure&) {
      ++census_[as_thrown];
      if (snapshot(s.trackers) != saved) FAIL("told() threw and something has changed");
      return arrival::stale;
    }
    if (!s.can_hold(stream)) {
      if (seen != arrival::stale || told.unknown != std::vector<Stream>{stream}) FAIL("a stream beyond is not unknown");
      s.gone[static_cast<std::size_t>(arrival::stale)] += judged.last - judged.first + 1;
      ++census_[as_of_another_stream];
      return seen;
    }
    if (!told.unknown.empty()) FAIL("a stream is said to be unknown");
    if (told.evicted.size() != (was_full && !is_known ? 1U : 0U)) FAIL("a wrong number of streams is evicted");
    for (const auto& [evicted, missing] : told.evicted) {
      if (!s.model.contains(evicted)) FAIL("one is evicted that is not there");
      if (missing != s.model.at(evicted).tracker.missing_count()) FAIL("evicted with other numbers missing");
      s.drop(evicted);
      ++census_[as_of_another_stream];
    }
    auto& m = is_known ? s.model.at(stream) : s.fresh(stream);
    receive(m.tracker, numbers, now_, options_);
    m.last_used = now_;
    CAPTURE(name_of(seen), name_of(answer));
    if (seen != answer) FAIL("another answer");
    if (told.all[stream] != displaced || told.all.size() != 1) FAIL("other numbers are given up");
    if (told.late[stream] != late) FAIL("late");
    ++census_[static_cast<std::size_t>(seen)];
    for (const gap_model::told& t : displaced)
      ++census_[t.what == gap_model::told::resumed ? as_resumed : as_displaced];
    return seen;
  }

  // A batch must do to a copy of the table what its events do to another one.
  void observe_batch(const Trackers& original) {
    std::vector<recoup::numbered<Stream>> batch;
    for (std::uint64_t i = roll_(60); i > 0; --i) {
      const Stream stream = stream_of<Stream>(roll_(streams_));
      batch.push_back({stream, any_number(sides_[0], stream)});
    }
    const std::uint64_t throws_at = roll_.chance(20) ? roll_(6) : most;
    const auto outcome = [&](auto&& observe_all) {
      Trackers t = original;
      listener<Stream> told(throws_at);
      try {
        observe_all(t, told);
      } catch (const handler_failure&) {
      }
      return std::tuple(snapshot(t), told.all, told.late, told.evicted, told.unknown, told.thrower);
    };
    const auto at_once = outcome([&](Trackers& t, listener<Stream>& told) { t.observe(batch, now_, told); });
    const auto one_by_one = outcome([&](Trackers& t, listener<Stream>& told) {
      for (const auto& e : batch) t.observe(e.stream, e.number, now_, told);
    });
    if (at_once != one_by_one) FAIL("a batch is not its events");
  }

  // What is told of a stream must be what its tracker tells. Where the sink threw, streams behind were not reached.
  void advance(both& s) {
    const std::uint64_t throws_at = roll_.chance(20) ? roll_(6) : most;
    const std::uint64_t refused = roll_.chance(20) ? roll_(3) : most;
    listener<Stream> told(throws_at, refused);
    try {
      s.trackers.advance(now_, told);
    } catch (const handler_failure&) {
      ++census_[as_thrown];
    }
    for (auto& [stream, m] : s.model) {
      const findings& seen = told.all[stream];
      const bool throws = told.has_thrown && told.thrower == stream;
      const auto now_known = s.trackers.find(stream);
      const bool was_reached = !told.has_thrown || throws || !seen.empty() || !now_known ||
                               now_known->due() != m.tracker.due() || told.thrower == std::nullopt;
      if (!was_reached) continue;
      const auto [all, threw] = advance_one(m.tracker, stream, throws, seen.size(), refused);
      if (all != seen) {
        CAPTURE(throws, refused, now_.time_since_epoch().count());
        REQUIRE(seen == all);
      }
      if (threw != throws) FAIL("the sink of one throws, that of the other does not");
    }
    for (const auto& [stream, missing] : told.evicted) {
      if (!s.model.contains(stream)) FAIL("one is evicted that is not there");
      const auto& m = s.model.at(stream);
      if (missing != m.tracker.missing_count()) FAIL("evicted with other numbers missing");
      if (!s.is_idle(m, now_)) FAIL("one is evicted that is not idle");
      s.drop(stream);
      ++census_[as_idle];
    }
    for (const auto& [stream, all] : told.all) {
      for (const gap_model::told& t : all) {
        ++census_[t.what == gap_model::told::found     ? as_found
                  : t.what == gap_model::told::request ? as_request
                                                       : as_given_up];
      }
      census_[as_refused] += refused != most && !all.empty();
    }
  }

  // Throws where it has been told as many findings as told_before and is told another one.
  std::pair<findings, bool> advance_one(gap_tracker& t, const Stream& stream, bool throws, std::size_t told_before,
                                        std::uint64_t refused) {
    findings all;
    const listener<Stream> rule(most, refused);
    try {
      t.advance(now_, stream, [&](const auto& finding) {
        using finding_type = std::decay_t<decltype(finding)>;
        if constexpr (std::is_same_v<finding_type, recoup::replay_request<Stream>>) {
          if (rule.refuses(finding) && !(throws && all.size() == told_before)) return false;
        }
        if (throws && all.size() == told_before) throw handler_failure();
        all.push_back(as_told(finding));
        return true;
      });
    } catch (const handler_failure&) {
      return {all, true};
    }
    return {all, false};
  }

  void change(both& s, const Stream& stream) {
    const auto m = s.model.find(stream);
    std::uint64_t n = any_number(s, stream);
    const std::uint64_t choice = roll_(3);
    if (m == s.model.end()) {
      if (s.trackers.forget(stream, n, now_)) FAIL("something is forgotten of a stream that is not there");
      if (!s.trackers.observe_high(stream, n, now_).empty()) FAIL("something of a stream that is not there is missing");
      if (s.trackers.skip(stream, {n, n}, skip_reason::deleted, now_) != 0)
        FAIL("something is skipped of a stream that is not there");
      return;
    }
    gap_tracker& t = m->second.tracker;
    if (choice == 0) {
      if (roll_.chance(70)) n = (t.expected().value_or(0) - 1 - roll_(6)) & (most >> (64 - options_.bits));
      const bool is_forgotten = t.forget(n, now_);
      if (s.trackers.forget(stream, n, now_) != is_forgotten) FAIL("forget");
      census_[as_forgotten] += is_forgotten;
    } else if (choice == 1) {
      const sequence_range hole = t.observe_high(n, now_);
      if (s.trackers.observe_high(stream, n, now_) != hole) FAIL("observe_high");
      census_[as_high] += !hole.empty();
    } else {
      const std::uint64_t first = std::min(n, t.expected().value_or(n) + 40);  // else there is no end of requests
      const sequence_range range{first, first + std::min(most - first, roll_(20))};
      findings told;
      const auto listen = [&](const auto& finding) { told.push_back(as_told(finding)); };
      const std::uint64_t skipped = t.skip(range, skip_reason::deleted, now_, listen);
      findings told_by_all;
      const auto listen_to_all = [&](const recoup::gap_abandoned<Stream>& finding) {
        if (finding.stream != stream) FAIL("another stream gives a gap up");
        told_by_all.push_back(as_told(finding));
      };
      if (s.trackers.skip(stream, range, skip_reason::deleted, now_, listen_to_all) != skipped) FAIL("skip");
      if (told != told_by_all) FAIL("skipping gives up other numbers");
      census_[as_skipped] += skipped > 0;
    }
  }

  // From one table into the other one, or into the same. On the way, more is received, or the stream resumes.
  void move(both& from, both& to, const Stream& stream) {
    std::optional<gap_tracker> taken = from.trackers.take(stream);
    const auto m = from.model.find(stream);
    if (taken.has_value() != (m != from.model.end())) FAIL("take");
    if (!taken) return;
    ++census_[as_taken];
    gap_tracker expected = m->second.tracker;
    counts only_lost{};
    only_lost[found_index] = taken->found_count();
    counts counted{};
    add_counts(counted, *taken);
    if (counted != only_lost) FAIL("what is taken out counts what it received before");
    if (taken->found_count() > expected.found_count() - expected.recovered_count()) FAIL("more is taken than was lost");
    from.drop(stream);
    from.gone[found_index] -= taken->found_count();
    if constexpr (!Trackers::evicts) from.fresh(stream);

    for (std::uint64_t i = roll_(4); i > 0; --i) {
      const std::uint64_t n = expected.expected().value_or(7) + roll_(3);
      taken->observe(n, now_);
      expected.observe(n, now_);
    }
    if (roll_.chance(10)) {
      const std::uint64_t n = roll_(100);
      taken->resume_at(n);
      expected.resume_at(n);
    }
    if (gap_model::advance(*taken, now_) != gap_model::advance(expected, now_)) FAIL("what is taken out tells others");
    if (missing(*taken) != missing(expected) || abandoned(*taken) != abandoned(expected)) FAIL("taken");

    const auto there = to.model.find(stream);
    const bool has_room = Trackers::evicts ? there == to.model.end() && !to.is_full()
                                           : there != to.model.end() && !there->second.tracker.high_position();
    const std::uint64_t found_before = to.trackers.found_count();
    if (to.trackers.put(stream, *taken, now_) != has_room) FAIL("put");
    const std::uint64_t lost = to.trackers.found_count() - found_before;
    if (lost > taken->found_count() - taken->recovered_count()) FAIL("more is put in than was lost");
    ++census_[has_room ? as_put : as_not_put];
    if (!has_room) return;
    // In the model the counters move along; the table does not count what was received before and on the way.
    add_counts(to.elsewhere, expected);
    to.elsewhere[found_index] -= lost;
    if constexpr (!Trackers::evicts) to.drop(stream);
    to.fresh(stream) = {std::move(expected), now_};
  }

  dice roll_;
  gap_tracker_options options_;
  std::uint64_t streams_;
  std::array<both, 2> sides_;
  timestamp now_ = at(500);
  std::optional<std::uint64_t> last_out_of_range_;
  census census_{};
};

template <class Trackers, class Stream, class TableOptions>
void check_against_trackers(std::uint64_t first_seed) {
  census all{};
  const std::uint64_t runs = 400 * test_scale();
  for (std::uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
    duel<Trackers, Stream, TableOptions> d(seed);
    for (int step = 0; step < 250; ++step) {
      INFO("seed " << seed << " step " << step);
      d.step();
    }
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += d.reached()[i];
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    if (i != as_idle || Trackers::evicts) CHECK(all[i] > 60);  // else the run above proves little
  }
}

TEST_CASE("gap trackers of numbered streams that are evicted answer as a tracker for each") {
  check_against_trackers<gap_trackers<std::uint64_t>, std::uint64_t, keyed_options>(1);
}
TEST_CASE("gap trackers of named streams that are evicted answer as a tracker for each") {
  check_against_trackers<gap_trackers<std::string>, std::string, keyed_options>(10'000);
}
TEST_CASE("gap trackers of the first so many streams answer as a tracker for each") {
  check_against_trackers<dense_trackers<std::uint16_t>, std::uint16_t, dense_options>(20'000);
}

// --- one by one

// All findings of an advance, in the order in which they are told.
template <class Trackers>
std::vector<std::pair<std::string, told>> sequence_of(Trackers& t, timestamp now) {
  std::vector<std::pair<std::string, told>> all;
  t.advance(now, [&](const auto& f) {
    if constexpr (requires { as_told(f); }) all.emplace_back(recoup::detail::show(f.stream), as_told(f));
  });
  return all;
}

TEST_CASE("a stream that moves in the table keeps its gaps and its name") {
  gap_trackers<std::string> t({.reorder_delay = 5ns}, keyed_options{.capacity = 3});
  for (const std::string stream : {"a", "b", "c"}) t.observe(stream, std::uint64_t{1}, start, ignore);
  t.observe(std::string("c"), std::uint64_t{4}, start, ignore);
  t.observe(std::string("b"), std::uint64_t{9}, start, ignore);
  CHECK(t.take("a"));  // so that the last one moves there
  CHECK(sequence_of(t, at(4)).empty());
  const auto all = sequence_of(t, at(5));
  REQUIRE(all.size() == 4);
  CHECK(all[0] == std::pair(std::string("\"c\""), told{told::found, {2, 3}, start}));
  CHECK(all[2] == std::pair(std::string("\"b\""), told{told::found, {2, 8}, start}));
}

TEST_CASE("a restored table tells the same in the same order") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    gap_tracker_options o = any_options(roll);
    o.replay.max_requests = static_cast<std::uint32_t>(1 + roll(8));
    const keyed_options table{.capacity = 8, .idle = 500ns, .seed = seed};
    gap_trackers<std::uint64_t> one(o, table);
    timestamp now = start;
    const auto feed = [&](auto& t, std::uint64_t n) {
      dice same(seed + n);
      for (int i = 0; i < 40; ++i) {
        const std::uint64_t stream = same(12);
        if (same.chance(5)) t.take(stream);
        const auto g = t.find(stream);
        t.observe(stream, g && g->expected() ? *g->expected() + same(4) : 50 + same(3), now, ignore);
      }
    };
    for (std::uint64_t i = 0; i < 10; ++i, now += 30ns) {
      feed(one, i);
      gap_trackers<std::uint64_t> other(o, table);
      REQUIRE(restore(other, snapshot(one)));
      feed(one, i + 100);
      feed(other, i + 100);
      REQUIRE(sequence_of(one, now) == sequence_of(other, now));
      REQUIRE(snapshot(one) == snapshot(other));
    }
  }
}

TEST_CASE("streams take turns where all want more requests than may be made") {
  dense_trackers<std::uint8_t> t({.expect_from = 0, .replay = {.max_range = 1, .max_requests = 3}},
                                 dense_options{.capacity = 4});
  for (std::uint8_t stream = 0; stream < 4; ++stream) t.observe(stream, std::uint64_t{100}, start, ignore);
  std::map<std::uint8_t, int> granted;
  for (int i = 0; i < 40; ++i) {
    if (i == 7) REQUIRE(restore(t, snapshot(t)));
    t.advance(start, [&](const auto& finding) {
      if constexpr (requires { finding.max_attempts; }) ++granted[finding.stream];
    });
  }
  for (std::uint8_t stream = 0; stream < 4; ++stream) CHECK(granted[stream] == 30);
}

TEST_CASE("numbers that come late in a packet are told as they are") {
  gap_trackers<int> t({.expect_from = 0, .replay = {.max_attempts = 0, .give_up_after = 10ns}},
                      keyed_options{.capacity = 2});
  for (const std::uint64_t n : {3U, 6U}) t.observe(1, n, start, ignore);
  t.advance(start + 10ns, ignore);
  t.observe(1, std::uint64_t{9}, start, ignore);
  std::vector<sequence_range> late;
  t.observe(1, sequence_range{2, 20}, start, [&](const auto& finding) {
    if constexpr (std::is_same_v<decltype(finding), const recoup::late_arrival<int>&>) late.push_back(finding.range);
  });
  CHECK(late == std::vector<sequence_range>{{2, 2}, {4, 5}});
  CHECK(t.count(arrival::filled) == 2);
  CHECK(t.missing_count() == 0);
}

TEST_CASE("what a stream has lost goes with it") {
  const gap_tracker_options o{.expect_from = 0, .replay = {.max_attempts = 0, .give_up_after = 10ns}};
  gap_trackers<int> from(o, keyed_options{.capacity = 2});
  gap_trackers<int> to(o, keyed_options{.capacity = 2});
  from.observe(1, std::uint64_t{4}, start, ignore);
  from.observe(2, std::uint64_t{1}, start, ignore);
  from.advance(start + 10ns, ignore);
  CHECK(from.found_count() == 5);
  const auto taken = from.take(1);
  CHECK(taken->found_count() == 4);
  CHECK(from.found_count() == 1);
  REQUIRE(to.put(1, *taken, start));
  CHECK(to.found_count() == 4);
  to.observe(1, sequence_range{0, 3}, start, ignore);
  CHECK(to.recovered_count() == 4);
  CHECK_FALSE(to.put(2, gap_tracker({.expect_from = 1}), start));
  CHECK_FALSE(to.find(2));
}

TEST_CASE("requests are limited over all streams and each one comes later") {
  std::uint64_t deferred = 0;
  for (std::uint64_t seed = 1; seed <= 100 * test_scale(); ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    gap_tracker_options o = any_options(roll);
    o.bits = 64;
    o.expect_from = 1;
    o.max_gaps = 1'000;  // with few, some that are asked for at different times must wait together
    o.replay.max_attempts = static_cast<std::uint32_t>(1 + roll(3));
    std::map<std::uint64_t, gap_tracker> model;
    for (std::uint64_t stream = 0; stream < 6; ++stream) model.emplace(stream, gap_tracker(o));
    o.replay.max_requests = static_cast<std::uint32_t>(1 + roll(4));
    gap_trackers<std::uint64_t> t(o, keyed_options{.capacity = 6});
    for (timestamp now = at(100); now < at(1'000); now += duration{roll(60)}) {
      for (int i = 0; i < 12; ++i) {
        auto& [stream, one] = *std::next(model.begin(), static_cast<std::ptrdiff_t>(roll(6)));
        const std::uint64_t n = *one.expected() + roll(3);
        t.observe(stream, n, now, ignore);
        one.observe(n, now);
      }
      std::map<std::uint64_t, findings> told_by_all;
      for (bool is_more = true; is_more;) {
        std::uint32_t requests = 0;
        is_more = false;
        t.advance(now, [&](const auto& f) {
          if constexpr (requires { as_told(f); }) {
            told_by_all[f.stream].push_back(as_told(f));
            is_more = true;
            requests += as_told(f).what == told::request;
          }
        });
        REQUIRE(requests <= o.replay.max_requests);
        if (requests == o.replay.max_requests && t.due() <= now) ++deferred;
      }
      CHECK(t.due() > now);
      const auto sorted = [](findings all) {
        std::sort(all.begin(), all.end(), [](const told& a, const told& b) {
          return std::tuple(a.what, a.range.first, a.attempts) < std::tuple(b.what, b.range.first, b.attempts);
        });
        return all;
      };
      for (auto& [stream, one] : model) REQUIRE(sorted(told_by_all[stream]) == sorted(gap_model::advance(one, now)));
    }
  }
  CHECK(deferred > 300);
}

TEST_CASE("the room for gaps is used again and grows with the streams that have gaps at once") {
  constexpr std::uint64_t at_once = 20;
  gap_trackers<std::uint64_t> t({}, keyed_options{.capacity = 20'000});
  const std::size_t without_gaps = t.bytes();
  CHECK(without_gaps <
        sizeof(t) + recoup::keyed<std::uint64_t, recoup::detail::stream_position>::bytes_for(20'000) + 300);
  timestamp now = start;
  std::size_t after_warm_up = 0;
  for (std::uint64_t stream = 0; stream < 20'000; ++stream) {
    t.observe(stream, std::uint64_t{1}, now, ignore);
    t.observe(stream, std::uint64_t{3}, now, ignore);
    if (stream >= at_once) {
      const std::uint64_t old = stream - at_once;
      switch (old % 3) {
        case 0:
          t.observe(old, std::uint64_t{2}, now, ignore);
          break;
        case 1:
          CHECK(t.take(old)->missing_count() == 1);
          break;
        default:
          t.skip(old, {2, 2}, skip_reason::deleted, now);
      }
    }
    if (stream == 100) after_warm_up = t.bytes();
  }
  CHECK(t.bytes() == after_warm_up);
  CHECK(t.bytes() - without_gaps < 32 * 400);
  CHECK(t.gap_count() == at_once);
}

TEST_CASE("streams that are evicted with gaps leave no room behind") {
  gap_trackers<std::uint64_t> t({}, keyed_options{.capacity = 4, .idle = 10ns});
  std::uint64_t evicted = 0;
  std::size_t after_warm_up = 0;
  for (std::uint64_t stream = 0; stream < 5'000; ++stream) {
    const timestamp now = at(static_cast<std::int64_t>(4 * stream));
    for (const std::uint64_t n : {1U, 3U}) {
      t.observe(stream, n, now, [&](const auto& f) {
        if constexpr (requires { f.missing; }) evicted += f.missing;
      });
    }
    if (stream % 7 == 0) {
      t.advance(now, [&](const auto& f) {
        if constexpr (requires { f.missing; }) evicted += f.missing;
      });
    }
    if (stream == 20) after_warm_up = t.bytes();
  }
  CHECK(t.bytes() == after_warm_up);
  CHECK(evicted + t.missing_count() == 5'000);
}

TEST_CASE("many streams allocate nothing after warm-up and a copy has the same room") {
  using trackers = gap_trackers<std::uint64_t>;
  const auto feed = [](trackers& t, std::uint64_t rounds) {
    for (std::uint64_t n = 1; n < rounds; ++n) {
      const timestamp now = at(static_cast<std::int64_t>(n));
      for (std::uint64_t stream = 0; stream < 16; ++stream) {
        const std::uint64_t next = t.find(stream) ? *t.find(stream)->expected() : 1;
        t.observe(stream, next + (n + stream) % 2, now, ignore);
        if ((n + stream) % 8 == 0 && next > 9) t.observe(stream, next - 8, now, ignore);
      }
      t.advance(now, ignore);
    }
  };
  trackers t({.max_gaps = 4, .replay = {.max_attempts = 1, .first_wait = 3ns}}, keyed_options{.capacity = 12});
  feed(t, 200);
  const std::size_t before = allocations_so_far;
  feed(t, 200);
  CHECK(allocations_so_far == before);

  for (std::uint64_t stream = 0; stream < 16; ++stream) {
    if (const auto g = t.find(stream)) t.observe(stream, *g->expected() + 1, at(200), ignore);
  }
  trackers copy = std::as_const(t);
  CHECK(copy.gap_count() > 6);
  const std::size_t after_copy = allocations_so_far;
  for (std::uint64_t stream = 0; stream < 16; ++stream) copy.take(stream);  // what they had is free for others
  CHECK(allocations_so_far == after_copy);
  CHECK(copy.gap_count() == 0);
}

// What can be seen of a table and its streams, except when each was last used.
template <class Trackers>
auto state_of(const Trackers& t) {
  std::vector<
      std::tuple<std::string, std::optional<std::uint64_t>, std::optional<std::uint64_t>, ranges, ranges, timestamp>>
      all;
  t.for_each([&](const auto& stream, const recoup::stream_gaps& g) {
    all.emplace_back(recoup::detail::show(stream), g.expected(), g.contiguous_position(), all_of(g.missing()),
                     all_of(g.abandoned()), g.due());
  });
  counts c{};
  add_counts(c, t);
  return std::pair(std::move(all), c);
}

TEST_CASE("where there is no memory for an arrival of one of many streams nothing has changed") {
  std::uint64_t failures = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    gap_tracker_options o = any_options(roll);
    o.bits = 64;
    gap_trackers<std::string> t(o, keyed_options{.capacity = 5, .seed = seed});
    for (int step = 0; step < 60; ++step) {
      const timestamp now = at(step * 5);
      const std::string stream = stream_of<std::string>(roll(8));
      const auto g = t.find(stream);
      const std::uint64_t next = g && g->expected() ? *g->expected() : 50;
      const std::uint64_t n = next + roll(8) - roll(6);
      const std::uint64_t choice = roll(5);
      if (roll.chance(50)) t = gap_trackers<std::string>(std::as_const(t));  // whose heap is as small as can be
      const auto before = state_of(t);
      for (std::size_t allocations = 0;; ++allocations) {
        bool succeeds = true;
        allocations_left = allocations;
        try {
          if (choice == 0) {
            t.skip(stream, {n, n + 5}, skip_reason::deleted, now);
          } else if (choice == 1) {
            t.forget(stream, n, now);
          } else if (choice == 2) {
            t.observe(stream, sequence_range{n, n + 3}, now, [](const auto&) {});
          } else {
            t.observe(stream, n, now, [](const auto&) {});
          }
        } catch (const std::bad_alloc&) {
          succeeds = false;
        }
        allocations_left = any_number_of_allocations;
        if (succeeds) break;
        ++failures;
        if (state_of(t) != before) FAIL("something changed although there was no memory for it");
      }
      t.advance(now, ignore);
    }
  }
  CHECK(failures > 300);
}

TEST_CASE("an event of a stream beyond the capacity is told and counts for no stream") {
  dense_trackers<std::int32_t> t({.expect_from = 5}, dense_options{.capacity = 2});
  listener<std::int32_t> told;
  for (const std::int32_t stream : {2, -1, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<int>::min()}) {
    CHECK(t.observe(stream, std::uint64_t{5}, start, told) == arrival::stale);
    CHECK_FALSE(t.find(stream));
    CHECK_FALSE(t.forget(stream, std::uint64_t{5}, start));
    CHECK_FALSE(t.take(stream));
    CHECK_FALSE(t.put(stream, gap_tracker(t.options()), start));
  }
  CHECK(told.unknown.size() == 4);
  CHECK(told.unknown[1] == -1);
  CHECK(t.observe(1, std::uint64_t{5}, start, told) == arrival::in_order);
  CHECK(t.observe(0, std::uint64_t{7}, start, told) == arrival::ahead);
  CHECK(t.count(arrival::stale) == 4);
  CHECK(t.count(arrival::in_order) == 1);
  CHECK(t.missing_count() == 2);
}

TEST_CASE("ranges and numbers that are linked or only grow are of their stream") {
  gap_trackers<std::uint64_t> t({}, keyed_options{.capacity = 4});
  const std::uint64_t ranges_of = 1;
  const std::uint64_t links = 2;
  const std::uint64_t grows = 3;
  CHECK(t.observe(ranges_of, sequence_range{1, 10}, start, ignore) == arrival::in_order);
  CHECK(t.observe(ranges_of, sequence_range{21, 30}, start, ignore) == arrival::ahead);
  CHECK(t.observe(links, linked_number{10, 15}, start, ignore) == arrival::in_order);
  CHECK(t.observe(links, linked_number{15, 90}, start, ignore) == arrival::in_order);
  CHECK(t.observe(links, linked_number{95, 99}, start, ignore) == arrival::ahead);
  CHECK(t.observe(grows, increasing_number{10}, start, ignore) == arrival::in_order);
  CHECK(t.observe(grows, increasing_number{5'000'000}, start, ignore) == arrival::in_order);
  CHECK(t.observe(grows, increasing_number{5'000'000}, start, ignore) == arrival::duplicate);
  CHECK(t.observe(grows, increasing_number{4'000'000}, start, ignore) == arrival::stale);
  CHECK(all_of(t.find(ranges_of)->missing()) == ranges{{11, 20}});
  CHECK(all_of(t.find(links)->missing()) == ranges{{91, 95}});
  CHECK(t.find(grows)->missing_count() == 0);

  CHECK(t.forget(ranges_of, sequence_range{21, 25}, start));
  CHECK_FALSE(t.forget(ranges_of, sequence_range{20, 30}, start));
  CHECK_FALSE(t.forget(std::uint64_t{9}, sequence_range{1, 2}, start));
  CHECK(all_of(t.find(ranges_of)->missing()) == ranges{{11, 25}});
  CHECK(t.forget(links, linked_number{15, 90}, start));
  CHECK(all_of(t.find(links)->missing()) == ranges{{16, 95}});
}

TEST_CASE("a stream is put in where there is none and room for it") {
  const gap_tracker_options o{.expect_from = 1};
  const auto with_a_gap = [&] {
    gap_tracker t(o);
    receive_all(t, {1, 5});
    return t;
  };
  gap_trackers<std::string> keyed(o, keyed_options{.capacity = 1});
  CHECK(keyed.put("a", with_a_gap(), start));
  CHECK_FALSE(keyed.put("a", with_a_gap(), start));
  CHECK_FALSE(keyed.put("b", with_a_gap(), start));  // full
  CHECK(keyed.count(arrival::in_order) == 0);
  CHECK(keyed.missing_count() == 3);
  CHECK_FALSE(keyed.take("b"));
  CHECK(keyed.take("a")->missing_count() == 3);
  CHECK(keyed.size() == 0);
  CHECK(keyed.missing_count() == 0);
  CHECK(keyed.due() == timestamp::max());

  dense_trackers<std::uint8_t> dense(o, dense_options{.capacity = 2});
  const std::uint8_t stream = 1;
  CHECK(dense.observe(stream, most, start, ignore) == arrival::jump);  // noted, but nothing has come yet
  const std::size_t bytes = dense.bytes();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(dense.put(stream, with_a_gap(), start));
    REQUIRE_FALSE(dense.put(stream, with_a_gap(), start));
    REQUIRE(dense.take(stream)->missing_count() == 3);
  }
  CHECK(dense.bytes() <= 2 * bytes);
  gap_tracker elsewhere(o);
  elsewhere.resume_at(1'000);
  CHECK(dense.put(stream, std::move(elsewhere), start));
  CHECK(dense.put(stream, with_a_gap(), start));
  CHECK(dense.count(arrival::in_order) == 0);
  CHECK(dense.count(arrival::jump) == 1);
}

TEST_CASE("an empty copy has the options and no stream") {
  gap_trackers<std::string> keyed({.expect_from = 5, .max_gaps = 7}, keyed_options{.capacity = 3});
  dense_trackers<bool> dense({.expect_from = 5, .max_gaps = 7}, dense_options{.capacity = 2});
  const auto check = [](auto& t, const auto& stream) {
    const auto fresh = t.empty_copy();
    for (const std::uint64_t n : {6U, 9U}) t.observe(stream, n, start, ignore);
    const auto copy = t.empty_copy();
    CHECK(snapshot(copy) == snapshot(fresh));
    CHECK(state_of(copy) == state_of(fresh));
    CHECK(copy.options().max_gaps == 7);
    CHECK(copy.configuration() == t.configuration());
    CHECK(t.missing_count() == 3);
  };
  check(keyed, std::string("a"));
  check(dense, true);
}

TEST_CASE("a snapshot of many streams with other numbers or another table is refused") {
  using trackers = dense_trackers<std::uint32_t>;
  trackers t({.max_gaps = 8}, dense_options{.capacity = 4});
  t.observe(3U, std::uint64_t{7}, start, ignore);
  const bytes saved = snapshot(t);
  const auto status = [&](trackers other) { return restore(other, saved).status; };
  CHECK(status(trackers({.max_gaps = 8}, dense_options{.capacity = 4})) == recoup::snapshot_status::ok);
  CHECK(status(trackers({.reorder_delay = 3s, .max_gaps = 8}, dense_options{.capacity = 4})) ==
        recoup::snapshot_status::ok);
  CHECK(status(trackers({.max_gaps = 9}, dense_options{.capacity = 4})) ==
        recoup::snapshot_status::other_configuration);
  CHECK(status(trackers({.expect_from = 0, .max_gaps = 8}, dense_options{.capacity = 4})) ==
        recoup::snapshot_status::other_configuration);
  CHECK(status(trackers({.max_gaps = 8}, dense_options{.capacity = 5})) ==
        recoup::snapshot_status::other_configuration);
}

template <class Trackers, class TableOptions>
void check_forged_snapshots(const TableOptions& table, std::uint64_t seeds) {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    dice roll(seed);
    gap_tracker_options o = any_options(roll);
    o.replay.max_range = most;
    o.replay.max_requests = 50;
    Trackers original(o, table);
    const auto feed = [&](Trackers& t) {
      for (int i = 0; i < 20; ++i) {
        const std::uint64_t stream = roll(6);
        const auto g = t.find(stream);
        const std::uint64_t next = g ? g->expected().value_or(3) : 3;
        t.observe(stream, roll.one_of({next, next + roll(4), next - roll(9), most}), at(i), ignore);
        if (roll.chance(20)) t.advance(at(i * 5), ignore);
        if (roll.chance(10)) t.take(stream);
      }
    };
    feed(original);
    const bytes valid = snapshot(original);
    const auto frame = recoup::detail::parse_frame(valid);
    for (int i = 0; i < 40; ++i) {
      INFO("seed " << seed << " mutation " << i);
      bytes content(frame.content.begin(), frame.content.end());
      for (std::uint64_t n = 1 + roll(3); n > 0 && !content.empty(); --n) {
        const std::uint64_t place = roll(content.size());
        if (roll.chance(5)) {
          content.resize(place);
        } else {
          content[place] = static_cast<std::byte>(roll.one_of({roll(256), roll(6), std::uint64_t{255}}));
        }
      }
      recoup::snapshot_writer w;
      recoup::detail::begin_frame(w, frame.configuration, {});
      for (const std::byte b : content) w.u8(std::to_integer<std::uint8_t>(b));
      recoup::detail::end_frame(w);

      Trackers t = std::as_const(original);
      if (!restore(t, w.take())) {
        ++refused;
        if (snapshot(t) != valid) FAIL("a refused snapshot changed the table");
        continue;
      }
      ++accepted;
      feed(t);
      t.advance(at(1'000), ignore);
      t.advance(timestamp::max(), ignore);
      if (Trackers again(o, table); !restore(again, snapshot(t))) FAIL("its own snapshot is refused");
    }
  }
  CHECK(accepted > seeds);
  CHECK(refused > seeds);
}

TEST_CASE("a forged snapshot of many streams is refused or gives a table that works") {
  check_forged_snapshots<gap_trackers<std::uint64_t>>(keyed_options{.capacity = 4, .idle = 50ns}, 40 * test_scale());
  check_forged_snapshots<dense_trackers<std::uint64_t>>(dense_options{.capacity = 4}, 40 * test_scale());
}

}  // namespace
