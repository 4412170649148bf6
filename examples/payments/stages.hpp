// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <recoup/recoup.hpp>
#include <string>

#include "event.hpp"

namespace payments {

/// What each event goes through.
inline auto stages(const recoup::external_value<double>& dollars_a_euro) {
  using namespace std::chrono_literals;
  using namespace recoup;

  const auto is_lead = [](const event& e) { return e.what == kind::lead; };
  const auto is_sync = [](const event& e) { return e.what == kind::sync; };
  const auto is_follow_up = [](const event& e) { return e.what == kind::follow_up; };
  const auto is_euro = equals(&event::money, currency::euro);
  // One that was put right days after it happened is not outdated.
  const auto is_first = equals(&event::revision, 0);

  return assemble<event>(
      // What is missing, and what came twice.
      track_gaps(&event::shop, &event::number,
                 {.expect_from = 1,
                  .reorder_distance = 16,
                  .reorder_delay = 30s,
                  .replay = {.max_attempts = 6, .first_wait = 30s, .longest_wait = 2min}}),
      deduplicate(key(&event::id, &event::revision), exact_window({.events = 1 << 18, .age = 24h})),
      deduplicate(key(&event::shop, &event::what, &event::customer, &event::revision, &event::price, &event::quantity),
                  content_window({.events = 1 << 12, .within = 5ms})),
      detect_rate("events", rate_detector()),
      // What is wrong, and can be put right at once.
      check(rule<"id.required">(required(&event::id), on_fail::dead_letter),
            rule<"contact.swapped">(not_swapped(field<"e-mail">(&event::email), field<"phone">(&event::phone),
                                                looks_like_email, looks_like_phone),
                                    on_fail::correct),
            rule<"country.required">(implies(equals(&event::what, kind::lead), required(&event::country)),
                                     on_fail::correct([](event& e) {
                                       if (e.phone.size() < 3) return false;
                                       e.country = static_cast<std::uint32_t>(std::stoul(e.phone.substr(1, 2)));
                                       return true;
                                     })),
            rule<"revenue.product">(product_equals(field<"price">(&event::price), field<"quantity">(&event::quantity),
                                                   field<"revenue">(&event::revenue)),
                                    on_fail::correct)),
      // What is wrong, and has to be looked up.
      check(rule<"at.required">(required(&event::at), on_fail::review),
            rule<"at.future">(not_after(&event::at, 1min), on_fail::review),
            rule<"at.outdated">(implies(is_first, not_before(&event::at, 6h)), on_fail::review),
            rule<"quantity.range">(in_range(field<"quantity">(&event::quantity), 0, 1'000), on_fail::review),
            rule<"call.length">(in_range(field<"seconds">(&event::seconds), 1, 86'400), on_fail::review),
            rule<"code.unique">(
                unique_within(key(&event::customer, &event::code), exact_window({.events = 1 << 16, .age = 24h})),
                on_fail::dead_letter),
            rule<"rate.fresh">(implies(is_euro, fresh(dollars_a_euro, 2h)), on_fail::review),
            rule<"amount.rate">(implies(all(is_euro, fresh(dollars_a_euro, 2h)),
                                        within(field<"converted">(&event::converted),
                                               times(&event::revenue, value_of(dollars_a_euro)), percent(5))),
                                on_fail::review)),
      // What did not happen. What was lost and is sent again has 15 minutes more, and may come before the lead itself.
      expect("lead", &event::customer, {.tolerance = 15min, .remember_overdue = 6h}, opened_by(is_lead),
             then(is_sync, 5min, 15min), then(is_follow_up, 1h, 15min), timed_by(&event::at)),
      detect_ratio("leads synchronised", is_lead, is_sync,
                   ratio_detector({.bucket = 15min, .maturity = 150s})));  // the usual time from the one to the other
}

/// Our purchases are held against what the provider says of them.
inline auto matcher_of_charges() {
  using namespace std::chrono_literals;
  return recoup::match<event, charge>(
      [](const event& e) { return *e.id; }, &charge::purchase,  // what has no id does not come so far
      {.ours = 1 << 16, .theirs = 1 << 16, .ours_wait = 10min, .theirs_wait = 1h, .remember = 12h},
      recoup::same<"status">(&event::is_paid, &charge::is_paid), recoup::same<"amount">(dollars, &charge::dollars));
}

}  // namespace payments
