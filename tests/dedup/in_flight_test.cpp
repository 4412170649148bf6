// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/in_flight.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/exact_window.hpp"

namespace {

using namespace std::chrono_literals;
using recoup::any_key;
using recoup::duration;
using recoup::in_flight;
using recoup::in_flight_answer;
using recoup::in_flight_options;
using recoup::restore;
using recoup::snapshot;
using recoup::snapshot_status;
using recoup::timestamp;
using bytes = std::vector<std::byte>;

constexpr timestamp at(std::int64_t nanoseconds) { return timestamp(duration(nanoseconds)); }

class model {
 public:
  explicit model(in_flight_options o) : options_(o) {}

  struct mark {
    in_flight_answer answer;
    std::uint64_t token;
    timestamp until;
    bool operator==(const mark&) const = default;
  };

  mark begin(std::uint64_t key, timestamp now) {
    const auto found = marks_.find(key);
    if (found != marks_.end() && found->second.until > now) return {in_flight_answer::busy, 0, found->second.until};
    if (found == marks_.end() && marks_.size() == options_.capacity) return {in_flight_answer::full, 0, {}};
    const auto answer = found == marks_.end() ? in_flight_answer::started : in_flight_answer::taken_over;
    marks_[key] = {answer, next_++, end_of(now)};
    return marks_[key];
  }
  bool end(std::uint64_t key, std::uint64_t token) {
    const auto found = marks_.find(key);
    if (found == marks_.end() || found->second.token != token) return false;
    marks_.erase(found);
    return true;
  }
  bool extend(std::uint64_t key, std::uint64_t token, timestamp now) {
    const auto found = marks_.find(key);
    if (found == marks_.end() || found->second.token != token) return false;
    found->second.until = std::max(found->second.until, end_of(now));
    return true;
  }
  std::set<std::uint64_t> advance(timestamp now) {
    std::set<std::uint64_t> lost;
    for (const auto& [key, m] : marks_) {
      if (m.until <= now) lost.insert(m.token);
    }
    std::erase_if(marks_, [&](const auto& m) { return m.second.until <= now; });
    return lost;
  }
  std::size_t size() const { return marks_.size(); }

 private:
  timestamp end_of(timestamp begin) const {
    return timestamp::max() - options_.lease < begin ? timestamp::max() : begin + options_.lease;
  }

  in_flight_options options_;
  std::map<std::uint64_t, mark> marks_;
  std::uint64_t next_ = 1;
};

// The i-th key as an integer, or as text of many lengths.
template <class Key>
auto key_of(std::uint64_t i) {
  if constexpr (std::is_same_v<Key, any_key>) {
    return std::string(static_cast<std::size_t>(i % 50), 'x') + std::to_string(i);
  } else {
    return static_cast<Key>(i);
  }
}

template <class Key>
void agree_with_the_model(const in_flight_options& options, std::uint64_t distinct) {
  INFO("capacity " << options.capacity);
  std::mt19937_64 random(options.capacity);
  in_flight<Key> marks(options);
  model expected(options);
  std::deque<std::pair<std::uint64_t, std::uint64_t>> begun{{0, 0}};  // key and token, some of them over
  std::map<in_flight_answer, int> answers;
  std::uint64_t ended = 0;
  std::uint64_t lost = 0;
  std::uint64_t too_late = 0;
  std::int64_t clock = 0;
  bool agrees = true;
  for (int i = 0; i < 20'000 && agrees; ++i) {
    clock += static_cast<std::int64_t>(random() % 8);
    timestamp now = at(clock);
    if (random() % 50 == 0) now = at(clock - static_cast<std::int64_t>(random() % 100));
    if (random() % 500 == 0) now = random() % 2 == 0 ? timestamp::min() : timestamp::max();
    const std::uint64_t key = random() % distinct;
    const auto [old_key, token] = begun[random() % begun.size()];
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const auto mark = marks.begin(key_of<Key>(key), now);
        agrees = model::mark{mark.answer, mark.token, mark.until} == expected.begin(key, now);
        ++answers[mark.answer];
        if (mark) begun.emplace_back(key, mark.token);
        if (begun.size() > 20) begun.pop_front();
        break;
      }
      case 4:
      case 5: {
        const bool ends =
            i % 2 == 0 ? marks.done(key_of<Key>(old_key), token) : marks.failed(key_of<Key>(old_key), token);
        agrees = ends == expected.end(old_key, token);
        ++(ends ? ended : too_late);
        break;
      }
      case 6: {
        const bool extended = marks.extend(key_of<Key>(old_key), token, now);
        agrees = extended == expected.extend(old_key, token, now);
        too_late += extended ? 0 : 1;
        break;
      }
      default:
        if (random() % 4 == 0) {
          std::set<std::uint64_t> told;
          marks.advance(now, [&](std::uint64_t t) { agrees = agrees && told.insert(t).second; });
          agrees = agrees && told == expected.advance(now);
          lost += told.size();
        } else {
          const bytes saved = snapshot(marks);
          in_flight<Key> other(options);
          (void)other.begin(key_of<Key>(1), now);
          agrees = restore(other, saved) && snapshot(other) == saved;
          if (random() % 2 == 0) marks = std::move(other);
        }
    }
    agrees = agrees && marks.size() == expected.size();
    if (!agrees) FAIL("differs at operation " << i);
  }
  CHECK(agrees);
  for (const auto answer : {in_flight_answer::started, in_flight_answer::taken_over, in_flight_answer::busy}) {
    CHECK(answers[answer] > 100);
  }
  if (options.capacity < distinct) CHECK(answers[in_flight_answer::full] > 100);
  const auto& counters = marks.counters();
  CHECK(counters.started == static_cast<std::uint64_t>(answers[in_flight_answer::started]));
  CHECK(counters.taken_over == static_cast<std::uint64_t>(answers[in_flight_answer::taken_over]));
  CHECK(counters.busy == static_cast<std::uint64_t>(answers[in_flight_answer::busy]));
  CHECK(counters.full == static_cast<std::uint64_t>(answers[in_flight_answer::full]));
  CHECK(counters.done + counters.failed == ended);
  CHECK(counters.lost == lost);
  CHECK(counters.too_late == too_late);
}

