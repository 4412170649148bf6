// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "recoup/core/detail/configuration.hpp"
#include "recoup/core/detail/hash_index.hpp"
#include "recoup/core/detail/require.hpp"
#include "recoup/core/detail/table_key.hpp"
#include "recoup/core/fingerprint.hpp"
#include "recoup/core/snapshot_bytes.hpp"
#include "recoup/core/time.hpp"

namespace recoup {

struct keyed_options {
  std::size_t capacity = 4'096;     ///< keys held at once, 1 to 2^30
  duration idle = duration::max();  ///< a key not used for longer than this may be evicted by advance
  std::uint64_t seed = 0;           ///< of the hash; choose one that an attacker doesn't know
};

/// Gives each stream, producer or metric a component of its own: a bounded table from Key to Component. A new key gets
/// a copy of the prototype. When the table is full, a new key takes the place of one that has not been used lately
/// (CLOCK, second chance); which one that will be is known before anything changes.
///
/// Cost: a look-up is one hash and one probe; choosing a victim is amortised O(1), at worst O(capacity).
/// Bytes: see bytes_for; all taken at construction. References to components last until a key is removed.
/// A Key owns what it names and is equal to itself: an integer, enum, bool, std::string, std::chrono duration or time
/// point that counts integers, or a std::optional, std::pair or std::tuple of these. It is looked up by its own type, a
/// text by any text (a null const char* is empty), an integer by any integer.
template <class Key, class Component>
class keyed {
 public:
  static_assert(detail::is_table_key<Key>,
                "recoup: keyed<Key, ...> needs a Key that it can own and compare: an integer, enum, std::string, time, "
                "or an optional, pair or tuple of these, without floating point, views, pointers and references; "
                "project the stream to an owned value, such as std::string or an integer");

  using position = detail::hash_index::position;
  static constexpr position none = detail::hash_index::none;
  static constexpr bool evicts = true;
  static constexpr bool admits_all = true;

  /// Where a key is, or where it would go and whom it would replace. Valid until the table next changes.
  struct place {
    detail::hash_index::place index;
    std::uint32_t tag = 0;
    position victim = none;

    bool found() const noexcept { return index.found != none; }
  };
  static bool is_found(place p) noexcept { return p.found(); }

  keyed(keyed_options options, Component prototype)
      : options_(checked(options)), prototype_(std::move(prototype)), index_(options.capacity) {
    entries_.reserve(options.capacity);
  }

  keyed(const keyed& other)
      : options_(other.options_),
        prototype_(other.prototype_),
        index_(other.index_),
        hand_(other.hand_),
        sweep_at_(other.sweep_at_) {
    entries_.reserve(options_.capacity);
    entries_.insert(entries_.end(), other.entries_.begin(), other.entries_.end());
  }
  keyed(keyed&&) noexcept = default;
  keyed& operator=(const keyed& other) {
    *this = keyed(other);
    return *this;
  }
  keyed& operator=(keyed&&) noexcept = default;
  ~keyed() = default;

  static constexpr std::size_t bytes_for(std::size_t capacity) noexcept {
    return capacity * sizeof(entry) + detail::hash_index::bytes_for(capacity);
  }

  template <class K>
  std::uint32_t hash(const K& key) const noexcept {
    static_assert(detail::looks_up<K, Key>,
                  "recoup: a keyed<Key, ...> is looked up by a Key, by any text where Key is std::string, or by any "
                  "integer where Key is one; convert the key first");
    return detail::hash_index::tag_of(fingerprint(key, options_.seed));
  }

  void prefetch(std::uint32_t hash) const noexcept { index_.prefetch(hash); }
  /// Once what prefetch asked for has come.
  void prefetch_entry(std::uint32_t hash) const noexcept {
#if defined(__GNUC__)
    const position at = index_.guess(hash);
    if (at == none) return;
    __builtin_prefetch(&entries_[at].key);
    __builtin_prefetch(&entries_[at].component, 1);
#else
    static_cast<void>(hash);
#endif
  }

  template <class K>
  place locate(const K& key) const {
    return locate(key, hash(key));
  }
  template <class K>
  place locate(const K& key, std::uint32_t hash) const {
    place p{look_up(key, hash), hash, none};
    if (!p.found() && size() == options_.capacity) [[unlikely]]
      p.victim = choose_victim();
    return p;
  }

  /// The component of the place, or the prototype where there is none yet.
  const Component& at(place p) const noexcept { return p.found() ? entries_[p.index.found].component : prototype_; }

