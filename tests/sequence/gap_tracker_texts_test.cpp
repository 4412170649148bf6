// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// gap_tracker beside what standards and protocols say of sequence numbers.
#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "recoup/core/sequence_number.hpp"
#include "recoup/sequence/gap_tracker.hpp"
#include "sequence/gap_tracker_model.hpp"
#include "test_scale.hpp"

namespace {

using namespace gap_model;
using namespace std::chrono_literals;

// --- RTP: RFC 3550, appendix A.1

// The receiver's side of update_seq, behind the probation of a new source.
class rtp_source {
 public:
  static constexpr std::uint32_t modulus = 1 << 16;
  static constexpr std::uint32_t max_dropout = 3'000;
  static constexpr std::uint32_t max_misorder = 100;

  explicit rtp_source(std::uint32_t first) { restart(first); }

  // Whether the packet is valid.
  bool receive(std::uint32_t number) {
    const std::uint32_t ahead = (number - highest_) % modulus;
    if (ahead < max_dropout) {
      if (number < highest_) cycles_ += modulus;
      highest_ = number;
    } else if (ahead <= modulus - max_misorder) {  // a very large jump
      if (number != bad_) {
        bad_ = (number + 1) % modulus;
        return false;
      }
      restart(number);  // two packets in sequence: the other side has begun anew
      return true;
    }
    ++received_;
    return true;
  }

  std::uint32_t highest() const { return highest_; }
  std::uint64_t restarts() const { return restarts_; }
  // Cumulative number of packets lost: those expected, less those received.
  std::int64_t lost() const {
    return std::int64_t{cycles_} + highest_ - base_ + 1 - static_cast<std::int64_t>(received_);
  }

 private:
  void restart(std::uint32_t first) {
    base_ = highest_ = first;
    bad_ = modulus + 1;  // none
    cycles_ = 0;
    received_ = 1;
    ++restarts_;
  }

  std::uint32_t highest_ = 0;
  std::uint32_t base_ = 0;
  std::uint32_t bad_ = 0;
  std::uint32_t cycles_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t restarts_ = 0;
};

// MAX_DROPOUT, MAX_MISORDER and MIN_SEQUENTIAL as options.
gap_tracker_options as_rtp() {
  return {.bits = 16,
          .max_jump = rtp_source::max_dropout - 2,
          .max_behind = rtp_source::max_misorder - 1,
          .resynchronise_after = 2};
}

}  // namespace

