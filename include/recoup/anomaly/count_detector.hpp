// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/count_detector_options.hpp"
#include "recoup/anomaly/detail/count_averages.hpp"
#include "recoup/anomaly/detail/count_baseline.hpp"
#include "recoup/anomaly/detail/float4.hpp"
#include "recoup/anomaly/detail/floats.hpp"
#include "recoup/anomaly/detail/tail.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// Judges how many events came in each bucket of time: spikes, drops, silence, shifts and slow leaks, of streams of one
/// event a bucket to millions, with cycles of day and week.
///
/// What is expected is learnt as a level, a shape of the day, another for days of rest, and seven days of the week, all
/// in proportion. A count has the variance mean + c mean^2 (negative binomial), with c learnt. Counts and expectations,
/// divided by 1 + c mean so that both are as those of a Poisson process, are averaged over 1, 6, 19 and 66 buckets
/// (moving averages at rates 1, 0.3, 0.1 and 0.03), and compared as 2 sqrt(x + 3/8) (Anscombe, 1948), in units of what
/// such deviations of this stream usually are; the loudest speaks. The longer ones see what is small but lasts, and are
/// emptied when the counts since say that it is over (CUSUM).
///
/// After the first week, a count less than 5 standard deviations off is learnt as one of 2.5 at most, and nothing while
/// one average is further off than that, so that an anomaly does not become usual; unless it lasts longer than
/// adapt_after: then it is the new level. The old one, and all between, stay usual beside it, fading over a week.
///
/// Not for days whose shape changes at another hour than midnight, or a week that is not one of seven seasons: set
/// `midnight` to where the stream has its own, else each step of the week is an anomaly.
///
/// Judges from the second season on, with all certainty that it can have after a week. Give it every bucket, empty ones
/// as 0, in order (rate_detector does); a bucket left out is not noticed. Counts below 0 are ignored as NaN is, and
/// those above 10^15 count as that. Bytes: sizeof(count_detector), 672. Cost: O(1), some 800 instructions.
class count_detector {
 public:
  count_detector() : count_detector(count_detector_options()) {}
  explicit count_detector(const count_detector_options& options)
      : options_(detail::checked(options)),
        share_of_season_(static_cast<float>(options.bucket.count()) / static_cast<float>(options.season.count())),
        patience_(static_cast<std::uint32_t>(options.adapt_after / options.bucket)) {}

  /// `at` is the beginning of the bucket.
  [[nodiscard]] assessment assess(timestamp at, double count) const noexcept { return explain(judge(at, count)); }
  void learn(timestamp at, double count) noexcept { commit(judge(at, count)); }
  assessment update(timestamp at, double count) noexcept {
    return update(at, count, [](const assessment&) {});
  }
  /// Tells told(assessment) before it learns: if told throws, nothing was learnt.
  template <class Told>
  assessment update(timestamp at, double count, Told&& told) {
    const judgement j = judge(at, count);
    const assessment a = explain(j);
    told(a);
    commit(j);
    return a;
  }

