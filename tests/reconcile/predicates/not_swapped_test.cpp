// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/not_swapped.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "catch.hpp"
#include "recoup/reconcile/field.hpp"
#include "recoup/reconcile/predicates/text_forms.hpp"

namespace {

using recoup::looks_like_email;
using recoup::looks_like_phone;
using recoup::not_swapped;

struct customer {
  std::optional<std::string> email;
  std::optional<std::string> phone;
};
struct contact {
  std::string_view email, phone;
};
constexpr recoup::timestamp now{};
constexpr auto rule = not_swapped(&customer::email, &customer::phone, looks_like_email, looks_like_phone);
constexpr auto contact_rule = not_swapped(&contact::email, &contact::phone, looks_like_email, looks_like_phone);

static_assert(contact_rule(contact{"a@b.c", "12345"}, now) && !contact_rule(contact{"12345", "a@b.c"}, now));
static_assert([] {
  contact c{"12345", "a@b.c"};
  contact_rule.fix(c);
  return c.email == "a@b.c" && contact_rule(c, now);
}());

bool in_place(const char* email, const char* phone) {
  customer c;
  if (email != nullptr) c.email = email;
  if (phone != nullptr) c.phone = phone;
  return rule(c, now);
}

}  // namespace

TEST_CASE("fields are swapped if more of them would look right the other way round") {
  CHECK(in_place("a@b.c", "12345"));
  CHECK_FALSE(in_place("12345", "a@b.c"));
  CHECK_FALSE(in_place(nullptr, "a@b.c"));
  CHECK_FALSE(in_place("12345", nullptr));
  CHECK_FALSE(in_place("", "a@b.c"));
  CHECK(in_place(nullptr, nullptr));
  CHECK(in_place("nonsense", "rubbish"));
  CHECK(in_place("a@b.c", "a@b.c"));
  CHECK(in_place("12345", "12345"));
  CHECK_FALSE(in_place("12345", "rubbish"));
  CHECK(in_place("a@b.c", "rubbish"));
}

TEST_CASE("swapped fields are exchanged and then in their places") {
  for (const auto& [email, phone] : {std::pair("12345", "a@b.c"), std::pair("12345", "rubbish")}) {
    customer c{email, phone};
    rule.fix(c);
    CHECK(c.email == phone);
    CHECK(c.phone == email);
    CHECK(rule(c, now));
  }
  customer c{std::nullopt, "a@b.c"};
  const auto named = not_swapped(recoup::field<"email">(&customer::email), recoup::field<"phone">(&customer::phone),
                                 looks_like_email, looks_like_phone);
  CHECK(named.explain(c, now) == "email absent and phone \"a@b.c\" look exchanged");
  named.fix(c);
  CHECK(c.email == "a@b.c");
  CHECK_FALSE(c.phone);
  CHECK(named.explain(c, now) == "email \"a@b.c\" and phone absent are in their places");
}

TEST_CASE("fields of characters alone are told apart too") {
  struct raw_contact {
    const char* email = nullptr;
    const char* phone = nullptr;
    char first[8] = {};
    char second[8] = {};
  };
  raw_contact c;
  const auto pointers = not_swapped(&raw_contact::email, &raw_contact::phone, looks_like_email, looks_like_phone);
  CHECK(pointers(c, now));
  c.phone = "a@b.c";
  CHECK_FALSE(pointers(c, now));
  const auto arrays = not_swapped(&raw_contact::first, &raw_contact::second, looks_like_email, looks_like_phone);
  for (std::size_t i = 0; i < 8; ++i) c.first[i] = "12345678"[i];
  for (std::size_t i = 0; i < 8; ++i) c.second[i] = "ab@cd.ef"[i];
  CHECK_FALSE(arrays(c, now));
  arrays.fix(c);
  CHECK(arrays(c, now));
  CHECK(c.second[7] == '8');
}
