// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/detail/epoch_merge.hpp"
#include "recoup/dedup/detail/epochs.hpp"
#include "recoup/dedup/detail/line_table.hpp"
#include "recoup/dedup/window_options.hpp"

namespace recoup::detail {

// What integer_window, fingerprint_window and compact_window have in common: all but the bits of a hash that are kept,
// and the names. The hash of an integer is a permutation of its 64 bits: who keeps them all keeps the integer.
template <unsigned Bits, class Allocator>
class line_window {
  using table = line_table<Bits, Allocator>;

 public:
  using hash_type = typename table::home;

  /// What is known of a key. Valid until the window next changes.
  struct judgement {
    bool is_duplicate = false;
    /// If a duplicate: when the first key of its epoch was seen, at most age / 64 or events / 96 new keys before; with
    /// `renew` that of its last renewal.
    timestamp first_seen{};
    hash_type hash{};
    typename table::place place{};
  };

  [[nodiscard]] static constexpr std::size_t bytes_for(const window_options& o) noexcept {
    return lines_for(o.events) * sizeof(cache_line);
  }

  /// The probability that a new key is called a duplicate when the window is full.
  [[nodiscard]] static double false_positive_rate_for(const window_options& o) noexcept {
    if constexpr (Bits == 64) return 0;
    const std::uint64_t half_an_epoch = epochs::keys_for(o.events) / 2;
    const auto keys = static_cast<double>(o.events + half_an_epoch);
    const auto lines = static_cast<double>(lines_for(o.events));
    // A key with the same remainder is mistaken if its first line is either line of the one remembered. The line is
    // chosen by 32 bits of the hash, of which the remainder may hold some.
    constexpr unsigned free_bits = Bits > 64 ? 128 - Bits : std::min(64 - Bits, 32U);
    const double same_line = 1 / std::min(lines, std::ldexp(1.0, free_bits)) + 1 / lines;
    return -std::expm1(-keys * std::ldexp(same_line, -static_cast<int>(Bits)));
  }

