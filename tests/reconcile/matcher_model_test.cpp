// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "matcher_records.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/reconcile/matcher.hpp"
#include "test_scale.hpp"

namespace {

using namespace std::chrono_literals;
using namespace matching;
using recoup::matcher_options;

// What a matcher should be: a list of records for each side, and linear searches through them.
class model {
 public:
  model(const matcher_options& options, bool has_parts) : options_(options), has_parts_(has_parts) {}

  enum class state { open, matched, mismatched, missing };
  struct record {
    std::uint64_t key;
    std::int64_t amount;
    std::int32_t status;
    std::uint32_t serial;
    std::int64_t since = 0;
    std::int64_t due = 0;
    std::uint64_t put_in_line = 0;
    state is = state::open;
  };
  struct totals {
    std::uint64_t seen = 0, matched = 0, mismatched = 0, missing = 0, duplicates = 0;
    std::uint64_t open = 0;
  };

  lines told;
  std::array<totals, 2> counted{};

  void take(std::size_t side, record r, std::int64_t now) {
    std::vector<record>& own = records_[side];
    r.since = now;
    totals& t = counted[side];
    ++t.seen;
    for (const record& o : own) {
      if (options_.identical_is_duplicate && o.key == r.key && o.amount == r.amount && o.status == r.status &&
          (o.is == state::open || now < o.due)) {
        told.push_back(name(side, r.serial) + " repeats " + std::to_string(o.serial));
        ++t.duplicates;
        return;
      }
    }
    const std::vector<choice> best = find(side, r, now);
    const bool ambiguous = best.size() > 1 && !options_.earliest;
    const bool waits = best.empty() || (best[0].rank >= 4 && (options_.several_per_key || has_parts_));
    const bool pairs = !waits && !ambiguous;

    // The one that goes.
    record* victim = nullptr;
    const auto is_settled = [](const record& o) { return o.is != state::open; };
    const auto sooner = [](const record& a, const record& b) {
      return std::tuple(a.due, a.put_in_line) < std::tuple(b.due, b.put_in_line);
    };
    const auto of_key = std::count_if(own.begin(), own.end(), [&](const record& o) { return o.key == r.key; });
    const bool key_is_full = static_cast<std::size_t>(of_key) >= options_.per_key;
    if (key_is_full || own.size() >= (side == 0 ? options_.ours : options_.theirs)) {
      for (record& o : own) {
        if (key_is_full && o.key != r.key) continue;
        if (victim == nullptr) {
          victim = &o;
        } else if (is_settled(o) != is_settled(*victim)) {
          if (is_settled(o)) victim = &o;
        } else if (key_is_full ? is_settled(o) && o.due < victim->due : sooner(o, *victim)) {
          victim = &o;
        }
      }
    }
    const bool is_kept = victim == nullptr || !pairs || is_settled(*victim);
    if (victim != nullptr && !is_settled(*victim) && is_kept) {
      told.push_back(name(side, victim->serial) + " unmatched, evicted since " + std::to_string(victim->since));
      ++t.missing;
      --t.open;
    }
    if (!waits && ambiguous) told.push_back("ambiguous " + show(side, r, best[0]) + " or " + show(side, r, best[1]));
    const std::uint32_t gone = victim != nullptr && is_kept ? victim->serial : no_serial;
    if (pairs) tell_pair(side, r, best[0], now);
    if (gone != no_serial) std::erase_if(own, [&](const record& o) { return o.serial == gone; });
    if (pairs) {
      r.is = best[0].rank < 4 ? state::matched : state::mismatched;
      ++(r.is == state::matched ? t.matched : t.mismatched);
    } else {
      ++t.open;
    }
    r.due = now + (pairs ? options_.remember : side == 0 ? options_.ours_wait : options_.theirs_wait).count();
    r.put_in_line = ++clock_;
    if (is_kept) own.push_back(r);
  }

  void advance(std::int64_t now) {
    for (;;) {
      record* next = nullptr;
      std::size_t side = 0;
      for (std::size_t s = 0; s < 2; ++s) {
        for (record& o : records_[s]) {
          if (o.is != state::open || o.due > now) continue;
          if (next == nullptr || o.due < next->due ||
              (o.due == next->due && s == side && o.put_in_line < next->put_in_line)) {
            next = &o;
            side = s;
          }
        }
      }
      if (next == nullptr) break;
      const std::vector<choice> best = find(side, *next, now);
      if (!best.empty() && (best.size() == 1 || options_.earliest)) {
        const record r = *next;
        tell_pair(side, r, best[0], now);
      } else {
        told.push_back(name(side, next->serial) + " unmatched, " + (best.empty() ? "waited" : "ambiguous") + " since " +
                       std::to_string(next->since));
        settle(side, next->serial, state::missing, now);
      }
    }
    for (auto& all : records_) std::erase_if(all, [&](const record& o) { return o.is != state::open && o.due <= now; });
  }

