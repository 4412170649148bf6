// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to know which numbers are missing? gap_tracker beside what people write by hand and what protocol
// stacks do (peers/*.hpp). All take a number that is expected next by a shortcut, and all see the same numbers: before
// anything is timed, each must have answered every one of them alike, and count as many missing at the end.
// gap_tracker_span and gap_trackers_span take 64 events a call, all others one.
//
// Benchmarks are named pattern/peer, such as in_order/gap_tracker: --benchmark_filter=in_order/ compares the peers,
// --benchmark_filter=/gap_tracker the patterns. Tables come at the end; of repetitions they show the least.

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <recoup/core/dense.hpp>
#include <recoup/core/keyed.hpp>
#include <recoup/pipeline/overloaded.hpp>
#include <recoup/sequence/gap_tracker.hpp>
#include <recoup/sequence/gap_trackers.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "peers/loss_list.hpp"
#include "peers/missing_set.hpp"
#include "peers/nack_list.hpp"
#include "peers/range_map.hpp"
#include "peers/received_ranges.hpp"
#include "peers/replay_window.hpp"
#include "peers/request_map.hpp"
#include "peers/requests.hpp"
#include "peers/seen.hpp"
#ifdef RECOUP_BENCH_ICL
#include "peers/icl_ranges.hpp"
#endif
#ifdef RECOUP_BENCH_ROARING
#include "peers/roaring_bitmap.hpp"
#endif

namespace {

// What operator new has given and delete not taken back, in bytes as asked for, while it is counting.
class heap_count {
 public:
  static void start() {
    live = 0;
    blocks = 0;
    counts = true;
  }
  static std::size_t held() { return live; }
  static std::size_t stop() {
    counts = false;
    return live;
  }

  static void given(void* block, std::size_t bytes) {
    if (!counts) [[likely]]
      return;
    if (blocks == log.size()) std::abort();
    log[blocks++] = {block, bytes};
    live += bytes;
  }
  static void taken(void* block) {
    if (!counts) [[likely]]
      return;
    for (std::size_t i = blocks; i-- > 0;) {
      if (log[i].first != block) continue;
      live -= log[i].second;
      log[i] = log[--blocks];
      return;
    }
  }

 private:
  static inline bool counts = false;
  static inline std::size_t live = 0;
  static inline std::size_t blocks = 0;
  static inline std::array<std::pair<void*, std::size_t>, 1 << 14> log{};
};

}  // namespace

// Not inline, as g++ then sees memory of new given to free. NOLINTBEGIN(cppcoreguidelines-no-malloc)
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  void* const block = std::malloc(bytes > 0 ? bytes : 1);
  if (block == nullptr) throw std::bad_alloc();
  heap_count::given(block, bytes);
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  heap_count::taken(block);
  std::free(block);
}
void operator delete(void* block, std::size_t /*bytes*/) noexcept { operator delete(block); }
// NOLINTEND(cppcoreguidelines-no-malloc)

namespace {

using peers::seen;

// The peers.

// Compares and counts, and remembers nothing: what is left is the cost of reading the numbers. Not checked.
struct floor_in_memory {
  std::uint64_t next = 0;

  seen observe(std::uint64_t number) {
    if (number == next) [[likely]] {
      ++next;
      return seen::in_order;
    }
    next = number + 1;
    return seen::opened;
  }
  void poll() {}
};

recoup::timestamp at(std::uint64_t nanoseconds) { return recoup::timestamp(recoup::duration(nanoseconds)); }

seen meaning_of(recoup::arrival answer) {
  switch (answer) {
    case recoup::arrival::in_order:
      return seen::in_order;
    case recoup::arrival::ahead:
      return seen::opened;
    case recoup::arrival::filled:
      return seen::filled;
    default:
      return seen::other;
  }
}

recoup::gap_tracker_options tracker_options(bool asks) {
  recoup::gap_tracker_options options;
  options.expect_from = 0;
  options.max_gaps = peers::window;
  options.replay.max_attempts = asks ? peers::request_attempts : 0;
  options.replay.first_wait = recoup::duration(peers::request_wait);
  options.replay.longest_wait = recoup::duration(peers::request_wait);
  options.replay.give_up_after = recoup::duration(peers::window);
  return options;
}

// How many were answered so, by what they mean.
using totals = std::array<std::uint64_t, 4>;

std::uint64_t& total(totals& all, seen answer) { return all[static_cast<std::size_t>(answer)]; }

// What it has counted itself.
template <class Tracker>
totals totals_of(const Tracker& tracker) {
  totals sums{};
  for (std::uint32_t i = 0; i < recoup::arrival_kinds; ++i) {
    const auto answer = static_cast<recoup::arrival>(i);
    total(sums, meaning_of(answer)) += tracker.count(answer);
  }
  return sums;
}

// Gives up by age: an event is a nanosecond, and the events of a span come together.
template <bool Asks, bool BySpan = false>
class recoup_tracker {
 public:
  static constexpr bool takes_spans = BySpan;

  explicit recoup_tracker(const recoup::gap_tracker_options& options = tracker_options(Asks)) : tracker_(options) {}

