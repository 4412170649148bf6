// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "settings.hpp"

namespace recover {

// Recovers the stream in a file and reports. Throws input_error where the file can't be used.
void recover_file(const settings& wanted);

// The ten events of a small sales system, stage by stage.
void show_ten_events();

// A generated stream with seeded faults whose truth is known: prints recall and precision a kind. False if a fault that
// could be found was not, or something was found that is none. Writes a page if `html` names one.
bool recover_generated(std::uint64_t events, std::uint64_t seed, const std::string& html);

}  // namespace recover
