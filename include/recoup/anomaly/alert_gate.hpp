// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct alert_gate_options {
  double fire = 10;                                           ///< from this score on a sample is high; above 0
  double clear = 5;                                           ///< below this one it is low: at most `fire`, above 0
  double escalate = std::numeric_limits<double>::infinity();  ///< at least `fire`; infinity: only an infinite score
  std::uint32_t samples_high = 1;                             ///< in a row that raise an alert, at least 1
  duration time_high{};                                       ///< and from the first to the last of them
  std::uint32_t samples_low = 1;                              ///< in a row that clear it, at least 1
  duration time_low{};                                        ///< and from the first to the last of them
  duration longest_silence = duration::max();                 ///< without a sample, after which an alert is cleared
};

/// Something unusual from its first sample to its last.
struct alert {
  timestamp start{};                  ///< of the first high sample of the row that raised it
  timestamp peak_at{};                ///< of the highest score, the first if there are several
  timestamp last{};                   ///< of the latest sample that was not low
  timestamp end{};                    ///< when it was cleared; until then that of the latest sample
  double peak = 0;                    ///< the highest score
  std::uint32_t samples = 0;          ///< from the start on, low ones too; stays at 2^32 - 1
  recoup::side side = side::neither;  ///< at the peak
  bool is_escalated = false;

  [[nodiscard]] constexpr bool operator==(const alert&) const = default;
};

enum class alert_change : std::uint8_t { nothing, raised, escalated, cleared };
[[nodiscard]] constexpr std::string_view name_of(alert_change c) {
  constexpr std::array<std::string_view, 4> names{"nothing", "raised", "escalated", "cleared"};
  return names[static_cast<std::size_t>(c)];
}

/// Makes alerts of scores: hold-down (one high sample is no alert yet, one low one no end), hysteresis between `fire`
/// and `clear`, and escalation, once an alert. Apart from scoring, so that every detector's alerts are alike. A gate
/// has at most one alert; for one a key: keyed<Key, alert_gate>. Give it every score of a detector: one that hears high
/// ones alone, as the stage `detect` tells them, is cleared by longest_silence only.
///
/// A sample between `clear` and `fire` ends a row of high samples, and one of low ones. An alert whose peak is at
/// `escalate` when it is raised is raised as escalated. Scores that are NaN are passed over. Where time goes back
/// inside a row, the row is as old as its earliest sample.
/// Cost: O(1), some comparisons. Bytes: 136, of which 64 are options; nothing on the heap.
class alert_gate {
  struct state {
    alert open;             // is_open: the alert; else, where row > 0, what may become one
    timestamp row_since{};  // of the earliest sample of the row
    timestamp latest{};     // of the latest sample
    std::uint32_t row = 0;  // samples: high ones until there is an alert, then low ones
    bool is_open = false;
  };

 public:
  struct judgement {
    alert_change change = alert_change::nothing;
    recoup::alert alert;  ///< as it is after the sample; of no meaning where there is none
    state after;
  };

  alert_gate() : alert_gate(alert_gate_options()) {}
  explicit alert_gate(const alert_gate_options& options) : options_(checked(options)) {}

  /// What the sample does to the alert; changes nothing. Valid until the gate next changes.
  [[nodiscard]] judgement judge(timestamp at, double score, side where = side::neither) const noexcept {
    if (score != score) return {alert_change::nothing, now_.open, now_};  // NaN
    return now_.is_open ? judge_open(at, score, where) : judge_closed(at, score, where);
  }
  [[nodiscard]] judgement judge(timestamp at, const assessment& a) const noexcept { return judge(at, a.score, a.side); }
  void commit(const judgement& j) noexcept { now_ = j.after; }
  judgement observe(timestamp at, double score, side where = side::neither) noexcept {
    const judgement j = judge(at, score, where);
    commit(j);
    return j;
  }
  judgement observe(timestamp at, const assessment& a) noexcept { return observe(at, a.score, a.side); }

