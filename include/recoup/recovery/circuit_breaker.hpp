// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/recovery/backoff.hpp"

namespace recoup {

struct circuit_breaker_options {
  std::uint32_t failure_percent = 50;      ///< opens when this share of recent calls has failed, up to 100; 0: never
  std::uint32_t least_calls = 10;          ///< with fewer recent calls than this their share says nothing
  std::uint32_t consecutive_failures = 0;  ///< opens after so many in a row as well; 0: does not
  duration half_life = std::chrono::seconds(10);     ///< each time it has passed, recent calls count for half as much
  backoff_options open = {.jitter = jitter::equal};  ///< how long it is open: the first time, the second in a row, ...
  std::uint32_t probes = 1;                          ///< calls at once while it is half open
  std::uint32_t successes_to_close = 1;              ///< of those, in a row
  duration probe_timeout = std::chrono::minutes(1);  ///< after it a probe without answer lets others through
};

enum class breaker_state : std::uint8_t {
  closed,     ///< calls are permitted and counted
  open,       ///< none are, until it has been open long enough
  half_open,  ///< a few are, to see how they end: one that fails opens it again, for longer
};

[[nodiscard]] constexpr std::string_view name_of(breaker_state s) {
  return s == breaker_state::closed ? "closed" : s == breaker_state::open ? "open" : "half open";
}

/// Stops calls to a target that fails, and finds out by a few calls when it is back (Nygard, "Release It!", 2007,
/// chapter 5.2).
///
///     if (!breaker.permits(now)) return later(breaker.permitted_from());
///     const auto permit = breaker.begin(now);
///     call() ? breaker.succeeded(permit, now) : breaker.failed(permit, now);
///
/// A permit belongs to the state in which it was given: how a call ends that began before the state changed says
/// nothing of what is now, and is not counted. Recent calls are counted in integers that are halved every half_life, so
/// that all machines agree. O(1), no allocation. Time is only compared: one that goes back keeps it open longer, never
/// shorter.
class circuit_breaker {
 public:
  using permit = std::uint32_t;

  circuit_breaker() : circuit_breaker(circuit_breaker_options()) {}
  explicit circuit_breaker(const circuit_breaker_options& options) : options_(checked(options)) {}

  /// From when on a call is permitted: timestamp::min() if at once.
  [[nodiscard]] timestamp permitted_from() const noexcept {
    const bool at_once =
        state_ == breaker_state::closed || (state_ == breaker_state::half_open && probing_ < options_.probes);
    return at_once ? timestamp::min() : until_;
  }
  [[nodiscard]] bool permits(timestamp now) const noexcept { return now >= permitted_from(); }

  /// A call begins, permitted or not. One that is not permitted has a permit that is not counted.
  [[nodiscard]] permit begin(timestamp now) noexcept {
    if (!permits(now)) return round_ - 1;
    if (state_ == breaker_state::closed) return round_;
    if (state_ == breaker_state::open || probing_ >= options_.probes) {
      enter(breaker_state::half_open);  // anew where no probe was answered in time
      until_ = timestamp::min();
    }
    ++probing_;
    until_ = std::max(until_, saturating_add(now, options_.probe_timeout));
    return round_;
  }

  /// How a call ended; it is counted, and true, if its permit is of the state that still is.
  bool succeeded(permit p, timestamp now) noexcept {
    if (p != round_ || state_ == breaker_state::open) return false;
    if (state_ == breaker_state::half_open) {
      end_probe();
      if (++in_a_row_ >= options_.successes_to_close) {
        trips_ = 0;
        enter(breaker_state::closed);
      }
      return true;
    }
    count(now, 0);
    in_a_row_ = 0;
    return true;
  }
  bool failed(permit p, timestamp now) noexcept {
    if (p != round_ || state_ == breaker_state::open) return false;
    if (state_ == breaker_state::closed) {
      count(now, one);
      if (in_a_row_ != ~std::uint32_t{0}) ++in_a_row_;
      if (!is_too_much()) return true;
    }
    trip(now);
    return true;
  }
  /// It ended in a way that says nothing of the target.
  void cancelled(permit p) noexcept {
    if (p == round_ && state_ == breaker_state::half_open) end_probe();
  }

