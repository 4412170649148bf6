// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// Functions of a user's namespace that have the names of recoup's own are not called instead of them.
#include <cstdint>
#include <optional>

#include "catch.hpp"
#include "recoup/recoup.hpp"

namespace shop {

enum class region : std::uint8_t { north, south };

struct sale {
  std::optional<region> where;
  std::uint64_t n = 0;
};

[[maybe_unused]] bool is_complete(const region&) { return false; }
[[maybe_unused]] std::uint64_t fingerprint(const region&, std::uint64_t) { return 7; }
template <class P, class E>
int project(const P&, const E&) {
  return 3;
}
template <class T>
int present(const T&) {
  return 3;
}
template <class T>
int show(const T&) {
  return 3;
}
template <class T>
int whole(const T&) {
  return 3;
}

}  // namespace shop

TEST_CASE("functions of the user's namespace do not stand in for the library's") {
  using shop::region;
  using shop::sale;
  auto pipe = recoup::assemble<sale>(
      recoup::track_gaps(&sale::where, &sale::n),
      recoup::deduplicate(recoup::key(&sale::where, &sale::n), recoup::exact_window({.events = 8})),
      recoup::check(recoup::rule<"where.required">(recoup::required(&sale::where), recoup::on_fail::review),
                    recoup::rule<"n.range">(recoup::in_range(&sale::n, std::uint64_t{0}, std::uint64_t{9}),
                                            recoup::on_fail::review)));
  constexpr auto ignore = [](const auto&) {};
  CHECK(pipe.process({region::north, 1}, {}, ignore) == recoup::verdict::accepted);
  CHECK(pipe.process({region::north, 1}, {}, ignore) == recoup::verdict::duplicate);
  CHECK(pipe.process({region::south, 1}, {}, ignore) == recoup::verdict::accepted);
  CHECK(pipe.process({std::nullopt, 1}, {}, ignore) == recoup::verdict::review);
}
