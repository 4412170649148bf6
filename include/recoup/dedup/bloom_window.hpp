// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/detail/bloom_line.hpp"
#include "recoup/dedup/detail/changed_lines.hpp"

namespace recoup {

struct bloom_window_options {
  std::size_t events = 1 << 20;       ///< new keys remembered at least, 1 to 2^32
  duration age = duration::max();     ///< a key older than this is new again; see the class for how exact this is
  double false_positive_rate = 1e-3;  ///< of new keys that are called duplicates, 1e-7 to 1e-2
  std::uint64_t seed = 0;             ///< of the hash; choose one that an attacker doesn't know
  bool renew = false;                 ///< a duplicate renews its key: its age and its place count from then on
  std::size_t forgotten = 1'024;      ///< keys forgotten and not yet seen again, at most, up to 2^16
};

/// Remembers the last keys by count and by age in the least memory, for hundreds of millions of them: a Bloom filter in
/// four generations, all four bits of which a key finds in the same two neighbouring cache lines. Never misses a
/// duplicate inside the window, save as below; calls a new key a duplicate with a chosen probability, and then does not
/// remember it: its own duplicate is new if what it was mistaken for has left by then. `renew` closes that.
///
/// By count: a third of `events` new keys is a pass; the keys of the last three passes and of the current one are
/// remembered, so the last `events` at least, and 4/3 of them at most. With renew, renewed keys count too.
///
/// By age: keys of a pass are as old as its latest, and a pass ends after age / 3. So no key leaves before its age, and
/// in a steady flow none stays longer than 4/3 of it; in one that now fills passes by count and now does not, up to
/// four times, and then the mistakes are more, as up to three passes may share a generation. A table of over 8 MiB
/// needs, for that, one new key for each 8 MiB and third of the age.
///
/// A time that jumps or goes back ends a pass likewise, but unless the next event confirms it, only one that is ahead,
/// and that once in `events` / 3 new keys: lone wrong times, however many, cost the oldest pass at most. Keys of a pass
/// in which a time was too late stay so much longer.
///
/// Cost: a judgement reads one cache line, or two where the first had all the key's bits; a new key writes both. The
/// worst operation, at the end of a pass, also writes 8 KiB and tidies `forgotten`. Bytes: bytes_for; a key takes
/// 3.7 at a rate of 1e-3, 5.5 at 1e-4, 7.6 at 1e-5, 14.7 at 1e-7. All taken at construction.
///
/// After Chang, Feng, Li: Approximate Caches for Packet Classification (2004), for the generations, and Putze, Sanders,
/// Singler: Cache-, Hash- and Space-Efficient Bloom Filters (2007), for blocks and their rate.
class bloom_window {
 public:
  using hash_type = std::uint64_t;

  /// What is known of a key. Valid until the window next changes. When it was first seen is not known.
  struct judgement {
    bool is_duplicate = false;
    bool is_current = false;    ///< also seen in the pass that is under way
    bool is_forgotten = false;  ///< new because it was forgotten
    std::uint64_t hash = 0;
  };

  bloom_window() : bloom_window(bloom_window_options()) {}
  explicit bloom_window(const bloom_window_options& options)
      : bloom_window(checked(options), size_for(checked(options))) {}

  [[nodiscard]] static std::size_t bytes_for(const bloom_window_options& o) {
    return size_for(o).lines * sizeof(detail::bloom_line) + o.forgotten * sizeof(forgotten_key);
  }
  /// The probability that a new key is called a duplicate when the window is full: on average over a pass, at the end
  /// of which it is up to a third more. From the Poisson number of keys that share a line.
  [[nodiscard]] static double false_positive_rate_for(const bloom_window_options& o) {
    const detail::bloom_size size = size_for(o);
    return detail::bloom_rate(static_cast<double>(pass_keys(o)) / static_cast<double>(size.lines), size.two);
  }

