// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "recoup/core/time.hpp"

// What the tests of predicates share: an event with a field of every kind.

namespace checking {

using recoup::duration;
using recoup::timestamp;

using milliseconds_time = std::chrono::sys_time<std::chrono::milliseconds>;
enum class side : std::int8_t { sell = -1, buy = 1 };

struct order {
  std::int64_t price = 0;
  std::int64_t quantity = 0;
  std::int64_t revenue = 0;
  std::uint32_t small = 0;
  std::uint64_t large = 0;
  std::int8_t tiny = 0;
  double ratio = 0;
  std::string id;
  const char* name = nullptr;
  char currency[4] = {};
  const int* pointer = nullptr;
  bool is_open = false;
  side direction = side::buy;
  timestamp at{};
  milliseconds_time coarse{};
  std::optional<std::int64_t> limit;
  std::optional<double> rate;
  std::optional<std::string_view> note;
  std::optional<const char*> label;
  std::optional<timestamp> paid;
};

// An order with one field set.
template <class T>
[[gnu::noinline]] order with(T order::*field, T value) {
  order o;
  o.*field = std::move(value);
  return o;
}

[[gnu::noinline]] inline order nothing() { return {}; }  // inlined, g++ fears for its empty optionals under ASan

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }
inline constexpr timestamp noon(std::chrono::seconds(43'200));
inline constexpr double infinite = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
template <class T>
inline constexpr T least = std::numeric_limits<T>::min();
template <class T>
inline constexpr T most = std::numeric_limits<T>::max();

}  // namespace checking
