// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "recoup/core/snapshot.hpp"
#include "recoup/sequence/gap_tracker.hpp"

/// What the tests of gap_tracker share: findings as one type, and a tracker that keeps every number one by one.

namespace gap_model {

using recoup::abandon_reason;
using recoup::arrival;
using recoup::duration;
using recoup::gap_tracker;
using recoup::gap_tracker_options;
using recoup::sequence_range;
using recoup::timestamp;

__extension__ using wide = __int128;
using bytes = std::vector<std::byte>;
using ranges = std::vector<sequence_range>;

inline constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
inline constexpr timestamp start{};

inline timestamp at(std::int64_t ns) { return timestamp(duration{ns}); }

class dice {
 public:
  explicit dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t operator()(std::uint64_t n) { return random_() % n; }
  bool chance(std::uint64_t percent) { return random_() % 100 < percent; }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return *(all.begin() + random_() % all.size());
  }

 private:
  std::mt19937_64 random_;
};

// --- findings

// One finding, of whatever type.
struct told {
  enum kind : std::uint8_t { found, request, abandoned, resumed } what;
  sequence_range range;
  timestamp opened{};
  std::uint32_t attempts = 0;
  std::uint32_t of = 0;
  abandon_reason reason{};

  bool operator==(const told&) const = default;
};
using findings = std::vector<told>;

inline std::ostream& operator<<(std::ostream& out, const told& t) {
  return out << std::array{"found ", "request ", "given up ", "resumed "}[t.what] << t.range.first << '-'
             << t.range.last << " opened " << t.opened.time_since_epoch().count() << " attempt " << t.attempts << " of "
             << t.of << ' ' << describe(t.reason);
}

template <class Stream>
told as_told(const recoup::gap_found<Stream>& g) {
  return {told::found, g.range, g.opened};
}
template <class Stream>
told as_told(const recoup::replay_request<Stream>& r) {
  return {told::request, r.range, {}, r.attempt, r.max_attempts};
}
template <class Stream>
told as_told(const recoup::gap_abandoned<Stream>& g) {
  return {told::abandoned, g.range, g.opened, g.attempts, 0, g.reason};
}
// From the number that was expected, or 0, to the one at which the stream goes on.
template <class Stream>
told as_told(const recoup::stream_resumed<Stream>& s) {
  return {told::resumed, {s.expected.value_or(0), s.resumed_at}};
}

inline findings advance(gap_tracker& t, timestamp now) {
  findings all;
  t.advance(now, [&](const auto& finding) { all.push_back(as_told(finding)); });
  return all;
}

inline findings displaced_by(const gap_tracker& t, const gap_tracker::judgement& j) {
  findings all;
  t.tell_displaced(j, recoup::only_stream{}, [&](const auto& finding) { all.push_back(as_told(finding)); });
  return all;
}

// --- what can be seen of a tracker

inline bool is_due(const gap_tracker& t, timestamp now) { return now >= t.due(); }
inline ranges missing(const gap_tracker& t) { return {t.missing().begin(), t.missing().end()}; }
inline ranges abandoned(const gap_tracker& t) { return {t.abandoned().begin(), t.abandoned().end()}; }

inline arrival receive(gap_tracker& t, std::uint64_t number, timestamp now = start) {
  return t.observe(number, now).answer;
}
inline void receive_all(gap_tracker& t, std::initializer_list<std::uint64_t> numbers, timestamp now = start) {
  for (const std::uint64_t n : numbers) t.observe(n, now);
}

inline std::uint64_t received(const gap_tracker& t) {
  std::uint64_t sum = 0;
  for (std::size_t a = 0; a < recoup::arrival_kinds; ++a) sum += t.count(static_cast<arrival>(a));
  return sum;
}

