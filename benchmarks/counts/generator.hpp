// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <string_view>
#include <vector>

// Counts of events in buckets of 5 minutes over 28 days, for keys that differ as those of real streams do, with
// anomalies of which the truth is known. Everything follows from the seed.
namespace counts {

inline constexpr std::size_t buckets_an_hour = 12;
inline constexpr std::size_t buckets_a_day = 24 * buckets_an_hour;
inline constexpr std::size_t days = 28;
inline constexpr std::size_t buckets = days * buckets_a_day;
inline constexpr std::size_t first_judged = 7 * buckets_a_day;

enum class kind : std::uint8_t { drop_to_30, drop_to_0, spike, shift_up, shift_down, leak };
inline constexpr std::size_t kinds = 6;
inline constexpr std::array<std::string_view, kinds> kind_names{"drop to 30 %", "drop to 0",  "spike",
                                                                "shift up",     "shift down", "slow leak"};

// In [begin, end) it is to be noticed; in [end, settled) whatever is said is neither right nor wrong.
struct anomaly_span {
  kind what;
  std::size_t begin, end, settled;
};

struct series {
  double base;
  std::vector<double> counts;
  std::vector<anomaly_span> truth;
};

struct generator_options {
  bool with_anomalies = true;
  double noise = 1;  // scales overdispersion, slow noise and drift
};

class generator {
 public:
  explicit generator(std::uint64_t seed, generator_options options = {}) : random_(seed), options_(options) {}

