// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "recoup/recovery/circuit_breaker.hpp"
#include "recoup/recovery/findings.hpp"
#include "recoup/recovery/rate_limiter.hpp"
#include "recoup/recovery/recovery_queue_options.hpp"
#include "recoup/recovery/retry_policy.hpp"

// A recovery queue as a vector that is looked through from end to end. Its parts that are tested by themselves
// (breaker, limiter, decide) are the library's.
namespace recovery_model {

using recoup::duration;
using recoup::saturating_add;
using recoup::timestamp;

struct told {
  std::string what;
  std::uint64_t number;
  std::uint32_t attempt;
  std::string item;
  int detail;
  bool operator==(const told&) const = default;
};

struct work {
  std::uint64_t number;
  std::uint32_t attempt;
  std::string item;
  std::uint32_t target;
  bool is_final;
  bool is_hedge;
  timestamp until;
  bool operator==(const work&) const = default;
};

class queue {
 public:
  struct lease {
    std::uint32_t number;
    std::uint32_t target;
    timestamp until;
    timestamp hedge_at;
    std::uint32_t permit;
  };
  struct item {
    std::uint64_t number;
    std::string value;
    unsigned urgency;
    std::uint32_t target;
    std::optional<std::uint64_t> key;
    timestamp pushed;
    std::uint32_t attempts = 0;
    bool away = false;
    bool was_final = false;
    bool waits = false;
    timestamp due{};
    std::uint64_t failure = 0;  // the how manieth it was
    bool hedging = false;
    std::vector<lease> out{};
  };
  struct target {
    recoup::rate_limiter rate;
    recoup::circuit_breaker breaker;
    timestamp left_alone_until = timestamp::min();
    bool paused = false;
    bool down(timestamp now) const { return paused || now < left_alone_until || !breaker.permits(now); }
    bool admits(timestamp now) const { return !down(now) && rate.permits(now); }
  };

  explicit queue(recoup::recovery_queue_options o) : o_(std::move(o)) {
    for (const auto& t : o_.targets)
      targets.push_back({recoup::rate_limiter(t.rate), recoup::circuit_breaker(t.breaker)});
  }

  std::uint64_t push(const std::string& value, const recoup::push_options& p, timestamp now) {
    ++pushed;
    const std::uint64_t number = next_++;
    item added{number, value, std::min<unsigned>(p.urgency, 7), p.target, o_.ordered_keys ? p.key : std::nullopt, now};
    if (p.target >= targets.size()) {
      findings.push_back({"shed", number, 0, value, 1});
      ++ended;
      return 0;
    }
    if (items.size() == o_.capacity) {
      const item* last = &added;
      for (const item& i : items) {
        if (i.out.empty() && i.urgency > added.urgency && (last == &added || is_shed_before(i, *last))) last = &i;
      }
      findings.push_back({"shed", last->number, last->attempts, last->value, 0});
      ++ended;
      if (last == &added) return 0;
      std::erase_if(items, [n = last->number](const item& i) { return i.number == n; });
    }
    items.push_back(added);
    return number;
  }

  std::optional<work> next(timestamp now) {
    if (paused || leased() == o_.max_leases) return std::nullopt;
    item* best = nullptr;
    std::uint32_t to = 0;
    for (item& i : items) {
      const auto where = i.waits || (!i.out.empty() && !i.hedging) || is_blocked(i) ? std::nullopt : choose(i, now);
      if (where && (best == nullptr || before(i, *best))) {
        best = &i;
        to = *where;
      }
    }
    if (best == nullptr) return std::nullopt;
    item& i = *best;
    const bool hedge = std::exchange(i.hedging, false);
    ++i.attempts;
    const bool final = i.attempts >= o_.retry.max_attempts || recoup::elapsed(i.pushed, now) >= o_.retry.give_up_after;
    i.was_final = i.was_final || final;
    const timestamp until = saturating_add(now, o_.lease);
    const bool may_hedge = !hedge && !final && to == i.target && o_.targets[to].fallback && o_.hedge_after < o_.lease;
    targets[to].rate.begin(now);
    i.out.push_back({i.attempts, to, until, may_hedge ? saturating_add(now, o_.hedge_after) : timestamp::max(),
                     targets[to].breaker.begin(now)});
    return work{i.number, i.attempts, i.value, to, final, hedge, until};
  }

  recoup::report_answer succeeded(std::uint64_t number, std::uint32_t attempt, timestamp now) {
    item* const i = find(number);
    if (i == nullptr || attempt == 0 || attempt > i->attempts) return recoup::report_answer::stale;
    bool mine = false;
    for (const auto& a : i->out) {
      if (a.number == attempt) {
        mine = true;
        targets[a.target].breaker.succeeded(a.permit, now);
      } else {
        supersede(*i, a);
      }
    }
    end(number);
    return mine ? recoup::report_answer::taken : recoup::report_answer::late;
  }

  recoup::report_answer failed(std::uint64_t number, std::uint32_t attempt, recoup::failure why, timestamp now) {
    item* const i = find(number);
    if (i == nullptr || !is_out(*i, attempt)) return recoup::report_answer::stale;
    end_attempt(*i, attempt, why, now);
    return recoup::report_answer::taken;
  }

