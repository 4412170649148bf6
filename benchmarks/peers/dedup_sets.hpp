// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

/// Other ways to recognise a key that has come before, as people write them by hand around a hash set. All have
/// `bool is_duplicate(key, now)`, which remembers a new key, and `now` counts events. They judge and commit in one: if
/// what a key stands for fails afterwards, it is lost.
namespace peers {

/// A set, and a deque of its keys in order of arrival: at least `size` keys, one of which goes for each that comes.
template <class Set>
class set_and_deque {
 public:
  using key = typename Set::value_type;

  set_and_deque(std::size_t size, bool reserves) : size_(size) {
    if constexpr (requires { set_.reserve(size); }) {
      if (reserves) set_.reserve(size + 1);
    }
  }

  bool is_duplicate(const key& k, std::uint64_t /*now*/) {
    if (!set_.insert(k).second) return true;
    last_.push_back(k);
    if (last_.size() > size_) {
      set_.erase(last_.front());
      last_.pop_front();
    }
    return false;
  }

 private:
  std::size_t size_;
  Set set_;
  std::deque<key> last_;
};

/// The same with a ring, which takes less and is faster.
template <class Set>
class set_and_ring {
 public:
  using key = typename Set::value_type;

  set_and_ring(std::size_t size, bool reserves) : ring_(size) {
    if (reserves) set_.reserve(size + 1);
  }

  bool is_duplicate(const key& k, std::uint64_t /*now*/) {
    if (!set_.insert(k).second) return true;
    if (is_full_) set_.erase(ring_[at_]);
    ring_[at_] = k;
    if (++at_ == ring_.size()) {
      at_ = 0;
      is_full_ = true;
    }
    return false;
  }

 private:
  std::vector<key> ring_;
  Set set_;
  std::size_t at_ = 0;
  bool is_full_ = false;
};

/// A map from key to time, and a deque in order of time: by age alone, so its size is whatever the traffic makes it.
/// Remembers keys for `age` events.
template <class Map>
class times_and_deque {
 public:
  using key = typename Map::key_type;

  times_and_deque(std::size_t age, bool reserves) : age_(age) {
    if (reserves) times_.reserve(age + 1);
  }

  bool is_duplicate(const key& k, std::uint64_t now) {
    while (!last_.empty() && now - last_.front().second > age_) {
      times_.erase(last_.front().first);
      last_.pop_front();
    }
    if (!times_.try_emplace(k, now).second) return true;
    last_.emplace_back(k, now);
    return false;
  }

 private:
  std::size_t age_;
  Map times_;
  std::deque<std::pair<key, std::uint64_t>> last_;
};

}  // namespace peers
