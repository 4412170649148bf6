// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/anomaly/assessment.hpp"
#include "recoup/anomaly/detector.hpp"
#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/anomaly.hpp"
#include "recoup/pipeline/detail/streams.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"
#include "recoup/reconcile/rule.hpp"

namespace recoup {

struct detect_options {
  double score = 10;  ///< from which a value is an anomaly, in nats: 10 is once in 22,000; above 0
};

namespace detail {
inline detect_options checked(detect_options o) {
  require_option(o.score > 0, "detect_options.score must be above 0; 10 is once in 22,000");
  return o;
}
}  // namespace detail

/// Judges a value of every event by a detector, one for all or one a key. An event whose value is absent (an empty
/// std::optional) is passed over. What is unusual is told as anomaly, or held for review.
///
/// The detector learns from live events that the pipeline accepts, and from those that it holds back itself: else what
/// has changed for good would be unusual for ever. What it has learnt, `forget` does not take back.
template <class Event, class Key, class Value, class Detector, class OnAnomaly>
class detect_stage : public stage_defaults<Event> {
 public:
  static_assert(detector<Detector>,
                "recoup: the detector of detect(name, value, detector) must be one of recoup/anomaly/, such as "
                "recoup::value_detector, or fulfil the concept recoup::detector");
  static_assert(
      detail::projection_of<Value, Event>,
      "recoup: the value of detect(name, value, detector) must be a member pointer of this Event or a callable of "
      "const Event&");
  static_assert(
      detail::projection_of<Key, Event>,
      "recoup: the key of detect(name, key, value, detector) must be a member pointer of this Event or a callable of "
      "const Event&");
  static_assert(OnAnomaly::level == severity::flag || OnAnomaly::level == severity::review,
                "recoup: what detect(...) finds unusual can be told (on_fail::flag) or held (on_fail::review)");

  static constexpr std::string_view name = "detect";
  static constexpr bool holds_back = OnAnomaly::level == severity::review;
  using key_type = detail::stream_of<Key, Event>;
  using table = detail::table_of<key_type, Detector>;
  using verdicts = detail::type_list_if<holds_back, review<Event>>;
  using findings = detail::joined<detail::type_list_if<!holds_back, anomaly<key_type>>,
                                  detail::type_list_if<table::evicts, detector_evicted<key_type>>>;

  struct hint {
    std::uint32_t hash = 0;
  };
  struct judgement {
    assessment assessed;
    double value = 0;
    bool has_value = false;
    bool is_anomaly = false;
    verdict before = verdict::accepted;
    [[no_unique_address]] typename table::place place{};
  };

  detect_stage(std::string_view title, Key key, Value value, table detectors, const detect_options& options)
      : title_(title),
        key_(std::move(key)),
        value_(std::move(value)),
        detectors_(std::move(detectors)),
        options_(detail::checked(options)) {}

  hint prepare(const Event& e) const { return {detectors_.hash(detail::project(key_, e))}; }
  void prefetch(const hint& h) const noexcept { detectors_.prefetch(h.hash); }

  judgement judge(const Event& e, const hint& h, const context& c) const {
    judgement j;
    j.before = c.so_far;
    const auto& field = detail::project(value_, e);
    const auto* const present = detail::present(field);
    if (present == nullptr || c.from == origin::inferred) return j;
    static_assert(std::is_arithmetic_v<std::remove_cvref_t<decltype(*present)>>,
                  "recoup: the value of detect(name, value, detector) must be a number, or a std::optional of one");
    j.value = static_cast<double>(*present);
    j.has_value = true;
    j.place = detectors_.locate(detail::project(key_, e), h.hash);
    j.assessed = detectors_.at(j.place).assess(c.now, j.value);
    j.is_anomaly = j.assessed.score >= options_.score;
    return j;
  }
  verdict outcome(const judgement& j) const noexcept {
    return holds_back && j.is_anomaly ? verdict::review : verdict::accepted;
  }

  std::vector<reason> explain(const Event&, const judgement& j, const context&) const {
    return {{title_, detail::describe(j.value, j.assessed)}};
  }

