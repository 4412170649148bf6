// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detail/excess_tail.hpp"
#include "recoup/anomaly/detail/season_table.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// The defaults are meant to be left alone: one set of round numbers for all metrics. Rates are shares of the way to
/// each new value: 1/128 is an average of about the last 128.
struct value_detector_options {
  duration season = std::chrono::hours(24);  ///< after which what is usual repeats, from the epoch (in UTC): a
                                             ///< second to 366 days; zero if it doesn't
  double warm_up = 100;                      ///< values that are learnt before the first is judged, 50 to 10^6

  // How much of what each view says counts. What stands out does so in several: summed up in full, they would say the
  // same thing five times.
  double level_weight = 0.5;
  double season_weight = 0.5;
  double change_weight = 0.5;
  double drift_weight = 0.6;
  double pattern_weight = 0.5;
  double lasting_weight = 0.3;  ///< of what both this value and the one before say: chance seldom says it twice

  // Tails: peaks over a threshold. Rates a value, or a peak.
  double tail_share = 1.0 / 128;  ///< of the values that are peaks, a side
  double tail_step = 0.1;         ///< by which the threshold moves, in mean excesses
  double tail_rate = 1.0 / 32;    ///< at which the mean excess follows
  double tail_shape = 0.25;       ///< of the tail: 0.01 is almost exponential, 0.25 heavy

  // What is usual.
  double level_rate = 1.0 / 128;    ///< about half a day of values every five minutes
  double origin_rate = 1.0 / 4096;  ///< of the slow level that drift is measured from
  double drift_rate = 1.0 / 16;     ///< of the fast one
  double scale_rate = 1.0 / 8192;   ///< of the size of deviations: slow, as a scale that follows bursts hides them
  double season_rate = 1.0 / 16;    ///< of what is usual at a time of the day: some days
  double spread_trust = 0.5;        ///< in the spread at a time of the day, against that of the whole day
  double pattern_backoff = 2;       ///< what is known of a step whatever came before, in steps
  double pattern_scale = 2;         ///< sizes of deviations are told apart by doubling 1 + this many mean ones
  double pattern_due = 500;         ///< values, after which a step is weighed by how often it should have come
  double clip = 20;                 ///< a deviation is learnt as at most this many mean ones
  double floor = 0.001;             ///< the least deviation that counts, as a share of the level

  // What has been told.
  double telling = 5;                        ///< nats from which a score has been told to somebody
  duration memory = std::chrono::hours(36);  ///< in which what was told fades to about a third
  double discount = 0.4;                     ///< share of it that later scores are lessened by
};

