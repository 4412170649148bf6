// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <recoup/core/time.hpp>
#include <recoup/pipeline/verdict.hpp>
#include <recoup/recovery/findings.hpp>
#include <variant>
#include <vector>

#include "event.hpp"
#include "faults.hpp"

namespace payments {

/// Where a look-up goes: the queue's targets.
enum class system_of_record : std::uint8_t { provider, replica, crm, rates };

/// What is to be looked up, and why.
struct look_up {
  std::uint64_t id = 0;
  system_of_record where = system_of_record::provider;
  std::uint8_t urgency = 0;
  std::uint64_t mark = 0;  // of in_flight: nobody else looks the same up meanwhile
};

// What happens in the simulation, each at its time.
struct journey_begins {};
struct event_happens {
  event e;
  fault f;
};
struct delivery {
  event e;
  recoup::origin from;
};
struct answer {
  recoup::recovery_id work;
  bool is_up;
  std::optional<event> record;  // as it should be; nothing if it never was
};
struct decision {
  std::uint64_t correction;
};
struct proposal {  // a correction comes in: new, again, or after it was rolled back
  event original;
  event corrected;
};
struct tick {};
struct application {  // a correction is sent into the pipeline again
  std::uint64_t correction;
  event corrected;
  std::uint32_t attempt;
};

using happening =
    std::variant<journey_begins, event_happens, delivery, charge, answer, decision, proposal, application, tick>;

/// What is to happen, by time; what is at the same time in the order in which it was put in.
class agenda {
 public:
  void put(recoup::timestamp at, happening what) { queue_.push({at, next_++, std::move(what)}); }
  [[nodiscard]] bool empty() const { return queue_.empty(); }
  struct entry {
    recoup::timestamp at;
    std::uint64_t order;
    happening what;
    friend bool operator>(const entry& a, const entry& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }
  };
  entry take() {
    entry first = queue_.top();
    queue_.pop();
    return first;
  }

 private:
  std::priority_queue<entry, std::vector<entry>, std::greater<>> queue_;
  std::uint64_t next_ = 0;
};

}  // namespace payments
