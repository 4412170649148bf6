// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup::detail {

// How many events come a second at which time of a season, in its 24 parts: the mean of about the last eight seasons.
// Parts never seen are as all are on average. Until there were some events, one a second are expected.
class arrival_rates {
 public:
  static constexpr std::size_t parts = 24;

  // A season of zero: there is one part, which lasts for ever; for counting it is cut into hours.
  explicit arrival_rates(duration season)
      : width_(season > duration::zero() ? season / all_parts : std::chrono::hours(1)),
        used_(season > duration::zero() ? parts : 1) {
    refresh();
  }

  static double seconds(duration d) noexcept { return 1e-9 * static_cast<double>(d.count()); }
  static duration from_seconds(double s) noexcept {
    return s < 9.2e9 ? duration(static_cast<ticks>(s * 1e9)) : duration::max();
  }

  [[nodiscard]] duration width() const noexcept { return width_; }
  [[nodiscard]] std::size_t part_of(timestamp at) const noexcept { return part_of(index_of(at)); }
  // When the part that `at` is in is over.
  [[nodiscard]] timestamp end_of(timestamp at) const noexcept {
    const ticks index = index_of(at);
    using limits = std::numeric_limits<ticks>;
    if (index >= limits::max() / width_.count()) return timestamp::max();
    return timestamp((index + 1) * width_);
  }

  // A second.
  [[nodiscard]] double rate(std::size_t part) const noexcept { return rates_[part]; }
  [[nodiscard]] double highest() const noexcept { return *std::max_element(rates_.begin(), rates_.begin() + used_); }
  [[nodiscard]] bool has_been(std::size_t part) const noexcept { return seconds_[part] > 0; }

  // Events that are expected between two times of which the first is the earlier.
  [[nodiscard]] double expected(timestamp from, timestamp to) const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < parts; ++i) {
      const timestamp end = end_of(from);
      if (end >= to || end == timestamp::max()) break;
      sum += seconds(elapsed(from, end)) * rate(part_of(from));
      from = end;
    }
    const duration left = elapsed(from, to);
    const ticks seasons = left / (width_ * all_parts);
    if (seasons > 0) {
      sum += static_cast<double>(seasons) * a_season();
      return sum + expected(saturating_add(from, seasons * width_ * all_parts), to);
    }
    return end_of(from) < to ? sum + expected(from, to) : sum + seconds(elapsed(from, to)) * rate(part_of(from));
  }
  // When so many have been, from a time on.
  [[nodiscard]] timestamp time_of(double events, timestamp from) const noexcept {
    const double seasons = std::floor(events / a_season());
    if (seasons >= 1) {
      const double all = seconds(width_ * all_parts) * seasons;
      from = saturating_add(from, all < 9.2e9 ? from_seconds(all) : duration::max());
      events -= seasons * a_season();
    }
    for (std::size_t i = 0; i <= parts; ++i) {
      const timestamp end = end_of(from);
      const double here = seconds(elapsed(from, end)) * rate(part_of(from));
      if (here >= events || end == timestamp::max()) break;
      events -= here;
      from = end;
    }
    return saturating_add(from, from_seconds(std::max(events, 0.0) / rate(part_of(from))));
  }

  // There were so many in a part, in so many seconds of it. Returns by which factor more are expected now that rates
  // are known for the first time, else 1.
  double learn(std::size_t part, double events, double in_seconds) noexcept {
    const double most = remembered * seconds(width_) * static_cast<double>(parts) / static_cast<double>(used_);
    double all_seconds = seconds_[part] + std::max(in_seconds, 0.0);
    double all_events = std::min(events_[part] + events, most_events);
    if (all_seconds > most) {
      all_events *= most / all_seconds;
      all_seconds = most;
    }
    seconds_[part] = all_seconds;
    events_[part] = all_events;
    const bool is_first = !is_known_;
    refresh();
    return is_first && is_known_ ? rates_[part] : 1;
  }

  void save(snapshot_writer& w) const {
    w.boolean(is_known_);
    for (std::size_t i = 0; i < used_; ++i) {
      w.f64(events_[i]);
      w.f64(seconds_[i]);
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    is_known_ = r.boolean();
    for (std::size_t i = 0; i < used_; ++i) {
      events_[i] = r.f64();
      seconds_[i] = r.f64();
      if (!(events_[i] >= 0 && events_[i] <= most_events && seconds_[i] >= 0 && seconds_[i] <= 1e12)) return false;
    }
    const bool is_known = is_known_;
    refresh();
    return r.ok() && is_known == is_known_;
  }

 private:
  static constexpr ticks all_parts = parts;
  static constexpr double remembered = 8;  // seasons
  static constexpr double enough = 8;      // events, for a first rate
  static constexpr double prior = 0.5;     // events, as all parts have them
  static constexpr double most_events = 1e18;
  static constexpr double least_rate = 1e-12;
  static constexpr double most_rate = 1e12;

  [[nodiscard]] ticks index_of(timestamp at) const noexcept {
    const ticks t = at.time_since_epoch().count();
    const ticks towards_epoch = t / width_.count();
    return towards_epoch - (towards_epoch * width_.count() > t ? 1 : 0);
  }
  [[nodiscard]] std::size_t part_of(ticks index) const noexcept {
    const auto used = static_cast<ticks>(used_);
    return static_cast<std::size_t>(((index % used) + used) % used);
  }
  [[nodiscard]] double a_season() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < parts; ++i) sum += rates_[i % used_];
    return sum * seconds(width_);
  }

  void refresh() noexcept {
    double events = 0;
    double in_seconds = 0;
    for (std::size_t i = 0; i < used_; ++i) {
      events += events_[i];
      in_seconds += seconds_[i];
    }
    is_known_ = is_known_ || (events >= enough && in_seconds > 0);
    rates_.fill(1);
    if (!is_known_) return;
    const double average = std::clamp((events + prior) / std::max(in_seconds, 1e-9), least_rate, most_rate);
    for (std::size_t i = 0; i < used_; ++i) {
      rates_[i] = std::clamp((events_[i] + prior) / (seconds_[i] + prior / average), least_rate, most_rate);
    }
  }

  duration width_;
  std::size_t used_;
  bool is_known_ = false;
  std::array<double, parts> events_{};
  std::array<double, parts> seconds_{};  // that were watched
  std::array<double, parts> rates_{};
};

}  // namespace recoup::detail
