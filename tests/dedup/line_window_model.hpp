// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <random>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/detail/epochs.hpp"
#include "recoup/dedup/window.hpp"

namespace line_window_tests {

using recoup::duration;
using recoup::elapsed;
using recoup::timestamp;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

// When each key was last remembered, and how many came since: what a window must answer, and what it may.
template <class Options>
class model {
 public:
  explicit model(const Options& o) : options_(o) {}

  // The window must know the key.
  [[nodiscard]] bool must(std::uint64_t key, timestamp now) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return false;
    const sighting& s = found->second;
    return total_ - s.number < options_.events && elapsed(s.latest, now) <= options_.age &&
           elapsed(s.latest, final_) <= options_.age;
  }
  // The window may know the key; where time never goes back, only within a 64th of the age.
  [[nodiscard]] bool may(std::uint64_t key, timestamp now, bool is_steady) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return false;
    const sighting& s = found->second;
    const std::uint64_t most = options_.events + recoup::detail::epochs::keys_for(options_.events);
    if (fresh_ - s.fresh_number >= most) return false;
    return !is_steady || elapsed(s.latest, now) <= recoup::saturating_add(options_.age, options_.age / 64);
  }

  void remember(std::uint64_t key, timestamp now) {
    arrive(now);
    ++fresh_;
    keys_[key] = {now, now, total_, fresh_};
  }
  void renew(std::uint64_t key, timestamp now) {
    arrive(now);
    sighting& s = keys_[key];
    s.latest = now;
    s.number = total_;
    s.fresh_number = fresh_;
  }
  bool forget(std::uint64_t key) { return keys_.erase(key) != 0; }
  [[nodiscard]] bool has(std::uint64_t key) const { return keys_.count(key) != 0; }
  [[nodiscard]] timestamp first_seen(std::uint64_t key) const { return keys_.at(key).first; }

  // A new key, one renewed, or one that is mistaken for another and renews that.
  void arrive(timestamp now) {
    ++total_;
    recent_.push_back(now);
    if (recent_.size() > 8) recent_.pop_front();
    if (recent_.size() == 8) final_ = std::max(final_, *std::min_element(recent_.begin(), recent_.end()));
  }

 private:
  struct sighting {
    timestamp first{};
    timestamp latest{};
    std::uint64_t number = 0;
    std::uint64_t fresh_number = 0;
  };

  Options options_;
  std::unordered_map<std::uint64_t, sighting> keys_;
  std::deque<timestamp> recent_;
  timestamp final_ = timestamp::min();
  std::uint64_t total_ = 0;  // new and renewed keys
  std::uint64_t fresh_ = 0;
};

// Mostly forward; if it wanders, now and then back, far ahead, or to an end of time.
class some_time {
 public:
  explicit some_time(bool wanders) : wanders_(wanders) {}

  timestamp next(std::mt19937_64& random) {
    const std::uint64_t kind = random() % 100;
    if (wanders_ && kind == 0) return timestamp::min();
    if (wanders_ && kind == 1) return timestamp::max();
    if (wanders_ && kind == 2) return at(static_cast<std::int64_t>(random()));
    if (wanders_ && kind < 6) return at(now_ - static_cast<std::int64_t>(random() % 20'000));
    now_ += static_cast<std::int64_t>(kind == 6 ? random() % 20'000 : random() % 64);
    return at(now_);
  }

 private:
  bool wanders_;
  std::int64_t now_ = 1'700'000'000'000'000'000;
};

struct tally {
  std::uint64_t missed = 0;    // duplicates taken for new keys
  std::uint64_t mistaken = 0;  // new keys taken for duplicates
  std::uint64_t asked = 0;     // new keys
  std::uint64_t wrong = 0;     // anything else
};

constexpr std::uint64_t nth_key(std::uint64_t n) { return n * 0x9E37'79B9'7F4A'7C15; }

// For each of the keys: whether the window keeps the same bits of another's hash, and may take one for the other.
template <class Window>
std::vector<bool> have_twins(const Window& window, std::uint64_t keys) {
  using rest = decltype(typename Window::hash_type().rest);
  const auto bits = [](const rest& r) {
    if constexpr (std::is_integral_v<rest>) {
      return std::pair(std::uint64_t{0}, r);
    } else {
      return std::pair(r.high, r.low);
    }
  };
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> firsts;
  std::vector<bool> twins(keys);
  for (std::uint64_t n = 0; n < keys; ++n) {
    const auto [first, is_first] = firsts.try_emplace(bits(window.hash(nth_key(n)).rest), n);
    if (!is_first) twins[n] = twins[first->second] = true;
  }
  return twins;
}

// Random operations, the window beside the model. A key that is mistaken is not in the model, nor in the window; of
// keys with twins nothing else is asked.
template <class Window>
tally agree_with_the_model(decltype(Window().options()) options, std::uint64_t distinct, bool wanders, int operations) {
  using options_type = std::remove_cvref_t<decltype(options)>;
  std::mt19937_64 random(options.events * 1'000 + distinct + (wanders ? 1 : 0));
  Window window(options);
  model<options_type> expected(options);
  some_time times(wanders);
  const std::vector<bool> twins = have_twins(window, distinct);
  tally t;
  std::uint64_t fresh = 0;
  std::uint64_t duplicates = 0;
  const auto compare = [&](std::uint64_t key, bool has_twin, const auto& judged, timestamp now) {
    if (expected.must(key, now)) {
      if (!judged.is_duplicate && !has_twin) ++t.missed;
    } else if (!expected.may(key, now, !wanders)) {
      ++t.asked;
      if (judged.is_duplicate) ++t.mistaken;
    }
    if (judged.is_duplicate && expected.has(key) && !options.renew && !has_twin &&
        judged.first_seen > expected.first_seen(key)) {
      ++t.wrong;
    }
  };
  const auto follow = [&](std::uint64_t key, const auto& judged, timestamp now) {
    judged.is_duplicate ? ++duplicates : ++fresh;
    if (!judged.is_duplicate) {
      expected.remember(key, now);
    } else if (options.renew && expected.has(key)) {
      expected.renew(key, now);
    } else if (options.renew) {
      expected.arrive(now);
    }
  };
  for (int i = 0; i < operations; ++i) {
    const timestamp now = times.next(random);
    const std::uint64_t operation = random() % 256;
    const std::uint64_t n = random() % distinct;
    const std::uint64_t key = nth_key(n);
    const bool has_twin = twins[n];
    if (operation < 200) {
      const auto hash = window.hash(key);
      window.prefetch(hash);
      const auto judged = window.judge(key, hash, now);
      compare(key, has_twin, judged, now);
      window.commit(key, judged, now);
      follow(key, judged, now);
      if (!window.judge(key, now).is_duplicate) ++t.wrong;
    } else if (operation < 230) {
      compare(key, has_twin, window.judge(key, now), now);
    } else if (operation < 252) {
      if (!expected.has(key)) continue;
      const bool known = window.judge(key, now).is_duplicate;
      const bool forgotten = window.forget(key);
      if (known && !forgotten) ++t.wrong;
      if (!has_twin && (window.judge(key, now).is_duplicate || window.forget(key))) ++t.wrong;
      expected.forget(key);
    } else {
      const auto saved = snapshot(window);
      Window other(options);
      other.observe(key, now);
      if (!restore(other, saved) || snapshot(other) != saved) ++t.wrong;
      window = std::move(other);
    }
    if (window.fresh() != fresh || window.duplicates() != duplicates) ++t.wrong;
  }
  if (fresh <= distinct / 2) ++t.wrong;
  return t;
}

}  // namespace line_window_tests
