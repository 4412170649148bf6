// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recovery_queue_model.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/recovery/recovery_queue.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::duration;
using recoup::failure_kind;
using recoup::recovery_id;
using recoup::recovery_queue_options;
using recoup::timestamp;
using recovery_model::told;
using queue = recoup::recovery_queue<std::string>;

// Writes findings down as the model does; throws instead, now and then, if asked to.
struct recorder {
  std::vector<told>& findings;
  std::mt19937_64& random;
  bool may_throw = false;

  void note(told t) {
    if (may_throw && random() % 4 == 0) throw std::runtime_error("the sink is down");
    findings.push_back(std::move(t));
  }
  void operator()(const recoup::recovery_shed<std::string>& s) {
    note({"shed", s.id.number, s.id.attempt, s.item, static_cast<int>(s.reason)});
  }
  void operator()(const recoup::recovery_given_up<std::string>& g) {
    note({"given up", g.id.number, g.id.attempt, g.item, static_cast<int>(g.reason)});
  }
  void operator()(const recoup::attempt_superseded<std::string>& s) {
    note({"superseded", s.id.number, s.id.attempt, s.item, static_cast<int>(s.target)});
  }
};

recovery_queue_options any_options(std::mt19937_64& random) {
  const auto roll = [&](std::uint64_t n) { return random() % n; };
  const auto span = [&](std::int64_t most) {
    return duration(1 + static_cast<std::int64_t>(random()) % most / 2 + most / 2);
  };
  recovery_queue_options o;
  o.capacity = 1 + roll(roll(2) == 0 ? 6 : 60);
  o.max_leases = 1 + roll(roll(3) == 0 ? 3 : 30);
  o.lease = span(roll(2) == 0 ? 60 : 400);
  if (roll(2) == 0) o.hedge_after = span(20);
  o.retry.max_attempts = static_cast<std::uint16_t>(1 + roll(6));
  if (roll(3) == 0) o.retry.give_up_after = span(400);
  o.retry.attempts_a_target = static_cast<std::uint16_t>(roll(4));
  o.retry.backoff = {span(20), 100ns, static_cast<recoup::jitter>(roll(4)), random()};
  o.ordered_keys = roll(4) != 0;
  o.targets.resize(1 + roll(3));
  for (std::size_t t = 0; t < o.targets.size(); ++t) {
    auto& target = o.targets[t];
    if (o.targets.size() > 1 && roll(3) != 0)
      target.fallback = static_cast<std::uint32_t>((t + 1 + roll(o.targets.size() - 1)) % o.targets.size());
    if (roll(3) == 0)
      target.rate = {static_cast<std::uint32_t>(1 + roll(5)), 10ns, static_cast<std::uint32_t>(1 + roll(3))};
    target.breaker.least_calls = static_cast<std::uint32_t>(2 + roll(5));
    target.breaker.consecutive_failures = static_cast<std::uint32_t>(roll(4));
    target.breaker.half_life = span(100);
    target.breaker.open = {span(30), 200ns, recoup::jitter::equal, random()};
    target.breaker.probe_timeout = span(100);
  }
  return o;
}

class run {
 public:
  explicit run(std::uint64_t seed)
      : random_(seed), options_(any_options(random_)), queue_(options_), model_(options_) {}

