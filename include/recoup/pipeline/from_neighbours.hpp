// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/frequent_values.hpp"
#include "recoup/reconcile/neighbours.hpp"

/// How a missing event's fields are made up, one filler a field. A filler is a callable of (Event& draft, const
/// neighbours<Event>&), for instance a lambda; it may have `learn(event)` to learn from events that were accepted.

namespace recoup {

namespace detail {

template <class Projection>
struct midpoint_filler {
  Projection field;

  template <class Event>
  void operator()(Event& draft, const neighbours<Event>& n) const {
    static_assert(std::is_lvalue_reference_v<decltype(detail::project(field, draft))>,
                  "recoup: midpoint(field) must be able to write the field: name it by a member pointer");
    const auto* before = detail::present(detail::project(field, n.before));
    const auto* after = detail::present(detail::project(field, n.after));
    if (before == nullptr || after == nullptr) return;
    detail::project(field, draft) =
        interpolate(*before, *after, n.sequence - n.before_sequence, n.after_sequence - n.before_sequence);
  }
};

template <class Event, class Projection>
class most_frequent_filler {
  using value = projected<Projection, Event>;

 public:
  most_frequent_filler(Projection field, std::size_t capacity) : field_(std::move(field)), values_(capacity) {}

  void operator()(Event& draft, const neighbours<Event>&) const {
    static_assert(std::is_lvalue_reference_v<decltype(detail::project(field_, draft))>,
                  "recoup: most_frequent(field) must be able to write the field: name it by a member pointer");
    if (auto top = values_.top()) detail::project(field_, draft) = *std::move(top);
  }
  void learn(const Event& e) { values_.learn(detail::project(field_, e)); }

  std::uint64_t configuration() const noexcept { return values_.configuration(); }
  most_frequent_filler empty_copy() const { return {field_, values_.empty_copy()}; }
  void save(snapshot_writer& w) const { values_.save(w); }
  bool load(snapshot_reader& r) { return values_.load(r); }

 private:
  most_frequent_filler(Projection field, frequent_values<value> values)
      : field_(std::move(field)), values_(std::move(values)) {}

  Projection field_;
  frequent_values<value> values_;
};

template <class Projection>
struct most_frequent_description {
  Projection field;
  std::size_t capacity;

  template <class Event>
  auto bind() && {
    return most_frequent_filler<Event, Projection>(std::move(field), capacity);
  }
};

// All fillers of an event, as one.
template <class Event, class... Fillers>
class filler_set {
  static_assert((std::is_invocable_v<const Fillers&, Event&, const neighbours<Event>&> && ...),
                "recoup: from_neighbours(...) takes callables of (Event& draft, const recoup::neighbours<Event>&)");

  template <class Filler>
  static constexpr bool keeps_what_it_learns = !requires(Filler & f, const Event& e) {
    f.learn(e);
  }
  || requires(Filler& f, const Filler& saved, snapshot_writer& w, snapshot_reader& r) {
    saved.save(w);
    f.load(r);
    saved.empty_copy();
  };
  static_assert(
      (keeps_what_it_learns<Fillers> && ...),
      "recoup: a filler that learns needs save(writer), load(reader) and empty_copy(), or a snapshot would lose "
      "what it learnt");

 public:
  explicit filler_set(Fillers... fillers) : fillers_(std::move(fillers)...) {}

  void fill(Event& draft, const neighbours<Event>& n) const {
    std::apply([&](const auto&... f) { (f(draft, n), ...); }, fillers_);
  }
  void learn(const Event& e) {
    each([&](auto& f) {
      if constexpr (requires { f.learn(e); }) f.learn(e);
    });
  }

  std::uint64_t configuration() const noexcept {
    std::uint64_t all = sizeof...(Fillers);
    each([&](const auto& f) {
      if constexpr (requires { f.configuration(); }) all = combine({all, f.configuration()});
    });
    return all;
  }
  filler_set empty_copy() const {
    const auto empty = [](const auto& f) {
      if constexpr (requires { f.empty_copy(); }) {
        return f.empty_copy();
      } else {
        return f;
      }
    };
    return std::apply([&](const auto&... f) { return filler_set(empty(f)...); }, fillers_);
  }
  void save(snapshot_writer& w) const {
    each([&](const auto& f) {
      if constexpr (requires { f.save(w); }) f.save(w);
    });
  }
  bool load(snapshot_reader& r) {
    bool all = true;
    each([&](auto& f) {
      if constexpr (requires { f.load(r); }) all = all && f.load(r);
    });
    return all;
  }

 private:
  template <class F>
  void each(F&& f) {
    std::apply([&](auto&... filler) { (f(filler), ...); }, fillers_);
  }
  template <class F>
  void each(F&& f) const {
    std::apply([&](const auto&... filler) { (f(filler), ...); }, fillers_);
  }

  std::tuple<Fillers...> fillers_;
};

template <class... Descriptions>
struct filler_set_description {
  std::tuple<Descriptions...> descriptions;

  template <class Event>
  auto bind() && {
    const auto bound = []<class D>(D&& d) {
      if constexpr (requires { std::move(d).template bind<Event>(); }) {
        return std::move(d).template bind<Event>();
      } else {
        return std::move(d);
      }
    };
    return std::apply(
        [&](Descriptions&... d) { return filler_set<Event, decltype(bound(std::move(d)))...>(bound(std::move(d))...); },
        descriptions);
  }
};

}  // namespace detail

/// A time between those of the neighbours, in proportion to the sequence numbers: half-way for a single missing event.
/// Stays empty if a neighbour has none.
template <class Projection>
[[nodiscard]] constexpr auto midpoint(Projection field) {
  return detail::midpoint_filler<Projection>{std::move(field)};
}

/// The most frequent value of the field among the live events accepted so far, of up to `capacity` distinct ones.
template <class Projection>
[[nodiscard]] constexpr auto most_frequent(Projection field, std::size_t capacity = 64) {
  return detail::most_frequent_description<Projection>{std::move(field), capacity};
}

/// from_neighbours(midpoint(&event::at), most_frequent(&event::type), [](event& draft, const auto& n) { ... })
template <class... Fillers>
[[nodiscard]] auto from_neighbours(Fillers... fillers) {
  return detail::filler_set_description<Fillers...>{{std::move(fillers)...}};
}

}  // namespace recoup
