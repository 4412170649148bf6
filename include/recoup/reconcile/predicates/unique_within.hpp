// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/key_encoding.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/detail/show.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/field.hpp"

namespace recoup {

namespace detail {

// "(\"anna\", \"SPRING\")"
template <class Key>
std::string show_key(const Key& key) {
  if constexpr (requires { std::tuple_size<Key>::value; }) {
    const auto list = [](const auto&... part) {
      std::string text;
      ((text += (text.empty() ? "(" : ", ") + detail::show(part)), ...);
      return text + ')';
    };
    return std::apply(list, key);
  } else {
    return detail::show(key);
  }
}

template <class Key, class Window>
class uniqueness {
 public:
  constexpr uniqueness(Key key, Window window) : key_(std::move(key)), window_(std::move(window)) {}

  template <class Event>
  requires projection_of<Key, Event>
  bool operator()(const Event& event, timestamp now) const {
    const auto& key = detail::project(key_, event);
    check<std::remove_cvref_t<decltype(key)>>();
    return !detail::names_something(key) || !window_.judge(detail::whole(key), now).is_duplicate;
  }

  template <class Event>
  std::string explain(const Event& event, timestamp now) const {
    const auto& key = detail::project(key_, event);
    if (!detail::names_something(key)) return field_name(key_) + " is absent";
    const auto judged = window_.judge(detail::whole(key), now);
    const std::string text = field_name(key_) + ' ' + detail::show_key(detail::whole(key));
    if (!judged.is_duplicate) return text + " is new";
    if constexpr (requires { judged.first_seen; }) {
      return text + " was first seen at " + detail::show(judged.first_seen);
    } else {
      return text + " has been seen before";
    }
  }

  template <class Event>
  void commit(const Event& event, timestamp now) {
    const auto& key = detail::project(key_, event);
    if (!detail::names_something(key)) return;
    const auto& whole = detail::whole(key);
    window_.commit(whole, window_.judge(whole, now), now);
  }
  /// The key is new again, also if it had been seen more than once.
  template <class Event>
  bool forget(const Event& event, [[maybe_unused]] timestamp now) {
    const auto& key = detail::project(key_, event);
    if (!detail::names_something(key)) return true;
    if constexpr (requires { window_.forget(detail::whole(key), now); }) {
      return window_.forget(detail::whole(key), now);
    } else {
      return window_.forget(detail::whole(key));
    }
  }

  [[nodiscard]] const Window& window() const noexcept { return window_; }
  /// Keys that had to make room while within their age.
  [[nodiscard]] std::uint64_t evicted() const noexcept {
    if constexpr (requires { window_.evicted_within_age(); }) return window_.evicted_within_age();
    return 0;
  }
  [[nodiscard]] std::uint64_t configuration() const { return window_.configuration(); }
  [[nodiscard]] uniqueness empty_copy() const { return uniqueness(key_, window_.empty_copy()); }
  void save(snapshot_writer& w) const { window_.save(w); }
  [[nodiscard]] bool load(snapshot_reader& r) { return window_.load(r); }

 private:
  template <class K>
  static constexpr void check() {
    static_assert(is_key<K>,
                  "recoup: the key of unique_within(key, window) must be an integer, text, bytes, a time, or an "
                  "optional, pair or tuple of these");
  }

  [[no_unique_address]] Key key_;
  Window window_;
};

}  // namespace detail

/// The key has not come before, as far back as the window remembers: a discount code issued twice to one user is
/// unique_within(key(&issue::user, &issue::code), exact_window({.events = 100'000, .age = 24h})). Any window of dedup/
/// will do. An incomplete key passes and is not remembered. Remembers events, see remembering.
///
/// An event that is delivered again repeats its own key: put deduplicate in front. Cost: a look-up in the window to
/// judge, another to commit.
template <class Key, class Window>
[[nodiscard]] constexpr auto unique_within(Key key, Window window) {
  static_assert(
      requires {
        typename Window::hash_type;
        typename Window::judgement;
      },
      "recoup: the window of unique_within(key, window) must be one of recoup/dedup/, such as recoup::exact_window");
  return detail::uniqueness<Key, Window>(std::move(key), std::move(window));
}

}  // namespace recoup
