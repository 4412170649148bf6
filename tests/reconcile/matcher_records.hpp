// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/matcher.hpp"

// What the tests of matching share: records of both sides, and a listener that writes down what it is told.

namespace matching {

using recoup::duration;
using recoup::match_side;
using recoup::timestamp;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

struct order {
  std::uint32_t id = 0;
  std::int64_t amount = 0;
  std::int32_t status = 0;
  std::uint32_t serial = 0;  // tells records apart; nothing compares it

  void save(recoup::snapshot_writer& w) const {
    w.u32(id);
    w.i64(amount);
    w.value(status);
    w.u32(serial);
  }
  bool load(recoup::snapshot_reader& r) {
    id = r.u32();
    amount = r.i64();
    (void)r.value(status);
    serial = r.u32();
    return r.ok();
  }
};

struct charge {
  std::uint64_t order_id = 0;
  std::int64_t amount = 0;
  std::int32_t status = 0;
  std::uint32_t serial = 0;

  void save(recoup::snapshot_writer& w) const {
    w.u64(order_id);
    w.i64(amount);
    w.value(status);
    w.u32(serial);
  }
  bool load(recoup::snapshot_reader& r) {
    order_id = r.u64();
    amount = r.i64();
    (void)r.value(status);
    serial = r.u32();
    return r.ok();
  }
};

inline constexpr double tolerated = 5;

inline auto match_whole(const recoup::matcher_options& options) {
  return recoup::match<order, charge>(&order::id, &charge::order_id, options,
                                      recoup::close<"amount">(&order::amount, &charge::amount, {.absolute = tolerated}),
                                      recoup::same<"status">(&order::status, &charge::status));
}
inline auto match_in_parts(const recoup::matcher_options& options) {
  return recoup::match<order, charge>(
      &order::id, &charge::order_id, options,
      recoup::in_parts(recoup::close<"amount">(&order::amount, &charge::amount, {.absolute = tolerated})),
      recoup::same<"status">(&order::status, &charge::status));
}

struct listener_failure {};

// A line for each finding; throws instead where it is told to fail.
class listener {
 public:
  std::vector<std::string> lines;
  std::size_t fail_at = std::numeric_limits<std::size_t>::max();

  void operator()(const recoup::matched<order, charge>& m) {
    note("matched " + number(m.ours.serial) + " with " + number(m.theirs.serial));
  }
  void operator()(const recoup::mismatched<order, charge>& m) {
    note("mismatched " + number(m.ours.serial) + " with " + number(m.theirs.serial));
  }
  void operator()(const recoup::matched_in_parts<order, charge>& m) { note("matched in parts " + show(m.records)); }
  void operator()(const recoup::ambiguous<order, charge>& a) {
    note("ambiguous " + show(a.first) + " or " + show(a.second));
  }
  template <class Record>
  void operator()(const recoup::unmatched<Record>& u) {
    note(std::string(name_of(u.side)) + ' ' + number(u.record.serial) + " unmatched, " +
         std::string(name_of(u.reason)) + " since " + std::to_string(u.since.time_since_epoch().count()));
  }
  template <class Record>
  void operator()(const recoup::unmatched_retracted<Record>& u) {
    note(std::string(name_of(u.side)) + ' ' + number(u.record.serial) + " retracted");
  }
  template <class Record>
  void operator()(const recoup::duplicate_record<Record>& d) {
    note(std::string(name_of(d.side)) + ' ' + number(d.record.serial) + " repeats " + number(d.first.serial));
  }

  std::vector<std::string> take() { return std::exchange(lines, {}); }

 private:
  static std::string number(std::uint32_t serial) { return std::to_string(serial); }
  static std::string show(const recoup::possible_match<order, charge>& m) {
    std::string text;
    for (const order* o : m.ours) text += number(o->serial) + ' ';
    text += "with";
    for (const charge* c : m.theirs) text += ' ' + number(c->serial);
    return text;
  }
  void note(std::string line) {
    if (lines.size() == fail_at) throw listener_failure();
    lines.push_back(std::move(line));
  }
};

using lines = std::vector<std::string>;

}  // namespace matching
