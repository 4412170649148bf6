// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// A value from outside the stream that rules compare with, such as an exchange rate or a catalogue, and the time at
/// which it was right. The user refreshes it between events; rules refer to it, so that it must outlive them and is
/// neither copied nor moved. Belongs to the thread of the rules.
///
/// What a rule makes of an outdated value is a rule of its own, so that a stale rate is not taken for a wrong amount:
///
///     recoup::external_value<double> rate("EUR/USD");
///     rule<"rate.fresh">(fresh(rate, 1h), on_fail::review),
///     rule<"amount.rate">(implies(fresh(rate, 1h), within(&payment::recorded,
///                                                         times(&payment::amount, value_of(rate)), percent(5))),
///                         on_fail::flag)
template <class T>
class external_value {
 public:
  /// By `name` it is called in explanations; it refers to the caller's characters.
  explicit constexpr external_value(std::string_view name = "the value") : name_(name) {}
  external_value(const external_value&) = delete;
  external_value& operator=(const external_value&) = delete;
  ~external_value() = default;

  constexpr void set(T value, timestamp as_of) {
    value_ = std::move(value);
    as_of_ = as_of;
  }
  constexpr void reset() { value_.reset(); }

  /// Nothing until it is set.
  [[nodiscard]] constexpr const std::optional<T>& value() const noexcept { return value_; }
  [[nodiscard]] constexpr timestamp as_of() const noexcept { return as_of_; }
  [[nodiscard]] constexpr std::string_view name() const noexcept { return name_; }

 private:
  std::string_view name_;
  std::optional<T> value_;
  timestamp as_of_{};
};

namespace detail {

template <class T>
struct freshness {
  const external_value<T>* external;
  duration max_age;

  template <class Event>
  constexpr bool operator()(const Event&, timestamp now) const {
    return external->value().has_value() && elapsed(external->as_of(), now) <= max_age;
  }
  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    std::string text(external->name());
    if (!external->value().has_value()) return text + " was never set";
    return text + " is " + detail::show(elapsed(external->as_of(), now)) + " old, " +
           ((*this)(event, now) ? "at most " : "more than ") + detail::show(max_age);
  }
  /// Its age; the longest there is until it is set.
  template <class Event>
  constexpr duration measured(const Event&, timestamp now) const {
    return external->value().has_value() ? elapsed(external->as_of(), now) : duration::max();
  }
};

template <class T>
struct value_projection {
  const external_value<T>* external;

  template <class Event>
  constexpr const std::optional<T>& operator()(const Event&) const {
    return external->value();
  }
  template <class Event>
  std::string show(const Event&) const {
    return std::string(external->name()) + ' ' + detail::show(external->value());
  }
};

}  // namespace detail

/// A predicate: the value has been set, and is at most `max_age` old when the event arrives.
template <class T>
[[nodiscard]] constexpr auto fresh(const external_value<T>& external, duration max_age) {
  return detail::freshness<T>{&external, max_age};
}
template <class T>
auto fresh(const external_value<T>&&, duration) = delete;

/// The value as a field of every event; absent until it is set. What is looked up in one, such as a price in a
/// catalogue, is a callable: [&](const order& o) { return price_of(catalogue, o.article); }.
template <class T>
[[nodiscard]] constexpr auto value_of(const external_value<T>& external) {
  return detail::value_projection<T>{&external};
}
template <class T>
auto value_of(const external_value<T>&&) = delete;

}  // namespace recoup
