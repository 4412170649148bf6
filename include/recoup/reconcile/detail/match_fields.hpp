// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/reconcile/comparers.hpp"
#include "recoup/reconcile/detail/field_judges.hpp"
#include "recoup/reconcile/match_side.hpp"

namespace recoup::detail {

// In what values of a field are added up.
template <class T>
using sum_of = std::conditional_t<std::is_floating_point_v<T>, double,
                                  std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;

// False, and nothing changes, where the sum cannot be told.
template <class T>
bool add_to(T& sum, T value) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    if (!is_finite_number(sum + value)) return false;
    sum += value;
    return true;
  } else {
    T result{};
    if (__builtin_add_overflow(sum, value, &result)) return false;
    sum = result;
    return true;
  }
}

// All comparers of a matcher: the one place where two records are compared, be it to find a candidate or to tell how it
// differs.
template <class... Comparers>
class match_fields {
  static constexpr std::size_t parts = (std::size_t{0} + ... + std::size_t{Comparers::is_in_parts});
  static_assert(parts <= 1,
                "recoup: one comparer of a matcher may be in_parts(...): the records would have to add up "
                "in each");
  static constexpr std::size_t parts_at = [] {
    std::size_t at = 0;
    (void)((Comparers::is_in_parts || (++at, false)) || ...);
    return at;
  }();

 public:
  static constexpr std::size_t size = sizeof...(Comparers);
  static constexpr bool has_parts = parts == 1;
  using differences = std::array<field_difference, size>;

  explicit match_fields(Comparers... comparers) : all_(std::move(comparers)...) {}

  template <class Ours, class Theirs>
  differences compare(const Ours& ours, const Theirs& theirs) const {
    return std::apply([&](const auto&... c) { return differences{c.compare(ours, theirs)...}; }, all_);
  }
  // 0 if all fields are equal, 1 if all agree, else one more than the number of those that disagree.
  static constexpr std::uint32_t rank(const differences& fields) noexcept {
    std::uint32_t disagree = 0;
    bool is_equal = true;
    for (const field_difference& f : fields) {
      disagree += !f.agrees;
      is_equal = is_equal && f.is_equal;
    }
    return disagree > 0 ? disagree + 1 : std::uint32_t{!is_equal};
  }
  template <class Ours, class Theirs>
  std::string explain(const Ours& ours, const Theirs& theirs) const {
    std::string text;
    const auto add = [&](const auto& c) {
      if (c.compare(ours, theirs).agrees) return;
      if (!text.empty()) text += "; ";
      text.append(c.name).append(": ").append(c.explain(ours, theirs));
    };
    std::apply([&](const auto&... c) { (add(c), ...); }, all_);
    return text;
  }

  // Of two records of one side.
  template <match_side Side, class Record>
  bool is_identical(const Record& a, const Record& b) const {
    return std::apply(
        [&](const auto&... c) {
          return (detail::is_identical(c.template value_of<Side>(a), c.template value_of<Side>(b)) && ...);
        },
        all_);
  }

  // Whether all fields agree but the one that is in parts.
  template <class Ours, class Theirs>
  bool agree_but_for_sum(const Ours& ours, const Theirs& theirs) const {
    const auto agrees = [&](const auto& c) {
      if constexpr (std::remove_cvref_t<decltype(c)>::is_in_parts) {
        return true;
      } else {
        return c.compare(ours, theirs).agrees;
      }
    };
    return std::apply([&](const auto&... c) { return (agrees(c) && ...); }, all_);
  }
  const std::tuple<Comparers...>& all() const noexcept { return all_; }
  const auto& summed() const noexcept { return std::get<parts_at>(all_); }

  // Adds the record's value that may be a part; false where there is none or no sum can be told.
  template <match_side Side, class Record, class Sum>
  bool add_part(const Record& record, Sum& sum) const {
    const auto& value = summed().template value_of<Side>(record);
    return detail::is_complete(value) && detail::add_to(sum, static_cast<Sum>(detail::whole(value)));
  }
  template <match_side Side, class Record>
  auto no_sum(const Record& record) const {
    using value = std::remove_cvref_t<decltype(detail::whole(summed().template value_of<Side>(record)))>;
    return sum_of<value>{};
  }
  // How a whole record of a side compares with what records of the other add up to.
  template <match_side WholeSide, class Record, class Sum>
  field_difference compare_sum(const Record& whole, Sum sum) const {
    const auto& value = summed().template value_of<WholeSide>(whole);
    if constexpr (WholeSide == match_side::ours) {
      return summed().compare_values(value, sum);
    } else {
      return summed().compare_values(sum, value);
    }
  }

 private:
  std::tuple<Comparers...> all_;
};

}  // namespace recoup::detail
