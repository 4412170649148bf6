// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "recoup/core/detail/require.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/bloom_window.hpp"
#include "recoup/dedup/compact_window.hpp"
#include "recoup/dedup/exact_window.hpp"
#include "recoup/dedup/fingerprint_window.hpp"
#include "recoup/dedup/integer_window.hpp"
#include "recoup/dedup/sequence_window.hpp"

/// Which window a stream needs, and how large. It includes every window: for a program or a test that plans, not for
/// the one that runs.

namespace recoup {

enum class key_kind : std::uint8_t {
  any,       ///< text, or several fields
  integer,   ///< up to 64 bits, in no order: ids, hashes
  numbered,  ///< one by one, 1, 2, 3, ..., by one producer
};

/// What is known of a stream in which events come again.
struct dedup_traffic {
  double events_per_second = 0;    ///< different ones, at their peak
  duration horizon{};              ///< an event comes again at most so long after it came first
  double false_duplicates = 0;     ///< tolerated probability that a new key is called a duplicate, 0 to 1; 0: never
  key_kind keys = key_kind::any;   ///< what tells events apart
  std::size_t key_bytes = 32;      ///< key_kind::any: of the encoded key, on average
  std::size_t memory = 256 << 20;  ///< bytes that the window may take, where there is a choice
};

enum class window_kind : std::uint8_t { sequence, exact, integer, fingerprint, compact, bloom };

/// A window, and how large.
struct window_plan {
  window_kind kind = window_kind::exact;
  std::string_view type = "exact_window<>";  ///< with its template argument, as written in namespace recoup
  std::size_t events = 1;                    ///< an option of the window
  std::size_t key_bytes = 0;                 ///< an option of an exact_window<>; else 0
  std::size_t bytes = 0;                     ///< what it takes
  double false_positive_rate = 0;            ///< at most, 0: never; of a bloom_window, the option
  duration remembered{};                     ///< how long it remembers a key of this traffic
  bool is_long_enough = true;                ///< for the horizon; if not, this is as many events as it can hold
  bool fits = true;  ///< into the memory; if not, this takes the least of those that answer as asked

  /// A sentence, and one more for each thing that cannot be had.
  [[nodiscard]] std::string text() const;
};

namespace detail {

// What the windows can hold, by their options.
inline constexpr std::size_t most_numbered = std::size_t{1} << 40;
inline constexpr std::size_t most_exact = std::size_t{1} << 30;
inline constexpr std::size_t most_approximate = std::size_t{1} << 32;

// Rounded up, 1 at least.
inline std::size_t events_within(const dedup_traffic& t) noexcept {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 2;
  const double events = std::ceil(t.events_per_second * (static_cast<double>(t.horizon.count()) / 1e9));
  if (!(events >= 1)) return 1;  // infinitely many in no time is no number
  return events < static_cast<double>(most) ? static_cast<std::size_t>(events) : most;
}

inline duration time_of(std::size_t events, double events_per_second) noexcept {
  const double nanoseconds = static_cast<double>(events) / events_per_second * 1e9;
  return nanoseconds < static_cast<double>(duration::max().count()) ? duration(static_cast<duration::rep>(nanoseconds))
                                                                    : duration::max();
}

// A window with these options, of as many events as needed, or as it can hold.
template <class Window, class Options>
window_plan plan_of(window_kind kind, std::string_view type, Options options, std::size_t most_events,
                    const dedup_traffic& t) {
  const std::size_t needed = events_within(t);
  options.events = std::min(needed, most_events);
  window_plan plan;
  plan.kind = kind;
  plan.type = type;
  plan.events = options.events;
  plan.bytes = Window::bytes_for(options);
  if constexpr (requires { Window::false_positive_rate_for(options); }) {
    plan.false_positive_rate = Window::false_positive_rate_for(options);
  }
  plan.remembered = time_of(plan.events, t.events_per_second);
  plan.is_long_enough = plan.events == needed;
  plan.fits = plan.bytes <= t.memory;
  return plan;
}

inline window_plan exact_plan(const dedup_traffic& t) {
  constexpr std::size_t longest_key = 1'024;  // longer ones are kept as their fingerprints
  if (t.keys == key_kind::integer) {
    return plan_of<integer_window<>>(window_kind::integer, "integer_window<>", window_options{}, most_approximate, t);
  }
  exact_window_options options;
  options.key_bytes = std::min(t.key_bytes, longest_key);
  window_plan plan = plan_of<exact_window<>>(window_kind::exact, "exact_window<>", options, most_exact, t);
  plan.key_bytes = options.key_bytes;
  return plan;
}

template <unsigned Bits>
window_plan compact_plan(std::string_view type, const dedup_traffic& t) {
  return plan_of<compact_window<Bits>>(window_kind::compact, type, window_options{}, most_approximate, t);
}

// From the one that is wrong least often to the one that takes least.
inline auto approximate_plans(const dedup_traffic& t) {
  bloom_window_options bloom;
  bloom.false_positive_rate = std::clamp(t.false_duplicates, 1e-7, 1e-2);
  window_plan of_bloom = plan_of<bloom_window>(window_kind::bloom, "bloom_window", bloom, most_approximate, t);
  of_bloom.false_positive_rate = bloom.false_positive_rate;
  return std::array{
      plan_of<fingerprint_window<>>(window_kind::fingerprint, "fingerprint_window<>", window_options{},
                                    most_approximate, t),
      compact_plan<32>("compact_window<32>", t),
      compact_plan<24>("compact_window<24>", t),
      compact_plan<16>("compact_window<16>", t),
      of_bloom,
  };
}

inline std::string show_bytes(std::size_t bytes) {
  constexpr std::array<std::string_view, 5> units{" bytes", " KiB", " MiB", " GiB", " TiB"};
  std::size_t unit = 0;
  for (std::size_t rest = bytes; rest >= 1'024 && unit + 1 < units.size(); rest /= 1'024) ++unit;
  const double size = std::ldexp(static_cast<double>(bytes), -10 * static_cast<int>(unit));
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), size, std::chars_format::fixed, unit == 0 ? 0 : 1).ptr;
  return std::string(text.data(), end).append(units[unit]);
}

}  // namespace detail