template <class Window, class Write>
bytes forged(const Window& window, Write&& write) {
  recoup::snapshot_writer w;
  recoup::detail::begin_frame(w, window.configuration(), {});
  write(w);
  recoup::detail::end_frame(w);
  return w.take();
}

}  // namespace

TEST_CASE("marks in flight answer as the model does") {
  for (const std::size_t capacity : {1U, 2U, 5U}) {
    const in_flight_options options{.capacity = capacity, .lease = 50ns, .seed = 3};
    agree_with_the_model<std::uint32_t>(options, capacity + 3);
    agree_with_the_model<any_key>(options, capacity + 3);
  }
  agree_with_the_model<std::uint64_t>({.capacity = 60, .lease = 20ns}, 50);
  agree_with_the_model<any_key>({.capacity = 60, .lease = 20ns, .key_bytes = 64}, 50);
}

TEST_CASE("a lease runs out at its end and the next begin takes the key over") {
  in_flight<> marks({.capacity = 4, .lease = 10ns});
  const auto first = marks.begin("a", at(100));
  CHECK(first.answer == in_flight_answer::started);
  CHECK(first.until == at(110));
  const auto refused = marks.begin("a", at(109));
  CHECK_FALSE(refused);
  CHECK(refused.answer == in_flight_answer::busy);
  CHECK(refused.until == at(110));
  CHECK(marks.begin("a", timestamp::min()).answer == in_flight_answer::busy);
  const auto second = marks.begin("a", at(110));
  CHECK(second.answer == in_flight_answer::taken_over);
  CHECK(second.token != first.token);
  CHECK_FALSE(marks.done("a", first.token));
  CHECK_FALSE(marks.failed("a", first.token));
  CHECK_FALSE(marks.extend("a", first.token, at(110)));
  CHECK(marks.begin("a", at(111)).answer == in_flight_answer::busy);
  CHECK(marks.done("a", second.token));
  CHECK_FALSE(marks.done("a", second.token));
  CHECK(marks.size() == 0);
  CHECK(marks.counters().too_late == 4);
}

TEST_CASE("a holder whose lease ran out may still end its mark while nobody has taken it over") {
  in_flight<int> marks({.capacity = 4, .lease = 10ns});
  const auto slow = marks.begin(7, at(0));
  CHECK(marks.extend(7, slow.token, at(50)));
  CHECK(marks.begin(7, at(59)).answer == in_flight_answer::busy);
  CHECK(marks.extend(7, slow.token, at(20)));  // never shorter
  CHECK(marks.begin(7, at(59)).until == at(60));
  CHECK(marks.done(7, slow.token));
  CHECK(marks.begin(7, at(59)).answer == in_flight_answer::started);
}

