// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/last_values.hpp"
#include "recoup/reconcile/field.hpp"

namespace recoup {

struct monotone_options {
  bool falling = false;      ///< the values may fall, and must not rise
  bool strictly = false;     ///< they must not stay the same either
  std::size_t keys = 4'096;  ///< keys remembered, 1 to 2^30; then one not used lately makes room
  std::uint64_t seed = 0;    ///< of the hash; choose one that an attacker doesn't know
};

namespace detail {

template <class Key, class Field>
class monotone_condition {
 public:
  monotone_condition(Key key, Field field, const monotone_options& options)
      : key_(std::move(key)), field_(std::move(field)), options_(options), last_(options.keys, options.seed) {}

  template <class Event>
  requires projection_of<Key, Event> && projection_of<Field, Event>
  bool operator()(const Event& event, timestamp) const {
    return with(event, true, [&](const auto& key, const auto& value) {
      using number = std::remove_cvref_t<decltype(value)>;
      const past_value* const last = last_.last(key);
      if (last == nullptr) return value == value;
      const auto before = detail::from_scalar_bits<number>(last->bits);
      const number& low = options_.falling ? value : before;
      const number& high = options_.falling ? before : value;
      return options_.strictly ? low < high : low <= high;
    });
  }

  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    const std::string absent = "the key or " + field_name(field_) + " is absent";
    return with(event, absent, [&](const auto& key, const auto& value) {
      using number = std::remove_cvref_t<decltype(value)>;
      const std::string text = show_field(field_, event);
      const past_value* const last = last_.last(key);
      if (last == nullptr) return text + (value == value ? " is the first of its key" : " is not a number");
      const auto order = [&]() -> std::string {
        if (options_.strictly) return options_.falling ? "less than " : "more than ";
        return options_.falling ? "at most " : "at least ";
      };
      return text + ((*this)(event, now) ? " is " : " is not ") + order() +
             detail::show(detail::from_scalar_bits<number>(last->bits)) + ", the value before";
    });
  }

  template <class Event>
  void commit(const Event& event, timestamp now) {
    with(event, false, [&](const auto& key, const auto& value) {
      if (value == value) last_.push(key, {detail::scalar_bits(value), {}}, now);
      return true;
    });
  }
  template <class Event>
  bool forget(const Event& event, timestamp) {
    return with(event, true, [&](const auto& key, const auto& value) {
      last_.take_back(key, {detail::scalar_bits(value), {}});
      return true;
    });
  }

  [[nodiscard]] std::uint64_t evicted() const noexcept { return last_.evicted(); }
  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return combine({last_.configuration(), options_.falling, options_.strictly});
  }
  [[nodiscard]] monotone_condition empty_copy() const { return monotone_condition(key_, field_, options_); }
  void save(snapshot_writer& w) const { last_.save(w); }
  [[nodiscard]] bool load(snapshot_reader& r) { return last_.load(r); }

 private:
  // f(key, value) where both are there.
  template <class Event, class Otherwise, class F>
  Otherwise with(const Event& event, Otherwise otherwise, F&& f) const {
    const auto& key = detail::project(key_, event);
    const auto& field = detail::project(field_, event);
    static_assert(is_key<std::remove_cvref_t<decltype(key)>>,
                  "recoup: the key of monotone(key, field) must be an integer, text, bytes, a time, or an optional, "
                  "pair or tuple of these");

    static_assert(scalar_key<std::remove_cvref_t<decltype(detail::whole(field))>>,
                  "recoup: the field of monotone(key, field) must be a number, enumeration or time of up to 64 bits");
    if (!detail::names_something(key) || !detail::is_complete(field)) return otherwise;
    return f(detail::whole(key), detail::whole(field));
  }

  [[no_unique_address]] Key key_;
  [[no_unique_address]] Field field_;
  monotone_options options_;
  last_values last_;
};

}  // namespace detail

/// The values of the field never fall (or, by the options, never rise) from one event of a key to the next: a meter's
/// reading, a version. Compared with the key's last event that passed, or was only flagged; so after a step back it
/// goes on from there. The first of a key passes; NaN fails. Remembers events, see remembering.
///
/// A key is known by its 64-bit fingerprint: two of n keys share one with a probability below n^2 / 2^65. Bytes:
/// detail::last_values::bytes_for(keys), 56 a key and the index, taken at construction. Cost: a hash and a probe to
/// judge, another to commit.
template <class Key, class Field>
[[nodiscard]] auto monotone(Key key, Field field, const monotone_options& options = {}) {
  return detail::monotone_condition<Key, Field>(std::move(key), std::move(field), options);
}

}  // namespace recoup
