// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/exact_window.hpp"

namespace recoup {

struct content_window_options {
  std::size_t events = 1 << 16;                    ///< events remembered at most, 1 to 2^30; then the oldest goes
  duration within = std::chrono::milliseconds{5};  ///< equal content at most this apart, before or after, is the same
  std::uint64_t seed = 0;                          ///< of the hash; choose one that an attacker doesn't know
};

/// Tells an event that came twice from an equal one of another time: a sensor sends each reading twice, milliseconds
/// apart, and hours later measures the same value again. The key is the content, and what tells sources apart: any
/// fingerprintable fields. `now` is the event's own time, not that of its arrival. An event is a duplicate if one of
/// the same content is remembered whose time is at most `within` away, in either direction: one that comes late is
/// compared with those of its own time. Distances are measured to events that were new: a duplicate is not remembered,
/// so that a value that does not change for long is not one event.
///
/// Invariant: of each content, at most one event is remembered in each span of `within` and a nanosecond from the epoch
/// on; so the span of a time and the two next to it hold all that can be near enough.
///
/// Contents are compared by 64-bit fingerprints: see false_positive_rate_for. Events leave by count only, first in,
/// first out. Cost: three look-ups in an exact_window, three more for what is new. Bytes: bytes_for, about 104 an
/// event; all taken at construction.
class content_window {
  using window = exact_window<std::uint64_t>;

 public:
  using hash_type = std::uint64_t;

  /// What is known of a content at a time. Valid until the window next changes.
  struct judgement {
    bool is_duplicate = false;
    timestamp first_seen{};     ///< if a duplicate: the time of the event that it repeats; may lie after its own
    timestamp last_seen{};      ///< if a duplicate: the latest time of that event and its repetitions
    std::uint32_t repeats = 0;  ///< if a duplicate: how many came before it
    std::uint64_t hash = 0;
    std::uint64_t print = 0;  // of the content in a span
    window::judgement found{};
  };

  content_window() : content_window(content_window_options()) {}
  explicit content_window(content_window_options options)
      : options_(checked(options)), events_(events_options(options)), latest_(latest_options(options)) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(const content_window_options& o) noexcept {
    return window::bytes_for(events_options(o)) + window::bytes_for(latest_options(o));
  }
  /// The probability that an event is called a duplicate of other content, at most, in a full window: another of the
  /// same fingerprint, or three looked up among `events` remembered.
  [[nodiscard]] static constexpr double false_positive_rate_for(const content_window_options& o) noexcept {
    constexpr double fingerprints = 18'446'744'073'709'551'616.0;
    return 4 * static_cast<double>(o.events) / fingerprints;
  }