  template <class Emit>
  void report(const Event& e, const judgement& j, const context& c, Emit&& emit) const {
    if (!j.has_value) return;
    if constexpr (table::evicts) {
      if (learns(j, c)) detectors_.tell_victim(j.place, [&](const key_type& k, const Detector&) { emit(evicted(k)); });
    }
    if constexpr (!holds_back) {
      if (!j.is_anomaly) return;
      emit(anomaly<key_type>{title_, key_of(e), c.now, j.value, j.assessed});
    }
  }
  void commit(const Event& e, const judgement& j, const context& c, verdict v) {
    if (!j.has_value) return;
    ++judged_;
    anomalies_ += j.is_anomaly;
    const bool is_own = holds_back && j.is_anomaly && v == verdict::review;
    if (!learns(j, c)) return;
    Detector& detector = detectors_.use(j.place, detail::project(key_, e), c.now);
    if (is_right(v) || is_own) detector.learn(c.now, j.value);
  }

  template <class Emit>
  void advance([[maybe_unused]] timestamp now, [[maybe_unused]] Emit&& emit) {
    if constexpr (table::evicts) {
      detectors_.advance(now, [&](const key_type& k, const Detector&) { emit(evicted(k)); });
    }
  }

  template <class F>
  void for_each_counter(F&& f) const {
    f("judged", judged_);
    f("anomalies", anomalies_);
    std::uint64_t ignored = 0;
    detectors_.for_each([&](const auto&, const Detector& d) { ignored += d.ignored(); });
    f("ignored", ignored);
    if constexpr (table::evicts) f("detectors", std::uint64_t{detectors_.size()});
  }

  const Detector& detector() const noexcept requires(!table::evicts) { return *detectors_.find(only_stream{}); }
  /// The detector of a key, null where it has none.
  template <class K>
  const Detector* detector(const K& key) const requires(table::evicts) {
    return detectors_.find(key);
  }

  std::uint64_t configuration() const noexcept { return detectors_.configuration(); }
  void save(snapshot_writer& w) const {
    w.u64(judged_);
    w.u64(anomalies_);
    detectors_.save(w);
  }
  bool load(snapshot_reader& r) {
    judged_ = r.u64();
    anomalies_ = r.u64();
    return detectors_.load(r) && r.ok();
  }
  detect_stage empty_copy() const { return {title_, key_, value_, detectors_.empty_copy(), options_}; }

 private:
  static bool learns(const judgement& j, const context& c) noexcept {
    return j.has_value && is_right(j.before) && c.from == origin::live;
  }
  key_type key_of(const Event& e) const { return detail::make_stream<key_type>(detail::project(key_, e)); }
  detector_evicted<key_type> evicted(const key_type& key) const { return {title_, key}; }

  std::string_view title_;
  Key key_;
  Value value_;
  table detectors_;
  detect_options options_;
  std::uint64_t judged_ = 0;
  std::uint64_t anomalies_ = 0;
};

namespace detail {
template <class Key, class Value, class Detector, class OnAnomaly>
struct detect_description {
  std::string_view title;
  Key key;
  Value value;
  Detector detector;
  detect_options options;
  keyed_options keys;

  template <class Event>
  auto bind() && {
    using stage = detect_stage<Event, Key, Value, Detector, OnAnomaly>;
    return stage(title, std::move(key), std::move(value), typename stage::table(keys, std::move(detector)), options);
  }
};
}  // namespace detail

/// detect("revenue", &payment::revenue, value_detector())
///
/// Any detector of anomaly/ will do. `name` is not copied: give it a literal. What is unusual is told, unless the last
/// argument is on_fail::review.
template <class Value, detector Detector, class OnAnomaly = on_fail::flag_t>
[[nodiscard]] auto detect(std::string_view name, Value value, Detector detector, detect_options options = {},
                          OnAnomaly /*on_anomaly*/ = {}) {
  return detail::detect_description<detail::one_stream, Value, Detector, OnAnomaly>{
      name, {}, std::move(value), std::move(detector), options, {}};
}

/// detect("temperature", &reading::sensor, &reading::celsius, value_detector(), {}, {.capacity = 100'000})
///
/// A detector for each key, a copy of the one given. Where there are more keys than `keys.capacity`, or one is idle for
/// too long, its detector goes: detector_evicted tells.
template <class Key, class Value, detector Detector, class OnAnomaly = on_fail::flag_t>
[[nodiscard]] auto detect(std::string_view name, Key key, Value value, Detector detector, detect_options options = {},
                          keyed_options keys = {}, OnAnomaly /*on_anomaly*/ = {}) {
  return detail::detect_description<Key, Value, Detector, OnAnomaly>{
      name, std::move(key), std::move(value), std::move(detector), options, keys};
}

}  // namespace recoup
