// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/required.hpp"

#include <optional>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "checked_order.hpp"

namespace {

using namespace checking;
using recoup::required;

struct reading {
  std::optional<double> value;
};
static_assert(required(&reading::value)(reading{1.5}, noon) && !required(&reading::value)(reading{}, noon));

}  // namespace

TEST_CASE("a required field is there if it is set and its text is not empty") {
  const auto holds = [](auto field, const order& o) { return required(field)(o, noon); };
  CHECK_FALSE(holds(&order::limit, nothing()));
  CHECK(holds(&order::limit, with(&order::limit, {0})));
  CHECK_FALSE(holds(&order::id, nothing()));
  CHECK(holds(&order::id, with(&order::id, std::string(1, '\0'))));
  CHECK_FALSE(holds(&order::note, nothing()));
  CHECK_FALSE(holds(&order::note, with(&order::note, std::optional<std::string_view>(""))));
  CHECK(holds(&order::note, with(&order::note, std::optional<std::string_view>("x"))));
  CHECK_FALSE(holds(&order::name, nothing()));
  CHECK_FALSE(holds(&order::name, with<const char*>(&order::name, "")));
  CHECK(holds(&order::name, with<const char*>(&order::name, "x")));
  CHECK_FALSE(holds(&order::label, nothing()));
  CHECK_FALSE(holds(&order::label, with(&order::label, std::optional<const char*>(nullptr))));
  CHECK(holds(&order::label, with(&order::label, std::optional<const char*>("x"))));
  CHECK_FALSE(holds(&order::pointer, nothing()));
  const int target = 0;
  CHECK(holds(&order::pointer, with(&order::pointer, &target)));
  CHECK_FALSE(holds(&order::currency, nothing()));
  order full;
  for (char& c : full.currency) c = 'X';  // no zero at the end
  CHECK(holds(&order::currency, full));
  CHECK_FALSE(holds([](const order& o) { return std::string_view(o.id); }, nothing()));
  CHECK(required(&order::id).explain(nothing(), noon) == "the field is absent");
}
