// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

#include "world.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace payments {

namespace {

using namespace std::chrono_literals;

constexpr recoup::timestamp monday(std::chrono::hours(24 * 20'493));  // 2026-02-09
constexpr std::int64_t events_a_day = 1'000'000 / 7;
constexpr std::int64_t millionths = 1'000'000;

constexpr recoup::duration outage = 2h;
constexpr recoup::duration rates_outage = 6h;
constexpr recoup::duration trouble = 2h;  // with synchronising leads
constexpr recoup::duration drop = 2h;     // nobody comes

bool is_in(recoup::timestamp t, recoup::timestamp begin, recoup::duration length) {
  return begin <= t && t < begin + length;
}

// What an hour's rate is: it moves by half a percent.
std::int64_t rate_at(recoup::timestamp t) {
  const auto hour = static_cast<std::uint64_t>(t.time_since_epoch() / 1h);
  return 1'080'000 + random_numbers(hour).between(-5'000, 5'000);
}

std::int64_t into_dollars(std::int64_t euros, recoup::timestamp at) {
  return (euros * rate_at(at) + millionths / 2) / millionths;
}

// Customers come by day and by night, by day more.
recoup::duration to_next_customer(recoup::timestamp now, random_numbers& random) {
  const std::int64_t hour = now.time_since_epoch() % 24h / 1h;
  const std::int64_t percent = 60 + 80 * std::min(hour, 24 - hour) / 12;    // 60 at midnight, 140 at noon
  const std::int64_t mean = 6'500 * 86'400 / events_a_day * 100 / percent;  // milliseconds
  return std::chrono::milliseconds(random.between(mean / 2, 3 * mean / 2));
}

}  // namespace

recoup::timestamp day_of(recoup::timestamp t) { return std::chrono::floor<std::chrono::days>(t); }

world::world(std::uint64_t events, std::uint64_t seed, agenda& plans, fault_table& table)
    : agenda_(plans),
      table_(table),
      random_(seed),
      answers_(seed ^ 0x5EED),
      planned_(events),
      end_(monday + 24h * static_cast<std::int64_t>(events) / events_a_day) {
  agenda_.put(monday, journey_begins{});
  for (const fault f : {fault::provider_down, fault::rates_silent, fault::ratio_drop}) table_.count(f, fate::injected);
  if (has_drop()) table_.count(fault::volume_drop, fate::injected);
}

recoup::timestamp world::at_part(std::int64_t percent) const { return monday + (end_ - monday) / 100 * percent; }
// A day is too short to learn how many events are usual at which time of the day.
bool world::has_drop() const { return end_ - monday >= 48h; }
bool world::is_provider_up(recoup::timestamp t) const { return !is_in(t, at_part(30), outage); }
bool world::are_rates_up(recoup::timestamp t) const { return !is_in(t, at_part(40), rates_outage); }

std::optional<std::int64_t> world::rate(recoup::timestamp now) const {
  if (!are_rates_up(now)) return std::nullopt;
  return rate_at(now);
}

// A customer comes: as a lead that is synchronised with the CRM within 5 minutes and followed up within the hour after;
// later there may be calls, a discount code, purchases.
void world::journey(recoup::timestamp now) {
  event e;
  e.customer = next_id_;
  e.shop = static_cast<std::uint32_t>(random_() % shops);
  const auto add = [&](kind what, recoup::timestamp at) -> event& {
    e.what = what;
    e.id = next_id_++;
    e.at = at;
    return e;
  };
  const auto calling_code = static_cast<std::uint32_t>(random_.between(30, 49));
  e.email = std::to_string(e.customer) + "@a.example";
  e.phone = '+' + std::to_string(calling_code) + std::to_string(1'000'000 + e.customer);
  e.country = calling_code;
  plan(add(kind::lead, now), now);
  e.email.clear();
  e.phone.clear();
  e.country.reset();

  // The steps have the ids after the lead's, also where they never come.
  const bool in_trouble = is_in(now, sync_trouble_begins(), trouble);
  const bool is_sync_missing = random_.once_in(in_trouble ? 2 : 20);
  const bool is_sync_late = !is_sync_missing && random_.once_in(100);
  const recoup::timestamp synced = now + (is_sync_late ? 40min : std::chrono::seconds(random_.between(30, 270)));
  add(kind::sync, synced);
  if (is_sync_missing) table_.label(*e.id, fault::step_missing);
  if (is_sync_late) table_.label(*e.id, fault::step_late);
  if (!is_sync_missing) plan(e, synced);
  const bool is_follow_up_missing = !is_sync_missing && random_.once_in(100);
  const bool is_follow_up_late = !is_follow_up_missing && !is_sync_missing && random_.once_in(100);
  const recoup::timestamp followed =
      synced + (is_follow_up_late ? 100min : std::chrono::minutes(random_.between(5, 55)));
  add(kind::follow_up, followed);
  if (is_follow_up_missing) table_.label(*e.id, fault::step_missing);
  if (is_follow_up_late) table_.label(*e.id, fault::step_late);
  if (!is_sync_missing && !is_follow_up_missing) plan(e, followed);

  recoup::timestamp at = now;
  for (std::int64_t calls = random_.between(0, 2); calls > 0; --calls) {
    at += std::chrono::minutes(random_.between(2, 30));
    add(kind::call, at).seconds = random_.between(20, 1'800);
    plan(e, at);
    e.seconds.reset();
  }
  if (random_.once_in(2)) {
    at += std::chrono::minutes(random_.between(1, 10));
    add(kind::code, at).code = static_cast<std::uint32_t>(random_.between(1, 500));
    plan(e, at);
    if (table_.of(*e.id) == fault::none && random_.once_in(50)) {
      add(kind::code, at + 3min);
      table_.label(*e.id, fault::code_twice);
      plan(e, at + 3min);
    }
    e.code.reset();
  }
  for (std::int64_t purchases = random_.between(0, 4); purchases > 0; --purchases) {
    at += std::chrono::minutes(random_.between(2, 30));
    add(kind::purchase, at);
    e.price = random_.between(500, 50'000);
    e.quantity = random_.between(1, 5);
    e.revenue = e.price * e.quantity;
    e.money = random_.once_in(3) ? currency::euro : currency::dollar;
    e.converted.reset();
    if (e.money == currency::euro) e.converted = into_dollars(e.revenue, at);
    plan(e, at);
  }

  if (next_id_ >= planned_) {
    is_closed_ = true;
    return;
  }
  recoup::duration wait = to_next_customer(now, random_);
  if (has_drop() && is_in(now + wait, drop_begins(), drop)) wait += drop;
  agenda_.put(now + wait, journey_begins{});
}

// At most one fault an event, so that each can be told from the others.
fault world::fault_of(kind what, currency money, recoup::timestamp at) {
  const std::int64_t draw = random_.between(0, 9'999);
  std::int64_t bound = 0;
  const auto is_drawn = [&](std::int64_t in_ten_thousand) { return draw < (bound += in_ten_thousand); };
  if (what != kind::code && is_drawn(30)) return fault::lost;
  if (is_drawn(60)) return fault::repeated;
  if (what == kind::lead && is_drawn(100)) return fault::no_country;
  if (what == kind::lead && is_drawn(60)) return fault::swapped;
  if (what != kind::purchase && what != kind::call) return fault::none;
  if (is_drawn(15)) return fault::lost_for_good;
  if (is_drawn(20)) return fault::echoed;
  if (is_drawn(10)) return fault::future;
  if (is_drawn(10)) return fault::outdated;
  if (what == kind::call) return is_drawn(60) ? fault::silent_call : is_drawn(10) ? fault::no_id : fault::none;
  if (is_drawn(15)) return fault::bad_quantity;
  if (money == currency::dollar && is_drawn(40)) return fault::wrong_product;
  if (money == currency::dollar && is_drawn(15)) return fault::wrong_unit;
  // What was recorded while nobody knew the rate is held anyway, and compared when it is known again.
  if (money == currency::euro && is_drawn(60) && !is_in(at, at_part(40), rates_outage + 3h))
    return fault::wrong_conversion;
  if (is_drawn(40)) return fault::unpaid;
  if (is_drawn(30)) return fault::charge_missing;
  if (is_drawn(30)) return fault::charge_twice;
  return fault::none;
}

void world::plan(event e, recoup::timestamp at) {
  fault f = table_.of(*e.id);
  if (f == fault::none) {
    f = fault_of(e.what, e.money, at);
    if (f == fault::echoed) {
      table_.label(next_id_++, f);  // the echo is the one that is wrong
    } else if (f != fault::none) {
      table_.label(*e.id, f);
    }
  }
  agenda_.put(at, event_happens{std::move(e), f});
}

void world::happen(event e, fault f, recoup::timestamp now) {
  e.number = ids_[e.shop].size() + 1;
  ids_[e.shop].push_back(*e.id);
  ++happened_;
  const recoup::timestamp arrives = now + std::chrono::milliseconds(random_.between(20, 200));
  if (e.what == kind::purchase) {
    event right = e;
    right.is_paid = f != fault::unpaid;
    if (right.is_paid) sales_[{e.shop, day_of(now)}] += dollars(e);
    tell_charge(right, f, now);
    ++purchases_;
    truth_.emplace(*e.id, std::move(right));
  } else if (e.what == kind::call) {
    truth_.emplace(*e.id, e);
  }
  if (f == fault::lost_for_good) return;
  if (f == fault::lost) {
    outbox_.emplace(std::pair(e.shop, e.number), e);
    return;
  }
  if (f == fault::echoed) {
    event echo = e;
    ++*echo.id;
    echo.number = ids_[e.shop].size() + 1;
    ids_[e.shop].push_back(*echo.id);
    ++happened_;
    agenda_.put(arrives + 2ms, delivery{echo, recoup::origin::live});
  }
  if (f == fault::repeated) {
    agenda_.put(arrives + std::chrono::seconds(random_.between(1, 600)), delivery{e, recoup::origin::live});
  }
  break_event(e, f, now);
  agenda_.put(arrives, delivery{std::move(e), recoup::origin::live});
}

void world::break_event(event& e, fault f, recoup::timestamp now) {
  if (f == fault::wrong_product) e.revenue += std::max<std::int64_t>(1, e.revenue * random_.between(1, 50) / 100);
  if (f == fault::wrong_unit) e.revenue /= 100;
  if (f == fault::wrong_conversion) e.converted = *e.converted * (random_.once_in(2) ? 80 : 130) / 100;
  if (f == fault::bad_quantity) e.quantity = -e.quantity;
  if (f == fault::no_country) e.country.reset();
  if (f == fault::swapped) std::swap(e.email, e.phone);
  if (f == fault::future) e.at = now + std::chrono::hours(random_.between(1, 1'000));
  if (f == fault::outdated) e.at = now - std::chrono::hours(random_.between(12, 1'000));
  if (f == fault::no_id) e.id.reset();
  if (f == fault::silent_call) {
    e.seconds = 0;
    if (*e.id % 2 == 0) truth_.erase(*e.id);  // there was none
  }
}

void world::tell_charge(const event& e, fault f, recoup::timestamp now) {
  if (f == fault::charge_missing) return;
  const charge c{*e.id, dollars(e), e.is_paid};
  recoup::timestamp told = now + std::chrono::seconds(random_.between(5, 120));
  if (!is_provider_up(told)) told = at_part(30) + outage + std::chrono::seconds(random_.between(0, 1'800));
  agenda_.put(told, c);
  if (f == fault::charge_twice) agenda_.put(told + 20s, c);
}

void world::send_again(std::uint32_t shop, recoup::sequence_range numbers, recoup::timestamp now) {
  for (std::uint64_t n = numbers.first; n <= numbers.last; ++n) {
    const auto found = outbox_.find({shop, n});
    if (found == outbox_.end() || answers_.once_in(20)) continue;  // the request may be lost as well
    const recoup::timestamp at = now + std::chrono::seconds(answers_.between(1, 10));
    agenda_.put(at, delivery{found->second, recoup::origin::replay});
  }
}

void world::ask(recoup::recovery_id work, const look_up& what, std::uint32_t target, recoup::timestamp now) {
  const auto where = static_cast<system_of_record>(target);
  answer a{work, true, {}};
  const bool is_provider = where == system_of_record::provider;
  if (is_provider) a.is_up = is_provider_up(now);
  if (where == system_of_record::replica) a.is_up = now < at_part(30) + 1h || now > at_part(30) + outage;
  if (where == system_of_record::rates) a.is_up = are_rates_up(now);
  if (a.is_up && answers_.once_in(50)) {
    table_.count(fault::no_answer, fate::injected);
    return;
  }
  const auto found = truth_.find(what.id);
  if (found != truth_.end()) a.record = found->second;
  if (is_provider && a.is_up && a.record && answers_.once_in(100)) {
    a.record->price *= 7;
    a.record->revenue *= 7;
    if (a.record->converted) *a.record->converted *= 7;
    table_.count(fault::wrong_answer, fate::injected);
  }
  const recoup::timestamp at = now + std::chrono::milliseconds(answers_.between(200, 9'000));
  if (a.is_up && answers_.once_in(50)) {
    table_.count(fault::answer_twice, fate::injected);
    agenda_.put(at + 1s, a);
  }
  agenda_.put(at, std::move(a));
}

}  // namespace payments