TEST_CASE("a full table says so until a mark ends or advance takes away one that ran out") {
  in_flight<int> marks({.capacity = 2, .lease = 10ns});
  const auto first = marks.begin(1, at(0));
  const auto second = marks.begin(2, at(5));
  const auto third = marks.begin(3, at(100));
  CHECK(third.answer == in_flight_answer::full);
  CHECK_FALSE(third);
  std::vector<std::uint64_t> lost;
  marks.advance(at(9), [&](std::uint64_t token) { lost.push_back(token); });
  CHECK(lost.empty());
  marks.advance(at(10), [&](std::uint64_t token) { lost.push_back(token); });
  CHECK(lost == std::vector<std::uint64_t>{first.token});
  CHECK_FALSE(marks.done(1, first.token));
  CHECK(marks.begin(3, at(10)).answer == in_flight_answer::started);
  CHECK(marks.begin(4, at(10)).answer == in_flight_answer::full);
  CHECK(marks.failed(2, second.token));
  CHECK(marks.begin(4, at(10)).answer == in_flight_answer::started);
}

TEST_CASE("a mark stays if the one told of its loss throws") {
  in_flight<int> marks({.capacity = 2, .lease = 10ns});
  (void)marks.begin(1, at(0));
  CHECK_THROWS_AS(marks.advance(at(10), [](std::uint64_t) { throw std::runtime_error("no"); }), std::runtime_error);
  CHECK(marks.size() == 1);
  CHECK(marks.counters().lost == 0);
  marks.advance(at(10));
  CHECK(marks.size() == 0);
  CHECK(marks.counters().lost == 1);
}

