// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/last_values.hpp"
#include "recoup/reconcile/field.hpp"
#include "recoup/reconcile/predicates/times.hpp"

namespace recoup {

struct rate_options {
  double rise = std::numeric_limits<double>::infinity();  ///< at most so much a second; zero or more
  double fall = std::numeric_limits<double>::infinity();  ///< at most so much a second; zero or more
  std::size_t keys = 4'096;  ///< keys remembered, 1 to 2^30; then one not used lately makes room
  std::uint64_t seed = 0;    ///< of the hash; choose one that an attacker doesn't know
};

namespace detail {

template <class Key, class Field, class Time>
class rate_condition {
 public:
  rate_condition(Key key, Field field, Time time, const rate_options& options)
      : key_(std::move(key)),
        field_(std::move(field)),
        time_(std::move(time)),
        options_(options),
        last_(options.keys, options.seed) {
    detail::require_option(options.rise >= 0 && options.fall >= 0,
                           "rate_options.rise and fall must be zero or more, a second");
  }

  template <class Event>
  requires projection_of<Key, Event> && projection_of<Field, Event>
  bool operator()(const Event& event, timestamp now) const {
    return with(event, now, true, [&](const auto& key, double value, timestamp at) {
      const past_value* const last = last_.last(key);
      return last == nullptr ? value == value : admits(step_from(*last, value, at));
    });
  }

  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    const std::string absent = "the key, the time or " + field_name(field_) + " is absent";
    return with(event, now, absent, [&](const auto& key, double value, timestamp at) {
      const std::string text = show_field(field_, event);
      const past_value* const last = last_.last(key);
      if (last == nullptr) return text + (value == value ? " is the first of its key" : " is not a number");
      const step s = step_from(*last, value, at);
      const bool rises = s.change >= 0;
      return text + " is " + detail::show(rises ? s.change : -s.change) + (rises ? " above " : " below ") +
             detail::show(std::bit_cast<double>(last->bits)) + ", the value " + detail::show(s.time) +
             (s.is_backwards ? " after it, " : " before, ") + (admits(s) ? "at most " : "more than ") +
             detail::show(rises != s.is_backwards ? options_.rise : options_.fall) + " a second";
    });
  }

  /// The change a second since the value before; nothing if there is none.
  template <class Event>
  std::optional<double> measured(const Event& event, timestamp now) const {
    return with(event, now, std::optional<double>(),
                [&](const auto& key, double value, timestamp at) -> std::optional<double> {
                  const past_value* const last = last_.last(key);
                  if (last == nullptr) return std::nullopt;
                  const step s = step_from(*last, value, at);
                  return s.change == 0 ? 0 : (s.is_backwards ? -s.change : s.change) / seconds(s.time);
                });
  }

  template <class Event>
  void commit(const Event& event, timestamp now) {
    with(event, now, false, [&](const auto& key, double value, timestamp at) {
      if (value == value) last_.push(key, {detail::scalar_bits(value), at}, now);
      return true;
    });
  }
  template <class Event>
  bool forget(const Event& event, timestamp now) {
    return with(event, now, true, [&](const auto& key, double value, timestamp at) {
      last_.take_back(key, {detail::scalar_bits(value), at});
      return true;
    });
  }

  [[nodiscard]] std::uint64_t evicted() const noexcept { return last_.evicted(); }
  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return combine({last_.configuration(), std::bit_cast<std::uint64_t>(options_.rise),
                    std::bit_cast<std::uint64_t>(options_.fall)});
  }
  [[nodiscard]] rate_condition empty_copy() const { return rate_condition(key_, field_, time_, options_); }
  void save(snapshot_writer& w) const { last_.save(w); }
  [[nodiscard]] bool load(snapshot_reader& r) { return last_.load(r); }

 private:
  struct step {
    double change;  // to the value at hand
    duration time;  // between the two
    bool is_backwards;
  };
  static step step_from(const past_value& last, double value, timestamp at) noexcept {
    const double change = value - std::bit_cast<double>(last.bits);
    return at < last.at ? step{change, elapsed(at, last.at), true} : step{change, elapsed(last.at, at), false};
  }
  static double seconds(duration d) noexcept { return static_cast<double>(d.count()) / 1e9; }

  // Without a division, so that a change in no time at all is compared with none.
  bool admits(const step& s) const noexcept {
    const double rise = s.is_backwards ? -s.change : s.change;
    const auto most = [&](double a_second) { return s.time == duration::zero() ? 0 : a_second * seconds(s.time); };
    return rise <= most(options_.rise) && -rise <= most(options_.fall);  // NaN fails
  }

  // f(key, value, time) where all are there.
  template <class Event, class Otherwise, class F>
  Otherwise with(const Event& event, timestamp now, Otherwise otherwise, F&& f) const {
    const auto& key = detail::project(key_, event);
    const auto& field = detail::project(field_, event);
    const auto& time = time_.at(event, now);
    static_assert(is_key<std::remove_cvref_t<decltype(key)>>,
                  "recoup: the key of rate_of_change(key, field) must be an integer, text, bytes, a time, or an "
                  "optional, pair or tuple of these");

    static_assert(std::is_arithmetic_v<std::remove_cvref_t<decltype(detail::whole(field))>>,
                  "recoup: the field of rate_of_change(key, field) must be a number");
    if (!detail::names_something(key) || !detail::is_complete(field) || !detail::is_complete(time)) return otherwise;
    return f(detail::whole(key), static_cast<double>(detail::whole(field)),
             detail::nearest_timestamp(detail::whole(time)));
  }

  [[no_unique_address]] Key key_;
  [[no_unique_address]] Field field_;
  [[no_unique_address]] Time time_;
  rate_options options_;
  last_values last_;
};

}  // namespace detail

/// The field of a key changes by at most so much a second from one event to the next, by the times in a field of the
/// event or, without one, those of arrival. Compared with the key's last event that passed, or was only flagged, and
/// that may be the later one by its time. Two values of one time must be equal. The first of a key passes; NaN fails.
/// Numbers are compared as double. Remembers events, see remembering; memory and cost as for monotone.
template <class Key, class Field, class Time>
[[nodiscard]] auto rate_of_change(Key key, Field field, Time time, const rate_options& options) {
  return detail::rate_condition<Key, Field, detail::time_in_field<Time>>(std::move(key), std::move(field),
                                                                         {std::move(time)}, options);
}
template <class Key, class Field>
[[nodiscard]] auto rate_of_change(Key key, Field field, const rate_options& options) {
  return detail::rate_condition<Key, Field, detail::arrival_time>(std::move(key), std::move(field), {}, options);
}

}  // namespace recoup
