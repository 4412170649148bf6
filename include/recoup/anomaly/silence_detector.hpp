// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detail/arrival_rates.hpp"
#include "recoup/anomaly/detail/gap_distribution.hpp"
#include "recoup/anomaly/silence.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct silence_detector_options {
  double score = 13.8;        ///< in nats, from which silence is told: above 0, at most 100
  std::uint32_t events = 30;  ///< that are learnt before the first silence is judged: at least 8
  double memory = 256;        ///< gaps, after which 1 / e of what was learnt of their lengths is left: 16 to 10^6
  duration season = std::chrono::hours(24);  ///< after which rates repeat, by its 24 parts, from the epoch on (in UTC):
                                             ///< a minute to 366 days; zero if they don't
  duration longest_step = std::chrono::hours(24);  ///< a step of time by more is a pause of the observer, not silence
};

/// Tells when a stream has been silent for so long that it is unlikely: a heartbeat that misses a second beat, a
/// Poisson stream after about `score` mean gaps, a batch job that doesn't come. Tells it again whenever the silence has
/// lasted twice as long as when it was last told.
///
/// Time is counted in events expected by the time of day (the mean of about the last 8 seasons), so that a quiet night
/// is short; in it, gaps are taken for a Weibull distribution, fitted so that long ones weigh as they last. The score
/// of a silence is -ln of the probability that a gap is longer, with an allowance for what was estimated from few gaps.
/// A gap is learnt as at most one that scores usual_score; a part of the day in which silence was told counts a
/// quarter, so that an outage becomes no habit, but the nights of a new stream do after a few of them.
///
/// A time before that of the last event counts as an event then, and time that goes back by more than longest_step
/// begins a new gap; so does a step forward by more, as of a process that was stopped. Not for: streams that differ by
/// day of the week; gaps with a tail heavier than Weibull's: lognormal ones were told 7 times in 10^5, gamma ones of
/// shape 4 1.5 times, where Poisson ones were not. Cost: seen, about ten multiplications and a division, and every 16th
/// time (up to the 256th, each) a fit: a logarithm, an exponential, two powers. Bytes: sizeof, 840; nothing on the
/// heap.
class silence_detector {
 public:
  silence_detector() : silence_detector(silence_detector_options()) {}
  explicit silence_detector(const silence_detector_options& options)
      : options_(checked(options)), rates_(options.season), gaps_(options.memory) {}

  /// What `seen` would return.
  [[nodiscard]] std::optional<silence_ended> judge(timestamp at) const noexcept {
    const bool came_late = at < last_ && elapsed(at, last_) <= options_.longest_step;
    if (times_ == 0 || came_late) return std::nullopt;
    return silence_ended{silent_since(at), at, times_};
  }
  /// An event. Returns the silence that it ends, if that was told.
  std::optional<silence_ended> seen(timestamp at) noexcept {
    const std::optional<silence_ended> ended = judge(at);
    if (!has_begun_) {
      has_begun_ = true;
      clock_ = at;
      begin_gap(at);
      begin_part(at);
      ++events_here_;
      return std::nullopt;
    }
    if (at < last_ && elapsed(at, last_) <= options_.longest_step) {  // came late
      ++events_here_;
      return std::nullopt;
    }
    if (at < last_ || elapsed(clock_, at) > options_.longest_step) {
      pause(at);
    } else {
      if (at >= part_end_) pass_parts(at);
      learn(at >= mark_ ? spent_ + detail::arrival_rates::seconds(elapsed(mark_, at)) * rate_ : spent_at(at));
    }
    times_ = 0;
    ++events_here_;
    clock_ = std::max(clock_, at);
    begin_gap(std::max(at, part_since_));
    return ended;
  }