  /// Opens or closes it by hand.
  void trip(timestamp now) noexcept {
    if (trips_ != ~std::uint32_t{0}) ++trips_;
    enter(breaker_state::open);
    until_ = saturating_add(now, backoff(options_.open, trips_, 0));
  }
  void reset() noexcept {
    trips_ = 0;
    enter(breaker_state::closed);
  }

  /// Half open only once a probe has begun.
  [[nodiscard]] breaker_state state() const noexcept { return state_; }
  /// How often in a row it opened without closing in between.
  [[nodiscard]] std::uint32_t trips() const noexcept { return trips_; }
  [[nodiscard]] const circuit_breaker_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const auto& o = options_;
    return detail::combine({o.failure_percent, o.least_calls, o.consecutive_failures, detail::option(o.half_life),
                            detail::configuration_of(o.open), o.probes, o.successes_to_close,
                            detail::option(o.probe_timeout)});
  }
  [[nodiscard]] circuit_breaker empty_copy() const { return circuit_breaker(options_); }
  void save(snapshot_writer& w) const {
    w.value(state_);
    for (const std::uint32_t n : {round_, trips_, in_a_row_, probing_}) w.u32(n);
    w.u64(calls_);
    w.u64(failures_);
    w.time(counted_since_);
    w.time(until_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if (!r.value(state_) || state_ > breaker_state::half_open) return false;
    for (std::uint32_t* n : {&round_, &trips_, &in_a_row_, &probing_}) *n = r.u32();
    calls_ = r.u64();
    failures_ = r.u64();
    counted_since_ = r.time();
    until_ = r.time();
    return r.ok() && failures_ <= calls_ && calls_ <= most_calls &&
           (state_ == breaker_state::half_open || probing_ == 0);
  }

 private:
  static constexpr std::uint64_t one = 1 << 16;  // calls are counted in parts of this size
  static constexpr std::uint64_t most_calls = std::uint64_t{1} << 56;

  static circuit_breaker_options checked(circuit_breaker_options o) {
    detail::require_option(o.failure_percent <= 100, "circuit_breaker_options.failure_percent must be 0 to 100");
    detail::require_option(o.least_calls >= 1, "circuit_breaker_options.least_calls must be at least 1");
    detail::require_option(o.half_life > duration::zero(),
                           "circuit_breaker_options.half_life must be longer than zero");
    detail::require_option(o.probes >= 1, "circuit_breaker_options.probes must be at least 1");
    detail::require_option(o.successes_to_close >= 1, "circuit_breaker_options.successes_to_close must be at least 1");
    detail::require_option(o.probe_timeout > duration::zero(),
                           "circuit_breaker_options.probe_timeout must be longer than zero");
    o.open = detail::checked(o.open);
    return o;
  }

  void enter(breaker_state s) noexcept {
    state_ = s;
    ++round_;
    in_a_row_ = probing_ = 0;
    calls_ = failures_ = 0;
  }
  void end_probe() noexcept {
    if (probing_ > 0) --probing_;
  }

  void count(timestamp now, std::uint64_t failures) noexcept {
    const duration passed = elapsed(counted_since_, now);
    if (calls_ == 0 || passed < duration::zero()) {
      counted_since_ = now;
    } else if (passed >= options_.half_life) {
      const auto halvings = passed / options_.half_life;
      calls_ = halvings < 64 ? calls_ >> halvings : 0;
      failures_ = halvings < 64 ? failures_ >> halvings : 0;
      counted_since_ = calls_ == 0 ? now : saturating_add(counted_since_, options_.half_life * halvings);
    }
    if (calls_ + one > most_calls) return;
    calls_ += one;
    failures_ += failures;
  }
  bool is_too_much() const noexcept {
    if (options_.consecutive_failures != 0 && in_a_row_ >= options_.consecutive_failures) return true;
    return options_.failure_percent != 0 && calls_ >= options_.least_calls * one &&
           failures_ * 100 >= calls_ * options_.failure_percent;
  }

  circuit_breaker_options options_;
  std::uint64_t calls_ = 0;
  std::uint64_t failures_ = 0;
  timestamp counted_since_{};
  timestamp until_ = timestamp::min();  // of open: its end; of half open: when probes have waited too long
  permit round_ = 0;                    // of the state
  std::uint32_t trips_ = 0;
  std::uint32_t in_a_row_ = 0;  // closed: failures; half open: successes
  std::uint32_t probing_ = 0;
  breaker_state state_ = breaker_state::closed;
};

}  // namespace recoup
