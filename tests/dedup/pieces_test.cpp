// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#include "recoup/dedup/pieces.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "dedup/line_window_model.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/dedup/bloom_window.hpp"
#include "recoup/dedup/compact_window.hpp"
#include "recoup/dedup/fingerprint_window.hpp"
#include "recoup/dedup/integer_window.hpp"

namespace {

using line_window_tests::at;
using recoup::duration;
using recoup::restore_from_pieces;
using recoup::snapshot_in_pieces;
using recoup::snapshot_status;
using pieces = std::vector<std::vector<std::byte>>;

static_assert(recoup::saves_in_pieces<recoup::integer_window<>>);
static_assert(recoup::saves_in_pieces<recoup::fingerprint_window<64>>);
static_assert(recoup::saves_in_pieces<recoup::fingerprint_window<128>>);
static_assert(recoup::saves_in_pieces<recoup::compact_window<24>>);
static_assert(recoup::saves_in_pieces<recoup::bloom_window>);

template <class Window>
class traffic {
 public:
  explicit traffic(std::uint64_t seed) : random_(seed) {}

  void run(Window& window, int events, std::uint64_t keys) {
    for (int i = 0; i < events; ++i) {
      now_ += static_cast<std::int64_t>(random_() % 20);
      const std::uint64_t key = random_() % keys;
      if (random_() % 20 == 0) {
        window.forget(key);
      } else {
        window.observe(key, at(now_));
      }
    }
  }

