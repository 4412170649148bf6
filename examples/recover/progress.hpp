// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace recover {

// One line on standard error that tells how far a long input is; silent where that is no terminal, and in the first
// half second. A call costs a counter; the clock is read every 4,096 calls.
class progress {
 public:
  // `total`: the bytes there are, where that is known.
  explicit progress(std::optional<std::uint64_t> total, bool shown = ::isatty(STDERR_FILENO) == 1)
      : total_(total), shown_(shown) {}
  ~progress() { clear(); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void tick(std::uint64_t bytes, std::uint64_t events) {
    if (!shown_ || (++calls_ & 0xFFF) != 0) return;
    const auto now = clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(100);
    drawn_ = true;
    const double rate = static_cast<double>(events) / std::chrono::duration<double>(now - began_).count();
    const double megabytes = static_cast<double>(bytes) / 1e6;
    if (total_ && *total_ != 0) {
      const double part = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(*total_));
      const auto filled = static_cast<std::size_t>(part * 30);
      fmt::print(stderr, "\r\033[K[{:#<{}}{:.<{}}] {:3.0f} %  {:.0f} of {:.0f} MB  {:.2f} M events/s", "", filled, "",
                 30 - filled, part * 100, megabytes, static_cast<double>(*total_) / 1e6, rate / 1e6);
    } else {
      fmt::print(stderr, "\r\033[K{:.0f} MB  {:.2f} M events/s", megabytes, rate / 1e6);
    }
    std::fflush(stderr);
  }

  // Takes the line away again, so that the report starts on a clean one.
  void clear() {
    if (drawn_) fmt::print(stderr, "\r\033[K");
    drawn_ = false;
  }

 private:
  using clock = std::chrono::steady_clock;
  std::optional<std::uint64_t> total_;
  bool shown_;
  bool drawn_ = false;
  std::uint32_t calls_ = 0;
  clock::time_point began_ = clock::now();
  clock::time_point next_ = began_ + std::chrono::milliseconds(500);
};

}  // namespace recover