  /// How many counts were not numbers, infinite, or below 0.
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }
  [[nodiscard]] const count_detector_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const auto& o = options_;
    return detail::combine({section_tag("CNTD"), detail::option(o.bucket), detail::option(o.season),
                            detail::option(o.midnight), o.rest_days, detail::option(o.adapt_after), o.above ? 1U : 0U,
                            o.below ? 1U : 0U});
  }
  [[nodiscard]] count_detector empty_copy() const { return count_detector(options_); }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("CNTD"), 1);
    w.u64(ignored_);
    w.u32(learnt_);
    w.u32(deviating_);
    w.u32(last_day_);
    detail::save_floats(w, std::array{spread_, spread_weight_, other_level_});
    averages_.save(w);
    baseline_.save(w);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    count_detector loaded = empty_copy();
    (void)r.begin_section(section_tag("CNTD"), 1);
    loaded.ignored_ = r.u64();
    loaded.learnt_ = r.u32();
    loaded.deviating_ = r.u32();
    loaded.last_day_ = r.u32();
    if (!r.ok() || loaded.last_day_ > 7) return false;
    if (!detail::load_float(r, loaded.spread_, -largest_spread, largest_spread) ||
        !detail::load_float(r, loaded.spread_weight_, 0, largest_spread) ||
        !detail::load_float(r, loaded.other_level_, -furthest, furthest) || !loaded.averages_.load(r) ||
        !loaded.baseline_.load(r))
      return false;
    r.end_section();
    if (!r.ok()) return false;
    *this = loaded;
    return true;
  }

 private:
  using averages = detail::count_averages;

  static constexpr float most_count = 1e15F;
  static constexpr float furthest = 40;         // logarithm
  static constexpr float doubtful = 3;          // standard deviations, from which less is learnt
  static constexpr float certain = 5;           // from which nothing is
  static constexpr float usual_spread = 0.01F;  // the first guess of c, with the weight of this many buckets
  static constexpr float usual_spread_weight = 30;
  static constexpr float largest_spread = 1e30F;

  struct judgement {
    bool is_count = false;
    float count;
    float mean;
    float dispersion;   // variance of a count over its mean
    float scaled_mean;  // over the dispersion: as of a Poisson process
    detail::count_averages::comparison found;
    detail::count_baseline::expectation expectation;
  };

  [[nodiscard]] bool is_warming() const noexcept { return static_cast<float>(learnt_) * share_of_season_ < 1; }
  [[nodiscard]] bool knows_a_week() const noexcept { return static_cast<float>(learnt_) * share_of_season_ >= 7; }
  [[nodiscard]] float spread() const noexcept {
    return std::max(0.0F, (spread_ + usual_spread * usual_spread_weight) / (spread_weight_ + usual_spread_weight));
  }

  [[nodiscard]] detail::season_position position_of(timestamp at) const noexcept {
    const duration::rep season = options_.season.count();
    const timestamp middle = saturating_add(saturating_add(at, options_.bucket / 2), -options_.midnight);
    duration::rep cycle = middle.time_since_epoch().count() / season;
    duration::rep in_season = middle.time_since_epoch().count() - cycle * season;
    if (in_season < 0) {
      in_season += season;
      --cycle;
    }
    detail::season_position p;
    p.phase = static_cast<float>(in_season) / static_cast<float>(season);
    p.day = static_cast<std::uint32_t>(((cycle % 7) + 11) % 7);  // the epoch began on a Thursday, 4
    p.is_rest_day = (options_.rest_days >> p.day & 1U) != 0;
    return p;
  }

  [[nodiscard]] judgement judge(timestamp at, double count) const noexcept {
    judgement j;
    if (!(count >= 0 && count <= std::numeric_limits<double>::max())) return j;
    j.is_count = true;
    j.count = static_cast<float>(std::min(count, static_cast<double>(most_count)));
    j.expectation = baseline_.expect(position_of(at));
    if (learnt_ == 0) j.expectation.log_count = std::log(j.count + 0.5F);
    j.mean = std::exp(std::min(j.expectation.log_count, 34.5F));
    j.dispersion = 1 + (spread() + j.expectation.misfit) * j.mean;
    const float scale = 1 / j.dispersion;
    j.scaled_mean = j.mean * scale;
    j.found = averages_.compare(j.count * scale, j.scaled_mean, j.expectation.uncertainty, other_ratio());
    return j;
  }
  [[nodiscard]] float other_ratio() const noexcept { return other_level_ == 0 ? 1.0F : std::exp(other_level_); }

  [[nodiscard]] assessment explain(const judgement& j) const noexcept {
    assessment a;
    a.warming = is_warming();
    if (!j.is_count) return a;
    a.expected = static_cast<double>(j.mean);
    if (a.warming) return a;
    const detail::float4 deviation(j.found.deviation.data());
    const detail::float4 wanted = max(options_.above ? deviation : 0.0F, options_.below ? 0.0F - deviation : 0.0F);
    const float loudest = largest(wanted);
    if (loudest > 0) {
      averages::values sizes;
      wanted.store(sizes.data());
      std::array<std::size_t, 3> is_less{};  // no branch, as it could not be foreseen
      for (std::size_t i = 0; i < is_less.size(); ++i) is_less[i] = sizes[i] < loudest ? 1 : 0;
      const std::size_t k = is_less[0] * (1 + is_less[1] * (1 + is_less[2]));
      a.side = j.found.deviation[k] > 0 ? side::above : side::below;
      a.part = averages::names[k];
      a.score = detail::gaussian_tail(static_cast<double>(loudest));
    }
    const float reach = static_cast<float>(detail::usual_deviation) *
                        std::sqrt(averages_.usual_of_one() * (1 + j.scaled_mean * j.expectation.uncertainty));
    float lowest = averages::root(j.scaled_mean);
    float highest = lowest;
    if (other_level_ != 0) [[unlikely]]
      (other_level_ < 0 ? lowest : highest) = averages::root(j.scaled_mean * other_ratio());
    a.lower = options_.below ? count_at(std::max(lowest - reach, 0.0F), j.dispersion) : 0;
    if (options_.above) a.upper = count_at(highest + reach, j.dispersion);
    return a;
  }
  // What averages::root is of, undone.
  static double count_at(float root, float dispersion) noexcept {
    return static_cast<double>(std::max(0.0F, (root * root / 4 - 0.375F) * dispersion));
  }

  void commit(const judgement& j) noexcept {
    if (!j.is_count) {
      ++ignored_;
      return;
    }
    if (learnt_ == 0) baseline_.begin_at(j.expectation.log_count);
    if (learnt_ < std::numeric_limits<std::uint32_t>::max()) ++learnt_;
    averages_.commit(j.found);
    const float loudest = j.found.loudest;
    averages_.learn_usual(j.found, share_of_season_ / (loudest < certain ? 7 : 28), static_cast<float>(learnt_));
    if (!knows_a_week()) {
      learn_count(j, loudest > doubtful ? doubtful / loudest : 1);
    } else if (!has_moved(j.found) && loudest <= certain) {
      learn_count(j, loudest > doubtful ? averages::squared(doubtful / loudest) : 1);
    }
  }

  // Whether the level is another from this bucket on: the one from before, or one that has lasted for long enough.
  bool has_moved(const averages::comparison& found) noexcept {
    if (found.loudest > certain)
      ++deviating_;
    else
      deviating_ -= std::min(deviating_, 2U);
    if (other_level_ != 0) {
      if (std::abs(averages_.deviation_from(1)) > averages::lasting &&
          std::abs(averages_.deviation_from(other_ratio())) < 2) {
        move_level(other_level_);
        return true;
      }
      other_level_ -= other_level_ * share_of_season_ / 7;
      if (std::abs(other_level_) < 0.02F) other_level_ = 0;
    }
    if (deviating_ <= patience_) return false;
    baseline_.doubt_level();
    move_level(std::clamp(std::log(averages_.ratio(found)), -furthest, furthest));
    return true;
  }
  void move_level(float log_ratio) noexcept {
    baseline_.shift(log_ratio);
    averages_.begin_at(std::exp(log_ratio));
    other_level_ = -log_ratio;
    deviating_ = 0;
  }

  void learn_count(const judgement& j, float trust) noexcept {
    // Squares of deviations in units in which their variance is mean / dispersion, and so c comes with mean squared.
    const float share = 1 / j.dispersion;
    const float off = (j.count - j.mean) * share;
    const float mean = j.mean * share;
    const float kept = 1 - share_of_season_ / 14;
    spread_ = kept * spread_ + trust * (std::min(off * off, 10 * mean) - mean * share);
    spread_weight_ = kept * spread_weight_ + trust * mean * mean;

    const float least_mean = std::max(j.mean, 1e-3F);
    const float noise = j.dispersion / least_mean;
    const float reach = 2.5F * std::sqrt(j.expectation.uncertainty + noise);
    baseline_.learn(j.expectation, std::clamp((j.count - j.mean) / least_mean, -reach, reach),
                    std::max(1.0F, averages_.usual_of_longest()) * noise / trust, last_day_ != j.expectation.day,
                    share_of_season_);
    last_day_ = j.expectation.day;
  }

  count_detector_options options_;
  std::uint64_t ignored_ = 0;
  float share_of_season_;        // that a bucket is
  std::uint32_t patience_;       // adapt_after, in buckets
  std::uint32_t learnt_ = 0;     // counts
  std::uint32_t deviating_ = 0;  // buckets of an anomaly that lasts
  std::uint32_t last_day_ = 7;   // none yet
  float spread_ = 0;             // c, times its weight
  float spread_weight_ = 0;
  float other_level_ = 0;  // another level that is usual too: its logarithm less that of the level; 0 if there is none
  detail::count_averages averages_;
  detail::count_baseline baseline_;
};

static_assert(detector<count_detector>, "recoup: count_detector is a detector");

}  // namespace recoup
