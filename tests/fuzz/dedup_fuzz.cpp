// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0

// Any bytes are a window of dedup/, its options, and operations on it: whatever these are, a key inside the window must
// be known, and windows that are never wrong must know no other.
//
// The files in corpus/dedup come from this program itself, which then writes them into a folder:
//   c++ -std=c++20 -DRECOUP_WRITE_CORPUS -Iinclude tests/fuzz/dedup_fuzz.cpp -o write_corpus
//   ./write_corpus tests/fuzz/corpus/dedup
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "input.hpp"
#include "recoup/core/snapshot.hpp"
#include "recoup/core/time.hpp"
#include "recoup/dedup/bloom_window.hpp"
#include "recoup/dedup/compact_window.hpp"
#include "recoup/dedup/exact_window.hpp"
#include "recoup/dedup/fingerprint_window.hpp"
#include "recoup/dedup/integer_window.hpp"
#include "recoup/dedup/window.hpp"

namespace {

using fuzz::expect;
using fuzz::input;
using recoup::duration;
using recoup::timestamp;

// Of a key that the window was given: when last, how many had come then, and whether it may have gone since.
struct sighting {
  timestamp latest;
  std::uint64_t number = 0;
  bool may_go = false;
};

template <class Window>
class check {
 public:
  // `is_exact`: never wrong; `bears_any_time`: a time that goes back and forth costs no key.
  check(Window window, bool is_exact, bool bears_any_time = true)
      : window_(std::move(window)), earlier_(window_), is_exact_(is_exact), bears_any_time_(bears_any_time) {}

  void run(input& in) {
    while (!in.empty()) {
      const std::uint8_t operation = in.next();
      const std::uint64_t key = in.next();
      switch (operation % 16) {
        case 0:
          forget(key);
          break;
        case 1:
          restart();
          break;
        case 2:
          earlier_ = window_;
          keys_earlier_ = keys_;
          break;
        case 3:
          merge();
          break;
        case 4:
          now_ = recoup::saturating_add(now_, duration{static_cast<std::int64_t>(key)});
          break;
        case 5:
          if (bears_any_time_) now_ -= duration{static_cast<std::int64_t>(key)};
          break;
        case 6:
          observe_at(key,
                     bears_any_time_ ? std::array{timestamp::min(), timestamp::max(), timestamp()}[key % 3] : now_);
          break;
        case 7:
          batch(in, key);
          break;
        default:
          observe_at(key, now_);
          now_ += duration{1};
      }
    }
  }

 private:
  bool must_know(std::uint64_t key, timestamp now) const {
    const auto k = keys_.find(key);
    if (k == keys_.end()) return false;
    const sighting& s = k->second;
    return commits_ - s.number < window_.options().events && !s.may_go &&
           recoup::elapsed(s.latest, now) <= window_.options().age;
  }

  void observe_at(std::uint64_t key, timestamp now) {
    const auto judged = window_.judge(key, now);
    expect(judged.is_duplicate == window_.judge(key, window_.hash(key), now).is_duplicate, "Judged twice, it differs.");
    expect_of(key, now, judged.is_duplicate);
    window_.commit(key, judged, now);
    note(key, now, judged.is_duplicate);
    expect(window_.judge(key, now).is_duplicate, "A key just committed is new.");
  }
  void expect_of(std::uint64_t key, timestamp now, bool is_duplicate) const {
    if (must_know(key, now)) expect(is_duplicate, "A key inside the window is new.");
    if (is_exact_ && !keys_.contains(key)) expect(!is_duplicate, "A key that never came is a duplicate.");
  }
  void note(std::uint64_t key, timestamp now, bool is_duplicate) {
    ++(is_duplicate ? duplicates_ : fresh_);
    if (is_duplicate && !window_.options().renew) return;
    ++commits_;
    for (auto& [other, s] : keys_) s.may_go |= recoup::elapsed(s.latest, now) > window_.options().age;
    keys_[key] = {now, commits_};
    expect(window_.fresh() == fresh_ && window_.duplicates() == duplicates_, "Keys are counted otherwise.");
  }

  void batch(input& in, std::size_t size) {
    std::vector<std::uint64_t> keys(size % 80);
    for (std::uint64_t& key : keys) key = in.next();
    recoup::observe_ahead(window_, std::span<const std::uint64_t>(keys), now_, [&](std::size_t i, const auto& judged) {
      expect_of(keys[i], now_, judged.is_duplicate);
      note(keys[i], now_, judged.is_duplicate);
    });
  }