/// - Numbered events: sequence_window.
/// - No false duplicate tolerated: integer_window where keys are integers, else exact_window.
/// - Else the first of fingerprint_window, compact_window (of 32, 24 or 16 bits) and bloom_window whose rate
///   is tolerated and that fits into the memory; of those tolerated the one that takes least where none fits; and as
///   above where none is tolerated.
///
/// The window remembers at least as many keys as come within the horizon at that rate: take the peak, and with one
/// window a partition the peak of the partition. Options other than `events` are as they are by default. Every number
/// is answered: products that no size can hold are the largest window. Throws std::invalid_argument where a rate or the
/// horizon is negative or not a number, or the tolerance above 1.
inline window_plan size_window(const dedup_traffic& t) {
  detail::require_option(t.events_per_second >= 0, "dedup_traffic.events_per_second must be a number, zero or more");
  detail::require_option(t.horizon >= duration::zero(), "dedup_traffic.horizon must not be negative");
  detail::require_option(t.false_duplicates >= 0 && t.false_duplicates <= 1,
                         "dedup_traffic.false_duplicates must be a probability, 0 to 1");
  if (t.keys == key_kind::numbered) {
    return detail::plan_of<sequence_window>(window_kind::sequence, "sequence_window", sequence_window_options{},
                                            detail::most_numbered, t);
  }
  if (t.false_duplicates == 0) return detail::exact_plan(t);
  std::array plans = detail::approximate_plans(t);
  const auto end = std::remove_if(plans.begin(), plans.end(),
                                  [&](const window_plan& p) { return p.false_positive_rate > t.false_duplicates; });
  if (end == plans.begin()) return detail::exact_plan(t);
  const auto first = std::find_if(plans.begin(), end, [](const window_plan& p) { return p.fits; });
  if (first != end) return *first;
  return *std::min_element(plans.begin(), end,
                           [](const window_plan& a, const window_plan& b) { return a.bytes < b.bytes; });
}

inline std::string window_plan::text() const {
  const std::string rate = detail::show_rounded(false_positive_rate, 2);
  std::string sentence(type);
  sentence.append(" with events = ").append(detail::show_number(events));
  if (key_bytes > 0) sentence.append(" and key_bytes = ").append(detail::show_number(key_bytes));
  if (kind == window_kind::bloom) sentence.append(" and false_positive_rate = ").append(rate);
  sentence.append(" takes ").append(detail::show_bytes(bytes)).append(" and ");
  if (false_positive_rate > 0) {
    sentence.append("calls a new key a duplicate with a probability of ").append(rate).append(".");
  } else {
    sentence.append("never calls a new key a duplicate.");
  }
  if (!is_long_enough) {
    const duration whole = std::chrono::duration_cast<std::chrono::seconds>(remembered);
    sentence.append(" It is the largest that there is, and too short for the horizon: it remembers ")
        .append(detail::show_duration(whole < std::chrono::seconds(10) ? remembered : whole))
        .append(" of this traffic; divide the stream, and use one window for each part.");
  }
  if (!fits) sentence.append(" That is more than the memory given; none that answers as asked takes less.");
  return sentence;
}

}  // namespace recoup
