// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

// Semantic version; the build system reads it from here. While the major number is 0, a new minor number may change
// the interface.
#define RECOUP_VERSION_MAJOR 0
#define RECOUP_VERSION_MINOR 1
#define RECOUP_VERSION_PATCH 0
