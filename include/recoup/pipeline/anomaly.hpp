// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/time.hpp"
#include "recoup/sequence/findings.hpp"

/// What the stages detect, detect_rate, detect_ratio and detect_silence tell. The structs refer to the stage: copy out
/// of them what is to outlive the call of the sink.

namespace recoup {

namespace detail {
inline std::string describe(double value, const assessment& a) {
  constexpr int digits = 6;  // who reads wants no more
  const auto show_rounded = [](double number) { return detail::show_rounded(number, digits); };
  std::string text = show_rounded(value);
  text += a.side == side::above ? " is above" : a.side == side::below ? " is below" : " is unlike";
  text += " what is usual, " + show_rounded(a.lower) + " to " + show_rounded(a.upper) + ", expected " +
          show_rounded(a.expected) + "; score " + show_rounded(a.score);
  if (!a.part.empty()) text.append(" by its ").append(a.part);
  return text;
}
}  // namespace detail

/// Something unusual: an event's value, the count of a bucket, a ratio, a silence (its value in seconds).
template <class Key = only_stream>
struct anomaly {
  std::string_view name;  ///< of the stage, as in detect("revenue", ...)
  Key key;
  timestamp at;  ///< of the event, or where the bucket began
  double value;
  assessment assessed;

  [[nodiscard]] std::string why() const { return std::string(name) + ": " + detail::describe(value, assessed); }
};

/// A silence that was told as anomaly has ended, by the event whose verdict follows.
template <class Key = only_stream>
struct silence_over {
  std::string_view name;
  Key key;
  timestamp since;
  timestamp until;
};

/// What was learnt of a key was dropped, since it was idle or others needed its place: its detector begins anew.
template <class Key>
struct detector_evicted {
  std::string_view name;
  Key key;
};

}  // namespace recoup
