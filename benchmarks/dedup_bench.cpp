// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
//
// What does it cost to recognise a duplicate? The windows of dedup/ beside what people write by hand (peers/dedup_*):
// a set and a queue of its keys, a map of times, two Bloom filters in turns. 5 % of the events repeat one of the last W
// new keys, and which ones is known: before a window is timed it has been filled with 3W/2 events, and each answer was
// compared. Exact windows must find these duplicates and no others. Of approximate ones the false duplicates must not
// be more than at the rate that they state, nor may more be missed: a new key that is taken for another is not
// remembered.
//
// Benchmarks are named keys_W/window, W being 2^16, 2^20 or 2^24: --benchmark_filter=ids_1M/ compares the windows of
// 2^20 keys. `each` is the processor's time of an event, and bytes_a_key the heap divided by W; what `nothing` has is
// the reading of keys. X_span takes 512 events a call. duplicates, false_duplicates and missed are of the timed events.
//
// fingerprint_window_huge_pages has its table in pages of 2 MiB; bloom_before_exact_window asks an exact window only
// for what a filter in front of it knows.
//
// operations_W times each operation alone by the wall's clock, from the empty window to 4W keys. Of 3 runs it takes the
// least time of the same operation, so that what stays is the window's doing and not the machine's; what `nothing` has
// is the clock.
//
// snapshots_W/whole takes a snapshot of a full window at once; /pieces takes it 4,096 lines at a time with 512 events
// in between: `longest_ms` is how long the events have to wait, and `pieces` how many there are.
//
// For what more than the baseline of x86-64 would bring: cmake --preset bench -B build/native
// -DCMAKE_CXX_FLAGS=-march=native

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <recoup/core/snapshot.hpp>
#include <recoup/dedup/bloom_window.hpp>
#include <recoup/dedup/compact_window.hpp>
#include <recoup/dedup/exact_window.hpp>
#include <recoup/dedup/fingerprint_window.hpp>
#include <recoup/dedup/integer_window.hpp>
#include <recoup/dedup/pieces.hpp>
#include <recoup/dedup/sequence_window.hpp>
#include <recoup/dedup/window.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "peers/dedup_bloom.hpp"
#include "peers/dedup_sets.hpp"
#include "peers/huge_pages.hpp"
#include "peers/tiered.hpp"
#ifdef RECOUP_BENCH_UNORDERED_FLAT
#include <boost/unordered/unordered_flat_set.hpp>
#endif
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace {

// Bytes that malloc has given and not got back, with its own; nothing where it doesn't tell.
std::optional<std::size_t> heap_bytes() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
#else
  return std::nullopt;
#endif
}

// The keys: the n-th new one, all of them different.

std::uint64_t mixed(std::uint64_t n) {  // SplitMix64, which gives each number once
  n *= 0x9E37'79B9'7F4A'7C15;
  n = (n ^ (n >> 30)) * 0xBF58'476D'1CE4'E5B9;
  n = (n ^ (n >> 27)) * 0x94D0'49BB'1331'11EB;
  return n ^ (n >> 31);
}

struct random_ids {
  using type = std::uint64_t;
  static constexpr std::string_view name = "ids";
  static void put(std::uint64_t& key, std::uint64_t n) { key = mixed(n); }
};
struct numbers {
  using type = std::uint64_t;
  static constexpr std::string_view name = "numbers";
  static void put(std::uint64_t& key, std::uint64_t n) { key = n; }
};
struct uuids {
  using type = std::string;
  static constexpr std::string_view name = "uuids";
  static void put(std::string& key, std::uint64_t n) {
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr std::string_view form = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    key = form;
    std::uint64_t bits = mixed(n);
    unsigned used = 0;
    for (char& c : key) {
      if (c != 'x' && c != 'y') continue;
      if (used++ == 16) bits = mixed(~n);
      c = c == 'y' ? digits[8 + bits % 4] : digits[bits % 16];
      bits /= 16;
    }
  }
};

