// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"

/// What expectations tell. Key is the type that names what is waited for (a lead, an order, a device). `step` counts
/// from 0, the one that follows the opening; `since` is the time of the event before it, `due` the last moment at which
/// it is in time: since + within + grace.

namespace recoup {

/// How it stands with a key.
enum class expectation_state : std::uint8_t {
  open,     ///< a step is waited for
  overdue,  ///< a step was told as overdue, and is remembered so that it can be taken back
  early,    ///< the first step's event has come, and its opening is waited for
};

/// A step has not come in time.
template <class Key>
struct overdue {
  std::string_view name;  ///< of the expectation
  Key key;
  std::uint32_t step;
  timestamp since;
  timestamp due;

  [[nodiscard]] std::string why() const {
    return std::string(name) + ": step " + detail::show(step) + " of " + detail::show(key) + " should have come by " +
           detail::show(due) + ", since the event before it came at " + detail::show(since);
  }
};

/// A step has come after it was told as overdue: take that back. What is to follow it is waited for.
template <class Key>
struct overdue_retracted {
  std::string_view name;
  Key key;
  std::uint32_t step;
  timestamp since;
  timestamp due;
  timestamp at;  ///< when it came; in time, but too long on its way, if not after `due`

  [[nodiscard]] std::string why() const {
    return std::string(name) + ": step " + detail::show(step) + " of " + detail::show(key) + ", due by " +
           detail::show(due) + ", came at " + detail::show(at);
  }
};

/// An event has come that must not come so soon: the last step is an absence.
template <class Key>
struct forbidden_arrival {
  std::string_view name;
  Key key;
  std::uint32_t step;
  timestamp since;
  timestamp due;  ///< until when it must not come
  timestamp at;

  [[nodiscard]] std::string why() const {
    return std::string(name) + ": for " + detail::show(key) + " there came at " + detail::show(at) +
           " what must not come until " + detail::show(due);
  }
};

/// The table was full. An open expectation: whether it is fulfilled will never be known. One that is overdue: should
/// its event come after all, nothing will take the overdue back. An early event: its opening will find it missing.
template <class Key>
struct expectation_evicted {
  std::string_view name;
  Key key;
  expectation_state was;
  std::uint32_t step;
  timestamp since;
  timestamp due;  ///< of an overdue one and an early event, until when it would have been remembered

  [[nodiscard]] std::string why() const {
    return std::string(name) + ": the expectation of step " + detail::show(step) + " of " + detail::show(key) +
           ", due by " + detail::show(due) + ", had to go, as the table is full";
  }
};

}  // namespace recoup
