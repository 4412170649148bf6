// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/project.hpp"
#include "recoup/core/sequence_range.hpp"
#include "recoup/pipeline/detail/sequence_of.hpp"
#include "recoup/sequence/numbering.hpp"

/// Projections for track_gaps(stream, number) where an event's number is not a single field that counts 1, 2, 3. An
/// event whose field is absent has no number.

namespace recoup {

namespace detail {

template <class Previous, class Number>
struct linked_projection {
  Previous previous;
  Number number;

  template <class Event>
  std::optional<linked_number> operator()(const Event& e) const {
    const auto before = detail::sequence_of(detail::project(previous, e), 64);
    const auto here = detail::sequence_of(detail::project(number, e), 64);
    if (!before || !here) return std::nullopt;
    return linked_number{*before, *here};
  }
};

template <class First, class Last>
struct range_projection {
  First first;
  Last last;

  template <class Event>
  std::optional<sequence_range> operator()(const Event& e) const {
    const auto from = detail::sequence_of(detail::project(first, e), 64);
    const auto to = detail::sequence_of(detail::project(last, e), 64);
    if (!from || !to) return std::nullopt;
    return sequence_range{*from, *to};
  }
};

template <class Number>
struct increasing_projection {
  Number number;

  template <class Event>
  std::optional<increasing_number> operator()(const Event& e) const {
    const auto here = detail::sequence_of(detail::project(number, e), 64);
    return here ? std::optional(increasing_number{*here}) : std::nullopt;
  }
};

template <class Number>
struct stepped_projection {
  Number number;
  fixed_step step;

  template <class Event>
  std::optional<std::uint64_t> operator()(const Event& e) const {
    const auto here = detail::sequence_of(detail::project(number, e), 64);
    return here ? step.index_of(*here) : std::nullopt;
  }
};

}  // namespace detail

/// linked(&update::previous, &update::number): see linked_number.
template <class Previous, class Number>
[[nodiscard]] auto linked(Previous previous, Number number) {
  return detail::linked_projection<Previous, Number>{std::move(previous), std::move(number)};
}

/// numbers_from(&packet::first, &packet::last): one event stands for a range of numbers, both ends included.
template <class First, class Last>
[[nodiscard]] auto numbers_from(First first, Last last) {
  return detail::range_projection<First, Last>{std::move(first), std::move(last)};
}

/// increasing(&record::position): see increasing_number.
template <class Number>
[[nodiscard]] auto increasing(Number number) {
  return detail::increasing_projection<Number>{std::move(number)};
}

/// stepped(&sample::number, fixed_step(10)): see fixed_step. Gaps are told in indices.
template <class Number>
[[nodiscard]] auto stepped(Number number, fixed_step step) {
  return detail::stepped_projection<Number>{std::move(number), step};
}

}  // namespace recoup
