// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <recoup/recoup.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "reader.hpp"
#include "settings.hpp"

namespace recover {

// What may be unusual, and what its stage is called, which is what anomaly::why() begins with.
enum class unusual : std::uint8_t { volume, silence, ratio };
inline constexpr std::array<std::string_view, 3> unusual_names{"volume", "silence", "ratio"};
inline constexpr std::array<std::string_view, 3> unusual_titles{"events in a bucket", "seconds of silence", "ratio"};

namespace detail {

struct has_type {
  std::string wanted;
  bool operator()(const record& r) const { return r.type == wanted; }
};

template <class Stage>
auto alone(Stage stage) {
  return recoup::assemble<record>(std::move(stage));
}

}  // namespace detail

// Looks for what is unusual among the events that the pipeline accepts. Each kind that is asked for is a pipeline of
// one stage, fed beside the one that recovers: so that one remains what it is, and the kinds need no combinations.
//
// Memory: 4 MB for each kind that looks at every stream by itself, up to 4,096 of them; else 2 kB.
class watchers {
 public:
  explicit watchers(const settings& s)
      : bucket_(s.volume.value_or(std::chrono::minutes(5))), has_buckets_(s.volume || s.ratio) {
    const recoup::detect_options told{.score = s.anomaly_score};
    if (s.volume) {
      const recoup::rate_detector detector({.counts = {.bucket = bucket_}});
      if (s.volume_by_stream) {
        volumes_.emplace(
            detail::alone(recoup::detect_rate(title(unusual::volume), &record::stream, detector, told, keys)));
      } else {
        volume_.emplace(detail::alone(recoup::detect_rate(title(unusual::volume), detector, told)));
      }
    }
    if (s.silence) {
      const recoup::silence_detector detector({.score = s.anomaly_score});
      silences_.emplace(
          detail::alone(recoup::detect_silence(title(unusual::silence), &record::stream, detector, keys)));
    }
    if (s.ratio) {
      const recoup::ratio_detector detector({.bucket = bucket_});
      ratio_.emplace(detail::alone(recoup::detect_ratio(title(unusual::ratio), detail::has_type{s.ratio->first},
                                                        detail::has_type{s.ratio->second}, detector, told)));
    }
  }

  // Small steps back in time are passed over: nothing is due then, and each detector would be looked at.
  template <class Sink>
  void advance(recoup::timestamp now, Sink& out) {
    if (now < clock_ && recoup::elapsed(now, clock_) <= longest_pause) return;
    clock_ = now;
    for_each([&](auto& watcher) { watcher.advance(now, findings_for(out)); });
  }
  // An event that was accepted.
  template <class Sink>
  void process(const record& r, recoup::timestamp now, Sink& out) {
    late_ += has_buckets_ && now < clock_ && bucket_of(now) < bucket_of(clock_);
    for_each([&](auto& watcher) { watcher.process(r, now, findings_for(out)); });
  }
  // Events that came when the bucket of their time was over, and so are in none.
  std::uint64_t late() const { return late_; }

  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    if (volume_) sum += sizeof(recoup::rate_detector);
    if (volumes_) sum += recoup::keyed<std::string, recoup::rate_detector>::bytes_for(keys.capacity);
    if (silences_) sum += recoup::keyed<std::string, recoup::silence_detector>::bytes_for(keys.capacity);
    if (ratio_) {
      const recoup::ratio_detector& detector = ratio_->stage_at<0>().detector();
      sum += sizeof(detector) + recoup::ratio_detector::bytes_for(detector.options());
    }
    return sum;
  }

 private:
  static constexpr recoup::keyed_options keys{};
  static constexpr recoup::duration longest_pause = std::chrono::hours(24);

  static std::string_view title(unusual of) { return unusual_titles[static_cast<std::size_t>(of)]; }
  std::int64_t bucket_of(recoup::timestamp t) const {
    const std::int64_t at = t.time_since_epoch().count();
    return at / bucket_.count() - (at % bucket_.count() < 0);
  }

  // Its verdict on the event was told by the pipeline that recovers.
  template <class Sink>
  static auto findings_for(Sink& out) {
    return recoup::overloaded{[](const recoup::accepted<record>&) {}, [&out](const auto& finding) { out(finding); }};
  }
  template <class F>
  void for_each(F&& f) {
    if (volume_) f(*volume_);
    if (volumes_) f(*volumes_);
    if (silences_) f(*silences_);
    if (ratio_) f(*ratio_);
  }

  std::optional<decltype(detail::alone(recoup::detect_rate({}, recoup::rate_detector())))> volume_;
  std::optional<decltype(detail::alone(recoup::detect_rate({}, &record::stream, recoup::rate_detector())))> volumes_;
  std::optional<decltype(detail::alone(recoup::detect_silence({}, &record::stream, recoup::silence_detector())))>
      silences_;
  std::optional<decltype(detail::alone(
      recoup::detect_ratio({}, detail::has_type(), detail::has_type(), recoup::ratio_detector())))>
      ratio_;
  recoup::duration bucket_;
  bool has_buckets_;
  std::uint64_t late_ = 0;
  recoup::timestamp clock_ = recoup::timestamp::min();
};

}  // namespace recover