namespace detail {

inline value_detector_options checked(const value_detector_options& o) {
  const auto lies = [](double d, double from, double to) { return d >= from && d <= to; };
  const auto is_rate = [&](double d) { return lies(d, 1e-6, 1); };
  require_option(
      o.season == duration::zero() || (o.season >= std::chrono::seconds(1) && o.season <= std::chrono::hours(366 * 24)),
      "value_detector_options.season must be a second to 366 days, or zero for none");
  require_option(lies(o.warm_up, 50, 1e6), "value_detector_options.warm_up must be 50 to 10^6 values");
  require_option(lies(o.level_weight, 0, 3) && lies(o.season_weight, 0, 3) && lies(o.change_weight, 0, 3) &&
                     lies(o.drift_weight, 0, 3) && lies(o.pattern_weight, 0, 3) && lies(o.lasting_weight, 0, 3),
                 "the weights of value_detector_options must be 0 (a view is left out) to 3");
  require_option(o.level_weight + o.season_weight > 0,
                 "value_detector_options.level_weight or season_weight must be more than 0: the band comes of them");
  require_option(lies(o.tail_share, 1e-6, 0.5), "value_detector_options.tail_share must be 10^-6 to 0.5");
  require_option(is_rate(o.tail_step) && is_rate(o.tail_rate) && is_rate(o.level_rate) && is_rate(o.origin_rate) &&
                     is_rate(o.drift_rate) && is_rate(o.scale_rate) && is_rate(o.season_rate),
                 "the rates of value_detector_options, and tail_step, must be 10^-6 to 1");
  require_option(lies(o.tail_shape, 0.001, 2), "value_detector_options.tail_shape must be 0.001 to 2");
  require_option(lies(o.spread_trust, 0, 0.9), "value_detector_options.spread_trust must be 0 to 0.9");
  require_option(lies(o.pattern_backoff, 0.01, 1'000), "value_detector_options.pattern_backoff must be 0.01 to 1,000");
  require_option(lies(o.pattern_scale, 0.01, 1'000), "value_detector_options.pattern_scale must be 0.01 to 1,000");
  require_option(lies(o.pattern_due, 1, 1e6), "value_detector_options.pattern_due must be 1 to 10^6 values");
  require_option(lies(o.clip, 1, 1e6), "value_detector_options.clip must be 1 to 10^6 mean deviations");
  require_option(lies(o.floor, 0, 1), "value_detector_options.floor must be 0 to 1 of the level");
  require_option(lies(o.telling, 0, 100), "value_detector_options.telling must be 0 to 100 nats");
  require_option(o.memory > duration::zero(), "value_detector_options.memory must be longer than zero");
  require_option(lies(o.discount, 0, 1), "value_detector_options.discount must be 0 (everything is news) to 1");
  return o;
}

// The options as the detector needs them, in less room.
struct value_rules {
  explicit value_rules(const value_detector_options& o)
      : weights{narrow(o.level_weight), narrow(o.season_weight), narrow(o.change_weight), narrow(o.drift_weight),
                narrow(o.pattern_weight)},
        tail{.share = narrow(o.tail_share),
             .step = narrow(o.tail_step),
             .relax = narrow(o.tail_step * o.tail_share),
             .rate = narrow(o.tail_rate),
             .largest = narrow(1 / o.tail_rate),
             .shape = narrow(o.tail_shape)},
        level_rate(narrow(o.level_rate)),
        origin_rate(narrow(o.origin_rate)),
        drift_rate(narrow(o.drift_rate)),
        scale_rate(narrow(o.scale_rate)),
        season_rate(narrow(o.season_rate)),
        lasting(narrow(o.lasting_weight)),
        spread_trust(narrow(o.spread_trust)),
        backoff(narrow(o.pattern_backoff)),
        pattern_scale(narrow(o.pattern_scale)),
        due_a_value(narrow(1 / o.pattern_due)),
        clip(narrow(o.clip)),
        floor(narrow(o.floor)),
        telling(narrow(o.telling)),
        discount(narrow(o.discount)),
        drift_every(std::bit_floor(static_cast<std::uint32_t>(std::max(1.0, 0.5 / o.drift_rate)))),
        warm_up(static_cast<std::uint32_t>(o.warm_up)),
        season(o.season),
        part_width(season_table<season_parts>::width_of(o.season)),
        parts_a_tick(part_width == 0 ? 0 : 1 / static_cast<double>(part_width)),
        memories_a_tick(1 / static_cast<double>(o.memory.count())) {
    const double usual = usual_score / (weights[0] + weights[1]);
    usual_stretch = narrow(std::expm1(tail.shape * (usual - tail.at_threshold)) / tail.shape);
  }

  static constexpr std::size_t season_parts = 48;  // half hours of a day
  static constexpr double prior = 0.5;             // of the pattern: in values, that all states are equally likely
  // A step that comes once in n values is due after n: by how often it was, it is less of a surprise; up to this often.
  static constexpr double most_due = 32;

  [[nodiscard]] double age(timestamp from, timestamp to) const noexcept {
    const duration passed = elapsed(from, to);
    return passed <= duration::zero() ? 0 : static_cast<double>(passed.count()) * memories_a_tick;
  }

  // Views that agree say the same thing several times. Up to some seven nats this makes up for what each keeps back;
  // beyond, by measurement over noise of many distributions, a quarter of their sum is evidence.
  [[nodiscard]] static double nats(double sum) noexcept {
    constexpr double apart = 7;
    return sum <= apart ? std::max(sum, 0.0) : apart + (sum - apart) / 4;
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    std::uint64_t hash = combine({warm_up, option(season), std::bit_cast<std::uint64_t>(memories_a_tick)});
    for (const float f :
         {weights[0], weights[1],    weights[2],  weights[3], weights[4], tail.share,  tail.step, tail.rate,
          tail.shape, level_rate,    origin_rate, drift_rate, scale_rate, season_rate, lasting,   spread_trust,
          backoff,    pattern_scale, due_a_value, clip,       floor,      telling,     discount}) {
      hash = combine({hash, std::bit_cast<std::uint32_t>(f)});
    }
    return hash;
  }

  std::array<float, 5> weights;
  excess_tail_rules tail;
  float level_rate;
  float origin_rate;
  float drift_rate;
  float scale_rate;
  float season_rate;
  float lasting;  // weight of what the value before says too
  float spread_trust;
  float backoff;
  float pattern_scale;
  float due_a_value;  // steps that come once in that many values
  float clip;
  float floor;
  float telling;
  float discount;
  float usual_stretch = 0;
  std::uint32_t drift_every;  // a power of two
  std::uint32_t warm_up;
  duration season;
  ticks part_width;
  double parts_a_tick;
  double memories_a_tick;

 private:
  static float narrow(double d) noexcept { return static_cast<float>(d); }
};

}  // namespace detail

}  // namespace recoup
