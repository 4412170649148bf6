// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detail/excess_tail.hpp"
#include "recoup/anomaly/detail/season_table.hpp"
#include "recoup/anomaly/detail/transition_counts.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/anomaly/value_detector_options.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// The detector for a metric that nobody has looked at: put in without tuning. It adds up, in nats, what five views of
/// a value find unusual:
/// - "level": how far it lies from the level of the last half day or so,
/// - "season": the same after what is usual at this time of the day,
/// - "change": how far it lies from the value before,
/// - "drift": how far the average of the last values has gone from that of the last thousand: a shift of the level or a
///   slow leak, that the other views get used to,
/// - "pattern": how rarely a deviation of this size follows one of the size before.
/// Each of the first four is judged by tails learnt from its own past, so that heavy noise is not news. What the value
/// before said too counts for more, as chance seldom says it twice. What has been told is not news either: for some
/// days a score is lessened by a share of the highest one.
///
/// Cost: some 85 ns where the detector is in the cache, as much again for its 15 lines where it isn't. Bytes:
/// sizeof(value_detector), 944, all of it in place. Magnitudes above 1e36 count as 1e36, differences below 1e-36 as
/// none.
///
/// Scores of independent noise: above s they come at most e^-s of the time, for s up to 12 (measured for eight
/// distributions from uniform to Student's t with three degrees of freedom, over two million values each). `lower` and
/// `upper` are those of level and season alone: a value between them can still be unusual as a change or in its
/// pattern.
class value_detector {
 public:
  value_detector() : value_detector(value_detector_options()) {}
  explicit value_detector(const value_detector_options& options) : rules_(detail::checked(options)) {}

  [[nodiscard]] assessment assess(timestamp at, double value) const {
    if (!std::isfinite(value)) return answer_to_nothing();
    return answer(read(at, value));
  }
  void learn(timestamp at, double value) {
    if (!std::isfinite(value)) {
      ++ignored_;
      return;
    }
    absorb(at, read(at, value));
  }
  assessment update(timestamp at, double value) {
    if (!std::isfinite(value)) {
      ++ignored_;
      return answer_to_nothing();
    }
    const reading r = read(at, value);
    const assessment a = answer(r);
    absorb(at, r);
    return a;
  }

