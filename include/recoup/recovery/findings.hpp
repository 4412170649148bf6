// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "recoup/core/time.hpp"
#include "recoup/recovery/retry_policy.hpp"

/// What a recovery queue hands out and tells.

namespace recoup {

/// Names an item of a recovery queue, or one attempt at it. Never given twice.
struct recovery_id {
  std::uint64_t number = 0;   ///< of the push, from 1
  std::uint32_t place = 0;    ///< where the queue keeps it
  std::uint32_t attempt = 0;  ///< from 1; 0: the item itself

  friend constexpr bool operator==(const recovery_id&, const recovery_id&) = default;
};

/// Something to do, and by when to report how it went.
template <class Item>
struct recovery_work {
  recovery_id id;         ///< to report with; id.attempt is 1 for the first
  const Item* item;       ///< valid until the item has ended
  std::uint32_t target;   ///< where to do it
  bool is_final;          ///< it will be given up if this fails
  bool is_hedge;          ///< an earlier attempt is still out: the first that succeeds counts
  timestamp lease_until;  ///< after it the attempt counts as failed
};

/// An item has ended without success: store it.
template <class Item>
struct recovery_given_up {
  recovery_id id;  ///< of the last attempt that failed
  const Item& item;
  failure_kind last_failure;
  step_reason reason;
  timestamp pushed;
};

enum class shed_reason : std::uint8_t {
  full,           ///< the queue was, and nothing in it was less urgent
  unknown_target  ///< it was pushed for a target that recovery_queue_options.targets does not have
};

[[nodiscard]] constexpr std::string_view describe(shed_reason reason) {
  return reason == shed_reason::full ? "the queue was full, and nothing in it was less urgent"
                                     : "recovery_queue_options.targets has no target of this number";
}

/// An item has to go untried, or not tried to the end: store it, and push it again when there is room.
template <class Item>
struct recovery_shed {
  recovery_id id;  ///< with the number of attempts made
  const Item& item;
  shed_reason reason;
  std::uint8_t urgency;
  timestamp pushed;
};

/// Another attempt has succeeded, or the item was cancelled: this one, which is still out, can be broken off.
template <class Item>
struct attempt_superseded {
  recovery_id id;
  const Item& item;
  std::uint32_t target;
};

/// What became of a report.
enum class report_answer : std::uint8_t {
  taken,  ///< it was expected
  late,   ///< a success after its lease was taken back: it counts, and the item will not be handed out again
  stale,  ///< the item has ended, or the attempt has: nothing has changed
};
[[nodiscard]] constexpr std::string_view name_of(report_answer a) {
  constexpr std::array<std::string_view, 3> names{"taken", "late", "stale"};
  return names[static_cast<std::size_t>(a)];
}

}  // namespace recoup
