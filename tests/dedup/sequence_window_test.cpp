// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/sequence_window.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/window.hpp"
#include "test_scale.hpp"

namespace {

using recoup::restore;
using recoup::sequence_window;
using recoup::sequence_window_options;
using recoup::snapshot;
using recoup::snapshot_status;
using recoup::timestamp;
using bytes = std::vector<std::byte>;

static_assert(recoup::dedup_window<sequence_window, std::uint64_t>);
static_assert(recoup::dedup_window<sequence_window, std::int32_t>);
static_assert(std::is_trivially_copyable_v<sequence_window::judgement>);

constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
constexpr timestamp now{};

struct answer {
  bool is_duplicate = false;
  bool is_too_old = false;
  bool is_jump = false;
  bool operator==(const answer&) const = default;
};
answer of(const sequence_window::judgement& j) { return {j.is_duplicate, j.is_too_old, j.is_jump}; }

// A set of numbers and the lowest that is told apart.
class model {
 public:
  explicit model(const sequence_window_options& o) : options_(o) {}

  answer judge(std::uint64_t n) const {
    if (!highest_) return {};
    if (n > *highest_) return {.is_jump = n - *highest_ > options_.max_jump};
    if (n < lowest()) return {.is_duplicate = options_.too_old_is_duplicate, .is_too_old = true};
    return {.is_duplicate = numbers_.contains(n)};
  }
  void commit(std::uint64_t n) {
    const answer a = judge(n);
    if (a.is_duplicate || a.is_too_old || a.is_jump) return;
    numbers_.insert(n);
    highest_ = std::max(n, highest_.value_or(n));
    numbers_.erase(numbers_.begin(), numbers_.lower_bound(lowest()));
  }
  bool forget(std::uint64_t n) { return numbers_.erase(n) != 0; }
  void merge(const model& other) {
    if (!other.highest_) return;
    highest_ = std::max(*other.highest_, highest_.value_or(0));
    numbers_.insert(other.numbers_.begin(), other.numbers_.end());
    numbers_.erase(numbers_.begin(), numbers_.lower_bound(lowest()));
  }
  void reset() {
    numbers_.clear();
    highest_.reset();
  }
  // The first of a block of 64, at least `events` - 1 below the highest, or 0.
  std::uint64_t lowest() const {
    const std::uint64_t needed = *highest_ - std::min(*highest_, options_.events - 1);
    // Where the highest is the first of its block, the window reaches as far back as it can.
    const std::uint64_t words = recoup::sequence_window::bytes_for(options_) / 8;
    const std::uint64_t block = *highest_ / 64;
    const std::uint64_t lowest = block < words ? 0 : (block - words + 1) * 64;
    REQUIRE(lowest <= needed);
    REQUIRE(needed - lowest < 128);
    return lowest;
  }

 private:
  sequence_window_options options_;
  std::set<std::uint64_t> numbers_;
  std::optional<std::uint64_t> highest_;
};

// Around a place that moves up, now and then far, or to the ends.
std::uint64_t some_number(std::mt19937_64& random, std::uint64_t& place, std::uint64_t events) {
  const std::uint64_t reach = 2 * events + 200;
  switch (random() % 400) {
    case 0:
      place = random();
      break;
    case 1:
      place = random() % 3;
      break;
    case 2:
      place += events + random() % 130;
      break;
    case 3:
      return random() % 2 == 0 ? last - random() % 3 : random() % 3;
    case 4:
      place = last - random() % reach;
      break;
    default:
      place += random() % 3;
  }
  return place - random() % reach + random() % 20;
}

template <class Write>
bytes forged(const sequence_window& window, Write&& write) {
  recoup::snapshot_writer w;
  recoup::detail::begin_frame(w, window.configuration(), {});
  write(w);
  recoup::detail::end_frame(w);
  return w.take();
}

}  // namespace