  seen observe(std::uint64_t number, std::uint64_t now) { return meaning_of(tracker_.observe(number, at(now)).answer); }
  // took(index, answer) for those that are not in order.
  template <class Took>
  void observe(std::span<const std::uint64_t> numbers, std::uint64_t now, Took&& took) {
    tracker_.observe(numbers, at(now),
                     [&](std::size_t i, const recoup::gap_tracker::observation& o) { took(i, meaning_of(o.answer)); });
  }
  void poll(std::uint64_t now) {
    tracker_.advance(at(now), recoup::overloaded{[&](const recoup::replay_request<>& r) { asked_ += r.range.size(); },
                                                 [&](const auto&) { ++told_; }});
  }
  [[nodiscard]] std::uint64_t missing() const { return tracker_.missing_count(); }
  [[nodiscard]] std::uint64_t asked() const { return asked_; }
  [[nodiscard]] totals counted() const { return totals_of(tracker_); }

 private:
  recoup::gap_tracker tracker_;
  std::uint64_t asked_ = 0;
  std::uint64_t told_ = 0;
};

template <class Peer>
struct named {
  using type = Peer;
  std::string_view name;
};

// The first is the one that the others are checked against.
template <class F>
void for_each_peer(F&& f) {
  f(named<peers::missing_set<std::set<std::uint64_t>>>{"std_set"});
  f(named<peers::range_map>{"std_map_of_ranges"});
  f(named<peers::missing_set<absl::btree_set<std::uint64_t>>>{"absl_btree_set"});
#ifdef RECOUP_BENCH_ICL
  f(named<peers::icl_ranges>{"boost_icl_ranges"});
#endif
#ifdef RECOUP_BENCH_ROARING
  f(named<peers::roaring_bitmap>{"roaring64map"});
#endif
  f(named<peers::replay_window>{"rfc6479_window"});
  f(named<peers::received_ranges>{"quic_ranges"});
  f(named<peers::loss_list>{"srt_loss_list"});
  f(named<recoup_tracker<false>>{"gap_tracker"});
}
template <class F>
void for_each_asking_peer(F&& f) {
  f(named<peers::request_map>{"absl_btree_map_polled"});
  f(named<peers::nack_list>{"webrtc_nack_list"});
  f(named<recoup_tracker<true>>{"gap_tracker"});
}

// The patterns.

struct pattern {
  std::string_view name;
  std::vector<std::uint64_t> numbers;
  bool asks = false;
  std::vector<std::uint32_t> streams = {};  // of each number, where there are many
};

// All that take one stream, by spans too.
template <class F>
void for_each_peer_of(const pattern& p, F&& f) {
  if (p.asks) {
    for_each_asking_peer(f);
    f(named<recoup_tracker<true, true>>{"gap_tracker_span"});
  } else {
    for_each_peer(f);
    f(named<recoup_tracker<false, true>>{"gap_tracker_span"});
  }
}

constexpr std::uint64_t events = 1 << 20;

// Peers give up by number and gap_tracker by age, which is the same but for a few numbers: none of those may be missing
// at the end.
bool is_beside_edge(std::uint64_t number) {
  constexpr std::uint64_t edge = events - peers::window;
  return number + peers::window / 4 >= edge && number < edge + peers::window / 4;
}

// 0 to events - 1; each lost with this chance, and some come after `delay` more.
std::vector<std::uint64_t> with_losses(double chance, std::optional<std::uint64_t> delay) {
  std::mt19937_64 random(1);
  std::bernoulli_distribution is_lost(chance);
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> lost;
  std::size_t sent_again = 0;
  for (std::uint64_t n = 0; n < events; ++n) {
    (is_lost(random) && !is_beside_edge(n) ? lost : numbers).push_back(n);
    while (delay && sent_again < lost.size() && lost[sent_again] + *delay <= n) numbers.push_back(lost[sent_again++]);
  }
  return numbers;
}

// 1,000 of each 100,000 lost, the last of them shortly before the end; come together `delay` after the last of them.
std::vector<std::uint64_t> with_bursts(std::optional<std::uint64_t> delay) {
  constexpr std::uint64_t every = 100'000;
  constexpr std::uint64_t size = 1'000;
  constexpr std::uint64_t phase = (events - 3'000) % every;
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t n = 0; n < events; ++n) {
    if (n < phase || (n - phase) % every >= size) numbers.push_back(n);
    if (!delay || n < phase || (n - phase) % every != size + *delay) continue;
    for (std::uint64_t i = 0; i < size; ++i) numbers.push_back(n - size - *delay + i);
  }
  return numbers;
}

// Some come up to 64 places early, and those that they change places with late.
void reorder(std::vector<std::uint64_t>& numbers, double chance) {
  std::mt19937_64 random(2);
  std::bernoulli_distribution is_moved(chance);
  for (std::size_t i = 1; i + 64 < numbers.size(); ++i) {
    if (is_moved(random)) std::swap(numbers[i], numbers[i + 1 + random() % 63]);
  }
}

std::vector<std::uint64_t> with_reordering(double chance) {
  std::vector<std::uint64_t> numbers(events);
  std::iota(numbers.begin(), numbers.end(), 0);
  reorder(numbers, chance);
  return numbers;
}

// Each with this chance comes 1 to 64 places late.
std::vector<std::uint64_t> with_delays(double chance) {
  std::mt19937_64 random(6);
  std::bernoulli_distribution is_delayed(chance);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places;  // in halves, behind those that are in order
  for (std::uint64_t n = 0; n < events; ++n) {
    places.emplace_back(is_delayed(random) ? 2 * (n + 1 + random() % 64) + 1 : 2 * n, n);
  }
  std::sort(places.begin(), places.end());
  std::vector<std::uint64_t> numbers(places.size());
  std::transform(places.begin(), places.end(), numbers.begin(), [](const auto& place) { return place.second; });
  return numbers;
}

// Every other number, until 4,096 gaps are open, and then those in random order; but for half of the last ones.
std::vector<std::uint64_t> with_random_fills() {
  constexpr std::uint64_t gaps = 4'096;
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> lost(gaps);
  while (numbers.size() < events / 4) {
    for (std::uint64_t& n : lost) {
      n = numbers.size() + 2 * static_cast<std::uint64_t>(&n - lost.data());
    }
    for (const std::uint64_t n : lost) numbers.push_back(n + 1);
    std::shuffle(lost.begin(), lost.end(), random);
    numbers.insert(numbers.end(), lost.begin(), lost.end());
  }
  numbers.resize(numbers.size() - gaps / 2);
  return numbers;
}

// 1 % lost that come after 1,000 more, 1 % reordered, 1 % repeated.
std::vector<std::uint64_t> with_everything() {
  std::vector<std::uint64_t> once = with_losses(0.01, 1'000);
  reorder(once, 0.01);
  std::mt19937_64 random(4);
  std::bernoulli_distribution is_repeated(0.01);
  std::vector<std::uint64_t> numbers;
  for (const std::uint64_t n : once) {
    numbers.push_back(n);
    if (is_repeated(random)) {
      numbers.push_back(numbers[numbers.size() - 1 - random() % std::min<std::uint64_t>(numbers.size(), 20'000)]);
    }
  }
  return numbers;
}

std::vector<pattern> make_patterns() {
  return {{"in_order", with_reordering(0)},
          {"lost_1%", with_losses(0.01, {})},
          {"filled_1%", with_losses(0.01, 1'000)},
          {"delayed_5%", with_delays(0.05)},
          {"reordered_5%", with_reordering(0.05)},
          {"bursts_lost", with_bursts({})},
          {"bursts_filled", with_bursts(5'000)},
          {"random_fills", with_random_fills()},
          {"everything", with_everything()},
          {"asked_lost_1%", with_losses(0.01, {}), true},
          {"asked_filled_1%", with_losses(0.01, 1'000), true}};
}

// 64 streams in turns at random, each with its part of these numbers, of which some are lost.
pattern in_turns(std::string_view name, std::span<const std::uint64_t> numbers) {
  constexpr std::uint32_t streams = 64;
  constexpr std::uint64_t part = peers::window / 2;
  std::vector<std::vector<std::uint64_t>> parts(streams);
  for (const std::uint64_t n : numbers) {
    if (n < streams * part && n % 100 != 99) parts[n / part].push_back(n % part);
  }
  pattern p{name, {}};
  for (std::uint32_t stream = 0; stream < streams; ++stream) {
    p.streams.insert(p.streams.end(), parts[stream].size(), stream);
  }
  std::shuffle(p.streams.begin(), p.streams.end(), std::mt19937_64(7));
  std::vector<std::size_t> taken(streams);
  for (const std::uint32_t stream : p.streams) p.numbers.push_back(parts[stream][taken[stream]++]);
  return p;
}

// One stream.

template <class Peer>
seen observe(Peer& peer, std::uint64_t number, std::uint64_t now) {
  if constexpr (requires { peer.observe(number, now); }) {
    return peer.observe(number, now);
  } else {
    return peer.observe(number);
  }
}

template <class Peer>
void poll(Peer& peer, std::uint64_t now) {
  if constexpr (requires { peer.poll(now); }) {
    peer.poll(now);
  } else {
    peer.poll();
  }
}

constexpr std::size_t batch = 64;

// took(index, answer) for each number that is answered, and at the latest after the last.
template <class Peer, class Took>
void feed(Peer& peer, std::span<const std::uint64_t> numbers, std::uint64_t now, Took&& took) {
  if constexpr (requires { requires Peer::takes_spans; }) {
    peer.observe(numbers, now, took);
    benchmark::ClobberMemory();
  } else {
    for (std::size_t i = 0; i < numbers.size(); ++i) took(i, observe(peer, numbers[i], now + i));
  }
}

// All are polled each 64 events.
template <class Peer, class Took>
void replay(Peer& peer, std::span<const std::uint64_t> numbers, Took&& took) {
  for (std::size_t i = 0; i < numbers.size();) {
    const auto some = numbers.subspan(i, std::min(batch, numbers.size() - i));
    feed(peer, some, i, [&](std::size_t k, seen answer) { took(i + k, answer); });
    i += some.size();
    poll(peer, i);
  }
}

struct result {
  std::vector<seen> answers;  // none where only the totals are known
  totals counted{};
  std::uint64_t missing = 0;
  std::optional<std::uint64_t> asked;
};

// counted: by the peer itself where it does.
template <class Peer>
void finish(result& r, const Peer& peer) {
  if constexpr (requires { peer.counted(); }) {
    r.counted = peer.counted();
  } else {
    for (const seen answer : r.answers) ++total(r.counted, answer);
  }
  r.missing = peer.missing();
  if constexpr (requires { peer.asked(); }) r.asked = peer.asked();
}

template <class Peer>
result result_of(const pattern& p) {
  Peer peer;
  result r;
  r.answers.resize(p.numbers.size(), seen::in_order);
  replay(peer, p.numbers, [&](std::size_t i, seen answer) { r.answers[i] = answer; });
  finish(r, peer);
  return r;
}

// Whether the two agree; says so if they don't.
bool agree(const pattern& p, std::string_view name, const result& got, const result& expected) {
  constexpr std::array<const char*, 4> words{"in order", "opening a gap", "filling a gap", "duplicate or unknown"};
  const auto word = [&](seen s) { return words[static_cast<std::size_t>(s)]; };
  const auto [a, b] = std::mismatch(got.answers.begin(), got.answers.end(), expected.answers.begin());
  if (a != got.answers.end()) {
    const auto i = static_cast<std::size_t>(a - got.answers.begin());
    std::cerr << "Nothing was timed, as the peers disagree: in " << p.name << ", event " << i << " is number "
              << p.numbers[i] << ", which " << name << " calls " << word(*a) << " and the first peer " << word(*b)
              << ".\n";
    return false;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (got.counted[i] == expected.counted[i]) continue;
    std::cerr << "Nothing was timed, as the peers disagree: in " << p.name << " " << name << " counted "
              << got.counted[i] << " numbers as " << words[i] << " and the first peer " << expected.counted[i] << ".\n";
    return false;
  }
  if (got.missing != expected.missing) {
    std::cerr << "Nothing was timed, as the peers disagree: at the end of " << p.name << " " << name << " says that "
              << got.missing << " are missing and the first peer " << expected.missing << ".\n";
    return false;
  }
  if (got.asked && expected.asked && *got.asked != *expected.asked) {
    std::cerr << "Nothing was timed, as the peers disagree: in " << p.name << " " << name << " asked for numbers "
              << *got.asked << " times and the first peer " << *expected.asked << " times.\n";
    return false;
  }
  return true;
}

// check(name, result) of each peer, the first of which is what is expected.
class agreement {
 public:
  explicit agreement(const pattern& p) : pattern_(&p) {}

  void check(std::string_view name, const result& got) {
    if (!expected_) {
      expected_ = got;
      const totals& t = got.counted;
      std::fprintf(stderr, "%-16s %8zu in order %6zu open %6zu fill %6zu other %5zu missing at the end %6zu asked\n",
                   std::string(pattern_->name).c_str(), std::size_t{t[0]}, std::size_t{t[1]}, std::size_t{t[2]},
                   std::size_t{t[3]}, std::size_t{got.missing}, std::size_t{got.asked.value_or(0)});
    }
    holds_ = agree(*pattern_, name, got, *expected_) && holds_;
  }
  [[nodiscard]] bool holds() const { return holds_; }

 private:
  const pattern* pattern_;
  std::optional<result> expected_;
  bool holds_ = true;
};

bool all_agree(const pattern& p) {
  agreement all(p);
  for_each_peer_of(p, [&](auto peer) { all.check(peer.name, result_of<typename decltype(peer)::type>(p)); });
  return all.holds();
}

// The tables show what is under this name.
constexpr const char* each = "each";

void count_each(benchmark::State& state, std::uint64_t of_iteration) {
  state.counters[each] = benchmark::Counter(
      static_cast<double>(of_iteration), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// The peer is in memory between events, as it is where each event is a call from outside.
template <class Peer>
void one_stream(benchmark::State& state, const pattern& p) {
  for (auto _ : state) {
    Peer peer;
    benchmark::DoNotOptimize(&peer);
    std::uint64_t unexpected = 0;
    replay(peer, p.numbers, [&](std::size_t, seen answer) {
      unexpected += answer != seen::in_order;
      benchmark::ClobberMemory();
    });
    benchmark::DoNotOptimize(unexpected);
  }
  count_each(state, p.numbers.size());
}

// Many streams, numbered from 0. What a user writes who has a tracker for one: an array of them, or a table by key.

template <class Peer>
class in_array {
 public:
  explicit in_array(std::size_t streams) : peers_(streams) {}

  seen take(std::uint32_t stream, std::uint64_t number, std::uint64_t now) {
    return observe(peers_[stream], number, now);
  }
  void poll_all(std::uint64_t now) {
    for (Peer& peer : peers_) poll(peer, now);
  }
  [[nodiscard]] std::uint64_t missing() const {
    return std::accumulate(peers_.begin(), peers_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Peer& peer) { return sum + peer.missing(); });
  }

 private:
  std::vector<Peer> peers_;
};

constexpr std::uint64_t key_of(std::uint32_t stream) { return stream * std::uint64_t{0x9E37'79B9'7F4A'7C15}; }

template <class Peer>
class in_flat_hash_map {
 public:
  explicit in_flat_hash_map(std::size_t streams) { peers_.reserve(streams); }

  seen take(std::uint32_t stream, std::uint64_t number, std::uint64_t now) {
    return observe(peers_[key_of(stream)], number, now);
  }
  void poll_all(std::uint64_t now) {
    for (auto& [key, peer] : peers_) poll(peer, now);
  }
  [[nodiscard]] std::uint64_t missing() const {
    std::uint64_t sum = 0;
    for (const auto& [key, peer] : peers_) sum += peer.missing();
    return sum;
  }

 private:
  absl::flat_hash_map<std::uint64_t, Peer> peers_;
};

class in_keyed {
 public:
  explicit in_keyed(std::size_t streams)
      : trackers_({.capacity = streams}, recoup::gap_tracker(tracker_options(false))) {}

  seen take(std::uint32_t stream, std::uint64_t number, std::uint64_t now) {
    return meaning_of(trackers_.use(key_of(stream), at(now)).observe(number, at(now)).answer);
  }
  void poll_all(std::uint64_t now) {
    trackers_.for_each(
        [&](std::uint64_t, recoup::gap_tracker& t) { t.advance(at(now), [&](const auto&) { ++told_; }); });
  }
  [[nodiscard]] std::uint64_t missing() const {
    std::uint64_t sum = 0;
    trackers_.for_each([&](std::uint64_t, const recoup::gap_tracker& t) { sum += t.missing_count(); });
    return sum;
  }

 private:
  recoup::keyed<std::uint64_t, recoup::gap_tracker> trackers_;
  std::uint64_t told_ = 0;
};

// What recoup has for many.

struct by_index {
  using key = std::uint32_t;
  using trackers = recoup::dense_gap_trackers<key>;
  static recoup::dense_options table(std::size_t streams) { return {.capacity = streams}; }
  static key key_of(std::uint32_t stream) { return stream; }
};
struct by_key {
  using key = std::uint64_t;
  using trackers = recoup::gap_trackers<key>;
  static recoup::keyed_options table(std::size_t streams) { return {.capacity = streams}; }
  static key key_of(std::uint32_t stream) { return ::key_of(stream); }
};

template <class How>
class in_gap_trackers {
 public:
  explicit in_gap_trackers(std::size_t streams) : trackers_(tracker_options(false), How::table(streams)) {}

  seen take(std::uint32_t stream, std::uint64_t number, std::uint64_t now) {
    return meaning_of(trackers_.observe(How::key_of(stream), number, at(now), [&](const auto&) { ++told_; }));
  }
  void poll_all(std::uint64_t now) {
    trackers_.advance(at(now), [&](const auto&) { ++told_; });
  }
  [[nodiscard]] std::uint64_t missing() const { return trackers_.missing_count(); }
  [[nodiscard]] totals counted() const { return totals_of(trackers_); }
  [[nodiscard]] std::uint64_t told() const { return told_; }
  [[nodiscard]] const typename How::trackers& trackers() const { return trackers_; }

 private:
  typename How::trackers trackers_;
  std::uint64_t told_ = 0;
};

// By spans, which are put together while the clock runs. It doesn't tell what each number means.
template <class How>
class in_gap_trackers_by_span {
 public:
  static constexpr bool takes_spans = true;

  explicit in_gap_trackers_by_span(std::size_t streams) : trackers_(tracker_options(false), How::table(streams)) {}

  // At most a batch; number_of(index) for each.
  template <class NumberOf>
  void take(std::span<const std::uint32_t> streams, NumberOf&& number_of, std::uint64_t now) {
    for (std::size_t i = 0; i < streams.size(); ++i) events_[i] = {How::key_of(streams[i]), number_of(i)};
    trackers_.observe(std::span<const event>(events_).first(streams.size()), at(now), [&](const auto&) { ++told_; });
  }
  void poll_all(std::uint64_t now) {
    trackers_.advance(at(now), [&](const auto&) { ++told_; });
  }
  [[nodiscard]] std::uint64_t missing() const { return trackers_.missing_count(); }
  [[nodiscard]] totals counted() const { return totals_of(trackers_); }

 private:
  using event = recoup::numbered<typename How::key>;

  typename How::trackers trackers_;
  std::array<event, batch> events_{};
  std::uint64_t told_ = 0;
};

// took(index, answer) for each that is answered; number_of(index) is the number.
template <class Streams, class NumberOf, class Took>
void feed_streams(Streams& streams, std::span<const std::uint32_t> turns, NumberOf&& number_of, std::uint64_t now,
                  Took&& took) {
  if constexpr (requires { Streams::takes_spans; }) {
    streams.take(turns, number_of, now);
    benchmark::ClobberMemory();
  } else {
    for (std::size_t i = 0; i < turns.size(); ++i) took(i, streams.take(turns[i], number_of(i), now));
  }
}

// f(first index, turns) for each batch of them.
template <class F>
void for_each_batch(std::span<const std::uint32_t> turns, F&& f) {
  for (std::size_t i = 0; i < turns.size(); i += batch) f(i, turns.subspan(i, std::min(batch, turns.size() - i)));
}

template <class Streams>
result result_of_streams(const pattern& p) {
  const std::size_t count = std::size_t{1} + *std::max_element(p.streams.begin(), p.streams.end());
  Streams streams(count);
  result r;
  if constexpr (!requires { Streams::takes_spans; }) r.answers.resize(p.numbers.size());
  for_each_batch(p.streams, [&](std::size_t from, std::span<const std::uint32_t> turns) {
    const std::uint64_t now = from / count;
    feed_streams(
        streams, turns, [&](std::size_t i) { return p.numbers[from + i]; }, now,
        [&](std::size_t i, seen answer) { r.answers[from + i] = answer; });
    streams.poll_all(now);
  });
  finish(r, streams);
  return r;
}

bool all_streams_agree(const pattern& p) {
  agreement all(p);
  const auto check = [&](auto streams) {
    all.check(streams.name, result_of_streams<typename decltype(streams)::type>(p));
  };
  for_each_peer([&](auto peer) { check(named<in_array<typename decltype(peer)::type>>{peer.name}); });
  check(named<in_flat_hash_map<peers::missing_set<absl::btree_set<std::uint64_t>>>>{"absl_btree_set in a map"});
  check(named<in_keyed>{"gap_tracker in keyed"});
  check(named<in_gap_trackers<by_index>>{"gap_trackers by index"});
  check(named<in_gap_trackers<by_key>>{"gap_trackers by key"});
  check(named<in_gap_trackers_by_span<by_index>>{"gap_trackers by index and span"});
  check(named<in_gap_trackers_by_span<by_key>>{"gap_trackers by key and span"});
  return all.holds();
}

// All in order, one event of each in random order, and again.
template <class Streams>
void many_streams(benchmark::State& state, std::size_t count) {
  std::vector<std::uint32_t> turns(count);
  std::iota(turns.begin(), turns.end(), 0);
  std::shuffle(turns.begin(), turns.end(), std::mt19937_64(5));
  const std::size_t rounds = std::max<std::size_t>(1, events / count);
  Streams streams(count);
  benchmark::DoNotOptimize(&streams);
  std::uint64_t number = 0;
  std::uint64_t unexpected = 0;
  const auto run = [&] {
    for_each_batch(turns, [&](std::size_t, std::span<const std::uint32_t> some) {
      feed_streams(
          streams, some, [&](std::size_t) { return number; }, number,
          [&](std::size_t, seen answer) {
            unexpected += answer != seen::in_order;
            benchmark::ClobberMemory();
          });
    });
    ++number;
  };
  run();  // so that all are there
  for (auto _ : state) {
    for (std::size_t i = 0; i < rounds; ++i) run();
  }
  if constexpr (requires { streams.counted(); }) {
    totals counted = streams.counted();
    unexpected += number * count - total(counted, seen::in_order);
  }
  if (unexpected != 0) state.SkipWithError("Numbers in order were answered otherwise.");
  count_each(state, rounds * count);
}

// A poll of a million streams when nothing is due: what it costs each of them, or as a whole. Each has an open gap of
// which it has been told, or none has.
template <class Streams>
void idle_polls(benchmark::State& state, bool with_gaps, bool of_each) {
  constexpr std::uint32_t count = 1'000'000;
  Streams streams(count);
  benchmark::DoNotOptimize(&streams);
  for (std::uint32_t stream = 0; stream < count; ++stream) {
    streams.take(stream, 0, 0);
    streams.take(stream, with_gaps ? 2 : 1, 0);
  }
  streams.poll_all(0);
  for (auto _ : state) {
    streams.poll_all(1);
    benchmark::ClobberMemory();
  }
  const std::uint64_t gaps = with_gaps ? count : 0;
  if (streams.missing() != gaps) state.SkipWithError("What is missing has changed meanwhile.");
  if constexpr (requires { streams.told(); }) {
    if (streams.told() != gaps) state.SkipWithError("Each gap must have been told once.");
  }
  count_each(state, of_each ? count : 1);
}

// Jumps so far ahead at once (which a gap_tracker takes for real only within its max_jump); each tracker has had a gap
// before, so that what it made room for then is there.
template <class Peer>
void jumps(benchmark::State& state, std::uint64_t distance) {
  constexpr std::size_t trackers = 256;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<Peer> fresh(trackers);
    for (Peer& t : fresh) {
      for (const std::uint64_t number : std::array<std::uint64_t, 4>{0, 2, 1, 3}) observe(t, number, 0);
    }
    state.ResumeTiming();
    for (Peer& t : fresh) benchmark::DoNotOptimize(observe(t, 3 + distance, 1));
    state.PauseTiming();
    fresh.clear();
    state.ResumeTiming();
  }
  count_each(state, trackers);
}

// The bytes that it holds in the heap after 1,000 numbers in order, and `gaps` gaps of so many numbers.
template <class Peer>
std::size_t heap_bytes(std::uint64_t gaps, std::uint64_t size) {
  heap_count::start();
  Peer peer;
  std::uint64_t number = 0;
  std::uint64_t now = 0;
  for (; number < 1'000; ++number) observe(peer, number, now++);
  for (std::uint64_t i = 0; i < gaps; ++i) {
    number += size;
    observe(peer, number++, now++);
  }
  return heap_count::stop();
}

// Bytes by what takes them, as that becomes more.
class bytes_each {
 public:
  void put(std::size_t bytes, std::size_t of) {
    const double share = static_cast<double>(bytes) / static_cast<double>(of);
    most_ = std::max(most_, share);
    sum_ += share;
    ++count_;
  }
  void tell(benchmark::State& state, const std::string& what) const {
    state.counters[what + "_mean"] = sum_ / static_cast<double>(count_);
    state.counters[what + "_most"] = most_;
  }
  [[nodiscard]] double most() const { return most_; }

 private:
  double sum_ = 0;
  double most_ = 0;
  std::size_t count_ = 0;
};

template <class Peer>
constexpr bool is_gap_tracker = std::is_constructible_v<Peer, recoup::gap_tracker_options>;

template <class Peer>
Peer peer_that_gives_nothing_up() {
  if constexpr (is_gap_tracker<Peer>) {
    recoup::gap_tracker_options options = tracker_options(false);
    options.replay.give_up_after = recoup::duration::max();
    return Peer(options);
  } else {
    return Peer();
  }
}

// What a gap takes in the heap where 1 % is lost, with 2,000 to 8,000 gaps open. gap_tracker is told of each 64
// numbers; the others, which would give up what is below their window, are not. Nothing where a peer has given up
// without.
template <class Peer>
std::optional<bytes_each> heap_of_single_gaps() {
  constexpr std::size_t least = 2'000;
  constexpr std::size_t most = 8'000;
  const std::vector<std::uint64_t> numbers = with_losses(0.01, {});
  bytes_each gap;
  heap_count::start();
  Peer peer = peer_that_gives_nothing_up<Peer>();
  std::size_t gaps = 0;
  std::uint64_t next = 0;
  std::size_t received = 0;
  while (received + batch <= numbers.size() && gaps < most) {
    const auto some = std::span<const std::uint64_t>(numbers).subspan(received, batch);
    feed(peer, some, received, [&](std::size_t, seen answer) { gaps += answer == seen::opened; });
    received += batch;
    next = some.back() + 1;
    if constexpr (is_gap_tracker<Peer>) peer.poll(received);
    if (gaps >= least) gap.put(heap_count::held(), gaps);
  }
  heap_count::stop();
  return peer.missing() == next - received ? std::optional(gap) : std::nullopt;
}

template <class Peer>
void bytes(benchmark::State& state) {
  for (auto _ : state) {
  }
  state.counters["sizeof"] = sizeof(Peer);
  if constexpr (!requires { Peer::takes_from_malloc; }) {
    const auto count = [&](const char* what, std::size_t bytes) { state.counters[what] = static_cast<double>(bytes); };
    count("a_stream", sizeof(Peer) + heap_bytes<Peer>(0, 0));
    count("heap_in_order", heap_bytes<Peer>(0, 0));
    count("heap_1_gap", heap_bytes<Peer>(1, 1));
    count("heap_gap_of_1000", heap_bytes<Peer>(1, 1'000));
    count("heap_1000_gaps", heap_bytes<Peer>(1'000, 1));
    if (const auto gap = heap_of_single_gaps<Peer>()) gap->tell(state, "single_gap");
  }
  if constexpr (is_gap_tracker<Peer>) {
    constexpr double enough = 200;
    bytes_each gap;
    for (std::uint64_t gaps = 1; gaps <= 1'000; ++gaps) gap.put(heap_bytes<Peer>(gaps, 1'000), gaps);
    gap.tell(state, "gap_of_1000");
    if (gap.most() > enough) state.SkipWithError("A gap of 1,000 numbers takes more than 200 bytes.");
  }
}

// Of a million streams: what each takes, and what its first gap takes where 4,096 to 16,384 of them have one.
template <class Streams>
void bytes_of_streams(benchmark::State& state) {
  for (auto _ : state) {
  }
  constexpr std::uint32_t count = 1'000'000;
  heap_count::start();
  Streams streams(count);
  for (std::uint64_t number = 0; number < 2; ++number) {
    for (std::uint32_t stream = 0; stream < count; ++stream) streams.take(stream, number, 0);
  }
  const std::size_t without_gaps = heap_count::held();
  if constexpr (requires { streams.trackers(); }) {
    constexpr std::uint32_t least = 4'096;
    constexpr std::uint32_t most = 16'384;
    const std::size_t stated = streams.trackers().bytes();
    bytes_each gap;
    for (std::uint32_t gaps = 1; gaps <= most; ++gaps) {
      streams.take(gaps - 1, 1'002, 0);
      if (gaps >= least) gap.put(heap_count::held() - without_gaps, gaps);
    }
    const auto taken = static_cast<double>(heap_count::stop() + sizeof(streams.trackers()));
    gap.tell(state, "first_gap");
    state.counters["a_stream_stated"] = static_cast<double>(stated) / count;
    if (std::abs(static_cast<double>(streams.trackers().bytes()) - taken) > taken / 100) {
      state.SkipWithError("The bytes taken are not those that are stated.");
    }
  }
  heap_count::stop();
  state.counters["a_stream"] = static_cast<double>(without_gaps) / count;
}

// All benchmarks.

template <class Run>
benchmark::internal::Benchmark* add(std::string_view what, std::string_view peer, Run run) {
  const std::string name = std::string(what) + "/" + std::string(peer);
  return benchmark::RegisterBenchmark(name.c_str(), std::move(run))->Unit(benchmark::kMillisecond);
}

void add_patterns(const std::vector<pattern>& patterns) {
  for (const pattern& p : patterns) {
    const auto add_peer = [&](auto peer) {
      add(p.name, peer.name, [&p](benchmark::State& s) { one_stream<typename decltype(peer)::type>(s, p); });
    };
    if (!p.asks) add_peer(named<floor_in_memory>{"floor"});
    for_each_peer_of(p, add_peer);
  }
}

void add_streams(std::size_t count, const std::string& suffix) {
  const auto add_dense = [&](auto streams) {
    add("dense_" + suffix, streams.name,
        [=](benchmark::State& s) { many_streams<typename decltype(streams)::type>(s, count); });
  };
  const auto add_array = [&](auto peer) {
    using tracker = typename decltype(peer)::type;
    constexpr std::size_t most_bytes = std::size_t{1} << 30;  // a million of rfc6479_window would take 2 GB
    if (count * sizeof(tracker) <= most_bytes) add_dense(named<in_array<tracker>>{peer.name});
  };
  add_array(named<floor_in_memory>{"floor"});
  for_each_peer(add_array);
  add_dense(named<in_gap_trackers<by_index>>{"gap_trackers"});
  add_dense(named<in_gap_trackers_by_span<by_index>>{"gap_trackers_span"});

  const auto add_keyed = [&](auto streams) {
    add("keyed_" + suffix, streams.name,
        [=](benchmark::State& s) { many_streams<typename decltype(streams)::type>(s, count); });
  };
  add_keyed(named<in_flat_hash_map<floor_in_memory>>{"floor"});
  add_keyed(named<in_flat_hash_map<peers::missing_set<absl::btree_set<std::uint64_t>>>>{"absl_btree_set"});
  add_keyed(named<in_keyed>{"gap_tracker"});
  add_keyed(named<in_gap_trackers<by_key>>{"gap_trackers"});
  add_keyed(named<in_gap_trackers_by_span<by_key>>{"gap_trackers_span"});
}

void add_others() {
  using btree_set = peers::missing_set<absl::btree_set<std::uint64_t>>;
  const auto add_idle = [](auto streams) {
    using type = typename decltype(streams)::type;
    add("idle_1M", streams.name, [](benchmark::State& s) { idle_polls<type>(s, false, true); });
    add("idle_1M_gaps", streams.name, [](benchmark::State& s) { idle_polls<type>(s, true, true); });
    add("poll_of_1M", streams.name, [](benchmark::State& s) { idle_polls<type>(s, false, false); });
    add("poll_of_1M_gaps", streams.name, [](benchmark::State& s) { idle_polls<type>(s, true, false); });
  };
  add_idle(named<in_array<btree_set>>{"absl_btree_set"});
  add_idle(named<in_array<recoup_tracker<false>>>{"gap_tracker"});
  add_idle(named<in_gap_trackers<by_index>>{"gap_trackers"});
  add_idle(named<in_gap_trackers<by_key>>{"gap_trackers_keyed"});

  for_each_peer([](auto peer) {
    using tracker = typename decltype(peer)::type;
    constexpr int iterations = 20;  // as making the trackers takes longer than the jumps
    add("jump_1M", peer.name, [](benchmark::State& s) { jumps<tracker>(s, 1'000'000); })->Iterations(iterations);
    add("jump_2^63", peer.name, [](benchmark::State& s) {
      jumps<tracker>(s, std::uint64_t{1} << 63);
    })->Iterations(iterations);
  });
  const auto add_bytes = [](auto peer) {
    add("bytes", peer.name, bytes<typename decltype(peer)::type>)->Iterations(1);
  };
  for_each_peer(add_bytes);
  add_bytes(named<recoup_tracker<false, true>>{"gap_tracker_span"});
  const auto add_bytes_of_streams = [](auto streams) {
    add("bytes", streams.name, bytes_of_streams<typename decltype(streams)::type>)->Iterations(1);
  };
  add_bytes_of_streams(named<in_flat_hash_map<btree_set>>{"absl_btree_set_keyed"});
  add_bytes_of_streams(named<in_keyed>{"gap_tracker_keyed"});
  add_bytes_of_streams(named<in_gap_trackers<by_index>>{"gap_trackers"});
  add_bytes_of_streams(named<in_gap_trackers<by_key>>{"gap_trackers_keyed"});
}

// The console's report, and then tables of peers by patterns: nanoseconds each, and bytes.
class table_reporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      const std::string& name = run.run_name.function_name;
      const std::size_t slash = name.find('/');
      if (run.run_type != Run::RT_Iteration || slash == std::string::npos) continue;
      const std::string peer = name.substr(slash + 1);
      for (const auto& [label, counter] : run.counters) {
        if (label == each) {
          nanoseconds_.put(peer, name.substr(0, slash), counter.value * 1e9);
        } else {
          bytes_.put(peer, label, counter.value);
        }
      }
    }
  }

  void Finalize() override {
    nanoseconds_.print("ns each", 1);
    bytes_.print("bytes", 0);
  }

 private:
  class table {
   public:
    void put(const std::string& row, const std::string& column, double value) {
      add_once(rows_, row);
      add_once(columns_, column);
      const auto [cell, is_new] = cells_.try_emplace({row, column}, value);
      if (!is_new) cell->second = std::min(cell->second, value);
    }

    // In parts, none wider than 8 columns, of which the rows are those that have something there.
    void print(const char* title, int decimals) const {
      constexpr std::size_t most = 8;
      for (std::size_t from = 0; from < columns_.size(); from += most) {
        const std::span<const std::string> some =
            std::span(columns_).subspan(from).first(std::min(most, columns_.size() - from));
        std::printf("\n%-22s", title);
        for (const std::string& column : some) std::printf(" %*s", width(column), column.c_str());
        std::printf("\n");
        for (const std::string& row : rows_) {
          const auto has = [&](const std::string& column) { return cells_.contains({row, column}); };
          if (std::none_of(some.begin(), some.end(), has)) continue;
          std::printf("%-22s", row.c_str());
          for (const std::string& column : some) {
            if (has(column)) {
              std::printf(" %*.*f", width(column), decimals, cells_.at({row, column}));
            } else {
              std::printf(" %*s", width(column), "-");
            }
          }
          std::printf("\n");
        }
      }
    }

   private:
    static int width(const std::string& column) { return std::max(8, static_cast<int>(column.size())); }
    static void add_once(std::vector<std::string>& names, const std::string& name) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }

    std::vector<std::string> rows_;
    std::vector<std::string> columns_;
    std::map<std::pair<std::string, std::string>, double> cells_;
  };

  table nanoseconds_;
  table bytes_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  const auto is = [&](std::string_view start) {
    return std::any_of(arguments.begin(), arguments.end(),
                       [&](const char* a) { return std::string_view(a).starts_with(start); });
  };
  const bool lists = is("--benchmark_list_tests");
  const bool has_format = is("--benchmark_format");  // which goes before our tables
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;

  const std::vector<pattern> patterns = make_patterns();
  if (!lists && !std::all_of(patterns.begin(), patterns.end(), all_agree)) return EXIT_FAILURE;
  if (!lists && !all_streams_agree(in_turns("many_streams", with_everything()))) return EXIT_FAILURE;
  add_patterns(patterns);
  add_streams(1'024, "1024");
  add_streams(1'000'000, "1M");
  add_others();

  if (lists || has_format) {
    benchmark::RunSpecifiedBenchmarks();
  } else {
    table_reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
  }
  benchmark::Shutdown();
  return EXIT_SUCCESS;
}
