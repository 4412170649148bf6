// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include "catch.hpp"

// Counts every allocation of the test program. The operators are weak, so that several tests may include this, and all
// of them are here, as a sanitizer has its own of those that are not replaced.
namespace counted {

inline thread_local std::size_t allocations = 0;

inline void* allocate(std::size_t size, std::align_val_t alignment = std::align_val_t(alignof(std::max_align_t))) noexcept {
  ++allocations;
  const auto unit = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(unit, (size + unit) / unit * unit);
}
inline void* there(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] inline void release(void* memory) noexcept { std::free(memory); }  // inlined, g++ sees a mismatch

}  // namespace counted

// How many there were so far; fails the test if they are not counted, since another file replaces the operators too.
inline std::size_t allocations() {
  const std::size_t before = counted::allocations;
  ::operator delete(::operator new(1));
  REQUIRE(counted::allocations == before + 1);
  return counted::allocations = before;
}

// clang-format off
[[gnu::weak]] void* operator new(std::size_t n) { return counted::there(counted::allocate(n)); }
[[gnu::weak]] void* operator new[](std::size_t n) { return counted::there(counted::allocate(n)); }
[[gnu::weak]] void* operator new(std::size_t n, std::align_val_t a) { return counted::there(counted::allocate(n, a)); }
[[gnu::weak]] void* operator new[](std::size_t n, std::align_val_t a) { return counted::there(counted::allocate(n, a)); }
[[gnu::weak]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return counted::allocate(n); }
[[gnu::weak]] void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return counted::allocate(n); }
[[gnu::weak]] void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return counted::allocate(n, a); }
[[gnu::weak]] void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return counted::allocate(n, a); }
[[gnu::weak]] void operator delete(void* p) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete[](void* p) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete(void* p, std::size_t) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete[](void* p, std::size_t) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete(void* p, std::align_val_t) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete[](void* p, std::align_val_t) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete(void* p, const std::nothrow_t&) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete[](void* p, const std::nothrow_t&) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { counted::release(p); }
[[gnu::weak]] void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { counted::release(p); }
// clang-format on
