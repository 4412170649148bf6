// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/comparers.hpp"
#include "recoup/reconcile/detail/match_book.hpp"
#include "recoup/reconcile/match_side.hpp"
#include "recoup/reconcile/matcher_options.hpp"

namespace recoup::detail {

// Records that may belong together, by their positions: one of a side, and `count` of the other, in order of arrival.
template <std::size_t Most>
struct pairing {
  static constexpr hash_index::position arriving = hash_index::none - 1;  // the record that is not in the book yet

  hash_index::position whole = hash_index::none;
  std::array<hash_index::position, Most> parts{};
  std::uint8_t count = 0;
  match_side parts_side = match_side::theirs;
};

template <std::size_t Most>
struct search_result {
  static constexpr std::uint32_t no_rank = std::numeric_limits<std::uint32_t>::max();

  pairing<Most> best;
  pairing<Most> second;          // as good as the best, if it has a count
  std::uint32_t rank = no_rank;  // of both: 2 * match_fields::rank, and 1 more where a record was told as unmatched

  bool agrees() const noexcept { return rank < 4; }
  bool is_ambiguous() const noexcept { return second.count != 0; }
  void offer(const pairing<Most>& p, std::uint32_t rank_of_p) noexcept {
    if (rank_of_p < rank) {
      best = p;
      second.count = 0;
      rank = rank_of_p;
    } else if (rank_of_p == rank && second.count == 0) {
      second = p;
    }
  }
};

// Finds what a record of a side belongs with: the best of the other side's records of its key, where those that wait
// come before those that were told as unmatched; if none agrees, the best way to add up. Changes nothing, and asks for
// nothing but the records and their order.
template <match_side Side, class Own, class Other, class Fields, std::size_t Most>
class match_search {
 public:
  using record = typename std::remove_cvref_t<decltype(std::declval<Own>()[0].record)>::value_type;
  using position = hash_index::position;
  using result = search_result<Most>;

  match_search(const Own& own, const Other& other, const Fields& fields, const matcher_options& options, timestamp now)
      : own_(own), other_(other), fields_(fields), options_(options), now_(now) {}

  // `self`: where the record lies, or pairing::arriving.
  result find(const record& r, position self, std::uint32_t tag) const {
    const auto& key = own_.key_of(r);
    const position candidates = other_.first_of(key, tag);
    result found;
    for (position at = candidates; at != none; at = other_[at].after) {
      if (!is_candidate(other_[at])) continue;
      pairing<Most> p{self, {}, 1, opposite(Side)};
      p.parts[0] = at;
      found.offer(p, 2 * Fields::rank(compare(r, *other_[at].record)) + is_missing(other_[at]));
    }
    if constexpr (Fields::has_parts) {
      if (candidates != none && !found.agrees()) {
        result sums;
        offer_as_whole(r, self, candidates, sums);
        offer_as_part(r, self, candidates, own_.first_of(key, tag), sums);
        if (sums.best.count != 0) return sums;
      }
    }
    return found;
  }

 private:
  static constexpr position none = hash_index::none;

  template <class Entry>
  bool is_candidate(const Entry& e) const noexcept {
    return e.state == match_state::open || (e.state == match_state::missing && now_ < e.due);
  }
  template <class Entry>
  static std::uint32_t is_missing(const Entry& e) noexcept {
    return e.state == match_state::missing;
  }
  template <class Candidate>
  auto compare(const record& r, const Candidate& c) const {
    if constexpr (Side == match_side::ours) {
      return fields_.compare(r, c);
    } else {
      return fields_.compare(c, r);
    }
  }
  template <class Candidate>
  bool agree_but_for_sum(const record& r, const Candidate& c) const {
    if constexpr (Side == match_side::ours) {
      return fields_.agree_but_for_sum(r, c);
    } else {
      return fields_.agree_but_for_sum(c, r);
    }
  }