// One event in 20 repeats one of the last `window` new keys, each of them equally often.
template <class Keys>
class traffic {
 public:
  explicit traffic(std::size_t window) : window_(window) {}

  void put(std::span<typename Keys::type> keys, std::span<char> repeats) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::uint64_t bits = random_();
      repeats[i] = fresh_ > 0 && (bits >> 32) % 20 == 0;
      const std::uint64_t back = repeats[i] ? 1 + (bits & 0xFFFF'FFFF) % std::min<std::uint64_t>(window_, fresh_) : 0;
      Keys::put(keys[i], fresh_ - back);
      fresh_ += !repeats[i];
    }
  }
  [[nodiscard]] std::uint64_t fresh() const { return fresh_; }

 private:
  std::size_t window_;
  std::mt19937_64 random_{1};
  std::uint64_t fresh_ = 0;
};

// The windows. A peer is made of its size; takes_spans is `observe(keys, now, took)` instead of is_duplicate(key, now).

struct nothing {
  explicit nothing(std::size_t /*window*/) {}
  template <class Key>
  bool is_duplicate(const Key& key, std::uint64_t /*now*/) {
    benchmark::DoNotOptimize(&key);
    return false;
  }
};

template <class Peer, bool Reserves = true>
struct by_hand : Peer {
  explicit by_hand(std::size_t window) : Peer(window, Reserves) {}
};

// Duplicates are as many new keys old as W, and that is 1 % less than so many events at least.
template <class Map>
struct by_age : peers::times_and_deque<Map> {
  explicit by_age(std::size_t window) : peers::times_and_deque<Map>(window + window / 15, true) {}
};

recoup::timestamp at(std::uint64_t nanoseconds) { return recoup::timestamp(recoup::duration(nanoseconds)); }

template <class Window, auto OptionsFor>
class of_recoup {
 public:
  explicit of_recoup(std::size_t window) : options_(OptionsFor(window)), window_(options_) {}

  template <class Key>
  bool is_duplicate(const Key& key, std::uint64_t now) {
    return window_.observe(key, at(now)).is_duplicate;
  }
  [[nodiscard]] std::size_t stated_bytes() const { return Window::bytes_for(options_); }
  [[nodiscard]] double false_positive_rate() const {
    if constexpr (requires { Window::false_positive_rate_for(options_); }) {
      return Window::false_positive_rate_for(options_);
    } else {
      return 0;
    }
  }

 protected:
  Window& window() { return window_; }

 private:
  std::remove_cvref_t<decltype(OptionsFor(0))> options_;
  Window window_;
};

template <class Window, auto OptionsFor>
class of_recoup_by_span : public of_recoup<Window, OptionsFor> {
 public:
  static constexpr bool takes_spans = true;

  using of_recoup<Window, OptionsFor>::of_recoup;

  template <class Key, class Took>
  void observe(std::span<const Key> keys, std::uint64_t now, Took&& took) {
    recoup::observe_ahead(this->window(), keys, at(now),
                          [&](std::size_t i, const auto& j) { took(i, j.is_duplicate); });
  }
};

// Without stated_bytes: what malloc takes is in whole huge pages.
template <class Window, auto OptionsFor, template <class, auto> class Observed>
class in_huge_pages : public Observed<Window, OptionsFor> {
 public:
  using Observed<Window, OptionsFor>::Observed;
  void stated_bytes() const = delete;
};

// What is measured.

// How often something may be seen that has this chance in each of the events: five standard deviations above the mean,
// and never where a million runs would not show one.
double most_of(double rate, std::uint64_t events) {
  const double mean = rate * static_cast<double>(events);
  return mean > 1e-6 ? mean + 5 * std::sqrt(mean) + 1 : 0;
}

template <class Window>
double rate_of(const Window& window) {
  if constexpr (requires { window.false_positive_rate(); }) {
    return window.false_positive_rate();
  } else {
    return 0;
  }
}

struct answers {
  std::uint64_t fresh = 0;
  std::uint64_t repeats = 0;
  std::uint64_t false_duplicates = 0;
  std::uint64_t missed = 0;

