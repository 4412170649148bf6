// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#if defined(__cpp_exceptions)
#include <stdexcept>
#include <string>
#else
#include <cstdio>
#include <cstdlib>
#endif

namespace recoup::detail {

[[noreturn]] inline void reject_option(std::string_view sentence) {
#if defined(__cpp_exceptions)
  throw std::invalid_argument(std::string(sentence));
#else
  std::fprintf(stderr, "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
  std::abort();
#endif
}

// For constructors only: what arrives as data is never required to be anything. The sentence names the option, its
// value and what to do. Throws std::invalid_argument; without exceptions it prints the sentence and ends the program.
constexpr void require_option(bool valid, std::string_view sentence) {
  if (!valid) {
    reject_option(sentence);
  }
}

}  // namespace recoup::detail
