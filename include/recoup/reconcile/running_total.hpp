// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/extremes.hpp"

namespace recoup {

struct running_total_options {
  duration window = std::chrono::minutes(1);  ///< windows of event time of this width, from the epoch on
  duration grace{};                           ///< how long after its end a window is published
  keyed_options keys = {};                    ///< of which each takes a few windows
};

/// Of the values of one key in one window.
template <class Value>
struct totals {
  std::uint64_t count = 0;
  Value sum{};
  /// Where not exact, as the eight least (greatest) of the window have been taken back, a bound: none is less
  /// (greater).
  Value least{};
  Value greatest{};
  bool least_is_exact = true;
  bool greatest_is_exact = true;

  friend bool operator==(const totals&, const totals&) = default;
};

/// Why totals that had been published are different now.
enum class total_change : std::uint8_t { late, corrected, retracted };
[[nodiscard]] constexpr std::string_view name_of(total_change c) {
  constexpr std::array<std::string_view, 3> names{"late", "corrected", "retracted"};
  return names[static_cast<std::size_t>(c)];
}

/// A window is over: its totals, as they are known now.
template <class Key, class Value>
struct total_published {
  Key key;
  timestamp window;  ///< where it begins
  totals<Value> total;
};

/// The totals of a window that was published have changed: add the difference to what was made of them.
template <class Key, class Value>
struct total_adjusted {
  Key key;
  timestamp window;
  totals<Value> before;
  totals<Value> after;
  total_change why;
};

/// A window is not kept any longer: these totals are final, and were published if is_published.
template <class Key, class Value>
struct total_dropped {
  Key key;
  timestamp window;
  totals<Value> total;
  bool is_published;
};

/// What has become of a value given to a running_total.
enum class total_answer : std::uint8_t {
  counted,   ///< in a window that is not published yet
  adjusted,  ///< in one that is: total_adjusted was told
  too_late,  ///< the window is not kept any more
  ahead,     ///< the event lies more than a window ahead of now
  refused,   ///< NaN, infinite, a sum beyond the range of Value, or taken back without having been counted
};
[[nodiscard]] constexpr std::string_view name_of(total_answer a) {
  constexpr std::array<std::string_view, 5> names{"counted", "adjusted", "too_late", "ahead", "refused"};
  return names[static_cast<std::size_t>(a)];
}

/// Sums, counts, least and greatest values by key and window of event time, that stay right when events come late, are
/// corrected or are taken back: without history, as each change names what it replaces. Once a window is published,
/// each change of it is told as the totals before and after.
///
/// Sums of integers are exact; those of floating point are compensated (Neumaier, 1974), so that what is taken back
/// leaves at most rounding errors behind. Least and greatest are exact until the eight least (greatest) of a window
/// have been taken back without one as small (great) coming in between, and again from the next such one on.
///
/// What a call tells, it tells before anything changes; a listener that throws undoes the call. Of each key the newest
/// `windows` windows are kept, one of which may lie ahead of now. A listener takes total_published, total_adjusted and
/// total_dropped.
///
/// Cost: one hash and one probe; `advance` looks at every key once a window. Bytes: bytes_for, all at construction.
template <class Key, class Value = std::int64_t>
requires(std::integral<Value> || std::floating_point<Value>) class running_total {
 public:
  static constexpr std::size_t windows = 4;

  running_total() : running_total(running_total_options()) {}
  explicit running_total(const running_total_options& options) : options_(checked(options)), keys_(options.keys, {}) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(const running_total_options& o) noexcept {
    return keyed<Key, ring>::bytes_for(o.keys.capacity);
  }

  /// A value of an event at `at` that arrived at `now`.
  template <class K, class Told>
  total_answer add(const K& key, timestamp at, Value value, timestamp now, Told&& told) {
    return change(key, at, std::nullopt, value, total_change::late, now, told);
  }
  /// The value was counted as `before` and is `after`. Where an event's time was wrong, retract and add.
  template <class K, class Told>
  total_answer correct(const K& key, timestamp at, Value before, Value after, timestamp now, Told&& told) {
    return change(key, at, before, after, total_change::corrected, now, told);
  }
  /// The value was counted, and should not have been.
  template <class K, class Told>
  total_answer retract(const K& key, timestamp at, Value value, timestamp now, Told&& told) {
    return change(key, at, value, std::nullopt, total_change::retracted, now, told);
  }

  /// Publishes the windows that have ended `grace` ago, those of a key in their order, and drops keys that have been
  /// idle. What is told counts as told when `told` returns; of a key that is dropped, when it has returned from all.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    if (now >= next_due_ || now < last_advance_) {
      timestamp next = timestamp::max();
      keys_.for_each([&](const Key& key, ring& r) { next = std::min(next, publish(key, r, now, told)); });
      next_due_ = next;
    }
    last_advance_ = now;
    keys_.advance(now, [&](const Key& key, const ring& r) { drop(key, r, told); });
  }

  /// The totals of the window that an event at this time belongs to, if it is kept.
  template <class K>
  [[nodiscard]] std::optional<totals<Value>> find(const K& key, timestamp at) const {
    const ring* const r = keys_.find(key);
    if (r == nullptr) return std::nullopt;
    const cell& c = (*r)[slot_of(index_of(at))];
    if (!c.is_used || c.index != index_of(at)) return std::nullopt;
    return c.total();
  }

  /// Values that were too late, ahead, or refused.
  [[nodiscard]] std::uint64_t not_counted() const noexcept { return not_counted_; }
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({detail::option(options_.window), detail::option(options_.grace), sizeof(Value),
                            std::integral<Value> ? 1U : 0U, keys_.configuration()});
  }
  [[nodiscard]] running_total empty_copy() const { return running_total(options_); }
  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("RTOT"), 1);
    w.u64(not_counted_);
    w.time(last_advance_);
    keys_.save(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    running_total loaded = empty_copy();
    (void)r.begin_section(section_tag("RTOT"), 1);
    loaded.not_counted_ = r.u64();
    loaded.last_advance_ = r.time();
    if (!loaded.keys_.load(r)) return false;
    bool is_in_place = true;
    loaded.keys_.for_each([&](const Key&, const ring& all) {
      for (std::size_t i = 0; i < windows; ++i)
        is_in_place = is_in_place && (!all[i].is_used || loaded.fits(all[i], i));
    });
    r.end_section();
    if (!is_in_place || !r.ok()) return false;
    loaded.next_due_ = timestamp::min();
    *this = std::move(loaded);
    return true;
  }

 private:
  using ticks = duration::rep;

  struct cell {
    std::uint64_t count = 0;
    Value sum{};
    Value rounding{};  // of floating point: what the sum lacks
    detail::extremes<Value, std::less<>> least{};
    detail::extremes<Value, std::greater<>> greatest{};
    ticks index = 0;  // of the window
    bool is_used = false;
    bool is_published = false;

    [[nodiscard]] totals<Value> total() const noexcept {
      if (count == 0) return {};
      return {.count = count,
              .sum = static_cast<Value>(sum + rounding),
              .least = least.first(),
              .greatest = greatest.first(),
              .least_is_exact = least.is_exact(),
              .greatest_is_exact = greatest.is_exact()};
    }

    // False if the sum leaves the range.
    [[nodiscard]] bool accumulate(Value value, bool is_added) noexcept {
      if constexpr (std::integral<Value>) {
        return !(is_added ? __builtin_add_overflow(sum, value, &sum) : __builtin_sub_overflow(sum, value, &sum));
      } else {
        const Value term = is_added ? value : -value;
        const Value next = sum + term;
        if (!std::isfinite(next)) return false;
        rounding += std::fabs(sum) >= std::fabs(term) ? (sum - next) + term : (term - next) + sum;
        sum = next;
        return true;
      }
    }
    [[nodiscard]] bool add(Value value) noexcept {
      if (!accumulate(value, true)) return false;
      least.add(value, count);
      greatest.add(value, count);
      ++count;
      return true;
    }
    [[nodiscard]] bool remove(Value value) noexcept {
      if (count == 0 || !least.remove(value) || !greatest.remove(value) || !accumulate(value, false)) return false;
      if (--count == 0) {
        least = {};
        greatest = {};
        sum = rounding = Value{};
      }
      return true;
    }

    void save(snapshot_writer& w) const {
      w.boolean(is_used);
      if (!is_used) return;
      w.boolean(is_published);
      w.i64(index);
      w.u64(count);
      w.value(sum);
      w.value(rounding);
      least.save(w);
      greatest.save(w);
    }
    [[nodiscard]] bool load(snapshot_reader& r) {
      is_used = r.boolean();
      if (!is_used) return r.ok();
      is_published = r.boolean();
      index = r.i64();
      count = r.u64();
      if (!r.value(sum) || !r.value(rounding) || !least.load(r) || !greatest.load(r)) return false;
      return r.ok() && sum - sum == Value{} && rounding - rounding == Value{} && least.kept() <= count &&
             greatest.kept() <= count;
    }
  };

  struct ring {
    std::array<cell, windows> cells{};
    cell& operator[](std::size_t i) noexcept { return cells[i]; }
    const cell& operator[](std::size_t i) const noexcept { return cells[i]; }

    [[nodiscard]] static constexpr std::uint64_t configuration() noexcept { return windows; }
    void save(snapshot_writer& w) const {
      for (const cell& c : cells) c.save(w);
    }
    [[nodiscard]] bool load(snapshot_reader& r) {
      bool all = true;
      for (cell& c : cells) all = all && c.load(r);
      return all;
    }
  };

  static running_total_options checked(const running_total_options& o) {
    detail::require_option(o.window > duration::zero(), "running_total_options.window must be longer than zero");
    detail::require_option(o.grace >= duration::zero() && o.grace <= saturating_multiply(o.window, windows - 2),
                           "running_total_options.grace must be at least zero and at most two windows, as no more "
                           "than four are kept");
    return o;
  }

  [[nodiscard]] ticks index_of(timestamp at) const noexcept {
    const ticks t = at.time_since_epoch().count();
    const ticks w = options_.window.count();
    return t / w - (t % w < 0 ? 1 : 0);
  }
  [[nodiscard]] timestamp start_of(ticks index) const noexcept {
    return timestamp(saturating_multiply(index < 0 ? -options_.window : options_.window, detail::magnitude(index)));
  }
  [[nodiscard]] timestamp due_of(const cell& c) const noexcept {
    return saturating_add(saturating_add(start_of(c.index), options_.window), options_.grace);
  }
  [[nodiscard]] static std::size_t slot_of(ticks index) noexcept {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(index) % windows);
  }
  [[nodiscard]] bool fits(const cell& c, std::size_t slot) const noexcept {
    return slot_of(c.index) == slot && c.index >= index_of(timestamp::min()) && c.index <= index_of(timestamp::max());
  }

  [[nodiscard]] static std::uint64_t distance(ticks from, ticks to) noexcept {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  }
  [[nodiscard]] static bool is_ahead(ticks index, ticks latest) noexcept {
    return index > latest && distance(latest, index) > 1;
  }

  template <class K, class Told>
  total_answer change(const K& key, timestamp at, std::optional<Value> before, std::optional<Value> after,
                      total_change why, timestamp now, Told& told) {
    const total_answer answer = try_change(key, at, before, after, why, now, told);
    if (answer > total_answer::adjusted) ++not_counted_;
    return answer;
  }

  template <class K, class Told>
  total_answer try_change(const K& key, timestamp at, std::optional<Value> before, std::optional<Value> after,
                          total_change why, timestamp now, Told& told) {
    if constexpr (std::floating_point<Value>) {
      if ((before && !std::isfinite(*before)) || (after && !std::isfinite(*after))) return total_answer::refused;
    }
    const ticks index = index_of(at);
    const ticks latest = index_of(now);
    if (is_ahead(index, latest)) return total_answer::ahead;

    const auto place = keys_.locate(key);
    const cell& there = keys_.at(place)[slot_of(index)];
    const bool is_kept = there.is_used && there.index == index;
    if (there.is_used && there.index > index && !is_ahead(there.index, latest)) return total_answer::too_late;
    if (!is_kept && index < latest && distance(index, latest) >= windows) return total_answer::too_late;

    cell changed = is_kept ? there : cell{};
    changed.is_used = true;
    changed.index = index;
    if (before && !changed.remove(*before)) return total_answer::refused;
    if (after && !changed.add(*after)) return total_answer::refused;
    if (changed.is_published) {
      told(total_adjusted<Key, Value>{detail::owned_key<Key>(key), start_of(index), there.total(), changed.total(),
                                      why});
    }
    if (there.is_used && !is_kept) tell_dropped(detail::owned_key<Key>(key), there, told);
    keys_.tell_victim(place, [&](const Key& k, const ring& r) { drop(k, r, told); });
    ring& all = place.found() ? keys_.use_found(place, now) : keys_.use(place, detail::owned_key<Key>(key), now);
    all[slot_of(index)] = changed;
    if (!changed.is_published) next_due_ = std::min(next_due_, due_of(changed));
    return changed.is_published ? total_answer::adjusted : total_answer::counted;
  }

  // When the next window of the key is due.
  template <class Told>
  timestamp publish(const Key& key, ring& r, timestamp now, Told& told) {
    for (;;) {
      cell* first = nullptr;
      for (cell& c : r.cells) {
        if (c.is_used && !c.is_published && (first == nullptr || c.index < first->index)) first = &c;
      }
      if (first == nullptr) return timestamp::max();
      if (due_of(*first) > now) return due_of(*first);
      told(total_published<Key, Value>{key, start_of(first->index), first->total()});
      first->is_published = true;
    }
  }

  template <class Told>
  void drop(const Key& key, const ring& r, Told& told) const {
    for (const cell& c : r.cells) {
      if (c.is_used) tell_dropped(key, c, told);
    }
  }
  template <class Told>
  void tell_dropped(const Key& key, const cell& c, Told& told) const {
    told(total_dropped<Key, Value>{key, start_of(c.index), c.total(), c.is_published});
  }

  running_total_options options_;
  keyed<Key, ring> keys_;
  timestamp next_due_ = timestamp::min();
  timestamp last_advance_ = timestamp::min();
  std::uint64_t not_counted_ = 0;
};

}  // namespace recoup