TEST_CASE("a stream of RTP is believed and doubted as by update_seq of RFC 3550") {
  std::uint64_t doubted = 0;
  std::uint64_t restarts = 0;
  for (std::uint64_t seed = 1; seed <= 100 * test_scale(); ++seed) {
    INFO("seed " << seed);
    dice roll(seed);
    auto number = static_cast<std::uint32_t>(roll.one_of({roll(200), roll(65'536), 65'535 - roll(200)}));
    rtp_source source(number);
    gap_tracker t(as_rtp());
    t.observe(number, start);
    for (int step = 0; step < 500; ++step) {
      const std::uint32_t high = source.highest();
      const bool goes_on = roll.chance(30);
      const auto offset =
          static_cast<std::uint32_t>(roll.one_of({std::uint64_t{1}, std::uint64_t{1}, std::uint64_t{1}, 1 + roll(5),
                                                  2'990 + roll(20), 65'536 - roll(120), roll(65'536)}));
      number = (goes_on ? number + 1 : high + offset) % 65'536;
      // What is missing is welcome however late; there update_seq, that keeps no record of it, has its doubts.
      if (t.judge(number).answer == arrival::filled && (high - number) % 65'536 >= rtp_source::max_misorder) continue;
      const std::uint64_t before = source.restarts();
      const bool is_valid = source.receive(number);
      const arrival answer = receive(t, number);
      const bool is_strange = answer == arrival::jump || answer == arrival::restart;
      const bool is_restart = source.restarts() != before;
      CAPTURE(step, number, high, name_of(answer));
      REQUIRE(is_strange == (!is_valid || is_restart));
      REQUIRE((*t.high_position() & 0xFFFF) == source.highest());
      if (is_restart) REQUIRE(t.gap_count() == 0);
      doubted += !is_valid;
      restarts += is_restart;
    }
  }
  CHECK(doubted > 1'000);
  CHECK(restarts > 500);
}

TEST_CASE("as many numbers are missing as RFC 3550 counts as lost where none came twice") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    dice roll(seed);
    const auto first = static_cast<std::uint32_t>(roll(65'536));
    rtp_source source(first);
    gap_tracker t(as_rtp());
    t.observe(first, start);
    std::deque<std::uint32_t> withheld;
    for (std::uint32_t i = 1; i < 100'000; ++i) {
      const std::uint32_t number = (first + i) % 65'536;
      if (i > 100 && !withheld.empty() && roll.chance(10)) {  // late, by less than max_misorder
        const std::uint32_t late = withheld.front();
        if ((number - late) % 65'536 < 90) {
          source.receive(late);
          if (receive(t, late) > arrival::filled) FAIL("not welcome");
        }
        withheld.pop_front();
      }
      if (roll.chance(3)) {
        withheld.push_back(number);
      } else {
        source.receive(number);
        t.observe(number, start);
      }
      if (source.lost() != static_cast<std::int64_t>(t.missing_count())) FAIL("at " << i);
    }
    CHECK(source.restarts() == 1);
  }
}

TEST_CASE("the numbers of RTP wrap after 65535 as in RFC 3550") {
  gap_tracker t({.bits = 16});
  for (const std::uint64_t n : {65'533U, 65'535U, 0U, 2U}) t.observe(n, start);
  CHECK(t.high_position() == 65'538);
  CHECK(missing(t) == ranges{{65'534, 65'534}, {65'537, 65'537}});
  CHECK(receive(t, 65'534) == arrival::filled);  // late across the wrap
  CHECK(receive(t, 65'535) == arrival::duplicate);
  CHECK(receive(t, 0) == arrival::duplicate);
  CHECK(t.contiguous_position() == 65'536);
  CHECK(receive(t, 1) == arrival::filled);
  CHECK(receive(t, 65'536) == arrival::stale);  // has 17 bits
  CHECK(receive(t, most) == arrival::stale);
  CHECK(t.contiguous_position() == 65'538);
}

TEST_CASE("a sender of RTP that begins anew at a number that would lie before 0 is believed too") {
  gap_tracker t(as_rtp());
  for (std::uint64_t n = 100; n < 300; ++n) t.observe(n, start);
  CHECK(receive(t, 65'530) == arrival::restart);  // 305 behind
  CHECK(receive(t, 40'000) == arrival::restart);
  CHECK(t.expected() == 300);
  CHECK(receive(t, 40'001) == arrival::restart);
  CHECK(t.expected() == 40'002);
  CHECK_FALSE(gap_tracker(as_rtp()).forget(40'000, start));
}

// --- serial numbers: RFC 1982

TEST_CASE("what is ahead and what is behind is as in RFC 1982") {
  for (const unsigned bits : {1U, 2U, 3U, 6U}) {
    const std::uint64_t circle = std::uint64_t{1} << bits;
    for (std::uint64_t high = 3 * circle; high < 4 * circle; ++high) {
      gap_tracker t({.bits = bits, .expect_from = 0});
      for (std::uint64_t n = 0; n <= high; ++n) t.observe(n % circle, start);
      REQUIRE(t.high_position() == high);
      for (std::uint64_t raw = 0; raw < circle; ++raw) {
        CAPTURE(bits, high, raw);
        const auto order = recoup::serial_compare(raw, high, bits);
        const auto j = t.judge(raw);
        REQUIRE(j.first % circle == raw);
        if (order == std::partial_ordering::less) REQUIRE(j.first < high);
        if (order == std::partial_ordering::equivalent) REQUIRE(j.first == high);
        if (order == std::partial_ordering::greater) REQUIRE(j.first > high);
        if (order == std::partial_ordering::unordered) REQUIRE(j.first == high + circle / 2);
        REQUIRE((j.answer == arrival::duplicate) == (j.first <= high));
      }
    }
  }
}

TEST_CASE("the examples of RFC 1982 section 5 are told as ahead") {
  using pair = std::pair<std::uint64_t, std::uint64_t>;
  for (const auto& [greater, less] : {pair{1, 0}, pair{44, 0}, pair{100, 0}, pair{100, 44}, pair{200, 100},
                                      pair{255, 200}, pair{0, 255}, pair{100, 255}, pair{0, 200}, pair{44, 200}}) {
    CAPTURE(greater, less);
    gap_tracker t({.bits = 8});
    t.observe(less, start);
    const auto j = t.judge(greater);
    CHECK((j.answer == arrival::ahead || j.answer == arrival::in_order));
  }
}

// --- replay protection of IPsec: RFC 4303, section 3.4.3, and RFC 6479

namespace {

// A window over the last numbers: a ring of words of which one is always spare, so that nothing is shifted.
class anti_replay_window {
 public:
  static constexpr std::uint64_t words = 4;
  static constexpr std::uint64_t word_bits = 32;
  static constexpr std::uint64_t size = (words - 1) * word_bits;

  enum verdict : std::uint8_t { is_new, replayed, too_old };

  verdict check(std::uint64_t number) const {
    if (number > last_) return is_new;
    if (last_ - number >= size) return too_old;
    return (word_of(number) >> (number % word_bits) & 1U) != 0 ? replayed : is_new;
  }
  void accept(std::uint64_t number) {
    if (number > last_) {
      const std::uint64_t steps = number / word_bits - last_ / word_bits;
      for (std::uint64_t i = 1; i <= std::min(steps, words); ++i) ring_[(last_ / word_bits + i) % words] = 0;
      last_ = number;
    }
    ring_[number / word_bits % words] |= std::uint32_t{1} << (number % word_bits);
  }

 private:
  std::uint32_t word_of(std::uint64_t number) const { return ring_[number / word_bits % words]; }

  std::array<std::uint32_t, words> ring_{};
  std::uint64_t last_ = 0;
};

bool is_replay(arrival a) { return a == arrival::duplicate || a == arrival::stale; }

}  // namespace

TEST_CASE("what the window of RFC 6479 knows a tracker without any window knows too") {
  std::array<std::uint64_t, 3> reached{};
  for (std::uint64_t seed = 1; seed <= 100 * test_scale(); ++seed) {
    dice roll(seed);
    anti_replay_window window;
    gap_tracker t({.expect_from = 1, .max_jump = most});  // the first packet of IPsec has the number 1
    std::set<std::uint64_t> seen;
    std::uint64_t high = 0;
    for (int step = 0; step < 500; ++step) {
      const std::uint64_t n =
          roll.one_of({high + 1, high + 1 + roll(3), high + 1 + roll(200), high - std::min(high, roll(120))});
      if (n == 0) continue;
      INFO("seed " << seed << " step " << step << " number " << n);
      const auto verdict = window.check(n);
      const arrival answer = receive(t, n);
      if (is_replay(answer) != !seen.insert(n).second) FAIL("a replay is not told from the first time");
      if (verdict == anti_replay_window::is_new && is_replay(answer)) FAIL("what the window accepts is rejected");
      if (verdict == anti_replay_window::replayed && !is_replay(answer)) FAIL("what the window rejects is accepted");
      if (verdict == anti_replay_window::is_new) window.accept(n);
      ++reached[verdict];
      high = std::max(high, n);
    }
  }
  for (const std::uint64_t n : reached) CHECK(n > 300);
}

// --- loss of packets: RFC 9002, section 6.1

TEST_CASE("a packet is lost once three higher ones came as in RFC 9002") {
  gap_tracker t({.expect_from = 0, .reorder_distance = 3, .replay = {.max_attempts = 0}});
  receive_all(t, {0, 2, 3});
  CHECK(advance(t, start + 24h).empty());
  CHECK(t.due() > start + 24h);
  receive_all(t, {4});
  CHECK(is_due(t, start));
  CHECK(advance(t, start) == findings{{told::found, {1, 1}, start}});
  CHECK(advance(t, start).empty());
  CHECK(receive(t, 1) == arrival::filled);
  CHECK(t.found_count() == 1);
  CHECK(t.recovered_count() == 1);
}

TEST_CASE("a packet is lost after the time threshold of RFC 9002 where the next ones do not come") {
  gap_tracker t({.expect_from = 0, .reorder_distance = 3, .reorder_delay = 9ms, .replay = {.max_attempts = 0}});
  receive_all(t, {0, 2}, start + 1ms);
  CHECK(advance(t, start + 10ms - 1ns).empty());
  CHECK(advance(t, start + 10ms) == findings{{told::found, {1, 1}, start + 1ms}});
}

// --- sessions of FIX: recovery of messages

TEST_CASE("a resend of FIX with a gap fill closes what was asked for") {
  gap_tracker session({.expect_from = 1});  // MsgSeqNum begins with 1
  receive_all(session, {1, 2, 3, 8});
  CHECK(advance(session, start) == findings{{told::found, {4, 7}, start}, {told::request, {4, 7}, {}, 1, 5}});
  CHECK(session.contiguous_position() == 3);
  // ResendRequest from 4 to 7. The answer: 4 again (PossDupFlag), a gap fill from 5 to NewSeqNo 7, and 7 again.
  CHECK(receive(session, 4) == arrival::filled);
  CHECK(session.skip({5, 7 - 1}, recoup::skip_reason::gap_fill, start) == 2);
  CHECK(receive(session, 7) == arrival::filled);
  CHECK(session.contiguous_position() == 8);
  CHECK(session.expected() == 9);
  CHECK(session.recovered_count() == 4);
  CHECK(receive(session, 8) == arrival::duplicate);  // lower than expected, and known
}

TEST_CASE("a gap fill of FIX that nobody asked for moves on what is expected") {
  gap_tracker session({.expect_from = 1});
  receive_all(session, {1});
  CHECK(session.skip({2, 10 - 1}, recoup::skip_reason::gap_fill, start) == 8);  // MsgSeqNum 2, NewSeqNo 10
  CHECK(session.expected() == 10);
  CHECK(session.gap_count() == 0);
}

TEST_CASE("a sequence reset of FIX gives up what is missing and goes on at NewSeqNo") {
  gap_tracker session({.expect_from = 1});
  receive_all(session, {1, 4});
  session.resume_at(50);
  CHECK(session.expected() == 50);
  CHECK(session.gap_count() == 0);
  CHECK(session.found_count() == 2);
  CHECK(receive(session, 50) == arrival::in_order);
  CHECK(session.contiguous_position() == 50);
}

// --- market data: packets with a first number and a count (MoldUDP64)

TEST_CASE("packets and heartbeats of MoldUDP64 show what is to be requested again") {
  gap_tracker session({.expect_from = 1, .replay = {.max_attempts = 1, .max_range = 3}});
  const auto packet = [&](std::uint64_t sequence, std::uint64_t count) {
    session.observe(sequence, count, start, [](arrival, sequence_range) {});
    if (count == 0) session.observe_high(sequence - 1, start);  // a heartbeat: what is sent next
  };
  packet(1, 3);
  packet(8, 2);
  CHECK(missing(session) == ranges{{4, 7}});
  packet(12, 0);
  CHECK(missing(session) == ranges{{4, 7}, {10, 11}});
  CHECK(advance(session, start) == findings{{told::found, {4, 7}, start},
                                            {told::found, {10, 11}, start},
                                            {told::request, {4, 6}, {}, 1, 1},
                                            {told::request, {7, 7}, {}, 1, 1},
                                            {told::request, {10, 11}, {}, 1, 1}});
  packet(4, 3);
  packet(6, 6);
  CHECK(session.gap_count() == 0);
  packet(12, 0);
  CHECK(session.gap_count() == 0);
  CHECK(session.contiguous_position() == 11);
}
