// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "recoup/core/snapshot_bytes.hpp"

// Floats of a snapshot, which may be hostile: each must lie between bounds, which NaN doesn't.

namespace recoup::detail {

inline void save_floats(snapshot_writer& w, std::span<const float> values) {
  for (const float f : values) w.value(f);
}
[[nodiscard]] inline bool load_float(snapshot_reader& r, float& value, float least, float most) {
  return r.value(value) && value >= least && value <= most;
}
[[nodiscard]] inline bool load_floats(snapshot_reader& r, std::span<float> values, float least, float most) {
  for (float& f : values)
    if (!load_float(r, f, least, most)) return false;
  return true;
}

}  // namespace recoup::detail