 private:
  static constexpr std::uint32_t no_serial = ~std::uint32_t{0};

  // The record that was looked for, with one whole or with parts of the other side; or it and its siblings as parts.
  struct choice {
    std::uint32_t rank;
    std::vector<std::uint32_t> siblings;  // serials
    std::vector<std::uint32_t> others;
  };

  static bool is_candidate(const record& o, std::int64_t now) {
    return o.is == state::open || (o.is == state::missing && now < o.due);
  }

  // The best of all choices, all that are equally good, in order.
  std::vector<choice> find(std::size_t side, const record& r, std::int64_t now) const {
    std::vector<const record*> others;
    std::vector<const record*> siblings;
    for (const record& o : records_[1 - side]) {
      if (o.key == r.key && is_candidate(o, now)) others.push_back(&o);
    }
    for (const record& o : records_[side]) {
      if (o.key == r.key && is_candidate(o, now) && o.serial != r.serial && o.status == r.status)
        siblings.push_back(&o);
    }
    std::vector<choice> all;
    for (const record* o : others) {
      const bool far = std::abs(o->amount - r.amount) > 5;
      const bool other = o->status != r.status;
      const std::uint32_t rank = far || other ? 1U + far + other : o->amount != r.amount ? 1U : 0U;
      all.push_back({2 * rank + (o->is == state::missing), {}, {o->serial}});
    }
    keep_best(all);
    if (!has_parts_ || (!all.empty() && all[0].rank < 4)) return all;
    std::erase_if(others, [&](const record* o) { return o->status != r.status; });
    std::vector<choice> sums;
    const auto add = [&](const std::vector<const record*>& parts, const record* whole, bool r_is_part) {
      const std::size_t n = std::min(parts.size(), options_.max_parts - r_is_part);
      for (std::uint32_t choose = (1U << n) - 1; choose > 0; --choose) {  // the first part is the highest bit
        std::int64_t sum = r_is_part ? r.amount : 0;
        bool missing = whole->is == state::missing && r_is_part;
        std::vector<std::uint32_t> chosen;
        for (std::size_t i = 0; i < n; ++i) {
          if ((choose >> (n - 1 - i) & 1U) == 0) continue;
          sum += parts[i]->amount;
          missing = missing || parts[i]->is == state::missing;
          chosen.push_back(parts[i]->serial);
        }
        if (chosen.size() + r_is_part < 2 || std::abs(sum - whole->amount) > 5) continue;
        const std::uint32_t rank = 2U * (sum != whole->amount) + missing;
        if (r_is_part) {
          sums.push_back({rank, chosen, {whole->serial}});
        } else {
          sums.push_back({rank, {}, chosen});
        }
      }
    };
    add(others, &r, false);
    for (const record* whole : others) add(siblings, whole, true);
    keep_best(sums);
    return sums.empty() ? all : sums;
  }
  static void keep_best(std::vector<choice>& all) {
    std::uint32_t best = ~std::uint32_t{0};
    for (const choice& c : all) best = std::min(best, c.rank);
    std::erase_if(all, [&](const choice& c) { return c.rank != best; });
  }

  void settle(std::size_t side, std::uint32_t serial, state to, std::int64_t now) {
    for (record& o : records_[side]) {
      if (o.serial != serial) continue;
      totals& t = counted[side];
      --(o.is == state::open ? t.open : t.missing);
      ++(to == state::matched ? t.matched : to == state::mismatched ? t.mismatched : t.missing);
      o.is = to;
      o.due = now + options_.remember.count();
      o.put_in_line = ++clock_;
    }
  }
  void tell_pair(std::size_t side, const record& r, const choice& c, std::int64_t now) {
    const auto retract = [&](std::size_t of, const std::vector<std::uint32_t>& serials) {
      for (const std::uint32_t serial : serials) {
        for (const record& o : records_[of]) {
          if (o.serial == serial && o.is == state::missing) told.push_back(name(of, serial) + " retracted");
        }
      }
    };
    if (c.siblings.empty()) {
      retract(1 - side, c.others);
    } else {
      retract(1 - side, c.others);  // the whole first
      retract(side, c.siblings);
    }
    const bool in_parts = c.siblings.size() + c.others.size() > 1;
    told.push_back((in_parts ? "matched in parts " : c.rank < 4 ? "matched " : "mismatched ") + show(side, r, c));
    const state to = c.rank < 4 ? state::matched : state::mismatched;
    // The lines of both sides are apart, so that only the order within a side matters.
    for (const std::uint32_t serial : c.others) settle(1 - side, serial, to, now);
    for (const std::uint32_t serial : c.siblings) settle(side, serial, to, now);
    settle(side, r.serial, to, now);  // if it is kept already
  }

