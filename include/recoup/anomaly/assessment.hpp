// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace recoup {

/// On which side of what was expected a value lies.
enum class side : std::uint8_t { neither, above, below };

[[nodiscard]] constexpr std::string_view name_of(side s) {
  constexpr std::array<std::string_view, 3> names{"neither", "above", "below"};
  return names[static_cast<std::size_t>(s)];
}

/// The score of something that happens once in a thousand times. Values between `lower` and `upper` score less.
inline constexpr double usual_score = 6.9;

/// What a detector makes of one value.
struct assessment {
  /// In nats: minus the logarithm of the probability of something at least as unusual, as the detector estimates it
  /// from what it has learnt. 0 is usual, 6.9 once in a thousand, 13.8 once in a million. Never negative, NaN or
  /// infinite; 0 while warming and for a value that is NaN or infinite.
  double score = 0;
  double expected = 0;                                      ///< the value that would have been the most usual
  double lower = -std::numeric_limits<double>::infinity();  ///< from here
  double upper = std::numeric_limits<double>::infinity();   ///< to here a value would have been usual (usual_score)
  recoup::side side = recoup::side::neither;
  bool warming = true;    ///< too little has been learnt to judge
  std::string_view part;  ///< of the detector's parts, which spoke loudest: a literal; empty where there is but one

  [[nodiscard]] constexpr bool operator==(const assessment&) const = default;
};

}  // namespace recoup