  void put(bool repeats_one, bool is_duplicate) {
    ++(repeats_one ? repeats : fresh);
    false_duplicates += !repeats_one && is_duplicate;
    missed += repeats_one && !is_duplicate;
  }
  [[nodiscard]] bool holds(double rate) const {
    return static_cast<double>(false_duplicates) <= most_of(rate, fresh) &&
           static_cast<double>(missed) <= most_of(rate, repeats);
  }
};

// took(index, whether it is a duplicate) for each.
template <class Window, class Key, class Took>
void feed(Window& window, std::span<const Key> keys, std::uint64_t now, Took&& took) {
  if constexpr (requires { Window::takes_spans; }) {
    constexpr std::size_t longest = 512;
    for (std::size_t i = 0; i < keys.size(); i += longest) {
      window.observe(keys.subspan(i, std::min(longest, keys.size() - i)), now + i,
                     [&](std::size_t k, bool is_duplicate) { took(i + k, is_duplicate); });
    }
  } else {
    for (std::size_t i = 0; i < keys.size(); ++i) took(i, window.is_duplicate(keys[i], now + i));
  }
}

using clock = std::chrono::steady_clock;

bool all_hold = true;

void fails(benchmark::State& state, const char* sentence) {
  all_hold = false;
  state.SkipWithError(sentence);
}

void count(benchmark::State& state, const char* what, double value) { state.counters[what] = value; }

constexpr std::size_t batch = 1 << 14;

// A window and its traffic, in batches that are made while the clock stands.
template <class Keys, class Window>
class session {
 public:
  explicit session(std::size_t size)
      : traffic_(size),
        keys_(keys_with_room()),
        repeats_(batch),
        found_(batch),
        heap_before_(heap_bytes()),
        window_(std::make_unique<Window>(size)) {}

  // Seconds of the processor, as others may run on it too.
  double feed_batch() {
    traffic_.put(keys_, repeats_);
    const std::clock_t begin = std::clock();
    feed(*window_, std::span<const key>(keys_), now_,
         [&](std::size_t i, bool is_duplicate) { found_[i] = is_duplicate; });
    const std::clock_t taken = std::clock() - begin;
    for (std::size_t i = 0; i < batch; ++i) answers_.put(repeats_[i], found_[i]);
    now_ += batch;
    return static_cast<double>(taken) / CLOCKS_PER_SEC;
  }
  // took(time) of each operation of a batch, by the wall's clock.
  template <class Took>
  void feed_batch(Took&& took) {
    traffic_.put(keys_, repeats_);
    for (const key& k : keys_) {
      const clock::time_point begin = clock::now();
      bool is_duplicate = window_->is_duplicate(k, now_++);
      benchmark::DoNotOptimize(is_duplicate);
      took(clock::now() - begin);
    }
  }

  [[nodiscard]] const Window& window() const { return *window_; }
  [[nodiscard]] const answers& answered() const { return answers_; }
  void clear_answers() { answers_ = {}; }
  // Of the window.
  [[nodiscard]] std::optional<std::size_t> bytes() const {
    const std::optional<std::size_t> now = heap_bytes();
    return now && heap_before_ ? std::optional(*now - *heap_before_) : std::nullopt;
  }

 private:
  using key = typename Keys::type;

  static std::vector<key> keys_with_room() {
    std::vector<key> keys(batch);
    for (key& k : keys) Keys::put(k, 0);
    return keys;
  }

  traffic<Keys> traffic_;
  std::vector<key> keys_;
  std::vector<char> repeats_;
  std::vector<char> found_;
  std::optional<std::size_t> heap_before_;
  std::unique_ptr<Window> window_;
  answers answers_;
  std::uint64_t now_ = 0;
};