  static std::string name(std::size_t side, std::uint32_t serial) {
    return (side == 0 ? "ours " : "theirs ") + std::to_string(serial);
  }
  static std::string show(std::size_t side, const record& r, const choice& c) {
    std::vector<std::uint32_t> own = c.siblings;
    own.push_back(r.serial);
    const std::vector<std::uint32_t>& a = side == 0 ? own : c.others;
    const std::vector<std::uint32_t>& b = side == 0 ? c.others : own;
    std::string text;
    for (const std::uint32_t serial : a) text += std::to_string(serial) + ' ';
    text += "with";
    for (const std::uint32_t serial : b) text += ' ' + std::to_string(serial);
    return text;
  }

  matcher_options options_;
  bool has_parts_;
  std::array<std::vector<record>, 2> records_;
  std::uint64_t clock_ = 0;
};

template <class Matcher>
void check_totals(const Matcher& m, const model& expected) {
  for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
    const recoup::match_totals& t = m.totals(side == 0 ? match_side::ours : match_side::theirs);
    const model::totals& e = expected.counted[side];
    REQUIRE(t.is_balanced());
    REQUIRE(std::tuple(t.seen, t.matched, t.mismatched, t.open, t.missing, t.duplicates) ==
            std::tuple(e.seen, e.matched, e.mismatched, e.open, e.missing, e.duplicates));
  }
}

// Feeds the same random records to two matchers with other hashes and to the model.
template <class Make>
std::uint64_t compare_with_model(const Make& make, bool has_parts, matcher_options options, std::uint64_t seed,
                                 std::uint64_t keys, std::int64_t amounts) {
  std::mt19937_64 random(seed);
  options.seed = seed;
  auto m = make(options);
  matcher_options reseeded = options;
  reseeded.seed = ~seed;
  auto other = make(reseeded);
  model expected(options, has_parts);
  std::int64_t now = 0;
  for (std::uint32_t step = 0; step < 3'000; ++step) {
    now += static_cast<std::int64_t>(random() % 6) - (random() % 40 == 0 ? 30 : 0);
    listener told;
    listener told_other;
    const std::uint64_t key = random() % keys;
    const std::int64_t amount = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(amounts)) - 3;
    const std::int32_t status = random() % 8 == 0;
    switch (random() % 5) {
      case 0:
        m.advance(at(now), told);
        other.advance(at(now), told_other);
        expected.advance(now);
        break;
      case 1:
      case 2: {
        const order o{static_cast<std::uint32_t>(key), amount, status, step};
        m.ours(o, at(now), told);
        other.ours(o, at(now), told_other);
        expected.take(0, {key, amount, status, step}, now);
        break;
      }
      default: {
        const charge c{key, amount, status, step};
        m.theirs(c, at(now), told);
        other.theirs(c, at(now), told_other);
        expected.take(1, {key, amount, status, step}, now);
      }
    }
    REQUIRE(told.lines == std::exchange(expected.told, {}));
    REQUIRE(told_other.lines == told.lines);
    check_totals(m, expected);
    if (random() % 100 == 0) {
      const auto saved = recoup::snapshot(m);
      auto restored = make(options);
      REQUIRE(recoup::restore(restored, saved));
      REQUIRE(recoup::snapshot(restored) == saved);
      REQUIRE(recoup::snapshot(other) == saved);
      m = restored;
    }
  }
  return m.totals(match_side::ours).matched;
}

}  // namespace

TEST_CASE("a matcher answers as linear searches do whatever the hash") {
  std::uint64_t matches = 0;
  for (std::uint64_t seed = 0; seed < 8 * test_scale(); ++seed) {
    matches += compare_with_model(match_whole, false,
                                  {.ours = 30,
                                   .theirs = 20,
                                   .ours_wait = 40ns,
                                   .theirs_wait = duration(seed % 3 * 30),
                                   .remember = duration(60 * (seed % 4)),
                                   .per_key = seed % 2 == 0 ? 3U : 16U,
                                   .several_per_key = seed % 4 >= 2,
                                   .identical_is_duplicate = seed % 3 != 0,
                                   .earliest = seed % 5 == 0},
                                  seed, 12, 40);
  }
  CHECK(matches > 1'000);
}

TEST_CASE("a matcher adds parts up as a search through all choices does") {
  std::uint64_t matches = 0;
  for (std::uint64_t seed = 0; seed < 6 * test_scale(); ++seed) {
    matches += compare_with_model(match_in_parts, true,
                                  {.ours = 40,
                                   .theirs = 50,
                                   .ours_wait = 60ns,
                                   .theirs_wait = 50ns,
                                   .remember = duration(50 * (seed % 3)),
                                   .per_key = 6 + seed % 5,
                                   .max_parts = 2 + seed % 5,
                                   .identical_is_duplicate = seed % 2 == 0,
                                   .earliest = seed % 3 == 0},
                                  seed, 8, 400);
  }
  CHECK(matches > 500);
}