  /// The component of a place that was found; used at `now`.
  Component& use_found(place p, timestamp now) noexcept {
    entry& e = entries_[p.index.found];
    e.last_used = now;
    e.used = true;
    return e.component;
  }

  /// The component of the place, made if there was none; used at `now`. Evicts the place's victim.
  template <class K>
  Component& use(place p, const K& key, timestamp now) {
    static_assert(!detail::scalar_key<Key> || std::is_same_v<K, Key>,
                  "recoup: keyed::use at a place needs a number of the key's own type; convert it before locate");
    entry& e = entries_[p.found() ? p.index.found : add(p, detail::owned_key<Key>(key), prototype_)];
    e.last_used = now;
    e.used = true;
    return e.component;
  }

  template <class K>
  Component& use(const K& key, timestamp now) {
    if constexpr (std::is_integral_v<Key> && std::is_integral_v<K> && !std::is_same_v<K, Key>) {
      return use(static_cast<Key>(key), now);  // else a number too large for Key would be found under two hashes
    } else {
      return use(locate(key), key, now);
    }
  }

  template <class K>
  const Component* find(const K& key) const {
    const position at = look_up(key, hash(key)).found;
    return at != none ? &entries_[at].component : nullptr;
  }
  template <class K>
  Component* find(const K& key) {
    return const_cast<Component*>(std::as_const(*this).find(key));
  }

  /// f(key, component) for the one that using this place will evict, if any.
  template <class F>
  void tell_victim(place p, F&& f) const {
    if (p.victim != none) f(entries_[p.victim].key, entries_[p.victim].component);
  }
  template <class F>
  void tell_victim(place p, F&& f) {
    if (p.victim != none) f(std::as_const(entries_[p.victim].key), entries_[p.victim].component);
  }

  /// Takes a key's component out, for instance to hand it to another process. The last entry moves to its position:
  /// moved(position) is called then.
  template <class K>
  std::optional<Component> take(const K& key) {
    return take(key, [](position) {});
  }
  template <class K, class Moved>
  std::optional<Component> take(const K& key, Moved&& moved) {
    const detail::hash_index::place at = look_up(key, hash(key));
    if (at.found == none) return std::nullopt;
    std::optional<Component> taken(std::move(entries_[at.found].component));
    remove(at);
    if (at.found < size()) moved(at.found);
    return taken;
  }

  /// Where a key's entry lies, none if it has none: until an entry is removed.
  template <class K>
  position position_of(const K& key) const {
    return look_up(key, hash(key)).found;
  }
  const Key& key_at(position at) const noexcept { return entries_[at].key; }
  Component& component_at(position at) noexcept { return entries_[at].component; }
  const Component& component_at(position at) const noexcept { return entries_[at].component; }

  /// Puts a component in under a key. False, and nothing changes, if the key is there already or the table is full.
  bool put(Key key, Component component, timestamp now) {
    const place p = locate(key);
    if (p.found() || p.victim != none) return false;
    entries_[add(p, std::move(key), std::move(component))].last_used = now;
    return true;
  }

  /// Evicts keys that have been idle too long: looks at the next `sweep` entries, so that a key is evicted at the
  /// latest after 2 * capacity / sweep calls. evicted(key, component) is called before each; if it throws, the key
  /// stays. moved(position) is called for an entry that took the place of one removed.
  template <class Evicted>
  void advance(timestamp now, Evicted&& evicted) {
    advance(now, evicted, [](position) {});
  }
  template <class Evicted, class Moved>
  void advance(timestamp now, Evicted&& evicted, Moved&& moved) {
    if (options_.idle == duration::max()) return;
    for (std::size_t i = 0; i < sweep && !entries_.empty(); ++i) {
      if (sweep_at_ >= entries_.size()) sweep_at_ = 0;
      entry& e = entries_[sweep_at_];
      if (elapsed(e.last_used, now) > options_.idle) {
        evicted(std::as_const(e.key), e.component);
        const position hole = static_cast<position>(sweep_at_);
        remove(look_up(e.key, hash(e.key)));
        if (hole < size()) moved(hole);
      } else {
        ++sweep_at_;
      }
    }
  }
  static constexpr std::size_t sweep = 64;

  /// f(key, component) for each; the order depends on nothing but the operations so far.
  template <class F>
  void for_each(F&& f) {
    for (entry& e : entries_) f(std::as_const(e.key), e.component);
  }
  template <class F>
  void for_each(F&& f) const {
    for (const entry& e : entries_) f(e.key, e.component);
  }

