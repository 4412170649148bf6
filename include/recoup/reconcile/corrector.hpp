// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/deadline_queue.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// What a correction is known by, whatever is redelivered: the same for the same key, rule and corrected value.
template <fingerprintable Key, fingerprintable Value>
[[nodiscard]] std::uint64_t correction_id(const Key& key, std::string_view rule, const Value& corrected,
                                          std::uint64_t seed = 0) {
  return fingerprint(std::tuple(fingerprint(key, seed), rule, fingerprint(corrected, ~seed)), seed);
}

/// How far a correction moves a value.
struct value_change {
  double corrected;
  double trend;  ///< what is expected of it: a detector's `expected`; where none knows yet, the value before

  /// Whether it moves by more than this part of the trend: 3 is 300 %. Also where either is NaN or infinite, and
  /// wherever it leaves a trend of 0.
  [[nodiscard]] bool exceeds(double limit) const noexcept {
    return !std::isfinite(corrected) || !std::isfinite(trend) ||
           !(std::fabs(corrected / 2 - trend / 2) <= limit * std::fabs(trend / 2));
  }
};

struct corrector_options {
  std::size_t open = 4'096;                     ///< corrections proposed or held at once, with their events
  std::size_t remembered = 65'536;              ///< ids remembered that were applied or rejected
  duration timeout = std::chrono::seconds(30);  ///< after which an outcome that nobody reported is asked for again
  std::uint32_t max_attempts = 5;               ///< how often a correction is handed out before a person is told
  double limit = 3;                             ///< a value that moves by more than this part of its trend is held
};

/// What has become of a correction.
enum class correction_state : std::uint8_t {
  proposed,  ///< handed out; nobody has said yet whether it took effect
  held,      ///< a person is to release or reject it
  unknown,   ///< handed out as often as allowed, without an outcome: confirm it or roll it back
  applied,   ///< it took effect, as was reported
  rejected,  ///< a person did not want it
  no_room,   ///< as many are open as can be: it was not taken, and the event is still wrong
};
[[nodiscard]] constexpr std::string_view name_of(correction_state s) {
  constexpr std::array<std::string_view, 6> names{"proposed", "held", "unknown", "applied", "rejected", "no_room"};
  return names[static_cast<std::size_t>(s)];
}

/// Apply this correction, by its id, so that twice is as once; then report `confirm` or `roll_back`.
template <class Event>
struct correction_proposed {
  std::uint64_t id;
  const Event& original;
  const Event& corrected;
  std::uint32_t attempt;  ///< from 1; above that, nobody has said what became of the attempt before: it may have worked
};

/// This correction moves a value so far that a person should look at it: then `release` or `reject`.
template <class Event>
struct correction_held {
  std::uint64_t id;
  const Event& original;
  const Event& corrected;
  value_change change;
};

/// Nobody has said what became of this correction in all its attempts. It stays open until it is confirmed or rolled
/// back.
template <class Event>
struct correction_unresolved {
  std::uint64_t id;
  const Event& original;
  const Event& corrected;
  std::uint32_t attempts;
};

/// Sees to it that each correction is proposed once and takes effect once, whatever is redelivered, and that the
/// original is kept until somebody has said that the correction took effect.
///
/// A correction is known by its id (correction_id). What a call tells, it tells before anything changes: a listener
/// that throws undoes the call. It takes correction_proposed, correction_held and correction_unresolved.
///
/// Invariant: proposed for the first time = applied + rejected + rolled back + open, at every moment. The order of what
/// `advance` tells depends on nothing but the calls, also after a snapshot. Of the ids that were settled, one that has
/// not come again lately is forgotten first (CLOCK, second chance); an open one never is.
///
/// Cost: O(log open) a call. Bytes: bytes_for, taken at construction, and what copying an Event allocates.
template <class Event>
class corrector {
 public:
  static_assert(std::is_copy_constructible_v<Event>, "recoup: a corrector keeps copies of its events");

  corrector() : corrector(corrector_options()) {}
  explicit corrector(const corrector_options& options)
      : options_(checked(options)),
        open_({.capacity = options.open}, {}),
        settled_({.capacity = options.remembered}, {}) {
    deadlines_.reserve(options.open);
  }

  [[nodiscard]] static constexpr std::size_t bytes_for(const corrector_options& o) noexcept {
    return keyed<std::uint64_t, entry>::bytes_for(o.open) + keyed<std::uint64_t, outcome>::bytes_for(o.remembered) +
           o.open * detail::deadline_queue::bytes_per_id;
  }

