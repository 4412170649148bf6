// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detail/cumulative_sums.hpp"
#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/anomaly/detail/tail.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup::detail {

// A share of n that is p on average, as a beta-binomial variable has it: its variance is p (1 - p) times `binomial`,
// the noise of counting, and `beta`, that of the share itself and of our knowledge of it.
struct share_forecast {
  double p;
  double binomial;  // above 0
  double beta;

  [[nodiscard]] double variance() const noexcept { return p * (1 - p) * (binomial + beta); }

  // The deviation of a standard normal variable that is as unusual as the share x, inside 0 to 1: the signed root of
  // twice the exponent of the tail. By large deviations that is the least, over all y that the share itself may have
  // been, of KL(x | y) / binomial + KL(p | y) / beta, where KL is the relative entropy; the y in question is a weighted
  // mean of x and p.
  [[nodiscard]] double deviation(double x) const noexcept {
    const double y = p + (x - p) * (beta / (binomial + beta));
    const double exponent = entropy(x, y) / binomial + (beta > 0 ? entropy(p, y) / beta : 0);
    const double size = std::sqrt(2 * std::max(exponent, 0.0));
    return x < p ? -size : size;
  }
  // The share of that deviation, from inside; 0 or 1 where none deviates so far. By the rule of false position
  // (Illinois).
  [[nodiscard]] double share_at(double wanted) const noexcept {
    double inner = p;
    double outer = wanted < 0 ? 1e-300 : 1 - 1e-16;
    const double size = std::abs(wanted);
    double below = size;  // by how much, at the inner end; the weight of an end that stays is halved
    double above = std::abs(deviation(outer)) - size;
    if (!(above > 0)) return wanted < 0 ? 0 : 1;
    double missing = below;
    for (int steps = 0; steps < 40 && missing > 1e-3 * size; ++steps) {
      const double x = inner + (outer - inner) * (below / (below + above));
      const double here = std::abs(deviation(x)) - size;
      if (here > 0) {
        outer = x;
        above = here;
        below /= 2;
      } else {
        inner = x;
        missing = below = -here;
        above /= 2;
      }
    }
    return inner;
  }

 private:
  static double entropy(double of, double to) noexcept {
    return of * std::log(of / to) + (1 - of) * std::log((1 - of) / (1 - to));
  }
};

// What share of things usually has what is looked for: a numerator and a denominator that fade, in effective counts;
// how much more it varies than counting explains; and sums of deviations for what is small but lasts.
class ratio_baseline {
 public:
  static constexpr std::size_t parts = 24;
  static constexpr double clip = 3;          // standard deviations that are learnt at most
  static constexpr double least_own = 1e-6;  // variance of the share itself, in p (1 - p)
  static constexpr double most_own = 0.5;

  struct rules {
    double given = 0;      // the share, 0 if it is to be learnt
    double kept = 1;       // of earlier counts, a judgement
    double part_kept = 1;  // the same of a part of the season, of which a judgement is
    std::uint32_t warm_up = 0;
    duration season{};
  };
  struct judgement {
    share_forecast share{0.5, 1, 0};
    double x = 0.5;
    double deviation = 0;
    std::size_t part = 0;
    cumulative_sums sums;
    bool warming = true;
  };

  // `count` of `of` things (at least one).
  [[nodiscard]] judgement judge(const rules& r, timestamp at, std::uint64_t count, std::uint64_t of) const noexcept {
    judgement j;
    j.part = part_of(at, r.season);
    j.warming = r.given == 0 && learnt_ < r.warm_up;
    const double n = std::min(static_cast<double>(of), most_counted);
    const double k = n * (static_cast<double>(std::min(count, of)) / static_cast<double>(of));
    j.share.binomial = (1 - own()) / n;
    j.share.beta = own();
    j.share.p = r.given;
    if (r.given == 0) {
      const double level = (count_ + prior) / (of_ + 2 * prior);
      const bool has_season = r.season > duration::zero();
      const double of_part = has_season ? part_of_[j.part] + part_prior : of_ + 2 * prior;
      j.share.p = has_season ? (part_count_[j.part] + part_prior * level) / of_part : level;
      j.share.beta += 1 / of_part;
    }
    j.share.p = std::clamp(j.share.p, least_share, 1 - least_share);
    // Half a count nearer, as counts have steps.
    const double expected = n * j.share.p;
    const double nearer = k < expected ? std::min(k + 0.5, expected) : std::max(k - 0.5, expected);
    j.deviation = j.share.deviation(std::clamp(nearer / n, 1e-300, 1 - 1e-16));
    j.x = k / n;
    j.sums = j.warming ? sums_ : sums_.after(std::clamp(j.deviation, -sum_clip, sum_clip), sum_rule);
    return j;
  }

  [[nodiscard]] assessment explain(const judgement& j) const noexcept {
    assessment a;
    a.warming = j.warming;
    a.expected = j.share.p;
    if (j.warming) return a;
    const assessment summed = sums_.judge({0, 1, 0, false}, j.deviation, sum_rule, sum_clip);
    const double high = std::min(summed.upper, usual_deviation);
    a.upper = j.share.share_at(std::max(high, -usual_deviation));
    a.lower = j.share.share_at(std::min(std::max(summed.lower, -usual_deviation), high));
    const double alone = gaussian_tail(j.deviation);
    const bool lasts = summed.score > alone;
    a.score = std::max(0.0, (lasts ? summed.score : alone) - two_views);
    if (a.score == 0) return a;
    a.side = lasts ? summed.side : side_of(j.deviation);
    a.part = lasts ? "sum" : "bucket";
    return a;
  }

