// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/pipeline/key.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"

namespace recoup {

/// Tells events apart from their repetitions: the verdict is duplicate if the window remembers the event's key. The key
/// is remembered when the sink has returned from any verdict, so an event that a later stage rejects is rejected once.
/// An event whose key has an absent part (an empty std::optional) is neither judged nor remembered; nor is an inferred
/// one, so that the real event, which may have the same key, is not taken for its repetition.
template <class Event, class Key, class Window>
class deduplicate_stage : public stage_defaults<Event> {
 public:
  static constexpr std::string_view name = "deduplicate";
  using verdicts = type_list<duplicate<Event>>;

  static_assert(
      detail::projection_of<Key, Event>,
      "recoup: the key of deduplicate(key, window) must be a member pointer of this Event, a callable of const "
      "Event&, or recoup::key(...) of several");

  struct hint {
    std::uint32_t hash = 0;
    bool has_key = false;
  };
  struct judgement : Window::judgement {
    bool has_key = false;
  };

  deduplicate_stage(Key key, Window window) : key_(std::move(key)), window_(std::move(window)) {}

  hint prepare(const Event& e) const {
    const auto& key = detail::project(key_, e);
    static_assert(
        fingerprintable<decltype(key)>,
        "recoup: the key of deduplicate(key, window) must be an integer, text, bytes, a time, or an optional, "
        "pair or tuple of these");
    if (!detail::is_complete(key)) return {};
    return {window_.hash(detail::whole(key)), true};
  }
  void prefetch(const hint& h) const noexcept { window_.prefetch(h.hash); }

  judgement judge(const Event& e, const hint& h, const context& c) const {
    if (!h.has_key || c.from == origin::inferred) return {};
    return {window_.judge(detail::whole(detail::project(key_, e)), h.hash, c.now), true};
  }
  verdict outcome(const judgement& j) const noexcept { return j.is_duplicate ? verdict::duplicate : verdict::accepted; }

  std::vector<reason> explain(const Event&, const judgement& j, const context& c) const {
    const duration since = elapsed(j.first_seen, c.now);
    return {{name, "the key was first seen at " + detail::show(j.first_seen) +
                       (since == duration::zero() ? ", the same time" : ", " + detail::show(since) + " before")}};
  }

  void commit(const Event& e, const judgement& j, const context& c, verdict) noexcept {
    const typename Window::judgement& found = j;
    if (j.has_key) window_.commit(detail::whole(detail::project(key_, e)), found, c.now);
  }

  bool forget(const Event& e, const context& c) {
    if (c.from == origin::inferred) return true;
    const auto& key = detail::project(key_, e);
    return !detail::is_complete(key) || window_.forget(detail::whole(key));
  }

  template <class F>
  void for_each_counter(F&& f) const {
    f("fresh", window_.fresh());
    f("duplicates", window_.duplicates());
    f("evicted_within_age", window_.evicted_within_age());
  }

  const Window& window() const noexcept { return window_; }

  std::uint64_t configuration() const noexcept { return window_.configuration(); }
  void save(snapshot_writer& w) const { window_.save(w); }
  bool load(snapshot_reader& r) { return window_.load(r); }
  deduplicate_stage empty_copy() const { return {key_, window_.empty_copy()}; }

 private:
  Key key_;
  Window window_;
};

namespace detail {
template <class Key, class Window>
struct deduplicate_description {
  Key key;
  Window window;

  template <class Event>
  auto bind() && {
    return deduplicate_stage<Event, Key, Window>(std::move(key), std::move(window));
  }
};
}  // namespace detail

/// deduplicate(key(&payment::id, &payment::revision), exact_window({.events = 1 << 20, .age = 10min}))
template <class Key, class Window>
[[nodiscard]] auto deduplicate(Key key, Window window) {
  return detail::deduplicate_description<Key, Window>{std::move(key), std::move(window)};
}

}  // namespace recoup
