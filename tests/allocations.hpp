// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

// How often the test program has allocated memory; counted by the operators new in pipeline/allocation_test.cpp, as a
// program can have them once only.
inline thread_local std::size_t allocations_so_far = 0;