  void forget(std::uint64_t key) {
    const bool must = must_know(key, now_);
    const bool is_forgotten = window_.forget(key);
    if (must) expect(is_forgotten, "A key inside the window cannot be forgotten.");
    if (is_exact_ && !keys_.contains(key)) expect(!is_forgotten, "A key that never came is forgotten.");
    if (is_forgotten) expect(!window_.judge(key, now_).is_duplicate, "A forgotten key is a duplicate.");
    keys_.erase(key);
  }

  void restart() {
    const auto saved = recoup::snapshot(window_);
    Window restored = window_.empty_copy();
    expect(bool(recoup::restore(restored, saved)), "A snapshot is refused.");
    expect(recoup::snapshot(restored) == saved, "A restored window has another snapshot.");
    window_ = std::move(restored);
  }

  // With itself as it was. Both are put in the order of their times, which may not be that of arrival: only of what
  // comes from now on is it known how long it must stay.
  void merge() {
    expect(window_.merge(earlier_), "A window with the same options is not merged.");
    fresh_ = window_.fresh();
    duplicates_ = window_.duplicates();
    for (const auto& [key, s] : keys_earlier_) keys_.try_emplace(key, s);
    for (auto& [key, s] : keys_) s.may_go = true;
  }

  Window window_;
  Window earlier_;
  bool is_exact_;
  bool bears_any_time_;
  std::map<std::uint64_t, sighting> keys_;
  std::map<std::uint64_t, sighting> keys_earlier_;
  timestamp now_{};
  std::uint64_t commits_ = 0;
  std::uint64_t fresh_ = 0;
  std::uint64_t duplicates_ = 0;
};

template <class Options>
Options read_options(input& in) {
  Options o;
  o.events = 1 + in.next();
  if (const std::uint8_t age = in.next(); age != 0) o.age = duration{age};
  o.seed = in.next();
  o.renew = in.next() % 2 == 1;
  return o;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1'000) return 0;
  input in({data, size});
  switch (in.next() % 7) {
    case 0:
      check(recoup::exact_window<std::uint64_t>(read_options<recoup::exact_window_options>(in)), true).run(in);
      break;
    case 1:
      check(recoup::exact_window<>(read_options<recoup::exact_window_options>(in)), true).run(in);
      break;
    case 2:
      check(recoup::fingerprint_window<>(read_options<recoup::window_options>(in)), true).run(in);
      break;
    case 3:
      check(recoup::fingerprint_window<128>(read_options<recoup::window_options>(in)), true).run(in);
      break;
    case 4:
      check(recoup::integer_window<>(read_options<recoup::window_options>(in)), true).run(in);
      break;
    case 5:
      check(recoup::compact_window<16>(read_options<recoup::window_options>(in)), false).run(in);
      break;
    default: {
      auto o = read_options<recoup::bloom_window_options>(in);
      o.forgotten = 300;
      check(recoup::bloom_window(o), false, false).run(in);
    }
  }
  return 0;
}

#ifdef RECOUP_WRITE_CORPUS
int main(int argc, char** argv) {
  expect(argc == 2, "Usage: write_corpus FOLDER");
  const std::array windows{"exact", "exact_any", "fingerprint", "fingerprint_128", "integer", "compact", "bloom"};
  for (std::size_t w = 0; w < windows.size(); ++w) {
    for (const bool renew : {false, true}) {
      for (const int age : {0, 60}) {
        const std::string name = std::string(windows[w]) + (renew ? "_renew" : "") + (age != 0 ? "_age" : "");
        std::FILE* file = std::fopen((std::string(argv[1]) + '/' + name).c_str(), "wb");
        expect(file != nullptr, "The folder for the corpus cannot be written to.");
        for (const int b : {int(w), 30, age, 1, int(renew)}) std::fputc(b, file);
        std::uint32_t state = 1;
        for (int i = 0; i < 480; ++i) {
          state = state * 1'664'525 + 1'013'904'223;
          std::fputc(static_cast<int>(state >> 28), file);
          std::fputc(static_cast<int>(state >> 18 & 63), file);
        }
        std::fclose(file);
      }
    }
  }
}
#endif
