// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/keyed.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/window.hpp"
#include "recoup/pipeline/detail/streams.hpp"
#include "recoup/pipeline/findings.hpp"
#include "recoup/pipeline/key.hpp"
#include "recoup/pipeline/stage.hpp"
#include "recoup/pipeline/verdict.hpp"

namespace recoup {

namespace detail {
template <class W>
inline constexpr bool is_window = requires {
  typename W::hash_type;
  typename W::judgement;
};
}  // namespace detail

/// Tells events apart from their repetitions: the verdict is duplicate if the window remembers the event's key. The key
/// is remembered when the sink has returned from any verdict, so an event that a later stage rejects is rejected once.
/// An event whose key is an empty text, or has an absent part (an empty std::optional), is neither judged nor
/// remembered; nor is an inferred one, so that the real event, which may have the same key, is not taken for its
/// repetition.
template <class Event, class Space, class Key, class Window>
class deduplicate_stage : public stage_defaults<Event> {
 public:
  static constexpr std::string_view name = "deduplicate";
  using verdicts = type_list<duplicate<Event>>;

  static_assert(
      detail::is_window<Window>,
      "recoup: the window of deduplicate(key, window) must be one of recoup/dedup/, such as recoup::exact_window");
  static_assert(
      detail::projection_of<Key, Event>,
      "recoup: the key of deduplicate(key, window) must be a member pointer of this Event, a callable of const "
      "Event&, or recoup::key(...) of several");
  static_assert(
      detail::projection_of<Space, Event>,
      "recoup: the space of deduplicate(space, key, window) must be a member pointer of this Event or a callable of "
      "const Event&");

  using space_type = detail::stream_of<Space, Event>;
  using table = detail::table_of<space_type, Window>;
  using findings = detail::type_list_if<table::evicts, window_evicted<space_type>>;

  struct hint {
    typename Window::hash_type hash{};
    bool has_key = false;
    std::uint32_t space = 0;
  };
  struct judgement : Window::judgement {
    bool has_key = false;
    [[no_unique_address]] typename table::place place{};
  };

  deduplicate_stage(Space space, Key key, table windows)
      : space_(std::move(space)), key_(std::move(key)), windows_(std::move(windows)) {}

  hint prepare(const Event& e) const {
    const auto& key = detail::project(key_, e);
    static_assert(
        fingerprintable<decltype(key)>,
        "recoup: the key of deduplicate(key, window) must be an integer, text, bytes, a time, or an optional, "
        "pair or tuple of these");
    if (!detail::names_something(key)) return {};
    return {prototype().hash(detail::whole(key)), true, windows_.hash(detail::project(space_, e))};
  }
  void prefetch(const hint& h) const noexcept {
    if constexpr (table::evicts) {
      windows_.prefetch(h.space);
    } else {
      prototype().prefetch(h.hash);
    }
  }

  [[gnu::always_inline]] judgement judge(const Event& e, const hint& h, const context& c) const {
    if (!h.has_key || c.from == origin::inferred) return {};
    const auto place = windows_.locate(detail::project(space_, e), h.space);
    return {windows_.at(place).judge(detail::whole(detail::project(key_, e)), h.hash, c.now), true, place};
  }
  verdict outcome(const judgement& j) const noexcept { return j.is_duplicate ? verdict::duplicate : verdict::accepted; }

  std::vector<reason> explain(const Event&, const judgement& j, const context& c) const {
    return {{name, text_of(j, c.now)}};
  }

  template <class Emit>
  void report(const Event&, const judgement& j, const context&, Emit&& emit) const {
    if constexpr (table::evicts) {
      if (!j.has_key) return;
      windows_.tell_victim(j.place, [&](const space_type& space, const Window&) { emit(evicted(space)); });
    }
  }
  void commit(const Event& e, const judgement& j, const context& c, verdict) noexcept(!table::evicts) {
    const typename Window::judgement& found = j;
    if (!j.has_key) return;
    Window& window = windows_.use(j.place, detail::project(space_, e), c.now);
    window.commit(detail::whole(detail::project(key_, e)), found, c.now);
  }

