// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/anomaly.hpp"
#include "recoup/pipeline/detail/streams.hpp"
#include "recoup/pipeline/detect.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"

namespace recoup::detail {

template <class Watch, class Key>
struct arrival_finding {
  using type = type_list<>;
};
template <class Watch, class Key>
requires requires { typename Watch::template finding<Key>; }
struct arrival_finding<Watch, Key> {
  using type = type_list<typename Watch::template finding<Key>>;
};

// Takes an event back from the latest of the last `buckets` that forget(time) finds one in. It comes again: what counts
// is that it is not counted twice, in whichever bucket.
template <class Forget>
void take_back_latest(timestamp now, duration bucket, std::size_t buckets, Forget&& forget) {
  for (std::size_t i = 0; i < buckets && !forget(now); ++i) now = saturating_add(now, -bucket);
}

// What detect_rate, detect_ratio and detect_silence have in common: a detector, one for all or one a key, that is told
// of events and judges when time passes. Live events count with which nothing is wrong. The Watch says how:
// note(detector, event, now), take_back(detector, event, now), and advance(detector, now, tell) that calls tell(at,
// value, assessment) for what was judged. Where the arrival of an event has something to tell, the Watch has
// finding<Key>, made of the stage's name, the key and what arrival(detector, now, tell) gives tell(...).
template <class Event, class Key, class Watch>
class watch_stage : public stage_defaults<Event> {
  using watched = typename Watch::detector;

 public:
  static constexpr std::string_view name = Watch::name;
  using key_type = stream_of<Key, Event>;
  using table = table_of<key_type, watched>;
  using arrival_findings = typename arrival_finding<Watch, key_type>::type;
  static constexpr bool takes_right_events = !std::is_same_v<arrival_findings, type_list<>>;
  using findings =
      joined<type_list<anomaly<key_type>>, arrival_findings, type_list_if<table::evicts, detector_evicted<key_type>>>;

  struct hint {
    std::uint32_t hash = 0;
  };
  struct judgement {
    bool counts = false;
    [[no_unique_address]] typename table::place place{};
  };

  watch_stage(std::string_view title, Key key, Watch watch, table detectors, const detect_options& options)
      : title_(title),
        key_(std::move(key)),
        watch_(std::move(watch)),
        detectors_(std::move(detectors)),
        options_(checked(options)) {}

  hint prepare(const Event& e) const { return {detectors_.hash(detail::project(key_, e))}; }
  void prefetch(const hint& h) const noexcept { detectors_.prefetch(h.hash); }

  judgement judge(const Event& e, const hint& h, const context& c) const {
    if (c.from != origin::live || !watch_.concerns(e)) return {};
    return {true, detectors_.locate(detail::project(key_, e), h.hash)};
  }
  verdict outcome(const judgement&) const noexcept { return verdict::accepted; }

  template <class Emit>
  void report(const Event& e, const judgement& j, const context& c, Emit&& emit) const {
    if (!j.counts) return;
    if constexpr (requires { typename Watch::template finding<key_type>; }) {
      watch_.arrival(detectors_.at(j.place), c.now, [&](const auto&... told) {
        emit(typename Watch::template finding<key_type>{title_, detail::make_stream<key_type>(detail::project(key_, e)),
                                                        told...});
      });
    }
    if constexpr (table::evicts) {
      detectors_.tell_victim(j.place, [&](const key_type& k, const watched&) { emit(evicted(k)); });
    }
  }
  void commit(const Event& e, const judgement& j, const context& c, verdict v) {
    if (!j.counts) return;
    watched& detector = detectors_.use(j.place, detail::project(key_, e), c.now);
    if (is_right(v)) {
      watch_.note(detector, e, c.now);
      ++noted_;
    }
    next_due_ = std::min(next_due_, detector.due());
  }

  bool forget(const Event& e, const context& c) {
    if (c.from != origin::live || !watch_.concerns(e)) return true;
    watched* const detector = detectors_.find(detail::project(key_, e));
    if (detector == nullptr) return false;
    watch_.take_back(*detector, e, c.now);
    next_due_ = std::min(next_due_, detector->due());
    return true;
  }

  // Looks at the detectors only when the first of them is due, or time goes back.
  template <class Emit>
  void advance(timestamp now, Emit&& emit) {
    if (now >= next_due_ || now < last_advance_) {
      timestamp next = timestamp::max();
      detectors_.for_each([&](const key_type& key, watched& detector) {
        watch_.advance(detector, now, [&](timestamp at, double value, const assessment& a) {
          if (a.score < options_.score) return;
          emit(anomaly<key_type>{title_, key, at, value, a});
          ++anomalies_;
        });
        next = std::min(next, detector.due());
      });
      next_due_ = next;
    }
    last_advance_ = now;
    if constexpr (table::evicts) {
      detectors_.advance(now, [&](const key_type& k, const watched&) { emit(evicted(k)); });
    }
  }

  template <class F>
  void for_each_counter(F&& f) const {
    f("noted", noted_);
    f("anomalies", anomalies_);
    if constexpr (table::evicts) f("detectors", std::uint64_t{detectors_.size()});
  }

  const watched& detector() const noexcept requires(!table::evicts) { return *detectors_.find(only_stream{}); }
  /// The detector of a key, null where it has none.
  template <class K>
  const watched* detector(const K& key) const requires(table::evicts) {
    return detectors_.find(key);
  }

  std::uint64_t configuration() const noexcept { return detectors_.configuration(); }
  void save(snapshot_writer& w) const {
    w.u64(noted_);
    w.u64(anomalies_);
    w.time(last_advance_);
    detectors_.save(w);
  }
  bool load(snapshot_reader& r) {
    noted_ = r.u64();
    anomalies_ = r.u64();
    last_advance_ = r.time();
    if (!detectors_.load(r) || !r.ok()) return false;
    next_due_ = timestamp::max();
    detectors_.for_each([&](const auto&, const watched& d) { next_due_ = std::min(next_due_, d.due()); });
    return true;
  }
  watch_stage empty_copy() const { return {title_, key_, watch_, detectors_.empty_copy(), options_}; }

 private:
  detector_evicted<key_type> evicted(const key_type& key) const { return {title_, key}; }

  std::string_view title_;
  Key key_;
  Watch watch_;
  table detectors_;
  detect_options options_;
  timestamp next_due_ = timestamp::min();
  timestamp last_advance_ = timestamp::min();
  std::uint64_t noted_ = 0;
  std::uint64_t anomalies_ = 0;
};

template <class Key, class Watch>
struct watch_description {
  std::string_view title;
  Key key;
  Watch watch;
  typename Watch::detector detector;
  detect_options options;
  keyed_options keys;

  template <class Event>
  auto bind() && {
    using stage = watch_stage<Event, Key, Watch>;
    return stage(title, std::move(key), std::move(watch), typename stage::table(keys, std::move(detector)), options);
  }
};

}  // namespace recoup::detail