TEST_CASE("a window of numbers answers as the model does") {
  std::mt19937_64 random(1);
  for (const std::uint64_t events : {1U, 2U, 63U, 64U, 65U, 66U, 128U, 129U, 1'000U}) {
    for (const std::uint64_t max_jump : {last, std::uint64_t{1}, std::uint64_t{500}}) {
      for (const bool too_old_is_duplicate : {true, false}) {
        INFO("events " << events << ", max_jump " << max_jump << ", too old " << too_old_is_duplicate);
        const sequence_window_options options{events, max_jump, too_old_is_duplicate};
        sequence_window window(options);
        sequence_window other(options);
        model expected(options);
        model other_expected(options);
        std::uint64_t place = random();
        std::uint64_t other_place = place;
        std::uint64_t differing = 0;
        answer seen;
        std::uint64_t counts[4] = {};
        std::uint64_t merged = 0;
        const std::uint64_t steps = 4'000 * test_scale();
        for (std::uint64_t i = 0; i < steps; ++i) {
          if (random() % 64 == 0) place = window.highest().value_or(place);
          const std::uint64_t n = some_number(random, place, events);
          const auto hash = window.hash(n);
          window.prefetch(hash);
          const auto judged = window.judge(n, hash, now);
          const answer right = expected.judge(n);
          differing += of(judged) == right ? 0U : 1U;
          seen.is_duplicate |= right.is_duplicate && !right.is_too_old;
          seen.is_too_old |= right.is_too_old;
          seen.is_jump |= right.is_jump;
          switch (random() % 16) {
            case 0:
              differing += window.forget(n) == expected.forget(n) ? 0U : 1U;
              break;
            case 1: {
              const bytes saved = snapshot(window);
              window = sequence_window(options);
              window.observe(n, now);
              differing += restore(window, saved) && snapshot(window) == saved ? 0U : 1U;
              break;
            }
            case 2:
              if (random() % 10 != 0) break;
              if (random() % 8 == 0) {
                window.reset();
                expected.reset();
              } else {
                counts[0] += other.fresh();
                counts[1] += other.duplicates();
                counts[2] += other.too_old();
                counts[3] += other.jumps();
                differing += window.merge(other) ? 0U : 1U;
                expected.merge(other_expected);
                ++merged;
              }
              break;
            case 3:
              other_place = random() % 4 == 0 ? place : other_place;
              [[fallthrough]];
            case 4: {
              const std::uint64_t m = some_number(random, other_place, events);
              other.observe(m, now);
              other_expected.commit(m);
              break;
            }
            default:
              window.commit(n, judged, now);
              expected.commit(n);
              counts[right.is_duplicate ? 1 : 0] += 1;
              counts[2] += right.is_too_old ? 1U : 0U;
              counts[3] += right.is_jump ? 1U : 0U;
          }
        }
        CHECK(differing == 0);
        CHECK(window.fresh() == counts[0]);
        CHECK(window.duplicates() == counts[1]);
        CHECK(window.too_old() == counts[2]);
        CHECK(window.jumps() == counts[3]);
        CHECK(seen.is_duplicate);
        CHECK(seen.is_too_old);
        CHECK(seen.is_jump == (max_jump != last));
        CHECK(merged > 0);
      }
    }
  }
}

TEST_CASE("the window of RFC 4303 tells right of it from inside and inside from left of it") {
  // Section 3.4.3: 64 is the preferred default size. Packets right of the window are new and move it; those inside are
  // compared with the list; those left of it are rejected.
  sequence_window w({.events = 64});
  CHECK_FALSE(w.observe(1U, now).is_duplicate);
  CHECK(w.observe(1U, now).is_duplicate);
  CHECK_FALSE(w.observe(128U, now).is_duplicate);  // right
  CHECK_FALSE(w.observe(65U, now).is_duplicate);   // the lowest of the 64 up to 128
  CHECK(w.observe(65U, now).is_duplicate);
  CHECK(w.observe(128U, now).is_duplicate);
  const auto left = w.observe(63U, now);
  CHECK(left.is_duplicate);
  CHECK(left.is_too_old);
  for (std::uint64_t n = 66; n < 128; ++n) CHECK_FALSE(w.observe(n, now).is_duplicate);
  for (std::uint64_t n = 65; n <= 128; ++n) CHECK(w.observe(n, now).is_duplicate);
  CHECK(w.fresh() == 65);
  CHECK(w.too_old() == 1);
}

TEST_CASE("the blocks of RFC 6479 are cleared as the window moves and only those it moves over") {
  // A ring of two blocks for a window of 64: the block after the highest's is the one reused.
  sequence_window w({.events = 64});
  CHECK(sequence_window::bytes_for(w.options()) == 2 * 8);
  for (std::uint64_t n = 0; n < 128; ++n) w.observe(n, now);
  w.observe(128U, now);  // reuses the block of 0 to 63
  CHECK(w.judge(63U, now).is_too_old);
  for (std::uint64_t n = 64; n <= 128; ++n) CHECK(w.judge(n, now).is_duplicate);
  for (std::uint64_t n = 129; n < 192; ++n) CHECK_FALSE(w.judge(n, now).is_duplicate);
  w.observe(128U + 64 * 1'000, now);  // further than the whole ring
  for (std::uint64_t n = 128 + 64 * 999; n < 128 + 64 * 1'000; ++n) CHECK_FALSE(w.judge(n, now).is_duplicate);
  CHECK(w.judge(128U, now).is_too_old);
}

TEST_CASE("the first number may be any and the window reaches from 0 to the last of 64 bits") {
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{1} << 63, last}) {
    sequence_window w({.events = 100});
    CHECK(!w.highest());
    CHECK_FALSE(w.forget(first));
    CHECK_FALSE(w.observe(first, now).is_duplicate);
    CHECK(w.highest() == first);
    CHECK(w.observe(first, now).is_duplicate);
    CHECK_FALSE(w.judge(first - std::min<std::uint64_t>(first, 99), now).is_too_old);
    CHECK(w.forget(first));
    CHECK_FALSE(w.forget(first));
    CHECK_FALSE(w.observe(first, now).is_duplicate);
    CHECK_FALSE(w.observe(last, now).is_duplicate == (first != last));
    CHECK(w.observe(0U, now).is_too_old);
  }
}

TEST_CASE("numbers of other types are those of their 64 bits") {
  sequence_window w;
  CHECK_FALSE(w.observe(std::int32_t{7}, now).is_duplicate);
  CHECK(w.observe(std::uint8_t{7}, now).is_duplicate);
  CHECK_FALSE(w.observe(-1, now).is_duplicate);
  CHECK(w.highest() == last);
}

TEST_CASE("a jump is new each time and changes nothing") {
  sequence_window w({.events = 100, .max_jump = 1'000});
  CHECK_FALSE(w.observe(5'000U, now).is_jump);
  for (int i = 0; i < 2; ++i) {
    const auto far = w.observe(6'001U, now);
    CHECK(far.is_jump);
    CHECK_FALSE(far.is_duplicate);
    CHECK(w.observe(last, now).is_jump);
    CHECK_FALSE(w.forget(last));
  }
  CHECK(w.jumps() == 4);
  CHECK(w.highest() == 5'000U);
  CHECK(w.observe(5'000U, now).is_duplicate);
  CHECK_FALSE(w.observe(6'000U, now).is_jump);
  w.reset();
  CHECK_FALSE(w.observe(1U, now).is_too_old);
  CHECK(w.observe(1U, now).is_duplicate);
  CHECK(w.fresh() == 7);
}

TEST_CASE("what is too old is a duplicate or new as the options say and never remembered") {
  for (const bool is_duplicate : {true, false}) {
    sequence_window w({.events = 64, .too_old_is_duplicate = is_duplicate});
    w.observe(10'000U, now);
    for (int i = 0; i < 3; ++i) {
      const auto old = w.observe(9'000U, now);
      CHECK(old.is_too_old);
      CHECK(old.is_duplicate == is_duplicate);
    }
    CHECK_FALSE(w.forget(9'000U));
    CHECK(w.fresh() == (is_duplicate ? 1 : 4));
    CHECK(w.duplicates() == (is_duplicate ? 3 : 0));
    CHECK(w.too_old() == 3);
    CHECK(w.evicted_within_age() == 0);
    CHECK(!w.youngest_evicted());
  }
}

TEST_CASE("time makes no difference to a window of numbers") {
  sequence_window w;
  CHECK_FALSE(w.observe(1U, timestamp::max()).is_duplicate);
  CHECK(w.observe(1U, timestamp::min()).is_duplicate);
  CHECK(w.observe(1U, timestamp::max()).is_duplicate);
}

TEST_CASE("observing numbers ahead gives the window's own answers") {
  sequence_window one({.events = 300, .max_jump = 1'000});
  sequence_window ahead = one;
  std::mt19937_64 random(3);
  std::uint64_t place = 0;
  std::uint64_t differing = 0;
  for (int batch = 0; batch < 100; ++batch) {
    std::vector<std::uint64_t> numbers(random() % 200);
    for (auto& n : numbers) n = some_number(random, place, 300);
    std::deque<answer> answers;
    observe_ahead(ahead, std::span<const std::uint64_t>(numbers), now,
                  [&](std::size_t, const sequence_window::judgement& j) { answers.push_back(of(j)); });
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      differing += of(one.observe(numbers[i], now)) == answers[i] ? 0U : 1U;
    }
  }
  CHECK(differing == 0);
  CHECK(snapshot(one) == snapshot(ahead));
}

TEST_CASE("a window of numbers takes an eighth of a byte each and allocates nothing after construction") {
  CHECK(sequence_window::bytes_for({.events = 1}) == 8);
  CHECK(sequence_window::bytes_for({.events = 65}) == 16);
  CHECK(sequence_window::bytes_for({.events = 66}) == 24);
  STATIC_REQUIRE(sequence_window::bytes_for({.events = 1 << 20}) == (1 << 20) / 8 + 8);
  STATIC_REQUIRE(sequence_window::false_positive_rate_for({}) == 0);
  sequence_window w({.events = 1'000});
  std::mt19937_64 random(2);
  std::uint64_t place = 0;
  const std::size_t before = allocations_so_far;
  for (int i = 0; i < 10'000; ++i) w.observe(some_number(random, place, 1'000), now);
  const std::size_t after = allocations_so_far;
  CHECK(after == before);
  ::operator delete(::operator new(1));
  CHECK(allocations_so_far > after);  // they are counted
}

TEST_CASE("a window of numbers refuses bad options with a sentence") {
  const auto refused = [](const sequence_window_options& options, const char* about) {
    CHECK_THROWS_WITH(sequence_window(options), Catch::Contains(about));
    CHECK_THROWS_AS(sequence_window(options), std::invalid_argument);
  };
  refused({.events = 0}, "events must be 1 to 2^40 numbers");
  refused({.events = (std::uint64_t{1} << 40) + 1}, "events must be 1 to 2^40 numbers");
  refused({.max_jump = 0}, "max_jump must be at least 1");
}

TEST_CASE("windows of numbers with other options neither restore nor merge each other") {
  const sequence_window_options options{.events = 100, .max_jump = 50, .too_old_is_duplicate = true};
  sequence_window w(options);
  w.observe(1U, now);
  const bytes saved = snapshot(w);
  for (const sequence_window_options& others :
       {sequence_window_options{101, 50, true}, sequence_window_options{100, 51, true},
        sequence_window_options{100, 50, false}}) {
    sequence_window other(others);
    other.observe(2U, now);
    CHECK(restore(other, saved).status == snapshot_status::other_configuration);
    CHECK_FALSE(w.merge(other));
  }
  CHECK(snapshot(w) == saved);
}

TEST_CASE("a hostile snapshot of a window of numbers is refused or makes a window that works") {
  const sequence_window_options options{.events = 66};  // three words
  const auto answer_to = [&](bool has_any, std::uint64_t highest, const std::vector<std::uint64_t>& words) {
    sequence_window w(options);
    w.observe(5U, now);
    const bytes before = snapshot(w);
    const bytes hostile = forged(w, [&](recoup::snapshot_writer& out) {
      out.begin_section(recoup::section_tag("SEQW"), 1);
      for (const std::uint64_t n : {1U, 2U, 3U, 4U}) out.u64(n);
      out.boolean(has_any);
      out.u64(highest);
      for (const std::uint64_t word : words) out.u64(word);
      out.end_section();
    });
    const auto status = restore(w, hostile).status;
    CHECK((snapshot(w) == (status == snapshot_status::ok ? hostile : before)));
    for (const std::uint64_t n : {std::uint64_t{0}, highest, highest + 1, last}) w.observe(n, now);
    return status;
  };
  CHECK(answer_to(false, 0, {0, 0, 0}) == snapshot_status::ok);
  CHECK(answer_to(true, 0, {1, 0, 0}) == snapshot_status::ok);
  CHECK(answer_to(true, 0, {0, 0, 0}) == snapshot_status::ok);  // forgotten
  CHECK(answer_to(true, 130, {7, last, last}) == snapshot_status::ok);
  CHECK(answer_to(true, last, {last, last, last}) == snapshot_status::ok);
  CHECK(answer_to(false, 1, {0, 0, 0}) == snapshot_status::malformed);
  CHECK(answer_to(false, 0, {1, 0, 0}) == snapshot_status::malformed);
  CHECK(answer_to(true, 130, {8, last, last}) == snapshot_status::malformed);  // above the highest
  CHECK(answer_to(true, 0, {2, 0, 0}) == snapshot_status::malformed);
  CHECK(answer_to(true, 63, {last, 1, 0}) == snapshot_status::malformed);  // below 0
  CHECK(answer_to(true, 127, {last, last, 1}) == snapshot_status::malformed);
  CHECK(answer_to(true, 130, {7, last}) == snapshot_status::malformed);
  CHECK(answer_to(true, 130, {7, last, last, 0}) == snapshot_status::malformed);
}