// What holds of every tracker, whatever happened to it; a sentence where it does not.
inline std::string broken_invariant(const gap_tracker& t) {
  const sequence_range* before = nullptr;
  std::uint64_t sum = 0;
  const auto expect_from = t.options().expect_from;
  const auto high = t.high_position();
  if (expect_from && !t.expected() && !high) return "not started at expect_from";
  if (t.missing().size() != t.gap_count() || t.gap_count() > t.options().max_gaps) return "gap_count";
  if (t.abandoned().size() > t.options().max_gaps) return "more ranges given up than max_gaps";
  const bool can_ask = t.options().bits == 64 && !t.options().max_behind;
  for (const sequence_range& g : t.missing()) {
    if (g.empty()) return "an empty gap";
    if (before != nullptr && before->last >= g.first) return "gaps overlap";
    if (!high || g.last > *high) return "a gap above the highest";
    bool is_given_up = false;
    t.abandoned().for_each_overlap(g, [&](sequence_range) { is_given_up = true; });
    if (is_given_up) return "a gap is given up";
    if (can_ask) {
      for (const std::uint64_t n : {g.first, g.first + (g.last - g.first) / 2, g.last}) {
        if (t.judge(n).answer != arrival::filled) return "a missing number does not fill";
      }
    }
    sum += g.last - g.first + 1;
    before = &g;
  }
  if (sum != t.missing_count() && t.missing_count() != most) return "missing_count";
  for (const sequence_range& r : t.abandoned()) {
    if (!high || r.last > *high) return "given up above the highest";
    if (can_ask && (t.judge(r.first).answer != arrival::late || t.judge(r.last).answer != arrival::late)) {
      return "a number given up is not late";
    }
  }
  if (t.contiguous_position() > high) return "contiguous above the highest";
  if (t.expected() && high && *t.expected() != *high + 1) return "expected";
  const bytes saved = snapshot(t);
  gap_tracker again(t.options());
  if (!restore(again, saved)) return "its own snapshot is refused";
  if (snapshot(again) != saved) return "the snapshot changes";
  return {};
}

// --- the model

/// A gap tracker that keeps every number by itself: those that came, those that are missing, each with the wait that it
/// takes part in, and those that were given up. Levels of a wait: 0 is a hole that is no gap yet, k + 1 a gap that was
/// asked for k times. All numbers of a level wait equally long from when they got there; where time goes back, the
/// moments stand still. Slow, and for streams of a few thousand numbers.
class model {
 public:
  struct seen {
    arrival answer = arrival::stale;
    std::uint64_t sequence = 0;
    sequence_range hole{1, 0};
    findings displaced;
  };

  explicit model(const gap_tracker_options& options) : o_(options) {
    if (o_.expect_from) begin(*o_.expect_from);
  }

  // The congruent number that is nearest to the highest; of two equally near the higher.
  std::optional<std::uint64_t> unwrap(std::uint64_t raw) const {
    const wide circle = wide{1} << o_.bits;
    if (wide{raw} >= circle) return std::nullopt;
    if (o_.bits == 64 || !is_started_) return raw;
    const wide reference = high().value_or(first_);
    wide nearest = reference - reference % circle - circle + wide{raw};
    for (wide n = nearest; n <= nearest + 2 * circle; n += circle) {
      if (distance(n, reference) <= distance(nearest, reference)) nearest = n;
    }
    if (nearest < 0 || nearest > wide{most}) return std::nullopt;
    return static_cast<std::uint64_t>(nearest);
  }

  // What one number means that is not out of range.
  arrival classify(std::uint64_t n) const {
    if (!is_started_ || n == next_) return arrival::in_order;
    if (next_ && n > *next_) return arrival::ahead;
    if (waits_.contains(n)) return arrival::filled;
    if (given_up_.contains(n)) return arrival::late;
    return received_.contains(n) && n >= floor_ ? arrival::duplicate : arrival::stale;
  }

