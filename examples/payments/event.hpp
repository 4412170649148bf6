// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <recoup/core/time.hpp>
#include <string>

namespace payments {

enum class kind : std::uint8_t { lead, sync, follow_up, purchase, call, code };
enum class currency : std::uint8_t { dollar, euro };

inline constexpr std::uint32_t shops = 8;

/// What the shops send. Money is in cents.
struct event {
  std::uint32_t shop = 0;
  std::uint64_t number = 0;         // counts the events of a shop
  std::optional<std::uint64_t> id;  // with the revision, the idempotency key
  std::uint32_t revision = 0;       // grows with each correction
  kind what = kind::lead;
  std::uint64_t customer = 0;
  std::optional<recoup::timestamp> at;

  std::string email;  // of a lead
  std::string phone;
  std::optional<std::uint32_t> country;  // its calling code

  std::int64_t price = 0;  // of a purchase
  std::int64_t quantity = 0;
  std::int64_t revenue = 0;
  currency money = currency::dollar;
  std::optional<std::int64_t> converted;  // into dollars, if it was not paid in dollars
  bool is_paid = true;

  std::optional<std::int64_t> seconds;  // of a call
  std::optional<std::uint32_t> code;    // a discount code
};

/// What the ledger counts.
[[nodiscard]] inline std::int64_t dollars(const event& e) { return e.converted.value_or(e.revenue); }

/// What the payment provider says of a purchase, by itself or when asked.
struct charge {
  std::uint64_t purchase = 0;
  std::int64_t dollars = 0;
  bool is_paid = true;
};

}  // namespace payments
