// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/project.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/reconcile/comparers.hpp"
#include "recoup/reconcile/detail/match_book.hpp"
#include "recoup/reconcile/detail/match_core.hpp"
#include "recoup/reconcile/detail/match_fields.hpp"
#include "recoup/reconcile/detail/match_telling.hpp"
#include "recoup/reconcile/match_side.hpp"
#include "recoup/reconcile/matcher_findings.hpp"
#include "recoup/reconcile/matcher_options.hpp"

namespace recoup {

/// Matches our records with those from outside, which come in either order: by a key that both have, then by fields.
/// Made by `match`. Tells matched, mismatched, matched_in_parts, ambiguous, unmatched, unmatched_retracted and
/// duplicate_record: see matcher_findings.hpp.
///
/// A record waits for a partner that agrees: equal in all fields before close, one that waits before one that was told
/// as unmatched. If none agrees, and a comparer is in_parts, several of a side may agree with one of the other. What
/// has been paired stays so: a record is in one pair at most, and none is opened again. At the end of its wait a record
/// is tried once more (what was ambiguous may not be so any more), then told as unmatched and remembered, so that a
/// late partner takes that back. What a call tells, it tells before anything changes: a listener that throws undoes the
/// call.
///
/// Invariant: of each side, seen = matched + mismatched + open + missing + duplicates, at every moment. The answers
/// depend on the records, times and options alone, not on the hash.
///
/// Cost: two look-ups and a comparison with each record held of the key: O(per_key) a record; where a comparer is
/// in_parts and nothing else agrees, O(per_key * 2^max_parts). A record that comes before others in time walks past
/// those that came later: O(capacity). Bytes: bytes_for, taken at construction, and what copying a record allocates.
template <class Ours, class Theirs, class OursKey, class TheirsKey, class... Comparers>
class matcher {
  using ours_book = detail::match_book<Ours, OursKey>;
  using theirs_book = detail::match_book<Theirs, TheirsKey>;
  using fields = detail::match_fields<Comparers...>;
  using core = detail::match_core<ours_book, theirs_book, fields>;

 public:
  static_assert(detail::projection_of<OursKey, Ours>,
                "recoup: the first key of match<Ours, Theirs>(ours_key, theirs_key, ...) must be a member pointer of "
                "Ours, a callable of const Ours&, or recoup::key(...) of several");
  static_assert(detail::projection_of<TheirsKey, Theirs>,
                "recoup: the second key of match<Ours, Theirs>(ours_key, theirs_key, ...) must be a member pointer of "
                "Theirs, a callable of const Theirs&, or recoup::key(...) of several");
  static_assert(detail::are_keys_alike<detail::projected<OursKey, Ours>, detail::projected<TheirsKey, Theirs>>,
                "recoup: the keys of match<Ours, Theirs>(ours_key, theirs_key, ...) must be of one type: both text, "
                "both integers, or the same enum or time, or an optional or tuple of these; no floating point");
  static_assert(std::is_copy_constructible_v<Ours> && std::is_copy_constructible_v<Theirs>,
                "recoup: a matcher keeps copies of its records");

  using ours_type = Ours;
  using theirs_type = Theirs;
  using judgement = typename core::judgement;      ///< what would become of a record; valid until the matcher changes
  using hash_type = std::optional<std::uint32_t>;  ///< none where the key is absent

  matcher(OursKey ours_key, TheirsKey theirs_key, const matcher_options& options, Comparers... comparers)
      : core_(detail::checked(options), fields(std::move(comparers)...), ours_book(std::move(ours_key), options.ours),
              theirs_book(std::move(theirs_key), options.theirs)) {}

  [[nodiscard]] static constexpr std::size_t bytes_for(const matcher_options& o) noexcept {
    return ours_book::bytes_for(o.ours) + theirs_book::bytes_for(o.theirs);
  }

  /// A record of ours, or of theirs, has come: tells what becomes of it.
  template <class Told>
  void ours(const Ours& record, timestamp now, Told&& told) {
    take<match_side::ours>(record, now, told);
  }
  template <class Told>
  void theirs(const Theirs& record, timestamp now, Told&& told) {
    take<match_side::theirs>(record, now, told);
  }

  /// Tells of the records whose wait is over, those first that are due first. What is told of a record counts as told
  /// when `told` has returned from all of it.
  template <class Told>
  void advance(timestamp now, Told&& told) {
    for (;;) {
      const auto at = core_.template book<match_side::ours>().first_open();
      if (at != core::none && due_of<match_side::ours>() <= now && due_of<match_side::ours>() == due()) {
        end_wait<match_side::ours>(at, now, told);
      } else if (core_.template book<match_side::theirs>().first_open() != core::none && due() <= now) {
        end_wait<match_side::theirs>(core_.template book<match_side::theirs>().first_open(), now, told);
      } else {
        break;
      }
    }
    core_.forget_until(now);
  }
  /// When advance has something to tell.
  [[nodiscard]] timestamp due() const noexcept {
    return due_of<match_side::theirs>() < due_of<match_side::ours>() ? due_of<match_side::theirs>()
                                                                     : due_of<match_side::ours>();
  }