  template <fingerprintable K>
  [[nodiscard]] hash_type hash(const K& key) const noexcept {
    if constexpr (Bits > 64) {
      return table_.home_of(fingerprint128(key, options_.seed));
    } else if constexpr (scalar_key<K>) {
      return table_.home_of(permuted(scalar_bits(key), options_.seed));
    } else {
      static_assert(
          Bits != 64,
          "recoup: an integer_window is given a key that is no integer, enumeration or time; take fingerprint_window");
      return table_.home_of(fingerprint(key, options_.seed));
    }
  }
  void prefetch(const hash_type& hash) const noexcept { table_.prefetch(hash); }

  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K&, const hash_type& hash, timestamp now) const noexcept {
    judgement j{.hash = hash, .place = table_.find(hash, epochs_)};
    if (j.place.is_found()) {
      const auto tag = table_.tag(j.place);
      j.first_seen = epochs_.first(tag);
      j.is_duplicate = epochs_.is_within_age(tag, now);
    }
    return j;
  }
  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K& key, timestamp now) const noexcept {
    return judge(key, hash(key), now);
  }

  /// Remembers the key if it is new.
  template <fingerprintable K>
  void commit(const K&, const judgement& j, timestamp now) noexcept {
    if (j.is_duplicate) {
      ++duplicates_;
      if (!options_.renew || !epochs_.moves(table_.tag(j.place), now)) return;
    } else {
      ++fresh_;
    }
    if (!epochs_.add_in_order(now)) [[unlikely]]
      add_in_any_order(now);
    if (j.place.is_found()) {
      if (const auto tag = table_.tag(j.place); epochs_.is_alive(tag)) epochs_.remove(tag);
      table_.set_tag(j.place, epochs_.current());
    } else {
      const auto place = table_.make_room(j.hash, epochs_, [this, now](epochs::tag tag) { epochs_.evict(tag, now); });
      table_.put(place, j.hash.rest, epochs_.current());
    }
  }

  template <fingerprintable K>
  judgement observe(const K& key, timestamp now) noexcept {
    const judgement j = judge(key, now);
    commit(key, j, now);
    return j;
  }

  /// Makes a key new again, since what it stands for was not processed after all. False if it was not remembered.
  template <fingerprintable K>
  bool forget(const K& key) noexcept {
    const auto place = table_.find(hash(key), epochs_);
    if (!place.is_found()) return false;
    bury(place);
    return true;
  }

  /// New keys and duplicates so far; keys that had to make room while within their age (the window was too small), and
  /// the least age of one of them: that of the window which the traffic would need.
  [[nodiscard]] std::uint64_t fresh() const noexcept { return fresh_; }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }
  [[nodiscard]] std::uint64_t evicted_within_age() const noexcept { return epochs_.evicted_within_age(); }
  [[nodiscard]] std::optional<duration> youngest_evicted() const noexcept { return epochs_.youngest_evicted(); }
  [[nodiscard]] const window_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return combine({version, Bits, options_.events, option(options_.age), options_.seed, options_.renew ? 1U : 0U});
  }

  /// Remembers what the other remembers too, the newest `events` of both by their times, and adds up the counters.
  /// False, and nothing changes, if the other has other options. Time in proportion to the bytes of both.
  [[nodiscard]] bool merge(const line_window& other) {
    if (configuration() != other.configuration()) return false;
    if (this == &other) return true;
    epoch_merge plan(epochs_, other.epochs_);
    other.for_each([&](typename table::place there) {
      const auto here = table_.find(table_.home_at(there.line, other.table_.get(there)), epochs_);
      if (here.is_found()) plan.seen_by_both(table_.tag(here), other.table_.tag(there));
    });
    plan.make(options_.events);
    for (std::uint32_t line = 0; line < table_.lines(); ++line) {
      const std::uint32_t alive = table_.alive(line, epochs_);
      for (std::uint32_t slot = 0; slot < table::slots; ++slot) {
        const typename table::place place{line, slot};
        table_.set_tag(place, (alive >> slot & 1) != 0 ? plan.mine(table_.tag(place)) : epoch_merge::dead);
      }
    }
    epochs_.become(plan.periods(), other.epochs_);
    if (plan.left_out() != 0) epochs_.count_evicted(plan.left_out(), plan.youngest_left_out());
    other.for_each([&](typename table::place there) {
      const epochs::tag tag = plan.theirs(other.table_.tag(there));
      if (tag == epoch_merge::dead) return;
      const auto home = table_.home_at(there.line, other.table_.get(there));
      if (const auto here = table_.find(home, epochs_); here.is_found()) {
        table_.set_tag(here, std::max(tag, table_.tag(here)));
      } else {
        const timestamp now = epochs_.latest(epochs_.current());
        table_.put(table_.make_room(home, epochs_, [&](epochs::tag t) { epochs_.evict(t, now); }), home.rest, tag);
      }
    });
    fresh_ += other.fresh_;
    duplicates_ += other.duplicates_;
    return true;
  }

  /// The part, from 0 to parts - 1, to which a key belongs when the keys are shared out.
  template <fingerprintable K>
  [[nodiscard]] std::uint32_t part_of(const K& key, std::uint32_t parts) const noexcept {
    return part_of_rest(hash(key).rest, parts);
  }
  /// Forgets the keys of all other parts: of a copy for each part, each then knows its own keys.
  void keep_part(std::uint32_t part, std::uint32_t parts) noexcept {
    for_each([&](typename table::place place) {
      if (part_of_rest(table_.get(place), parts) != part) bury(place);
    });
  }

  void save(snapshot_writer& w) const {
    w.begin_section(section, version);
    for (std::uint32_t line = 0; line < table_.lines(); ++line) save_line(w, line);
    save_rest(w);
    w.end_section();
  }

  /// For snapshot_in_pieces (dedup/pieces.hpp).
  void watch_changes() { table_.changed().watch(table_.lines()); }
  void stop_watching() noexcept { table_.changed().stop(); }
  [[nodiscard]] std::size_t changes() const noexcept { return table_.changed().count(); }
  void save_changes(snapshot_writer& w, std::size_t most) {
    most = std::min(most, changes());
    w.u64(most);
    for (; most != 0; --most) {
      const auto line = static_cast<std::uint32_t>(table_.changed().take());
      w.u32(line);
      save_line(w, line);
    }
  }
  void save_rest(snapshot_writer& w) const {
    w.u64(fresh_);
    w.u64(duplicates_);
    epochs_.save(w);
    w.u32(table_.sweep_position());
  }
  /// Into a window that is new; `loaded` has the slots of each line, and is empty at first.
  [[nodiscard]] bool load_changes(snapshot_reader& r, std::vector<std::uint32_t>& loaded) {
    loaded.resize(table_.lines());
    for (std::size_t left = r.count(table_.lines()); left != 0; --left) {
      const std::uint32_t line = r.u32();
      if (line >= table_.lines() || !load_line(r, line, loaded[line])) return false;
    }
    return r.ok();
  }
  [[nodiscard]] bool load_rest(snapshot_reader& r, const std::vector<std::uint32_t>& loaded) {
    return load_rest(r, loaded, [this](epochs::tag tag) { return epochs_.is_unclean(tag); });
  }

 protected:
  line_window(const window_options& options, const Allocator& allocator)
      : options_(checked(options)),
        table_(static_cast<std::uint32_t>(lines_for(options.events)), allocator),
        epochs_(options.events, options.age, lines_for(options.events)) {}

  // Into a window that is new.
  [[nodiscard]] bool load_into_new(snapshot_reader& r) {
    if (r.begin_section(section, version) != version) return false;
    std::vector<std::uint32_t> loaded(table_.lines());
    for (std::uint32_t line = 0; line < table_.lines(); ++line) {
      if (!load_line(r, line, loaded[line])) return false;
    }
    if (!load_rest(r, loaded, [](epochs::tag) { return false; })) return false;
    r.end_section();
    return r.ok();
  }

  [[nodiscard]] bool is_new() const noexcept { return fresh_ == 0 && duplicates_ == 0; }
  [[nodiscard]] Allocator allocator() const noexcept { return table_.allocator(); }

 private:
  static window_options checked(window_options o) {
    require_option(o.events >= 1 && o.events <= (std::uint64_t{1} << 32),
                   "window_options.events must be 1 to 2^32 keys");
    require_option(o.age > duration::zero(), "window_options.age must be longer than zero");
    return o;
  }

  static constexpr std::uint32_t section = section_tag("LNWN");
  static constexpr std::uint16_t version = 3;  // before, keys had other hashes, and other second lines
  // New keys find room in one of their lines, or by moving one entry, as long as no more than this part of the slots is
  // taken; measured.
  static constexpr double load = table::slots >= 16 ? 0.85 : table::slots >= 7 ? 0.82 : 0.75;

  static constexpr std::size_t lines_for(std::size_t events) noexcept {
    const auto keys = static_cast<double>(events + epochs::keys_for(events));
    return static_cast<std::size_t>(keys / (load * table::slots)) + 2 + 8 / table::slots;
  }

  [[gnu::noinline]] void add_in_any_order(timestamp now) noexcept {
    if (epochs_.is_due(now)) {
      const unsigned lines = epochs_.turn(now);
      table_.sweep(lines, epochs_);
      epochs_.swept(lines);
    }
    epochs_.add(now);
  }

  // After MurmurHash3's finalizer (Appleby), which is one to one, in half the instructions of XXH3.
  static constexpr std::uint64_t permuted(std::uint64_t bits, std::uint64_t seed) noexcept {
    bits ^= seed * 0x9E37'79B9'7F4A'7C15;
    bits = (bits ^ bits >> 33) * 0xFF51'AFD7'ED55'8CCD;
    bits = (bits ^ bits >> 33) * 0xC4CE'B9FE'1A85'EC53;
    return bits ^ bits >> 33;
  }

  template <class MayBeDead>
  [[nodiscard]] bool load_rest(snapshot_reader& r, const std::vector<std::uint32_t>& loaded, MayBeDead&& may_be_dead) {
    fresh_ = r.u64();
    duplicates_ = r.u64();
    if (!epochs_.load(r)) return false;
    const std::uint32_t sweep = r.u32();
    if (sweep >= table_.lines()) return false;
    table_.set_sweep_position(sweep);
    for (std::uint32_t line = 0; line < table_.lines(); ++line) table_.keep(line, loaded[line], epochs_);
    for (std::uint32_t line = 0; line < table_.lines(); ++line) {
      for (std::uint32_t mask = loaded[line]; mask != 0; mask &= mask - 1) {
        const typename table::place place{line, static_cast<std::uint32_t>(std::countr_zero(mask))};
        const epochs::tag tag = table_.tag(place);
        if (!epochs_.is_alive(tag)) {
          if (!may_be_dead(tag)) return false;
          continue;
        }
        auto home = table_.home_at(line, table_.get(place));
        const bool is_first_here = table_.find(home, epochs_) == place;
        std::swap(home.first, home.second);
        if (!is_first_here || table_.find(home, epochs_) != place) return false;  // the same key twice
        epochs_.count(tag);
      }
    }
    return r.ok();
  }
  void save_line(snapshot_writer& w, std::uint32_t line) const {
    std::uint32_t alive = table_.alive(line, epochs_);
    w.u32(alive);
    for (; alive != 0; alive &= alive - 1) {
      const typename table::place place{line, static_cast<std::uint32_t>(std::countr_zero(alive))};
      w.u8(table_.tag(place));
      const auto rest = table_.get(place);
      if constexpr (Bits > 64) {
        w.u64(rest.low);
        w.u64(rest.high);
      } else {
        w.u64(rest);
      }
    }
  }
  [[nodiscard]] bool load_line(snapshot_reader& r, std::uint32_t line, std::uint32_t& loaded) {
    loaded = r.u32();
    if (!r.ok() || loaded >> table::slots != 0) return false;
    for (std::uint32_t mask = loaded; mask != 0; mask &= mask - 1) {
      const epochs::tag tag = r.u8();
      remainder_of<Bits> rest{};
      if constexpr (Bits > 64) {
        rest.low = r.u64();
        rest.high = r.u64();
        if (rest.high >> (Bits - 64) != 0) return false;
      } else {
        rest = r.u64();
        if (Bits < 64 && rest >> (Bits % 64) != 0) return false;
      }
      table_.put({line, static_cast<std::uint32_t>(std::countr_zero(mask))}, rest, tag);
    }
    return r.ok();
  }

  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t line = 0; line < table_.lines(); ++line) {
      for (std::uint32_t alive = table_.alive(line, epochs_); alive != 0; alive &= alive - 1) {
        f(typename table::place{line, static_cast<std::uint32_t>(std::countr_zero(alive))});
      }
    }
  }

  static std::uint32_t part_of_rest(const remainder_of<Bits>& rest, std::uint32_t parts) noexcept {
    std::uint64_t mixed = 0;
    if constexpr (Bits > 64) {
      mixed = rest.low + rest.high;
    } else {
      mixed = rest;
    }
    mixed *= 0xD6E8'FEB8'6659'FD93;
    return static_cast<std::uint32_t>(((mixed >> 32) * parts) >> 32);
  }

  void bury(typename table::place place) noexcept {
    epochs_.remove(table_.tag(place));
    table_.set_tag(place, epochs_.dead_tag());
  }

  window_options options_;
  table table_;
  epochs epochs_;
  std::uint64_t fresh_ = 0;
  std::uint64_t duplicates_ = 0;
};

}  // namespace recoup::detail