template <class Keys, class Window>
void events(benchmark::State& state, std::size_t size) {
  session<Keys, Window> s(size);
  const std::optional<std::size_t> bytes_when_empty = s.bytes();
  for (std::size_t fed = 0; fed < size + size / 2; fed += batch) s.feed_batch();
  const std::optional<std::size_t> bytes = s.bytes();
  constexpr bool is_checked = !std::is_same_v<Window, nothing>;
  const double rate = rate_of(s.window());
  if (is_checked && !s.answered().holds(rate)) {
    fails(state, "Not timed, as its answers are wrong.");
  }
  if constexpr (requires { s.window().stated_bytes(); }) {
    constexpr std::size_t of_malloc = 1 << 14;  // a page for each of a few blocks
    const std::size_t stated = s.window().stated_bytes();
    if (bytes != bytes_when_empty) fails(state, "It has taken memory after construction.");
    if (bytes && (*bytes < stated || *bytes > stated + stated / 100 + of_malloc)) {
      fails(state, "The bytes taken are not those that are stated.");
    }
  }

  s.clear_answers();
  for (auto _ : state) state.SetIterationTime(s.feed_batch());
  if (is_checked && !s.answered().holds(rate)) fails(state, "Its answers were wrong when it was timed.");

  state.counters["each"] = benchmark::Counter(
      static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  if constexpr (is_checked) {
    if (bytes) count(state, "bytes_a_key", static_cast<double>(*bytes) / static_cast<double>(size));
    count(state, "duplicates", static_cast<double>(s.answered().repeats - s.answered().missed));
    count(state, "false_duplicates", static_cast<double>(s.answered().false_duplicates));
    count(state, "missed", static_cast<double>(s.answered().missed));
  }
}

// Nanoseconds of single operations, with the clock's own.
template <class Keys, class Window>
void operations(benchmark::State& state, std::size_t size) {
  std::vector<std::uint32_t> least(4 * size, std::numeric_limits<std::uint32_t>::max());
  double construction = std::numeric_limits<double>::max();
  for (auto _ : state) {
    constexpr int runs = 3;
    for (int i = 0; i < runs; ++i) {
      const clock::time_point begin = clock::now();
      session<Keys, Window> s(size);
      construction = std::min(construction, std::chrono::duration<double, std::milli>(clock::now() - begin).count());
      for (auto at = least.begin(); at != least.end();) {
        s.feed_batch([&](std::chrono::nanoseconds taken) {
          *at = static_cast<std::uint32_t>(std::min<std::int64_t>(*at, taken.count()));
          ++at;
        });
      }
    }
  }
  std::sort(least.begin(), least.end());
  const auto quantile = [&](double share) {
    return static_cast<double>(least[static_cast<std::size_t>(share * static_cast<double>(least.size() - 1))]);
  };
  count(state, "p50_ns", quantile(0.5));
  count(state, "p99_ns", quantile(0.99));
  count(state, "p99.99_ns", quantile(0.9999));
  count(state, "max_ns", quantile(1));
  count(state, "construction_ms", construction);
}

template <class Window>
void snapshots(benchmark::State& state, std::size_t size, bool in_pieces) {
  Window window(recoup::window_options{.events = size});
  std::uint64_t n = 0;
  const auto feed = [&](std::size_t events) {
    for (; events > 0; --events, ++n) window.observe(mixed(n), at(n));
  };
  feed(size + size / 2);
  double longest = 0;
  double all = 0;
  std::size_t pieces = 0;
  for (auto _ : state) {
    recoup::snapshot_in_pieces snapshot(window);
    for (bool is_last = false; !is_last;) {
      if (in_pieces) feed(512);
      const clock::time_point begin = clock::now();
      if (in_pieces) {
        const auto piece = snapshot.next(4'096);
        is_last = piece.is_last;
        benchmark::DoNotOptimize(piece.bytes.data());
      } else {
        const auto bytes = recoup::snapshot(window);
        is_last = true;
        benchmark::DoNotOptimize(bytes.data());
      }
      const double taken = std::chrono::duration<double, std::milli>(clock::now() - begin).count();
      longest = std::max(longest, taken);
      all += taken;
      ++pieces;
    }
  }
  count(state, "longest_ms", longest);
  count(state, "all_ms", all / static_cast<double>(state.iterations()));
  count(state, "pieces", static_cast<double>(pieces) / static_cast<double>(state.iterations()));
}

// All benchmarks.

template <class Window>
struct named {
  using type = Window;
  std::string_view name;
};

using ids_window = recoup::exact_window<std::uint64_t>;
using integers = recoup::integer_window<>;
using fingerprints = recoup::fingerprint_window<>;
using huge_fingerprints = recoup::fingerprint_window<64, peers::huge_pages<recoup::detail::cache_line>>;
using wide_fingerprints = recoup::fingerprint_window<128>;

recoup::window_options of_events(std::size_t window) { return {.events = window}; }
recoup::sequence_window_options sequence_options(std::size_t window) { return {.events = window}; }
recoup::bloom_window_options bloom_options(std::size_t window) { return {.events = window}; }
recoup::bloom_window_options rare_bloom_options(std::size_t window) {
  return {.events = window, .false_positive_rate = 1e-5};
}
recoup::exact_window_options exact_options(std::size_t window) { return {.events = window}; }
recoup::exact_window_options exact_uuid_options(std::size_t window) { return {.events = window, .key_bytes = 36}; }

// f(named window) of each window that recoup has for these keys, by single events and by spans.
template <class Window, auto OptionsFor, class F>
void both(std::string_view name, std::string_view name_of_spans, F&& f) {
  f(named<of_recoup<Window, OptionsFor>>{name});
  f(named<of_recoup_by_span<Window, OptionsFor>>{name_of_spans});
}

template <class F>
void for_each_hashed(F&& f) {
  both<fingerprints, of_events>("fingerprint_window", "fingerprint_window_span", f);
  both<wide_fingerprints, of_events>("fingerprint_window_128", "fingerprint_window_128_span", f);
  both<recoup::compact_window<32>, of_events>("compact_window_32", "compact_window_32_span", f);
  both<recoup::compact_window<24>, of_events>("compact_window_24", "compact_window_24_span", f);
  both<recoup::compact_window<16>, of_events>("compact_window_16", "compact_window_16_span", f);
  both<recoup::bloom_window, bloom_options>("bloom_window", "bloom_window_span", f);
  both<recoup::bloom_window, rare_bloom_options>("bloom_window_1e-5", "bloom_window_1e-5_span", f);
}

using absl_set = absl::flat_hash_set<std::uint64_t>;
using std_set = std::unordered_set<std::uint64_t>;
#ifdef RECOUP_BENCH_UNORDERED_FLAT
using boost_set = boost::unordered_flat_set<std::uint64_t>;
#endif

template <class F>
void for_each_of_ids(F&& f) {
  f(named<nothing>{"nothing"});
  f(named<by_hand<peers::set_and_deque<std_set>>>{"std_unordered_set_and_deque"});
  f(named<by_hand<peers::set_and_ring<absl_set>>>{"absl_flat_hash_set_and_ring"});
#ifdef RECOUP_BENCH_UNORDERED_FLAT
  f(named<by_hand<peers::set_and_ring<boost_set>>>{"boost_unordered_flat_set_and_ring"});
#endif
  f(named<by_age<absl::flat_hash_map<std::uint64_t, std::uint64_t>>>{"absl_flat_hash_map_of_times"});
  f(named<peers::two_generations<peers::split_block_filter>>{"two_split_block_filters"});
#ifdef RECOUP_BENCH_LIBBLOOM
  f(named<peers::two_generations<peers::libbloom_filter>>{"two_libbloom_filters"});
#endif
  both<ids_window, exact_options>("exact_window", "exact_window_span", f);
  f(named<peers::filter_and_exact<ids_window>>{"bloom_before_exact_window"});
  both<integers, of_events>("integer_window", "integer_window_span", f);
  f(named<in_huge_pages<huge_fingerprints, of_events, of_recoup>>{"fingerprint_window_huge_pages"});
  f(named<in_huge_pages<huge_fingerprints, of_events, of_recoup_by_span>>{"fingerprint_window_huge_pages_span"});
  for_each_hashed(f);
}

template <class F>
void for_each_of_uuids(F&& f) {
  f(named<nothing>{"nothing"});
  f(named<by_hand<peers::set_and_deque<std::set<std::string>>>>{"std_set_and_deque"});
  f(named<by_hand<peers::set_and_deque<absl::flat_hash_set<std::string>>>>{"absl_flat_hash_set_and_deque"});
  both<recoup::exact_window<>, exact_uuid_options>("exact_window", "exact_window_span", f);
  for_each_hashed(f);
}

template <class F>
void for_each_of_numbers(F&& f) {
  f(named<nothing>{"nothing"});
  f(named<by_hand<peers::set_and_ring<absl_set>>>{"absl_flat_hash_set_and_ring"});
  both<fingerprints, of_events>("fingerprint_window", "fingerprint_window_span", f);
  both<recoup::sequence_window, sequence_options>("sequence_window", "sequence_window_span", f);
}

// Without room reserved, as most are written, and with it.
template <class F>
void for_each_of_operations(F&& f) {
  f(named<nothing>{"nothing"});
  f(named<by_hand<peers::set_and_deque<std_set>, false>>{"std_unordered_set_and_deque"});
  f(named<by_hand<peers::set_and_ring<absl_set>, false>>{"absl_flat_hash_set_and_ring"});
  f(named<by_hand<peers::set_and_ring<absl_set>>>{"absl_flat_hash_set_and_ring_reserved"});
#ifdef RECOUP_BENCH_UNORDERED_FLAT
  f(named<by_hand<peers::set_and_ring<boost_set>, false>>{"boost_unordered_flat_set_and_ring"});
#endif
  f(named<peers::two_generations<peers::split_block_filter>>{"two_split_block_filters"});
  f(named<of_recoup<ids_window, exact_options>>{"exact_window"});
  f(named<of_recoup<fingerprints, of_events>>{"fingerprint_window"});
  f(named<of_recoup<recoup::compact_window<24>, of_events>>{"compact_window_24"});
  f(named<of_recoup<recoup::bloom_window, bloom_options>>{"bloom_window"});
}

struct window_size {
  std::size_t keys;
  std::string_view name;
};
constexpr std::array<window_size, 3> sizes{{{1 << 16, "64K"}, {1 << 20, "1M"}, {1 << 24, "16M"}}};
constexpr window_size middle = sizes[1];

std::string name_of(std::string_view what, window_size size, std::string_view window) {
  return std::string(what).append("_").append(size.name).append("/").append(window);
}

template <class Keys, class ForEach>
void add_events(window_size size, std::int64_t batches, ForEach&& for_each) {
  for_each([&](auto window) {
    using type = typename decltype(window)::type;
    const std::string name = name_of(Keys::name, size, window.name);
    benchmark::RegisterBenchmark(name.c_str(), [keys = size.keys](benchmark::State& s) { events<Keys, type>(s, keys); })
        ->Iterations(batches)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  });
}

void add_operations(window_size size) {
  for_each_of_operations([&](auto window) {
    using type = typename decltype(window)::type;
    const std::string name = name_of("operations", size, window.name);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [keys = size.keys](benchmark::State& s) { operations<random_ids, type>(s, keys); })
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  });
}

template <class Window>
void add_snapshots(window_size size, std::string_view window) {
  for (const bool in_pieces : {false, true}) {
    const std::string name = name_of("snapshots", size, window) + (in_pieces ? "/pieces" : "/whole");
    benchmark::RegisterBenchmark(
        name.c_str(), [keys = size.keys, in_pieces](benchmark::State& s) { snapshots<Window>(s, keys, in_pieces); })
        ->Iterations(3)
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  for (const window_size size : sizes) {
    add_events<random_ids>(size, 256, [](auto f) { for_each_of_ids(f); });
  }
  add_events<uuids>(middle, 128, [](auto f) { for_each_of_uuids(f); });
  add_events<numbers>(middle, 256, [](auto f) { for_each_of_numbers(f); });
  add_operations(middle);
  add_snapshots<fingerprints>(sizes.back(), "fingerprint_window");
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return all_hold ? EXIT_SUCCESS : EXIT_FAILURE;
}