  template <fingerprintable K>
  [[nodiscard]] hash_type hash(const K& key) const noexcept {
    return fingerprint(key, options_.seed);
  }
  void prefetch(hash_type hash) const noexcept {
#if defined(__GNUC__)
    const detail::bloom_line& line = lines_[line_of(hash)];
    __builtin_prefetch(&line.near);
    __builtin_prefetch(&line.far);
#else
    static_cast<void>(hash);
#endif
  }

  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K&, hash_type hash, timestamp now) const {
    judgement j{.hash = hash};
    if (const unsigned found = locate(hash); found != 0) judge_found(j, found, now);
    return j;
  }
  template <fingerprintable K>
  [[nodiscard]] judgement judge(const K& key, timestamp now) const {
    return judge(key, hash(key), now);
  }

  /// Remembers the key if it is new, or renewed.
  template <fingerprintable K>
  void commit(const K&, const judgement& j, timestamp now) {
    if (j.is_duplicate) {
      ++duplicates_;
      if (options_.renew) remember(j, now);
      return;
    }
    ++fresh_;
    if (j.is_forgotten) remove_forgotten([&](const forgotten_key& k) { return k.hash == j.hash; });
    remember(j, now);
  }

  template <fingerprintable K>
  judgement observe(const K& key, timestamp now) {
    const judgement j = judge(key, now);
    commit(key, j, now);
    return j;
  }

  /// Makes a key new again, since what it stands for was not processed after all. Its bits stay, as other keys may need
  /// them: its hash is kept in a list until it is seen again or has left the window. False if it was not remembered, or
  /// if the list is full of keys so forgotten.
  template <fingerprintable K>
  bool forget(const K& key) {
    const hash_type h = hash(key);
    const unsigned found = locate(h);
    if (found == 0 || is_forgotten(h) || forgotten_count_ == forgotten_.size()) return false;
    add_forgotten(h, newest_pass(found));
    return true;
  }

