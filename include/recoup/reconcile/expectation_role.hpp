// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "recoup/reconcile/expectation_options.hpp"

namespace recoup {

/// What an event is to an expectation: any number of expectation_role, combined with |. One that is nothing changes
/// nothing.
using expectation_roles = std::uint32_t;
namespace expectation_role {
inline constexpr expectation_roles opens = 1;
inline constexpr expectation_roles cancels = 2;
/// It is the event of step `i`, counted from 0: several kinds of events may be.
constexpr expectation_roles step(std::size_t i) noexcept { return i < detail::max_expectation_steps ? 4U << i : 0U; }
}  // namespace expectation_role

}  // namespace recoup
