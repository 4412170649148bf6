// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "recoup/core/detail/require.hpp"

namespace recoup {

/// How far two numbers may lie apart: the sum of the three. What each side's own inaccuracy allows goes into `of_ours`
/// and `of_theirs`; of a value of 0 that is nothing, so that only `absolute` is left.
struct tolerance {
  double absolute = 0;   ///< in the unit of the fields
  double of_ours = 0;    ///< so much of our value's magnitude: 0.05 is 5 %
  double of_theirs = 0;  ///< so much of their value's
};

namespace detail {
constexpr tolerance checked(const tolerance& t) {
  detail::require_option(t.absolute >= 0, "tolerance.absolute must be 0 or more, in the unit of the fields");
  detail::require_option(t.of_ours >= 0, "tolerance.of_ours must be 0 or more; 0.05 is 5 % of our value");
  detail::require_option(t.of_theirs >= 0, "tolerance.of_theirs must be 0 or more; 0.05 is 5 % of their value");
  return t;
}
}  // namespace detail

}  // namespace recoup
