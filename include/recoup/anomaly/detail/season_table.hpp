// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup::detail {

// What is usual at which time of a period that repeats, the day or the week: for each part of it the mean and the mean
// size of deviations, which an exponential average follows.
template <std::size_t Parts>
class season_table {
 public:
  // Of a period in nanoseconds, rounded up.
  [[nodiscard]] static constexpr ticks width_of(duration period) noexcept {
    return period <= duration::zero() ? 0 : (period.count() - 1) / static_cast<ticks>(Parts) + 1;
  }
  // Which part `at` is in, where each is `width` of at least a millisecond; 0 if that is 0. Periods begin at the epoch.
  // By multiplication, as a division of 64 bits would take longer than all else here.
  [[nodiscard]] static std::size_t part_of(timestamp at, ticks width, double inverse_width) noexcept {
    const ticks time = at.time_since_epoch().count();
    auto parts_so_far = static_cast<ticks>(static_cast<double>(time) * inverse_width) - (time < 0);  // or one off
    // Unsigned, as what comes before the first part of all need not be a time.
    const auto whole = static_cast<std::uint64_t>(parts_so_far) * static_cast<std::uint64_t>(width);
    const auto rest = static_cast<ticks>(static_cast<std::uint64_t>(time) - whole);
    parts_so_far += (rest >= width) - (rest < 0);
    if (width == 0) return 0;
    const ticks part = parts_so_far % static_cast<ticks>(Parts);
    return static_cast<std::size_t>(part < 0 ? part + static_cast<ticks>(Parts) : part);
  }

  [[nodiscard]] double mean(std::size_t part) const noexcept { return mean_[part]; }
  [[nodiscard]] double spread(std::size_t part) const noexcept { return spread_[part]; }
  [[nodiscard]] unsigned seen(std::size_t part) const noexcept { return seen_[part]; }  // up to 255

  // Of the first value of a part the mean takes half, as the part may be no different from the others.
  void learn(std::size_t part, double deviation, double rate) noexcept {
    const unsigned n = seen_[part];
    mean_[part] = bounded(mean_[part] + (n == 0 ? 0.5 : rate) * deviation);
    spread_[part] = bounded(spread_[part] + std::max(rate / 2, 1.0 / (n + 1)) * (std::abs(deviation) - spread_[part]));
    if (n < 255) ++seen_[part];
  }

  void save(snapshot_writer& w) const {
    for (std::size_t i = 0; i < Parts; ++i) {
      w.value(mean_[i]);
      w.value(spread_[i]);
      w.u8(seen_[i]);
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    for (std::size_t i = 0; i < Parts; ++i) {
      if (!r.value(mean_[i]) || !r.value(spread_[i])) return false;
      seen_[i] = r.u8();
      if (!(std::abs(mean_[i]) <= largest_size) || !(spread_[i] >= 0 && spread_[i] <= largest_size)) return false;
    }
    return r.ok();
  }

 private:
  static constexpr float largest_size = 4e36F;

  static float bounded(double size) noexcept {
    return static_cast<float>(std::clamp(size, -double{largest_size}, double{largest_size}));
  }

  std::array<float, Parts> mean_{};
  std::array<float, Parts> spread_{};
  std::array<std::uint8_t, Parts> seen_{};
};

}  // namespace recoup::detail
