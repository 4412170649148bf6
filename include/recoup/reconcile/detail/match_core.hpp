// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/complete_key.hpp"
#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/match_book.hpp"
#include "recoup/reconcile/detail/match_fields.hpp"
#include "recoup/reconcile/detail/match_search.hpp"
#include "recoup/reconcile/match_side.hpp"
#include "recoup/reconcile/matcher_findings.hpp"
#include "recoup/reconcile/matcher_options.hpp"

namespace recoup::detail {

enum class match_fate : std::uint8_t { nothing, opens, no_key, duplicate, ambiguous, paired };

// What would become of a record. Valid until the matcher changes.
template <std::size_t Most>
struct match_judgement {
  search_result<Most> found;
  hash_index::position same = hash_index::none;    // the one that it repeats
  hash_index::position victim = hash_index::none;  // the one that goes for it
  std::uint32_t tag = 0;
  match_fate what = match_fate::nothing;
  bool is_kept = false;
};

// What a matcher decides and keeps: both sides' books and totals. It tells nothing.
template <class OursBook, class TheirsBook, class Fields>
class match_core {
 public:
  using position = hash_index::position;
  static constexpr position none = hash_index::none;
  static constexpr std::size_t most_parts = Fields::has_parts ? 16 : 1;
  using search_result = detail::search_result<most_parts>;
  using pairing = detail::pairing<most_parts>;
  using judgement = match_judgement<most_parts>;

  match_core(const matcher_options& options, Fields fields, OursBook ours, TheirsBook theirs)
      : options_(options), fields_(std::move(fields)), ours_(std::move(ours)), theirs_(std::move(theirs)) {}

  const matcher_options& options() const noexcept { return options_; }
  const Fields& fields() const noexcept { return fields_; }
  template <match_side S>
  const auto& book() const noexcept {
    if constexpr (S == match_side::ours) {
      return ours_;
    } else {
      return theirs_;
    }
  }
  const match_totals& totals(match_side s) const noexcept { return totals_[static_cast<std::size_t>(s)]; }

  // Nothing where the key is absent.
  template <match_side S, class Record>
  std::optional<std::uint32_t> hash(const Record& r) const {
    const auto& key = book<S>().key_of(r);
    if (!detail::names_something(key)) return std::nullopt;
    return tag_of(key);
  }

  template <match_side S, class Record>
  judgement judge(const Record& r, std::optional<std::uint32_t> tag, timestamp now) const {
    judgement j;
    if (!tag) {
      j.what = match_fate::no_key;
      return j;
    }
    j.tag = *tag;
    const auto& own = book<S>();
    std::size_t of_key = 0;
    position settled = none;
    const position first = own.first_of(own.key_of(r), j.tag);
    for (position at = first; at != none; at = own[at].after, ++of_key) {
      const auto& e = own[at];
      const bool is_open = e.state == match_state::open;
      if (!is_open && (settled == none || e.due < own[settled].due)) settled = at;
      if (options_.identical_is_duplicate && (is_open || now < e.due) &&
          fields_.template is_identical<S>(*e.record, r)) {
        j.what = match_fate::duplicate;
        j.same = at;
        return j;
      }
    }
    j.found = search<S>(r, pairing::arriving, j.tag, now);
    j.what = fate_of(j.found, false);
    if (j.what == match_fate::nothing) j.what = match_fate::opens;
    if (of_key >= options_.per_key) {
      j.victim = settled != none ? settled : first;
    } else if (own.is_full()) {
      j.victim = own.first_settled() != none ? own.first_settled() : own.first_open();
    }
    const bool pushes_out_open = j.victim != none && own[j.victim].state == match_state::open;
    j.is_kept = j.what != match_fate::paired || !pushes_out_open;  // what is settled drives out none that waits
    if (!j.is_kept) j.victim = none;
    return j;
  }

  template <match_side S, class Record>
  void commit(const Record& r, const judgement& j, timestamp now) {
    std::optional<Record> copy;
    if (j.is_kept) copy.emplace(r);
    match_totals& t = of(S);
    ++t.seen;
    if (j.what == match_fate::no_key) ++t.missing;
    if (j.what == match_fate::duplicate) ++t.duplicates;
    if (j.what == match_fate::ambiguous) ++t.ambiguous;
    match_state state = match_state::open;
    if (j.what == match_fate::paired) {
      state = j.found.agrees() ? match_state::matched : match_state::mismatched;
      settle(j.found.best, state, now);
      ++count_of(t, state);
      t.forgotten_early += !j.is_kept;
    }
    if (j.victim != none) evict<S>(j.victim, now);  // last, as it may be of the pair, where it was told as unmatched
    if (!copy) return;
    t.open += state == match_state::open;
    const duration kept_for = state == match_state::open ? wait_of(S) : options_.remember;
    mutable_book<S>().add(std::move(*copy), j.tag, now, state, saturating_add(now, kept_for));
  }

  // Of a record whose wait is over.
  template <match_side S>
  search_result search_last(position at, timestamp now) const {
    return search<S>(*book<S>()[at].record, at, book<S>()[at].tag, now);
  }
  match_fate last_fate_of(const search_result& found) const noexcept { return fate_of(found, true); }
  template <match_side S>
  void commit_last(position at, const search_result& found, timestamp now) {
    if (last_fate_of(found) == match_fate::paired) {
      settle(found.best, found.agrees() ? match_state::matched : match_state::mismatched, now);
    } else {
      --of(S).open;
      ++of(S).missing;
      mutable_book<S>().settle(at, match_state::missing, saturating_add(now, options_.remember));
    }
  }
  void forget_until(timestamp now) noexcept {
    const auto forget = [now](auto& book) {
      while (book.first_settled() != none && book[book.first_settled()].due <= now) book.remove(book.first_settled());
    };
    forget(ours_);
    forget(theirs_);
  }