  /// Proposes a correction, unless it is known. Answers where it stands then: proposed or held also where it was that
  /// before, and nothing is told again.
  template <class Told>
  correction_state propose(std::uint64_t id, const Event& original, const Event& corrected, timestamp now,
                           Told&& told) {
    return propose(id, original, corrected, std::nullopt, now, told);
  }
  /// The same, but held where the value moves too far.
  template <class Told>
  correction_state propose(std::uint64_t id, const Event& original, const Event& corrected,
                           const std::optional<value_change>& change, timestamp now, Told&& told) {
    if (const entry* const known = open_.find(id)) return known->state;
    const auto settled = settled_.locate(id);
    if (settled.found()) return settled_.use_found(settled, now).state;
    if (open_.size() == options_.open) {
      ++no_room_;
      return correction_state::no_room;
    }
    entry e{.events = pair{original, corrected}};
    if (change && change->exceeds(options_.limit)) {
      e.state = correction_state::held;
      told(correction_held<Event>{id, e.events->original, e.events->corrected, *change});
    } else {
      hand_out(id, e, now, told);
    }
    const correction_state state = e.state;
    const timestamp due = e.due;
    (void)open_.put(id, std::move(e), now);
    if (state == correction_state::proposed) deadlines_.set(open_.position_of(id), due);
    ++proposed_;
    return state;
  }

  /// The correction took effect. False if no such one was handed out and not settled.
  bool confirm(std::uint64_t id, timestamp now) {
    const entry* const e = open_.find(id);
    if (e == nullptr || e->state == correction_state::held) return false;
    settle(id, correction_state::applied, now);
    ++applied_;
    return true;
  }
  /// The correction did not take effect, or was undone: gives the original back. The id may be proposed again.
  std::optional<Event> roll_back(std::uint64_t id) {
    const entry* const e = open_.find(id);
    if (e == nullptr || e->state == correction_state::held) return std::nullopt;
    ++rolled_back_;
    return take(id);
  }
  /// A person agrees to a correction that was held: it is handed out. False if no such one is held.
  template <class Told>
  bool release(std::uint64_t id, timestamp now, Told&& told) {
    entry* const e = open_.find(id);
    if (e == nullptr || e->state != correction_state::held) return false;
    hand_out(id, *e, now, told);
    deadlines_.set(open_.position_of(id), e->due);
    return true;
  }
  /// A person does not: gives the original back. Proposed again, it stays rejected.
  std::optional<Event> reject(std::uint64_t id, timestamp now) {
    const entry* const e = open_.find(id);
    if (e == nullptr || e->state != correction_state::held) return std::nullopt;
    ++rejected_;
    return settle(id, correction_state::rejected, now);
  }