  void learn(const rules& r, const judgement& j) noexcept {
    learn_sums(j);
    const double mean = j.share.p;
    const double reach = j.warming ? 1 : clip * std::sqrt(j.share.variance());
    const double x = std::clamp(j.x, mean - reach, mean + reach);
    const double weight = 1 / (j.share.binomial + own());
    count_ = r.kept * count_ + weight * x;
    of_ = r.kept * of_ + weight;
    if (r.season > duration::zero()) {
      part_count_[j.part] = r.part_kept * part_count_[j.part] + weight * x;
      part_of_[j.part] = r.part_kept * part_of_[j.part] + weight;
    }
    learn_own(r, j);
    if (learnt_ < ~std::uint32_t{0}) ++learnt_;
  }

  // What varies beyond counting, in p (1 - p): the correlation of any two things of a bucket.
  [[nodiscard]] double own() const noexcept {
    return std::clamp((own_ + own_prior * own_prior_weight) / (own_weight_ + own_prior_weight), least_own, most_own);
  }
  [[nodiscard]] std::uint32_t learnt() const noexcept { return learnt_; }

  void save(snapshot_writer& w) const {
    w.u32(learnt_);
    for (const double d : {count_, of_, own_, own_weight_, over_, rising_}) w.f64(d);
    sums_.save(w);
    for (std::size_t i = 0; i < parts; ++i) {
      w.f64(part_count_[i]);
      w.f64(part_of_[i]);
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    learnt_ = r.u32();
    for (double* d : {&count_, &of_, &own_, &own_weight_, &over_, &rising_}) *d = r.f64();
    if (!sums_.load(r, sum_rule)) return false;
    bool valid = is_share(count_, of_) && own_weight_ >= 0 && own_weight_ <= most && std::abs(own_) <= most &&
                 over_ >= 0 && over_ <= enough && rising_ >= 0 && rising_ <= most;
    for (std::size_t i = 0; i < parts; ++i) {
      part_count_[i] = r.f64();
      part_of_[i] = r.f64();
      valid = valid && is_share(part_count_[i], part_of_[i]);
    }
    return r.ok() && valid;
  }

 private:
  static constexpr double prior = 0.5;
  static constexpr double part_prior = 25;  // effective counts: parts differ by a fifth of sqrt(p (1 - p))
  static constexpr double own_prior = 1e-4;
  static constexpr double own_prior_weight = 2;  // ratios of very many
  static constexpr double own_unit = 1e-3;       // noise of more than this makes a ratio say less about it
  static constexpr double most_counted = 1e9;    // of more, counting has no noise that matters
  static constexpr double least_share = 1e-9;
  static constexpr double two_views = 0.693'147'180'559'945;  // ln 2: bucket and sum say the same, one may speak
  static constexpr double drift = 0.5;
  static constexpr sum_rules sum_rule{drift};
  static constexpr double sum_clip = 4;
  static constexpr double enough = 3;  // nats, that what lasted is over
  static constexpr double most = 1e15;

  static std::size_t part_of(timestamp at, duration season) noexcept {
    if (season <= duration::zero()) return 0;
    duration phase = at.time_since_epoch() % season;
    if (phase < duration::zero()) phase += season;
    const ticks width = season.count() / static_cast<ticks>(parts) + 1;
    return static_cast<std::size_t>(phase.count() / width);
  }
  static bool is_share(double count, double of) noexcept {
    return of >= 0 && of <= most && count >= 0 && count <= of * (1 + 1e-9);
  }

  // A sum that has grown says that something lasts long after it has ended. So each judgement is asked which is
  // likelier, that it lasts (with the mean deviation since the sum rose) or that all is as usual, from when that first
  // spoke for the latter (Page, 1954).
  void learn_sums(const judgement& j) noexcept {
    sums_ = j.sums;
    const double highest = std::max(sums_.above(), sums_.below());
    rising_ = highest > 0 ? std::min(rising_ + 1, most) : 0;
    if (sums_.score(sum_rule) < usual_score) {
      over_ = 0;
      return;
    }
    const double lasted = drift + highest / rising_;
    const double here = std::clamp(j.deviation, -sum_clip, sum_clip) * (sums_.larger() == side::above ? 1 : -1);
    over_ = std::max(0.0, over_ + lasted * (lasted / 2 - here));
    if (over_ < enough) return;
    sums_ = {};
    over_ = rising_ = 0;
  }

  // From squares, each weighted by how much it says: not by what varies as far as is known, or a first guess that is
  // too low would outweigh what comes after it.
  void learn_own(const rules& r, const judgement& j) noexcept {
    const double p = j.share.p;
    const double counting = j.share.binomial / (1 - own());
    const double vague = j.share.beta - own();
    const double most_square = j.warming ? 1 : clip * clip * (j.share.binomial + j.share.beta);
    const double square = std::min((j.x - p) * (j.x - p) / (p * (1 - p)), most_square);
    const double precision = own_unit / (own_unit + counting + vague);
    const double weight = precision * precision;
    own_ = r.kept * own_ + weight * std::clamp(square - counting - vague, -1.0, 1.0);
    own_weight_ = r.kept * own_weight_ + weight;
  }

  std::uint32_t learnt_ = 0;
  double count_ = 0;  // numerator and denominator
  double of_ = 0;
  double own_ = 0;  // what varies beyond counting, times its weight
  double own_weight_ = 0;
  cumulative_sums sums_;
  double over_ = 0;    // evidence that what lasted is over
  double rising_ = 0;  // judgements since the higher sum was 0
  std::array<double, parts> part_count_{};
  std::array<double, parts> part_of_{};
};

}  // namespace recoup::detail
