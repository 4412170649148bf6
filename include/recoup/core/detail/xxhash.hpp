// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

// The only place that includes xxHash: inlined, with its symbols private to the translation unit, so that nothing is
// linked and nothing collides. A translation unit may include <xxhash.h> itself, before or after this header; the names
// XXH* then mean the inlined functions, which give the same values.
#if defined(XXH_INLINE_ALL) || defined(XXH_PRIVATE_API)
#include <xxhash.h>
#else
#define XXH_INLINE_ALL
#include <xxhash.h>
#undef XXH_INLINE_ALL
#endif

#if XXH_VERSION_NUMBER < 800
#error "recoup needs xxHash 0.8.0 or newer: the values of XXH3 were not final before it."
#endif
