// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// Stages behind one that corrects see the corrected event, when they judge and when they forget.
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "recoup/recoup.hpp"

namespace {

struct named {
  std::string id;
  std::uint64_t n = 0;
};

auto lowercase() {
  return recoup::check(
      recoup::rule<"id.lower">([](const named& e) { return e.id.find_first_of("ABC") == std::string::npos; },
                               recoup::on_fail::correct([](named& e) {
                                 for (char& c : e.id) {
                                   if (c >= 'A' && c <= 'C') c = static_cast<char>(c - 'A' + 'a');
                                 }
                               })));
}

constexpr auto ignore = [](const auto&) {};
constexpr recoup::timestamp now{};
using enum recoup::verdict;

}  // namespace

TEST_CASE("a corrected event is deduplicated by its corrected key") {
  auto pipe =
      recoup::assemble<named>(lowercase(), recoup::deduplicate(&named::id, recoup::exact_window({.events = 8})));
  CHECK(pipe.process({"ABC"}, now, ignore) == correction);
  CHECK(pipe.process({"abc"}, now, ignore) == duplicate);
  CHECK(pipe.process({"Abc"}, now, ignore) == duplicate);
  auto other = pipe.empty_copy();
  CHECK(restore(other, snapshot(pipe)).status == recoup::snapshot_status::ok);
}

TEST_CASE("streams behind a correction are found under their corrected name") {
  auto pipe = recoup::assemble<named>(lowercase(), recoup::track_gaps(&named::id, &named::n, {}, {.capacity = 2}));
  for (std::uint64_t n = 0; n < 50; ++n) {
    for (const char* id : {"ABC", "abc", "Abc", "x", "y", "CCC"}) pipe.process({id, n}, now, ignore);
  }
  auto other = pipe.empty_copy();
  REQUIRE(restore(other, snapshot(pipe)).status == recoup::snapshot_status::ok);
  CHECK(snapshot(other) == snapshot(pipe));
}

TEST_CASE("forget takes back what was remembered of the corrected event") {
  auto pipe = recoup::assemble<named>(recoup::track_gaps(&named::n), lowercase(),
                                      recoup::deduplicate(&named::id, recoup::exact_window({.events = 8})));
  const named e{"ABC", 1};
  REQUIRE(pipe.process(e, now, ignore) == correction);
  CHECK(pipe.forget(e, now));
  CHECK(pipe.process(e, now, ignore) == correction);
}

TEST_CASE("forget takes back what was remembered of the corrected event also where a rule would not let it pass now") {
  auto pipe = recoup::assemble<named>(
      recoup::check(recoup::rule<"id.short">([](const named& e) { return e.id.size() < 4; },
                                             recoup::on_fail::correct([](named& e) { e.id.resize(3); })),
                    recoup::rule<"n.rises">(recoup::monotone([](const named&) { return 0; }, &named::n),
                                            recoup::on_fail::review)),
      recoup::deduplicate(&named::id, recoup::exact_window({.events = 8})));
  const named e{"abcd", 1};
  REQUIRE(pipe.process(e, now, ignore) == correction);
  REQUIRE(pipe.process({"x", 2}, now, ignore) == accepted);
  CHECK(pipe.forget(e, now));
  CHECK(pipe.process({"abc", 3}, now, ignore) == accepted);
}

TEST_CASE("forget of a correction or an inferred event leaves the real one alone") {
  auto pipe = recoup::assemble<named>(recoup::track_gaps(&named::n),
                                      recoup::deduplicate(&named::id, recoup::exact_window({.events = 8})));
  for (std::uint64_t n = 1; n <= 3; ++n) pipe.process({"id" + std::to_string(n), n}, now, ignore);
  REQUIRE(pipe.process({"id2, revised", 2}, now, ignore, recoup::origin::correction) == accepted);
  CHECK(pipe.forget({"id2, revised", 2}, now, recoup::origin::correction));
  CHECK(pipe.stage_at<0>().tracker().missing_count() == 0);

  REQUIRE(pipe.process({"id2", 2}, now, ignore, recoup::origin::inferred) == accepted);
  CHECK(pipe.forget({"id2", 2}, now, recoup::origin::inferred));
  CHECK(pipe.process({"id2", 2}, now, ignore) == duplicate);
}

TEST_CASE("a flag rule that only the corrected event breaks is told") {
  struct sale {
    std::int64_t a, b, ab;
  };
  auto pipe = recoup::assemble<sale>(recoup::check(
      recoup::rule<"product">(recoup::product_equals(&sale::a, &sale::b, &sale::ab), recoup::on_fail::correct),
      recoup::rule<"large">(recoup::in_range(&sale::ab, std::int64_t{0}, std::int64_t{1'000}), recoup::on_fail::flag)));
  std::vector<std::string> flags;
  const recoup::overloaded sink{[&](const recoup::flagged<sale>& f) { flags.push_back(f.why()); }, [](const auto&) {}};
  CHECK(pipe.process({100, 100, 5}, now, sink) == correction);
  CHECK(flags == std::vector<std::string>{"large: 10000 is not in the range from 0 to 1000"});
}

namespace {
// An event whose copies can fail.
struct heavy {
  std::uint64_t n = 0;
  static inline bool fails = false;

  heavy() = default;
  explicit heavy(std::uint64_t number) : n(number) {}
  heavy(const heavy& other) : n(other.n) { check(); }
  heavy& operator=(const heavy& other) {
    check();
    n = other.n;
    return *this;
  }
  heavy(heavy&&) = default;
  heavy& operator=(heavy&&) = default;
  ~heavy() = default;

  static void check() {
    if (fails) throw std::bad_alloc();
  }
};
}  // namespace

TEST_CASE("an event whose commit fails is new again") {
  auto pipe = recoup::assemble<heavy>(
      recoup::track_gaps(&heavy::n), recoup::deduplicate(&heavy::n, recoup::exact_window<std::uint64_t>({.events = 8})),
      recoup::infer(&heavy::n, recoup::from_neighbours([](heavy&, const auto&) {})));
  const heavy first(1);
  const heavy second(2);
  REQUIRE(pipe.process(first, now, ignore) == accepted);
  heavy::fails = true;
  CHECK_THROWS_AS(pipe.process(second, now, ignore), std::bad_alloc);
  heavy::fails = false;
  CHECK(pipe.process(second, now, ignore) == accepted);
}
