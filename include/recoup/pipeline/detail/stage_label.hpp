// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace recoup::detail {

// What the counters of stage I are told under: its name, and from the second of that name on also the how many-th.
template <std::size_t I, class... Stages>
class stage_label {
  static constexpr std::array<std::string_view, sizeof...(Stages)> names{Stages::name...};
  static constexpr std::size_t nth =
      1 + static_cast<std::size_t>(std::count(names.begin(), names.begin() + I, names[I]));
  static_assert(nth < 100, "recoup: a pipeline has at most 99 stages of a name");
  static constexpr std::size_t length = names[I].size() + (nth == 1 ? 0 : nth < 10 ? 2 : 3);
  static constexpr std::array<char, length> text = [] {
    std::array<char, length> all{};
    std::copy(names[I].begin(), names[I].end(), all.begin());
    if (nth > 1) {
      all[names[I].size()] = '_';
      if (nth >= 10) all[length - 2] = static_cast<char>('0' + nth / 10);
      all[length - 1] = static_cast<char>('0' + nth % 10);
    }
    return all;
  }();

 public:
  static constexpr std::string_view value{text.data(), length};
};

}  // namespace recoup::detail
