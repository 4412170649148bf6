// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include "recoup/core/time.hpp"
#include "recoup/reconcile/detail/match_core.hpp"
#include "recoup/reconcile/match_side.hpp"
#include "recoup/reconcile/matcher_findings.hpp"

namespace recoup::detail {

// Puts what a match_core decides into words. `arriving` is the record that is not in its book yet, of the side S; null
// if there is none.
template <class Ours, class Theirs, match_side S, class Core, class Told>
class match_telling {
  using record = std::conditional_t<S == match_side::ours, Ours, Theirs>;
  using pairing = typename Core::pairing;
  using position = typename Core::position;

 public:
  match_telling(const Core& core, const record* arriving, timestamp now, Told& told)
      : core_(core), arriving_(arriving), now_(now), told_(told) {}

  void judgement(const typename Core::judgement& j) const {
    const auto& own = core_.template book<S>();
    if (j.victim != Core::none && own[j.victim].state == match_state::open) {
      told_(unmatched<record>{S, *own[j.victim].record, own[j.victim].since, unmatched_reason::evicted});
    }
    switch (j.what) {
      case match_fate::no_key:
        return told_(unmatched<record>{S, *arriving_, now_, unmatched_reason::no_key});
      case match_fate::duplicate:
        return told_(duplicate_record<record>{S, *arriving_, *own[j.same].record, own[j.same].since});
      case match_fate::ambiguous:
        return told_(
            ambiguous<Ours, Theirs>{gathered(*this, j.found.best).view(), gathered(*this, j.found.second).view()});
      case match_fate::paired:
        return paired(j.found);
      case match_fate::nothing:
      case match_fate::opens:
        return;
    }
  }

  // Of a record whose wait is over.
  void end(position at, const typename Core::search_result& found) const {
    const match_fate fate = core_.last_fate_of(found);
    if (fate == match_fate::paired) return paired(found);
    const auto& e = core_.template book<S>()[at];
    told_(unmatched<record>{S, *e.record, e.since,
                            fate == match_fate::ambiguous ? unmatched_reason::ambiguous : unmatched_reason::waited});
  }

 private:
  // The records of a pairing.
  class gathered {
   public:
    gathered(const match_telling& t, const pairing& p) {
      if (p.parts_side == match_side::ours) {
        fill<match_side::theirs>(t, p, theirs_, ours_);
      } else {
        fill<match_side::ours>(t, p, ours_, theirs_);
      }
    }
    possible_match<Ours, Theirs> view() const {
      return {std::span(ours_).first(ours_count()), std::span(theirs_).first(theirs_count())};
    }
    const Ours& ours() const { return *ours_[0]; }
    const Theirs& theirs() const { return *theirs_[0]; }

   private:
    template <match_side Whole, class Wholes, class Parts>
    void fill(const match_telling& t, const pairing& p, Wholes& wholes, Parts& parts) {
      wholes[0] = t.at<Whole>(p.whole);
      for (std::size_t i = 0; i < p.count; ++i) parts[i] = t.at<opposite(Whole)>(p.parts[i]);
      ours_are_whole_ = Whole == match_side::ours;
      parts_ = p.count;
    }
    std::size_t ours_count() const { return ours_are_whole_ ? 1 : parts_; }
    std::size_t theirs_count() const { return ours_are_whole_ ? parts_ : 1; }

    std::array<const Ours*, Core::most_parts> ours_{};
    std::array<const Theirs*, Core::most_parts> theirs_{};
    std::size_t parts_ = 0;
    bool ours_are_whole_ = false;
  };

  template <match_side Of>
  auto at(position p) const -> const std::conditional_t<Of == match_side::ours, Ours, Theirs>* {
    if constexpr (Of == S) {
      if (p == pairing::arriving) return arriving_;
    }
    return &*core_.template book<Of>()[p].record;
  }

  template <match_side Of>
  void retract(position p) const {
    if (p == pairing::arriving) return;
    const auto& e = core_.template book<Of>()[p];
    using told_record = std::conditional_t<Of == match_side::ours, Ours, Theirs>;
    if (e.state == match_state::missing) told_(unmatched_retracted<told_record>{Of, *e.record, e.since});
  }
  template <match_side Whole>
  void retract_all(const pairing& p) const {
    retract<Whole>(p.whole);
    for (std::size_t i = 0; i < p.count; ++i) retract<opposite(Whole)>(p.parts[i]);
  }

  void paired(const typename Core::search_result& found) const {
    const pairing& p = found.best;
    if (p.parts_side == match_side::ours) {
      retract_all<match_side::theirs>(p);
    } else {
      retract_all<match_side::ours>(p);
    }
    const gathered records(*this, p);
    if (p.count == 1) {
      const auto fields = core_.fields().compare(records.ours(), records.theirs());
      if (found.agrees()) {
        told_(matched<Ours, Theirs>{records.ours(), records.theirs(), fields});
      } else {
        told_(mismatched<Ours, Theirs>{records.ours(), records.theirs(), fields, &core_.fields(), &why});
      }
    } else {
      if constexpr (Core::most_parts > 1) {
        told_(matched_in_parts<Ours, Theirs>{records.view(), sum_of_parts(records.view(), p.parts_side)});
      }
    }
  }

  static std::string why(const void* fields, const Ours& ours, const Theirs& theirs) {
    using all = std::remove_cvref_t<decltype(std::declval<const Core&>().fields())>;
    return static_cast<const all*>(fields)->explain(ours, theirs);
  }

  field_difference sum_of_parts(const possible_match<Ours, Theirs>& records, match_side parts_side) const {
    const auto& fields = core_.fields();
    const auto compare = [&]<match_side Parts>(std::integral_constant<match_side, Parts>, const auto& whole,
                                               const auto& parts) {
      auto sum = fields.template no_sum<Parts>(*parts[0]);
      for (const auto* part : parts) (void)fields.template add_part<Parts>(*part, sum);
      return fields.template compare_sum<opposite(Parts)>(whole, sum);
    };
    if (parts_side == match_side::ours) {
      return compare(std::integral_constant<match_side, match_side::ours>{}, *records.theirs[0], records.ours);
    }
    return compare(std::integral_constant<match_side, match_side::theirs>{}, *records.ours[0], records.theirs);
  }

  const Core& core_;
  const record* arriving_;
  timestamp now_;
  Told& told_;
};

}  // namespace recoup::detail
