// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recoup/core/time.hpp"
#include "recoup/reconcile/rule.hpp"

/// What the pipeline decides about an event. The structs refer to the event and to the pipeline: copy out of them what
/// is to outlive the call of the sink.

namespace recoup {

/// Where an event comes from. Only live events begin sequences, open gaps and teach baselines.
enum class origin : std::uint8_t {
  live,        ///< from the source, for the first time or redelivered
  replay,      ///< asked for by a replay request: fills gaps
  correction,  ///< re-injected after a correction: has arrived before under its number
  inferred,    ///< made up from its neighbours
};
[[nodiscard]] constexpr std::string_view name_of(origin o) {
  constexpr std::array<std::string_view, 4> names{"live", "replay", "correction", "inferred"};
  return names[static_cast<std::size_t>(o)];
}

/// Exactly one of these for every event. (32 bits wide, so that what the pipeline knows of an event has no padding and
/// stays in registers.)
enum class verdict : std::uint32_t { accepted, duplicate, dead_letter, review, correction, held, late, refused };
inline constexpr std::size_t verdict_kinds = 8;

[[nodiscard]] constexpr std::string_view name_of(verdict v) {
  constexpr std::array<std::string_view, verdict_kinds> names{"accepted",   "duplicate", "dead_letter", "review",
                                                              "correction", "held",      "late",        "refused"};
  return names[static_cast<std::size_t>(v)];
}

/// Whether nothing is wrong with the event, in its turn or not: accepted, corrected, held or late.
[[nodiscard]] constexpr bool is_right(verdict v) noexcept {
  return v == verdict::accepted || v == verdict::correction || v == verdict::held || v == verdict::late;
}

/// The reasons of a decision, worked out only when asked for.
class explanation {
 public:
  /// Refers to `reasons`, a callable that returns std::vector<reason>.
  template <class Reasons>
  explicit explanation(const Reasons& reasons)
      : source_(&reasons), call_([](const void* source) { return (*static_cast<const Reasons*>(source))(); }) {}

  [[nodiscard]] std::vector<reason> reasons() const { return call_(source_); }

  /// "rule: sentence; rule: sentence"
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const reason& r : reasons()) {
      if (!all.empty()) all += "; ";
      all.append(r.rule).append(": ").append(r.text);
    }
    return all;
  }

 private:
  const void* source_;
  std::vector<reason> (*call_)(const void*);
};

/// The event is right: process it.
template <class Event>
struct accepted {
  const Event& event;
  origin from;
};

/// The event has been here before: don't process it again.
template <class Event>
struct duplicate {
  const Event& event;
  std::optional<timestamp> first_seen;
  explanation because;
  [[nodiscard]] std::string why() const { return because.text(); }
};

/// The event breaks a rule beyond repair.
template <class Event>
struct dead_letter {
  const Event& event;
  explanation because;
  [[nodiscard]] std::string why() const { return because.text(); }
};

/// A person should decide about the event.
template <class Event>
struct review {
  const Event& event;
  explanation because;
  [[nodiscard]] std::string why() const { return because.text(); }
};

/// The event was wrong and could be put right: process `corrected`, keep `original`.
template <class Event>
struct correction {
  const Event& original;
  const Event& corrected;
  explanation because;
  [[nodiscard]] std::string why() const { return because.text(); }
};

/// The event is right, but events before it in its stream are missing: don't process it yet. It is kept, and told as
/// accepted when its turn has come.
template <class Event>
struct held {
  const Event& event;
  const Event& original;  ///< as it came; another object than `event` where a stage corrected it
  explanation because;
  [[nodiscard]] std::string why() const { return because.text(); }
};

/// The event is right, but comes too late to be processed in order, as later ones may have been: process it out of
/// order or put it aside. It has not been processed before, unless that is long ago.
template <class Event>
struct late {
  const Event& event;
  const Event& original;  ///< as it came; another object than `event` where a stage corrected it
  explanation because;
  [[nodiscard]] std::string why() const { return because.text(); }
};

/// There is no room to hold the event until its turn. No stage has taken note of it: give it again later.
template <class Event>
struct refused {
  const Event& event;
  explanation because;
  [[nodiscard]] std::string why() const { return because.text(); }
};

}  // namespace recoup