  /// Values that were NaN or infinite, and values learnt.
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }
  [[nodiscard]] std::uint64_t learnt() const noexcept { return learnt_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept { return rules_.configuration(); }
  [[nodiscard]] value_detector empty_copy() const { return value_detector(rules_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("VALD"), version);
    w.u64(learnt_);
    w.u64(ignored_);
    w.time(last_at_);
    for (const double d : {last_, level_, origin_, scale_, drift_, before_, told_}) w.f64(d);
    w.value(position_);
    w.u8(state_);
    for (const auto& t : tails_) t.save(w);
    season_.save(w);
    pattern_.save(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    value_detector loaded = empty_copy();
    if (r.begin_section(section_tag("VALD"), version) != version || !loaded.load_all(r)) return false;
    r.end_section();
    if (!r.ok()) return false;
    *this = loaded;
    return true;
  }

 private:
  using rules = detail::value_rules;
  using season_table = detail::season_table<rules::season_parts>;

  static constexpr std::uint16_t version = 1;
  static constexpr std::size_t states = 11;  // of deviations: none in the middle, each further one twice as far
  static constexpr int furthest = states / 2;
  using transitions = detail::transition_counts<states>;
  static constexpr double largest = 1e36;
  static constexpr double smallest = 1e-36;

  enum view : std::uint8_t { level, season, change, drift, pattern };
  static constexpr std::array<std::string_view, 5> names{"level", "season", "change", "drift", "pattern"};

  explicit value_detector(const rules& r) : rules_(r) {}

  [[nodiscard]] bool load_all(snapshot_reader& r) {
    constexpr std::uint64_t too_many = std::uint64_t{1} << 62;
    learnt_ = r.u64();
    ignored_ = r.u64();
    last_at_ = r.time();
    for (double* d : {&last_, &level_, &origin_, &scale_, &drift_, &before_, &told_}) {
      *d = r.f64();
      if (!(std::abs(*d) <= 16 * largest)) return false;
    }
    if (!r.value(position_) || !(position_ >= 0 && position_ <= states - 1)) return false;
    state_ = r.u8();
    if (learnt_ >= too_many || scale_ < 0 || before_ < 0 || told_ < 0 || state_ >= states) return false;
    for (auto& t : tails_) {
      if (!t.load(r)) return false;
    }
    return season_.load(r) && pattern_.load(r);
  }

  // All that can be said of a value before anything changes.
  struct reading {
    double value;
    double scale;
    double local;      // the spread at this time, in scales
    double deviation;  // from level and season
    double drift;
    float floor;
    std::array<float, 4> seen;
    std::array<double, 5> said;  // by each view, in nats
    double said_now;             // in all
    double sum;                  // with what the value before said too
    double told;                 // what was told before, as it has faded
    double news;                 // what is left of the sum after it
    std::uint8_t part;
    float position;  // among the states
    bool warming;
  };

  [[nodiscard, gnu::always_inline]] reading read(timestamp at, double raw) const {
    reading r;  // NOLINT(cppcoreguidelines-pro-type-member-init): all of it is set below
    r.value = std::clamp(raw, -largest, largest);
    r.warming = learnt_ < rules_.warm_up;
    const bool is_first = learnt_ == 0;
    const double middle = is_first ? r.value : level_;
    r.floor = static_cast<float>(rules_.floor * std::abs(middle) + smallest);
    r.scale = std::max<double>(scale_, r.floor);
    r.part = static_cast<std::uint8_t>(season_table::part_of(at, rules_.part_width, rules_.parts_a_tick));
    const double from_level = r.value - middle;
    r.deviation = rules_.part_width != 0 ? from_level - season_.mean(r.part) : from_level;
    const double by_scale = 1 / r.scale;
    const double trust = rules_.spread_trust * std::min(1.0, season_.seen(r.part) * 0.05);
    r.local = 1 + trust * (std::max(season_.spread(r.part) * by_scale, 0.05) - 1);
    const double gone =
        std::clamp(r.value - (is_first ? r.value : origin_), -2 * rules_.clip * r.scale, 2 * rules_.clip * r.scale);
    const double last = is_first ? r.value : last_;
    r.drift = drift_ + rules_.drift_rate * (gone - drift_);
    r.seen = {static_cast<float>(from_level), static_cast<float>(r.deviation / r.local),
              static_cast<float>(r.value - last), static_cast<float>(r.drift)};
    for (std::size_t v = 0; v < r.seen.size(); ++v) {
      r.said[v] = rules_.weights[v] * tails_[v].score(r.seen[v], r.floor, rules_.tail);
    }
    r.position = position_of(rules_.pattern_scale * r.deviation * by_scale);
    const double rarity =
        pattern_.probability(place_of(position_), place_of(r.position), rules_.backoff, rules::prior) *
        std::clamp(static_cast<double>(learnt_) * rules_.due_a_value, 1.0, rules::most_due);
    r.said[pattern] = -rules_.weights[pattern] * std::log(rarity);
    r.said_now = std::max(0.0, r.said[level] + r.said[season] + r.said[change] + r.said[drift] + r.said[pattern]);
    r.sum = r.warming ? 0 : r.said_now + rules_.lasting * std::min(r.said_now, before_);
    r.told = told_ == 0 ? 0 : told_ / (1 + rules_.age(last_at_, at));
    r.news = r.sum - rules_.discount * r.told;
    return r;
  }

  // From 0 to states - 1. What a float is made of is nearly the logarithm of it, and goes up as evenly: the exponent,
  // and between two of them the fraction.
  static float position_of(double deviations) noexcept {
    constexpr double most = (1 << furthest) - 1;
    constexpr std::int32_t one = 0x3F80'0000;
    const auto size = static_cast<float>(1 + std::min(std::abs(deviations), most));
    const float steps = static_cast<float>(std::bit_cast<std::int32_t>(size) - one) * 0x1p-23F;
    return furthest + static_cast<float>(std::copysign(double{steps}, deviations));
  }
  static transitions::place place_of(float position) noexcept {
    const int state = std::min(static_cast<int>(position), static_cast<int>(states) - 2);
    return {static_cast<std::uint8_t>(state), position - static_cast<float>(state)};
  }
  // A value is counted in one of the two states that it lies between, in the nearer one the more often: multiples of
  // the golden ratio share it out more evenly than chance would.
  static std::uint8_t counted_in(float position, std::uint64_t number) noexcept {
    const transitions::place p = place_of(position);
    const auto turn = static_cast<std::uint32_t>(number) * 0x9E37'79B9U;
    return static_cast<std::uint8_t>(p.state + (static_cast<float>(turn >> 8) * 0x1p-24F < p.share ? 1 : 0));
  }

  [[nodiscard]] assessment answer(const reading& r) const {
    assessment a;
    const double middle = learnt_ == 0 ? r.value : level_;
    const double mean = r.value - middle - r.deviation;
    a.expected = middle + mean;
    a.warming = r.warming;
    if (r.warming) return a;
    const double reach = rules_.usual_stretch;
    const auto& by_level = tails_[level];
    const auto& by_season = tails_[season];
    a.upper = std::min(middle + by_level.above().value_at(reach, r.floor),
                       a.expected + by_season.above().value_at(reach, r.floor) * r.local);
    a.lower = std::max(middle - by_level.below().value_at(reach, r.floor),
                       a.expected - by_season.below().value_at(reach, r.floor) * r.local);
    if (a.lower > a.upper) a.lower = a.upper = a.lower + (a.upper - a.lower) / 2;  // level and season disagree
    a.score = rules::nats(r.news);
    if (a.score > 0) {
      const auto loudest = static_cast<std::size_t>(std::max_element(r.said.begin(), r.said.end()) - r.said.begin());
      const double off = loudest == pattern ? r.deviation : double{r.seen[loudest]};
      a.side = off > 0 ? side::above : off < 0 ? side::below : side::neither;
      a.part = names[loudest];
    }
    return a;
  }
  [[nodiscard]] assessment answer_to_nothing() const {
    assessment a;
    a.warming = learnt_ < rules_.warm_up;
    a.expected = level_;
    return a;
  }

  void absorb(timestamp at, const reading& r) {
    if (learnt_ == 0) level_ = origin_ = last_ = r.value;
    const std::uint64_t number = ++learnt_;
    const double quick = 1.0 / static_cast<double>(number);  // at first, averages are those of all values
    const double most = number <= 10 ? 4 * largest : rules_.clip * r.scale;
    const auto clipped = [most](double d) { return std::clamp(d, -most, most); };
    told_ = r.news > rules_.telling ? std::max(r.told, r.sum) : r.told;
    drift_ = r.drift;
    for (std::size_t v = 0; v < drift; ++v) tails_[v].learn(r.seen[v], number, r.floor, rules_.tail);
    // An average is no new one before half of what it is of has changed; its tail would learn one excursion many times.
    if (number <= detail::excess_tail::in_hurry || (number & (rules_.drift_every - 1)) == 0) {
      tails_[drift].learn(r.seen[drift], number, r.floor, rules_.tail);
    }
    level_ += std::max<double>(rules_.level_rate, quick) * clipped(r.value - level_);
    origin_ += std::max<double>(rules_.origin_rate, quick) * clipped(r.value - origin_);
    const double deviation = clipped(r.deviation);
    scale_ += std::max<double>(rules_.scale_rate, quick) * (std::abs(deviation) - scale_);
    season_.learn(r.part, deviation, rules_.season_rate);
    const std::uint8_t state = counted_in(r.position, number);
    pattern_.count(state_, state);
    state_ = state;
    position_ = r.position;
    before_ = r.said_now;
    last_ = r.value;
    last_at_ = at;
  }

  rules rules_;
  std::uint64_t learnt_ = 0;
  std::uint64_t ignored_ = 0;
  timestamp last_at_{};
  double last_ = 0;
  double level_ = 0;
  double origin_ = 0;  // a level much slower than level_, from which drift is measured
  double scale_ = 0;   // mean size of deviations from level and season
  double drift_ = 0;
  double before_ = 0;              // what was said of the last value
  double told_ = 0;                // the highest sum that was told of late, fading
  float position_ = furthest;      // of the last value among the states
  std::uint8_t state_ = furthest;  // that it was counted in
  std::array<detail::excess_tails, 4> tails_;
  season_table season_;
  transitions pattern_;
};

static_assert(detector<value_detector>, "recoup: value_detector is a detector");
static_assert(sizeof(value_detector) <= 968, "recoup: a value_detector is to take at most 968 bytes");

}  // namespace recoup
