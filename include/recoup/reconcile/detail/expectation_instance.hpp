// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/expectation_counts.hpp"
#include "recoup/reconcile/expectation_findings.hpp"

namespace recoup::detail {

// How it stands with one key.
class expectation_instance {
 public:
  static constexpr std::uint32_t most_early = (1U << 25) - 1;
  static constexpr std::uint32_t unused = 64;  // the one bit that is left to whoever keeps it

  constexpr expectation_instance() = default;  // nothing is known of it
  constexpr expectation_instance(expectation_state s, std::size_t step, timestamp at) noexcept
      : since(at), bits_(static_cast<std::uint32_t>(s) | static_cast<std::uint32_t>(step) << 2U) {}
  constexpr expectation_instance(timestamp at, std::uint32_t bits) noexcept : since(at), bits_(bits) {}

  timestamp since{};

  constexpr bool is_known() const noexcept { return bits_ != nothing; }
  constexpr bool is(expectation_state s) const noexcept { return (bits_ & 3U) == static_cast<std::uint32_t>(s); }
  constexpr expectation_state state() const noexcept { return static_cast<expectation_state>(bits_ & 3U); }
  constexpr std::uint32_t step() const noexcept { return bits_ >> 2U & 15U; }
  // When the event of the step after this one came, as the pattern marks it; 0 if it has not come.
  constexpr std::uint32_t early() const noexcept { return bits_ >> 7U; }
  constexpr void set_early(std::uint32_t mark) noexcept { bits_ = (bits_ & 127U) | mark << 7U; }
  constexpr std::uint32_t bits() const noexcept { return bits_; }

  bool operator==(const expectation_instance&) const = default;

  void save(snapshot_writer& w) const {
    w.time(since);
    w.u32(bits_);
  }
  bool load(snapshot_reader& r) {
    since = r.time();
    bits_ = r.u32();
    return r.ok();
  }

 private:
  static constexpr std::uint32_t nothing = 3;

  std::uint32_t bits_ = nothing;
};

// What an event brings about: any number of these.
enum expectation_effect : std::uint32_t {
  opened = 1,
  fulfilled = 2,
  cancelled = 4,
  restarted = 8,
  violated = 16,
  was_overdue = 32,  // time had passed that nobody had told yet
  retracted = 64,
  unclaimed = 128,
};

// How it stands with a key after an event, and what is to be counted and told.
struct expectation_change {
  expectation_instance after;
  timestamp since{};       // of what is told
  std::uint32_t step = 0;  // of what is told
  std::uint32_t effects = 0;

  bool has(std::uint32_t any_of) const noexcept { return (effects & any_of) != 0; }

  void add_to(expectation_counts& counts) const noexcept {
    if (effects == opened) {
      ++counts.opened;
    } else if (effects == fulfilled) {
      ++counts.fulfilled;
    } else {
      counts.opened += has(opened);
      counts.fulfilled += has(fulfilled);
      counts.cancelled += has(cancelled);
      counts.restarted += has(restarted);
      counts.violated += has(violated);
      counts.overdue += has(was_overdue);
      counts.retracted += has(retracted);
      counts.unclaimed += has(unclaimed);
    }
  }
};

}  // namespace recoup::detail