  void go(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      REQUIRE(queue_.size() == model_.items.size());
      REQUIRE(queue_.leased() == model_.leased());
      const auto& c = queue_.counters();
      REQUIRE(c.pushed == c.succeeded + c.given_up + c.shed + c.cancelled + queue_.size());
      REQUIRE(c.pushed == model_.pushed);
    }
  }
  void drain() {
    // With time enough, and whatever happens to attempts, all ends, and the model says how.
    queue_.resume();
    model_.paused = false;
    for (std::uint32_t t = 0; t < options_.targets.size(); ++t) {
      queue_.resume(t);
      model_.targets[t].paused = false;
    }
    clock_ = std::max(clock_, std::int64_t{1});
    for (int i = 0; i < 5'000 && queue_.size() > 0; ++i) {
      clock_ += 5 + static_cast<std::int64_t>(roll(60));
      advance(at(clock_));
      while (take(at(clock_))) {
        if (random_() % 3 != 0) report(at(clock_), ids_.back());
      }
    }
    REQUIRE(queue_.size() == 0);
    REQUIRE(queue_.leased() == 0);
    REQUIRE(queue_.next_due(at(clock_)) == timestamp::max());
  }

  const queue::counts& counters() const { return queue_.counters(); }

 private:
  static timestamp at(std::int64_t ns) { return timestamp(duration(ns)); }
  std::uint64_t roll(std::uint64_t n) { return random_() % n; }

  timestamp any_time() {
    advanced_at_.reset();
    clock_ += static_cast<std::int64_t>(roll(12));
    if (roll(40) == 0) return at(clock_ - static_cast<std::int64_t>(roll(60)));
    return at(clock_);
  }

  // The same twice where a listener throws: nothing may have changed.
  template <class Call>
  auto call(Call&& call) {
    for (;;) {
      recorder listener{findings_, random_, roll(3) == 0};
      try {
        return call(listener);
      } catch (const std::runtime_error&) {
        // Again.
      }
    }
  }

  void check_findings(std::size_t model_before, std::size_t before) {
    // What was told before a listener threw is told again.
    std::vector<told> mine(findings_.begin() + static_cast<std::ptrdiff_t>(before), findings_.end());
    const std::vector<told> expected(model_.findings.begin() + static_cast<std::ptrdiff_t>(model_before),
                                     model_.findings.end());
    std::vector<told> once;
    for (const told& t : mine) {
      if (std::find(once.begin(), once.end(), t) == once.end()) once.push_back(t);
    }
    const auto sorted = [](std::vector<told> all) {
      std::sort(all.begin(), all.end(), [](const told& a, const told& b) {
        return std::tuple(a.what, a.number, a.attempt) < std::tuple(b.what, b.number, b.attempt);
      });
      return all;
    };
    REQUIRE((sorted(once) == sorted(expected)));
  }

  void advance(timestamp now) {
    const auto before = findings_.size();
    const auto model_before = model_.findings.size();
    call([&](auto& listener) { queue_.advance(now, listener); });
    advanced_at_ = now;
    model_.advance(now);
    check_findings(model_before, before);
  }

  bool take(timestamp now) {
    const timestamp due = queue_.next_due(now);
    const auto work = queue_.next(now);
    const auto expected = model_.next(now);
    REQUIRE(work.has_value() == expected.has_value());
    if (!work) {
      REQUIRE((advanced_at_ != now || queue_.next_due(now) > now));  // nothing to do is told as such
      return false;
    }
    REQUIRE(due <= now);
    REQUIRE((recovery_model::work{work->id.number, work->id.attempt, *work->item, work->target, work->is_final,
                                  work->is_hedge, work->lease_until} == *expected));
    ids_.push_back(work->id);
    return true;
  }

  void report(timestamp now, recovery_id id) {
    const auto before = findings_.size();
    const auto model_before = model_.findings.size();
    if (roll(2) == 0) {
      const auto answer = call([&](auto& listener) { return queue_.succeeded(id, now, listener); });
      REQUIRE(answer == model_.succeeded(id.number, id.attempt, now));
    } else {
      recoup::failure why{static_cast<failure_kind>(roll(4)), duration::zero()};
      if (why.kind == failure_kind::overloaded) why.retry_after = duration(static_cast<std::int64_t>(roll(40)) - 5);
      const auto answer = call([&](auto& listener) { return queue_.failed(id, why, now, listener); });
      REQUIRE(answer == model_.failed(id.number, id.attempt, why, now));
    }
    check_findings(model_before, before);
  }

  void push(timestamp now) {
    recoup::push_options o;
    o.urgency = static_cast<std::uint8_t>(roll(3) == 0 ? roll(256) : roll(4));
    o.target = static_cast<std::uint32_t>(roll(20) == 0 ? roll(100) : roll(options_.targets.size()));
    if (roll(2) == 0) o.key = roll(4);
    const std::string value = "item number " + std::to_string(++pushes_) + ", long enough for the heap";
    const auto before = findings_.size();
    const auto model_before = model_.findings.size();
    const auto id = call([&](auto& listener) { return queue_.push(value, o, now, listener); });
    const std::uint64_t number = model_.push(value, o, now);
    REQUIRE(id.has_value() == (number != 0));
    if (id) {
      REQUIRE(id->number == number);
      REQUIRE(id->attempt == 0);
      REQUIRE(*queue_.find_item(*id) == value);
      ids_.push_back(*id);
    }
    check_findings(model_before, before);
  }

  recovery_id any_id() {
    if (ids_.empty()) return {random_(), static_cast<std::uint32_t>(random_()), 1};
    recovery_id id =
        roll(2) == 0 ? ids_[ids_.size() - 1 - roll(std::min<std::size_t>(8, ids_.size()))] : ids_[roll(ids_.size())];
    if (roll(10) == 0) id.attempt = static_cast<std::uint32_t>(roll(5));
    if (roll(30) == 0) id.number ^= 1;
    if (roll(30) == 0) id.place = static_cast<std::uint32_t>(random_());
    return id;
  }
  // What the model knows it by: nothing if its place is not where the item is.
  std::uint64_t known(recovery_id id) const {
    const auto any =
        std::find_if(ids_.begin(), ids_.end(), [&](const recovery_id& i) { return i.number == id.number; });
    return any != ids_.end() && any->place == id.place ? id.number : 0;
  }

  void step() {
    const timestamp now = any_time();
    const auto choice = roll(100);
    if (choice < 30) return push(now);
    if (choice < 55) {
      take(now);
      return;
    }
    if (choice < 80) {
      recovery_id id = any_id();
      if (known(id) == 0) id.number = 0;
      return report(now, id);
    }
    if (choice < 90) return advance(now);
    if (choice < 92) {
      const recovery_id id = any_id();
      const auto answer = queue_.extend(id, now);
      REQUIRE(answer == model_.extend(known(id), id.attempt, now));
    } else if (choice < 94) {
      const recovery_id id = any_id();
      const auto before = findings_.size();
      const auto model_before = model_.findings.size();
      const bool cancelled = call([&](auto& listener) { return queue_.cancel(id, listener); });
      REQUIRE(cancelled == model_.cancel(known(id)));
      check_findings(model_before, before);
    } else if (choice < 96) {
      const auto target = static_cast<std::uint32_t>(roll(options_.targets.size() + 1));
      const bool pause = roll(3) == 0;
      pause ? queue_.pause(target) : queue_.resume(target);
      if (target < options_.targets.size()) model_.targets[target].paused = pause;
    } else if (choice < 98) {
      model_.paused = roll(3) == 0;
      model_.paused ? queue_.pause() : queue_.resume();
    } else if (choice < 99) {
      const auto bytes = recoup::snapshot(queue_);
      queue restored(options_);
      REQUIRE(recoup::restore(restored, bytes).status == recoup::snapshot_status::ok);
      REQUIRE((recoup::snapshot(restored) == bytes));
      queue_ = std::move(restored);
    } else {
      queue copy = queue_;
      queue_ = std::move(copy);
    }
  }

  std::mt19937_64 random_;
  recovery_queue_options options_;
  queue queue_;
  recovery_model::queue model_;
  std::vector<recovery_id> ids_;
  std::vector<told> findings_;
  std::uint64_t pushes_ = 0;
  std::int64_t clock_ = 1'000;
  std::optional<timestamp> advanced_at_;  // if time has not passed since
};

void add_up(queue::counts& sum, const queue::counts& c) {
  sum.succeeded += c.succeeded;
  sum.given_up += c.given_up;
  sum.shed += c.shed;
  sum.cancelled += c.cancelled;
  sum.attempts += c.attempts;
  sum.timed_out += c.timed_out;
  sum.hedges += c.hedges;
  sum.at_fallback += c.at_fallback;
  sum.superseded += c.superseded;
  sum.late += c.late;
  sum.stale += c.stale;
}

TEST_CASE("a recovery queue does what a vector looked through from end to end does") {
  const std::uint64_t runs = 150 * test_scale();
  queue::counts sum;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    INFO("seed " << seed);
    run r(seed);
    r.go(600);
    r.drain();
    add_up(sum, r.counters());
  }
  // All of it has been tried.
  for (const std::uint64_t n : {sum.succeeded, sum.given_up, sum.shed, sum.cancelled, sum.timed_out, sum.hedges,
                                sum.at_fallback, sum.superseded, sum.late, sum.stale}) {
    CHECK(n > runs / 2);
  }
}

}  // namespace