  /// Clears an alert that has had no sample for longest_silence: told(alert). If told throws, it is told again by the
  /// next advance. A sample that comes before that belongs to the alert, however late it is.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    if (!is_silent(now)) return;
    alert ended = now_.open;
    ended.end = now;
    told(ended);
    now_ = {};
  }
  /// When advance will clear the alert, if no sample comes.
  [[nodiscard]] timestamp due() const noexcept {
    return now_.is_open ? saturating_add(now_.latest, options_.longest_silence) : timestamp::max();
  }

  [[nodiscard]] bool is_open() const noexcept { return now_.is_open; }
  /// The alert as far as it has come, if is_open.
  [[nodiscard]] const alert& open() const noexcept { return now_.open; }
  [[nodiscard]] const alert_gate_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const auto& o = options_;
    return detail::combine({section_tag("ALRT"), std::bit_cast<std::uint64_t>(o.fire),
                            std::bit_cast<std::uint64_t>(o.clear), std::bit_cast<std::uint64_t>(o.escalate),
                            o.samples_high, detail::option(o.time_high), o.samples_low, detail::option(o.time_low),
                            detail::option(o.longest_silence)});
  }
  [[nodiscard]] alert_gate empty_copy() const { return alert_gate(options_); }

  void save(snapshot_writer& w) const {
    w.u32(now_.row);
    w.boolean(now_.is_open);
    if (is_idle()) return;
    for (const timestamp t : {now_.row_since, now_.latest, now_.open.start, now_.open.peak_at, now_.open.last})
      w.time(t);
    w.f64(now_.open.peak);
    w.u32(now_.open.samples);
    w.value(now_.open.side);
    w.boolean(now_.open.is_escalated);
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    alert_gate loaded = empty_copy();
    state& s = loaded.now_;
    s.row = r.u32();
    s.is_open = r.boolean();
    if (!loaded.is_idle()) {
      for (timestamp* t : {&s.row_since, &s.latest, &s.open.start, &s.open.peak_at, &s.open.last}) *t = r.time();
      s.open.end = s.latest;
      s.open.peak = r.f64();
      s.open.samples = r.u32();
      if (!r.value(s.open.side) || s.open.side > side::below) return false;
      s.open.is_escalated = r.boolean();
      if (!(s.open.peak >= options_.fire) || s.open.samples < s.row || s.open.samples == 0) return false;
      if (s.open.is_escalated != (s.is_open && s.open.peak >= options_.escalate)) return false;
    }
    if (!r.ok()) return false;
    *this = loaded;
    return true;
  }

 private:
  static alert_gate_options checked(const alert_gate_options& o) {
    detail::require_option(o.clear > 0, "alert_gate_options.clear must be above 0, or no alert would ever end");
    detail::require_option(o.fire >= o.clear && o.fire <= std::numeric_limits<double>::max(),
                           "alert_gate_options.fire must be at least clear, and finite; 10 is once in 22,000");
    detail::require_option(o.escalate >= o.fire, "alert_gate_options.escalate must be at least fire");
    detail::require_option(o.samples_high >= 1 && o.samples_low >= 1,
                           "alert_gate_options.samples_high and samples_low must be at least 1");
    detail::require_option(o.time_high >= duration::zero() && o.time_low >= duration::zero(),
                           "alert_gate_options.time_high and time_low must be zero or longer");
    detail::require_option(o.longest_silence > duration::zero(),
                           "alert_gate_options.longest_silence must be longer than zero");
    return o;
  }

  [[nodiscard]] bool is_idle() const noexcept { return !now_.is_open && now_.row == 0; }
  [[nodiscard]] bool is_silent(timestamp now) const noexcept {
    return now_.is_open && options_.longest_silence != duration::max() &&
           elapsed(now_.latest, now) >= options_.longest_silence;
  }

  static void count(std::uint32_t& n) noexcept {
    if (n < std::numeric_limits<std::uint32_t>::max()) ++n;
  }
  // One more sample in the row, which is then long enough or not.
  static bool lengthen(state& s, timestamp at, std::uint32_t samples, duration time) noexcept {
    if (s.row == 0 || at < s.row_since) s.row_since = at;
    count(s.row);
    return s.row >= samples && elapsed(s.row_since, at) >= time;
  }
  static void take_in(alert& a, timestamp at, double score, side where) noexcept {
    if (a.samples == 0 || score > a.peak) {
      a.peak = score;
      a.peak_at = at;
      a.side = where;
    }
    count(a.samples);
    a.end = at;
  }

  [[nodiscard]] judgement judge_closed(timestamp at, double score, side where) const noexcept {
    judgement j;
    if (score < options_.fire) return j;
    const bool goes_on = now_.row > 0 && elapsed(now_.latest, at) <= options_.longest_silence;
    if (goes_on) j.after = now_;
    state& s = j.after;
    s.latest = at;
    const bool raises = lengthen(s, at, options_.samples_high, options_.time_high);
    s.open.start = s.row_since;
    s.open.last = at;
    take_in(s.open, at, score, where);
    if (raises) {
      s.is_open = true;
      s.row = 0;
      s.open.is_escalated = s.open.peak >= options_.escalate;
      j.change = alert_change::raised;
    }
    j.alert = s.open;
    return j;
  }

  [[nodiscard]] judgement judge_open(timestamp at, double score, side where) const noexcept {
    judgement j;
    j.after = now_;
    state& s = j.after;
    s.latest = at;
    take_in(s.open, at, score, where);
    if (score >= options_.clear) {
      s.row = 0;
      s.open.last = at;
      if (!s.open.is_escalated && score >= options_.escalate) {
        s.open.is_escalated = true;
        j.change = alert_change::escalated;
      }
    } else if (lengthen(s, at, options_.samples_low, options_.time_low)) {
      j.change = alert_change::cleared;
    }
    j.alert = s.open;
    if (j.change == alert_change::cleared) s = {};
    return j;
  }

  alert_gate_options options_;
  state now_;
};

static_assert(sizeof(alert_gate) <= 136, "recoup: an alert_gate is to be small, as there is one a key");

}  // namespace recoup