  /// Takes back a record that waits, as if it had not come. False if none that equals it in key and all compared fields
  /// does.
  bool withdraw_ours(const Ours& record) { return core_.template withdraw<match_side::ours>(record); }
  bool withdraw_theirs(const Theirs& record) { return core_.template withdraw<match_side::theirs>(record); }

  [[nodiscard]] const match_totals& totals(match_side side) const noexcept { return core_.totals(side); }

  /// `ours` in steps: what judge_ours finds, tell_ours tells and commit_ours does.
  [[nodiscard]] hash_type hash_ours(const Ours& record) const { return core_.template hash<match_side::ours>(record); }
  void prefetch(std::uint32_t hash) const noexcept {
    core_.template book<match_side::ours>().prefetch(hash);
    core_.template book<match_side::theirs>().prefetch(hash);
  }
  [[nodiscard]] judgement judge_ours(const Ours& record, hash_type hash, timestamp now) const {
    return core_.template judge<match_side::ours>(record, hash, now);
  }
  template <class Told>
  void tell_ours(const Ours& record, const judgement& j, timestamp now, Told&& told) const {
    telling<match_side::ours, std::remove_reference_t<Told>>(core_, &record, now, told).judgement(j);
  }
  void commit_ours(const Ours& record, const judgement& j, timestamp now) {
    core_.template commit<match_side::ours>(record, j, now);
  }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    const matcher_options& o = core_.options();
    return detail::combine({o.ours, o.theirs, o.per_key, sizeof...(Comparers)});
  }
  [[nodiscard]] matcher empty_copy() const { return matcher(core_.empty_copy()); }
  void save(snapshot_writer& w) const {
    if constexpr (can_be_saved()) {
      w.begin_section(section_tag("MTCH"), 1);
      core_.save(w);
      w.end_section();
    }
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    if constexpr (can_be_saved()) {
      core loaded = core_.empty_copy();
      (void)r.begin_section(section_tag("MTCH"), 1);
      if (!loaded.load(r)) return false;
      r.end_section();
      if (!r.ok()) return false;
      core_.replace(std::move(loaded));
    }
    return true;
  }

 private:
  template <match_side S, class Told>
  using telling = detail::match_telling<Ours, Theirs, S, core, Told>;

  explicit matcher(core c) : core_(std::move(c)) {}

  static constexpr bool can_be_saved() {
    constexpr bool can = snapshot_value<Ours> && snapshot_value<Theirs> && std::is_default_constructible_v<Ours> &&
                         std::is_default_constructible_v<Theirs>;
    static_assert(can,
                  "recoup: a matcher keeps whole records of both sides; to take a snapshot, give both types a default "
                  "constructor and the members void save(recoup::snapshot_writer&) const and bool "
                  "load(recoup::snapshot_reader&)");
    return can;
  }

  template <match_side S, class Record, class Told>
  void take(const Record& record, timestamp now, Told& told) {
    const judgement j = core_.template judge<S>(record, core_.template hash<S>(record), now);
    telling<S, Told>(core_, &record, now, told).judgement(j);
    core_.template commit<S>(record, j, now);
  }

  template <match_side S, class Told>
  void end_wait(typename core::position at, timestamp now, Told& told) {
    const auto found = core_.template search_last<S>(at, now);
    telling<S, Told>(core_, nullptr, now, told).end(at, found);
    core_.template commit_last<S>(at, found, now);
  }
  template <match_side S>
  timestamp due_of() const noexcept {
    const auto& book = core_.template book<S>();
    return book.first_open() == core::none ? timestamp::max() : book[book.first_open()].due;
  }

  core core_;
};

/// match<order, charge>(&order::id, &charge::order, {.ours_wait = 10min},
///                      same<"status">(&order::status, &charge::status),
///                      close<"amount">(&order::amount, &charge::amount, {.absolute = 1, .of_ours = 0.05}))
///
/// A matcher of our records with theirs. The keys are projections, or recoup::key(...) of several; a record whose key
/// is an empty std::optional has no partner. See comparers.hpp.
template <class Ours, class Theirs, class OursKey, class TheirsKey, class... Comparers>
[[nodiscard]] matcher<Ours, Theirs, OursKey, TheirsKey, Comparers...> match(OursKey ours_key, TheirsKey theirs_key,
                                                                            const matcher_options& options,
                                                                            Comparers... comparers) {
  return {std::move(ours_key), std::move(theirs_key), options, std::move(comparers)...};
}

}  // namespace recoup