TEST_CASE("a window and marks in flight together let each key take effect once among many consumers") {
  // Four consumers of one queue that delivers again what nobody has confirmed; they fail, or die while processing.
  struct job {
    std::uint64_t key;
    std::uint64_t token;
    int rounds_left;
  };
  std::mt19937_64 random(21);
  recoup::exact_window<std::uint64_t> window({.events = 1'000});
  in_flight<std::uint64_t> marks({.capacity = 3, .lease = 40ns});
  std::deque<std::uint64_t> queue;
  for (std::uint64_t key = 0; key < 300; ++key) queue.push_back(key);
  std::map<std::uint64_t, int> effects;
  std::vector<std::optional<job>> consumers(4);
  int died = 0;
  std::int64_t now = 0;
  for (; !queue.empty() && now < 1'000'000; ++now) {
    for (std::optional<job>& working : consumers) {
      if (!working) {
        const std::uint64_t key = queue.front();
        queue.pop_front();
        queue.push_back(key);  // not confirmed yet
        if (window.judge(key, at(now)).is_duplicate) {
          std::erase(queue, key);
          if (queue.empty()) break;
          continue;
        }
        const auto mark = marks.begin(key, at(now));
        if (mark) working = job{key, mark.token, 1 + static_cast<int>(random() % 8)};
      } else if (--working->rounds_left == 0) {
        switch (random() % 10) {
          case 0:
            ++died;  // its mark stays
            break;
          case 1:
            CHECK(marks.failed(working->key, working->token));
            break;
          default:
            ++effects[working->key];
            window.observe(working->key, at(now));
            CHECK(marks.done(working->key, working->token));
        }
        working.reset();
      }
    }
    if (now % 16 == 0) marks.advance(at(now));
  }
  CHECK(queue.empty());
  CHECK(effects.size() == 300);
  CHECK(std::all_of(effects.begin(), effects.end(), [](const auto& e) { return e.second == 1; }));
  CHECK(died > 10);
  CHECK(marks.counters().lost + marks.counters().taken_over > 0);
  CHECK(marks.counters().busy > 0);
  CHECK(marks.counters().full > 0);
}

TEST_CASE("keys in flight that are longer than their room are told apart") {
  in_flight<> marks({.capacity = 8, .key_bytes = 16});
  std::string key(100, 'x');
  CHECK(marks.begin(key, at(0)));
  CHECK(marks.begin(key, at(0)).answer == in_flight_answer::busy);
  key.back() = 'y';
  CHECK(marks.begin(key, at(0)));
  CHECK(marks.begin(std::tuple("x", 5), at(0)));
}

TEST_CASE("marks in flight allocate nothing after construction and take the bytes that they say") {
  in_flight<> marks({.capacity = 50, .lease = 30ns});
  std::vector<std::string> keys;
  keys.reserve(80);
  for (int i = 0; i < 80; ++i) keys.push_back("an order of many letters " + std::to_string(i));
  const std::size_t before = allocations_so_far;
  for (int i = 0; i < 5'000; ++i) {
    const std::string& key = keys[static_cast<std::size_t>(i * 7 % 80)];
    const auto mark = marks.begin(key, at(i));
    if (mark && i % 3 == 0) marks.done(key, mark.token);
    if (i % 11 == 0) marks.advance(at(i));
  }
  CHECK(allocations_so_far == before);
  CHECK(marks.counters().done > 100);
  constexpr std::size_t capacity = 1'000;
  STATIC_REQUIRE(in_flight<std::uint64_t>::bytes_for({.capacity = capacity}) == capacity * 76 + 32);
  STATIC_REQUIRE(in_flight<>::bytes_for({.capacity = capacity, .key_bytes = 40}) == capacity * (76 + 40) + 32);
}

TEST_CASE("bad options of marks in flight are refused with a sentence") {
  const auto refused = [](const in_flight_options& options, const char* about) {
    CHECK_THROWS_WITH(in_flight<>(options), Catch::Contains(about));
    CHECK_THROWS_AS(in_flight<>(options), std::invalid_argument);
  };
  refused({.capacity = 0}, "capacity must be 1 to 2^30");
  refused({.capacity = (std::size_t{1} << 30) + 1}, "capacity must be 1 to 2^30");
  refused({.lease = 0ns}, "lease must be longer than zero");
  refused({.key_bytes = (1 << 20) + 1}, "key_bytes must be at most");
}

TEST_CASE("a hostile snapshot of marks in flight is refused or makes marks that work") {
  struct saved_mark {
    std::uint64_t key;
    std::uint64_t token;
    timestamp until;
  };
  const auto status = [](std::uint64_t count, std::uint64_t next, const std::vector<saved_mark>& saved) {
    in_flight<std::uint64_t> marks({.capacity = 3, .lease = 10ns});
    (void)marks.begin(77, at(0));
    const bytes before = snapshot(marks);
    const bytes hostile = forged(marks, [&](recoup::snapshot_writer& w) {
      w.begin_section(recoup::section_tag("FLYT"), 1);
      for (std::uint64_t n = 0; n < 8; ++n) w.u64(n);
      w.u64(next);
      w.u64(count);
      for (const saved_mark& m : saved) {
        w.u64(m.key);
        w.u64(m.token);
        w.time(m.until);
      }
      w.end_section();
    });
    const auto answer = restore(marks, hostile).status;
    CHECK(snapshot(marks) == (answer == snapshot_status::ok ? hostile : before));
    for (std::uint64_t key = 0; key < 5; ++key) {
      const auto mark = marks.begin(key, at(5));
      if (mark) CHECK(marks.done(key, mark.token));
    }
    marks.advance(timestamp::max());
    CHECK(marks.size() == 0);
    return answer;
  };
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  CHECK(status(0, 1, {}) == snapshot_status::ok);
  CHECK(status(0, huge, {}) == snapshot_status::ok);
  CHECK(status(2, 9, {{1, 4, timestamp::min()}, {2, 8, timestamp::max()}}) == snapshot_status::ok);
  CHECK(status(2, 9, {{1, 4, at(1)}, {1, 8, at(2)}}) == snapshot_status::malformed);  // the same key twice
  CHECK(status(2, 9, {{1, 4, at(1)}, {2, 4, at(2)}}) == snapshot_status::malformed);
  CHECK(status(2, 9, {{1, 5, at(1)}, {2, 4, at(2)}}) == snapshot_status::malformed);
  CHECK(status(1, 9, {{1, 9, at(1)}}) == snapshot_status::malformed);
  CHECK(status(1, 9, {{1, 0, at(1)}}) == snapshot_status::malformed);
  CHECK(status(4, 9, {{1, 1, at(1)}, {2, 2, at(1)}, {3, 3, at(1)}, {4, 4, at(1)}}) == snapshot_status::malformed);
  CHECK(status(2, 9, {{1, 1, at(1)}}) == snapshot_status::malformed);
  CHECK(status(huge, 9, {}) == snapshot_status::malformed);
  CHECK(status(0, 9, {{1, 1, at(1)}}) == snapshot_status::malformed);
}
