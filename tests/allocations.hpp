// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>

// How often the test program has allocated memory; counted by the operators new in pipeline/allocation_test.cpp, as a
// program can have them once only.
inline thread_local std::size_t allocations_so_far = 0;

// How many more allocations succeed; the ones behind throw std::bad_alloc.
inline constexpr std::size_t any_number_of_allocations = std::numeric_limits<std::size_t>::max();
inline thread_local std::size_t allocations_left = any_number_of_allocations;
