// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "recoup/core/snapshot_bytes.hpp"

namespace recoup {

/// What became of expectations: for counters, and for a ratio such as fulfilled / opened.
struct expectation_counts {
  std::uint64_t opened = 0;     ///< = fulfilled + cancelled + restarted + violated + evicted + overdue - retracted and
                                ///< those that are open
  std::uint64_t fulfilled = 0;  ///< the last step came, if late; or did not come, where it is an absence
  std::uint64_t cancelled = 0;
  std::uint64_t restarted = 0;  ///< opened again before they were fulfilled
  std::uint64_t violated = 0;   ///< told as forbidden_arrival
  std::uint64_t evicted = 0;    ///< open ones that had to go
  std::uint64_t overdue = 0;    ///< told
  std::uint64_t retracted = 0;  ///< overdue ones whose step came after all
  std::uint64_t forgotten = 0;  ///< overdue ones and early events that had to go before their time
  std::uint64_t unclaimed = 0;  ///< early events whose opening did not come

  /// f(name, value), in the order above.
  template <class F>
  void for_each(F&& f) const {
    visit(*this, f);
  }
  /// Whether they add up with so many that are open.
  [[nodiscard]] bool add_up(std::uint64_t open) const noexcept {
    return opened + retracted == fulfilled + cancelled + restarted + violated + evicted + overdue + open;
  }

  void save(snapshot_writer& w) const {
    visit(*this, [&](const char*, std::uint64_t n) { w.u64(n); });
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    visit(*this, [&](const char*, std::uint64_t& n) { n = r.u64(); });
    return r.ok();
  }
  friend bool operator==(const expectation_counts&, const expectation_counts&) = default;

 private:
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("opened", self.opened);
    f("fulfilled", self.fulfilled);
    f("cancelled", self.cancelled);
    f("restarted", self.restarted);
    f("violated", self.violated);
    f("evicted", self.evicted);
    f("overdue", self.overdue);
    f("retracted", self.retracted);
    f("forgotten", self.forgotten);
    f("unclaimed", self.unclaimed);
  }
};

}  // namespace recoup
