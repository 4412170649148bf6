// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

#include "consumer.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <stdexcept>
#include <tuple>

namespace payments {

using namespace std::chrono_literals;

namespace {

constexpr auto provider = static_cast<std::uint32_t>(system_of_record::provider);
constexpr auto replica = static_cast<std::uint32_t>(system_of_record::replica);

// Stages that are asked.
constexpr std::size_t gaps = 0;
constexpr std::size_t leads = 6;

// How urgent a look-up is.
constexpr std::uint8_t money_in_doubt = 0;
constexpr std::uint8_t event_is_held = 2;
constexpr std::uint8_t charge_is_late = 5;

struct books_are_shut : std::runtime_error {
  books_are_shut() : std::runtime_error("the books are shut") {}
};

}  // namespace

consumer::consumer(world& outside, agenda& plans, fault_table& table, std::uint64_t seed)
    : outside_(outside), agenda_(plans), table_(table), random_(~seed) {}

// The provider has a replica, which stands in for it and is slower.
recoup::recovery_queue_options consumer::queue_options() {
  recoup::recovery_queue_options o;
  o.retry.max_attempts = 1'000;  // as long as it takes
  o.retry.backoff = {.first = 5s, .longest = 5min};
  o.targets = {{.fallback = replica, .rate = {.calls = 10, .per = 1s, .burst = 100}},
               {.rate = {.calls = 1, .per = 2s, .burst = 5}},
               {},
               {}};
  return o;
}

auto consumer::told_by_corrector(recoup::timestamp now) {
  return recoup::overloaded{[this, now](const recoup::correction_proposed<event>& p) {
                              if (p.attempt > 1) table_.count(fault::report_lost, fate::detected);
                              agenda_.put(now, application{p.id, p.corrected, p.attempt});
                            },
                            [this, now](const recoup::correction_held<event>& h) {
                              table_.note(*h.corrected.id, fate::held);
                              for_a_person_.emplace(h.id, h.corrected);
                              agenda_.put(now + std::chrono::seconds(random_.between(60, 600)), decision{h.id});
                            },
                            [this](const recoup::correction_unresolved<event>&) { table_.false_alarm(); }};
}

auto consumer::told_by_matcher(recoup::timestamp now) {
  return recoup::overloaded{[](const recoup::matched<event, charge>&) {},
                            [this, now](const recoup::mismatched<event, charge>& m) {
                              if (!table_.is(*m.ours.id, fault::unpaid, fate::detected)) table_.false_alarm();
                              look_up_record(*m.ours.id, system_of_record::provider, money_in_doubt, now);
                            },
                            [this, now](const recoup::unmatched<event>& u) {
                              table_.is(*u.record.id, fault::charge_missing, fate::detected);
                              look_up_record(*u.record.id, system_of_record::provider, charge_is_late, now);
                            },
                            [this, now](const recoup::unmatched<charge>& u) {
                              if (held_.contains(u.record.purchase)) return;
                              unclaimed_.emplace(u.record.purchase, u.record.dollars);
                              look_up_record(u.record.purchase, system_of_record::provider, event_is_held, now);
                            },
                            [this](const recoup::unmatched_retracted<event>&) { ++taken_back_; },
                            [this](const recoup::unmatched_retracted<charge>&) { ++taken_back_; },
                            [this](const recoup::duplicate_record<charge>& d) {
                              if (!table_.is(d.record.purchase, fault::charge_twice, fate::detected))
                                table_.false_alarm();
                              table_.note(d.record.purchase, fate::corrected);
                            },
                            [this](const auto&) { table_.false_alarm(); }};  // in parts, ambiguous, our record twice
}

auto consumer::sink(recoup::timestamp now) {
  return recoup::overloaded{
      [this, now](const recoup::accepted<event>& a) { accept(a.event, now); },
      [this](const recoup::duplicate<event>& d) {
        const std::uint64_t id = id_of(d.event);
        const fault f = table_.of(id);
        if (f == fault::repeated || f == fault::echoed) {
          table_.note(id, fate::detected);
          table_.note(id, fate::corrected);
        } else if (f != fault::lost && d.event.revision == 0) {  // one that was lost may be sent again twice
          table_.false_alarm();
        }
      },
      [this](const recoup::dead_letter<event>& d) {
        const std::uint64_t id = id_of(d.event);
        const fault expected = d.event.id ? fault::code_twice : fault::no_id;
        if (!table_.is(id, expected, fate::detected)) table_.false_alarm();
        table_.note(id, d.event.id ? fate::corrected : fate::given_up);  // the second code is void
        ++dead_letters_;
      },
      [this, now](const recoup::review<event>& r) { hold(r, now); },
      [this, now](const recoup::correction<event>& c) {
        table_.note(id_of(c.original), fate::detected);
        if (table_.of(id_of(c.original)) == fault::none) table_.false_alarm();
        propose("rules", c.original, c.corrected, now);
      },
      [this](const recoup::gap_found<std::uint32_t>& g) { note(g); },
      [this, now](const recoup::replay_request<std::uint32_t>& r) { outside_.send_again(r.stream, r.range, now); },
      [this](const recoup::gap_abandoned<std::uint32_t>& g) { note(g); },
      [](const recoup::late_arrival<std::uint32_t>&) {},
      [this](const recoup::stream_resumed<std::uint32_t>&) { table_.false_alarm(); },
      [this](const recoup::stream_evicted<std::uint32_t>&) { table_.false_alarm(); },
      [this](const recoup::overdue<std::uint64_t>& o) { note(o); },
      [this](const recoup::overdue_retracted<std::uint64_t>& o) {
        ++taken_back_;
        if (!table_.is(o.key + 1 + o.step, fault::step_late, fate::corrected)) table_.false_alarm();
      },
      [this](const recoup::expectation_evicted<std::uint64_t>&) { table_.false_alarm(); },
      [this](const recoup::anomaly<>& a) { note(a); }};
}

void consumer::note(const recoup::gap_found<std::uint32_t>& g) {
  for (std::uint64_t n = g.range.first; n <= g.range.last; ++n) {
    const std::uint64_t id = outside_.id_at(g.stream, n);
    const bool is_lost = table_.of(id) == fault::lost || table_.of(id) == fault::lost_for_good;
    is_lost ? table_.note(id, fate::detected) : table_.false_alarm();
  }
}

void consumer::note(const recoup::gap_abandoned<std::uint32_t>& g) {
  for (std::uint64_t n = g.range.first; n <= g.range.last; ++n) {
    const std::uint64_t id = outside_.id_at(g.stream, n);
    // A purchase may yet be known from the provider.
    if (table_.of(id) == fault::lost || outside_.truth(id).what != kind::purchase) table_.note(id, fate::given_up);
  }
}

void consumer::note(const recoup::overdue<std::uint64_t>& o) {
  const std::uint64_t step = o.key + 1 + o.step;  // the steps of a lead have the ids after its own
  if (!table_.is(step, fault::step_missing, fate::detected) && !table_.is(step, fault::step_late, fate::detected))
    table_.false_alarm();
  if (table_.of(step) == fault::step_missing) table_.note(step, fate::given_up);  // somebody calls the customer
}

void consumer::note(const recoup::anomaly<>& a) {
  const bool is_rate = a.name == "events";
  const fault f = is_rate ? fault::volume_drop : fault::ratio_drop;
  const recoup::timestamp begins = is_rate ? outside_.drop_begins() : outside_.sync_trouble_begins();
  const bool is_true = a.assessed.side == recoup::side::below && begins - 15min <= a.at && a.at < begins + 4h;
  if (is_true && table_.get(f, fate::detected) == 0) {
    table_.count(f, fate::detected);
    table_.count(f, fate::given_up);  // somebody has to look
  }
  if (!is_true && !outside_.is_closed()) ++other_alarms_;
}

void consumer::take(const delivery& d, recoup::timestamp now) {
  pipe_.process(d.e, now, sink(now), d.from);
  if (d.from == recoup::origin::replay) table_.is(id_of(d.e), fault::lost, fate::corrected);
}

void consumer::accept(const event& e, recoup::timestamp now) {
  if (e.what == kind::purchase) {
    if (books_are_shut_) throw books_are_shut();
    const bool is_new = books_.find(*e.id) == nullptr;
    books_.post(e, now);
    if (is_new) charges_.ours(e, now, told_by_matcher(now));
  }
  held_.erase(*e.id);
  if (e.revision == 0) return;
  const fault f = table_.of(*e.id);
  const bool is_between_us = f == fault::unpaid || f == fault::charge_missing || f == fault::charge_twice;
  if (f != fault::lost && (!is_between_us || !e.is_paid)) table_.note(*e.id, fate::corrected);
}

// An event that is held for review is put right by what its system of record says.
void consumer::hold(const recoup::review<event>& r, recoup::timestamp now) {
  const std::uint64_t id = id_of(r.event);
  bool is_for_rate_alone = true;
  for (const recoup::reason& why : r.because.reasons()) {
    if (why.rule == "rate.fresh") {
      if (!were_rates_stale_) table_.count(fault::rates_silent, fate::detected);
      were_rates_stale_ = true;
      table_.count(fault::rates_silent, fate::held);
      continue;
    }
    is_for_rate_alone = false;
  }
  if (!is_for_rate_alone) {
    if (table_.of(id) == fault::none) table_.false_alarm();
    table_.note(id, fate::detected);
    table_.note(id, fate::held);
  }
  held_.insert_or_assign(id, r.event);
  look_up_record(id,
                 is_for_rate_alone            ? system_of_record::rates
                 : r.event.what == kind::call ? system_of_record::crm
                                              : system_of_record::provider,
                 event_is_held, now);
}

void consumer::look_up_record(std::uint64_t id, system_of_record where, std::uint8_t urgency, recoup::timestamp now) {
  const auto mark = asked_.begin(id, now);
  if (!mark) return;  // it is being looked up
  look_ups_.push({id, where, urgency, mark.token}, {.urgency = urgency, .target = static_cast<std::uint32_t>(where)},
                 now, [this](const auto&) { table_.false_alarm(); });
}

void consumer::take(const answer& a, recoup::timestamp now) {
  const auto told = [this](const auto&) { table_.false_alarm(); };
  const look_up* const item = look_ups_.find_item(a.work);
  const look_up what = item == nullptr ? look_up{} : *item;
  if (!a.is_up) {
    look_ups_.failed(a.work, {recoup::failure_kind::transient}, now, told);
    if (what.where == system_of_record::provider && a.work.attempt == 1) table_.count(fault::provider_down, fate::held);
    return;
  }
  if (look_ups_.succeeded(a.work, now, told) == recoup::report_answer::stale) {
    table_.count(fault::answer_twice, fate::detected);
    table_.count(fault::answer_twice, fate::corrected);
    return;
  }
  asked_.done(what.id, what.mark);
  resolve(what, a.record, now);
}

void consumer::resolve(const look_up& what, const std::optional<event>& record, recoup::timestamp now) {
  const auto held = held_.find(what.id);
  const event* const original = held != held_.end() ? &held->second : books_.find(what.id);
  if (!record) {  // it never was
    table_.note(what.id, fate::given_up);
    held_.erase(what.id);
  } else if (what.where == system_of_record::rates) {
    set_rate(now);
    event again = *original;
    ++again.revision;
    agenda_.put(now, delivery{again, recoup::origin::correction});
  } else if (original == nullptr) {
    propose("provider", {}, *record, now);
  } else if (held == held_.end() && dollars(*original) == dollars(*record) && original->is_paid == record->is_paid) {
    table_.is(what.id, fault::charge_missing, fate::corrected);
  } else {
    propose("provider", *original, *record, now);
  }
}

// Proposes a correction, to be applied once. Of two that say the same the second changes nothing.
void consumer::propose(std::string_view rule, const event& original, event corrected, recoup::timestamp now) {
  const std::uint64_t id = *corrected.id;
  corrected.revision = original.revision + 1;
  const auto charged = unclaimed_.find(id);
  const std::int64_t before = original.id || charged == unclaimed_.end() ? dollars(original) : charged->second;
  const recoup::value_change change{static_cast<double>(dollars(corrected)), static_cast<double>(before)};
  const std::uint64_t name =
      recoup::correction_id(id, rule, std::tuple(dollars(corrected), corrected.is_paid, *corrected.at));
  const recoup::correction_state state =
      corrections_.propose(name, original, corrected, change, now, told_by_corrector(now));
  if (state == recoup::correction_state::rejected) {  // a person has seen this already
    table_.count(fault::wrong_answer, fate::detected);
    table_.count(fault::wrong_answer, fate::corrected);
    look_up_record(id, system_of_record::provider, event_is_held, now);
  }
  if (state == recoup::correction_state::no_room) table_.false_alarm();
}

// A person asks the customer.
void consumer::take(const decision& d, recoup::timestamp now) {
  const auto seen = for_a_person_.extract(d.correction);
  const event& corrected = seen.mapped();
  if (dollars(corrected) == dollars(outside_.truth(*corrected.id))) {
    corrections_.release(d.correction, now, told_by_corrector(now));
    return;
  }
  corrections_.reject(d.correction, now);
  table_.count(fault::wrong_answer, fate::detected);
  table_.count(fault::wrong_answer, fate::held);
  table_.count(fault::wrong_answer, fate::corrected);
  look_up_record(*corrected.id, system_of_record::provider, event_is_held, now);
}

// The corrected event goes through the pipeline once more. What can happen on the way: it comes twice, the books refuse
// it, or nobody hears that it worked.
void consumer::take(const application& a, recoup::timestamp now) {
  const std::uint64_t draw = a.attempt == 1 ? random_() % 200 : 200;
  books_are_shut_ = draw == 0 && a.corrected.what == kind::purchase;
  try {
    const recoup::verdict v = pipe_.process(a.corrected, now, sink(now), recoup::origin::correction);
    books_are_shut_ = false;
    if (v == recoup::verdict::review) {  // something else is wrong with it as well
      corrections_.roll_back(a.correction);
      return;
    }
    if (v == recoup::verdict::duplicate && a.attempt > 1) table_.count(fault::report_lost, fate::corrected);
    if (v == recoup::verdict::duplicate && a.attempt == 0) {
      table_.count(fault::correction_twice, fate::detected);
      table_.count(fault::correction_twice, fate::corrected);
    }
  } catch (const books_are_shut&) {
    table_.count(fault::books_refuse, fate::injected);
    table_.count(fault::books_refuse, fate::detected);
    books_are_shut_ = false;
    const std::optional<event> original = corrections_.roll_back(a.correction);
    table_.count(fault::books_refuse, original ? fate::corrected : fate::given_up);
    agenda_.put(now + 1min, proposal{*original, a.corrected});
    return;
  }
  if (draw == 1) {
    table_.count(fault::correction_twice, fate::injected);
    agenda_.put(now + 10s, application{a.correction, a.corrected, 0});
  }
  if (draw == 2) {
    table_.count(fault::report_lost, fate::injected);
    return;
  }
  corrections_.confirm(a.correction, now);
}

void consumer::set_rate(recoup::timestamp now) {
  const auto rate = outside_.rate(now);
  if (!rate) return;
  dollars_a_euro_.set(static_cast<double>(*rate) / 1e6, now);
  if (were_rates_stale_ && table_.get(fault::rates_silent, fate::corrected) == 0)
    table_.count(fault::rates_silent, fate::corrected);
}

void consumer::take(const charge& c, recoup::timestamp now) { charges_.theirs(c, now, told_by_matcher(now)); }

void consumer::take(const tick&, recoup::timestamp now) {
  if (now.time_since_epoch() % 1h == 0s) {
    set_rate(now);
  }
  // Each shop says how many events it has sent, so that the last ones can't be lost unseen.
  for (std::uint32_t shop = 0; shop < shops; ++shop) {
    const std::uint64_t last = outside_.last_number(shop);
    if (last != 0) pipe_.stage_at<gaps>().trackers().observe_high(shop, last, now);
  }
  pipe_.advance(now, sink(now));
  charges_.advance(now, told_by_matcher(now));
  corrections_.advance(now, told_by_corrector(now));
  books_.advance(now);

  look_ups_.advance(now, [this](const auto&) { table_.false_alarm(); });
  ask_what_is_due(now);
  const bool is_down = look_ups_.breaker(provider).state() == recoup::breaker_state::open;
  if (is_down && !was_provider_down_) table_.count(fault::provider_down, fate::detected);
  was_provider_down_ = was_provider_down_ || is_down;
}

void consumer::ask_what_is_due(recoup::timestamp now) {
  std::array<std::uint8_t, 4> least_urgent{};  // that has gone to each target just now
  while (const auto work = look_ups_.next(now)) {
    std::uint8_t& before = least_urgent.at(work->target);
    overtaken_ += work->item->urgency < before;
    before = std::max(before, work->item->urgency);
    outside_.ask(work->id, *work->item, work->target, now);
  }
}

void consumer::close() {
  // What nobody answered was taken back when its lease ran out, and asked again.
  const std::uint64_t timed_out = look_ups_.counters().timed_out;
  for (std::uint64_t i = 0; i < timed_out; ++i) {
    table_.count(fault::no_answer, fate::detected);
    table_.count(fault::no_answer, fate::corrected);
  }
  if (look_ups_.size() == 0) table_.count(fault::provider_down, fate::corrected);
}

bool consumer::is_done() const {
  const auto& asked = look_ups_.counters();
  return look_ups_.size() == 0 && corrections_.open() == 0 && held_.empty() && for_a_person_.empty() &&
         asked.pushed == asked.succeeded && overtaken_ == 0 && pipe_.stage_at<leads>().waiting().open() == 0 &&
         charges_.totals(recoup::match_side::ours).is_balanced() && books_.not_posted() == 0 &&
         charges_.totals(recoup::match_side::theirs).is_balanced();
}

void consumer::print() const {
  const auto& asked = look_ups_.counters();
  std::cout << "verdicts    ";
  for (const recoup::verdict v : {recoup::verdict::accepted, recoup::verdict::correction, recoup::verdict::duplicate,
                                  recoup::verdict::review, recoup::verdict::dead_letter})
    std::cout << "  " << recoup::name_of(v) << ' ' << pipe_.count(v);
  std::cout << "\ncorrections   proposed " << corrections_.proposed() << "  applied " << corrections_.applied()
            << "  rolled back " << corrections_.rolled_back() << "  rejected " << corrections_.rejected()
            << "\nlook-ups      " << asked.pushed << "  attempts " << asked.attempts << "  at the replica "
            << asked.at_fallback << "  failed " << asked.failed << "  timed out " << asked.timed_out
            << "  urgent ones overtaken " << overtaken_ << "\ntaken back    " << taken_back_
            << " overdue or unmatched that came after all"
            << "\ndays adjusted " << books_.adjustments() << " times after they were published"
            << "\nalarms        " << other_alarms_ << " unusual buckets besides\n";
}

}  // namespace payments
