// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// Do our records and the payment provider's agree? Each payment waits for its charge, and each charge for its payment,
// whichever comes first. Where they differ, a correction goes back into the pipeline; it takes effect once, and a
// person is asked where it moves an amount by more than 300 %.

#include <chrono>
#include <cstdint>
#include <iostream>
#include <recoup/recoup.hpp>
#include <vector>

using namespace std::chrono_literals;

struct payment {
  std::uint64_t id = 0;
  std::uint32_t revision = 0;  // grows with each correction
  std::int64_t cents = 0;
};
struct charge {
  std::uint64_t payment = 0;
  std::int64_t cents = 0;
};

int main() {
  auto pipe = recoup::assemble<payment>(
      recoup::deduplicate(recoup::key(&payment::id, &payment::revision), recoup::exact_window({.events = 100'000})),
      recoup::reconcile(recoup::match<payment, charge>(&payment::id, &charge::payment,
                                                       {.ours_wait = 10min, .theirs_wait = 10min},
                                                       recoup::same<"amount">(&payment::cents, &charge::cents))));
  recoup::corrector<payment> corrections;

  recoup::timestamp now{};
  std::vector<payment> again;
  std::int64_t booked = 0;
  std::vector<std::uint64_t> unmatched;

  const auto correct =
      recoup::overloaded{[&](const recoup::correction_proposed<payment>& p) { again.push_back(p.corrected); },
                         [](const recoup::correction_held<payment>& h) {
                           std::cout << "ask a person: payment " << h.original.id << " from " << h.original.cents
                                     << " to " << h.corrected.cents << " cents\n";
                         },
                         [](const recoup::correction_unresolved<payment>&) {}};
  const auto id_of = [](const payment& p) { return recoup::correction_id(p.id, "charge", p.cents); };

  recoup::overloaded sink{
      [&](const recoup::accepted<payment>& a) { booked += a.event.cents; },
      [&](const recoup::mismatched<payment, charge>& m) {
        std::cout << m.why() << '\n';
        payment right = m.ours;
        ++right.revision;
        right.cents = m.theirs.cents;
        corrections.propose(id_of(right), m.ours, right,
                            recoup::value_change{static_cast<double>(right.cents), static_cast<double>(m.ours.cents)},
                            now, correct);
      },
      [&](const recoup::unmatched<payment>& u) { unmatched.push_back(u.record.id); },
      [&](const recoup::unmatched<charge>& u) { unmatched.push_back(u.record.payment); }, [](const auto&) {}};

  for (const payment& p : {payment{1, 0, 500}, payment{2, 0, 990}, payment{3, 0, 1}, payment{4, 0, 250}})
    pipe.process(p, now, sink);
  for (const charge& c : {charge{2, 900}, charge{1, 500}, charge{3, 1'000}, charge{5, 70}})
    pipe.external(c, now + 1min, sink);

  for (const payment& right : again) {
    for (int time = 0; time < 2; ++time) {  // it may come twice
      const recoup::verdict v = pipe.process(right, now + 2min, sink, recoup::origin::correction);
      if (v == recoup::verdict::accepted) booked -= corrections.original(id_of(right))->cents;
    }
    corrections.confirm(id_of(right), now + 2min);
  }
  pipe.advance(now + 1h, sink);

  std::cout << "booked " << booked << " cents; without a counterpart:";
  for (const std::uint64_t id : unmatched) std::cout << ' ' << id;
  std::cout << "\ncorrections applied " << corrections.applied() << ", open " << corrections.open() << '\n';
  return booked == 500 + 900 + 1 + 250 && unmatched == std::vector<std::uint64_t>{4, 5} ? 0 : 1;
}