  template <class Sum>
  struct part {
    position at;
    Sum value;
    std::uint32_t is_missing;
  };
  template <class Sum>
  struct part_list {
    std::array<part<Sum>, Most> all{};
    std::size_t size = 0;
  };

  // f(chosen, sum) for each choice of parts, a bit each; those with early parts come first. Choices whose sum cannot be
  // told are left out.
  template <class Sum, class F>
  static void for_each_choice(const part_list<Sum>& parts, std::size_t next, std::uint32_t chosen, Sum sum, F& f) {
    if (next == parts.size) return f(chosen, sum);
    Sum with = sum;
    if (add_to(with, parts.all[next].value)) {
      for_each_choice(parts, next + 1, chosen | std::uint32_t{1} << next, with, f);
    }
    for_each_choice(parts, next + 1, chosen, sum, f);
  }

  // The record is the whole, candidates of the other side are its parts.
  void offer_as_whole(const record& r, position self, position candidates, result& found) const {
    constexpr match_side parts_side = opposite(Side);
    using sum = decltype(fields_.template no_sum<parts_side>(*other_[0].record));
    part_list<sum> parts;
    for (position at = candidates; at != none && parts.size < options_.max_parts; at = other_[at].after) {
      if (is_candidate(other_[at])) add<parts_side>(other_, at, agree_but_for_sum(r, *other_[at].record), parts);
    }
    offer_sums<Side>(r, self, parts, sum{}, none, 0, found);
  }
  // A candidate of the other side is the whole, the record and others of its own side are its parts.
  void offer_as_part(const record& r, position self, position candidates, position siblings, result& found) const {
    using sum = decltype(fields_.template no_sum<Side>(r));
    sum own{};
    if (!fields_.template add_part<Side>(r, own)) return;
    for (position whole = candidates; whole != none; whole = other_[whole].after) {
      if (!is_candidate(other_[whole]) || !agree_but_for_sum(r, *other_[whole].record)) continue;
      part_list<sum> parts;
      for (position at = siblings; at != none && parts.size + 1 < options_.max_parts; at = own_[at].after) {
        if (at == self || !is_candidate(own_[at])) continue;
        add<Side>(own_, at, agree_but_for_sum(*own_[at].record, *other_[whole].record), parts);
      }
      offer_sums<opposite(Side)>(*other_[whole].record, whole, parts, own, self, is_missing(other_[whole]), found);
    }
  }
  template <match_side PartsSide, class Book, class Sum>
  void add(const Book& book, position at, bool agrees, part_list<Sum>& parts) const {
    part<Sum> p{at, Sum{}, is_missing(book[at])};
    if (agrees && fields_.template add_part<PartsSide>(*book[at].record, p.value)) parts.all[parts.size++] = p;
  }

  // `fixed`: a part that is in all choices, of the value `begin`; it came last.
  template <match_side WholeSide, class Whole, class Sum>
  void offer_sums(const Whole& whole, position whole_at, const part_list<Sum>& parts, Sum begin, position fixed,
                  std::uint32_t whole_is_missing, result& found) const {
    const auto offer = [&](std::uint32_t chosen, Sum sum) {
      pairing<Most> p{whole_at, {}, 0, opposite(WholeSide)};
      std::uint32_t missing = whole_is_missing;
      for (std::size_t i = 0; i < parts.size; ++i) {
        if ((chosen >> i & 1U) == 0) continue;
        p.parts[p.count++] = parts.all[i].at;
        missing |= parts.all[i].is_missing;
      }
      if (fixed != none) p.parts[p.count++] = fixed;
      if (p.count < 2) return;
      const field_difference d = fields_.template compare_sum<WholeSide>(whole, sum);
      if (d.agrees) found.offer(p, 2 * std::uint32_t{!d.is_equal} + missing);
    };
    for_each_choice(parts, 0, 0, begin, offer);
  }

  const Own& own_;
  const Other& other_;
  const Fields& fields_;
  const matcher_options& options_;
  timestamp now_;
};

}  // namespace recoup::detail