  /// New keys and duplicates so far; keys that had to make room while the latest of their pass was within its age: at
  /// least as many as were themselves (the window was too small).
  [[nodiscard]] std::uint64_t fresh() const noexcept { return fresh_; }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }
  [[nodiscard]] std::uint64_t evicted_within_age() const noexcept { return evicted_within_age_; }
  /// The least age at which a pass had to make room, by its latest key: a window of this age would have been kept.
  [[nodiscard]] std::optional<duration> youngest_evicted() const noexcept { return youngest_evicted_; }
  [[nodiscard]] const bloom_window_options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t configuration() const noexcept {
    return detail::combine({options_.events, detail::option(options_.age),
                            std::bit_cast<std::uint64_t>(options_.false_positive_rate), options_.seed,
                            options_.renew ? 1U : 0U, options_.forgotten, lines_.size(), size_.two ? 1U : 0U});
  }
  [[nodiscard]] bloom_window empty_copy() const { return bloom_window(options_, size_); }

  /// Remembers what the other window remembers too; what one has forgotten and the other has not is remembered. Their
  /// passes become one, the current with the current: no key leaves earlier than in its own window, and until the
  /// merged passes have left, the false positive rate is that of all their keys in one. False, and nothing changes,
  /// where the options differ or the forgotten keys together are too many.
  bool merge(const bloom_window& other) {
    if (configuration() != other.configuration()) return false;
    const auto is_remembered = [](const bloom_window& w, hash_type h) {
      return w.locate(h) != 0 && !w.is_forgotten(h);
    };
    std::vector<hash_type> forgotten;
    for (const forgotten_key& k : list()) {
      if (!is_remembered(other, k.hash)) forgotten.push_back(k.hash);
    }
    for (const forgotten_key& k : other.list()) {
      if (!is_remembered(*this, k.hash) && !is_forgotten(k.hash)) forgotten.push_back(k.hash);
    }
    if (forgotten.size() > forgotten_.size()) return false;

    const std::size_t turn = (slot() + generations - other.slot()) % generations;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      detail::bloom_merge(lines_[i], tags_, other.lines_[i], other.tags_, turn);
    }
    if (changed_.is_watched()) watch_changes();
    for (std::size_t g = 0; g < generations; ++g) {
      generation& to = passes_[(g + turn) % generations];
      const generation& from = other.passes_[g];
      const std::uint64_t all = to.keys + to.older + from.keys + from.older;
      to.latest = std::max(to.latest, from.latest);
      to.keys = &to == &passes_[slot()] ? std::min(to.keys, from.keys) : std::max(to.keys, from.keys);
      to.older = all - to.keys;
    }
    forgotten_count_ = 0;
    for (const hash_type h : forgotten) {
      if (const unsigned found = locate(h); found != 0) add_forgotten(h, newest_pass(found));
    }
    if (other.fresh_ != 0) {
      began_ = fresh_ == 0 ? other.began_ : std::min(began_, other.began_);
      previous_ = fresh_ == 0 ? other.previous_ : std::max(previous_, other.previous_);
    }
    keys_left_ = std::max(keys_left_, other.keys_left_);
    doubt_ = std::max(doubt_, other.doubt_);
    fresh_ += other.fresh_;
    duplicates_ += other.duplicates_;
    evicted_within_age_ += other.evicted_within_age_;
    if (other.youngest_evicted_) note_evicted(*other.youngest_evicted_);
    return true;
  }

  void save(snapshot_writer& w) const {
    w.begin_section(section_tag("BLOM"), 2);
    save_rest(w);
    for (const detail::bloom_line& line : lines_) detail::bloom_save(w, line);
    w.end_section();
  }
  [[nodiscard]] bool load(snapshot_reader& r) {
    (void)r.begin_section(section_tag("BLOM"), 2);
    if (!load_rest(r)) return false;
    for (detail::bloom_line& line : lines_) detail::bloom_load(r, line);
    r.end_section();
    return r.ok();
  }

  /// For snapshot_in_pieces (dedup/pieces.hpp).
  void watch_changes() { changed_.watch(lines_.size()); }
  void stop_watching() noexcept { changed_.stop(); }
  [[nodiscard]] std::size_t changes() const noexcept { return changed_.count(); }
  void save_changes(snapshot_writer& w, std::size_t most) {
    most = std::min(most, changes());
    w.u64(most);
    for (; most != 0; --most) {
      const std::size_t line = changed_.take();
      w.u64(line);
      detail::bloom_save(w, lines_[line]);
    }
  }
  void save_rest(snapshot_writer& w) const {
    for (const std::uint64_t n : {fresh_, duplicates_, evicted_within_age_, pass_, keys_left_}) w.u64(n);
    w.value(youngest_evicted_);
    w.u64(sweep_at_);
    w.u64(sweep_left_);
    w.time(began_);
    w.time(previous_);
    w.u8(static_cast<std::uint8_t>(doubt_));
    for (const generation& g : passes_) {
      w.time(g.latest);
      w.u64(g.keys);
      w.u64(g.older);
    }
    for (const std::uint32_t tag : tags_) w.u32(tag);
    w.u64(forgotten_count_);
    for (const forgotten_key& k : list()) {
      w.u64(k.hash);
      w.u64(k.pass);
    }
  }
  /// Into a window that is new.
  [[nodiscard]] bool load_changes(snapshot_reader& r, std::vector<std::uint32_t>&) {
    for (std::size_t left = r.count(lines_.size()); left != 0; --left) {
      const std::uint64_t line = r.u64();
      if (line >= lines_.size()) return false;
      detail::bloom_load(r, lines_[static_cast<std::size_t>(line)]);
    }
    return r.ok();
  }
  [[nodiscard]] bool load_rest(snapshot_reader& r, const std::vector<std::uint32_t>& = {}) {
    for (std::uint64_t* n : {&fresh_, &duplicates_, &evicted_within_age_, &pass_, &keys_left_}) *n = r.u64();
    if (!r.value(youngest_evicted_)) return false;
    const std::uint64_t at = r.u64();
    const std::uint64_t left = r.u64();
    began_ = r.time();
    previous_ = r.time();
    const std::uint8_t doubted = r.u8();
    if (doubted > static_cast<std::uint8_t>(doubt::returned)) return false;
    doubt_ = static_cast<doubt>(doubted);
    for (generation& g : passes_) {
      g.latest = r.time();
      g.keys = r.u64();
      g.older = r.u64();
    }
    for (std::uint32_t& tag : tags_) {
      tag = r.u32();
      if ((tag & ~detail::bloom_line::tag_bits) != 0) return false;
    }
    if (pass_ < first_pass || pass_ > std::uint64_t{1} << 62 || keys_left_ > pass_keys(options_)) return false;
    if (at >= lines_.size() || left > swept_a_pass()) return false;
    sweep_at_ = static_cast<std::size_t>(at);
    sweep_left_ = static_cast<std::size_t>(left);
    forgotten_count_ = r.count(forgotten_.size());
    for (std::size_t i = 0; i < forgotten_count_; ++i) {
      forgotten_key& k = forgotten_[i];
      k.hash = r.u64();
      k.pass = r.u64();
      if ((i > 0 && k.hash <= forgotten_[i - 1].hash) || k.pass > pass_ || k.pass + generations <= pass_) return false;
    }
    return r.ok();
  }

 private:
  static constexpr std::size_t generations = detail::bloom_line::generations;
  static constexpr std::uint64_t first_pass = generations;  // so that all four have a number
  // Passes after which a tag comes again; every line is swept once within so many less the four that are up to date.
  static constexpr std::uint64_t tag_period = generations * 256;
  static constexpr std::size_t swept_at_once = 64;

  // Whether time has jumped ahead with nothing yet to confirm it, or has returned from such a jump.
  enum class doubt : std::uint8_t { none, jumped, returned };
  struct generation {
    timestamp latest = timestamp::min();
    std::uint64_t keys = 0;
    std::uint64_t older = 0;  // keys of earlier passes that are in the same generation
  };
  struct forgotten_key {
    std::uint64_t hash = 0;
    std::uint64_t pass = 0;  // the last that has its bits
    static bool before(const forgotten_key& k, std::uint64_t hash) noexcept { return k.hash < hash; }
  };

  bloom_window(const bloom_window_options& options, detail::bloom_size size)
      : options_(options), size_(size), lines_(size.lines), forgotten_(options.forgotten) {}

  static bloom_window_options checked(const bloom_window_options& o) {
    detail::require_option(o.events >= 1 && o.events <= std::uint64_t{1} << 32,
                           "bloom_window_options.events must be 1 to 2^32 keys");
    detail::require_option(o.age > duration::zero(), "bloom_window_options.age must be longer than zero");
    detail::require_option(o.false_positive_rate >= 1e-7 && o.false_positive_rate <= 1e-2,
                           "bloom_window_options.false_positive_rate must be 1e-7 to 1e-2");
    detail::require_option(o.forgotten <= 1 << 16, "bloom_window_options.forgotten must be at most 2^16 keys");
    return o;
  }
  static std::size_t pass_keys(const bloom_window_options& o) noexcept { return (o.events + 2) / 3; }
  static detail::bloom_size size_for(const bloom_window_options& o) {
    return detail::bloom_size_for(pass_keys(o), o.false_positive_rate);
  }

  std::size_t line_of(hash_type hash) const noexcept {
    return static_cast<std::size_t>(((hash >> 32) * lines_.size()) >> 32);
  }
  std::size_t slot() const noexcept { return static_cast<std::size_t>(pass_ % generations); }
  generation& oldest() noexcept { return passes_[(slot() + 1) % generations]; }

  // The slots, one bit each, whose generations have the key's bits.
  unsigned locate(hash_type hash) const noexcept {
    using simd = detail::bloom_simd;
    return simd::found(lines_[line_of(hash)], simd::mask_of(hash, size_.two), tags_);
  }
  std::uint64_t newest_pass(unsigned found) const noexcept {
    std::uint64_t pass = pass_;
    while ((found >> (pass % generations) & 1U) == 0) --pass;
    return pass;
  }

  // Not inline: most keys are new.
  [[gnu::noinline]] void judge_found(judgement& j, unsigned found, timestamp now) const noexcept {
    j.is_current = (found >> slot() & 1U) != 0;
    j.is_forgotten = is_forgotten(j.hash);
    if (j.is_forgotten) return;
    for (std::size_t g = 0; g < generations; ++g) {
      if ((found >> g & 1U) != 0 && elapsed(passes_[g].latest, now) <= options_.age) j.is_duplicate = true;
    }
  }

  void remember(const judgement& j, timestamp now) noexcept {
    if (sweep_left_ != 0) sweep(1);
    const bool is_in_pass = !turn_pass(now) && j.is_current;
    previous_ = now;
    using simd = detail::bloom_simd;
    const std::size_t line = line_of(j.hash);
    simd::add(lines_[line], simd::mask_of(j.hash, size_.two), slot(), tags_[slot()]);
    changed_.mark(line);
    generation& current = passes_[slot()];
    current.latest = std::max(current.latest, now);
    if (is_in_pass) return;
    ++current.keys;
    if (keys_left_ != 0) --keys_left_;
  }

  // Begins a pass where it is time to, by count or by age.
  bool turn_pass(timestamp now) noexcept {
    if (keys_left_ == 0 && turn_full_pass(now)) return true;
    return options_.age != duration::max() && turn_by_age(now);
  }

  // Where the oldest generation may not be emptied yet, as the passes since were short, the next pass shares it; and
  // where it was shared before, or is too full, the current pass goes on.
  bool turn_full_pass(timestamp now) noexcept {
    const bool empties = may_empty_oldest(now);
    if (!empties && (oldest().older != 0 || oldest().keys > pass_keys(options_))) return false;
    begin_pass(now, empties);
    doubt_ = doubt::none;
    return true;
  }

  // By the last two times; or by `now` alone, where it is ahead, and then not again until the next one has confirmed
  // it.
  bool turn_by_age(timestamp now) noexcept {
    const duration third = options_.age / 3;
    const auto [first, last] = std::minmax(previous_, now);
    if (passes_[slot()].keys + passes_[slot()].older == 0) began_ = now;  // the first pass
    if (doubt_ == doubt::jumped && elapsed(first, began_) <= third) doubt_ = doubt::none;
    const bool is_ahead = elapsed(began_, now) > third;
    if (!is_ahead && elapsed(now, began_) <= third) return false;
    const bool is_confirmed = is_ahead ? elapsed(began_, first) > third : elapsed(last, began_) > third;
    const bool may_jump = is_ahead && doubt_ == doubt::none;
    if (!is_confirmed && !may_jump) return false;
    sweep(swept_at_once);
    if (sweep_left_ != 0) return false;
    const bool may_empty = may_empty_oldest(now);
    if (!may_empty && !(may_jump && elapsed(oldest().latest, now) > options_.age)) return false;
    if (!is_confirmed || !may_empty) {
      doubt_ = doubt::jumped;
    } else if (!is_ahead && doubt_ == doubt::jumped) {
      doubt_ = doubt::returned;
    }
    begin_pass(now, true);
    return true;
  }

  // Whether the oldest pass is out of the window: by count, or by the last two times.
  bool may_empty_oldest(timestamp now) noexcept {
    if (oldest().keys + oldest().older == 0) return true;
    std::uint64_t newer = 0;
    for (const generation& g : passes_) newer += &g == &oldest() ? 0 : g.keys;
    const auto [first, last] = std::minmax(previous_, now);
    return newer >= options_.events || elapsed(oldest().latest, first) > options_.age ||
           elapsed(last, oldest().latest) > options_.age;
  }

  void begin_pass(timestamp now, bool empties) noexcept {
    sweep(sweep_left_);
    ++pass_;
    generation& next = passes_[slot()];
    if (empties) {
      if (const duration age = elapsed(next.latest, now); next.keys + next.older != 0 && age <= options_.age) {
        evicted_within_age_ += next.keys + next.older;
        note_evicted(age);
      }
      next = {};
      tags_[slot()] += ~detail::bloom_line::tag_bits + 1;
      remove_forgotten([this](const forgotten_key& k) { return k.pass + generations <= pass_; });
    } else {
      next.older += next.keys;
      next.keys = 0;
      for (forgotten_key& k : std::span(forgotten_).first(forgotten_count_)) {
        if (k.pass + generations <= pass_) k.pass = pass_;
      }
    }
    began_ = now;
    keys_left_ = pass_keys(options_);
    sweep_left_ = swept_a_pass();
  }
  void note_evicted(duration age) noexcept { youngest_evicted_ = std::min(youngest_evicted_.value_or(age), age); }

  // Generations out of date must be emptied before their tag comes again.
  std::size_t swept_a_pass() const noexcept { return lines_.size() / (tag_period - 2 * generations) + 1; }
  void sweep(std::size_t most) noexcept {
    for (; most > 0 && sweep_left_ > 0; --most, --sweep_left_) {
      detail::bloom_sweep(lines_[sweep_at_], tags_);
      changed_.mark(sweep_at_);
      sweep_at_ = sweep_at_ + 1 < lines_.size() ? sweep_at_ + 1 : 0;
    }
  }

  std::span<const forgotten_key> list() const noexcept { return std::span(forgotten_).first(forgotten_count_); }
  bool is_forgotten(hash_type hash) const noexcept {
    if (forgotten_count_ == 0) return false;
    const auto keys = list();
    const auto at = std::lower_bound(keys.begin(), keys.end(), hash, forgotten_key::before);
    return at != keys.end() && at->hash == hash;
  }
  void add_forgotten(hash_type hash, std::uint64_t pass) noexcept {
    const auto keys = std::span(forgotten_).first(forgotten_count_);
    const auto after = std::lower_bound(keys.begin(), keys.end(), hash, forgotten_key::before);
    std::move_backward(after, keys.end(), forgotten_.begin() + static_cast<std::ptrdiff_t>(forgotten_count_ + 1));
    *after = {hash, pass};
    ++forgotten_count_;
  }
  template <class Predicate>
  void remove_forgotten(Predicate goes) noexcept {
    const auto keys = std::span(forgotten_).first(forgotten_count_);
    forgotten_count_ = static_cast<std::size_t>(std::remove_if(keys.begin(), keys.end(), goes) - keys.begin());
  }

  bloom_window_options options_;
  detail::bloom_size size_;
  std::vector<detail::bloom_line> lines_;
  detail::changed_lines changed_;
  detail::bloom_tags tags_{};
  std::array<generation, generations> passes_{};  // by slot
  std::uint64_t pass_ = first_pass;
  std::uint64_t keys_left_ = pass_keys(options_);
  std::size_t sweep_at_ = 0;
  std::size_t sweep_left_ = 0;
  timestamp began_{};
  timestamp previous_{};  // time of the last key remembered
  doubt doubt_ = doubt::none;
  std::vector<forgotten_key> forgotten_;  // the first forgotten_count_, by hash
  std::size_t forgotten_count_ = 0;
  std::uint64_t fresh_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t evicted_within_age_ = 0;
  std::optional<duration> youngest_evicted_;
};

}  // namespace recoup
