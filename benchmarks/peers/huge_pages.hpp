// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace peers {

/// Memory in pages of 2 MiB where Linux has them to give: the table of a large window then takes a five-hundredth of
/// the entries in the processor's table of addresses.
template <class T>
struct huge_pages {
  using value_type = T;

  huge_pages() = default;
  template <class U>
  explicit huge_pages(const huge_pages<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    const std::size_t bytes = (count * sizeof(T) + page - 1) / page * page;
    void* const memory = ::operator new (bytes, std::align_val_t{page});
#if defined(__linux__)
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t /*count*/) noexcept { ::operator delete (memory, std::align_val_t{page}); }

  static constexpr std::size_t page = std::size_t{2} << 20;

  friend bool operator==(const huge_pages&, const huge_pages&) noexcept { return true; }
};

}  // namespace peers
