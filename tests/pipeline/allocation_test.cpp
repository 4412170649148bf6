// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
// After warm-up, no event allocates memory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "catch.hpp"
#include "recoup/recoup.hpp"

// Replaced for the whole test program.
namespace {

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left == 0) return nullptr;
  if (allocations_left != any_number_of_allocations) --allocations_left;
  ++allocations_so_far;
  if (size == 0) size = 1;
  return alignment <= alignof(std::max_align_t)
             ? std::malloc(size)
             : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void* allocate_or_throw(std::size_t size, std::size_t alignment = 0) {
  if (void* memory = allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}
// Not inline: g++ would warn that what is freed comes from new.
[[gnu::noinline]] void release(void* memory) noexcept { std::free(memory); }

}  // namespace

void* operator new(std::size_t n) { return allocate_or_throw(n); }
void* operator new[](std::size_t n) { return allocate_or_throw(n); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return allocate(n, 0); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return allocate(n, 0); }
void* operator new(std::size_t n, std::align_val_t a) { return allocate_or_throw(n, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return allocate_or_throw(n, static_cast<std::size_t>(a)); }
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return allocate(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return allocate(n, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { release(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { release(p); }

namespace {

using namespace std::chrono_literals;

// A finding owns its stream's name, so that advance allocates where it tells of a long one; an event does not.
template <class Pipeline, class Sink>
void advance_uncounted(Pipeline& pipe, recoup::timestamp now, Sink& sink) {
  const std::size_t before = allocations_so_far;
  pipe.advance(now, sink);
  allocations_so_far = before;
}

template <class F>
std::size_t allocations_of(F&& f) {
  const std::size_t before = allocations_so_far;
  f();
  return allocations_so_far - before;
}

struct reading {
  std::string device;
  std::uint64_t number = 0;
  std::string id;
  std::int32_t revision = 0;
  std::int64_t value = 0;
};

// So few gaps that half of the readings give up more: what is remembered of them grows no further then.
auto readings_pipeline() {
  return recoup::assemble<reading>(
      recoup::track_gaps(&reading::device, &reading::number,
                         {.reorder_distance = 8, .max_gaps = 6, .replay = {.first_wait = 1ms, .give_up_after = 100ms}},
                         {.capacity = 8}),
      recoup::deduplicate(recoup::key(&reading::id, &reading::revision),
                          recoup::exact_window({.events = 256, .key_bytes = 64})),
      recoup::check(recoup::rule<"id.required">(recoup::required(&reading::id), recoup::on_fail::dead_letter),
                    recoup::rule<"value.range">(recoup::in_range(&reading::value, 0, 1'000), recoup::on_fail::review)));
}

struct counting_sink {
  std::size_t told = 0;
  template <class Told>
  void operator()(const Told&) {
    ++told;
  }
};

// Eight devices; every 10th number is late by five rounds, every 50th lost; some repeated, some rejected.
std::vector<reading> readings(std::uint64_t rounds) {
  std::vector<reading> all;
  for (std::uint64_t n = 0; n < rounds; ++n) {
    for (std::uint64_t d = 0; d < 8; ++d) {
      const auto add = [&](std::uint64_t number) {
        all.push_back({"a device with a name too long to be stored inside a string " + std::to_string(d), number,
                       n % 97 == 5 ? "" : "reading of more than fifteen characters " + std::to_string(8 * number + d),
                       1, n % 89 == 7 ? -1 : 5});
      };
      if (n % 10 != 3) add(n);
      if (n % 10 == 8 && n % 50 != 8) add(n - 5);
      if (n % 31 == 0) add(n);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("the counter of allocations counts") {
  // Called by name: a compiler may leave out a new whose memory nobody sees.
  CHECK(allocations_of([] { ::operator delete(::operator new(100)); }) == 1);
  CHECK(allocations_of([] { ::operator delete (::operator new (64, std::align_val_t{64}), std::align_val_t{64}); }) ==
        1);
  CHECK(allocations_of([] {}) == 0);
}

TEST_CASE("no event allocates memory after warm-up") {
  auto pipe = readings_pipeline();
  const auto events = readings(1'000);
  const std::size_t warm = events.size() / 2;
  counting_sink sink;
  recoup::timestamp now{};
  const auto one_by_one = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      now += 100us;
      if (i % 16 == 0) advance_uncounted(pipe, now, sink);
      pipe.process(events[i], now, sink);
    }
  };
  one_by_one(0, warm);
  CHECK(allocations_of([&] { one_by_one(warm, events.size()); }) == 0);
  CHECK(pipe.processed() == events.size());
  std::uint64_t filled = 0;
  pipe.stats([&](std::string_view, std::string_view counter, std::uint64_t value) {
    if (counter == "filled") filled = value;
  });
  CHECK(filled > 500);
  CHECK(sink.told > events.size());
  CHECK(pipe.count(recoup::verdict::duplicate) > 0);
  CHECK(pipe.count(recoup::verdict::dead_letter) > 0);
  CHECK(pipe.count(recoup::verdict::review) > 0);
}

TEST_CASE("no batch allocates memory after warm-up") {
  auto pipe = readings_pipeline();
  const auto events = readings(1'000);
  counting_sink sink;
  recoup::timestamp now{};
  const auto in_batches = [&](std::span<const reading> all) {
    for (; all.size() >= 100; all = all.subspan(100)) {
      now += 10ms;
      pipe.process(all.first(100), now, sink);
      advance_uncounted(pipe, now, sink);
    }
  };
  in_batches(std::span(events).first(4'000));
  CHECK(allocations_of([&] { in_batches(std::span(events).subspan(4'000)); }) == 0);
  CHECK(pipe.count(recoup::verdict::duplicate) > 0);
}
