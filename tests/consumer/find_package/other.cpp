// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <recoup/recoup.hpp>

std::uint64_t fingerprint_of_seven();

std::uint64_t fingerprint_of_seven() { return recoup::fingerprint(7, 42); }
