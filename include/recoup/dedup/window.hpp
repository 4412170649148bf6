// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "recoup/core/time.hpp"

namespace recoup {

/// What every window of dedup/ is to its user: it remembers keys, and answers whether it has seen one before.
/// - `judge` changes nothing; `commit` remembers what was judged, or counts the duplicate. Nothing else may happen to
///   the window in between. `observe` is the two in one.
/// - `forget` makes a key new again, since what it stands for was not processed after all; false if it was not
///   remembered.
/// - `hash` and `prefetch` hide the latency of memory: hash keys ahead, prefetch them, judge them later.
/// - A window is bounded by count and by age. Time is only ever compared: a time that goes back, or jumps ahead, never
///   empties it.
template <class W, class Key>
concept dedup_window = requires(W& w, const W& c, const Key& key, typename W::hash_type hash,
                                typename W::judgement judgement, timestamp now) {
  { c.hash(key) } -> std::same_as<typename W::hash_type>;
  c.prefetch(hash);
  { c.judge(key, hash, now) } -> std::same_as<typename W::judgement>;
  { judgement.is_duplicate } -> std::convertible_to<bool>;
  w.commit(key, judgement, now);
  { w.forget(key) } -> std::same_as<bool>;
  { c.fresh() } -> std::same_as<std::uint64_t>;
  { c.duplicates() } -> std::same_as<std::uint64_t>;
};

/// Observes `keys` in turn, as window.observe(key, now) would, and calls each(i, judgement) after the commit of the
/// i-th; their memory is asked for 32 keys ahead. For windows larger than the cache; a small one is faster without.
template <class W, class Key, class F>
requires dedup_window<W, Key>
void observe_ahead(W& window, std::span<const Key> keys, timestamp now, F&& each) {
  constexpr std::size_t ahead = 32;
  std::array<typename W::hash_type, ahead> hashes{};
  const auto ask = [&](std::size_t i) {
    hashes[i % ahead] = window.hash(keys[i]);
    window.prefetch(hashes[i % ahead]);
  };
  for (std::size_t i = 0; i < keys.size() && i < ahead; ++i) ask(i);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto judgement = window.judge(keys[i], hashes[i % ahead], now);
    if (i + ahead < keys.size()) ask(i + ahead);
    window.commit(keys[i], judgement, now);
    each(i, judgement);
  }
}

}  // namespace recoup