  bool forget(const Event& e, const context& c) {
    if (c.from == origin::inferred) return true;
    const auto& key = detail::project(key_, e);
    if (!detail::names_something(key)) return true;
    Window* const window = windows_.find(detail::project(space_, e));
    if (!window) return false;
    if constexpr (requires { window->forget(detail::whole(key), c.now); }) {
      return window->forget(detail::whole(key), c.now);  // where the time is a part of the key
    } else {
      return window->forget(detail::whole(key));
    }
  }

  template <class Emit>
  void advance([[maybe_unused]] timestamp now, [[maybe_unused]] Emit&& emit) {
    if constexpr (table::evicts) {
      windows_.advance(now, [&](const space_type& space, const Window&) { emit(evicted(space)); });
    }
  }

  template <class F>
  void for_each_counter(F&& f) const {
    f("fresh", sum([](const Window& w) { return w.fresh(); }));
    f("duplicates", sum([](const Window& w) { return w.duplicates(); }));
    f("evicted_within_age", sum([](const Window& w) { return w.evicted_within_age(); }));
    if constexpr (table::evicts) f("windows", std::uint64_t{windows_.size()});
  }

  const Window& window() const noexcept requires(!table::evicts) { return *windows_.find(only_stream{}); }
  /// The window of a key space, null where it has none.
  template <class S>
  const Window* window(const S& space) const requires(table::evicts) {
    return windows_.find(space);
  }

  std::uint64_t configuration() const noexcept { return windows_.configuration(); }
  void save(snapshot_writer& w) const { windows_.save(w); }
  bool load(snapshot_reader& r) { return windows_.load(r); }
  deduplicate_stage empty_copy() const { return {space_, key_, windows_.empty_copy()}; }

 private:
  // One that hashes as all do.
  const Window& prototype() const noexcept { return windows_.at({}); }

  template <class F>
  std::uint64_t sum(F&& of) const {
    std::uint64_t all = 0;
    windows_.for_each([&](const auto&, const Window& w) { all += of(w); });
    return all;
  }

  static auto evicted(const space_type& space) { return window_evicted<space_type>{space}; }

  std::string text_of(const judgement& j, timestamp now) const {
    if constexpr (requires { j.is_too_old; }) {
      if (j.is_too_old) return "the number lies below the window, and counts as seen";
    }
    if constexpr (requires { j.first_seen; }) {
      const duration since = elapsed(j.first_seen, now);
      return "the key was first seen at " + detail::show(j.first_seen) +
             (since == duration::zero() ? ", the same time" : ", " + detail::show(since) + " before");
    } else {
      return "the window remembers the key" + rate();
    }
  }

  std::string rate() const {
    if constexpr (requires { Window::false_positive_rate_for(prototype().options()); }) {
      if (const double part = Window::false_positive_rate_for(prototype().options()); part > 0) {
        return " (of new keys, it takes a part of " + detail::show(part) + " for known ones)";
      }
    }
    return {};
  }

  Space space_;
  Key key_;
  table windows_;
};

namespace detail {
template <class Space, class Key, class Window>
struct deduplicate_description {
  Space space;
  Key key;
  Window window;
  keyed_options spaces;

  template <class Event>
  auto bind() && {
    using stage = deduplicate_stage<Event, Space, Key, Window>;
    return stage(std::move(space), std::move(key), typename stage::table(spaces, std::move(window)));
  }
};
}  // namespace detail

/// deduplicate(key(&payment::id, &payment::revision), exact_window({.events = 1 << 20, .age = 10min}))
///
/// Any window of dedup/ will do.
template <class Key, class Window>
[[nodiscard]] auto deduplicate(Key key, Window window) {
  return detail::deduplicate_description<detail::one_stream, Key, Window>{{}, std::move(key), std::move(window), {}};
}

/// deduplicate(&order::tenant, &order::id, exact_window({.events = 10'000}), {.capacity = 500})
///
/// A window for each key space, a copy of the one given, so that the keys of one do not drive out those of another. A
/// space's first event allocates its window. Where there are more spaces than `spaces.capacity`, or one is idle for too
/// long, its window goes, and its keys are new again: window_evicted tells.
template <class Space, class Key, class Window>
[[nodiscard]] auto deduplicate(Space space, Key key, Window window, keyed_options spaces = {}) {
  return detail::deduplicate_description<Space, Key, Window>{std::move(space), std::move(key), std::move(window),
                                                             spaces};
}

}  // namespace recoup