  template <fingerprintable K>
  [[nodiscard]] hash_type hash(const K& key) const noexcept {
    return fingerprint(key, options_.seed);
  }
  /// Does nothing: where an event is kept depends on its time as well.
  void prefetch(hash_type /*hash*/) const noexcept {}

  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K& /*key*/, hash_type hash, timestamp now) const {
    return look_up(hash, now);
  }
  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K& key, timestamp now) const {
    return look_up(hash(key), now);
  }

  /// Remembers the event if it is new, else counts the duplicate.
  template <fingerprintable K>
  void commit(const K& /*key*/, const judgement& j, timestamp now) {
    events_.commit(j.print, j.found, now);
    if (j.is_duplicate) return;
    latest_.forget(j.hash);
    latest_.observe(j.hash, now);
  }

  template <fingerprintable K>
  judgement observe(const K& key, timestamp now) {
    const judgement j = judge(key, now);
    commit(key, j, now);
    return j;
  }

  /// Makes the event new again that judge(key, now) finds. False if there is none.
  template <fingerprintable K>
  bool forget(const K& key, timestamp now) {
    const judgement j = judge(key, now);
    if (!j.is_duplicate) return false;
    if (latest_.judge(j.hash, now).first_seen == j.first_seen) latest_.forget(j.hash);
    return events_.forget(j.print);
  }
  /// The same for the event of this content that was remembered last (after a merge: that of the latest time). Those
  /// remembered before it only forget(key, now) finds.
  template <fingerprintable K>
  bool forget(const K& key) {
    const auto latest = latest_.judge(hash(key), timestamp());
    return latest.is_duplicate && forget(key, latest.first_seen);
  }

  /// New events and duplicates so far; events that had to make room for one of a time at most `within` later, or of an
  /// earlier time.
  [[nodiscard]] std::uint64_t fresh() const noexcept { return events_.fresh(); }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return events_.duplicates(); }
  [[nodiscard]] std::uint64_t evicted_within_age() const noexcept { return events_.evicted_within_age(); }
  /// How much later, at least, was the event that one of those had to make room for; zero if it was earlier.
  [[nodiscard]] std::optional<duration> youngest_evicted() const noexcept { return events_.youngest_evicted(); }
  [[nodiscard]] const content_window_options& options() const noexcept { return options_; }

  /// Takes in the events of a window with the same options, as exact_window does; false, and nothing changes, if it has
  /// other options. Of two events of the same content in one span of `within`, the later stays.
  [[nodiscard]] bool merge(const content_window& other) {
    return configuration() == other.configuration() && events_.merge(other.events_) && latest_.merge(other.latest_);
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({section_tag("CTWN"), options_.events, detail::option(options_.within), options_.seed});
  }
  [[nodiscard]] content_window empty_copy() const { return content_window(options_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("CTWN"), 1);
    events_.save(w);
    latest_.save(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    (void)r.begin_section(section_tag("CTWN"), 1);
    if (!events_.load(r) || !latest_.load(r)) return false;
    r.end_section();
    return r.ok();
  }

 private:
  static content_window_options checked(content_window_options o) {
    detail::require_option(o.events >= 1 && o.events <= (std::size_t{1} << 30),
                           "content_window_options.events must be 1 to 2^30 events");
    detail::require_option(o.within >= duration::zero() && o.within < duration::max(),
                           "content_window_options.within must be zero or longer, and shorter than duration::max()");
    return o;
  }
  static constexpr exact_window_options events_options(const content_window_options& o) noexcept {
    return {.events = o.events, .age = std::max(o.within, duration{1}), .seed = o.seed};
  }
  static constexpr exact_window_options latest_options(const content_window_options& o) noexcept {
    return {.events = o.events, .seed = o.seed, .renew = true};
  }

  judgement look_up(std::uint64_t hash, timestamp now) const {
    const std::uint64_t time = from_beginning(now);
    const std::uint64_t length = static_cast<std::uint64_t>(options_.within.count()) + 1;
    const std::uint64_t span = time / length;
    judgement j{.hash = hash, .print = print_of(hash, span)};
    j.found = events_.judge(j.print, now);
    if (j.found.is_duplicate) return near(j);
    if (span > 0 && look_next_door(j, print_of(hash, span - 1), now)) return near(j);
    if (span < std::numeric_limits<std::uint64_t>::max() / length && look_next_door(j, print_of(hash, span + 1), now)) {
      return near(j);
    }
    return j;
  }
  bool look_next_door(judgement& j, std::uint64_t print, timestamp now) const {
    const window::judgement found = events_.judge(print, now);
    if (!found.is_duplicate) return false;
    if (std::max(elapsed(now, found.first_seen), elapsed(found.first_seen, now)) > options_.within) return false;
    j.print = print;
    j.found = found;
    return true;
  }
  static judgement near(judgement j) noexcept {
    j.is_duplicate = true;
    j.first_seen = j.found.first_seen;
    j.last_seen = j.found.last_seen;
    j.repeats = j.found.repeats;
    return j;
  }

  static std::uint64_t from_beginning(timestamp t) noexcept {
    return static_cast<std::uint64_t>(t.time_since_epoch().count()) ^ (std::uint64_t{1} << 63);
  }
  std::uint64_t print_of(std::uint64_t hash, std::uint64_t span) const noexcept {
    return fingerprint(std::pair(hash, span), options_.seed);
  }

  content_window_options options_;
  window events_;  // by content and span
  window latest_;  // by content
};

}  // namespace recoup