  /// told(silence), if the stream has been silent for so long; it counts as told when told returns. told must not
  /// change the detector.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    if (!has_begun_) return;
    const duration step = elapsed(clock_, now);
    if (step > options_.longest_step || step < -options_.longest_step) return pause(now);
    clock_ = std::max(clock_, now);
    if (now >= part_end_) pass_parts(now);
    if (now < due_) return;
    if (times_ == 0) {
      if (!is_armed()) return;
      const double wanted = gaps_.gap_of(options_.score);
      if (spent_at(now) < wanted) {
        due_ = std::max(rates_.time_of(wanted - spent_, mark_), saturating_add(now, duration(1)));
        return;
      }
      silent_since_ = last_;
    }
    told(silence{silent_since_, now, times_ + 1, assess(now)});
    if (times_ < std::numeric_limits<std::uint32_t>::max() - 1) ++times_;
    due_ = saturating_add(now, std::max(elapsed(silent_since_, now), duration(1)));
  }
  /// Before that, advance tells nothing; but call it then, so that the time since is not taken for a pause.
  [[nodiscard]] timestamp due() const noexcept {
    return has_begun_ ? std::min(due_, saturating_add(clock_, options_.longest_step / 2)) : timestamp::max();
  }

  /// How unlikely the silence up to now is. expected: the mean gap, upper: the silence that scores usual_score, both in
  /// seconds.
  [[nodiscard]] assessment assess(timestamp now) const noexcept {
    assessment a;
    a.lower = 0;
    a.warming = !is_armed();
    if (!has_begun_ || learnt_ == 0) return a;
    const timestamp from = std::max(now, mark_);
    a.expected = gaps_.mean() / rates_.rate(rates_.part_of(from));
    if (a.warming) return a;
    const double usual = gaps_.gap_of(usual_score);
    const timestamp until = usual < spent_ ? mark_ : rates_.time_of(usual - spent_, mark_);
    a.upper = detail::arrival_rates::seconds(std::max(elapsed(last_, until), duration::zero()));
    a.score = std::min(gaps_.score(spent_at(now)), most_score);
    if (a.score > 0) a.side = side::above;
    return a;
  }

  [[nodiscard]] bool is_silent() const noexcept { return times_ > 0; }  ///< and it was told
  /// 1 where events come as in a Poisson process; above, to 4, the more regularly they come, below, to 0.25, in bursts.
  [[nodiscard]] double regularity() const noexcept { return gaps_.shape(); }
  [[nodiscard]] const silence_detector_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const auto& o = options_;
    return detail::combine({section_tag("SILE"), std::bit_cast<std::uint64_t>(o.score), o.events,
                            std::bit_cast<std::uint64_t>(o.memory), detail::option(o.season),
                            detail::option(o.longest_step)});
  }
  [[nodiscard]] silence_detector empty_copy() const { return silence_detector(options_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("SILE"), 1);
    rates_.save(w);
    gaps_.save(w);
    w.u32(learnt_);
    w.f64(leeway_);
    w.boolean(has_begun_);
    if (has_begun_) {
      for (const timestamp t : {last_, mark_, clock_, due_, part_since_, silent_since_}) w.time(t);
      w.f64(spent_);
      w.u64(events_here_);
      w.u32(times_);
    }
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    silence_detector loaded = empty_copy();
    (void)r.begin_section(section_tag("SILE"), 1);
    if (!loaded.rates_.load(r) || !loaded.gaps_.load(r)) return false;
    loaded.learnt_ = r.u32();
    loaded.leeway_ = r.f64();
    if (!(loaded.leeway_ >= 1 && loaded.leeway_ <= most_leeway)) return false;
    loaded.has_begun_ = r.boolean();
    if (loaded.has_begun_) {
      for (timestamp* t :
           {&loaded.last_, &loaded.mark_, &loaded.clock_, &loaded.due_, &loaded.part_since_, &loaded.silent_since_})
        *t = r.time();
      loaded.spent_ = r.f64();
      loaded.events_here_ = r.u64();
      loaded.times_ = r.u32();
      loaded.set_part();
      loaded.set_reach();
      const bool is_in_order =
          loaded.last_ <= loaded.mark_ && loaded.mark_ <= loaded.clock_ && loaded.part_since_ <= loaded.mark_ &&
          loaded.mark_ <= loaded.part_end_ &&
          elapsed(loaded.mark_, loaded.clock_) <= saturating_add(options_.longest_step, rates_.width());
      if (!is_in_order || !(loaded.spent_ >= 0 && loaded.spent_ <= detail::gap_distribution::longest_gap)) return false;
      if (loaded.times_ == std::numeric_limits<std::uint32_t>::max()) return false;
      if (loaded.times_ > 0 && loaded.silent_since_ > loaded.last_) return false;
    }
    r.end_section();
    if (!r.ok() || (loaded.learnt_ > 0 && !loaded.has_begun_)) return false;
    *this = loaded;
    return true;
  }

 private:
  static constexpr double most_score = 1e6;
  static constexpr std::uint32_t fit_each = 256;  // up to this many events; then every 16th time
  static constexpr double told_weight = 0.25;
  static constexpr double least_depth = 8;  // gaps of the same length: without them a burst is not told from a stream
  static constexpr double most_leeway = 1e30;

  static const silence_detector_options& checked(const silence_detector_options& o) {
    detail::require_option(o.score > 0 && o.score <= 100,
                           "silence_detector_options.score must be above 0 and at most 100; 13.8 is once in a million");
    detail::require_option(o.events >= 8, "silence_detector_options.events must be at least 8");
    detail::require_option(o.memory >= 16 && o.memory <= 1e6,
                           "silence_detector_options.memory must be 16 to 10^6 gaps");
    detail::require_option(o.season == duration::zero() ||
                               (o.season >= std::chrono::minutes(1) && o.season <= std::chrono::hours(24 * 366)),
                           "silence_detector_options.season must be zero, or a minute to 366 days");
    const duration part = o.season > duration::zero() ? o.season / 24 : duration(std::chrono::hours(1));
    detail::require_option(
        o.longest_step > duration::zero() && o.longest_step / part <= 10'000,
        "silence_detector_options.longest_step must be longer than zero and at most 10,000 parts of a "
        "season, which has 24 (of an hour, if there is no season)");
    return o;
  }

  [[nodiscard]] bool is_armed() const noexcept { return learnt_ >= options_.events && gaps_.depth() >= least_depth; }

  // Events expected since the last one.
  [[nodiscard]] double spent_at(timestamp now) const noexcept {
    if (now >= mark_) return spent_ + rates_.expected(mark_, now);
    if (now <= last_) return 0;
    return spent_ * static_cast<double>(elapsed(last_, now).count()) /
           static_cast<double>(elapsed(last_, mark_).count());
  }

  void learn(double gap) noexcept {
    if (learnt_ >= options_.events && gap > clip_ * leeway_) {
      gap = clip_ * leeway_;
      leeway_ = std::min(2 * leeway_, most_leeway);
    } else if (gap >= gaps_.usual_length()) {
      leeway_ = std::max(leeway_ / 2, 1.0);
    }
    gaps_.learn(gap);
    if (learnt_ < std::numeric_limits<std::uint32_t>::max()) ++learnt_;
    if (learnt_ > fit_each && learnt_ % 16 != 0) return;
    gaps_.fit();
    set_reach();
  }
  void set_reach() noexcept {
    clip_ = gaps_.gap_of(usual_score);
    soonest_ = detail::arrival_rates::from_seconds(gaps_.gap_of(options_.score) / rates_.highest());
  }

  void begin_gap(timestamp at) noexcept {
    last_ = mark_ = at;
    spent_ = 0;
    due_ = is_armed() ? saturating_add(at, soonest_) : timestamp::max();
  }
  void begin_part(timestamp at) noexcept {
    part_since_ = at;
    events_here_ = 0;
    set_part();
  }
  void set_part() noexcept {
    part_end_ = rates_.end_of(part_since_);
    rate_ = rates_.rate(rates_.part_of(part_since_));
  }
  // What came before is not judged, nor is the part of the day learnt: nobody was there. A silence told is not over.
  void pause(timestamp at) noexcept {
    silent_since_ = silent_since(at);
    clock_ = at;
    begin_gap(at);
    begin_part(at);
    if (times_ > 0) due_ = saturating_add(at, std::max(elapsed(silent_since_, at), duration(1)));
  }

  // When the silence that was told began, by a clock that says `at`: where it was set back, as long ago as before.
  [[nodiscard]] timestamp silent_since(timestamp at) const noexcept {
    return at < silent_since_ ? saturating_add(at, -std::max(elapsed(silent_since_, clock_), duration::zero()))
                              : silent_since_;
  }

  void pass_parts(timestamp to) noexcept {
    while (part_end_ <= to && part_end_ != timestamp::max()) {
      const timestamp end = part_end_;
      spent_ = std::min(spent_ + detail::arrival_rates::seconds(elapsed(mark_, end)) * rate_,
                        detail::gap_distribution::longest_gap);
      const double watched = detail::arrival_rates::seconds(elapsed(part_since_, end)) * (times_ > 0 ? told_weight : 1);
      const double factor = rates_.learn(rates_.part_of(part_since_), static_cast<double>(events_here_), watched);
      if (factor != 1) {
        spent_ = std::min(spent_ * factor, detail::gap_distribution::longest_gap);
        gaps_.rescale(factor);
      }
      mark_ = end;
      begin_part(end);
    }
    set_reach();
  }

  silence_detector_options options_;
  detail::arrival_rates rates_;
  detail::gap_distribution gaps_;
  std::uint32_t learnt_ = 0;  // gaps
  std::uint32_t times_ = 0;   // this silence was told
  timestamp last_{};          // event
  timestamp mark_{};          // up to here, since the last event,
  double spent_ = 0;          // so many were expected
  timestamp clock_{};         // the latest time
  timestamp due_{};           // not before this is there something to tell
  timestamp silent_since_{};  // if times_ > 0
  timestamp part_since_{};    // of the part of the season that mark_ is in: watched since, to its end
  timestamp part_end_{};
  std::uint64_t events_here_ = 0;  // in this part
  double rate_ = 1;                // in this part
  double clip_ = 0;                // a gap is learnt as at most this,
  double leeway_ = 1;              // times this: doubled by each that was longer, as long ones may be usual from now on
  duration soonest_{};             // no silence is told before it has lasted so long
  bool has_begun_ = false;
};

static_assert(snapshot_value<silence_detector>, "recoup: silence_detector can be saved and loaded");

}  // namespace recoup
