// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "recoup/anomaly/detail/cumulative_sums.hpp"
#include "recoup/anomaly/detail/forecast.hpp"
#include "recoup/anomaly/detail/moments.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct page_hinkley_options {
  double drift = 0.25;        ///< standard deviations: half the least shift to be found soon. 0.05 to 4
  std::uint32_t warmup = 60;  ///< values before the first score: at least 8; they are learnt unclipped
  double clip = 4;            ///< standard deviations: neither sums nor baseline take more of a value. At least 1
  double least_scale = 1e-9;  ///< in units of the value, 1e-40 to 1e40: no scale counts as less
  double alarm = 13.8;        ///< nats: after this score all is forgotten and learnt anew; infinity: never
};

/// Finds the moment at which a level changed, and then starts afresh: the Page-Hinkley test (Page, 1954; Hinkley,
/// 1971), two-sided. Its baseline is the mean and standard deviation of all values since the last change, so that
/// between changes it grows ever surer, where cusum keeps forgetting: for levels that stay and then jump, such as those
/// after a deployment, and not for those that wander.
///
/// Score, band and clip are those of cusum. After an alarm it warms up at the new level: `changes` counts them. Where a
/// level wanders, that is all it does.
/// Beyond +-1e100 values count as that. Cost: O(1), a square root and three divisions. Bytes: 128.
class page_hinkley : public detail::forecasting<page_hinkley> {
 public:
  explicit page_hinkley(page_hinkley_options options = {})
      : forecasting(checked(options).clip), options_(options), rules_(options.drift) {}

  [[nodiscard]] double mean() const noexcept { return moments_.mean; }
  [[nodiscard]] double variance() const noexcept { return moments_.variance; }
  /// In standard deviations.
  [[nodiscard]] double sum_above() const noexcept { return sums_.above(); }
  [[nodiscard]] double sum_below() const noexcept { return sums_.below(); }
  /// Values learnt since the last change, up to 2^32 - 1.
  [[nodiscard]] std::uint32_t learnt() const noexcept { return learnt_; }
  [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const auto bits = [](double d) { return std::bit_cast<std::uint64_t>(d); };
    return detail::combine(
        {bits(options_.drift), options_.warmup, bits(options_.clip), bits(options_.least_scale), bits(options_.alarm)});
  }
  [[nodiscard]] page_hinkley empty_copy() const { return page_hinkley(options_); }

  void save(snapshot_writer& w) const {
    moments_.save(w);
    sums_.save(w);
    w.u32(learnt_);
    w.u64(changes_);
    w.u64(ignored_);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    page_hinkley loaded = *this;
    if (!loaded.moments_.load(r) || !loaded.sums_.load(r, rules_)) return false;
    loaded.learnt_ = r.u32();
    loaded.changes_ = r.u64();
    loaded.ignored_ = r.u64();
    if (!r.ok()) return false;
    *this = loaded;
    return true;
  }

 private:
  friend class detail::forecasting<page_hinkley>;

  static const page_hinkley_options& checked(const page_hinkley_options& o) {
    detail::require_option(o.drift >= 0.05 && o.drift <= 4,
                           "page_hinkley_options.drift must be 0.05 to 4 standard deviations");
    detail::require_option(o.alarm > 0, "page_hinkley_options.alarm must be above 0 nats; infinity for none");
    detail::require_forecast_options("page_hinkley_options", o);
    return o;
  }

  [[nodiscard]] detail::forecast next(timestamp) const noexcept {
    return detail::forecast::from(moments_, detail::vagueness_of(learnt_), options_.least_scale,
                                  learnt_ < options_.warmup);
  }
  static assessment judged(const page_hinkley& p, const detail::forecast& f, double value) noexcept {
    return p.sums_.judge(f, value, p.rules_, p.options_.clip);
  }
  void absorb(timestamp, double value, const detail::forecast& f) noexcept {
    if (learnt_ < std::numeric_limits<std::uint32_t>::max()) ++learnt_;
    moments_.absorb(value, 1.0 / learnt_);
    if (f.warming) return;
    sums_ = sums_.after(f.deviation(value), rules_);
    if (sums_.score(rules_) < options_.alarm) return;
    moments_ = {};
    sums_ = {};
    learnt_ = 0;
    ++changes_;
  }

  page_hinkley_options options_;
  detail::sum_rules rules_;
  detail::moments moments_;
  detail::cumulative_sums sums_;
  std::uint32_t learnt_ = 0;
  std::uint64_t changes_ = 0;
};

}  // namespace recoup