  // `count` numbers, as sent, in one packet; or one alone.
  seen observe(std::uint64_t raw, std::uint64_t count, timestamp now) {
    seen s;
    if (count == 0) return s;
    const std::optional<std::uint64_t> first = unwrap(raw);
    s.sequence = raw;
    const wide circle = wide{1} << o_.bits;
    const bool can_be = wide{count} <= circle && wide{raw} + count - 1 <= wide{most};
    if (!first && is_started_ && o_.max_behind && wide{raw} + count <= circle) {
      // Before number 0: how far behind?
      const wide highest = high() ? *high() : wide{first_} - 1;
      if (((highest - (wide{raw} + count - 1)) % circle + circle) % circle > wide{*o_.max_behind}) {
        s.answer = arrival::restart;
        count_of(s.answer) += count;
        s.displaced = commit_out_of_range(raw, raw + (count - 1));
        return s;
      }
    }
    if (!first || wide{count} > circle || wide{*first} + count - 1 > wide{most}) {
      count_of(arrival::stale) += can_be ? count : 1;
      return s;
    }
    const std::uint64_t last = *first + (count - 1);
    s.sequence = *first;
    if (const auto strange = out_of_range(*first, last)) {
      s.answer = *strange;
      count_of(s.answer) += count;
      s.displaced = commit_out_of_range(*first, last);
      return s;
    }
    s.answer = classify(*first);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t n = *first + i;
      const arrival a = classify(n);
      s.answer = newer_of(s.answer, a);
      ++count_of(a);
      if (!is_started_) begin(n);
      if (a == arrival::ahead) {
        s.hole = {*next_, n - 1};
        s.displaced = open(s.hole, now);
      }
      take(n);
      if (a == arrival::in_order || a == arrival::ahead) go_behind(n);
    }
    const findings displaced = give_way();
    s.displaced.insert(s.displaced.end(), displaced.begin(), displaced.end());
    remember_only_the_highest();
    return s;
  }

  sequence_range observe_high(std::uint64_t raw, timestamp now) {
    const auto n = unwrap(raw);
    if (!next_ || !n || *n < *next_ || wide{*n} - *next_ + 1 > wide{o_.max_jump}) return {1, 0};
    const sequence_range hole{*next_, *n};
    open(hole, now);
    go_behind(*n);
    return hole;
  }

  std::uint64_t skip(sequence_range range, timestamp now) {
    if (range.empty()) return 0;
    if (!is_started_) begin(range.first);
    std::uint64_t skipped = 0;
    if (next_ && range.first > *next_) open({*next_, range.first - 1}, now);
    for (std::uint64_t i = 0; i < range.size(); ++i) {
      const std::uint64_t n = range.first + i;
      if (n < first_) continue;
      skipped += waits_.contains(n) || (next_ && n >= *next_);
      if (take(n) && next_ && n >= *next_) go_behind(n);
    }
    give_way();
    remember_only_the_highest();
    skipped_ += skipped;
    return skipped;
  }

  void resume_at(std::uint64_t first) {
    for (const auto& [n, id] : waits_) found_ += groups_.at(id).level == 0;
    gone_ += waits_.size() + given_up_.size();
    begin(first);
  }

  bool forget(std::uint64_t raw, timestamp now) {
    const auto n = unwrap(raw);
    if (!n || !is_started_ || classify(*n) != arrival::duplicate || gap_count() >= o_.max_gaps) return false;
    received_.erase(*n);
    const auto above = waits_.lower_bound(*n);
    if (waits_.empty()) {
      open({*n, *n}, now);
      return true;
    }
    const std::uint64_t id = above == waits_.begin() ? above->second : std::prev(above)->second;
    join(*n, id);
    found_ += groups_.at(id).level > 0;
    return true;
  }

  // Tells what is due to told(finding), which says whether a request was sent, or throws.
  template <class F>
  void advance(timestamp now, F&& told_to) {
    find(now, told_to);
    while (!waits_.empty() && is_old(group_at(waits_.begin()), now)) {
      tell_given_up(waits_.begin()->first, abandon_reason::age, told_to);
    }
    ask(now, told_to);
  }

  // The first moment at which advance would have something to do.
  timestamp due() const {
    if (waits_.empty()) return timestamp::max();
    timestamp due = add(group_at(waits_.begin()).opened, o_.replay.give_up_after);
    for (const auto& [id, g] : groups_) {
      if (g.level == 0 || o_.replay.max_attempts > 0) due = std::min(due, g.due);
    }
    const auto hole = lowest_of(0);
    return hole && is_ripe(run_from(*hole).last) ? timestamp::min() : due;
  }

  // As after a restart with other times and requests.
  void change_timing(const gap_tracker_options& options) {
    o_ = options;
    for (auto& [id, g] : groups_) {
      if (g.level == 0) g.due = due_of(g.opened);
    }
  }

  ranges missing() const {
    ranges all;
    for (const auto& [n, id] : waits_) append(all, n);
    return all;
  }
  ranges abandoned() const {
    ranges all;
    for (const std::uint64_t n : given_up_) append(all, n);
    return all;
  }
  std::uint64_t missing_count() const { return waits_.size(); }
  std::size_t gap_count() const { return missing().size(); }
  const std::map<std::uint64_t, std::uint64_t>& waits() const { return waits_; }
  const std::set<std::uint64_t>& given_up() const { return given_up_; }
  const std::set<std::uint64_t>& received_numbers() const { return received_; }
  std::optional<std::uint64_t> next() const { return next_; }
  std::uint64_t first() const { return first_; }
  std::optional<std::uint64_t> high() const {
    if (!is_started_ || next_ == first_) return std::nullopt;
    return next_ ? *next_ - 1 : most;
  }
  std::optional<std::uint64_t> contiguous_position() const {
    if (waits_.empty()) return high();
    const std::uint64_t lowest = waits_.begin()->first;
    return lowest == first_ ? std::nullopt : std::optional(lowest - 1);
  }
  std::uint64_t count(arrival a) const { return counts_[static_cast<std::size_t>(a)]; }
  std::uint64_t found_count() const { return found_; }
  std::uint64_t recovered_count() const { return recovered_; }
  std::uint64_t skipped_count() const { return skipped_; }
  // All that was found and has not come: what found_count - recovered_count must be.
  std::uint64_t lost() const {
    std::uint64_t n = given_up_.size() + gone_;
    for (const auto& [id, g] : groups_) n += g.level > 0 ? g.numbers : 0;
    return n;
  }

 private:
  // What numbers wait for that wait together.
  struct group {
    timestamp opened;
    timestamp due;
    std::uint32_t level = 0;
    std::uint64_t numbers = 0;
  };
  using wait = std::map<std::uint64_t, std::uint64_t>::const_iterator;

  static wide distance(wide a, wide b) { return a < b ? b - a : a - b; }
  static wide ticks(timestamp t) { return t.time_since_epoch().count(); }
  static timestamp add(timestamp t, duration d) {
    return at(
        static_cast<std::int64_t>(std::clamp(ticks(t) + d.count(), ticks(timestamp::min()), ticks(timestamp::max()))));
  }
  static void append(ranges& all, std::uint64_t n) {
    if (all.empty() || n - all.back().last != 1) all.push_back({n, n});
    all.back().last = n;
  }
  // Of a packet's answers, the one that it is known by.
  static arrival newer_of(arrival a, arrival b) {
    for (const arrival kind : {arrival::ahead, arrival::in_order, arrival::filled, arrival::late, arrival::stale}) {
      if (a == kind || b == kind) return kind;
    }
    return a;
  }

  std::uint64_t& count_of(arrival a) { return counts_[static_cast<std::size_t>(a)]; }
  const group& group_at(wait w) const { return groups_.at(w->second); }

  void begin(std::uint64_t n) {
    is_started_ = true;
    first_ = floor_ = n;
    next_ = n;
    received_.clear();
    given_up_.clear();
    waits_.clear();
    groups_.clear();
    probes_ = 0;
  }
  void go_behind(std::uint64_t n) { next_ = n == most ? std::nullopt : std::optional(n + 1); }

  // A number has come, or will not. True if it need not come any more.
  bool take(std::uint64_t n) {
    if (const auto w = waits_.find(n); w != waits_.end()) {
      recovered_ += group_at(w).level > 0;
      leave(n);
    } else if (given_up_.erase(n) > 0) {
      ++recovered_;
    } else if (n < floor_) {
      return false;
    }
    received_.insert(n);
    return true;
  }
  void leave(std::uint64_t n) {
    const auto w = waits_.find(n);
    const auto g = groups_.find(w->second);
    if (--g->second.numbers == 0) groups_.erase(g);
    waits_.erase(w);
  }
  void join(std::uint64_t n, std::uint64_t id) {
    waits_[n] = id;
    ++groups_.at(id).numbers;
  }

  timestamp due_of(timestamp opened) const {
    if (o_.reorder_delay) return add(opened, *o_.reorder_delay);
    return o_.reorder_distance ? timestamp::max() : opened;
  }
  findings open(sequence_range hole, timestamp now) {
    findings displaced;
    if (gap_count() >= o_.max_gaps) displaced.push_back(give_up_lowest());
    group g{now, {}, 0, 0};
    std::uint64_t id = ++last_group_;
    if (!waits_.empty()) {
      const wait highest = std::prev(waits_.end());
      const group& before = group_at(highest);
      g.opened = std::max(now, before.opened);
      const bool is_hole = before.level == 0;
      if (is_hole && (before.opened == g.opened || groups_.size() >= o_.max_gaps)) id = highest->second;
    }
    group& joined = groups_[id];
    joined.opened = g.opened;
    joined.due = due_of(g.opened);
    for (std::uint64_t i = 0; i < hole.size(); ++i) join(hole.first + i, id);
    return displaced;
  }

  // Where more ranges are missing than there may be, the lowest goes.
  findings give_way() {
    findings displaced;
    while (gap_count() > o_.max_gaps) displaced.push_back(give_up_lowest());
    return displaced;
  }
  told give_up_lowest() {
    const group g = group_at(waits_.begin());
    const sequence_range lowest = missing().front();
    give_up(lowest);
    return {told::abandoned, lowest, g.opened, attempts(g), 0, abandon_reason::capacity};
  }
  void give_up(sequence_range range) {
    for (std::uint64_t i = 0; i < range.size(); ++i) {
      const std::uint64_t n = range.first + i;
      found_ += group_at(waits_.find(n)).level == 0;
      leave(n);
      given_up_.insert(n);
    }
    remember_only_the_highest();
  }
  void remember_only_the_highest() {
    ranges all = abandoned();
    for (std::size_t i = 0; i + o_.max_gaps < all.size(); ++i) {
      floor_ = std::max(floor_, all[i].last + 1);
      for (std::uint64_t k = 0; k < all[i].size(); ++k) gone_ += given_up_.erase(all[i].first + k);
    }
  }
  static std::uint32_t attempts(const group& g) { return g.level == 0 ? 0 : g.level - 1; }

  // --- out of range

  std::optional<arrival> out_of_range(std::uint64_t first, std::uint64_t last) const {
    if (!is_started_) return std::nullopt;
    if (next_ && last >= *next_) {
      if (first > *next_ && first - *next_ > o_.max_jump) return arrival::jump;
      return std::nullopt;
    }
    if (!o_.max_behind) return std::nullopt;
    const std::uint64_t highest = next_ ? *next_ - 1 : most;  // below the first, where nothing has come
    if (highest - last <= *o_.max_behind) return std::nullopt;
    for (std::uint64_t i = 0; i <= last - first; ++i) {
      const arrival a = classify(first + i);
      if (a != arrival::duplicate && a != arrival::stale) return std::nullopt;
    }
    return arrival::restart;
  }
  findings commit_out_of_range(std::uint64_t first, std::uint64_t last) {
    const bool continues = probes_ > 0 && probe_last_ != most && first == probe_last_ + 1;
    probes_ = continues ? probes_ + 1 : 1;
    if (!continues) probe_first_ = first;
    probe_last_ = last;
    if (o_.resynchronise_after == 0 || probes_ < o_.resynchronise_after) return {};
    findings all;
    for (auto w = waits_.begin(); w != waits_.end();) {
      const group& g = group_at(w);
      const sequence_range run = run_from(w->first);
      all.push_back({told::abandoned, run, g.opened, attempts(g), 0, abandon_reason::restart});
      w = waits_.upper_bound(run.last);
    }
    all.push_back({told::resumed, {next_.value_or(0), probe_first_}});
    const std::uint64_t from = probe_first_;
    resume_at(from);
    for (std::uint64_t i = 0; i <= last - from; ++i) received_.insert(from + i);
    go_behind(last);
    return all;
  }

  // --- time

  bool is_old(const group& g, timestamp now) const {
    return ticks(now) - ticks(g.opened) >= wide{o_.replay.give_up_after.count()};
  }
  bool is_ripe(std::uint64_t last) const {
    return o_.reorder_distance && high() && std::min(wide{last} + *o_.reorder_distance, wide{most}) <= wide{*high()};
  }
  // The numbers from this one on that lie side by side and wait together.
  sequence_range run_from(std::uint64_t n) const {
    const std::uint64_t id = waits_.at(n);
    std::uint64_t last = n;
    for (auto w = std::next(waits_.find(n)); w != waits_.end() && w->first == last + 1 && w->second == id; ++w) ++last;
    return {n, last};
  }
  std::optional<std::uint64_t> lowest_of(std::uint32_t level) const {
    for (const auto& [n, id] : waits_) {
      if (groups_.at(id).level == level) return n;
    }
    return std::nullopt;
  }

  // These numbers, the lowest of their level, get to the next one. Where there are as many groups as gaps may be, they
  // wait together with those that got there before them.
  void promote(sequence_range range, timestamp due) {
    const std::uint64_t old = waits_.at(range.first);
    group g = groups_.at(old);
    std::uint64_t id = ++last_group_;
    ++g.level;
    g.due = due;
    g.numbers = 0;
    const auto w = waits_.find(range.first);
    if (w != waits_.begin() && group_at(std::prev(w)).level == g.level) {
      const std::uint64_t before = std::prev(w)->second;
      const group& b = groups_.at(before);
      g.due = std::max(g.due, b.due);
      if ((b.opened == g.opened && b.due == g.due) || groups_.size() >= o_.max_gaps) {
        id = before;
        g = {b.opened, g.due, g.level, b.numbers};
      }
    }
    groups_[id] = g;
    for (std::uint64_t i = 0; i < range.size(); ++i) {
      leave(range.first + i);
      join(range.first + i, id);
    }
  }

  template <class F>
  void find(timestamp now, F&& told_to) {
    while (const auto n = lowest_of(0)) {
      const sequence_range gap = run_from(*n);
      const group g = groups_.at(waits_.at(*n));
      if (now < g.due && !is_old(g, now) && !is_ripe(gap.last)) return;
      told_to(told{told::found, gap, g.opened});
      found_ += gap.size();
      promote(gap, now);
    }
  }
  template <class F>
  void tell_given_up(std::uint64_t n, abandon_reason why, F&& told_to) {
    const sequence_range gap = run_from(n);
    const group g = groups_.at(waits_.at(n));
    told_to(told{told::abandoned, gap, g.opened, attempts(g), 0, why});
    give_up(gap);
  }
  template <class F>
  void ask(timestamp now, F&& told_to) {
    const recoup::replay_policy& replay = o_.replay;
    if (replay.max_attempts == 0) return;
    std::uint32_t requests = replay.max_requests;
    for (std::uint32_t level = 1;; ++level) {
      for (auto n = lowest_of(level); n && groups_.at(waits_.at(*n)).due <= now; n = lowest_of(level)) {
        if (level > replay.max_attempts) {
          tell_given_up(*n, abandon_reason::attempts, told_to);
          continue;
        }
        if (requests == 0) break;
        sequence_range part = run_from(*n);
        if (part.size() > replay.max_range) part.last = part.first + (replay.max_range - 1);
        if (!told_to(told{told::request, part, {}, level, replay.max_attempts})) {
          requests = 0;
          break;
        }
        --requests;
        promote(part, add(now, replay.wait_after(level)));
      }
      if (std::none_of(groups_.begin(), groups_.end(), [&](const auto& g) { return g.second.level > level; })) return;
    }
  }

  gap_tracker_options o_;
  bool is_started_ = false;
  std::uint64_t first_ = 0;
  std::optional<std::uint64_t> next_;  // nothing before the first, and after 2^64 - 1
  std::uint64_t floor_ = 0;            // below it, it is not known any more what was received
  std::set<std::uint64_t> received_;
  std::set<std::uint64_t> given_up_;
  std::map<std::uint64_t, std::uint64_t> waits_;  // by missing number: its group
  std::map<std::uint64_t, group> groups_;
  std::uint64_t last_group_ = 0;
  std::uint32_t probes_ = 0;
  std::uint64_t probe_first_ = 0;
  std::uint64_t probe_last_ = 0;
  std::array<std::uint64_t, recoup::arrival_kinds> counts_{};
  std::uint64_t found_ = 0;
  std::uint64_t recovered_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t gone_ = 0;  // lost, and forgotten
};

}  // namespace gap_model
