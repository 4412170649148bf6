// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/reconcile/predicates/text_forms.hpp"

#include <string>

#include "catch.hpp"

namespace {
using recoup::looks_like_email;
using recoup::looks_like_number;
using recoup::looks_like_phone;

static_assert(looks_like_email("anna@example.org") && !looks_like_email("+49 30 123456"));
static_assert(looks_like_phone("+49 30 123456") && !looks_like_phone("anna@example.org"));
static_assert(looks_like_number("-12.5e3") && !looks_like_number("12,5"));
}  // namespace

TEST_CASE("a text looks like an email address or not") {
  for (const char* text : {"a@b.c", "anna.b+c@mail.example.org", "a@b..c", "1@1.1"}) CHECK(looks_like_email(text));
  for (const char* text : {"", "@", "a@", "@b.c", "a@b", "a@.c", "a@b.", "a@b@c.d", "a b@c.d", "a@b.c ", "a@b.c\x7F"}) {
    CHECK_FALSE(looks_like_email(text));
  }
  CHECK_FALSE(looks_like_email(std::string("a@b\0.c", 6)));
  CHECK(looks_like_email("\xC3\xA4nne@example.org"));
}

TEST_CASE("a text looks like a phone number or not") {
  for (const char* text : {"12345", "+491234567890123", "(030) 123-456", "030/12.34.56"}) CHECK(looks_like_phone(text));
  for (const char* text : {"", "+", "1234", "1234567890123456", "12345x", "++12345", "12+345", "-----", "a@b.c"}) {
    CHECK_FALSE(looks_like_phone(text));
  }
}

TEST_CASE("a text looks like a number or not") {
  for (const char* text : {"0", "-0", "+7", "007", "1.5", "1e9", "1.25E-3", "123456789012345678901234567890"}) {
    CHECK(looks_like_number(text));
  }
  for (const char* text : {"", "-", ".", ".5", "5.", "1.e3", "1e", "1e+", "0x10", "nan", "inf", " 1", "1 ", "1,5",
                           "--1", "1.2.3", "1e5.0"}) {
    CHECK_FALSE(looks_like_number(text));
  }
}