  // The time of the first bucket is a Thursday, 00:00, as that of the Unix epoch.
  series next() {
    series s;
    s.base = std::exp(uniform(std::log(2.0), std::log(2'000.0)));
    std::vector<double> rate = usual_rates(s.base);
    if (options_.with_anomalies) disturb(rate, s.truth);
    // Overdispersion: the rate of each bucket is gamma distributed, which makes its count negative binomial.
    const double variation = options_.noise * std::exp(uniform(std::log(0.02), std::log(0.3)));
    const double shape = variation > 0 ? 1 / (variation * variation) : 0;
    s.counts.reserve(buckets);
    for (const double r : rate) s.counts.push_back(count(shape > 0 ? r * gamma(shape) : r));
    return s;
  }

 private:
  double uniform(double a, double b) { return std::uniform_real_distribution<double>(a, b)(random_); }
  std::size_t between(double a, double b) { return static_cast<std::size_t>(uniform(a, b + 1)); }
  double normal() { return normal_(random_); }
  double gamma(double shape) { return std::gamma_distribution<double>(shape, 1 / shape)(random_); }
  double count(double mean) {
    return mean > 0 ? static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(random_)) : 0;
  }

  // The logarithm of one day, by the hour: waves, or hours of business with shoulders, or two humps.
  std::vector<double> day_shape() {
    std::vector<double> shape(buckets_a_day);
    const double peak = uniform(0, 24);
    const std::size_t form = between(0, 2);
    const double height = uniform(0.2, 1.6);
    const double width = uniform(2, 5);
    const double second = uniform(4, 9);
    const double share = uniform(0.3, 1);
    const double phase = uniform(0, 24);
    for (std::size_t i = 0; i < buckets_a_day; ++i) {
      const double hour = static_cast<double>(i) / buckets_an_hour;
      const auto wave = [&](double cycles, double at) {
        return std::cos(2 * std::numbers::pi * cycles * (hour - at) / 24);
      };
      const auto hump = [&](double at) {
        const double apart = std::remainder(hour - at, 24.0);
        return std::exp(-apart * apart / (2 * width * width));
      };
      if (form == 0) shape[i] = height / 2 * (wave(1, peak) + share / 2 * wave(2, phase));
      if (form == 1) shape[i] = height / (1 + std::exp(-(wave(1, peak) - 0.2) * width));
      if (form == 2) shape[i] = height * std::max(hump(peak), share * hump(peak + second));
    }
    return shape;
  }

  std::vector<double> usual_rates(double base) {
    const std::vector<double> weekday = day_shape();
    const std::vector<double> other = day_shape();
    const double weekend = uniform(-1, 0.15);                      // in logarithms
    const double other_share = std::max(0.0, uniform(-0.3, 0.3));  // of another shape at weekends
    std::array<double, 7> of_day{};
    for (double& d : of_day) d = 0.05 * normal();
    const double slow = options_.noise * std::max(0.0, uniform(-0.02, 0.08));  // standard deviation of the slow noise
    const double memory = std::exp(-1 / std::exp(uniform(std::log(4), std::log(72))));  // 20 minutes to 6 hours
    const double drift = options_.noise * uniform(0, 0.02);                             // a day
    double wander = 0;
    double level = 0;
    double mean = 0;
    std::vector<double> rate(buckets);
    for (std::size_t i = 0; i < buckets; ++i) {
      const std::size_t in_day = i % buckets_a_day;
      const std::size_t day = i / buckets_a_day % 7;
      const bool is_weekend = day == 2 || day == 3;
      const double share = is_weekend ? other_share : 0;
      wander = memory * wander + std::sqrt(1 - memory * memory) * slow * normal();
      level += drift / std::sqrt(static_cast<double>(buckets_a_day)) * normal();
      const double usual =
          (1 - share) * weekday[in_day] + share * other[in_day] + of_day[day] + (is_weekend ? weekend : 0);
      mean += std::exp(usual) / static_cast<double>(buckets);
      rate[i] = std::exp(usual + wander + level);
    }
    for (double& r : rate) r *= base / mean;
    return rate;
  }

  // After the first week, in any order and with at least 12 hours of rest between: one of each kind, some left out.
  void disturb(std::vector<double>& rate, std::vector<anomaly_span>& truth) {
    std::array<kind, kinds> order{kind::drop_to_30, kind::drop_to_0,  kind::spike,
                                  kind::shift_up,   kind::shift_down, kind::leak};
    std::shuffle(order.begin(), order.end(), random_);
    const std::size_t slot = (buckets - first_judged) / kinds;  // 3.5 days
    for (std::size_t i = 0; i < kinds; ++i) {
      if (uniform(0, 1) < 0.15) continue;
      const std::size_t slot_begin = first_judged + i * slot;
      const std::size_t rest = buckets_a_day / 2;
      const std::size_t length = length_of(order[i]);
      const std::size_t begin = slot_begin + rest + between(0, static_cast<double>(slot - 2 * rest - length - 1));
      apply(order[i], begin, length, rate, truth);
    }
  }

  std::size_t length_of(kind what) {
    switch (what) {
      case kind::drop_to_30:
        return between(6, 48);
      case kind::drop_to_0:
        return between(3, 24);
      case kind::spike:
        return between(1, 3);
      case kind::shift_up:
      case kind::shift_down:
        return between(144, 432);
      case kind::leak:
        return between(72, 288);
    }
    return 0;
  }

  void apply(kind what, std::size_t begin, std::size_t length, std::vector<double>& rate,
             std::vector<anomaly_span>& truth) {
    const std::size_t end = begin + length;
    const auto scale = [&](std::size_t from, std::size_t to, double factor) {
      for (std::size_t i = from; i < std::min(to, buckets); ++i) rate[i] *= factor;
    };
    switch (what) {
      case kind::drop_to_30:
        scale(begin, end, 0.3);
        break;
      case kind::drop_to_0:
        scale(begin, end, 0);
        break;
      case kind::spike:
        scale(begin, end, uniform(2, 5));
        break;
      case kind::shift_up:
      case kind::shift_down: {
        const double factor = what == kind::shift_up ? uniform(1.3, 2) : uniform(0.5, 0.75);
        if (uniform(0, 1) < 0.3) {  // for good: a day to notice it, two to get used to it
          scale(begin, buckets, factor);
          truth.push_back({what, begin, begin + buckets_a_day, begin + 3 * buckets_a_day});
          return;
        }
        scale(begin, end, factor);
        break;
      }
      case kind::leak: {  // grows, then is repaired
        const double lost = uniform(0.3, 0.7);
        for (std::size_t i = begin; i < end; ++i)
          rate[i] *= 1 - lost * static_cast<double>(i - begin + 1) / static_cast<double>(length);
        break;
      }
    }
    truth.push_back({what, begin, end, end + buckets_an_hour});
  }

  std::mt19937_64 random_;
  generator_options options_;
  std::normal_distribution<double> normal_;
};

}  // namespace counts