  std::size_t size() const noexcept { return entries_.size(); }
  std::size_t capacity() const noexcept { return options_.capacity; }

  std::uint64_t configuration() const noexcept {
    return fingerprint(std::tuple(options_.capacity, options_.idle, detail::key_kind<Key>, prototype_.configuration()),
                       options_.seed);
  }
  keyed empty_copy() const { return keyed(options_, prototype_); }

  void save(snapshot_writer& w) const {
    save(w, [&](const Component& component) { w.value(component); });
  }
  bool load(snapshot_reader& r) {
    return load(r, [&](Component& component) { return r.value(component); });
  }

  /// write(component) for each entry, in place of Component's own save.
  template <class Write>
  void save(snapshot_writer& w, Write&& write) const {
    w.u64(size());
    w.u32(hand_);
    w.u64(sweep_at_);
    for (const entry& e : entries_) {
      w.value(e.key);
      w.time(e.last_used);
      w.boolean(e.used);
      write(e.component);
    }
  }

  /// Reads into an empty table. read(component) is false where the bytes are refused.
  template <class Read>
  bool load(snapshot_reader& r, Read&& read) {
    const std::uint64_t count = r.u64();
    hand_ = r.u32();
    sweep_at_ = static_cast<std::size_t>(r.u64());
    if (count > options_.capacity || sweep_at_ > count || (hand_ > 0 && hand_ >= count)) return false;
    for (std::uint64_t i = 0; i < count; ++i) {
      Key key{};
      if (!r.value(key)) return false;
      const timestamp last_used = r.time();
      const bool used = r.boolean();
      Component component = prototype_;
      if (!read(component) || !put(std::move(key), std::move(component), last_used)) return false;
      entries_.back().used = used;
    }
    return r.ok();
  }

 private:
  struct entry {
    Key key;
    timestamp last_used;
    bool used;
    Component component;
  };

  static keyed_options checked(keyed_options o) {
    detail::require_option(o.capacity >= 1 && o.capacity <= (std::size_t{1} << 30),
                           "keyed_options.capacity must be 1 to 2^30 keys");
    detail::require_option(o.idle > duration::zero(), "keyed_options.idle must be longer than zero");
    return o;
  }

  template <class K>
  detail::hash_index::place look_up(const K& key, std::uint32_t hash) const {
    return index_.find(hash, [&](position at) { return detail::is_same_key(entries_[at].key, key); });
  }

  [[gnu::noinline]] position choose_victim() const noexcept {
    position at = hand_;
    for (std::size_t i = 0; entries_[at].used && i < entries_.size(); ++i) at = after(at);
    return at;
  }
  position after(position at) const noexcept { return at + 1 < entries_.size() ? at + 1 : 0; }

  [[gnu::noinline]] position add(place p, Key key, Component component) {
    position at = static_cast<position>(entries_.size());
    if (p.victim == none) {
      entries_.push_back({std::move(key), {}, false, std::move(component)});
    } else {
      at = p.victim;
      pass_hand_over(at);
      index_.erase(look_up(entries_[at].key, hash(entries_[at].key)));
      p.index = look_up(key, p.tag);
      entries_[at] = {std::move(key), {}, false, std::move(component)};
    }
    index_.insert(p.index, p.tag, at);
    return at;
  }

  /// Those that the hand passes on its way to the victim lose their second chance; all do if the victim had one itself.
  void pass_hand_over(position victim) noexcept {
    const bool all = entries_[victim].used;
    position at = hand_;
    for (std::size_t i = 0; i < entries_.size() && (all || at != victim); ++i, at = after(at))
      entries_[at].used = false;
    hand_ = after(victim);
  }

  /// Keeps the array dense: the last entry moves into the place that falls free.
  void remove(detail::hash_index::place at) {
    const position hole = at.found;
    const position last = static_cast<position>(entries_.size() - 1);
    index_.erase(at);
    if (hole != last) {
      const Key& moved = entries_[last].key;
      index_.move(look_up(moved, hash(moved)), hole);
      entries_[hole] = std::move(entries_[last]);
    }
    entries_.pop_back();
    if (hand_ >= last) hand_ = 0;
    if (sweep_at_ > last) sweep_at_ = last;
  }

  keyed_options options_;
  Component prototype_;
  detail::hash_index index_;
  std::vector<entry> entries_;
  position hand_ = 0;         // where the search for a victim begins: an entry, or 0
  std::size_t sweep_at_ = 0;  // where advance goes on: at most the number of entries
};

}  // namespace recoup
