// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <recoup/core/time.hpp>

#include "mold_udp64.hpp"

namespace feed {

inline constexpr session_name session{'F', 'E', 'E', 'D', '-', '0', '0', '0', '0', '1'};
inline constexpr recoup::duration tick = std::chrono::microseconds(100);  // a packet is published every tick

// What the command line asks for. Rates are probabilities, 0 to 1.
struct settings {
  std::uint64_t messages = 5'000;
  std::uint64_t seed = 1;

  double loss = 0.03;           // of a packet, on each line
  double outages = 0.005;       // of a packet on both lines, and up to 7 after it
  double duplicates = 0.02;     // of a packet, on each line
  double reordering = 0.03;     // of a packet, on each line: later ones overtake it
  std::uint64_t head_loss = 3;  // the first packets, on both lines
  std::uint64_t tail_loss = 3;  // the last packets, on both lines
  double request_loss = 0.2;    // of a request, and of its answer

  std::uint32_t attempts = 10;
  bool quiet = false;
};

}  // namespace feed