  /// Hands corrections out again whose outcome nobody has reported in time, or tells that this was the last time.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    for (std::size_t left = open_.size(); left != 0 && !deadlines_.empty() && deadlines_.due() <= now; --left) {
      const std::uint32_t at = deadlines_.first();
      const std::uint64_t id = open_.key_at(at);
      entry& e = open_.component_at(at);
      if (e.attempts >= options_.max_attempts) {
        told(correction_unresolved<Event>{id, e.events->original, e.events->corrected, e.attempts});
        e.state = correction_state::unknown;
        deadlines_.erase(at);
      } else {
        hand_out(id, e, now, told);
        deadlines_.set(at, e.due);
      }
    }
  }
  /// When advance has something to do.
  [[nodiscard]] timestamp due() const noexcept { return deadlines_.due(); }

  /// Where a correction stands; nothing if it is not known (any more).
  [[nodiscard]] std::optional<correction_state> find(std::uint64_t id) const {
    if (const entry* const e = open_.find(id)) return e->state;
    if (const outcome* const o = settled_.find(id)) return o->state;
    return std::nullopt;
  }
  /// The original of an open correction, null if there is none.
  [[nodiscard]] const Event* original(std::uint64_t id) const {
    const entry* const e = open_.find(id);
    return e == nullptr ? nullptr : &e->events->original;
  }

  [[nodiscard]] std::size_t open() const noexcept { return open_.size(); }
  [[nodiscard]] std::uint64_t proposed() const noexcept { return proposed_; }
  [[nodiscard]] std::uint64_t applied() const noexcept { return applied_; }
  [[nodiscard]] std::uint64_t rolled_back() const noexcept { return rolled_back_; }
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }
  [[nodiscard]] std::uint64_t without_room() const noexcept { return no_room_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({options_.open, options_.remembered});
  }
  [[nodiscard]] corrector empty_copy() const { return corrector(options_); }
  void save(snapshot_writer& w) const {
    check_snapshot();
    w.begin_section(section_tag("CORR"), 1);
    for (const std::uint64_t n : {proposed_, applied_, rolled_back_, rejected_, no_room_}) w.u64(n);
    open_.save(w);
    settled_.save(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    check_snapshot();
    corrector loaded = empty_copy();
    (void)r.begin_section(section_tag("CORR"), 1);
    for (std::uint64_t* n :
         {&loaded.proposed_, &loaded.applied_, &loaded.rolled_back_, &loaded.rejected_, &loaded.no_room_}) {
      *n = r.u64();
    }
    if (!loaded.open_.load(r) || !loaded.settled_.load(r)) return false;
    r.end_section();
    if (!r.ok()) return false;
    if (!loaded.adds_up()) return false;
    for (std::uint32_t at = 0; at < loaded.open_.size(); ++at) {
      const entry& e = loaded.open_.component_at(at);
      const bool was_handed_out = e.attempts > 0;
      if (loaded.settled_.find(loaded.open_.key_at(at)) != nullptr) return false;
      if (was_handed_out != (e.state != correction_state::held)) return false;
      if (e.state == correction_state::proposed) loaded.deadlines_.set(at, e.due);
    }
    *this = std::move(loaded);
    return true;
  }

 private:
  struct pair {
    Event original;
    Event corrected;
  };
  struct entry {
    std::optional<pair> events{};  // always, but in the prototype
    timestamp due{};               // while proposed
    std::uint32_t attempts = 0;
    correction_state state = correction_state::proposed;

    [[nodiscard]] static constexpr std::uint64_t configuration() noexcept { return 0; }
    void save(snapshot_writer& w) const {
      if constexpr (snapshot_value<Event>) {
        w.value(events->original);
        w.value(events->corrected);
      }
      w.time(due);
      w.u32(attempts);
      w.value(state);
    }
    [[nodiscard]] bool load(snapshot_reader& r) {
      if constexpr (snapshot_value<Event> && std::is_default_constructible_v<Event>) {
        events.emplace();
        if (!r.value(events->original) || !r.value(events->corrected)) return false;
      }
      due = r.time();
      attempts = r.u32();
      return r.value(state) && state <= correction_state::unknown;
    }
  };
  struct outcome {
    correction_state state = correction_state::applied;

    [[nodiscard]] static constexpr std::uint64_t configuration() noexcept { return 0; }
    void save(snapshot_writer& w) const { w.value(state); }
    [[nodiscard]] bool load(snapshot_reader& r) {
      return r.value(state) && (state == correction_state::applied || state == correction_state::rejected);
    }
  };

  static void check_snapshot() {
    static_assert(snapshot_value<Event> && std::is_default_constructible_v<Event>,
                  "recoup: a corrector keeps whole events; to take a snapshot, give your event a default constructor "
                  "and the members void save(recoup::snapshot_writer&) const and bool load(recoup::snapshot_reader&)");
  }
  static corrector_options checked(const corrector_options& o) {
    detail::require_option(o.open >= 1 && o.open <= (std::size_t{1} << 30),
                           "corrector_options.open must be 1 to 2^30 corrections");
    detail::require_option(o.remembered >= 1 && o.remembered <= (std::size_t{1} << 30),
                           "corrector_options.remembered must be 1 to 2^30 ids");
    detail::require_option(o.timeout > duration::zero(), "corrector_options.timeout must be longer than zero");
    detail::require_option(o.max_attempts >= 1, "corrector_options.max_attempts must be at least 1");
    detail::require_option(o.limit > 0, "corrector_options.limit must be above 0; 3 is 300 % of the trend");
    return o;
  }

  [[nodiscard]] bool adds_up() const noexcept {
    return proposed_ == applied_ + rejected_ + rolled_back_ + open_.size();
  }

  template <class Told>
  void hand_out(std::uint64_t id, entry& e, timestamp now, Told& told) {
    told(correction_proposed<Event>{id, e.events->original, e.events->corrected, e.attempts + 1});
    ++e.attempts;
    e.state = correction_state::proposed;
    e.due = saturating_add(now, options_.timeout);
  }

  Event take(std::uint64_t id) {
    const std::uint32_t last = static_cast<std::uint32_t>(open_.size()) - 1;
    const std::uint32_t at = open_.position_of(id);
    deadlines_.erase(at);
    std::optional<entry> taken = open_.take(id);
    if (at != last) {  // where the last one lies now
      deadlines_.erase(last);
      const entry& moved = open_.component_at(at);
      if (moved.state == correction_state::proposed) deadlines_.set(at, moved.due);
    }
    return std::move(taken->events->original);
  }
  Event settle(std::uint64_t id, correction_state state, timestamp now) {
    settled_.use(id, now).state = state;
    return take(id);
  }

  corrector_options options_;
  keyed<std::uint64_t, entry> open_;
  keyed<std::uint64_t, outcome> settled_;
  detail::deadline_queue deadlines_;  // of the positions in open_ that are proposed
  std::uint64_t proposed_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t rolled_back_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t no_room_ = 0;
};

}  // namespace recoup