  recoup::report_answer extend(std::uint64_t number, std::uint32_t attempt, timestamp now) {
    item* const i = find(number);
    if (i == nullptr || !is_out(*i, attempt)) return recoup::report_answer::stale;
    for (auto& a : i->out) {
      if (a.number == attempt) a.until = std::max(a.until, saturating_add(now, o_.lease));
    }
    return recoup::report_answer::taken;
  }

  bool cancel(std::uint64_t number) {
    item* const i = find(number);
    if (i == nullptr) return false;
    for (const auto& a : i->out) supersede(*i, a);
    end(number);
    return true;
  }

  void advance(timestamp now) {
    for (;;) {  // what is due first, of the same time the oldest
      item* first = nullptr;
      std::size_t which = 0;
      for (item& i : items) {
        for (std::size_t k = 0; k < i.out.size(); ++k) {
          const timestamp due = std::min(i.out[k].until, i.out[k].hedge_at);
          const bool sooner =
              first == nullptr || due < std::min(first->out[which].until, first->out[which].hedge_at) ||
              (due == std::min(first->out[which].until, first->out[which].hedge_at) &&
               (i.number < first->number || (i.number == first->number && i.out[k].number < first->out[which].number)));
          if (due <= now && sooner) {
            first = &i;
            which = k;
          }
        }
      }
      if (first == nullptr) break;
      if (first->out[which].until <= now) {
        end_attempt(*first, first->out[which].number, {recoup::failure_kind::timed_out}, now);
      } else {
        first->out[which].hedge_at = timestamp::max();
        first->hedging = true;
      }
    }
    for (item& i : items) {
      if (i.waits && i.due <= now) i.waits = false;
    }
  }

  std::size_t leased() const {
    std::size_t n = 0;
    for (const item& i : items) n += i.out.size();
    return n;
  }
  const item* look(std::uint64_t number) const {
    const auto at = std::find_if(items.begin(), items.end(), [&](const item& i) { return i.number == number; });
    return at == items.end() ? nullptr : &*at;
  }

  std::vector<item> items;
  std::vector<target> targets;
  std::vector<told> findings;
  bool paused = false;
  std::uint64_t pushed = 0;
  std::uint64_t ended = 0;

 private:
  static bool before(const item& a, const item& b) {
    return std::pair(a.urgency, a.number) < std::pair(b.urgency, b.number);
  }
  static bool is_shed_before(const item& a, const item& b) {
    return std::tuple(a.urgency, a.waits, a.waits ? a.failure : a.number) >
           std::tuple(b.urgency, b.waits, b.waits ? b.failure : b.number);
  }
  static bool is_out(const item& i, std::uint32_t attempt) {
    return std::any_of(i.out.begin(), i.out.end(), [&](const auto& a) { return a.number == attempt; });
  }
  bool is_blocked(const item& i) const {
    return i.key && std::any_of(items.begin(), items.end(),
                                [&](const item& o) { return o.key == i.key && o.number < i.number; });
  }
  std::optional<std::uint32_t> choose(const item& i, timestamp now) const {
    const auto fallback = o_.targets[i.target].fallback;
    if (i.hedging) return targets[*fallback].admits(now) ? fallback : std::nullopt;
    const std::uint32_t preferred = i.away ? *fallback : i.target;
    const auto other = i.away ? std::optional(i.target) : fallback;
    if (targets[preferred].admits(now)) return preferred;
    if (other && targets[preferred].down(now) && targets[*other].admits(now)) return other;
    return std::nullopt;
  }
  item* find(std::uint64_t number) { return const_cast<item*>(look(number)); }
  void end(std::uint64_t number) {
    std::erase_if(items, [&](const item& i) { return i.number == number; });
    ++ended;
  }
  void supersede(const item& i, const lease& a) {
    findings.push_back({"superseded", i.number, a.number, i.value, static_cast<int>(a.target)});
    targets[a.target].breaker.cancelled(a.permit);
  }
  void end_attempt(item& i, std::uint32_t number, recoup::failure why, timestamp now) {
    const auto at = std::find_if(i.out.begin(), i.out.end(), [&](const auto& a) { return a.number == number; });
    const lease a = *at;
    const bool is_last = i.out.size() == 1;
    const bool at_fallback = a.target != i.target;
    const auto fallback = o_.targets[i.target].fallback;
    const bool other_is_up = fallback && !targets[at_fallback ? i.target : *fallback].down(now);
    const recoup::decision d =
        recoup::decide({i.number, i.attempts, i.was_final, why, i.pushed, now, at_fallback, other_is_up}, o_.retry);
    target& t = targets[a.target];
    if (why.kind == recoup::failure_kind::permanent) {
      t.breaker.succeeded(a.permit, now);
    } else {
      t.breaker.failed(a.permit, now);
    }
    if (why.retry_after > duration::zero())
      t.left_alone_until = std::max(t.left_alone_until, saturating_add(now, why.retry_after));
    i.out.erase(at);
    if (!is_last) return;
    i.hedging = false;
    if (d.step == recoup::next_step::give_up) {
      findings.push_back({"given up", i.number, a.number, i.value, static_cast<int>(d.reason)});
      end(i.number);
      return;
    }
    if (d.step == recoup::next_step::fail_over) i.away = !at_fallback;
    i.waits = d.at > now;
    i.due = d.at;
    i.failure = ++failures_;
  }

  recoup::recovery_queue_options o_;
  std::uint64_t next_ = 1;
  std::uint64_t failures_ = 0;
};

}  // namespace recovery_model