 private:
  std::mt19937_64 random_;
  std::int64_t now_ = 0;
};

template <class Window>
Window put_together(const pieces& all, const Window& like) {
  restore_from_pieces<Window> restoring(like);
  for (const auto& bytes : all) {
    CHECK_FALSE(restoring.is_complete());
    CHECK_FALSE(restoring.take());
    REQUIRE(restoring.add(bytes));
  }
  REQUIRE(restoring.is_complete());
  CHECK_FALSE(restoring.add(all.back()));
  auto window = restoring.take();
  REQUIRE(window);
  CHECK_FALSE(restoring.take());
  return *window;
}

// Snapshots one after the other, while events go on: each is the window as it was at its last piece.
template <class Window, class Options>
void check_pieces(const Options& options, std::uint64_t keys) {
  Window window(options);
  traffic<Window> events(7);
  events.run(window, 500, keys);
  snapshot_in_pieces snapshot(window);
  const int more = options.age == duration::max() ? 1 : 40;  // where epochs end all the time
  for (const auto& [few, between] : {std::pair{1'000'000, 0}, {64, 8}, {16, 3}, {7, 1}, {40, 15}}) {
    const int lines = few * more;
    INFO(lines << " lines a piece, " << between << " events between");
    pieces all;
    std::size_t all_lines = 0;
    for (bool is_last = false; !is_last;) {
      auto piece = snapshot.next(static_cast<std::size_t>(lines));
      if (all.empty() && !piece.is_last) all_lines = window.changes();
      is_last = piece.is_last;
      all.push_back(std::move(piece.bytes));
      REQUIRE(all.size() < 10'000);
      if (!is_last) events.run(window, between, keys);
    }
    CHECK(all.size() >= all_lines / static_cast<std::size_t>(lines));
    Window restored = put_together(all, window);
    REQUIRE(recoup::snapshot(restored) == recoup::snapshot(window));
    for (std::uint64_t key = 0; key < keys; ++key) {
      REQUIRE(restored.judge(key, at(0)).is_duplicate == window.judge(key, at(0)).is_duplicate);
    }
    events.run(window, 3'000, keys);
  }
}

TEST_CASE("the pieces of a snapshot are the window as it is at the last of them") {
  for (const duration age : {duration::max(), duration(2'000)}) {
    for (const bool renew : {false, true}) {
      const recoup::window_options options{.events = 700, .age = age, .seed = 3, .renew = renew};
      check_pieces<recoup::integer_window<>>(options, 2'000);
      check_pieces<recoup::fingerprint_window<64>>(options, 2'000);
      check_pieces<recoup::fingerprint_window<128>>(options, 2'000);
      check_pieces<recoup::compact_window<16>>(options, 2'000);
      check_pieces<recoup::compact_window<32>>(recoup::window_options{.events = 5, .age = age, .renew = renew}, 20);
      check_pieces<recoup::bloom_window>(
          recoup::bloom_window_options{.events = 4'000, .age = age, .false_positive_rate = 1e-3, .renew = renew},
          12'000);
    }
  }
}

TEST_CASE("epochs whose numbers come again while pieces are taken confuse nothing") {
  recoup::fingerprint_window<> window({.events = 400, .age = duration(1'000)});
  traffic<recoup::fingerprint_window<>> events(11);
  events.run(window, 1'000, 5'000);
  snapshot_in_pieces snapshot(window);
  pieces all;
  for (bool is_last = false; !is_last;) {
    auto piece = snapshot.next(all.size() < 400 ? 1 : 200);
    is_last = piece.is_last;
    all.push_back(std::move(piece.bytes));
    if (!is_last) events.run(window, 40, 5'000);
  }
  CHECK(all.size() > 400);
  CHECK(recoup::snapshot(put_together(all, window)) == recoup::snapshot(window));
}

TEST_CASE("the position of the last piece is that of the snapshot") {
  recoup::integer_window<> window({.events = 1'000});
  snapshot_in_pieces snapshot(window);
  restore_from_pieces<recoup::integer_window<>> restoring(window);
  for (std::uint8_t i = 1; !restoring.is_complete(); ++i) {
    const std::array position{std::byte{i}};
    const auto piece = snapshot.next(50, position);
    const auto answer = restoring.add(piece.bytes);
    REQUIRE(answer);
    CHECK(answer.position == std::vector<std::byte>{std::byte{i}});
  }
}

TEST_CASE("pieces that are damaged missing foreign or out of turn are refused and the right one is taken after") {
  using window_type = recoup::compact_window<24>;
  window_type window({.events = 2'000});
  traffic<window_type> events(5);
  events.run(window, 3'000, 9'000);
  pieces all;
  snapshot_in_pieces snapshot(window);
  for (bool is_last = false; !is_last;) {
    auto piece = snapshot.next(30);
    is_last = piece.is_last;
    all.push_back(std::move(piece.bytes));
  }
  REQUIRE(all.size() > 4);
  restore_from_pieces<window_type> restoring(window);
  CHECK(restoring.add(all[1]).status == snapshot_status::other_configuration);
  CHECK(restoring.add({}).status == snapshot_status::truncated);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const std::size_t byte : {std::size_t{0}, std::size_t{30}, all[i].size() / 2, all[i].size() - 1}) {
      auto damaged = all[i];
      damaged[byte] ^= std::byte{4};
      CHECK_FALSE(restoring.add(damaged));
    }
    CHECK_FALSE(restoring.add(std::span(all[i]).first(all[i].size() - 1)));
    if (i + 2 < all.size()) CHECK_FALSE(restoring.add(all[i + 1]));
    REQUIRE(restoring.add(all[i]));
    if (i + 1 < all.size()) CHECK_FALSE(restoring.add(all[i]));
  }
  CHECK(restoring.is_complete());

  restore_from_pieces<window_type> other(window_type({.events = 2'001}));
  CHECK(other.add(all[0]).status == snapshot_status::other_configuration);
}

// With the right checksum, as a forger would have it.
TEST_CASE("pieces made up of random bytes are refused or taken and nothing breaks") {
  using window_type = recoup::fingerprint_window<>;
  window_type window({.events = 100});
  traffic<window_type> events(5);
  events.run(window, 300, 900);
  struct forged {
    std::uint64_t fingerprint;
    std::vector<std::byte> content;
    [[nodiscard]] std::uint64_t configuration() const { return fingerprint; }
    void save(recoup::snapshot_writer& w) const {
      for (const std::byte b : content) w.u8(std::to_integer<std::uint8_t>(b));
    }
    [[nodiscard]] bool load(recoup::snapshot_reader&) { return false; }
  };
  snapshot_in_pieces snapshot(window);
  const auto whole = snapshot.next(1'000);
  REQUIRE(whole.is_last);
  const auto frame = recoup::detail::parse_frame(whole.bytes);
  std::mt19937_64 random(3);
  std::size_t refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    forged f{frame.configuration, {frame.content.begin(), frame.content.end()}};
    f.content[random() % f.content.size()] = static_cast<std::byte>(random());
    restore_from_pieces<window_type> restoring(window);
    if (!restoring.add(recoup::snapshot(f))) {
      ++refused;
      CHECK_FALSE(restoring.is_complete());
      CHECK_FALSE(restoring.take());
      CHECK_FALSE(restoring.add(whole.bytes));
    } else if (restoring.is_complete()) {
      auto restored = restoring.take();
      REQUIRE(restored);
      events.run(*restored, 50, 900);
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("a window that nobody watches any more goes on") {
  recoup::fingerprint_window<> window({.events = 300});
  traffic<recoup::fingerprint_window<>> events(5);
  { const snapshot_in_pieces abandoned(window); }
  CHECK(window.changes() == 0);
  snapshot_in_pieces snapshot(window);
  CHECK(window.changes() > 0);
  recoup::fingerprint_window<> copy = window;
  CHECK(copy.changes() == 0);
  events.run(window, 500, 1'000);
  while (!snapshot.next(10).is_last) {
  }
  events.run(window, 500, 1'000);
  CHECK(window.changes() == 0);
}

}  // namespace