  // The last record that waits and equals this one, as if it had never come.
  template <match_side S, class Record>
  bool withdraw(const Record& r) {
    const auto tag = hash<S>(r);
    if (!tag) return false;
    const auto& own = book<S>();
    position last = none;
    for (position at = own.first_of(own.key_of(r), *tag); at != none; at = own[at].after) {
      if (own[at].state == match_state::open && fields_.template is_identical<S>(*own[at].record, r)) last = at;
    }
    if (last == none) return false;
    mutable_book<S>().remove(last);
    --of(S).open;
    --of(S).seen;
    return true;
  }

  match_core empty_copy() const {
    return {options_, fields_, OursBook(ours_.projection(), options_.ours),
            TheirsBook(theirs_.projection(), options_.theirs)};
  }
  void save(snapshot_writer& w) const {
    for (const match_totals& t : totals_) {
      for (const auto n : counters) w.u64(t.*n);
    }
    ours_.save(w);
    theirs_.save(w);
  }
  // Into an empty one.
  bool load(snapshot_reader& r) {
    for (match_totals& t : totals_) {
      for (const auto n : counters) t.*n = r.u64();
    }
    return load_book<match_side::ours>(r) && load_book<match_side::theirs>(r) && r.ok();
  }
  // Projections and comparers, which may not be assignable, stay.
  void replace(match_core&& by) noexcept {
    ours_.replace(std::move(by.ours_));
    theirs_.replace(std::move(by.theirs_));
    totals_ = by.totals_;
  }

 private:
  static constexpr std::array counters{
      &match_totals::seen,    &match_totals::matched,   &match_totals::mismatched,
      &match_totals::open,    &match_totals::missing,   &match_totals::duplicates,
      &match_totals::evicted, &match_totals::ambiguous, &match_totals::forgotten_early};

  template <class Key>
  std::uint32_t tag_of(const Key& key) const noexcept {
    return hash_index::tag_of(fingerprint(key, options_.seed));
  }
  match_totals& of(match_side s) noexcept { return totals_[static_cast<std::size_t>(s)]; }
  template <match_side S>
  auto& mutable_book() noexcept {
    if constexpr (S == match_side::ours) {
      return ours_;
    } else {
      return theirs_;
    }
  }
  duration wait_of(match_side s) const noexcept {
    return s == match_side::ours ? options_.ours_wait : options_.theirs_wait;
  }
  static std::uint64_t& count_of(match_totals& t, match_state state) noexcept {
    switch (state) {
      case match_state::open:
        return t.open;
      case match_state::matched:
        return t.matched;
      case match_state::mismatched:
        return t.mismatched;
      case match_state::missing:
        break;
    }
    return t.missing;
  }

  template <match_side S, class Record>
  search_result search(const Record& r, position self, std::uint32_t tag, timestamp now) const {
    using own = std::remove_cvref_t<decltype(book<S>())>;
    using other = std::remove_cvref_t<decltype(book<opposite(S)>())>;
    return match_search<S, own, other, Fields, most_parts>(book<S>(), book<opposite(S)>(), fields_, options_, now)
        .find(r, self, tag);
  }

  // Those that disagree are paired where no other can be expected.
  match_fate fate_of(const search_result& found, bool is_last) const noexcept {
    const bool waits_for_better = (options_.several_per_key || Fields::has_parts) && !is_last;
    if (found.best.count == 0 || (!found.agrees() && waits_for_better)) return match_fate::nothing;
    return found.is_ambiguous() && !options_.earliest ? match_fate::ambiguous : match_fate::paired;
  }

  template <match_side S>
  void settle(position at, match_state state, timestamp now) noexcept {
    if (at == pairing::arriving) return;
    --count_of(of(S), book<S>()[at].state);
    ++count_of(of(S), state);
    mutable_book<S>().settle(at, state, saturating_add(now, options_.remember));
  }
  void settle(const pairing& p, match_state state, timestamp now) noexcept {
    const auto settle_all = [&]<match_side Whole>(std::integral_constant<match_side, Whole>) {
      settle<Whole>(p.whole, state, now);
      for (std::size_t i = 0; i < p.count; ++i) settle<opposite(Whole)>(p.parts[i], state, now);
    };
    if (p.parts_side == match_side::ours) {
      settle_all(std::integral_constant<match_side, match_side::theirs>{});
    } else {
      settle_all(std::integral_constant<match_side, match_side::ours>{});
    }
  }

  template <match_side S>
  void evict(position at, timestamp now) noexcept {
    match_totals& t = of(S);
    if (const auto& e = book<S>()[at]; e.state == match_state::open) {
      --t.open;
      ++t.missing;
      ++t.evicted;
    } else {
      t.forgotten_early += now < e.due;
    }
    mutable_book<S>().remove(at);
  }

  template <match_side S>
  bool load_book(snapshot_reader& r) {
    match_totals held;
    const bool loaded = mutable_book<S>().load(
        r, options_.per_key, [this](const auto& key) { return this->tag_of(key); },
        [&](const auto& e) { ++count_of(held, e.state); });
    const match_totals& t = totals(S);
    return loaded && t.is_balanced() && t.open == held.open && t.matched >= held.matched &&
           t.mismatched >= held.mismatched && t.missing >= held.missing && t.evicted <= t.missing;
  }

  matcher_options options_;
  Fields fields_;
  OursBook ours_;
  TheirsBook theirs_;
  std::array<match_totals, 2> totals_{};
};

}  // namespace recoup::detail
