// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

/// One step of what is expected: within how long it must follow the one before it, or, the last, must not.
struct expectation_step {
  duration within;                    ///< of the event before it, that of the opening for the first; zero or more
  duration grace = duration::zero();  ///< what an event may take to get here: added to `within`
  bool is_absence = false;            ///< it must not come within that time; only the last step may be one

  friend bool operator==(const expectation_step&, const expectation_step&) = default;
};

/// What an opening event does to a key whose expectation is open. Where each is to be followed by one of its own, make
/// the number of the event a part of the key.
enum class when_opened_again : std::uint8_t {
  keep,     ///< nothing: the first counts, so that no stream of openings puts off what is due
  restart,  ///< the expectation begins anew at its first step
};

struct expectation_options {
  std::string_view name = {};                ///< told with every finding; not copied: give it a literal
  std::vector<expectation_step> steps = {};  ///< 1 to 15, in the order in which they are to come
  std::size_t capacity = 65'536;             ///< expectations open, overdue ones and early events remembered: 1 to 2^30
  when_opened_again again = when_opened_again::keep;
  duration tolerance = duration::zero();  ///< how long before the event that it should follow an event may come
  duration remember_overdue = std::chrono::hours(1);  ///< how long one that comes after all is told as such
  std::uint64_t seed = 0;                             ///< of the hash; choose one that an attacker doesn't know
};

namespace detail {

inline constexpr std::size_t max_expectation_steps = 15;

inline expectation_options checked(expectation_options o) {
  require_option(!o.steps.empty() && o.steps.size() <= max_expectation_steps,
                 "expectation_options.steps has " + std::to_string(o.steps.size()) + " steps; give it 1 to 15");
  for (std::size_t i = 0; i < o.steps.size(); ++i) {
    const expectation_step& s = o.steps[i];
    require_option(s.within >= duration::zero() && s.grace >= duration::zero(),
                   "expectation_step.within and grace must be zero or longer, but are " + show(s.within) + " and " +
                       show(s.grace));
    require_option(!s.is_absence || i + 1 == o.steps.size(),
                   "step " + std::to_string(i) +
                       " of expectation_options.steps is an absence, which nothing can follow: put it last");
  }
  require_option(o.capacity >= 1 && o.capacity <= (std::size_t{1} << 30),
                 "expectation_options.capacity is " + std::to_string(o.capacity) + "; it must be 1 to 2^30");
  require_option(o.tolerance >= duration::zero(),
                 "expectation_options.tolerance is " + show(o.tolerance) + "; it must be zero or longer");
  require_option(o.remember_overdue >= duration::zero(),
                 "expectation_options.remember_overdue is " + show(o.remember_overdue) + "; it must be zero or longer");
  return o;
}

inline std::uint64_t configuration_of(const expectation_options& o) noexcept {
  std::uint64_t all = combine({o.steps.size(), o.capacity, static_cast<std::uint64_t>(o.again), option(o.tolerance),
                               option(o.remember_overdue), o.seed});
  for (const expectation_step& s : o.steps) all = combine({all, option(s.within), option(s.grace), s.is_absence});
  return all;
}

}  // namespace detail

}  // namespace recoup
